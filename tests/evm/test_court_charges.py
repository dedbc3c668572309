"""Competing charges, add-ons and the peg: one hand-checked figure each, and the indices that charges have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model, Scenario, VolKind, neutral_section

from .court import Court
from .machine import refused
from .samples import LIVE, MARKET, SETTLED, WAD, market_with

UNIT = 10**8
STILL = (Scenario(WAD, VolKind.NONE, WAD), Scenario(WAD, VolKind.NONE, WAD))
"""Two scenarios in which nothing moves."""
SPOT = Instrument(1, Kind.SPOT)
PERPETUAL = Instrument(1, Kind.PERPETUAL)
FUTURE = Instrument(1, Kind.FUTURE, LIVE)
STRIKE = 80_000 * UNIT
CALL, PUT = (Instrument(1, kind, LIVE, STRIKE) for kind in (Kind.CALL, Kind.PUT))
OTHER_CALL = Instrument(1, Kind.CALL, LIVE, 90_000 * UNIT)
WEEKS = LIVE - MARKET.time
BASIS = {"basis_up": 105 * WAD // 100, "basis_down": 94 * WAD // 100}

Held = Sequence[tuple[Instrument, int]]


@pytest.fixture(scope="module")
def court() -> Court:
    return Court(underlyings=2)


def margins(
    court: Court, held: Held, market: MarketSnapshot = MARKET, **fields: int
) -> tuple[int, int, bytes]:
    """Initial and maintenance margin and choices where only `fields` are not neutral."""
    model = court.publish(Model((neutral_section(1, STILL, **fields), neutral_section(2, STILL))))
    figures = court.recompute(model, court.portfolio(held), market)
    return figures[2], figures[3], figures[4]


def test_basis_takes_the_worse_move_times_its_factor(court: Court) -> None:
    """A future at 80,100: up 5% costs a short 4,005, down 6% costs a long 4,806; half of that, plus twice per year for 14 days."""
    factor = WAD // 2 + 2 * WAD * WEEKS // (365 * 86_400)
    rules = BASIS | {"basis_base": WAD // 2, "basis_per_year": 2 * WAD}
    for quantity, move in ((UNIT, 4_806), (-UNIT, 4_005)):
        expected = -(-move * UNIT * factor // WAD)
        assert margins(court, [(FUTURE, quantity)], **rules) == (expected, expected, bytes((1, 2)))
    assert margins(court, [(SPOT, UNIT), (PERPETUAL, -UNIT)], **rules) == (0, 0, bytes((1, 0)))


def test_basis_of_each_expiry_adds_up_without_offset(court: Court) -> None:
    later = Instrument(1, Kind.FUTURE, MARKET.underlyings[0].expiries[1].expiry)
    rules = BASIS | {"basis_base": WAD}
    one, other = (margins(court, [(i, q)], **rules)[0] for i, q in ((FUTURE, UNIT), (later, -UNIT)))
    assert one > 0
    assert other > 0
    assert margins(court, [(FUTURE, UNIT), (later, -UNIT)], **rules)[0] == one + other


def test_delta_charge_takes_net_and_hedged(court: Court) -> None:
    """Long 3 spot, short 1 perpetual and 1 future: net 1 at 10%, hedged 2 at 1%, at 80,000: 8,000 + 1,600."""
    held = [(SPOT, 3 * UNIT), (PERPETUAL, -UNIT), (FUTURE, -UNIT)]
    rules = {"delta_net": WAD // 10, "delta_hedged": WAD // 100}
    assert margins(court, held, **rules) == (9_600 * UNIT, 9_600 * UNIT, bytes((1, 2)))
    settled = [(Instrument(1, Kind.FUTURE, SETTLED), UNIT)]
    assert margins(court, settled, **rules) == (0, 0, bytes((1, 0)))


def test_call_less_put_has_the_delta_of_the_future(court: Court) -> None:
    rules = {"delta_net": WAD // 10}
    future, synthetic = (
        margins(court, held, **rules)[0] for held in ([(FUTURE, UNIT)], [(CALL, UNIT), (PUT, -UNIT)])
    )
    assert synthetic == future == 8_000 * UNIT


def test_short_minimum_is_per_short_option_and_no_net(court: Court) -> None:
    """10 and 1% of 80,000 for each of 3 shorts, the long of the same strike notwithstanding: 2,430."""
    held = [(CALL, -2 * UNIT), (PUT, -UNIT), (OTHER_CALL, 5 * UNIT), (FUTURE, -UNIT)]
    rules = {"short_minimum": 10 * UNIT, "short_minimum_rate": WAD // 100}
    assert margins(court, held, **rules) == (2_430 * UNIT, 2_430 * UNIT, bytes((1, 2)))


ADD_ONS = {
    "naked shorts": ([(CALL, -3 * UNIT), (PUT, UNIT), (OTHER_CALL, 9 * UNIT)], "naked", 2),
    "naked puts": ([(CALL, UNIT), (PUT, -3 * UNIT)], "naked", 2),
    "no naked shorts": ([(CALL, -UNIT), (PUT, UNIT)], "naked", 0),
    "perpetuals": ([(PERPETUAL, -2 * UNIT), (SPOT, UNIT)], "perpetual", 2),
    "futures": ([(FUTURE, -2 * UNIT), (PERPETUAL, UNIT)], "future", 2),
    "spot collateral": ([(SPOT, 2 * UNIT), (FUTURE, UNIT)], "haircut", 2),
}


@pytest.mark.parametrize(("held", "name", "units"), ADD_ONS.values(), ids=ADD_ONS.keys())
def test_add_ons_of_notional(court: Court, held: Held, name: str, units: int) -> None:
    """2% for maintenance, another 3% for initial, of units at 80,000, whatever perpetual and future cost."""
    rules = {f"{name}_maintenance": WAD // 50, f"{name}_initial": 3 * WAD // 100}
    expected = (units * 4_000 * UNIT, units * 1_600 * UNIT, bytes((1, 0)))
    assert margins(court, held, **rules) == expected


def test_confidence_below_the_threshold(court: Court) -> None:
    """Spot at confidence 0.4, the expiry at 0.3, threshold 0.5, rate 10%: (0.6 + 0.7 x 2) x 8,000 for initial margin alone."""
    first, second = MARKET.underlyings
    live, later = first.expiries
    quoted = replace(
        first, confidence_wad=4 * WAD // 10, expiries=(replace(live, confidence_wad=3 * WAD // 10), later)
    )
    market = replace(MARKET, underlyings=(quoted, second))
    rules = {"confidence_threshold": WAD // 2, "confidence_rate": WAD // 10}
    held = [(PERPETUAL, -UNIT), (FUTURE, UNIT), (CALL, -UNIT)]
    assert margins(court, held, market, **rules) == (16_000 * UNIT, 0, bytes((1, 0)))
    assert margins(court, held, **rules) == (0, 0, bytes((1, 0)))
    at = replace(first, confidence_wad=WAD // 2)
    assert margins(court, held, replace(MARKET, underlyings=(at, second)), **rules)[0] == 0


def test_the_peg_raises_the_initial_factor(court: Court) -> None:
    """Settlement token at 0.96, threshold 0.98, factor 2: initial margin times 1.04. Delta charge of one spot: 8,000."""
    rules = {"delta_net": WAD // 10, "peg_threshold": 98 * 10**6, "peg_factor": 2 * WAD}
    for token, initial in ((96 * 10**6, 8_320), (98 * 10**6, 8_000), (10**8, 8_000)):
        market = market_with("settlement_token_e8", token)
        assert margins(court, [(SPOT, UNIT)], market, **rules)[:2] == (initial * UNIT, 8_000 * UNIT)


CHARGES = {"basis": "basis_base", "delta": "delta_hedged", "short minimum": "short_minimum_rate"}


@pytest.mark.parametrize(
    "present", [(), ("basis",), ("delta",), ("short minimum",), ("basis", "short minimum"), tuple(CHARGES)]
)
def test_charges_have_the_indices_after_the_scenarios(court: Court, present: tuple[str, ...]) -> None:
    rules = {CHARGES[name]: WAD // 50 for name in present}
    model = court.publish(Model((neutral_section(1, STILL, **rules | BASIS),)))
    count = len(STILL) + len(present)
    held = court.portfolio([(SPOT, UNIT), (FUTURE, -UNIT), (CALL, -UNIT)])
    losses = court.losses(model, held, MARKET, 1)
    assert len(losses) == count
    assert [loss > 0 for loss in losses] == [False, False, *(True for _ in present)]
    assert court.losses(model, b"", MARKET, 1) == [0] * count
    for index in range(count):
        figures = court.reprice(model, held, MARKET, bytes((1, index)))
        assert figures[2] == -(-max(0, losses[index]) // 10**26)
    for index in (count, count + 1, 255):
        with refused("ScenarioOutOfRange", index, count):
            court.reprice(model, held, MARKET, bytes((1, index)))


def test_a_skew_counts_against_either_side_and_leaves_the_forward(court: Court) -> None:
    skew = Scenario(2 * WAD, VolKind.LINEAR_SKEW, WAD)
    section = neutral_section(1, (skew,), linear_cap=WAD // 5, skew_minimum=WAD // 100)
    model = court.publish(Model((section,)))
    long, short = (
        court.losses(model, court.portfolio([(OTHER_CALL, q * UNIT), (FUTURE, q * UNIT)]), MARKET, 1)
        for q in (1, -1)
    )
    assert long == short
    assert long[0] > 0
    assert court.losses(model, court.portfolio([(SPOT, UNIT)]), MARKET, 1) == [-STRIKE * UNIT * WAD]
