"""What may be done on signatures: policy, delta guard, outflow budget, tickets."""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise

import pytest
from eth_utils.address import to_canonical_address

from evm.machine import STRANGER, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.typed_data import EpochHeader, digest, domain_separator, type_hash, word

from . import setting
from .bonds import LEAVE_DELAY
from .refusals import UNAUTHORISED, refused_as
from .setting import BTC, DAY, E8, ETH
from .test_epoch_history import DISPUTES, VAULT, invalidate
from .world import ATTESTERS, CHAIN_ID, THRESHOLD, World, person, sign

HOUR = 3_600
BOND_VALUE = 100_000 * E8
SLASHABLE = THRESHOLD * BOND_VALUE
LIMIT = SLASHABLE * 5_000 // 10_000
TICKETS_TYPE = "Tickets(uint64 round,bytes32 headerHash,bytes32[] leaves)"
LEAVES = [b"\x01" * 32, b"\x02" * 32]
HASHED = keccak(b"".join(LEAVES))
BOTH = bytes((BTC, 0, ETH, 3))
LEAST = setting.SPOTS[ETH] // E8


@pytest.fixture
def ready() -> World:
    """One epoch, and the registry connected to addresses that stand for vault and disputes."""
    world = World(users=(VAULT, DISPUTES), bond_value_e8=BOND_VALUE)
    world.open(person("alice"), 1_000)
    world.post()
    return world


def use(world: World, amount: int, underlyings: bytes = b"", by: str = VAULT) -> tuple[bytes, int]:
    given = setting.packed_pairs(underlyings)
    result: tuple[bytes, int] = world.epochs.transact("releaseCash", amount, given, caller=by)
    return result


def tickets_digest(world: World, header: EpochHeader, leaves: list[bytes], chain_id: int = CHAIN_ID) -> bytes:
    """By the specification's building blocks."""
    struct = keccak(
        type_hash(TICKETS_TYPE) + word(header.round) + header.struct_hash() + keccak(b"".join(leaves))
    )
    return digest(domain_separator(chain_id, to_canonical_address(world.epochs.address)), struct)


def signed(world: World, leaves: list[bytes], header: EpochHeader | None = None) -> bytes:
    assert world.header is not None
    message = tickets_digest(world, header or world.header, leaves)
    return b"".join(sign(signer, message) for signer in ATTESTERS[:THRESHOLD])


def trade(world: World, size: int, signatures: bytes | None = None, underlyings: bytes = BOTH) -> None:
    """Of the least quantity, at a price that makes its size; ether's spot alone makes it `LEAST`."""
    given = signed(world, LEAVES) if signatures is None else signatures
    pairs = setting.packed_pairs(underlyings)
    world.do(world.epochs, "useTickets", HASHED, given, pairs, ETH, min(size, 1), size * E8, by=VAULT)


def set_policy(world: World, **changes: int) -> None:
    names = ("withdrawal", "trade", "delta", "share", "charge")
    policy = dict(zip(names, setting.POLICY, strict=True)) | changes
    world.epochs.transact("setPolicy", tuple(policy.values()))


def spent(world: World) -> int:
    return int(world.epochs.call("outflow")[0])


# --- leaves --------------------------------------------------------------------------------------------------------


def test_vault_gets_the_tree_and_the_amount_is_counted(ready: World) -> None:
    assert ready.header is not None
    assert use(ready, 5 * E8, BOTH) == (ready.header.leaf_root, 1)
    assert ready.epochs.call("outflow") == (5 * E8, LIMIT)


