"""Refused alike: the same error name with the same arguments from the specification and from a contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from marginproof.spec.errors import SpecError

from .machine import ContractRefused


def _plain(value: Any) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value


def assert_refused_alike(by_spec: Callable[[], object], by_contract: Callable[[], object], name: str) -> None:
    """Both refuse, under `name`, with equal arguments in equal order."""
    with pytest.raises(SpecError) as specified:
        by_spec()
    with pytest.raises(ContractRefused) as refused:
        by_contract()
    assert specified.value.name == name
    assert refused.value.name == name
    assert tuple(_plain(value) for value in refused.value.values) == tuple(
        specified.value.args_by_name.values()
    )
