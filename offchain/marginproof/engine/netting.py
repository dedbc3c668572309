"""Netting: every account's figures from the values of instruments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marginproof.spec.errors import SpecError
from marginproof.spec.portfolio import Position

from .columns import in_chunks, require_column, require_kind, require_threads
from .instruments import InstrumentColumns
from .kernels.netting import WORST_BYTES, net_accounts
from .leaves import check_portfolios, check_spans
from .values import Values


@dataclass(frozen=True, slots=True)
class Portfolios:
    """Portfolios as columns: positions of account a are those from offsets[a] to offsets[a + 1].

    | column | dtype, shape | meaning |
    |---|---|---|
    | offsets | int64 (accounts + 1) | from 0 up to the number of positions, never falling |
    | ids | uint32 (positions) | strictly increasing within an account |
    | quantities | int64 (positions) | E8, not zero |
    """

    offsets: NDArray[np.int64]
    ids: NDArray[np.uint32]
    quantities: NDArray[np.int64]

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self.offsets) - 1

    def positions(self, account: int) -> tuple[Position, ...]:
        """One account's positions."""
        part = slice(int(self.offsets[account]), int(self.offsets[account + 1]))
        return tuple(map(Position, self.ids[part].tolist(), self.quantities[part].tolist()))

    def slice(self, start: int, stop: int) -> Portfolios:
        """The accounts from `start` to `stop`, as portfolios of their own."""
        part = slice(int(self.offsets[start]), int(self.offsets[stop]))
        offsets = self.offsets[start : stop + 1] - self.offsets[start]
        return Portfolios(offsets, self.ids[part], self.quantities[part])


def portfolio_columns(portfolios: Iterable[Sequence[Position]]) -> Portfolios:
    """Columns of portfolios given as positions. Nothing is checked yet: netting and hashing do."""
    books = list(portfolios)
    offsets = np.zeros(len(books) + 1, np.int64)
    np.cumsum([len(book) for book in books], out=offsets[1:])
    flat = [position for book in books for position in book]
    try:
        ids = np.array([position[0] for position in flat], np.uint32)
        quantities = np.array([position[1] for position in flat], np.int64)
    except OverflowError:
        for number, quantity in flat:
            if not -(1 << 63) <= quantity < 1 << 63:
                raise SpecError("QuantityOutOfRange", id=number, quantity=quantity) from None
        raise
    return Portfolios(offsets, ids, quantities)


@dataclass(frozen=True, slots=True)
class Margins:
    """Figures of every account.

    | column | dtype, shape | meaning |
    |---|---|---|
    | money | int64 (n, 4, 2) | value, spot value, initial, maintenance (E8), each 128 bits: high word, low word's bits |
    | worst | uint8 (n, 16) | underlying, index; underlying, index; ... zeros after the last |
    | worst_lengths | uint8 (n) | how many of those bytes count |
    """

    money: NDArray[np.int64]
    worst: NDArray[np.uint8]
    worst_lengths: NDArray[np.uint8]

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self.worst_lengths)

    def column(self, figure: int) -> NDArray[np.int64]:
        """One figure of all accounts as a money column (n, 2), contiguous: 0 value, 1 spot value, 2 initial, 3 maintenance."""
        return np.ascontiguousarray(self.money[:, figure])


def resolve(portfolios: Portfolios, instruments: InstrumentColumns, threads: int = 1) -> NDArray[np.uint32]:
    """Check portfolios and find the row of every position, once for as long as the portfolios stand.

    Errors: `BadColumn` for arrays of another dtype, shape or layout, `UnknownInstrument(id)`, those of `leaves.check_portfolios`.
    """
    require_threads(threads)
    require_kind("portfolios", portfolios, Portfolios)
    require_kind("instruments", instruments, InstrumentColumns)
    instruments.check()
    check_portfolios(portfolios.offsets, portfolios.ids, portfolios.quantities, threads)
    return instruments.rows(portfolios.ids, threads)


def net(
    portfolios: Portfolios, values: Values, threads: int = 1, rows: NDArray[np.uint32] | None = None
) -> Margins:
    """Margin every account, equal to `spec.margin.margin` bit for bit, whatever the number of threads and the order of accounts.

    `rows` is what `resolve` gave for these portfolios, and trusted; found here when not given.
    Errors: those of `resolve`; `BadColumn(column, wanted, found)` for an array of `values` or for `rows`; `MissingExpiry(expiry)`,
    `MissingUnderlying(underlying)`, `MissingModelSection(underlying)` for what is held but has no value. Nothing is returned in part.
    """
    require_threads(threads)
    require_kind("portfolios", portfolios, Portfolios)
    require_kind("values", values, Values)
    values.check()
    if rows is None:
        rows = resolve(portfolios, values.instruments, threads)
    check_spans(portfolios.offsets, portfolios.ids, portfolios.quantities)
    require_column("rows", rows, np.uint32, (len(portfolios.ids),))
    count = len(portfolios)
    money = np.empty((count, 4, 2), np.int64)
    worst = np.empty((count, WORST_BYTES), np.uint8)
    lengths = np.empty(count, np.uint8)
    s = values.sections
    inputs = (portfolios.offsets, rows, portfolios.quantities)
    arguments = (
        values.row_info,
        s.group_terms,
        s.group_floats,
        s.underlyings,
        s.weights,
        s.kinds,
        s.lanes.indices,
        s.lanes.weights,
        s.lanes.bias,
        values.by_column,
        values.main,
        values.side,
        values.delta,
    )

    def work(start: int, stop: int) -> None:
        wrong = net_accounts(*inputs, *arguments, money, worst, lengths, start, stop)
        if wrong >= 0:
            values.require_known(int(inputs[1][wrong]))
            raise AssertionError("a position without a value that the specification can value")

    in_chunks(work, count, threads)
    return Margins(money, worst, lengths)
