"""The market snapshot: the only input of pricing, its ranges and its canonical bytes.

    header    time u64 | settlement token price u64 (E8) | count of underlyings u8
    section   underlying u8 | spot u64 (E8) | perpetual u64 (E8) | confidence u64 (WAD) | funding i64 (E8)
              | count u8, then per settled expiry: expiry u32 | price u64 (E8)
              | count u8, then per live expiry: expiry u32 | forward u64 (E8) | rate i64 (WAD)
                | confidence u64 (WAD) | a i64 | b i64 | rho i64 | m i64 | sigma i64 (WAD)

All big-endian; underlyings, settlements and expiries strictly increasing; settled expiries at or before `time`, live ones after it.
The hash is a tree, so that an underlying, or some of its quotes, can be shown without the others (abridged.py):

    market    keccak(header | section hashes)
    section   keccak(its bytes before the first quote | group hashes), a group being four quotes
    group     keccak(pair hashes)
    pair      keccak(the bytes of two quotes)

The last group and the last pair have what is left. The counts are in the bytes hashed, so the tree's shape is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .codec import Reader, signed, unsigned
from .errors import SpecError, require_range
from .hashing import keccak
from .limits import (
    MAX_CONFIDENCE,
    MAX_EXPIRIES,
    MAX_FUNDING,
    MAX_RATE,
    MAX_SETTLEMENT_PRICE,
    MAX_SETTLEMENT_TOKEN,
    MAX_SETTLEMENTS,
    MAX_SPOT,
    MAX_TIME,
    MAX_UNDERLYING_ID,
    MAX_UNDERLYINGS,
    MIN_CONFIDENCE,
    MIN_RATE,
    MIN_SETTLEMENT_PRICE,
    MIN_SETTLEMENT_TOKEN,
    MIN_SPOT,
)
from .svi import Svi, require_valid_smile
from .units import ONE_WAD

PAIR = 2
"""Quotes that are hashed together."""
GROUP = 4
"""Quotes whose pairs are hashed together."""


@dataclass(frozen=True, slots=True)
class ExpiryMarket:
    """A live expiry: unix seconds, forward (E8), rate (WAD), smile (WAD), confidence (WAD)."""

    expiry: int
    forward_e8: int
    rate_wad: int
    svi: Svi
    confidence_wad: int = ONE_WAD


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settled expiry (unix seconds) and its settlement price (E8)."""

    expiry: int
    price_e8: int


@dataclass(frozen=True, slots=True)
class UnderlyingMarket:
    """One underlying: spot and the perpetual's price (E8), confidence in both (WAD), the perpetual's cumulative funding per unit (E8,
    signed), its expiries."""

    underlying: int
    spot_e8: int
    perpetual_e8: int
    confidence_wad: int
    funding_e8: int
    settlements: tuple[Settlement, ...]
    expiries: tuple[ExpiryMarket, ...]


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """The whole snapshot at `time` (unix seconds). `settlement_token_e8` is the settlement token's price in USD."""

    time: int
    settlement_token_e8: int
    underlyings: tuple[UnderlyingMarket, ...]

    def underlying(self, underlying: int) -> UnderlyingMarket:
        """The section of an underlying. Error: `MissingUnderlying(underlying)`."""
        for section in self.underlyings:
            if section.underlying == underlying:
                return section
        raise SpecError("MissingUnderlying", underlying=underlying)

    def next_expiry(self) -> int:
        """The earliest live expiry, or MAX_TIME when there is none."""
        return min(
            (quote.expiry for section in self.underlyings for quote in section.expiries), default=MAX_TIME
        )


def _require_increasing(values: Iterable[int]) -> None:
    previous = -1
    for value in values:
        if value <= previous:
            raise SpecError("NotIncreasing", previous=previous, value=value)
        previous = value


def _check_section(section: UnderlyingMarket, time: int) -> None:
    require_range("underlying", section.underlying, 1, MAX_UNDERLYING_ID)
    require_range("spot", section.spot_e8, MIN_SPOT, MAX_SPOT)
    require_range("perpetual", section.perpetual_e8, MIN_SPOT, MAX_SPOT)
    require_range("confidence", section.confidence_wad, MIN_CONFIDENCE, MAX_CONFIDENCE)
    require_range("funding", section.funding_e8, -MAX_FUNDING, MAX_FUNDING)
    require_range("settlements", len(section.settlements), 0, MAX_SETTLEMENTS)
    _require_increasing(settlement.expiry for settlement in section.settlements)
    for settlement in section.settlements:
        require_range("settledExpiry", settlement.expiry, 1, time)
        require_range("settlementPrice", settlement.price_e8, MIN_SETTLEMENT_PRICE, MAX_SETTLEMENT_PRICE)
    require_range("expiries", len(section.expiries), 0, MAX_EXPIRIES)
    _require_increasing(quote.expiry for quote in section.expiries)
    for quote in section.expiries:
        require_range("expiry", quote.expiry, time + 1, MAX_TIME)
        require_range("forward", quote.forward_e8, MIN_SPOT, MAX_SPOT)
        require_range("rate", quote.rate_wad, MIN_RATE, MAX_RATE)
        require_range("expiryConfidence", quote.confidence_wad, MIN_CONFIDENCE, MAX_CONFIDENCE)
        require_valid_smile(quote.svi)


