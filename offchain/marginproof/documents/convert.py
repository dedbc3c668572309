"""Between documents, which name underlyings by symbol, and the specification, which numbers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ..errors import InputError
from ..spec.errors import SpecError
from ..spec.instruments import Instrument, Kind
from ..spec.limits import MAX_UNDERLYING_ID
from ..spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket, check_market
from ..spec.model import Model, ModelSection, Scenario, VolKind, check_model
from ..spec.svi import Svi
from .base import SYMBOL_PATTERN, SYMBOL_REGEX
from .decimals import E8_DIGITS, format_decimal, show
from .instrument_names import format_expiry
from .market_document import (
    MARKET_FORMAT,
    ExpiryEntry,
    MarketDocument,
    SettlementEntry,
    SviSmile,
    UnderlyingEntry,
)
from .model_document import ModelDocument, ModelEntry
from .portfolio_document import PortfolioDocument, PositionEntry

_VOL_KINDS: Final = {"none": VolKind.NONE, "up": VolKind.UP, "down": VolKind.DOWN}


def symbol_table(symbols: Iterable[str]) -> dict[str, int]:
    """Ids for files that belong to no venue: the symbols in alphabetical order are 1, 2, ...

    On a chain the venue's registry assigns the ids instead. InputError for a malformed symbol or too many.
    """
    table = {symbol: index for index, symbol in enumerate(sorted(set(symbols)), 1)}
    for symbol in table:
        if not SYMBOL_REGEX.fullmatch(symbol):
            raise InputError(f"symbol {show(symbol)} is not accepted; allowed: {SYMBOL_PATTERN}")
    if len(table) > MAX_UNDERLYING_ID:
        raise InputError(f"{len(table)} symbols; allowed: at most {MAX_UNDERLYING_ID}")
    return table


def market_symbols(document: MarketDocument) -> dict[str, int]:
    """`symbol_table` of a market document's underlyings."""
    return symbol_table(entry.symbol for entry in document.underlyings)


def market_to_spec(document: MarketDocument, symbols: Mapping[str, int]) -> MarketSnapshot:
    """The snapshot of the specification: underlyings sorted by id, settlements and expiries by time.

    `symbols` gives each underlying's id. InputError for a symbol without id, and for whatever the
    specification refuses.
    """
    unknown = [entry.symbol for entry in document.underlyings if entry.symbol not in symbols]
    if unknown:
        raise InputError(
            f"underlyings: unknown symbol {', '.join(unknown)}; allowed: "
            f"{', '.join(sorted(symbols)) or 'none'}"
        )
    sections = [_section(entry, symbols[entry.symbol]) for entry in document.underlyings]
    snapshot = MarketSnapshot(
        document.time,
        document.settlement_token_e8,
        tuple(sorted(sections, key=lambda section: section.underlying)),
    )
    try:
        check_market(snapshot)
    except SpecError as error:
        raise InputError(f"the market is refused: {error}") from None
    return snapshot


def _section(entry: UnderlyingEntry, underlying: int) -> UnderlyingMarket:
    settlements = sorted(entry.settlements, key=lambda item: item.expiry)
    expiries = sorted(entry.expiries, key=lambda item: item.expiry)
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=entry.spot_e8,
        confidence_wad=entry.confidence_wad,
        funding_e8=entry.funding_e8,
        settlements=tuple(Settlement(item.expiry, item.price_e8) for item in settlements),
        expiries=tuple(
            ExpiryMarket(
                item.expiry,
                item.forward_e8,
                item.rate_wad,
                Svi(item.svi.a_wad, item.svi.b_wad, item.svi.rho_wad, item.svi.m_wad, item.svi.sigma_wad),
            )
            for item in expiries
        ),
    )


def market_from_spec(snapshot: MarketSnapshot, symbols: Mapping[str, int], source: str) -> MarketDocument:
    """The document of a snapshot, without fit statistics. InputError when an underlying has no symbol."""
    names = {underlying: symbol for symbol, underlying in symbols.items()}
    missing = [section.underlying for section in snapshot.underlyings if section.underlying not in names]
    if missing:
        raise InputError(f"underlying id {missing[0]} has no symbol; known ids: {sorted(names)}")
    return MarketDocument(
        format=MARKET_FORMAT,
        time=snapshot.time,
        settlement_token_e8=snapshot.settlement_token_e8,
        source=source,
        underlyings=tuple(_entry(section, names[section.underlying]) for section in snapshot.underlyings),
    )


