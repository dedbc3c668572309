"""Posting epochs: attacks 1 to 7 of signatures and headers, 13 of prices, and settlement prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_utils.address import to_canonical_address

from evm.machine import ADMIN, START, STRANGER, refused
from marginproof.spec.abridged import abridge_market
from marginproof.spec.market import MarketSnapshot, encode_market, market_hash
from marginproof.spec.model import encode_model, model_hash
from marginproof.spec.typed_data import EpochHeader, digest, domain_separator

from . import setting
from .bonds import LEAVE_DELAY
from .setting import BTC, DAY, E8, ETH, MONTH, WEEK
from .world import ATTESTERS, CHAIN_ID, THRESHOLD, World, person, sign

GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def ready(world: World) -> World:
    """Two accounts, and time enough for an epoch."""
    world.open(person("alice"), 1_000)
    world.open(person("bob"))
    world.advance()
    return world


def nothing_posted(world: World) -> bool:
    return bool(world.epochs.call("lastRound") == 0)


# --- good epochs ---------------------------------------------------------------------------------------------------


def test_good_epoch_is_posted_with_all_that_is_needed_to_check_it(ready: World) -> None:
    header = ready.snapshot()
    signatures = ready.signatures(header)
    ready.submit(header, signatures)
    assert ready.event("EpochPosted") == {
        "round": 1,
        "header": astuple(header),
        "signatures": signatures,
        "market": ready.market_bytes(),
    }
    assert ready.epochs.call("latestHeader") == astuple(header)
    assert ready.epochs.call("requireLive") == astuple(header)
    assert ready.epochs.call("lastRound") == 1


def test_digest_is_the_specifications(ready: World) -> None:
    header = ready.snapshot()
    separator = domain_separator(CHAIN_ID, to_canonical_address(ready.epochs.address))
    assert ready.epochs.call("domainSeparator") == separator
    assert ready.epochs.call("digest", astuple(header)) == digest(separator, header.struct_hash())


def test_rounds_may_leave_gaps(ready: World) -> None:
    ready.submit(replace(ready.snapshot(), round=7))
    ready.submit(replace(ready.snapshot(), round=9))
    assert ready.epochs.call("lastRound") == 9


def test_leaves_of_posted_rounds_go_into_the_logs_and_change_nothing(ready: World) -> None:
    header = ready.post()
    leaves = [astuple(leaf) for leaf in ready.leaves]
    with refused("RoundNotPosted", 2, 1):
        ready.epochs.transact("publishLeaves", 2, leaves)
    ready.do(ready.epochs, "publishLeaves", 1, leaves, by=STRANGER)
    published = [event.values for event in ready.machine.events()]
    assert published == [{"round": 1, "publisher": STRANGER, "leaves": tuple(leaves)}]
    assert ready.epochs.call("latestHeader") == astuple(header)


def test_epoch_is_in_force_until_just_before_its_end(ready: World) -> None:
    with refused("NoEpoch"):
        ready.epochs.call("requireLive")
    header = ready.post()
    ready.machine.set_time(header.valid_until - 1)
    ready.epochs.call("requireLive")
    ready.machine.set_time(header.valid_until)
    with refused("EpochExpired", header.valid_until, header.valid_until):
        ready.epochs.call("requireLive")


# --- signatures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, THRESHOLD - 1, THRESHOLD + 1])
def test_attack_3_too_few_or_too_many_signatures(ready: World, count: int) -> None:
    header = ready.snapshot()
    with refused("WrongSignatureCount", count, THRESHOLD):
        ready.submit(header, ready.signatures(header, ATTESTERS[:count]))
    assert nothing_posted(ready)


def test_attack_3_duplicate_signer(ready: World) -> None:
    header = ready.snapshot()
    twice = ATTESTERS[1]
    with refused("SignersNotIncreasing", twice.address.lower(), twice.address.lower()):
        ready.submit(header, ready.signatures(header, [ATTESTERS[0], twice, twice]))
    assert nothing_posted(ready)


def test_attack_3_unordered_signers(ready: World) -> None:
    header = ready.snapshot()
    first, second, third = ATTESTERS[:3]
    with refused("SignersNotIncreasing", third.address.lower(), second.address.lower()):
        ready.submit(header, ready.signatures(header, [first, third, second]))
    assert nothing_posted(ready)


def test_foreign_signer(ready: World) -> None:
    header = ready.snapshot()
    signers = sorted([*ATTESTERS[:2], person("mallory")], key=lambda signer: int(signer.address, 16))
    with refused("NotAttester", person("mallory").address.lower()):
        ready.submit(header, ready.signatures(header, signers))
    assert nothing_posted(ready)


def test_attack_6_retired_signer(ready: World) -> None:
    ready.attesters.transact("expel", ATTESTERS[0].address)
    ready.advance(LEAVE_DELAY)
    header = ready.snapshot()
    with refused("NotAttester", ATTESTERS[0].address.lower()):
        ready.submit(header)
    assert nothing_posted(ready)


def test_attack_1_flipped_s_is_refused(ready: World) -> None:
    header = ready.snapshot()
    good = ready.signatures(header)
    s = int.from_bytes(good[32:64], "big")
    flipped = good[:32] + (GROUP_ORDER - s).to_bytes(32, "big") + bytes([55 - good[64]])
    with refused("BadSignature", 0):
        ready.submit(header, flipped + good[65:])
    assert nothing_posted(ready)


def test_attack_1_compact_signature_is_refused(ready: World) -> None:
    header = ready.snapshot()
    good = ready.signatures(header)
    with refused("WrongSignatureLength", len(good) - 1):
        ready.submit(header, good[:-1])
    with refused("WrongSignatureLength", len(good) + 64):
        ready.submit(header, good + good[:64])
    assert nothing_posted(ready)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_attack_2_signature_that_recovers_nobody(ready: World, v: int) -> None:
    header = ready.snapshot()
    good = ready.signatures(header)
    with refused("BadSignature", 0):
        ready.submit(header, good[:64] + bytes([v]) + good[65:])
    with refused("BadSignature", 1):
        ready.submit(header, good[:65] + bytes(64) + b"\x1b" + good[130:])
    assert nothing_posted(ready)


def test_attack_4_header_of_another_chain(ready: World) -> None:
    header = ready.snapshot()
    with refused("NotAttester"):
        ready.submit(header, ready.signatures(header, chain_id=CHAIN_ID + 1))
    assert nothing_posted(ready)


def test_attack_4_header_of_another_registry(ready: World) -> None:
    header = ready.snapshot()
    message = digest(domain_separator(CHAIN_ID, b"\x11" * 20), header.struct_hash())
    with refused("NotAttester"):
        ready.submit(header, b"".join(sign(signer, message) for signer in ATTESTERS[:THRESHOLD]))
    assert nothing_posted(ready)


@pytest.mark.parametrize(
    "change",
    [
        {"round": 2},
        {"leaf_count": 3},
        {"leaf_root": b"\x01" * 32},
    ],
)
def test_signatures_hold_for_one_header_only(ready: World, change: dict[str, Any]) -> None:
    header = ready.snapshot()
    with refused("NotAttester"):
        ready.submit(replace(header, **change), ready.signatures(header))
    assert nothing_posted(ready)


# --- headers -------------------------------------------------------------------------------------------------------


def test_attack_5_reused_and_older_round(ready: World) -> None:
    first = ready.post()
    with refused("RoundNotNewer", 1, 1):
        ready.submit(first)
    ready.advance()
    for round_ in (0, 1):
        with refused("RoundNotNewer", round_, 1):
            ready.submit(replace(ready.snapshot(), round=round_))
    assert ready.epochs.call("latestHeader") == astuple(first)


def test_attack_7_of_two_headers_with_one_number_the_first_posted_stands(ready: World) -> None:
    """A quorum that signs two: whoever posts second is refused, and that both were signed costs the signers their bonds."""
    ready.advance()
    first = ready.snapshot()
    second = replace(
        first, block_number=first.block_number + 1, block_hash=ready.block_hash(first.block_number + 1)
    )
    signed = ready.signatures(second)
    ready.submit(first)
    ready.advance()
    with refused("RoundNotNewer", 1, 1):
        ready.submit(second, signed, previous=ready.market_bytes())
    assert ready.epochs.call("latestHeader") == astuple(first)


def test_rounds_are_bounded_so_that_one_header_cannot_use_them_up(ready: World) -> None:
    ready.post()
    ready.advance()
    for round_ in (1_002, 2**64 - 1):
        with refused("RoundTooFar", round_, 1_001):
            ready.submit(replace(ready.snapshot(), round=round_))
    ready.submit(replace(ready.snapshot(), round=1_001))


def test_attack_6_header_from_the_future(ready: World) -> None:
    header = ready.snapshot(setting.market(ready.time + 1))
    with refused("HeaderFromFuture", ready.time + 1, ready.time):
        ready.submit(header)


def test_attack_6_stale_header(ready: World) -> None:
    header = ready.snapshot()
    ready.advance(setting.MAX_AGE)
    with refused("EpochExpired", header.valid_until, header.valid_until):
        ready.submit(header)
    assert nothing_posted(ready)


def test_header_older_than_the_last(ready: World) -> None:
    old = ready.snapshot()
    market = ready.market
    ready.post()
    ready.market = market
    with refused("HeaderOlderThanLast", old.time, old.time + 12):
        ready.submit(replace(old, round=2))


@pytest.mark.parametrize("error", [-1, 1])
def test_end_of_validity_is_the_time_plus_the_greatest_age(ready: World, error: int) -> None:
    header = ready.snapshot()
    with refused("WrongValidUntil", header.valid_until + error, header.time + setting.MAX_AGE):
        ready.submit(replace(header, valid_until=header.valid_until + error))
    assert nothing_posted(ready)


def test_end_of_validity_is_the_next_expiry_when_that_is_earlier(ready: World) -> None:
    ready.advance(WEEK - ready.time - 100)
    header = ready.snapshot()
    assert header.valid_until == WEEK
    with refused("WrongValidUntil", header.time + setting.MAX_AGE, WEEK):
        ready.submit(replace(header, valid_until=header.time + setting.MAX_AGE))
    ready.submit(header)


def test_block_must_be_deep_enough(ready: World) -> None:
    header = ready.snapshot()
    for number in (ready.number - setting.MIN_DEPTH + 1, ready.number, ready.number + 1, 2**64 - 1):
        with refused("BlockNotDeepEnough", number, ready.number, setting.MIN_DEPTH):
            ready.submit(replace(header, block_number=number, block_hash=ready.block_hash(number)))
    assert nothing_posted(ready)


def test_block_hash_must_be_the_chains(ready: World) -> None:
    header = ready.snapshot()
    other = ready.block_hash(header.block_number - 1)
    with refused("WrongBlockHash", header.block_number, other, header.block_hash):
        ready.submit(replace(header, block_hash=other))
    assert nothing_posted(ready)


def test_block_too_old_to_be_known_is_refused_even_with_a_zero_hash(ready: World) -> None:
    header = ready.snapshot()
    old = ready.number - 257
    with refused("WrongBlockHash", old, bytes(32), bytes(32)):
        ready.submit(replace(header, block_number=old, block_hash=bytes(32)))
    assert nothing_posted(ready)


def test_model_must_be_the_current_one(ready: World) -> None:
    header = ready.snapshot()
    newer = setting.model(initial_wad=2 * setting.WAD)
    ready.models.transact("publish", encode_model(newer))
    with refused("WrongModel", header.model_hash, model_hash(newer)):
        ready.submit(header)
    assert nothing_posted(ready)


def test_no_model_is_no_match_for_a_zero_hash(ready: World) -> None:
    empty = ready.machine.deploy("ModelRegistry", ADMIN)
    ready.epochs = ready.machine.deploy("EpochRegistry", *ready.registry_arguments(models=empty.address))
    with refused("WrongModel", bytes(32), bytes(32)):
        ready.submit(replace(ready.snapshot(), model_hash=bytes(32)))


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ({"max_age": 0}, ("maxAge", 0, 1, 2**32 - 1)),
        ({"max_age": 2**32}, ("maxAge", 2**32, 1, 2**32 - 1)),
        ({"min_depth": 256}, ("minDepth", 256, 0, 255)),
        ({"dispute_window": 0}, ("disputeWindow", 0, 1, 365 * DAY)),
        ({"dispute_window": 365 * DAY + 1}, ("disputeWindow", 365 * DAY + 1, 1, 365 * DAY)),
        ({"policy": (0, 0, 10_000, 0, 0)}, ("deltaBps", 10_000, 0, 9_999)),
        ({"policy": (0, 0, 0, 10_001, 0)}, ("outflowShareBps", 10_001, 0, 10_000)),
        ({"policy": (0, 0, 0, 0, 10_001)}, ("tradeChargeBps", 10_001, 0, 10_000)),
    ],
)
def test_registry_of_impossible_terms(
    world: World, change: dict[str, Any], values: tuple[str, int, int, int]
) -> None:
    with refused("OutOfRange", *values):
        world.machine.deploy("EpochRegistry", *world.registry_arguments(**change))


# --- markets -------------------------------------------------------------------------------------------------------


def test_market_must_have_the_headers_hash(ready: World) -> None:
    header = ready.snapshot()
    other = setting.market(ready.time, {BTC: 100_001 * E8})
    with refused("WrongMarketHash", header.market_hash, market_hash(other)):
        ready.submit(header, market=encode_market(other))
    assert nothing_posted(ready)


def test_attack_11_market_with_trailing_bytes(ready: World) -> None:
    header = ready.snapshot()
    market = ready.market_bytes() + b"\0"
    with refused("BadLength", len(market)):
        ready.submit(header, market=market)
    assert nothing_posted(ready)


def test_attack_11_a_market_with_quotes_left_out_is_none_to_post_or_to_be_held_against(ready: World) -> None:
    """Abridged bytes have the market's hash, and would take bounds away with the quotes that they leave out."""
    header = ready.snapshot()
    assert ready.market is not None
    numbers = [part.underlying for part in ready.market.underlyings]
    for needed in ({}, {number: set() for number in numbers}):
        abridged = abridge_market(ready.market, needed)
        with refused("BadLength", len(abridged)):
            ready.submit(header, market=abridged)
    assert nothing_posted(ready)
    ready.submit(header)
    shown = abridge_market(ready.market, {number: set() for number in numbers})
    with refused("BadLength", len(shown)):
        ready.do(ready.epochs, "restoreSpots", shown)
    ready.advance()
    with refused("BadLength", len(shown)):
        ready.submit(ready.snapshot(), previous=shown)


