"""The JSON documents that people write and read: market, model, portfolio. Decimals are strings, checked and
exact.
"""

from .base import Document, document_json, parse_document
from .convert import (
    market_from_spec,
    market_symbols,
    market_to_spec,
    model_to_spec,
    portfolio_to_spec,
    symbol_table,
)
from .decimals import E8_DIGITS, WAD_DIGITS, format_decimal, parse_decimal
from .instrument_names import (
    InstrumentName,
    format_expiry,
    format_instrument_name,
    parse_expiry,
    parse_instrument_name,
)
from .loading import load_market, load_model_file, load_portfolio, save_document
from .market_document import (
    MARKET_FORMAT,
    ExpiryEntry,
    FitStatistics,
    MarketDocument,
    SettlementEntry,
    SviSmile,
    UnderlyingEntry,
)
from .model_document import MODEL_FORMAT, ModelDocument, ModelEntry, ScenarioEntry, VolShocks
from .portfolio_document import PORTFOLIO_FORMAT, PortfolioDocument, PositionEntry

__all__ = [
    "E8_DIGITS",
    "MARKET_FORMAT",
    "MODEL_FORMAT",
    "PORTFOLIO_FORMAT",
    "WAD_DIGITS",
    "Document",
    "ExpiryEntry",
    "FitStatistics",
    "InstrumentName",
    "MarketDocument",
    "ModelDocument",
    "ModelEntry",
    "PortfolioDocument",
    "PositionEntry",
    "ScenarioEntry",
    "SettlementEntry",
    "SviSmile",
    "UnderlyingEntry",
    "VolShocks",
    "document_json",
    "format_decimal",
    "format_expiry",
    "format_instrument_name",
    "load_market",
    "load_model_file",
    "load_portfolio",
    "market_from_spec",
    "market_symbols",
    "market_to_spec",
    "model_to_spec",
    "parse_decimal",
    "parse_document",
    "parse_expiry",
    "parse_instrument_name",
    "portfolio_to_spec",
    "save_document",
    "symbol_table",
]
