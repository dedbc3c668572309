"""Reading and writing big-endian integers of fixed width: all canonical encodings are made of these."""

from __future__ import annotations

from .errors import SpecError


def unsigned(value: int, size: int) -> bytes:
    """`value` as `size` big-endian bytes. Error: `OutOfRange("unsigned")` when it does not fit."""
    if not 0 <= value < 1 << (8 * size):
        raise SpecError("OutOfRange", field="unsigned", value=value, low=0, high=(1 << (8 * size)) - 1)
    return value.to_bytes(size, "big")


def signed(value: int, size: int) -> bytes:
    """`value` as `size` big-endian bytes, two's complement. Error: `OutOfRange("signed")` when it does not fit."""
    half = 1 << (8 * size - 1)
    if not -half <= value < half:
        raise SpecError("OutOfRange", field="signed", value=value, low=-half, high=half - 1)
    return value.to_bytes(size, "big", signed=True)


class Reader:
    """Consumes bytes from the front. Error: `BadLength(length)` when they run out or some are left at `finish`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.offset + size
        if end > len(self.data):
            raise SpecError("BadLength", length=len(self.data))
        chunk = self.data[self.offset : end]
        self.offset = end
        return chunk

    def unsigned(self, size: int) -> int:
        """The next unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def signed(self, size: int) -> int:
        """The next signed integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def finish(self) -> None:
        """Assert that nothing is left."""
        if self.offset != len(self.data):
            raise SpecError("BadLength", length=len(self.data))