def test_market_must_be_of_the_headers_time(ready: World) -> None:
    header = ready.snapshot(setting.market(ready.time - 1))
    with refused("WrongMarketTime", ready.time - 1, ready.time):
        ready.submit(replace(header, time=ready.time))
    assert nothing_posted(ready)


def test_market_out_of_range_is_refused_though_signed(ready: World) -> None:
    header = ready.snapshot()
    raw = bytearray(ready.market_bytes())
    raw[18:26] = bytes(8)
    assert ready.market is not None
    first, *others = ready.market.underlyings
    worthless = replace(ready.market, underlyings=(replace(first, spot_e8=0), *others))
    header = replace(header, market_hash=market_hash(worthless))
    with refused("OutOfRange", "spot", 0, 10**6, 10**14):
        ready.submit(header, market=bytes(raw))
    assert nothing_posted(ready)


def without(underlying: int) -> Callable[[MarketSnapshot], MarketSnapshot]:
    def change(market: MarketSnapshot) -> MarketSnapshot:
        kept = tuple(part for part in market.underlyings if part.underlying != underlying)
        return replace(market, underlyings=kept)

    return change


def with_third(market: MarketSnapshot) -> MarketSnapshot:
    return replace(market, underlyings=(*market.underlyings, replace(market.underlyings[1], underlying=3)))


