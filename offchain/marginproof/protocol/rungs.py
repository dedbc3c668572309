"""The rungs of the verification ladder that a user climbs: what was signed first, a recomputation on chain where that is not enough."""

from __future__ import annotations

from typing import Final

from marginproof.errors import ChainError

ATTESTED: Final = "attested"
FULL: Final = "full"
_CLIMB: Final = (
    "AboveAttestedSize",
    "OutflowBudgetExceeded",
    "FeedDeviation",
    "SpotUnknown",
    "EnforcedPause",
)


def leaves_to_full(error: ChainError) -> bool:
    """Whether a refusal of what was signed says nothing against the action itself: recomputed in full it may pass."""
    return any(f"{name}(" in error.message for name in _CLIMB)
