"""A market for what-if runs from files: volatilities may be given per strike. Same format name, a wider form, never committed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from ..spec import limits
from ..spec.instruments import Instrument, Kind
from ..spec.market import MarketSnapshot
from ..spec.scenario import MAX_GIVEN_VOL, Vols
from ..spec.svi import Svi
from .base import inconsistent
from .convert import expiry_to_spec, require_symbols, snapshot, underlying_to_spec
from .decimals import E8_DIGITS, WAD_DIGITS, ScaledDecimal, format_decimal
from .instrument_names import parse_strike
from .market_document import ExpiryBase, FitStatistics, MarketBase, SviSmile, UnderlyingBase, require_fitting

_UNUSED: Final = Svi(0, 0, 0, 0, limits.MIN_SVI_SIGMA)
"""Stands where an expiry has no smile: no strike that is held reads it."""


def _strike(text: str) -> str:
    try:
        parse_strike(text)
    except ValueError as problem:
        raise inconsistent(str(problem)) from None
    return text


class WhatIfExpiryEntry(ExpiryBase):
    """One live expiry: forward, rate, confidence (absent: 1), and a smile, volatilities per strike, or both."""

    svi: SviSmile | None = None
    vols: Annotated[
        dict[
            Annotated[str, AfterValidator(_strike)],
            Annotated[
                int, ScaledDecimal(WAD_DIGITS, 0, MAX_GIVEN_VOL, "Volatility, annualised; 0.5 is 50 %.")
            ],
        ],
        Field(description="Volatility by strike (USD, as text). It replaces the smile at that strike."),
    ] = Field(default_factory=dict)
    fit: FitStatistics | None = None

    @model_validator(mode="after")
    def _strikes_differ(self) -> Self:
        seen: dict[int, str] = {}
        for text in self.vols:
            strike = parse_strike(text)
            if strike in seen:
                raise inconsistent(f"vols: strike {text!r} is strike {seen[strike]!r} again; allowed: once")
            seen[strike] = text
        return self

    def vols_by_strike(self) -> dict[int, int]:
        """Volatility (WAD) by strike (E8)."""
        return {parse_strike(text): vol for text, vol in self.vols.items()}


class WhatIfUnderlyingEntry(UnderlyingBase):
    """One underlying: spot, perpetual, confidence, funding, settlement prices, live expiries."""

    expiries: Annotated[tuple[WhatIfExpiryEntry, ...], Field(max_length=limits.MAX_EXPIRIES)]


class WhatIfMarketDocument(MarketBase):
    """A market snapshot for what-if runs from files: as a market document, but volatilities may be given per strike."""

    underlyings: Annotated[
        tuple[WhatIfUnderlyingEntry, ...], Field(min_length=1, max_length=limits.MAX_UNDERLYINGS)
    ]

    @model_validator(mode="after")
    def _entries_fit_together(self) -> Self:
        require_fitting(self.time, [(entry, entry.expiries) for entry in self.underlyings])
        return self


def what_if_market_to_spec(
    document: WhatIfMarketDocument, symbols: Mapping[str, int]
) -> tuple[MarketSnapshot, Vols]:
    """The snapshot, and the volatilities per strike keyed by call. Errors as `market_to_spec`.

    Whether every strike held has a volatility is checked with the portfolio, by `portfolio_to_spec`.
    """
    require_symbols((entry.symbol for entry in document.underlyings), symbols)
    sections = []
    vols: dict[Instrument, int] = {}
    for entry in document.underlyings:
        underlying = symbols[entry.symbol]
        quotes = [
            expiry_to_spec(item, _UNUSED if item.svi is None else item.svi.spec()) for item in entry.expiries
        ]
        sections.append(underlying_to_spec(entry, underlying, quotes))
        for item in entry.expiries:
            for strike, vol in item.vols_by_strike().items():
                vols[Instrument(underlying, Kind.CALL, item.expiry, strike)] = vol
    return snapshot(document, sections), vols


def missing_vol(document: WhatIfMarketDocument, symbol: str, expiry: int, strike_e8: int) -> str | None:
    """Why an option cannot be priced, in words: its expiry has no smile and its strike no volatility. None when it can be."""
    for entry in document.underlyings:
        for item in entry.expiries if entry.symbol == symbol else ():
            if item.expiry == expiry and item.svi is None and strike_e8 not in item.vols_by_strike():
                known = ", ".join(item.vols) or "none"
                return (
                    f"strike {format_decimal(strike_e8, E8_DIGITS)} has no volatility: the expiry has no svi, and vols has strikes "
                    f"{known}; give one of the two"
                )
    return None
