"""Between documents, which name underlyings by symbol, and the specification, which numbers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import InputError
from ..spec.errors import SpecError
from ..spec.limits import MAX_UNDERLYING_ID
from ..spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket, check_market
from ..spec.svi import Svi
from ..spec.units import ONE_WAD
from .base import SYMBOL_PATTERN, SYMBOL_REGEX
from .decimals import show
from .market_document import (
    MARKET_FORMAT,
    ExpiryBase,
    ExpiryEntry,
    MarketBase,
    MarketDocument,
    SettlementEntry,
    SviSmile,
    UnderlyingBase,
    UnderlyingEntry,
)


class HasUnderlyings(Protocol):
    """A market document of either form."""

    @property
    def underlyings(self) -> Sequence[UnderlyingBase]:
        """Its underlyings."""


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


def market_symbols(document: HasUnderlyings) -> dict[str, int]:
    """`symbol_table` of a market document's underlyings."""
    return symbol_table(entry.symbol for entry in document.underlyings)


def market_to_spec(document: MarketDocument, symbols: Mapping[str, int]) -> MarketSnapshot:
    """The snapshot of the specification: underlyings sorted by id, settlements and expiries by time.

    `symbols` gives each underlying's id. InputError for a symbol without id, and for whatever the
    specification refuses.
    """
    require_symbols((entry.symbol for entry in document.underlyings), symbols)
    return snapshot(
        document,
        [
            underlying_to_spec(
                entry,
                symbols[entry.symbol],
                [expiry_to_spec(item, item.svi.spec()) for item in entry.expiries],
            )
            for entry in document.underlyings
        ],
    )


def require_symbols(used: Iterable[str], symbols: Mapping[str, int]) -> None:
    """Refuse symbols without an id. Error: InputError."""
    unknown = [symbol for symbol in used if symbol not in symbols]
    if unknown:
        raise InputError(
            f"underlyings: unknown symbol {', '.join(unknown)}; allowed: "
            f"{', '.join(sorted(symbols)) or 'none'}"
        )


def snapshot(head: MarketBase, sections: Iterable[UnderlyingMarket]) -> MarketSnapshot:
    """A document's sections, in any order, as a checked snapshot. Error: InputError for whatever the specification refuses."""
    market = MarketSnapshot(
        head.time,
        head.settlement_token_e8,
        tuple(sorted(sections, key=lambda section: section.underlying)),
    )
    try:
        check_market(market)
    except SpecError as error:
        raise InputError(f"the market is refused: {error}") from None
    return market


def expiry_to_spec(item: ExpiryBase, smile: Svi) -> ExpiryMarket:
    """A live expiry with its smile; full confidence when none is given."""
    confidence = ONE_WAD if item.confidence_wad is None else item.confidence_wad
    return ExpiryMarket(item.expiry, item.forward_e8, item.rate_wad, smile, confidence)


def underlying_to_spec(
    entry: UnderlyingBase, underlying: int, expiries: Iterable[ExpiryMarket]
) -> UnderlyingMarket:
    """A section; the perpetual's price is the spot price when none is given."""
    settlements = sorted(entry.settlements, key=lambda item: item.expiry)
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=entry.spot_e8,
        perpetual_e8=entry.spot_e8 if entry.perpetual_e8 is None else entry.perpetual_e8,
        confidence_wad=entry.confidence_wad,
        funding_e8=entry.funding_e8,
        settlements=tuple(Settlement(item.expiry, item.price_e8) for item in settlements),
        expiries=tuple(sorted(expiries, key=lambda item: item.expiry)),
    )


def market_from_spec(snapshot: MarketSnapshot, symbols: Mapping[str, int], source: str) -> MarketDocument:
    """The document of a snapshot, without fit statistics; a perpetual at the spot price and full confidence in an expiry are left
    out. InputError when an underlying has no symbol."""
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
        perpetual_e8=None if section.perpetual_e8 == section.spot_e8 else section.perpetual_e8,
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
                confidence_wad=None if item.confidence_wad == ONE_WAD else item.confidence_wad,
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
