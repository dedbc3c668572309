"""ModelRegistry: accepts and refuses model bytes as the specification does, keeps every model, names the current one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marginproof.spec import limits
from marginproof.spec.model import Model, decode_model, encode_model, model_hash

from .agreement import assert_refused_alike
from .machine import ADMIN, STRANGER, Contract, Event, Machine, refused
from .samples import MODEL, SCENARIOS, WAD, model_with, raw_model, rules

BOUNDS = {
    "initial_factor_wad": (8 * WAD // 10, limits.MAX_FACTOR),
    "maintenance_factor_wad": (0, WAD),
    "vol_up_wad": (0, limits.MAX_VOL_UP),
    "vol_down_wad": (0, limits.MAX_VOL_DOWN),
    "min_vol_up_wad": (0, limits.MAX_MIN_VOL_UP),
    "power_short_wad": (0, limits.MAX_POWER),
    "power_long_wad": (0, limits.MAX_POWER),
    "floor_seconds": (limits.MIN_FLOOR_SECONDS, limits.MAX_FLOOR_SECONDS),
    "spot_wad": (limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK),
    "weight_wad": (0, limits.MAX_WEIGHT),
    "scenarios": (SCENARIOS[:1], SCENARIOS * 32),
}
OUTSIDE = {
    "initial_factor_wad": (8 * WAD // 10 - 1, limits.MAX_FACTOR + 1),
    "maintenance_factor_wad": (WAD + 1,),
    "vol_up_wad": (limits.MAX_VOL_UP + 1,),
    "vol_down_wad": (limits.MAX_VOL_DOWN + 1,),
    "min_vol_up_wad": (limits.MAX_MIN_VOL_UP + 1,),
    "power_short_wad": (limits.MAX_POWER + 1,),
    "power_long_wad": (limits.MAX_POWER + 1, 2**64 - 1),
    "floor_seconds": (0, limits.MAX_FLOOR_SECONDS + 1),
    "spot_wad": (limits.MIN_SPOT_SHOCK - 1, limits.MAX_SPOT_SHOCK + 1),
    "kind": (3, 255),
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
    accepted(registry, Model(sections))


@pytest.mark.parametrize(("field", "ends"), BOUNDS.items(), ids=BOUNDS.keys())
def test_both_ends_of_a_range_are_accepted(
    registry: Contract, field: str, ends: tuple[object, object]
) -> None:
    for value in ends:
        accepted(registry, model_with(field, value))


@pytest.mark.parametrize(("field", "values"), OUTSIDE.items(), ids=OUTSIDE.keys())
def test_values_out_of_range(registry: Contract, field: str, values: tuple[object, ...]) -> None:
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
    for version in (0, 2, 255):
        refused_alike(registry, bytes((version,)) + encode_model(MODEL)[1:], "BadVersion")
    refused_alike(registry, b"\2", "BadVersion")


def test_lengths(registry: Contract) -> None:
    data = encode_model(MODEL)
    for length in range(len(data)):
        refused_alike(registry, data[:length], "BadLength")
    refused_alike(registry, data + b"\0", "BadLength")


def test_several_faults_give_the_first(registry: Contract) -> None:
    kind_then_length = raw_model(model_with("kind", 7))
    refused_alike(registry, kind_then_length[:-1], "OutOfRange")
    refused_alike(registry, raw_model(model_with("vol_up_wad", 2**64 - 1)) + b"\0", "BadLength")


def test_an_unknown_hash(registry: Contract) -> None:
    for unknown in (bytes(32), model_hash(MODEL)):
        with refused("UnknownModel", unknown):
            registry.call("modelBytes", unknown)


def test_only_publishers_publish(registry: Contract) -> None:
    with refused("AccessControlUnauthorizedAccount", STRANGER, registry.call("MODEL_ROLE")):
        registry.transact("publish", encode_model(MODEL), caller=STRANGER)
