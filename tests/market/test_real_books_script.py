"""The script behind docs/real-books.md, on made-up chains: figures that add up, a page that is checked, refusals in one line."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from scripts import real_books as script
from scripts.real_books_report.books import real_books
from scripts.real_books_report.margins import (
    CHARGE,
    FALLS,
    RISES,
    SKEW,
    VOL,
    BookFacts,
    Figures,
    decider,
    facts,
    figures,
    holdings,
    margin_accounts,
    spec_inputs,
)
from scripts.real_books_report.tables import crash_index, tables

from marginproof.documents import format_expiry
from marginproof.market.books import Book
from marginproof.models import list_presets, load_preset
from marginproof.spec.margin import margin, value_table
from marginproof.spec.model import Scenario, VolKind

from .chains import DAY, TIME, chain, write

ACCOUNTS = 40
SEED = 3
EARLIER = TIME - 2 * DAY
SPOTS = {"BTC": 65_000.0, "ETH": 1900.0}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two times, the second with spot a tenth lower."""
    folder = tmp_path_factory.mktemp("data")
    marks = ["snapshot_ts,underlying,expiry_utc,price"]
    for number, (time, fall) in enumerate(((EARLIER, 1.0), (TIME, 0.9))):
        for symbol, spot in SPOTS.items():
            rows = [{**row, "snapshot_ts": str(time)} for row in chain(symbol, spot * fall, days=(8, 50))]
            path = write(folder / "chain.csv", rows)
            name = f"deribit_{symbol.lower()}_options_{number}.csv.gz"
            (folder / name).write_bytes(gzip.compress(path.read_bytes()))
            marks.append(f"{time},{symbol},0,{spot * fall + 1:.2f}")
    (folder / "deribit_futures_marks.csv.gz").write_bytes(gzip.compress("\n".join(marks).encode()))
    return folder


@pytest.fixture(scope="module")
def books(data: Path) -> list[Book]:
    return list(real_books(data, ACCOUNTS, SEED))


@pytest.fixture(scope="module")
def measured(data: Path) -> tuple[list[BookFacts], list[Figures]]:
    return script.measure(data, ACCOUNTS, SEED)


@pytest.fixture
def page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: tuple[list[BookFacts], list[Figures]]
) -> Path:
    """A page of its own, books that are measured already, and no accuracy measured."""
    path = tmp_path / "docs" / "real-books.md"
    path.parent.mkdir()
    parts = [
        f"<!-- {name}: generated -->\nold {name}\n<!-- {name}: end -->" for name in ("tables", "accuracy")
    ]
    path.write_text("\n".join(["by hand", *parts, "at the end\n"]), encoding="utf-8")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "PAGE", path)
    monkeypatch.setattr(script, "ACCURACY_REPORT", tmp_path / "accuracy.json")
    monkeypatch.setattr(script, "measure", lambda *_: measured)
    return path


def test_books_come_in_order_of_time_with_their_perpetuals(books: list[Book]) -> None:
    assert [book.market.time for book in books] == [EARLIER, TIME]
    prices = [entry.perpetual_e8 for entry in books[1].market.underlyings]
    assert prices == [5_850_100_000_000, 171_100_000_000]


@pytest.mark.parametrize("preset", ["options-33", "scan-24", "tims-10"])
def test_every_account_is_the_specification_s(books: list[Book], preset: str) -> None:
    held = holdings(books[1])[:8]
    market, model = spec_inputs(books[1].market, load_preset(preset))
    values = value_table(market, model)
    for account, positions in zip(margin_accounts(held, market, model), held, strict=True):
        wanted = margin(positions, values)
        money = (account.value_e8, account.spot_value_e8, account.initial_e8, account.maintenance_e8)
        assert money == (wanted.value, wanted.spot_value, wanted.initial, wanted.maintenance)
        assert account.worst == {scan.underlying: scan.worst for scan in wanted.scans}
        spots = {section.underlying: section.spot_e8 for section in market.underlyings}
        assert account.gross_e8 == sum(abs(q) * spots[i.underlying] for i, q in positions) // 10**8


def test_figures_are_sums_medians_and_counts(books: list[Book]) -> None:
    market, model = spec_inputs(books[0].market, load_preset("options-31"))
    accounts = margin_accounts(holdings(books[0]), market, model)[:3]
    accounts = [
        replace(account, initial_e8=initial, maintenance_e8=10**8, gross_e8=gross, worst=worst)
        for account, initial, gross, worst in zip(
            accounts,
            (10**8, 3 * 10**8, 8 * 10**8),
            (10**9, 10**10, 10**10),
            ({1: 0}, {1: 0, 2: 1}, {2: 31}),
            strict=True,
        )
    ]
    found = figures("options-31", TIME, accounts, model)
    assert (found.initial_usd, found.maintenance_usd) == (12.0, 3.0)
    assert found.initial_share == pytest.approx(12 / 210)
    assert found.median_initial_share == pytest.approx(0.08)
    assert sum(found.decided_by.values()) == 4
    assert found.decided_by[CHARGE] == 1


def test_what_an_index_is(books: list[Book]) -> None:
    _, model = spec_inputs(books[0].market, load_preset("options-33"))
    wad = 10**18
    scenarios = (
        Scenario(wad - 1, VolKind.UP, wad),
        Scenario(wad, VolKind.DOWN, wad),
        Scenario(wad + 1, VolKind.NONE, wad),
        Scenario(wad, VolKind.LINEAR_SKEW, wad),
        Scenario(wad - 1, VolKind.ABSOLUTE_SKEW, wad),
    )
    section = replace(model.sections[0], scenarios=scenarios)
    assert [decider(section, i) for i in range(6)] == [FALLS, VOL, RISES, SKEW, SKEW, CHARGE]


