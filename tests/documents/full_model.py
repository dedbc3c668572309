"""A model document in which every field of the specification has a value of its own."""

from __future__ import annotations

from typing import Any, Final

from marginproof.documents.decimals import format_decimal
from marginproof.documents.model_convert import FIELD_PATHS
from marginproof.spec.model_fields import FIELDS, Field

_SECONDS: Final = ("floorSeconds", "averagingSeconds")
_MONEY: Final = ("pegThreshold", "shortMinimum")


def full_value(number: int, field: Field) -> int:
    """The value of the field at this place: different for every field, within its range, in the specification's scale."""
    return field.high - number * (1 if field.name in _SECONDS else 10**5 if field.name in _MONEY else 10**15)


def written(field: Field, value: int) -> str | int:
    """A value as a document has it."""
    if field.name in _SECONDS:
        return value
    return format_decimal(value, 8 if field.name in _MONEY else 18)


def full_model() -> dict[str, Any]:
    """The document."""
    entry: dict[str, Any] = {}
    for number, field in enumerate(FIELDS):
        *groups, name = FIELD_PATHS[field.name].split(".")
        place = entry
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = written(field, full_value(number, field))
    entry["scenarios"] = [{"spot": "1.1", "vol": "up", "weight": "1"}]
    return {
        "format": "marginproof/model@2",
        "name": "full",
        "source": "made up",
        "date": "2026-01",
        "default": entry,
    }
