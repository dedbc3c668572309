"""How a page shows an output: parts of it, between lines of `...`; and what of it may differ from run to run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

LEFT_OUT: Final = "..."
GAS_BY_CHANCE: Final = 120
"""Gas differs by what random bytes cost, 12 less for each that is zero: nonces and signatures."""

# Chance and the clock: times of log lines, an order's random nonce, what is signed over it, and its deadline, which runs with the chain.
_VOLATILE: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (?=[A-Z]+ marginproof)", "TIME "),
        (r"(\bnonce[ =]|\"nonce\": \")\d+", r"\1NONCE"),
        (r"until [\d-]+ [\d:]+ UTC(?=, nonce)", "until TIME"),
        (r"(\"deadline\": )\d+", r"\1TIME"),
        (r"(\"signature\": \"0x)[0-9a-f]+", r"\1SIGNATURE"),
        (r"\b[\d.]+ (?=(s|ms|seconds)\b)", "SOME "),
    )
)

_GAS: Final = re.compile(r"\b(\d+)(?= gas\b)")


def steady(line: str) -> str:
    """The line without what may differ from run to run."""
    for pattern, replacement in _VOLATILE:
        line = pattern.sub(replacement, line)
    return line


def shown(before: Sequence[str], output: Sequence[str]) -> list[str]:
    """An output, cut as it was before: the same number of lines between the same marks, each part where it resembles the old one most."""
    parts = _parts(before)
    if len(parts) == 1 or sum(map(len, parts)) > len(output):
        return list(output)
    made: list[str] = []
    end = 0
    for index, part in enumerate(parts):
        start = _place(part, output, end, parts[index + 1 :]) if index else 0
        if start > end:
            made.append(LEFT_OUT)
        end = start + len(part)
        made += output[start:end]
    return made


def merged(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """The new lines, but the old ones where they differ only by what may differ."""
    old = [steady(line) for line in before]
    new = [next((known for known in old if _alike(known, line)), line) for line in map(steady, now)]
    made: list[str] = []
    for kind, old_start, old_end, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        made += before[old_start:old_end] if kind == "equal" else now[start:end]
    return made


def _alike(one: str, other: str) -> bool:
    """Whether two lines are equal but for gas that differs by chance."""
    if _GAS.sub("", one) != _GAS.sub("", other):
        return False
    pairs = zip(_GAS.findall(one), _GAS.findall(other), strict=True)
    return all(abs(int(a) - int(b)) <= GAS_BY_CHANCE for a, b in pairs)


def _parts(lines: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line == LEFT_OUT:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _place(part: Sequence[str], output: Sequence[str], start: int, later: Sequence[Sequence[str]]) -> int:
    """Where a part goes, at `start` or after it, with room for the later ones. The last one ends with the output."""
    last = len(output) - len(part) - sum(map(len, later))
    if not later:
        return last
    return max(range(start, last + 1), key=lambda place: (_likeness(part, output[place:]), -place))


def _likeness(part: Sequence[str], output: Sequence[str]) -> float:
    return sum(SequenceMatcher(None, old, new).ratio() for old, new in zip(part, output, strict=False))
