"""The script behind the shipped snapshots, on made-up chains: settlements, funding, and a check that can fail."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from marginproof.errors import InputError

from .chains import DAY, TIME, chain, write

MARKS = "deribit_futures_marks.csv.gz"
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fit_crash.py"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_crash", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two times a day and a half apart: the first expiry passes between them. Perpetuals are a thousandth above spot."""
    marks = ["snapshot_ts,underlying,instrument,expiry_utc,price,kind"]
    for number, (shift, fall) in enumerate(((0, 1.0), (int(1.6 * DAY), 0.9)), 1):
        for symbol, spot in (("BTC", 65_000.0), ("ETH", 1900.0)):
            rows = [
                {**row, "snapshot_ts": str(TIME + shift)}
                for row in chain(symbol, spot * fall)
                if int(row["expiry_utc"]) > TIME + shift
            ]
            marks.append(f"{TIME + shift},{symbol},{symbol}-PERPETUAL,0,{spot * fall * 1.001:.4f},made up")
            marks.append(
                f"{TIME + shift},{symbol},{symbol}-FUTURE,{TIME + 8 * DAY},{spot * fall * 1.002:.4f},made up"
            )
            path = write(tmp_path / "chain.csv", rows)
            name = f"deribit_{symbol.lower()}_options_{number}.csv.gz"
            (tmp_path / name).write_bytes(gzip.compress(path.read_bytes()))
    (tmp_path / MARKS).write_bytes(gzip.compress("\n".join(marks).encode()))
    rates = f"ts,btc_rate,eth_rate\n{TIME},0.9,\n{TIME + int(0.8 * DAY)},0.0001,\n{TIME + 2 * DAY},0.9,\n"
    (tmp_path / "funding_binance_8h.csv.gz").write_bytes(gzip.compress(rates.encode()))
    return tmp_path


def test_passed_expiries_settle_and_funding_accumulates(script: ModuleType, data: Path) -> None:
    first, second = script.build(data)
    assert [entry.settlements for entry in first.underlyings] == [(), ()]
    for entry in second.underlyings:
        (settled,) = entry.settlements
        assert (settled.expiry, settled.price_e8) == (TIME + int(1.5 * DAY), entry.spot_e8)
    btc, eth = second.underlyings
    assert (first.underlyings[0].funding_e8, first.underlyings[1].funding_e8) == (0, 0)
    assert btc.funding_e8 == 617_500_000  # one rate of 1e-4 at the spot halfway between 65,000 and 58,500
    assert eth.funding_e8 == 0


def test_perpetuals_have_their_own_price_at_each_time(script: ModuleType, data: Path) -> None:
    prices = [[entry.perpetual_e8 for entry in document.underlyings] for document in script.build(data)]
    assert prices == [[6_506_500_000_000, 190_190_000_000], [5_855_850_000_000, 171_171_000_000]]
    assert "perpetuals from their one-minute candles" in script.build(data)[0].source


def test_a_time_without_a_perpetual_s_price_is_refused(script: ModuleType, data: Path) -> None:
    later = TIME + int(1.6 * DAY)
    lines = gzip.decompress((data / MARKS).read_bytes()).decode().splitlines()
    kept = [line for line in lines if not line.startswith(f"{later},ETH,ETH-PERPETUAL")]
    (data / MARKS).write_bytes(gzip.compress("\n".join(kept).encode()))
    with pytest.raises(InputError, match=f"{MARKS}: no price of the perpetual of ETH at time {later}"):
        script.build(data)


def test_funding_is_floored_once_and_takes_only_what_lies_between(script: ModuleType) -> None:
    rates = [(0, Fraction(1)), (10, Fraction(1, 3)), (20, Fraction(-1, 3)), (21, Fraction(1))]
    assert script.funding_growth(rates, (0, 100), (20, 200)) == -17  # 150/3 - 200/3 = -16.67


def test_check_compares_with_what_is_shipped(
    script: ModuleType, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = script.build(data)
    assert script.check(made) == 1
    monkeypatch.setattr(script, "load_crash", lambda: made)
    assert script.check(made) == 0
    assert "2 shipped snapshots reproduced, 2 of them to the last digit" in capsys.readouterr().out
    btc = made[0].underlyings[0]
    smile = btc.expiries[0].svi.model_copy(update={"a_wad": btc.expiries[0].svi.a_wad + 10**13})
    bent = btc.model_copy(
        update={"expiries": (btc.expiries[0].model_copy(update={"svi": smile}), *btc.expiries[1:])}
    )
    changed = made[0].model_copy(update={"underlyings": (bent, made[0].underlyings[1])})
    assert script.check([changed, made[1]]) == 1
    assert "vols differ by" in capsys.readouterr().err
    for name in ("spot_e8", "perpetual_e8"):
        moved = btc.model_copy(update={name: getattr(btc, name) + 1})
        changed = made[0].model_copy(update={"underlyings": (moved, made[0].underlyings[1])})
        assert script.check([changed, made[1]]) == 1


def test_a_folder_without_chains_or_rates_is_refused(script: ModuleType, data: Path, tmp_path: Path) -> None:
    (data / "funding_binance_8h.csv.gz").write_bytes(b"ts\n1\n")
    with pytest.raises(InputError, match="not readable as funding rates"):
        script.build(data)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file named deribit_btc_options_"):
        script.build(tmp_path / "empty")
