"""Prices of perpetuals from a table of futures: only theirs, exactly, and bad cells refused by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from marginproof.errors import InputError
from marginproof.market.perpetuals import read_perpetuals

from .chains import DAY, TIME

HEADER = "snapshot_ts,underlying,instrument,expiry_utc,price,kind"


def table(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "marks.csv"
    path.write_text("\n".join((header, *lines)), encoding="utf-8")
    return path


def test_perpetuals_are_found_by_time_and_symbol(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        f"{TIME},BTC,BTC-PERPETUAL,0,63844.5,listed",
        f"{TIME},BTC,BTC-NEXT,{TIME + DAY},70000,listed",
        "",
        f"{TIME},ETH,ETH-PERPETUAL,0,1876.123456785,listed",
        f"{TIME + 60},BTC,BTC-PERPETUAL,0,1e4,listed",
    )
    expected = {TIME: {"BTC": 6_384_450_000_000, "ETH": 187_612_345_678}, TIME + 60: {"BTC": 10**12}}
    assert read_perpetuals(path) == expected
    packed = tmp_path / "marks.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_perpetuals(packed) == expected


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"{TIME},BTC,,0,,x", "price '' is not a number"),
        (f"{TIME},BTC,,0,-1,x", "price '-1' out of range; allowed: 0.01 to 1000000"),
        (f"{TIME},BTC,,0,1000001,x", "price '1000001' out of range"),
        (f"{TIME},BTC,,0,nan,x", "price 'nan' is not a number"),
        (f"{TIME},BTC,,soon,5,x", "expiry_utc 'soon' is not a time; allowed: whole unix seconds"),
        ("1.5,BTC,,0,5,x", "snapshot_ts '1.5' is not a time"),
        (f"{TIME},BTC", "2 cells; at least 5 are needed"),
        (f"{TIME},ETH,,0,1901,x", "a second price of ETH for this time"),
    ],
)
def test_bad_cells_are_refused_by_line(tmp_path: Path, line: str, problem: str) -> None:
    path = table(tmp_path, f"{TIME},ETH,ETH-PERPETUAL,0,1900,x", line)
    with pytest.raises(InputError) as caught:
        read_perpetuals(path)
    assert str(caught.value).startswith(f"{path} line 3: {problem}")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing column price; required: snapshot_ts, .*found: 'snapshot"):
        read_perpetuals(table(tmp_path, header="snapshot_ts,underlying,expiry_utc"))
    with pytest.raises(InputError, match="no such file"):
        read_perpetuals(tmp_path / "absent.csv")
