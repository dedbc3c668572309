"""Columns: the arrays the engine takes and gives, checked before any of them is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..spec.errors import SpecError, require_range

MAX_THREADS: Final = 256
CHUNK_MULTIPLE: Final = 8
"""Chunks begin at multiples of this, so that kernels work on full groups."""
MIN_CHUNK: Final = 4096
"""Rows worth a thread of their own."""
INT128_LOW: Final = -(1 << 127)
INT128_HIGH: Final = (1 << 127) - 1


def require_column(name: str, array: object, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """The array, if it is exactly that: numpy, of the dtype in native byte order, C-contiguous, aligned, of the shape (None: any length).

    Nothing is converted or copied. Error: `BadColumn(column, wanted, found)`.
    """
    kind = np.dtype(dtype)
    if (
        isinstance(array, np.ndarray)
        and array.dtype == kind
        and len(shape) == array.ndim
        and all(length is None or length == actual for length, actual in zip(shape, array.shape, strict=True))
        and array.flags.c_contiguous
        and array.flags.aligned
        and array.dtype.isnative
    ):
        return array
    lengths = ", ".join("any" if length is None else str(length) for length in shape)
    wanted = f"{kind} array, shape ({lengths}{',' if len(shape) == 1 else ''}), contiguous"
    if not isinstance(array, np.ndarray):
        raise SpecError("BadColumn", column=name, wanted=wanted, found=type(array).__name__)
    layout = (
        "in another byte order"
        if not array.dtype.isnative
        else "not aligned"
        if not array.flags.aligned
        else "contiguous"
        if array.flags.c_contiguous
        else "not contiguous"
    )
    found = f"{array.dtype} array, shape {array.shape}, {layout}"
    raise SpecError("BadColumn", column=name, wanted=wanted, found=found)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is a Python integer: floats round, numpy's integers overflow silently, and True is no number."""
    return isinstance(value, int) and not isinstance(value, bool)


def described(value: object) -> str:
    """A value of the wrong kind, for an error: its type and, shortened, what it is."""
    shown = repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 60 else shown[:57] + '...'}"


def require_whole(field: str, value: object, low: int, high: int) -> None:
    """Raise `OutOfRange(field, value, low, high)` unless it is a Python integer with low <= value <= high."""
    if not (is_whole(value) and low <= value <= high):
        shown = value if is_whole(value) else described(value)
        raise SpecError("OutOfRange", field=field, value=shown, low=low, high=high)


def require_threads(threads: object) -> None:
    """Refuse a number of threads before anything is computed. Error: `OutOfRange(field, value, low, high)`."""
    require_whole("threads", threads, 1, MAX_THREADS)


def require_kind(field: str, value: object, kind: type) -> None:
    """Raise `BadField(field, wanted, found)` unless the value is of this class."""
    if not isinstance(value, kind):
        raise SpecError("BadField", field=field, wanted=kind.__name__, found=described(value))


def money_column(values: Sequence[int]) -> NDArray[np.int64]:
    """Integers as an (n, 2) int64 column, 128-bit two's complement: the high word, then the low word's bits.

    Error: `OutOfRange(field, value, low, high)` beyond 128 bits.
    """
    for value in values:
        require_range("money", value, INT128_LOW, INT128_HIGH)
    data = b"".join((value >> 64).to_bytes(8, "little", signed=True) + _low(value) for value in values)
    return np.frombuffer(data, dtype="<i8").astype(np.int64).reshape(-1, 2)


def _low(value: int) -> bytes:
    return (value & (1 << 64) - 1).to_bytes(8, "little")


def money_values(column: NDArray[np.int64]) -> list[int]:
    """The integers of a money column. Error: `BadColumn(column, wanted, found)`."""
    checked = require_column("money", column, np.int64, (None, 2))
    lows = checked[:, 1].astype(np.uint64).tolist()
    return [(high << 64) | low for high, low in zip(checked[:, 0].tolist(), lows, strict=True)]


def widened(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """A money column of values that fit 64 bits. Error: `BadColumn(column, wanted, found)`."""
    checked = require_column("money", values, np.int64, (None,))
    return np.stack((checked >> 63, checked), axis=1)


def hash_words(column: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(n, 32) hashes as (n, 4) little-endian words: a view, or a copy when the bytes lie at an odd address."""
    view = column.view(np.uint64)
    return view if view.flags.aligned else view.copy()


def new_hashes(count: int) -> NDArray[np.uint8]:
    """Room for `count` hashes, (count, 32), of which `hash_words` is a view."""
    return np.empty((count, 4), dtype=np.uint64).view(np.uint8)


def in_chunks(work: Callable[[int, int], object], count: int, threads: int) -> None:
    """Call `work(start, stop)` over consecutive ranges that cover 0 .. count, in `threads` threads.

    The work must write each row from that row's input alone, so that no division into ranges changes a result; kernels that run without
    the interpreter lock gain from threads. The first error of a call is raised. Error: `OutOfRange(field, value, low, high)`.
    """
    require_threads(threads)
    pieces = min(threads * 4, -(-count // MIN_CHUNK))
    if threads == 1 or pieces < 2:
        work(0, count)
        return
    size = -(-count // (pieces * CHUNK_MULTIPLE)) * CHUNK_MULTIPLE
    with ThreadPoolExecutor(threads) as executor:
        starts = range(0, count, size)
        list(executor.map(lambda start: work(start, min(start + size, count)), starts))
