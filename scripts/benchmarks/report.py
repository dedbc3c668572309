"""The table on the terminal and build/bench.json."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from marginproof.files import write_bytes, write_json

from .result import Result

MARK, END_MARK = "<!-- results -->", "<!-- end of results -->"


def write(results: list[Result], path: Path) -> None:
    """The list of results as JSON, replacing the file in one step."""
    write_json(path, [item.as_json() for item in results])


def show(results: list[Result], console: Console) -> None:
    """The table, a line a result."""
    table = Table("work", "unit", title="Ours against a peer, in the same run", title_justify="left")
    for heading in ("ours", "peer", "ours / peer"):
        table.add_column(heading, justify="right")
    table.add_column("the peer")
    table.add_column("target")
    table.add_column("")
    for item in results:
        table.add_row(
            item.name,
            item.unit,
            _number(item.ours),
            _number(item.peer),
            _number(item.ratio),
            item.peer_name or "-",
            item.target or "-",
            _verdict(item),
        )
    console.print(table)


def markdown(results: list[Result]) -> str:
    """The same table for the documentation."""
    lines = [
        "| work | unit | ours | peer | ours / peer | the peer | target | |",
        "|---|---|---:|---:|---:|---|---|---|",
    ]
    for item in results:
        figures = (_number(item.ours), _number(item.peer), _number(item.ratio))
        cells = (item.name, item.unit, *figures, item.peer_name or "-", item.target or "-", _verdict(item))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rewrite_page(results: list[Result], page: Path) -> None:
    """Put the table between the two marks of a page. Raises ValueError when the page lacks them."""
    before, mark, rest = page.read_text(encoding="utf-8").partition(MARK)
    _, end, after = rest.partition(END_MARK)
    if not (mark and end):
        raise ValueError(f"{page} lacks {MARK!r} and {END_MARK!r} around its table")
    content = f"{before}{MARK}\n\n{markdown(results)}\n\n{END_MARK}{after}"
    write_bytes(page, content.encode())


def _verdict(item: Result) -> str:
    return "MISSED" if not item.ok else "met" if item.target else "-"


def _number(value: float | None) -> str:
    """Three significant digits, never in powers of ten."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".") if value >= 0.001 else f"{value:.5f}"
