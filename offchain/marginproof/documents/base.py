"""What the three document formats share: strict models, symbols, the way problems are told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from ..errors import InputError
from ..spec.limits import MAX_TIME
from .decimals import Rounding, show
from .json_text import Location, check_json, location_text
from .whole_numbers import WholeNumber

SYMBOL_PATTERN: Final = r"^[A-Z0-9]{1,10}$"
SYMBOL_REGEX: Final = re.compile(r"[A-Z0-9]{1,10}")

Symbol = Annotated[
    str, StringConstraints(pattern=SYMBOL_PATTERN), Field(description="Symbol of an underlying, such as BTC.")
]
UnixTime = Annotated[int, WholeNumber(1, MAX_TIME)]


class Document(BaseModel):
    """Base of every object in a document: unknown keys refused, no coercion, immutable, camelCase keys."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
    )


def inconsistent(problem: str) -> PydanticCustomError:
    """The error that a validator raises for values that are fine alone but not together; `problem` is told as
    it is.
    """
    return PydanticCustomError("document", "{problem}", {"problem": problem})


DocumentType = TypeVar("DocumentType", bound=Document)


def document_json(document: Document) -> str:
    """The document as JSON text: camelCase keys, decimals as strings, two spaces, a final newline. Same
    input, same bytes.
    """
    return (
        json.dumps(document.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"
    )


def parse_document(
    kind: type[DocumentType], text: str, origin: str, rounding: Rounding | None = None
) -> DocumentType:
    """Parse and check JSON text; `origin` (a file name) starts the message of the InputError that lists every
    problem.

    With `rounding`, decimals may be JSON numbers, may have exponents, and are rounded to their scale; it remembers what was.
    """
    nulls = check_json(text, origin)
    if rounding is not None:
        text = json.dumps(json.loads(text, parse_float=str))
    try:
        document = kind.model_validate_json(text, context=rounding)
    except ValidationError as error:
        raise InputError(problem_text(error, origin, nulls)) from None
    if nulls:
        raise InputError(_listed(origin, [_null_words(place) for place in nulls]))
    return document


def problem_text(error: ValidationError, origin: str, nulls: Sequence[Location] = ()) -> str:
    """Every problem on one line each: field path, what is wrong with which value, what is allowed. `nulls` are the places of null in
    the text: fields that may be absent are told, others are problems already.
    """
    problems = _causes(error.errors(include_url=False))
    lines = [f"{_place(problem)}{_reason(problem)}" for problem in problems]
    told = [problem["loc"] for problem in problems]
    if told != [("format",)]:
        lines += [_null_words(place) for place in nulls if place not in told]
    return _listed(origin, lines)


def _listed(origin: str, lines: Sequence[str]) -> str:
    head = f"{origin}: {len(lines)} problem{'s' if len(lines) > 1 else ''}"
    more = [f"and {len(lines) - _MAX_SHOWN} more"] if len(lines) > _MAX_SHOWN else []
    return "\n  ".join([head, *lines[:_MAX_SHOWN], *more])


def _null_words(place: Location) -> str:
    return (
        f"{location_text(place)}: null is not a value here; leave the key out instead (only --set takes null)"
    )


_MAX_SHOWN: Final = 20


def _causes(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without the complaints that a list is too short only because its entries are wrong, and, for a document of another format,
    without what follows from that.
    """
    foreign = [problem for problem in problems if problem["loc"] == ("format",)]
    if foreign:
        return foreign
    places = [problem["loc"] for problem in problems]

    def is_consequence(problem: ErrorDetails) -> bool:
        here = problem["loc"]
        return problem["type"] == "too_short" and any(
            len(place) > len(here) and place[: len(here)] == here for place in places
        )

    return [problem for problem in problems if not is_consequence(problem)]


def _place(problem: ErrorDetails) -> str:
    """Where the problem is; nothing for one that names the places itself."""
    return (
        "" if problem["type"] == "document" and not problem["loc"] else f"{location_text(problem['loc'])}: "
    )


_REASONS: Final = {
    "missing": "missing; this key is required",
    "extra_forbidden": "unknown key (value {value}); remove it or correct its spelling",
    "literal_error": "{value} is not accepted; allowed: {expected}",
    "int_type": "{value} is not a whole number (written without quotes)",
    "greater_than_equal": "{value} is out of range; allowed: at least {ge}",
    "less_than_equal": "{value} is out of range; allowed: at most {le}",
    "string_type": "{value} is not a text in quotes",
    "string_pattern_mismatch": "{value} is not accepted; allowed: text matching {pattern}",
    "string_too_short": "{value} is too short; allowed: at least {min_length} characters",
    "string_too_long": "{value} is too long; allowed: at most {max_length} characters",
    "too_short": "{actual_length} entries; allowed: at least {min_length}",
    "too_long": "more than {max_length} entries; allowed: at most {max_length}",
    "tuple_type": "{value} is not a list in [ ]",
    "dict_type": "{value} is not an object in {{ }}",
    "model_type": "{value} is not an object in {{ }}",
}
"""Our words for the validator's kinds of problem; what is not here is told in the validator's words, with the
value.
"""


def _reason(problem: ErrorDetails) -> str:
    kind, value = problem["type"], show(problem["input"])
    if kind == "extra_forbidden" and problem["loc"][-1] == "vols":
        return (
            "volatilities per strike are for what-if runs only (`marginproof margin`); a market that is committed to, or shown, has "
            "one svi per expiry and nothing besides"
        )
    if problem["loc"] == ("format",) and str(problem["input"]).startswith("marginproof/model@"):
        return (
            f"{_REASONS[kind].format(value=value, **problem.get('ctx', {}))} (docs/formats.md has the form)"
        )
    if kind in ("decimal", "document"):
        return problem["msg"]
    if kind in _REASONS:
        return _REASONS[kind].format(value=value, **problem.get("ctx", {}))
    return f"{problem['msg']} (value {value})"
