"""The model format and the shipped models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marginproof.documents import ModelDocument, document_json, load_model_file, model_to_spec, parse_document
from marginproof.errors import InputError
from marginproof.models import list_presets, load_model, load_preset
from marginproof.spec.model import VolKind, check_model

from .changes import REMOVED, changed

Json = dict[str, Any]


def parse(document: object) -> ModelDocument:
    return parse_document(ModelDocument, json.dumps(document), "model.json")


def test_a_model_becomes_one_section_per_underlying(model_json: Json) -> None:
    model = model_to_spec(parse(model_json), {"ETH": 2, "BTC": 1})
    btc, eth = model.sections
    assert (btc.underlying, btc.initial_factor_wad, btc.maintenance_factor_wad) == (1, 10**18, 8 * 10**17)
    assert (eth.underlying, eth.initial_factor_wad) == (2, 2 * 10**18)
    assert (btc.vol_up_wad, btc.vol_down_wad, btc.min_vol_up_wad) == (5 * 10**17, 3 * 10**17, 4 * 10**17)
    assert (btc.power_short_wad, btc.power_long_wad, btc.floor_seconds) == (3 * 10**17, 13 * 10**16, 86400)
    first, second = btc.scenarios
    assert (first.spot_wad, first.kind, first.weight_wad) == (118 * 10**16, VolKind.UP, 10**18)
    assert (second.spot_wad, second.kind, second.weight_wad) == (82 * 10**16, VolKind.NONE, 5 * 10**17)


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
        ("default.initialFactor", "10.1", ["default.initialFactor:", "'10.1'", "0 to 10"]),
        ("default.maintenanceFactor", "1.1", ["default:", "'1.1' is above initialFactor", "0 to 1"]),
        ("default.vol.up", "4.5", ["default.vol.up:", "'4.5'", "0 to 4"]),
        ("default.vol.down", "1.5", ["default.vol.down:", "'1.5'", "0 to 1"]),
        ("default.vol.minimumUp", "8.5", ["default.vol.minimumUp:", "'8.5'", "0 to 8"]),
        ("default.vol.shortPower", "-0.1", ["default.vol.shortPower:", "'-0.1'", "0 to 1"]),
        ("default.vol.longPower", "2", ["default.vol.longPower:", "'2'", "0 to 1"]),
        ("default.vol.floorSeconds", 0, ["default.vol.floorSeconds:", "0 is out of range", "at least 1"]),
        ("default.vol.floorSeconds", 2592001, ["default.vol.floorSeconds:", "2592001", "at most 2592000"]),
        ("default.vol.floorSeconds", "86400", ["default.vol.floorSeconds:", "'86400'", "whole number"]),
        ("default.scenarios", [], ["default.scenarios:", "0 entries", "at least 1"]),
        ("default.scenarios.0.spot", "0.009", ["default.scenarios[0].spot:", "'0.009'", "0.01 to 16"]),
        ("default.scenarios.1.spot", "16.1", ["default.scenarios[1].spot:", "'16.1'", "0.01 to 16"]),
        ("default.scenarios.0.weight", "1.1", ["default.scenarios[0].weight:", "'1.1'", "0 to 1"]),
        (
            "default.scenarios.0.vol",
            "sideways",
            ["default.scenarios[0].vol:", "'sideways'", "'none', 'up' or 'down'"],
        ),
        ("default.scenarios.0.volume", "1", ["default.scenarios[0].volume:", "unknown key"]),
        ("underlyings.ETH.initialFactor", 2, ["underlyings.ETH.initialFactor:", "2 is a JSON number"]),
        ("underlyings.eth", {}, ["underlyings.eth", "'eth'", "[A-Z0-9]{1,10}"]),
    ],
)
def test_a_bad_value_names_field_value_and_range(
    model_json: Json, path: str, value: object, parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed(model_json, path, value))
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_at_most_128_scenarios(model_json: Json) -> None:
    scenario = model_json["default"]["scenarios"][0]
    assert len(parse(changed(model_json, "default.scenarios", [scenario] * 128)).default.scenarios) == 128
    with pytest.raises(InputError, match=r"default.scenarios: more than 128 entries"):
        parse(changed(model_json, "default.scenarios", [scenario] * 129))


def test_options_33_is_the_published_set() -> None:
    document = load_preset("options-33")
    section = model_to_spec(document, {"BTC": 1}).sections[0]
    check_model(model_to_spec(document, {"BTC": 1, "ETH": 2}))
    scenarios = [(item.spot_wad, item.kind, item.weight_wad) for item in section.scenarios]
    core = [(1180, VolKind.UP)]
    for spot in (1135, 1090, 1045, 1000, 955, 910, 865):
        core += [(spot, kind) for kind in (VolKind.UP, VolKind.NONE, VolKind.DOWN)]
    core.append((820, VolKind.UP))
    assert scenarios[:23] == [(spot * 10**15, kind, 10**18) for spot, kind in core]
    tails = {34: 21000, 67: 42000, 150: 27720, 200: 13860, 300: 6930, 400: 4620, 500: 3465, 600: 2772}
    assert scenarios[23:] == [(spot * 10**16, VolKind.UP, weight * 10**13) for spot, weight in tails.items()]
    assert (section.initial_factor_wad, section.maintenance_factor_wad) == (10**18, 8 * 10**17)
    assert (section.vol_up_wad, section.vol_down_wad, section.min_vol_up_wad) == (
        5 * 10**17,
        3 * 10**17,
        4 * 10**17,
    )
    assert (section.power_short_wad, section.power_long_wad, section.floor_seconds) == (
        3 * 10**17,
        13 * 10**16,
        86400,
    )
    assert "derivexyz/v2-core" in document.source
    assert document.date == "2026-01"
    assert document.description is not None
    assert all(word in document.description for word in ("skew", "basis", "static discount", "add-ons"))


def test_every_shipped_model_is_named_as_its_file() -> None:
    assert list_presets() == [load_preset(name).name for name in list_presets()]


def test_a_model_is_loaded_by_name_or_from_a_file(model_json: Json, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model_json), encoding="utf-8")
    assert load_model(path) == load_model_file(path) == parse(model_json)
    assert load_model("options-33") == load_preset("options-33")
    with pytest.raises(
        InputError, match=r"options-34: no such file, and no shipped model of that name \(options-33\)"
    ):
        load_model("options-34")
    with pytest.raises(InputError, match=r"no shipped model is named '../x'; allowed: options-33"):
        load_preset("../x")
