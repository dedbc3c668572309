"""Bounds on markets: at every edge, and the shipped crash."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest

from evm.machine import ADMIN, STRANGER, ContractRefused, Machine, refused
from marginproof.documents import market_symbols, market_to_spec
from marginproof.market.crash import load_crash
from marginproof.protocol.deploy_config import MarketBoundsPlan
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket, encode_market
from marginproof.spec.svi import Svi

from .refusals import UNAUTHORISED, refused_as
from .setting import BTC, DAY, E8, ETH, START, WAD

HOUR = 3_600
YEAR = 365 * DAY
ONE = 10**6
E12 = 10**12
WEEK = START + 7 * DAY
QUARTER = START + 91 * DAY


@dataclass(frozen=True)
class Limits:
    """IMarketBounds.Limits, millionths."""

    min_vol: int = 450_000
    max_vol: int = 2_000_000
    wing: int = 500_000
    basis: int = 20_000
    basis_per_year: int = 100_000
    min_rate: int = -100_000
    max_rate: int = 200_000
    basis_jump: int = 5_000
    basis_jump_per_hour: int = 1_000
    rate_jump: int = 10_000
    rate_jump_per_hour: int = 2_000
    vol_jump: int = 100_000
    vol_jump_per_hour: int = 50_000
    funding_per_day: int = 3_000
    confidence_jump: int = 200_000
    confidence_jump_per_hour: int = 300_000

    def values(self) -> tuple[int, ...]:
        return tuple(vars(self).values())


LIMITS = Limits()


class Bounded:
    """Market bounds for BTC and ETH."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.machine = Machine()
        self.bounds = self.machine.deploy("MarketBounds", ADMIN)
        for underlying in (BTC, ETH):
            self.bounds.transact("setLimits", underlying, limits.values())

    def check(self, market: MarketSnapshot, previous: MarketSnapshot | None = None) -> None:
        before = b"" if previous is None else encode_market(previous)
        self.bounds.call("check", encode_market(market), before)


@pytest.fixture(scope="module")
def bounded() -> Bounded:
    return Bounded()


