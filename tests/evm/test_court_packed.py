"""A repricing as one byte string: the same figures as with its arguments apart, and no bytes that say more than there are."""

from __future__ import annotations

from random import Random

import pytest

from marginproof.spec.abridged import abridge_market, needed_by
from marginproof.spec.errors import SpecError
from marginproof.spec.market import encode_market
from marginproof.spec.repricing import Repricing, pack_repricing, unpack_repricing

from .court import Court
from .draws import anything, book, world
from .machine import refused
from .samples import MARKET, MODEL

EMPTY = Repricing(bytes(range(32)), b"", b"", b"")


def test_packed_arguments_give_the_same_figures() -> None:
    rng = Random("packed")
    for _ in range(8):
        court = Court(underlyings=2)
        drawn = world(rng, (1, 2), 5, anything, expiries=6)
        model = court.publish(drawn.model)
        court.post(drawn.market)
        for _ in range(3):
            positions = book(rng, drawn, 20)
            portfolio = court.portfolio(positions)
            choices = court.recompute(model, portfolio, drawn.market)[4]
            expected = court.reprice(model, portfolio, drawn.market, choices)
            abridged = abridge_market(drawn.market, needed_by(i for i, _ in positions))
            for market in (encode_market(drawn.market), abridged):
                asked = Repricing(model, portfolio, choices, market)
                packed = pack_repricing(asked)
                assert unpack_repricing(packed) == asked
                assert court.court.call("repriceCompact", packed) == expected


def test_what_the_counts_have_no_room_for_is_refused_by_both() -> None:
    court = Court()
    packed = pack_repricing(Repricing(EMPTY.model_hash, bytes(36), bytes(4), b""))
    assert len(packed) == 34 + 36 + 4
    for length in range(len(packed)):
        with refused("BadLength", length):
            court.court.call("repriceCompact", packed[:length])
        with pytest.raises(SpecError, match="BadLength"):
            unpack_repricing(packed[:length])
    for counts in (b"\xff\x00", b"\x00\xff", b"\xff\xff"):
        data = EMPTY.model_hash + counts + bytes(100)
        with refused("BadLength", len(data)):
            court.court.call("repriceCompact", data)


def test_counts_that_say_less_leave_the_rest_to_the_market() -> None:
    """Positions that are not counted are read as market bytes, which they are not: refused, never left out of the figures."""
    court = Court()
    model = court.publish(MODEL)
    portfolio = bytes.fromhex("040100000000000005f5e100")
    packed = bytearray(pack_repricing(Repricing(model, portfolio, b"\x01\x00", encode_market(MARKET))))
    assert court.court.call("repriceCompact", bytes(packed))
    packed[32] = 0
    with refused("BadLength", len(encode_market(MARKET)) + len(portfolio)):
        court.court.call("repriceCompact", bytes(packed))


def test_more_than_a_byte_can_count_is_not_packed() -> None:
    with pytest.raises(SpecError, match="OutOfRange"):
        pack_repricing(Repricing(EMPTY.model_hash, bytes(256 * 12), b"", b""))
    assert len(pack_repricing(Repricing(EMPTY.model_hash, bytes(255 * 12), b"", b""))) == 34 + 255 * 12
    assert unpack_repricing(pack_repricing(EMPTY)) == EMPTY
