"""Family portfolio, topic margin: the accounts that have a margin, and the models that ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from marginproof.spec.limits import MAX_QUANTITY, MAX_SETTLEMENT_TOKEN
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, neutral_section

from .case import draws, log_uniform
from .models import (
    ADD_ONS,
    BASIS,
    DELTA_CHARGE,
    DISCOUNTS,
    E8,
    EXTREME,
    FULL,
    LOWEST,
    MILLI,
    PEG,
    SECTION,
    SHORT_MINIMUM,
    SKEWS,
    SMALL,
    WAD,
    model_of,
)
from .samples import EXPIRIES, EXTREME_MARKET, LONE, MARKET, STRIKES, all_ids, identify, spot_id

Book = list[tuple[int, int]]
Good = tuple[str, Model, MarketSnapshot, Book, str]
"""Name, model, market, positions, flag."""

_ONE_MOVE: Final = (Scenario(955 * MILLI, VolKind.NONE, WAD),)
_STILL: Final = (Scenario(WAD, VolKind.NONE, WAD),)


def _option(strike: int, is_put: bool, expiry: int = EXPIRIES[5]) -> int:
    return identify(1, expiry, strike * E8, is_put)


def _books() -> Iterator[tuple[str, Book]]:
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


def _usual() -> Iterator[Good]:
    models = {"usual": model_of(SECTION, SECTION), "everything on": model_of(FULL, FULL)}
    for number, (name, book) in enumerate(_books()):
        chosen = ("everything on",) if number % 3 else models
        for model in chosen:
            yield f"{name}, {model}", models[model], MARKET, book, "usual"


def _features() -> Iterator[Good]:
    """One feature of a model at a time, over a book in which each of them shows."""
    parts: dict[str, Any] = {
        "discounts": DISCOUNTS,
        "basis": BASIS,
        "delta": DELTA_CHARGE,
        "short minimum": SHORT_MINIMUM,
        "peg": PEG,
        **{f"add-on {name}": {name: ADD_ONS[name]} for name in ADD_ONS if not name.startswith("confidence")},
        "confidence": {name: ADD_ONS[name] for name in ADD_ONS if name.startswith("confidence")},
    }
    book = [
        (spot_id(1), E8 // 3),
        (identify(1), -2 * E8),
        (identify(1, EXPIRIES[3]), E8 + 7),
        (_option(60_000, False, EXPIRIES[3]), -2 * E8),
        (_option(60_000, True, EXPIRIES[3]), E8 - 1),
        (_option(100_000, False, EXPIRIES[6]), 3 * E8),
        (_option(100_000, True, EXPIRIES[8]), -E8),
    ]
    for name, fields in parts.items():
        section = neutral_section(1, _ONE_MOVE, **fields)
        yield f"one move and {name}", model_of(section), MARKET, book, "feature"
    for kind in (VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW):
        section = neutral_section(1, (Scenario(500 * MILLI, kind, WAD),), **SKEWS)
        yield f"{kind.name.lower()} alone", model_of(section), MARKET, book, "feature"
        mirrored = [(id_, -quantity) for id_, quantity in book]
        yield f"{kind.name.lower()} alone, mirrored", model_of(section), MARKET, mirrored, "feature"


def _peg_and_confidence() -> Iterator[Good]:
    perpetual = [(identify(1), E8), (_option(70_000, False, EXPIRIES[3]), -E8)]
    full = model_of(FULL)
    for token in (1, 99_994_999, 99_995_000, MAX_SETTLEMENT_TOKEN):
        market = replace(LONE, settlement_token_e8=token, underlyings=MARKET.underlyings[:1])
        yield f"settlement token at {token}", full, market, perpetual, "peg"
    odd = model_of(replace(FULL, peg_factor=WAD + 7))
    yield (
        "a peg part that is rounded up",
        odd,
        replace(MARKET, settlement_token_e8=99_994_998),
        perpetual,
        "peg",
    )
    base = MARKET.underlyings[0]
    for confidence in (0, 549_999 * 10**12, 550 * MILLI, WAD):
        market = replace(MARKET, underlyings=(replace(base, confidence_wad=confidence),))
        yield f"confidence {confidence}", full, market, perpetual, "confidence"


def _charges() -> Iterator[Good]:
    """Each charge as the worst, and as great as a scenario or another charge: the lowest index wins."""
    call, put = _option(70_000, False), _option(60_000, True)
    future = identify(1, EXPIRIES[6])
    for name, fields, book in (
        ("basis", BASIS, [(future, E8)]),
        ("basis, sold", BASIS, [(future, -E8)]),
        ("delta", DELTA_CHARGE, [(identify(1), E8), (call, -E8)]),
        ("short minimum", SHORT_MINIMUM, [(call, -E8), (put, -E8), (_option(100_000, False), E8)]),
    ):
        section = neutral_section(1, _STILL, **fields)
        yield f"{name} is the worst", model_of(section), MARKET, book, "charge"
    both = neutral_section(1, _STILL, **BASIS, **DELTA_CHARGE, **SHORT_MINIMUM)
    settled = [(identify(1, EXPIRIES[0]), E8)]
    yield "nothing moves, so every charge ties at 0", model_of(both), MARKET, settled, "tie"
    unit = neutral_section(1, _ONE_MOVE, basis_up=WAD, basis_down=955 * MILLI, basis_base=WAD)
    yield "the basis charge ties with the scenario", model_of(unit), MARKET, [(future, E8)], "tie"
    twice = neutral_section(1, _ONE_MOVE * 3, delta_net=45 * MILLI)
    yield "three scenarios tie", model_of(twice), MARKET, [(identify(1), E8)], "tie"
    gain = neutral_section(1, (Scenario(2 * WAD, VolKind.NONE, WAD), *_ONE_MOVE[:1] * 1), short_minimum=E8)
    yield (
        "a charge of 0 above nothing but gains",
        model_of(gain),
        MARKET,
        [(spot_id(1), -1), (future, 0 + 1)],
        "tie",
    )
    free = neutral_section(1, (Scenario(WAD, VolKind.NONE, 0),))
    yield "a weight of 0", model_of(free), MARKET, [(spot_id(1), E8)], "tie"


def _largest() -> Iterator[Good]:
    extreme, lowest = model_of(EXTREME, EXTREME), model_of(LOWEST, LOWEST)
    everything = all_ids(1)[:64] + all_ids(2)[:64]
    for sign in (1, -1):
        book = [(id_, sign * MAX_QUANTITY) for id_ in everything]
        yield f"128 positions of {sign * MAX_QUANTITY}", extreme, EXTREME_MARKET, book, "corner"
    mixed = [(id_, (-1) ** i * (i + 1) * E8) for i, id_ in enumerate(all_ids(1)[-128:])]
    yield "128 positions of either sign, everything on", model_of(FULL, FULL), MARKET, mixed, "corner"
    dear = [identify(1, expiry, STRIKES[-1], put) for expiry in EXPIRIES for put in (False, True)]
    short = [(id_, -MAX_QUANTITY) for id_ in dear]
    yield "dearest strikes", extreme, EXTREME_MARKET, short, "corner"
    yield "every parameter at its bottom", lowest, EXTREME_MARKET, short[:2], "corner"


def _random() -> Iterator[Good]:
    draw = draws(602)
    full = model_of(FULL, FULL)
    for number in range(20):
        ids = draw.sample(all_ids(1), draw.randint(1, 6)) + draw.sample(all_ids(2), draw.randint(0, 4))
        book = [(id_, draw.choice((-1, 1)) * log_uniform(draw, 1, 10**11)) for id_ in ids]
        yield f"random book {number}", full, MARKET, book, "random"
    for number in range(10):
        section = _random_section(FULL, 603 + number)
        book = [(id_, draw.choice((-1, 1)) * draw.randint(1, 10**10)) for id_ in draw.sample(all_ids(1), 8)]
        yield f"random model {number}", model_of(section), MARKET, book, "random"


def _random_section(section: ModelSection, seed: int) -> ModelSection:
    """A section with a few charges, discounts and add-ons of other sizes, or absent."""
    draw = draws(seed)
    changes: dict[str, Any] = {}
    for group in (DISCOUNTS, BASIS, DELTA_CHARGE, SHORT_MINIMUM, ADD_ONS):
        for name, usual in group.items():
            changes[name] = draw.choice((usual, max(1, usual // 2), min(WAD, 2 * usual)))
    for group in draw.sample((BASIS, DELTA_CHARGE, SHORT_MINIMUM), draw.randint(0, 2)):
        for name in group:
            if name not in ("basis_up", "basis_down"):
                changes[name] = 0
    return replace(section, **changes)


def good_books() -> Iterator[Good]:
    """Every account that has a margin."""
    yield from _usual()
    yield from _features()
    yield from _peg_and_confidence()
    yield from _charges()
    flat = model_of(SMALL, SMALL)
    yield "spot only, lowest index among equals", flat, MARKET, [(identify(1, EXPIRIES[0]), 7)], "tie"
    yield from _largest()
    yield from _random()