@pytest.mark.parametrize("spots", [(10**14, 10**6), (10**6, 10**14), (10**14, 10**14)])
@pytest.mark.parametrize("delta", [0, 9_999])
@pytest.mark.parametrize("count", [1, 2**40 - 1])
def test_what_leaves_are_used_on_reaches_its_limits(spots: tuple[int, int], delta: int, count: int) -> None:
    """The fields that are read of one word, at the ends of their ranges: none reaches into another."""
    world = World(users=(VAULT, DISPUTES), bond_value_e8=BOND_VALUE)
    world.open(person("alice"), 1_000)
    set_policy(world, delta=delta, trade=2**64 - 1, charge=0)
    world.advance()
    market = setting.market(world.time, dict(zip((BTC, ETH), spots, strict=True)))
    header = replace(world.snapshot(market), leaf_count=count)
    world.submit(header)
    assert use(world, 1, BOTH) == (header.leaf_root, count)
    for underlying, spot in zip((BTC, ETH), spots, strict=True):
        assert world.epochs.call("spotOf", underlying) == spot
        arguments = (HASHED, signed(world, LEAVES, header), setting.packed_pairs(BOTH), underlying, E8, 1)
        world.epochs.transact("useTickets", *arguments, caller=VAULT)
        world.feeds[underlying].transact("setAnswer", 3 * spot, world.time)
        if delta == 0:
            with refused("FeedDeviation", underlying, spot, 3 * spot, 0):
                use(world, 1, BOTH)
        world.feeds[underlying].transact("setAnswer", spot, world.time)
    world.epochs.transact("pauseLeaves", True, caller=VAULT)
    with refused_as("EnforcedPause()"):
        use(world, 1, BOTH)
    world.epochs.transact("pauseLeaves", False, caller=VAULT)
    world.machine.set_time(header.valid_until - 1)
    use(world, 1)
    world.machine.set_time(header.valid_until)
    with refused("EpochExpired", header.valid_until, header.valid_until):
        use(world, 1)


@pytest.mark.parametrize("caller", [STRANGER, DISPUTES])
def test_only_the_vault_uses_leaves(ready: World, caller: str) -> None:
    with refused("NotConnected", caller):
        use(ready, 1, by=caller)


@pytest.mark.parametrize("caller", [STRANGER, DISPUTES])
def test_only_the_vault_counts_what_it_recomputed(ready: World, caller: str) -> None:
    with refused("NotConnected", caller):
        ready.epochs.transact("useMarket", 1, caller=caller)


def test_what_the_vault_recomputed_counts_like_what_was_signed(ready: World) -> None:
    use(ready, 7)
    ready.epochs.transact("useMarket", LIMIT - 8, caller=VAULT)
    for amount in (2, 2**64 - 1, 2**64, 2**256 - 1):
        with refused("OutflowBudgetExceeded", min(amount, 2**64), LIMIT - 1, LIMIT):
            ready.epochs.transact("useMarket", amount, caller=VAULT)
    ready.epochs.transact("useMarket", 1, caller=VAULT)
    assert ready.epochs.call("outflow") == (LIMIT, LIMIT)
    with refused("OutflowBudgetExceeded", 1, LIMIT, LIMIT):
        use(ready, 1)


def test_leaves_need_an_epoch_in_force() -> None:
    world = World(users=(VAULT, DISPUTES), bond_value_e8=BOND_VALUE)
    with refused("NoEpoch"):
        use(world, 1)
    header = world.post()
    world.machine.set_time(header.valid_until)
    with refused("EpochExpired", header.valid_until, header.valid_until):
        use(world, 1)


def test_the_greatest_withdrawal_passes_and_one_unit_more_does_not(ready: World) -> None:
    set_policy(ready, withdrawal=7)
    with refused("AboveAttestedSize", 8, 7):
        use(ready, 8)
    with refused("AboveAttestedSize", 2**256 - 1, 7):
        use(ready, 2**256 - 1)
    use(ready, 7)


def test_the_whole_budget_passes_and_one_unit_more_does_not(ready: World) -> None:
    use(ready, LIMIT - 1)
    with refused("OutflowBudgetExceeded", 2, LIMIT - 1, LIMIT):
        use(ready, 2)
    use(ready, 1)
    with refused("OutflowBudgetExceeded", 1, LIMIT, LIMIT):
        use(ready, 1)
    ready.post()
    with refused("OutflowBudgetExceeded", 1, LIMIT, LIMIT):
        use(ready, 1)


