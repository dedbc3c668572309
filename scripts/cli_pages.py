#!/usr/bin/env python3
"""Run every command that docs/cli.md prints, in its order, on a chain of their own, and compare what they print with the page.

    cli_pages.py check    exit 1 on a difference, which is shown
    cli_pages.py write    put what came out into the page

`--data FOLDER` holds the option chains that the page reads and the repository does not have; without it commands that need one of them
are left out. `--offset N` moves every port of the page by N.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from difflib import unified_diff
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "offchain")]

from scripts.pages.output import LEFT_OUT, merged, shown  # noqa: E402  (needs the line above)
from scripts.pages.page import Command, File, Key, steps, with_outputs  # noqa: E402
from scripts.pages.session import Session  # noqa: E402

from marginproof.errors import MarginproofError  # noqa: E402
from marginproof.files import write_text  # noqa: E402

PAGE: Final = ROOT / "docs" / "cli.md"
DATA_SUFFIX: Final = ".csv.gz"


def missing_data(command: Command, folder: Path, data: Path | None) -> list[str]:
    """The option chains that a command reads and nobody gave; those that were given are put into the folder."""
    absent = []
    for name in (word for word in command.text.split() if word.endswith(DATA_SUFFIX)):
        place = folder / name
        if data is not None and (data / name).is_file():
            place.unlink(missing_ok=True)
            place.symlink_to((data / name).resolve())
        if not place.exists():
            absent.append(name)
    return absent


def replay(page: str, folder: Path, data: Path | None, offset: int) -> list[tuple[Command, list[str]]]:
    """What each command of the page prints now, cut as the page cuts it. Errors: ChainError."""
    lines = page.splitlines()
    found = []
    with Session(folder, offset) as session:
        for step in steps(page):
            if isinstance(step, File):
                (folder / step.name).write_text(step.content, encoding="utf-8")
            elif isinstance(step, Key):
                session.take_key(step.number)
            elif absent := missing_data(step, folder, data):
                print(f"left out: {step.text} (no {', '.join(absent)}; see --data)", file=sys.stderr)
            else:
                before = lines[step.start : step.end]
                output = session.run(step.text, len(before) - before.count(LEFT_OUT))
                found.append((step, shown(before, output)))
    return found


def differences(page: str, found: list[tuple[Command, list[str]]]) -> str:
    """Where the page differs from what came out, by more than chance; empty when nowhere."""
    lines = page.splitlines()
    wanted = with_outputs(page, [(step, merged(lines[step.start : step.end], now)) for step, now in found])
    name = str(PAGE.relative_to(ROOT))
    return "\n".join(
        unified_diff(lines, wanted.splitlines(), f"{name}, as printed", f"{name}, as run", lineterm="")
    )


def run(chosen: argparse.Namespace) -> int:
    """Do what the arguments say; the exit code. Errors: ChainError."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="marginproof-pages-") as folder:
        found = replay(page, Path(folder).resolve(), chosen.data, chosen.offset)
    different = differences(page, found)
    if different:
        print(different)
    print(
        f"{len(found)} commands run: {'docs/cli.md differs' if different else 'docs/cli.md is as they print'}"
    )
    if different and chosen.what == "write":
        # All of this run: nonces and times that appear twice on the page go together.
        write_text(PAGE, with_outputs(page, found))
        print("wrote docs/cli.md")
        return 0
    return 1 if different else 0


def main(arguments: list[str]) -> int:
    """Run the script; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="cli_pages.py",
        description="Run the commands of docs/cli.md and compare or write what they print.",
    )
    parser.add_argument("what", choices=("check", "write"), help="compare with the page, or write the page")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where the page's option chains are")
    parser.add_argument("--offset", type=int, default=0, metavar="N", help="move every port by N (0)")
    try:
        return run(parser.parse_args(arguments))
    except MarginproofError as error:
        print(f"cli_pages: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
