"""The same mathematics at 50 digits, from the textbook and from nothing else. Inputs are the exact integers."""

from __future__ import annotations

from typing import Final

from mpmath import mp, mpf

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import ModelSection, Scenario, VolKind
from marginproof.spec.svi import Svi

mp.dps = 50

E8: Final = mpf(10) ** 8
WAD: Final = mpf(10) ** 18
MONTH: Final = 30 * 86_400
YEAR: Final = 365 * 86_400


def wad(value: int) -> mpf:
    """A WAD as the number it stands for."""
    return mpf(value) / WAD


def cdf(x: mpf) -> mpf:
    """N(x)."""
    return mp.erfc(-x / mp.sqrt(2)) / 2


def black76(is_call: bool, forward: mpf, strike: mpf, vol: mpf) -> mpf:
    """Undiscounted option value at total volatility `vol`; the intrinsic value at zero."""
    sign = 1 if is_call else -1
    if vol == 0:
        return max(mpf(0), sign * (forward - strike))
    d1 = mp.log(forward / strike) / vol + vol / 2
    return sign * (forward * cdf(sign * d1) - strike * cdf(sign * (d1 - vol)))


def black76_delta(is_call: bool, forward: mpf, strike: mpf, vol: mpf) -> mpf:
    """Derivative of `black76` by the forward; at zero volatility 1/2 on the kink."""
    call = mpf((forward > strike) + (forward >= strike)) / 2
    if vol != 0:
        call = cdf(mp.log(forward / strike) / vol + vol / 2)
    return call if is_call else call - 1


def svi_vol(svi: Svi, forward: mpf, strike: mpf) -> mpf:
    """Total volatility of a smile."""
    a, b, rho, m, sigma = (wad(value) for value in (svi.a, svi.b, svi.rho, svi.m, svi.sigma))
    d = mp.log(strike / forward) - m
    return mp.sqrt(max(mpf(0), a + b * (rho * d + mp.sqrt(d * d + sigma * sigma))))


def root_of_years(seconds: int) -> mpf:
    """sqrt(tau)."""
    return mp.sqrt(mpf(seconds) / YEAR)


def tenor_multiplier(section: ModelSection, seconds: int) -> mpf:
    """m = (30 days / max(t, floor))^p."""
    power = wad(section.power_short if seconds <= MONTH else section.power_long)
    return (mpf(MONTH) / max(seconds, section.floor_seconds)) ** power


def discount_factor(rate_wad: int, seconds: int) -> mpf:
    """exp(-max(r, 0) tau)."""
    return mp.exp(-wad(max(0, rate_wad)) * seconds / YEAR)


def static_discounts(section: ModelSection, rate_wad: int, seconds: int) -> tuple[mpf, mpf]:
    """What multiplies a positive sum, and a negative one."""
    rate, tau = wad(max(0, rate_wad)), mpf(seconds) / YEAR
    long_rate = rate * wad(section.long_rate_multiple) + wad(section.long_rate_add)
    short_rate = rate * wad(section.short_rate_multiple) + wad(section.short_rate_add)
    long = wad(section.long_base) * mp.exp(-tau * long_rate)
    short = wad(section.short_base) * mp.exp(tau * short_rate)
    return min(mpf(16), long), min(mpf(16), mp.exp(rate * tau), short)


def basis_factor(section: ModelSection, seconds: int) -> mpf:
    """base + per year x tau."""
    return wad(section.basis_base) + wad(section.basis_per_year) * seconds / YEAR


def skew_terms(section: ModelSection, seconds: int, is_absolute: bool) -> tuple[mpf, mpf]:
    """cap and k*."""
    root = root_of_years(seconds)
    base = section.absolute_cap if is_absolute else section.linear_cap
    slope = section.absolute_cap_slope if is_absolute else section.linear_cap_slope
    width = root * wad(section.skew_width) * (wad(section.skew_vol) + root * wad(section.skew_vol_slope))
    return wad(base) + wad(slope) * root, max(wad(section.skew_minimum), width)


