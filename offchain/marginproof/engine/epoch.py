"""A whole epoch: every account's margin, its leaf, and the tree over all leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.engine.values import ValueTable
from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.margin import Margin, margin
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model
from marginproof.spec.portfolio import Position, portfolio_hash
from marginproof.spec.tree import proof, tree_levels
from marginproof.spec.typed_data import Leaf, leaf_of


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What an epoch commits to: margins and leaves by account id, and all levels of the tree, leaf hashes first."""

    margins: tuple[Margin, ...]
    leaves: tuple[Leaf, ...]
    levels: tuple[tuple[bytes, ...], ...]

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return self.levels[-1][0]

    def proof(self, account: int) -> list[bytes]:
        """The siblings of an account's leaf. Error: `LeafOutOfRange(index, count)`."""
        return proof(self.levels, account)


def commit(margins: Sequence[Margin], leaves: Sequence[Leaf]) -> EpochResult:
    """Build the tree over leaves given in order of account id."""
    levels = tree_levels([leaf.struct_hash() for leaf in leaves])
    return EpochResult(tuple(margins), tuple(leaves), tuple(tuple(level) for level in levels))


def compute_epoch(
    portfolios: Sequence[Sequence[Position]], table: InstrumentTable, market: MarketSnapshot, model: Model
) -> EpochResult:
    """Margin every account and commit. `portfolios[i]` is account i's.

    Errors: the specification's, when a portfolio holds what the registry, the market or the model does not know.
    """
    values = ValueTable(market, model)
    margins = [
        margin([(table.resolve(instrument), quantity) for instrument, quantity in positions], model, values)
        for positions in portfolios
    ]
    leaves = [
        leaf_of(account, portfolio_hash(positions), figures)
        for account, (positions, figures) in enumerate(zip(portfolios, margins, strict=True))
    ]
    return commit(margins, leaves)
