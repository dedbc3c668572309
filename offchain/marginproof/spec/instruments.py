"""Instruments and their ids.

An id is 32 bits, built so that sorting by id groups by underlying, then expiry, then strike, and puts a call beside its put:

    bits 26..31  underlying      1..63
    bits 16..25  expiry index    0 spot, 1 perpetual, 2.. dated (the registry's list of expiries of that underlying)
    bits  1..15  strike index    0 future, 1.. option (the registry's list of strikes of that underlying)
    bit   0      0 call, 1 put   (0 unless an option)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .errors import SpecError

SPOT_INDEX: Final = 0
PERPETUAL_INDEX: Final = 1
FIRST_EXPIRY_INDEX: Final = 2


class Kind(IntEnum):
    """What an instrument is."""

    SPOT = 0
    PERPETUAL = 1
    FUTURE = 2
    CALL = 3
    PUT = 4

    @property
    def is_option(self) -> bool:
        """True for calls and puts."""
        return self in (Kind.CALL, Kind.PUT)

    @property
    def is_dated(self) -> bool:
        """True for what expires: futures and options."""
        return self >= Kind.FUTURE


@dataclass(frozen=True, slots=True, order=True)
class Instrument:
    """One instrument. `expiry` is in unix seconds, 0 if it never expires; `strike_e8` is 0 unless an option."""

    underlying: int
    kind: Kind
    expiry: int = 0
    strike_e8: int = 0


@dataclass(frozen=True, slots=True)
class IdParts:
    """The four fields of an id."""

    underlying: int
    expiry_index: int
    strike_index: int
    is_put: bool


def instrument_id(parts: IdParts) -> int:
    """Pack the fields into the 32-bit id. Ranges: underlying 1..63, expiry index 0..1023, strike index 0..32767."""
    if (
        not 1 <= parts.underlying <= 63
        or not 0 <= parts.expiry_index <= 1023
        or not 0 <= parts.strike_index <= 32767
    ):
        raise SpecError("BadInstrumentFields", text=str(parts))
    return parts.underlying << 26 | parts.expiry_index << 16 | parts.strike_index << 1 | int(parts.is_put)


def id_parts(instrument: int) -> IdParts:
    """Unpack an id."""
    return IdParts(instrument >> 26, instrument >> 16 & 1023, instrument >> 1 & 32767, bool(instrument & 1))


@dataclass(frozen=True, slots=True)
class InstrumentTable:
    """The registry's lists, as ids refer to them.

    `expiries[underlying]` holds unix seconds, the first belonging to expiry index 2; `strikes[underlying]` holds E8 strikes, the
    first belonging to strike index 1. `listed`, when given, is the set of ids that may be traded.
    """

    expiries: dict[int, tuple[int, ...]]
    strikes: dict[int, tuple[int, ...]]
    listed: frozenset[int] | None = None

    def resolve(self, instrument: int) -> Instrument:
        """The instrument behind an id. Error: `UnknownInstrument(id)` when an index is not registered or the id is not listed."""
        parts = id_parts(instrument)
        unknown = SpecError("UnknownInstrument", id=instrument)
        if self.listed is not None and instrument not in self.listed:
            raise unknown
        if parts.underlying not in self.expiries:
            raise unknown
        if parts.expiry_index < FIRST_EXPIRY_INDEX:
            if parts.strike_index or parts.is_put:
                raise unknown
            return Instrument(
                parts.underlying, Kind.SPOT if parts.expiry_index == SPOT_INDEX else Kind.PERPETUAL
            )
        expiries = self.expiries[parts.underlying]
        strikes = self.strikes.get(parts.underlying, ())
        if parts.expiry_index - FIRST_EXPIRY_INDEX >= len(expiries) or parts.strike_index > len(strikes):
            raise unknown
        expiry = expiries[parts.expiry_index - FIRST_EXPIRY_INDEX]
        if parts.strike_index == 0:
            if parts.is_put:
                raise unknown
            return Instrument(parts.underlying, Kind.FUTURE, expiry)
        kind = Kind.PUT if parts.is_put else Kind.CALL
        return Instrument(parts.underlying, kind, expiry, strikes[parts.strike_index - 1])
