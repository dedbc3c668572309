"""Reading and writing document files."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

from ..errors import InputError
from ..files import write_text
from .base import Document, document_json, parse_document
from .decimals import Rounding
from .market_document import MarketDocument
from .model_convert import require_ordered_factors
from .model_document import ModelDocument
from .portfolio_document import PortfolioDocument
from .trades_document import TradesDocument
from .what_if_market import WhatIfMarketDocument

MAX_FILE_BYTES: Final = 16 * 2**20

DocumentType = TypeVar("DocumentType", bound=Document)


def load_market(path: Path | str) -> MarketDocument:
    """Read and check a market file. InputError names file, field, value and what is allowed."""
    return _load(MarketDocument, Path(path))


def load_what_if_market(path: Path | str, rounding: Rounding | None = None) -> WhatIfMarketDocument:
    """Read and check a market file that may give volatilities per strike; errors as `load_market`.

    Here and below, `rounding` accepts figures with too many decimals, rounds them and remembers that it did.
    """
    return _load(WhatIfMarketDocument, Path(path), rounding)


def load_model_file(path: Path | str, rounding: Rounding | None = None) -> ModelDocument:
    """Read and check a model file, its factors too; errors as `load_market`. Presets by name:
    `marginproof.models.load_model`.
    """
    document = _load(ModelDocument, Path(path), rounding)
    require_ordered_factors(document, str(path))
    return document


def load_portfolio(path: Path | str, rounding: Rounding | None = None) -> PortfolioDocument:
    """Read and check a portfolio file; errors as `load_market`."""
    return _load(PortfolioDocument, Path(path), rounding)


def load_trades(path: Path | str, rounding: Rounding | None = None) -> TradesDocument:
    """Read and check a file of trades; errors as `load_market`."""
    return _load(TradesDocument, Path(path), rounding)


def save_document(document: Document, path: Path | str) -> None:
    """Write a document as JSON, whole or not at all."""
    write_text(Path(path), document_json(document))


def _load(kind: type[DocumentType], path: Path, rounding: Rounding | None = None) -> DocumentType:
    return parse_document(kind, read_text(path), str(path), rounding)


def read_text(path: Path) -> str:
    """The text of a document file. InputError for a path that is no file, an unreadable or too large one, and what is not UTF-8."""
    if path == Path():
        raise InputError("the file's path is empty or the current folder; name a file")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder, not a file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{path}: {len(data)} bytes; allowed: at most {MAX_FILE_BYTES}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None
