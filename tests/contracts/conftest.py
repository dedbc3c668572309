"""A deployed world per test."""

from __future__ import annotations

from random import Random

import pytest

from .dispute_stage import DisputeStage
from .world import World


@pytest.fixture
def world() -> World:
    """Everything deployed and connected; no accounts, no epoch."""
    return World()


@pytest.fixture
def stage() -> DisputeStage:
    """Three accounts in a drawn world, and disputes."""
    return DisputeStage(Random("disputes"), accounts=3)