def without_expiries(market: MarketSnapshot) -> MarketSnapshot:
    bare = tuple(replace(section, settlements=(), expiries=()) for section in market.underlyings)
    return replace(market, underlyings=bare)


def without_month(market: MarketSnapshot) -> MarketSnapshot:
    btc, eth = market.underlyings
    return replace(market, underlyings=(replace(btc, expiries=btc.expiries[:1]), eth))


@pytest.mark.parametrize(
    ("change", "error", "values"),
    [
        (without(BTC), "UnderlyingNotQuoted", (BTC,)),
        (without(ETH), "UnderlyingNotQuoted", (ETH,)),
        (with_third, "UnlistedUnderlying", (3,)),
        (without_month, "ExpiryNotQuoted", (BTC, MONTH)),
    ],
)
def test_market_must_quote_what_is_listed(
    ready: World, change: Callable[[MarketSnapshot], MarketSnapshot], error: str, values: tuple[int, ...]
) -> None:
    header = ready.snapshot(change(setting.market(ready.time)))
    with refused(error, *values):
        ready.submit(header)
    assert nothing_posted(ready)


# --- outside prices ------------------------------------------------------------------------------------------------


def test_attack_13_spot_away_from_the_feed(ready: World) -> None:
    header = ready.snapshot()
    answer = setting.SPOTS[ETH] * 110 // 100
    ready.feeds[ETH].transact("setAnswer", answer, ready.time)
    with refused("FeedDeviation", ETH, setting.SPOTS[ETH], answer, setting.DEVIATION_BPS):
        ready.submit(header)
    assert nothing_posted(ready)


