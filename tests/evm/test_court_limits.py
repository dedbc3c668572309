"""Limits.sol and limits.py name the same constants with the same values."""

from __future__ import annotations

import re

from marginproof.files import project_root
from marginproof.spec import limits

_CONSTANT = re.compile(r"u?int256 internal constant ([A-Z_0-9]+) = ([-0-9_* ]+);")


def test_every_limit_is_the_specification_s() -> None:
    source = (project_root() / "contracts/libraries/Limits.sol").read_text(encoding="utf-8")
    found = {name: eval(value, {"__builtins__": {}}) for name, value in _CONSTANT.findall(source)}
    assert len(found) == source.count(" constant ")
    assert found == {name: value for name, value in vars(limits).items() if isinstance(value, int)}
