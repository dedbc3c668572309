"""Family portfolio, topic margin: whole accounts, from bytes to figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from marginproof.spec.add_ons import AddOn
from marginproof.spec.margin import Margin, margin, value_table
from marginproof.spec.market import decode_market
from marginproof.spec.model import decode_model
from marginproof.spec.portfolio import decode_portfolio

from .bad_accounts import account_json, bad_accounts
from .books import good_books
from .case import Draft, Json, Topic, decimal, hexadecimal, octets
from .portfolio import REGISTRY_SCHEMA
from .samples import (
    registry_of,
)
from .schema import BYTES, INTEGER, NATURAL, array, choice, record, table

FIGURES_SCHEMA: Final = record(
    value=INTEGER,
    spotValue=INTEGER,
    initialMargin=NATURAL,
    maintenanceMargin=NATURAL,
    worstScenarios=BYTES,
    losses=table(array(INTEGER)),
    initialFactors=table(NATURAL),
    addOns=table(
        array(
            record(
                name=choice("nakedShortOptions", "perpetuals", "futures", "collateralHaircut", "confidence"),
                notional=NATURAL,
                maintenance=NATURAL,
                initial=NATURAL,
            )
        )
    ),
)


def figures_json(margins: Margin) -> Json:
    """All figures of an account."""
    scans = {str(scan.underlying): scan for scan in margins.scans}
    return {
        "value": decimal(margins.value),
        "spotValue": decimal(margins.spot_value),
        "initialMargin": decimal(margins.initial),
        "maintenanceMargin": decimal(margins.maintenance),
        "worstScenarios": hexadecimal(
            b"".join(bytes((scan.underlying, scan.worst)) for scan in margins.scans)
        ),
        "losses": {id_: [decimal(loss) for loss in scan.losses] for id_, scan in scans.items()},
        "initialFactors": {id_: decimal(scan.initial_factor) for id_, scan in scans.items()},
        "addOns": {id_: [_add_on_json(row) for row in scan.add_ons] for id_, scan in scans.items()},
    }


def _add_on_json(row: AddOn) -> Json:
    return {
        "name": row.name,
        "notional": decimal(row.notional),
        "maintenance": decimal(row.maintenance),
        "initial": decimal(row.initial),
    }


def account_margin(given: Json) -> Margin:
    """The specification's figures of `{registry, model, market, portfolio}`."""
    registry = registry_of(given["registry"])
    model, market = decode_model(octets(given["model"])), decode_market(octets(given["market"]))
    positions = [
        (registry.resolve(p.instrument), p.quantity) for p in decode_portfolio(octets(given["portfolio"]))
    ]
    return margin(positions, value_table(market, model))


def _margins() -> Iterator[Draft]:
    for name, model, market, book, flag in good_books():
        yield Draft(name, account_json(model, market, book), (flag,))
    yield from bad_accounts()


TOPICS: Final = (
    Topic(
        "portfolio",
        "margin",
        "All figures of an account (E8), every loss behind them (E34), the initial factors (WAD) and the add-ons (notionals E16, amounts "
        "10^52).",
        lambda given: figures_json(account_margin(given)),
        _margins,
        record(registry=REGISTRY_SCHEMA, model=BYTES, market=BYTES, portfolio=BYTES),
        FIGURES_SCHEMA,
    ),
)
