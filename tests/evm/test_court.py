"""MarginCourt: figures of hand-checked books, and what it refuses. Random books are compared in tests/differential."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import margin, value_table
from marginproof.spec.market import MarketSnapshot, encode_market
from marginproof.spec.model import Model, Scenario, VolKind, encode_model, model_hash

from .agreement import assert_refused_alike
from .court import Court
from .machine import NOBODY, Contract, Machine, refused
from .samples import (
    DAY,
    LATER,
    LIVE,
    MARKET,
    MODEL,
    SETTLED,
    TIME,
    WAD,
    market_with,
    model_with,
    raw_market,
    rules,
)

UNIT = 10**8
SPOT = Instrument(1, Kind.SPOT)
PERPETUAL = Instrument(2, Kind.PERPETUAL)
FUTURE = Instrument(1, Kind.FUTURE, LIVE)
STRIKE = 80_000 * UNIT
CALL = Instrument(1, Kind.CALL, LIVE, STRIKE)
PUT = Instrument(1, Kind.PUT, LIVE, STRIKE)


@pytest.fixture(scope="module")
def court() -> Court:
    return Court(underlyings=3)


def keccak_of_market(market: MarketSnapshot) -> bytes:
    """The market hash of bytes that `encode_market` would refuse."""
    harness: Contract = Machine().deploy("CodecHarness")
    return bytes(harness.call("marketHash", raw_market(market)))


def test_nothing_held(court: Court) -> None:
    model = court.publish(MODEL)
    assert court.recompute(model, b"", MARKET) == (0, 0, 0, 0, b"")
    assert court.reprice(model, b"", MARKET, b"") == (0, 0, 0, 0, b"")
    assert court.losses(model, b"", MARKET, 1) == [0] * 4


def test_spot_and_its_worst_scenario(court: Court) -> None:
    """One coin at 80,000: down to a third, half counted, 26,666.67 lost; down 15% fully counted, only 12,000."""
    model, portfolio = court.publish(MODEL), court.portfolio([(SPOT, UNIT)])
    lost = (80_000 * UNIT - 80_000 * UNIT * (WAD // 3) // WAD) * UNIT * (WAD // 2)
    figures = court.recompute(model, portfolio, MARKET)
    initial, maintenance = -(-lost // 10**26), -(-lost * 8 // 10**27)
    assert figures == (80_000 * UNIT, 80_000 * UNIT, initial, maintenance, bytes((1, 3)))
    assert court.losses(model, portfolio, MARKET, 1)[2:] == [12_000 * UNIT * UNIT * WAD, lost]


def test_a_perpetual_is_worth_its_price_less_funding(court: Court) -> None:
    """Short 2 at 40,040, spot being 40,000, with cumulative funding -5: worth -80,090; up 15% loses 12,012."""
    model, portfolio = court.publish(MODEL), court.portfolio([(PERPETUAL, -2 * UNIT)])
    assert court.recompute(model, portfolio, MARKET) == (
        *(-80_090 * UNIT, 0, 12_012 * UNIT, 9_609_60000000),
        bytes((2, 1)),
    )


def test_call_less_put_is_the_future_less_the_strike(court: Court) -> None:
    model = court.publish(MODEL)
    synthetic = court.portfolio([(CALL, UNIT), (PUT, -UNIT)])
    losses = court.losses(model, court.portfolio([(FUTURE, UNIT)]), MARKET, 1)
    assert court.losses(model, synthetic, MARKET, 1) == losses
    value, spot, *_ = court.recompute(model, synthetic, MARKET)
    assert (value, spot) == (100 * UNIT, 0)


def test_a_settled_expiry_is_worth_its_payoff_and_moves_no_more(court: Court) -> None:
    model = court.publish(MODEL)
    call, put = Instrument(1, Kind.CALL, SETTLED, 78_000 * UNIT), Instrument(1, Kind.PUT, SETTLED, STRIKE)
    future, worthless = Instrument(1, Kind.FUTURE, SETTLED), Instrument(1, Kind.CALL, SETTLED, STRIKE)
    book = [(call, 3 * UNIT), (put, -UNIT), (future, UNIT), (worthless, 5 * UNIT)]
    portfolio = court.portfolio(book)
    assert court.recompute(model, portfolio, MARKET) == (81_000 * UNIT, 0, 0, 0, bytes((1, 0)))


def test_ties_go_to_the_lowest_index(court: Court) -> None:
    twice = (Scenario(WAD, VolKind.NONE, WAD), *(Scenario(9 * WAD // 10, VolKind.NONE, WAD),) * 3)
    model = court.publish(Model((replace(rules(1), scenarios=twice), rules(2))))
    for quantity, worst in ((UNIT, 1), (-UNIT, 0)):
        figures = court.recompute(model, court.portfolio([(SPOT, quantity)]), MARKET)
        assert figures[-1] == bytes((1, worst))


def test_values_round_down_and_requirements_up(court: Court) -> None:
    model = court.publish(MODEL)
    for quantity in (1, -1):
        book = [(Instrument(1, Kind.CALL, LATER, STRIKE), quantity), (Instrument(2, Kind.SPOT), quantity)]
        expected = margin(book, value_table(MARKET, MODEL))
        figures = court.recompute(model, court.portfolio(book), MARKET)
        assert figures[:4] == (expected.value, expected.spot_value, expected.initial, expected.maintenance)


def test_underlyings_add_up(court: Court) -> None:
    model = court.publish(MODEL)
    one, other = [(CALL, -UNIT), (SPOT, UNIT)], [(PERPETUAL, -UNIT)]
    figures = court.recompute(model, court.portfolio(one + other), MARKET)
    first = court.recompute(model, court.portfolio(one), MARKET)
    second = court.recompute(model, court.portfolio(other), MARKET)
    assert figures[4] == first[4] + second[4]
    assert figures[0] in (first[0] + second[0], first[0] + second[0] + 1)


def test_the_worst_choices_reprice_to_the_full_figures(court: Court) -> None:
    model, portfolio = court.publish(MODEL), court.portfolio([(CALL, -UNIT), (PERPETUAL, UNIT)])
    figures = court.recompute(model, portfolio, MARKET)
    assert court.reprice(model, portfolio, MARKET, figures[4]) == figures
    other = court.reprice(model, portfolio, MARKET, bytes((1, 0, 2, 0)))
    assert other == (*figures[:2], 0, 0, bytes((1, 0, 2, 0)))


WRONG = (
    b"",
    b"\1",
    b"\1\0",
    b"\1\0\2",
    b"\2\0\1\0",
    b"\1\0\2\0\3\0",
    b"\1\0\1\0",
    b"\1\0\3\0",
    b"\1\0\2\0\0",
)


@pytest.mark.parametrize("choices", WRONG, ids=[choices.hex() or "none" for choices in WRONG])
def test_wrong_choices(court: Court, choices: bytes) -> None:
    model, portfolio = court.publish(MODEL), court.portfolio([(SPOT, UNIT), (PERPETUAL, UNIT)])
    for call in (court.reprice, court.losses_at):
        with refused("WrongChoices", choices):
            call(model, portfolio, MARKET, choices)


def test_choices_without_positions(court: Court) -> None:
    with refused("WrongChoices", b"\1\0"):
        court.reprice(court.publish(MODEL), b"", MARKET, b"\1\0")


def test_a_scenario_that_is_not_there(court: Court) -> None:
    model, portfolio = court.publish(MODEL), court.portfolio([(SPOT, UNIT)])
    court.reprice(model, portfolio, MARKET, bytes((1, 3)))
    for index in (4, 255):
        for call in (court.reprice, court.losses_at):
            with refused("ScenarioOutOfRange", index, 4):
                call(model, portfolio, MARKET, bytes((1, index)))


def refused_by_all(
    court: Court, model: bytes, portfolio: bytes, market: bytes, name: str, *values: int
) -> None:
    underlying = portfolio[0] >> 2
    for call, more in (
        ("recompute", ()),
        ("repriceScenario", (bytes((underlying, 0)),)),
        ("lossesAt", (bytes((underlying, 0)),)),
        ("losses", (underlying,)),
    ):
        with refused(name, *values):
            court.court.call(call, model, portfolio, market, *more)


def test_unknown_instruments(court: Court) -> None:
    model = court.publish(MODEL)
    unknown = 1 << 26 | 1_000 << 16
    portfolio = unknown.to_bytes(4, "big") + UNIT.to_bytes(8, "big")
    refused_by_all(court, model, portfolio, encode_market(MARKET), "UnknownInstrument", unknown)


def test_a_model_never_published(court: Court) -> None:
    unknown = model_hash(model_with("vol_up", 12_345))
    with refused("UnknownModel", unknown):
        court.recompute(unknown, b"", MARKET)


def test_what_market_or_model_lacks(court: Court) -> None:
    both, first = court.publish(MODEL), court.publish(Model(MODEL.sections[:1]))
    perpetual = court.portfolio([(PERPETUAL, UNIT)])
    market = replace(MARKET, underlyings=MARKET.underlyings[:1])
    refused_by_all(court, first, perpetual, encode_market(MARKET), "MissingModelSection", 2)
    refused_by_all(court, both, perpetual, encode_market(market), "MissingUnderlying", 2)
    refused_by_all(court, first, perpetual, encode_market(market), "MissingModelSection", 2)
    for expiry in (TIME + DAY, TIME - 9 * DAY):
        for held in (Instrument(1, Kind.FUTURE, expiry), Instrument(1, Kind.PUT, expiry, STRIKE)):
            portfolio = court.portfolio([(held, UNIT)])
            refused_by_all(court, both, portfolio, encode_market(MARKET), "MissingExpiry", expiry)
            assert_refused_alike(
                partial(margin, [(held, UNIT)], value_table(MARKET, MODEL)),
                partial(court.recompute, both, portfolio, MARKET),
                "MissingExpiry",
            )


def test_losses_of_an_underlying_not_held_or_not_modelled(court: Court) -> None:
    model, portfolio = court.publish(MODEL), court.portfolio([(SPOT, UNIT)])
    assert court.losses(model, portfolio, MARKET, 2) == [0] * 4
    with refused("MissingModelSection", 3):
        court.losses(model, portfolio, MARKET, 3)


def test_the_losses_at_chosen_indices_are_those_of_the_specification(court: Court) -> None:
    model, book = court.publish(MODEL), [(CALL, -UNIT), (PUT, 2 * UNIT), (PERPETUAL, UNIT)]
    portfolio, expected = court.portfolio(book), margin(book, value_table(MARKET, MODEL))
    first, second = expected.scans
    for index in range(4):
        found = court.losses_at(model, portfolio, MARKET, bytes((1, index, 2, 3 - index)))
        assert found == [first.losses[index], second.losses[3 - index]]
    assert court.losses_at(model, b"", MARKET, b"") == []


def test_the_newest_epoch_s_market_is_not_checked_again(court: Court) -> None:
    """Known by its hash alone: bytes that differ anywhere are checked in full."""
    model, portfolio = court.publish(MODEL), court.portfolio([(SPOT, UNIT)])
    figures = court.recompute(model, portfolio, MARKET)
    spent = court.court.gas
    bad = market_with("sigma", 0)
    court.epochs.transact("setMarket", keccak_of_market(bad))
    assert court.court.call("recompute", model, portfolio, raw_market(bad)) == figures
    assert court.court.gas < spent
    for other in (market_with("sigma", -1), replace(bad, time=0)):
        with refused("OutOfRange"):
            court.court.call("recompute", model, portfolio, raw_market(other))
    for length in (0, 16, 100, len(raw_market(bad)) - 1):
        with refused("BadLength", length):
            court.court.call("recompute", model, portfolio, raw_market(bad)[:length])
    court.forget()
    with refused("OutOfRange"):
        court.court.call("recompute", model, portfolio, raw_market(bad))


def test_without_an_epoch_registry_every_market_is_checked(court: Court) -> None:
    model = court.publish(MODEL)
    alone = court.machine.deploy("MarginCourt", court.instruments.address, court.models.address, NOBODY)
    assert alone.call("recompute", model, b"", raw_market(MARKET)) == (0, 0, 0, 0, b"")
    with refused("OutOfRange"):
        alone.call("recompute", model, b"", raw_market(market_with("sigma", 0)))


def test_the_model_bytes_are_the_published_ones(court: Court) -> None:
    assert court.models.call("modelBytes", court.publish(MODEL)) == encode_model(MODEL)
