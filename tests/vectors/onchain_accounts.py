"""Whole accounts inside the EVM: a margin court over its own registries."""

from __future__ import annotations

from dataclasses import replace

from scripts.vector_families.case import octets
from scripts.vector_families.samples import TIME, WAD

from evm.machine import ADMIN, Machine
from marginproof.spec.model import Model, decode_model, encode_model
from marginproof.spec.portfolio import Position, encode_portfolio

from .onchain_base import Given, harness

EARLY = 1
"""Block time before every expiry of the vectors, so that all can be registered."""
UNIT = 10**8


class Court:
    """A margin court over its own registries."""

    def __init__(self, expiries: dict[int, list[int]], strikes: dict[int, list[int]]) -> None:
        machine = Machine(time=EARLY)
        self.instruments = machine.deploy("InstrumentRegistry", ADMIN)
        self.models = machine.deploy("ModelRegistry", ADMIN)
        self.court = machine.deploy("MarginCourt", self.instruments.address, self.models.address)
        self._published: set[bytes] = set()
        for registry, role in ((self.instruments, "LISTER_ROLE"), (self.models, "MODEL_ROLE")):
            registry.transact("grantRole", registry.call(role), ADMIN)
        for underlying in sorted(expiries):
            assert self.instruments.transact("addUnderlying", f"U{underlying}") == underlying
            for expiry in expiries[underlying]:
                self.instruments.transact("addExpiry", underlying, expiry)
            if strikes[underlying]:
                self.instruments.transact("addStrikes", underlying, strikes[underlying])

    def publish(self, data: bytes) -> bytes:
        """The model's hash, published at the first asking."""
        if data not in self._published:
            self.models.transact("publish", data)
            self._published.add(data)
        model_hash: bytes = harness().call("checkModel", data)
        return model_hash

    def figures(self, model_bytes: bytes, portfolio: bytes, market: bytes) -> Given:
        """All figures and losses of a portfolio."""
        model_hash = self.publish(model_bytes)
        value, spot, initial, maintenance, worst = self.court.call("recompute", model_hash, portfolio, market)
        held = worst[::2]
        losses = {str(u): self.court.call("losses", model_hash, portfolio, market, u) for u in held}
        return {
            "value": value,
            "spotValue": spot,
            "initialMargin": initial,
            "maintenanceMargin": maintenance,
            "worstScenarios": worst,
            "losses": losses,
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


def value(given: Given) -> Given:
    """The value in a scenario is the value now less the loss of one unit, every weight being one."""
    sections = [
        replace(section, scenarios=tuple(replace(s, weight_wad=WAD) for s in section.scenarios))
        for section in decode_model(octets(given["model"])).sections
    ]
    underlying, kind = int(given["underlying"]), given["kind"]
    expiry, strike = int(given["expiry"]), int(given["strike"])
    own = court_of(
        {
            "expiries": {"1": [expiry or TIME], "2": [expiry or TIME]},
            "strikes": {"1": [strike or UNIT], "2": [strike or UNIT]},
        }
    )
    expiry_index = {"spot": 0, "perpetual": 1}.get(kind, 2)
    id_ = underlying << 26 | expiry_index << 16 | (kind in ("call", "put")) << 1 | (kind == "put")
    portfolio = encode_portfolio([Position(id_, UNIT)])
    figures = own.figures(encode_model(Model(tuple(sections))), portfolio, octets(given["market"]))
    now: int = figures["value"]
    if given["scenario"] == "now":
        return {"value": now}
    moved, rest = divmod(figures["losses"][given["underlying"]][int(given["scenario"])], WAD * UNIT)
    assert rest == 0
    return {"value": now - moved}


def instrument(given: Given) -> Given:
    data = int(given["id"]).to_bytes(4, "big") + (1).to_bytes(8, "big")
    (terms,) = court_of(given["registry"]).instruments.call("terms", data)
    return {"expiry": terms >> 64, "strike": terms % 2**64}


def margin(given: Given) -> Given:
    own = court_of(given["registry"])
    return own.figures(*(octets(given[name]) for name in ("model", "portfolio", "market")))
