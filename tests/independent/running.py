"""Running the checker, and the files of questions it answers."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from marginproof.spec.instruments import Instrument, InstrumentTable
from marginproof.spec.margin import Margin
from marginproof.spec.market import MarketSnapshot, encode_market
from marginproof.spec.model import Model, encode_model
from marginproof.spec.scenario import Vols

Json = Any
CHECKER: Final = Path(__file__).parent / "checker.js"


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The checker's exit code and output."""
    return subprocess.run(["node", str(CHECKER), *arguments], capture_output=True, text=True, check=False)


@dataclass(slots=True)
class Questions:
    """A file of questions under construction: worlds (a model, a market and an instrument table of the same place), then questions."""

    models: list[str] = field(default_factory=list)
    markets: list[str] = field(default_factory=list)
    tables: list[Json] = field(default_factory=list)
    accounts: list[Json] = field(default_factory=list)
    cells: list[Json] = field(default_factory=list)

    def world(self, model: Model, market: MarketSnapshot, table: InstrumentTable) -> Json:
        """Add a world; the keys by which a question refers to it."""
        self.models.append("0x" + encode_model(model).hex())
        self.markets.append("0x" + encode_market(market).hex())
        self.tables.append(table_json(table))
        return dict.fromkeys(("model", "market", "instrumentTable"), len(self.models) - 1)

    def ask(self, mode: str, folder: Path) -> list[Json]:
        """Answers of `margin` or `cells`, in order."""
        path = folder / f"{mode}.json"
        shared = {"models": self.models, "markets": self.markets, "instrumentTables": self.tables}
        path.write_text(
            json.dumps({**shared, "accounts": self.accounts, "cells": self.cells}), encoding="utf-8"
        )
        run = node(mode, str(path))
        assert (run.returncode, run.stderr) == (0, "")
        answers: list[Json] = json.loads(run.stdout)
        return answers


def table_json(table: InstrumentTable) -> Json:
    """The lists that ids refer to, by underlying."""
    return {
        "expiries": {str(u): [str(v) for v in values] for u, values in table.expiries.items()},
        "strikes": {str(u): [str(v) for v in values] for u, values in table.strikes.items()},
    }


def vols_json(vols: Vols) -> Json:
    """Volatilities per strike as the checker takes them."""
    nested: Json = {}
    for option, vol in vols.items():
        of_expiry = nested.setdefault(str(option.underlying), {}).setdefault(str(option.expiry), {})
        of_expiry[str(option.strike_e8)] = str(vol)
    return nested


def describe(instrument: Instrument) -> Json:
    """An instrument as the checker takes it: [underlying, kind, expiry, strike]."""
    return [instrument.underlying, int(instrument.kind), instrument.expiry, str(instrument.strike_e8)]


def figures_json(margin: Margin) -> Json:
    """An account's figures as the checker writes them."""
    return {
        "value": str(margin.value),
        "spotValue": str(margin.spot_value),
        "initialMargin": str(margin.initial),
        "maintenanceMargin": str(margin.maintenance),
        "worstScenarios": "0x"
        + b"".join(bytes((scan.underlying, scan.worst)) for scan in margin.scans).hex(),
        "losses": {str(scan.underlying): [str(loss) for loss in scan.losses] for scan in margin.scans},
        "initialFactors": {str(scan.underlying): str(scan.initial_factor) for scan in margin.scans},
        "addOns": {
            str(scan.underlying): [
                {
                    "name": row.name,
                    "notional": str(row.notional),
                    "maintenance": str(row.maintenance),
                    "initial": str(row.initial),
                }
                for row in scan.add_ons
            ]
            for scan in margin.scans
        },
    }
