"""Values of instruments in every scenario, with the work per expiry and per scenario done once."""

from __future__ import annotations

from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model
from marginproof.spec.scenario import (
    Expiry,
    Shock,
    dated_value,
    instrument_value,
    live_expiry,
    prepare_expiry,
    prepare_shock,
)


class ValueTable:
    """Callable: instrument -> its values in E8, index 0 now and index 1 + s in scenario s. Equal to the specification's, bit for bit.

    Errors: the specification's `MissingUnderlying`, `MissingExpiry`, `MissingModelSection`.
    """

    def __init__(self, market: MarketSnapshot, model: Model) -> None:
        self.market = market
        self.model = model
        self._expiries: dict[tuple[int, int], tuple[Expiry, tuple[Shock, ...]]] = {}
        self._values: dict[Instrument, tuple[int, ...]] = {}

    def __call__(self, instrument: Instrument) -> tuple[int, ...]:
        """The row of one instrument."""
        if instrument not in self._values:
            self._values[instrument] = self._row(instrument)
        return self._values[instrument]

    def _row(self, instrument: Instrument) -> tuple[int, ...]:
        section = self.model.section(instrument.underlying)
        settled = self.market.underlying(instrument.underlying).settlements
        if instrument.kind.is_dated and all(s.expiry != instrument.expiry for s in settled):
            expiry, shocks = self._prepared(instrument.underlying, instrument.expiry)
            return tuple(dated_value(instrument, expiry, shock) for shock in shocks)
        scenarios = (None, *section.scenarios)
        return tuple(instrument_value(instrument, self.market, section, scenario) for scenario in scenarios)

    def _prepared(self, underlying: int, expiry: int) -> tuple[Expiry, tuple[Shock, ...]]:
        key = (underlying, expiry)
        if key not in self._expiries:
            quote = live_expiry(self.market.underlying(underlying), expiry)
            if quote is None:
                raise SpecError("MissingExpiry", expiry=expiry)
            section = self.model.section(underlying)
            prepared = prepare_expiry(quote, self.market.time)
            shocks = tuple(prepare_shock(section, prepared, s) for s in (None, *section.scenarios))
            self._expiries[key] = (prepared, shocks)
        return self._expiries[key]
