"""Family portfolio, topic margin: whole accounts, from bytes to figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from marginproof.spec.limits import MAX_QUANTITY
from marginproof.spec.margin import Margin, margin, value_table
from marginproof.spec.market import MarketSnapshot, decode_market, encode_market
from marginproof.spec.model import Model, decode_model, encode_model
from marginproof.spec.portfolio import Position, decode_portfolio

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .portfolio import REGISTRY_SCHEMA
from .samples import (
    E8,
    EXPIRIES,
    EXTREME,
    EXTREME_MARKET,
    LONE,
    MARKET,
    REGISTRY,
    SECTION,
    SMALL,
    STRIKES,
    all_ids,
    identify,
    model_of,
    raw_portfolio,
    registry_json,
    registry_of,
    spot_id,
)
from .schema import BYTES, INTEGER, NATURAL, array, record, table

FIGURES_SCHEMA: Final = record(
    value=INTEGER,
    spotValue=INTEGER,
    initialMargin=NATURAL,
    maintenanceMargin=NATURAL,
    worstScenarios=BYTES,
    losses=table(array(INTEGER)),
)


def figures_json(margins: Margin) -> Json:
    """All figures of an account."""
    return {
        "value": decimal(margins.value),
        "spotValue": decimal(margins.spot_value),
        "initialMargin": decimal(margins.initial),
        "maintenanceMargin": decimal(margins.maintenance),
        "worstScenarios": hexadecimal(
            b"".join(bytes((scan.underlying, scan.worst)) for scan in margins.scans)
        ),
        "losses": {str(scan.underlying): [decimal(loss) for loss in scan.losses] for scan in margins.scans},
    }


def account_margin(given: Json) -> Margin:
    """The specification's figures of `{registry, model, market, portfolio}`."""
    registry = registry_of(given["registry"])
    model, market = decode_model(octets(given["model"])), decode_market(octets(given["market"]))
    positions = [
        (registry.resolve(p.instrument), p.quantity) for p in decode_portfolio(octets(given["portfolio"]))
    ]
    return margin(positions, model, value_table(market, model))


def account_json(model: Model, market: MarketSnapshot, positions: list[tuple[int, int]]) -> Json:
    """The input of a whole account in the samples' registry."""
    return {
        "registry": registry_json(REGISTRY),
        "model": hexadecimal(encode_model(model)),
        "market": hexadecimal(encode_market(market)),
        "portfolio": hexadecimal(raw_portfolio([Position(*p) for p in sorted(positions)])),
    }


def _option(strike: int, is_put: bool, expiry: int = EXPIRIES[5]) -> int:
    return identify(1, expiry, strike * E8, is_put)


def _books() -> Iterator[tuple[str, list[tuple[int, int]]]]:
    spot, perpetual = spot_id(1), identify(1)
    yield "empty", []
    yield "covered call", [(spot, E8), (_option(80_000, False), -E8)]
    yield "collar", [(spot, E8), (_option(80_000, False), -E8), (_option(60_000, True), E8)]
    yield "short strangle", [(_option(80_000, False), -3 * E8), (_option(60_000, True), -3 * E8)]
    yield "calendar spread", [(_option(70_000, False), -E8), (_option(70_000, False, EXPIRIES[6]), E8)]
    yield "ratio spread", [(_option(70_000, False), E8), (_option(80_000, False), -2 * E8)]
    yield "perpetual carry", [(spot, 5 * E8), (perpetual, -5 * E8)]
    yield "protective put", [(perpetual, E8), (_option(69_000, True), E8)]
    yield "long future", [(identify(1, EXPIRIES[6]), 2 * E8)]
    yield (
        "box: no risk at all",
        [
            (_option(60_000, False), E8),
            (_option(80_000, False), -E8),
            (_option(60_000, True), -E8),
            (_option(80_000, True), E8),
        ],
    )
    yield "expired legs only", [(identify(1, EXPIRIES[0], 70_000 * E8), E8), (identify(1, EXPIRIES[1]), -E8)]
    yield (
        "two underlyings",
        [(perpetual, E8), (spot_id(2), 30 * E8), (identify(2, EXPIRIES[5], 2_000 * E8, True), -9 * E8)],
    )
    yield "one unit of everything smallest", [(perpetual, 1), (_option(70_000, True), -1)]


def _margins() -> Iterator[Draft]:
    draw = draws(602)
    usual, extreme = model_of(SECTION, SECTION), model_of(EXTREME, EXTREME)
    for name, book in _books():
        yield Draft(name, account_json(usual, MARKET, book), ("usual",))
    flat = model_of(*[SMALL] * 2)
    yield Draft(
        "spot only, lowest index among equals",
        account_json(flat, MARKET, [(identify(1, EXPIRIES[0]), 7)]),
        ("tie",),
    )
    everything = all_ids(1)[:64] + all_ids(2)[:64]
    for sign in (1, -1):
        book = [(id_, sign * MAX_QUANTITY) for id_ in everything]
        yield Draft(
            f"128 positions of {sign * MAX_QUANTITY}",
            account_json(extreme, EXTREME_MARKET, book),
            ("corner",),
        )
    dear = [identify(1, expiry, STRIKES[-1], put) for expiry in EXPIRIES for put in (False, True)]
    yield Draft(
        "dearest strikes",
        account_json(extreme, EXTREME_MARKET, [(id_, -MAX_QUANTITY) for id_ in dear]),
        ("corner",),
    )
    for number in range(20):
        ids = draw.sample(all_ids(1), draw.randint(1, 6)) + draw.sample(all_ids(2), draw.randint(0, 4))
        book = [(id_, draw.choice((-1, 1)) * log_uniform(draw, 1, 10**11)) for id_ in ids]
        model = usual if number % 4 == 0 else flat
        yield Draft(f"random book {number}", account_json(model, MARKET, book), ("random",))
    yield from _bad_margins(model_of(SMALL), flat)


