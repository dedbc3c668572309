"""Refusals whose errors are not the project's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from eth_utils.crypto import keccak

from evm.machine import ContractRefused


@contextmanager
def refused_as(signature: str) -> Iterator[None]:
    """Assert that the block reverts with the error of this signature."""
    with pytest.raises(ContractRefused) as caught:
        yield
    assert caught.value.data[:4] == keccak(text=signature)[:4], f"expected {signature}, got {caught.value}"


UNAUTHORISED = "AccessControlUnauthorizedAccount(address,bytes32)"
REENTERED = "ReentrancyGuardReentrantCall()"
FAILED_TRANSFER = "SafeERC20FailedOperation(address)"
UNAVAILABLE = "Unavailable()"
NO_ROOM = "ERC20InsufficientBalance(address,uint256,uint256)"
