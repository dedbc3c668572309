"""Which dispute shows a posted leaf wrong, with which choices, and by how much. Pure: figures in, evidence out.

A leaf's figures are proven wrong by repricing one index per held underlying (`libraries/Judgement.sol`):

- a wrong value shows at any choices;
- a requirement too low shows where the true worst gives more;
- a requirement too high, or malformed worst scenarios, show at the leaf's own;
- worst scenarios that are not the worst, but give the same figures, show in the exact losses, at the true worst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ..spec.margin import Margin, requirement
from ..spec.model import Model
from ..spec.typed_data import Leaf


class Kind(IntEnum):
    """What is disputed, numbered as in the contract."""

    LEAF = 0
    IDENTITY = 1
    COUNT = 2
    TICKET = 3
    EQUIVOCATION = 4


UNPRICED: Final = 2**256 - 1
"""The difference that counts where the market has no price for something held: any figure is made up then."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A dispute that succeeds: its kind, the choices (empty where none are asked for), the greatest difference that it shows in a money
    figure (E8), and how often the court prices the portfolio for it."""

    kind: Kind
    choices: bytes
    difference_e8: int
    repricings: int

    def is_material(self, materiality_e8: int) -> bool:
        """Whether the signers lose their bonds for it, or pay a bounty."""
        return self.difference_e8 >= max(1, materiality_e8)


def worst_choices(margin: Margin) -> bytes:
    """The true worst scenarios: two bytes per held underlying, in order."""
    return b"".join(bytes((scan.underlying, scan.worst)) for scan in margin.scans)


def is_well_formed(margin: Margin, choices: bytes) -> bool:
    """Whether choices name each held underlying once, in order, with an index that its model has."""
    return len(choices) == 2 * len(margin.scans) and all(
        choices[2 * i] == scan.underlying and choices[2 * i + 1] < len(scan.losses)
        for i, scan in enumerate(margin.scans)
    )


def requirements_at(margin: Margin, model: Model, choices: bytes) -> tuple[int, int]:
    """Initial and maintenance requirement (E8) if well-formed choices were the worst."""
    initial, maintenance = [], []
    for scan, index in zip(margin.scans, choices[1::2], strict=True):
        loss = max(0, scan.losses[index])
        initial.append((scan.initial_factor, loss, sum(a.initial for a in scan.add_ons)))
        factor = model.section(scan.underlying).maintenance_factor
        maintenance.append((factor, loss, sum(a.maintenance for a in scan.add_ons)))
    return requirement(initial), requirement(maintenance)


def shown_difference(posted: Leaf, margin: Margin, model: Model, choices: bytes) -> int:
    """The greatest difference in a money figure (E8) that one repricing at well-formed choices shows; 0 if it shows none."""
    initial, maintenance = requirements_at(margin, model, choices)
    missing = (initial - posted.initial_margin, maintenance - posted.maintenance_margin)
    if choices == posted.worst_scenarios:
        missing = (abs(missing[0]), abs(missing[1]))
    return max(
        abs(posted.portfolio_value - margin.value), abs(posted.spot_value - margin.spot_value), 0, *missing
    )


def figure_evidence(posted: Leaf, margin: Margin, model: Model, kind: Kind = Kind.LEAF) -> Evidence | None:
    """What shows the figures of a posted leaf or ticket wrong, given the true figures of its portfolio; None if they are right.

    Among what one repricing can show, the greatest difference is chosen.
    """
    true = worst_choices(margin)
    own = posted.worst_scenarios
    candidates = [true, own] if is_well_formed(margin, own) and own != true else [true]
    best = max(candidates, key=lambda choices: shown_difference(posted, margin, model, choices))
    difference = shown_difference(posted, margin, model, best)
    if difference:
        return Evidence(kind, best, difference, 1)
    if not is_well_formed(margin, own):
        return Evidence(kind, own, 0, 1)
    return None if own == true else Evidence(kind, true, 0, 3)


def unpriced_evidence(underlyings: Sequence[int], kind: Kind = Kind.LEAF) -> Evidence:
    """What shows a posted leaf or ticket wrong whose portfolio the market or the model cannot price, given the held underlyings."""
    return Evidence(kind, b"".join(bytes((u, 0)) for u in sorted(set(underlyings))), UNPRICED, 1)


def leaf_evidence(
    index: int,
    posted: Leaf,
    held_hash: bytes,
    margin: Margin | None,
    model: Model,
    underlyings: Sequence[int],
) -> Evidence | None:
    """What shows the posted leaf at an index wrong; None if it is right.

    `held_hash` is the hash of what the account held at the header's block, `underlyings` those it held, `margin` the true figures or
    None if there are none.
    """
    if posted.account != index or posted.portfolio_hash != held_hash:
        return Evidence(Kind.IDENTITY, b"", 0, 0)
    if margin is None:
        return unpriced_evidence(underlyings)
    return figure_evidence(posted, margin, model)
