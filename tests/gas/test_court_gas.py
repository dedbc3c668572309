"""What a check costs inside the court, against the committed figures and the design's limit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evm.machine import artifact

from .court import measure_court

SNAPSHOT = Path(__file__).resolve().parents[1] / "gas.json"
FULL_LIMIT = 12_000_000
SIZE_LIMIT = 24_576


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measure_court()


def test_every_figure_is_the_committed_one(measured: dict[str, int]) -> None:
    assert measured == json.loads(SNAPSHOT.read_text())["court"], (
        "run `make gas` and commit tests/gas.json if this is meant"
    )


def test_the_full_check_of_100_options_stays_in_its_limit(measured: dict[str, int]) -> None:
    assert measured["full, 100 options"] < FULL_LIMIT


def test_the_court_and_its_checker_fit_the_size_limit() -> None:
    for name in ("MarginCourt", "MarketChecker"):
        assert artifact(name).runtime_size < SIZE_LIMIT
