"""The accounts of the demonstration: the books that people really hold, and the makers on the other side of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from marginproof.demo.book_table import ROWS, Row
from marginproof.documents import MarketDocument, market_symbols, parse_decimal, parse_instrument_name
from marginproof.documents.decimals import E8_DIGITS
from marginproof.documents.instrument_names import format_expiry, parse_expiry
from marginproof.errors import InputError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.units import ONE_E8

MIN_CUSHION_PERCENT: Final = 10
"""Right after its trades, every book's equity is at least this far above its initial margin."""
MAX_MAKER_POSITIONS: Final = 100
BACK_MONTHS_FROM: Final = parse_expiry("1MAR26")
"""Options that expire later trade with the maker of perpetuals, futures and back months."""

MARKET_MAKER: Final = "Market maker"
LIQUIDATOR: Final = "Liquidator"
IDLE: Final = "Cash only"

_LINEAR_MAKER: Final = "Market maker, perpetuals, futures and back months"
_OPTION_MAKERS: Final = {"BTC": "Market maker, BTC options", "ETH": "Market maker, ETH options"}
_MAKER_USD: Final = 12_000_000
_LIQUIDATOR_USD: Final = 8_000_000
_IDLE_USD: Final = (25_000, 100_000)


@dataclass(frozen=True, slots=True)
class BookTrade:
    """One trade of a book: a signed quantity (E8, positive buys) of an instrument.

    `maker` names the book that takes the other side. The price is the instrument's value in the first snapshot, floored to E8.
    """

    instrument: Instrument
    quantity_e8: int
    maker: str


@dataclass(frozen=True, slots=True)
class Book:
    """One account: name ("Covered call, BTC, 1"), strategy, and what happens in it before the crash.

    cash_e8   deposit of settlement token, USD in E8, a whole number of the token's 6-decimal units
    spot      deposits of spot collateral: symbol -> units, E8
    trades    in the order in which they must settle
    """

    name: str
    strategy: str
    cash_e8: int
    spot: dict[str, int]
    trades: tuple[BookTrade, ...] = ()


class Listing(NamedTuple):
    """What must be listed for a set of books to trade: by symbol, ascending; expiries in unix seconds, strikes in E8."""

    expiries: dict[str, tuple[int, ...]]
    strikes: dict[str, tuple[int, ...]]


def build_books(first: MarketDocument, symbols: Mapping[str, int] | None = None) -> list[Book]:
    """Every account of the demonstration, in the order in which they open: makers, liquidator, idle accounts, then the books.

    `first` is the market in which the books trade; `symbols` gives the underlyings' ids, by default those of a file that
    belongs to no venue. The same market gives the same books.
    Errors: InputError when a leg's underlying or expiry is not quoted in `first`, or an underlying has no id.
    """
    ids = market_symbols(first) if symbols is None else symbols
    quoted = {entry.symbol: {quote.expiry for quote in entry.expiries} for entry in first.underlyings}
    makers = [
        Book(name, MARKET_MAKER, _MAKER_USD * ONE_E8, {})
        for name in (*_OPTION_MAKERS.values(), _LINEAR_MAKER)
    ]
    liquidator = Book(LIQUIDATOR, LIQUIDATOR, _LIQUIDATOR_USD * ONE_E8, {})
    idle = [Book(f"{IDLE}, {i}", IDLE, usd * ONE_E8, {}) for i, usd in enumerate(_IDLE_USD, 1)]
    numbers: Counter[tuple[str, str]] = Counter()
    books = []
    for row in ROWS:
        numbers[row[:2]] += 1
        books.append(_book(row, numbers[row[:2]], ids, quoted))
    return [*makers, liquidator, *idle, *books]


def required_listing(books: Iterable[Book], symbols: Mapping[str, int]) -> Listing:
    """The expiries and strikes that the books' trades need, for every symbol in `symbols`."""
    traded = [trade.instrument for book in books for trade in book.trades]
    expiries = {}
    strikes = {}
    for symbol, underlying in symbols.items():
        own = [instrument for instrument in traded if instrument.underlying == underlying]
        expiries[symbol] = tuple(sorted({i.expiry for i in own if i.kind.is_dated}))
        strikes[symbol] = tuple(sorted({i.strike_e8 for i in own if i.kind.is_option}))
    return Listing(expiries, strikes)


def _book(row: Row, number: int, ids: Mapping[str, int], quoted: Mapping[str, set[int]]) -> Book:
    strategy, symbol, usd, spot, legs = row
    trades = tuple(_trade(leg, symbol, ids, quoted) for leg in legs.split("; "))
    units = parse_decimal(spot, E8_DIGITS)
    collateral = {symbol: units} if units else {}
    return Book(f"{strategy}, {symbol}, {number}", strategy, usd * ONE_E8, collateral, trades)


def _trade(leg: str, symbol: str, ids: Mapping[str, int], quoted: Mapping[str, set[int]]) -> BookTrade:
    quantity, rest = leg.split(" ")
    name = parse_instrument_name(f"{symbol}-{rest}")
    if name.kind.is_dated and name.expiry not in quoted.get(symbol, set()):
        expiry = format_expiry(name.expiry)
        raise InputError(
            f"The demonstration's books hold {name}, and the first snapshot does not quote {symbol} for {expiry}.",
            "Take the snapshots that the project ships.",
        )
    front_option = name.kind in (Kind.CALL, Kind.PUT) and name.expiry < BACK_MONTHS_FROM
    maker = _OPTION_MAKERS[symbol] if front_option else _LINEAR_MAKER
    return BookTrade(name.instrument(ids), parse_decimal(quantity, E8_DIGITS), maker)
