"""The compiled values are the specification's, and refusals name what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.worlds import EXPIRIES, SETTLED, SPOTS, world_instruments, world_market, world_model
from marginproof.engine.instruments import columns_of, columns_of_ids, instrument_columns
from marginproof.engine.netting import net, portfolio_columns
from marginproof.engine.values import ValueTable, value
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import IdParts, Instrument, InstrumentTable, Kind, instrument_id
from marginproof.spec.margin import columns, value_table
from marginproof.spec.portfolio import Position


def test_every_value_and_delta_is_the_specifications() -> None:
    instruments, market, model = world_instruments(), world_market(), world_model()
    values, truth = value(instruments, market, model), value_table(market, model)
    compared = 0
    for row, instrument in enumerate(instruments.instruments):
        width = len(columns(model.section(instrument.underlying)))
        assert tuple(values.table[row, :width].tolist()) == truth(instrument), instrument
        assert int(values.delta[row]) == truth.delta(instrument), instrument
        compared += width
    assert compared > 4_000


def test_threads_change_no_value() -> None:
    instruments, market, model = world_instruments(), world_market(), world_model()
    one, four = value(instruments, market, model), value(instruments, market, model, threads=4)
    assert (one.table == four.table).all()
    assert (one.delta == four.delta).all()


def test_a_vol_given_per_strike_replaces_the_smile_at_that_strike_alone() -> None:
    instruments, market, model = world_instruments(), world_market(), world_model()
    call = Instrument(1, Kind.CALL, EXPIRIES[2], SPOTS[1])
    vols = {call: 15 * 10**17}
    given, plain = value(instruments, market, model, vols), value(instruments, market, model)
    changed = {
        instruments.instruments[row] for row in np.flatnonzero((given.table != plain.table).any(axis=1))
    }
    assert changed == {call, replace(call, kind=Kind.PUT)}
    truth = value_table(market, model, vols)
    for instrument in changed:
        row = instruments.instruments.index(instrument)
        assert tuple(given.table[row].tolist())[: len(truth(instrument))] == truth(instrument)


def test_a_table_gives_the_same_rows_one_by_one_and_together() -> None:
    instruments, market, model = world_instruments(), world_market(), world_model()
    together, single = ValueTable.of(value(instruments, market, model)), ValueTable(market, model)
    for instrument in instruments.instruments[::7]:
        assert together(instrument) == single(instrument)
        assert together.delta(instrument) == single.delta(instrument)


@pytest.mark.parametrize(
    ("instrument", "error"),
    [
        (Instrument(1, Kind.CALL, EXPIRIES[0] + 1, 10**12), ("MissingExpiry", {"expiry": EXPIRIES[0] + 1})),
        (Instrument(1, Kind.FUTURE, SETTLED - 1), ("MissingExpiry", {"expiry": SETTLED - 1})),
        (Instrument(3, Kind.SPOT), ("MissingModelSection", {"underlying": 3})),
    ],
)
def test_what_has_no_value_is_refused_when_held(instrument: Instrument, error: tuple[str, object]) -> None:
    instruments = columns_of([*world_instruments().instruments, instrument])
    values = value(instruments, world_market(), world_model())
    held = int(instruments.ids[instruments.instruments.index(instrument)])
    other = int(instruments.ids[0])
    net(portfolio_columns([[Position(other, 5)]]), values)
    with pytest.raises(SpecError) as refusal:
        net(portfolio_columns([[Position(other, 5)], [Position(held, 1)]]), values)
    assert (refusal.value.name, refusal.value.args_by_name) == error
    with pytest.raises(SpecError) as refusal:
        ValueTable(world_market(), world_model())(instrument)
    assert (refusal.value.name, refusal.value.args_by_name) == error


def test_a_market_without_the_underlying_is_refused_when_held() -> None:
    market = replace(world_market(), underlyings=world_market().underlyings[:1])
    instruments = world_instruments()
    spot = int(instruments.ids[instruments.instruments.index(Instrument(2, Kind.SPOT))])
    with pytest.raises(SpecError, match=r"MissingUnderlying\(underlying=2\)"):
        net(portfolio_columns([[Position(spot, 1)]]), value(instruments, market, world_model()))


def test_columns_of_ids_follow_the_registry() -> None:
    table = InstrumentTable({1: (EXPIRIES[3], EXPIRIES[0])}, {1: (3 * 10**12, 10**12)})
    ids = [
        instrument_id(IdParts(1, expiry, strike, put))
        for expiry in (2, 3)
        for strike in (1, 2)
        for put in (False, True)
    ]
    made = columns_of_ids(table, [*reversed(ids), ids[0]])
    assert made.ids.tolist() == ids
    assert made.instruments == tuple(table.resolve(number) for number in ids)
    assert made.rows(np.array([ids[3], ids[0]], np.uint32)).tolist() == [3, 0]
    for unknown in (ids[0] - 1, ids[-1] + 1, 1 << 26):
        with pytest.raises(SpecError, match=f"UnknownInstrument\\(id={unknown}\\)"):
            made.rows(np.array([ids[0], unknown], np.uint32))


def test_ids_out_of_order_and_one_instrument_under_two_ids_are_refused() -> None:
    call = Instrument(1, Kind.CALL, EXPIRIES[0], 10**12)
    put = replace(call, kind=Kind.PUT)
    with pytest.raises(SpecError, match=r"PositionsNotSorted\(previous=7, id=7\)"):
        instrument_columns([call, put], [7, 7])
    with pytest.raises(SpecError, match=r"DuplicateInstrument\(id=8\)"):
        instrument_columns([call, call], [7, 8])
