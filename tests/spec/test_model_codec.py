"""Canonical bytes of a model, the ranges of its fields, and what its charges are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils import keccak as reference_keccak
from hypothesis import given
from hypothesis import strategies as st
from scripts.vector_families.models import FULL, SECTION, model_of

from marginproof.spec.codec import signed
from marginproof.spec.errors import SpecError
from marginproof.spec.limits import MAX_VOL_ADD, MAX_WEIGHT
from marginproof.spec.model import (
    Charge,
    Model,
    ModelSection,
    Scenario,
    VolKind,
    decode_model,
    encode_model,
    model_hash,
    neutral_section,
)
from marginproof.spec.model_fields import FIELDS, Field

WAD = 10**18
amounts = st.sampled_from(VolKind).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.integers(-MAX_VOL_ADD, MAX_VOL_ADD) if kind == VolKind.ADD else st.just(0)
    )
)
scenarios = st.builds(
    lambda spot, move, weight: Scenario(spot, move[0], weight, move[1]),
    st.integers(10**16, 16 * WAD),
    amounts,
    st.integers(0, MAX_WEIGHT),
)
fields = st.fixed_dictionaries(
    {
        field.attribute: st.integers(field.low, 0 if field.name == "maintenanceFactor" else field.high)
        for field in FIELDS
    }
)
sections = st.builds(
    lambda values, moves: neutral_section(1, tuple(moves), **values),
    fields,
    st.lists(scenarios, min_size=1, max_size=5),
)
models = st.lists(sections, min_size=1, max_size=4).map(lambda rows: model_of(*rows))


@given(models)
def test_models_round_trip(model: Model) -> None:
    data = encode_model(model)
    assert decode_model(data) == model
    assert model_hash(model) == reference_keccak(data)
    assert len(data) == 2 + sum(690 + 25 * len(section.scenarios) for section in model.sections)


def test_every_cut_of_a_model_is_refused() -> None:
    data = encode_model(model_of(SECTION))
    for cut in range(len(data)):
        with pytest.raises(SpecError, match="BadLength"):
            decode_model(data[:cut])


def test_encoders_refuse_what_their_decoders_refuse() -> None:
    with pytest.raises(SpecError, match="spotShock"):
        encode_model(model_of(replace(SECTION, scenarios=(Scenario(1, VolKind.NONE, 1),))))


def test_model_section_lookup() -> None:
    model = model_of(SECTION)
    assert model.section(1) == SECTION
    with pytest.raises(SpecError, match=r"MissingModelSection\(underlying=2\)"):
        model.section(2)


def test_the_layout_of_a_model() -> None:
    """Read back by offsets: the header, a field in the middle, the last one, the scenarios."""
    data = encode_model(model_of(FULL, FULL))
    assert data[:3] == b"\x02\x02\x01"
    names = [field.attribute for field in FIELDS]
    for name in ("initial_factor", "linear_cap_slope", "skew_minimum", "basis_down", "confidence_rate"):
        at = 3 + 16 * names.index(name)
        assert int.from_bytes(data[at : at + 16], "big", signed=True) == getattr(FULL, name), name
    assert data[3 + 16 * 43] == len(FULL.scenarios)
    fifth = data[4 + 16 * 43 + 25 * 4 :][:25]
    assert (fifth[8], FULL.scenarios[4].amount_wad) == (VolKind.ADD, -9 * 10**16)
    assert int.from_bytes(fifth[9:17], "big", signed=True) == -9 * 10**16
    assert int.from_bytes(fifth[17:], "big") == FULL.scenarios[4].weight_wad
    assert data[4 + 16 * 43 + 25 * len(FULL.scenarios)] == 2


@given(models, st.data())
def test_damaged_models_never_pass_for_the_original(model: Model, data: st.DataObject) -> None:
    original = encode_model(model)
    damaged = bytearray(original)
    damaged[data.draw(st.integers(0, len(original) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = decode_model(bytes(damaged))
    except SpecError:
        return
    assert encode_model(other) == bytes(damaged)
    assert other != model


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_attack_18_every_field_has_its_range(field: Field) -> None:
    """At either end accepted, one beyond refused by name, in `check_model` and from bytes alike."""
    for value, outwards in ((field.low, -1), (field.high, 1)):
        others = {"maintenance_factor": 0} if field.name == "initialFactor" else {"initial_factor": 10 * WAD}
        good = neutral_section(1, SECTION.scenarios[:1], **{**others, field.attribute: value})
        data = encode_model(model_of(good))
        at = 3 + 16 * FIELDS.index(field)
        bad = data[:at] + signed(value + outwards, 16) + data[at + 16 :]
        for function, argument in (
            (decode_model, bad),
            (encode_model, model_of(_moved(good, field, outwards))),
        ):
            with pytest.raises(SpecError, match="OutOfRange") as refusal:
                function(argument)  # type: ignore[operator]
            assert refusal.value.args_by_name["field"] == field.name
            assert refusal.value.args_by_name["value"] == value + outwards


def _moved(section: ModelSection, field: Field, by: int) -> ModelSection:
    return replace(section, **{field.attribute: getattr(section, field.attribute) + by})  # type: ignore[arg-type]


def test_maintenance_may_not_exceed_initial() -> None:
    section = replace(SECTION, initial_factor=5, maintenance_factor=6)
    with pytest.raises(SpecError) as refusal:
        encode_model(model_of(section))
    wanted = {"field": "maintenanceFactor", "value": 6, "low": 0, "high": 5}
    assert refusal.value.args_by_name == wanted


def test_charges_are_those_with_an_amount() -> None:
    assert SECTION.charges() == ()
    for name, charge in (
        ("basis_base", Charge.BASIS),
        ("basis_per_year", Charge.BASIS),
        ("delta_net", Charge.DELTA),
        ("delta_hedged", Charge.DELTA),
        ("short_minimum", Charge.SHORT_MINIMUM),
        ("short_minimum_rate", Charge.SHORT_MINIMUM),
    ):
        section = replace(SECTION, **{name: 1})  # type: ignore[arg-type]
        assert section.charges() == (charge,)
        assert section.index_count() == len(SECTION.scenarios) + 1
    assert FULL.charges() == tuple(Charge)
    assert replace(SECTION, basis_up=2 * WAD, basis_down=WAD // 2).charges() == ()
