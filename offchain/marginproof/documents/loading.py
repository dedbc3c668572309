"""Reading and writing document files."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

from ..errors import InputError
from ..files import write_text
from .base import Document, document_json, parse_document
from .market_document import MarketDocument
from .model_document import ModelDocument
from .portfolio_document import PortfolioDocument

MAX_FILE_BYTES: Final = 16 * 2**20

DocumentType = TypeVar("DocumentType", bound=Document)


def load_market(path: Path | str) -> MarketDocument:
    """Read and check a market file. InputError names file, field, value and what is allowed."""
    return _load(MarketDocument, Path(path))


def load_model_file(path: Path | str) -> ModelDocument:
    """Read and check a model file; errors as `load_market`. Presets by name:
    `marginproof.models.load_model`.
    """
    return _load(ModelDocument, Path(path))


def load_portfolio(path: Path | str) -> PortfolioDocument:
    """Read and check a portfolio file; errors as `load_market`."""
    return _load(PortfolioDocument, Path(path))


def save_document(document: Document, path: Path | str) -> None:
    """Write a document as JSON, whole or not at all."""
    write_text(Path(path), document_json(document))


def _load(kind: type[DocumentType], path: Path) -> DocumentType:
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
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None
    return parse_document(kind, text, str(path))
