"""Instruments as columns: made once when instruments are listed, used for every market afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, InstrumentTable, Kind
from marginproof.spec.limits import MAX_STRIKE, MAX_TIME, MAX_UNDERLYING_ID, MIN_STRIKE
from marginproof.spec.logarithm import logarithm

from .columns import in_chunks, require_column, require_kind, require_threads, require_whole
from .kernels.lookup import find_rows
from .kernels.pricing import LOG_SPLIT

STRETCHES: Final = 1 << 16
"""Values of an id's upper half: an underlying and an expiry."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows by id: ids of one underlying and expiry (upper 16 bits) have their own stretch of `rows`, indexed by the lower 16 bits."""

    bases: NDArray[np.int64]
    sizes: NDArray[np.int64]
    rows: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class InstrumentColumns:
    """Instruments in order of their ids; a row number stands for an instrument everywhere in the engine.

    | column | dtype, shape | meaning |
    |---|---|---|
    | ids | uint32 (n) | strictly increasing |
    | underlying, kind | uint8 (n) | as in `spec.instruments` |
    | expiry | int64 (n) | unix seconds, 0 for spot and perpetual |
    | strike | int64 (n) | E8, 0 unless an option |
    | log_strike | int64 (n, 2) | ln(strike) in Q64 as high * 2^32 + low, 0 unless an option |
    """

    instruments: tuple[Instrument, ...]
    ids: NDArray[np.uint32]
    underlying: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    expiry: NDArray[np.int64]
    strike: NDArray[np.int64]
    log_strike: NDArray[np.int64]
    lookup: Lookup

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.instruments)

    def check(self) -> None:
        """Refuse columns that are not as described. Their contents are trusted: `instrument_columns` makes them.

        Error: `BadColumn(column, wanted, found)`.
        """
        count = len(self)
        require_column("instruments.ids", self.ids, np.uint32, (count,))
        require_column("instruments.underlying", self.underlying, np.uint8, (count,))
        require_column("instruments.kind", self.kind, np.uint8, (count,))
        require_column("instruments.expiry", self.expiry, np.int64, (count,))
        require_column("instruments.strike", self.strike, np.int64, (count,))
        require_column("instruments.log_strike", self.log_strike, np.int64, (count, 2))
        require_column("instruments.lookup.bases", self.lookup.bases, np.int64, (STRETCHES,))
        require_column("instruments.lookup.sizes", self.lookup.sizes, np.int64, (STRETCHES,))
        places = int(self.lookup.bases[-1] + self.lookup.sizes[-1])
        require_column("instruments.lookup.rows", self.lookup.rows, np.int32, (places,))

    def rows(self, ids: NDArray[np.uint32], threads: int = 1) -> NDArray[np.uint32]:
        """The rows of instrument ids, uint32. Errors: `BadColumn`, `UnknownInstrument(id)` for the first that has none."""
        require_threads(threads)
        self.check()
        require_column("ids", ids, np.uint32, (None,))
        found = np.empty(len(ids), np.uint32)
        wrong: list[int] = []

        def work(start: int, stop: int) -> None:
            at = find_rows(self.lookup.bases, self.lookup.sizes, self.lookup.rows, ids, found, start, stop)
            if at >= 0:
                wrong.append(at)

        in_chunks(work, len(ids), threads)
        if wrong:
            raise SpecError("UnknownInstrument", id=int(ids[min(wrong)]))
        return found


def _lookup(ids: NDArray[np.uint32]) -> Lookup:
    upper, lower = (ids >> 16).astype(np.int64), (ids & 0xFFFF).astype(np.int64)
    sizes = np.zeros(STRETCHES, np.int64)
    np.maximum.at(sizes, upper, lower + 1)
    bases = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rows = np.full(int(sizes.sum()), -1, np.int32)
    rows[bases[upper] + lower] = np.arange(len(ids))
    return Lookup(bases, sizes, rows)


def split_logarithm(value: int) -> tuple[int, int]:
    """A Q64 logarithm as (high, low) with value = high * 2^32 + low, 0 <= low < 2^32."""
    return value >> LOG_SPLIT, value & (1 << LOG_SPLIT) - 1


def _require_listable(instrument: Instrument) -> None:
    require_kind("instrument", instrument, Instrument)
    require_kind("kind", instrument.kind, Kind)
    require_whole("underlying", instrument.underlying, 1, MAX_UNDERLYING_ID)
    is_dated, is_option = instrument.kind.is_dated, instrument.kind.is_option
    require_whole("expiry", instrument.expiry, int(is_dated), MAX_TIME if is_dated else 0)
    require_whole(
        "strike", instrument.strike_e8, MIN_STRIKE if is_option else 0, MAX_STRIKE if is_option else 0
    )


def instrument_columns(instruments: Sequence[Instrument], ids: Iterable[int]) -> InstrumentColumns:
    """Columns of instruments given with their ids, in increasing order of id.

    Errors: `PositionsNotSorted(previous, id)` for ids out of order, `DuplicateInstrument(id)` when two ids mean the same instrument,
    `OutOfRange(field, value, low, high)` for an underlying, expiry or strike that nothing could be listed with.
    """
    known: set[Instrument] = set()
    previous = 0
    listed = list(ids)
    for instrument, number in zip(instruments, listed, strict=True):
        if number <= previous:
            raise SpecError("PositionsNotSorted", previous=previous, id=number)
        _require_listable(instrument)
        if instrument in known:
            raise SpecError("DuplicateInstrument", id=number)
        known.add(instrument)
        previous = number
    logs = {i.strike_e8: split_logarithm(logarithm(i.strike_e8)) for i in instruments if i.kind.is_option}
    numbers = np.array(listed, np.uint32)
    return InstrumentColumns(
        tuple(instruments),
        numbers,
        np.array([i.underlying for i in instruments], np.uint8),
        np.array([i.kind for i in instruments], np.uint8),
        np.array([i.expiry for i in instruments], np.int64),
        np.array([i.strike_e8 for i in instruments], np.int64),
        np.array([logs[i.strike_e8] if i.kind.is_option else (0, 0) for i in instruments], np.int64).reshape(
            -1, 2
        ),
        _lookup(numbers),
    )


def columns_of_ids(table: InstrumentTable, ids: Iterable[int]) -> InstrumentColumns:
    """Columns of registered ids, in any order, each once or more often. Errors: `UnknownInstrument(id)`, `DuplicateInstrument(id)`."""
    wanted = sorted(set(ids))
    return instrument_columns([table.resolve(number) for number in wanted], wanted)


def columns_of(instruments: Iterable[Instrument]) -> InstrumentColumns:
    """Columns of instruments that have no ids (file-based runs): ids are 1, 2, ... in the order in which the engine needs them."""

    def order(i: Instrument) -> tuple[int, int, int, bool]:
        return i.underlying, i.expiry if i.kind.is_dated else int(i.kind), i.strike_e8, i.kind == Kind.PUT

    ordered = sorted(set(instruments), key=order)
    return instrument_columns(ordered, range(1, len(ordered) + 1))
