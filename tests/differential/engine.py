"""What every implementation is asked, and the engine's answers.

A row is an instrument's values, E8, one per column of its underlying's model, then its delta, Q60. Figures are an account's value, spot
value, initial and maintenance margin, E8, then underlying and index of every worst scenario.
"""

from __future__ import annotations

from collections.abc import Sequence

from marginproof.engine.columns import money_values
from marginproof.engine.instruments import columns_of_ids
from marginproof.engine.netting import Margins, net, portfolio_columns
from marginproof.engine.values import Values, value
from marginproof.spec.margin import columns
from marginproof.spec.portfolio import Position

from .draws import World

Row = tuple[int, ...]
Figures = tuple[int, int, int, int, bytes]
Books = Sequence[tuple[Position, ...]]


def engine_values(drawn: World, threads: int = 1) -> Values:
    """Every instrument of a world, valued by the engine."""
    return value(columns_of_ids(drawn.table, drawn.ids), drawn.market, drawn.model, threads=threads)


def engine_rows(drawn: World) -> list[Row]:
    """The rows of every instrument."""
    values = engine_values(drawn)
    widths = {section.underlying: len(columns(section)) for section in drawn.model.sections}
    table = zip(drawn.instruments, values.table.tolist(), values.delta.tolist(), strict=True)
    return [(*row[: widths[instrument.underlying]], delta) for instrument, row, delta in table]


def figures_of(margins: Margins) -> list[Figures]:
    """Margins as figures."""
    money = [money_values(margins.column(figure)) for figure in range(4)]
    worst = zip(margins.worst, margins.worst_lengths.tolist(), strict=True)
    return list(zip(*money, (row[:length].tobytes() for row, length in worst), strict=True))


def engine_figures(books: Books, values: Values) -> list[Figures]:
    """The figures of all books at once."""
    return figures_of(net(portfolio_columns(books), values))
