"""Market bytes: accepted, hashed and refused as the specification does, by the codec and by the court."""

from __future__ import annotations

import random
from dataclasses import replace
from math import isqrt

import pytest

from marginproof.spec import limits
from marginproof.spec.market import MarketSnapshot, Settlement, decode_market, encode_market, market_hash
from marginproof.spec.svi import Svi

from .agreement import assert_refused_alike
from .court import Court
from .machine import Contract, Machine, refused
from .samples import DAY, LIVE, MARKET, MODEL, SETTLED, TIME, WAD, market_with, quotes, raw_market

BOUNDS = {
    "settlement_token_e8": (limits.MIN_SETTLEMENT_TOKEN, limits.MAX_SETTLEMENT_TOKEN),
    "spot_e8": (limits.MIN_SPOT, limits.MAX_SPOT),
    "perpetual_e8": (limits.MIN_SPOT, limits.MAX_SPOT),
    "confidence_wad": (limits.MIN_CONFIDENCE, limits.MAX_CONFIDENCE),
    "expiry_confidence_wad": (limits.MIN_CONFIDENCE, limits.MAX_CONFIDENCE),
    "funding_e8": (-limits.MAX_FUNDING, limits.MAX_FUNDING),
    "settled_expiry": (1, TIME),
    "price_e8": (limits.MIN_SETTLEMENT_PRICE, limits.MAX_SETTLEMENT_PRICE),
    "expiry": (TIME + 1, LIVE),
    "forward_e8": (limits.MIN_SPOT, limits.MAX_SPOT),
    "rate_wad": (limits.MIN_RATE, limits.MAX_RATE),
    "a": (0, limits.MAX_SVI_A),
    "b": (limits.MIN_SVI_B, limits.MAX_SVI_B),
    "rho": (-limits.MAX_SVI_RHO, limits.MAX_SVI_RHO),
    "m": (-limits.MAX_SVI_M, limits.MAX_SVI_M),
    "sigma": (limits.MIN_SVI_SIGMA, limits.MAX_SVI_SIGMA),
}
"""Least and greatest value of every field, as far as one field can go alone."""

OUTSIDE = {
    "time": (0, limits.MAX_TIME),
    "settlement_token_e8": (0, limits.MAX_SETTLEMENT_TOKEN + 1),
    "spot_e8": (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1, 2**64 - 1),
    "perpetual_e8": (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1, 2**64 - 1),
    "confidence_wad": (limits.MAX_CONFIDENCE + 1,),
    "expiry_confidence_wad": (limits.MAX_CONFIDENCE + 1, 2**64 - 1),
    "funding_e8": (-limits.MAX_FUNDING - 1, limits.MAX_FUNDING + 1, -(2**63)),
    "settled_expiry": (0, TIME + 1),
    "price_e8": (0, limits.MAX_SETTLEMENT_PRICE + 1),
    "expiry": (TIME, 1),
    "forward_e8": (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1),
    "rate_wad": (limits.MIN_RATE - 1, limits.MAX_RATE + 1, -(2**63)),
    "a": (limits.MIN_SVI_A - 1, limits.MAX_SVI_A + 1),
    "b": (-1, limits.MAX_SVI_B + 1),
    "rho": (-limits.MAX_SVI_RHO - 1, limits.MAX_SVI_RHO + 1),
    "m": (-limits.MAX_SVI_M - 1, limits.MAX_SVI_M + 1),
    "sigma": (limits.MIN_SVI_SIGMA - 1, limits.MAX_SVI_SIGMA + 1, -1),
}


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Machine().deploy("CodecHarness")


def accepted(harness: Contract, market: MarketSnapshot) -> None:
    data = encode_market(market)
    assert harness.call("checkMarket", data) == (market_hash(market), market.next_expiry())
    assert harness.call("marketHash", data) == market_hash(market)
    assert harness.call("scanMarket", data) == (True, market.next_expiry())


def refused_alike(harness: Contract, data: bytes, name: str) -> None:
    assert_refused_alike(lambda: decode_market(data), lambda: harness.call("checkMarket", data), name)
    if name != "BadLength":
        assert harness.call("scanMarket", data)[0] is False


