"""The engine's smallest functions against the specification's, on random and on corner inputs."""

from __future__ import annotations

from math import exp
from random import Random

import numpy as np
import pytest

from marginproof.engine.instruments import split_logarithm
from marginproof.engine.kernels import pricing
from marginproof.engine.kernels.wide import divide_word
from marginproof.engine.sections import words
from marginproof.spec import gaussian, limits, svi, tenor
from marginproof.spec.black76 import MAX_TOTAL_VOL
from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.logarithm import logarithm
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import Model, Scenario, VolKind, neutral_section
from marginproof.spec.svi import Svi

from .draws import DAY, TIME, WAD, World, all_ids, between, bounded, smile
from .engine import engine_rows
from .peers import Specification
from .seeding import scaled

COUNT = 3_000
EDGE = 1 << 63


def signed(rng: Random, most: int) -> int:
    """A signed integer, even over magnitudes."""
    return rng.choice((-1, 1)) * between(rng, 0, most)


def test_tails_and_probabilities(rng: Random) -> None:
    numbers = [between(rng, 0, EDGE - 1) for _ in range(scaled(COUNT))]
    numbers += [(j << 56) + d for j in range(40) for d in (0, 1, (1 << 55) - 1, 1 << 55, (1 << 56) - 1)]
    assert [pricing.upper_tail(x) for x in numbers] == [gaussian.upper_tail(x) for x in numbers]
    for sign in (1, -1):
        assert [pricing.normal_cdf(sign * x) for x in numbers] == [
            gaussian.normal_cdf(sign * x) for x in numbers
        ]


def test_quotients(rng: Random) -> None:
    for _ in range(scaled(COUNT)):
        divisor = rng.choice((between(rng, 1, 2**64 - 1), rng.getrandbits(32) << 32 | 1))
        quotient = between(rng, 0, 2**64 - 1)
        number = quotient * divisor + rng.choice((0, divisor - 1, rng.randrange(divisor)))
        high, low = np.uint64(number >> 64), np.uint64(number & (1 << 64) - 1)
        assert int(divide_word(high, low, np.uint64(divisor))) == quotient, (quotient, divisor)


def test_skews(rng: Random) -> None:
    for _ in range(scaled(COUNT)):
        k, cap = signed(rng, EDGE - 1), signed(rng, MAX_TOTAL_VOL)
        k_star = rng.choice((between(rng, 1, MAX_TOTAL_VOL), max(1, min(MAX_TOTAL_VOL, abs(k)))))
        assert pricing.skew_multiplier(k, cap, k_star) == tenor.skew_multiplier(k, cap, k_star), (
            k,
            cap,
            k_star,
        )


def test_smiles(rng: Random) -> None:
    for _ in range(scaled(COUNT // 3)):
        drawn = svi.prepare_smile(smile(rng))
        forward = logarithm(between(rng, limits.MIN_SPOT, limits.MAX_SPOT))
        log_strike = rng.choice((forward, logarithm(between(rng, limits.MIN_STRIKE, limits.MAX_STRIKE))))
        fields = (*split_logarithm(forward), *words(drawn.a), drawn.b, drawn.rho, drawn.m, drawn.sigma, 0)
        actual = pricing.total_vol(np.array(fields, np.int64), *split_logarithm(log_strike))
        assert actual == svi.total_vol(drawn, forward, log_strike), (drawn, forward, log_strike)


@pytest.mark.parametrize("multiple", [9, 16, 32])
def test_strikes_where_tails_and_quotients_end(multiple: int, rng: Random) -> None:
    """y/w and both sides' arguments pass the end of the tail table, and of a 64-bit word, at slightly different strikes."""
    quotes, strikes = [], set()
    for days in range(1, 21):
        vol = rng.uniform(0.02, 20 / multiple)
        flat = Svi(int(vol * vol * WAD), 0, 0, 0, limits.MIN_SVI_SIGMA)
        quotes.append(ExpiryMarket(TIME + days * DAY, 10**10, 0, flat))
        for _ in range(20):
            distance = vol * (multiple + vol * rng.uniform(-0.6, 0.6))
            wanted = 10**10 * exp(rng.choice((-1, 1)) * distance)
            strikes.add(bounded(wanted, limits.MIN_STRIKE, limits.MAX_STRIKE))
    part = UnderlyingMarket(1, 10**10, 10**10, WAD, 0, (), tuple(quotes))
    table = InstrumentTable({1: tuple(quote.expiry for quote in quotes)}, {1: tuple(strikes)})
    rules = neutral_section(1, (Scenario(WAD, VolKind.NONE, WAD),))
    drawn = World(MarketSnapshot(TIME, 10**8, (part,)), Model((rules,)), table, all_ids(table))
    assert engine_rows(drawn) == Specification().rows([drawn])[0]
