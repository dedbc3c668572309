"""What one scenario does to the forward and to volatility, and what an instrument is worth in it.

Preparation is split as the contracts and the engine split it: once per expiry (`prepare_expiry`), once per expiry and scenario
(`prepare_shock`), then per cell (`dated_value`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .black76 import MAX_TOTAL_VOL, OptionPair, option_pair
from .errors import SpecError, require_range
from .fixed_point import floor_div, mul_shift, wad_to_q64
from .instruments import Instrument, Kind
from .logarithm import logarithm
from .market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from .model import ModelSection, Scenario, VolKind
from .svi import BinarySvi, prepare_smile, total_vol
from .tenor import (
    discount_factor,
    fixed_part,
    skew_multiplier,
    skew_terms,
    square_root_of_years,
    tenor_multiplier,
)
from .units import E8, ONE_Q58, ONE_Q64, ONE_WAD, Q58

NOW = Scenario(ONE_WAD, VolKind.NONE, ONE_WAD)
"""The market as it stands: the move by 1 with volatility unchanged."""

Vols = Mapping[Instrument, int]
"""Volatilities per strike (annualised, WAD) that override the smile, by call instrument: what-if runs only, never committed."""
MAX_GIVEN_VOL: Final = 100 * ONE_WAD
"""Greatest volatility given per strike, annualised, WAD; total volatility counts up to 16."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """An expiry prepared for pricing: seconds to expiry, forward and its fixed part (E8), the forward's logarithm (Q64), smile, discount
    factor (Q58), total volatilities (Q58) of strikes (E8) that override the smile."""

    seconds: int
    forward: int
    fixed: int
    log_forward: int
    smile: BinarySvi
    discount: int
    overrides: Mapping[int, int] = field(default_factory=dict)

    def vol(self, strike_e8: int, log_strike: int) -> Q58:
        """Total volatility at a strike, from the smile at the unshocked forward unless overridden."""
        if strike_e8 in self.overrides:
            return Q58(self.overrides[strike_e8])
        return total_vol(self.smile, self.log_forward, log_strike)


@dataclass(frozen=True, slots=True)
class Shock:
    """A scenario at one expiry: shocked forward (E8) and its logarithm (Q64); vol' = max(floor, vol * multiplier + added), Q58, where a
    skew's multiplier depends on the strike through `skew`: (is absolute, cap, k*), the last two Q58."""

    forward: int
    log_forward: int
    multiplier: int
    added: int
    floor: int
    skew: tuple[bool, int, int] | None


def shocked_price(price_e8: int, spot_wad: int) -> E8:
    """floor(price * multiple / 1e18), E8: spot, perpetual, and the variable part of a forward, in a scenario."""
    return E8(floor_div(price_e8 * spot_wad, ONE_WAD))


def override_vol(vol_wad: int, seconds: int) -> Q58:
    """Total volatility of an annualised volatility given per strike: vol * sqrt(tau), Q58, down, at most 16.

    Range: 0 .. MAX_GIVEN_VOL. Error: `OutOfRange(field, value, low, high)`.
    """
    require_range("vol", vol_wad, 0, MAX_GIVEN_VOL)
    return Q58(min(MAX_TOTAL_VOL, mul_shift(wad_to_q64(vol_wad), square_root_of_years(seconds), 70)))


def prepare_expiry(
    quote: ExpiryMarket, time: int, section: ModelSection, overrides: Mapping[int, int] | None = None
) -> Expiry:
    """Prepare a live expiry at snapshot time `time`. `overrides` maps strikes (E8) to annualised volatilities (WAD)."""
    seconds = quote.expiry - time
    return Expiry(
        seconds,
        quote.forward_e8,
        fixed_part(section, quote.forward_e8, seconds),
        logarithm(quote.forward_e8),
        prepare_smile(quote.svi),
        discount_factor(quote.rate_wad, seconds),
        {strike: override_vol(vol, seconds) for strike, vol in (overrides or {}).items()},
    )