def with_perpetual(world: World, underlying: int, price: int) -> EpochHeader:
    """A header over the market with another price of a perpetual."""
    market = setting.market(world.time)
    parts = tuple(
        replace(part, perpetual_e8=price) if part.underlying == underlying else part
        for part in market.underlyings
    )
    return world.snapshot(replace(market, underlyings=parts))


@pytest.mark.parametrize("underlying", [BTC, ETH])
def test_a_perpetual_stays_within_the_deviation_of_spot(ready: World, underlying: int) -> None:
    spot = setting.SPOTS[underlying]
    distance = spot * setting.DEVIATION_BPS // 10_000
    for price in (spot - distance - 1, spot + distance + 1):
        header = with_perpetual(ready, underlying, price)
        with refused("PerpetualDeviation", underlying, price, spot, setting.DEVIATION_BPS):
            ready.submit(header)
        assert nothing_posted(ready)
    for price in (spot - distance, spot + distance):
        ready.submit(with_perpetual(ready, underlying, price))
        ready.advance()


@pytest.mark.parametrize(
    ("round_", "error"),
    [
        ((9, setting.SPOTS[BTC], 1, 9), "FeedStale"),
        ((9, 0, START, 9), "FeedPriceNotPositive"),
        ((9, -1, START, 9), "FeedPriceNotPositive"),
        ((9, setting.SPOTS[BTC], 0, 9), "FeedRoundIncomplete"),
    ],
)
def test_attack_13_bad_feed_stops_the_epoch(ready: World, round_: tuple[int, ...], error: str) -> None:
    header = ready.snapshot()
    ready.feeds[BTC].transact("setRound", *round_)
    with refused(error):
        ready.submit(header)
    assert nothing_posted(ready)


