"""A book under a model, by the compiled engine: every account's figures, and what a risk manager reads off them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from marginproof.documents import MarketDocument, ModelDocument, format_expiry, market_symbols, market_to_spec
from marginproof.documents.model_convert import model_to_spec
from marginproof.engine import columns_of, net, portfolio_columns, value
from marginproof.engine.columns import money_values
from marginproof.market.books import Book
from marginproof.market.fit import smile_vol
from marginproof.spec.instruments import Instrument
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model, ModelSection
from marginproof.spec.portfolio import Position
from marginproof.spec.units import ONE_WAD

FALLS, RISES, VOL, SKEW, CHARGE = "spot falls", "spot rises", "vol alone", "skew", "charge"
DECIDERS: Final = (FALLS, RISES, VOL, SKEW, CHARGE)
"""What an underlying's worst index can be: a scenario with spot lower, higher or unchanged, a skew, or a charge."""

_MONTH: Final = 30 * 86_400

Holdings = list[tuple[Instrument, int]]
"""Instruments of the specification with quantities, E8."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account's figures: E8; `gross_e8` is the sum of |quantity| x spot over everything held; `worst` is an index by underlying."""

    value_e8: int
    spot_value_e8: int
    initial_e8: int
    maintenance_e8: int
    gross_e8: int
    worst: dict[int, int]


@dataclass(frozen=True, slots=True)
class BookFacts:
    """A book and its market in a few numbers: prices and gross notional in USD, `vols` of the expiry nearest to 30 days at the money
    (1 = 100 %), named in `vol_expiries`."""

    time: int
    accounts: int
    positions: int
    instruments: int
    gross_usd: float
    spots: dict[str, float]
    vols: dict[str, float]
    vol_expiries: dict[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """A book under a preset: sums in USD, shares of gross notional (1 = 100 %), and how many underlyings of accounts each kind of
    index decides."""

    time: int
    preset: str
    initial_usd: float
    maintenance_usd: float
    initial_share: float
    median_initial_share: float
    decided_by: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return asdict(self)


def holdings(book: Book) -> list[Holdings]:
    """Every account's positions for the specification; underlyings are numbered as `market_symbols` does."""
    symbols = market_symbols(book.market)
    return [
        [(name.instrument(symbols), quantity) for name, quantity in account.positions]
        for account in book.accounts
    ]


def spec_inputs(market: MarketDocument, model: ModelDocument) -> tuple[MarketSnapshot, Model]:
    """Market and model of the specification."""
    symbols = market_symbols(market)
    return market_to_spec(market, symbols), model_to_spec(model, symbols)


def margin_accounts(held: Sequence[Holdings], market: MarketSnapshot, model: Model) -> list[Account]:
    """Every account's figures, by the compiled engine."""
    instruments = columns_of(instrument for book in held for instrument, _ in book)
    numbers = dict(zip(instruments.instruments, instruments.ids.tolist(), strict=True))
    portfolios = portfolio_columns(
        sorted(Position(numbers[instrument], quantity) for instrument, quantity in book) for book in held
    )
    margins = net(portfolios, value(instruments, market, model))
    spots = {section.underlying: section.spot_e8 for section in market.underlyings}
    gross = (sum(abs(quantity) * spots[i.underlying] for i, quantity in book) // 10**8 for book in held)
    pairs = (bytes(row[:length]) for row, length in zip(margins.worst, margins.worst_lengths, strict=True))
    worst = (dict(zip(row[::2], row[1::2], strict=True)) for row in pairs)
    money = (money_values(margins.column(figure)) for figure in range(4))
    return [Account(*row) for row in zip(*money, gross, worst, strict=True)]


def figures(preset: str, time: int, accounts: Sequence[Account], model: Model) -> Figures:
    """What the accounts come to."""
    initial = sum(account.initial_e8 for account in accounts)
    deciders = Counter(
        decider(model.section(underlying), index)
        for account in accounts
        for underlying, index in account.worst.items()
    )
    return Figures(
        time=time,
        preset=preset,
        initial_usd=initial / 1e8,
        maintenance_usd=sum(account.maintenance_e8 for account in accounts) / 1e8,
        initial_share=initial / sum(account.gross_e8 for account in accounts),
        median_initial_share=median(account.initial_e8 / account.gross_e8 for account in accounts),
        decided_by={name: deciders[name] for name in DECIDERS},
    )


def decider(section: ModelSection, index: int) -> str:
    """Which of DECIDERS an index is."""
    if index >= len(section.scenarios):
        return CHARGE
    scenario = section.scenarios[index]
    if scenario.kind.is_skew:
        return SKEW
    if scenario.spot_wad == ONE_WAD:
        return VOL
    return FALLS if scenario.spot_wad < ONE_WAD else RISES


def facts(book: Book) -> BookFacts:
    """The book and its market in a few numbers."""
    spots = {entry.symbol: entry.spot_e8 / 1e8 for entry in book.market.underlyings}
    positions = [position for account in book.accounts for position in account.positions]
    vols, expiries = {}, {}
    for entry in book.market.underlyings:
        nearest = min(entry.expiries, key=lambda item: abs(item.expiry - book.market.time - _MONTH))
        forward = nearest.forward_e8 / 1e8
        vols[entry.symbol] = smile_vol(nearest.svi, forward, forward, nearest.expiry - book.market.time)
        expiries[entry.symbol] = format_expiry(nearest.expiry)
    return BookFacts(
        time=book.market.time,
        accounts=len(book.accounts),
        positions=len(positions),
        instruments=len(book.instruments),
        gross_usd=math.fsum(abs(quantity) / 1e8 * spots[name.symbol] for name, quantity in positions),
        spots=spots,
        vols=vols,
        vol_expiries=expiries,
    )
