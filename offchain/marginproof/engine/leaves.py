"""Leaf and portfolio hashes from columns: the same bytes as `spec.typed_data.Leaf` and `spec.portfolio`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..spec.errors import SpecError, require_range
from ..spec.limits import MAX_UNDERLYINGS
from ..spec.portfolio import POSITION_BYTES, Position, check_positions
from ..spec.typed_data import LEAF_TYPE, type_hash
from .columns import hash_words, in_chunks, new_hashes, require_column, require_threads
from .kernels.hashing import first_bad_portfolio, hash_leaves, hash_portfolios
from .kernels.keccak import BLOCK_BYTES

MAX_WORST_BYTES: Final = 2 * MAX_UNDERLYINGS
_LEAF_TYPE_WORDS: Final = np.frombuffer(type_hash(LEAF_TYPE), dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class LeafColumns:
    """The leaves of n accounts, a column for each field of a leaf; money in E8.

    | column | dtype | shape | meaning |
    |---|---|---|---|
    | account | uint64 | (n,) | account id |
    | portfolio_hash | uint8 | (n, 32) | keccak-256 of the packed positions |
    | portfolio_value, spot_value, initial_margin, maintenance_margin | int64 | (n, 2) | two's complement: high word, low word's bits |
    | worst_scenarios | uint8 | (n, w), w up to 16 | underlying, scenario, for each held underlying in order |
    | worst_lengths | uint8 | (n,) | bytes used in the row of `worst_scenarios` |
    """

    account: NDArray[np.uint64]
    portfolio_hash: NDArray[np.uint8]
    portfolio_value: NDArray[np.int64]
    spot_value: NDArray[np.int64]
    initial_margin: NDArray[np.int64]
    maintenance_margin: NDArray[np.int64]
    worst_scenarios: NDArray[np.uint8]
    worst_lengths: NDArray[np.uint8]

    def check(self) -> int:
        """The number of leaves, all columns being as described.

        Errors: `BadColumn(column, wanted, found)`, `OutOfRange(field, value, low, high)` for the number of worst-scenario bytes.
        """
        count = len(require_column("account", self.account, np.uint64, (None,)))
        require_column("portfolio_hash", self.portfolio_hash, np.uint8, (count, 32))
        for name in ("portfolio_value", "spot_value", "initial_margin", "maintenance_margin"):
            require_column(name, getattr(self, name), np.int64, (count, 2))
        require_column("worst_scenarios", self.worst_scenarios, np.uint8, (count, None))
        require_column("worst_lengths", self.worst_lengths, np.uint8, (count,))
        width = self.worst_scenarios.shape[1]
        require_range("worst_scenarios width", width, 0, MAX_WORST_BYTES)
        require_range("worst_lengths", int(self.worst_lengths.max(initial=0)), 0, width)
        return count


def leaf_hashes(columns: LeafColumns, threads: int = 1) -> NDArray[np.uint8]:
    """The struct hashes of leaves, (n, 32) uint8, in the order of the rows. Errors as `LeafColumns.check`."""
    require_threads(threads)
    count = columns.check()
    hashes = new_hashes(count)
    words, portfolios = hash_words(hashes), hash_words(columns.portfolio_hash)

    def work(start: int, stop: int) -> None:
        hash_leaves(
            _LEAF_TYPE_WORDS,
            columns.account,
            portfolios,
            columns.portfolio_value,
            columns.spot_value,
            columns.initial_margin,
            columns.maintenance_margin,
            columns.worst_scenarios,
            columns.worst_lengths,
            words,
            start,
            stop,
        )

    in_chunks(work, count, threads)
    return hashes


def portfolio_hashes(
    offsets: NDArray[np.int64],
    instrument: NDArray[np.uint32],
    quantity: NDArray[np.int64],
    threads: int = 1,
) -> NDArray[np.uint8]:
    """The hashes of n portfolios, (n, 32) uint8: row i is positions offsets[i] .. offsets[i + 1] of the other two columns.

    `offsets` is int64 (n + 1,), `instrument` uint32 (m,), `quantity` int64 (m,) in E8. Errors: `BadColumn(column, wanted, found)`, and
    those of `spec.portfolio.check_positions` for the first portfolio that has no encoding, with a note naming its row.
    """
    check_portfolios(offsets, instrument, quantity, threads)
    count = len(offsets) - 1
    hashes = new_hashes(count)
    words = hash_words(hashes)
    blocks = (np.diff(offsets) * POSITION_BYTES // BLOCK_BYTES).astype(np.uint8)
    rows: NDArray[np.int64] = np.argsort(blocks, kind="stable").astype(np.int64, copy=False)
    in_chunks(
        lambda start, stop: hash_portfolios(offsets, instrument, quantity, rows, words, start, stop),
        count,
        threads,
    )
    return hashes


def check_portfolios(
    offsets: NDArray[np.int64],
    instrument: NDArray[np.uint32],
    quantity: NDArray[np.int64],
    threads: int = 1,
) -> None:
    """Refuse columns that are no portfolios. Errors as `portfolio_hashes`."""
    require_threads(threads)
    check_spans(offsets, instrument, quantity)
    if not _rises(offsets):
        raise _bad_offsets(offsets, len(instrument), ", falling somewhere")
    bad: list[int] = []

    def work(start: int, stop: int) -> None:
        row = first_bad_portfolio(offsets, instrument, quantity, start, stop)
        if row >= 0:
            bad.append(row)

    in_chunks(work, len(offsets) - 1, threads)
    if bad:
        row = min(bad)
        span = slice(int(offsets[row]), int(offsets[row + 1]))
        pairs = zip(instrument[span].tolist(), quantity[span].tolist(), strict=True)
        try:
            check_positions([Position(*pair) for pair in pairs])
        except SpecError as error:
            error.add_note(f"row {row} of the portfolios")
            raise


def check_spans(
    offsets: NDArray[np.int64], instrument: NDArray[np.uint32], quantity: NDArray[np.int64]
) -> None:
    """Refuse columns of the wrong kind or size; of their contents only the ends of `offsets` are looked at. Error: `BadColumn`."""
    require_column("instrument", instrument, np.uint32, (None,))
    require_column("quantity", quantity, np.int64, (len(instrument),))
    require_column("offsets", offsets, np.int64, (None,))
    if not (len(offsets) and offsets[0] == 0 and offsets[-1] == len(instrument)):
        raise _bad_offsets(offsets, len(instrument), "" if _rises(offsets) else ", falling somewhere")


def _bad_offsets(offsets: NDArray[np.int64], positions: int, remark: str) -> SpecError:
    found = f"{offsets[0]} .. {offsets[-1]}" if len(offsets) else "nothing"
    wanted = f"numbers from 0 to {positions} that never fall"
    return SpecError("BadColumn", column="offsets", wanted=wanted, found=found + remark)


def _rises(offsets: NDArray[np.int64]) -> bool:
    return bool((offsets[1:] >= offsets[:-1]).all())
