"""The benchmarks run, at small sizes, and report what they are to report. Nothing here looks at how long anything took."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts import bench
from scripts.benchmarks import growth, netting, pricing, report, result, tree, world
from scripts.benchmarks.sizes import QUICK

from marginproof.spec.model import Model, VolKind, check_model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("bench")
    assert bench.main(["--quick", "--out", str(folder)]) == 0
    return folder, json.loads((folder / "bench.json").read_text(encoding="utf-8"))


def test_every_row_has_the_fields_and_they_agree(run: tuple[Path, list[dict[str, Any]]]) -> None:
    for row in run[1]:
        assert list(row) == [field.name for field in fields(result.Result)]
        assert row["name"]
        assert row["unit"]
        assert row["ours"] >= 0
        if row["peer"] is None:
            assert row["ratio"] is None
        else:
            assert row["peer_name"]
            assert row["ratio"] == pytest.approx(row["ours"] / row["peer"])


def test_a_peer_is_measured_or_the_row_says_why_not(run: tuple[Path, list[dict[str, Any]]]) -> None:
    for row in run[1]:
        if row["peer_name"] is not None and row["peer"] is None:
            assert "not installed" in row["peer_name"]
            assert row["ok"] is False


@pytest.mark.parametrize(
    "part", ["value", "net", "tree", "epoch", "peak memory", "next epoch", "growth with", "second start"]
)
def test_every_measurement_is_there(run: tuple[Path, list[dict[str, Any]]], part: str) -> None:
    assert any(part in row["name"] for row in run[1])


def test_the_second_start_compiles_nothing(run: tuple[Path, list[dict[str, Any]]]) -> None:
    (row,) = (row for row in run[1] if row["name"].endswith("functions compiled"))
    assert row["ours"] == 0


def test_growth_is_drawn(run: tuple[Path, list[dict[str, Any]]]) -> None:
    assert (run[0] / bench.PICTURE).read_bytes().startswith(b"\x89PNG")


def test_only_runs_what_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--quick", "--only", "net", "--out", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert [row["name"].startswith("net ") for row in rows] == [True, True]
    assert "scipy.sparse" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("peer_name", "peer", "most", "most_ratio", "ok"),
    [
        (None, None, 3.0, None, True),
        (None, None, 1.9, None, False),
        ("p", 4.0, None, 0.5, True),
        ("p", 3.9, None, 0.5, False),
        ("p", 4.0, 1.9, 0.5, False),
        ("p (not installed)", None, None, None, False),
        ("p (not installed)", None, None, 0.5, False),
    ],
)
def test_a_target_is_met_or_not(
    peer_name: str | None, peer: float | None, most: float | None, most_ratio: float | None, ok: bool
) -> None:
    found = result.result("n", "s", 2.0, peer_name=peer_name, peer=peer, most=most, most_ratio=most_ratio)
    assert found.ok is ok


def test_a_library_that_is_missing_fails_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QuantLib", "vollib.black"):
        monkeypatch.setitem(sys.modules, name, None)
    rows = pricing.bench_value(QUICK)
    assert [(row.peer is None, row.ok) for row in rows] == [(False, True), (True, False), (True, False)]


def test_a_missing_node_fails_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree.shutil, "which", lambda name: None)
    (row,) = tree.bench_tree(QUICK)
    assert row.peer is None
    assert "not installed" in str(row.peer_name)
    assert not row.ok


def test_a_javascript_library_that_is_missing_fails_the_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alone = tmp_path / tree.SCRIPT.name
    alone.write_bytes(tree.SCRIPT.read_bytes())
    monkeypatch.setattr(tree, "SCRIPT", alone)
    (row,) = tree.bench_tree(QUICK)
    assert row.peer is None
    assert "not installed" in str(row.peer_name)
    assert not row.ok


@pytest.mark.parametrize("draw", [world.spread_book, world.close_book])
def test_books_are_portfolios(draw: Any) -> None:
    columns = world.venue_columns(2_000)
    book = draw(columns, 300, netting.POSITIONS)
    assert (np.diff(book.rows, axis=1) > 0).all()
    assert (columns.ids[book.rows.ravel()] == book.portfolios.ids).all()
    assert (book.portfolios.quantities != 0).all()


def test_accounts_of_the_close_book_hold_two_expiries() -> None:
    columns = world.venue_columns(2_000)
    rows = world.close_book(columns, 300, netting.POSITIONS).rows
    assert all(len(set(expiries)) == 2 for expiries in columns.expiry[rows].tolist())
    assert all(len(set(ids)) == 1 for ids in columns.underlying[rows].tolist())


@pytest.mark.parametrize("count", [10, 33, 100])
def test_models_have_as_many_scenarios_as_asked_for(count: int) -> None:
    model: Model = world.with_scenarios(count)
    check_model(model)
    for section in model.sections:
        assert len(section.scenarios) == count
        assert {move.kind for move in section.scenarios} == {
            VolKind.UP,
            VolKind.NONE,
            VolKind.DOWN,
            VolKind.LINEAR_SKEW,
            VolKind.ABSOLUTE_SKEW,
        }


def test_the_page_gets_the_table_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    rows = [
        result.result("a", "s", 1.0, peer_name="p", peer=4.0, most_ratio=0.5),
        result.result("b", "s", 0.0, most=-1.0),
        result.result("c", "s", 12_345.0),
    ]
    page.write_text(f"before\n{report.MARK}\nold\n{report.END_MARK}\nafter\n", encoding="utf-8")
    report.rewrite_page(rows, page)
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["before", report.MARK, ""]
    assert lines[5:8] == [
        "| a | s | 1.00 | 4.00 | 0.250 | p | ratio <= 0.5 | met |",
        "| b | s | 0 | - | - | - | ours <= -1 | MISSED |",
        "| c | s | 12,345 | - | - | - | - | - |",
    ]
    assert lines[8:] == ["", report.END_MARK, "after"]


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks"):
        report.rewrite_page([], page)
    assert page.read_text(encoding="utf-8") == "nothing\n"


def test_the_documentation_is_never_written_from_a_quick_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--quick", "--docs"])
    assert "full run" in capsys.readouterr().err


def test_the_exponent_is_the_power_of_the_size() -> None:
    assert growth.Curve("n", (10, 100, 1_000), (0.02, 2.0, 200.0)).exponent == pytest.approx(2)


def test_the_steepest_step_is_between_two_sizes() -> None:
    assert growth.Curve("n", (10, 100, 200), (1.0, 5.0, 15.0)).steepest == pytest.approx(1.5)


def test_peers_price_what_we_price() -> None:
    # The floats of the peers, at the model's scenarios, against numpy's: the same cells, so the same work.
    inputs = pricing.FloatInputs(40)
    assert inputs.forward.shape == (40, pricing.SCENARIOS)
    for name, module, prices, _ in pricing._SCALAR_PEERS:
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        pricing._require_same(name, prices(inputs, library)(), inputs.numpy_prices())
    with pytest.raises(AssertionError, match="QuantLib gives"):
        pricing._require_same("QuantLib", [1.0], np.array([2.0]))
