"""Family portfolio, topic margin: accounts that have no margin, each for one reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from marginproof.spec.limits import MAX_QUANTITY, MAX_WEIGHT
from marginproof.spec.market import MarketSnapshot, Settlement, encode_market
from marginproof.spec.model import Model, Scenario, VolKind, encode_model
from marginproof.spec.portfolio import Position

from .case import Draft, Json, hexadecimal, octets
from .market_changes import changed, changed_quote, raw_market
from .model import raw_model
from .models import E8, SMALL, WAD, model_of
from .samples import (
    EXPIRIES,
    LONE,
    MARKET,
    REGISTRY,
    SMILE,
    STRIKES,
    TIME,
    all_ids,
    identify,
    raw_portfolio,
    registry_json,
    spot_id,
)


def account_json(model: Model, market: MarketSnapshot, positions: list[tuple[int, int]]) -> Json:
    """The input of a whole account in the samples' registry."""
    return {
        "registry": registry_json(REGISTRY),
        "model": hexadecimal(encode_model(model)),
        "market": hexadecimal(encode_market(market)),
        "portfolio": hexadecimal(raw_portfolio([Position(*p) for p in sorted(positions)])),
    }


def bad_accounts() -> Iterator[Draft]:
    """Every account that has none."""
    one, two = model_of(SMALL), model_of(SMALL, SMALL)

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
    """Good accounts whose model or market cannot be read, or is refused."""
    model, market = octets(good["model"]), octets(good["market"])
    for field, name, data in (
        ("model", "no model", b""),
        ("model", "the model a byte short", model[:-1]),
        ("model", "the model a byte long", model + b"\0"),
        ("model", "the model of version 1", b"\1" + model[1:]),
        ("market", "no market", b""),
        ("market", "the market a byte short", market[:-1]),
        ("market", "the market a byte long", market + b"\0"),
        ("market", "the settlement token worth nothing", market[:8] + bytes(8) + market[16:]),
        *(("model", name, raw_model(document)) for name, document in _refused_models()),
        *(("market", name, raw_market(document)) for name, document in _refused_markets()),
    ):
        yield Draft(name, {**good, field: hexadecimal(data)}, ("codec",))


def _refused_models() -> Iterator[tuple[str, Model]]:
    """The fault stands in the section of the second underlying, which the account does not hold."""
    heavy = Scenario(WAD, VolKind.UP, MAX_WEIGHT + 1)
    stray = Scenario(WAD, VolKind.DOWN, WAD, 1)
    for name, section in (
        ("kMin of 0", replace(SMALL, skew_minimum=0)),
        ("a weight over the cap", replace(SMALL, scenarios=(*SMALL.scenarios, heavy))),
        ("an amount with a kind that takes none", replace(SMALL, scenarios=(*SMALL.scenarios, stray))),
        ("maintenance above initial", replace(SMALL, maintenance_factor=WAD + 1)),
        ("a haircut above one", replace(SMALL, haircut_initial=WAD + 1)),
        ("no scenarios", replace(SMALL, scenarios=())),
    ):
        yield name, model_of(SMALL, section)
    yield "sections out of order", Model((replace(SMALL, underlying=2), SMALL))


def _refused_markets() -> Iterator[tuple[str, MarketSnapshot]]:
    yield from (
        ("a forward of 0", changed_quote(forward_e8=0)),
        ("a forward that would be negative", changed_quote(forward_e8=2**64 - 1)),
        ("a smile with negative variance", changed_quote(svi=replace(SMILE, a=-(10**17)))),
        ("a market older than its settlement", changed(settlements=(Settlement(TIME + 1, E8),))),
        ("a market younger than its expiry", changed_quote(expiry=TIME)),
        ("a perpetual worth nothing", changed(perpetual_e8=0)),
        ("a confidence above one", changed_quote(confidence_wad=WAD + 1)),
    )


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
    for place, first in enumerate((EXPIRIES[3], EXPIRIES[5], EXPIRIES[8])):
        legs = [(spot_id(1), E8), (identify(1, EXPIRIES[6], STRIKES[place]), -E8), (identify(1, first), E8)]
        yield Draft(f"the market lacks leg {place}", account_json(model, LONE, legs), ("missing",))
    for name, id_ in (
        ("a put without quote", identify(1, EXPIRIES[5], STRIKES[5], True)),
        ("a put without settlement price", identify(1, EXPIRIES[1], STRIKES[5], True)),
        ("a future without quote, the last leg", identify(1, EXPIRIES[8])),
    ):
        yield Draft(name, account_json(model, LONE, [(spot_id(1), E8), (id_, -1)]), ("missing",))
