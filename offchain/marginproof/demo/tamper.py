"""A dishonest computation: one leaf of one epoch with a maintenance margin some units of E8 too low."""

from __future__ import annotations

from dataclasses import dataclass, replace

from marginproof.engine.epoch import Epoch, recommit
from marginproof.protocol.compute import epoch_of
from marginproof.protocol.state import VenueState
from marginproof.spec.market import MarketSnapshot


@dataclass(frozen=True, slots=True)
class Tamper:
    """At snapshot `time`, take `units` (E8) off the maintenance margin of the account with the greatest one."""

    time: int
    units: int

    @classmethod
    def parse(cls, text: str) -> Tamper:
        """From "TIME:UNITS"."""
        time, units = text.split(":")
        return cls(int(time), int(units))

    def __str__(self) -> str:
        return f"{self.time}:{self.units}"

    def compute(self, state: VenueState, market: MarketSnapshot) -> Epoch:
        """The true epoch, or at the chosen time the false one: once, for what was posted of that time already was the lie."""
        result = epoch_of(state, market)
        if market.time != self.time or any(epoch.header.time == self.time for epoch in state.epochs):
            return result
        leaves = result.leaves
        victim = max(leaves, key=lambda leaf: leaf.maintenance_margin)
        false = replace(victim, maintenance_margin=max(0, victim.maintenance_margin - self.units))
        return recommit(result, [false if leaf is victim else leaf for leaf in leaves])