# --- delta guard ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("underlying", [BTC, ETH])
def test_attack_15_one_block_spike_stops_what_rests_on_signatures(ready: World, underlying: int) -> None:
    spot, delta = setting.SPOTS[underlying], setting.POLICY[2]
    answers = (spot * 10_000 // (10_000 + delta), spot * 10_000 // (10_000 - delta))
    for inside in (answers[0] + 1, answers[1]):
        ready.feeds[underlying].transact("setAnswer", inside, ready.time)
        use(ready, 1, BOTH)
        trade(ready, LEAST)
    for outside in (answers[0] - 1, answers[1] + 1, spot // 2, spot * 2):
        ready.feeds[underlying].transact("setAnswer", outside, ready.time)
        with refused("FeedDeviation", underlying, spot, outside, delta):
            use(ready, 1, BOTH)
        with refused("FeedDeviation", underlying, spot, outside, delta):
            trade(ready, LEAST)
    # Accounts that hold nothing of it are not concerned.
    use(ready, 1, bytes((BTC + ETH - underlying, 0)))


def test_of_what_is_named_nothing_is_left_out_and_nothing_else_is_looked_at(ready: World) -> None:
    """Eight underlyings fit, and each of them is asked for; what follows the last one named is none."""
    use(ready, 1, BOTH * 4)
    for place in range(8):
        pairs = bytes((BTC, 0)) * place + b"\x07\0" + bytes((BTC, 0)) * (7 - place)
        with refused("SpotUnknown", 7):
            use(ready, 1, pairs)
        named = pairs + place.to_bytes(16, "big")
        ready.epochs.transact("releaseCash", 1, named, caller=VAULT)
    for count in (9, 255, 2**100):
        named = BOTH * 4 + count.to_bytes(16, "big")
        with refused("TooManyUnderlyings", 2 * count):
            ready.epochs.transact("releaseCash", 1, named, caller=VAULT)
        with refused("TooManyUnderlyings", 2 * count):
            arguments = (HASHED, signed(ready, LEAVES), named, BTC, 1, 1)
            ready.epochs.transact("useTickets", *arguments, caller=VAULT)


def test_a_guard_that_is_no_contract_lets_nothing_pass(ready: World) -> None:
    use(ready, 1, BOTH)
    ready.machine.empty(ready.guard)
    with refused("empty"):
        use(ready, 1, BOTH)


def test_attack_16_posting_between_two_feed_updates(ready: World) -> None:
    """Attesters post the price that suits them inside the guard's deviation; what rests on it stops at the feed's next update."""
    spot = setting.SPOTS[BTC]
    high = spot * (10_000 + setting.DEVIATION_BPS) // 10_000
    ready.advance()
    header = ready.snapshot(setting.market(ready.time, {BTC: high}))
    ready.feeds[BTC].transact("setAnswer", spot, ready.time)
    ready.submit(header)
    with refused("FeedDeviation", BTC, high, spot, setting.POLICY[2]):
        use(ready, 1, BOTH)
    with refused("FeedDeviation", BTC, high, spot, setting.POLICY[2]):
        trade(ready, LEAST)
    assert spent(ready) == 0


def test_after_a_fall_back_spots_must_be_restored_first(ready: World) -> None:
    ready.post()
    invalidate(ready, 2, 1)
    with refused("SpotUnknown", BTC):
        use(ready, 1, BOTH)
    use(ready, 1)
    ready.epochs.transact("restoreSpots", ready.posted[1].market)
    use(ready, 1, BOTH)


def test_attack_after_a_fall_back_a_trade_without_a_price_is_not_free(ready: World) -> None:
    """Tickets may lie about what is held, and a perpetual may trade at next to nothing: then only spot says how much moves."""
    ready.post()
    invalidate(ready, 2, 1)
    ready.header = ready.posted[1].header
    arguments = (HASHED, signed(ready, LEAVES), bytes(32), BTC, 1_000 * E8, 1)
    with refused("SpotUnknown", BTC):
        ready.epochs.transact("useTickets", *arguments, caller=VAULT)
    ready.epochs.transact("restoreSpots", ready.posted[1].market)
    with refused("AboveAttestedSize", 1_000 * setting.SPOTS[BTC], setting.POLICY[1]):
        ready.epochs.transact("useTickets", *arguments, caller=VAULT)


def test_unlisted_underlying_has_no_spot(ready: World) -> None:
    for underlying in (0, 3, 255):
        with refused("SpotUnknown", underlying):
            use(ready, 1, bytes((underlying, 0)))


# --- tickets -------------------------------------------------------------------------------------------------------


def test_digest_of_tickets_is_the_specifications(ready: World) -> None:
    assert ready.header is not None
    for leaves in ([], LEAVES[:1], LEAVES):
        found = ready.epochs.call("ticketsDigest", ready.header.round, ready.header.struct_hash(), leaves)
        assert found == tickets_digest(ready, ready.header, leaves)


def test_trade_on_tickets_is_charged_a_share_of_its_size_rounded_up(ready: World) -> None:
    assert ready.header is not None
    trade(ready, 1_000 * E8 + 1)
    (event,) = ready.machine.events()
    assert spent(ready) == 10 * E8 + 1
    assert (event.name, event.values) == (
        "TicketsUsed",
        {"round": 1, "digest": tickets_digest(ready, ready.header, LEAVES)},
    )
    trade(ready, 0)
    assert spent(ready) == 10 * E8 + 1


def test_the_greatest_trade_passes_and_one_unit_more_does_not(ready: World) -> None:
    set_policy(ready, trade=LEAST)
    with refused("AboveAttestedSize", LEAST + 1, LEAST):
        trade(ready, LEAST + 1)
    trade(ready, LEAST)


def test_trades_and_withdrawals_share_one_budget(ready: World) -> None:
    use(ready, LIMIT - 50)
    trade(ready, 2 * LEAST)
    with refused("OutflowBudgetExceeded", 25, LIMIT, LIMIT):
        trade(ready, LEAST)


@pytest.mark.parametrize("caller", [STRANGER, DISPUTES])
def test_only_the_vault_uses_tickets_and_leaves_and_pauses(ready: World, caller: str) -> None:
    tickets = (HASHED, signed(ready, LEAVES), setting.packed_pairs(BOTH), BTC, 1, 1)
    for name, arguments in (
        ("useTickets", tickets),
        ("releaseCash", (1, bytes(32))),
        ("pauseLeaves", (True,)),
    ):
        with refused("NotConnected", caller):
            ready.epochs.transact(name, *arguments, caller=caller)


@pytest.mark.parametrize(
    ("underlying", "quantity", "unit", "size"),
    [
        (BTC, E8, 1, setting.SPOTS[BTC]),
        (BTC, E8, setting.SPOTS[BTC] + 1, setting.SPOTS[BTC] + 1),
        (ETH, 3 * E8, 0, 3 * setting.SPOTS[ETH]),
        (ETH, 1, 0, LEAST),
        (ETH, 1, setting.SPOTS[ETH] + 1, LEAST + 1),
        (ETH, 0, E8, 0),
    ],
)
def test_size_of_a_trade(ready: World, underlying: int, quantity: int, unit: int, size: int) -> None:
    """Quantity x the greater of unit and spot, rounded up."""
    pairs = setting.packed_pairs(BOTH)
    arguments = (HASHED, signed(ready, LEAVES), pairs, underlying, quantity, unit)
    if size:
        set_policy(ready, trade=size - 1)
        with refused("AboveAttestedSize", size, size - 1):
            ready.epochs.transact("useTickets", *arguments, caller=VAULT)
    set_policy(ready, trade=size)
    ready.epochs.transact("useTickets", *arguments, caller=VAULT)


def test_paused_leaves_pay_nothing_and_tickets_go_on(ready: World) -> None:
    ready.epochs.transact("pauseLeaves", True, caller=VAULT)
    with refused("EnforcedPause"):
        use(ready, 1)
    trade(ready, LEAST)
    ready.post()
    with refused("EnforcedPause"):
        use(ready, 1)
    ready.epochs.transact("pauseLeaves", False, caller=VAULT)
    use(ready, 1)


def test_tickets_of_another_epoch(ready: World) -> None:
    old = signed(ready, LEAVES)
    ready.post()
    with refused("NotAttester"):
        trade(ready, LEAST, old)
    trade(ready, LEAST)


def test_tickets_hold_for_their_leaves_and_their_header_only(ready: World) -> None:
    assert ready.header is not None
    with refused("NotAttester"):
        trade(ready, LEAST, signed(ready, LEAVES[::-1]))
    with refused("NotAttester"):
        trade(ready, LEAST, signed(ready, LEAVES, replace(ready.header, leaf_count=2)))


def test_tickets_of_one_signer_too_few(ready: World) -> None:
    with refused("WrongSignatureCount", THRESHOLD - 1, THRESHOLD):
        trade(ready, LEAST, signed(ready, LEAVES)[:-65])


def test_tickets_of_another_chain(ready: World) -> None:
    assert ready.header is not None
    message = tickets_digest(ready, ready.header, LEAVES, CHAIN_ID + 1)
    with refused("NotAttester"):
        trade(ready, LEAST, b"".join(sign(signer, message) for signer in ATTESTERS[:THRESHOLD]))


def test_tickets_of_a_retired_signer(ready: World) -> None:
    ready.attesters.transact("leave", caller=ATTESTERS[0].address)
    ready.advance(LEAVE_DELAY)
    header = ready.snapshot()
    ready.submit(header, ready.signatures(header, ATTESTERS[1 : 1 + THRESHOLD]))
    signatures = signed(ready, LEAVES)
    with refused("NotAttester", ATTESTERS[0].address.lower()):
        trade(ready, LEAST, signatures)


def test_tickets_of_an_expired_epoch(ready: World) -> None:
    assert ready.header is not None
    ready.machine.set_time(ready.header.valid_until)
    with refused("EpochExpired", ready.header.valid_until, ready.header.valid_until):
        trade(ready, LEAST)


def test_tickets_found_wrong_cannot_be_used(ready: World) -> None:
    assert ready.header is not None
    ticket = tickets_digest(ready, ready.header, LEAVES)
    trade(ready, LEAST)
    ready.do(ready.epochs, "invalidateTicket", ticket, by=DISPUTES)
    assert ready.event("TicketInvalidated") == {"digest": ticket}
    assert ready.epochs.call("isInvalidTicket", ticket)
    with refused("InvalidTicket", ticket):
        trade(ready, LEAST)
    with refused("InvalidTicket", ticket):
        ready.epochs.transact("invalidateTicket", ticket, caller=DISPUTES)


def test_tickets_found_wrong_stay_so_when_their_epoch_comes_back(ready: World) -> None:
    """The registry looks for wrong tickets only where there may be some: also after an epoch in between, and after a fall back."""
    assert ready.header is not None
    old = signed(ready, LEAVES)
    ticket = tickets_digest(ready, ready.header, LEAVES)
    ready.do(ready.epochs, "invalidateTicket", ticket, by=DISPUTES)
    ready.post()
    trade(ready, LEAST)
    invalidate(ready, 2, 1)
    ready.epochs.transact("restoreSpots", ready.posted[1].market)
    with refused("InvalidTicket", ticket):
        trade(ready, LEAST, old)


def test_tickets_of_a_round_that_came_back_can_be_found_wrong(ready: World) -> None:
    assert ready.header is not None
    old = signed(ready, LEAVES)
    ticket = tickets_digest(ready, ready.header, LEAVES)
    ready.post()
    ready.do(ready.epochs, "invalidateTicket", ticket, by=DISPUTES)
    invalidate(ready, 2, 1)
    ready.epochs.transact("restoreSpots", ready.posted[1].market)
    with refused("InvalidTicket", ticket):
        trade(ready, LEAST, old)


# --- policy --------------------------------------------------------------------------------------------------------


def test_policy_is_an_event_and_can_be_read(ready: World) -> None:
    assert ready.epochs.call("policy") == setting.POLICY
    policy = (2**64 - 1, 2**64 - 2, 9_999, 10_000, 10_000)
    ready.epochs.transact("setPolicy", policy)
    (event,) = ready.machine.events()
    assert (event.name, event.values) == ("PolicySet", {"policy": policy})
    assert ready.epochs.call("policy") == policy
    assert ready.epochs.call("outflow") == (0, SLASHABLE)


def test_only_the_admin_sets_the_policy(ready: World) -> None:
    with refused_as(UNAUTHORISED):
        ready.epochs.transact("setPolicy", setting.POLICY, caller=STRANGER)


def test_a_smaller_share_counts_at_once(ready: World) -> None:
    use(ready, 10 * E8)
    set_policy(ready, share=0)
    with refused("OutflowBudgetExceeded", 1, 10 * E8, 0):
        use(ready, 1)


def test_the_limit_follows_the_bonds_at_the_next_epoch(ready: World) -> None:
    ready.attesters.transact("setThreshold", 1)
    assert ready.epochs.call("outflow") == (0, LIMIT)
    ready.advance()
    header = ready.snapshot()
    ready.submit(header, ready.signatures(header, ATTESTERS[:1]))
    assert ready.epochs.call("outflow") == (0, LIMIT // THRESHOLD)


# --- counting out --------------------------------------------------------------------------------------------------


def counted_until(world: World, round_: int) -> int:
    """When what was released on a round leaves the count: the end of the hour in which the round becomes final."""
    return (world.epochs.call("record", round_)[2] // HOUR + 1) * HOUR


@pytest.mark.parametrize("wrong", [False, True], ids=["valid", "found wrong"])
def test_what_was_released_counts_until_its_epoch_is_final(ready: World, wrong: bool) -> None:
    use(ready, 5 * E8)
    until = counted_until(ready, 1)
    if wrong:
        invalidate(ready, 1)
        assert spent(ready) == 5 * E8
    ready.advance(until - 1 - ready.time)
    ready.epochs.transact("releaseFinal", 10**6)
    assert spent(ready) == 5 * E8
    ready.advance(1)
    assert spent(ready) == 5 * E8
    ready.epochs.transact("releaseFinal", 10**6, caller=STRANGER)
    assert ready.epochs.call("outflow") == (0, LIMIT)
    ready.epochs.transact("releaseFinal", 2**256 - 1)
    assert spent(ready) == 0


def test_posting_counts_out_what_is_final(ready: World) -> None:
    use(ready, 5 * E8)
    until = counted_until(ready, 1)
    while ready.time < until:
        ready.advance(min(DAY, until - ready.time))
        assert spent(ready) == 5 * E8
        ready.submit(ready.snapshot())
    assert spent(ready) == 0


def test_a_backlog_shrinks_with_every_epoch(ready: World) -> None:
    use(ready, 5 * E8)
    ready.advance(20 * DAY)
    for _ in range(15):
        ready.post()
        if spent(ready) == 0:
            break
    assert spent(ready) == 0


def test_nothing_is_counted_out_before_the_first_epoch(world: World) -> None:
    with refused("NoEpoch"):
        world.epochs.transact("releaseFinal", 1)


@pytest.mark.parametrize("seed", range(3))
def test_outflow_never_passes_the_budget(ready: World, seed: int) -> None:
    """Random postings, uses, time and invalidations: the registry counts at least what is out by our own books, more
    only for what it has not counted out yet, and never more than the limit.
    """
    draw = random.Random(seed)
    released: list[tuple[int, int]] = []
    set_policy(ready, withdrawal=LIMIT, trade=2**60, share=5_000)
    for _ in range(60):
        action = draw.choice(["post", "use", "use", "trade", "wait", "invalidate", "release"])
        newest = ready.newest()
        live = newest is not None and ready.time < newest.header.valid_until
        if action == "post" or not live:
            ready.post()
        elif action in ("use", "trade"):
            assert newest is not None
            amount = draw.choice([25, LIMIT // 7, LIMIT // 3, LIMIT])
            ready.header = newest.header
            too_much = spent(ready) + amount > LIMIT
            with refused("OutflowBudgetExceeded") if too_much else nullcontext():
                if action == "use":
                    use(ready, amount)
                else:
                    trade(ready, amount * 100, underlyings=b"")
            if not too_much:
                released.append((counted_until(ready, newest.header.round), amount))
        elif action == "wait":
            ready.advance(draw.choice([HOUR, 5 * HOUR, 3 * DAY]))
        elif action == "invalidate":
            open_rounds = [r for r in ready.posted if ready.epochs.call("record", r)[1] == 1]
            if open_rounds:
                chosen = draw.choice([max(open_rounds), draw.choice(open_rounds)])
                below = [r for r in ready.posted if r < chosen]
                invalidate(ready, chosen, max(below, default=0))
                if (left := ready.newest()) is not None:
                    ready.epochs.transact("restoreSpots", left.market)
        else:
            ready.epochs.transact("releaseFinal", draw.choice([1, 100, 10**4]))
        out = sum(amount for until, amount in released if ready.machine.time < until)
        counted, limit = ready.epochs.call("outflow")
        assert limit == LIMIT, f"seed {seed}"
        assert out <= counted <= limit, f"seed {seed}"
    ready.epochs.transact("releaseFinal", 10**6)
    assert spent(ready) == sum(amount for until, amount in released if ready.machine.time < until)


def test_rounds_of_a_history_are_linked(ready: World) -> None:
    """Every note survives its neighbours: four rounds share a word."""
    for _ in range(9):
        ready.post()
    records = [ready.epochs.call("record", round_) for round_ in range(1, 11)]
    assert all(earlier[2] <= later[2] for earlier, later in pairwise(records))
    assert len({commitment for commitment, _, _ in records}) == 10
