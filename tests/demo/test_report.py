"""The report and the terminal's summary say everything that a record holds, and nothing that a browser would have to fetch."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from marginproof.demo.charts import Bar, Series, bar_chart, line_chart, stacked_chart, ticks
from marginproof.demo.digest import FRESH, Health, gas_lines, histories, outcomes
from marginproof.demo.record import (
    AccountFigures,
    BookEntry,
    EpochEntry,
    LiquidationEntry,
    Record,
    SettlementEntry,
)
from marginproof.demo.report import render, write_report
from marginproof.demo.summary import summary_tables
from marginproof.demo.words import move, percent, ratio, short_usd, signed_usd, usd
from marginproof.spec.units import ONE_E8, ONE_WAD

from .crash import Crash
from .records import crash_record, empty_record

MAX_BYTES = 6_000_000
SECTIONS = (
    "overview",
    "epochs",
    "accounts",
    "liquidations",
    "withdrawals",
    "expiries",
    "funding",
    "debt",
    "gas",
    "audit",
)
VOID = {"meta", "br", "link", "img", "input", "hr"}
HOSTILE = '<script>alert("&")</script>'


class Checker(HTMLParser):
    """Collects ids, tags, attributes and text, and asserts that tags nest."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def parsed(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


def terminal(record: Record) -> str:
    written = StringIO()
    console = Console(width=160, file=written)
    for table in summary_tables(record):
        console.print(table)
    return written.getvalue()


def one_account(name: str, *equities: int) -> Record:
    """One account, an epoch per equity (USD), 100 USD maintenance margin and 125 initial."""
    record = empty_record()
    record.books = [BookEntry(0, name, name)]
    for round_, equity in enumerate(equities, 1):
        figures = AccountFigures(0, equity * ONE_E8, 0, 125 * ONE_E8, 100 * ONE_E8, False, ())
        record.epochs.append(EpochEntry(round_, 1_770_000_000 + round_, {}, (), (), 1, (figures,)))
    return record


@pytest.fixture(scope="module")
def record() -> Record:
    return crash_record(Crash())


@pytest.fixture(scope="module")
def html(record: Record) -> str:
    return render(record)


def test_every_section_is_there_and_every_link_leads_to_one(html: str) -> None:
    page = parsed(html)
    assert tuple(page.ids) == SECTIONS
    assert [value for name, value in page.attributes if name == "href"] == [f"#{name}" for name in SECTIONS]


def test_nothing_is_fetched(html: str) -> None:
    page = parsed(html)
    assert not {"script", "link", "img", "iframe", "object", "use", "image"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("src", "srcset") or name.startswith("on")]
    assert re.findall(r"(?i)\b[a-z]+://|url\(|@import", html) == []


def test_a_card_with_its_figures_for_every_account(record: Record, html: str) -> None:
    page = parsed(html)
    assert page.tags.count("article") == len(record.books)
    for book in record.books:
        assert book.name in page.text
        assert f"account {book.account} " in page.text
    with_profile = [history for history in histories(record) if history.tightest is not None]
    drawn = [value for name, value in page.attributes if name == "aria-label"]
    assert len(drawn) >= 3 + len(record.books) + len(with_profile) - 5
    assert len(set(drawn)) == len(drawn)


def test_the_deciding_scenario_is_named_and_highlighted(record: Record, html: str) -> None:
    history = next(h for h in histories(record) if h.book.name == "Over-levered long perpetual, BTC, 1")
    assert history.tightest is not None
    deciding = next(change for change in history.tightest.figures.profile if change.decides)
    wanted = f"worst is spot {move(deciding.spot_wad)}, volatility {deciding.vol}, {usd(deciding.change_e8)}"
    assert re.sub(r" ,", ",", wanted) in parsed(html).text
    assert html.count('class="decides"') >= 40


def test_every_list_of_the_record_is_told(record: Record, html: str) -> None:
    text = parsed(html).text
    for wanted in (
        "WithdrawalAboveAllowed(requested 900,000, allowed 3,120)",
        "$900,000 refused",
        "slice 20.0% $86,400 $85,100 $101,900 $81,500 85% 104% 54",
        "worthless",
        "−$1,234,567",
        "+$474.00",
        "$18,314",
        "settle trade 3 48,000 54,000 106,000",
        "Audit: passed",
        "324 leaves compared",
    ):
        assert wanted in text, wanted


def test_size_and_atomic_writing(record: Record, html: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    write_report(record, path)
    assert path.read_text(encoding="utf-8") == html
    assert path.stat().st_size < MAX_BYTES
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]


def test_same_record_same_report(record: Record, html: str) -> None:
    assert render(record) == html


def test_names_and_messages_are_escaped_everywhere() -> None:
    record = one_account(HOSTILE, 200, 90)
    record.source = record.chain = record.model = HOSTILE
    record.epochs[0] = replace(
        record.epochs[0], spots_e8={HOSTILE: 1}, signers=(HOSTILE,), refusals=(HOSTILE,)
    )
    record.trades_refused, record.audit_lines = [HOSTILE], [HOSTILE]
    record.add_gas(HOSTILE, 1)
    html = render(record)
    assert "<script" not in html
    assert HOSTILE in "".join(parsed(html).words)
    bracketed = one_account("[red]name[/]", 200)
    bracketed.audit_lines = ["[bold]line[/]"]
    assert "[red]name[/]" in terminal(bracketed)
    assert "[bold]line[/]" in terminal(bracketed)


