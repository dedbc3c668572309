"""Terms from the court's copy of the instruments: right at any age of the copy, the registry's where it does not know enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from marginproof.spec.instruments import IdParts, Instrument, Kind, id_parts, instrument_id
from marginproof.spec.limits import MAX_STRIKE, MIN_STRIKE
from marginproof.spec.logarithm import logarithm
from marginproof.spec.market import encode_market
from marginproof.spec.units import ONE_E8

from .court import Court
from .draws import TIME, book, ordinary, world
from .machine import ADMIN, START, STRANGER, Contract, Event, Machine, refused
from .samples import DAY, LIVE, MARKET, MODEL

ROUNDS = 8
PIECE = 128


@dataclass(slots=True)
class Listing:
    """A registry that grows, and what it knows."""

    registry: Contract
    rng: Random
    expiries: dict[int, list[int]] = field(default_factory=dict)
    strikes: dict[int, list[int]] = field(default_factory=dict)

    def grow(self) -> None:
        """Another underlying now and then, some expiries, some strikes: few, a piece's rest, or more than a piece."""
        registry, rng = self.registry, self.rng
        if len(self.expiries) < 2 or (len(self.expiries) < 4 and rng.random() < 0.4):
            underlying = registry.transact("addUnderlying", f"U{len(self.expiries) + 1}")
            self.expiries[underlying], self.strikes[underlying] = [], []
        for underlying, expiries in self.expiries.items():
            for _ in range(rng.choice((0, 0, 1, 4, 9)) if len(expiries) < 23 else 0):
                expiry = START + DAY + 997 * len(expiries) * 60 + rng.randrange(60_000)
                registry.transact("addExpiry", underlying, expiry)
                expiries.append(expiry)
            strikes = self.strikes[underlying]
            count = rng.choice((0, 0, 1, 30, -len(strikes) % PIECE, 200))
            new = {int(MIN_STRIKE * (MAX_STRIKE / MIN_STRIKE) ** rng.random()) for _ in range(count)}
            drawn = rng.sample(sorted(new - set(strikes)), len(new - set(strikes)))
            registry.transact("addStrikes", underlying, drawn)
            strikes += drawn

    def counts(self, underlying: int) -> tuple[int, int]:
        """Expiries and strikes by now."""
        return len(self.expiries[underlying]), len(self.strikes[underlying])

    def term(self, number: int, known: dict[int, tuple[int, int]]) -> int | None:
        """An id's term, if those who know so many expiries and strikes of each underlying know it."""
        parts = id_parts(number)
        if parts.underlying not in known:
            return None
        expiries, strikes = known[parts.underlying]
        place = parts.expiry_index - 2
        if place < 0:
            return None if parts.strike_index or parts.is_put else 0
        if place >= expiries or parts.strike_index > strikes or (parts.is_put and not parts.strike_index):
            return None
        expiry = self.expiries[parts.underlying][place] << 136
        if not parts.strike_index:
            return expiry
        strike = self.strikes[parts.underlying][parts.strike_index - 1]
        return expiry | logarithm(strike) << 64 | strike

    def ids(self) -> list[int]:
        """Ids near each other or all over; one in some portfolios is not registered."""
        rng, found = self.rng, set()
        underlyings = rng.sample(sorted(self.expiries), rng.randint(1, len(self.expiries)))
        for _ in range(rng.choice((1, 1, 2, 3, 10, 60, 128))):
            underlying = rng.choice(underlyings)
            expiries, strikes = self.counts(underlying)
            expiry = rng.choice(
                (0, 1, rng.randrange(expiries + 2), rng.randrange(expiries + 2), expiries + 1)
            )
            strike = rng.choice((0, 1, strikes, rng.randint(0, strikes), rng.randint(0, strikes)))
            strike = 0 if expiry < 2 else strike
            found.add(instrument_id(IdParts(underlying, expiry, strike, strike > 0 and rng.random() < 0.5)))
        ids = sorted(found)
        if rng.random() < 0.2:
            wrong = ids[rng.randrange(len(ids))] ^ rng.choice((1, 1 << 9, 1 << 15, 7 << 16, 1 << 25, 1 << 31))
            ids = sorted({*ids, wrong})
        return rng.sample(ids, len(ids)) if rng.random() < 0.2 else ids


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_copy_of_any_age_is_right_as_far_as_it_goes(seed: int) -> None:
    rng = Random(f"terms {seed}")
    machine = Machine()
    registry = machine.deploy("InstrumentRegistry", ADMIN)
    registry.transact("grantRole", registry.call("LISTER_ROLE"), ADMIN)
    harness, listing = machine.deploy("TermsHarness", registry.address), Listing(registry, rng)
    copied: dict[int, tuple[int, int]] = {}
    partly = whole = 0
    for _ in range(6):
        listing.grow()
        for underlying in listing.expiries:
            if rng.random() < 0.4:
                harness.transact("sync", underlying)
                copied[underlying] = listing.counts(underlying)
        now = {underlying: listing.counts(underlying) for underlying in listing.expiries}
        for _ in range(15):
            ids = listing.ids()
            portfolio = b"".join(number.to_bytes(4, "big") + bytes(8) for number in ids)
            terms = [listing.term(number, now) for number in ids]
            if None in terms:
                with refused("UnknownInstrument", ids[terms.index(None)]):
                    registry.call("pricingTerms", portfolio)
            else:
                assert list(registry.call("pricingTerms", portfolio)) == terms
            mine = [listing.term(number, copied) for number in ids]
            length = mine.index(None) if None in mine else len(mine)
            expected = (tuple(mine[:length]), 12 * (len(ids) - length), True)
            assert harness.call("read", portfolio) == expected, (seed, ids)
            partly, whole = partly + (length < len(ids)), whole + (length == len(ids))
    assert partly > 5
    assert whole > 5


