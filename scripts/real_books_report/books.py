"""The benchmark books of a folder of chains: one for each time, with the perpetuals' own prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from marginproof.errors import InputError
from marginproof.market.books import Book, book_from_files
from marginproof.market.perpetuals import read_perpetuals

MARKS: Final = "deribit_futures_marks.csv.gz"
SEED: Final = 20260205
ACCOUNTS: Final = 2000


def real_books(data: Path, accounts: int, seed: int) -> Iterator[Book]:
    """The books in order of time, each drawn when asked for. Errors: InputError as of `book_from_files` and `read_perpetuals`, and
    for a folder without chains."""
    files: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(data.glob("deribit_*_options_*.csv.gz")):
        files[path.name.rpartition("_")[2]].append(path)
    if not files:
        raise InputError(f"{data}: no file named deribit_<symbol>_options_<UTC time>.csv.gz")
    perpetuals = read_perpetuals(data / MARKS)
    for _, paths in sorted(files.items()):
        yield book_from_files(paths, accounts, seed, perpetuals)[0]