def test_a_run_that_stopped_early_still_reports() -> None:
    page = parsed(render(empty_record()))
    assert tuple(page.ids) == SECTIONS
    assert "Audit: failed" in page.text
    assert "No account was called" in page.text
    assert "Audit         FAILED" in terminal(empty_record())


def test_states_and_lowest_point() -> None:
    (history,) = histories(one_account("x", 200, 120, 99, 300))
    assert history.worst_health == Health.SHORT
    assert history.tightest is not None
    assert history.tightest.epoch.round == 3
    assert histories(one_account("x", 125))[0].worst_health == Health.GOOD
    assert histories(one_account("x", 124))[0].worst_health == Health.THIN
    assert histories(one_account("x", 100))[0].worst_health == Health.THIN


def test_accounts_opened_on_the_way_are_shown_as_taken_over() -> None:
    record = one_account("x", 200)
    figures = replace(record.epochs[0].accounts[0], account=7)
    record.epochs.append(replace(record.epochs[0], round=2, accounts=(*record.epochs[0].accounts, figures)))
    assert [h.book.strategy for h in histories(record)] == ["x", FRESH]
    assert "Account 7" in parsed(render(record)).text


def test_outcomes_gather_the_steps_of_one_call() -> None:
    record = one_account("x", 90)

    def step(action: str, fraction: int, equity: int, maintenance: int, account: int = 0) -> LiquidationEntry:
        values = (equity * ONE_E8, maintenance * ONE_E8)
        return LiquidationEntry(1, account, action, fraction, *values, *values, None)

    record.liquidations = [
        step("call", 0, 90, 100),
        step("call", 0, -5, 100, 1),
        step("slice", ONE_WAD // 2, 89, 50),
        step("slice", ONE_WAD // 2, 88, 25),
        step("slice", ONE_WAD, -5, 0, 1),
        step("release", 0, 88, 25),
    ]
    first, second = outcomes(record)
    assert (first.account, first.slices, first.sold_wad, first.words) == (0, 2, ONE_WAD * 3 // 4, "released")
    assert (second.account, second.slices, second.sold_wad, second.words) == (
        1,
        1,
        ONE_WAD,
        "sold off, bad debt",
    )
    text = terminal(record)
    assert "75.0%" in text
    assert "2 accounts called, 3 slices sold" in text


def test_gas_is_summarised_dearest_first() -> None:
    record = empty_record()
    record.gas = {"cheap": [5], "dear": [9, 1, 30, 10], "never": []}
    assert [(g.action, g.count, g.least, g.median, g.most) for g in gas_lines(record)] == [
        ("dear", 4, 1, 9, 30),
        ("cheap", 1, 5, 5, 5),
    ]


def test_terminal_summary_says_the_main_figures(record: Record) -> None:
    text = terminal(record)
    for wanted in ("Covered call", "5 Feb 2026, 21:29 UTC", "released", "85% → 104%", "$18,314", "passed"):
        assert wanted in text, wanted
    settled = replace(record, settlements=[*record.settlements, SettlementEntry(6, 23, 1)])
    assert "settled in 2 accounts" in terminal(settled)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (1, "<$0.01"),
        (-1, "−<$0.01"),
        (10**6, "$0.01"),
        (99_999_999_999, "$1,000"),
        (99_999 * 10**6, "$999.99"),
        (123_456_789 * ONE_E8, "$123,456,789"),
        (-1_000 * ONE_E8, "−$1,000"),
    ],
)
def test_usd(amount: int, text: str) -> None:
    assert usd(amount) == text


def test_other_figures() -> None:
    assert signed_usd(5 * ONE_E8) == "+$5.00"
    assert [short_usd(v) for v in (0, 950, -1_500, 2.5e6)] == ["$0", "$950", "−$1.5k", "$2.5M"]
    assert [move(m * ONE_WAD // 1000) for m in (340, 1000, 1135, 6000)] == ["−66%", "0%", "+13.5%", "+500%"]
    assert [ratio(1, 0), ratio(150, 100), ratio(-50, 100), ratio(10**6, 1)] == ["–", "150%", "−50%", ">999%"]
    assert percent(ONE_WAD // 8) == "12.5%"


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3, 7), (0, 272_000), (-0.001, 0.002), (5, 5), (0, 0), (60, 100)]
)
def test_ticks_are_few_round_and_enclose(low: float, high: float) -> None:
    marks = ticks(low, high)
    assert 2 <= len(marks) <= 5
    assert marks[0] <= low
    assert marks[-1] >= high


def test_charts_without_values_are_frames() -> None:
    size = (100, 60)
    assert "polyline" not in line_chart("t", [], [], size, str)
    assert "rect" not in bar_chart("t", [], [], size, str)
    assert "rect" not in stacked_chart("t", [], [], size)


def test_charts_place_what_they_are_given() -> None:
    lines = line_chart("t", [Series("s", (1.0, None, 3.0, 2.0), "c1")], ["a", "b", "c", "d"], (100, 60), str)
    assert lines.count("<circle") == 3
    assert lines.count("<polyline") == 1
    bars = bar_chart("t", [Bar(-1.0, "loss", "x"), Bar(1.0, "gain", "y")], ["", ""], (100, 60), str)
    tops = [float(y) for y in re.findall(r'<rect [^>]* y="([^"]+)"', bars)]
    assert tops[0] > tops[1]
    columns = stacked_chart("t", [[Bar(1.0, "short", "1"), Bar(3.0, "good", "3")]], ["a"], (100, 60))
    heights = [float(h) for h in re.findall(r'height="([^"]+)"', columns)]
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.2)