def test_hash_and_next_expiry(harness: Contract) -> None:
    accepted(harness, MARKET)
    accepted(harness, replace(MARKET, underlyings=MARKET.underlyings[1:]))
    bare = replace(quotes(1), settlements=(), expiries=())
    accepted(harness, MarketSnapshot(TIME, 1, (bare,)))
    accepted(harness, MarketSnapshot(TIME, 1, (bare, quotes(2))))


@pytest.mark.parametrize(("field", "ends"), BOUNDS.items(), ids=BOUNDS.keys())
def test_attack_18_both_ends_of_a_range_are_accepted(
    harness: Contract, field: str, ends: tuple[int, int]
) -> None:
    for value in ends:
        accepted(harness, market_with(field, value))


@pytest.mark.parametrize(("field", "values"), OUTSIDE.items(), ids=OUTSIDE.keys())
def test_attack_18_values_out_of_range(harness: Contract, field: str, values: tuple[int, ...]) -> None:
    for value in values:
        refused_alike(harness, raw_market(market_with(field, value)), "OutOfRange")


def test_counts_out_of_range(harness: Contract) -> None:
    section = quotes(1)
    many = tuple(replace(quotes(1), underlying=u + 1) for u in range(limits.MAX_UNDERLYINGS + 1))
    settlements = tuple(Settlement(1 + i, 1) for i in range(limits.MAX_SETTLEMENTS + 1))
    expiries = tuple(replace(section.expiries[0], expiry=LIVE + i) for i in range(limits.MAX_EXPIRIES + 1))
    refused_alike(harness, raw_market(replace(MARKET, underlyings=())), "OutOfRange")
    refused_alike(harness, raw_market(replace(MARKET, underlyings=many)), "OutOfRange")
    refused_alike(harness, raw_market(market_with("settlements", settlements)), "OutOfRange")
    refused_alike(harness, raw_market(market_with("expiries", expiries)), "OutOfRange")
    accepted(harness, replace(MARKET, underlyings=many[:-1]))
    accepted(harness, market_with("settlements", settlements[:-1]))
    accepted(harness, market_with("expiries", expiries[:-1]))


def test_underlying_ids_out_of_range(harness: Contract) -> None:
    for number in (0, limits.MAX_UNDERLYING_ID + 1):
        section = replace(quotes(1), underlying=number)
        refused_alike(harness, raw_market(replace(MARKET, underlyings=(section,))), "OutOfRange")
    accepted(harness, replace(MARKET, underlyings=(replace(quotes(1), underlying=limits.MAX_UNDERLYING_ID),)))


def test_lists_increase(harness: Contract) -> None:
    first, last = MARKET.underlyings
    live, later = last.expiries
    settled = (Settlement(SETTLED, 5), Settlement(SETTLED, 6))
    for underlyings in ((last, first), (first, first)):
        refused_alike(harness, raw_market(replace(MARKET, underlyings=underlyings)), "NotIncreasing")
    for expiries in ((later, live), (live, live)):
        refused_alike(harness, raw_market(market_with("expiries", expiries)), "NotIncreasing")
    for settlements in (settled, (Settlement(SETTLED, 5), Settlement(SETTLED - 1, 6))):
        refused_alike(harness, raw_market(market_with("settlements", settlements)), "NotIncreasing")


