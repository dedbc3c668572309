"""InstrumentRegistry: lists, ids, terms, and what it refuses."""

from __future__ import annotations

from random import Random

import pytest

from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import IdParts, InstrumentTable, Kind, instrument_id
from marginproof.spec.limits import (
    MAX_EXPIRIES,
    MAX_EXPIRY_INDEX,
    MAX_STRIKE,
    MAX_STRIKE_INDEX,
    MAX_UNDERLYINGS,
    MIN_STRIKE,
)
from marginproof.spec.logarithm import logarithm
from marginproof.spec.portfolio import Position, encode_portfolio

from .machine import ADMIN, START, STRANGER, Contract, Event, Machine, refused

DAY = 86_400
EXPIRIES = (START + DAY, START + 30 * DAY, START + 7 * DAY)
STRIKES = (90_000 * 10**8, 100_000 * 10**8, 80_000 * 10**8, MIN_STRIKE, MAX_STRIKE)


@pytest.fixture
def registry() -> Contract:
    """Empty, the admin being lister too."""
    deployed = Machine().deploy("InstrumentRegistry", ADMIN)
    deployed.transact("grantRole", deployed.call("LISTER_ROLE"), ADMIN)
    return deployed


@pytest.fixture
def filled(registry: Contract) -> Contract:
    """Two underlyings; the first has expiries and strikes."""
    registry.transact("addUnderlying", "BTC")
    registry.transact("addUnderlying", "ETH")
    for expiry in EXPIRIES:
        registry.transact("addExpiry", 1, expiry)
    registry.transact("addStrikes", 1, STRIKES)
    return registry


def instrument(expiry: int = 0, strike: int = 0, *, put: bool = False, underlying: int = 1) -> int:
    return instrument_id(IdParts(underlying, expiry, strike, put))


def one(id_: int) -> bytes:
    """A portfolio of one unit; the registry checks nothing but its length."""
    return id_.to_bytes(4, "big") + (10**8).to_bytes(8, "big")


def test_an_underlying_gets_the_next_id_and_lists_spot_and_perpetual(registry: Contract) -> None:
    assert registry.transact("addUnderlying", "BTC") == 1
    assert registry.machine.events() == [
        Event(registry.address, "UnderlyingAdded", {"underlying": 1, "symbol": "BTC"}),
        Event(registry.address, "InstrumentListed", {"id": instrument(0)}),
        Event(registry.address, "InstrumentListed", {"id": instrument(1)}),
    ]
    assert registry.transact("addUnderlying", "ETH") == 2
    assert registry.call("underlyingCount") == 2
    assert registry.call("symbolOf", 2) == "ETH"
    assert [registry.call("isListed", instrument(e, underlying=u)) for u in (1, 2, 3) for e in (0, 1, 2)] == [
        *(True, True, False),
        *(True, True, False),
        *(False, False, False),
    ]


def test_symbols_are_present_and_different(registry: Contract) -> None:
    with refused("EmptySymbol"):
        registry.transact("addUnderlying", "")
    registry.transact("addUnderlying", "BTC")
    with refused("DuplicateSymbol", "BTC"):
        registry.transact("addUnderlying", "BTC")


def test_underlyings_end_where_a_market_is_full(registry: Contract) -> None:
    for number in range(MAX_UNDERLYINGS):
        registry.transact("addUnderlying", f"U{number}")
    assert registry.call("symbolOf", MAX_UNDERLYINGS) == f"U{MAX_UNDERLYINGS - 1}"
    with refused("TooManyUnderlyings", MAX_UNDERLYINGS):
        registry.transact("addUnderlying", "more")


def test_expiries_get_indices_from_two(filled: Contract) -> None:
    assert list(filled.call("expiries", 1)) == list(EXPIRIES)
    assert list(filled.call("expiries", 2)) == []
    assert filled.transact("addExpiry", 2, START + 1) == 2
    expected = {"underlying": 2, "index": 2, "expiry": START + 1}
    assert filled.machine.events() == [Event(filled.address, "ExpiryAdded", expected)]


def test_expiries_lie_in_the_future_and_differ(filled: Contract) -> None:
    with refused("ExpiryNotInFuture", START, START):
        filled.transact("addExpiry", 1, START)
    with refused("DuplicateExpiry", 1, EXPIRIES[1]):
        filled.transact("addExpiry", 1, EXPIRIES[1])
    with refused("UnknownUnderlying", 3):
        filled.transact("addExpiry", 3, START + DAY)
    with refused("UnknownUnderlying", 0):
        filled.transact("addExpiry", 0, START + DAY)


