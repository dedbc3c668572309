"""Bonded attesters: the set with its bond token, founders joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evm.machine import ADMIN, Contract, Machine

BOND: Final = 10_000 * 10**6
"""What an attester pays to join: 10,000 dollars in a token of 6 decimals."""
BOND_VALUE_E8: Final = 10_000 * 10**8
HOUR: Final = 3_600
JOIN_DELAY: Final = 48 * HOUR
LEAVE_DELAY: Final = 24 * HOUR
BOND_DELAY: Final = 96 * HOUR
DELAYS: Final = (JOIN_DELAY, LEAVE_DELAY, BOND_DELAY)


def give(token: Contract, holder: str, spender: str, amount: int) -> None:
    """Tokens to somebody, and leave for a contract to take them."""
    token.transact("mint", holder, amount)
    token.transact("approve", spender, amount, caller=holder)


def unbonded_set(
    machine: Machine,
    token: Contract,
    founders: Sequence[str],
    threshold: int,
    *,
    bond: int = BOND,
    value_e8: int = BOND_VALUE_E8,
) -> Contract:
    """The set at deployment: founders admitted, no bond paid."""
    return machine.deploy(
        "AttesterSet", ADMIN, token.address, bond, value_e8, threshold, DELAYS, list(founders)
    )


def join(attesters: Contract, token: Contract, member: str) -> None:
    """Somebody pays a member's bond."""
    give(token, ADMIN, attesters.address, attesters.call("bond"))
    attesters.transact("join", member)


def bonded_set(
    machine: Machine, founders: Sequence[str], threshold: int, value_e8: int = BOND_VALUE_E8
) -> Contract:
    """The set with every founder's bond paid, in a token of its own."""
    token = machine.deploy("TestToken", "US dollar", "USD", 6)
    attesters = unbonded_set(machine, token, founders, threshold, value_e8=value_e8)
    for member in founders:
        join(attesters, token, member)
    return attesters