def test_negative_variance(harness: Contract) -> None:
    for smile in (
        Svi(-1, 0, 0, 0, WAD),
        Svi(-(WAD // 10) - 1, WAD, 0, 0, WAD // 10),
        Svi(limits.MIN_SVI_A, limits.MAX_SVI_B, limits.MAX_SVI_RHO, 0, limits.MAX_SVI_SIGMA),
    ):
        refused_alike(harness, raw_market(market_with("svi", smile)), "NegativeVariance")
    accepted(harness, market_with("svi", Svi(-(WAD // 10), WAD, 0, 0, WAD // 10)))
    accepted(harness, market_with("svi", Svi(0, 0, 0, 0, WAD)))


@pytest.mark.parametrize("seed", range(4))
def test_smiles_at_the_edge_of_a_negative_variance_are_told_apart_by_both(
    harness: Contract, seed: int
) -> None:
    draw = random.Random(seed)
    for _ in range(40):
        b, sigma = (
            draw.randrange(limits.MAX_SVI_B),
            draw.randrange(limits.MIN_SVI_SIGMA, limits.MAX_SVI_SIGMA),
        )
        rho = draw.choice([0, draw.randrange(-limits.MAX_SVI_RHO, limits.MAX_SVI_RHO), limits.MAX_SVI_RHO])
        least = -(b * sigma * isqrt(10**36 - rho * rho) // 10**36)
        for a in {max(limits.MIN_SVI_A, least + step) for step in (-1, 0, 1)}:
            market = market_with("svi", Svi(a, b, rho, 0, sigma))
            if a < least:
                refused_alike(harness, raw_market(market), "NegativeVariance")
            else:
                accepted(harness, market)


@pytest.mark.parametrize("seed", range(4))
def test_a_market_keeps_quotes_exactly_if_it_has_all_expiries_and_none_has_passed(
    harness: Contract, seed: int
) -> None:
    draw = random.Random(seed)
    quote = quotes(1).expiries[0]

    def drawn(time: int, expiries: list[set[int]]) -> MarketSnapshot:
        return MarketSnapshot(
            time,
            1,
            tuple(
                replace(
                    quotes(1),
                    underlying=number,
                    settlements=(),
                    expiries=tuple(replace(quote, expiry=e) for e in sorted(some)),
                )
                for number, some in enumerate(expiries, 1)
            ),
        )

    seen = set()
    for _ in range(60):
        earlier = [
            {TIME + draw.randrange(1, 9) for _ in range(draw.randrange(4))}
            for _ in range(draw.choice([1, 2]))
        ]
        kept = draw.random() < 0.6
        time = TIME + draw.choice([0, 0, 1, 2])
        later = [
            {e for e in some if e > time and (kept or draw.random() < 0.8)}
            | {time + 1 + draw.randrange(9) for _ in range(draw.randrange(2))}
            for some in earlier
        ][: draw.choice([1, 2, 2])]
        answer = len(later) == len(earlier) and all(
            old <= new and all(e > time for e in old) for old, new in zip(earlier, later, strict=True)
        )
        call = (encode_market(drawn(time, later)), encode_market(drawn(TIME, earlier)))
        assert harness.call("keepsQuotes", *call) is answer, f"seed {seed}: {later} {earlier}"
        assert harness.call("keepsQuotes", call[0], b"") is False
        seen.add(answer)
    assert seen == {False, True}


def test_lengths(harness: Contract) -> None:
    data = encode_market(MARKET)
    for length in range(len(data)):
        refused_alike(harness, data[:length], "BadLength")
    refused_alike(harness, data + b"\0", "BadLength")
    for call in ("marketHash", "checkMarket"):
        with refused("BadLength", len(data) + 5):
            harness.call(call, data + b"\0" * 5)


def test_several_faults_give_the_first(harness: Contract) -> None:
    broken = raw_market(replace(market_with("sigma", 0), time=0))
    refused_alike(harness, broken + b"\0", "BadLength")
    refused_alike(harness, broken, "OutOfRange")
    first, last = MARKET.underlyings
    order_and_range = replace(MARKET, underlyings=(replace(last, spot_e8=0), first))
    refused_alike(harness, raw_market(order_and_range), "NotIncreasing")


def test_the_court_checks_the_market_too() -> None:
    court = Court()
    model = court.publish(MODEL)
    for call, more in (
        ("recompute", ()),
        ("repriceScenario", (b"",)),
        ("lossesAt", (b"",)),
        ("losses", (1,)),
    ):
        with refused("OutOfRange", "spot", 0, limits.MIN_SPOT, limits.MAX_SPOT):
            court.court.call(call, model, b"", raw_market(market_with("spot_e8", 0)), *more)
        with refused("BadLength", 3):
            court.court.call(call, model, b"", b"abc", *more)
    assert LIVE - TIME == 14 * DAY


@pytest.mark.parametrize("is_posted", [False, True])
def test_the_court_names_what_looks_like_a_mark_as_the_specification_does(is_posted: bool) -> None:
    """An underlying 0 and expiries 0 and 1 stand for something left out, but not in a market that is not the newest epoch's."""
    court = Court()
    model = court.publish(MODEL)
    if is_posted:
        court.post(MARKET)
    first, second = MARKET.underlyings
    broken = [raw_market(replace(MARKET, underlyings=(replace(first, underlying=0), second)))]
    broken += [raw_market(market_with("expiry", expiry)) for expiry in (0, 1)]
    for data in broken:
        assert_refused_alike(
            lambda data=data: decode_market(data),
            lambda data=data: court.court.call("recompute", model, b"", data),
            "OutOfRange",
        )
