"""Figures that cannot belong together are set aside and reported, or refused with counts and values."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from marginproof.documents import SettlementEntry, format_expiry
from marginproof.errors import InputError
from marginproof.market.book_summary import read_book_summaries
from marginproof.market.importing import import_and_fit

from .chains import COLUMNS, TIME, Row, chain, write

SPOT = 65_000


def imported(tmp_path: Path, rows: list[Row]) -> tuple[int, str]:
    """Spot in E8, and the report's text."""
    document, report = import_and_fit([write(tmp_path / "chain.csv", rows)])
    return document.underlyings[0].spot_e8, "\n".join(report.lines())


def test_index_prices_far_from_the_forwards_are_set_aside(tmp_path: Path) -> None:
    rows = chain()
    for row in rows[1::2]:
        row["index_price"] = "1"
    spot_e8, text = imported(tmp_path, rows)
    assert abs(spot_e8 - SPOT * 10**8) <= 3 * 10**8
    assert "not used: 75 cells, index_price far from underlying_price" in text
    assert "chain.csv line 3: index_price 1 is more than 20 % from 65052, the median underlying_price" in text


def test_mostly_wrong_index_prices_are_refused_with_counts_and_values(tmp_path: Path) -> None:
    rows = chain()
    for row in rows[:76]:
        row["index_price"] = "1900"
    with pytest.raises(
        InputError, match=r"BTC: 76 of 150 index_price values \(1900\) are more than 20 % from 65052"
    ):
        imported(tmp_path, rows)


def test_drift_within_a_fifth_is_a_market(tmp_path: Path) -> None:
    rows = chain()
    for row in rows:
        row["index_price"] = str(SPOT * 0.85)
    assert imported(tmp_path, rows)[0] == 55_250 * 10**8


def test_forwards_far_from_their_own_expiry_are_set_aside(tmp_path: Path) -> None:
    rows = chain(days=(8, 20, 50))
    for row in rows[:20]:
        row["underlying_price"] = "1"
    document, report = import_and_fit([write(tmp_path / "chain.csv", rows)])
    assert document.underlyings[0].expiries[0].forward_e8 == 6_505_200_000_000
    assert report.rows.set_aside == {"underlying_price far from the others": 20}


def test_an_expiry_whose_forwards_disagree_is_left_out(tmp_path: Path) -> None:
    rows = chain(days=(8, 20, 50))
    for row in rows[:50:2]:
        row["underlying_price"] = "1"
    document, report = import_and_fit([write(tmp_path / "chain.csv", rows)])
    assert len(document.underlyings[0].expiries) == 2
    assert "50 of 50 underlying_price values (1, 65052) are more than 20 %" in report.left_out[0].reason


def test_a_spot_far_from_the_nearest_forward_is_refused(tmp_path: Path) -> None:
    rows = chain(days=(8, 20, 50))
    for row in rows[:50]:
        row["underlying_price"] = str(SPOT / 2)
    with pytest.raises(InputError, match=r"spot 65000, .* more than 20 % from 32500, the nearest"):
        imported(tmp_path, rows)


def test_marks_as_fractions_are_refused_with_their_median(tmp_path: Path) -> None:
    rows = chain()
    for row in rows:
        row["mark_iv"] = "0.912"
    with pytest.raises(InputError, match=r"BTC: the median mark_iv is 0.912; mark_iv must be in percent"):
        imported(tmp_path, rows)


def test_marks_of_three_percent_are_percent(tmp_path: Path) -> None:
    rows = chain()
    for row in rows:
        row["mark_iv"] = "3"
    imported(tmp_path, rows)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("BTC-13FEB26-52000-C", "name says strike 52000, column says 70000"),
        ("BTC-14FEB26-70000-C", "name says expiry 14FEB26, column says 1771018177"),
        ("BTC-13FEB26-70000-P", "name says 'P', column says C"),
        ("ETH-13FEB26-70000-C", "name says 'ETH', column says BTC"),
    ],
)
def test_a_row_whose_name_contradicts_its_columns_is_dropped(tmp_path: Path, name: str, part: str) -> None:
    row = chain(days=(8,))[0] | {"strike": "70000", "instrument_name": name}
    assert row["expiry_utc"] == str(TIME + 8 * 86_400)
    read, report = read_book_summaries([write(tmp_path / "chain.csv", [row])])
    assert read == []
    assert report.dropped == {"instrument_name contradicts": 1}
    assert str(report.remarks[0]) == f"chain.csv line 2: instrument_name {name!r}: {part}; row dropped"


@pytest.mark.parametrize(
    "name", ["", "BTC-13FEB26-70000.0-C", "BTC-C", "BTC_USDC-13FEB26-70000-C", "BTC-X-Y-C"]
)
def test_a_name_that_agrees_or_says_less_is_fine(tmp_path: Path, name: str) -> None:
    row = chain(days=(8,))[0] | {"strike": "70000", "instrument_name": name}
    read, report = read_book_summaries([write(tmp_path / "chain.csv", [row], COLUMNS)])
    assert (len(read), report.remarks) == (1, [])


@pytest.mark.parametrize(
    "text", ["70_000", "\uff17\uff10\uff10\uff10\uff10", "+70000", "7e4x", "0x11170", "1,5"]
)
def test_only_plain_ascii_decimals_are_numbers(tmp_path: Path, text: str) -> None:
    row = chain(days=(8,))[0] | {"strike": text, "instrument_name": ""}
    read, report = read_book_summaries([write(tmp_path / "chain.csv", [row])])
    assert (read, report.dropped) == ([], {"unreadable": 1})
    assert f"strike {text!r} is not a number" in str(report.remarks[0])


@pytest.mark.parametrize("text", ["70000", "7e4", "7E+04", "70000.", "70000.00"])
def test_exponents_as_feeds_write_them_are_numbers(tmp_path: Path, text: str) -> None:
    row = chain(days=(8,))[0] | {"strike": text, "mark_price": "1e-05", "instrument_name": ""}
    read, report = read_book_summaries([write(tmp_path / "chain.csv", [row])])
    assert (read[0].strike, report.remarks) == (Decimal(70_000), [])


def test_a_live_expiry_has_no_settlement_yet(tmp_path: Path) -> None:
    expiry = TIME + 8 * 86_400
    path = write(tmp_path / "chain.csv", chain(days=(8,)))
    with pytest.raises(InputError, match=f"settlement of BTC-{format_expiry(expiry)}: not expired yet"):
        import_and_fit([path], settlements={"BTC": (SettlementEntry(expiry=expiry, price_e8=10**8),)})
