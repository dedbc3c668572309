"""What the JSON grammar leaves open, refused with its place: a key given twice, NaN and Infinity; syntax errors with their position."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import InputError
from .decimals import show

Location = tuple[int | str, ...]
"""Keys and indices from the document to a value in it."""


def location_text(location: Location) -> str:
    """A place as messages name it, as `underlyings[0].spot`."""
    path = ""
    for part in location:
        if part == "[key]":
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "document"


def check_json(text: str, origin: str) -> list[Location]:
    """Refuse text that is not JSON, or is ambiguous; give the places of null. Error: InputError naming origin and place."""
    nulls: list[Location] = []
    for place, value in _odd_values(_parsed(text, origin)):
        if isinstance(value, _Repeated):
            raise InputError(
                f"{origin}: {location_text(place)}: duplicate key {show(place[-1])} in one object "
                f"(values {show(value.first)} and {show(value.second)}); keep one"
            )
        if isinstance(value, _Constant):
            raise InputError(
                f"{origin}: {location_text(place)}: {value} is not a JSON value; numbers here are decimal strings"
            )
        nulls.append(place)
    return nulls


@dataclass(frozen=True, slots=True)
class _Repeated:
    """Stands where a key has a second value."""

    first: object
    second: object


@dataclass(frozen=True, slots=True)
class _Constant:
    """NaN, Infinity or -Infinity."""

    name: str

    def __str__(self) -> str:
        return self.name


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        seen[key] = _Repeated(seen[key], value) if key in seen else value
    return seen


def _parsed(text: str, origin: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_Constant)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{origin}: not valid JSON, line {error.lineno} column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise InputError(f"{origin}: not accepted, the JSON is nested too deeply") from None
    except ValueError:
        raise InputError(f"{origin}: not accepted, a number has too many digits") from None


def _odd_values(document: object) -> Iterator[tuple[Location, object]]:
    """What no document holds, with its place, in the order of the text."""
    waiting: list[tuple[Location, object]] = [((), document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*place, key), item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [((*place, index), item) for index, item in reversed(list(enumerate(value)))]
        elif value is None or isinstance(value, _Repeated | _Constant):
            yield place, value
