"""Netting, against a bare matrix product in floats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse

from marginproof.engine import net, value
from marginproof.engine.instruments import InstrumentColumns
from marginproof.engine.netting import resolve

from . import world
from .result import Result, interleaved, result
from .sizes import Sizes

POSITIONS = 10
SCENARIOS = 33
MOST_RATIO = 1.5


def bench_net(sizes: Sizes) -> list[Result]:
    """Seconds on one core to margin every account exactly, all rules included, against quantities x changes and a minimum, in floats."""
    books: tuple[tuple[str, Callable[[InstrumentColumns, int, int], world.Book]], ...] = (
        ("any instruments", world.spread_book),
        ("two expiries each", world.close_book),
    )
    return [_bench(sizes, label, draw) for label, draw in books]


def _bench(sizes: Sizes, label: str, draw: Callable[[InstrumentColumns, int, int], world.Book]) -> Result:
    columns = world.venue_columns(sizes.instruments)
    values = value(columns, world.market(), world.options_33())
    book = draw(columns, sizes.accounts, POSITIONS)
    portfolios = book.portfolios
    rows = resolve(portfolios, columns)
    matrix = scipy.sparse.csr_matrix(
        (portfolios.quantities / 1e8, book.rows.ravel(), portfolios.offsets),
        shape=(sizes.accounts, len(columns)),
    )
    changes = np.ascontiguousarray((values.table[:, 1 : 1 + SCENARIOS] - values.table[:, :1]) / 1e8)
    ours, peer = interleaved(
        lambda: net(portfolios, values, rows=rows), lambda: (matrix @ changes).min(axis=1), one_core=True
    )
    return result(
        f"net {sizes.accounts:,} accounts x {POSITIONS} x {SCENARIOS}, {label}",
        "s",
        ours,
        peer_name="scipy.sparse, floats, no rules",
        peer=peer,
        most_ratio=MOST_RATIO,
    )
