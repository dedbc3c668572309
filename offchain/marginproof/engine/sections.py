"""What netting needs of model and market, per underlying and per live expiry, as arrays for the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marginproof.spec.fixed_point import floor_div
from marginproof.spec.margin import columns, initial_factor
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import Charge, Model, ModelSection
from marginproof.spec.tenor import basis_factor, static_discounts
from marginproof.spec.units import ONE_WAD

from .columns import require_column
from .instruments import InstrumentColumns
from .kernels import netting as k
from .kernels.lanes import LANES


def words(number: int) -> tuple[int, int]:
    """A signed 128-bit integer as two signed words, high first."""
    low = number & (1 << 64) - 1
    return number >> 64, low - (1 << 64) if low >> 63 else low


@dataclass(frozen=True, slots=True)
class Lanes:
    """Which column each lane of the tables of floats holds, per underlying.

    | array | dtype, shape | meaning |
    |---|---|---|
    | columns | int64 (u, main + side) | column of the table of values, or -1 |
    | indices | int64 (u, main + side) | index of the loss that the lane ends up with, or -1 |
    | weights, bias | float32 (u, main + side) | its weight; 0, or minus infinity where there is no index |

    `main` lanes hold the scenarios that are no skew, side lanes the value now, skews, the two basis moves, and last the ceiling.
    """

    main: int
    side: int
    columns: NDArray[np.int64]
    indices: NDArray[np.int64]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def _padded(count: int) -> int:
    return -(-max(count, 1) // LANES) * LANES


def _lanes(models: tuple[ModelSection, ...]) -> Lanes:
    plain = [[s for s, move in enumerate(m.scenarios) if not move.kind.is_skew] for m in models]
    turned = [[s for s, move in enumerate(m.scenarios) if move.kind.is_skew] for m in models]
    main = _padded(max((len(p) for p in plain), default=0))
    side = _padded(max((len(t) for t in turned), default=0) + 4)
    held = np.full((len(models), main + side), -1, np.int64)
    indices, weights = held.copy(), np.zeros((len(models), main + side), np.float32)
    for u, model in enumerate(models):
        scenarios = len(model.scenarios)
        for lane, s in [*enumerate(plain[u]), *enumerate(turned[u], main + 1)]:
            held[u, lane], indices[u, lane] = s + 1, s
            weights[u, lane] = model.scenarios[s].weight_wad / ONE_WAD
        held[u, main] = 0
        if Charge.BASIS in model.charges():
            basis = main + 1 + len(turned[u])
            held[u, basis : basis + 2] = scenarios + 1, scenarios + 2
            indices[u, basis], weights[u, basis] = scenarios, 1.0
    bias = np.where(indices >= 0, np.float32(0), np.float32(-np.inf))
    return Lanes(main, side, held, indices, weights, bias)


@dataclass(frozen=True, slots=True)
class Sections:
    """The underlyings that have both market and model, and their live expiries (groups), in order.

    `width` is the greatest number of columns of any, `most` of scenarios. Arrays have the fields named in `kernels/netting.py`;
    `index_of` maps an underlying's id to its index here, or -1.
    """

    width: int
    most: int
    models: tuple[ModelSection, ...]
    markets: tuple[UnderlyingMarket, ...]
    index_of: NDArray[np.int64]
    groups: tuple[tuple[int, int], ...]
    group_of: dict[tuple[int, int], int]
    underlyings: NDArray[np.int64]
    group_terms: NDArray[np.int64]
    group_floats: NDArray[np.float32]
    greatest_discount: NDArray[np.float64]
    weights: NDArray[np.int64]
    kinds: NDArray[np.int64]
    lanes: Lanes

    def check(self) -> tuple[int, int]:
        """How many main and side lanes there are, all arrays being as described. Error: `BadColumn(column, wanted, found)`."""
        count, groups = len(self.models), len(self.groups)
        main, side = self.lanes.main, self.lanes.side
        require_column("sections.index_of", self.index_of, np.int64, (64,))
        require_column("sections.underlyings", self.underlyings, np.int64, (count, k.UNDERLYING_FIELDS))
        require_column("sections.group_terms", self.group_terms, np.int64, (groups, k.GROUP_FIELDS))
        require_column("sections.group_floats", self.group_floats, np.float32, (groups, 3))
        require_column("sections.weights", self.weights, np.int64, (count, self.most))
        require_column("sections.kinds", self.kinds, np.int64, (count, self.most))
        for name, dtype in (
            ("columns", np.int64),
            ("indices", np.int64),
            ("weights", np.float32),
            ("bias", np.float32),
        ):
            require_column(f"sections.lanes.{name}", getattr(self.lanes, name), dtype, (count, main + side))
        return main, side


def prepare_sections(instruments: InstrumentColumns, market: MarketSnapshot, model: Model) -> Sections:
    """Prepare every underlying that some instrument has, and every live expiry that some instrument has."""
    quoted = {section.underlying: section for section in market.underlyings}
    modelled = {section.underlying: section for section in model.sections}
    held = sorted(set(instruments.underlying.tolist()) & quoted.keys() & modelled.keys())
    models, markets = tuple(modelled[u] for u in held), tuple(quoted[u] for u in held)
    index_of = np.full(64, -1, np.int64)
    index_of[held] = range(len(held))
    dated = set(zip(instruments.underlying.tolist(), instruments.expiry.tolist(), strict=True))
    live = [
        (index, quote)
        for index, section in enumerate(markets)
        for quote in section.expiries
        if (section.underlying, quote.expiry) in dated
    ]
    terms = [_group(models[index], markets[index], quote, market.time) for index, quote in live]
    most = max((len(section.scenarios) for section in models), default=0)
    weights = np.zeros((len(held), most), np.int64)
    kinds = np.zeros((len(held), most), np.int64)
    for index, section in enumerate(models):
        weights[index, : len(section.scenarios)] = [s.weight_wad for s in section.scenarios]
        kinds[index, : len(section.scenarios)] = [s.kind.is_skew for s in section.scenarios]
    group_terms = np.array(terms, np.int64).reshape(-1, k.GROUP_FIELDS)
    floats = np.zeros((len(terms), 3))
    floats[:, :2] = group_terms[:, :2] / 2.0**58
    floats[:, 2] = [basis_factor(models[i], quote.expiry - market.time) / ONE_WAD for i, quote in live]
    underlyings = [
        _underlying(m, q, market.settlement_token_e8) for m, q in zip(models, markets, strict=True)
    ]
    return Sections(
        max((len(columns(section)) for section in models), default=1),
        most,
        models,
        markets,
        index_of,
        tuple((index, quote.expiry) for index, quote in live),
        {(markets[index].underlying, quote.expiry): g for g, (index, quote) in enumerate(live)},
        np.array(underlyings, np.int64).reshape(-1, k.UNDERLYING_FIELDS),
        group_terms,
        floats.astype(np.float32),
        np.maximum(1.0, floats[:, :2].max(axis=1, initial=1.0)),
        weights,
        kinds,
        _lanes(models),
    )


def _low_confidence(section: ModelSection, confidence_wad: int) -> tuple[int, int]:
    """(1 - confidence) * confidenceRate below the threshold, 10^36, as two words; else zero."""
    if confidence_wad >= section.confidence_threshold:
        return 0, 0
    return words((ONE_WAD - confidence_wad) * section.confidence_rate)


def _group(
    section: ModelSection, quotes: UnderlyingMarket, quote: ExpiryMarket, time: int
) -> tuple[int, ...]:
    seconds = quote.expiry - time
    return (
        *static_discounts(section, quote.rate_wad, seconds),
        *words(basis_factor(section, seconds)),
        *_low_confidence(section, min(quotes.confidence_wad, quote.confidence_wad)),
    )


def _underlying(section: ModelSection, quotes: UnderlyingMarket, settlement_token_e8: int) -> tuple[int, ...]:
    charges = section.charges()
    unit = section.short_minimum + floor_div(section.short_minimum_rate * quotes.spot_e8, ONE_WAD)
    numbers = (
        initial_factor(section, settlement_token_e8),
        section.maintenance_factor,
        section.delta_net,
        section.delta_hedged,
        section.naked_maintenance,
        section.naked_initial,
        section.perpetual_maintenance,
        section.perpetual_initial,
        section.future_maintenance,
        section.future_initial,
        section.haircut_maintenance,
        section.haircut_initial,
    )
    return (
        section.underlying,
        len(section.scenarios),
        sum(s.kind.is_skew for s in section.scenarios),
        -(-max(ONE_WAD, *(s.weight_wad for s in section.scenarios)) // ONE_WAD),
        *(int(charge in charges) for charge in Charge),
        quotes.spot_e8,
        unit,
        *(word for number in numbers for word in words(number)),
        *_low_confidence(section, quotes.confidence_wad),
    )
