"""Three implementations that must agree with the engine to the bit: the specification, the contracts, the independent checker."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from evm.court import Court
from evm.machine import Contract, Machine
from independent.running import Json, Questions
from marginproof.spec.instruments import Instrument
from marginproof.spec.limits import MAX_UNDERLYINGS
from marginproof.spec.margin import Margin, columns, margin
from marginproof.spec.market import encode_market
from marginproof.spec.model import ModelSection, encode_model
from marginproof.spec.portfolio import encode_portfolio
from marginproof.spec.scenario import (
    Expiry,
    Shock,
    dated_value,
    instrument_delta,
    prepare_expiry,
    prepare_shock,
    require_live,
    settled_value,
    settlement_price,
    undated_value,
)

from .draws import World
from .engine import Books, Figures, Row, engine_rows


class Peer(Protocol):
    """An implementation beside the engine."""

    def rows(self, worlds: Sequence[World]) -> list[list[Row]]:
        """The rows of every instrument of every world."""

    def figures(self, worlds: Sequence[tuple[World, Books]]) -> list[list[Figures]]:
        """The figures of every book in its world."""


class RefusedError(Exception):
    """The checker refused a question."""


class Specification:
    """The specification. It nets over the engine's values: the rows prove those."""

    def rows(self, worlds: Sequence[World]) -> list[list[Row]]:
        """The rows of every instrument of every world."""
        return [_SpecRows(drawn).all() for drawn in worlds]

    def figures(self, worlds: Sequence[tuple[World, Books]]) -> list[list[Figures]]:
        """The figures of every book in its world."""
        return [[spec_figures(m) for m in spec_margins(drawn, books)] for drawn, books in worlds]


class EngineValues:
    """A world's rows as the specification's margin takes values; asked with the world's own instruments only."""

    def __init__(self, drawn: World, rows: list[Row]) -> None:
        self.market, self.model = drawn.market, drawn.model
        self._rows = {id(i): row for i, row in zip(drawn.instruments, rows, strict=True)}

    def __call__(self, instrument: Instrument) -> Row:
        """One instrument's values. The delta after them has no column."""
        return self._rows[id(instrument)]

    def delta(self, instrument: Instrument) -> int:
        """One instrument's delta."""
        return self._rows[id(instrument)][-1]


def spec_margins(drawn: World, books: Books) -> list[Margin]:
    """The specification's margins with every loss behind them."""
    values = EngineValues(drawn, engine_rows(drawn))
    return [margin(drawn.held(held), values) for held in books]


def spec_figures(result: Margin) -> Figures:
    """A margin of the specification as figures."""
    worst = b"".join(bytes((scan.underlying, scan.worst)) for scan in result.scans)
    return result.value, result.spot_value, result.initial, result.maintenance, worst


class _SpecRows:
    """Every cell of a world by the specification, expiries and shocks prepared once."""

    def __init__(self, drawn: World) -> None:
        self.drawn = drawn
        self.prepared: dict[tuple[int, int], tuple[Expiry, list[Shock]]] = {}

    def all(self) -> list[Row]:
        """Rows in order of instruments."""
        rows = []
        for instrument in self.drawn.instruments:
            section = self.drawn.model.section(instrument.underlying)
            delta = instrument_delta(instrument, self.drawn.market, section)
            rows.append((*self._values(instrument, section), delta))
        return rows

    def _values(self, instrument: Instrument, section: ModelSection) -> list[int]:
        quotes = self.drawn.market.underlying(instrument.underlying)
        if not instrument.kind.is_dated:
            return [undated_value(instrument, quotes, move.spot_wad) for move in columns(section)]
        settled = settlement_price(quotes, instrument.expiry)
        if settled is not None:
            return [settled_value(instrument, settled)] * len(columns(section))
        key = instrument.underlying, instrument.expiry
        if key not in self.prepared:
            expiry = prepare_expiry(require_live(quotes, instrument.expiry), self.drawn.market.time, section)
            self.prepared[key] = expiry, [prepare_shock(section, expiry, move) for move in columns(section)]
        expiry, shocks = self.prepared[key]
        return [dated_value(instrument, expiry, shock) for shock in shocks]