def test_attack_13_reverting_feed_stops_the_epoch_by_name(ready: World) -> None:
    header = ready.snapshot()
    feed = ready.machine.deploy("StrangeFeed")
    ready.guard.transact("setFeed", BTC, feed.address, setting.FEED_AGE, setting.DEVIATION_BPS)
    feed.transact("setHabit", 1)
    with refused("FeedFailed", BTC):
        ready.submit(header)
    assert nothing_posted(ready)


# --- settlement ----------------------------------------------------------------------------------------------------


def expired(world: World, price: int = setting.SPOTS[BTC]) -> EpochHeader:
    """The first epoch after the week's expiry; BTC settled at a price."""
    world.advance(WEEK - world.time)
    return world.snapshot(setting.market(world.time, settled={(BTC, WEEK): price}))


def test_first_settlement_price_is_recorded(ready: World) -> None:
    price = setting.SPOTS[BTC] + 1
    ready.submit(expired(ready, price))
    recorded = [e.values for e in ready.machine.events() if e.name == "SettlementRecorded"]
    assert recorded == [
        {"underlying": BTC, "expiry": WEEK, "price": price},
        {"underlying": ETH, "expiry": WEEK, "price": setting.SPOTS[ETH]},
    ]
    assert ready.epochs.call("settlementPrice", BTC, WEEK) == price
    assert ready.epochs.call("settledAt", BTC, WEEK) == ready.time
    assert ready.epochs.call("settlementPrice", BTC, MONTH) == 0


