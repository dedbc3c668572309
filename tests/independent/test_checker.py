"""The JavaScript checker agrees with every vector, and notices every tampering."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from .running import Json, node

VECTORS = Path(__file__).parent.parent / "vectors"


def _cases(path: Path) -> list[Json]:
    cases: list[Json] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return cases


def test_every_vector_passes() -> None:
    manifest = json.loads((VECTORS / "MANIFEST.json").read_text(encoding="utf-8"))
    totals: Counter[str] = Counter()
    for entry in manifest["files"]:
        totals[entry["family"]] += entry["cases"]
    run = node()
    lines = [f"{family}: {count} passed, 0 failed" for family, count in totals.items()]
    assert run.stdout.splitlines() == [*lines, f"total: {manifest['total']} passed, 0 failed"], run.stderr
    assert (run.returncode, run.stderr) == (0, "")


TAMPERED = ("v1/model/codec.json", "v1/portfolio/margin.json", "v1/tree/depth.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A vector folder of three topics, all of which pass."""
    manifest = json.loads((VECTORS / "MANIFEST.json").read_text(encoding="utf-8"))
    manifest["files"] = [entry for entry in manifest["files"] if entry["path"] in TAMPERED]
    manifest["total"] = sum(entry["cases"] for entry in manifest["files"])
    for path in TAMPERED:
        (tmp_path / path).parent.mkdir(parents=True)
        shutil.copy(VECTORS / path, tmp_path / path)
    (tmp_path / "MANIFEST.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    assert node(str(tmp_path)).returncode == 0
    return tmp_path


def test_a_wrong_expectation_fails_by_name(folder: Path) -> None:
    path = folder / "v1/portfolio/margin.json"
    text = path.read_text(encoding="utf-8")
    figures = "maintenanceMargin"
    case = next(c for c in _cases(path) if c["result"] == "valid" and c["expected"][figures] != "0")
    right = f'"{figures}": "{case["expected"][figures]}"'
    wrong = f'"{figures}": "{int(case["expected"][figures]) - 1}"'
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    run = node(str(folder))
    assert run.returncode == 1
    assert f"{case['id']} ({case['name']})" in run.stderr
    assert "v1/portfolio/margin.json: sha256" in run.stderr


def test_a_wrong_argument_of_an_error_fails_by_name(folder: Path) -> None:
    path = folder / "v1/model/codec.json"
    case = next(c for c in _cases(path) if c["result"] == "invalid" and "high" in c["error"]["args"])
    high = case["error"]["args"]["high"]
    text = path.read_text(encoding="utf-8")
    changed = re.sub(rf'("high": ?)"{high}"', rf'\1"{int(high) + 1}"', text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    run = node(str(folder))
    assert run.returncode == 1
    assert f"{case['id']} ({case['name']})" in run.stderr


def test_a_missing_case_fails_by_count(folder: Path) -> None:
    path = folder / "v1/tree/depth.json"
    count = len(_cases(path))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")
    run = node(str(folder))
    assert run.returncode == 1
    assert f"v1/tree/depth.json: {count - 1} cases, the manifest says {count}" in run.stderr


def test_an_unknown_topic_fails(folder: Path) -> None:
    path = folder / "MANIFEST.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"topic": "depth"', '"topic": "height"'))
    run = node(str(folder))
    assert run.returncode == 1
    assert "v1/tree/depth.json: this checker does not know the topic" in run.stderr
