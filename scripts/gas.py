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
TARGETS = {
    "one scenario, 1 options": 60_000,
    "one scenario, 10 options": 125_000,
    "one scenario, 100 options": 750_000,
    "basis, 100 options": 1_100_000,
    "full, 1 options": 200_000,
    "full, 10 options": 1_300_000,
    "full, 10 options in 10 expiries": 1_300_000,
    "full, 100 options": 12_000_000,
    "Black-76, average over a strip": 2_200,
    "dispute, wrong leaf, 100 options": 950_000,
    "post epoch, 2 x 12 expiries, 3 of 5": 350_000,
    "settle trade on tickets, 10 positions each, option": 160_000,
    "settle trade on tickets, 10 positions each, perpetual": 160_000,
}
"""What the design asks for, at most. A withdrawal on a leaf has its own: 60,000 above a plain transfer."""
ABOVE_TRANSFER = ("withdraw on a leaf, 2^20 accounts", "plain token transfer", 60_000)


def _measure_court() -> dict[str, int]:
    """By the test that compares these figures with the committed ones."""
    sys.path.insert(0, str(project_root() / "tests"))
    gas: dict[str, int] = import_module("gas.court").measure_court()
    return gas


def _targets(measured: dict[str, int]) -> dict[str, int]:
    action, transfer, above = ABOVE_TRANSFER
    return TARGETS | ({action: measured[transfer] + above} if transfer in measured else {})


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
        table = Table("", "now", "committed", "target", title=title)
        targets = dict.fromkeys(new[key], SIZE_LIMIT) if key == "sizes" else _targets(new[key])
        for name, value in new[key].items():
            before = old.get(key, {}).get(name)
            target = targets.get(name)
            told = "" if target is None else f"{target:,} {'met' if value <= target else 'missed'}"
            table.add_row(name, f"{value:,}", "new" if before is None else f"{before:,}", told)
        Console().print(table)
    write_json(path, new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
