"""A market with volatilities per strike: accepted for what-if runs, refused wherever a market is committed to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marginproof.documents import (
    MarketDocument,
    PortfolioDocument,
    WhatIfMarketDocument,
    market_to_spec,
    parse_document,
    portfolio_to_spec,
    what_if_market_to_spec,
)
from marginproof.errors import InputError
from marginproof.spec.instruments import Instrument, Kind

from .changes import REMOVED, changed

Json = dict[str, Any]
VOLS = "underlyings.0.expiries.0.vols"
EXPIRY = 1769673600


def parse(document: object) -> WhatIfMarketDocument:
    return parse_document(WhatIfMarketDocument, json.dumps(document), "market.json")


def portfolio(*names: str) -> PortfolioDocument:
    positions = [{"instrument": name, "quantity": "1"} for name in names]
    text = json.dumps({"format": "marginproof/portfolio@1", "cash": "0", "positions": positions})
    return parse_document(PortfolioDocument, text, "p.json")


def test_volatilities_are_keyed_by_the_call(what_if_json: Json) -> None:
    snapshot, vols = what_if_market_to_spec(parse(what_if_json), {"BTC": 4})
    assert vols == {
        Instrument(4, Kind.CALL, EXPIRY, 80_000 * 10**8): 5 * 10**17,
        Instrument(4, Kind.CALL, EXPIRY, 80_000 * 10**8 + 5 * 10**7): 6 * 10**17,
    }
    assert snapshot.underlyings[0].expiries[0].forward_e8 == 8_933_752_758_000


def test_a_market_with_a_smile_is_the_same_snapshot_in_both_forms(market_json: Json) -> None:
    committed = market_to_spec(
        parse_document(MarketDocument, json.dumps(market_json), "market.json"), {"BTC": 1}
    )
    assert what_if_market_to_spec(parse(market_json), {"BTC": 1}) == (committed, {})


def test_a_committed_market_has_no_volatilities_per_strike(what_if_json: Json) -> None:
    with pytest.raises(InputError) as caught:
        parse_document(MarketDocument, json.dumps(what_if_json), "market.json")
    assert "expiries[0].vols: volatilities per strike are for what-if runs only" in str(caught.value)
    assert "expiries[0].svi: missing" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        (f"{VOLS}.80000", "100.1", ["vols.80000:", "'100.1'", "0 to 100"]),
        (f"{VOLS}.80000", 0.5, ["vols.80000:", "0.5 is a JSON number"]),
        (f"{VOLS}.80000\u0660", "0.5", ["vols.80000\u0660:", "not a plain decimal"]),
        (VOLS, {"0": "0.5"}, ["vols.0:", "strike '0' is out of range", "0.0001 to 100000000"]),
        (VOLS, {"5": "0.5", "5.0": "0.5"}, ["expiries[0]:", "strike '5.0' is strike '5' again"]),
        (VOLS, ["0.5"], ["vols:", "not an object"]),
    ],
)
def test_a_bad_volatility_names_strike_value_and_range(
    what_if_json: Json, path: str, value: object, parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(what_if_json, path, value))
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_a_strike_that_is_held_needs_a_smile_or_a_volatility(what_if_json: Json, market_json: Json) -> None:
    held = portfolio("BTC-29JAN26-80000-C", "BTC-29JAN26-80000-P", "BTC-29JAN26", "BTC-29JAN26-81000-P")
    with pytest.raises(InputError) as caught:
        portfolio_to_spec(held, {"BTC": 1}, parse(what_if_json), origin="p.json")
    message = str(caught.value)
    assert message.startswith("p.json: 1 problem\n")
    assert "positions[3].instrument: 'BTC-29JAN26-81000-P': strike 81000 has no volatility" in message
    assert "vols has strikes 80000, 80000.5" in message
    smile = {"a": "0.01", "b": "0.02", "rho": "0", "m": "0", "sigma": "0.1"}
    both = changed(what_if_json, "underlyings.0.expiries.0.svi", smile)
    assert len(portfolio_to_spec(held, {"BTC": 1}, parse(both))[1]) == 4


def test_an_unknown_symbol_is_refused(what_if_json: Json) -> None:
    with pytest.raises(InputError, match="unknown symbol BTC; allowed: ETH"):
        what_if_market_to_spec(parse(what_if_json), {"ETH": 1})


def test_perpetual_and_confidence_have_documented_values_when_absent(market_json: Json) -> None:
    section = what_if_market_to_spec(parse(market_json), {"BTC": 1})[0].underlyings[0]
    assert (section.perpetual_e8, section.expiries[0].confidence_wad) == (section.spot_e8, 10**18)
    given = changed(market_json, "underlyings.0.perpetual", "89000.5")
    given = changed(given, "underlyings.0.expiries.0.confidence", "0.5")
    given = changed(given, "underlyings.0.expiries.0.rate", "-0.05")
    section = what_if_market_to_spec(parse(given), {"BTC": 1})[0].underlyings[0]
    assert (section.perpetual_e8, section.expiries[0].confidence_wad) == (8_900_050_000_000, 5 * 10**17)
    assert section.expiries[0].rate_wad == -5 * 10**16


def test_the_time_rules_hold_here_too(what_if_json: Json) -> None:
    with pytest.raises(InputError, match="has passed at time"):
        parse(changed(what_if_json, "underlyings.0.expiries.0.expiry", 1769614910))
    with pytest.raises(InputError, match="forward: missing"):
        parse(changed(what_if_json, "underlyings.0.expiries.0.forward", REMOVED))
