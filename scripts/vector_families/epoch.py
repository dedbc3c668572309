"""Family epoch: what a header commits to, and whole small epochs from accounts to the digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from marginproof.spec import tree, typed_data
from marginproof.spec.errors import SpecError
from marginproof.spec.market import MarketSnapshot, decode_market, encode_market, market_hash
from marginproof.spec.model import Model, decode_model, encode_model, model_hash
from marginproof.spec.portfolio import Position, decode_portfolio, portfolio_hash
from marginproof.spec.typed_data import EpochHeader, leaf_of

from .accounts import account_margin
from .case import Draft, Json, Topic, decimal, hexadecimal, octets
from .market_changes import changed, changed_quote
from .models import E8, FULL, SMALL, model_of
from .portfolio import REGISTRY_SCHEMA
from .samples import (
    EXPIRIES,
    LONE,
    MARKET,
    REGISTRY,
    TIME,
    identify,
    raw_portfolio,
    registry_json,
    spot_id,
)
from .schema import BYTES, BYTES32, NATURAL, array, record
from .typed import (
    CONTRACT,
    DOMAIN_FIELDS,
    HEADER,
    HEADER_SCHEMA,
    LEAF_SCHEMA,
    domain_json,
    header_json,
    header_of,
    leaf_json,
    separator_of,
)

MAX_AGE: Final = 3600
COMMITTED_MODEL: Final = model_of(SMALL, SMALL)


def _commitments(given: Json) -> Json:
    header, market = header_of(given["header"]), decode_market(octets(given["market"]))
    current, actual = octets(given["modelHash"]), market_hash(market)
    if header.model_hash != current:
        raise SpecError("WrongModel", claimed=hexadecimal(header.model_hash), current=hexadecimal(current))
    if header.market_hash != actual:
        raise SpecError(
            "WrongMarketHash", claimed=hexadecimal(header.market_hash), actual=hexadecimal(actual)
        )
    if header.time != market.time:
        raise SpecError("WrongMarketTime", marketTime=market.time, headerTime=header.time)
    expected = min(market.time + int(given["maxAge"]), market.next_expiry())
    if header.valid_until != expected:
        raise SpecError("WrongValidUntil", validUntil=header.valid_until, expected=expected)
    return {"validUntil": decimal(expected), "structHash": hexadecimal(header.struct_hash())}


def _commitment_drafts() -> Iterator[Draft]:
    current = model_hash(COMMITTED_MODEL)
    later = changed_quote(expiry=TIME + 86_400)
    edge = changed_quote(expiry=TIME + MAX_AGE)
    past = changed(expiries=())

    def draft(name: str, market: MarketSnapshot, **changes: Any) -> Draft:
        good = replace(
            HEADER,
            time=market.time,
            valid_until=min(market.time + MAX_AGE, market.next_expiry()),
            model_hash=current,
            market_hash=market_hash(market),
        )
        given = {
            "header": header_json(replace(good, **changes)),
            "market": hexadecimal(encode_market(market)),
            "modelHash": hexadecimal(current),
            "maxAge": decimal(MAX_AGE),
        }
        return Draft(name, given, ("commitment",))

    yield draft("valid until the maximum age", later)
    yield draft("valid until the next expiry", changed_quote(expiry=TIME + 60))
    yield draft("the next expiry at the maximum age", edge)
    yield draft("no live expiry", past)
    yield draft("a second after the maximum age", later, valid_until=TIME + MAX_AGE + 1)
    yield draft("a second before the maximum age", later, valid_until=TIME + MAX_AGE - 1)
    yield draft("beyond the next expiry", changed_quote(expiry=TIME + 60), valid_until=TIME + MAX_AGE)
    yield draft("valid for ever", later, valid_until=2**64 - 1)
    yield draft("another model", later, model_hash=bytes(32))
    yield draft("the hash of another market", later, market_hash=market_hash(edge))
    yield draft("no market hash", later, market_hash=bytes(32))
    for shift in (-1, 1):
        yield draft(f"header time {shift:+d} s", later, time=TIME + shift, valid_until=TIME + shift + MAX_AGE)


def _epoch(given: Json) -> Json:
    market = decode_market(octets(given["market"]))
    leaves = []
    for account, portfolio in enumerate(given["portfolios"]):
        figures = account_margin({**given, "portfolio": portfolio})
        leaves.append(leaf_of(account, portfolio_hash(decode_portfolio(octets(portfolio))), figures))
    hashes = [leaf.struct_hash() for leaf in leaves]
    header = EpochHeader(
        round=int(given["round"]),
        time=market.time,
        block_number=int(given["blockNumber"]),
        block_hash=octets(given["blockHash"]),
        valid_until=min(market.time + int(given["maxAge"]), market.next_expiry()),
        model_hash=model_hash(decode_model(octets(given["model"]))),
        market_hash=market_hash(market),
        leaf_root=tree.root(hashes),
        leaf_count=len(leaves),
    )
    return {
        "leaves": [leaf_json(leaf) for leaf in leaves],
        "leafHashes": [hexadecimal(value) for value in hashes],
        "header": header_json(header),
        "digest": hexadecimal(typed_data.digest(separator_of(given), header.struct_hash())),
    }


def _epochs() -> Iterator[Draft]:
    call, put = (identify(1, EXPIRIES[5], 70_000 * E8, is_put) for is_put in (False, True))
    books = [
        raw_portfolio([Position(*p) for p in book])
        for book in (
            [],
            [(spot_id(1), E8), (call, -E8)],
            [(call, -3 * E8), (put, -3 * E8)],
            [(identify(1), E8), (identify(2), -20 * E8)],
            [(identify(1, EXPIRIES[0], 60_000 * E8), 5)],
        )
    ]

    def draft(
        name: str, market: MarketSnapshot, portfolios: list[bytes], model: Model = COMMITTED_MODEL
    ) -> Draft:
        given = {
            **domain_json(contract=CONTRACT),
            "registry": registry_json(REGISTRY),
            "model": hexadecimal(encode_model(model)),
            "market": hexadecimal(encode_market(market)),
            "portfolios": [hexadecimal(data) for data in portfolios],
            "round": "1",
            "blockNumber": "100",
            "blockHash": hexadecimal(HEADER.block_hash),
            "maxAge": decimal(MAX_AGE),
        }
        return Draft(name, given, ("whole",))

    yield draft("no account", MARKET, [])
    yield draft("one empty account", MARKET, books[:1])
    yield draft("two accounts", MARKET, books[:2])
    yield draft("five accounts", MARKET, books)
    yield draft("nine accounts", MARKET, books + books[1:])
    yield draft("five accounts under a model with everything on", MARKET, books, model_of(FULL, FULL))
    yield draft("an account whose underlying is not in the market", LONE, books[3:4])
    yield draft("an account with a leg that was not settled", LONE, [books[0], books[4]])
    yield draft("an account with a bad portfolio", MARKET, [books[0], raw_portfolio([Position(call, 0)])])
    yield draft("an account with an unknown instrument", MARKET, [books[0], raw_portfolio([Position(1, 1)])])


TOPICS: Final = (
    Topic(
        "epoch",
        "commitments",
        "Whether a header agrees with the market it commits to, the current model and the maximum age (seconds).",
        _commitments,
        _commitment_drafts,
        record(header=HEADER_SCHEMA, market=BYTES, modelHash=BYTES32, maxAge=NATURAL),
        record(validUntil=NATURAL, structHash=BYTES32),
    ),
    Topic(
        "epoch",
        "whole",
        "A whole epoch: portfolios in the order of account ids to leaves, root, header and digest.",
        _epoch,
        _epochs,
        record(
            **DOMAIN_FIELDS,
            registry=REGISTRY_SCHEMA,
            model=BYTES,
            market=BYTES,
            portfolios=array(BYTES),
            round=NATURAL,
            blockNumber=NATURAL,
            blockHash=BYTES32,
            maxAge=NATURAL,
        ),
        record(leaves=array(LEAF_SCHEMA), leafHashes=array(BYTES32), header=HEADER_SCHEMA, digest=BYTES32),
    ),
)
