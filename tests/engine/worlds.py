"""A small world for the engine's tests: two underlyings, every kind of instrument, a model with everything in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from marginproof.documents import model_to_spec
from marginproof.engine.instruments import InstrumentColumns, columns_of
from marginproof.engine.netting import Portfolios, portfolio_columns
from marginproof.models import load_model
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model
from marginproof.spec.portfolio import Position
from marginproof.spec.svi import Svi
from marginproof.spec.units import ONE_WAD

TIME = 1_770_000_000
EXPIRIES = (TIME + 900, TIME + 86_400, TIME + 2_592_000, TIME + 20_000_000)
SETTLED = TIME - 86_400
SPOTS = {1: 7_000_000_000_000, 2: 200_000_000_000}


def world_model() -> Model:
    """options-33 for both, the second with the two charges that it has not."""
    section = model_to_spec(load_model("options-33"), {"BTC": 1}).sections[0]
    second = replace(
        section, underlying=2, delta_net=ONE_WAD // 50, short_minimum=10**8, future_maintenance=ONE_WAD // 100
    )
    return Model((replace(section, underlying=1), second))


def world_market(move_wad: int = ONE_WAD) -> MarketSnapshot:
    """Both underlyings at their spots times a multiple."""
    return MarketSnapshot(
        TIME, 10**8, tuple(_underlying(key, spot * move_wad // ONE_WAD) for key, spot in SPOTS.items())
    )


def _underlying(key: int, spot: int) -> UnderlyingMarket:
    smile = Svi(ONE_WAD // 1000, ONE_WAD // 50, -ONE_WAD // 4, 0, ONE_WAD // 10)
    quotes = tuple(
        ExpiryMarket(expiry, spot + spot // 200, ONE_WAD // 20, smile, ONE_WAD // 2 if i == 2 else ONE_WAD)
        for i, expiry in enumerate(EXPIRIES)
    )
    return UnderlyingMarket(
        key, spot, spot + spot // 5000, ONE_WAD, -(10**8), (Settlement(SETTLED, spot),), quotes
    )


def world_instruments() -> InstrumentColumns:
    """Spot, perpetual, and for every expiry (one of them settled) a future and calls and puts."""
    made: list[Instrument] = []
    for key, spot in SPOTS.items():
        made += [Instrument(key, Kind.SPOT), Instrument(key, Kind.PERPETUAL)]
        for expiry in (SETTLED, *EXPIRIES):
            made.append(Instrument(key, Kind.FUTURE, expiry))
            for percent in (50, 80, 95, 100, 105, 120, 200):
                strike = spot // 100 * percent
                made += [
                    Instrument(key, Kind.CALL, expiry, strike),
                    Instrument(key, Kind.PUT, expiry, strike),
                ]
    return columns_of(made)


def world_portfolios(instruments: InstrumentColumns, accounts: int, seed: int = 1) -> Portfolios:
    """Random books of 0 to 20 positions."""
    generator = np.random.default_rng(seed)
    books = []
    for _ in range(accounts):
        size = int(generator.integers(0, 21))
        rows = np.sort(generator.choice(len(instruments), size, replace=False))
        quantities = generator.integers(1, 10**10, size) * generator.choice([-1, 1], size)
        pairs = zip(instruments.ids[rows].tolist(), quantities.tolist(), strict=True)
        books.append([Position(*pair) for pair in pairs])
    return portfolio_columns(books)
