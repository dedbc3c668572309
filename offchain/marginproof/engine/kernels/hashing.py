"""Compiled keccak-256 of tree nodes, leaves and portfolios, eight rows at a time.

Hashes are rows of four little-endian words. Each kernel fills rows start .. stop and reads nothing another row writes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ...spec.limits import MAX_POSITIONS, MAX_QUANTITY
from ...spec.portfolio import POSITION_BYTES
from .compile import kernel
from .keccak import (
    BLOCK_BYTES,
    BLOCK_WORDS,
    FIRST_PAD,
    LANES,
    LAST_PAD,
    WIDTH,
    permute_many,
    permute_one,
    swapped,
)

Words = NDArray[np.uint64]

BLOCK_SIZE: Final = BLOCK_WORDS * WIDTH
STATE_SIZE: Final = LANES * WIDTH
PORTFOLIO_BLOCKS: Final = MAX_POSITIONS * POSITION_BYTES // BLOCK_BYTES + 1
HALF: Final = np.uint64(32)
BYTE: Final = np.uint64(8)


def _column(scalar: Any, dimensions: int, readonly: bool = True) -> Any:
    return types.Array(scalar, dimensions, "C", readonly=readonly)


_HASHES: Final = _column(types.uint64, 2)
_MADE: Final = _column(types.uint64, 2, readonly=False)
_MONEY: Final = _column(types.int64, 2)
_NUMBERS: Final = _column(types.int64, 1)
_RANGE: Final = (types.int64, types.int64)


@kernel
def _add_byte(state: Words, message: int, place: int, value: np.uint64) -> None:
    """Mix one byte into byte `place` of a message's block."""
    state[(place >> 3) * WIDTH + message] ^= value << (BYTE * np.uint64(place & 7))


@kernel
def _add_pair(state: Words, message: int, children: Words, padding: Words, row: int) -> None:
    """Set one message to the children of a node, the empty subtree's root standing in for a missing right one."""
    for i in range(4):
        state[i * WIDTH + message] = children[2 * row, i]
        right = children[2 * row + 1, i] if 2 * row + 1 < len(children) else padding[i]
        state[(4 + i) * WIDTH + message] = right
    state[8 * WIDTH + message] = FIRST_PAD
    state[16 * WIDTH + message] = LAST_PAD


@kernel
def _take(state: Words, message: int, hashes: Words, row: int) -> None:
    for i in range(4):
        hashes[row, i] = state[i * WIDTH + message]


@kernel([types.void(_HASHES, _column(types.uint64, 1), _MADE, *_RANGE)])
def hash_pairs(children: Words, padding: Words, parents: Words, start: int, stop: int) -> None:
    """The parents start .. stop of a level of nodes."""
    state = np.empty(STATE_SIZE, np.uint64)
    for base in range(start, stop, WIDTH):
        used = min(WIDTH, stop - base)
        state[:] = np.uint64(0)
        for j in range(used):
            _add_pair(state, j, children, padding, base + j)
        permute_many(state)
        for j in range(used):
            _take(state, j, parents, base + j)


@kernel([types.void(_HASHES, _column(types.uint64, 1), _MADE, _NUMBERS, *_RANGE)])
def hash_pairs_at(
    children: Words, padding: Words, parents: Words, rows: NDArray[np.int64], start: int, stop: int
) -> None:
    """The parents whose row numbers are `rows[start:stop]`, each row once."""
    state = np.empty(STATE_SIZE, np.uint64)
    for base in range(start, stop, WIDTH):
        used = min(WIDTH, stop - base)
        state[:] = np.uint64(0)
        for j in range(used):
            _add_pair(state, j, children, padding, rows[base + j])
        permute_many(state)
        for j in range(used):
            _take(state, j, parents, rows[base + j])


@kernel
def _add_money(words: Words, message: int, at: int, money: NDArray[np.int64], row: int) -> None:
    """A 128-bit value as one big-endian 256-bit word, sign extended, at word `at`."""
    sign = np.uint64(money[row, 0] >> 63)
    words[at * WIDTH + message] = sign
    words[(at + 1) * WIDTH + message] = sign
    words[(at + 2) * WIDTH + message] = swapped(np.uint64(money[row, 0]))
    words[(at + 3) * WIDTH + message] = swapped(np.uint64(money[row, 1]))


