"""CSV files as feeds deliver them: plain or gzip, with refusals that name the file and what is wrong with it."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..documents.decimals import show
from ..errors import InputError

if TYPE_CHECKING:
    from _csv import Reader


@contextmanager
def csv_reader(path: Path) -> Iterator[Reader]:
    """The lines of a CSV file, UTF-8, plain or gzip; the first may be the header.

    InputError, also while lines are read, for a file that is missing, unreadable, damaged, not UTF-8 or not CSV.
    """
    try:
        with _open(path) as stream:
            yield csv.reader(stream, strict=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: the gzip file is damaged or cut off ({error})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV file ({error})") from None
    except IsADirectoryError:
        raise InputError(f"{str(path)!r}: a folder or empty, not a file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def header_names(reader: Reader) -> list[str]:
    """The header line's names, without spaces around them, in lower case; empty when there is none."""
    return [name.strip().lower() for name in next(reader, [])]


def column_positions(
    header: list[str], path: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, int]:
    """Where the known columns stand. InputError for an empty header, a missing required column, a known one that stands twice."""
    if not any(header):
        raise InputError(f"{path}: empty; expected a header line with the columns {', '.join(required)}")
    missing = [name for name in required if name not in header]
    if missing:
        raise InputError(
            f"{path}: missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"required: {', '.join(required)}; found: {show(', '.join(header))}"
        )
    known = (*required, *optional)
    twice = [name for name in known if header.count(name) > 1]
    if twice:
        raise InputError(f"{path}: column {twice[0]} appears {header.count(twice[0])} times; allowed: once")
    return {name: header.index(name) for name in known if name in header}


def _open(path: Path) -> TextIO:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