def skew_multiplier(k: mpf, cap: mpf, k_star: mpf) -> mpf:
    """max(0, 1 + k cap / k*), the tilt not beyond the cap on k's side."""
    tilt = k * cap / k_star
    return max(mpf(0), 1 + (min(cap, tilt) if k >= 0 else max(-cap, tilt)))


def scenario_vol(vol: mpf, section: ModelSection, scenario: Scenario, seconds: int, k: mpf) -> mpf:
    """Total volatility in a scenario, by the model's rules; k = ln(strike / forward)."""
    match scenario.kind:
        case VolKind.UP:
            rise = 1 + wad(section.vol_up) * tenor_multiplier(section, seconds)
            return max(wad(section.min_vol_up) * root_of_years(seconds), vol * rise)
        case VolKind.DOWN:
            return vol * max(mpf(0), 1 - wad(section.vol_down) * tenor_multiplier(section, seconds))
        case VolKind.ADD:
            return max(mpf(0), vol + wad(scenario.amount_wad) * root_of_years(seconds))
        case VolKind.LINEAR_SKEW:
            return vol * skew_multiplier(k, *skew_terms(section, seconds, False))
        case VolKind.ABSOLUTE_SKEW:
            return vol * skew_multiplier(abs(k), *skew_terms(section, seconds, True))
        case _:
            return vol


def shocked_forward(forward: mpf, section: ModelSection, scenario: Scenario, seconds: int) -> mpf:
    """The forward in a scenario: what averaging has fixed stays, and a skew moves nothing."""
    if scenario.kind in (VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW):
        return forward
    window = section.averaging_seconds
    fixed = forward * (window - seconds) / window if seconds < window else mpf(0)
    return fixed + (forward - fixed) * wad(scenario.spot_wad)


def live(quotes: UnderlyingMarket, expiry: int) -> ExpiryMarket | None:
    """The live quote of an expiry, if there is one."""
    return next((quote for quote in quotes.expiries if quote.expiry == expiry), None)


def _payoff(instrument: Instrument, price: mpf) -> mpf:
    if instrument.kind == Kind.FUTURE:
        return price
    return black76(instrument.kind == Kind.CALL, price, instrument.strike_e8 / E8, mpf(0))


def value(instrument: Instrument, market: MarketSnapshot, section: ModelSection, scenario: Scenario) -> mpf:
    """Value of one unit in USD."""
    quotes = market.underlying(instrument.underlying)
    if instrument.kind == Kind.SPOT:
        return quotes.spot_e8 / E8 * wad(scenario.spot_wad)
    if instrument.kind == Kind.PERPETUAL:
        return quotes.perpetual_e8 / E8 * wad(scenario.spot_wad) - quotes.funding_e8 / E8
    quote = live(quotes, instrument.expiry)
    if quote is None:
        prices = {settlement.expiry: settlement.price_e8 for settlement in quotes.settlements}
        return _payoff(instrument, prices[instrument.expiry] / E8)
    seconds, forward, strike = quote.expiry - market.time, quote.forward_e8 / E8, instrument.strike_e8 / E8
    moved = shocked_forward(forward, section, scenario, seconds)
    if instrument.kind == Kind.FUTURE:
        return moved
    vol = svi_vol(quote.svi, forward, strike)
    vol = min(mpf(16), scenario_vol(vol, section, scenario, seconds, mp.log(strike / forward)))
    discount = discount_factor(quote.rate_wad, seconds)
    return discount * black76(instrument.kind == Kind.CALL, moved, strike, vol)


def delta(instrument: Instrument, market: MarketSnapshot) -> mpf:
    """Delta of one unit as the market stands, by its forward and discounted; 0 once settled."""
    if not instrument.kind.is_dated:
        return mpf(1)
    quote = live(market.underlying(instrument.underlying), instrument.expiry)
    if quote is None:
        return mpf(0)
    if instrument.kind == Kind.FUTURE:
        return mpf(1)
    forward, strike = quote.forward_e8 / E8, instrument.strike_e8 / E8
    slope = black76_delta(instrument.kind == Kind.CALL, forward, strike, svi_vol(quote.svi, forward, strike))
    return discount_factor(quote.rate_wad, quote.expiry - market.time) * slope
