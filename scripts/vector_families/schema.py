"""The JSON Schemas of the vector files, one per family, assembled from what each topic declares about its inputs and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .case import FORMAT, SOURCE, VERSION, Json, Topic

INTEGER: Final[Json] = {"type": "string", "pattern": "^(0|-?[1-9][0-9]*)$"}
NATURAL: Final[Json] = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
BYTES: Final[Json] = {"type": "string", "pattern": "^0x([0-9a-f]{2})*$"}
BYTES32: Final[Json] = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
ADDRESS: Final[Json] = {"type": "string", "pattern": "^0x[0-9a-f]{40}$"}
BOOLEAN: Final[Json] = {"type": "boolean"}


def record(**fields: Json) -> Json:
    """An object with exactly these fields."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def choice(*values: str) -> Json:
    """One of these words."""
    return {"enum": list(values)}


def array(items: Json) -> Json:
    """A list."""
    return {"type": "array", "items": items}


def table(items: Json) -> Json:
    """An object keyed by decimal underlying ids."""
    return {"type": "object", "patternProperties": {"^[1-9][0-9]*$": items}, "additionalProperties": False}


_ERROR: Final[Json] = record(
    name={"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
    args={"type": "object", "additionalProperties": {"type": "string"}},
)


def _case(topic: Topic) -> Json:
    head = {
        "id": {"type": "string", "pattern": f"^{topic.family}/{topic.name}/[0-9]{{4}}$"},
        "name": {"type": "string", "minLength": 1},
        "flags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "comment": {"type": "string"},
        "input": topic.input_schema,
    }
    valid = record(**head, result={"const": "valid"}, expected=topic.expected_schema)
    invalid = record(**head, result={"const": "invalid"}, error=_ERROR)
    return {
        "if": {"properties": {"result": {"const": "valid"}}},
        "then": valid,
        "else": invalid,
    }


def _file(topic: Topic) -> Json:
    return record(
        format={"const": FORMAT},
        version={"const": VERSION},
        source={"const": SOURCE},
        family={"const": topic.family},
        topic={"const": topic.name},
        comment={"type": "string"},
        cases={"type": "array", "items": _case(topic), "minItems": 1},
    )


def family_schema(family: str, topics: Sequence[Topic]) -> Json:
    """The schema of every file of a family."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"marginproof vectors: {family}",
        "description": "Integers are decimal strings, bytes are lower-case 0x hex. One file per topic.",
        "type": "object",
        "required": ["topic"],
        "properties": {"topic": {"enum": [topic.name for topic in topics]}},
        "allOf": [
            {"if": {"properties": {"topic": {"const": topic.name}}}, "then": _file(topic)} for topic in topics
        ],
    }
