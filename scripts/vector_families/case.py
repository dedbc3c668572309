"""What a vector is, and how one is filled.

A topic is one file of cases: an evaluator (JSON input to JSON result, by the specification) and the inputs. Integers travel as
decimal strings and bytes as 0x hex, so that no JSON parser can round or re-case them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from marginproof.spec.errors import SpecError

Json = Any
FORMAT: Final = "marginproof-vectors"
VERSION: Final = 1
SOURCE: Final = "marginproof.spec"


@dataclass(frozen=True, slots=True)
class Draft:
    """A case before filling. Flags say what the case is there for (`corner`, `random`, `bad-input`, ...)."""

    name: str
    input: Json
    flags: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """One file of vectors. The two schemas describe `input` and `expected`."""

    family: str
    name: str
    comment: str
    evaluate: Callable[[Json], Json]
    drafts: Callable[[], Iterable[Draft]]
    input_schema: Json
    expected_schema: Json

    @property
    def path(self) -> str:
        """Path below the version folder."""
        return f"{self.family}/{self.name}.json"


def decimal(value: int) -> str:
    """An integer as it stands in a vector."""
    return str(int(value))


def hexadecimal(data: bytes) -> str:
    """Bytes as they stand in a vector."""
    return "0x" + data.hex()


def octets(text: str) -> bytes:
    """The bytes behind 0x hex."""
    return bytes.fromhex(text.removeprefix("0x"))


def draws(seed: int) -> Random:
    """Random inputs, the same in every run."""
    return Random(seed)  # noqa: S311  (test inputs, not secrets)


def log_uniform(draw: Random, low: int, high: int) -> int:
    """A random integer in [low, high], about evenly over the orders of magnitude; no float, so equal on every machine."""
    bits = draw.randint(low.bit_length(), high.bit_length())
    return draw.randint(max(low, 1 << (bits - 1)), min(high, (1 << bits) - 1))


def result(topic: Topic, given: Json) -> Json:
    """`{result, expected}` or `{result, error}` of one input."""
    try:
        return {"result": "valid", "expected": topic.evaluate(given)}
    except SpecError as error:
        args = {
            key: value if isinstance(value, str) else decimal(value)
            for key, value in error.args_by_name.items()
        }
        return {"result": "invalid", "error": {"name": error.name, "args": args}}


def distinct(drafts: Iterable[Draft]) -> list[Draft]:
    """The drafts in order, each input only where it comes first: a case that repeats another would only swell the count."""
    first: dict[str, Draft] = {}
    for draft in drafts:
        first.setdefault(json.dumps(draft.input, sort_keys=True), draft)
    return list(first.values())


def filled(topic: Topic) -> Json:
    """The whole file of a topic."""
    cases = []
    for number, draft in enumerate(distinct(topic.drafts()), start=1):
        outcome = result(topic, draft.input)
        flags = sorted({*draft.flags, *(("bad-input",) if outcome["result"] == "invalid" else ())})
        cases.append(
            {
                "id": f"{topic.family}/{topic.name}/{number:04d}",
                "name": draft.name,
                "flags": flags,
                "comment": draft.comment,
                "input": draft.input,
                **outcome,
            }
        )
    return {
        "format": FORMAT,
        "version": VERSION,
        "source": SOURCE,
        "family": topic.family,
        "topic": topic.name,
        "comment": topic.comment,
        "cases": cases,
    }
