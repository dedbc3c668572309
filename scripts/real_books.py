#!/usr/bin/env python3
"""Draw books from real open interest, margin them under every shipped model, and show or write what comes out.

    real_books.py DATA             the tables on the terminal (--json: for a program)
    real_books.py DATA --write     and into docs/real-books.md
    real_books.py DATA --check     compare with docs/real-books.md; exit 1 on a difference

DATA holds deribit_<symbol>_options_<UTC time>.csv.gz for each time, and deribit_futures_marks.csv.gz. No row of them is copied.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table as RichTable

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "offchain")]

from scripts.real_books_report.books import ACCOUNTS, SEED, real_books  # noqa: E402
from scripts.real_books_report.margins import (  # noqa: E402
    BookFacts,
    Figures,
    facts,
    figures,
    holdings,
    margin_accounts,
    spec_inputs,
)
from scripts.real_books_report.page import ACCURACY, TABLES, accuracy_part, replaced, tables_part  # noqa: E402
from scripts.real_books_report.tables import Table, tables  # noqa: E402

from marginproof.errors import MarginproofError  # noqa: E402  (needs the line above)
from marginproof.files import write_text  # noqa: E402
from marginproof.models import list_presets, load_preset  # noqa: E402

PAGE: Final = ROOT / "docs" / "real-books.md"
ACCURACY_REPORT: Final = ROOT / "build" / "accuracy.json"
WIDTH: Final = 150


def measure(data: Path, accounts: int, seed: int) -> tuple[list[BookFacts], list[Figures]]:
    """Every book, and every preset's figures at each time. Errors: InputError as of `real_books`."""
    about, found = [], []
    for book in real_books(data, accounts, seed):
        about.append(facts(book))
        held = holdings(book)
        for name in list_presets():
            market, model = spec_inputs(book.market, load_preset(name))
            found.append(figures(name, market.time, margin_accounts(held, market, model), model))
    return about, found


def new_page(page: str, about: list[BookFacts], made: list[Table], seed: int) -> str:
    """The page with its generated parts made anew; the accuracy stays when it was not measured over these books."""
    page = replaced(page, TABLES, tables_part(about, made, seed))
    accuracy = accuracy_part(ACCURACY_REPORT, about[0].accounts, seed)
    return page if accuracy is None else replaced(page, ACCURACY, accuracy)


def show(made: list[Table]) -> None:
    """The tables on the terminal."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for item in made:
        table = RichTable(title=item.title, title_justify="left")
        for index, heading in enumerate(item.headings):
            table.add_column(heading, justify="right" if index else "left")
        for row in item.rows:
            table.add_row(*(cell.strip("`") for cell in row))
        console.print(table)


def run(chosen: argparse.Namespace) -> int:
    """Do what the arguments say; the exit code. Errors: InputError."""
    about, found = measure(chosen.data, chosen.accounts, chosen.seed)
    made = tables(about, found)
    if chosen.check or chosen.write:
        page = PAGE.read_text(encoding="utf-8")
        wanted = new_page(page, about, made, chosen.seed)
        if chosen.write:
            write_text(PAGE, wanted)
            print(f"wrote {PAGE.relative_to(ROOT)}")
            return 0
        for number, (old, new) in enumerate(zip(page.splitlines(), wanted.splitlines(), strict=False), 1):
            if old != new:
                print(
                    f"docs/real-books.md line {number} has\n  {old}\nand would now be\n  {new}",
                    file=sys.stderr,
                )
        print(
            "docs/real-books.md is as it would be made now"
            if page == wanted
            else "docs/real-books.md differs"
        )
        return 0 if page == wanted else 1
    if chosen.json:
        print(json.dumps([item.as_json() for item in found], indent=2))
    else:
        show(made)
    return 0


def main(arguments: list[str]) -> int:
    """Run the script; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="real_books.py",
        description="Margin books drawn from real open interest under every shipped model.",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the option chains")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS, help=f"accounts of a book ({ACCOUNTS})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of the draw ({SEED})")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="for a program: one entry per time and preset")
    how.add_argument("--write", action="store_true", help="write the tables into docs/real-books.md")
    how.add_argument(
        "--check", action="store_true", help="compare with docs/real-books.md; exit 1 on a difference"
    )
    try:
        return run(parser.parse_args(arguments))
    except MarginproofError as error:
        print(f"real_books: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