def check_market(market: MarketSnapshot) -> None:
    """Refuse a snapshot out of range or out of order, in the order in which the bytes are read.

    Errors: `OutOfRange(field, value, low, high)`, `NotIncreasing(previous, value)`, `NegativeVariance(minimumVariance)`.
    """
    require_range("time", market.time, 1, MAX_TIME - 1)
    require_range("settlementToken", market.settlement_token_e8, MIN_SETTLEMENT_TOKEN, MAX_SETTLEMENT_TOKEN)
    require_range("underlyings", len(market.underlyings), 1, MAX_UNDERLYINGS)
    _require_increasing(section.underlying for section in market.underlyings)
    for section in market.underlyings:
        _check_section(section, market.time)


def encode_header(market: MarketSnapshot) -> bytes:
    """The 17 bytes before the sections."""
    return (
        unsigned(market.time, 8)
        + unsigned(market.settlement_token_e8, 8)
        + unsigned(len(market.underlyings), 1)
    )


def encode_head(section: UnderlyingMarket) -> bytes:
    """The bytes of one underlying before its quotes."""
    parts = [
        unsigned(section.underlying, 1),
        unsigned(section.spot_e8, 8),
        unsigned(section.perpetual_e8, 8),
        unsigned(section.confidence_wad, 8),
    ]
    parts += [signed(section.funding_e8, 8), unsigned(len(section.settlements), 1)]
    parts += [unsigned(s.expiry, 4) + unsigned(s.price_e8, 8) for s in section.settlements]
    parts.append(unsigned(len(section.expiries), 1))
    return b"".join(parts)


def encode_quote(quote: ExpiryMarket) -> bytes:
    """The 68 bytes of one live expiry."""
    smile = quote.svi
    parts = [unsigned(quote.expiry, 4), unsigned(quote.forward_e8, 8), signed(quote.rate_wad, 8)]
    parts.append(unsigned(quote.confidence_wad, 8))
    parts += [signed(value, 8) for value in (smile.a, smile.b, smile.rho, smile.m, smile.sigma)]
    return b"".join(parts)


def encode_section(section: UnderlyingMarket) -> bytes:
    """The bytes of one underlying."""
    return encode_head(section) + b"".join(map(encode_quote, section.expiries))


def encode_market(market: MarketSnapshot) -> bytes:
    """The canonical bytes. Errors as `check_market`."""
    check_market(market)
    return encode_header(market) + b"".join(encode_section(section) for section in market.underlyings)


def _read_quote(reader: Reader) -> ExpiryMarket:
    expiry, forward, rate, confidence = (
        reader.unsigned(4),
        reader.unsigned(8),
        reader.signed(8),
        reader.unsigned(8),
    )
    return ExpiryMarket(expiry, forward, rate, Svi(*(reader.signed(8) for _ in range(5))), confidence)


def _read_section(reader: Reader) -> UnderlyingMarket:
    underlying, spot, perpetual = reader.unsigned(1), reader.unsigned(8), reader.unsigned(8)
    confidence, funding = reader.unsigned(8), reader.signed(8)
    settlements = tuple(Settlement(reader.unsigned(4), reader.unsigned(8)) for _ in range(reader.unsigned(1)))
    expiries = tuple(_read_quote(reader) for _ in range(reader.unsigned(1)))
    return UnderlyingMarket(underlying, spot, perpetual, confidence, funding, settlements, expiries)


def decode_market(data: bytes) -> MarketSnapshot:
    """The snapshot behind canonical bytes. Errors: `BadLength(length)`, then as `check_market`."""
    reader = Reader(data)
    time, token = reader.unsigned(8), reader.unsigned(8)
    sections = tuple(_read_section(reader) for _ in range(reader.unsigned(1)))
    reader.finish()
    market = MarketSnapshot(time, token, sections)
    check_market(market)
    return market


def pair_hash(pair: Sequence[ExpiryMarket]) -> bytes:
    """keccak(quotes), 32 bytes, of two quotes that follow each other, or of the last one by itself."""
    return keccak(b"".join(map(encode_quote, pair)))


def runs(quotes: Sequence[ExpiryMarket], size: int) -> list[Sequence[ExpiryMarket]]:
    """Quotes in order, so many at a time; the last run has what is left."""
    return [quotes[start : start + size] for start in range(0, len(quotes), size)]


def group_hash(group: Sequence[ExpiryMarket]) -> bytes:
    """keccak(pair hashes), 32 bytes, of up to four quotes that follow each other."""
    return keccak(b"".join(map(pair_hash, runs(group, PAIR))))


def section_hash(section: UnderlyingMarket) -> bytes:
    """keccak(head | group hashes), 32 bytes."""
    return keccak(encode_head(section) + b"".join(map(group_hash, runs(section.expiries, GROUP))))


def market_hash(market: MarketSnapshot) -> bytes:
    """keccak(header | section hashes), 32 bytes."""
    return keccak(encode_header(market) + b"".join(map(section_hash, market.underlyings)))
