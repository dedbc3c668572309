"""The contracts' rules about what margin allows, for saying beforehand what they will answer (docs/protocol.md, "Margin gate")."""

from __future__ import annotations

from dataclasses import dataclass

from marginproof.engine.explain import Explanation
from marginproof.spec.fixed_point import ceil_div, floor_div
from marginproof.spec.instruments import Kind
from marginproof.spec.typed_data import Leaf
from marginproof.spec.units import ONE_E8

MAX_COST_DIVISOR = 10
"""A change that only reduces risk may cost at most a tenth of the initial margin that it frees."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the gate lets a change pass, and the sentence that says why."""

    passes: bool
    reason: str


def cash_without_spot(account: Explanation) -> int:
    """Equity without spot collateral, E8: below zero the account owes cash that others own."""
    return account.equity_e8 - account.margin.spot_value


def judge(before: Explanation, after: Explanation) -> Verdict:
    """What the margin gate says of a change from one state of an account to another."""
    if any(line.instrument.kind == Kind.SPOT and line.quantity < 0 for line in after.positions):
        return Verdict(False, "spot collateral would be sold short")
    if after.initial_excess_e8 >= 0 and cash_without_spot(after) >= 0:
        return Verdict(True, "equity meets initial margin in every scenario")
    if _reduces_risk(before, after) and cash_without_spot(after) >= min(0, cash_without_spot(before)):
        return Verdict(True, "initial margin is not met, but the change only reduces risk")
    if after.initial_excess_e8 < 0:
        return Verdict(False, "equity would be below initial margin")
    return Verdict(False, "cash and portfolio value without spot collateral would be below zero")


def _reduces_risk(before: Explanation, after: Explanation) -> bool:
    """Initial margin does not rise, and equity pays at most a tenth of what is freed and does not fall relative to it."""
    freed = before.margin.initial - after.margin.initial
    if freed < 0:
        return False
    if before.equity_e8 <= 0:
        return after.equity_e8 >= before.equity_e8
    return (
        after.equity_e8 + freed // MAX_COST_DIVISOR >= before.equity_e8
        and after.equity_e8 * before.margin.initial >= before.equity_e8 * after.margin.initial
    )


def allowed_withdrawal(cash_e8: int, leaf: Leaf) -> int:
    """The most cash (E8) that an account may withdraw on its leaf, at least 0."""
    equity = cash_e8 + leaf.portfolio_value
    return max(0, min(equity - leaf.initial_margin, equity - leaf.spot_value))


def buyer_pays(quantity_e8: int, price_e8: int) -> int:
    """Cash (E8) that leaves the buyer: quantity x price, rounded up."""
    return ceil_div(quantity_e8 * price_e8, ONE_E8)


def seller_receives(quantity_e8: int, price_e8: int) -> int:
    """Cash (E8) that reaches the seller: quantity x price, rounded down."""
    return floor_div(quantity_e8 * price_e8, ONE_E8)
