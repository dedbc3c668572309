"""Prices against outside feeds: attacks 13 and 14."""

from __future__ import annotations

import random

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

    def check_spot(self, spot: int, perpetual: int) -> None:
        """As posting asks: all underlyings in one call, here one."""
        self.guard.call("checkSpots", [BTC << 128 | spot << 64 | perpetual])

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
        guarded.answer(spot)
        distance = spot * BPS // 10_000
        for perpetual in (spot - distance, spot, spot + distance):
            guarded.check_spot(spot, perpetual)
        for perpetual in (spot - distance - 1, spot + distance + 1, 0, 2**64 - 1):
            with refused("PerpetualDeviation", BTC, perpetual, spot, BPS):
                guarded.check_spot(spot, perpetual)


def test_spot_is_checked_before_the_perpetual(guarded: Guarded) -> None:
    high = PRICE + PRICE * BPS // 10_000 + 1
    with refused("FeedDeviation", BTC, high, PRICE, BPS):
        guarded.check_spot(high, PRICE)


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


@pytest.mark.parametrize("ahead", [1, AGE, 2**32, 2**256 - 1 - START])
def test_answer_from_the_future_is_refused(guarded: Guarded, ahead: int) -> None:
    guarded.answer(PRICE, START + ahead)
    with refused("FeedStale", BTC, START + ahead, START):
        guarded.check()


def test_answer_from_the_future_is_refused_whatever_age_is_allowed(guarded: Guarded) -> None:
    guarded.guard.transact("setFeed", BTC, guarded.feed.address, 2**32 - 1, BPS)
    for updated_at in (START + 1, 2**256 - 1):
        guarded.answer(PRICE, updated_at)
        with refused("FeedStale", BTC, updated_at, START):
            guarded.check()


def test_feed_that_is_no_contract_any_more_is_refused(guarded: Guarded) -> None:
    guarded.check()
    guarded.machine.empty(guarded.feed)
    with refused("FeedFailed", BTC):
        guarded.check()


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_attack_13_zero_and_negative_answers_are_refused(guarded: Guarded, answer: int) -> None:
    guarded.answer(answer)
    with refused("FeedPriceNotPositive", BTC, answer):
        guarded.check()


@pytest.mark.parametrize("round_", [(2, PRICE, 0, 2), (2, PRICE, START, 1)])
def test_attack_13_incomplete_round_is_refused(guarded: Guarded, round_: tuple[int, int, int, int]) -> None:
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


def test_attack_14_feed_of_wrong_decimals_or_inverted_pair_stops_every_price(guarded: Guarded) -> None:
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
    assert event.name == "FeedsSet"
    feed = (guarded.feed.address.lower(), 8, AGE)
    assert event.values == {"underlying": ETH, "feeds": (feed,), "minFresh": 1, "maxDeviationBps": 0}
    assert guarded.guard.call("feedsOf", ETH) == ((feed,), 1, 0)
    assert guarded.guard.call("feedsOf", 9) == ((), 0, 0)


# --- several feeds -------------------------------------------------------------------------------------------------


class Median:
    """A guard with several feeds of mixed decimals and ages."""

    def __init__(self, count: int, min_fresh: int = 1) -> None:
        self.machine = Machine(time=START)
        self.guard = self.machine.deploy("PriceGuard", ADMIN)
        self.decimals = [(8, 18, 6, 0, 8, 12, 18)[i] for i in range(count)]
        self.ages = [AGE + i for i in range(count)]
        self.feeds = [self.machine.deploy("TestFeed", decimals) for decimals in self.decimals]
        self.set(min_fresh)

    def set(self, min_fresh: int, bps: int = BPS) -> None:
        sources = [(feed.address, age) for feed, age in zip(self.feeds, self.ages, strict=True)]
        self.guard.transact("setFeeds", BTC, sources, min_fresh, bps)

    def answer(self, index: int, dollars: int, updated_at: int = START) -> None:
        self.feeds[index].transact("setAnswer", dollars * 10 ** self.decimals[index], updated_at)


