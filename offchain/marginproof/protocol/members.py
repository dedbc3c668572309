"""Who may sign at a time, rebuilt from the attester set's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NEVER = 2**64 - 1


@dataclass(slots=True)
class Member:
    """One attester: its bond in token units, from when and until when its signatures count (unix seconds)."""

    bond: int = 0
    active_from: int = NEVER
    active_until: int = NEVER


@dataclass(slots=True)
class Members:
    """Every attester that ever joined, the whole bond in token units, and how many signatures an epoch carries."""

    by_address: dict[str, Member] = field(default_factory=dict)
    whole_bond: int = 0
    threshold: int = 0

    def active_at(self, time: int) -> frozenset[str]:
        """Whose signatures count at a time, as far as the events seen so far say."""
        return frozenset(
            address
            for address, member in self.by_address.items()
            if member.bond >= self.whole_bond > 0 and member.active_from <= time < member.active_until
        )

    def apply(self, event: str, arguments: Mapping[str, Any]) -> bool:
        """Take one event into account; False for an event of something else."""
        if event == "ThresholdSet":
            self.threshold = arguments["threshold"]
            return True
        if event not in ("AttesterJoined", "AttesterLeaving", "AttesterSlashed", "BondChanged"):
            return False
        member = self.by_address.setdefault(arguments["attester"], Member())
        if event == "AttesterJoined":
            member.active_from, member.active_until = arguments["activeFrom"], NEVER
        elif event == "AttesterLeaving":
            member.active_until = arguments["activeUntil"]
        elif event == "AttesterSlashed":
            member.active_until = 0
        else:
            member.bond = arguments["bond"]
            self.whole_bond = max(self.whole_bond, member.bond)
        return True
