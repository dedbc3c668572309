"""Accounts of an epoch from a file: a JSON document for people, or numpy columns (.npz) for many."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from marginproof.cli.words import spec_sentence
from marginproof.documents import (
    MarketDocument,
    PortfolioDocument,
    format_instrument_name,
    parse_document,
    parse_instrument_name,
    portfolio_to_spec,
)
from marginproof.documents.base import Document
from marginproof.documents.loading import read_text
from marginproof.documents.portfolio_convert import priced
from marginproof.engine import Portfolios, columns_of, portfolio_columns
from marginproof.engine.columns import require_column
from marginproof.engine.instruments import InstrumentColumns, instrument_columns
from marginproof.engine.netting import resolve
from marginproof.errors import InputError
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.portfolio import Position

ACCOUNTS_FORMAT: Final = "marginproof/accounts@1"
COLUMNS: Final = ("offsets", "ids", "quantities", "instruments", "instrument_ids")
_MAX_SHOWN: Final = 20


class AccountsDocument(Document):
    """Portfolios in order of account id, the first one's being 0."""

    format: Literal["marginproof/accounts@1"]
    accounts: Annotated[tuple[PortfolioDocument, ...], Field(description="Portfolio documents.")]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Portfolios by account id, and the instruments that their ids name."""

    portfolios: Portfolios
    instruments: InstrumentColumns


def load_accounts(path: Path, market: MarketDocument, symbols: Mapping[str, int]) -> Accounts:
    """Read and check accounts that this market has to price. Errors: InputError naming file, place, value and what is allowed."""
    if path.suffix == ".npz" or _is_zip(path):
        return _from_columns(path, market, symbols)
    text = read_text(path)
    document = parse_document(AccountsDocument, text, str(path))
    return _from_document(document, path, market, symbols)


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(2) == b"PK"
    except (OSError, ValueError):
        return False  # Read as a document, which says why it cannot be read.


def _from_document(
    document: AccountsDocument, path: Path, market: MarketDocument, symbols: Mapping[str, int]
) -> Accounts:
    books = [
        portfolio_to_spec(entry, symbols, market, origin=f"{path}: accounts[{account}]")[1]
        for account, entry in enumerate(document.accounts)
    ]
    instruments = columns_of(instrument for book in books for instrument, _ in book)
    ids = dict(zip(instruments.instruments, instruments.ids.tolist(), strict=True))
    held = [sorted(Position(ids[i], quantity) for i, quantity in book) for book in books]
    return Accounts(portfolio_columns(held), instruments)


def _from_columns(path: Path, market: MarketDocument, symbols: Mapping[str, int]) -> Accounts:
    columns = _read_columns(path)
    try:
        portfolios = Portfolios(columns["offsets"], columns["ids"], columns["quantities"])
        numbers = require_column("instrument_ids", columns["instrument_ids"], np.uint32, (None,))
        names = columns["instruments"]
        if names.dtype.kind != "U" or names.shape != (len(numbers),) or not names.dtype.isnative:
            wanted = f"array of texts (numpy kind U), shape ({len(numbers)},), as many as instrument_ids"
            found = f"{names.dtype} array, shape {names.shape}"
            raise SpecError("BadColumn", column="instruments", wanted=wanted, found=found)
        listed = _parsed(names.tolist(), path, symbols)
        _require_grouped(listed, names.tolist(), path)
        instruments = instrument_columns(listed, numbers.tolist())
        rows = resolve(portfolios, instruments)
    except SpecError as error:
        _refuse(path, error)
    _require_priced(instruments, np.unique(rows).tolist(), path, market, symbols)
    short = np.flatnonzero((instruments.kind[rows] == Kind.SPOT) & (portfolios.quantities < 0))
    if len(short):
        account = int(np.searchsorted(portfolios.offsets, short[0], side="right")) - 1
        raise InputError(
            f"{path}: account {account}: {portfolios.quantities[short[0]]} (E8) of instrument id {portfolios.ids[short[0]]}: "
            "spot collateral cannot be sold short; allowed: above 0"
        )
    return Accounts(portfolios, instruments)


def _read_columns(path: Path) -> dict[str, NDArray[Any]]:
    try:
        if not path.exists():
            raise InputError(f"{path}: no such file")
        if path.is_dir():
            raise InputError(f"{path}: a folder, not a file")
        if not zipfile.is_zipfile(path):
            raise InputError(f"{path}: not an .npz file, or one that was cut off; write it with numpy.savez")
        with np.load(path, allow_pickle=False) as archive:
            found = sorted(archive.files)
            if found != sorted(COLUMNS):
                raise InputError(
                    f"{path}: arrays {', '.join(found)[:200] or 'none'}; allowed: exactly {', '.join(COLUMNS)}"
                )
            return {name: archive[name] for name in COLUMNS}
    except (
        OSError,
        ValueError,
        EOFError,
        NotImplementedError,
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            f"{path}: cannot be read as numpy columns ({str(error).splitlines()[0]:.200})"
        ) from None
    except MemoryError:
        raise InputError(f"{path}: an array claims to be larger than this machine's memory") from None


def _parsed(names: Sequence[str], path: Path, symbols: Mapping[str, int]) -> list[Instrument]:
    found, problems = [], []
    for index, text in enumerate(names):
        try:
            found.append(parse_instrument_name(text).instrument(symbols))
        except InputError as error:
            problems.append(f"instruments[{index}]: {error.message}")
    _refuse_all(path, problems)
    return found


def _require_grouped(listed: Sequence[Instrument], names: Sequence[str], path: Path) -> None:
    """Refuse an order of ids in which an underlying, an expiry or a strike comes twice, or a put before its call.

    Netting takes underlyings, expiries and strikes in runs; a registry's ids are in such an order by themselves.
    """
    seen: set[tuple[int, ...]] = set()
    previous: tuple[tuple[int, ...], ...] = ()
    for index, i in enumerate(listed):
        time = i.expiry if i.kind.is_dated else -1 - i.kind
        strike = (i.underlying, time, i.strike_e8)
        runs = (strike[:1], strike[:2], strike)
        again = next((run for run in runs if run in seen and run not in previous), None)
        if again is not None or (strike in previous and listed[index - 1].kind == Kind.PUT):
            raise InputError(
                f"{path}: instruments[{index}]: {names[index]!r} is out of order after {names[index - 1]!r}; allowed: instruments of one "
                "underlying together, in it those of one expiry, in it those of one strike, the call before the put"
            )
        seen.update(runs)
        previous = runs


def _require_priced(
    instruments: InstrumentColumns,
    rows: Sequence[int],
    path: Path,
    market: MarketDocument,
    symbols: Mapping[str, int],
) -> None:
    """Refuse what some account holds and the market does not price."""
    problems = []
    for row in rows:
        name = format_instrument_name(instruments.instruments[row], symbols)
        try:
            priced(parse_instrument_name(name), symbols, market)
        except InputError as error:
            problems.append(f"instrument id {instruments.ids[row]}: {error.message}")
    _refuse_all(path, problems)


def _refuse_all(path: Path, problems: Sequence[str]) -> None:
    if problems:
        head = f"{path}: {len(problems)} problem{'s' if len(problems) > 1 else ''}"
        more = [f"and {len(problems) - _MAX_SHOWN} more"] if len(problems) > _MAX_SHOWN else []
        raise InputError("\n  ".join([head, *problems[:_MAX_SHOWN], *more]))


_BAD_COLUMNS: Final = {
    "BadColumn": "{column} is {found}; allowed: {wanted}",
    "UnknownInstrument": "instrument id {id} is held but is not in instrument_ids",
    "DuplicateInstrument": "instrument id {id} names an instrument that another id names as well; allowed: each once",
    "PositionsNotSorted": "instrument id {id} follows {previous}; allowed: strictly increasing ids, each once",
}

_IN_FILE: Final = {"instrument": "ids", "quantity": "quantities"}
"""The engine's names of columns, where the file has others."""


def _refuse(path: Path, error: SpecError) -> NoReturn:
    pattern = _BAD_COLUMNS.get(error.name)
    values = dict(error.args_by_name)
    if "column" in values:
        values["column"] = _IN_FILE.get(str(values["column"]), values["column"])
    sentence = pattern.format(**values) if pattern else spec_sentence(error).removesuffix(".")
    notes = [note.replace("row", "account").replace(" of the portfolios", "") for note in _notes(error)]
    raise InputError(": ".join([str(path), *notes, sentence])) from None


def _notes(error: SpecError) -> list[str]:
    return list(getattr(error, "__notes__", ()))
