"""Reading option chains: every row is used or counted with a reason; unusable files are refused."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from marginproof.errors import InputError
from marginproof.market.book_summary import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, read_book_summaries

from .chains import COLUMNS, TIME, Row, chain, write


@pytest.fixture
def rows() -> list[Row]:
    return chain(days=(8,))


def test_a_clean_chain_is_read_whole(tmp_path: Path, rows: list[Row]) -> None:
    read, report = read_book_summaries([write(tmp_path / "chain.csv", rows)])
    assert len(read) == report.rows_read == report.rows_used == 50
    assert (report.dropped, report.set_aside, report.remarks) == ({}, {}, [])
    first = read[0]
    assert (first.underlying, first.option_type, first.snapshot, first.line) == ("BTC", "C", TIME, 2)
    assert first.strike == Decimal(rows[0]["strike"])
    assert first.mark_iv == Decimal(rows[0]["mark_iv"])
    assert sum(not row.has_bid for row in read) == 18


def test_gzip_blank_lines_and_a_byte_order_mark_make_no_difference(tmp_path: Path, rows: list[Row]) -> None:
    plain = write(tmp_path / "chain.csv", rows)
    packed = tmp_path / "chain.csv.gz"
    packed.write_bytes(
        gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n") + b"\r\n,,\r\n")
    )
    one, _ = read_book_summaries([plain])
    other, report = read_book_summaries([packed])
    assert [(row.strike, row.mark_iv, row.forward) for row in one] == [
        (row.strike, row.mark_iv, row.forward) for row in other
    ]
    assert report.rows_read == 50


def test_optional_columns_may_be_absent_and_that_is_said(tmp_path: Path, rows: list[Row]) -> None:
    read, report = read_book_summaries([write(tmp_path / "chain.csv", rows, REQUIRED_COLUMNS)])
    assert len(read) == 50
    assert report.absent_columns == {"chain.csv": list(OPTIONAL_COLUMNS)}


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("underlying", "btc", "underlying 'btc'; allowed"),
        ("underlying", "", "underlying ''; allowed"),
        ("expiry_utc", "soon", "expiry_utc 'soon' is not a number"),
        ("expiry_utc", "1770364800000", "milliseconds? divide by 1000"),
        ("expiry_utc", "1770364800.5", "whole unix seconds"),
        ("strike", "", "strike '' is not a number"),
        ("strike", "-60000", "strike '-60000' out of range; allowed: 0.0001 to 100000000"),
        ("strike", "nan", "strike 'nan' is not a number"),
        ("option_type", "X", "option_type 'X'; allowed: C or P"),
        ("snapshot_ts", "", "snapshot_ts '' is not a number"),
    ],
)
def test_a_row_that_cannot_be_placed_is_dropped_with_its_line(
    tmp_path: Path, rows: list[Row], column: str, value: str, part: str
) -> None:
    rows[3][column] = value
    read, report = read_book_summaries([write(tmp_path / "chain.csv", rows)])
    assert len(read) == report.rows_used == 49
    assert report.dropped == {"unreadable": 1}
    assert str(report.remarks[0]).startswith("chain.csv line 5: ")
    assert part in str(report.remarks[0])


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("mark_iv", "", "mark_iv absent"),
        ("mark_iv", "0", "mark_iv absent"),
        ("mark_iv", "0.00", "mark_iv absent"),
        ("mark_iv", "NaN", "mark_iv unusable"),
        ("mark_iv", "-50", "mark_iv unusable"),
        ("mark_iv", "None", "mark_iv unusable"),
        ("mark_iv", "99999", "mark_iv unusable"),
        ("underlying_price", "", "underlying_price absent"),
        ("underlying_price", "-1", "underlying_price unusable"),
        ("underlying_price", "1e300", "underlying_price unusable"),
        ("index_price", "inf", "index_price unusable"),
        ("bid", "-0.1", "bid unusable"),
        ("ask", "n/a", "ask unusable"),
        ("mark_price", "NaN", "mark_price unusable"),
        ("open_interest", "-1", "open_interest unusable"),
    ],
)
def test_a_cell_that_cannot_be_used_is_set_aside_and_its_row_stays(
    tmp_path: Path, rows: list[Row], column: str, value: str, reason: str
) -> None:
    rows[0][column] = value
    read, report = read_book_summaries([write(tmp_path / "chain.csv", rows)])
    assert len(read) == 50
    assert report.set_aside == {reason: 1}
    assert report.remarks[0].line == 2
    if column == "mark_iv":
        assert read[0].mark_iv is None


def test_a_short_row_is_dropped(tmp_path: Path, rows: list[Row]) -> None:
    path = write(tmp_path / "chain.csv", rows)
    path.write_text(path.read_text(encoding="utf-8") + "BTC-X,BTC,177\n", encoding="utf-8")
    read, report = read_book_summaries([path])
    assert len(read) == 50
    assert report.rows_read == 51
    assert report.dropped == {"too few cells": 1}
    assert report.remarks[0].line == 52


@pytest.mark.parametrize("missing", REQUIRED_COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, rows: list[Row], missing: str) -> None:
    path = write(tmp_path / "chain.csv", rows, tuple(name for name in COLUMNS if name != missing))
    with pytest.raises(InputError, match=rf"chain.csv: missing column {missing}; required: underlying"):
        read_book_summaries([path])


def test_files_that_are_no_chains(tmp_path: Path, rows: list[Row]) -> None:
    whole = gzip.compress(write(tmp_path / "chain.csv", rows).read_bytes())
    contents = {
        "empty.csv": (b"", "empty; expected a header"),
        "cut.csv.gz": (whole[: len(whole) // 2], "damaged or cut off"),
        "binary.csv": (b"\xff\xfe\x00", "not UTF-8 text"),
        "twice.csv": ((",".join((*COLUMNS, "strike"))).encode(), "column strike appears 2 times"),
        "quotes.csv": (",".join(COLUMNS).encode() + b'\n"a"b,1\n', "not a CSV file"),
    }
    for name, (data, part) in contents.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=part):
            read_book_summaries([tmp_path / name])
    with pytest.raises(InputError, match=r"absent.csv: no such file"):
        read_book_summaries([tmp_path / "absent.csv"])
    with pytest.raises(InputError, match="a folder or empty, not a file"):
        read_book_summaries([tmp_path])
    with pytest.raises(InputError, match="no chain file was given"):
        read_book_summaries([])
