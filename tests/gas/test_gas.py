"""Gas and sizes are part of the product: a change of any figure is a decision, made with `make gas`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marginproof.demo.gas import measure_gas

SNAPSHOT = Path(__file__).resolve().parents[1] / "gas.json"
SIZE_LIMIT = 24_576


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, int]]:
    return measure_gas()


@pytest.mark.parametrize("key", ["actions", "sizes"])
def test_every_figure_is_the_committed_one(measured: dict[str, dict[str, int]], key: str) -> None:
    assert measured[key] == json.loads(SNAPSHOT.read_text())[key], (
        "run `make gas` and commit tests/gas.json if this is meant"
    )


def test_every_contract_fits_the_size_limit(measured: dict[str, dict[str, int]]) -> None:
    assert len(measured["sizes"]) == 12
    assert {name: size for name, size in measured["sizes"].items() if size >= SIZE_LIMIT} == {}
