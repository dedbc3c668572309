"""Benchmark books: made-up accounts whose options are drawn by the open interest of real chains.

A book is for measuring margin and speed on positions like those people hold; nobody's portfolio is in it. For given chains, count and
seed it is the same everywhere: numpy's PCG64, every size rounded to a lot before it counts.

How an account is drawn: one or two underlyings, by the value of their open interest; 1 to 20 different options on them, by
open interest; with the odds below, perpetuals, a dated future and spot collateral; sizes log-normal in value. How sides are drawn:
the holders of an instrument are put in random order and paired, one long and one short of the same size, so every instrument nets to
zero but for the last of an odd number of holders. Spot collateral is always long, and cash is a log-normal share of the value held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..documents.instrument_names import InstrumentName
from ..documents.market_document import MarketDocument
from ..errors import InputError
from ..spec.instruments import Kind
from ..spec.limits import MAX_QUANTITY
from .importing import Chain, ImportReport, fit_chain, load_chain
from .perpetuals import PerpetualPrices

MAX_ACCOUNTS: Final = 10_000_000
MAX_SEED: Final = 2**64 - 1
MAX_OPTIONS: Final = 20
"""Most options of one account."""
LOT_E8: Final = 10**6
"""Quantities are multiples of a hundredth of a unit of the underlying."""

_E8: Final = 10**8
_CENT_E8: Final = 10**6
_BOTH_UNDERLYINGS: Final = 0.35
_PERPETUAL: Final = 0.4
_FUTURE: Final = 0.2
_COLLATERAL: Final = 0.3
"""Odds per account of two underlyings, and per underlying of the account of the rest."""
_MORE_OPTIONS: Final = 0.18
"""Chance that an option is an account's last: a geometric number of them, cut at MAX_OPTIONS."""
_MEDIAN_USD: Final = 40_000.0
_SIZE_SPREAD: Final = 1.3
"""Value of a position at spot: median, and standard deviation of its logarithm."""
_CASH_SHARE: Final = 0.25
_CASH_SPREAD: Final = 0.8
"""Cash as a share of the value of an account's derivatives at spot: median, and standard deviation of its logarithm."""

_TYPES: Final = {"C": Kind.CALL, "P": Kind.PUT}

Position = tuple[InstrumentName, int]
"""An instrument and a quantity, E8, not 0; positive is long."""


@dataclass(frozen=True, slots=True)
class BookAccount:
    """Cash in E8, and positions in the order of their instruments."""

    cash_e8: int
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """A benchmark book and the market it was drawn from.

    `instruments` are those held, in order. `open_interest_e8` is the weight that each option of the fitted chain was drawn with.
    """

    seed: int
    market: MarketDocument
    accounts: tuple[BookAccount, ...]
    instruments: tuple[InstrumentName, ...]
    open_interest_e8: dict[InstrumentName, int]


@dataclass(frozen=True, slots=True)
class _Listing:
    """What can be held on one underlying, with the probability of each option and expiry."""

    symbol: str
    spot: float
    options: tuple[InstrumentName, ...]
    weights: NDArray[np.float64]
    value: float


def book_from_files(
    paths: Sequence[Path], accounts: int, seed: int, perpetuals: PerpetualPrices | None = None
) -> tuple[Book, ImportReport]:
    """Draw a book from chain files of one moment, and import their market as `market import` does; the report is the import's.

    `perpetuals` are prices by time; the market takes those of its own time, and the spot price where there is none.

    Errors: InputError as of `load_chain`, `fit_chain` and `draw_book`.
    """
    chain = load_chain(paths)
    market, report = fit_chain(chain, perpetual_e8=(perpetuals or {}).get(chain.time))
    return draw_book(chain, market, accounts, seed), report


def draw_book(chain: Chain, market: MarketDocument, accounts: int, seed: int) -> Book:
    """Draw a book of `accounts` accounts from a chain's open interest and the market fitted to it.

    Options on expiries that the market lacks cannot be drawn. Ranges: 1 to MAX_ACCOUNTS accounts, seed 0 to MAX_SEED.
    Errors: InputError for what is out of range, and for an underlying of the market without any open interest.
    """
    if not 1 <= accounts <= MAX_ACCOUNTS:
        raise InputError(f"accounts: {accounts} is out of range; allowed: 1 to {MAX_ACCOUNTS}")
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed: {seed} is out of range; allowed: 0 to {MAX_SEED}")
    interest = open_interest(chain, market)
    listings = _listings(market, interest)
    random = np.random.Generator(np.random.PCG64(seed))
    by_value = np.array([listing.value for listing in listings])
    by_value /= by_value.sum()
    holders: dict[InstrumentName, list[int]] = defaultdict(list)
    for account in range(accounts):
        for instrument in _instruments_of_one(random, listings, by_value):
            holders[instrument].append(account)
    spots = {listing.symbol: listing.spot for listing in listings}
    portfolios: list[list[Position]] = [[] for _ in range(accounts)]
    for instrument in sorted(holders):
        for account, quantity_e8 in _sides(random, instrument, holders[instrument], spots[instrument.symbol]):
            portfolios[account].append((instrument, quantity_e8))
    return Book(
        seed=seed,
        market=market,
        accounts=tuple(
            BookAccount(_cash_e8(random, positions, spots), tuple(positions)) for positions in portfolios
        ),
        instruments=tuple(sorted(holders)),
        open_interest_e8=interest,
    )


