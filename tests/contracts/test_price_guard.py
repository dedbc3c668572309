"""Prices against outside feeds: attacks 13 and 14."""

from __future__ import annotations

import pytest

from evm.machine import ADMIN, START, STRANGER, Contract, Machine, refused

from .refusals import UNAUTHORISED, refused_as
from .setting import BTC, E8, ETH

AGE = 600
BPS = 500
PRICE = 100_000 * E8


class Guarded:
    """A guard with one feed."""

    def __init__(self, decimals: int = 8) -> None:
        self.machine = Machine(time=START)
        self.guard = self.machine.deploy("PriceGuard", ADMIN)
        self.feed = self.machine.deploy("TestFeed", decimals)
        self.guard.transact("setFeed", BTC, self.feed.address, AGE, BPS)
        self.feed.transact("setAnswer", PRICE * 10**decimals // E8, START)

    def check(self, price: int = PRICE) -> None:
        self.guard.call("check", BTC, price)

    def answer(self, answer: int, updated_at: int = START) -> None:
        self.feed.transact("setAnswer", answer, updated_at)


@pytest.fixture
def guarded() -> Guarded:
    """A feed of 8 decimals at 100,000."""
    return Guarded()


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_price_within_the_deviation_passes_and_one_unit_beyond_does_not(decimals: int) -> None:
    guarded = Guarded(decimals)
    low, high = PRICE - PRICE * BPS // 10_000, PRICE + PRICE * BPS // 10_000
    for price in (PRICE, low, high):
        guarded.check(price)
    for price in (low - 1, high + 1):
        with refused("FeedDeviation", BTC, price, PRICE, BPS):
            guarded.check(price)


def test_perpetual_within_the_deviation_of_spot_passes_and_one_unit_beyond_does_not(guarded: Guarded) -> None:
    for spot in (PRICE, PRICE + 19, 10**6):
        distance = spot * BPS // 10_000
        for perpetual in (spot - distance, spot, spot + distance):
            guarded.guard.call("checkPerpetual", BTC, perpetual, spot)
        for perpetual in (spot - distance - 1, spot + distance + 1, 0, 2**64 - 1):
            with refused("PerpetualDeviation", BTC, perpetual, spot, BPS):
                guarded.guard.call("checkPerpetual", BTC, perpetual, spot)


def test_perpetual_without_a_feed_may_not_leave_spot(guarded: Guarded) -> None:
    guarded.guard.call("checkPerpetual", ETH, PRICE, PRICE)
    with refused("PerpetualDeviation", ETH, PRICE + 1, PRICE, 0):
        guarded.guard.call("checkPerpetual", ETH, PRICE + 1, PRICE)


def test_no_rounding_lets_a_price_pass() -> None:
    guarded = Guarded(18)
    guarded.answer(PRICE * 10**10 + 1)
    with refused("FeedDeviation", BTC, PRICE - PRICE * BPS // 10_000, PRICE, BPS):
        guarded.check(PRICE - PRICE * BPS // 10_000)


def test_answer_may_be_as_old_as_allowed(guarded: Guarded) -> None:
    guarded.answer(PRICE, START - AGE)
    guarded.check()
    guarded.answer(PRICE, START - AGE - 1)
    with refused("FeedStale", BTC, START - AGE - 1, START):
        guarded.check()


def test_answer_from_the_future_is_refused(guarded: Guarded) -> None:
    guarded.answer(PRICE, START + 1)
    with refused("FeedStale", BTC, START + 1, START):
        guarded.check()


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_zero_and_negative_answers_are_refused(guarded: Guarded, answer: int) -> None:
    guarded.answer(answer)
    with refused("FeedPriceNotPositive", BTC, answer):
        guarded.check()


@pytest.mark.parametrize("round_", [(2, PRICE, 0, 2), (2, PRICE, START, 1)])
def test_incomplete_round_is_refused(guarded: Guarded, round_: tuple[int, int, int, int]) -> None:
    guarded.feed.transact("setRound", *round_)
    with refused("FeedRoundIncomplete", BTC):
        guarded.check()


@pytest.mark.parametrize("habit", [1, 2, 4], ids=["reverts", "answers too short", "huge answer"])
def test_failing_feed_is_refused_by_name(habit: int) -> None:
    guarded = Guarded()
    strange = guarded.machine.deploy("StrangeFeed")
    guarded.guard.transact("setFeed", BTC, strange.address, AGE, BPS)
    guarded.check(E8)
    strange.transact("setHabit", habit)
    with refused("FeedFailed", BTC):
        guarded.check(E8)


def test_words_beyond_their_type_are_refused_by_name() -> None:
    guarded = Guarded()
    strange = guarded.machine.deploy("StrangeFeed")
    guarded.guard.transact("setFeed", BTC, strange.address, AGE, BPS)
    strange.transact("setHabit", 3)
    with refused("FeedRoundIncomplete", BTC):
        guarded.check(E8)


def test_underlying_without_feed_is_refused(guarded: Guarded) -> None:
    with refused("NoFeed", ETH):
        guarded.guard.call("check", ETH, PRICE)


def test_feed_of_wrong_decimals_or_inverted_pair_stops_every_price(guarded: Guarded) -> None:
    for answer in (PRICE * 10**10, PRICE // 100, E8 * E8 // PRICE):
        guarded.answer(answer)
        with refused("FeedDeviation"):
            guarded.check()


def test_feed_is_checked_when_set(guarded: Guarded) -> None:
    strange = guarded.machine.deploy("StrangeFeed")
    for habit, error, values in ((1, "FeedFailed", (BTC,)), (5, "TooManyDecimals", (BTC, 19))):
        strange.transact("setHabit", habit)
        with refused(error, *values):
            guarded.guard.transact("setFeed", BTC, strange.address, AGE, BPS)
    with refused("FeedFailed", BTC):
        guarded.guard.transact("setFeed", BTC, STRANGER, AGE, BPS)
    guarded.check()


@pytest.mark.parametrize(("age", "bps"), [(0, BPS), (AGE, 10_000)])
def test_limits_that_check_nothing_are_refused(guarded: Guarded, age: int, bps: int) -> None:
    with refused("LimitOutOfRange", BTC, age, bps):
        guarded.guard.transact("setFeed", BTC, guarded.feed.address, age, bps)


def test_only_the_admin_sets_feeds(guarded: Guarded) -> None:
    with refused_as(UNAUTHORISED):
        guarded.guard.transact("setFeed", BTC, guarded.feed.address, AGE, BPS, caller=STRANGER)


def test_setting_is_an_event_and_can_be_read(guarded: Guarded) -> None:
    guarded.guard.transact("setFeed", ETH, guarded.feed.address, AGE, 0)
    (event,) = guarded.machine.events()
    assert event.name == "FeedSet"
    assert event.values["underlying"] == ETH
    feed: Contract = guarded.feed
    assert guarded.guard.call("feedOf", ETH) == (feed.address.lower(), 8, AGE, 0)
