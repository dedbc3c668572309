"""Small valid documents, as the JSON that a user would write, for tests to change one thing in."""

from __future__ import annotations

from typing import Any

import pytest

from .full_model import full_model

Json = dict[str, Any]


@pytest.fixture
def market_json() -> Json:
    """A market with one settled and one live expiry."""
    return {
        "format": "marginproof/market@1",
        "time": 1769614910,
        "settlementToken": "1",
        "source": "made up",
        "underlyings": [
            {
                "symbol": "BTC",
                "spot": "89337.52",
                "confidence": "1",
                "funding": "-0.25",
                "settlements": [{"expiry": 1769500800, "price": "88000"}],
                "expiries": [
                    {
                        "expiry": 1769673600,
                        "forward": "89337.52758",
                        "rate": "0",
                        "svi": {"a": "-0.0001", "b": "0.02", "rho": "-0.2", "m": "0.01", "sigma": "0.05"},
                    }
                ],
            }
        ],
    }


@pytest.fixture
def model_json() -> Json:
    """A model with two scenarios and one override."""
    entry = {
        "factors": {"initial": "1", "maintenance": "0.8"},
        "vol": {
            "up": "0.5",
            "down": "0.3",
            "minimumUp": "0.4",
            "shortPower": "0.3",
            "longPower": "0.13",
            "floorSeconds": 86400,
        },
        "scenarios": [
            {"spot": "1.18", "vol": "up", "weight": "1"},
            {"spot": "0.82", "vol": "none", "weight": "0.5"},
        ],
    }
    return {
        "format": "marginproof/model@2",
        "name": "two",
        "source": "made up",
        "date": "2026-01",
        "default": entry,
        "underlyings": {"ETH": {**entry, "factors": {"initial": "2", "maintenance": "0.8"}}},
    }


@pytest.fixture
def portfolio_json() -> Json:
    """One position of each kind."""
    return {
        "format": "marginproof/portfolio@1",
        "cash": "1000.5",
        "positions": [
            {"instrument": "BTC", "quantity": "10"},
            {"instrument": "BTC-PERP", "quantity": "2"},
            {"instrument": "BTC-29JAN26", "quantity": "1"},
            {"instrument": "BTC-29JAN26-80000-C", "quantity": "-1.5"},
            {"instrument": "BTC-1769673600-80000.5-P", "quantity": "0.00000001"},
        ],
    }


@pytest.fixture
def full_model_json() -> Json:
    """A model that uses every group."""
    return full_model()


@pytest.fixture
def what_if_json(market_json: Json) -> Json:
    """The same market with volatilities per strike instead of a smile."""
    expiry = market_json["underlyings"][0]["expiries"][0]
    del expiry["svi"]
    expiry["vols"] = {"80000": "0.5", "80000.5": "0.6"}
    return market_json
