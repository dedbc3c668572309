"""Every vector inside the EVM: same results, and refusals under the same names with the same arguments."""

from __future__ import annotations

from typing import Any

import pytest

from evm.machine import ContractRefused

from .cases import cases_of, entries, topic_of
from .onchain import RUNNERS, NotExpressibleError

UNSIGNED = {"fixed-point/square-root": 4, "fixed-point/logarithm": 2, "tree/root": 1, "eip712/domain": 3}
"""Cases without a representation in the contracts' types: negative numbers where the parameter is unsigned, the proof of no leaf,
chain ids above 64 bits. All others run."""


def _text(value: Any) -> Any:
    """A value of the EVM as a vector writes it."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {key: _text(item) for key, item in value.items()}
    return [_text(item) for item in value]


def _outcome(topic: str, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": "valid", "expected": _text(RUNNERS[topic](given))}
    except ContractRefused as error:
        return {"result": "invalid", "name": error.name, "args": _text(error.values)}


def _part(wanted: Any, found: Any) -> Any:
    """What of an expected result the contracts compute: the same fields, at any depth."""
    if isinstance(found, dict):
        return {key: _part(wanted[key], found[key]) for key in found}
    if isinstance(found, list) and len(found) == len(wanted):
        return [_part(one, other) for one, other in zip(wanted, found, strict=True)]
    return wanted


def _check(topic: str, case: dict[str, Any]) -> None:
    found = _outcome(topic, case["input"])
    if case["result"] == "invalid":
        error = case["error"]
        wanted = {"result": "invalid", "name": error["name"], "args": list(error["args"].values())}
    else:
        assert found.get("expected"), f"{case['id']}: {found}"
        wanted = {"result": "valid", "expected": _part(case["expected"], found["expected"])}
    assert found == wanted, case["id"]


@pytest.mark.parametrize("entry", entries(), ids=topic_of)
def test_contracts_reproduce_every_case(entry: dict[str, Any]) -> None:
    topic = topic_of(entry)
    ran = not_expressible = 0
    for case in cases_of(entry):
        try:
            _check(topic, case)
        except NotExpressibleError:
            not_expressible += 1
        else:
            ran += 1
    assert not_expressible == UNSIGNED.get(topic, 0)
    assert ran + not_expressible == entry["cases"]
