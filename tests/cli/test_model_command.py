"""`marginproof model`: list, show, check, diff."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Json, Run
from marginproof.models import list_presets

Write = Callable[[str, Any], Path]


def test_models_are_listed(run: Run) -> None:
    listed = run("model", "list", "--json").json
    assert listed["format"] == "marginproof/models@1"
    assert [item["name"] for item in listed["models"]] == list_presets()
    assert {item["name"]: item["scenarios"] for item in listed["models"]}["options-33"] == 33
    shown = run("model", "list").out
    assert all(name in shown for name in list_presets())


@pytest.mark.parametrize("name", list_presets())
def test_a_shipped_model_is_shown_and_valid(run: Run, name: str) -> None:
    shown = run("model", "show", name)
    assert shown.code == 0
    assert "expressed" in shown.out
    assert "factors, what the scan is multiplied by: initial 1, maintenance" in shown.out
    assert run("model", "show", name, "--json").json["name"] == name
    assert run("model", "check", name).code == 0


def test_groups_and_scenarios_are_shown(run: Run) -> None:
    shown = run("model", "show", "options-33").out
    assert "basis, the basis charge: up 1.045, down 0.955, base 0.5, perYear 2" in shown
    assert "x 0.82" in shown
    assert "absolute skew" in shown
    assert "+ 0.1" in run("model", "show", "span-16").out


def test_a_model_is_checked_for_a_venue(run: Run, write: Write, model_json: Json) -> None:
    path = write("model.json", model_json)
    assert run("model", "show", path, "--json").json["name"] == "two"
    checked = run("model", "check", path, "--symbols", "BTC,ETH", "--json").json
    assert checked["format"] == "marginproof/model-check@1"
    assert checked["scenarios"] == {"BTC": 2, "ETH": 2}
    assert checked["hash"].startswith("0x")
    other = run("model", "check", path, "--symbols", "BTC", "--json").json
    assert other["hash"] != checked["hash"]


def test_bad_models_are_refused(run: Run, write: Write, model_json: Json) -> None:
    model_json["default"]["scenarios"][0]["weight"] = "12"
    path = write("model.json", model_json)
    for arguments in (
        ("show", path),
        ("check", path),
        ("diff", path, "options-33"),
        ("diff", "options-33", path),
    ):
        done = run("model", *arguments)
        assert (done.code, done.out) == (2, "")
        assert "default.scenarios[0].weight: '12' is out of range; allowed: 0 to 9" in done.err
    assert "no shipped model of that name (grid-27" in run("model", "show", "nonsense").err
    assert "no such file" in run("model", "show", "x" * 5000).err
    assert "--symbols" in run("model", "check", "options-33", "--symbols", "BTC,btc").err
    assert "twice" in run("model", "check", "options-33", "--symbols", "BTC,BTC").err


def test_a_difference_is_told_in_words(run: Run, write: Write, model_json: Json) -> None:
    first = write("first.json", model_json)
    model_json["default"]["vol"]["up"] = "0.6"
    model_json["name"] = "three"
    second = write("second.json", model_json)
    done = run("model", "diff", first, second)
    assert (done.code, done.err) == (0, "")
    assert "From two to three, 1 difference:" in done.out
    assert "vol.up: the relative volatility move up rises from 0.5 to 0.6" in done.out
    assert run("model", "diff", second, first, "--json").json == {
        "format": "marginproof/model-diff@1",
        "from": "three",
        "to": "two",
        "changes": [
            {
                "symbol": None,
                "path": "vol.up",
                "text": "the relative volatility move up falls from 0.6 to 0.5",
            }
        ],
    }
    assert "two and two compute the same." in run("model", "diff", first, first).out


def test_what_a_change_does_to_a_book(run: Run, write: Write, portfolio_json: Json) -> None:
    book = write("portfolio.json", portfolio_json)
    files = ("--book", book, "--market", "crash:2")
    found = run("model", "diff", "options-33", "grid-27", *files, "--json").json["book"]
    for side, model in (("from", "options-33"), ("to", "grid-27")):
        alone = run("margin", "--model", model, "--market", "crash:2", "--portfolio", book, "--json").json
        assert found[side] == alone["account"]
        for item, scan in zip(found["underlyings"], alone["underlyings"], strict=True):
            assert (item["symbol"], item[f"worst{side.capitalize()}"]) == (scan["symbol"], scan["worst"])
    change = Decimal(found["to"]["initialMargin"]) - Decimal(found["from"]["initialMargin"])
    assert Decimal(found["initialMarginChange"]) == change
    shown = run("model", "diff", "options-33", "grid-27", *files).out
    assert "BTC scan:" in shown
    assert "initial margin" in shown


def test_a_book_needs_a_market(run: Run, write: Write, portfolio_json: Json) -> None:
    book = write("portfolio.json", portfolio_json)
    alone = run("model", "diff", "options-33", "grid-27", "--book", book)
    assert (alone.code, alone.out) == (2, "")
    assert "--book is given without --market" in alone.err
    assert (
        "--market is given without --book"
        in run("model", "diff", "grid-27", "nine-9", "--market", "crash:1").err
    )
