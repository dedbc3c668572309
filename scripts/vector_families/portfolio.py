"""Family portfolio: packed bytes, trades, ids, and the margin of whole accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.limits import MAX_POSITIONS, MAX_QUANTITY
from marginproof.spec.portfolio import (
    Position,
    apply_trade,
    decode_portfolio,
    encode_portfolio,
    portfolio_hash,
)

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .samples import (
    EXPIRIES,
    STRIKES,
    identify,
    raw_portfolio,
    registry_json,
    registry_of,
)
from .schema import BYTES, BYTES32, INTEGER, NATURAL, array, choice, record, table

REGISTRY_SCHEMA: Final = record(expiries=table(array(NATURAL)), strikes=table(array(NATURAL)))


def _codec(given: Json) -> Json:
    data = octets(given["bytes"])
    positions = decode_portfolio(data)
    if encode_portfolio(positions) != data:
        raise AssertionError("an encoding that does not survive decoding and encoding")
    rows = [{"id": decimal(p.instrument), "quantity": decimal(p.quantity)} for p in positions]
    return {"hash": hexadecimal(portfolio_hash(positions)), "positions": rows}


def _raw(name: str, *positions: tuple[int, int], flag: str = "corner") -> Draft:
    return Draft(name, {"bytes": hexadecimal(raw_portfolio([Position(*p) for p in positions]))}, (flag,))


def _codecs() -> Iterator[Draft]:
    draw = draws(601)
    top = 2**32 - 1
    yield _raw("empty")
    yield _raw("one unit of the lowest id", (1, 1))
    yield _raw("the highest id, sold", (top, -1))
    yield _raw("largest quantities", (1, MAX_QUANTITY), (top, -MAX_QUANTITY))
    yield _raw(
        "a call beside its put",
        (identify(1, EXPIRIES[4], STRIKES[5]), 1),
        (identify(1, EXPIRIES[4], STRIKES[5], True), -1),
    )
    yield _raw("128 positions", *((id_, 1 + id_) for id_ in range(1, MAX_POSITIONS + 1)))
    for count in (2, 3, 7, 20, 60, 127):
        ids = sorted(draw.sample(range(1, top), count))
        yield _raw(
            f"{count} random positions",
            *((i, draw.choice((-1, 1)) * log_uniform(draw, 1, MAX_QUANTITY)) for i in ids),
            flag="random",
        )
    yield _raw("129 positions", *((id_, 1) for id_ in range(1, MAX_POSITIONS + 2)))
    yield _raw("200 positions", *((id_, 1) for id_ in range(1, 201)))
    yield _raw("id 0", (0, 1))
    yield _raw("id 0 before another", (0, 1), (5, 1))
    yield _raw("the same id twice", (7, 1), (7, 2))
    yield _raw("ids falling", (8, 1), (7, 1))
    yield _raw("ids falling at the end", (7, 1), (9, 1), (8, 1))
    yield _raw("no quantity", (7, 0))
    yield _raw("no quantity in the middle", (6, 1), (7, 0), (8, 1))
    for quantity in (MAX_QUANTITY + 1, -MAX_QUANTITY - 1, 2**63 - 1, -(2**63)):
        yield _raw(f"quantity {quantity}", (7, quantity))
    for length in (1, 4, 11, 13, 23, 1535, 1537):
        yield Draft(f"{length} bytes", {"bytes": hexadecimal(bytes([1] * length))}, ("length",))
    yield from _faults_by_position()


def _faults_by_position() -> Iterator[Draft]:
    """A full book with one fault in its first, a middle and its last position."""
    book = [(10 * i, i) for i in range(1, MAX_POSITIONS + 1)]
    for place in (0, 64, MAX_POSITIONS - 1):
        id_, _ = book[place]
        for name, position in (
            ("no quantity", (id_, 0)),
            ("a quantity one too large", (id_, MAX_QUANTITY + 1)),
            ("a sold quantity one too large", (id_, -MAX_QUANTITY - 1)),
            ("the id before it, or none", (id_ - 10, 1)),
        ):
            changed = [*book[:place], position, *book[place + 1 :]]
            yield _raw(f"position {place} of a full book: {name}", *changed)


def _trade(given: Json) -> Json:
    after = apply_trade(
        decode_portfolio(octets(given["portfolio"])), int(given["id"]), int(given["quantity"])
    )
    return {"portfolio": hexadecimal(encode_portfolio(after))}


def _trades() -> Iterator[Draft]:
    book = [(5, 10), (9, -20), (12, MAX_QUANTITY)]
    full = [(2 * i, 1) for i in range(1, MAX_POSITIONS + 1)]
    for name, positions, id_, quantity in (
        ("opens the first position", [], 9, 5),
        ("in front", book, 1, 5),
        ("between", book, 7, -5),
        ("at the end", book, 2**32 - 1, 5),
        ("adds", book, 5, 1),
        ("reduces", book, 5, -9),
        ("closes", book, 5, -10),
        ("closes the last", [(5, 10)], 5, -10),
        ("turns", book, 9, 50),
        ("adds to a full book", full, 2, 7),
        ("closes in a full book", full, 256, -1),
        ("up to the largest quantity", book, 5, MAX_QUANTITY - 10),
        ("reduces the largest quantity", book, 12, -2 * MAX_QUANTITY),
        ("a position too many, in front", full, 1, 1),
        ("a position too many, at the end", full, 257, 1),
        ("above the largest quantity", book, 12, 1),
        ("below the largest sold quantity", book, 9, 19 - MAX_QUANTITY),
        ("above the largest quantity, new", book, 13, MAX_QUANTITY + 1),
        ("id 0", book, 0, 5),
        ("id 0, sold, in an empty book", [], 0, -5),
        ("a position too many, in the middle", full, 129, 1),
        ("a position too many, sold, at the highest id", full, 2**32 - 1, -1),
        ("below the largest sold quantity, new", book, 13, -MAX_QUANTITY - 1),
        ("above the largest quantity, the first position", [], 5, MAX_QUANTITY + 1),
        ("above the largest quantity, in front", book, 5, MAX_QUANTITY - 9),
        ("above the largest quantity, in a full book", full, 2, MAX_QUANTITY),
        ("turns beyond the largest quantity", book, 9, MAX_QUANTITY + 21),
        ("turns beyond the largest sold quantity", book, 12, -2 * MAX_QUANTITY - 1),
        ("turns up to the largest quantity", book, 9, MAX_QUANTITY + 20),
        ("up to the largest sold quantity", book, 9, 20 - MAX_QUANTITY),
    ):
        data = raw_portfolio([Position(*p) for p in positions])
        given = {"portfolio": hexadecimal(data), "id": decimal(id_), "quantity": decimal(quantity)}
        yield Draft(name, given, ("corner",))


def _resolve(given: Json) -> Json:
    instrument = registry_of(given["registry"]).resolve(int(given["id"]))
    return {
        "underlying": decimal(instrument.underlying),
        "kind": instrument.kind.name.lower(),
        "expiry": decimal(instrument.expiry),
        "strike": decimal(instrument.strike_e8),
    }


def _ids() -> Iterator[Draft]:
    lists = InstrumentTable({1: EXPIRIES[3:6], 2: ()}, {1: STRIKES[:5], 2: STRIKES[:1]})
    registry = registry_json(lists)

    def draft(name: str, id_: int) -> Draft:
        return Draft(name, {"registry": registry, "id": decimal(id_)}, ("corner",))

    def packed(underlying: int, expiry: int, strike: int, put: int) -> int:
        return underlying << 26 | expiry << 16 | strike << 1 | put

    for underlying in (1, 2):
        yield draft("spot", packed(underlying, 0, 0, 0))
        yield draft("perpetual", packed(underlying, 1, 0, 0))
    for expiry in (2, 3, 4):
        yield draft("future", packed(1, expiry, 0, 0))
        for strike in (1, 5):
            yield draft("call", packed(1, expiry, strike, 0))
            yield draft("put", packed(1, expiry, strike, 1))
    for name, id_ in (
        ("nothing", 0),
        ("underlying 0", packed(0, 2, 1, 0)),
        ("underlying not registered", packed(3, 0, 0, 0)),
        ("highest underlying", packed(63, 1, 0, 0)),
        ("every bit", 2**32 - 1),
        ("spot with a strike", packed(1, 0, 1, 0)),
        ("spot as a put", packed(1, 0, 0, 1)),
        ("perpetual with a strike", packed(1, 1, 1, 0)),
        ("perpetual as a put", packed(1, 1, 0, 1)),
        ("future as a put", packed(1, 2, 0, 1)),
        ("expiry not registered", packed(1, 5, 0, 0)),
        ("option of an expiry not registered", packed(1, 5, 1, 1)),
        ("highest expiry", packed(1, 1023, 1, 1)),
        ("strike not registered", packed(1, 2, 6, 0)),
        ("highest strike", packed(1, 2, 32767, 1)),
        ("future without expiries", packed(2, 2, 0, 0)),
        ("option without expiries", packed(2, 2, 1, 0)),
    ):
        yield draft(name, id_)


TOPICS: Final = (
    Topic(
        "portfolio",
        "codec",
        "Packed portfolio bytes to positions and hash.",
        _codec,
        _codecs,
        record(bytes=BYTES),
        record(hash=BYTES32, positions=array(record(id=NATURAL, quantity=INTEGER))),
    ),
    Topic(
        "portfolio",
        "trade",
        "The packed portfolio after adding a signed quantity of one instrument.",
        _trade,
        _trades,
        record(portfolio=BYTES, id=NATURAL, quantity=INTEGER),
        record(portfolio=BYTES),
    ),
    Topic(
        "portfolio",
        "instrument",
        "What an id stands for, given the registry's lists of expiries and strikes (E8).",
        _resolve,
        _ids,
        record(registry=REGISTRY_SCHEMA, id=NATURAL),
        record(
            underlying=NATURAL,
            kind=choice("spot", "perpetual", "future", "call", "put"),
            expiry=NATURAL,
            strike=NATURAL,
        ),
    ),
)
