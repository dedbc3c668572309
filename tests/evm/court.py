"""A court with its registries in the machine, and the ids that a specification's instruments have there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marginproof.spec.instruments import IdParts, Instrument, Kind, instrument_id
from marginproof.spec.market import MarketSnapshot, encode_market, market_hash
from marginproof.spec.model import Model, encode_model
from marginproof.spec.portfolio import Position, encode_portfolio

from .machine import ADMIN, Contract, Machine


class Court:
    """InstrumentRegistry, ModelRegistry and MarginCourt, with a stub of the epochs; instruments are registered as they are met.

    `underlyings` are symbols to register; expiries may lie in the past of the market, not of the machine, whose time is 1 until
    `machine.set_time` is called. With `syncs` the court has a copy of every instrument in a portfolio that was made here; without, it asks
    the registry.
    """

    def __init__(self, underlyings: int = 2, time: int = 1, *, syncs: bool = True) -> None:
        self.machine = Machine(time=time)
        self.instruments = self.machine.deploy("InstrumentRegistry", ADMIN)
        self.models = self.machine.deploy("ModelRegistry", ADMIN)
        self.instruments.transact("grantRole", self.instruments.call("LISTER_ROLE"), ADMIN)
        self.models.transact("grantRole", self.models.call("MODEL_ROLE"), ADMIN)
        self.epochs = self.machine.deploy("TestEpochs")
        self.court: Contract = self.machine.deploy(
            "MarginCourt", self.instruments.address, self.models.address, self.epochs.address
        )
        self.expiries: dict[int, list[int]] = {}
        self.strikes: dict[int, list[int]] = {}
        for number in range(underlyings):
            underlying = self.instruments.transact("addUnderlying", f"U{number + 1}")
            self.expiries[underlying], self.strikes[underlying] = [], []
        self._syncs = syncs
        self._changed = set(self.expiries)

    def publish(self, model: Model) -> bytes:
        """Publish a model; returns its hash."""
        return bytes(self.models.transact("publish", encode_model(model)))

    def id_of(self, instrument: Instrument) -> int:
        """The id of an instrument, its expiry and strike registered first if they are not."""
        if not instrument.kind.is_dated:
            return instrument_id(IdParts(instrument.underlying, int(instrument.kind), 0, False))
        expiries, strikes = self.expiries[instrument.underlying], self.strikes[instrument.underlying]
        if instrument.expiry not in expiries:
            self.instruments.transact("addExpiry", instrument.underlying, instrument.expiry)
            expiries.append(instrument.expiry)
            self._changed.add(instrument.underlying)
        strike_index = 0
        if instrument.kind.is_option:
            if instrument.strike_e8 not in strikes:
                self.instruments.transact("addStrikes", instrument.underlying, [instrument.strike_e8])
                strikes.append(instrument.strike_e8)
                self._changed.add(instrument.underlying)
            strike_index = strikes.index(instrument.strike_e8) + 1
        is_put = instrument.kind == Kind.PUT
        parts = IdParts(instrument.underlying, expiries.index(instrument.expiry) + 2, strike_index, is_put)
        return instrument_id(parts)

    def portfolio(self, positions: Sequence[tuple[Instrument, int]]) -> bytes:
        """The packed bytes of positions in any order."""
        portfolio = encode_portfolio(
            sorted(Position(self.id_of(instrument), quantity) for instrument, quantity in positions)
        )
        if self._syncs:
            self.sync()
        return portfolio

    def sync(self) -> None:
        """Let the court copy what was registered since the last time."""
        for underlying in sorted(self._changed):
            self.court.transact("syncInstruments", underlying)
        self._changed.clear()

    def recompute(self, model_hash: bytes, portfolio: bytes, market: MarketSnapshot) -> Any:
        """The court's figures over all scenarios."""
        return self.court.call("recompute", model_hash, portfolio, encode_market(market))

    def reprice(self, model_hash: bytes, portfolio: bytes, market: MarketSnapshot, choices: bytes) -> Any:
        """The court's figures under chosen scenarios."""
        return self.court.call("repriceScenario", model_hash, portfolio, encode_market(market), choices)

    def post(self, market: MarketSnapshot) -> None:
        """Make a market the newest epoch's, so that the court need not check it."""
        self.epochs.transact("setMarket", market_hash(market))

    def forget(self) -> None:
        """No epoch is posted: the court checks every market."""
        self.epochs.transact("setMarket", bytes(32))

    def losses_at(
        self, model_hash: bytes, portfolio: bytes, market: MarketSnapshot, choices: bytes
    ) -> list[int]:
        """The court's loss at the chosen index of each held underlying, E34."""
        return list(self.court.call("lossesAt", model_hash, portfolio, encode_market(market), choices))

    def losses(
        self, model_hash: bytes, portfolio: bytes, market: MarketSnapshot, underlying: int
    ) -> list[int]:
        """The court's losses of one underlying, E34."""
        return list(self.court.call("losses", model_hash, portfolio, encode_market(market), underlying))
