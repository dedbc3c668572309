"""Values of instruments in every column, and what netting needs to know of market and model: once per epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from marginproof.spec.black76 import discounted
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.logarithm import logarithm
from marginproof.spec.margin import columns
from marginproof.spec.market import MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind
from marginproof.spec.scenario import (
    Vols,
    override_vol,
    prepare_expiry,
    require_live,
    settled_value,
    settlement_price,
    shocked_forward,
    undated_value,
    vol_rule,
)
from marginproof.spec.tenor import skew_terms

from .checks import require_market, require_model, require_vols
from .columns import in_chunks, require_column, require_kind, require_threads
from .instruments import InstrumentColumns, columns_of, split_logarithm
from .kernels import pricing as k
from .kernels.netting import R_NOW, ROW_FIELDS, SCALE, SETTLED, UNDATED, UNKNOWN
from .sections import Sections, prepare_sections, words


@dataclass(frozen=True, slots=True)
class Values:
    """What instruments are worth, for netting.

    | field | dtype, shape | meaning |
    |---|---|---|
    | table | int64 (n, width) | E8; column 0 now, 1 + s in scenario s, then the two basis moves if the model has them; unused columns 0 |
    | delta | int64 (n) | Q60 |
    | row_info | int64 (n, 8) | section, group, kind, 1 if the next row is the put of the same strike, value now |
    | by_column | int64 (width, n) | the table turned, for netting: few columns are ever read |
    | main, side | float32 (n, lanes) | `sections.lanes` of the table, for the pass that skips work; last a row's greatest size |
    """

    instruments: InstrumentColumns
    market: MarketSnapshot
    model: Model
    table: NDArray[np.int64]
    delta: NDArray[np.int64]
    row_info: NDArray[np.int64]
    sections: Sections
    by_column: NDArray[np.int64]
    main: NDArray[np.float32]
    side: NDArray[np.float32]

    def check(self) -> None:
        """Refuse arrays that are not as described, in time proportional to their number: their contents are trusted, `value` makes them.

        Errors: `BadColumn(column, wanted, found)`, `BadField(field, wanted, found)`.
        """
        require_kind("values.instruments", self.instruments, InstrumentColumns)
        require_kind("values.sections", self.sections, Sections)
        rows, lanes = len(self.instruments), self.sections.check()
        width = self.sections.width
        require_column("values.table", self.table, np.int64, (rows, width))
        require_column("values.delta", self.delta, np.int64, (rows,))
        require_column("values.row_info", self.row_info, np.int64, (rows, ROW_FIELDS))
        require_column("values.by_column", self.by_column, np.int64, (width, rows))
        require_column("values.main", self.main, np.float32, (rows, lanes[0]))
        require_column("values.side", self.side, np.float32, (rows, lanes[1]))

    def require_known(self, row: int) -> None:
        """Raise what the specification raises for an instrument without a value.

        Errors: `MissingModelSection(underlying)`, `MissingUnderlying(underlying)`, `MissingExpiry(expiry)`.
        """
        instrument = self.instruments.instruments[row]
        self.model.section(instrument.underlying)
        self.market.underlying(instrument.underlying)
        if self.row_info[row, 1] == UNKNOWN:
            raise SpecError("MissingExpiry", expiry=instrument.expiry)


def value(
    instruments: InstrumentColumns,
    market: MarketSnapshot,
    model: Model,
    vols: Vols | None = None,
    threads: int = 1,
) -> Values:
    """Value instruments in every column, equal to `spec.scenario.instrument_value` bit for bit.

    An instrument without market or model has no value and is refused when an account that holds it is netted. `vols` overrides the
    smile per strike, by call instrument (WAD, annualised): what-if runs only. `threads`: 1..256; changes no bit.

    Errors, before anything is computed: `OutOfRange(field, value, low, high)` and whatever else `spec.market.check_market` and
    `spec.model.check_model` refuse, `BadField(field, wanted, found)` for what is no whole number, `BadVol(instrument, wanted, found)`,
    `MissingUnderlying(underlying)` and `MissingExpiry(expiry)` for `vols`, `BadColumn(column, wanted, found)`.
    """
    require_threads(threads)
    require_kind("instruments", instruments, InstrumentColumns)
    instruments.check()
    require_market(market)
    require_model(model)
    if vols is not None:
        require_vols(vols, market, instruments.instruments)
    sections = prepare_sections(instruments, market, model)
    width = sections.width
    table = np.zeros((len(instruments), width), np.int64)
    delta = np.zeros(len(instruments), np.int64)
    row_info = np.zeros((len(instruments), ROW_FIELDS), np.int64)
    row_info[:, 0] = sections.index_of[instruments.underlying]
    row_info[:, 2] = instruments.kind
    same = (np.diff(instruments.expiry) == 0) & (np.diff(instruments.strike) == 0)
    same &= np.diff(instruments.underlying.astype(np.int64)) == 0
    row_info[:-1, 3] = same & (instruments.kind[:-1] == Kind.CALL) & (instruments.kind[1:] == Kind.PUT)
    row_info[:, 1] = UNKNOWN
    strip = _Strip(instruments, market, sections, vols or {}, width)
    _fill_simple_rows(instruments, sections, table, delta, row_info)
    strip.fill(table, delta, row_info, threads)
    row_info[:, R_NOW] = table[:, 0]
    by_column = np.ascontiguousarray(table.T)
    return Values(
        instruments,
        market,
        model,
        table,
        delta,
        row_info,
        sections,
        by_column,
        *_floats(by_column, row_info, sections),
    )


def _floats(
    by_column: NDArray[np.int64], row_info: NDArray[np.int64], sections: Sections
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Main and side lanes, scaled, for netting's first pass. Made turned: rows of one underlying stand together."""
    lanes = sections.lanes
    scaled = (by_column * SCALE).astype(np.float32)
    floats = np.zeros((lanes.columns.shape[1], scaled.shape[1]), np.float32)
    for index, held in enumerate(lanes.columns):
        used = np.flatnonzero(held >= 0)
        mine = np.flatnonzero(row_info[:, 0] == index)
        if len(mine):
            part = slice(int(mine[0]), int(mine[-1]) + 1)
            floats[used, part] = scaled[held[used], part]
    ceiling = np.abs(scaled).max(axis=0, initial=0).astype(np.float64)
    dated = row_info[:, 1] >= 0
    ceiling[dated] *= sections.greatest_discount[row_info[dated, 1]]
    floats[-1] = ceiling
    return np.ascontiguousarray(floats[: lanes.main].T), np.ascontiguousarray(floats[lanes.main :].T)


