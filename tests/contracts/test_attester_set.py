"""Members, bonds and delays: who may sign when, and what moves which tokens."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from evm.machine import ADMIN, START, STRANGER, Contract, ContractRefused, Machine, refused

from .bonds import (
    BOND,
    BOND_DELAY,
    BOND_VALUE_E8,
    DELAYS,
    JOIN_DELAY,
    LEAVE_DELAY,
    bonded_set,
    give,
    join,
    unbonded_set,
)
from .refusals import FAILED_TRANSFER, REENTERED, UNAUTHORISED, UNAVAILABLE, refused_as

ZERO = "0x" + "00" * 20
A, B, C, D = ("0x" + byte * 20 for byte in ("0a", "0b", "0c", "0d"))
DISPUTES = "0x" + "d1" * 20
FUND = "0x" + "f0" * 20
CLAIMANT = "0x" + "c1" * 20
NONE, ADMITTED, BONDED, SLASHED = range(4)
RETURNS_NOTHING, RETURNS_FALSE, TAKES_FEE = 1, 2, 3
REVERTS, CALLS_BACK = 5, 6
YEAR = 365 * 86_400


@dataclass
class Stage:
    """A set of three with a threshold of two, connected, all bonds paid."""

    machine: Machine
    token: Contract
    attesters: Contract
    time: int = START

    def at(self, time: int) -> None:
        """Let it be another time."""
        self.time = time
        self.machine.set_time(time)

    def active(self) -> list[bool]:
        return [self.attesters.call("isAttester", a) for a in (A, B, C)]

    def penalize(self, signers: list[str], each: int, reward: int, expelled: bool) -> int:
        paid: int = self.attesters.transact(
            "penalize", signers, each, CLAIMANT, reward, expelled, caller=DISPUTES
        )
        return paid

    def events(self) -> list[tuple[str, dict[str, object]]]:
        """What the set logged last."""
        address = self.attesters.address
        return [(e.name, e.values) for e in self.machine.events() if e.address == address]

    def balances(self, *holders: str) -> list[int]:
        return [self.token.call("balanceOf", holder) for holder in holders]


def staged(token: tuple[object, ...] = ("TestToken", "US dollar", "USD", 6)) -> Stage:
    machine = Machine()
    bond_token = machine.deploy(*token)  # type: ignore[arg-type]
    attesters = unbonded_set(machine, bond_token, [A, B, C], 2)
    attesters.transact("connect", DISPUTES, FUND)
    for member in (A, B, C):
        join(attesters, bond_token, member)
    return Stage(machine, bond_token, attesters)


@pytest.fixture
def stage() -> Stage:
    return staged()


# Joining


def test_founders_are_active_once_their_bonds_are_paid() -> None:
    machine = Machine()
    token = machine.deploy("TestToken", "US dollar", "USD", 6)
    attesters = unbonded_set(machine, token, [C, A, B], 2)
    assert attesters.call("attesters") == ()
    assert attesters.call("threshold") == 2
    assert attesters.call("slashableE8") == 2 * BOND_VALUE_E8
    assert attesters.call("statusOf", A) == (ADMITTED, False, 0, 0, 0, 0)
    for member in (C, A):
        join(attesters, token, member)
    assert [(e.name, e.values) for e in machine.events() if e.address == attesters.address] == [
        ("AttesterJoined", {"attester": A, "activeFrom": START}),
        ("BondChanged", {"attester": A, "bond": BOND}),
    ]
    assert attesters.call("attesters") == (A, C)
    assert [attesters.call("isAttester", a) for a in (A, B, C, STRANGER, ZERO)] == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert attesters.call("statusOf", A) == (BONDED, True, BOND, START, 0, 0)
    assert token.call("balanceOf", attesters.address) == 2 * BOND


def test_later_members_are_active_after_the_delay(stage: Stage) -> None:
    stage.attesters.transact("admit", D)
    assert stage.events() == [("AttesterAdmitted", {"attester": D})]
    stage.at(START + 1)
    join(stage.attesters, stage.token, D)
    assert stage.attesters.call("isAccountable", D)
    for time, active in ((START + JOIN_DELAY, False), (START + 1 + JOIN_DELAY, True)):
        stage.at(time)
        assert stage.attesters.call("isAttester", D) == active
        assert stage.attesters.call("attesters") == ((A, B, C, D) if active else (A, B, C))


def test_who_may_join(stage: Stage) -> None:
    give(stage.token, ADMIN, stage.attesters.address, 10 * BOND)
    for who, standing in ((A, BONDED), (STRANGER, NONE)):
        with refused("WrongStanding", who, standing):
            stage.attesters.transact("join", who)
    with refused("WrongStanding", A, BONDED):
        stage.attesters.transact("admit", A)
    with refused("ZeroAttester"):
        stage.attesters.transact("admit", ZERO)
    stage.attesters.transact("admit", D)
    stage.attesters.transact("expel", D)
    assert stage.events() == [("AdmissionRevoked", {"attester": D})]
    with refused("WrongStanding", D, NONE):
        stage.attesters.transact("join", D)


def test_a_revoked_founder_is_no_founder_any_more() -> None:
    machine = Machine()
    token = machine.deploy("TestToken", "US dollar", "USD", 6)
    attesters = unbonded_set(machine, token, [A, B], 1)
    attesters.transact("expel", B)
    attesters.transact("admit", B)
    join(attesters, token, B)
    assert attesters.call("statusOf", B) == (BONDED, False, BOND, START + JOIN_DELAY, 0, 0)


@pytest.mark.parametrize(
    ("founders", "threshold", "error", "values"),
    [
        ([A, B], 0, "ThresholdOutOfRange", (0, 2)),
        ([A, B], 3, "ThresholdOutOfRange", (3, 2)),
        ([], 1, "ThresholdOutOfRange", (1, 0)),
        ([ZERO, A], 1, "ZeroAttester", ()),
        ([A, A], 1, "WrongStanding", (A, ADMITTED)),
    ],
)
def test_bad_sets_are_refused(
    founders: list[str], threshold: int, error: str, values: tuple[object, ...]
) -> None:
    machine = Machine()
    with refused(error, *values):
        unbonded_set(machine, machine.deploy("TestToken", "US dollar", "USD", 6), founders, threshold)


def test_bad_bonds_and_delays_are_refused() -> None:
    machine = Machine()
    token = machine.deploy("TestToken", "US dollar", "USD", 6)
    for bond in (0, 2**128):
        with refused("BondOutOfRange", bond):
            unbonded_set(machine, token, [A], 1, bond=bond)
    for place, name in enumerate(("joinDelay", "leaveDelay", "bondDelay")):
        delays = list(DELAYS)
        delays[place] = YEAR + 1
        with refused("OutOfRange", name, YEAR + 1, 0, YEAR):
            machine.deploy("AttesterSet", ADMIN, token.address, BOND, BOND_VALUE_E8, 1, tuple(delays), [A])
        delays[place] = YEAR
        machine.deploy("AttesterSet", ADMIN, token.address, BOND, BOND_VALUE_E8, 1, tuple(delays), [A])


# Leaving


def test_leaving_takes_the_delays(stage: Stage) -> None:
    stage.attesters.transact("leave", caller=B)
    until, opens = START + LEAVE_DELAY, START + LEAVE_DELAY + BOND_DELAY
    assert stage.events() == [
        ("AttesterLeaving", {"attester": B, "activeUntil": until, "bondOpensAt": opens})
    ]
    stage.at(until - 1)
    assert stage.attesters.call("statusOf", B) == (BONDED, True, BOND, START, until, opens)
    stage.at(until)
    assert stage.active() == [True, False, True]
    assert stage.attesters.call("isAccountable", B)
    with refused("AlreadyLeaving", B, until):
        stage.attesters.transact("leave", caller=B)
    with refused("AlreadyLeaving", B, until):
        stage.attesters.transact("expel", B)


def test_bond_withdrawn_before_it_opens(stage: Stage) -> None:
    with refused("BondNotOpen", B, 0):
        stage.attesters.transact("withdrawBond", B, caller=B)
    stage.attesters.transact("leave", caller=B)
    opens = START + LEAVE_DELAY + BOND_DELAY
    stage.at(opens - 1)
    with refused("BondNotOpen", B, opens):
        stage.attesters.transact("withdrawBond", B, caller=B)
    with refused("WrongStanding", STRANGER, NONE):
        stage.attesters.transact("withdrawBond", STRANGER, caller=STRANGER)
    stage.at(opens)
    stage.attesters.transact("withdrawBond", D, caller=B)
    assert stage.balances(B, D, stage.attesters.address) == [0, BOND, 2 * BOND]
    assert stage.attesters.call("statusOf", B) == (NONE, False, 0, 0, 0, 0)
    assert not stage.attesters.call("isAccountable", B)
    with refused("WrongStanding", B, NONE):
        stage.attesters.transact("withdrawBond", D, caller=B)
    with refused("WrongStanding", B, NONE):
        stage.attesters.transact("join", B)
    # Admitted again, it waits like anybody new.
    stage.attesters.transact("admit", B)
    join(stage.attesters, stage.token, B)
    assert stage.attesters.call("statusOf", B)[1:4] == (False, BOND, opens + JOIN_DELAY)


def test_the_admin_makes_a_member_leave(stage: Stage) -> None:
    stage.attesters.transact("expel", A)
    assert stage.attesters.call("isAttester", A)
    stage.at(START + LEAVE_DELAY)
    assert stage.active() == [False, True, True]
    for who in (STRANGER, ZERO):
        with refused("WrongStanding", who, NONE):
            stage.attesters.transact("expel", who)


def test_thresholds(stage: Stage) -> None:
    with refused("ThresholdOutOfRange", 4, 3):
        stage.attesters.transact("setThreshold", 4)
    with refused("ThresholdOutOfRange", 0, 3):
        stage.attesters.transact("setThreshold", 0)
    stage.attesters.transact("leave", caller=A)
    with refused("ThresholdOutOfRange", 3, 2):
        stage.attesters.transact("setThreshold", 3)
    stage.attesters.transact("admit", D)
    stage.attesters.transact("setThreshold", 3)
    assert stage.events() == [("ThresholdSet", {"threshold": 3})]
    assert stage.attesters.call("slashableE8") == 3 * BOND_VALUE_E8


def test_the_least_threshold_since_a_time(stage: Stage) -> None:
    for time, threshold in ((START + 10, 1), (START + 20, 3), (START + 30, 2), (START + 30, 3)):
        stage.at(time)
        stage.attesters.transact("setThreshold", threshold)
    for since, least in (
        (0, 1),
        (START, 1),
        (START + 10, 1),
        (START + 19, 1),
        # In the second of a change, both hold.
        (START + 20, 1),
        (START + 21, 2),
        (START + 30, 2),
        (START + 31, 3),
    ):
        assert stage.attesters.call("leastThresholdSince", since) == least, since - START


def test_powers(stage: Stage) -> None:
    for call, arguments in (("admit", [D]), ("expel", [A]), ("setThreshold", [1]), ("connect", [D, D])):
        with refused_as(UNAUTHORISED):
            stage.attesters.transact(call, *arguments, caller=STRANGER)
    with refused("AlreadyConnected"):
        stage.attesters.transact("connect", DISPUTES, FUND)
    for caller in (ADMIN, STRANGER, FUND, A):
        with refused("NotConnected", caller):
            stage.attesters.transact("penalize", [A], 1, caller, 1, False, caller=caller)
    fresh = bonded_set(stage.machine, [A], 1)
    for pair in ((ZERO, FUND), (DISPUTES, ZERO)):
        with refused("ZeroAddress"):
            fresh.transact("connect", *pair)
    with refused("NotConnected", DISPUTES):
        fresh.transact("penalize", [A], 1, STRANGER, 1, False, caller=DISPUTES)


# Penalties


def test_a_bounty_comes_from_all_signers_and_makes_them_pause(stage: Stage) -> None:
    assert stage.penalize([A, C], 50, 90, expelled=False) == 90
    assert stage.events() == [("BondChanged", {"attester": who, "bond": BOND - 50}) for who in (A, C)]
    assert stage.balances(CLAIMANT, FUND, stage.attesters.address) == [90, 10, 3 * BOND - 100]
    assert stage.active() == [False, True, False]
    assert stage.attesters.call("isAccountable", A)
    give(stage.token, STRANGER, stage.attesters.address, BOND)
    stage.attesters.transact("topUp", A, caller=STRANGER)
    assert stage.events() == [("BondChanged", {"attester": A, "bond": BOND})]
    assert stage.balances(STRANGER) == [BOND - 50]
    assert stage.active() == [True, True, False]
    with refused("BondIsWhole", A):
        stage.attesters.transact("topUp", A, caller=STRANGER)
    with refused("WrongStanding", D, NONE):
        stage.attesters.transact("topUp", D, caller=STRANGER)
    # More than a bond holds is not taken; nor is more paid than taken.
    assert stage.penalize([C], 2 * BOND, 5 * BOND, expelled=False) == BOND - 50
    assert stage.attesters.call("bondOf", C) == 0


def test_a_slash_takes_whole_bonds_and_pays_half_at_most(stage: Stage) -> None:
    assert stage.penalize([A, B], 0, 2**256 - 1, expelled=True) == BOND
    assert stage.events() == [
        ("AttesterSlashed", {"attester": A, "amount": BOND}),
        ("AttesterSlashed", {"attester": B, "amount": BOND}),
    ]
    assert stage.balances(CLAIMANT, FUND, stage.attesters.address) == [BOND, BOND, BOND]
    assert stage.active() == [False, False, True]
    assert stage.attesters.call("attesters") == (C,)
    # For good.
    stage.at(START + YEAR)
    for call, caller in (("admit", ADMIN), ("join", ADMIN), ("topUp", ADMIN)):
        with refused("WrongStanding", A, SLASHED):
            stage.attesters.transact(call, A, caller=caller)
    with refused("WrongStanding", A, SLASHED):
        stage.attesters.transact("withdrawBond", A, caller=A)
    assert stage.attesters.call("isAccountable", A)
    # A second time there is nothing left to take, and nothing fails.
    assert stage.penalize([A, B, STRANGER], 0, 2**256 - 1, expelled=True) == 0
    with refused("ThresholdOutOfRange", 2, 1):
        stage.attesters.transact("setThreshold", 2)


def test_a_member_that_leaves_is_slashed_until_its_bond_opens(stage: Stage) -> None:
    stage.attesters.transact("leave", caller=A)
    stage.at(START + LEAVE_DELAY + BOND_DELAY)
    assert stage.penalize([A], 0, 2**256 - 1, expelled=True) == BOND // 2
    with refused("WrongStanding", A, SLASHED):
        stage.attesters.transact("withdrawBond", A, caller=A)
    # It was counted as leaving already.
    stage.attesters.transact("setThreshold", 2)


def test_half_of_an_odd_amount_is_rounded_down() -> None:
    machine = Machine()
    token = machine.deploy("TestToken", "US dollar", "USD", 6)
    attesters = unbonded_set(machine, token, [A], 1, bond=7)
    attesters.transact("connect", DISPUTES, FUND)
    join(attesters, token, A)
    assert attesters.transact("penalize", [A], 0, CLAIMANT, 100, True, caller=DISPUTES) == 3
    assert token.call("balanceOf", FUND) == 4


# Tokens


def test_a_bond_token_without_return_value_works() -> None:
    machine = Machine()
    token = machine.deploy("StrangeToken", 6)
    token.transact("setHabit", RETURNS_NOTHING)
    attesters = unbonded_set(machine, token, [A, B], 1)
    attesters.transact("connect", DISPUTES, FUND)
    for member in (A, B):
        join(attesters, token, member)
    attesters.transact("penalize", [A], 10, CLAIMANT, 10, False, caller=DISPUTES)
    assert token.call("balanceOf", CLAIMANT) == 10
    attesters.transact("leave", caller=B)
    machine.set_time(START + LEAVE_DELAY + BOND_DELAY)
    attesters.transact("withdrawBond", B, caller=B)
    assert token.call("balanceOf", B) == BOND


def test_a_bond_token_with_a_fee_is_refused() -> None:
    machine = Machine()
    token = machine.deploy("StrangeToken", 6)
    attesters = unbonded_set(machine, token, [A], 1)
    attesters.transact("connect", DISPUTES, FUND)
    token.transact("setHabit", TAKES_FEE)
    with refused("TransferShort", BOND, BOND - BOND // 100):
        join(attesters, token, A)
    token.transact("setHabit", RETURNS_FALSE)
    with refused_as(FAILED_TRANSFER):
        join(attesters, token, A)
    token.transact("setHabit", 0)
    join(attesters, token, A)
    attesters.transact("penalize", [A], 1_000, CLAIMANT, 0, False, caller=DISPUTES)
    token.transact("setHabit", TAKES_FEE)
    give(token, ADMIN, attesters.address, BOND)
    with refused("TransferShort", 1_000, 990):
        attesters.transact("topUp", A)


@pytest.mark.parametrize("habit", [RETURNS_FALSE, REVERTS])
def test_a_token_that_will_not_move_does_not_stop_a_penalty(habit: int) -> None:
    stage = staged(("StrangeToken", 6))
    stage.token.transact("setHabit", habit)
    assert stage.penalize([A, B], 0, 2**256 - 1, expelled=True) == BOND
    assert ("PaymentKept", {"to": CLAIMANT, "amount": BOND}) in stage.events()
    assert stage.active() == [False, False, True]
    assert [stage.attesters.call("kept", who) for who in (CLAIMANT, FUND)] == [BOND, BOND]
    with refused_as(FAILED_TRANSFER if habit == RETURNS_FALSE else UNAVAILABLE):
        stage.attesters.transact("collect", CLAIMANT)
    stage.token.transact("setHabit", 0)
    for who in (CLAIMANT, FUND):
        stage.attesters.transact("collect", who, caller=STRANGER)
        with refused("NothingKept", who):
            stage.attesters.transact("collect", who, caller=STRANGER)
    assert stage.balances(CLAIMANT, FUND, stage.attesters.address) == [BOND, BOND, BOND]


def test_a_token_that_calls_back_cannot_enter_again() -> None:
    stage = staged(("StrangeToken", 6))
    stage.penalize([A], 10, 10, expelled=False)
    give(stage.token, ADMIN, stage.attesters.address, BOND)
    again = stage.attesters.encode("topUp", A)
    stage.token.transact("setCallBack", stage.attesters.address, again)
    stage.token.transact("setHabit", CALLS_BACK)
    with refused_as(REENTERED):
        stage.attesters.transact("topUp", A)
    stage.attesters.transact("leave", caller=B)
    stage.at(START + LEAVE_DELAY + BOND_DELAY)
    with refused_as(REENTERED):
        stage.attesters.transact("withdrawBond", B, caller=B)


# Everything together


def test_random_lives_are_rebuilt_from_events_and_every_token_is_accounted_for() -> None:
    """Tokens held are the sum of bonds and what is kept; membership at any time follows from the events alone."""
    rng = Random("attester lives")
    done: set[str] = set()
    for _ in range(6):
        stage = staged()
        people = [A, B, C, D]
        bonds: dict[str, int] = dict.fromkeys((A, B, C), BOND)
        active: dict[str, tuple[int, int]] = dict.fromkeys((A, B, C), (START, 2**64))
        slashed: set[str] = set()
        for _ in range(60):
            stage.at(stage.time + rng.choice((0, 1, LEAVE_DELAY, JOIN_DELAY, BOND_DELAY)))
            who, other = rng.sample(people, 2)
            call, arguments, caller = rng.choice(
                (
                    ("admit", (who,), ADMIN),
                    ("join", (who,), ADMIN),
                    ("topUp", (who,), ADMIN),
                    ("expel", (who,), ADMIN),
                    ("leave", (), who),
                    ("withdrawBond", (who,), who),
                    ("penalize", ([who, other], rng.choice((1, BOND)), CLAIMANT, 1, False), DISPUTES),
                    ("penalize", ([who], 0, CLAIMANT, BOND, rng.random() < 0.2), DISPUTES),
                )
            )
            give(stage.token, ADMIN, stage.attesters.address, BOND)
            try:
                stage.attesters.transact(call, *arguments, caller=caller)
            except ContractRefused:
                continue
            done.add(call)
            for name, values in stage.events():
                member = str(values.get("attester", ""))
                if name == "BondChanged":
                    bonds[member] = int(str(values["bond"]))
                elif name == "AttesterJoined":
                    active[member] = (int(str(values["activeFrom"])), 2**64)
                elif name == "AttesterLeaving":
                    active[member] = (active[member][0], int(str(values["activeUntil"])))
                elif name == "AttesterSlashed":
                    slashed.add(member)
                    bonds[member] = 0
            expected = sorted(
                member
                for member, (start, end) in active.items()
                if bonds[member] == BOND and start <= stage.time < end and member not in slashed
            )
            assert list(stage.attesters.call("attesters")) == expected
            assert stage.balances(stage.attesters.address) == [sum(bonds.values())]
    assert done == {"admit", "join", "topUp", "expel", "leave", "withdrawBond", "penalize"}
