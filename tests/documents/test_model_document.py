"""The model format and the shipped models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marginproof.documents import ModelDocument, document_json, load_model_file, model_to_spec, parse_document
from marginproof.documents.model_convert import FIELD_PATHS
from marginproof.errors import InputError
from marginproof.models import list_presets, load_model, load_preset
from marginproof.spec.model import Scenario, VolKind, neutral_section
from marginproof.spec.model_fields import FIELDS, Field

from .changes import REMOVED, changed
from .full_model import full_value, written

Json = dict[str, Any]
FLAT: Json = {"spot": "1", "vol": "none", "weight": "1"}


def parse(document: object) -> ModelDocument:
    return parse_document(ModelDocument, json.dumps(document), "model.json")


def test_a_model_becomes_one_section_per_underlying(model_json: Json) -> None:
    model = model_to_spec(parse(model_json), {"ETH": 2, "BTC": 1})
    btc, eth = model.sections
    assert (btc.underlying, btc.initial_factor, btc.maintenance_factor) == (1, 10**18, 8 * 10**17)
    assert (eth.underlying, eth.initial_factor) == (2, 2 * 10**18)
    assert (btc.vol_up, btc.vol_down, btc.min_vol_up) == (5 * 10**17, 3 * 10**17, 4 * 10**17)
    assert (btc.power_short, btc.power_long, btc.floor_seconds) == (3 * 10**17, 13 * 10**16, 86400)
    first, second = btc.scenarios
    assert (first.spot_wad, first.kind, first.weight_wad) == (118 * 10**16, VolKind.UP, 10**18)
    assert (second.spot_wad, second.kind, second.weight_wad) == (82 * 10**16, VolKind.NONE, 5 * 10**17)


def test_every_field_reaches_its_place_in_the_section(full_model_json: Json) -> None:
    """Every field has a value of its own in the document, so that no two can be exchanged."""
    section = model_to_spec(parse(full_model_json), {"BTC": 1}).sections[0]
    for number, field in enumerate(FIELDS):
        assert getattr(section, field.attribute) == full_value(number, field), field.name


def test_groups_that_are_absent_are_neutral(model_json: Json) -> None:
    plain = changed(changed(model_json, "default.vol", REMOVED), "default.scenarios", [FLAT])
    section = model_to_spec(parse(changed(plain, "underlyings", {})), {"BTC": 3}).sections[0]
    scenario = Scenario(10**18, VolKind.NONE, 10**18)
    assert section == neutral_section(3, (scenario,), maintenance_factor=8 * 10**17)
    assert section.charges() == ()


@pytest.mark.parametrize("path", [path for path in FIELD_PATHS.values() if "." in path])
def test_inside_a_group_everything_is_required(full_model_json: Json, path: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(full_model_json, f"default.{path}", REMOVED))
    assert f"default.{path}: missing; this key is required" in str(caught.value)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_refused_just_outside_its_range(full_model_json: Json, field: Field) -> None:
    path = f"default.{FIELD_PATHS[field.name]}"
    for value in (field.low, field.high):
        if (field.name, value) not in (("initialFactor", 0), ("maintenanceFactor", field.high)):
            parse(changed(full_model_json, path, written(field, value)))
    for value in (field.low - 1, field.high + 1):
        with pytest.raises(InputError) as caught:
            parse(changed(full_model_json, path, written(field, value)))
        message = str(caught.value)
        assert f"{path}: " in message
        assert f"{written(field, value)!r} is out of range" in message


def test_the_document_survives_writing_and_reading(model_json: Json) -> None:
    assert json.loads(document_json(parse(model_json))) == model_json


def test_entries_of_underlyings_that_are_not_listed_have_no_section(model_json: Json) -> None:
    assert [section.underlying for section in model_to_spec(parse(model_json), {"BTC": 1}).sections] == [1]


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("name", "", ["name:", "at least 1 characters"]),
        ("date", "January", ["date:", "'January'", "[0-9]{4}"]),
        ("default", REMOVED, ["default:", "missing"]),
        ("default.factors.initial", "10.1", ["default.factors.initial:", "'10.1'", "0 to 10"]),
        ("date", "2026-13", ["date:", "'2026-13'", "YYYY-MM"]),
        ("date", "2026-02-30", ["date:", "'2026-02-30'", "YYYY-MM"]),
        ("format", "marginproof/model@1", ["format:", "'marginproof/model@1'", "'marginproof/model@2'"]),
        ("default.basis", {"up": "1"}, ["default.basis.down: missing", "default.basis.base: missing"]),
        ("default.skews", {}, ["default.skews: unknown key"]),
        ("default.vol.up", "10.5", ["default.vol.up:", "'10.5'", "0 to 10"]),
        ("default.vol.down", "-0.1", ["default.vol.down:", "'-0.1'", "0 to 10"]),
        ("default.vol.minimumUp", "20.5", ["default.vol.minimumUp:", "'20.5'", "0 to 20"]),
        ("default.vol.shortPower", "-0.1", ["default.vol.shortPower:", "'-0.1'", "0 to 10"]),
        ("default.vol.longPower", "11", ["default.vol.longPower:", "'11'", "0 to 10"]),
        (
            "default.vol.floorSeconds",
            0,
            ["default.vol.floorSeconds:", "0 is out of range", "allowed: 1 to 34560000"],
        ),
        (
            "default.vol.floorSeconds",
            34560001,
            ["default.vol.floorSeconds:", "34560001", "allowed: 1 to 34560000"],
        ),
        ("default.vol.floorSeconds", "86400", ["default.vol.floorSeconds:", "'86400'", "whole number"]),
        ("default.scenarios", [], ["default.scenarios:", "0 entries", "at least 1"]),
        ("default.scenarios.0.spot", "0.009", ["default.scenarios[0].spot:", "'0.009'", "0.01 to 16"]),
        ("default.scenarios.1.spot", "16.1", ["default.scenarios[1].spot:", "'16.1'", "0.01 to 16"]),
        ("default.scenarios.0.weight", "9.1", ["default.scenarios[0].weight:", "'9.1'", "0 to 9"]),
        (
            "default.scenarios.0.vol",
            "sideways",
            [
                "default.scenarios[0].vol:",
                "'sideways'",
                "'none', 'up', 'down', 'add', 'linearSkew' or 'absoluteSkew'",
            ],
        ),
        ("default.scenarios.0.volume", "1", ["default.scenarios[0].volume:", "unknown key"]),
        (
            "underlyings.ETH.factors.initial",
            2,
            ["underlyings.ETH.factors.initial:", "2 is a JSON number"],
        ),
        ("underlyings.eth", {}, ["underlyings.eth", "'eth'", "[A-Z0-9]{1,10}"]),
    ],
)
def test_a_bad_value_names_field_value_and_range(
    model_json: Json, path: str, value: object, parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(model_json, path, value))
    assert all(part in str(caught.value) for part in parts), str(caught.value)


@pytest.mark.parametrize(("place", "initial"), [("default", 1), ("underlyings.ETH", 2)])
def test_a_maintenance_factor_above_initial_is_for_what_if_runs_only(
    model_json: Json, tmp_path: Path, place: str, initial: int
) -> None:
    document = changed(model_json, f"{place}.factors.maintenance", f"{initial}.1")
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    words = rf"{place}.factors: maintenance '{initial}.1' is above initial; allowed: 0 to {initial}"
    with pytest.raises(InputError, match=words):
        load_model_file(path)
    with pytest.raises(InputError, match=words):
        model_to_spec(parse(document), {"BTC": 1, "ETH": 2})
    model = model_to_spec(parse(document), {"BTC": 1, "ETH": 2}, what_if=True)
    assert initial * 10**18 + 10**17 in [section.maintenance_factor for section in model.sections]


@pytest.mark.parametrize("value", [0, 34_560_001, True, "86400", 1.5, None, {"x": "1"}])
def test_whole_numbers_are_told_their_full_range(full_model_json: Json, value: object) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(full_model_json, "default.vol.floorSeconds", value))
    assert str(caught.value).endswith("; allowed: 1 to 34560000"), caught.value
    if not isinstance(value, str):
        assert f"floorSeconds: {json.dumps(value)} is " in str(caught.value)


@pytest.mark.parametrize("path", ["basis", "averagingSeconds", "addOns.futures", "scenarios.0.amount"])
def test_null_does_not_mean_absent(full_model_json: Json, path: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(full_model_json, f"default.{path}", None))
    place = path.replace(".0.", "[0].")
    assert f"default.{place}: null is not a value here; leave the key out" in str(caught.value)


def test_of_another_version_only_the_format_is_told(model_json: Json) -> None:
    del model_json["default"]["factors"]
    with pytest.raises(InputError) as caught:
        parse(model_json | {"format": "marginproof/model@1", "extra": 1})
    assert str(caught.value) == (
        "model.json: 1 problem\n  format: 'marginproof/model@1' is not accepted; allowed: 'marginproof/model@2' "
        "(docs/formats.md has the form)"
    )


def test_at_most_128_scenarios(model_json: Json) -> None:
    scenarios = [FLAT | {"spot": f"{3 - index / 100:.2f}"} for index in range(129)]
    assert len(parse(changed(model_json, "default.scenarios", scenarios[:128])).default.scenarios) == 128
    with pytest.raises(InputError, match=r"default.scenarios: more than 128 entries"):
        parse(changed(model_json, "default.scenarios", scenarios))


ORDERED: list[Json] = [
    {"spot": "1.2", "vol": "up", "weight": "2"},
    {"spot": "1.2", "vol": "up", "weight": "1"},
    {"spot": "1", "vol": "up", "weight": "1"},
    {"spot": "1", "vol": "add", "amount": "0.2", "weight": "1"},
    {"spot": "1", "vol": "add", "amount": "-0.2", "weight": "1"},
    {"spot": "1", "vol": "none", "weight": "1"},
    {"spot": "1", "vol": "down", "weight": "1"},
    {"spot": "0.8", "vol": "up", "weight": "1"},
    {"spot": "3", "vol": "up", "weight": "0.5"},
    {"spot": "1", "vol": "linearSkew", "weight": "1"},
    {"spot": "1", "vol": "absoluteSkew", "weight": "1"},
]
ORDERED[0]["spot"] = "0.5"


def test_scenarios_have_one_order(full_model_json: Json) -> None:
    parse(changed(full_model_json, "default.scenarios", ORDERED))
    for index in range(len(ORDERED) - 1):
        swapped = [*ORDERED]
        swapped[index], swapped[index + 1] = swapped[index + 1], swapped[index]
        with pytest.raises(InputError) as caught:
            parse(changed(full_model_json, "default.scenarios", swapped))
        assert f"UnsortedScenarios: scenarios[{index + 1}] belongs before scenarios[{index}]" in str(
            caught.value
        )


def test_a_move_that_is_given_twice_is_refused(full_model_json: Json) -> None:
    twice = [*ORDERED[:8], ORDERED[7] | {"weight": "0.7"}, *ORDERED[8:]]
    with pytest.raises(InputError, match=r"scenarios\[8\] makes the same move as scenarios\[7\]"):
        parse(changed(full_model_json, "default.scenarios", twice))


@pytest.mark.parametrize(("vol", "group"), [("up", "vol"), ("down", "vol"), ("linearSkew", "skew")])
def test_a_scenario_needs_its_group(model_json: Json, vol: str, group: str) -> None:
    bare = changed(changed(model_json, "default.vol", REMOVED), "default.scenarios", [FLAT | {"vol": vol}])
    with pytest.raises(InputError, match=rf"scenarios\[0\].vol: '{vol}' needs the group {group}"):
        parse(bare)


def test_an_amount_belongs_to_add(model_json: Json) -> None:
    for scenario, words in (
        (FLAT | {"vol": "add"}, r"scenarios\[0\]: amount: missing"),
        (FLAT | {"amount": "0.1"}, "amount: given with vol 'none'"),
        (FLAT | {"vol": "add", "amount": "4.1"}, r"amount: '4.1' is out of range; allowed: -4 to 4"),
    ):
        with pytest.raises(InputError, match=words):
            parse(changed(model_json, "default.scenarios", [scenario]))


def test_every_shipped_model_is_named_as_its_file() -> None:
    assert list_presets() == [load_preset(name).name for name in list_presets()]


def test_a_model_is_loaded_by_name_or_from_a_file(model_json: Json, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model_json), encoding="utf-8")
    assert load_model(path) == load_model_file(path) == parse(model_json)
    assert load_model("options-33") == load_preset("options-33")
    with pytest.raises(
        InputError,
        match=r"options-34: no such file, and no shipped model of that name \(grid-27, nine-9, options-31",
    ):
        load_model("options-34")
    with pytest.raises(
        InputError, match=r"no shipped model is named '../x'; allowed: grid-27, nine-9, options-31"
    ):
        load_preset("../x")
