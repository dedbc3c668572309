"""A computed epoch as it is shown and written."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from rich.console import Console

from marginproof.cli.epoch_inputs import EpochInputs
from marginproof.cli.numbers import moment, plural
from marginproof.engine.executors import Executor, compute_with, part_count
from marginproof.errors import InputError, VerificationError
from marginproof.files import write_bytes

if TYPE_CHECKING:
    from marginproof.engine.partition import MergedEpoch
    from marginproof.spec.typed_data import EpochHeader


@dataclass(frozen=True, slots=True)
class EpochReport:
    """An epoch, how it was computed, and in how many seconds: from checked columns to the root."""

    epoch: MergedEpoch
    market_time: int
    posted: EpochHeader | None
    positions: int
    executor: str
    parts: int
    seconds: float

    @classmethod
    def compute(cls, inputs: EpochInputs, executor: Executor, parts: int | None) -> Self:
        """Compute with this executor, in as many parts as it takes at once unless told. Errors: SpecError, MarginproofError."""
        wanted = parts or max(1, executor.slots)
        start = time.perf_counter()
        epoch = compute_with(
            executor, inputs.portfolios, inputs.instruments, inputs.market, inputs.model, wanted
        )
        seconds = time.perf_counter() - start
        count = part_count(epoch.count, wanted)
        positions = len(inputs.portfolios.ids)
        return cls(epoch, inputs.market.time, inputs.posted, positions, executor.name, count, seconds)

    def matches(self) -> bool:
        """Whether this is what was posted. True when there is nothing to compare with."""
        header = self.posted
        return header is None or (header.leaf_root, header.leaf_count) == (self.epoch.root, self.epoch.count)

    def json(self) -> dict[str, Any]:
        """The result for programs; `posted` is null for an epoch from files."""
        header = self.posted
        posted = header and {
            "round": header.round,
            "blockNumber": header.block_number,
            "leafRoot": "0x" + header.leaf_root.hex(),
            "leafCount": header.leaf_count,
            "equal": self.matches(),
        }
        return {
            "format": "marginproof/epoch@1",
            "leafRoot": "0x" + self.epoch.root.hex(),
            "leafCount": self.epoch.count,
            "positions": self.positions,
            "marketTime": self.market_time,
            "executor": self.executor,
            "parts": self.parts,
            "seconds": f"{self.seconds:.6f}",
            "posted": posted,
        }

    def show(self, console: Console) -> None:
        """The result for a person."""
        accounts = f"{plural(self.epoch.count, 'account')}, {plural(self.positions, 'position')}"
        console.print(f"{'root':10} 0x{self.epoch.root.hex()}", soft_wrap=True)
        console.print(
            f"{'accounts':10} {accounts}, on the market of {moment(self.market_time)}", soft_wrap=True
        )
        console.print(
            f"{'computed':10} in {self.seconds:.3f} s, {plural(self.parts, 'part')}, executor {self.executor}",
            soft_wrap=True,
        )
        if self.posted is not None and self.matches():
            console.print(f"{'posted':10} the same, in epoch {self.posted.round}", soft_wrap=True)

    def require_posted(self) -> None:
        """Errors: VerificationError when something else was posted."""
        header = self.posted
        if header is not None and not self.matches():
            raise VerificationError(
                f"Epoch {header.round} was posted with root 0x{header.leaf_root.hex()} over {plural(header.leaf_count, 'account')}; "
                f"from the chain it is 0x{self.epoch.root.hex()} over {self.epoch.count}.",
                "`marginproof audit` says where they differ.",
            )


def write_figures(epoch: MergedEpoch, path: Path) -> None:
    """Write root and figures of every account as numpy columns, whole or not at all. Errors: InputError naming the path.

    Arrays: `root` uint8 (32,), `portfolio_hashes` uint8 (n, 32), and `money`, `worst`, `worst_lengths` as in `engine.netting.Margins`.
    """
    margins, root = epoch.margins, np.frombuffer(epoch.root, np.uint8)
    stream = io.BytesIO()
    np.savez(
        stream,
        root=root,
        portfolio_hashes=epoch.portfolio_hashes,
        money=margins.money,
        worst=margins.worst,
        worst_lengths=margins.worst_lengths,
    )
    try:
        write_bytes(path, stream.getvalue())
    except OSError as error:
        raise InputError(f"--out: {path} cannot be written ({error.strerror}).") from error
