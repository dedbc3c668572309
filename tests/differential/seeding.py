"""Seed and scale of the campaigns, from the environment: SEED repeats a run, SCALE multiplies its size."""

from __future__ import annotations

import math
import os
import secrets
from functools import cache


@cache
def seed() -> int:
    """SEED, a whole number, or a fresh one; the same for the whole run. Error: `ValueError`."""
    given = os.environ.get("SEED")
    if not given:
        return secrets.randbits(32)
    try:
        return int(given)
    except ValueError:
        raise ValueError(f"SEED={given}: give a whole number, as a run printed it, or none") from None


def scaled(count: int) -> int:
    """`count` times SCALE (default 1), at least 1. Error: `ValueError`."""
    given = os.environ.get("SCALE") or "1"
    try:
        scale = float(given)
    except ValueError:
        scale = math.nan
    if not 0 < scale <= 1_000:
        raise ValueError(f"SCALE={given}: give a number above 0, at most 1000; 0.1 is a tenth of everything")
    return max(1, round(count * scale))
