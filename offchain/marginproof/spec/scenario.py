"""What one scenario does to the forward and to volatility, and what an instrument is worth in it.

Scenario `None` is the market as it stands. Preparation is split as the contracts and the engine split it: once per expiry
(`prepare_expiry`), once per expiry and scenario (`prepare_shock`), then per cell (`dated_value`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .black76 import MAX_TOTAL_VOL, option_value
from .errors import SpecError
from .fixed_point import floor_div, mul_shift, square_root, wad_to_q64
from .instruments import Instrument, Kind
from .logarithm import logarithm, power
from .market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from .model import ModelSection, Scenario, VolKind
from .svi import SviQ64, prepare_smile, total_vol
from .units import E8, ONE_Q64, ONE_WAD, Q58, Q64, SECONDS_PER_DAY, SECONDS_PER_YEAR

THIRTY_DAYS: Final = 30 * SECONDS_PER_DAY
LOG_THIRTY_DAYS: Final = logarithm(THIRTY_DAYS)


@dataclass(frozen=True, slots=True)
class Expiry:
    """An expiry prepared for pricing: seconds to expiry, forward (E8) and its logarithm (Q64), smile (Q64)."""

    seconds: int
    forward: int
    log_forward: int
    smile: SviQ64


@dataclass(frozen=True, slots=True)
class Shock:
    """A scenario at one expiry: shocked forward (E8), its logarithm (Q64), then vol' = max(floor, vol * multiplier), Q58."""

    forward: int
    log_forward: int
    vol_multiplier: int
    vol_floor: int


def shocked_price(price_e8: int, spot_wad: int) -> E8:
    """floor(price * multiple / 1e18), E8: the spot and, at rate zero and outside an averaging window, the forward in a scenario."""
    return E8(floor_div(price_e8 * spot_wad, ONE_WAD))


def prepare_expiry(quote: ExpiryMarket, time: int) -> Expiry:
    """Prepare a live expiry at snapshot time `time`."""
    return Expiry(
        quote.expiry - time, quote.forward_e8, logarithm(quote.forward_e8), prepare_smile(quote.svi)
    )


def tenor_multiplier(section: ModelSection, seconds: int) -> Q64:
    """m = (30 days / max(t, floor))^p, p = power_short for t up to 30 days, power_long beyond. Q64, rounded down.

    Source: the published "DTE" scaling of the options-33 model (see the preset's source note).
    """
    exponent = section.power_short_wad if seconds <= THIRTY_DAYS else section.power_long_wad
    ratio_logarithm = LOG_THIRTY_DAYS - logarithm(max(seconds, section.floor_seconds))
    return power(ratio_logarithm, wad_to_q64(exponent))


def square_root_of_years(seconds: int) -> Q64:
    """sqrt(seconds / 365 days), Q64, rounded down."""
    return Q64(square_root((seconds << 128) // SECONDS_PER_YEAR))


def vol_rule(section: ModelSection, kind: VolKind, seconds: int) -> tuple[Q58, Q58]:
    """(multiplier, floor) of total volatility in a scenario, both Q58 and at most 16.

    up: 1 + volUp * m, floor minVolUp * sqrt(tau); down: max(0, 1 - volDown * m), no floor; none: 1, no floor.
    Total volatility is sigma * sqrt(tau), so that shocking it or sigma is the same thing. Rounding: every product down.
    """
    if kind == VolKind.NONE:
        return Q58(1 << 58), Q58(0)
    m = tenor_multiplier(section, seconds)
    if kind == VolKind.DOWN:
        return Q58(max(0, ONE_Q64 - mul_shift(wad_to_q64(section.vol_down_wad), m, 64)) >> 6), Q58(0)
    multiplier = (ONE_Q64 + mul_shift(wad_to_q64(section.vol_up_wad), m, 64)) >> 6
    floor = mul_shift(wad_to_q64(section.min_vol_up_wad), square_root_of_years(seconds), 70)
    return Q58(min(MAX_TOTAL_VOL, multiplier)), Q58(min(MAX_TOTAL_VOL, floor))


def prepare_shock(section: ModelSection, expiry: Expiry, scenario: Scenario | None) -> Shock:
    """Prepare a scenario at an expiry; `None` leaves everything as it stands."""
    if scenario is None:
        return Shock(expiry.forward, expiry.log_forward, 1 << 58, 0)
    forward = shocked_price(expiry.forward, scenario.spot_wad)
    multiplier, floor = vol_rule(section, scenario.kind, expiry.seconds)
    return Shock(forward, logarithm(forward), multiplier, floor)


def shocked_vol(vol: int, shock: Shock) -> Q58:
    """min(16, max(floor, floor(vol * multiplier))), Q58."""
    return Q58(min(MAX_TOTAL_VOL, max(shock.vol_floor, mul_shift(vol, shock.vol_multiplier, 58))))


def dated_value(instrument: Instrument, expiry: Expiry, shock: Shock) -> E8:
    """Value of a live future or option under a shock, E8. The smile is read at the unshocked forward.

    Error against exact real arithmetic from the same integer inputs: below 1 unit of E8 from flooring the shocked forward, below 1 from
    flooring the value, and at most 0.1 from everything else (volatility, logarithms, probabilities).
    """
    if instrument.kind == Kind.FUTURE:
        return E8(shock.forward)
    log_strike = logarithm(instrument.strike_e8)
    vol = shocked_vol(total_vol(expiry.smile, expiry.log_forward, log_strike), shock)
    return option_value(
        instrument.kind == Kind.CALL, shock.forward, instrument.strike_e8, shock.log_forward, log_strike, vol
    )


def settled_value(instrument: Instrument, price_e8: int) -> E8:
    """What a dated instrument is worth for ever after settlement: its payoff at the settlement price, E8."""
    match instrument.kind:
        case Kind.CALL:
            return E8(max(0, price_e8 - instrument.strike_e8))
        case Kind.PUT:
            return E8(max(0, instrument.strike_e8 - price_e8))
        case _:
            return E8(price_e8)


def live_expiry(section: UnderlyingMarket, expiry: int) -> ExpiryMarket | None:
    """The live quote of an expiry, or None."""
    return next((quote for quote in section.expiries if quote.expiry == expiry), None)


def instrument_value(
    instrument: Instrument, market: MarketSnapshot, section: ModelSection, scenario: Scenario | None
) -> E8:
    """Value of one unit of any instrument in a scenario (or now, for `None`), floored to E8.

    spot: price * a. perpetual: price * a - cumulative funding. future: F'. option: Black-76 on F'. settled: its payoff.
    Errors: `MissingUnderlying(underlying)`, `MissingExpiry(expiry)` when the snapshot has neither a quote nor a
    settlement price for it.
    """
    quotes = market.underlying(instrument.underlying)
    if not instrument.kind.is_dated:
        price = quotes.spot_e8 if scenario is None else shocked_price(quotes.spot_e8, scenario.spot_wad)
        return E8(price - quotes.funding_e8) if instrument.kind == Kind.PERPETUAL else E8(price)
    for settlement in quotes.settlements:
        if settlement.expiry == instrument.expiry:
            return settled_value(instrument, settlement.price_e8)
    quote = live_expiry(quotes, instrument.expiry)
    if quote is None:
        raise SpecError("MissingExpiry", expiry=instrument.expiry)
    expiry = prepare_expiry(quote, market.time)
    return dated_value(instrument, expiry, prepare_shock(section, expiry, scenario))
