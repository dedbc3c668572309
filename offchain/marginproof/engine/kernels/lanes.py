"""Rows of single floats, eight at a time: the vector instructions of netting's first pass.

Arrays are C-contiguous float32 whose last dimension is a multiple of LANES. Plain loops would do the same more slowly: numba
cannot know that arrays do not overlap, and a view of a row costs more than the work on it.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types  # type: ignore[import-untyped]

from .compile import intrinsic

LANES: Final = 8
_FLOAT: Final = ir.FloatType()
_VECTOR: Final = ir.VectorType(_FLOAT, LANES)


def _data(context: Any, builder: Any, kind: Any, array: Any) -> tuple[Any, Any]:
    """The array's first element and the length of its last dimension."""
    made = context.make_array(kind)(context, builder, array)
    lengths = cgutils.unpack_tuple(builder, made.shape)
    return made.data, lengths[-1]


def _block(builder: Any, data: Any, offset: Any) -> Any:
    """The vector that starts at element `offset`."""
    return builder.bitcast(builder.gep(data, [offset], inbounds=True), _VECTOR.as_pointer())


def _splat(builder: Any, value: Any) -> Any:
    if value.type != _FLOAT:
        value = builder.fptrunc(value, _FLOAT)
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, fused where the processor can."""
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _blocks(builder: Any, width: Any) -> Any:
    return builder.udiv(width, ir.Constant(width.type, LANES))


def _offset(builder: Any, index: Any, width: Any, block: Any) -> Any:
    """Element at which block `block` of row `index` starts."""
    row = builder.mul(builder.sext(index, width.type) if index.type.width < 64 else index, width)
    return builder.add(row, builder.mul(block, ir.Constant(width.type, LANES)))


def _build_add_row(_typing: Any, total: Any, table: Any, row: Any, factor: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        sums, width = _data(context, builder, signature.args[0], values[0])
        data, _ = _data(context, builder, signature.args[1], values[1])
        factors = _splat(builder, values[3])
        with cgutils.for_range(builder, _blocks(builder, width)) as loop:
            here = _block(builder, sums, _offset(builder, ir.Constant(width.type, 0), width, loop.index))
            added = builder.load(
                _block(builder, data, _offset(builder, values[2], width, loop.index)), align=4
            )
            builder.store(_multiply_add(builder, factors, added, builder.load(here, align=4)), here, align=4)
        return context.get_dummy_value()

    return types.void(total, table, row, factor), generate


add_row = intrinsic(_build_add_row)
"""add_row(total, table, row, factor): total += factor * table[row]."""


def _build_clear(_typing: Any, total: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        sums, width = _data(context, builder, signature.args[0], values[0])
        # Minus zero adds nothing either, and LLVM does not make a call of a function of storing it.
        zero = ir.Constant(_VECTOR, [ir.Constant(_FLOAT, -0.0)] * LANES)
        with cgutils.for_range(builder, _blocks(builder, width)) as loop:
            offset = _offset(builder, ir.Constant(width.type, 0), width, loop.index)
            builder.store(zero, _block(builder, sums, offset), align=4)
        return context.get_dummy_value()

    return types.void(total), generate


clear = intrinsic(_build_clear)
"""clear(total): all zeros."""


def _build_add_discounted(_typing: Any, total: Any, part: Any, long: Any, short: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        sums, width = _data(context, builder, signature.args[0], values[0])
        parts, _ = _data(context, builder, signature.args[1], values[1])
        longs, shorts = _splat(builder, values[2]), _splat(builder, values[3])
        zero = ir.Constant(_VECTOR, [ir.Constant(_FLOAT, 0.0)] * LANES)
        with cgutils.for_range(builder, _blocks(builder, width)) as loop:
            offset = _offset(builder, ir.Constant(width.type, 0), width, loop.index)
            added = builder.load(_block(builder, parts, offset), align=4)
            factors = builder.select(builder.fcmp_ordered(">=", added, zero), longs, shorts)
            here = _block(builder, sums, offset)
            builder.store(_multiply_add(builder, factors, added, builder.load(here, align=4)), here, align=4)
        return context.get_dummy_value()

    return types.void(total, part, long, short), generate


add_discounted = intrinsic(_build_add_discounted)
"""add_discounted(total, part, long, short): total += part * (long where part >= 0, else short)."""


def _build_weigh(_typing: Any, out: Any, total: Any, now: Any, weights: Any, bias: Any, row: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        results, _ = _data(context, builder, signature.args[0], values[0])
        sums, width = _data(context, builder, signature.args[1], values[1])
        scales, stride = _data(context, builder, signature.args[3], values[3])
        shifts, _ = _data(context, builder, signature.args[4], values[4])
        nows = _splat(builder, values[2])
        with cgutils.for_range(builder, _blocks(builder, width)) as loop:
            plain = _offset(builder, ir.Constant(width.type, 0), width, loop.index)
            held = _offset(builder, values[5], stride, loop.index)
            loss = builder.fsub(nows, builder.load(_block(builder, sums, plain), align=4))
            scale = builder.load(_block(builder, scales, held), align=4)
            shift = builder.load(_block(builder, shifts, held), align=4)
            builder.store(
                _multiply_add(builder, loss, scale, shift), _block(builder, results, plain), align=4
            )
        return context.get_dummy_value()

    return types.void(out, total, now, weights, bias, row), generate


weigh = intrinsic(_build_weigh)
"""weigh(out, total, now, weights, bias, row): out[c] = (now - total[c]) * weights[row, c] + bias[row, c] over the lanes of total."""


def _build_greatest(_typing: Any, out: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data, width = _data(context, builder, signature.args[0], values[0])
        zero = ir.Constant(width.type, 0)
        best = cgutils.alloca_once(builder, _VECTOR)
        builder.store(builder.load(_block(builder, data, zero), align=4), best)
        with cgutils.for_range(builder, _blocks(builder, width)) as loop:
            lanes = builder.load(_block(builder, data, _offset(builder, zero, width, loop.index)), align=4)
            held = builder.load(best)
            builder.store(builder.select(builder.fcmp_ordered(">", lanes, held), lanes, held), best)
        vector = builder.load(best)
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        for half in (4, 2, 1):
            places = [(i + half) % LANES for i in range(LANES)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), places)
            turned = builder.shuffle_vector(vector, undefined, mask)
            vector = builder.select(builder.fcmp_ordered(">", turned, vector), turned, vector)
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return types.float32(out), generate


greatest = intrinsic(_build_greatest)
"""greatest(out): the greatest lane."""


def _build_at_least(_typing: Any, out: Any, block: Any, threshold: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data, width = _data(context, builder, signature.args[0], values[0])
        offset = _offset(builder, ir.Constant(width.type, 0), width, values[1])
        lanes = builder.load(_block(builder, data, offset), align=4)
        mask = builder.fcmp_ordered(">=", lanes, _splat(builder, values[2]))
        return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))

    return types.int64(out, block, threshold), generate


at_least = intrinsic(_build_at_least)
"""at_least(out, block, threshold): one bit for each lane of a block that is at least the threshold, the first lane's lowest."""