def _fill_simple_rows(
    instruments: InstrumentColumns,
    sections: Sections,
    table: NDArray[np.int64],
    delta: NDArray[np.int64],
    row_info: NDArray[np.int64],
) -> None:
    """Spot, perpetuals and everything settled; futures and options of live expiries get their group."""
    pairs = instruments.underlying.astype(np.int64) << 40 | instruments.expiry
    distinct, place = np.unique(pairs, return_inverse=True)
    live = [sections.group_of.get((pair >> 40, pair & (1 << 40) - 1), UNKNOWN) for pair in distinct.tolist()]
    groups = np.array(live, np.int64)[place]
    groups[instruments.kind < Kind.FUTURE] = UNKNOWN
    row_info[:, 1] = groups
    for row in np.flatnonzero((groups == UNKNOWN) & (row_info[:, 0] >= 0)).tolist():
        instrument, index = instruments.instruments[row], int(row_info[row, 0])
        section, quotes = sections.models[index], sections.markets[index]
        if not instrument.kind.is_dated:
            moves = [move.spot_wad for move in columns(section)]
            table[row, : len(moves)] = [undated_value(instrument, quotes, spot) for spot in moves]
            delta[row], row_info[row, 1] = 1 << 60, UNDATED
            continue
        price = settlement_price(quotes, instrument.expiry)
        if price is not None:
            table[row, :] = settled_value(instrument, price)
            row_info[row, 1] = SETTLED


