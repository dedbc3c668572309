"""Decimal strings: exact both ways, and everything that is not one is refused."""

from __future__ import annotations

from random import Random

import pytest
from pydantic_core import PydanticCustomError

from marginproof.documents.decimals import Rounding, ScaledDecimal, format_decimal, parse_decimal, show


@pytest.mark.parametrize(
    ("text", "digits", "value"),
    [
        ("0", 8, 0),
        ("-0", 8, 0),
        ("1", 8, 10**8),
        ("-1.5", 8, -150_000_000),
        ("0.00000001", 8, 1),
        ("89337.52758", 8, 8_933_752_758_000),
        ("0.000000000000000001", 18, 1),
        ("-0.9999", 18, -999_900_000_000_000_000),
        ("1.50", 8, 150_000_000),
    ],
)
def test_a_decimal_string_becomes_the_exact_integer(text: str, digits: int, value: int) -> None:
    assert parse_decimal(text, digits) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "01",
        ".5",
        "5.",
        "1e3",
        "1E-2",
        "NaN",
        "Infinity",
        "0x10",
        "1,000",
        "1_000",
        "١",
        "--1",
        "1.2.3",
        "-",
    ]
    + ["1.", "-9e9"],
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a plain decimal"):
        parse_decimal(text, 8)


@pytest.mark.parametrize("text", ["9" * 32, "-" + "9" * 400, "1" * 5000, "1" * 400 + ".5"])
def test_a_long_number_is_out_of_range(text: str) -> None:
    kind = ScaledDecimal(8, 1, 10**10, "")
    for read in (lambda: parse_decimal(text, 8), lambda: Rounding().integer(text, 8)):
        with pytest.raises(ValueError, match=r"is out of range$"):
            read()
    with pytest.raises(PydanticCustomError, match=r"is out of range; allowed: 0.00000001 to 100, at most 8"):
        kind.from_json(text)


def test_a_long_json_number_is_not_told_in_full() -> None:
    with pytest.raises(PydanticCustomError) as caught:
        ScaledDecimal(8, 1, 10**10, "").from_json(10**400)
    assert len(caught.value.message()) < 250


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        ({"x": "1"}, '{"x": "1"}'),
        ([False], "[false]"),
        ("a", "'a'"),
        (1.5, "1.5"),
    ],
)
def test_values_are_shown_as_json(value: object, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize("text", ["0.000000001", "1.000000000"])
def test_a_decimal_too_many_is_refused_and_never_rounded(text: str) -> None:
    with pytest.raises(ValueError, match="has 9 decimals, at most 8 fit"):
        parse_decimal(text, 8)


def test_random_integers_survive_the_round_trip() -> None:
    random = Random(20260206)
    for digits in (0, 8, 18):
        for _ in range(500):
            value = random.randint(-(10**30), 10**30) // 10 ** random.randint(0, 30)
            assert parse_decimal(format_decimal(value, digits), digits) == value


@pytest.mark.parametrize(
    ("value", "text"), [(150_000_000, "1.5"), (-1, "-0.00000001"), (10**10, "100"), (0, "0")]
)
def test_a_decimal_is_written_without_needless_zeros(value: int, text: str) -> None:
    assert format_decimal(value, 8) == text
