"""Decimal strings and the scaled integers they stand for. No float is involved in either direction."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

E8_DIGITS: Final = 8
WAD_DIGITS: Final = 18

_PLAIN = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?", re.ASCII)
_FLOATING = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_LONG = re.compile(r"-?[1-9][0-9]{30,}(\.[0-9]+)?", re.ASCII)
_SHOWN: Final = 60
_WORK_DIGITS: Final = 200


def show(value: object) -> str:
    """A value as an error message quotes it: its JSON literal, a text in single quotes, cut to 60 characters."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def parse_decimal(text: str, digits: int) -> int:
    """The integer text * 10^digits, exactly.

    Accepts an optional minus sign, digits without leading zeros, and an optional fraction of at most `digits`
    decimals. Nothing is rounded: one decimal too many is refused, also when it is zero. Raises ValueError
    with a plain sentence.
    """
    if not _PLAIN.fullmatch(text):
        _refuse_long(text)
        raise ValueError(
            f"{show(text)} is not a plain decimal such as 12.5 (no exponent, plus sign, blank or "
            f"leading zero)"
        )
    whole, _, fraction = text.partition(".")
    if len(fraction) > digits:
        raise ValueError(f"{show(text)} has {len(fraction)} decimals, at most {digits} fit")
    return int(whole + fraction.ljust(digits, "0"))


def _refuse_long(text: str) -> None:
    """Refuse a number with more digits than any range here has. Raises ValueError."""
    if _LONG.fullmatch(text):
        raise ValueError(f"{show(text)} is out of range")


@dataclass(slots=True)
class Rounding:
    """Rounds figures with too many decimals instead of refusing them, and remembers that it did: for figures pasted from
    floating-point programs into what-if runs, never for anything committed.
    """

    count: int = 0
    first: str = ""

    def integer(self, text: str, digits: int) -> int:
        """The integer nearest to text * 10^digits, ties to even. Exponents are accepted. Raises ValueError with a plain sentence."""
        if not _FLOATING.fullmatch(text):
            _refuse_long(text)
            raise ValueError(f"{show(text)} is not a decimal number such as 12.5 or 1.25e1")
        with localcontext() as context:
            context.prec = _WORK_DIGITS
            exact = Decimal(text).scaleb(digits)
            value = int(exact.to_integral_value(ROUND_HALF_EVEN))
        if value != exact:
            self.count += 1
            self.first = self.first or f"{text} to {format_decimal(value, digits)}"
        return value

    def sentence(self, origin: str) -> str | None:
        """What was rounded, for the person who asked for it; None when nothing was."""
        if not self.count:
            return None
        figures = "1 figure" if self.count == 1 else f"{self.count} figures"
        return f"{origin}: {figures} rounded to the scale, first {self.first}."


def format_decimal(value: int, digits: int) -> str:
    """The shortest decimal string of value / 10^digits: `format_decimal(150_000_000, 8) == "1.5"`. Exact."""
    sign = "-" if value < 0 else ""
    whole, fraction = divmod(abs(value), 10**digits)
    tail = str(fraction).rjust(digits, "0").rstrip("0") if digits else ""
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"


@dataclass(frozen=True, slots=True)
class ScaledDecimal:
    """Annotates an `int` field: a decimal string in JSON, the integer value * 10^digits in Python.

    `minimum` and `maximum` are inclusive and in the scale of the integer. Python callers pass the integer;
    JSON must hold a string, because a JSON number passes through binary floating point in many readers.
    """

    digits: int
    minimum: int
    maximum: int
    meaning: str
    nonzero: bool = False

    @property
    def allowed(self) -> str:
        """The allowed range in words, as error messages and schemas give it."""
        low, high = format_decimal(self.minimum, self.digits), format_decimal(self.maximum, self.digits)
        if self.minimum == self.maximum:
            return f"exactly {low}"
        zero = ", not 0" if self.nonzero else ""
        return f"{low} to {high}{zero}, at most {self.digits} decimals"

    def from_json(self, value: object) -> int:
        """Parse one JSON value and check its range."""
        if not isinstance(value, str):
            kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else "value"
            short = kind == "number" and len(str(value)) <= _SHOWN
            advice = f'; write it in quotes: "{value}"' if short else ""
            raise self._error(f"{show(value)} is a JSON {kind}, not a decimal string{advice}")
        try:
            return self.from_python(parse_decimal(value, self.digits))
        except ValueError as problem:
            if isinstance(problem, PydanticCustomError):
                raise
            raise self._error(str(problem)) from None

    def _from_json_in_context(self, value: object, info: ValidationInfo) -> int:
        rounding = info.context
        if not isinstance(rounding, Rounding):
            return self.from_json(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self._error(f"{show(value)} is not a decimal number")
        try:
            number = rounding.integer(str(value), self.digits)
        except ValueError as problem:
            raise self._error(str(problem)) from None
        if not self._is_allowed(number):
            rounded = format_decimal(number, self.digits)
            is_exact = Decimal(str(value)) == Decimal(rounded)
            raise self._error(
                f"{show(rounded) if is_exact else f'{show(str(value))}, rounded to {rounded},'} is out of range"
            )
        return number

    def from_python(self, value: object) -> int:
        """Check the range of an already scaled integer."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._error(f"{show(value)} is not an integer scaled by 10^{self.digits}")
        if not self._is_allowed(value):
            raise self._error(f"{show(format_decimal(value, self.digits))} is out of range")
        return value

    def _is_allowed(self, value: int) -> bool:
        return self.minimum <= value <= self.maximum and not (self.nonzero and value == 0)

    def _error(self, problem: str) -> PydanticCustomError:
        return PydanticCustomError(
            "decimal", "{problem}; allowed: {allowed}", {"problem": problem, "allowed": self.allowed}
        )

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.with_info_plain_validator_function(self._from_json_in_context),
            python_schema=core_schema.no_info_plain_validator_function(self.from_python),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: format_decimal(value, self.digits), return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        minus = "-?" if self.minimum < 0 else ""
        pattern = f"^{minus}(0|[1-9][0-9]*)(\\.[0-9]{{1,{self.digits}}})?$"
        return {
            "type": "string",
            "pattern": pattern,
            "description": f"{self.meaning} Allowed: {self.allowed}.",
        }
