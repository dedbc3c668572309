"""Seed and scale of the random runs, from the environment: SEED repeats a run, SCALE multiplies its size."""

from __future__ import annotations

import os
import secrets
from functools import cache


@cache
def seed() -> int:
    """SEED, or a fresh one; the same for the whole run."""
    return int(os.environ["SEED"]) if os.environ.get("SEED") else secrets.randbits(32)


def scaled(count: int) -> int:
    """`count` times SCALE (default 1), at least 1."""
    return max(1, int(count * float(os.environ.get("SCALE") or "1")))
