"""Abridged market bytes: the court's figures from them are those from whole ones, and nothing else passes for an epoch's market."""

from __future__ import annotations

from random import Random

import pytest

from marginproof.spec.abridged import abridge_market, abridged_hash, needed_by
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import MarketSnapshot, encode_market, market_hash

from .court import Court
from .draws import Value, World, anything, book, ordinary, world
from .machine import ContractRefused, refused
from .samples import LIVE, MARKET, MODEL

UNIT = 10**8
DRAWS = {"ordinary models": ordinary, "anything in range": anything}
BOTH = {part.underlying: {quote.expiry for quote in part.expiries} for part in MARKET.underlyings}


def holding(court: Court, *expiries: int) -> bytes:
    return court.portfolio([(Instrument(1, Kind.CALL, expiry, 90_000 * UNIT), -UNIT) for expiry in expiries])


def answers(court: Court, model: bytes, portfolio: bytes, market: bytes, held: list[int]) -> list[object]:
    """What every view says of a book."""
    call = court.court.call
    figures = call("recompute", model, portfolio, market)
    return [
        figures,
        call("repriceScenario", model, portfolio, market, figures[4]),
        list(call("lossesAt", model, portfolio, market, figures[4])),
        *(list(call("losses", model, portfolio, market, underlying)) for underlying in held),
    ]


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_figures_from_abridged_bytes_are_those_from_whole_ones(value: Value) -> None:
    rng = Random(f"abridged {value.__name__}")
    shorter = 0
    for _ in range(8):
        court = Court(underlyings=3)
        drawn: World = world(rng, (1, 2, 3), 3, value, strikes=2, expiries=11)
        model = court.publish(drawn.model)
        court.post(drawn.market)
        whole = encode_market(drawn.market)
        for _ in range(4):
            positions = book(rng, drawn, rng.choice((1, 3, 40)))
            portfolio, needed = court.portfolio(positions), needed_by(i for i, _ in positions)
            # One more is shown, now and then, than is needed.
            needed.setdefault(rng.choice((1, 2, 3)), set())
            abridged = abridge_market(drawn.market, needed)
            shorter += len(abridged) < len(whole)
            held = sorted({instrument.underlying for instrument, _ in positions})
            expected = answers(court, model, portfolio, whole, held)
            assert answers(court, model, portfolio, abridged, held) == expected, positions
    assert shorter > 20


def test_what_is_left_out_and_needed_is_missing() -> None:
    court = Court()
    model = court.publish(MODEL)
    portfolio = holding(court, LIVE)
    court.post(MARKET)
    assert court.court.call("recompute", model, portfolio, abridge_market(MARKET, {1: {LIVE}}))
    with refused("MissingExpiry", LIVE):
        court.court.call("recompute", model, portfolio, abridge_market(MARKET, {1: set()}))
    for needed in ({}, {2: BOTH[2]}):
        with refused("MissingUnderlying", 1):
            court.court.call("recompute", model, portfolio, abridge_market(MARKET, needed))


def test_attack_11_abridged_bytes_of_another_market_are_refused() -> None:
    """Only of the newest epoch's market may anything be left out: of any other, the court checks every figure."""
    court = Court()
    model = court.publish(MODEL)
    portfolio = holding(court, LIVE)
    abridged = abridge_market(MARKET, {1: {LIVE}})
    other = MarketSnapshot(MARKET.time + 1, MARKET.settlement_token_e8, MARKET.underlyings)
    for posted in (None, other):
        court.forget() if posted is None else court.post(posted)
        with pytest.raises(ContractRefused, match=r"BadLength|OutOfRange"):
            court.court.call("recompute", model, portfolio, abridged)


@pytest.mark.parametrize("seed", range(3))
def test_attack_11_no_changed_byte_passes(seed: int) -> None:
    """A byte changed anywhere, bytes cut off or added: refused, never other figures."""
    rng = Random(seed)
    court = Court()
    model = court.publish(MODEL)
    portfolio = holding(court, LIVE)
    court.post(MARKET)
    abridged = abridge_market(MARKET, {1: {LIVE}})
    assert abridged_hash(abridged) == market_hash(MARKET)
    assert court.court.call("recompute", model, portfolio, abridged)
    changed = [bytearray(abridged) for _ in range(60)]
    for data in changed:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    for data in (*changed, abridged[:-1], abridged + b"\0", abridged[: len(abridged) // 2]):
        with pytest.raises(ContractRefused):
            court.court.call("recompute", model, portfolio, bytes(data))


def test_quotes_are_found_in_any_order_of_ids() -> None:
    """Ids need not increase with dates: the expiry registered first may be the last."""
    rng = Random(5)
    drawn = world(rng, (1,), 2, ordinary, strikes=1, expiries=12)
    dates = [quote.expiry for quote in drawn.market.underlyings[0].expiries]
    assert len(dates) > 4
    court = Court(underlyings=1)
    for date in sorted(dates, key=lambda _: rng.random()):
        court.id_of(Instrument(1, Kind.FUTURE, date))
    model = court.publish(drawn.model)
    court.post(drawn.market)
    positions = [(Instrument(1, Kind.FUTURE, date), UNIT) for date in rng.sample(dates, len(dates) - 1)]
    portfolio = court.portfolio(positions)
    abridged = abridge_market(drawn.market, needed_by(i for i, _ in positions))
    whole = encode_market(drawn.market)
    assert answers(court, model, portfolio, abridged, [1]) == answers(court, model, portfolio, whole, [1])


def test_a_needed_set_without_the_underlying_shows_nothing_of_it() -> None:
    assert needed_by([]) == {}
    assert needed_by([Instrument(2, Kind.SPOT), Instrument(1, Kind.FUTURE, LIVE)]) == {2: set(), 1: {LIVE}}
    assert len(abridge_market(MARKET, {})) == 17 + 33 * len(MARKET.underlyings)
    assert abridge_market(MARKET, BOTH) == encode_market(MARKET)