def test_live_expiries_end_where_a_market_is_full(registry: Contract) -> None:
    registry.transact("addUnderlying", "BTC")
    for number in range(MAX_EXPIRIES):
        registry.transact("addExpiry", 1, START + 1 + number)
    with refused("TooManyLiveExpiries", 1, MAX_EXPIRIES):
        registry.transact("addExpiry", 1, START + DAY)
    registry.machine.set_time(START + 1)
    assert registry.transact("addExpiry", 1, START + DAY) == MAX_EXPIRIES + 2


def test_expiries_end_where_indices_end(registry: Contract) -> None:
    registry.transact("addUnderlying", "BTC")
    for number in range(MAX_EXPIRY_INDEX - 1):
        registry.machine.set_time(START + number)
        last = registry.transact("addExpiry", 1, START + 1 + number)
    assert last == MAX_EXPIRY_INDEX
    with refused("TooManyExpiries", 1, MAX_EXPIRY_INDEX - 1):
        registry.transact("addExpiry", 1, START + DAY)


def test_strikes_get_indices_from_one(filled: Contract) -> None:
    assert list(filled.call("strikes", 1)) == list(STRIKES)
    assert filled.transact("addStrikes", 1, [10**12, 2 * 10**12]) == len(STRIKES) + 1
    assert [event.values for event in filled.machine.events()] == [
        {"underlying": 1, "index": len(STRIKES) + 1, "strike": 10**12},
        {"underlying": 1, "index": len(STRIKES) + 2, "strike": 2 * 10**12},
    ]
    assert list(filled.call("strikes", 1)) == [*STRIKES, 10**12, 2 * 10**12]


def test_strikes_stay_in_range(filled: Contract) -> None:
    for strike in (0, MIN_STRIKE - 1, MAX_STRIKE + 1):
        with refused("OutOfRange", "strike", strike, MIN_STRIKE, MAX_STRIKE):
            filled.transact("addStrikes", 2, [10**12, strike])
    with refused("UnknownUnderlying", 3):
        filled.transact("addStrikes", 3, [10**12])
    assert list(filled.call("strikes", 2)) == []


def test_a_strike_is_added_once(filled: Contract) -> None:
    with refused("DuplicateStrike", 1, STRIKES[0]):
        filled.transact("addStrikes", 1, [10**12, STRIKES[0]])
    with refused("DuplicateStrike", 1, 10**12):
        filled.transact("addStrikes", 1, [10**12, 10**12])
    assert list(filled.call("strikes", 1)) == list(STRIKES)
    filled.transact("addStrikes", 2, [STRIKES[0]])


def test_strikes_end_where_indices_end(filled: Contract) -> None:
    room = MAX_STRIKE_INDEX - len(STRIKES)
    many = [10**12 + i for i in range(room + 1)]
    with refused("TooManyStrikes", 1, MAX_STRIKE_INDEX):
        filled.transact("addStrikes", 1, many)
    filled.transact("addStrikes", 1, many[:room])
    with refused("TooManyStrikes", 1, MAX_STRIKE_INDEX):
        filled.transact("addStrikes", 1, many[room:])
    assert filled.call("terms", one(instrument(2, MAX_STRIKE_INDEX, put=True))) == (
        EXPIRIES[0] << 64 | many[room - 1],
    )


def test_listing_announces_each_instrument_once(filled: Contract) -> None:
    future, call, put = instrument(2), instrument(3, 1), instrument(3, 1, put=True)
    filled.transact("list", [future, call])
    assert [event.values["id"] for event in filled.machine.events()] == [future, call]
    filled.transact("list", [call, put])
    assert [event.values["id"] for event in filled.machine.events()] == [put]
    assert all(filled.call("isListed", id_) for id_ in (future, call, put))
    assert not filled.call("isListed", instrument(4))


def test_terms_of_every_kind(filled: Contract) -> None:
    ids = [instrument(0), instrument(1)]
    words = [0, 0]
    for index, expiry in enumerate(EXPIRIES):
        ids += [instrument(index + 2)]
        words += [expiry << 64]
        for number, strike in enumerate(STRIKES):
            ids += [instrument(index + 2, number + 1), instrument(index + 2, number + 1, put=True)]
            words += [expiry << 64 | strike] * 2
    ids += [instrument(0, underlying=2)]
    portfolio = encode_portfolio([Position(id_, 10**8) for id_ in ids])
    assert list(filled.call("terms", portfolio)) == [*words, 0]
    assert list(filled.call("terms", b"")) == []


