"""Abridged market bytes: a market without what an account does not hold, with the market's own hash.

They are market bytes (market.py) in which a hash stands in place of what is left out, behind a mark that nothing valid starts with:

    section   u8 0  | section hash       underlyings are numbered from 1
    group     u32 1 | group hash         a live expiry comes after the market's time, which is 1 or later
    pair      u32 0 | pair hash

Counts stay as they were. Whole market bytes are the abridged bytes that leave nothing out. Where the hash is that of an epoch, what is
shown is what that epoch's market says; what is left out reads as missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .codec import Reader, unsigned
from .hashing import keccak
from .instruments import Instrument
from .market import (
    GROUP,
    PAIR,
    ExpiryMarket,
    MarketSnapshot,
    UnderlyingMarket,
    check_market,
    encode_head,
    encode_header,
    encode_quote,
    group_hash,
    pair_hash,
    runs,
    section_hash,
)

_SECTION_MARK = unsigned(0, 1)
_PAIR_MARK = unsigned(0, 4)
_GROUP_MARK = unsigned(1, 4)
_HEAD_BYTES = 33
_SETTLEMENT_BYTES = 12
_QUOTE_BYTES = 68


def abridge_market(market: MarketSnapshot, needed: Mapping[int, Collection[int]]) -> bytes:
    """The shortest abridged bytes that show what is needed. Errors as `check_market`.

    `needed` maps each underlying that is shown to the live expiries (unix seconds) whose quotes are; its spot, perpetual, funding and
    settlements are always shown. Underlyings and expiries that the market does not have are left aside.
    """
    check_market(market)
    sections = (_section(section, needed.get(section.underlying)) for section in market.underlyings)
    return encode_header(market) + b"".join(sections)


def needed_by(instruments: Iterable[Instrument]) -> dict[int, set[int]]:
    """What `abridge_market` has to show for these instruments: their underlyings, and the expiries of dated ones."""
    needed: dict[int, set[int]] = {}
    for instrument in instruments:
        expiries = needed.setdefault(instrument.underlying, set())
        if instrument.kind.is_dated:
            expiries.add(instrument.expiry)
    return needed


def _section(section: UnderlyingMarket, expiries: Collection[int] | None) -> bytes:
    if expiries is None:
        return _SECTION_MARK + section_hash(section)
    return encode_head(section) + b"".join(_group(group, expiries) for group in runs(section.expiries, GROUP))


def _has(quotes: Sequence[ExpiryMarket], expiries: Collection[int]) -> bool:
    return any(quote.expiry in expiries for quote in quotes)


def _group(group: Sequence[ExpiryMarket], expiries: Collection[int]) -> bytes:
    if not _has(group, expiries):
        return _GROUP_MARK + group_hash(group)
    return b"".join(
        b"".join(map(encode_quote, pair)) if _has(pair, expiries) else _PAIR_MARK + pair_hash(pair)
        for pair in runs(group, PAIR)
    )


def abridged_hash(data: bytes) -> bytes:
    """The market hash of bytes that may be abridged, 32 bytes. Lengths are checked, nothing else. Error: `BadLength(length)`."""
    reader = Reader(data)
    header = reader.take(17)
    hashes = b"".join(_read_section(reader) for _ in range(header[-1]))
    reader.finish()
    return keccak(header + hashes)


def _read_section(reader: Reader) -> bytes:
    first = reader.take(1)
    if first == _SECTION_MARK:
        return reader.take(32)
    head = first + reader.take(_HEAD_BYTES)
    head += reader.take(head[-1] * _SETTLEMENT_BYTES + 1)
    hashes = b"".join(_read_group(reader, quotes) for quotes in _shares(head[-1], GROUP))
    return keccak(head + hashes)


def _shares(count: int, size: int) -> list[int]:
    """A count in shares of a size and what is left."""
    return [min(size, count - start) for start in range(0, count, size)]


def _read_group(reader: Reader, quotes: int) -> bytes:
    first = reader.take(4)
    if first == _GROUP_MARK:
        return reader.take(32)
    hashes = b""
    for pair in _shares(quotes, PAIR):
        mark = first if not hashes else reader.take(4)
        hashes += (
            reader.take(32) if mark == _PAIR_MARK else keccak(mark + reader.take(pair * _QUOTE_BYTES - 4))
        )
    return keccak(hashes)
