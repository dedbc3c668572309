"""What the runners of the vectors inside the EVM share."""

from __future__ import annotations

from functools import cache
from typing import Any

from evm.machine import Contract, Machine

Given = dict[str, Any]


class NotExpressibleError(Exception):
    """A case whose input has no representation in the contracts' types; the reason is the message."""


@cache
def harness() -> Contract:
    return Machine().deploy("PricingHarness")


@cache
def codec_harness() -> Contract:
    return Machine().deploy("CodecHarness")


@cache
def cell_harness() -> Contract:
    return Machine().deploy("CellHarness")


def natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise NotExpressibleError("the parameter is unsigned")
    return value
