"""Whole accounts inside the EVM: a margin court over its own registries."""

from __future__ import annotations

from scripts.vector_families.case import octets

from evm.machine import ADMIN, NOBODY, Machine
from marginproof.spec.market import decode_market

from .onchain_base import Given, codec_harness, harness

EARLY = 1
"""Block time before every expiry of the vectors, so that all can be registered."""


class Court:
    """A margin court over its own registries."""

    def __init__(self, expiries: dict[int, list[int]], strikes: dict[int, list[int]]) -> None:
        machine = Machine(time=EARLY)
        self.instruments = machine.deploy("InstrumentRegistry", ADMIN)
        self.models = machine.deploy("ModelRegistry", ADMIN)
        self.court = machine.deploy("MarginCourt", self.instruments.address, self.models.address, NOBODY)
        self._published: set[bytes] = set()
        for registry, role in ((self.instruments, "LISTER_ROLE"), (self.models, "MODEL_ROLE")):
            registry.transact("grantRole", registry.call(role), ADMIN)
        for underlying in sorted(expiries):
            assert self.instruments.transact("addUnderlying", f"U{underlying}") == underlying
            for expiry in expiries[underlying]:
                self.instruments.transact("addExpiry", underlying, expiry)
            if strikes[underlying]:
                self.instruments.transact("addStrikes", underlying, strikes[underlying])
            self.court.transact("syncInstruments", underlying)

    def publish(self, data: bytes) -> bytes:
        """The model's hash, published at the first asking."""
        if data not in self._published:
            self.models.transact("publish", data)
            self._published.add(data)
        model_hash: bytes = codec_harness().call("checkModel", data)
        return model_hash

    def figures(self, model_bytes: bytes, portfolio: bytes, market: bytes) -> Given:
        """All figures and losses of a portfolio."""
        model_hash = self.publish(model_bytes)
        value, spot, initial, maintenance, worst = self.court.call("recompute", model_hash, portfolio, market)
        held = worst[::2]
        losses = {str(u): self.court.call("losses", model_hash, portfolio, market, u) for u in held}
        token = decode_market(market).settlement_token_e8
        factors = {str(u): harness().call("initialFactor", model_bytes, u, token) for u in held}
        return {
            "value": value,
            "spotValue": spot,
            "initialMargin": initial,
            "maintenanceMargin": maintenance,
            "worstScenarios": worst,
            "losses": losses,
            "initialFactors": factors,
        }


_COURTS: dict[str, Court] = {}


def court_of(registry: Given) -> Court:
    """The court of a vector's registry, made once."""
    key = repr(registry)
    if key not in _COURTS:
        lists = [
            {int(u): [int(v) for v in values] for u, values in registry[name].items()}
            for name in ("expiries", "strikes")
        ]
        _COURTS[key] = Court(*lists)
    return _COURTS[key]


def instrument(given: Given) -> Given:
    data = int(given["id"]).to_bytes(4, "big") + (1).to_bytes(8, "big")
    (terms,) = court_of(given["registry"]).instruments.call("terms", data)
    return {"expiry": terms >> 64, "strike": terms % 2**64}


def margin(given: Given) -> Given:
    own = court_of(given["registry"])
    return own.figures(*(octets(given[name]) for name in ("model", "portfolio", "market")))
