"""Integers of 128 and 256 bits inside kernels.

Numba has none; LLVM has any width. An `i128` or `i256` here is an LLVM integer that lives in registers; every operation wraps at its
width, and the bounds of the specification (`spec/bounds.py`) say that none does. Division is by estimate and correction: no width
beyond 64 bits has a division that links everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types  # type: ignore[import-untyped]
from numba.extending import models, register_model  # type: ignore[import-untyped]

from .compile import intrinsic, kernel


class Wide(types.Type):  # type: ignore[misc]
    """A signed integer of so many bits, for numba."""

    def __init__(self, bits: Any) -> None:
        self.bits = bits
        super().__init__(name=f"Wide{bits}")


@register_model(Wide)
class _WideModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Wide) -> None:
        super().__init__(manager, kind, ir.IntType(kind.bits))


I128 = Wide(128)
I256 = Wide(256)


def _widened(builder: Any, value: Any, kind: Any, target: Wide) -> Any:
    """Sign-extend (zero-extend an unsigned) to the target's width."""
    wide = ir.IntType(target.bits)
    if value.type.width >= target.bits:
        return builder.trunc(value, wide) if value.type.width > target.bits else value
    is_unsigned = isinstance(kind, types.Integer) and not kind.signed
    return builder.zext(value, wide) if is_unsigned else builder.sext(value, wide)


def _binary(target: Wide, operation: Callable[[Any, Any, Any], Any], result: Any = None) -> Any:
    """An intrinsic of two integers of any width, extended to the target's before the operation."""

    def build(_typing: Any, a: Any, b: Any) -> Any:
        def generate(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
            left = _widened(builder, values[0], signature.args[0], target)
            right = _widened(builder, values[1], signature.args[1], target)
            return operation(builder, left, right)

        return (result or target)(a, b), generate

    return intrinsic(build)


def _unary(result: Any, operation: Callable[[Any, Any, Any], Any]) -> Any:
    """An intrinsic of one integer; the operation gets the builder, the value and its numba type."""

    def build(_typing: Any, a: Any) -> Any:
        def generate(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return operation(builder, values[0], signature.args[0])

        return result(a), generate

    return intrinsic(build)


def _shift(builder: Any, value: Any, count: Any, left: bool) -> Any:
    return builder.shl(value, count) if left else builder.ashr(value, count)


def _boolean(comparison: str) -> Callable[[Any, Any, Any], Any]:
    return lambda builder, a, b: builder.icmp_signed(comparison, a, b)


_I64 = ir.IntType(64)

add128 = _binary(I128, lambda b, x, y: b.add(x, y))
sub128 = _binary(I128, lambda b, x, y: b.sub(x, y))
mul128 = _binary(I128, lambda b, x, y: b.mul(x, y))
shl128 = _binary(I128, lambda b, x, y: _shift(b, x, y, True))
shr128 = _binary(I128, lambda b, x, y: _shift(b, x, y, False))
less128 = _binary(I128, _boolean("<"), types.boolean)
wide128 = _unary(I128, lambda b, x, kind: _widened(b, x, kind, I128))

add256 = _binary(I256, lambda b, x, y: b.add(x, y))
sub256 = _binary(I256, lambda b, x, y: b.sub(x, y))
mul256 = _binary(I256, lambda b, x, y: b.mul(x, y))
shl256 = _binary(I256, lambda b, x, y: _shift(b, x, y, True))
shr256 = _binary(I256, lambda b, x, y: _shift(b, x, y, False))
less256 = _binary(I256, _boolean("<"), types.boolean)
wide256 = _unary(I256, lambda b, x, kind: _widened(b, x, kind, I256))


def _lowest(builder: Any, value: Any, _kind: Any) -> Any:
    return builder.trunc(value, _I64) if value.type.width > 64 else value


low_word = _unary(types.uint64, _lowest)
"""The lowest 64 bits, unsigned."""
low_signed = _unary(types.int64, _lowest)
"""The lowest 64 bits, signed: the value itself when it fits."""


def _count_trailing_zeros(builder: Any, value: Any, _kind: Any) -> Any:
    return builder.cttz(value, ir.Constant(ir.IntType(1), 1))


def _count_leading_zeros(builder: Any, value: Any, _kind: Any) -> Any:
    return builder.ctlz(value, ir.Constant(ir.IntType(1), 1))


leading_zeros = _unary(types.uint64, _count_leading_zeros)
"""Of a positive 64-bit word."""

lowest_bit = _unary(types.int64, _count_trailing_zeros)
"""The place of the lowest bit set in a positive 64-bit word."""

_ONE: Final = np.uint64(1)
_HALF: Final = np.uint64(32)
_WORD: Final = np.uint64(64)
_HALF_MASK: Final = np.uint64(0xFFFFFFFF)


@kernel(inline="always")
def join128(high: Any, low: Any) -> Any:
    """high * 2^64 + low, from an int64 column and the low word's bits in another."""
    return add128(shl128(high, 64), wide128(low_word(low)))


@kernel
def to_float(value: Any) -> Any:
    """A non-negative i256 as a float, relative error below 2^-50."""
    top = float(low_word(shr256(value, 192)))
    upper = float(low_word(shr256(value, 128)))
    lower = float(low_word(shr256(value, 64)))
    return ((top * 2.0**64 + upper) * 2.0**64 + lower) * 2.0**64 + float(low_word(value))


@kernel(inline="always")
def _digit(top: Any, d1: Any, d0: Any, next_digit: Any) -> Any:
    """One 32-bit digit of a quotient: the estimate by the divisor's upper half, corrected at most twice."""
    quotient = top // d1
    rest = top - quotient * d1
    while quotient > _HALF_MASK or quotient * d0 > ((rest << _HALF) | next_digit):
        quotient -= _ONE
        rest += d1
        if rest > _HALF_MASK:
            break
    return quotient


@kernel
def divide_word(high: Any, low: Any, divisor: Any) -> Any:
    """floor((high * 2^64 + low) / divisor) for unsigned words with high < divisor: Knuth's algorithm D for two digits.

    Source: D. Knuth, The Art of Computer Programming, volume 2, 4.3.1.
    """
    d, top, bottom = divisor, high, low
    shift = leading_zeros(divisor)
    if shift:
        d = divisor << shift
        top = (high << shift) | (low >> (_WORD - shift))
        bottom = low << shift
    d1, d0 = d >> _HALF, d & _HALF_MASK
    q1 = _digit(top, d1, d0, bottom >> _HALF)
    rest = ((top << _HALF) | (bottom >> _HALF)) - q1 * d
    return (q1 << _HALF) + _digit(rest, d1, d0, bottom & _HALF_MASK)
