"""A deployed world per test."""

from __future__ import annotations

import pytest

from .world import World


@pytest.fixture
def world() -> World:
    """Everything deployed and connected; no accounts, no epoch."""
    return World()
