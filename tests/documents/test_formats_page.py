"""The page that documents the formats: its examples are accepted, its error example is what a user gets."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from marginproof.cli.epochs import leaf_json
from marginproof.documents import Document, ModelDocument, parse_document
from marginproof.documents.json_schema import DOCUMENT_KINDS
from marginproof.documents.model_convert import field_value
from marginproof.errors import InputError
from marginproof.protocol.deploy_config import DEPLOY_FORMAT, DeployPlan, RolesPlan, TimelockPlan
from marginproof.spec.abridged import abridge_market
from marginproof.spec.market import (
    ExpiryMarket,
    MarketSnapshot,
    UnderlyingMarket,
    encode_head,
    encode_header,
    encode_market,
    encode_quote,
)
from marginproof.spec.model_fields import FIELDS
from marginproof.spec.portfolio import Position, encode_portfolio
from marginproof.spec.repricing import Repricing, pack_repricing
from marginproof.spec.shown import (
    ShownSide,
    ShownTrade,
    ShownWithdrawal,
    pack_leaf,
    pack_trade,
    pack_withdrawal,
)
from marginproof.spec.svi import Svi
from marginproof.spec.typed_data import Leaf, Order

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def kind(example: str) -> type[Document]:
    document = json.loads(example)
    if document["format"] == DEPLOY_FORMAT:
        return DeployPlan
    name = str(document["format"]).removeprefix("marginproof/").rpartition("@")[0]
    return DOCUMENT_KINDS["market-what-if" if '"vols"' in example else name]


def test_there_is_one_example_of_each_format() -> None:
    assert sorted(kind(example).__name__ for example in EXAMPLES) == [
        "DeployPlan",
        "MarketDocument",
        "ModelDocument",
        "PortfolioDocument",
        "TradesDocument",
        "WhatIfMarketDocument",
    ]


def test_the_model_example_uses_every_field() -> None:
    (example,) = (text for text in EXAMPLES if "marginproof/model@2" in text)
    entry = parse_document(ModelDocument, example, "example").default
    assert all(field_value(entry, field) is not None for field in FIELDS)


def _number(text: str) -> int:
    return int(Decimal(text) * 10**18)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("`factors.initial` |", "initialFactor"),
        ("`vol.up`, `vol.down` |", "volUp"),
        ("`vol.minimumUp` |", "minVolUp"),
        ("`vol.shortPower`, `vol.longPower` |", "powerLong"),
        ("`basis.up`, `basis.down` |", "basisUp"),
        ("`basis.base`, `basis.perYear` |", "basisBase"),
        ("`delta.net`, `delta.hedged` |", "deltaNet"),
        ("`addOns.nakedShortOptions` |", "nakedMaintenance"),
        ("`addOns.perpetuals`, `futures` |", "perpetualInitial"),
        ("`addOns.collateral` |", "haircutInitial"),
    ],
)
def test_the_table_gives_the_ranges_of_the_specification(words: str, field: str) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {words}"))
    low, high = row.rstrip(" |").rpartition("| ")[2].split(" to ")
    known = next(item for item in FIELDS if item.name == field)
    assert (_number(low), _number(high)) == (known.low, known.high)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_accepted(example: str) -> None:
    parse_document(kind(example), example, "example")


@pytest.mark.parametrize("field", ["threshold", *RolesPlan.model_fields, *TimelockPlan.model_fields])
def test_the_page_names_a_field_of_the_plan(field: str) -> None:
    section = PAGE[PAGE.index("## Deployment plan") : PAGE.index("## Option chains")]
    assert f"{field}`" in section


def test_the_page_gives_the_defaults_of_the_timelock() -> None:
    assert f"default {TimelockPlan().delay} " in PAGE


def test_the_error_example_is_real() -> None:
    broken = EXAMPLES[0].replace('"89337.52"', "89337.52").replace('"-0.3"', '"1.2"')
    with pytest.raises(InputError) as caught:
        parse_document(kind(broken), broken, "market.json")
    assert f"```text\n{caught.value}\n```" in PAGE


LEAF = Leaf(7, bytes(32), -12_345_678_901, 2 * 10**8, 3 * 10**8 + 1, 10**8, bytes((1, 30, 2, 4)))


def examples_in_python() -> dict[str, Any]:
    """The names that the page's Python examples define."""
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(example, names)
    return names


def test_the_withdrawal_by_hand_is_the_specifications() -> None:
    siblings, to = (b"\1" * 32, b"\2" * 32), bytes(range(20))
    proof = {"leaf": leaf_json(LEAF), "proof": ["0x" + node.hex() for node in siblings]}
    by_hand = examples_in_python()["shown_withdrawal"](proof, 25 * 10**6, "0x" + to.hex())
    assert by_hand == pack_withdrawal(ShownWithdrawal(LEAF, siblings, 25 * 10**6, to))


def test_the_trade_by_hand_is_the_specifications() -> None:
    names = examples_in_python()
    sides = []
    by_hand = []
    for account, quantity, held in ((7, -5, (Position(9, 4), Position(11, -3))), (8, 5, ())):
        order = Order(account, 9, quantity, -100 + account, account + 1, account + 2)
        signature = bytes((account,)) * 65
        sides.append(ShownSide(order, signature, held, LEAF))
        terms = (order.price, order.account, order.nonce, order.deadline)
        by_hand.append(names["shown_side"](terms, signature, pack_leaf(LEAF), encode_portfolio(held)))
    shown = names["shown_trade"](9, -5, *by_hand, b"\3" * 130)
    assert shown == pack_trade(ShownTrade((sides[0], sides[1]), b"\3" * 130))


def test_the_repricing_by_hand_is_the_specifications() -> None:
    names = examples_in_python()
    portfolio = encode_portfolio((Position(9, 4), Position(11, -3)))
    asked = Repricing(bytes(range(32)), portfolio, b"\1\7", b"market")
    by_hand = names["packed_repricing"](asked.model_hash, asked.portfolio, asked.choices, asked.market)
    assert by_hand == pack_repricing(asked)


@pytest.mark.parametrize("count", [*range(9), 12])
def test_the_market_abridged_by_hand_is_the_specifications(count: int) -> None:
    smile = Svi(10**15, 10**16, 0, 0, 10**17)
    expiries = tuple(ExpiryMarket(2_000 + i, 10**10, 0, smile) for i in range(count))
    part = UnderlyingMarket(1, 10**10, 10**10, 10**18, 0, (), expiries)
    market = MarketSnapshot(1_000, 10**8, (part,))
    by_hand = examples_in_python()["abridged_quotes"]
    for shown in (set(), {2_000}, {2_003, 2_004}, {2_000 + count - 1}, set(range(2_000, 2_000 + count))):
        quotes = by_hand(b"".join(map(encode_quote, expiries)), shown)
        assert encode_header(market) + encode_head(part) + quotes == abridge_market(market, {1: shown})


def test_the_page_gives_the_lengths_of_an_abridged_market() -> None:
    smile = Svi(10**15, 10**16, 0, 0, 10**17)
    expiries = tuple(ExpiryMarket(2_000 + i, 10**10, 0, smile) for i in range(12))
    market = MarketSnapshot(1_000, 10**8, (UnderlyingMarket(1, 10**10, 10**10, 10**18, 0, (), expiries),))
    one, whole = len(abridge_market(market, {1: {2_000}})), len(encode_market(market))
    assert f"takes {one} market bytes in place of {whole}." in PAGE
