"""The one way this package compiles a function to machine code, and keeps the result on disk.

Compiled code is stored beside the source (in `__pycache__`, or in numba's user-wide directory when that is read-only) and is reused by
every later process on the same kind of processor. A stored function has its callees and constants compiled in,
so it counts as fresh only while the text of its own file, of the specification and of all kernels is unchanged.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, overload

import numba  # type: ignore[import-untyped]
import numba.extending  # type: ignore[import-untyped]
from numba.core.caching import FunctionCache, IndexDataCacheFile  # type: ignore[import-untyped]

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE: Final = Path(__file__).resolve().parents[2]


def _digest(*folders: Path) -> str:
    """SHA-256 of the Python files of folders."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


_SHARED_SOURCES: Final = _digest(_PACKAGE / "spec", _PACKAGE / "engine" / "kernels")


class _SourceCache(FunctionCache):  # type: ignore[misc]
    """Numba's disk cache, fresh by the text of the sources; numba itself looks at the function's own file only."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        own_source = hashlib.sha256(Path(inspect.getfile(function)).read_bytes()).hexdigest()
        stamp = (own_source, _SHARED_SOURCES)
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)


@overload
def kernel(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def kernel(
    signature: str | Sequence[object], /, **options: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
@overload
def kernel(**options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def kernel(target: Any = None, /, **options: Any) -> Any:
    """Compile a function of integers and numpy arrays; it runs without the interpreter lock.

    Use as `@kernel`, as `@kernel(inline="always")`, or with numba signatures, `@kernel("uint64(uint64)")` or a list of them, which
    compile when the module is imported and accept no other types. Options are numba's `njit` options and override the
    ones set here; `cache=False` keeps nothing on disk. Integers wrap at 64 bits as in C and no index is checked: callers check
    types, shapes and ranges before.
    """
    if callable(target):
        return _compiled(target, (), options)
    signatures = () if target is None else (target,) if isinstance(target, str) else tuple(target)
    return lambda function: _compiled(function, signatures, options)


def _compiled(function: Callable[..., Any], signatures: Sequence[object], options: dict[str, Any]) -> Any:
    settings = {"nogil": True, "fastmath": False, "boundscheck": False, "error_model": "numpy"} | options
    cached = settings.pop("cache", True)
    dispatcher = numba.njit(**settings)(function)
    if cached:
        dispatcher._cache = _SourceCache(function)  # noqa: SLF001 - numba has no public way to choose the cache
    for signature in signatures:
        dispatcher.compile(signature)
    if signatures:
        dispatcher.disable_compile()
    return dispatcher


def intrinsic(builder: Callable[..., Any]) -> Callable[..., Any]:
    """A function that writes its own machine instructions, for kernels to call: numba's `intrinsic`, typed."""
    made: Callable[..., Any] = numba.extending.intrinsic(builder)
    return made
