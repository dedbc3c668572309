"""Changing parameters for one run: PATH=VALUE."""

from __future__ import annotations

import json

import pytest

from marginproof.documents import ModelDocument, Rounding
from marginproof.errors import InputError
from marginproof.models import load_preset, model_text
from marginproof.models.changes import changed_model

WAD = 10**18


def apply(*changes: str, name: str = "options-31", rounding: Rounding | None = None) -> ModelDocument:
    text, origin = model_text(name)
    return changed_model(text, origin, changes, rounding)


def test_without_changes_it_is_the_model() -> None:
    assert apply() == load_preset("options-31")


def test_a_field_of_the_default_entry() -> None:
    entry = apply("basis.base=19.99", "vol.floorSeconds=3600", "factors.initial=1.2").default
    assert entry.basis is not None
    assert entry.vol is not None
    assert (entry.basis.base_wad, entry.basis.per_year_wad) == (1999 * 10**16, 2 * WAD)
    assert (entry.vol.floor_seconds, entry.factors.initial_wad) == (3600, 12 * 10**17)
    assert apply("default.basis.base=1") == apply("basis.base=1")


def test_a_symbol_gets_a_copy_of_the_default_first() -> None:
    document = apply("underlyings.ETH.basis.base=0.75")
    assert document.default == load_preset("options-31").default
    entry = document.underlyings["ETH"]
    assert entry.basis is not None
    assert entry.basis.base_wad == 75 * 10**16
    assert entry.scenarios == document.default.scenarios


def test_a_group_is_added_and_taken_away() -> None:
    assert apply("basis=null").default.basis is None
    delta = apply('delta={"net":"0.02","hedged":"0.01"}').default.delta
    assert delta is not None
    assert delta == apply("delta.net=0.02", "delta.hedged=0.01").default.delta
    assert apply("averagingSeconds=null").default.averaging_seconds is None


def test_a_whole_entry_for_collateral_that_does_not_move() -> None:
    entry = {
        "factors": {"initial": "1", "maintenance": "0.8"},
        "addOns": {"collateral": {"maintenance": "0.02", "initial": "0.03"}},
        "scenarios": [{"spot": "1", "vol": "none", "weight": "1"}],
    }
    document = apply(f"underlyings.USDT={json.dumps(entry)}")
    assert len(document.underlyings["USDT"].scenarios) == 1


def test_scenarios_are_put_in_order_after_all_changes() -> None:
    document = apply("scenarios[28].weight=0.5", "scenarios.23.weight=0.001")
    weights = [(s.spot_wad, s.weight_wad) for s in document.default.scenarios[23:29]]
    assert weights[0] == (4 * WAD, WAD // 2)
    assert weights[-1] == (67 * 10**16, 10**15)


def test_figures_are_rounded_when_that_is_asked_for() -> None:
    rounding = Rounding()
    document = apply("basis.base=0.12345678901234567891", rounding=rounding)
    assert document.default.basis is not None
    assert document.default.basis.base_wad == 123456789012345679
    assert rounding.count == 1
    with pytest.raises(InputError, match="20 decimals, at most 18"):
        apply("basis.base=0.12345678901234567891")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("basis.base", "'basis.base' has no =; allowed: PATH=VALUE"),
        ("=1", "'' is not a path"),
        ("basis..base=1", "'basis..base' is not a path"),
        (
            "basis.base=21",
            "options-31 with --set: 1 problem\n  basis.base: '21' is out of range; allowed: 0 to 20",
        ),
        ("default.basis.base=abc", "  default.basis.base: 'abc' is not a plain decimal"),
        ("basis.bases=1", "  basis.bases: unknown key"),
        ("nonsense=1", "  nonsense: unknown key"),
        ("delta.net=0.02", "default.delta.hedged: missing"),
        ("skew.minimum=0", "  skew.minimum: '0' is out of range; allowed: 0.000001 to 10"),
        ("scenarios[31].weight=1", "there is no entry 31; allowed: 0 to 30"),
        ("scenarios.weight=1", "'weight' is looked for in something that is no group"),
        ("scenarios[0].weight=10", "  scenarios[0].weight: '10' is out of range; allowed: 0 to 9"),
        ("scenarios[3].weight=10", "  scenarios[3].weight: '10' is out of range; allowed: 0 to 9"),
        ("scenarios.28.spot=17", "  scenarios.28.spot: '17' is out of range; allowed: 0.01 to 16"),
        ("underlyings.ETH.scenarios[5].spot=17", "  underlyings.ETH.scenarios[5].spot: '17' is out of range"),
        ("vol.floorSeconds=" + "9" * 400, "is out of range; allowed: 1 to 34560000"),
        ("vol.floorSeconds=-1", "  vol.floorSeconds: -1 is out of range; allowed: 1 to 34560000"),
        ('basis={"up":null}', "  basis.up: null is"),
        ("basis.base.x=1", "'x' is looked for in something that is no group"),
        ("basis.base.x.y=1", "there is no 'x' at this place"),
        ("factors.initial.0=1", "'0' is looked for in something that is no group"),
        ("basis={", "not valid JSON"),
        ("scenarios=[]", "  scenarios: 0 entries"),
        ("scenarios=[1]", "  scenarios[0]: 1 is not an object"),
        ("vol=null", "'up' needs the group vol"),
        (
            "vol.floorSeconds=1.5",
            "  vol.floorSeconds: '1.5' is not a whole number (written without quotes); allowed: 1 to 34560000",
        ),
        ("format=x", "  format: unknown key"),
        ("underlyings.eth.basis.base=1", "underlyings.eth"),
        ("name=null", "name: missing"),
    ],
)
def test_a_bad_change_is_named(change: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        apply(change)
    assert words in caught.value.message
