"""The smallest functions: specification against Solidity, on random and on corner inputs."""

from __future__ import annotations

from dataclasses import astuple
from math import isqrt
from random import Random

from evm.machine import Contract
from marginproof.spec.black76 import MAX_TOTAL_VOL, option_pair, price
from marginproof.spec.fixed_point import ceil_div, floor_div, mul_shift, wad_to_q64
from marginproof.spec.gaussian import normal_cdf
from marginproof.spec.limits import MAX_SPOT, MAX_STRIKE, MIN_SPOT, MIN_STRIKE
from marginproof.spec.logarithm import MAX_EXP_ARGUMENT, bounded_exponential, exponential, logarithm, power
from marginproof.spec.svi import Svi, prepare_smile, total_vol
from marginproof.spec.tenor import LOG_THIRTY_DAYS, THIRTY_DAYS, skew_multiplier

from .draws import between, bounded, smile
from .seeding import scaled

COUNT = 2_000


def signed(rng: Random, bits: int) -> int:
    """A signed integer even over magnitudes."""
    return rng.choice((-1, 1)) * between(rng, 0, 2**bits - 1)


def strike(rng: Random, forward: int) -> int:
    """A strike: at the forward or beside it, near, deep or anywhere, E8."""
    wanted = (
        forward + rng.choice((-1, 0, 1)),
        forward * 2 ** rng.gauss(0, 0.3),
        forward * 10 ** rng.uniform(-2, 2),
        between(rng, MIN_STRIKE, MAX_STRIKE),
    )
    return bounded(rng.choice(wanted), MIN_STRIKE, MAX_STRIKE)


def test_divisions(harness: Contract, rng: Random) -> None:
    pairs = [(signed(rng, 254), between(rng, 1, 2**254)) for _ in range(scaled(COUNT))]
    pairs += [
        (k * d + r, d) for d in (1, 2, 7, 10**18, 2**200) for k in (-2, -1, 0, 1, 2) for r in (-1, 0, 1)
    ]
    numerators, denominators = zip(*pairs, strict=True)
    assert list(harness.call("floorDiv", numerators, denominators)) == [floor_div(n, d) for n, d in pairs]
    assert list(harness.call("ceilDiv", numerators, denominators)) == [ceil_div(n, d) for n, d in pairs]


