"""Values of options in every scenario, against floats in numpy, QuantLib and vollib."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from marginproof.engine import value
from marginproof.spec.instruments import Kind

from . import world
from .result import Result, interleaved, result
from .sizes import Sizes

SCENARIOS = 33
Floats = NDArray[np.float64]
NANOSECONDS = 1e9
MOST_NANOSECONDS = 200.0
FULL_OPTIONS = 2_000
"""Fewer options pay the fixed cost of a call, about a millisecond, with fewer cells."""


class FloatInputs:
    """Black-76 inputs of every option in every scenario, in floats: (options, scenarios), or (options, 1) where no scenario matters.

    What a peer is spared: the smile, the vol rules and the shocked forwards are worked out here, outside its time.
    """

    def __init__(self, options: int) -> None:
        columns = world.option_columns(options)
        scenarios = world.options_33().sections[0].scenarios
        quotes = {(s.underlying, e.expiry): e for s in world.market().underlyings for e in s.expiries}
        live = [quotes[i.underlying, i.expiry] for i in columns.instruments]
        self.years = np.array([(e.expiry - world.TIME) / world.YEAR for e in live])[:, None]
        self.rate = np.array([e.rate_wad / 1e18 for e in live])[:, None]
        self.discount = np.exp(-self.rate * self.years)
        spots = np.array([s.spot_wad / 1e18 for s in scenarios])
        vols = np.linspace(0.4, 0.9, len(scenarios))
        self.forward = np.array([e.forward_e8 / 1e8 for e in live])[:, None] * spots
        self.strike = columns.strike[:, None] / 1e8
        self.total_vol = np.sqrt(self.years) * vols
        self.sign = np.where(columns.kind == Kind.CALL, 1.0, -1.0)[:, None]

    def cells(self, *arrays: Floats) -> list[tuple[float, ...]]:
        """Cell by cell as Python floats, for libraries that take one option at a time."""
        spread = [np.broadcast_to(a, self.forward.shape).ravel().tolist() for a in arrays]
        return list(zip(*spread, strict=True))

    def numpy_prices(self) -> Floats:
        """All prices with vectorised floats."""
        d1 = np.log(self.forward / self.strike) / self.total_vol + 0.5 * self.total_vol
        d2 = d1 - self.total_vol
        inner = self.forward * ndtr(self.sign * d1) - self.strike * ndtr(self.sign * d2)
        return np.asarray(self.discount * self.sign * inner)


def quantlib_prices(inputs: FloatInputs, library: ModuleType) -> Callable[[], list[float]]:
    """All prices with QuantLib's blackFormula, one call each."""
    kinds = {1.0: library.Option.Call, -1.0: library.Option.Put}
    cells = inputs.cells(inputs.sign, inputs.strike, inputs.forward, inputs.total_vol, inputs.discount)
    ready = [(kinds[sign], *rest) for sign, *rest in cells]
    formula: Callable[..., float] = library.blackFormula
    return lambda: [formula(*cell) for cell in ready]


def vollib_prices(inputs: FloatInputs, library: ModuleType) -> Callable[[], list[float]]:
    """All prices with vollib's Black, one call each."""
    flags = {1.0: "c", -1.0: "p"}
    annual = inputs.total_vol / np.sqrt(inputs.years)
    cells = inputs.cells(inputs.sign, inputs.forward, inputs.strike, inputs.years, inputs.rate, annual)
    ready = [(flags[sign], *rest) for sign, *rest in cells]
    formula: Callable[..., float] = library.black
    return lambda: [formula(*cell) for cell in ready]


_SCALAR_PEERS: tuple[
    tuple[str, str, Callable[[FloatInputs, Any], Callable[[], list[float]]], float | None], ...
] = (
    ("QuantLib", "QuantLib", quantlib_prices, 0.5),
    ("vollib", "vollib.black", vollib_prices, None),
)


def bench_value(sizes: Sizes) -> list[Result]:
    """Nanoseconds a cell, one core, an option in a scenario being a cell: the whole of `engine.value` against bare Black-76 formulas."""
    columns = world.option_columns(sizes.options)
    market, model = world.market(), world.options_33()
    inputs = FloatInputs(sizes.options)
    expected = inputs.numpy_prices()
    works: list[Callable[[], object]] = [lambda: value(columns, market, model), inputs.numpy_prices]
    labels = ["numpy + scipy, floats"]
    limits: list[float | None] = [None]
    missing: list[tuple[str, float | None]] = []
    for name, module, prices, limit in _SCALAR_PEERS:
        library = _import(module)
        if library is None:
            missing.append((f"{name} (not installed: pip install -e '.[bench]')", limit))
            continue
        work = prices(inputs, library)
        _require_same(name, work(), expected)
        works.append(work)
        labels.append(name)
        limits.append(limit)
    per_cell = NANOSECONDS / (sizes.options * SCENARIOS)
    ours, *peers = (t * per_cell for t in interleaved(*works, one_core=True))
    name, unit = f"value {sizes.options:,} options x {SCENARIOS} scenarios", "ns a cell"
    most = MOST_NANOSECONDS if sizes.options >= FULL_OPTIONS else None
    labels += [label for label, _ in missing]
    limits += [limit for _, limit in missing]
    return [
        result(
            name,
            unit,
            ours,
            peer_name=label,
            peer=peer,
            most=most if label == labels[0] else None,
            most_ratio=limit,
        )
        for label, peer, limit in zip(labels, [*peers, *[None] * len(missing)], limits, strict=True)
    ]


def _import(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _require_same(name: str, prices: list[float], expected: Floats) -> None:
    """A peer that is given other work than the others would be measured for nothing."""
    for price, wanted in zip(prices, expected.ravel().tolist(), strict=True):
        if not math.isclose(price, wanted, rel_tol=1e-6, abs_tol=1e-6):
            raise AssertionError(f"{name} gives {price} for a cell that numpy gives {wanted}")
