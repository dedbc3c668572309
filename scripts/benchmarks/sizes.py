"""How much work each measurement does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the work; `cold` adds a first start with an empty cache of compiled code."""

    options: int
    instruments: int
    accounts: int
    leaves: int
    proofs: int
    peer_leaves: int
    growth_accounts: tuple[int, ...]
    growth_scenarios: tuple[int, ...]
    growth_positions: tuple[int, ...]
    growth_book: int
    cold: bool


FULL = Sizes(
    2_000,
    2_000,
    1_000_000,
    1_000_000,
    10_000,
    20_000,
    (10_000, 100_000, 1_000_000, 3_000_000),
    (10, 33, 100),
    (1, 10, 100),
    100_000,
    cold=True,
)
QUICK = Sizes(
    200, 2_000, 2_000, 2_000, 20, 200, (500, 1_000, 2_000), (10, 33, 100), (1, 10, 100), 500, cold=False
)
