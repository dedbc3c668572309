"""The positions of one underlying, sorted into what moves alike: spot and perpetuals, live expiries, and what is settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .instruments import Instrument
from .market import UnderlyingMarket
from .scenario import settlement_price

Positions = Sequence[tuple[Instrument, int]]


@dataclass(frozen=True, slots=True)
class ExpiryHoldings:
    """Options and futures of one live expiry, with quantities (E8)."""

    options: tuple[tuple[Instrument, int], ...]
    futures: tuple[tuple[Instrument, int], ...]


@dataclass(frozen=True, slots=True)
class Holdings:
    """All of one underlying but what is settled: that moves no more."""

    undated: tuple[tuple[Instrument, int], ...]
    expiries: dict[int, ExpiryHoldings]

    def options(self) -> Iterator[tuple[Instrument, int]]:
        """Every live option."""
        for held in self.expiries.values():
            yield from held.options

    def futures(self) -> Iterator[tuple[Instrument, int]]:
        """Every live dated future."""
        for held in self.expiries.values():
            yield from held.futures

    def moving(self) -> Iterator[tuple[Instrument, int]]:
        """Everything that has a delta."""
        yield from self.undated
        yield from self.futures()
        yield from self.options()


def hold(positions: Positions, quotes: UnderlyingMarket) -> Holdings:
    """Sort the positions of one underlying. Expiries are in order of time."""
    live = [p for p in positions if p[0].kind.is_dated and settlement_price(quotes, p[0].expiry) is None]
    return Holdings(
        tuple(p for p in positions if not p[0].kind.is_dated),
        {
            expiry: ExpiryHoldings(
                tuple(p for p in live if p[0].expiry == expiry and p[0].kind.is_option),
                tuple(p for p in live if p[0].expiry == expiry and not p[0].kind.is_option),
            )
            for expiry in sorted({i.expiry for i, _ in live})
        },
    )
