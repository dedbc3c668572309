"""The tables of docs/security.md that say which test is which attack: every number has one, every test named is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from marginproof.files import project_root

NUMBERS = (*range(1, 22), *range(34, 40))
CLASSES = ("signatures and epochs", "proofs", "prices", "arithmetic", "money", "disputes")
_ROW = re.compile(r"^\| (\d+|[a-z ]+) \| [^|]+ \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(page: str) -> dict[str, list[tuple[str, str]]]:
    """The tests of each row, by number or class."""
    return {name: _TEST.findall(tests) for name, tests in _ROW.findall(page) if _TEST.search(tests)}


@pytest.fixture(scope="module")
def table() -> dict[str, list[tuple[str, str]]]:
    return rows((project_root() / "docs/security.md").read_text(encoding="utf-8"))


def test_every_number_and_class_has_its_row(table: dict[str, list[tuple[str, str]]]) -> None:
    assert sorted(table) == sorted([*map(str, NUMBERS), *CLASSES])


def test_every_test_is_there_under_its_number(table: dict[str, list[tuple[str, str]]]) -> None:
    for name, tests in table.items():
        for path, test in tests:
            source = (project_root() / path).read_text(encoding="utf-8")
            assert f"\ndef {test}(" in source, f"{path} has no {test}"
            if name.isdigit():
                assert test.startswith(f"test_attack_{name}_"), f"{test} is not named after attack {name}"


def named() -> Iterator[tuple[str, str, str]]:
    """Number, path and name of every test that is named after an attack."""
    root = project_root()
    for path in sorted((root / "tests").rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        for test, number in re.findall(r"^def (test_attack_(\d+)_\w+)\(", source, re.MULTILINE):
            yield number, path.relative_to(root).as_posix(), test


def test_the_page_leaves_none_out(table: dict[str, list[tuple[str, str]]]) -> None:
    known = [found for found in named() if int(found[0]) in NUMBERS]
    missing = [f"{n}: {path}::{test}" for n, path, test in known if (path, test) not in table[n]]
    assert not missing, "\n".join(missing)