def smile(left: int, vol: float = 0.6) -> Svi:
    """A skewed smile of about this volatility."""
    variance = int(vol * vol * WAD) * left // YEAR
    return Svi(variance // 2, variance, -WAD // 4, WAD // 50, WAD // 2)


def market(time: int = START, vol: float = 0.6) -> MarketSnapshot:
    """BTC and ETH with two expiries each, well inside the bands."""
    sections = tuple(
        UnderlyingMarket(
            underlying,
            spot,
            spot,
            WAD,
            1_000 * E8,
            (),
            tuple(
                ExpiryMarket(e, spot * 1_005 // 1_000, WAD // 20, smile(e - time, vol))
                for e in (WEEK, QUARTER)
            ),
        )
        for underlying, spot in ((BTC, 100_000 * E8), (ETH, 3_001 * E8))
    )
    return MarketSnapshot(time, E8, sections)


def with_quote(base: MarketSnapshot, section: int, index: int, **changes: Any) -> MarketSnapshot:
    """The market with fields of one quote changed."""
    sections = list(base.underlyings)
    quotes = list(sections[section].expiries)
    quotes[index] = replace(quotes[index], **changes)
    sections[section] = replace(sections[section], expiries=tuple(quotes))
    return replace(base, underlyings=tuple(sections))


def with_funding(base: MarketSnapshot, section: int, funding: int) -> MarketSnapshot:
    sections = list(base.underlyings)
    sections[section] = replace(sections[section], funding_e8=funding)
    return replace(base, underlyings=tuple(sections))


def raised(quote: ExpiryMarket, a: int) -> Svi:
    return replace(quote.svi, a=a)


# --- the contract's arithmetic, in plain integers ----------------------------------------------------------------------


def trunc(a: int, b: int) -> int:
    """Division rounded towards zero, as the EVM does it."""
    return a // b if a >= 0 else -(-a // b)


def variance(svi: Svi, k: int) -> int:
    """Total variance at a log-moneyness (WAD), 1e-36."""
    d = k - svi.m
    square = d * d + svi.sigma * svi.sigma
    larger, smaller = max(abs(d), svi.sigma), min(abs(d), svi.sigma)
    root = max(larger, larger - (larger >> 3) + (smaller >> 1))
    for _ in range(2):
        root = (root + square // root) >> 1
    return max(0, svi.a * WAD + svi.b * (trunc(svi.rho * d, WAD) + root))


def out(left: int, wing: int) -> int:
    """Where the outer points lie, WAD."""
    square = left * 10**36 // YEAR
    root, rest = 178_072_434_654_453, left
    for bits, threshold in ((16, 0xFFFF), (8, 0xFF), (4, 0xF)):
        if rest > threshold:
            rest, root = rest >> bits, root << (bits // 2)
    if rest > 3:
        root <<= 1
    for _ in range(2):
        root = (root + square // root) >> 1
    return wing * root // ONE


def points(quote: ExpiryMarket, time: int, limits: Limits = LIMITS, svi: Svi | None = None) -> list[int]:
    k = out(quote.expiry - time, limits.wing)
    return [variance(svi or quote.svi, x) for x in (-k, 0, k)]


def last(passes: Callable[[int], bool], inside: int, outside: int) -> int:
    """The value that passes and whose neighbour towards `outside` does not, by halving."""
    assert passes(inside)
    assert not passes(outside)
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if passes(middle) else (inside, middle)
    return inside


CASES = [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_where_points_lie_and_what_variance_is_there_is_close_to_the_formula() -> None:
    draw = random.Random(1)
    for _ in range(2_000):
        left = int(10 ** draw.uniform(0, 9.6))
        true = (left / YEAR) ** 0.5
        assert 0.999 * true - 1e-12 <= out(left, ONE) / WAD <= 1.035 * true
        svi = Svi(0, WAD, 0, draw.randrange(-4 * WAD, 4 * WAD), int(10 ** draw.uniform(12, 18.6)))
        k = draw.randrange(-4 * WAD, 4 * WAD)
        exact = (((k - svi.m) / WAD) ** 2 + (svi.sigma / WAD) ** 2) ** 0.5
        assert exact * (1 - 1e-12) <= variance(svi, k) / 10**36 <= exact * (1 + 3e-7)


# --- bands -------------------------------------------------------------------------------------------------------------


def test_a_plausible_market_passes(bounded: Bounded) -> None:
    bounded.check(market())
    bounded.check(market(START + HOUR), market())
    bounded.check(market(), market())


@pytest.mark.parametrize(("section", "index"), CASES)
@pytest.mark.parametrize("side", [-1, 1])
def test_forward_at_the_edge_of_its_band(bounded: Bounded, section: int, index: int, side: int) -> None:
    base = market()
    part = base.underlyings[section]
    left = part.expiries[index].expiry - START
    allowed = part.spot_e8 * (LIMITS.basis * YEAR + LIMITS.basis_per_year * left) // (ONE * YEAR)
    edge = part.spot_e8 + side * allowed
    bounded.check(with_quote(base, section, index, forward_e8=edge))
    limit = LIMITS.basis + LIMITS.basis_per_year * left // YEAR
    expiry = part.expiries[index].expiry
    with refused("BasisOutOfBand", section + 1, expiry, edge + side, part.spot_e8, limit):
        bounded.check(with_quote(base, section, index, forward_e8=edge + side))


@pytest.mark.parametrize(("section", "index"), CASES)
def test_rate_at_the_edges_of_its_band(bounded: Bounded, section: int, index: int) -> None:
    base = market()
    expiry = base.underlyings[section].expiries[index].expiry
    low, high = LIMITS.min_rate * E12, LIMITS.max_rate * E12
    for rate in (low, high):
        bounded.check(with_quote(base, section, index, rate_wad=rate))
    for rate in (low - 1, high + 1):
        with refused("RateOutOfBand", section + 1, expiry, rate, low, high):
            bounded.check(with_quote(base, section, index, rate_wad=rate))


@pytest.mark.parametrize(("section", "index"), CASES)
@pytest.mark.parametrize("rho", [-WAD // 2, 0, WAD // 2])
@pytest.mark.parametrize("upper", [False, True])
def test_variance_at_the_edges_of_its_band(
    bounded: Bounded, section: int, index: int, rho: int, upper: bool
) -> None:
    base = market()
    quote = base.underlyings[section].expiries[index]
    svi = replace(quote.svi, rho=rho)
    left = quote.expiry - START
    low = LIMITS.min_vol**2 * 10**24 // YEAR * left
    high = LIMITS.max_vol**2 * 10**24 // YEAR * left

    def refusal(a: int) -> tuple[int, int] | None:
        found = points(quote, START, svi=replace(svi, a=a))
        return next(((i, w) for i, w in enumerate(found) if not low <= w <= high), None)

    def changed(a: int) -> MarketSnapshot:
        return with_quote(base, section, index, svi=replace(svi, a=a))

    far = high // WAD if upper else low // WAD - max(points(quote, START, svi=svi)) // WAD + svi.a
    edge = last(lambda a: refusal(a) is None, svi.a, far + (1 if upper else -1))
    bounded.check(changed(edge))
    beyond = edge + (1 if upper else -1)
    found = refusal(beyond)
    assert found is not None
    with refused(
        "VarianceOutOfBand", section + 1, quote.expiry, found[0], found[1] // WAD, low // WAD, high // WAD
    ):
        bounded.check(changed(beyond))


# --- changes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "index"), CASES)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("elapsed", [0, 1, 5_000])
def test_basis_may_move_by_so_much(
    bounded: Bounded, section: int, index: int, side: int, elapsed: int
) -> None:
    before, base = market(), market(START + elapsed)
    part, quote = base.underlyings[section], base.underlyings[section].expiries[index]
    spot = part.spot_e8 * 101 // 100
    sections = list(base.underlyings)
    sections[section] = replace(part, spot_e8=spot)
    base = replace(base, underlyings=tuple(sections))
    jump = LIMITS.basis_jump * HOUR + LIMITS.basis_jump_per_hour * elapsed

    def passes(forward: int) -> bool:
        moved = abs(forward * part.spot_e8 - quote.forward_e8 * spot)
        return moved * ONE * HOUR <= spot * part.spot_e8 * jump

    same = quote.forward_e8 * spot // part.spot_e8
    edge = last(passes, same, same + side * spot // 50)
    others = [i for i in range(2) if i != index]
    for other in others:
        base = with_quote(base, section, other, forward_e8=same)
    bounded.check(with_quote(base, section, index, forward_e8=edge), before)
    with refused(
        "BasisJump",
        section + 1,
        quote.expiry,
        edge + side,
        spot,
        quote.forward_e8,
        part.spot_e8,
        jump // HOUR,
    ):
        bounded.check(with_quote(base, section, index, forward_e8=edge + side), before)


@pytest.mark.parametrize(("section", "index"), CASES)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("elapsed", [0, 1, 5_000])
def test_rate_may_move_by_so_much(
    bounded: Bounded, section: int, index: int, side: int, elapsed: int
) -> None:
    before, base = market(), market(START + elapsed)
    quote = base.underlyings[section].expiries[index]
    jump = LIMITS.rate_jump * HOUR + LIMITS.rate_jump_per_hour * elapsed
    edge = quote.rate_wad + side * (jump * E12 // HOUR)
    bounded.check(with_quote(base, section, index, rate_wad=edge), before)
    with refused("RateJump", section + 1, quote.expiry, edge + side, quote.rate_wad, jump // HOUR):
        bounded.check(with_quote(base, section, index, rate_wad=edge + side), before)


@pytest.mark.parametrize(("section", "index"), CASES)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("elapsed", [0, 1, 5_000])
@pytest.mark.parametrize("rho", [-WAD // 2, WAD // 2])
def test_volatility_may_move_by_so_much(
    bounded: Bounded, section: int, index: int, side: int, elapsed: int, rho: int
) -> None:
    before, base = market(), market(START + elapsed)
    old, quote = before.underlyings[section].expiries[index], base.underlyings[section].expiries[index]
    jump = LIMITS.vol_jump + LIMITS.vol_jump_per_hour * elapsed // HOUR
    growth = (ONE + jump) ** 2
    ratio = (quote.expiry - base.time << 64) // (quote.expiry - before.time)
    svi = replace(quote.svi, rho=rho)
    before = with_quote(before, section, index, svi=replace(old.svi, rho=rho))
    then = points(quote, base.time, svi=replace(old.svi, rho=rho))

    def refusal(a: int) -> tuple[int, int, int] | None:
        found = points(quote, base.time, svi=replace(svi, a=a))
        for i, (x, y) in enumerate(zip(found, then, strict=True)):
            if not y * (ratio * E12 // growth) <= x << 64 <= y * (ratio * growth // E12):
                return i, x // WAD, y // WAD
        return None

    edge = last(lambda a: refusal(a) is None, svi.a, svi.a + side * svi.a)
    bounded.check(with_quote(base, section, index, svi=replace(svi, a=edge)), before)
    beyond = refusal(edge + side)
    assert beyond is not None
    with refused("VarianceJump", section + 1, quote.expiry, *beyond, jump):
        bounded.check(with_quote(base, section, index, svi=replace(svi, a=edge + side)), before)


@pytest.mark.parametrize("section", [0, 1])
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("elapsed", [0, 1, 5_000])
def test_funding_may_move_by_so_much(bounded: Bounded, section: int, side: int, elapsed: int) -> None:
    before, base = market(), market(START + elapsed)
    part = base.underlyings[section]
    allowed = part.spot_e8 * LIMITS.funding_per_day * elapsed // (ONE * DAY)
    edge = part.funding_e8 + side * allowed
    bounded.check(with_funding(base, section, edge), before)
    with refused("FundingJump", section + 1, edge + side, part.funding_e8, allowed):
        bounded.check(with_funding(base, section, edge + side), before)


def test_what_was_not_quoted_before_is_bounded_by_the_bands_alone(bounded: Bounded) -> None:
    before = market()
    wild = with_quote(market(), 0, 1, svi=smile(QUARTER - START, 1.5), rate_wad=WAD // 5)
    with refused("RateJump"):
        bounded.check(wild, before)
    btc, eth = before.underlyings
    bounded.check(wild, replace(before, underlyings=(replace(btc, expiries=btc.expiries[:1]), eth)))
    bounded.check(with_funding(wild, 0, -(10**12)), replace(before, underlyings=(eth,)))


def test_every_underlying_is_compared_with_itself(bounded: Bounded) -> None:
    before = market()
    _, eth = before.underlyings
    bounded.check(replace(before, underlyings=(eth,)), before)
    with refused("FundingJump", ETH, 0, eth.funding_e8, 0):
        bounded.check(replace(before, underlyings=(replace(eth, funding_e8=0),)), before)


def test_expired_expiries_of_the_market_before_are_passed_over(bounded: Bounded) -> None:
    later = market(QUARTER - DAY)
    cut = tuple(replace(part, expiries=part.expiries[1:]) for part in market().underlyings)
    with pytest.raises(Exception, match="expiry"):
        encode_market(later)
    sections = tuple(replace(part, expiries=(replace(part.expiries[0], svi=smile(DAY)),)) for part in cut)
    bounded.check(MarketSnapshot(QUARTER - DAY, E8, sections), market())


# --- limits ------------------------------------------------------------------------------------------------------------


def test_underlying_without_limits_is_refused() -> None:
    bounds = Machine().deploy("MarketBounds", ADMIN)
    with refused("NoLimits", BTC):
        bounds.call("check", encode_market(market()), b"")


def test_limits_are_an_event_and_can_be_read(bounded: Bounded) -> None:
    bounded.bounds.transact("setLimits", 9, LIMITS.values())
    (event,) = bounded.machine.events()
    assert (event.name, event.values) == ("LimitsSet", {"underlying": 9, "limits": LIMITS.values()})
    assert bounded.bounds.call("limitsOf", 9) == LIMITS.values()
    assert bounded.bounds.call("limitsOf", 8) == (0,) * 16


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ({"max_vol": 0}, ("maxVol", 0, 1, 4 * 10**9)),
        ({"max_vol": 4 * 10**9 + 1}, ("maxVol", 4 * 10**9 + 1, 1, 4 * 10**9)),
        ({"min_vol": 2_000_001}, ("minVol", 2_000_001, 0, 2_000_000)),
        ({"wing": 4_000_001}, ("wing", 4_000_001, 0, 4_000_000)),
        ({"min_rate": 200_001}, ("maxRate", 200_000, 200_001, 2**31 - 1)),
    ],
)
def test_impossible_limits_are_refused(
    bounded: Bounded, change: dict[str, int], values: tuple[str, int, int, int]
) -> None:
    with refused("OutOfRange", *values):
        bounded.bounds.transact("setLimits", BTC, Limits(**change).values())


def test_only_the_admin_sets_limits(bounded: Bounded) -> None:
    with refused_as(UNAUTHORISED):
        bounded.bounds.transact("setLimits", BTC, LIMITS.values(), caller=STRANGER)


# --- the settlement token, and confidence -----------------------------------------------------------------------------


@pytest.fixture
def with_token() -> Bounded:
    bounded = Bounded()
    bounded.bounds.transact("setTokenLimits", (10_000, 20_000))
    return bounded


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("elapsed", [0, 1, 5_000])
def test_settlement_token_may_move_by_so_much(with_token: Bounded, side: int, elapsed: int) -> None:
    before, base = market(), market(START + elapsed)
    jump = 10_000 * HOUR + 20_000 * elapsed
    edge = E8 + side * (E8 * jump // (ONE * HOUR))
    with_token.check(replace(base, settlement_token_e8=edge), before)
    with refused("TokenJump", edge + side, E8, jump // HOUR):
        with_token.check(replace(base, settlement_token_e8=edge + side), before)
    with_token.check(replace(base, settlement_token_e8=E8 // 2))


def test_settlement_token_without_limits_may_not_move(bounded: Bounded) -> None:
    bounded.check(market(START + DAY), market())
    with refused("TokenJump", E8 + 1, E8, 0):
        bounded.check(replace(market(START + DAY), settlement_token_e8=E8 + 1), market())


def test_token_limits_are_an_event_and_can_be_read(with_token: Bounded) -> None:
    assert with_token.bounds.call("tokenLimits") == (10_000, 20_000)
    with_token.bounds.transact("setTokenLimits", (1, 2))
    (event,) = with_token.machine.events()
    assert (event.name, event.values) == ("TokenLimitsSet", {"limits": (1, 2)})


def test_only_the_admin_sets_token_limits(bounded: Bounded) -> None:
    with refused_as(UNAUTHORISED):
        bounded.bounds.transact("setTokenLimits", (1, 2), caller=STRANGER)


def with_confidence(base: MarketSnapshot, spot: int, quote: int) -> MarketSnapshot:
    """The second underlying's, in spot and in its first expiry."""
    btc, eth = with_quote(base, 1, 0, confidence_wad=quote).underlyings
    return replace(base, underlyings=(btc, replace(eth, confidence_wad=spot)))


@pytest.mark.parametrize("elapsed", [0, 1, 5_000])
def test_confidence_may_rise_by_so_much_and_fall_at_once(bounded: Bounded, elapsed: int) -> None:
    then, now = market(), market(START + elapsed)
    jump = LIMITS.confidence_jump * HOUR + LIMITS.confidence_jump_per_hour * elapsed
    before, edge = with_confidence(then, WAD // 5, WAD // 4), jump * E12 // HOUR
    bounded.check(with_confidence(now, WAD // 5 + edge, WAD // 4 + edge), before)
    bounded.check(with_confidence(now, 0, 0), before)
    with refused("ConfidenceJump", ETH, 0, WAD // 5 + edge + 1, WAD // 5, jump // HOUR):
        bounded.check(with_confidence(now, WAD // 5 + edge + 1, WAD // 4), before)
    with refused("ConfidenceJump", ETH, WEEK, WAD // 4 + edge + 1, WAD // 4, jump // HOUR):
        bounded.check(with_confidence(now, WAD // 5, WAD // 4 + edge + 1), before)


# --- the shipped crash -------------------------------------------------------------------------------------------------


def crash() -> list[MarketSnapshot]:
    return [market_to_spec(document, market_symbols(document)) for document in load_crash()]


def default_bounds() -> Bounded:
    bounded = Bounded()
    for underlying in (BTC, ETH):
        bounded.bounds.transact("setLimits", underlying, MarketBoundsPlan().values())
    return bounded


def test_the_crash_passes_the_default_limits() -> None:
    bounded, snapshots = default_bounds(), crash()
    assert len(snapshots) == 6
    bounded.check(snapshots[0])
    for before, after in pairwise(snapshots):
        assert [part.underlying for part in after.underlyings] == [BTC, ETH]
        bounded.check(after, before)


def test_the_default_limits_refuse_a_tripled_volatility_and_a_tenth_of_basis_within_the_hour() -> None:
    bounded, first = default_bounds(), crash()[0]
    quote = first.underlyings[0].expiries[5]
    wild = replace(quote.svi, a=quote.svi.a + 8 * variance(quote.svi, 0) // WAD)
    with refused("VarianceJump"):
        bounded.check(with_quote(first, 0, 5, svi=wild), first)
    with refused("BasisOutOfBand"):
        bounded.check(with_quote(first, 0, 5, forward_e8=quote.forward_e8 * 11 // 10), first)
    with pytest.raises(ContractRefused):
        bounded.check(with_funding(first, 0, first.underlyings[0].spot_e8 // 100), first)
