"""The committed vectors, as the runners read them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def manifest() -> dict[str, Any]:
    """MANIFEST.json."""
    document: dict[str, Any] = json.loads((FOLDER / "MANIFEST.json").read_text(encoding="utf-8"))
    return document


def entries() -> list[dict[str, Any]]:
    """One entry per vector file."""
    files: list[dict[str, Any]] = manifest()["files"]
    return files


def topic_of(entry: dict[str, Any]) -> str:
    """`family/topic`, which also names the test."""
    return f"{entry['family']}/{entry['topic']}"


def cases_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The cases of a file; asserts the manifest's counts."""
    cases: list[dict[str, Any]] = json.loads((FOLDER / entry["path"]).read_text(encoding="utf-8"))["cases"]
    results = [case["result"] for case in cases]
    assert (len(cases), results.count("valid"), results.count("invalid")) == (
        entry["cases"],
        entry["valid"],
        entry["invalid"],
    ), f"{entry['path']} does not hold as many cases as the manifest counts"
    return cases