def test_the_court_computes_the_same_with_any_copy() -> None:
    """None, one that is old, one that is new: the same figures and losses, for less gas."""
    rng = Random("copies")
    for _ in range(4):
        court = Court(underlyings=2, syncs=False)
        drawn = world(rng, (1, 2), 9, ordinary)
        model, market = court.publish(drawn.model), encode_market(drawn.market)
        court.post(drawn.market)
        books = [book(rng, drawn, 20) for _ in range(6)]
        portfolios = [court.portfolio(positions) for positions in books[:3]]
        old = court.machine.deploy(
            "MarginCourt", court.instruments.address, court.models.address, court.epochs.address
        )
        for underlying in (1, 2):
            old.transact("syncInstruments", underlying)
        portfolios += [court.portfolio(positions) for positions in books[3:]]
        expected = [court.court.call("recompute", model, portfolio, market) for portfolio in portfolios]
        spent = [
            court.recompute(model, portfolio, drawn.market) and court.court.gas for portfolio in portfolios
        ]
        assert [old.call("recompute", model, portfolio, market) for portfolio in portfolios] == expected
        court.sync()
        for portfolio, figures, gas in zip(portfolios, expected, spent, strict=True):
            assert court.recompute(model, portfolio, drawn.market) == figures
            assert court.court.gas < gas or not portfolio
            assert court.reprice(model, portfolio, drawn.market, figures[4]) == figures


CALL = Instrument(1, Kind.CALL, LIVE, 80_000 * ONE_E8)
UNKNOWN = {
    "another underlying": instrument_id(IdParts(4, 0, 0, False)),
    "expiry": instrument_id(IdParts(1, 3, 0, False)),
    "a strike of it": instrument_id(IdParts(1, 3, 1, False)),
    "strike": instrument_id(IdParts(1, 2, 2, True)),
    "perpetual with a strike": instrument_id(IdParts(1, 1, 1, False)),
    "put without a strike": instrument_id(IdParts(1, 2, 0, True)),
}


@pytest.mark.parametrize("number", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_nobody_knows_is_refused_alike(number: int) -> None:
    for syncs in (False, True):
        court = Court(underlyings=3, syncs=syncs)
        model = court.publish(MODEL)
        held = court.portfolio([(CALL, ONE_E8)])
        position = number.to_bytes(4, "big") + ONE_E8.to_bytes(8, "big")
        for portfolio in (position, b"".join(sorted((held, position)))):
            with refused("UnknownInstrument", number):
                court.recompute(model, portfolio, MARKET)
            with refused("UnknownInstrument", number):
                court.reprice(model, portfolio, MARKET, b"\1\0")


@pytest.fixture
def court() -> Court:
    """Not synced; the first underlying has an expiry and a strike."""
    court = Court(underlyings=2, syncs=False)
    court.id_of(CALL)
    return court


def _synced(court: Court, underlying: int, expiries: int, strikes: int) -> Event:
    values = {"underlying": underlying, "expiries": expiries, "strikes": strikes}
    return Event(court.court.address, "InstrumentsSynced", values)


def test_anybody_syncs_and_once_is_enough(court: Court) -> None:
    assert court.court.call("syncedInstruments", 1) == (False, 0, 0)
    court.court.transact("syncInstruments", 1, caller=STRANGER)
    assert court.machine.events() == [_synced(court, 1, 1, 1)]
    assert court.court.call("syncedInstruments", 1) == (True, 1, 1)
    court.court.transact("syncInstruments", 1)
    assert court.machine.events() == []
    court.court.transact("syncInstruments", 2)
    assert court.machine.events() == [_synced(court, 2, 0, 0)]
    assert court.court.call("syncedInstruments", 2) == (True, 0, 0)


def test_only_what_was_added_is_written(court: Court) -> None:
    """A full word of expiries is not written again: syncing one more of many takes no more than syncing one more of few."""
    gas = {}
    for count in (8, 9, 23, 24, 26):
        for number in range(len(court.expiries[1]), count):
            court.id_of(Instrument(1, Kind.FUTURE, TIME + (40 + number) * DAY))
        contract = court.machine.cold(court.court)
        contract.transact("syncInstruments", 1)
        gas[count] = contract.gas
        court.court.transact("syncInstruments", 1)
        assert court.machine.events() == [_synced(court, 1, count, 1)]
    # The first one writes two words that were zero; later ones the head, and a word that was zero or not.
    assert gas[9] < gas[24] < gas[23] < gas[8]


def test_an_underlying_that_is_not_there(court: Court) -> None:
    for underlying in (0, 3, 255):
        with refused("UnknownUnderlying", underlying):
            court.court.transact("syncInstruments", underlying)
        assert court.court.call("syncedInstruments", underlying) == (False, 0, 0)
