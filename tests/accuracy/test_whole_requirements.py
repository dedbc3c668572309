"""Whole requirements of benchmark books against 50-digit arithmetic: the engine's figures, no rounding but its own.

DATA names a folder of chains: every account of 2,000-account books drawn from real open interest, at each of its times. Without it, a few
accounts of books drawn in the shipped crash markets. SEED draws other books. Figures go to build/accuracy.json.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mpmath import mp, mpf
from scripts.real_books_report.books import ACCOUNTS, SEED, real_books
from scripts.real_books_report.margins import Account, Holdings, holdings, margin_accounts, spec_inputs
from scripts.real_books_report.page import ACCURACY_KEY

from marginproof.files import write_json
from marginproof.market.books import Book
from marginproof.market.crash import load_crash
from marginproof.models import load_preset
from marginproof.spec.model import ModelSection
from spec import exact
from spec.exact_margin import Requirement, World

from .drawn import drawn_book

REPORT = Path(__file__).resolve().parents[2] / "build/accuracy.json"
DATA = os.environ.get("DATA")
BOOK_SEED = int(os.environ.get("SEED") or SEED)
SIZE = ACCOUNTS if DATA else 12
TIMES = 6
PRESETS = ("options-33", "options-31")
PER_UNIT, FIXED = mpf(4) / 10**8, mpf(2) / 10**8
"""The bound: USD per unit held, and USD."""
LARGE = 10


@cache
def books() -> tuple[Book, ...]:
    """The books in order of time."""
    if DATA:
        return tuple(real_books(Path(DATA), SIZE, BOOK_SEED))
    return tuple(drawn_book(market, SIZE, BOOK_SEED) for market in load_crash())


@dataclass
class Worst:
    """The largest errors of a preset: of values and of requirements in USD, and as a share of the account's bound, also over
    accounts of LARGE units and more: in smaller ones the last rounding counts most."""

    accounts: int = 0
    value_error: mpf = field(default_factory=lambda: mpf(0))
    margin_error: mpf = field(default_factory=lambda: mpf(0))
    share: mpf = field(default_factory=lambda: mpf(0))
    large_share: mpf = field(default_factory=lambda: mpf(0))
    where: str = ""

    def add(self, found: Account, wanted: Requirement, held: Holdings, place: str) -> None:
        """Take in one account's four figures."""
        units = mp.fsum(abs(quantity) for _, quantity in held) / 10**8
        integers = (found.value_e8, found.spot_value_e8, found.initial_e8, found.maintenance_e8)
        self.accounts += 1
        for integer, number, name in zip(integers, wanted, Requirement._fields, strict=True):
            error = abs(mpf(integer) / 10**8 - number)
            share = error / (PER_UNIT * units + FIXED)
            if name in ("initial", "maintenance"):
                self.margin_error = max(self.margin_error, error)
            else:
                self.value_error = max(self.value_error, error)
            if units >= LARGE:
                self.large_share = max(self.large_share, share)
            if share > self.share:
                self.share, self.where = share, f"{name} of {place}"

    def merge(self, other: Worst) -> None:
        """Take in what was measured elsewhere."""
        self.accounts += other.accounts
        self.value_error = max(self.value_error, other.value_error)
        self.margin_error = max(self.margin_error, other.margin_error)
        self.large_share = max(self.large_share, other.large_share)
        if other.share > self.share:
            self.share, self.where = other.share, other.where

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "accounts": self.accounts,
            "worst value error, USD": float(mp.nstr(self.value_error, 4)),
            "worst margin error, USD": float(mp.nstr(self.margin_error, 4)),
            "worst share": round(float(self.share), 4),
            "worst share of 10 units and more": round(float(self.large_share), 4),
            "where": self.where,
        }


@pytest.fixture(scope="session")
def measured() -> Iterator[dict[str, Worst]]:
    """The worst of each preset; saved at the end of the run, beside what others saved, when both were measured over all times."""
    worst: dict[str, Worst] = {name: Worst() for name in PRESETS}
    yield worst
    if any(item.accounts < TIMES * SIZE for item in worst.values()):
        return
    report = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    report[ACCURACY_KEY if DATA else "books in the shipped crash markets"] = {
        "bound": "4e-8 USD x sum of |quantity| + 2e-8 USD",
        "seed": BOOK_SEED,
        "times": TIMES,
        "accounts of a book": SIZE,
        "presets": {name: item.as_json() for name, item in worst.items()},
    }
    write_json(REPORT, report)


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that every account needs again are worked out once, by the same functions."""
    known: dict[tuple[int, int, int], tuple[mpf, mpf]] = {}
    discounts = exact.static_discounts

    def static_discounts(section: ModelSection, rate_wad: int, seconds: int) -> tuple[mpf, mpf]:
        key = id(section), rate_wad, seconds
        if key not in known:
            known[key] = discounts(section, rate_wad, seconds)
        return known[key]

    monkeypatch.setattr(exact, "static_discounts", static_discounts)
    monkeypatch.setattr(exact, "wad", cache(exact.wad))


@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("preset", PRESETS)
def test_every_figure_is_within_the_bound(preset: str, time: int, measured: dict[str, Worst]) -> None:
    book = books()[time]
    market, model = spec_inputs(book.market, load_preset(preset))
    held, world = holdings(book), World(market, model)
    worst = Worst()
    for index, account in enumerate(margin_accounts(held, market, model)):
        worst.add(account, world.requirement(held[index]), held[index], f"account {index} at {market.time}")
    measured[preset].merge(worst)
    assert worst.accounts == SIZE
    assert worst.share <= 1, worst.where


def test_the_books_hold_every_kind_long_and_short() -> None:
    positions = [position for book in books() for account in book.accounts for position in account.positions]
    assert len(books()) == TIMES
    assert (
        len({(name.kind, quantity > 0) for name, quantity in positions}) == 9
    )  # spot collateral is never short
