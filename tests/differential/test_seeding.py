"""SEED and SCALE."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import seeding
from .__main__ import main


@pytest.fixture(autouse=True)
def no_seed_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run's seed unread for one test, and what it was afterwards."""
    kept = seeding.seed()
    seeding.seed.cache_clear()
    yield
    seeding.seed.cache_clear()
    monkeypatch.setenv("SEED", str(kept))
    assert seeding.seed() == kept


def test_a_seed_is_given_or_fresh_and_then_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED", "12")
    assert seeding.seed() == 12
    monkeypatch.setenv("SEED", "")
    assert seeding.seed() == 12
    seeding.seed.cache_clear()
    fresh = seeding.seed()
    assert seeding.seed() == fresh
    seeding.seed.cache_clear()
    assert seeding.seed() != fresh


@pytest.mark.parametrize(
    ("scale", "count"), [("", 300), ("1", 300), ("0.1", 30), ("0.001", 1), ("20", 6_000)]
)
def test_scale_multiplies(scale: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALE", scale)
    assert seeding.scaled(300) == count


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SEED", "x", "SEED=x: give a whole number"),
        ("SCALE", "full", "SCALE=full: give a number above 0"),
        ("SCALE", "0", "SCALE=0: give a number above 0"),
        ("SCALE", "nan", "SCALE=nan: give a number above 0"),
    ],
)
def test_what_is_no_number_is_refused_in_one_line(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["--campaign", "checker-cells"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(message)
    assert printed.count("\n") == 1


def test_one_batch_again(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED", "4")
    assert main(["--campaign", "checker-accounts", "--batch", "2"]) == 0
    assert capsys.readouterr().out == "SEED=4\nchecker-accounts, batch 2: 180 accounts equal\n"
