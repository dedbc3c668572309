"""A small desk to margin on: one underlying, a few expiries with a volatility per strike, any shipped model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marginproof.documents import model_to_spec
from marginproof.models import load_preset
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import SpecValues, UnderlyingScan, margin
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import ModelSection
from marginproof.spec.svi import Svi

NOW = 1_700_000_000
DAY = 86_400
WAD = 10**18
E8 = 10**8
_NO_SMILE = Svi(0, 0, 0, 0, 10**12)

Book = Sequence[tuple[Instrument, int]]


def preset_section(name: str) -> ModelSection:
    """The section of a shipped model."""
    return model_to_spec(load_preset(name), {"BTC": 1}).sections[0]


def future(seconds: int) -> Instrument:
    """A future that expires so many seconds from now."""
    return Instrument(1, Kind.FUTURE, NOW + seconds)


def call(seconds: int, strike_e8: int) -> Instrument:
    """A call."""
    return Instrument(1, Kind.CALL, NOW + seconds, strike_e8)


def put(seconds: int, strike_e8: int) -> Instrument:
    """A put."""
    return Instrument(1, Kind.PUT, NOW + seconds, strike_e8)


PERPETUAL = Instrument(1, Kind.PERPETUAL)


def desk_values(
    name: str, spot_e8: int, forwards: Mapping[int, int], vols: Mapping[Instrument, int] | None = None
) -> SpecValues:
    """Values under a shipped model: forwards (E8) by seconds to expiry, rate 0, volatilities (WAD) by call."""
    expiries = tuple(
        ExpiryMarket(NOW + seconds, forward, 0, _NO_SMILE) for seconds, forward in sorted(forwards.items())
    )
    section = UnderlyingMarket(1, spot_e8, spot_e8, WAD, 0, (), expiries)
    market = MarketSnapshot(NOW, E8, (section,))
    return SpecValues(market, model_to_spec(load_preset(name), {"BTC": 1}), vols)


def scan_of(book: Book, values: SpecValues) -> UnderlyingScan:
    """The scan of a book of one underlying."""
    return margin(book, values).scans[0]
