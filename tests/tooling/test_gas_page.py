"""docs/gas.md says what tests/gas.json says, and whether it meets the target."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scripts.gas import ABOVE_TRANSFER, SIZE_LIMIT, TARGETS

from marginproof.files import project_root

ROOT = project_root()

PAGE = (ROOT / "docs" / "gas.md").read_text(encoding="utf-8")
GAS: dict[str, Any] = json.loads((ROOT / "tests" / "gas.json").read_text(encoding="utf-8"))
MEASURED: dict[str, int] = GAS["actions"] | GAS["court"]
NOT_ON_THE_PAGE = {"full, 10 options"}
"""In two expiries: the page has the dearer row, in ten."""


def _told(figure: int, target: int) -> None:
    """A row has the figure, and beside the target whether it was met."""
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and f"{figure:,}" in line]
    assert rows, f"docs/gas.md does not have {figure:,}"
    cells = [cell.strip() for row in rows for cell in row.split("|")]
    assert f"{target:,}" in cells
    assert ("met" if figure <= target else "missed") in cells


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - NOT_ON_THE_PAGE))
def test_figures_with_a_target(name: str) -> None:
    _told(MEASURED[name], TARGETS[name])


def test_withdrawal_above_a_transfer() -> None:
    action, transfer, above = ABOVE_TRANSFER
    _told(MEASURED[action] - MEASURED[transfer], above)


def test_the_largest_contract() -> None:
    _told(max(GAS["sizes"].values()), SIZE_LIMIT)