def _entry(section: UnderlyingMarket, symbol: str) -> UnderlyingEntry:
    return UnderlyingEntry(
        symbol=symbol,
        spot_e8=section.spot_e8,
        confidence_wad=section.confidence_wad,
        funding_e8=section.funding_e8,
        settlements=tuple(
            SettlementEntry(expiry=item.expiry, price_e8=item.price_e8) for item in section.settlements
        ),
        expiries=tuple(
            ExpiryEntry(
                expiry=item.expiry,
                forward_e8=item.forward_e8,
                rate_wad=item.rate_wad,
                svi=SviSmile(
                    a_wad=item.svi.a,
                    b_wad=item.svi.b,
                    rho_wad=item.svi.rho,
                    m_wad=item.svi.m,
                    sigma_wad=item.svi.sigma,
                ),
            )
            for item in section.expiries
        ),
    )


def model_to_spec(document: ModelDocument, symbols: Mapping[str, int]) -> Model:
    """The model of the specification, one section per symbol in `symbols`, sorted by id.

    A symbol's own entry under `underlyings` is taken whole, else `default`. Entries for symbols outside
    `symbols` have no section: a model may know more underlyings than a venue lists. InputError for whatever
    the specification refuses.
    """
    sections = [
        _model_section(document.underlyings.get(symbol, document.default), underlying)
        for symbol, underlying in symbols.items()
    ]
    model = Model(tuple(sorted(sections, key=lambda section: section.underlying)))
    try:
        check_model(model)
    except SpecError as error:
        raise InputError(f"the model {document.name} is refused: {error}") from None
    return model


def _model_section(entry: ModelEntry, underlying: int) -> ModelSection:
    return ModelSection(
        underlying=underlying,
        initial_factor_wad=entry.initial_factor_wad,
        maintenance_factor_wad=entry.maintenance_factor_wad,
        vol_up_wad=entry.vol.up_wad,
        vol_down_wad=entry.vol.down_wad,
        min_vol_up_wad=entry.vol.minimum_up_wad,
        power_short_wad=entry.vol.short_power_wad,
        power_long_wad=entry.vol.long_power_wad,
        floor_seconds=entry.vol.floor_seconds,
        scenarios=tuple(
            Scenario(item.spot_wad, _VOL_KINDS[item.vol], item.weight_wad) for item in entry.scenarios
        ),
    )


def portfolio_to_spec(
    document: PortfolioDocument,
    symbols: Mapping[str, int],
    market: MarketDocument | None = None,
    *,
    origin: str = "portfolio",
) -> tuple[int, list[tuple[Instrument, int]]]:
    """Cash (E8) and the positions as (instrument, quantity E8), in the document's order.

    `origin` (a file name) starts the message of the InputError, which lists every position whose symbol is not in
    `symbols`, or, given the market, whose underlying or expiry has no price there, and spot collateral held short,
    which the ledger refuses as well.
    """
    problems = []
    positions = []
    for index, position in enumerate(document.positions):
        try:
            if market is not None:
                _require_price(position, market)
            positions.append((position.name.instrument(symbols), position.quantity_e8))
        except InputError as error:
            problems.append(f"\n  positions[{index}].instrument: {error.message}")
        if position.name.kind == Kind.SPOT and position.quantity_e8 < 0:
            quantity = show(format_decimal(position.quantity_e8, E8_DIGITS))
            problems.append(
                f"\n  positions[{index}].quantity: {quantity} of {position.instrument}: spot collateral cannot be "
                "sold short; allowed: above 0"
            )
    if problems:
        raise InputError(
            f"{origin}: {len(problems)} problem{'s' if len(problems) > 1 else ''}{''.join(problems)}"
        )
    return document.cash_e8, positions


def _require_price(position: PositionEntry, market: MarketDocument) -> None:
    name = position.name
    entry = next((item for item in market.underlyings if item.symbol == name.symbol), None)
    if entry is None:
        known = ", ".join(sorted(item.symbol for item in market.underlyings))
        raise InputError(
            f"{position.instrument!r}: underlying {name.symbol} is not in the market; allowed: {known}"
        )
    expiries = {item.expiry for item in entry.expiries} | {item.expiry for item in entry.settlements}
    if name.kind not in (Kind.SPOT, Kind.PERPETUAL) and name.expiry not in expiries:
        known = ", ".join(format_expiry(expiry) for expiry in sorted(expiries)) or "none"
        raise InputError(
            f"{position.instrument!r}: expiry {format_expiry(name.expiry)} of {name.symbol} is not in "
            f"the market; allowed: {known}"
        )