@kernel(
    [
        types.void(
            _column(types.uint64, 1),
            _column(types.uint64, 1),
            _HASHES,
            _MONEY,
            _MONEY,
            _MONEY,
            _MONEY,
            _column(types.uint8, 2),
            _column(types.uint8, 1),
            _MADE,
            *_RANGE,
        )
    ]
)
def hash_leaves(
    type_hash: Words,
    account: Words,
    portfolio_hash: Words,
    portfolio_value: NDArray[np.int64],
    spot_value: NDArray[np.int64],
    initial_margin: NDArray[np.int64],
    maintenance_margin: NDArray[np.int64],
    worst_scenarios: NDArray[np.uint8],
    worst_lengths: NDArray[np.uint8],
    hashes: Words,
    start: int,
    stop: int,
) -> None:
    """The struct hashes of leaves start .. stop: 256 bytes in two blocks, after one block for the worst scenarios."""
    state = np.empty(STATE_SIZE, np.uint64)
    words = np.zeros(2 * BLOCK_SIZE, np.uint64)
    words[(2 * BLOCK_WORDS - 2) * WIDTH : (2 * BLOCK_WORDS - 1) * WIDTH] = FIRST_PAD
    words[(2 * BLOCK_WORDS - 1) * WIDTH :] = LAST_PAD
    for i in range(4):
        words[i * WIDTH : (i + 1) * WIDTH] = type_hash[i]
    for base in range(start, stop, WIDTH):
        used = min(WIDTH, stop - base)
        state[:] = np.uint64(0)
        state[(BLOCK_WORDS - 1) * WIDTH : BLOCK_SIZE] = LAST_PAD
        for j in range(used):
            length = worst_lengths[base + j]
            for k in range(length):
                _add_byte(state, j, k, np.uint64(worst_scenarios[base + j, k]))
            _add_byte(state, j, length, FIRST_PAD)
        permute_many(state)
        words[28 * WIDTH : 32 * WIDTH] = state[: 4 * WIDTH]
        for j in range(used):
            row = base + j
            words[7 * WIDTH + j] = swapped(account[row])
            for i in range(4):
                words[(8 + i) * WIDTH + j] = portfolio_hash[row, i]
            _add_money(words, j, 12, portfolio_value, row)
            _add_money(words, j, 16, spot_value, row)
            _add_money(words, j, 20, initial_margin, row)
            _add_money(words, j, 24, maintenance_margin, row)
        state[:BLOCK_SIZE] = words[:BLOCK_SIZE]
        state[BLOCK_SIZE:] = np.uint64(0)
        permute_many(state)
        for i in range(BLOCK_SIZE):
            state[i] ^= words[BLOCK_SIZE + i]
        permute_many(state)
        for j in range(used):
            _take(state, j, hashes, base + j)


@kernel([types.int64(_NUMBERS, _column(types.uint32, 1), _NUMBERS, *_RANGE)])
def first_bad_portfolio(
    offsets: NDArray[np.int64],
    instrument: NDArray[np.uint32],
    quantity: NDArray[np.int64],
    start: int,
    stop: int,
) -> int:
    """The first of rows start .. stop that has no encoding, or -1."""
    for row in range(start, stop):
        if offsets[row + 1] - offsets[row] > MAX_POSITIONS:
            return row
        previous = np.uint32(0)
        for k in range(offsets[row], offsets[row + 1]):
            amount = quantity[k]
            if instrument[k] <= previous or amount == 0 or amount > MAX_QUANTITY or amount < -MAX_QUANTITY:
                return row
            previous = instrument[k]
    return -1


@kernel
def _add_positions(
    words: Words, message: int, instrument: NDArray[np.uint32], quantity: NDArray[np.int64], blocks: int
) -> None:
    """Set one message to packed positions and their padding: two positions are three words."""
    count = len(instrument)
    at = message
    for k in range(0, count - 1, 2):
        first = swapped(np.uint64(quantity[k]))
        words[at] = (swapped(np.uint64(instrument[k])) >> HALF) | (first << HALF)
        words[at + WIDTH] = (first >> HALF) | (swapped(np.uint64(instrument[k + 1])) >> HALF << HALF)
        words[at + 2 * WIDTH] = swapped(np.uint64(quantity[k + 1]))
        at += 3 * WIDTH
    pad = FIRST_PAD
    if count & 1:
        last = swapped(np.uint64(quantity[count - 1]))
        words[at] = (swapped(np.uint64(instrument[count - 1])) >> HALF) | (last << HALF)
        pad = (last >> HALF) | (FIRST_PAD << HALF)
        at += WIDTH
    end = blocks * BLOCK_SIZE
    words[at] = pad
    for place in range(at + WIDTH, end, WIDTH):
        words[place] = np.uint64(0)
    words[end - WIDTH + message] |= LAST_PAD


@kernel([types.void(_NUMBERS, _column(types.uint32, 1), _NUMBERS, _NUMBERS, _MADE, *_RANGE)])
def hash_portfolios(
    offsets: NDArray[np.int64],
    instrument: NDArray[np.uint32],
    quantity: NDArray[np.int64],
    rows: NDArray[np.int64],
    hashes: Words,
    start: int,
    stop: int,
) -> None:
    """The hashes of the portfolios `rows[start:stop]`; fastest when neighbours need equally many blocks."""
    state = np.empty(STATE_SIZE, np.uint64)
    words = np.zeros(PORTFOLIO_BLOCKS * BLOCK_SIZE, np.uint64)
    blocks = np.zeros(WIDTH, np.int64)
    for base in range(start, stop, WIDTH):
        used = min(WIDTH, stop - base)
        most = 0
        for j in range(used):
            row = rows[base + j]
            low, high = offsets[row], offsets[row + 1]
            blocks[j] = (high - low) * POSITION_BYTES // BLOCK_BYTES + 1
            most = max(most, blocks[j])
            _add_positions(words, j, instrument[low:high], quantity[low:high], blocks[j])
        state[:] = np.uint64(0)
        for block in range(most):
            for i in range(BLOCK_SIZE):
                state[i] ^= words[block * BLOCK_SIZE + i]
            permute_many(state)
            for j in range(used):
                if blocks[j] == block + 1:
                    _take(state, j, hashes, rows[base + j])


@kernel([types.void(_column(types.uint8, 1), _column(types.uint64, 1, readonly=False))])
def hash_bytes(message: NDArray[np.uint8], words: Words) -> None:
    """keccak-256 of bytes of any number, into the first four of 25 words."""
    words[:] = np.uint64(0)
    place = 0
    for byte in message:
        words[place >> 3] ^= np.uint64(byte) << (BYTE * np.uint64(place & 7))
        place += 1
        if place == BLOCK_BYTES:
            permute_one(words)
            place = 0
    words[place >> 3] ^= FIRST_PAD << (BYTE * np.uint64(place & 7))
    words[BLOCK_WORDS - 1] ^= LAST_PAD
    permute_one(words)
