"""Every topic, in the order in which the specification is read."""

from __future__ import annotations

from typing import Final

from . import (
    abridged,
    accounts,
    dispute,
    dispute_claims,
    epoch,
    fixed_point,
    market,
    model,
    portfolio,
    pricing,
    quorum,
    scenario,
    smile,
    tenor,
    tree,
    typed,
    volatility,
)
from .case import Topic

TOPICS: Final[tuple[Topic, ...]] = (
    *fixed_point.TOPICS,
    *pricing.TOPICS,
    *smile.TOPICS,
    *model.TOPICS,
    *tenor.TOPICS,
    *volatility.TOPICS,
    *scenario.TOPICS,
    *portfolio.TOPICS,
    *accounts.TOPICS,
    *tree.TOPICS,
    *typed.TOPICS,
    *quorum.TOPICS,
    *market.TOPICS,
    *abridged.TOPICS,
    *epoch.TOPICS,
    *dispute.TOPICS,
    *dispute_claims.TOPICS,
)
