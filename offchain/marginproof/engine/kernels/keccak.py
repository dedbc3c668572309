"""keccak-f[1600] for eight messages at once, or one.

Source: FIPS 202, section 3 (the permutation); the EVM's hash differs from SHA3-256 in its padding byte alone, 0x01.
A message is absorbed in blocks of 136 bytes, 17 little-endian 64-bit words. States are kept side by side: word i of message j is
element `i * WIDTH + j`, so that each of the 25 lanes is one vector of the processor, or as many as it needs.
The permutation is generated as vector instructions: a loop over the eight messages would be left in memory by the compiler.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types  # type: ignore[import-untyped]

from .compile import intrinsic

WIDTH: Final = 8
"""Messages hashed side by side: the 64-bit words of the widest vector register."""
LANES: Final = 25
BLOCK_WORDS: Final = 17
BLOCK_BYTES: Final = 136
ROUNDS: Final = 24
FIRST_PAD: Final = np.uint64(0x01)
LAST_PAD: Final = np.uint64(0x80 << 56)
"""Padding: 0x01 after the last byte of the message, 0x80 over the last byte of its last block."""

_WORD: Final = ir.IntType(64)
_INDEX: Final = ir.IntType(32)


def round_constants() -> list[int]:
    """The 24 words of step iota, from the degree-8 shift register of FIPS 202, algorithm 5."""
    words = []
    register = 1
    for _ in range(ROUNDS):
        word = 0
        for j in range(7):
            if register & 1:
                word |= 1 << ((1 << j) - 1)
            register <<= 1
            if register & 0x100:
                register ^= 0x171
        words.append(word)
    return words


def rotations() -> list[int]:
    """The rotation of each lane x + 5 y in step rho: triangular numbers along the walk (x, y) -> (y, 2x + 3y)."""
    offsets = [0] * LANES
    x, y = 1, 0
    for t in range(ROUNDS):
        offsets[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return offsets


def _round(builder: Any, lanes: list[Any], constant: Any, rotate: Any) -> list[Any]:
    """One round on 25 values: theta, rho and pi, chi, iota."""
    columns = []
    for x in range(5):
        column = lanes[x]
        for y in range(1, 5):
            column = builder.xor(column, lanes[x + 5 * y])
        columns.append(column)
    mixed = [builder.xor(columns[(x + 4) % 5], rotate(columns[(x + 1) % 5], 1)) for x in range(5)]
    offsets = rotations()
    moved = list(lanes)
    for x in range(5):
        for y in range(5):
            lane = builder.xor(lanes[x + 5 * y], mixed[x])
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(lane, offsets[x + 5 * y])
    result = []
    for y in range(0, LANES, 5):
        for x in range(5):
            others = builder.and_(builder.not_(moved[y + (x + 1) % 5]), moved[y + (x + 2) % 5])
            result.append(builder.xor(moved[y + x], others))
    result[0] = builder.xor(result[0], constant)
    return result


def _permutation(module: Any, width: int) -> Any:
    """The function that permutes `width` states side by side in memory, made once in each compiled module."""
    name = f"marginproof_keccak_{width}"
    if name in module.globals:
        return module.globals[name]
    vector = _WORD if width == 1 else ir.VectorType(_WORD, width)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [vector.as_pointer()]), name)
    function.linkage = "internal"
    entry, loop, done = (function.append_basic_block(label) for label in ("entry", "loop", "done"))

    table_type = ir.ArrayType(_WORD, ROUNDS)
    table = ir.GlobalVariable(module, table_type, f"{name}_rounds")
    table.global_constant = True
    table.linkage = "internal"
    table.initializer = ir.Constant(table_type, round_constants())

    builder = ir.IRBuilder(entry)
    (state,) = function.args
    places = [builder.gep(state, [_INDEX(i)]) for i in range(LANES)]
    loaded = [builder.load(place, align=8) for place in places]
    builder.branch(loop)

    builder.position_at_end(loop)
    counter = builder.phi(_INDEX)
    lanes = [builder.phi(vector) for _ in range(LANES)]

    def filled(word: Any) -> Any:
        if width == 1:
            return word
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), word, _INDEX(0))
        mask = ir.Constant(ir.VectorType(_INDEX, width), [0] * width)
        return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), mask)

    def rotate(value: Any, bits: int) -> Any:
        if bits == 0:
            return value
        left, right = (ir.Constant(vector, n if width == 1 else [n] * width) for n in (bits, 64 - bits))
        return builder.or_(builder.shl(value, left), builder.lshr(value, right))

    constant = filled(builder.load(builder.gep(table, [_INDEX(0), counter])))
    rounded = _round(builder, lanes, constant, rotate)
    following = builder.add(counter, _INDEX(1))
    builder.cbranch(builder.icmp_unsigned("<", following, _INDEX(ROUNDS)), loop, done)
    counter.add_incoming(_INDEX(0), entry)
    counter.add_incoming(following, loop)
    for lane, before, after in zip(lanes, loaded, rounded, strict=True):
        lane.add_incoming(before, entry)
        lane.add_incoming(after, loop)

    builder.position_at_end(done)
    for place, value in zip(places, rounded, strict=True):
        builder.store(value, place, align=8)
    builder.ret_void()
    return function


def _permute(width: int) -> Any:
    def build(_typing: Any, state: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, args[0])
            function = _permutation(builder.module, width)
            pointer = builder.bitcast(array.data, function.args[0].type)
            builder.call(function, [pointer])
            return context.get_dummy_value()

        return types.void(state), generate

    return build


permute_many = intrinsic(_permute(WIDTH))
"""Permute eight states in place: a contiguous uint64 array of 25 * WIDTH elements."""
permute_one = intrinsic(_permute(1))
"""Permute one state in place: a contiguous uint64 array of 25 elements."""


@intrinsic
def swapped(_typing: Any, _value: Any) -> Any:
    """A 64-bit word with its bytes in the opposite order."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bswap(args[0])

    return types.uint64(types.uint64), generate
