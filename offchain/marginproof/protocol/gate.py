"""The contracts' rules about what margin allows, for saying beforehand what they will answer (docs/protocol.md, "Margin gate")."""

from __future__ import annotations

from dataclasses import dataclass

from marginproof.engine.explain import Explanation
from marginproof.spec.fixed_point import ceil_div, floor_div
from marginproof.spec.instruments import Kind
from marginproof.spec.typed_data import Leaf
from marginproof.spec.units import ONE_E8


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
    reduces = (
        after.margin.initial <= before.margin.initial
        and after.initial_excess_e8 >= before.initial_excess_e8
        and cash_without_spot(after) >= min(0, cash_without_spot(before))
    )
    if reduces:
        return Verdict(True, "initial margin is not met, but the change only reduces risk")
    if after.initial_excess_e8 < 0:
        return Verdict(False, "equity would be below initial margin")
    return Verdict(False, "cash and portfolio value without spot collateral would be below zero")


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
