"""Canonical bytes: they round-trip, there is one encoding per value, and damaged bytes are refused, never misread."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils import keccak as reference_keccak
from hypothesis import given
from hypothesis import strategies as st
from scripts.vector_families.samples import MARKET

from marginproof.spec.abridged import abridge_market, abridged_hash
from marginproof.spec.codec import Reader, signed, unsigned
from marginproof.spec.errors import SpecError
from marginproof.spec.hashing import keccak
from marginproof.spec.limits import MAX_POSITIONS, MAX_QUANTITY
from marginproof.spec.market import (
    ExpiryMarket,
    MarketSnapshot,
    Settlement,
    UnderlyingMarket,
    decode_market,
    encode_head,
    encode_header,
    encode_market,
    encode_quote,
    encode_section,
    market_hash,
)
from marginproof.spec.portfolio import (
    Position,
    apply_trade,
    decode_portfolio,
    encode_portfolio,
    portfolio_hash,
)
from marginproof.spec.svi import Svi

WAD = 10**18
quantities = st.integers(-MAX_QUANTITY, MAX_QUANTITY).filter(bool)
books = st.dictionaries(st.integers(1, 2**32 - 1), quantities, max_size=20).map(
    lambda book: tuple(Position(id_, book[id_]) for id_ in sorted(book))
)
smiles = st.builds(
    Svi,
    st.integers(0, 9 * WAD),
    st.integers(0, 2 * WAD),
    st.integers(-9999 * 10**14, 9999 * 10**14),
    st.integers(-4 * WAD, 4 * WAD),
    st.integers(10**12, 4 * WAD),
)
NOW = 1_770_000_000
quotes = st.lists(st.integers(NOW + 1, 2**32 - 1), unique=True, max_size=4).flatmap(
    lambda times: st.tuples(
        *[
            st.builds(
                ExpiryMarket,
                st.just(t),
                st.integers(10**6, 10**14),
                st.integers(-WAD, 2 * WAD),
                smiles,
                st.integers(0, WAD),
            )
            for t in sorted(times)
        ]
    )
)
settlements = st.lists(st.integers(1, NOW), unique=True, max_size=4).flatmap(
    lambda times: st.tuples(
        *[st.builds(Settlement, st.just(t), st.integers(1, 10**16)) for t in sorted(times)]
    )
)


def _markets(ids: list[int]) -> st.SearchStrategy[MarketSnapshot]:
    sections = [
        st.builds(
            UnderlyingMarket,
            st.just(u),
            st.integers(10**6, 10**14),
            st.integers(10**6, 10**14),
            st.integers(0, WAD),
            st.integers(-(10**14), 10**14),
            settlements,
            quotes,
        )
        for u in sorted(ids)
    ]
    return st.builds(MarketSnapshot, st.just(NOW), st.integers(1, 10**9), st.tuples(*sections))


markets = st.lists(st.integers(1, 63), unique=True, min_size=1, max_size=3).flatmap(_markets)


@given(st.binary(max_size=400))
def test_keccak_is_keccak_256(data: bytes) -> None:
    assert keccak(data) == reference_keccak(data)


@given(books)
def test_portfolios_round_trip(book: tuple[Position, ...]) -> None:
    data = encode_portfolio(book)
    assert len(data) == 12 * len(book)
    assert decode_portfolio(data) == book
    assert portfolio_hash(book) == reference_keccak(data)


@given(st.binary(max_size=60))
def test_any_bytes_decode_to_one_portfolio_or_are_refused(data: bytes) -> None:
    try:
        book = decode_portfolio(data)
    except SpecError:
        return
    assert encode_portfolio(book) == data


@given(books, st.integers(1, 2**32 - 1), quantities)
def test_trades_add_up_and_undo(book: tuple[Position, ...], id_: int, quantity: int) -> None:
    wanted = dict(book)
    wanted[id_] = wanted.get(id_, 0) + quantity
    if abs(wanted[id_]) > MAX_QUANTITY:
        with pytest.raises(SpecError, match="QuantityOutOfRange"):
            apply_trade(book, id_, quantity)
        return
    after = apply_trade(book, id_, quantity)
    assert dict(after) == {key: value for key, value in wanted.items() if value}
    assert apply_trade(after, id_, -quantity) == book


def test_too_many_positions_are_refused_before_all_else() -> None:
    book = [Position(1, 0)] * (MAX_POSITIONS + 1)
    with pytest.raises(SpecError, match=r"TooManyPositions\(count=129, max=128\)"):
        encode_portfolio(book)


@given(markets)
def test_markets_round_trip(market: MarketSnapshot) -> None:
    data = encode_market(market)
    assert decode_market(data) == market
    parts = [encode_section(section) for section in market.underlyings]
    assert data == encode_header(market) + b"".join(parts)
    heads = [
        part[: len(part) - 68 * len(s.expiries)] for part, s in zip(parts, market.underlyings, strict=True)
    ]
    sections = [
        reference_keccak(head + quote_hashes(part[len(head) :]))
        for head, part in zip(heads, parts, strict=True)
    ]
    assert market_hash(market) == reference_keccak(data[:17] + b"".join(sections))


def quote_hashes(quotes: bytes) -> bytes:
    """The hashes of a section's groups, from its quotes' bytes: pairs of 2 x 68, groups of two pairs' hashes."""
    pairs = [reference_keccak(quotes[at : at + 136]) for at in range(0, len(quotes), 136)]
    return b"".join(reference_keccak(b"".join(pairs[at : at + 2])) for at in range(0, len(pairs), 2))