class _Strip:
    """The inputs of the pricing kernel: one row per strike of a live expiry."""

    def __init__(
        self,
        instruments: InstrumentColumns,
        market: MarketSnapshot,
        sections: Sections,
        vols: Vols,
        width: int,
    ) -> None:
        self.instruments = instruments
        count = len(sections.groups)
        self.expiries = np.zeros((count, k.EXPIRY_FIELDS), np.int64)
        self.moves = np.zeros((count, width, k.MOVE_FIELDS), np.int64)
        self.counts = np.zeros(count, np.int64)
        for group, (index, expiry) in enumerate(sections.groups):
            self._prepare(group, sections.models[index], sections.markets[index], expiry, market.time)
        self.vols = _given_vols(vols, sections, market)
        self.sections = sections

    def _prepare(
        self, group: int, section: ModelSection, quotes: UnderlyingMarket, expiry: int, time: int
    ) -> None:
        prepared = prepare_expiry(require_live(quotes, expiry), time, section)
        smile = prepared.smile
        self.expiries[group] = (
            *split_logarithm(prepared.log_forward),
            *words(smile.a),
            smile.b,
            smile.rho,
            smile.m,
            smile.sigma,
            prepared.discount,
        )
        moves = columns(section)
        self.counts[group] = len(moves)
        rules: dict[tuple[VolKind, int], tuple[int, ...]] = {}
        forwards: dict[int, tuple[int, ...]] = {}
        for column, move in enumerate(moves):
            key = (move.kind, move.amount_wad)
            if key not in rules:
                rules[key] = _rule(section, move, prepared.seconds)
            multiple = 10**18 if move.kind.is_skew else move.spot_wad
            if multiple not in forwards:
                forward = prepared.forward if move.kind.is_skew else shocked_forward(prepared, multiple)
                log = split_logarithm(logarithm(forward))
                forwards[multiple] = (forward, discounted(forward, prepared.discount), *log)
            self.moves[group, column] = (*forwards[multiple], *rules[key])

    def fill(
        self, table: NDArray[np.int64], delta: NDArray[np.int64], row_info: NDArray[np.int64], threads: int
    ) -> None:
        """Price futures by their forwards and options by the kernel."""
        kinds = self.instruments.kind
        live = row_info[:, 1] >= 0
        futures = np.flatnonzero(live & (kinds == Kind.FUTURE))
        if len(futures):
            table[futures] = self.moves[row_info[futures, 1], :, k.FORWARD]
            delta[futures] = 1 << 60
        options = live & (kinds >= Kind.CALL)
        paired = np.zeros(len(kinds), bool)
        paired[1:] = row_info[:-1, 3] == 1
        firsts = np.flatnonzero(options & ~paired)
        if not len(firsts):
            return
        strikes = np.full((len(firsts), k.STRIKE_FIELDS), -1, np.int64)
        strikes[:, k.S_EXPIRY] = row_info[firsts, 1]
        strikes[:, k.STRIKE] = self.instruments.strike[firsts]
        strikes[:, k.S_LOG_HIGH : k.S_LOG_LOW + 1] = self.instruments.log_strike[firsts]
        is_call = kinds[firsts] == Kind.CALL
        strikes[:, k.CALL_ROW] = np.where(is_call, firsts, -1)
        strikes[:, k.PUT_ROW] = np.where(is_call, np.where(row_info[firsts, 3] == 1, firsts + 1, -1), firsts)
        for i, row in enumerate(firsts if self.vols else ()):
            given = self.vols.get((int(row_info[row, 1]), int(self.instruments.strike[row])))
            if given is not None:
                strikes[i, k.GIVEN_VOL] = given
        arguments = (strikes, self.expiries, self.moves, self.counts, table, delta)
        in_chunks(lambda start, stop: k.price_strip(*arguments, start, stop), len(strikes), threads)


def _rule(section: ModelSection, move: Scenario, seconds: int) -> tuple[int, ...]:
    if move.kind.is_skew:
        is_absolute = move.kind == VolKind.ABSOLUTE_SKEW
        return (
            1 << 58,
            0,
            0,
            k.ABSOLUTE if is_absolute else k.LINEAR,
            *skew_terms(section, seconds, is_absolute),
        )
    return *vol_rule(section, move, seconds), k.NO_SKEW, 0, 0


def _given_vols(vols: Vols, sections: Sections, market: MarketSnapshot) -> Mapping[tuple[int, int], int]:
    """Total volatilities given per strike, by (group, strike)."""
    given = {}
    for call, vol in vols.items():
        group = sections.group_of.get((call.underlying, call.expiry))
        if group is not None:
            given[group, call.strike_e8] = override_vol(vol, call.expiry - market.time)
    return given


class ValueTable:
    """Compiled values as a `spec.margin.ValueTable`: rows are computed when first asked for, or many at once by `prime`.

    `vols` overrides the smile per strike, of instruments that may never be asked for: what-if runs only. Errors: as `value`.
    """

    def __init__(self, market: MarketSnapshot, model: Model, vols: Vols | None = None) -> None:
        self.market = market
        self.model = model
        if vols is not None:
            require_market(market)
            require_vols(vols, market)
        self._vols = dict(vols or {})
        self._rows: dict[Instrument, tuple[int, ...]] = {}
        self._deltas: dict[Instrument, int] = {}

    def prime(self, instruments: Iterable[Instrument]) -> None:
        """Value instruments together. Errors: `MissingModelSection`, `MissingUnderlying`, `MissingExpiry`."""
        wanted = {instrument for instrument in instruments if instrument not in self._rows}
        if not wanted:
            return
        calls = {replace(i, kind=Kind.CALL) for i in wanted if i.kind.is_option} if self._vols else set()
        vols = {call: self._vols[call] for call in calls if call in self._vols}
        values = value(columns_of(wanted), self.market, self.model, vols)
        for row in range(len(values.instruments)):
            values.require_known(row)
        self._take(values)

    @classmethod
    def of(cls, values: Values) -> ValueTable:
        """The table of values that are there already."""
        table = cls(values.market, values.model)
        table._take(values)
        return table

    def _take(self, values: Values) -> None:
        widths = {section.underlying: len(columns(section)) for section in self.model.sections}
        for row, instrument in enumerate(values.instruments.instruments):
            if values.row_info[row, 1] != UNKNOWN:
                self._rows[instrument] = tuple(values.table[row, : widths[instrument.underlying]].tolist())
                self._deltas[instrument] = int(values.delta[row])

    def __call__(self, instrument: Instrument) -> tuple[int, ...]:
        """Values of one unit, E8, one per column."""
        self.prime([instrument])
        return self._rows[instrument]

    def delta(self, instrument: Instrument) -> int:
        """Delta of one unit, Q60."""
        self.prime([instrument])
        return self._deltas[instrument]
