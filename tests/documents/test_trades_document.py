"""The trades format, and the words for scenarios and charges."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marginproof.documents import (
    MarketDocument,
    ModelDocument,
    TradesDocument,
    document_json,
    index_words,
    model_to_spec,
    parse_document,
    trades_to_spec,
)
from marginproof.errors import InputError
from marginproof.spec.instruments import Instrument, Kind

from .changes import changed

Json = dict[str, Any]
TRADES: Json = {
    "format": "marginproof/trades@1",
    "trades": [
        {"instrument": "BTC-PERP", "quantity": "-2", "price": "89000"},
        {"instrument": "BTC", "quantity": "1"},
    ],
}


def parse(document: object) -> TradesDocument:
    return parse_document(TradesDocument, json.dumps(document), "trades.json")


def test_trades_become_instruments_quantities_and_prices() -> None:
    document = parse(TRADES)
    assert trades_to_spec(document.trades, {"BTC": 3}) == [
        (Instrument(3, Kind.PERPETUAL), -2 * 10**8, 89_000 * 10**8),
        (Instrument(3, Kind.SPOT), 10**8, None),
    ]
    assert json.loads(document_json(document)) == TRADES


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        ("trades", [], "trades: 0 entries"),
        ("trades.0.quantity", "0", "trades[0].quantity: '0' is out of range"),
        ("trades.0.quantity", 1, "trades[0].quantity: 1 is a JSON number"),
        ("trades.0.price", "100000001", "trades[0].price: '100000001' is out of range"),
        ("trades.1.instrument", "btc", "trades[1].instrument: 'btc'"),
        ("trades.1.side", "buy", "trades[1].side: unknown key"),
    ],
)
def test_a_bad_trade_is_named(path: str, value: object, part: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(TRADES, path, value))
    assert part in str(caught.value)


def test_what_the_market_does_not_price_is_named(market_json: Json) -> None:
    market = parse_document(MarketDocument, json.dumps(market_json), "m.json")
    document = parse(changed(TRADES, "trades.1.instrument", "BTC-30JAN26"))
    with pytest.raises(InputError, match=r"x: 1 problem\n  trades\[1\].instrument: 'BTC-30JAN26': expiry"):
        trades_to_spec(document.trades, {"BTC": 1}, market, origin="x")


def test_every_index_has_words(full_model_json: Json) -> None:
    scenarios = [
        {"spot": "1", "vol": "add", "amount": "-0.05", "weight": "1"},
        {"spot": "1", "vol": "none", "weight": "1"},
        {"spot": "0.5", "vol": "up", "weight": "0.25"},
        {"spot": "1", "vol": "absoluteSkew", "weight": "1"},
    ]
    document = changed(full_model_json, "default.scenarios", scenarios)
    document = changed(
        document, "default.basis", {"up": "1.045", "down": "0.955", "base": "0.5", "perYear": "2"}
    )
    document = changed(document, "default.delta", {"net": "0.02", "hedged": "0.01"})
    document = changed(document, "default.shortMinimum", {"amount": "0.375", "rate": "0"})
    model = model_to_spec(parse_document(ModelDocument, json.dumps(document), "m.json"), {"BTC": 1})
    section = model.sections[0]
    assert [index_words(section, index) for index in range(-1, 8)] == [
        "no such index: the model has 0 to 6",
        "spot x 1, vol - 0.05, weight 1",
        "spot x 1, vol unchanged, weight 1",
        "spot x 0.5, vol up, weight 0.25",
        "spot x 1, absolute skew, weight 1",
        "basis charge: forwards x 1.045 or x 0.955, times 0.5 + 2 per year",
        "delta charge: 0.02 of net and 0.01 of hedged delta",
        "short option minimum: 0.375 USD + 0 of spot per option",
        "no such index: the model has 0 to 6",
    ]
