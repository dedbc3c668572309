from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from marginproof import files


def test_writes_make_folders_and_replace_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.json"
    files.write_text(target, "old")
    files.write_json(target, {"z": "1", "a": ["é"]})
    assert target.read_text(encoding="utf-8") == '{\n  "z": "1",\n  "a": [\n    "é"\n  ]\n}\n'
    assert [path.name for path in target.parent.iterdir()] == ["b.json"]


def test_write_json_can_sort_keys(tmp_path: Path) -> None:
    files.write_json(tmp_path / "x.json", {"z": 1, "a": 2}, sort_keys=True)
    assert list(json.loads((tmp_path / "x.json").read_text())) == ["a", "z"]


@pytest.mark.parametrize("value", [object(), {"x": math.nan}, {"x": math.inf}])
def test_what_json_cannot_hold_changes_nothing(tmp_path: Path, value: object) -> None:
    target = tmp_path / "x.json"
    target.write_text("kept")
    with pytest.raises((TypeError, ValueError)):
        files.write_json(target, value)
    assert target.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failure_midway_keeps_old_content_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "x.json"
    target.write_text("kept")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_text(target, "new")
    monkeypatch.undo()
    assert target.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [target]


def test_target_is_replaced_in_one_step_and_never_opened_for_writing(tmp_path: Path) -> None:
    target = tmp_path / "x.txt"
    target.write_text("old")
    with target.open() as reader:
        files.write_text(target, "new")
        assert reader.read() == "old"
    assert target.read_text() == "new"


def test_links_stay_links_and_permissions_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.txt"
    real.write_text("old")
    real.chmod(0o600)
    link = tmp_path / "link.txt"
    link.symlink_to(real)
    files.write_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o600
