"""What a campaign has met: cells and accounts counted by class, and the classes that none may lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from marginproof.spec import limits
from marginproof.spec.add_ons import add_ons
from marginproof.spec.black76 import MAX_TOTAL_VOL
from marginproof.spec.holdings import hold
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.logarithm import logarithm
from marginproof.spec.margin import Margin, columns, initial_factor
from marginproof.spec.market import ExpiryMarket, MarketSnapshot
from marginproof.spec.model import Charge, ModelSection, Scenario, VolKind
from marginproof.spec.model_fields import FIELDS
from marginproof.spec.portfolio import Position
from marginproof.spec.scenario import Expiry, prepare_expiry, prepare_shock, shocked_vol

from .draws import SECONDS, WAD, World

TINY_VOL: Final = 1 << 40
"""Total volatility below 2^-18, Q58."""
HUGE_VOL: Final = 4 << 58
"""Total volatility of 4: 400% for a year."""
DEEP: Final = 3 << 64
"""abs(ln(strike/forward)), Q64: a factor of 20."""

ADD_ONS: Final = frozenset(("nakedShortOptions", "perpetuals", "futures", "collateralHaircut", "confidence"))
CELL_CLASSES: Final = frozenset(
    {f"{seconds} s to expiry" for seconds in SECONDS}
    | {f"scenario {kind.name}" for kind in VolKind}
    | {f"{field.name} {end}" for field in FIELDS for end in ("at its least", "at its greatest")}
    | {"volatility 0", "volatility 0 at the forward", "volatility tiny", "volatility huge"}
    | {"volatility moved to the cap", "volatility moved to nothing"}
    | {"strike at the forward", "strike beside the forward", "strike deep"}
    | {"strike about 9 volatilities away", "strike just below 32 volatilities away"}
    | {"strike least", "strike greatest", "forward least", "forward greatest"}
    | {"rate negative", "rate zero", "rate above 1", "within the averaging window"}
    | {"move least", "move greatest", "move by 1", "weight 0", "weight greatest"}
    | {"ADD least", "ADD greatest", "skew cap negative", "basis columns", "settled"}
    | {"1 scenario", "128 scenarios", "several underlyings"}
)
"""What the cells of a campaign include. Counted: cells of live options, but `settled`, which counts instruments."""
ACCOUNT_CLASSES: Final = frozenset(
    {f"{seconds} s to expiry" for seconds in SECONDS}
    | {f"worst {index.name}" for index in (*VolKind, *Charge)}
    | {f"add-on {name}" for name in ADD_ONS}
    | {f"holds {kind.name}" for kind in Kind}
    | {"empty", "128 positions", "quantity greatest", "quantity least", "holds settled"}
    | {"several underlyings", "worst has a twin", "peg gave way", "expiry confidence alone low"}
    | {"1 scenario", "128 scenarios"}
)
"""What the accounts of a campaign include."""
SCAN_CLASSES: Final = frozenset({"tie for the worst loss", "no loss anywhere", "loss of 0 is the worst"})
"""What only the specification's losses tell."""


def _ends(name: str, value: int, low: int, high: int, words: tuple[str, str]) -> Iterator[str]:
    if value in (low, high):
        yield f"{name} {words[value == high]}"


def _of_scenario(move: Scenario) -> Iterator[str]:
    yield f"scenario {move.kind.name}"
    ends = ("least", "greatest")
    yield from _ends("move", move.spot_wad, limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK, ends)
    if move.spot_wad == WAD:
        yield "move by 1"
    yield from _ends("weight", move.weight_wad, 0, limits.MAX_WEIGHT, ("0", "greatest"))
    yield from _ends("ADD", move.amount_wad, -limits.MAX_VOL_ADD, limits.MAX_VOL_ADD, ends)


def _of_section(section: ModelSection) -> Iterator[str]:
    for field, value in zip(FIELDS, section.values(), strict=True):
        yield from _ends(field.name, value, field.low, field.high, ("at its least", "at its greatest"))
    if section.linear_cap + section.linear_cap_slope < 0 < section.linear_cap:
        yield "skew cap negative"
    if Charge.BASIS in section.charges():
        yield "basis columns"
    if len(section.scenarios) in (1, limits.MAX_SCENARIOS):
        yield "1 scenario" if len(section.scenarios) == 1 else "128 scenarios"


def _of_quote(quote: ExpiryMarket, time: int, section: ModelSection) -> Iterator[str]:
    seconds = quote.expiry - time
    if seconds in SECONDS:
        yield f"{seconds} s to expiry"
    if seconds < section.averaging_seconds:
        yield "within the averaging window"
    if quote.rate_wad <= 0:
        yield "rate zero" if quote.rate_wad == 0 else "rate negative"
    if quote.rate_wad > WAD:
        yield "rate above 1"
    ends = ("least", "greatest")
    yield from _ends("forward", quote.forward_e8, limits.MIN_SPOT, limits.MAX_SPOT, ends)


def _of_strike(strike: int, quote: ExpiryMarket, vol: int) -> Iterator[str]:
    distance = strike - quote.forward_e8
    if abs(distance) < 2:
        yield "strike beside the forward" if distance else "strike at the forward"
    log_distance = abs(logarithm(strike) - logarithm(quote.forward_e8))
    if log_distance > DEEP:
        yield "strike deep"
    if 89 * vol < 10 * (log_distance >> 6) < 91 * vol:
        yield "strike about 9 volatilities away"
    if vol and (1 << 63) - vol // 2 <= (log_distance >> 6 << 58) // vol < 1 << 63:
        yield "strike just below 32 volatilities away"
    yield from _ends("strike", strike, limits.MIN_STRIKE, limits.MAX_STRIKE, ("least", "greatest"))
    if vol == 0:
        yield "volatility 0"
        if distance == 0:
            yield "volatility 0 at the forward"
    elif vol < TINY_VOL:
        yield "volatility tiny"
    elif vol >= HUGE_VOL:
        yield "volatility huge"


