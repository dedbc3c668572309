"""Portfolios and trades as instruments and quantities of the specification, checked against what a market prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import InputError
from ..spec.instruments import Instrument, Kind
from .decimals import E8_DIGITS, format_decimal, show
from .instrument_names import InstrumentName, format_expiry
from .market_document import MarketDocument
from .portfolio_document import PortfolioDocument
from .trades_document import TradeEntry
from .what_if_market import WhatIfMarketDocument, missing_vol

AnyMarket = MarketDocument | WhatIfMarketDocument


def portfolio_to_spec(
    document: PortfolioDocument,
    symbols: Mapping[str, int],
    market: AnyMarket | None = None,
    *,
    origin: str = "portfolio",
) -> tuple[int, list[tuple[Instrument, int]]]:
    """Cash (E8) and the positions as (instrument, quantity E8), in the document's order.

    `origin` (a file name) starts the message of the InputError, which lists every position whose symbol is not in
    `symbols`, or, given the market, whose underlying, expiry or volatility is not there, and spot collateral held short,
    which the ledger refuses as well.
    """
    problems = []
    positions = []
    for index, position in enumerate(document.positions):
        try:
            positions.append((priced(position.name, symbols, market), position.quantity_e8))
        except InputError as error:
            problems.append(f"positions[{index}].instrument: {error.message}")
        if position.name.kind == Kind.SPOT and position.quantity_e8 < 0:
            quantity = show(format_decimal(position.quantity_e8, E8_DIGITS))
            problems.append(
                f"positions[{index}].quantity: {quantity} of {position.instrument}: spot collateral cannot be "
                "sold short; allowed: above 0"
            )
    _refuse(origin, problems)
    return document.cash_e8, positions


def trades_to_spec(
    trades: Sequence[TradeEntry],
    symbols: Mapping[str, int],
    market: AnyMarket | None = None,
    *,
    origin: str = "trades",
) -> list[tuple[Instrument, int, int | None]]:
    """Trades as (instrument, quantity E8, price E8 or None), in order. Errors as `portfolio_to_spec`."""
    problems = []
    result = []
    for index, trade in enumerate(trades):
        try:
            result.append((priced(trade.name, symbols, market), trade.quantity_e8, trade.price_e8))
        except InputError as error:
            problems.append(f"trades[{index}].instrument: {error.message}")
    _refuse(origin, problems)
    return result


def _refuse(origin: str, problems: Sequence[str]) -> None:
    if problems:
        head = f"{origin}: {len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise InputError("\n  ".join([head, *problems]))


def priced(name: InstrumentName, symbols: Mapping[str, int], market: AnyMarket | None) -> Instrument:
    """The instrument of a name, which the market (if given) has to price. Error: InputError saying what is missing."""
    if market is not None:
        _require_price(name, market)
    return name.instrument(symbols)


def _require_price(name: InstrumentName, market: AnyMarket) -> None:
    entry = next((item for item in market.underlyings if item.symbol == name.symbol), None)
    if entry is None:
        known = ", ".join(sorted(item.symbol for item in market.underlyings))
        raise InputError(f"{str(name)!r}: underlying {name.symbol} is not in the market; allowed: {known}")
    expiries = {item.expiry for item in entry.expiries} | {item.expiry for item in entry.settlements}
    if name.kind.is_dated and name.expiry not in expiries:
        known = ", ".join(format_expiry(expiry) for expiry in sorted(expiries)) or "none"
        raise InputError(
            f"{str(name)!r}: expiry {format_expiry(name.expiry)} of {name.symbol} is not in "
            f"the market; allowed: {known}"
        )
    if isinstance(market, WhatIfMarketDocument) and name.kind.is_option:
        problem = missing_vol(market, name.symbol, name.expiry, name.strike_e8)
        if problem:
            raise InputError(f"{str(name)!r}: {problem}")
