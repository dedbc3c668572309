"""The same mathematics at 50 digits, from the textbook and from nothing else. Inputs are the exact integers."""

from __future__ import annotations

from typing import Final

from mpmath import mp, mpf

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import ModelSection, Scenario, VolKind
from marginproof.spec.svi import Svi

mp.dps = 50

E8: Final = mpf(10) ** 8
WAD: Final = mpf(10) ** 18


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


def svi_vol(svi: Svi, forward: mpf, strike: mpf) -> mpf:
    """Total volatility of a smile."""
    a, b, rho, m, sigma = (mpf(value) / WAD for value in (svi.a, svi.b, svi.rho, svi.m, svi.sigma))
    d = mp.log(strike / forward) - m
    return mp.sqrt(max(mpf(0), a + b * (rho * d + mp.sqrt(d * d + sigma * sigma))))


def scenario_vol(vol: mpf, section: ModelSection, kind: VolKind, seconds: int) -> mpf:
    """Total volatility in a scenario, by the model's rule."""
    if kind == VolKind.NONE:
        return vol
    month = 30 * 86_400
    power = mpf(section.power_short_wad if seconds <= month else section.power_long_wad) / WAD
    m = (mpf(month) / max(seconds, section.floor_seconds)) ** power
    if kind == VolKind.DOWN:
        return vol * max(mpf(0), 1 - mpf(section.vol_down_wad) / WAD * m)
    least = mpf(section.min_vol_up_wad) / WAD * mp.sqrt(mpf(seconds) / (365 * 86_400))
    return max(least, vol * (1 + mpf(section.vol_up_wad) / WAD * m))


def value(
    instrument: Instrument, market: MarketSnapshot, section: ModelSection, scenario: Scenario | None
) -> mpf:
    """Value of one unit in USD."""
    quotes = market.underlying(instrument.underlying)
    move = mpf(1) if scenario is None else mpf(scenario.spot_wad) / WAD
    if instrument.kind == Kind.SPOT:
        return quotes.spot_e8 / E8 * move
    if instrument.kind == Kind.PERPETUAL:
        return quotes.spot_e8 / E8 * move - quotes.funding_e8 / E8
    strike = instrument.strike_e8 / E8
    for settlement in quotes.settlements:
        if settlement.expiry == instrument.expiry:
            price = settlement.price_e8 / E8
            return (
                price
                if instrument.kind == Kind.FUTURE
                else black76(instrument.kind == Kind.CALL, price, strike, mpf(0))
            )
    quote = next(quote for quote in quotes.expiries if quote.expiry == instrument.expiry)
    forward = quote.forward_e8 / E8
    if instrument.kind == Kind.FUTURE:
        return forward * move
    vol = svi_vol(quote.svi, forward, strike)
    if scenario is not None:
        vol = scenario_vol(vol, section, scenario.kind, quote.expiry - market.time)
    return black76(instrument.kind == Kind.CALL, forward * move, strike, vol)
