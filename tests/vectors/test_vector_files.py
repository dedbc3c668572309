"""The committed vectors are what the specification gives, fit their schemas, and a difference is named."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from scripts.vector_families import store
from scripts.vector_families.case import result
from scripts.vector_families.models import WAD
from scripts.vector_families.smile_faults import RANGES, variance_floor
from scripts.vector_families.topics import TOPICS

from marginproof.spec.hashing import keccak

from .cases import FOLDER, cases_of, entries, manifest, topic_of

BY_TOPIC = {f"{topic.family}/{topic.name}": topic for topic in TOPICS}
FAMILIES = {
    "fixed-point",
    "pricing",
    "smile",
    "model",
    "scenario",
    "portfolio",
    "tree",
    "eip712",
    "epoch",
    "dispute",
}
REFUSING = {"smile", "model", "portfolio", "tree", "eip712", "epoch", "dispute"}
"""Families whose inputs come from outside, so that about half of their cases are refused."""
SMILE_TOPICS = ("smile/parameters", "smile/total-vol")


@pytest.mark.parametrize("entry", entries(), ids=topic_of)
def test_specification_reproduces_every_case(entry: dict[str, object]) -> None:
    topic = BY_TOPIC[topic_of(entry)]
    ran = 0
    for case in cases_of(entry):
        outcome = {key: case[key] for key in ("result", "expected", "error") if key in case}
        assert result(topic, case["input"]) == outcome, case["id"]
        ran += 1
    assert ran == entry["cases"]


@pytest.mark.parametrize("entry", entries(), ids=topic_of)
def test_files_fit_their_schema_and_hashes(entry: dict[str, str]) -> None:
    data = (FOLDER / entry["path"]).read_bytes()
    schema = json.loads((FOLDER / f"schema/{entry['family']}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(data), schema)
    assert entry["sha256"] == "0x" + hashlib.sha256(data).hexdigest()
    assert entry["keccak256"] == "0x" + keccak(data).hex()


def test_every_family_is_there_and_the_total_adds_up() -> None:
    assert {str(entry["family"]) for entry in entries()} == FAMILIES
    assert manifest()["total"] == sum(int(entry["cases"]) for entry in entries()) > 4_000
    ids = Counter(case["id"] for entry in entries() for case in cases_of(entry))
    assert max(ids.values()) == 1


@pytest.mark.parametrize("family", sorted(REFUSING))
def test_enough_of_the_cases_are_bad_input(family: str) -> None:
    files = [entry for entry in entries() if entry["family"] == family]
    assert sum(entry["invalid"] for entry in files) >= 0.45 * sum(entry["cases"] for entry in files)


@pytest.mark.parametrize("entry", entries(), ids=topic_of)
def test_no_input_appears_twice(entry: dict[str, object]) -> None:
    inputs = Counter(json.dumps(case["input"], sort_keys=True) for case in cases_of(entry))
    assert max(inputs.values()) == 1


def _faults(svi: dict[str, int]) -> int:
    outside = sum(not low <= svi[name] <= high for name, (low, high) in RANGES.items())
    if abs(svi["rho"]) > WAD:
        return outside
    return outside + (svi["a"] + variance_floor(svi["b"], svi["rho"], svi["sigma"]) < 0)


@pytest.mark.parametrize("topic", SMILE_TOPICS)
def test_a_refused_smile_has_one_fault(topic: str) -> None:
    for case in cases_of(next(entry for entry in entries() if topic_of(entry) == topic)):
        svi = {name: int(value) for name, value in case["input"].get("svi", case["input"]).items()}
        prices = [int(case["input"].get(name, 1)) for name in ("forward", "strike")]
        faults = _faults(svi) + sum(not 1 <= price < 2**64 for price in prices)
        assert faults == (case["result"] == "invalid"), case["id"]


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return store.generate()


def _copy(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def _differences(folder: Path, generated: dict[str, str]) -> list[str]:
    return store.differences(store.present(folder), generated)


def test_check_names_file_and_case(tmp_path: Path, generated: dict[str, str]) -> None:
    folder = _copy(tmp_path)
    assert _differences(folder, generated) == []
    path = folder / "v1/pricing/black76.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["cases"][4]["expected"]["call"] = "12345"
    del document["cases"][9]
    path.write_text(store.dumps(document), encoding="utf-8")
    assert _differences(folder, generated) == [
        "v1/pricing/black76.json: differs from what the specification gives",
        "  case pricing/black76/0005: differs in expected",
        "  case pricing/black76/0010: missing from the file",
    ]
    path.unlink()
    (folder / "v1/pricing/extra.json").write_text("{}", encoding="utf-8")
    assert _differences(folder, generated) == [
        "v1/pricing/black76.json: missing",
        "v1/pricing/extra.json: not made by the generator",
    ]


def test_fill_restores_and_check_exits_non_zero(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    generated: dict[str, str],
) -> None:
    monkeypatch.setattr(store, "generate", lambda: generated)
    folder = _copy(tmp_path)
    manifest_path = folder / "MANIFEST.json"
    manifest_path.write_text(manifest_path.read_text(encoding="utf-8").replace('"total": ', '"total": 1'))
    (folder / "v1/pricing/extra.json").write_text("{}", encoding="utf-8")
    assert store.check(folder) == 1
    printed = capsys.readouterr().err
    assert "MANIFEST.json: differs" in printed
    assert "scripts/vectors.py fill" in printed
    assert store.fill(folder) == 0
    assert store.check(folder) == 0
    assert not list(folder.rglob("*.tmp"))


def test_schema_refuses_numbers_that_are_not_strings() -> None:
    schema = json.loads((FOLDER / "schema/pricing.schema.json").read_text(encoding="utf-8"))
    document = json.loads((FOLDER / "v1/pricing/black76.json").read_text(encoding="utf-8"))
    for wrong in (5, "05", "-1", "1e3", ""):
        document["cases"][0]["expected"]["call"] = wrong
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)


def test_usage_error_is_plain() -> None:
    script = FOLDER.parent.parent / "scripts/vectors.py"
    run = subprocess.run(
        [sys.executable, str(script), "nonsense"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "usage: python scripts/vectors.py fill|check\n"
