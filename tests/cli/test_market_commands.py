"""`marginproof market` and `marginproof model`: files in, files out, and refusals."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from math import exp
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run
from marginproof.documents import load_market

Write = Callable[[str, Any], Path]
TIME = 1770352212
EXPIRY = 1770969600


def chain(symbol: str = "BTC", index: str = "64774.21", strikes: int = 9) -> list[dict[str, str]]:
    """Rows of one expiry with a plain smile."""
    spot = float(index)
    rows = []
    for step in range(strikes):
        k = (step - strikes // 2) * 0.05
        for kind in ("C", "P"):
            rows += [
                {
                    "underlying": symbol,
                    "expiry_utc": str(EXPIRY),
                    "strike": f"{spot * exp(k):.0f}",
                    "option_type": kind,
                    "mark_iv": f"{70 + 40 * k * k:.2f}",
                    "underlying_price": index,
                    "index_price": index,
                    "snapshot_ts": str(TIME),
                    "bid": "0.1",
                }
            ]
    return rows


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as a chain file."""

    def to_file(rows: list[dict[str, str]], name: str = "chain.csv") -> Path:
        path = tmp_path / name
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue().encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return to_file


def test_import_writes_a_document_that_margin_takes(
    run: Run, csv_file: Callable[..., Path], write: Write, tmp_path: Path
) -> None:
    target = tmp_path / "market.json"
    done = run(
        "market",
        "import",
        csv_file(chain()),
        "-o",
        target,
        "--funding",
        "BTC=-1.25",
        "--settlement",
        "BTC-5FEB26=65000.5",
    )
    assert done.code == 0, done.err
    assert "18 rows read, 18 used" in done.out
    entry = load_market(target).underlyings[0]
    assert (entry.spot_e8, entry.funding_e8, entry.settlements[0].price_e8) == (
        6477421000000,
        -125000000,
        6500050000000,
    )
    positions = [{"instrument": "BTC-13FEB26-65000-C", "quantity": "-1"}]
    portfolio = write("p.json", {"format": "marginproof/portfolio@1", "cash": "1", "positions": positions})
    assert (
        run("margin", "--model", "options-33", "--market", target, "--portfolio", portfolio, "--json").code
        == 0
    )


def test_import_without_output_prints_the_document_alone(run: Run, csv_file: Callable[..., Path]) -> None:
    done = run("market", "import", csv_file(chain(), "chain.csv.gz"))
    assert done.code == 0
    assert done.json["format"] == "marginproof/market@1"
    assert "18 rows read" in done.err


def test_import_report_as_json_counts_every_row(
    run: Run, csv_file: Callable[..., Path], tmp_path: Path
) -> None:
    rows = chain()
    rows[0]["mark_iv"] = ""
    rows[1]["strike"] = "abc"
    rows.append(rows[3] | {"expiry_utc": str(TIME - 1)})
    done = run("market", "import", csv_file(rows), "-o", tmp_path / "m.json", "--json")
    assert done.code == 0
    assert done.json["rowsRead"] == 19
    assert done.json["rowsRead"] == done.json["rowsUsed"] + sum(done.json["rowsDropped"].values())
    assert done.json["rowsDropped"]["expired"] == 1
    assert done.json["fitted"][0]["underlying"] == "BTC"


def test_symbols_can_be_chosen(run: Run, csv_file: Callable[..., Path]) -> None:
    path = csv_file(chain() + chain("ETH", "1910.97"))
    done = run("market", "import", path, "--symbol", "ETH")
    assert [entry["symbol"] for entry in done.json["underlyings"]] == ["ETH"]
    done = run("market", "import", path, "--symbol", "SOL")
    assert (done.code, done.out) == (2, "")
    assert "no underlying SOL; allowed: BTC, ETH" in done.err


def test_fit_reports_and_writes_nothing(run: Run, csv_file: Callable[..., Path], tmp_path: Path) -> None:
    path = csv_file(chain())
    before = sorted(tmp_path.iterdir())
    done = run("market", "fit", path, "--json")
    assert done.code == 0
    assert float(done.json["fitted"][0]["medianNearMoneyVol"]) < 0.01
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--funding", "BTC"], ["--funding", "'BTC'", "SYMBOL=USD"]),
        (["--funding", "BTC=x"], ["--funding", "'x'", "plain decimal"]),
        (["--funding", "BTC=1000001"], ["--funding", "1000001", "-1000000 to 1000000"]),
        (["--funding", "BTC=1", "--funding", "BTC=2"], ["--funding", "twice"]),
        (["--funding", "DOGE=1"], ["--funding", "DOGE", "BTC"]),
        (["--settlement", "BTC=1"], ["--settlement", "SYMBOL-EXPIRY=USD"]),
        (["--settlement", "BTC-5FEB26=0"], ["--settlement", "'0'", "0.00000001 to 100000000"]),
        (["--settlement", "BTC-1MAR26=1"], ["expiry 1772352000", "not after"]),
        (["--time", "0"], ["--time", "0 is not", "1 to 4294967294"]),
        (["--time", "1000"], ["1000", str(TIME)]),
        (["--source", ""], ["--source", "1 to 2000"]),
    ],
)
def test_import_options_are_checked(
    run: Run, csv_file: Callable[..., Path], extra: list[str], words: list[str]
) -> None:
    done = run("market", "import", csv_file(chain()), *extra)
    assert (done.code, done.out) == (2, "")
    for word in words:
        assert word in done.err


