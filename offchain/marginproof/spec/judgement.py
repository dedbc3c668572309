"""What a leaf or ticket is shown to be by recomputing its figures: the judgement of disputes (libraries/Judgement.sol).

Choices are two bytes per held underlying, in order: underlying, index of a scenario or charge. No choices stand for all scenarios. A leaf
that is right passes for all choices. One that is wrong is shown to be so by the right choices, and by a difference in a money figure, E8:

- values have to be equal;
- at any choices requirements may not be above the leaf's; at the leaf's own worst scenarios they may not be below them, either. But where
  both are, its index may be all that is wrong: that is no difference;
- no index of an underlying may have a greater loss than the leaf's, none below it an equal one: that is no difference, either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .errors import SpecError
from .hashing import keccak
from .instruments import InstrumentTable
from .margin import Margin, margin, requirement, value_table
from .market import MarketSnapshot, decode_market, market_hash
from .model import Model
from .portfolio import decode_portfolio
from .typed_data import Leaf

UNPRICED: Final = 2**256 - 1
"""The difference where market, model or registry lack something held: there are no figures, so any are made up."""
_UNPRICED: Final = {"MissingExpiry", "MissingUnderlying", "MissingModelSection", "UnknownInstrument"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Money figures of a portfolio, E8."""

    value: int
    spot_value: int
    initial: int
    maintenance: int


def worst_choices(figures: Margin) -> bytes:
    """The worst scenarios."""
    return b"".join(bytes((scan.underlying, scan.worst)) for scan in figures.scans)


def figures_at(figures: Margin, model: Model, choices: bytes) -> Figures:
    """What one repricing gives. Errors: `WrongChoices(choices)` unless they name each held underlying once, in order;
    `ScenarioOutOfRange(index, count)`."""
    if choices[::2] != bytes(scan.underlying for scan in figures.scans) or len(choices) % 2:
        raise SpecError("WrongChoices", choices="0x" + choices.hex())
    initial, maintenance = [], []
    for scan, index in zip(figures.scans, choices[1::2], strict=True):
        if index >= len(scan.losses):
            raise SpecError("ScenarioOutOfRange", index=index, count=len(scan.losses))
        loss = max(0, scan.losses[index])
        initial.append((scan.initial_factor, loss, sum(a.initial for a in scan.add_ons)))
        factor = model.section(scan.underlying).maintenance_factor
        maintenance.append((factor, loss, sum(a.maintenance for a in scan.add_ons)))
    return Figures(figures.value, figures.spot_value, requirement(initial), requirement(maintenance))


def shortfall(leaf: Leaf, found: Figures) -> int:
    """The greatest of how far the values are off, and how far the requirements are below those found; at least 0."""
    return max(
        abs(leaf.portfolio_value - found.value),
        abs(leaf.spot_value - found.spot_value),
        found.initial - leaf.initial_margin,
        found.maintenance - leaf.maintenance_margin,
    )


def excess(leaf: Leaf, found: Figures) -> tuple[int, int]:
    """How far both requirements are above those found; at least 0."""
    return max(0, leaf.initial_margin - found.initial), max(0, leaf.maintenance_margin - found.maintenance)


def compare(leaf: Leaf, found: Figures, at_own: bool) -> tuple[bool, int]:
    """Whether one repricing shows a leaf wrong, and by how much; `at_own`: at its own worst scenarios."""
    difference = shortfall(leaf, found)
    above = excess(leaf, found) if at_own else (0, 0)
    if not all(above):
        difference = max(difference, *above)
    return difference != 0 or any(above), difference


def compare_in_full(leaf: Leaf, figures: Margin) -> tuple[bool, int]:
    """The same over all scenarios."""
    found = Figures(figures.value, figures.spot_value, figures.initial, figures.maintenance)
    difference = max(shortfall(leaf, found), *excess(leaf, found))
    return difference != 0 or leaf.worst_scenarios != worst_choices(figures), difference


def is_worse(leaf: Leaf, figures: Margin, choices: bytes) -> bool:
    """Whether choices have a greater loss than the leaf's worst scenarios somewhere, or an equal one at a lower index."""
    for i, scan in enumerate(figures.scans):
        chosen, own = choices[2 * i + 1], leaf.worst_scenarios[2 * i + 1]
        if scan.losses[chosen] > scan.losses[own] or (
            scan.losses[chosen] == scan.losses[own] and chosen < own
        ):
            return True
    return False


def judge(
    leaf: Leaf,
    committed_market: bytes,
    portfolio: bytes,
    market: bytes,
    choices: bytes,
    model: Model,
    table: InstrumentTable,
) -> int:
    """By how much a leaf of an epoch with this market hash is shown wrong, E8.

    Errors: `LeafIsRight(account, choices)`; `WrongPortfolioBytes` and `WrongMarketBytes(given, expected)`; those of a portfolio's and a
    market's bytes; `WrongChoices`, `ScenarioOutOfRange`, for the choices given.
    """
    _require_hash("WrongPortfolioBytes", keccak(portfolio), leaf.portfolio_hash)
    snapshot = decode_market(market)
    _require_hash("WrongMarketBytes", market_hash(snapshot), committed_market)
    figures = _figures(portfolio, snapshot, model, table)
    if figures is None:
        return UNPRICED
    is_wrong, difference = _shown(leaf, figures, model, choices)
    if not is_wrong:
        raise SpecError("LeafIsRight", account=leaf.account, choices="0x" + choices.hex())
    return difference


def _shown(leaf: Leaf, figures: Margin, model: Model, choices: bytes) -> tuple[bool, int]:
    own = leaf.worst_scenarios
    if not choices:
        return compare_in_full(leaf, figures)
    if choices != own:
        shown = compare(leaf, figures_at(figures, model, choices), False)
        if shown[0]:
            return shown
    # From here on it is the leaf that has to name scenarios that there are.
    try:
        at_own = figures_at(figures, model, own)
    except SpecError:
        return True, 0
    if choices != own and is_worse(leaf, figures, choices):
        return True, 0
    return compare(leaf, at_own, True)


def _figures(portfolio: bytes, market: MarketSnapshot, model: Model, table: InstrumentTable) -> Margin | None:
    positions = decode_portfolio(portfolio)
    try:
        held = [(table.resolve(p.instrument), p.quantity) for p in positions]
        return margin(held, value_table(market, model))
    except SpecError as error:
        if error.name in _UNPRICED:
            return None
        raise


def _require_hash(name: str, given: bytes, expected: bytes) -> None:
    if given != expected:
        raise SpecError(name, given="0x" + given.hex(), expected="0x" + expected.hex())


def commitment(claimant: bytes, kind: int, round_number: int, subject: bytes, salt: bytes) -> bytes:
    """What a claimant commits to before a dispute: of 20, 32 and 32 bytes."""
    what = keccak(kind.to_bytes(32, "big") + round_number.to_bytes(32, "big") + subject)
    return keccak(claimant.rjust(32, b"\0") + what + salt)
