"""A whole epoch: every account's margin, its leaf, and the tree over all leaves; and the next one, with what did not change kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.margin import Margin, margin
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model
from marginproof.spec.portfolio import Position
from marginproof.spec.typed_data import Leaf

from .columns import money_column, money_values
from .instruments import columns_of_ids
from .kernels.changes import find_changes
from .kernels.netting import WORST_BYTES
from .leaves import LeafColumns, leaf_hashes, portfolio_hashes
from .netting import Margins, Portfolios, net, portfolio_columns, resolve
from .tree import Tree
from .values import Values, ValueTable, value

Hashes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch commits to, by account id: portfolios, their hashes, margins, leaf hashes, and the tree.

    `rows` are the positions' instrument rows, `portfolio_hashes` and `leaf_hashes` uint8 (n, 32).
    """

    portfolios: Portfolios
    values: Values
    rows: NDArray[np.uint32]
    portfolio_hashes: Hashes
    margins: Margins
    leaf_hashes: Hashes
    tree: Tree

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self.portfolios)

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return self.tree.root

    def proof(self, account: int) -> list[bytes]:
        """The siblings of an account's leaf. Error: `LeafOutOfRange(index, count)`."""
        return self.tree.proof(account)

    def leaf(self, account: int) -> Leaf:
        """One account's leaf."""
        return leaves_of(self.portfolio_hashes, self.margins, account, account + 1)[0]

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every leaf, as the specification's: for venues small enough to publish them one by one."""
        return leaves_of(self.portfolio_hashes, self.margins, 0, len(self))

    def margin(self, account: int, table: ValueTable | None = None) -> Margin:
        """One account's figures with every loss behind them, by the specification over the engine's values.

        For many accounts give the same `table()` each time.
        """
        known = self.values.instruments
        positions = self.portfolios.positions(account)
        rows = known.rows(np.array([p.instrument for p in positions], np.uint32))
        held = [(known.instruments[row], p.quantity) for row, p in zip(rows.tolist(), positions, strict=True)]
        return margin(held, table or self.table())

    def table(self) -> ValueTable:
        """The values as a table of instruments."""
        return ValueTable.of(self.values)


def leaves_of(hashes: Hashes, margins: Margins, start: int, stop: int) -> tuple[Leaf, ...]:
    """The specification's leaves of accounts start .. stop."""
    figures = [money_values(np.ascontiguousarray(margins.money[start:stop, i])) for i in range(4)]
    return tuple(
        Leaf(
            account,
            hashes[account].tobytes(),
            figures[0][account - start],
            figures[1][account - start],
            figures[2][account - start],
            figures[3][account - start],
            margins.worst[account, : margins.worst_lengths[account]].tobytes(),
        )
        for account in range(start, stop)
    )


def leaf_columns(accounts: NDArray[np.uint64], hashes: Hashes, margins: Margins) -> LeafColumns:
    """The columns of leaves of the accounts with these ids."""
    value, spot_value, initial, maintenance = (margins.column(i) for i in range(4))
    return LeafColumns(
        accounts, hashes, value, spot_value, initial, maintenance, margins.worst, margins.worst_lengths
    )


def account_ids(count: int, first: int = 0) -> NDArray[np.uint64]:
    """`count` ids from `first` on."""
    return np.arange(first, first + count, dtype=np.uint64)


def compute(portfolios: Portfolios, values: Values, threads: int = 1) -> Epoch:
    """Margin every account, hash every leaf, build the tree. `portfolios[i]` is account i's.

    Errors: the specification's, when a portfolio holds what registry, market or model does not know; nothing is returned in part.
    `threads` and the order of work change no bit.
    """
    rows = resolve(portfolios, values.instruments, threads)
    hashes = portfolio_hashes(portfolios.offsets, portfolios.ids, portfolios.quantities, threads)
    margins = net(portfolios, values, threads, rows)
    leaves = leaf_hashes(leaf_columns(account_ids(len(margins)), hashes, margins), threads)
    return Epoch(portfolios, values, rows, hashes, margins, leaves, Tree(leaves, threads))


