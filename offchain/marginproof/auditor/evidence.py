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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ..spec.errors import SpecError
from ..spec.judgement import UNPRICED, compare, compare_in_full, figures_at, worst_choices
from ..spec.margin import Margin
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


def figure_evidence(
    posted: Leaf, margin: Margin, model: Model, materiality_e8: int, kind: Kind = Kind.LEAF
) -> Evidence | None:
    """What shows the figures of a posted leaf or ticket wrong, given the true figures of its portfolio; None if they are right.

    Among what one repricing can show, the greatest difference is chosen; all scenarios only where nothing less is material (E8).
    """
    full = Evidence(kind, ALL_SCENARIOS, compare_in_full(posted, margin)[1], 1)
    own, true = posted.worst_scenarios, worst_choices(margin)
    if not margin.scans:
        return full if full.difference_e8 or own else None
    best = max(_shown(posted, margin, model, kind), key=lambda item: item.difference_e8, default=None)
    if full.is_material(materiality_e8) and not (best and best.is_material(materiality_e8)):
        return full
    if best or own == true:
        return best
    return Evidence(kind, true, 0, 3) if own else full


def _shown(posted: Leaf, margin: Margin, model: Model, kind: Kind) -> Iterator[Evidence]:
    """What one repricing shows, at the true worst scenarios or at the leaf's own."""
    for choices in {worst_choices(margin): None, posted.worst_scenarios: None}:
        at_own = choices == posted.worst_scenarios
        if choices == ALL_SCENARIOS:
            continue
        try:
            is_wrong, difference = compare(posted, figures_at(margin, model, choices), at_own)
        except SpecError:
            # The leaf's own are no choices at all, which shows it wrong.
            is_wrong, difference = True, 0
        if is_wrong:
            yield Evidence(kind, choices, difference, 1)


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
