"""Whole numbers in documents: their range, told in full whatever is wrong with a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from .decimals import show


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """Annotates an `int` field: a JSON number without fraction, from `minimum` to `maximum` (None: no end)."""

    minimum: int
    maximum: int | None = None

    @property
    def allowed(self) -> str:
        """The range in words."""
        return f"{self.minimum} or more" if self.maximum is None else f"{self.minimum} to {self.maximum}"

    def check(self, value: object) -> int:
        """The value, if it is such a number; else a PydanticCustomError with value and range."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._error(f"{show(value)} is not a whole number (written without quotes)")
        if value < self.minimum or (self.maximum is not None and value > self.maximum):
            raise self._error(f"{show(value)} is out of range")
        return value

    def _error(self, problem: str) -> PydanticCustomError:
        return PydanticCustomError(
            "decimal", "{problem}; allowed: {allowed}", {"problem": problem, "allowed": self.allowed}
        )

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        inner = core_schema.int_schema(ge=self.minimum, le=self.maximum, strict=True)
        return core_schema.no_info_before_validator_function(self.check, inner)