@pytest.mark.parametrize("seed", range(4))
def test_median_is_the_lower_middle_of_the_fresh_feeds(seed: int) -> None:
    draw = random.Random(seed)
    for count in range(1, 8):
        median = Median(count)
        for _ in range(6):
            fresh = []
            for index in range(count):
                price = draw.choice([100_000, draw.randrange(1, 10**6)])
                if draw.random() < 0.7 or (count == 1):
                    median.answer(index, price, START - median.ages[index])
                    fresh.append(price)
                else:
                    median.answer(index, price, draw.choice([0, START - median.ages[index] - 1, START + 1]))
            if not fresh:
                with refused("TooFewFreshFeeds", BTC, 0, 1):
                    median.guard.call("median", BTC)
                continue
            expected = sorted(fresh)[(len(fresh) - 1) // 2]
            assert median.guard.call("median", BTC) == expected * E8, f"seed {seed}"
            distance = expected * E8 * BPS // 10_000
            for price in (expected * E8 - distance, expected * E8 + distance):
                median.guard.call("check", BTC, price)
            for price in (expected * E8 - distance - 1, expected * E8 + distance + 1):
                with refused("FeedDeviation", BTC, price, expected * E8, BPS):
                    median.guard.call("check", BTC, price)


@pytest.mark.parametrize("flaw", ["stale", "future", "zero", "negative", "incomplete", "carried over"])
def test_a_bad_feed_among_several_is_left_out(flaw: str) -> None:
    median = Median(3, min_fresh=2)
    for index, price in enumerate((90_000, 100_000, 110_000)):
        median.answer(index, price)
    assert median.guard.call("median", BTC) == 100_000 * E8
    price = 100_000 * 10**18
    rounds = {
        "stale": (9, price, START - median.ages[1] - 1, 9),
        "future": (9, price, START + 1, 9),
        "zero": (9, 0, START, 9),
        "negative": (9, -1, START, 9),
        "incomplete": (9, price, 0, 9),
        "carried over": (9, price, START, 8),
    }
    median.feeds[1].transact("setRound", *rounds[flaw])
    assert median.guard.call("median", BTC) == 90_000 * E8
    median.set(3)
    with refused("TooFewFreshFeeds", BTC, 2, 3):
        median.guard.call("check", BTC, 90_000 * E8)


@pytest.mark.parametrize("habit", [1, 2, 3, 4], ids=["reverts", "too short", "dirty words", "huge answer"])
def test_a_failing_feed_among_several_is_left_out(habit: int) -> None:
    median = Median(2)
    strange = median.machine.deploy("StrangeFeed")
    median.feeds.append(strange)
    median.ages.append(AGE)
    median.set(2)
    median.answer(0, 2)
    median.answer(1, 3)
    assert median.guard.call("median", BTC) == 2 * E8
    assert median.guard.call("answer", BTC, 2) == E8
    strange.transact("setHabit", habit)
    assert median.guard.call("median", BTC) == 2 * E8
    with refused("FeedRoundIncomplete" if habit == 3 else "FeedFailed", BTC):
        median.guard.call("answer", BTC, 2)
    strange.transact("setHabit", 0)
    median.set(3)
    median.guard.call("median", BTC)
    strange.transact("setHabit", habit)
    with refused("TooFewFreshFeeds", BTC, 2, 3):
        median.guard.call("median", BTC)


def test_a_feed_that_burns_all_gas_is_left_out() -> None:
    median = Median(2)
    strange = median.machine.deploy("StrangeFeed")
    median.feeds.append(strange)
    median.ages.append(AGE)
    median.set(2)
    median.answer(0, 2)
    median.answer(1, 3)
    strange.transact("setHabit", 6)
    assert median.guard.call("median", BTC) == 2 * E8
    assert median.guard.gas < 400_000


def test_what_a_feed_answers_beyond_its_round_is_not_copied() -> None:
    median = Median(3)
    for index in range(3):
        median.answer(index, 2 + index)
    median.guard.call("median", BTC)
    usual = median.guard.gas
    strange = [median.machine.deploy("StrangeFeed") for _ in range(4)]
    median.feeds += strange
    median.ages += [AGE] * 4
    median.set(7)
    for feed in strange:
        feed.transact("setHabit", 7)
    assert median.guard.call("median", BTC) == E8
    # Each makes its own answer with gas of its own; none of it is the guard's.
    feed_gas = 4 * gas_of_answer(strange[0])
    assert median.guard.gas - usual - feed_gas < 30_000


def gas_of_answer(feed: Contract) -> int:
    """Inside of a transaction, without its 21,000 and its calldata."""
    feed.call("latestRoundData")
    return feed.gas - 21_000 - 4 * 16


def test_attack_14_one_feed_of_wrong_decimals_or_inverted_moves_the_median_by_one_place() -> None:
    median = Median(5, min_fresh=3)
    for index, price in enumerate((99_998, 99_999, 100_000, 100_001, 100_002)):
        median.answer(index, price)
    for wrong in (100_000 * 10**10, 1):
        median.feeds[2].transact("setAnswer", wrong, START)
        assert median.guard.call("median", BTC) in (99_999 * E8, 100_001 * E8)


def test_attack_15_one_feed_that_spikes_does_not_move_three() -> None:
    median = Median(3, min_fresh=3)
    for spike in (1, 10**6):
        for index, price in enumerate((100_000, spike, 100_000)):
            median.answer(index, price)
        assert median.guard.call("median", BTC) == 100_000 * E8


def test_deviation_may_be_given(guarded: Guarded) -> None:
    for bps in (0, 1, 200, 9_999):
        distance = PRICE * bps // 10_000
        for price in (PRICE - distance, PRICE + distance):
            assert guarded.guard.call("checkPrice", BTC << 128 | price << 64 | bps) is True
        for price in (PRICE - distance - 1, PRICE + distance + 1):
            with refused("FeedDeviation", BTC, price, PRICE, bps):
                guarded.guard.call("checkPrice", BTC << 128 | price << 64 | bps)


def test_fewer_feeds_later_leave_nothing_behind() -> None:
    median = Median(3)
    for index, price in enumerate((1, 2, 3)):
        median.answer(index, price)
    median.feeds, median.ages = median.feeds[1:2], median.ages[1:2]
    median.set(1)
    assert median.guard.call("median", BTC) == 2 * E8
    assert median.guard.call("feedsOf", BTC)[0] == ((median.feeds[0].address.lower(), 18, AGE + 1),)
    with refused("NoFeed", BTC):
        median.guard.call("answer", BTC, 1)


def test_impossible_sets_of_feeds_are_refused() -> None:
    median = Median(3)
    sources = [(feed.address, AGE) for feed in median.feeds]
    first = median.feeds[0].address.lower()
    for given, min_fresh, error, values in (
        ([], 1, "FeedCountOutOfRange", (BTC, 0, 7)),
        (sources * 3, 1, "FeedCountOutOfRange", (BTC, 9, 7)),
        (sources, 0, "MinFreshOutOfRange", (BTC, 0, 3)),
        (sources, 4, "MinFreshOutOfRange", (BTC, 4, 3)),
        ([*sources, sources[0]], 1, "DuplicateFeed", (BTC, first)),
        ([sources[0], (sources[1][0], 0)], 1, "LimitOutOfRange", (BTC, 0, BPS)),
    ):
        with refused(error, *values):
            median.guard.transact("setFeeds", BTC, given, min_fresh, BPS)
    with refused_as(UNAUTHORISED):
        median.guard.transact("setFeeds", BTC, sources, 1, BPS, caller=STRANGER)
