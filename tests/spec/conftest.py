"""One seed for everything random in this folder: SEED in the environment, else always the same. SCALE multiplies the random draws."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import core, settings

SEED = int(os.environ.get("SEED") or "20260205")
SCALE = float(os.environ.get("SCALE") or "1")

settings.register_profile(
    "marginproof", deadline=None, database=None, max_examples=max(1, int(100 * SCALE)), print_blob=True
)
settings.load_profile("marginproof")
core.global_force_seed = SEED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"specification: random draws with SEED={SEED}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Random numbers that depend on the seed and on the test's name only."""
    print(f"repeat with SEED={SEED}")
    return Random(f"{SEED}:{request.node.name}")


@pytest.fixture
def scaled() -> float:
    """By how much to multiply the number of random draws."""
    return SCALE
