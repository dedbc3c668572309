"""docs/real-books.md: two parts between markers are generated, the rest is written by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from marginproof.errors import InputError

from .margins import BookFacts
from .tables import Table, crash_index

TABLES: Final = "tables"
ACCURACY: Final = "accuracy"
ACCURACY_KEY: Final = "real books"
"""Where build/accuracy.json has the measurement over real books."""


def tables_part(facts: Sequence[BookFacts], tables: Sequence[Table], seed: int) -> str:
    """What the tables were made from, with the command, and the tables."""
    times = ", ".join(datetime.fromtimestamp(item.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for item in facts)
    accounts = facts[0].accounts
    made = (
        f"Made by `python scripts/real_books.py DATA --accounts {accounts} --seed {seed} --write` from Deribit's public book "
        f"summaries of {times}: {accounts:,} accounts at each time, seed {seed}.\n"
        f"Calm is {_moment(facts[0].time)}, crash {_moment(facts[crash_index(facts)].time)}.\n"
    )
    return "\n".join([made, *(table.markdown() for table in tables)])


def accuracy_part(report: Path, accounts: int, seed: int) -> str | None:
    """The measurement of `make accuracy` over these books; None when there is none, or one over other books."""
    if not report.exists():
        return None
    found: dict[str, Any] | None = json.loads(report.read_text(encoding="utf-8")).get(ACCURACY_KEY)
    if found is None or (found["accounts of a book"], found["seed"]) != (accounts, seed):
        return None
    rows = tuple(
        (
            f"`{name}`",
            f"{item['accounts']:,}",
            f"{item['worst value error, USD']:.2e}",
            f"{item['worst margin error, USD']:.2e}",
            f"{item['worst share']:.3f}",
            f"{item['worst share of 10 units and more']:.3f}",
        )
        for name, item in found["presets"].items()
    )
    headings = (
        "preset",
        "accounts",
        "largest error of a value, USD",
        "of a requirement, USD",
        "largest error / bound",
        "the same of 10 units and more",
    )
    title = f"All {found['times']} books, every account, seed {seed}"
    return Table(title, headings, rows).markdown()


def replaced(page: str, name: str, content: str) -> str:
    """The page with another content between the markers of a part. InputError when it lacks them."""
    start, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
    head, found, rest = page.partition(start)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise InputError(f"docs/real-books.md has no part between {start.strip()} and {end}")
    return f"{head}{start}\n{content}\n{end}{tail}"


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%-d %B, %H:%M")