def test_multiply_and_shift(harness: Contract, rng: Random) -> None:
    for bits in (1, 6, 58, 60, 64, 70, 96):
        pairs = [(signed(rng, 120), signed(rng, 120)) for _ in range(scaled(COUNT // 7))]
        pairs += [(x * 2**bits + d, s) for x in (-1, 0, 1) for d in (-1, 0, 1) for s in (-1, 1)]
        a, b = zip(*pairs, strict=True)
        assert list(harness.call("mulShift", a, b, bits)) == [mul_shift(x, y, bits) for x, y in pairs]


def test_square_roots(harness: Contract, rng: Random) -> None:
    roots = [between(rng, 1, 2**128 - 1) for _ in range(scaled(COUNT))] + [2**k for k in range(128)]
    values = [root * root + d for root in roots for d in (-1, 0, 1)]
    values += [*range(1025), 2**256 - 1, (2**128 - 1) ** 2 - 1, (2**128 - 1) ** 2]
    values += [between(rng, 0, 2**256 - 1) for _ in range(scaled(COUNT))]
    assert list(harness.call("squareRoot", values)) == [isqrt(value) for value in values]


def test_decimal_to_binary(harness: Contract, rng: Random) -> None:
    values = [signed(rng, 66) for _ in range(scaled(COUNT))] + [-1, 0, 1, 10**18, -(10**18)]
    assert list(harness.call("wadToQ64", values)) == [wad_to_q64(value) for value in values]


def test_logarithms(harness: Contract, rng: Random) -> None:
    values = [between(rng, 1, 2**64 - 1) for _ in range(scaled(COUNT))]
    values += [x for n in range(64) for x in (2**n - 1, 2**n, 2**n + 1) if 0 < x < 2**64]
    values += [2**60 // 8 * (8 + j) + d for j in range(8) for d in (-1, 0, 1)]
    assert list(harness.call("ln", values)) == [logarithm(value) for value in values]


def test_the_logarithm_of_thirty_days_is_the_constant(harness: Contract) -> None:
    assert harness.call("logThirtyDays") == LOG_THIRTY_DAYS == harness.call("ln", [THIRTY_DAYS])[0]


def test_exponentials(harness: Contract, rng: Random) -> None:
    values = [rng.randint(-MAX_EXP_ARGUMENT, MAX_EXP_ARGUMENT) for _ in range(scaled(COUNT))]
    values += [signed(rng, 69) for _ in range(scaled(COUNT))] + [
        0,
        1,
        -1,
        MAX_EXP_ARGUMENT,
        -MAX_EXP_ARGUMENT,
    ]
    values = [value for value in values if abs(value) <= MAX_EXP_ARGUMENT]
    assert list(harness.call("exp", values)) == [exponential(value) for value in values]


def test_normal_distribution(harness: Contract, rng: Random) -> None:
    values = [signed(rng, 62) for _ in range(scaled(COUNT))] + [
        rng.randint(-(9 << 58), 9 << 58) for _ in range(COUNT)
    ]
    values += [sign * ((j << 56) + d) for sign in (-1, 1) for j in range(40) for d in (-1, 0, 1, 2**55)]
    assert list(harness.call("normalCdf", values)) == [normal_cdf(value) for value in values]


def test_option_prices(harness: Contract, rng: Random) -> None:
    count = scaled(COUNT)
    calls = [rng.random() < 0.5 for _ in range(count)]
    forwards = [between(rng, MIN_SPOT // 100, MAX_SPOT * 16) for _ in range(count)]
    strikes = [strike(rng, forward) for forward in forwards]
    vols = [between(rng, 0, MAX_TOTAL_VOL) for _ in range(count)]
    expected = [price(c, f, k, w) for c, f, k, w in zip(calls, forwards, strikes, vols, strict=True)]
    assert list(harness.call("prices", calls, forwards, strikes, vols)) == expected


def test_option_pairs(harness: Contract, rng: Random) -> None:
    """Values and deltas of both sides; volatilities of all sizes, and those that put the strike just within or beyond what matters."""
    cases = []
    for _ in range(scaled(COUNT)):
        forward = between(rng, MIN_SPOT // 100, MAX_SPOT * 16)
        chosen = strike(rng, forward)
        logs = (logarithm(forward), logarithm(chosen))
        edge = (abs(logs[0] - logs[1]) >> 6) // rng.choice((9, 16, 32)) + rng.randint(-2, 2)
        vol = rng.choice((0, 1, MAX_TOTAL_VOL, between(rng, 0, MAX_TOTAL_VOL), max(0, edge)))
        cases.append((forward, chosen, *logs, vol, rng.choice((0, 1, 1 << 58, rng.randint(0, 1 << 58)))))
    actual = harness.call("optionPair", *(list(column) for column in zip(*cases, strict=True)))
    for case, pair in zip(cases, actual, strict=True):
        assert pair == astuple(option_pair(*case)), case


def test_powers(harness: Contract, rng: Random) -> None:
    ratios = [signed(rng, 70) for _ in range(scaled(COUNT))]
    exponents = [between(rng, 0, 10 << 64) for _ in ratios]
    expected = [power(a, b) for a, b in zip(ratios, exponents, strict=True)]
    assert list(harness.call("power", ratios, exponents)) == expected
    arguments = [*(signed(rng, 127) for _ in ratios), MAX_EXP_ARGUMENT + 1, -MAX_EXP_ARGUMENT - 1]
    expected = [bounded_exponential(x) for x in arguments]
    assert list(harness.call("boundedExponential", arguments)) == expected


def test_skews(harness: Contract, rng: Random) -> None:
    k = [signed(rng, 62) for _ in range(scaled(COUNT))]
    caps = [signed(rng, 62) for _ in k]
    stars = [rng.choice((between(rng, 1, MAX_TOTAL_VOL), max(1, min(MAX_TOTAL_VOL, abs(x))))) for x in k]
    expected = [skew_multiplier(*case) for case in zip(k, caps, stars, strict=True)]
    assert list(harness.call("skewMultiplier", k, caps, stars)) == expected


def test_smiles(harness: Contract, rng: Random) -> None:
    for _ in range(scaled(COUNT // 20)):
        drawn, forward = smile(rng), between(rng, MIN_SPOT, MAX_SPOT)
        strikes = [strike(rng, forward) for _ in range(20)]
        prepared, log_forward = prepare_smile(drawn), logarithm(forward)
        expected = [total_vol(prepared, log_forward, logarithm(k)) for k in strikes]
        fields = (drawn.a, drawn.b, drawn.rho, drawn.m, drawn.sigma)
        assert list(harness.call("totalVols", fields, forward, strikes)) == expected


def test_the_least_variances(harness: Contract) -> None:
    """Total variances of 0, 1 and a few units of Q64 at the forward."""
    forward, found = 10**12, []
    for a, b, sigma in (
        (0, 0, 10**18),
        (0, 1, 10**15),
        (0, 1, 10**18 // 16),
        (0, 1, 10**18 // 8),
        (1, 0, 10**18),
    ):
        drawn = Svi(a, b, 0, 0, sigma)
        found.append(total_vol(prepare_smile(drawn), logarithm(forward), logarithm(forward)))
        assert list(harness.call("totalVols", (a, b, 0, 0, sigma), forward, [forward])) == found[-1:]
    assert found[:3] == [0, 0, 2**26]