def test_terms_of_many_expiries_and_strikes(registry: Contract) -> None:
    """More expiries than stand in the head, more strikes than one piece of code holds, both met again and again; with logarithms, too."""
    rng = Random(19)
    strikes, expiries = {}, {}
    for underlying in (1, 2):
        registry.transact("addUnderlying", f"U{underlying}")
        expiries[underlying] = [START + DAY + 997 * rng.randrange(1_000) * 60 + i for i in range(29)]
        for expiry in expiries[underlying]:
            registry.transact("addExpiry", underlying, expiry)
        drawn = {rng.randint(1, 10**6) * 10**8 for _ in range(200)}
        drawn |= {int(MIN_STRIKE * (MAX_STRIKE / MIN_STRIKE) ** rng.random()) for _ in range(400)}
        strikes[underlying] = rng.sample(sorted(drawn), 600)
        for start in range(0, 600, 33):
            registry.transact("addStrikes", underlying, strikes[underlying][start : start + 33])
        assert list(registry.call("strikes", underlying)) == strikes[underlying]
        assert list(registry.call("expiries", underlying)) == expiries[underlying]
        assert list(registry.call("expiriesFrom", underlying, 9)) == expiries[underlying][9:]
    for _ in range(5):
        picks = sorted({(rng.choice((1, 2)), rng.randrange(29), rng.randrange(600)) for _ in range(120)})
        portfolio = b"".join(one(instrument(e + 2, k + 1, underlying=u)) for u, e, k in picks)
        expected = [expiries[u][e] << 64 | strikes[u][k] for u, e, k in picks]
        assert list(registry.call("terms", portfolio)) == expected
        priced = [
            expiry << 72 | logarithm(strike) for expiry, strike in (divmod(word, 2**64) for word in expected)
        ]
        assert [w >> 64 for w in registry.call("pricingTerms", portfolio)] == priced
        assert [w % 2**64 for w in registry.call("pricingTerms", portfolio)] == [w % 2**64 for w in expected]


UNKNOWN = {
    "no underlying": instrument(0) - (1 << 26),
    "underlying never added": instrument(0, underlying=3),
    "greatest id": 2**32 - 1,
    "expiry never added": instrument(2 + len(EXPIRIES)),
    "expiry of another underlying": instrument(2, underlying=2),
    "strike never added": instrument(2, len(STRIKES) + 1),
    "put future": instrument(2, put=True),
    "put spot": instrument(0, put=True),
    "spot with a strike": instrument(0, 1),
    "perpetual with a strike": instrument(1, 1),
}


@pytest.mark.parametrize("id_", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_unknown_instruments(filled: Contract, id_: int) -> None:
    table = InstrumentTable({1: EXPIRIES, 2: ()}, {1: STRIKES, 2: ()})
    with pytest.raises(SpecError, match="UnknownInstrument"):
        table.resolve(id_)
    with refused("UnknownInstrument", id_):
        filled.call("terms", one(instrument(0)) + one(id_))
    # Behind an option, whose strikes are at hand then.
    with refused("UnknownInstrument", id_):
        filled.call("terms", one(instrument(2, 1)) + one(id_))
    with refused("UnknownInstrument", id_):
        filled.transact("list", [instrument(2), id_])
    assert not filled.call("isListed", instrument(2))


def test_the_specification_resolves_the_same(filled: Contract) -> None:
    table = InstrumentTable({1: EXPIRIES, 2: ()}, {1: STRIKES, 2: ()})
    for id_ in (instrument(0), instrument(1), instrument(3), instrument(4, 2), instrument(2, 5, put=True)):
        resolved = table.resolve(id_)
        assert filled.call("terms", one(id_)) == (resolved.expiry << 64 | resolved.strike_e8,)
        assert resolved.kind.is_option == (id_ >> 1 & MAX_STRIKE_INDEX > 0)
    assert table.resolve(instrument(2, 1, put=True)).kind == Kind.PUT


def test_ragged_portfolio_bytes(filled: Contract) -> None:
    for length in (1, 11, 13):
        with refused("BadPortfolioLength", length):
            filled.call("terms", one(instrument(0)).ljust(length, b"\1")[:length])


def test_only_listers_change_anything(filled: Contract) -> None:
    role = filled.call("LISTER_ROLE")
    for name, args in {
        "addUnderlying": ("SOL",),
        "addExpiry": (1, START + DAY * 9),
        "addStrikes": (1, [10**12]),
        "list": ([instrument(2)],),
    }.items():
        with refused("AccessControlUnauthorizedAccount", STRANGER, role):
            filled.transact(name, *args, caller=STRANGER)


def test_views_refuse_an_unknown_underlying(filled: Contract) -> None:
    for name in ("symbolOf", "expiries", "strikes"):
        with refused("UnknownUnderlying", 3):
            filled.call(name, 3)
