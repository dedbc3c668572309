"""Family dispute, topic judgement: what a leaf is shown to be by a witness, and what its signers pay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from marginproof.spec import judgement
from marginproof.spec.errors import SpecError
from marginproof.spec.hashing import keccak
from marginproof.spec.margin import Margin
from marginproof.spec.market import MarketSnapshot, decode_market, encode_market, market_hash
from marginproof.spec.model import Model, decode_model, encode_model, neutral_section
from marginproof.spec.typed_data import Leaf, leaf_of

from .accounts import account_margin
from .bad_accounts import account_json
from .case import Draft, Json, Topic, decimal, hexadecimal, octets
from .models import BASIS, E8, FULL, SECTION, SMALL, model_of
from .portfolio import REGISTRY_SCHEMA
from .samples import EXPIRIES, LONE, MARKET, identify, registry_of, spot_id
from .schema import BYTES, BYTES32, NATURAL, choice, record
from .typed import (
    LEAF_SCHEMA,
    leaf_json,
    leaf_of_json,
)

MATERIALITY_E8: Final = 100 * E8
Book = list[tuple[int, int]]
_COVERED: Final = "a covered call"
"""Only attacked, at every index: its leaf is true."""


def _judgement(given: Json) -> Json:
    model = octets(given["model"])
    if hexadecimal(keccak(model)) != given["modelHash"]:
        raise SpecError("UnknownModel", hash=given["modelHash"])
    names = ("marketHash", "portfolio", "market", "choices")
    committed, portfolio, market, choices = (octets(given[name]) for name in names)
    leaf, table = leaf_of_json(given["leaf"]), registry_of(given["registry"])
    difference = judgement.judge(leaf, committed, portfolio, market, choices, decode_model(model), table)
    slashed = difference >= max(1, int(given["materialityE8"]))
    return {"differenceE8": decimal(difference), "penalty": "bonds" if slashed else "bounty"}


def _books() -> Iterator[tuple[str, Model, MarketSnapshot, Book]]:
    call, put = identify(1, EXPIRIES[5], 80_000 * E8), identify(1, EXPIRIES[5], 60_000 * E8, True)
    strangle = [(call, -3 * E8), (put, -3 * E8)]
    two = [(identify(1), E8), (spot_id(2), 30 * E8), (identify(2, EXPIRIES[5], 2_000 * E8, True), -9 * E8)]
    yield "a strangle", model_of(SMALL, SMALL), MARKET, strangle
    yield "two underlyings", model_of(FULL, FULL), MARKET, two
    yield _COVERED, model_of(FULL, FULL), MARKET, [(spot_id(1), E8), (call, -E8)]
    yield (
        "a future whose basis decides",
        model_of(neutral_section(1, SMALL.scenarios, **BASIS)),
        LONE,
        [(identify(1, LONE.underlyings[0].expiries[0].expiry), 2 * E8)],
    )


def _other_indices(figures: Margin) -> Iterator[bytes]:
    """Choices that differ from the worst in one index, or in each."""
    true = judgement.worst_choices(figures)
    for place, scan in enumerate(figures.scans):
        for index in range(len(scan.losses)):
            if index != scan.worst:
                yield true[: 2 * place + 1] + bytes((index,)) + true[2 * place + 2 :]
    yield b"".join(bytes((s.underlying, (s.worst + 1) % len(s.losses))) for s in figures.scans)


def _lies(true: Leaf) -> Iterator[tuple[str, Leaf]]:
    """Figures that are wrong, by a unit and by what is material, and by a unit less."""
    for by in (1, MATERIALITY_E8):
        for off in (-by, by):
            yield f"portfolio value off by {off}", replace(true, portfolio_value=true.portfolio_value + off)
        yield f"spot value off by {by}", replace(true, spot_value=true.spot_value + by)
        for field in ("initial_margin", "maintenance_margin"):
            value = getattr(true, field)
            yield f"{field} above by {by}", replace(true, **{field: value + by})
            if value >= by:
                yield f"{field} below by {by}", replace(true, **{field: value - by})
        initial, maintenance = true.initial_margin + by, true.maintenance_margin + by
        yield (
            f"both requirements above by {by}",
            replace(true, initial_margin=initial, maintenance_margin=maintenance),
        )
    less = MATERIALITY_E8 - 1
    yield f"portfolio value off by {less}", replace(true, portfolio_value=true.portfolio_value + less)


def _judgements() -> Iterator[Draft]:
    for name, model, market, book in _books():
        account = account_json(model, market, book)
        figures = account_margin(account)
        true = leaf_of(7, keccak(octets(account["portfolio"])), figures)
        own = true.worst_scenarios

        def draft(
            what: str,
            leaf: Leaf = true,
            choices: bytes = own,
            account: Json = account,
            name: str = name,
            posted: MarketSnapshot = market,
            **changes: Json,
        ) -> Draft:
            given = {
                **account,
                "modelHash": hexadecimal(keccak(octets(account["model"]))),
                "marketHash": hexadecimal(market_hash(posted)),
                "leaf": leaf_json(leaf),
                "choices": hexadecimal(choices),
                "materialityE8": decimal(MATERIALITY_E8),
            }
            return Draft(f"{name}: {what}", {**given, **changes}, ("judgement",))

        others = list(_other_indices(figures))
        yield draft("a true leaf, at its own")
        yield draft("a true leaf, over all scenarios", choices=b"")
        for choices in others:
            yield draft("a true leaf, at another index", choices=choices)
        if name == _COVERED:
            continue
        for what, lie in _lies(true):
            yield draft(f"{what}, at its own", lie)
            if what.startswith("both"):
                yield draft(f"{what}, over all scenarios", lie, b"")
            if "off by 1" in what or what[-4:] == "by 1":
                yield draft(f"{what}, at another index", lie, others[0])
        for choices in others[:: max(1, len(others) // 4)]:
            wrong = replace(true, worst_scenarios=choices)
            yield draft("another index in the leaf, at itself", wrong, choices)
            yield draft("another index in the leaf, at the worst", wrong, own)
            yield draft("another index in the leaf, over all scenarios", wrong, b"")
        for what, worst in (("a byte short", own[:-1]), ("none", b""), ("one too many", own + own[-2:])):
            wrong = replace(true, worst_scenarios=worst)
            yield draft(f"worst scenarios of the leaf: {what}, at the worst", wrong, own)
            yield draft(f"worst scenarios of the leaf: {what}, at themselves", wrong, worst)
        yield from _bad_witnesses(draft, own, market, octets(account["portfolio"]), figures)


def _bad_witnesses(
    draft: Any, own: bytes, market: MarketSnapshot, portfolio: bytes, figures: Margin
) -> Iterator[Draft]:
    """Each for one reason, against a true leaf."""
    data = encode_market(market)
    counts = [len(scan.losses) for scan in figures.scans]
    for place, count in enumerate(counts):
        for index in (count, 255):
            beyond = own[: 2 * place + 1] + bytes((index,)) + own[2 * place + 2 :]
            yield draft(f"index {index} of {count}", choices=beyond)
    for what, choices in (
        ("a byte short", own[:-1]),
        ("a byte long", own + b"\0"),
        ("an underlying too many", own + bytes((63, 0))),
        ("another underlying", bytes((63,)) + own[1:]),
        ("an underlying twice", own + own[-2:]),
    ):
        yield draft(f"choices: {what}", choices=choices)
    if len(own) > 2:
        yield draft("choices in another order", choices=own[2:] + own[:2])
        yield draft("choices without the second", choices=own[:2])
    for what, given in (
        ("truncated", data[:-1]),
        ("without its last quote", data[:-68]),
        ("padded", data + b"\0"),
        ("empty", b""),
    ):
        yield draft(f"market bytes {what}", market=hexadecimal(given))
    first = market.underlyings[0]
    for what, part in (
        ("spot", replace(first, spot_e8=first.spot_e8 + 1)),
        ("perpetual", replace(first, perpetual_e8=first.perpetual_e8 + 1)),
        ("funding", replace(first, funding_e8=first.funding_e8 - 1)),
        ("quotes", replace(first, expiries=first.expiries[:-1])),
    ):
        other = replace(market, underlyings=(part, *market.underlyings[1:]))
        yield draft(f"market bytes of another epoch: {what}", market=hexadecimal(encode_market(other)))
    other = replace(market, settlement_token_e8=market.settlement_token_e8 - 1)
    yield draft("market bytes of another epoch: settlement token", market=hexadecimal(encode_market(other)))
    for what, held in (
        ("truncated", portfolio[:-1]),
        ("without its last position", portfolio[:-12]),
        ("padded", portfolio + b"\0"),
        ("reordered", portfolio[12:] + portfolio[:12]),
        ("empty", b""),
    ):
        if held != portfolio:
            yield draft(f"portfolio bytes {what}", portfolio=hexadecimal(held))
    yield draft("a model of another version", modelHash=hexadecimal(keccak(encode_model(model_of(SECTION)))))


def _unpriced() -> Iterator[Draft]:
    """A leaf of what has no price, whatever it says."""
    for name, model, market, position in (
        ("no quote for what is held", model_of(SMALL, SMALL), LONE, (identify(1, EXPIRIES[5]), E8)),
        ("no section of the model", model_of(SMALL), MARKET, (identify(2), E8)),
        ("no section of the market", model_of(SMALL, SMALL), LONE, (identify(2), E8)),
        ("an instrument that nobody listed", model_of(SMALL, SMALL), MARKET, ((1 << 26) + (500 << 16), E8)),
    ):
        account = account_json(model, market, [position])
        own = bytes((position[0] >> 26, 0))
        leaf = Leaf(7, keccak(octets(account["portfolio"])), 1, 0, 1, 1, own)
        for choices in (own, b""):
            given = {
                **account,
                "modelHash": hexadecimal(keccak(octets(account["model"]))),
                "marketHash": hexadecimal(market_hash(market)),
                "leaf": leaf_json(leaf),
                "choices": hexadecimal(choices),
                "materialityE8": decimal(MATERIALITY_E8),
            }
            yield Draft(name, given, ("missing",))


def _all_judgements() -> Iterator[Draft]:
    yield from _judgements()
    yield from _unpriced()
    account = account_json(model_of(SMALL), LONE, [])
    empty = Leaf(7, keccak(b""), 0, 0, 0, 0, b"")
    for name, leaf in (
        ("nothing held: a true leaf", empty),
        ("nothing held: a value", replace(empty, portfolio_value=1)),
        ("nothing held: both requirements", replace(empty, initial_margin=10**12, maintenance_margin=1)),
        ("nothing held: worst scenarios", replace(empty, worst_scenarios=bytes((1, 0)))),
    ):
        given = {
            **account,
            "modelHash": hexadecimal(keccak(octets(account["model"]))),
            "marketHash": hexadecimal(market_hash(decode_market(octets(account["market"])))),
            "leaf": leaf_json(leaf),
            "choices": "0x",
            "materialityE8": decimal(MATERIALITY_E8),
        }
        yield Draft(name, given, ("corner",))


TOPICS: Final = (
    Topic(
        "dispute",
        "judgement",
        "By how much a witness shows a leaf wrong (E8), and what its signers pay for it; no choices stand for all scenarios.",
        _judgement,
        _all_judgements,
        record(
            registry=REGISTRY_SCHEMA,
            model=BYTES,
            market=BYTES,
            portfolio=BYTES,
            modelHash=BYTES32,
            marketHash=BYTES32,
            leaf=LEAF_SCHEMA,
            choices=BYTES,
            materialityE8=NATURAL,
        ),
        record(differenceE8=NATURAL, penalty=choice("bounty", "bonds")),
    ),
)
