"""Option values, one per option and scenario: specification against Solidity, at least 100,000 of them per run."""

from __future__ import annotations

from random import Random

from evm.machine import Contract
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import MarketSnapshot, encode_market
from marginproof.spec.model import Model, VolKind, encode_model
from marginproof.spec.scenario import dated_value, prepare_expiry, prepare_shock, vol_rule

from .draws import TIME, quotes, seconds, section, strike, underlying_market
from .seeding import scaled

CELLS = 100_000
OPTIONS = 24
SCENARIOS = 31


def options(rng: Random, forward: int) -> list[tuple[Kind, int]]:
    """Calls and puts at drawn strikes."""
    return [(rng.choice((Kind.CALL, Kind.PUT)), strike(rng, forward)) for _ in range(OPTIONS)]


def test_option_values_in_every_scenario(harness: Contract, rng: Random) -> None:
    wanted, compared = scaled(CELLS), 0
    while compared < wanted:
        part = underlying_market(rng, rng.randint(1, 63), 3, 0)
        model = Model((section(rng, part.underlying, SCENARIOS),))
        market = MarketSnapshot(TIME, 10**8, (part,))
        for quote in part.expiries:
            expiry = prepare_expiry(quote, market.time)
            rules = model.sections[0]
            shocks = [prepare_shock(rules, expiry, scenario) for scenario in (None, *rules.scenarios)]
            drawn = options(rng, quote.forward_e8)
            expected = [
                dated_value(Instrument(part.underlying, kind, quote.expiry, k), expiry, shock)
                for kind, k in drawn
                for shock in shocks
            ]
            packed = [k << 1 | (kind == Kind.PUT) for kind, k in drawn]
            parts = (encode_model(model), encode_market(market), part.underlying, quote.expiry, packed)
            actual = list(harness.call("optionValues", *parts))
            if actual != expected:
                i = next(i for i, (a, b) in enumerate(zip(actual, expected, strict=True)) if a != b)
                option, move = divmod(i, len(shocks))
                raise AssertionError(
                    f"{actual[i]} != {expected[i]}: {drawn[option]}, {quote}, move {move} of {rules}"
                )
            compared += len(expected)
    print(f"{compared} cells compared")
    assert compared >= wanted


def test_vol_rules(harness: Contract, rng: Random) -> None:
    for _ in range(scaled(60)):
        rules = section(rng, 1, 1)
        times = [seconds(rng) for _ in range(12)]
        actual = harness.call("volRules", encode_model(Model((rules,))), 1, times)
        for time, (up, floor, down) in zip(times, actual, strict=True):
            assert (up, floor) == vol_rule(rules, VolKind.UP, time)
            assert (down, 0) == vol_rule(rules, VolKind.DOWN, time)


def test_drawn_expiries_reach_the_corners() -> None:
    rng = Random(1)
    drawn = {quote.expiry - TIME for _ in range(300) for quote in quotes(rng, 10**12, 3)}
    assert {1, 1_799, 86_399, 86_400, 30 * 86_400 - 1, 30 * 86_400, 30 * 86_400 + 1} <= drawn
