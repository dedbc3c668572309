"""The JSON documents that people write and read: market, model, portfolio, trades. Decimals are strings, checked and
exact.
"""

from .base import Document, document_json, parse_document
from .convert import market_from_spec, market_symbols, market_to_spec, symbol_table
from .decimals import E8_DIGITS, WAD_DIGITS, Rounding, format_decimal, parse_decimal
from .index_words import CHARGE_NAMES, charge_words, index_words, scenario_words
from .instrument_names import (
    InstrumentName,
    format_expiry,
    format_instrument_name,
    parse_expiry,
    parse_instrument_name,
)
from .loading import (
    load_market,
    load_model_file,
    load_portfolio,
    load_trades,
    load_what_if_market,
    save_document,
)
from .market_document import (
    MARKET_FORMAT,
    ExpiryEntry,
    FitStatistics,
    MarketDocument,
    SettlementEntry,
    SviSmile,
    UnderlyingEntry,
)
from .model_convert import model_section, model_to_spec
from .model_document import MODEL_FORMAT, ModelDocument, ModelEntry, ScenarioEntry
from .portfolio_convert import portfolio_to_spec, trades_to_spec
from .portfolio_document import PORTFOLIO_FORMAT, PortfolioDocument, PositionEntry
from .trades_document import TRADES_FORMAT, TradeEntry, TradesDocument
from .what_if_market import WhatIfExpiryEntry, WhatIfMarketDocument, what_if_market_to_spec

__all__ = [
    "CHARGE_NAMES",
    "E8_DIGITS",
    "MARKET_FORMAT",
    "MODEL_FORMAT",
    "PORTFOLIO_FORMAT",
    "TRADES_FORMAT",
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
    "Rounding",
    "ScenarioEntry",
    "SettlementEntry",
    "SviSmile",
    "TradeEntry",
    "TradesDocument",
    "UnderlyingEntry",
    "WhatIfExpiryEntry",
    "WhatIfMarketDocument",
    "charge_words",
    "document_json",
    "format_decimal",
    "format_expiry",
    "format_instrument_name",
    "index_words",
    "load_market",
    "load_model_file",
    "load_portfolio",
    "load_trades",
    "load_what_if_market",
    "market_from_spec",
    "market_symbols",
    "market_to_spec",
    "model_section",
    "model_to_spec",
    "parse_decimal",
    "parse_document",
    "parse_expiry",
    "parse_instrument_name",
    "portfolio_to_spec",
    "save_document",
    "scenario_words",
    "symbol_table",
    "trades_to_spec",
    "what_if_market_to_spec",
]
