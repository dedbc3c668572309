"""Recording what goes into the arithmetic of a module, to compare it with the table of bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

_SIZES: dict[str, Callable[..., int]] = {
    "mul_shift": lambda result, a, b, bits: abs(a * b),
    "floor_div": lambda result, numerator, denominator: abs(numerator),
    "square_root": lambda result, value: abs(value),
    "shocked_vol": lambda result, vol, shock, multiplier: vol * multiplier,
    "skew_multiplier": lambda result, k, cap, k_star: max(abs(k * cap), k_star << 62),
    "discounted_sum": lambda result, total, discounts: max(abs(total), abs(result)),
    "discounted": lambda result, price, discount: result,
}
"""What must fit the word, from a function's result and arguments."""


def _watch(monkeypatch: pytest.MonkeyPatch, name: str, seen: dict[str, int]) -> None:
    module_name, function_name = name.split(".")
    module = import_module(f"marginproof.spec.{module_name}")
    original, size = getattr(module, function_name), _SIZES[function_name]

    def recorded(*arguments: Any) -> Any:
        result = original(*arguments)
        seen[name] = max(seen[name], size(result, *arguments))
        return result

    monkeypatch.setattr(module, function_name, recorded)


def factors(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """The magnitude of every product, numerator or radicand of one function, `module.function`, in the order of its calls from now on."""
    seen: list[int] = []
    module_name, function_name = name.split(".")
    module = import_module(f"marginproof.spec.{module_name}")
    original = getattr(module, function_name)
    is_product = function_name in ("mul_shift", "power")

    def recorded(*arguments: int) -> Any:
        seen.append(abs(arguments[0] * arguments[1] if is_product else arguments[0]))
        return original(*arguments)

    monkeypatch.setattr(module, function_name, recorded)
    return seen


def watching(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> dict[str, int]:
    """The greatest magnitude in each function, `module.function`, of the specification from now on."""
    seen: dict[str, int] = defaultdict(int)
    for name in names:
        _watch(monkeypatch, name, seen)
    return seen