def open_interest(chain: Chain, market: MarketDocument) -> dict[InstrumentName, int]:
    """Open interest of every option on the market's expiries, E8 of the underlying, rounded down; blank cells count as 0."""
    live = {(entry.symbol, item.expiry) for entry in market.underlyings for item in entry.expiries}
    found = {
        InstrumentName(row.underlying, _TYPES[row.option_type], row.expiry, int(row.strike * _E8)): int(
            (row.open_interest or Decimal(0)) * _E8
        )
        for row in chain.rows
        if (row.underlying, row.expiry) in live
    }
    return dict(sorted(found.items()))


def _listings(market: MarketDocument, interest: dict[InstrumentName, int]) -> list[_Listing]:
    listings = []
    for entry in market.underlyings:
        held = [(name, weight) for name, weight in interest.items() if name.symbol == entry.symbol and weight]
        if not held:
            raise InputError(
                f"{entry.symbol}: no option on a fitted expiry has open interest; a book is drawn by open_interest, which "
                f"has to be above 0 for some"
            )
        weights = np.array([weight for _, weight in held], dtype=np.float64)
        spot = entry.spot_e8 / _E8
        listings.append(
            _Listing(
                entry.symbol,
                spot,
                tuple(name for name, _ in held),
                weights / weights.sum(),
                float(weights.sum()) / _E8 * spot,
            )
        )
    return listings


def _instruments_of_one(
    random: np.random.Generator, listings: list[_Listing], by_value: NDArray[np.float64]
) -> list[InstrumentName]:
    """The instruments of one account, each once."""
    several = len(listings) > 1 and random.random() < _BOTH_UNDERLYINGS
    chosen = [listings[i] for i in random.choice(len(listings), 1 + several, replace=False, p=by_value)]
    count = min(int(random.geometric(_MORE_OPTIONS)), MAX_OPTIONS)
    shares = [count - count // 2, count // 2] if several else [count]
    found: list[InstrumentName] = []
    for listing, share in zip(chosen, shares, strict=True):
        take = min(share, len(listing.options))
        options = random.choice(len(listing.options), take, replace=False, p=listing.weights)
        found += [listing.options[i] for i in options]
        if random.random() < _PERPETUAL:
            found.append(InstrumentName(listing.symbol, Kind.PERPETUAL))
        if random.random() < _FUTURE:
            beside = listing.options[random.choice(len(listing.options), p=listing.weights)]
            found.append(InstrumentName(listing.symbol, Kind.FUTURE, beside.expiry))
        if random.random() < _COLLATERAL:
            found.append(InstrumentName(listing.symbol, Kind.SPOT))
    return found


def _sides(
    random: np.random.Generator, instrument: InstrumentName, accounts: list[int], spot: float
) -> list[tuple[int, int]]:
    """Account and quantity of each holder of one instrument."""
    order = [accounts[i] for i in random.permutation(len(accounts))]
    if instrument.kind == Kind.SPOT:
        return [(account, _size_e8(random, spot)) for account in order]
    found = []
    for first in range(0, len(order), 2):
        size_e8 = _size_e8(random, spot)
        sign = 1 if random.random() < 0.5 else -1
        found += [
            (account, side * size_e8)
            for account, side in zip(order[first : first + 2], (sign, -sign), strict=False)
        ]
    return found


def _size_e8(random: np.random.Generator, spot: float) -> int:
    """A log-normal value at spot as a quantity in whole lots, at least one."""
    units = _MEDIAN_USD * float(np.exp(_SIZE_SPREAD * random.standard_normal())) / spot
    return min(max(round(units * _E8 / LOT_E8), 1) * LOT_E8, MAX_QUANTITY // LOT_E8 * LOT_E8)


def _cash_e8(random: np.random.Generator, positions: list[Position], spots: dict[str, float]) -> int:
    """Cash in whole cents: a log-normal share of the derivatives' value at spot."""
    held = sum(abs(quantity) * spots[name.symbol] for name, quantity in positions if name.kind != Kind.SPOT)
    share = _CASH_SHARE * float(np.exp(_CASH_SPREAD * random.standard_normal()))
    return round(held * share / _CENT_E8) * _CENT_E8
