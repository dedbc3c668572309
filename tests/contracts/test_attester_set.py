"""Who may sign, and how many must."""

from __future__ import annotations

import pytest

from evm.machine import ADMIN, STRANGER, Contract, Machine, refused

from .refusals import UNAUTHORISED, refused_as

ZERO = "0x" + "00" * 20
A, B, C = ("0x" + byte * 20 for byte in ("0a", "0b", "0c"))


@pytest.fixture
def attesters() -> Contract:
    """Two of A, B and C."""
    return Machine().deploy("AttesterSet", ADMIN, [A, B, C], 2)


def test_set_is_as_configured(attesters: Contract) -> None:
    assert attesters.call("attesters") == (A, B, C)
    assert attesters.call("threshold") == 2
    assert [attesters.call("isAttester", a) for a in (A, B, C, STRANGER, ZERO)] == [True] * 3 + [False] * 2


def test_replacing_the_set_retires_those_left_out(attesters: Contract) -> None:
    attesters.transact("configure", [B, STRANGER], 1)
    (event,) = attesters.machine.events()
    assert (event.name, event.values) == ("Configured", {"attesters": (B, STRANGER), "threshold": 1})
    assert attesters.call("attesters") == (B, STRANGER)
    assert attesters.call("threshold") == 1
    assert [attesters.call("isAttester", a) for a in (A, B, C, STRANGER)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("members", "threshold", "error", "values"),
    [
        ([A, B], 0, "ThresholdOutOfRange", (0, 2)),
        ([A, B], 3, "ThresholdOutOfRange", (3, 2)),
        ([], 0, "ThresholdOutOfRange", (0, 0)),
        ([ZERO, A], 1, "ZeroAttester", ()),
        ([A, A], 1, "AttestersNotIncreasing", (A, A)),
        ([A, C, B], 1, "AttestersNotIncreasing", (C, B)),
    ],
)
def test_bad_sets_are_refused(
    attesters: Contract, members: list[str], threshold: int, error: str, values: tuple[object, ...]
) -> None:
    with refused(error, *values):
        attesters.transact("configure", members, threshold)
    with refused(error, *values):
        attesters.machine.deploy("AttesterSet", ADMIN, members, threshold)
    assert attesters.call("attesters") == (A, B, C)
    assert attesters.call("isAttester", A)


def test_only_the_admin_configures(attesters: Contract) -> None:
    with refused_as(UNAUTHORISED):
        attesters.transact("configure", [A], 1, caller=STRANGER)