def test_import_refuses_unusable_files_and_keeps_the_old_output(
    run: Run, tmp_path: Path, csv_file: Callable[..., Path]
) -> None:
    target = tmp_path / "market.json"
    target.write_text("old")
    (tmp_path / "garbage.csv").write_bytes(bytes(range(256)))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"underlying,strike\n")[:-6])
    (tmp_path / "empty.csv").write_text("")
    few = csv_file(chain(strikes=3), "few.csv")
    for path in (
        tmp_path / "garbage.csv",
        tmp_path / "cut.csv.gz",
        tmp_path / "empty.csv",
        tmp_path / "none.csv",
        few,
    ):
        done = run("market", "import", path, "-o", target)
        assert done.code == 2, path
        assert path.name in done.err or "strikes" in done.err
    assert target.read_text() == "old"


def test_an_output_that_cannot_be_written_is_told(
    run: Run, csv_file: Callable[..., Path], tmp_path: Path
) -> None:
    path = csv_file(chain())
    assert "is a folder" in run("market", "import", path, "-o", tmp_path).err
    done = run("market", "import", path, "-o", path / "below.json")
    assert done.code == 2
    assert "cannot be written" in done.err


def test_crash_lists_shows_and_exports(run: Run, tmp_path: Path) -> None:
    listed = run("market", "crash", "--json").json
    assert [item["number"] for item in listed] == [1, 2, 3, 4, 5, 6]
    assert "63,858.35" in run("market", "crash").out
    target = tmp_path / "snapshot.json"
    assert run("market", "crash", 4, "-o", target).code == 0
    assert load_market(target).time == listed[3]["time"]
    assert run("market", "show", target, "--json").json == run("market", "show", "crash:4", "--json").json
    assert "63,858.35" in run("market", "show", target).out
    assert run("market", "crash", 7).code == 2
    assert "needs the number" in run("market", "crash", "-o", target).err


def _expiry(number: int, forward: str) -> dict[str, Any]:
    svi = {"a": "0.01", "b": "0.02", "rho": "-0.2", "m": "0.01", "sigma": "0.05"}
    return {"expiry": 1774598400 + number * 604800, "forward": forward, "rate": "0", "svi": svi}


@pytest.mark.parametrize(
    ("perpetual", "forwards", "found"),
    [
        ("90000", ["91000", "95000", "100000"], []),
        ("72000", ["72000", "75000"], []),
        ("71999", ["91000"], ["BTC-PERP: perpetual 71999 is more than 20 % from 90000, the spot price"]),
        (
            "90000",
            ["120000", "121000"],
            ["BTC-27MAR26: forward 120000 is more than 20 % from 90000, the spot price"],
        ),
        (
            "90000",
            ["91000", "9100", "92000"],
            ["BTC-3APR26: forward 9100 is more than 20 % from 91000, the forward of BTC-27MAR26"],
        ),
        (
            "1",
            ["91000", "91500", "150000"],
            [
                "BTC-PERP: perpetual 1 is more than 20 % from 90000, the spot price",
                "BTC-10APR26: forward 150000 is more than 20 % from 91500, the forward of BTC-3APR26",
            ],
        ),
    ],
)
def test_check_points_out_prices_far_apart(
    run: Run, write: Write, market_json: dict[str, Any], perpetual: str, forwards: list[str], found: list[str]
) -> None:
    entry = market_json["underlyings"][0]
    entry["perpetual"] = perpetual
    entry["expiries"] = [_expiry(number, forward) for number, forward in enumerate(forwards)][::-1]
    path = write("market.json", market_json)
    done = run("market", "check", path, "--json")
    assert done.code == 0
    assert done.json["format"] == "marginproof/market-check@1"
    assert [item["words"] for item in done.json["prices"]] == found
    shown = run("market", "check", path)
    assert shown.code == 0
    assert [line for line in shown.out.splitlines() if line.startswith("price: ")] == [
        f"price: {w}" for w in found
    ]


@pytest.mark.parametrize("number", range(1, 7))
def test_no_price_of_the_crash_is_far_from_the_others(run: Run, number: int) -> None:
    assert run("market", "check", f"crash:{number}", "--json").json["prices"] == []