def shocked_forward(expiry: Expiry, spot_wad: int) -> E8:
    """fixed + floor(variable * multiple / 1e18), E8, where variable = forward - fixed."""
    return E8(expiry.fixed + shocked_price(expiry.forward - expiry.fixed, spot_wad))


def vol_rule(section: ModelSection, scenario: Scenario, seconds: int) -> tuple[Q58, int, Q58]:
    """(multiplier, added, floor) of total volatility in a scenario that is no skew, Q58, each at most 16 in size.

    up: 1 + volUp * m, floor minVolUp * sqrt(tau); down: max(0, 1 - volDown * m); add: amount * sqrt(tau) added; none: as it stands.
    Total volatility is sigma * sqrt(tau), so that moving it or sigma is the same thing. Rounding: every product down.
    """
    if scenario.kind == VolKind.ADD:
        added = mul_shift(wad_to_q64(scenario.amount_wad), square_root_of_years(seconds), 70)
        return ONE_Q58, max(-MAX_TOTAL_VOL, min(MAX_TOTAL_VOL, added)), Q58(0)
    if scenario.kind == VolKind.DOWN:
        fall = mul_shift(wad_to_q64(section.vol_down), tenor_multiplier(section, seconds), 64)
        return Q58(max(0, ONE_Q64 - fall) >> 6), 0, Q58(0)
    if scenario.kind == VolKind.UP:
        rise = mul_shift(wad_to_q64(section.vol_up), tenor_multiplier(section, seconds), 64)
        floor = mul_shift(wad_to_q64(section.min_vol_up), square_root_of_years(seconds), 70)
        return Q58(min(MAX_TOTAL_VOL, (ONE_Q64 + rise) >> 6)), 0, Q58(min(MAX_TOTAL_VOL, floor))
    return ONE_Q58, 0, Q58(0)


def prepare_shock(section: ModelSection, expiry: Expiry, scenario: Scenario) -> Shock:
    """Prepare a scenario at an expiry. A skew leaves the forward where it is, whatever its spot multiple says."""
    if scenario.kind.is_skew:
        is_absolute = scenario.kind == VolKind.ABSOLUTE_SKEW
        terms = skew_terms(section, expiry.seconds, is_absolute)
        return Shock(expiry.forward, expiry.log_forward, ONE_Q58, 0, 0, (is_absolute, *terms))
    forward = shocked_forward(expiry, scenario.spot_wad)
    return Shock(forward, logarithm(forward), *vol_rule(section, scenario, expiry.seconds), None)


def shocked_vol(vol: int, shock: Shock, multiplier: int) -> Q58:
    """min(16, max(floor, 0, floor(vol * multiplier) + added)), Q58."""
    return Q58(min(MAX_TOTAL_VOL, max(shock.floor, 0, mul_shift(vol, multiplier, 58) + shock.added)))


def strike_multiplier(shock: Shock, log_forward: int, log_strike: int) -> Q58:
    """The multiplier of volatility at a strike: a skew's at k = ln(strike/forward) or its absolute value (unshocked forward), Q58 down."""
    if shock.skew is None:
        return Q58(shock.multiplier)
    is_absolute, cap, k_star = shock.skew
    distance = log_strike - log_forward
    return skew_multiplier(mul_shift(abs(distance) if is_absolute else distance, 1, 6), cap, k_star)


def option_cell(strike_e8: int, expiry: Expiry, shock: Shock) -> OptionPair:
    """Call and put of a strike under a shock.

    Error against exact real arithmetic from the same integer inputs: below 1 unit of E8 from flooring the shocked forward, below 1.5 from
    rounding the value, and at most 0.3 from everything else (volatility, logarithms, probabilities, discount).
    """
    log_strike = logarithm(strike_e8)
    multiplier = strike_multiplier(shock, expiry.log_forward, log_strike)
    vol = shocked_vol(expiry.vol(strike_e8, log_strike), shock, multiplier)
    return option_pair(shock.forward, strike_e8, shock.log_forward, log_strike, vol, expiry.discount)


def dated_value(instrument: Instrument, expiry: Expiry, shock: Shock) -> E8:
    """Value of a live future (its forward, undiscounted) or option under a shock, E8."""
    if instrument.kind == Kind.FUTURE:
        return E8(shock.forward)
    pair = option_cell(instrument.strike_e8, expiry, shock)
    return pair.call if instrument.kind == Kind.CALL else pair.put


