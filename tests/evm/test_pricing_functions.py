"""PricingHarness: every function of the libraries against the specification's function of the same name."""

from __future__ import annotations

from dataclasses import astuple
from functools import partial
from random import Random
from typing import Any

import pytest

from marginproof.spec import black76, fixed_point, gaussian, limits, logarithm, scenario, svi, tenor
from marginproof.spec.margin import initial_factor
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, encode_model
from marginproof.spec.svi import Svi

from .agreement import assert_refused_alike
from .draws import SECONDS, WAD, anything, between, ordinary, section, smile
from .machine import Contract, Machine, refused

DRAWS = 60
ONE = 1 << 58
UNITS = (-(1 << 63) + 1, -ONE, -1, 0, 1, ONE - 1, ONE, (1 << 63) - 1)


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Machine().deploy("PricingHarness")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    return Random(request.node.name)


def times(rng: Random) -> list[int]:
    return [*SECONDS, *(between(rng, 1, limits.MAX_TIME) for _ in range(DRAWS // 4))]


def sections(rng: Random) -> list[ModelSection]:
    return [section(rng, 1, 1, rng.choice((ordinary, anything))) for _ in range(DRAWS // 2)]


def rates(rng: Random, count: int) -> list[int]:
    return [rng.choice((0, 1, -1, between(rng, limits.MIN_RATE, limits.MAX_RATE))) for _ in range(count)]


def data(rules: ModelSection) -> bytes:
    return encode_model(Model((rules,)))


def test_attack_17_signed_division_at_the_ends_of_its_range(harness: Contract, rng: Random) -> None:
    """Towards minus and plus infinity, where Solidity's own `/` truncates; int256.min by -1 has no quotient and is refused by name."""
    ends = (-(2**255), -(2**255) + 1, -1, 0, 1, 2**255 - 1)
    numerators = [*ends, *(rng.getrandbits(256) - 2**255 for _ in range(50))]
    for denominator in (1, 2, 3, 10**8, 2**255 - 1, rng.randrange(1, 2**200)):
        given = [denominator] * len(numerators)
        assert harness.call("floorDiv", numerators, given) == tuple(n // denominator for n in numerators)
        assert harness.call("ceilDiv", numerators, given) == tuple(-(-n // denominator) for n in numerators)
    for denominator in (0, -1, -(2**255)):
        for name in ("floorDiv", "ceilDiv"):
            with refused("DivisionByZero", denominator):
                harness.call(name, [-(2**255)], [denominator])


def test_binary_numbers(harness: Contract, rng: Random) -> None:
    for bits in (58, 60, 64):
        numbers = [0, 1, -1, WAD, -WAD, *(between(rng, -20 * WAD, 20 * WAD) for _ in range(DRAWS))]
        expected = [fixed_point.wad_to_binary(number, bits) for number in numbers]
        assert list(harness.call("wadToBinary", numbers, bits)) == expected


def test_exponentials_and_powers(harness: Contract, rng: Random) -> None:
    edge = logarithm.MAX_EXP_ARGUMENT
    numbers = [0, 1, -1, edge, -edge, edge + 1, -edge - 1, 1 << 120, -(1 << 120)]
    numbers += [rng.randint(-edge, edge) for _ in range(DRAWS)]
    expected = [logarithm.bounded_exponential(x) for x in numbers]
    assert list(harness.call("boundedExponential", numbers)) == expected
    exponents = [between(rng, 0, 10 << 64) for _ in numbers]
    ratios = [rng.randint(-(30 << 64), 30 << 64) for _ in numbers]
    powers = [logarithm.power(a, b) for a, b in zip(ratios, exponents, strict=True)]
    assert list(harness.call("power", ratios, exponents)) == powers


def test_tails(harness: Contract, rng: Random) -> None:
    edges = [j << 56 for j in range(40)]
    numbers = [
        0,
        1,
        *edges,
        *(x - 1 for x in edges[1:]),
        1 << 121,
        *(rng.randint(0, 10 << 58) for _ in range(DRAWS)),
    ]
    assert list(harness.call("upperTail", numbers)) == [gaussian.upper_tail(x) for x in numbers]


def test_smiles(harness: Contract, rng: Random) -> None:
    for _ in range(DRAWS):
        drawn = smile(rng)
        assert harness.call("prepareSmile", astuple(drawn)) == astuple(svi.prepare_smile(drawn))
        harness.call("checkSmile", astuple(drawn))
        forwards, strikes = (
            [logarithm.logarithm(between(rng, limits.MIN_STRIKE, limits.MAX_STRIKE)) for _ in range(8)]
            for _ in range(2)
        )
        prepared = svi.prepare_smile(drawn)
        expected = [svi.total_vol(prepared, f, k) for f, k in zip(forwards, strikes, strict=True)]
        assert list(harness.call("totalVol", astuple(drawn), forwards, strikes)) == expected
    for bad in (Svi(-1, 0, 0, 0, WAD), Svi(0, -1, 0, 0, WAD), Svi(0, 0, WAD, 0, WAD), Svi(0, 0, 0, 0, 1)):
        name = "NegativeVariance" if bad.a < 0 else "OutOfRange"
        assert_refused_alike(
            partial(svi.require_valid_smile, bad), partial(harness.call, "checkSmile", astuple(bad)), name
        )


def test_option_pairs(harness: Contract, rng: Random) -> None:
    cases = []
    for _ in range(10 * DRAWS):
        forward = between(rng, limits.MIN_STRIKE, limits.MAX_STRIKE)
        strike = rng.choice((forward, forward + 1, between(rng, limits.MIN_STRIKE, limits.MAX_STRIKE)))
        strike = min(strike, limits.MAX_STRIKE)
        logs = (logarithm.logarithm(forward), logarithm.logarithm(strike))
        vol = rng.choice((0, 1, 1 << 62, int(2 ** rng.uniform(30, 62)), int(2 ** rng.uniform(52, 60))))
        discount = rng.choice((ONE, ONE, 0, 1, rng.randint(0, ONE), rng.randint(ONE // 2, ONE)))
        cases.append((forward, strike, *logs, vol, discount))
    columns = [list(column) for column in zip(*cases, strict=True)]
    actual = harness.call("optionPair", *columns)
    for case, pair in zip(cases, actual, strict=True):
        assert pair == astuple(black76.option_pair(*case)), case


def test_times(harness: Contract, rng: Random) -> None:
    drawn = times(rng)
    assert list(harness.call("toYears", drawn)) == [tenor.years(t) for t in drawn]
    assert list(harness.call("squareRootOfYears", drawn)) == [tenor.square_root_of_years(t) for t in drawn]
    interest = rates(rng, len(drawn))
    expected = [tenor.discount_factor(r, t) for r, t in zip(interest, drawn, strict=True)]
    assert list(harness.call("discountFactor", interest, drawn)) == expected


def test_what_a_model_says_at_an_expiry(harness: Contract, rng: Random) -> None:
    for rules in sections(rng):
        model, drawn = data(rules), times(rng)

        def on_chain(name: str, *rest: Any, model: bytes = model) -> list[Any]:
            return list(harness.call(name, model, 1, *rest))

        assert on_chain("tenorMultiplier", drawn) == [tenor.tenor_multiplier(rules, t) for t in drawn]
        assert on_chain("basisFactor", drawn) == [tenor.basis_factor(rules, t) for t in drawn]
        for is_absolute in (False, True):
            terms = [tenor.skew_terms(rules, t, is_absolute) for t in drawn]
            assert on_chain("skewTerms", drawn, is_absolute) == terms
        interest = rates(rng, len(drawn))
        discounts = [tenor.static_discounts(rules, r, t) for r, t in zip(interest, drawn, strict=True)]
        assert on_chain("staticDiscounts", interest, drawn) == discounts
        forwards = [between(rng, limits.MIN_SPOT, limits.MAX_SPOT) for _ in drawn]
        fixed = [tenor.fixed_part(rules, f, t) for f, t in zip(forwards, drawn, strict=True)]
        assert on_chain("fixedPart", forwards, drawn) == fixed
        spots = [between(rng, limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK) for _ in drawn]
        moved = [
            part + (forward - part) * spot // WAD
            for part, forward, spot in zip(fixed, forwards, spots, strict=True)
        ]
        assert on_chain("shockedForward", forwards, drawn, spots) == moved
        for kind in VolKind:
            if kind.is_skew:
                continue
            amount = between(rng, -4 * WAD, 4 * WAD) if kind == VolKind.ADD else 0
            move = Scenario(WAD, kind, WAD, amount)
            rule = [scenario.vol_rule(rules, move, t) for t in drawn]
            assert on_chain("volRule", kind, amount, drawn) == rule
        assert harness.call("indexCount", model, 1) == rules.index_count()
        for token in (1, 97 * 10**6 + 1, 10**8, between(rng, 1, 10**9)):
            assert harness.call("initialFactor", model, 1, token) == initial_factor(rules, token)


def test_neutral_discounts_are_exactly_one(harness: Contract, rng: Random) -> None:
    rules = section(rng, 1, 1, lambda _, field: field.neutral)
    drawn = times(rng)
    for rate in (limits.MIN_RATE, 0, 1, limits.MAX_RATE):
        expected = [tenor.static_discounts(rules, rate, t) for t in drawn]
        assert set(expected) == {(ONE, ONE)}
        assert list(harness.call("staticDiscounts", data(rules), 1, [rate] * len(drawn), drawn)) == expected


def test_skew_multipliers(harness: Contract, rng: Random) -> None:
    k = [*UNITS, *(0,) * 20, *(rng.randint(-(30 << 58), 30 << 58) for _ in range(10 * DRAWS))]
    caps = [rng.choice((0, 1, -1, 16 * ONE, -16 * ONE, rng.randint(-ONE, ONE))) for _ in k]
    stars = [rng.choice((1, 288_230, 16 * ONE, int(2 ** rng.uniform(1, 62)))) for _ in k]
    expected = [tenor.skew_multiplier(*case) for case in zip(k, caps, stars, strict=True)]
    assert list(harness.call("skewMultiplier", k, caps, stars)) == expected


def test_shocked_vols(harness: Contract, rng: Random) -> None:
    most = 1 << 62
    rows = [
        (
            between(rng, 0, most),
            rng.choice((0, ONE, between(rng, 0, most))),
            rng.choice((0, between(rng, -most, most))),
            rng.choice((0, between(rng, 0, most))),
        )
        for _ in range(10 * DRAWS)
    ]
    expected = []
    for vol, multiplier, added, floor in rows:
        shock = scenario.Shock(1, 0, multiplier, added, floor, None)
        expected.append(scenario.shocked_vol(vol, shock, multiplier))
    columns = [list(column) for column in zip(*rows, strict=True)]
    assert list(harness.call("shockedVol", *columns)) == expected
