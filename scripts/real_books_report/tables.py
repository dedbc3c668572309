"""The tables, as rows of text: the same on the page and on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .margins import DECIDERS, BookFacts, Figures


@dataclass(frozen=True, slots=True)
class Table:
    """A title that says what the cells are, headings and rows; the first column is text, the others are numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """For the page."""
        rule = "|".join(["---", *("---:" for _ in self.headings[1:])])
        lines = [_line(self.headings), f"|{rule}|", *map(_line, self.rows)]
        return f"**{self.title}**\n\n" + "\n".join(lines) + "\n"


def tables(facts: Sequence[BookFacts], figures: Sequence[Figures]) -> list[Table]:
    """All tables, from the books in order of time and every preset's figures at each."""
    presets = list(dict.fromkeys(item.preset for item in figures))
    by_preset = {name: [item for item in figures if item.preset == name] for name in presets}
    crash = crash_index(facts)
    times = tuple(_moment(item.time) for item in facts)

    def shares(title: str, share: Callable[[Figures], float]) -> Table:
        rows = (
            (
                f"`{name}`",
                *(f"{share(item):.2%}" for item in row),
                f"{share(row[crash]) / share(row[0]):.2f}",
            )
            for name, row in by_preset.items()
        )
        return Table(title, ("preset", *times, "crash / calm"), tuple(rows))

    return [
        _books(facts),
        shares("Initial margin of the whole book, share of gross notional", lambda item: item.initial_share),
        shares(
            "Initial margin of the median account, share of its gross notional",
            lambda item: item.median_initial_share,
        ),
        Table(
            "Initial / maintenance margin of the whole book, M USD",
            ("preset", *times),
            tuple((f"`{name}`", *map(_millions, row)) for name, row in by_preset.items()),
        ),
        Table(
            "What decides: share of accounts' underlyings whose worst index is of a kind, calm / crash",
            ("preset", *DECIDERS),
            tuple((f"`{name}`", *_deciders(row[0], row[crash])) for name, row in by_preset.items()),
        ),
    ]


def crash_index(facts: Sequence[BookFacts]) -> int:
    """Which of the books is called the crash, the one with the highest volatility of its first underlying; the first is calm."""
    return max(range(len(facts)), key=lambda i: next(iter(facts[i].vols.values())))


def _books(facts: Sequence[BookFacts]) -> Table:
    symbols = list(facts[0].spots)
    headings = ["time, UTC"]
    for symbol in symbols:
        headings += [f"{symbol} spot", f"{symbol} vol"]
    rows = []
    for item in facts:
        row = [_moment(item.time)]
        for symbol in symbols:
            row += [f"{item.spots[symbol]:,.0f}", f"{item.vols[symbol]:.1%}"]
        row += [f"{item.positions:,}", f"{item.instruments:,}", f"{item.gross_usd / 1e6:,.0f}"]
        rows.append(tuple(row))
    title = "The books; vol at the money of the expiry nearest to 30 days, gross notional in M USD"
    return Table(title, (*headings, "positions", "instruments", "gross notional"), tuple(rows))


def _deciders(calm: Figures, crash: Figures) -> list[str]:
    def share(item: Figures, name: str) -> float:
        return 100 * item.decided_by[name] / sum(item.decided_by.values())

    return [f"{share(calm, name):.1f} / {share(crash, name):.1f} %" for name in DECIDERS]


def _millions(item: Figures) -> str:
    return f"{item.initial_usd / 1e6:.1f} / {item.maintenance_usd / 1e6:.1f}"


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%-d %b %H:%M")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
