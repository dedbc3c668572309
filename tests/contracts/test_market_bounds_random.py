"""Bounds on markets against a plain statement of them, on random pairs: up to every limit, and one unit beyond it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from evm.machine import ContractRefused
from marginproof.spec.errors import SpecError
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket, check_market
from marginproof.spec.svi import Svi

from .setting import BTC, DAY, E8, ETH, START, WAD
from .test_market_bounds import E12, HOUR, ONE, YEAR, Bounded, Limits, out, variance

TOKEN = (20_000, 30_000)
"""Limits of the settlement token's price: at once and per hour, millionths."""
Refusal = tuple[str, tuple[int, ...]]


# --- the bounds, in plain integers -------------------------------------------------------------------------------------


def judged(limits: Limits, after: MarketSnapshot, before: MarketSnapshot | None) -> Refusal | None:
    """The first limit that the later market breaks, as the contract's error."""
    return next(broken(limits, after, before), None)


def broken(limits: Limits, after: MarketSnapshot, before: MarketSnapshot | None) -> Iterator[Refusal]:
    elapsed = after.time - before.time if before else 0
    if before:
        price, old = after.settlement_token_e8, before.settlement_token_e8
        jump = TOKEN[0] * HOUR + TOKEN[1] * elapsed
        if abs(price - old) * ONE * HOUR > old * jump:
            yield "TokenJump", (price, old, jump // HOUR)
    known = {part.underlying: part for part in before.underlyings} if before else {}
    for part in after.underlyings:
        was = known.get(part.underlying)
        if was:
            yield from moved_section(limits, part, was, elapsed)
        quoted = {quote.expiry: quote for quote in was.expiries} if was else {}
        for quote in part.expiries:
            pair = (was, quoted[quote.expiry]) if was and quote.expiry in quoted else None
            yield from broken_quote(limits, (part, quote), pair, quote.expiry - after.time, elapsed)


def moved_section(
    limits: Limits, part: UnderlyingMarket, was: UnderlyingMarket, elapsed: int
) -> Iterator[Refusal]:
    most = part.spot_e8 * limits.funding_per_day * elapsed
    if abs(part.funding_e8 - was.funding_e8) * ONE * DAY > most:
        yield "FundingJump", (part.underlying, part.funding_e8, was.funding_e8, most // (ONE * DAY))
    yield from risen(limits, part.underlying, 0, part.confidence_wad, was.confidence_wad, elapsed)


def risen(limits: Limits, number: int, expiry: int, now: int, was: int, elapsed: int) -> Iterator[Refusal]:
    rise = (limits.confidence_jump * HOUR + limits.confidence_jump_per_hour * elapsed) * E12 // HOUR
    if now > was + rise:
        yield "ConfidenceJump", (number, expiry, now, was, rise // E12)


def broken_quote(
    limits: Limits,
    now: tuple[UnderlyingMarket, ExpiryMarket],
    was: tuple[UnderlyingMarket, ExpiryMarket] | None,
    left: int,
    elapsed: int,
) -> Iterator[Refusal]:
    """An expiry's limits, in the contract's order; `was` is what the market before says of it."""
    part, quote = now
    place = (part.underlying, quote.expiry)
    spot, forward, rate = part.spot_e8, quote.forward_e8, quote.rate_wad
    allowed = limits.basis * YEAR + limits.basis_per_year * left
    if abs(forward - spot) * ONE * YEAR > spot * allowed:
        yield "BasisOutOfBand", (*place, forward, spot, allowed // YEAR)
    if was:
        old_spot, old_forward = was[0].spot_e8, was[1].forward_e8
        jump = limits.basis_jump * HOUR + limits.basis_jump_per_hour * elapsed
        if abs(forward * old_spot - old_forward * spot) * ONE * HOUR > spot * old_spot * jump:
            yield "BasisJump", (*place, forward, spot, old_forward, old_spot, jump // HOUR)
    low, high = limits.min_rate * E12, limits.max_rate * E12
    if not low <= rate <= high:
        yield "RateOutOfBand", (*place, rate, low, high)
    if was:
        jump = limits.rate_jump * HOUR + limits.rate_jump_per_hour * elapsed
        if abs(rate - was[1].rate_wad) * HOUR > jump * E12:
            yield "RateJump", (*place, rate, was[1].rate_wad, jump // HOUR)
        yield from risen(limits, *place, quote.confidence_wad, was[1].confidence_wad, elapsed)
    low, high = (vol**2 * 10**24 // YEAR * left for vol in (limits.min_vol, limits.max_vol))
    for i, w in enumerate(points(limits, quote.svi, left)):
        if not low <= w <= high:
            yield "VarianceOutOfBand", (*place, i, w // WAD, low // WAD, high // WAD)
    if was:
        jump = min(limits.vol_jump + limits.vol_jump_per_hour * elapsed // HOUR, 10**9)
        growth, ratio = (ONE + jump) ** 2, (left << 64) // (left + elapsed)
        least, most = ratio * E12 // growth, ratio * growth // E12
        both = zip(points(limits, quote.svi, left), points(limits, was[1].svi, left), strict=True)
        for i, (w, old) in enumerate(both):
            if not old * least <= w << 64 <= old * most:
                yield "VarianceJump", (*place, i, w // WAD, old // WAD, jump)


def points(limits: Limits, svi: Svi, left: int) -> list[int]:
    k = out(left, limits.wing)
    return [variance(svi, x) for x in (-k, 0, k)]


# --- draws -------------------------------------------------------------------------------------------------------------


class Draw:
    """Limits and pairs of markets within them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def limits(self) -> Limits:
        n = self.random.randrange
        return Limits(
            min_vol=n(50_000),
            max_vol=n(3 * 10**6, 6 * 10**6),
            wing=self.random.choice([0, 500_000, 10**6, 4 * 10**6]),
            basis=n(20_000, 40_000),
            basis_per_year=n(300_000),
            min_rate=-n(100_000, 300_000),
            max_rate=n(100_000, 300_000),
            basis_jump=n(10_000, 20_000),
            basis_jump_per_hour=n(5_000),
            rate_jump=n(30_000, 60_000),
            rate_jump_per_hour=n(9_000),
            vol_jump=self.random.choice([n(250_000, 500_000), 2 * 10**9]),
            vol_jump_per_hour=n(200_000),
            funding_per_day=n(10_000),
            confidence_jump=n(100_000, 500_000),
            confidence_jump_per_hour=n(300_000),
        )

    def near(self, value: int, millionths: int) -> int:
        return value + value * self.random.randrange(-millionths, millionths + 1) // ONE

    def confidence(self, side: int) -> int:
        """Higher in the later market, by no more than any limits forbid."""
        return WAD // 2 + self.random.randrange(WAD // 20) * (1 if side == 0 else -1)

    def svi(self, left: int, vol: float) -> Svi:
        """About a volatility, with a part of the variance of either sign in `a`."""
        total = int(vol * vol * WAD) * left // YEAR
        sigma = self.random.randrange(WAD // 50, WAD)
        a = self.random.randrange(-total, total)
        b = max(1, (total - a) * WAD // sigma)
        if b > 19 * WAD // 10:
            a, b = total - sigma, WAD
        return Svi(
            a,
            b,
            self.random.randrange(-WAD // 20, WAD // 20),
            self.random.randrange(-(10**15), 10**15),
            sigma,
        )

    def pair(self) -> tuple[MarketSnapshot, MarketSnapshot | None]:
        elapsed = self.random.choice([0, 1, 600, 5_000, 2 * DAY])
        sections = tuple(
            self.sections(u, spot, elapsed) for u, spot in ((BTC, 90_000 * E8), (ETH, 2_000 * E8))
        )
        after = MarketSnapshot(START + elapsed, self.near(E8, 4_000), tuple(a for a, _ in sections))
        if self.random.random() < 0.1:
            return after, None
        before = MarketSnapshot(START, self.near(E8, 4_000), tuple(b for _, b in sections))
        if self.random.random() < 0.15:
            before = replace(before, underlyings=before.underlyings[self.random.randrange(2) :][:1])
        return after, before

    def sections(self, underlying: int, spot: int, elapsed: int) -> tuple[UnderlyingMarket, UnderlyingMarket]:
        """One underlying after and before; each may lack an expiry of the other's."""
        times = sorted(self.random.sample([3, 7, 30, 91, 365, 2_000], 3))
        quotes: list[list[ExpiryMarket]] = [[], []]
        spots = [self.near(spot, 3_000) for _ in range(2)]
        for days in times:
            expiry = START + days * DAY + self.random.randrange(DAY)
            vol = self.random.uniform(0.3, 1.2)
            base = self.svi(expiry - START - elapsed, vol)
            for side in range(2):
                if self.random.random() < 0.1:
                    continue
                quotes[side].append(
                    ExpiryMarket(
                        expiry,
                        self.near(spots[side], 1_500),
                        self.random.randrange(-WAD // 200, WAD // 200),
                        replace(base, b=self.near(base.b, 500)),
                        self.confidence(side),
                    )
                )
        after, before = (
            UnderlyingMarket(
                underlying,
                spots[i],
                spots[i],
                self.confidence(i),
                0,
                (),
                tuple(quotes[i]),
            )
            for i in range(2)
        )
        return after, before


Change = Callable[[MarketSnapshot, int], MarketSnapshot]


def in_section(i: int, name: str) -> Change:
    def change(market: MarketSnapshot, value: Any) -> MarketSnapshot:
        parts = list(market.underlyings)
        parts[i] = replace(parts[i], **{name: value})
        return replace(market, underlyings=tuple(parts))

    return change


def in_quote(i: int, j: int, name: str) -> Change:
    def change(market: MarketSnapshot, value: Any) -> MarketSnapshot:
        quotes = list(market.underlyings[i].expiries)
        quotes[j] = replace(quotes[j], **{name: value})
        parts = list(market.underlyings)
        parts[i] = replace(parts[i], expiries=tuple(quotes))
        return replace(market, underlyings=tuple(parts))

    return change


def in_smile(i: int, j: int, name: str) -> Change:
    def change(market: MarketSnapshot, value: int) -> MarketSnapshot:
        svi = market.underlyings[i].expiries[j].svi
        return in_quote(i, j, "svi")(market, replace(svi, **{name: value}))  # type: ignore[arg-type]

    return change


def changes(draw: random.Random, after: MarketSnapshot) -> Iterator[tuple[int, tuple[int, int], Change]]:
    """Every field that is bounded, of one expiry per underlying: its value, the range a market allows it, how to change it."""
    yield after.settlement_token_e8, (1, 10**9), lambda m, v: replace(m, settlement_token_e8=v)
    for i, part in enumerate(after.underlyings):
        yield part.funding_e8, (-(10**14), 10**14), in_section(i, "funding_e8")
        yield part.confidence_wad, (0, WAD), in_section(i, "confidence_wad")
        if not part.expiries:
            continue
        j = draw.randrange(len(part.expiries))
        quote = part.expiries[j]
        yield quote.forward_e8, (10**6, 10**14), in_quote(i, j, "forward_e8")
        yield quote.rate_wad, (-9 * WAD, 2 * WAD), in_quote(i, j, "rate_wad")
        yield quote.confidence_wad, (0, WAD), in_quote(i, j, "confidence_wad")
        for name, ends in (
            ("a", (-4 * WAD, 9 * WAD)),
            ("b", (0, 2 * WAD)),
            ("rho", (-9_999 * 10**14, 9_999 * 10**14)),
            ("m", (-4 * WAD, 4 * WAD)),
            ("sigma", (10**12, 4 * WAD)),
        ):
            yield getattr(quote.svi, name), ends, in_smile(i, j, name)


def expected(limits: Limits, after: MarketSnapshot, before: MarketSnapshot | None) -> Refusal | str | None:
    """The plain verdict, or "no market"."""
    try:
        check_market(after)
    except SpecError:
        return "no market"
    return judged(limits, after, before)


def verdict(bounded: Bounded, after: MarketSnapshot, before: MarketSnapshot | None) -> Refusal | None:
    try:
        bounded.check(after, before)
    except ContractRefused as refusal:
        return refusal.name, refusal.values
    return None


def last_alike(judge: Callable[[int], Any], inside: int, outside: int) -> int:
    """A value towards `outside` with the verdict of `inside`, whose neighbour has another, by halving."""
    kept = judge(inside)
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if judge(middle) == kept else (inside, middle)
    return inside


def tries(
    limits: Limits, pair: tuple[MarketSnapshot, MarketSnapshot | None], draw: random.Random
) -> Iterator[MarketSnapshot]:
    """Variants of the later market: every field at the last value with the same verdict, at the next one, and at the end of its range."""
    after, before = pair
    for value, ends, change in changes(draw, after):

        def judge(tried: int, change: Change = change) -> Refusal | str | None:
            return expected(limits, change(after, tried), before)

        for far in ends:
            last = last_alike(judge, value, far)
            yield from (change(after, tried) for tried in (last, last + (1 if far > value else -1), far))


@pytest.mark.parametrize("seed", range(4))
def test_every_verdict_is_the_plain_statements_up_to_and_one_unit_beyond_each_limit(seed: int) -> None:
    draw = Draw(seed)
    seen: set[str] = set()
    passed = 0
    for _ in range(10):
        limits = draw.limits()
        bounded = Bounded(limits)
        bounded.bounds.transact("setTokenLimits", TOKEN)
        after, before = draw.pair()
        assert verdict(bounded, after, before) == judged(limits, after, before), f"seed {seed}"
        passed += judged(limits, after, before) is None
        for market in tries(limits, (after, before), draw.random):
            answer = expected(limits, market, before)
            if answer == "no market":
                continue
            assert verdict(bounded, market, before) == answer, f"seed {seed}: {limits} {market} {before}"
            seen |= {answer[0]} if answer else set()
    assert passed > 2
    assert seen == {
        "TokenJump",
        "FundingJump",
        "ConfidenceJump",
        "BasisOutOfBand",
        "BasisJump",
        "RateOutOfBand",
        "RateJump",
        "VarianceOutOfBand",
        "VarianceJump",
    }
