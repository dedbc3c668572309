"""One error type for everything the specification refuses.

The name is shared by all implementations: the Solidity custom error, the error in the vectors and
`SpecError.name` are the same word with the same arguments in the same order.
"""

from __future__ import annotations


class SpecError(ValueError):
    """A committed input that the protocol refuses.

    `name` is the error's name on every platform; `args_by_name` holds the offending values, integers in
    the scale the argument's name says.
    """

    def __init__(self, name: str, **args_by_name: int | str) -> None:
        self.name = name
        self.args_by_name = args_by_name
        detail = ", ".join(f"{key}={value}" for key, value in args_by_name.items())
        super().__init__(f"{name}({detail})")


def require_range(field: str, value: int, low: int, high: int) -> None:
    """Raise `OutOfRange(field, value, low, high)` unless low <= value <= high (all in the field's own scale)."""
    if not low <= value <= high:
        raise SpecError("OutOfRange", field=field, value=value, low=low, high=high)