def compute_epoch(
    portfolios: Sequence[Sequence[Position]], table: InstrumentTable, market: MarketSnapshot, model: Model
) -> Epoch:
    """`compute` from the specification's types. Errors: as there."""
    instruments = columns_of_ids(table, (p.instrument for book in portfolios for p in book))
    return compute(portfolio_columns(portfolios), value(instruments, market, model))


def advance(previous: Epoch, portfolios: Portfolios, values: Values, threads: int = 1) -> Epoch:
    """The next epoch: equal to `compute`, with everything kept that cannot have changed.

    Portfolio hashes are kept for accounts whose positions are the same, which is looked up, not believed. When market, model and
    instruments are the same as before (the same `Values`), so are the figures of those accounts, and the tree is only mended; accounts
    may be added at the end. Errors: as `compute`.
    """
    kept = min(len(previous), len(portfolios))
    changed = np.ones(len(portfolios), np.bool_)
    old, new = previous.portfolios, portfolios
    rows = resolve(portfolios, values.instruments, threads)
    find_changes(old.offsets, old.ids, old.quantities, new.offsets, new.ids, new.quantities, changed, kept)
    moved = np.flatnonzero(changed)
    part = gather(portfolios, moved)
    part_hashes = portfolio_hashes(part.offsets, part.ids, part.quantities, threads)
    hashes = np.empty((len(portfolios), 32), np.uint8)
    hashes[:kept] = previous.portfolio_hashes[:kept]
    hashes[moved] = part_hashes
    if values is not previous.values or len(portfolios) != len(previous):
        margins = net(portfolios, values, threads, rows)
        leaves = leaf_hashes(leaf_columns(account_ids(len(margins)), hashes, margins), threads)
        return Epoch(portfolios, values, rows, hashes, margins, leaves, Tree(leaves, threads))
    fresh = net(part, values, threads)
    margins = Margins(
        previous.margins.money.copy(), previous.margins.worst.copy(), previous.margins.worst_lengths.copy()
    )
    margins.money[moved], margins.worst[moved] = fresh.money, fresh.worst
    margins.worst_lengths[moved] = fresh.worst_lengths
    fresh_leaves = leaf_hashes(leaf_columns(moved.astype(np.uint64), part_hashes, fresh), threads)
    leaves = previous.leaf_hashes.copy()
    leaves[moved] = fresh_leaves
    tree = previous.tree.copy()
    tree.update(moved, fresh_leaves, threads)
    return Epoch(portfolios, values, rows, hashes, margins, leaves, tree)


def gather(portfolios: Portfolios, accounts: NDArray[np.int64]) -> Portfolios:
    """The portfolios of some accounts, in their order."""
    counts = np.diff(portfolios.offsets)[accounts]
    offsets = np.zeros(len(accounts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    places = np.repeat(portfolios.offsets[accounts] - offsets[:-1], counts) + np.arange(offsets[-1])
    return Portfolios(offsets, portfolios.ids[places], portfolios.quantities[places])


def recommit(epoch: Epoch, leaves: Sequence[Leaf], threads: int = 1) -> Epoch:
    """The same accounts committed to other leaves, in order of account: what a dishonest computation would post."""
    money = np.stack(
        [
            money_column([leaf.portfolio_value for leaf in leaves]),
            money_column([leaf.spot_value for leaf in leaves]),
            money_column([leaf.initial_margin for leaf in leaves]),
            money_column([leaf.maintenance_margin for leaf in leaves]),
        ],
        axis=1,
    )
    hashes = np.frombuffer(b"".join(leaf.portfolio_hash for leaf in leaves), np.uint8).reshape(-1, 32)
    worst = np.zeros((len(leaves), WORST_BYTES), np.uint8)
    for row, leaf in zip(worst, leaves, strict=True):
        row[: len(leaf.worst_scenarios)] = list(leaf.worst_scenarios)
    lengths = np.array([len(leaf.worst_scenarios) for leaf in leaves], np.uint8)
    margins = Margins(money, worst, lengths)
    hashed = leaf_hashes(leaf_columns(account_ids(len(leaves)), hashes, margins), threads)
    return replace(
        epoch, portfolio_hashes=hashes, margins=margins, leaf_hashes=hashed, tree=Tree(hashed, threads)
    )
