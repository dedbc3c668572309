"""Prints the seed of every run, and gives each test a generator of its own."""

from __future__ import annotations

from random import Random

import pytest

from evm.machine import Contract, Machine

from .seeding import seed


def pytest_report_header() -> str:
    """The line that repeats a failed run."""
    return f"differential seed: SEED={seed()}"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Random numbers that depend on the seed and on the test's name only."""
    print(f"repeat with SEED={seed()}")
    return Random(f"{seed()}:{request.node.name}")


@pytest.fixture(scope="session")
def harness() -> Contract:
    """The libraries behind batched entry points."""
    return Machine().deploy("PricingHarness")