WORD: Final = 32


class Solidity:
    """The contracts: values by `CellHarness`, accounts by `MarginCourt` with its registries."""

    @cached_property
    def harness(self) -> Contract:
        """The pricing libraries behind a batched entry point."""
        return Machine().deploy("CellHarness")

    def rows(self, worlds: Sequence[World]) -> list[list[Row]]:
        """The rows of every instrument of every world."""
        return [self._rows(drawn) for drawn in worlds]

    def _rows(self, drawn: World) -> list[Row]:
        packed = [
            i.underlying << 128 | int(i.kind) << 120 | i.expiry << 64 | i.strike_e8 for i in drawn.instruments
        ]
        data = self.harness.encode("cells", encode_model(drawn.model), encode_market(drawn.market), packed)
        return integer_lists(self.harness.machine.raw(self.harness.address, data))

    def figures(self, worlds: Sequence[tuple[World, Books]]) -> list[list[Figures]]:
        """The figures of every book in its world: registered and published afresh, since ids follow the registry's lists."""
        return [self._figures(drawn, books) for drawn, books in worlds]

    def _figures(self, drawn: World, books: Books) -> list[Figures]:
        court = Court(underlyings=MAX_UNDERLYINGS)
        for underlying, expiries in drawn.table.expiries.items():
            for expiry in expiries:
                court.instruments.transact("addExpiry", underlying, expiry)
            court.instruments.transact("addStrikes", underlying, drawn.table.strikes[underlying])
        court.sync()
        model = court.publish(drawn.model)
        return [court.recompute(model, encode_portfolio(held), drawn.market) for held in books]


def integer_lists(data: bytes) -> list[Row]:
    """ABI-encoded `int256[][]`, alone in what a call returned: a tenth of the time of a general decoder.

    Every word is read whole, so that a value that does not fit its type is seen.
    """
    words = [int.from_bytes(data[i : i + WORD], "big", signed=True) for i in range(0, len(data), WORD)]
    assert words[0] == WORD
    starts = [2 + offset // WORD for offset in words[2 : 2 + words[1]]]
    return [tuple(words[start + 1 : start + 1 + words[start]]) for start in starts]


class Checker:
    """The independent checker, one run per question."""

    def rows(self, worlds: Sequence[World]) -> list[list[Row]]:
        """The rows of every instrument of every world."""
        questions = Questions()
        for drawn in worlds:
            place = questions.world(drawn.model, drawn.market, drawn.table)
            questions.cells.append({**place, "instruments": list(drawn.ids)})
        return [[tuple(map(int, row)) for row in rows] for rows in _answers(questions, "cells")]

    def figures(self, worlds: Sequence[tuple[World, Books]]) -> list[list[Figures]]:
        """The figures of every book in its world."""
        questions = Questions()
        for drawn, books in worlds:
            place = questions.world(drawn.model, drawn.market, drawn.table)
            questions.accounts += [
                {**place, "positions": [[p.instrument, str(p.quantity)] for p in held]} for held in books
            ]
        answers = iter(_answers(questions, "margin"))
        return [[_checker_figures(next(answers)) for _ in books] for _, books in worlds]


def _answers(questions: Questions, mode: str) -> list[Json]:
    with TemporaryDirectory() as folder:
        answers = questions.ask(mode, Path(folder))
    for answer in answers:
        if "error" in answer:
            raise RefusedError(f"checker: {answer['error']}")
    return answers


def _checker_figures(answer: Json) -> Figures:
    expected = answer["expected"]
    value, spot, initial, maintenance = (
        int(expected[name]) for name in ("value", "spotValue", "initialMargin", "maintenanceMargin")
    )
    return value, spot, initial, maintenance, bytes.fromhex(expected["worstScenarios"][2:])


PEERS: Final[dict[str, Peer]] = {
    "specification": Specification(),
    "solidity": Solidity(),
    "checker": Checker(),
}