def _of_moved_vols(section: ModelSection, expiry: Expiry, greatest: int) -> Iterator[str]:
    for kind in {move.kind for move in section.scenarios} & {VolKind.UP, VolKind.DOWN}:
        shock = prepare_shock(section, expiry, Scenario(WAD, kind, WAD))
        moved = shocked_vol(greatest, shock, shock.multiplier)
        if moved == MAX_TOTAL_VOL:
            yield "volatility moved to the cap"
        if moved == 0 < greatest:
            yield "volatility moved to nothing"


def option_cells(drawn: World) -> int:
    """Cells of live options: what campaigns count, though they compare futures, perpetuals and settled instruments as well."""
    live = {(u.underlying, e.expiry) for u in drawn.market.underlyings for e in u.expiries}
    widths = {section.underlying: len(columns(section)) for section in drawn.model.sections}
    return sum(
        widths[i.underlying]
        for i in drawn.instruments
        if i.kind.is_option and (i.underlying, i.expiry) in live
    )


def cells_met(drawn: World) -> Counter[str]:
    """The classes of a world's cells, by number of cells."""
    met: Counter[str] = Counter()
    for part in drawn.market.underlyings:
        section = drawn.model.section(part.underlying)
        width = len(columns(section))
        strikes = drawn.table.strikes[part.underlying]
        per_column = 2 * len(strikes) * len(part.expiries)
        _count(met, _of_section(section), per_column * width)
        for move in section.scenarios:
            _count(met, _of_scenario(move), per_column)
        for quote in part.expiries:
            _count(met, _of_quote(quote, drawn.market.time, section), 2 * len(strikes) * width)
            prepared = prepare_expiry(quote, drawn.market.time, section)
            vols = [prepared.vol(strike, logarithm(strike)) for strike in strikes]
            for strike, vol in zip(strikes, vols, strict=True):
                _count(met, _of_strike(strike, quote, vol), 2 * width)
            _count(met, _of_moved_vols(section, prepared, max(vols)), 2)
        met["settled"] += len(part.settlements) * (1 + 2 * len(strikes))
    if len(drawn.market.underlyings) > 1:
        met["several underlyings"] += option_cells(drawn)
    return +met


def _count(met: Counter[str], classes: Iterable[str], times: int) -> None:
    for name in classes:
        met[name] += times


def account_met(drawn: World, positions: tuple[Position, ...], worst: bytes) -> set[str]:
    """The classes of one account; `worst` holds underlying and index of every worst scenario."""
    held = drawn.held(positions)
    met = {f"holds {instrument.kind.name}" for instrument, _ in held}
    sizes = {quantity for _, quantity in held}
    for sign, name in ((1, "quantity greatest"), (-1, "quantity least")):
        if sign * limits.MAX_QUANTITY in sizes:
            met.add(name)
    if len(held) in (0, limits.MAX_POSITIONS):
        met.add("128 positions" if held else "empty")
    if len(worst) > 2:
        met.add("several underlyings")
    for underlying, index in zip(worst[::2], worst[1::2], strict=True):
        mine = [
            (instrument, quantity) for instrument, quantity in held if instrument.underlying == underlying
        ]
        met |= _underlying_met(drawn.market, drawn.model.section(underlying), mine, index)
    return met


def _underlying_met(
    market: MarketSnapshot, section: ModelSection, held: list[tuple[Instrument, int]], index: int
) -> set[str]:
    quotes, count = market.underlying(section.underlying), len(section.scenarios)
    holdings = hold(held, quotes)
    met = {f"add-on {row.name}" for row in add_ons(holdings, section, quotes)}
    met |= {f"{expiry - market.time} s to expiry" for expiry in holdings.expiries} & ACCOUNT_CLASSES
    worst = section.scenarios[index].kind if index < count else section.charges()[index - count]
    met.add(f"worst {worst.name}")
    if index < count and section.scenarios.count(section.scenarios[index]) > 1:
        met.add("worst has a twin")
    if count in (1, limits.MAX_SCENARIOS):
        met.add("1 scenario" if count == 1 else "128 scenarios")
    if any(i.kind.is_dated and i.expiry <= market.time for i, _ in held):
        met.add("holds settled")
    if initial_factor(section, market.settlement_token_e8) > section.initial_factor:
        met.add("peg gave way")
    low = [quote for quote in quotes.expiries if quote.confidence_wad < section.confidence_threshold]
    if quotes.confidence_wad >= section.confidence_threshold and any(
        q.expiry in holdings.expiries for q in low
    ):
        met.add("expiry confidence alone low")
    return met


def scans_met(figures: Margin) -> set[str]:
    """The classes that the losses of one account fall into."""
    met = set()
    for scan in figures.scans:
        worst = scan.losses[scan.worst]
        if worst > 0 and scan.losses.count(worst) > 1:
            met.add("tie for the worst loss")
        if worst < 0:
            met.add("no loss anywhere")
        if worst == 0:
            met.add("loss of 0 is the worst")
    return met
