"""Epochs of any size to divide: one market, one model, accounts drawn by seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from marginproof.documents import market_symbols, market_to_spec, model_to_spec
from marginproof.engine import Portfolios, columns_of, value
from marginproof.engine.epoch import Epoch, compute
from marginproof.engine.executors import Executor, compute_with
from marginproof.engine.instruments import InstrumentColumns
from marginproof.engine.netting import Margins
from marginproof.engine.partition import MergedEpoch
from marginproof.market.crash import load_crash
from marginproof.models import load_preset
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an epoch is computed from."""

    portfolios: Portfolios
    instruments: InstrumentColumns
    market: MarketSnapshot
    model: Model

    def whole(self) -> Epoch:
        """The epoch at once, in one thread."""
        return compute(self.portfolios, value(self.instruments, self.market, self.model))

    def by(self, executor: Executor, parts: int) -> MergedEpoch:
        """The epoch in parts."""
        return compute_with(executor, self.portfolios, self.instruments, self.market, self.model, parts)


@cache
def venue() -> tuple[InstrumentColumns, MarketSnapshot, Model]:
    """Spot, perpetuals, futures and options around the money of every expiry of a shipped snapshot."""
    document = load_crash()[3]
    symbols = market_symbols(document)
    market = market_to_spec(document, symbols)
    listed = []
    for section in market.underlyings:
        listed += [Instrument(section.underlying, kind) for kind in (Kind.SPOT, Kind.PERPETUAL)]
        for quote in section.expiries:
            listed.append(Instrument(section.underlying, Kind.FUTURE, quote.expiry))
            for tenth in range(7, 14):
                strike = quote.forward_e8 * tenth // 10
                listed += [
                    Instrument(section.underlying, kind, quote.expiry, strike)
                    for kind in (Kind.CALL, Kind.PUT)
                ]
    return columns_of(listed), market, model_to_spec(load_preset("options-33"), symbols)


@cache
def drawn(count: int, seed: int = 1, most: int = 6) -> Inputs:
    """So many accounts of 0 to `most` positions."""
    instruments, market, model = venue()
    random = np.random.default_rng(seed)
    held = (
        random.random((count, len(instruments))).argsort(axis=1)[:, :most] if count else np.zeros((0, most))
    )
    sizes = random.integers(0, most + 1, count)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    rows = [np.sort(row[:size]) for row, size in zip(held.astype(np.int64), sizes, strict=True)]
    ids = instruments.ids[np.concatenate(rows) if rows else np.zeros(0, np.int64)]
    quantities = random.integers(1, 10**10, len(ids)) * random.choice((-1, 1), len(ids))
    return Inputs(Portfolios(offsets, ids, quantities.astype(np.int64)), instruments, market, model)


def figures(epoch: Epoch | MergedEpoch) -> tuple[bytes, bytes, bytes, bytes]:
    """Everything of an epoch that could differ, as bytes: hashes and margins."""
    margins: Margins = epoch.margins
    columns = (epoch.portfolio_hashes, margins.money, margins.worst, margins.worst_lengths)
    hashes, money, worst, lengths = (np.ascontiguousarray(column).tobytes() for column in columns)
    return hashes, money, worst, lengths
