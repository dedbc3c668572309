"""Errors meant for the person at the keyboard, one class per kind of cause, each with its own exit code.

    MarginproofError            1   anything below; also an operation that was refused for a stated reason
    ├── InputError              2   a file, option or value the user gave is malformed or out of range
    ├── ToolMissingError        3   something has to be installed first
    ├── ChainError              4   the chain cannot be reached, is another chain, or refused a transaction
    │   └── PortInUseError      4   a server of ours cannot listen where it was told to
    ├── VerificationError       5   a recomputation differs from what was signed or posted
    └── CompilerError           6   the contracts' sources do not compile, or not without warnings

The command line prints `message` and `hint`, never a traceback, and exits with `exit_code`.
"""

from __future__ import annotations

from typing import ClassVar


class MarginproofError(Exception):
    """Something went wrong that a person can act on.

    `message` is one sentence: what was wrong, the value, and the allowed range where there is one.
    `hint` says what to do next, or is None where the message already does.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message if hint is None else f"{message} {hint}")


class InputError(MarginproofError):
    """A file, option or value given by the user is malformed or out of range."""

    exit_code = 2


class ToolMissingError(MarginproofError):
    """A program or package has to be installed before this can work."""

    exit_code = 3


class ChainError(MarginproofError):
    """The chain cannot be reached, is not the expected one, or refused what was sent."""

    exit_code = 4


class PortInUseError(ChainError):
    """The address on which a server of ours should listen is taken."""


class VerificationError(MarginproofError):
    """A recomputed figure differs from the one that was signed or posted."""

    exit_code = 5


class CompilerError(MarginproofError):
    """The Solidity sources do not compile, or not without warnings."""

    exit_code = 6