def _bad_margins(one: Model, two: Model) -> Iterator[Draft]:
    def draft(name: str, model: Model, market: MarketSnapshot, *positions: tuple[int, int]) -> Draft:
        return Draft(name, account_json(model, market, list(positions)), ("missing",))

    yield draft("no model section", one, MARKET, (identify(2), E8))
    yield draft("no model section for the second", one, MARKET, (identify(1), E8), (spot_id(2), E8))
    yield draft("no market section", two, LONE, (identify(2), E8))
    yield draft("no market section for an option", two, LONE, (identify(2, EXPIRIES[5], STRIKES[1]), E8))
    for kind, strike in (("future", 0), ("call", STRIKES[5])):
        yield draft(
            f"expired {kind} without settlement price", one, LONE, (identify(1, EXPIRIES[0], strike), E8)
        )
        yield draft(f"live {kind} without quote", one, LONE, (identify(1, EXPIRIES[5], strike), E8))
    yield draft("unknown instrument", two, MARKET, (identify(1), E8), ((1 << 26) + (500 << 16), E8))
    yield draft("unknown underlying", two, MARKET, (3 << 26, E8))
    good = account_json(two, MARKET, [(identify(1), E8)])
    for name, portfolio in (
        ("quantity zero", raw_portfolio([Position(identify(1), 0)])),
        ("quantity too large", raw_portfolio([Position(identify(1), -MAX_QUANTITY - 1)])),
        ("not sorted", raw_portfolio([Position(identify(1), 1), Position(spot_id(1), 1)])),
        ("twice", raw_portfolio([Position(identify(1), 1), Position(identify(1), 1)])),
        ("too many", raw_portfolio([Position(id_, 1) for id_ in all_ids(1)[:129]])),
        ("a byte short", octets(good["portfolio"])[:-1]),
    ):
        yield Draft(name, {**good, "portfolio": hexadecimal(portfolio)}, ("codec",))
    yield from _bad_documents(good)
    yield from _bad_legs(two)


def _bad_documents(good: Json) -> Iterator[Draft]:
    """Good accounts whose model or market cannot be read."""
    model, market = octets(good["model"]), octets(good["market"])
    for field, name, data in (
        ("model", "no model", b""),
        ("model", "the model a byte short", model[:-1]),
        ("model", "the model a byte long", model + b"\0"),
        ("model", "the model of version 2", b"\2" + model[1:]),
        ("market", "no market", b""),
        ("market", "the market a byte short", market[:-1]),
        ("market", "the market a byte long", market + b"\0"),
        ("market", "the settlement token worth nothing", market[:8] + bytes(8) + market[16:]),
    ):
        yield Draft(name, {**good, field: hexadecimal(data)}, ("codec",))


def _bad_legs(model: Model) -> Iterator[Draft]:
    """One leg among good ones that cannot be valued: first, between, last."""
    good = [(spot_id(1), E8), (identify(1, EXPIRIES[5]), -E8), (spot_id(2), E8)]
    for name, id_ in (
        ("a spot with a strike", spot_id(1) + 2),
        ("a perpetual put", identify(1) + 1),
        ("a future put", identify(1, EXPIRIES[4]) + 1),
        ("a strike not listed", identify(1, EXPIRIES[6]) + 2 * len(STRIKES) + 2),
        ("an expiry not listed", (2 << 26) + (len(EXPIRIES) + 2 << 16)),
        ("an underlying not listed", 63 << 26),
    ):
        yield Draft(name, account_json(model, MARKET, [*good, (id_, E8)]), ("missing",))
    for name, id_ in (
        ("a put without quote", identify(1, EXPIRIES[6], STRIKES[5], True)),
        ("a put without settlement price", identify(1, EXPIRIES[1], STRIKES[5], True)),
        ("a future without quote, the last leg", identify(1, EXPIRIES[8])),
    ):
        yield Draft(name, account_json(model, LONE, [(spot_id(1), E8), (id_, -1)]), ("missing",))


TOPICS: Final = (
    Topic(
        "portfolio",
        "margin",
        "All figures of an account (E8) and every loss behind them (E34).",
        lambda given: figures_json(account_margin(given)),
        _margins,
        record(registry=REGISTRY_SCHEMA, model=BYTES, market=BYTES, portfolio=BYTES),
        FIGURES_SCHEMA,
    ),
)
