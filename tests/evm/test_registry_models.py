"""ModelRegistry: accepts and refuses model bytes as the specification does, keeps every model, names the current one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from marginproof.spec import limits
from marginproof.spec.model import Model, Scenario, VolKind, decode_model, encode_model, model_hash
from marginproof.spec.model_fields import FIELDS

from .agreement import assert_refused_alike
from .machine import ADMIN, STRANGER, Contract, Event, Machine, refused
from .samples import MODEL, SCENARIOS, WAD, model_with, raw_model, rules

BOUNDS = {field.attribute: (field.low, field.high) for field in FIELDS} | {
    "initial_factor": (8 * WAD // 10, 10 * WAD),
    "maintenance_factor": (0, WAD),
    "spot_wad": (limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK),
    "kind": (VolKind.NONE, VolKind.ABSOLUTE_SKEW),
    "weight_wad": (0, limits.MAX_WEIGHT),
    "scenarios": (SCENARIOS[:1], SCENARIOS * 32),
}
"""Least and greatest value of every field, as far as one field can go alone."""
OUTSIDE = {field.attribute: (field.low - 1, field.high + 1, -(2**127), 2**127 - 1) for field in FIELDS} | {
    "maintenance_factor": (-1, WAD + 1),
    "spot_wad": (limits.MIN_SPOT_SHOCK - 1, limits.MAX_SPOT_SHOCK + 1),
    "kind": (6, 255),
    "amount_wad": (-1, 1),
    "weight_wad": (limits.MAX_WEIGHT + 1,),
    "scenarios": ((), (*SCENARIOS * 32, SCENARIOS[0])),
    "underlying": (limits.MAX_UNDERLYING_ID + 1,),
}


@pytest.fixture
def registry() -> Contract:
    """Empty, the admin being publisher too."""
    deployed = Machine().deploy("ModelRegistry", ADMIN)
    deployed.transact("grantRole", deployed.call("MODEL_ROLE"), ADMIN)
    return deployed


def accepted(registry: Contract, model: Model) -> None:
    data = encode_model(model)
    assert registry.transact("publish", data) == model_hash(model)
    assert registry.call("modelBytes", model_hash(model)) == data


def refused_alike(registry: Contract, data: bytes, name: str) -> None:
    assert_refused_alike(lambda: decode_model(data), lambda: registry.transact("publish", data), name)
    assert registry.call("current") == bytes(32)


def test_publishing_makes_current_and_keeps_the_earlier(registry: Contract) -> None:
    other = Model(MODEL.sections[:1])
    assert registry.call("current") == bytes(32)
    accepted(registry, MODEL)
    expected = {"hash": model_hash(MODEL), "model": encode_model(MODEL)}
    registry.transact("publish", encode_model(MODEL))
    assert registry.machine.events() == [Event(registry.address, "ModelPublished", expected)]
    accepted(registry, other)
    assert registry.call("current") == model_hash(other)
    assert registry.call("modelBytes", model_hash(MODEL)) == encode_model(MODEL)
    accepted(registry, MODEL)
    assert registry.call("current") == model_hash(MODEL)


def test_the_greatest_model_fits(registry: Contract) -> None:
    sections = tuple(replace(rules(u + 1), scenarios=SCENARIOS * 32) for u in range(limits.MAX_UNDERLYINGS))
    model = Model(sections)
    assert len(encode_model(model)) == 31_122
    accepted(registry, model)


def test_models_around_the_length_of_one_piece(registry: Contract) -> None:
    """Code ends at 24,576 bytes, one of them before the data: 24,572 bytes fit, 24,597 need a second piece."""
    for last, length in ((90, 24_572), (91, 24_597)):
        counts = (96,) * 7 + (last,)
        sections = tuple(
            replace(rules(u + 1), scenarios=(SCENARIOS * 32)[:count]) for u, count in enumerate(counts)
        )
        assert len(encode_model(Model(sections))) == length
        accepted(registry, Model(sections))


@pytest.mark.parametrize(("field", "ends"), BOUNDS.items(), ids=BOUNDS.keys())
def test_attack_18_both_ends_of_a_range_are_accepted(
    registry: Contract, field: str, ends: tuple[object, object]
) -> None:
    for value in ends:
        accepted(registry, model_with(field, value))


@pytest.mark.parametrize(("field", "values"), OUTSIDE.items(), ids=OUTSIDE.keys())
def test_attack_18_values_out_of_range(registry: Contract, field: str, values: tuple[object, ...]) -> None:
    for value in values:
        refused_alike(registry, raw_model(model_with(field, value)), "OutOfRange")


def test_sections(registry: Contract) -> None:
    first, last = MODEL.sections
    refused_alike(registry, raw_model(Model(())), "OutOfRange")
    refused_alike(
        registry,
        raw_model(Model(tuple(rules(u + 1) for u in range(limits.MAX_UNDERLYINGS + 1)))),
        "OutOfRange",
    )
    refused_alike(registry, raw_model(Model((replace(first, underlying=0), last))), "OutOfRange")
    refused_alike(registry, raw_model(Model((last, first))), "NotIncreasing")
    refused_alike(registry, raw_model(Model((first, first))), "NotIncreasing")


def test_versions(registry: Contract) -> None:
    for version in (0, 1, 3, 255):
        refused_alike(registry, bytes((version,)) + encode_model(MODEL)[1:], "BadVersion")
    refused_alike(registry, b"\1", "BadVersion")


def test_lengths(registry: Contract) -> None:
    data = encode_model(MODEL)
    for length in (*range(40), *range(700, len(data), 7), len(data) - 1):
        refused_alike(registry, data[:length], "BadLength")
    refused_alike(registry, data + b"\0", "BadLength")


def test_only_an_added_amount_may_be_set(registry: Contract) -> None:
    first, last = MODEL.sections
    for kind in VolKind:
        limit = limits.MAX_VOL_ADD if kind == VolKind.ADD else 0
        for amount in (-limit, limit):
            moves = (Scenario(WAD, kind, WAD, amount),)
            accepted(registry, Model((first, replace(last, scenarios=moves))))
    for kind in VolKind:
        limit = limits.MAX_VOL_ADD if kind == VolKind.ADD else 0
        for amount in (-limit - 1, limit + 1):
            moves = (Scenario(WAD, kind, WAD, amount),)
            data = raw_model(Model((first, replace(last, scenarios=moves))))
            assert_refused_alike(
                partial(decode_model, data), partial(registry.transact, "publish", data), "OutOfRange"
            )


def test_several_faults_give_the_first(registry: Contract) -> None:
    kind_and_length = raw_model(model_with("kind", 7)) + b"\0"
    refused_alike(registry, kind_and_length, "BadLength")
    refused_alike(registry, raw_model(model_with("vol_up", 2**64 - 1)) + b"\0", "BadLength")
    first, last = MODEL.sections
    for one, other in pairwise(FIELDS):
        spoiled = replace(last, **{one.attribute: one.high + 1, other.attribute: other.high + 1})
        refused_alike(registry, raw_model(Model((first, spoiled))), "OutOfRange")
    moves = (Scenario(0, 9, -1 % 2**64, 1),)  # type: ignore[arg-type]
    refused_alike(registry, raw_model(Model((first, replace(last, scenarios=moves)))), "OutOfRange")
    spoiled = replace(last, confidence_rate=-1, scenarios=())
    refused_alike(registry, raw_model(Model((first, spoiled))), "OutOfRange")
    refused_alike(registry, raw_model(Model((last, replace(first, vol_up=-1)))), "NotIncreasing")


def test_an_unknown_hash(registry: Contract) -> None:
    for unknown in (bytes(32), model_hash(MODEL)):
        with refused("UnknownModel", unknown):
            registry.call("modelBytes", unknown)


def test_only_publishers_publish(registry: Contract) -> None:
    with refused("AccessControlUnauthorizedAccount", STRANGER, registry.call("MODEL_ROLE")):
        registry.transact("publish", encode_model(MODEL), caller=STRANGER)