def settled_value(instrument: Instrument, price_e8: int) -> E8:
    """What a dated instrument is worth for ever after settlement: its payoff at the settlement price, E8."""
    match instrument.kind:
        case Kind.CALL:
            return E8(max(0, price_e8 - instrument.strike_e8))
        case Kind.PUT:
            return E8(max(0, instrument.strike_e8 - price_e8))
        case _:
            return E8(price_e8)


def undated_value(instrument: Instrument, quotes: UnderlyingMarket, spot_wad: int) -> E8:
    """Spot collateral: spot * a. Perpetual: its price * a - cumulative funding. E8."""
    if instrument.kind == Kind.SPOT:
        return shocked_price(quotes.spot_e8, spot_wad)
    return E8(shocked_price(quotes.perpetual_e8, spot_wad) - quotes.funding_e8)


def live_expiry(section: UnderlyingMarket, expiry: int) -> ExpiryMarket | None:
    """The live quote of an expiry, or None."""
    return next((quote for quote in section.expiries if quote.expiry == expiry), None)


def settlement_price(section: UnderlyingMarket, expiry: int) -> int | None:
    """The settlement price (E8) of an expiry, or None."""
    return next((s.price_e8 for s in section.settlements if s.expiry == expiry), None)


def require_live(section: UnderlyingMarket, expiry: int) -> ExpiryMarket:
    """The live quote of an expiry. Error: `MissingExpiry(expiry)` when the snapshot has neither a quote nor a settlement price."""
    quote = live_expiry(section, expiry)
    if quote is None:
        raise SpecError("MissingExpiry", expiry=expiry)
    return quote


def overrides_of(vols: Vols, underlying: int, expiry: int) -> dict[int, int]:
    """The volatilities of one expiry, by strike (E8)."""
    return {
        key.strike_e8: vol
        for key, vol in vols.items()
        if (key.underlying, key.expiry) == (underlying, expiry)
    }


def instrument_value(
    instrument: Instrument,
    market: MarketSnapshot,
    section: ModelSection,
    scenario: Scenario,
    vols: Vols | None = None,
) -> E8:
    """Value of one unit of any instrument in a scenario (`NOW` for the market as it stands), floored to E8.

    Errors: `MissingUnderlying(underlying)`, `MissingExpiry(expiry)` when the snapshot has neither a quote nor a
    settlement price for it.
    """
    quotes = market.underlying(instrument.underlying)
    if not instrument.kind.is_dated:
        return undated_value(instrument, quotes, scenario.spot_wad)
    settled = settlement_price(quotes, instrument.expiry)
    if settled is not None:
        return settled_value(instrument, settled)
    quote = require_live(quotes, instrument.expiry)
    overrides = overrides_of(vols or {}, instrument.underlying, instrument.expiry)
    expiry = prepare_expiry(quote, market.time, section, overrides)
    return dated_value(instrument, expiry, prepare_shock(section, expiry, scenario))


def instrument_delta(
    instrument: Instrument, market: MarketSnapshot, section: ModelSection, vols: Vols | None = None
) -> int:
    """Delta of one unit as the market stands, Q60: 1 for spot, perpetual and live future, N(d1) df for a call, that minus df for a put, 0
    once settled. Errors as `instrument_value`."""
    quotes = market.underlying(instrument.underlying)
    if instrument.kind.is_dated and settlement_price(quotes, instrument.expiry) is not None:
        return 0
    if not instrument.kind.is_option:
        if instrument.kind.is_dated:
            require_live(quotes, instrument.expiry)
        return 1 << 60
    overrides = overrides_of(vols or {}, instrument.underlying, instrument.expiry)
    expiry = prepare_expiry(require_live(quotes, instrument.expiry), market.time, section, overrides)
    pair = option_cell(instrument.strike_e8, expiry, prepare_shock(section, expiry, NOW))
    return pair.call_delta if instrument.kind == Kind.CALL else pair.put_delta
