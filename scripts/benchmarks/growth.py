"""How the time of an epoch grows with accounts, scenarios and positions, and its picture."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from marginproof.engine import value
from marginproof.engine.epoch import compute

from . import world
from .result import Result, interleaved, result
from .sizes import FULL, Sizes

MOST_EXPONENT = 1.05
"""Time ~ size^exponent, fitted over all sizes. One is proportional; the rest is for measuring."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Median seconds of a whole epoch on one core by size, and the exponent of the power law fitted to them."""

    name: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """Slope of the least-squares line through (log size, log seconds)."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.seconds), 1)[0])

    @property
    def steepest(self) -> float:
        """The greatest growth of time over growth of size, of all sizes and the next."""
        each = [taken / size for size, taken in zip(self.sizes, self.seconds, strict=True)]
        return max(after / before for before, after in itertools.pairwise(each))


def _epoch(instruments: int, accounts: int, positions: int, scenarios: int | None) -> Callable[[], object]:
    columns = world.venue_columns(instruments)
    model = world.options_33() if scenarios is None else world.with_scenarios(scenarios)
    book = world.spread_book(columns, accounts, positions).portfolios
    return lambda: compute(book, value(columns, world.market(), model)).root


def measure(sizes: Sizes) -> list[Curve]:
    """The three curves; sizes of one curve are measured in turn."""
    n, book = sizes.instruments, sizes.growth_book
    curves: tuple[tuple[str, tuple[int, ...], list[Callable[[], object]]], ...] = (
        ("accounts", sizes.growth_accounts, [_epoch(n, a, 10, None) for a in sizes.growth_accounts]),
        ("scenarios", sizes.growth_scenarios, [_epoch(n, book, 10, s) for s in sizes.growth_scenarios]),
        ("positions", sizes.growth_positions, [_epoch(n, book, p, None) for p in sizes.growth_positions]),
    )
    return [Curve(name, each, tuple(interleaved(*works, one_core=True))) for name, each, works in curves]


def bench_growth(sizes: Sizes, picture: Path) -> list[Result]:
    """The exponents, and the curves drawn to `picture`."""
    curves = measure(sizes)
    draw(curves, picture)
    is_full = sizes.growth_book >= FULL.growth_book
    found = []
    for curve in curves:
        found += [
            result(f"growth, {size:,} {curve.name}", "s", taken)
            for size, taken in zip(curve.sizes, curve.seconds, strict=True)
        ]
        name = f"growth with {curve.name}"
        found.append(result(name, "exponent", curve.exponent, most=MOST_EXPONENT if is_full else None))
        found.append(result(name, "steepest step, of proportional", curve.steepest))
    return found


def draw(curves: list[Curve], picture: Path) -> None:
    """One panel for each curve, both axes logarithmic, with the proportional line through the greatest size."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(curves), figsize=(10, 3.2), layout="constrained")
    for panel, curve in zip(panels, curves, strict=True):
        panel.loglog(curve.sizes, curve.seconds, "o-", color="#2458a6", label="epoch")
        proportional = [curve.seconds[-1] * size / curve.sizes[-1] for size in curve.sizes]
        panel.loglog(curve.sizes, proportional, "--", color="#999999", label="proportional")
        panel.set_xlabel(curve.name)
        panel.set_title(f"exponent {curve.exponent:.2f}", fontsize=10)
        panel.grid(visible=True, which="major", alpha=0.3)
    panels[0].set_ylabel("seconds, one core")
    panels[0].legend(frameon=False, fontsize=9)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110, metadata={"Software": None})
    plt.close(figure)
