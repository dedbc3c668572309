"""The seed of random runs: SEED in the environment, else always the same."""

from __future__ import annotations

import os

import pytest

SEED = int(os.environ.get("SEED", "20260205"))


@pytest.fixture(scope="session")
def seed() -> int:
    return SEED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"independent checker: random accounts with SEED={SEED}")
