"""Instruments as columns: made once when instruments are listed, used for every market afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, InstrumentTable, Kind
from marginproof.spec.logarithm import logarithm

from .columns import in_chunks
from .kernels.lookup import find_rows
from .kernels.pricing import LOG_SPLIT


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

    def rows(self, ids: NDArray[np.uint32], threads: int = 1) -> NDArray[np.uint32]:
        """The rows of instrument ids. Error: `UnknownInstrument(id)` for the first that has none."""
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
    sizes = np.zeros(1 << 16, np.int64)
    np.maximum.at(sizes, upper, lower + 1)
    bases = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rows = np.full(int(sizes.sum()), -1, np.int32)
    rows[bases[upper] + lower] = np.arange(len(ids))
    return Lookup(bases, sizes, rows)


def split_logarithm(value: int) -> tuple[int, int]:
    """A Q64 logarithm as (high, low) with value = high * 2^32 + low, 0 <= low < 2^32."""
    return value >> LOG_SPLIT, value & (1 << LOG_SPLIT) - 1


def instrument_columns(instruments: Sequence[Instrument], ids: Iterable[int]) -> InstrumentColumns:
    """Columns of instruments given with their ids, in increasing order of id.

    Errors: `PositionsNotSorted(previous, id)` for ids out of order, `DuplicateInstrument(id)` when two ids mean the same instrument.
    """
    known: set[Instrument] = set()
    previous = 0
    listed = list(ids)
    for instrument, number in zip(instruments, listed, strict=True):
        if number <= previous:
            raise SpecError("PositionsNotSorted", previous=previous, id=number)
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
