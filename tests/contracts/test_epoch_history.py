"""Records of epochs, invalidation with fall back, and the market before."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest
from eth_abi.abi import encode

from evm.machine import ADMIN, STRANGER, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.market import market_hash
from marginproof.spec.typed_data import EpochHeader

from . import setting
from .refusals import UNAUTHORISED, refused_as
from .setting import BTC, DAY, E8, ETH
from .world import Posted, World, person

VAULT, DISPUTES = ("0x" + byte * 20 for byte in ("aa", "cc"))
NONE, OPEN, FINAL, INVALID = range(4)
NO_HEADER = (0, 0, 0, bytes(32), 0, bytes(32), bytes(32), bytes(32), 0)


@pytest.fixture
def ready() -> World:
    """Two accounts, and the registry connected to addresses that stand for vault and disputes."""
    world = World(users=(VAULT, DISPUTES))
    world.open(person("alice"), 1_000)
    world.open(person("bob"))
    return world


def commitment(posted: Posted) -> bytes:
    return keccak(encode(["bytes32", "bytes32"], [posted.header.struct_hash(), keccak(posted.signatures)]))


def invalidate(world: World, round_: int, to: int = 0, **changes: Any) -> None:
    """As disputes would, falling back on round `to`; `changes` to what is given for it."""
    fallback = world.posted.get(to)
    given = {
        "header": astuple(fallback.header) if fallback else NO_HEADER,
        "signatures": keccak(fallback.signatures) if fallback else bytes(32),
    } | changes
    world.do(world.epochs, "invalidate", round_, given["header"], given["signatures"], by=DISPUTES)


def standing(world: World, round_: int) -> int:
    return int(world.epochs.call("record", round_)[1])


# --- records -------------------------------------------------------------------------------------------------------


def test_record_of_an_epoch_commits_to_header_and_signatures(ready: World) -> None:
    for _ in range(6):
        ready.post()
    assert len(ready.posted) == 6
    for round_, posted in ready.posted.items():
        final_at = posted.header.valid_until + setting.DISPUTE_WINDOW
        assert ready.epochs.call("record", round_) == (commitment(posted), OPEN, final_at)
    for unknown in (0, 7, 2**64 - 1):
        assert ready.epochs.call("record", unknown) == (bytes(32), NONE, 0)


def test_epoch_is_final_when_its_window_has_passed(ready: World) -> None:
    header = ready.post()
    final_at = header.valid_until + setting.DISPUTE_WINDOW
    ready.machine.set_time(final_at - 1)
    assert standing(ready, 1) == OPEN
    ready.machine.set_time(final_at)
    assert standing(ready, 1) == FINAL
    with refused("EpochFinal", 1, final_at):
        invalidate(ready, 1)


def test_cheap_views_are_the_headers(ready: World) -> None:
    for view in ("liveTree", "liveMarket", "requireLive"):
        with refused("NoEpoch"):
            ready.epochs.call(view)
    assert ready.epochs.call("latestMarketHash") == bytes(32)
    assert ready.epochs.call("latestHeader") == NO_HEADER
    header = ready.post()
    assert ready.epochs.call("liveTree") == (1, header.leaf_root, 2)
    assert ready.epochs.call("liveMarket") == (header.model_hash, header.market_hash)
    assert ready.epochs.call("latestMarketHash") == header.market_hash
    spots = [ready.epochs.call("spotOf", underlying) for underlying in (0, BTC, ETH, 3, 255)]
    assert spots == [0, setting.SPOTS[BTC], setting.SPOTS[ETH], 0, 0]
    ready.machine.set_time(header.valid_until)
    for view in ("liveTree", "liveMarket", "requireLive"):
        with refused("EpochExpired", header.valid_until, header.valid_until):
            ready.epochs.call(view)
    assert ready.epochs.call("latestMarketHash") == header.market_hash


# --- the market before ---------------------------------------------------------------------------------------------


def test_the_market_before_must_be_given(ready: World) -> None:
    ready.post()
    first = ready.market_bytes()
    ready.advance()
    header = ready.snapshot()
    with refused("WrongPreviousMarket", bytes(32), ready.posted[1].header.market_hash):
        ready.submit(header, previous=b"")
    with refused("WrongPreviousMarket", header.market_hash, ready.posted[1].header.market_hash):
        ready.submit(header, previous=ready.market_bytes())
    with refused("BadLength", len(first) + 1):
        ready.submit(header, previous=first + b"\0")
    assert ready.epochs.call("lastRound") == 1


def test_no_market_may_be_given_before_the_first(ready: World) -> None:
    ready.advance()
    header = ready.snapshot()
    with refused("WrongPreviousMarket", header.market_hash, bytes(32)):
        ready.submit(header, previous=ready.market_bytes())


def test_a_market_that_jumps_is_refused(ready: World) -> None:
    tight = list(setting.LIMITS)
    tight[13] = 0
    ready.bounds.transact("setLimits", BTC, tight)
    ready.post()
    ready.advance()
    header = ready.snapshot(setting.market(ready.time, funding={BTC: 1}))
    with refused("FundingJump", BTC, 1, 0, 0):
        ready.submit(header)


# --- invalidation --------------------------------------------------------------------------------------------------


def test_newest_epoch_found_wrong_falls_back_on_the_one_before(ready: World) -> None:
    first, second = ready.post(), ready.post()
    spots = setting.SPOTS
    invalidate(ready, 2, 1)
    assert ready.event("EpochInvalidated") == {"round": 2}
    assert [standing(ready, r) for r in (1, 2)] == [OPEN, INVALID]
    assert ready.epochs.call("latestHeader") == ready.epochs.call("requireLive") == astuple(first)
    assert ready.epochs.call("lastRound") == 2
    assert ready.epochs.call("record", 2)[2] == second.valid_until + setting.DISPUTE_WINDOW
    assert ready.epochs.call("spotOf", BTC) == 0
    with refused("WrongMarket", second.market_hash, first.market_hash):
        ready.epochs.transact("restoreSpots", ready.market_bytes())
    ready.epochs.transact("restoreSpots", ready.posted[1].market, caller=STRANGER)
    assert [ready.epochs.call("spotOf", u) for u in (BTC, ETH)] == [spots[BTC], spots[ETH]]


def test_older_epoch_found_wrong_changes_nothing_else(ready: World) -> None:
    ready.post()
    second = ready.post()
    invalidate(ready, 1)
    assert [standing(ready, r) for r in (1, 2)] == [INVALID, OPEN]
    assert ready.epochs.call("latestHeader") == astuple(second)
    assert ready.epochs.call("spotOf", BTC) == setting.SPOTS[BTC]


def test_fall_back_skips_what_is_invalid_across_gaps(ready: World) -> None:
    kept = ready.post()
    for round_ in (4, 5, 1_005, 1_006):
        ready.advance()
        ready.submit(replace(ready.snapshot(), round=round_))
    invalidate(ready, 1_005)
    invalidate(ready, 5)
    with refused("WrongFallback", 1, 4):
        invalidate(ready, 1_006, 1)
    invalidate(ready, 1_006, 4)
    assert ready.epochs.call("latestHeader")[0] == 4
    invalidate(ready, 4, 1)
    assert ready.epochs.call("latestHeader") == astuple(kept)
    invalidate(ready, 1)
    assert ready.epochs.call("latestHeader") == NO_HEADER
    with refused("NoEpoch"):
        ready.epochs.call("requireLive")
    assert [standing(ready, r) for r in (1, 4, 5, 1_005, 1_006)] == [INVALID] * 5


def test_rounds_never_go_down(ready: World) -> None:
    ready.post()
    ready.post()
    invalidate(ready, 2, 1)
    ready.advance()
    with refused("RoundNotNewer", 2, 2):
        ready.submit(replace(ready.snapshot(), round=2))
    header = ready.snapshot()
    assert header.round == 3
    ready.submit(header)
    assert ready.epochs.call("latestHeader") == astuple(header)
    assert ready.epochs.call("spotOf", BTC) == setting.SPOTS[BTC]


def test_after_an_invalidation_the_market_before_is_the_valid_one(ready: World) -> None:
    first, second = ready.post(), ready.post()
    wrong = ready.posted[2].market
    invalidate(ready, 2, 1)
    ready.advance()
    header = ready.snapshot()
    with refused("WrongPreviousMarket", second.market_hash, first.market_hash):
        ready.submit(header, previous=wrong)
    ready.submit(header)


def test_after_the_only_epoch_was_found_wrong_the_next_is_like_the_first(ready: World) -> None:
    ready.post()
    invalidate(ready, 1)
    header = ready.post()
    assert header.round == 2
    assert ready.epochs.call("latestHeader") == astuple(header)
    invalidate(ready, 2)
    assert ready.epochs.call("latestHeader") == NO_HEADER


def test_second_invalidation_is_refused(ready: World) -> None:
    ready.post()
    ready.post()
    invalidate(ready, 1)
    with refused("AlreadyInvalid", 1):
        invalidate(ready, 1)


def test_unknown_round_cannot_be_invalidated(ready: World) -> None:
    ready.post()
    with refused("RoundNotPosted", 2, 1):
        invalidate(ready, 2, 1)


def test_fall_back_must_be_proven(ready: World) -> None:
    ready.post()
    ready.post()
    first = ready.posted[1]
    lie = replace(first.header, leaf_count=3)
    expected = commitment(first)
    given = keccak(encode(["bytes32", "bytes32"], [lie.struct_hash(), keccak(first.signatures)]))
    with refused("WrongEvidence", 1, given, expected):
        invalidate(ready, 2, 1, header=astuple(lie))
    given = keccak(encode(["bytes32", "bytes32"], [first.header.struct_hash(), keccak(b"")]))
    with refused("WrongEvidence", 1, given, expected):
        invalidate(ready, 2, 1, signatures=keccak(b""))
    with refused("WrongFallback", 0, 1):
        invalidate(ready, 2)
    assert standing(ready, 2) == OPEN


def test_attack_no_header_is_put_in_force_where_no_epoch_is_left(ready: World) -> None:
    """Whoever proves the only valid epoch wrong chooses the fall back: of round 0 nothing was ever posted or signed."""
    posted = ready.post()
    nothing = EpochHeader(*NO_HEADER)

    def of(header: EpochHeader) -> bytes:
        return keccak(encode(["bytes32", "bytes32"], [header.struct_hash(), bytes(32)]))

    lies = (
        replace(posted, round=0),
        replace(nothing, time=1),
        replace(nothing, valid_until=2**32 - 1),
        replace(nothing, leaf_root=b"\1" * 32, leaf_count=1),
        # Whose bytes nobody knows: no market could be posted after it.
        replace(nothing, market_hash=b"\1" * 32),
    )
    for lie in lies:
        with refused("WrongEvidence", 0, of(lie), of(nothing)):
            invalidate(ready, 1, header=astuple(lie))
    assert ready.epochs.call("latestHeader") == astuple(posted)
    invalidate(ready, 1)
    with refused("NoEpoch"):
        ready.epochs.call("liveTree")
    ready.post()


def test_only_disputes_find_anything_wrong(ready: World) -> None:
    ready.post()
    for caller in (ADMIN, STRANGER, VAULT):
        with refused("NotConnected", caller):
            ready.epochs.transact("invalidate", 1, NO_HEADER, bytes(32), caller=caller)
        with refused("NotConnected", caller):
            ready.epochs.transact("invalidateTicket", bytes(32), caller=caller)


def test_parts_are_connected_once_by_the_admin(world: World) -> None:
    zero = "0x" + "00" * 20
    epochs = world.machine.deploy("EpochRegistry", *world.registry_arguments())
    with refused_as(UNAUTHORISED):
        epochs.transact("connect", DISPUTES, caller=STRANGER)
    with refused("ZeroAddress"):
        epochs.transact("connect", zero)
    epochs.transact("connect", DISPUTES)
    with refused("AlreadyConnected"):
        epochs.transact("connect", DISPUTES)
    with refused("ZeroAddress"):
        world.machine.deploy("EpochRegistry", *world.registry_arguments(vault=zero))
    assert epochs.call("vault") == world.vault.address.lower()


# --- listing -------------------------------------------------------------------------------------------------------


def test_an_expiry_listed_since_the_last_epoch_must_be_quoted(ready: World) -> None:
    ready.post()
    later = setting.MONTH + DAY
    ready.instruments.transact("addExpiry", BTC, later)
    ready.advance()
    with refused("ExpiryNotQuoted", BTC, later):
        ready.submit(ready.snapshot())


def test_an_underlying_listed_since_the_last_epoch_must_be_quoted(ready: World) -> None:
    ready.post()
    ready.instruments.transact("addUnderlying", "SOL")
    ready.advance()
    with refused("UnderlyingNotQuoted", 3):
        ready.submit(ready.snapshot())


def test_a_quote_may_not_be_dropped_while_nothing_is_listed(ready: World) -> None:
    ready.post()
    ready.advance()
    market = setting.market(ready.time)
    btc, eth = market.underlyings
    for kept, missing in ((btc.expiries[:1], setting.MONTH), (btc.expiries[1:], setting.WEEK)):
        short = replace(btc, expiries=kept)
        with refused("ExpiryNotQuoted", BTC, missing):
            ready.submit(ready.snapshot(replace(market, underlyings=(short, eth))))
    with refused("UnderlyingNotQuoted", ETH):
        ready.submit(ready.snapshot(replace(market, underlyings=(btc,))))
    assert market_hash(market) != ready.epochs.call("latestMarketHash")
    ready.submit(ready.snapshot(market))


def test_an_expiry_that_nobody_listed_may_come_and_go(ready: World) -> None:
    market = setting.market(ready.time)
    extra = replace(market.underlyings[0].expiries[1], expiry=setting.MONTH + DAY, forward_e8=100_001 * E8)
    btc = replace(market.underlyings[0], expiries=(*market.underlyings[0].expiries, extra))
    ready.post(replace(market, underlyings=(btc, market.underlyings[1])))
    ready.post()
    ready.post(replace(market, underlyings=(btc, market.underlyings[1])))