def test_a_book_s_facts(books: list[Book]) -> None:
    found = facts(books[1])
    assert found.spots == {"BTC": 58_500.0, "ETH": 1710.0}
    accounts = margin_accounts(holdings(books[1]), *spec_inputs(books[1].market, load_preset("nine-9")))
    assert found.gross_usd == pytest.approx(sum(account.gross_e8 for account in accounts) / 1e8, rel=1e-9)
    assert found.positions == sum(len(account.positions) for account in books[1].accounts)
    assert found.vol_expiries == dict.fromkeys(SPOTS, format_expiry(TIME + 50 * DAY))
    assert found.vols["BTC"] == pytest.approx(0.9, abs=0.1)


def test_the_tables_have_every_preset_and_time(measured: tuple[list[BookFacts], list[Figures]]) -> None:
    (calm, crash), found = measured
    crash = replace(crash, vols={"BTC": 9.0, "ETH": 9.0})
    found = [
        replace(item, initial_share=2 * item.initial_share) if item.time == TIME else item for item in found
    ]
    made = tables([calm, crash], found)
    assert [(item.preset, item.time) for item in found[:2]] == [
        (list_presets()[0], EARLIER),
        (list_presets()[1], EARLIER),
    ]
    assert len(found) == 2 * len(list_presets())
    for table in made[1:]:
        assert [row[0].strip("`") for row in table.rows] == list_presets()
    assert all(len(row) == len(table.headings) for table in made for row in table.rows)
    first, last = found[0], found[len(list_presets())]
    assert made[1].rows[0][1:3] == (f"{first.initial_share:.2%}", f"{last.initial_share:.2%}")
    assert made[1].rows[0][-1] == f"{last.initial_share / first.initial_share:.2f}"
    assert made[3].rows[0][1] == f"{first.initial_usd / 1e6:.1f} / {first.maintenance_usd / 1e6:.1f}"


def test_the_crash_is_where_volatility_is_highest(books: list[Book]) -> None:
    one = facts(books[0])
    quiet, wild = replace(one, vols={"BTC": 0.4, "ETH": 2.0}), replace(one, vols={"BTC": 0.8, "ETH": 0.1})
    assert crash_index([quiet, wild, quiet]) == 1


def arguments(data: Path, *more: str) -> list[str]:
    return [str(data), "--accounts", str(ACCOUNTS), "--seed", str(SEED), *more]


def test_the_page_is_written_and_checked(data: Path, page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(arguments(data, "--check")) == 1
    assert "line 3 has\n  old tables" in capsys.readouterr().err
    assert script.main(arguments(data, "--write")) == 0
    written = page.read_text(encoding="utf-8")
    assert written.startswith(
        "by hand\n<!-- tables: generated -->\n\nMade by `python scripts/real_books.py DATA --accounts 40"
    )
    assert written.endswith(
        "<!-- accuracy: generated -->\nold accuracy\n<!-- accuracy: end -->\nat the end\n"
    )
    assert "2026-02-05T21:29:37Z: 40 accounts at each time, seed 3" in written
    assert script.main(arguments(data, "--check")) == 0
    page.write_text(written.replace("| `nine-9` | ", "| `nine-9` | 9", 1), encoding="utf-8")
    assert script.main(arguments(data, "--check")) == 1


def test_the_accuracy_is_that_of_the_same_books(data: Path, page: Path, tmp_path: Path) -> None:
    entry = {
        "seed": SEED,
        "times": 2,
        "accounts of a book": ACCOUNTS,
        "presets": {
            "options-33": {
                "accounts": 80,
                "worst value error, USD": 1.234e-06,
                "worst margin error, USD": 2.346e-06,
                "worst share": 0.3456,
                "worst share of 10 units and more": 0.0567,
            }
        },
    }
    report = tmp_path / "accuracy.json"
    report.write_text(json.dumps({"real books": entry | {"seed": SEED + 1}}), encoding="utf-8")
    assert script.main(arguments(data, "--write")) == 0
    assert "old accuracy" in page.read_text(encoding="utf-8")
    report.write_text(json.dumps({"real books": entry}), encoding="utf-8")
    assert script.main(arguments(data, "--check")) == 1
    assert script.main(arguments(data, "--write")) == 0
    assert "| `options-33` | 80 | 1.23e-06 | 2.35e-06 | 0.346 | 0.057 |" in page.read_text(encoding="utf-8")
    assert "old accuracy" not in page.read_text(encoding="utf-8")


def test_a_terminal_and_a_program_are_told(
    data: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page.read_text(encoding="utf-8")
    assert script.main(arguments(data)) == 0
    assert "Initial margin of the median account" in capsys.readouterr().out
    assert script.main(arguments(data, "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["preset"] for item in found] == 2 * list_presets()
    assert page.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--accounts", "0"), "accounts: 0 is out of range; allowed: 1 to"),
        (("--seed", "-1"), "seed: -1 is out of range"),
    ],
)
def test_bad_arguments_are_refused(
    data: Path, more: tuple[str, str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main([str(data), *more]) == 2
    assert capsys.readouterr().err.startswith(f"real_books: {problem}")


def test_a_folder_without_chains_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main([str(tmp_path)]) == 2
    assert "no file named deribit_<symbol>_options_<UTC time>.csv.gz" in capsys.readouterr().err


def test_a_page_without_markers_stays_as_it_is(
    data: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text("no markers", encoding="utf-8")
    assert script.main(arguments(data, "--write")) == 2
    assert "docs/real-books.md has no part between <!-- tables: generated -->" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "no markers"