def test_recorded_settlement_price_must_be_repeated(ready: World) -> None:
    price = setting.SPOTS[BTC]
    header = expired(ready)
    ready.submit(header)
    ready.advance()
    with refused("SettlementChanged", BTC, WEEK, price + 1, price):
        ready.submit(ready.snapshot(setting.market(ready.time, settled={(BTC, WEEK): price + 1})))
    recorded_at = ready.epochs.call("settledAt", BTC, WEEK)
    ready.submit(ready.snapshot())
    assert not [e for e in ready.machine.events() if e.name == "SettlementRecorded"]
    assert ready.epochs.call("settledAt", BTC, WEEK) == recorded_at


def test_recorded_settlement_price_is_not_judged_again(ready: World) -> None:
    ready.submit(expired(ready))
    ready.advance()
    half = setting.SPOTS[BTC] // 2
    market = setting.market(ready.time, {BTC: half}, settled={(BTC, WEEK): setting.SPOTS[BTC]})
    ready.submit(ready.snapshot(market))


def test_new_settlement_price_away_from_the_feed(ready: World) -> None:
    price = setting.SPOTS[BTC] * 2
    header = expired(ready, price)
    with refused("FeedDeviation", BTC, price, setting.SPOTS[BTC], setting.DEVIATION_BPS):
        ready.submit(header)
    assert ready.epochs.call("settlementPrice", BTC, WEEK) == 0


def test_attack_24_expiry_left_out_of_the_first_market_afterwards(ready: World) -> None:
    ready.advance(WEEK - ready.time)
    market = setting.market(ready.time)
    btc, eth = market.underlyings
    header = ready.snapshot(replace(market, underlyings=(replace(btc, settlements=()), eth)))
    with refused("ExpiryNotQuoted", BTC, WEEK):
        ready.submit(header)


def test_settled_expiry_may_be_left_out_later(ready: World) -> None:
    ready.submit(expired(ready))
    ready.advance()
    market = setting.market(ready.time)
    btc, eth = market.underlyings
    ready.submit(ready.snapshot(replace(market, underlyings=(replace(btc, settlements=()), eth))))
    assert ready.epochs.call("settlementPrice", BTC, WEEK) == setting.SPOTS[BTC]


def test_expiries_behind_settled_ones_are_still_required(ready: World) -> None:
    """Settled expiries at the front are remembered and skipped; an unquoted live one and an unsettled later one never are."""
    ready.submit(expired(ready))
    for _ in range(2):
        ready.advance()
        market = setting.market(ready.time)
        with refused("ExpiryNotQuoted", BTC, MONTH):
            ready.submit(ready.snapshot(without_expiries(market)))
        ready.submit(ready.snapshot(market))
    ready.advance(MONTH - ready.time)
    with refused("ExpiryNotQuoted", BTC, MONTH):
        ready.submit(ready.snapshot(without_expiries(setting.market(ready.time))))