@given(markets, st.data())
def test_an_abridged_market_has_the_markets_hash_and_shows_what_is_needed(
    market: MarketSnapshot, data: st.DataObject
) -> None:
    needed = {
        part.underlying: set(data.draw(st.lists(st.sampled_from([q.expiry for q in part.expiries]))))
        if part.expiries
        else set()
        for part in market.underlyings
        if data.draw(st.booleans())
    }
    abridged = abridge_market(market, needed)
    assert abridged_hash(abridged) == market_hash(market)
    for part in market.underlyings:
        assert (encode_head(part) in abridged) or part.underlying not in needed
        for quote in part.expiries:
            assert (encode_quote(quote) in abridged) or quote.expiry not in needed.get(part.underlying, ())
    cut = data.draw(st.integers(0, len(abridged) - 1))
    with pytest.raises(SpecError, match="BadLength"):
        abridged_hash(abridged[:cut])


@given(markets, st.data())
def test_damaged_markets_never_pass_for_the_original(market: MarketSnapshot, data: st.DataObject) -> None:
    original = encode_market(market)
    at = data.draw(st.integers(0, len(original) - 1))
    damaged = bytearray(original)
    damaged[at] ^= data.draw(st.integers(1, 255))
    try:
        other = decode_market(bytes(damaged))
    except SpecError:
        return
    assert encode_market(other) == bytes(damaged)
    assert market_hash(other) != market_hash(market)


def test_every_cut_of_a_market_is_refused() -> None:
    data = encode_market(MARKET)
    for cut in range(len(data)):
        with pytest.raises(SpecError, match="BadLength"):
            decode_market(data[:cut])


def test_market_lookups() -> None:
    assert MARKET.underlying(2).underlying == 2
    with pytest.raises(SpecError, match=r"MissingUnderlying\(underlying=3\)"):
        MARKET.underlying(3)
    assert MARKET.next_expiry() == NOW + 1
    bare = replace(MARKET, underlyings=tuple(replace(section, expiries=()) for section in MARKET.underlyings))
    assert bare.next_expiry() == 2**32 - 1


def test_the_market_encoder_refuses_what_its_decoder_refuses() -> None:
    with pytest.raises(SpecError, match="settlementToken"):
        encode_market(replace(MARKET, settlement_token_e8=0))


@given(st.integers(-(2**130), 2**130), st.integers(1, 16))
def test_fixed_width_integers(value: int, size: int) -> None:
    if 0 <= value < 1 << (8 * size):
        assert Reader(unsigned(value, size)).unsigned(size) == value
    else:
        with pytest.raises(SpecError, match="OutOfRange"):
            unsigned(value, size)
    if -(1 << (8 * size - 1)) <= value < 1 << (8 * size - 1):
        assert Reader(signed(value, size)).signed(size) == value
    else:
        with pytest.raises(SpecError, match="OutOfRange"):
            signed(value, size)


@pytest.mark.parametrize("size", [1, 4, 8])
def test_unsigned_integers_at_their_edges(size: int) -> None:
    top = 256**size - 1
    assert (unsigned(0, size), unsigned(top, size)) == (bytes(size), b"\xff" * size)
    for value in (-1, top + 1):
        with pytest.raises(SpecError) as refusal:
            unsigned(value, size)
        assert refusal.value.args_by_name == {"field": "unsigned", "value": value, "low": 0, "high": top}


@pytest.mark.parametrize("size", [8, 16])
def test_signed_integers_at_their_edges(size: int) -> None:
    high = 256**size // 2 - 1
    low = -high - 1
    assert (signed(low, size), signed(high, size), signed(-1, size)) == (
        b"\x80" + bytes(size - 1),
        b"\x7f" + b"\xff" * (size - 1),
        b"\xff" * size,
    )
    for value in (low - 1, high + 1):
        with pytest.raises(SpecError) as refusal:
            signed(value, size)
        assert refusal.value.args_by_name == {"field": "signed", "value": value, "low": low, "high": high}
