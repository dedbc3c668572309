"""Ids: packing, order, and what the registry's lists make of them."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import IdParts, Instrument, InstrumentTable, Kind, id_parts, instrument_id

parts = st.builds(IdParts, st.integers(1, 63), st.integers(0, 1023), st.integers(0, 32767), st.booleans())
TABLE = InstrumentTable({1: (100, 200), 2: ()}, {1: (10**12, 2 * 10**12)})


@given(parts)
def test_ids_round_trip_in_32_bits(fields: IdParts) -> None:
    id_ = instrument_id(fields)
    assert 0 < id_ < 2**32
    assert id_parts(id_) == fields


@given(parts, parts)
def test_ids_sort_by_underlying_expiry_strike_side(a: IdParts, b: IdParts) -> None:
    assert (instrument_id(a) < instrument_id(b)) == (astuple(a) < astuple(b))


@pytest.mark.parametrize(
    "fields", [(0, 0, 0), (64, 0, 0), (1, 1024, 0), (1, -1, 0), (1, 0, 32768), (1, 0, -1)]
)
def test_fields_out_of_range_are_refused(fields: tuple[int, int, int]) -> None:
    with pytest.raises(SpecError, match="BadInstrumentFields"):
        instrument_id(IdParts(*fields, False))


def test_every_kind_resolves() -> None:
    found = [
        TABLE.resolve(instrument_id(IdParts(1, *fields)))
        for fields in ((0, 0, False), (1, 0, False), (2, 0, False), (3, 1, False), (3, 2, True))
    ]
    assert found == [
        Instrument(1, Kind.SPOT),
        Instrument(1, Kind.PERPETUAL),
        Instrument(1, Kind.FUTURE, 100),
        Instrument(1, Kind.CALL, 200, 10**12),
        Instrument(1, Kind.PUT, 200, 2 * 10**12),
    ]
    assert [instrument.kind.is_option for instrument in found] == [False, False, False, True, True]
    assert [instrument.kind.is_dated for instrument in found] == [False, False, True, True, True]


@pytest.mark.parametrize(
    "fields",
    [
        (0, 1, False),
        (0, 0, True),
        (1, 1, False),
        (1, 0, True),
        (2, 0, True),
        (4, 0, False),
        (4, 1, True),
        (2, 3, False),
    ],
)
def test_unregistered_indices_are_unknown(fields: tuple[int, int, bool]) -> None:
    id_ = instrument_id(IdParts(1, *fields))
    with pytest.raises(SpecError, match="UnknownInstrument") as refusal:
        TABLE.resolve(id_)
    assert refusal.value.args_by_name == {"id": id_}


def test_other_underlyings_are_unknown() -> None:
    for id_ in (5, 3 << 26, (2 << 26) + (2 << 16)):
        with pytest.raises(SpecError, match="UnknownInstrument"):
            TABLE.resolve(id_)


def test_only_listed_ids_resolve_when_a_list_is_given() -> None:
    perpetual = instrument_id(IdParts(1, 1, 0, False))
    table = InstrumentTable(TABLE.expiries, TABLE.strikes, frozenset({perpetual}))
    assert table.resolve(perpetual).kind == Kind.PERPETUAL
    with pytest.raises(SpecError, match="UnknownInstrument"):
        table.resolve(instrument_id(IdParts(1, 0, 0, False)))
