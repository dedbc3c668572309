"""Which dispute shows a posted leaf wrong, with which choices, and by how much. Pure: figures in, evidence out.

A leaf's figures are proven wrong by repricing one index per held underlying (`libraries/Judgement.sol`):

- a wrong value shows at any choices;
- a requirement too low shows where the true worst gives more;
- a requirement too high, or malformed worst scenarios, show at the leaf's own;
- worst scenarios that are not the worst, but give the same figures, show in the exact losses, at the true worst.

Where both requirements are too high at the leaf's own, its index may be all that is wrong: that counts as no difference. By how much the
figures are wrong then shows only over all scenarios, which empty choices stand for. That is dear, and worth it for whole bonds alone.
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


ALL_SCENARIOS: Final = b""
"""No choices: the court recomputes everything."""
UNPRICED: Final = 2**256 - 1
"""The difference that counts where the market has no price for something held: any figure is made up then."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A dispute that succeeds: its kind, the choices (empty where none are asked for, or for all scenarios), the greatest difference that
    it shows in a money figure (E8), and how often the court is asked for it."""

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


def shown(posted: Leaf, margin: Margin, model: Model, choices: bytes) -> tuple[bool, int]:
    """Whether one repricing at well-formed choices shows the leaf wrong, and the greatest difference in a money figure (E8) it shows."""
    initial, maintenance = requirements_at(margin, model, choices)
    difference = max(
        _values_off(posted, margin), initial - posted.initial_margin, maintenance - posted.maintenance_margin
    )
    is_wrong = False
    if choices == posted.worst_scenarios:
        excess = max(0, posted.initial_margin - initial), max(0, posted.maintenance_margin - maintenance)
        is_wrong = any(excess)
        if not all(excess):
            difference = max(difference, *excess)
    return is_wrong or difference != 0, difference


def difference_in_full(posted: Leaf, margin: Margin) -> int:
    """The greatest difference in a money figure (E8)."""
    return max(
        _values_off(posted, margin),
        abs(posted.initial_margin - margin.initial),
        abs(posted.maintenance_margin - margin.maintenance),
    )


def _values_off(posted: Leaf, margin: Margin) -> int:
    return max(abs(posted.portfolio_value - margin.value), abs(posted.spot_value - margin.spot_value))


def figure_evidence(
    posted: Leaf, margin: Margin, model: Model, materiality_e8: int, kind: Kind = Kind.LEAF
) -> Evidence | None:
    """What shows the figures of a posted leaf or ticket wrong, given the true figures of its portfolio; None if they are right.

    Among what one repricing can show, the greatest difference is chosen; all scenarios only where nothing less is material (E8).
    """
    true = worst_choices(margin)
    own = posted.worst_scenarios
    full = Evidence(kind, ALL_SCENARIOS, difference_in_full(posted, margin), 1)
    if not margin.scans:
        return full if full.difference_e8 or own else None
    candidates = [true, own] if is_well_formed(margin, own) and own != true else [true]
    found = [(*shown(posted, margin, model, choices), choices) for choices in candidates]
    wrong = [Evidence(kind, choices, difference, 1) for is_wrong, difference, choices in found if is_wrong]
    best = max(wrong, key=lambda evidence: evidence.difference_e8, default=None)
    if full.is_material(materiality_e8) and not (best and best.is_material(materiality_e8)):
        return full
    if best:
        return best
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
    materiality_e8: int,
) -> Evidence | None:
    """What shows the posted leaf at an index wrong; None if it is right.

    `held_hash` is the hash of what the account held at the header's block, `underlyings` those it held, `margin` the true figures or
    None if there are none; from `materiality_e8` on a difference costs bonds.
    """
    if posted.account != index or posted.portfolio_hash != held_hash:
        return Evidence(Kind.IDENTITY, b"", 0, 0)
    if margin is None:
        return unpriced_evidence(underlyings)
    return figure_evidence(posted, margin, model, materiality_e8)
