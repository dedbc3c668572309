"""Two models compared in words."""

from __future__ import annotations

from marginproof.documents import ModelDocument
from marginproof.documents.model_convert import FIELD_PATHS, field_value, format_field
from marginproof.models import list_presets, load_preset, model_text
from marginproof.models.changes import changed_model
from marginproof.models.diff import diff, groups
from marginproof.spec.model_fields import FIELDS


def with_changes(*changes: str) -> ModelDocument:
    return changed_model(*model_text("options-33"), changes)


def told(*changes: str) -> list[tuple[str | None, str, str]]:
    found = diff(load_preset("options-33"), with_changes(*changes))
    return [(change.symbol, change.path, change.text) for change in found]


def test_a_model_does_not_differ_from_itself() -> None:
    for name in list_presets():
        assert diff(load_preset(name), load_preset(name)) == []
    assert told("name=other", "source=elsewhere", "date=2026-02") == []


def test_every_field_that_changes_is_told_with_both_values() -> None:
    entry = load_preset("options-33").default
    for field in FIELDS:
        value = field_value(entry, field)
        if value is None or field.name in ("initialFactor", "maintenanceFactor"):
            continue
        step = -1 if value == field.high else 1
        path = FIELD_PATHS[field.name]
        new = format_field(field.name, value + step)
        ((symbol, place, text),) = told(f"{path}={new.split()[0]}")
        verb = "rises" if step > 0 else "falls"
        assert (symbol, place) == (None, path)
        assert text.endswith(f" {verb} from {format_field(field.name, value)} to {new}")


def test_a_group_is_told_as_a_whole() -> None:
    assert told("basis=null", 'delta={"net":"0.02","hedged":"0"}') == [
        (None, "basis", "the basis charge is dropped: up 1.045, down 0.955, base 0.5, perYear 2"),
        (None, "delta", "the delta charge is new: net 0.02, hedged 0"),
    ]
    assert told("averagingSeconds=null") == [
        (None, "averagingSeconds", "averaging before settlement is dropped: seconds 1800 s")
    ]


def test_scenarios_are_matched_by_their_move() -> None:
    changes = told("scenarios[30].spot=7", "scenarios[0].weight=2", "scenarios[22].weight=0.3")
    assert changes == [
        (None, "scenarios[0]", "weight rises to 2: spot x 1.18, vol up, weight 1"),
        (None, "scenarios[22]", "weight falls to 0.3: spot x 0.82, vol up, weight 1"),
        (None, "scenarios[30]", "dropped: spot x 6, vol up, weight 0.02772"),
        (None, "scenarios[30]", "new: spot x 7, vol up, weight 0.02772"),
        (None, "scenarios", "numbers change: what was scenario 22 is now 23"),
    ]


def test_a_symbol_with_an_entry_of_its_own() -> None:
    assert told("underlyings.ETH.basis.base=0.75") == [
        ("ETH", "", "only options-33 has an entry of its own for ETH; the other applies its default"),
        ("ETH", "basis.base", "the basis charge's factor rises from 0.5 to 0.75"),
    ]


def test_the_groups_of_an_entry_hold_every_field_it_uses() -> None:
    for name in list_presets():
        entry = load_preset(name).default
        text = " ".join(values for _, _, values in groups(entry))
        for field in FIELDS:
            value = field_value(entry, field)
            if value is not None:
                assert format_field(field.name, value) in text
