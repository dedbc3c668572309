"""The portfolio format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marginproof.documents import (
    MarketDocument,
    PortfolioDocument,
    document_json,
    load_portfolio,
    parse_document,
    portfolio_to_spec,
)
from marginproof.errors import InputError
from marginproof.spec.instruments import Instrument, Kind

from .changes import REMOVED, changed

Json = dict[str, Any]
EXPIRY = 1769673600


def parse(document: object) -> PortfolioDocument:
    return parse_document(PortfolioDocument, json.dumps(document), "portfolio.json")


def test_a_portfolio_becomes_instruments_and_quantities(portfolio_json: Json, market_json: Json) -> None:
    market = parse_document(MarketDocument, json.dumps(market_json), "market.json")
    cash, positions = portfolio_to_spec(parse(portfolio_json), {"BTC": 4}, market)
    assert cash == 100_050_000_000
    assert positions == [
        (Instrument(4, Kind.SPOT), 10 * 10**8),
        (Instrument(4, Kind.PERPETUAL), 2 * 10**8),
        (Instrument(4, Kind.FUTURE, EXPIRY), 10**8),
        (Instrument(4, Kind.CALL, EXPIRY, 80_000 * 10**8), -150_000_000),
        (Instrument(4, Kind.PUT, EXPIRY, 8_000_050_000_000), 1),
    ]


def test_the_document_survives_writing_and_reading(portfolio_json: Json, tmp_path: Path) -> None:
    document = parse(portfolio_json)
    (tmp_path / "p.json").write_text("\ufeff" + document_json(document), encoding="utf-8")
    assert load_portfolio(tmp_path / "p.json") == document
    assert json.loads(document_json(document)) == portfolio_json


def test_an_account_may_hold_cash_only(portfolio_json: Json) -> None:
    assert portfolio_to_spec(parse({**portfolio_json, "positions": []}), {}) == (100_050_000_000, [])


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("cash", 1000.5, ["cash:", "1000.5 is a JSON number", '"1000.5"']),
        ("cash", "1000000000001", ["cash:", "'1000000000001'", "-1000000000000 to 1000000000000"]),
        ("cash", REMOVED, ["cash:", "missing"]),
        ("positions", None, ["positions:", "null", "not a list"]),
        ("positions.0.quantity", "0", ["positions[0].quantity:", "'0'", "not 0"]),
        ("positions.0.quantity", "0.0", ["positions[0].quantity:", "'0'", "not 0"]),
        (
            "positions.1.quantity",
            "100000000.1",
            ["positions[1].quantity:", "'100000000.1'", "-100000000 to 100000000"],
        ),
        ("positions.1.quantity", "1.000000001", ["positions[1].quantity:", "9 decimals", "at most 8"]),
        ("positions.0.side", "long", ["positions[0].side:", "unknown key"]),
        ("positions.0.instrument", "btc", ["positions[0].instrument:", "'btc'", "capital letters"]),
        (
            "positions.0.instrument",
            "BTC-SWAP",
            ["positions[0].instrument:", "'SWAP' is not a date", "7FEB26"],
        ),
        ("positions.0.instrument", 5, ["positions[0].instrument:", "5", "text in quotes"]),
    ],
)
def test_a_bad_value_names_field_value_and_range(
    portfolio_json: Json, path: str, value: object, parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(portfolio_json, path, value))
    assert "portfolio.json: 1 problem\n" in str(caught.value)
    assert all(part in str(caught.value) for part in parts), str(caught.value)


@pytest.mark.parametrize("again", ["BTC-29JAN26-80000-C", "BTC-1769673600-80000-C", "BTC-29JAN26-80000.0-C"])
def test_one_instrument_twice_is_refused_however_it_is_written(portfolio_json: Json, again: str) -> None:
    positions = [*portfolio_json["positions"], {"instrument": again, "quantity": "1"}]
    with pytest.raises(
        InputError,
        match=rf"^portfolio.json: 1 problem\n  positions\[5\].instrument: '{again}' is the instrument of positions\[3\]",
    ):
        parse({**portfolio_json, "positions": positions})


def test_at_most_128_positions(portfolio_json: Json) -> None:
    positions = [{"instrument": f"BTC-29JAN26-{1000 + index}-C", "quantity": "1"} for index in range(129)]
    assert len(parse({**portfolio_json, "positions": positions[:128]}).positions) == 128
    with pytest.raises(InputError, match="positions: more than 128 entries; allowed: at most 128"):
        parse({**portfolio_json, "positions": positions})


def test_instruments_that_the_market_does_not_price_are_all_listed(
    portfolio_json: Json, market_json: Json
) -> None:
    market = parse_document(MarketDocument, json.dumps(market_json), "market.json")
    positions = [
        {"instrument": name, "quantity": "1"} for name in ("SOL", "BTC-30JAN26", "BTC-1769500800-5-P")
    ]
    document = parse({**portfolio_json, "positions": positions})
    with pytest.raises(InputError) as caught:
        portfolio_to_spec(document, {"BTC": 1, "SOL": 2}, market, origin="p.json")
    message = str(caught.value)
    assert message.startswith("p.json: 2 problems\n")
    assert "positions[0].instrument: 'SOL': underlying SOL is not in the market; allowed: BTC" in message
    assert "positions[1].instrument: 'BTC-30JAN26': expiry 30JAN26 of BTC is not in the market" in message
    assert "allowed: 27JAN26, 29JAN26" in message


def test_an_unknown_symbol_is_refused_without_a_market_too(portfolio_json: Json) -> None:
    with pytest.raises(InputError, match="unknown underlying BTC; allowed: ETH"):
        portfolio_to_spec(parse(portfolio_json), {"ETH": 1})


def test_spot_collateral_is_not_sold_short(portfolio_json: Json) -> None:
    positions = [{"instrument": "BTC-PERP", "quantity": "-1"}, {"instrument": "BTC", "quantity": "-0.5"}]
    with pytest.raises(InputError) as caught:
        portfolio_to_spec(parse({**portfolio_json, "positions": positions}), {"BTC": 1})
    assert str(caught.value) == (
        "portfolio: 1 problem\n  positions[1].quantity: '-0.5' of BTC: spot collateral cannot be sold short; allowed: above 0"
    )


def test_an_empty_path_is_called_empty() -> None:
    with pytest.raises(InputError, match="path is empty"):
        load_portfolio("")
