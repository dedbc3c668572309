#!/usr/bin/env python3
"""Measure the gas of every user action and every check of the court, and the size of every contract; print them and rewrite
tests/gas.json."""

from __future__ import annotations

import json
import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

from marginproof.demo.gas import measure_gas
from marginproof.files import project_root, write_json

SIZE_LIMIT = 24_576


def _measure_court() -> dict[str, int]:
    """By the test that compares these figures with the committed ones."""
    sys.path.insert(0, str(project_root() / "tests"))
    gas: dict[str, int] = import_module("gas.court").measure_court()
    return gas


def main() -> int:
    """Print each figure beside the committed one; returns the exit code."""
    path = project_root() / "tests" / "gas.json"
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    new = {**measure_gas(), "court": _measure_court()}
    for title, key in (
        ("Gas by action, calldata included", "actions"),
        ("Gas inside the court, calldata included", "court"),
        (f"Bytes of contracts, limit {SIZE_LIMIT:,}", "sizes"),
    ):
        table = Table("", "now", "committed", title=title)
        for name, value in new[key].items():
            before = old.get(key, {}).get(name)
            table.add_row(name, f"{value:,}", "new" if before is None else f"{before:,}")
        Console().print(table)
    write_json(path, new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
