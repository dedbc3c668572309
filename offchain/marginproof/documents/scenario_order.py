"""The one order of scenarios in a model document.

A leaf names its worst scenario by index, and among equal losses the lowest index counts. Were the order free, one set of scenarios would
have many documents, many hashes and different worst indices. So there is one: moves before skews; then greater weights first, so that
tails follow; then higher spot first; then volatility up, added to (more first), unchanged, down; linear skew before absolute.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from ..spec.model import Scenario, VolKind

_KIND_ORDER: Final = {
    kind: place
    for place, kind in enumerate(
        (
            VolKind.UP,
            VolKind.ADD,
            VolKind.NONE,
            VolKind.DOWN,
            VolKind.LINEAR_SKEW,
            VolKind.ABSOLUTE_SKEW,
        )
    )
}


def order_key(scenario: Scenario) -> tuple[bool, int, int, int, int]:
    """Sorts scenarios into the order of documents."""
    return (
        scenario.kind.is_skew,
        -scenario.weight_wad,
        -scenario.spot_wad,
        _KIND_ORDER[scenario.kind],
        -scenario.amount_wad,
    )


def order_problem(scenarios: Sequence[Scenario]) -> str | None:
    """What is wrong with the order, in words, or None. A scenario given twice is wrong as well."""
    keys = [order_key(scenario) for scenario in scenarios]
    moves: dict[tuple[int, VolKind, int], int] = {}
    for index, scenario in enumerate(scenarios):
        move = (scenario.spot_wad, scenario.kind, scenario.amount_wad)
        if move in moves:
            return (
                f"scenarios[{index}] makes the same move as scenarios[{moves[move]}]; allowed: each move of spot and vol once "
                "(keep the greater weight)"
            )
        moves[move] = index
    for index, (before, after) in enumerate(itertools.pairwise(keys), 1):
        if after < before:
            target = next(place for place, key in enumerate(keys) if key > after)
            return (
                f"UnsortedScenarios: scenarios[{index}] belongs before scenarios[{target}]; allowed: moves before skews, then weight "
                "falling, then spot falling, then vol up, add (amount falling), none, down, then linearSkew before absoluteSkew"
            )
    return None
