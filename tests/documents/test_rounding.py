"""Rounding pasted figures: to the nearest, ties to even, only when asked for, and told."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from marginproof.documents import MarketDocument, Rounding, format_decimal, parse_document
from marginproof.errors import InputError

from .changes import changed

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("text", "digits", "value"),
    [
        ("2681.6029850999994", 8, 268_160_298_510),
        ("0.000000005", 8, 0),
        ("0.000000015", 8, 2),
        ("-0.000000015", 8, -2),
        ("-0.0000000151", 8, -2),
        ("1e-05", 8, 1000),
        ("1.5E2", 8, 15 * 10**9),
        ("007", 8, 7 * 10**8),
        ("0.33999999999999997", 18, 339999999999999970),
    ],
)
def test_the_nearest_integer_is_taken(text: str, digits: int, value: int) -> None:
    assert Rounding().integer(text, digits) == value


@pytest.mark.parametrize("text", ["", "1e", "NaN", "Infinity", "1e999", "--1", "1,5", "0x1", " 1", "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        Rounding().integer(text, 8)


def test_a_number_beyond_every_range_is_told_so() -> None:
    with pytest.raises(ValueError, match=r"is out of range$"):
        Rounding().integer("9" * 40, 8)


def test_only_what_changes_is_counted() -> None:
    rounding = Rounding()
    assert rounding.sentence("market") is None
    for text in ("1.5", "1.00000000", "3e3"):
        rounding.integer(text, 8)
    assert rounding.count == 0
    rounding.integer("0.123456789", 8)
    rounding.integer("0.999999999", 8)
    assert rounding.sentence("market") == (
        "market: 2 figures rounded to the scale, first 0.123456789 to 0.12345679."
    )


def test_no_result_is_further_off_than_half_a_unit() -> None:
    random = Random(20260128)
    for _ in range(1000):
        text = repr(random.uniform(-1e6, 1e6))
        error = Decimal(format_decimal(Rounding().integer(text, 8), 8)) - Decimal(text)
        assert abs(error) <= Decimal("0.5e-8")


def test_a_document_of_floats_is_read_when_rounding_is_asked_for(market_json: Json) -> None:
    pasted = changed(market_json, "underlyings.0.spot", 95663.50604855123)
    pasted = changed(pasted, "underlyings.0.confidence", 1)
    pasted = changed(pasted, "underlyings.0.expiries.0.rate", 1.5e-05)
    rounding = Rounding()
    document = parse_document(MarketDocument, json.dumps(pasted), "m.json", rounding)
    assert document.underlyings[0].spot_e8 == 9_566_350_604_855
    assert document.underlyings[0].expiries[0].rate_wad == 15 * 10**12
    assert rounding.count == 1
    with pytest.raises(InputError, match="3 problems"):
        parse_document(MarketDocument, json.dumps(pasted), "m.json")


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        ("underlyings.0.spot", True, "true is not a decimal number"),
        ("underlyings.0.spot", None, "null is not a decimal number"),
        ("underlyings.0.spot", [1], "is not a decimal number"),
        ("underlyings.0.spot", "abc", "'abc' is not a decimal number"),
        ("underlyings.0.spot", 2e6, "'2000000' is out of range; allowed: 0.01 to 1000000"),
        ("underlyings.0.spot", 1e-12, "'1e-12', rounded to 0, is out of range; allowed: 0.01 to 1000000"),
        ("time", 1.5, "not a whole number"),
    ],
)
def test_ranges_and_kinds_are_checked_all_the_same(
    market_json: Json, path: str, value: object, part: str
) -> None:
    with pytest.raises(InputError) as caught:
        parse_document(MarketDocument, json.dumps(changed(market_json, path, value)), "m.json", Rounding())
    assert part in str(caught.value)
