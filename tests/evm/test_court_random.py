"""Random books under models with every feature on: MarginCourt and CellHarness against the specification, to the last bit."""

from __future__ import annotations

from random import Random

import pytest

from marginproof.spec.instruments import Instrument
from marginproof.spec.margin import Margin, SpecValues, margin, value_table
from marginproof.spec.market import encode_market
from marginproof.spec.model import VolKind, encode_model

from .court import Court
from .draws import TIME, Value, World, anything, book, ordinary, world
from .machine import Machine

ROUNDS = 12
BOOKS = 5
DRAWS = {"ordinary models": ordinary, "anything in range": anything}


def choices(figures: Margin) -> bytes:
    return b"".join(bytes((scan.underlying, scan.worst)) for scan in figures.scans)


def assert_as_specified(
    court: Court, model: bytes, drawn: World, values: SpecValues, positions: list[tuple[Instrument, int]]
) -> None:
    """Every figure and every loss; the worst choices reprice to the same, any other index never to more."""
    expected = margin(positions, values)
    portfolio = court.portfolio(positions)
    figures = court.recompute(model, portfolio, drawn.market)
    totals = (expected.value, expected.spot_value, expected.initial, expected.maintenance)
    assert figures == (*totals, choices(expected)), positions
    assert court.reprice(model, portfolio, drawn.market, figures[4]) == figures
    for number, scan in enumerate(expected.scans):
        losses = court.losses(model, portfolio, drawn.market, scan.underlying)
        assert tuple(losses) == scan.losses, (scan.underlying, positions)
        for index, loss in enumerate(scan.losses):
            chosen = bytearray(choices(expected))
            chosen[2 * number + 1] = index
            repriced = court.reprice(model, portfolio, drawn.market, bytes(chosen))
            at = court.losses_at(model, portfolio, drawn.market, bytes(chosen))
            assert at == [s.losses[index if s is scan else s.worst] for s in expected.scans]
            assert repriced[:2] == figures[:2]
            assert repriced[2] <= figures[2]
            assert repriced[3] <= figures[3]
            if max(loss, 0) == scan.scan:
                assert repriced[2:4] == figures[2:4]


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_figures_losses_and_every_index(value: Value) -> None:
    rng = Random(f"court {value.__name__}")
    for _ in range(ROUNDS):
        court = Court(underlyings=2)
        drawn = world(rng, (1, 2), 9, value)
        model, values = court.publish(drawn.model), value_table(drawn.market, drawn.model)
        court.post(drawn.market)
        for i in range(BOOKS):
            if i == 1:
                court.forget()
            assert_as_specified(court, model, drawn, values, book(rng, drawn, 40))


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_values_and_deltas_of_every_instrument(value: Value) -> None:
    rng = Random(f"cells {value.__name__}")
    harness = Machine().deploy("CellHarness")
    for _ in range(3 * ROUNDS):
        drawn = world(rng, (rng.randint(1, 62), 63), 12, value)
        values = value_table(drawn.market, drawn.model)
        packed = [
            i.underlying << 128 | i.kind << 120 | i.expiry << 64 | i.strike_e8 for i in drawn.instruments
        ]
        rows = harness.call("cells", encode_model(drawn.model), encode_market(drawn.market), packed)
        for instrument, row in zip(drawn.instruments, rows, strict=True):
            assert tuple(row) == (*values(instrument), values.delta(instrument)), instrument


def test_draws_reach_every_feature() -> None:
    """Every vol kind, charges of every kind, confidence below and above, averaging windows, discounts and a peg that gives way."""
    rng = Random(1)
    worlds = [world(rng, (1, 2), 9, ordinary) for _ in range(60)]
    sections = [section for drawn in worlds for section in drawn.model.sections]
    parts = [part for drawn in worlds for part in drawn.market.underlyings]
    quotes = [quote for part in parts for quote in part.expiries]
    assert {s.kind for section in sections for s in section.scenarios} == set(VolKind)
    assert all(len(section.charges()) == 3 for section in sections)
    assert {part.perpetual_e8 > part.spot_e8 for part in parts} == {True, False}
    assert {quote.rate_wad > 0 for quote in quotes} == {True, False}
    assert {1, 1_799, 1_800} <= {quote.expiry - TIME for quote in quotes}
    tokens = [drawn.market.settlement_token_e8 for drawn in worlds]
    thresholds = [drawn.model.sections[0].peg_threshold for drawn in worlds]
    assert {a < b for a, b in zip(tokens, thresholds, strict=True)} == {True, False}
    low = {
        min(part.confidence_wad, quote.confidence_wad) < section.confidence_threshold
        for drawn in worlds
        for part, section in zip(drawn.market.underlyings, drawn.model.sections, strict=True)
        for quote in part.expiries
    }
    assert low == {True, False}
