"""The venue that is measured: two underlyings under the full options-33 preset, and books drawn at random from a fixed seed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from marginproof.documents import model_to_spec
from marginproof.engine import Portfolios, columns_of
from marginproof.engine.instruments import InstrumentColumns
from marginproof.models import load_model
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import Model, Scenario, VolKind
from marginproof.spec.svi import Svi
from marginproof.spec.units import ONE_WAD

ONE_E8 = 10**8
DAY = 86_400
YEAR = 365 * DAY
TIME = 1_750_000_000
SYMBOLS = {"BTC": 1, "ETH": 2}
SPOTS_E8 = {1: 90_000 * ONE_E8, 2: 3_000 * ONE_E8}
DAYS = (0.5, 1, 2, 4, 7, 14, 30, 60, 90, 180)
STRIKES = 50
SEED = 20_260_115
_BLOCK = 1 << 16


@cache
def options_33() -> Model:
    """The preset, whole, for both underlyings."""
    return model_to_spec(load_model("options-33"), SYMBOLS)


def with_scenarios(count: int) -> Model:
    """options-33 with `count` scenarios in place of its 33: two skews, and moves of spot and vol spread over the same range."""
    kinds = (VolKind.UP, VolKind.NONE, VolKind.DOWN)
    spots = -(-(count - 2) // len(kinds))
    reach = 18 * ONE_WAD // 100
    grid = [ONE_WAD + (spots - 1 - 2 * i) * reach // max(1, spots - 1) for i in range(spots)]
    moves = list(itertools.islice(itertools.product(grid, kinds), count - 2))
    scenarios = [Scenario(spot, kind, ONE_WAD) for spot, kind in moves]
    scenarios += [Scenario(ONE_WAD, kind, ONE_WAD) for kind in (VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW)]
    return Model(tuple(replace(s, scenarios=tuple(scenarios)) for s in options_33().sections))


@cache
def market(spot_bps: int = 0) -> MarketSnapshot:
    """A snapshot with ten live expiries for each underlying, from half a day to half a year; all prices moved by `spot_bps`."""
    sections = []
    for underlying, listed in SPOTS_E8.items():
        spot = listed * (10_000 + spot_bps) // 10_000
        expiries = []
        for days in DAYS:
            after = int(days * DAY)
            smile = Svi(
                ONE_WAD * 36 // 100 * after // YEAR // 4, ONE_WAD // 50, -ONE_WAD // 4, 0, ONE_WAD // 10
            )
            forward = spot + spot * 5 * after // (100 * YEAR)
            expiries.append(ExpiryMarket(TIME + after, forward, ONE_WAD // 25, smile))
        sections.append(UnderlyingMarket(underlying, spot, spot, ONE_WAD, 0, (), tuple(expiries)))
    return MarketSnapshot(TIME, ONE_E8, tuple(sections))


def _options(underlying: int, days: float) -> list[Instrument]:
    step = SPOTS_E8[underlying] // 40
    strikes = [SPOTS_E8[underlying] // 2 + i * step for i in range(STRIKES)]
    expiry = TIME + int(days * DAY)
    return [Instrument(underlying, kind, expiry, k) for k in strikes for kind in (Kind.CALL, Kind.PUT)]


@cache
def option_columns(count: int) -> InstrumentColumns:
    """The first `count` of 2,000 options: two underlyings, ten expiries, fifty strikes, calls and puts."""
    listed = [option for u in SPOTS_E8 for days in DAYS for option in _options(u, days)]
    return columns_of(listed[:count])


@cache
def venue_columns(count: int) -> InstrumentColumns:
    """`count` instruments, at most 2,024: spot, perpetuals and futures, 24 together, then options."""
    linear = [Instrument(u, kind) for u in SPOTS_E8 for kind in (Kind.SPOT, Kind.PERPETUAL)]
    linear += [Instrument(u, Kind.FUTURE, TIME + int(days * DAY)) for u in SPOTS_E8 for days in DAYS]
    return columns_of((*linear, *option_columns(count - len(linear)).instruments))


@dataclass(frozen=True, slots=True)
class Book:
    """Portfolios, and the row of each position as (accounts, positions)."""

    portfolios: Portfolios
    rows: NDArray[np.int64]


def spread_book(columns: InstrumentColumns, accounts: int, positions: int) -> Book:
    """Every account holds `positions` instruments drawn from all of them: nearly every position is alone in its expiry or nearly so."""
    return _book(columns, accounts, positions, two_expiries=False)


def close_book(columns: InstrumentColumns, accounts: int, positions: int) -> Book:
    """Every account holds instruments of two expiries of one underlying: every expiry nets several positions against each other."""
    return _book(columns, accounts, positions, two_expiries=True)


def _book(columns: InstrumentColumns, accounts: int, positions: int, *, two_expiries: bool) -> Book:
    random = np.random.Generator(np.random.PCG64(SEED))
    rows = np.empty((accounts, positions), np.int64)
    quantities = np.empty((accounts, positions), np.int64)
    for start in range(0, accounts, _BLOCK):
        part = slice(start, min(start + _BLOCK, accounts))
        shape = (part.stop - start, positions)
        rows[part] = (
            _two_expiries(random, columns, shape) if two_expiries else _spread(random, columns, shape)
        )
        sizes = (random.lognormal(0.0, 1.0, shape) * ONE_E8).astype(np.int64) + 1
        quantities[part] = sizes * random.choice(np.array([-1, 1]), shape)
    offsets = np.arange(accounts + 1, dtype=np.int64) * positions
    return Book(Portfolios(offsets, columns.ids[rows.ravel()], quantities.ravel()), rows)


def _distinct(random: np.random.Generator, among: int, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Rows of strictly increasing numbers below `among`."""
    drawn: NDArray[np.int64] = np.sort(random.integers(0, among - shape[1] + 1, shape), axis=1)
    return drawn + np.arange(shape[1])


def _spread(
    random: np.random.Generator, columns: InstrumentColumns, shape: tuple[int, int]
) -> NDArray[np.int64]:
    return _distinct(random, len(columns), shape)


def _two_expiries(
    random: np.random.Generator, columns: InstrumentColumns, shape: tuple[int, int]
) -> NDArray[np.int64]:
    keys = columns.underlying.astype(np.int64) << 40 | columns.expiry
    keys[columns.expiry == 0] = -1
    found, starts, sizes = np.unique(keys, return_index=True, return_counts=True)
    starts, sizes = starts[found >= 0], sizes[found >= 0]
    half = len(starts) // 2
    chosen = _distinct(random, half, (shape[0], 2)) + half * random.integers(0, 2, (shape[0], 1))
    near = shape[1] // 2
    least = int(sizes.min())
    return np.concatenate(
        [
            starts[chosen[:, :1]] + _distinct(random, least, (shape[0], near)),
            starts[chosen[:, 1:]] + _distinct(random, least, (shape[0], shape[1] - near)),
        ],
        axis=1,
    )
