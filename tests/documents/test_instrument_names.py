"""Names of instruments, both ways."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from marginproof.documents import (
    InstrumentName,
    format_expiry,
    format_instrument_name,
    parse_expiry,
    parse_instrument_name,
    symbol_table,
)
from marginproof.errors import InputError
from marginproof.spec.instruments import Instrument, Kind

MARCH = int(datetime(2026, 3, 27, 8, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ETH", InstrumentName("ETH", Kind.SPOT)),
        ("1000X-PERP", InstrumentName("1000X", Kind.PERPETUAL)),
        ("BTC-27MAR26", InstrumentName("BTC", Kind.FUTURE, MARCH)),
        ("BTC-27MAR26-80000-C", InstrumentName("BTC", Kind.CALL, MARCH, 80_000 * 10**8)),
        ("ETH-7FEB26-2100.5-P", InstrumentName("ETH", Kind.PUT, 1770451200, 210_050_000_000)),
        ("BTC-1770451201-0.0001-P", InstrumentName("BTC", Kind.PUT, 1770451201, 10**4)),
        (
            "BTC-29FEB28",
            InstrumentName("BTC", Kind.FUTURE, int(datetime(2028, 2, 29, 8, tzinfo=UTC).timestamp())),
        ),
    ],
)
def test_a_name_is_read_and_written_alike(text: str, name: InstrumentName) -> None:
    assert parse_instrument_name(text) == name
    assert str(name) == text
    instrument = name.instrument({name.symbol: 9})
    assert instrument == Instrument(9, name.kind, name.expiry, name.strike_e8)
    assert format_instrument_name(instrument, {"OTHER": 1, name.symbol: 9}) == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "symbol ''"),
        ("btc-PERP", "symbol 'btc'"),
        ("BTC ", "symbol 'BTC '"),
        ("BTC-perp", "expiry 'perp' is not a date"),
        ("BTC-07FEB26", "expiry '07FEB26' is not a date; allowed: DMMMYY such as 7FEB26"),
        ("BTC-7Feb26", "expiry '7Feb26' is not a date"),
        ("BTC-31FEB26", "expiry '31FEB26' is not a date"),
        ("BTC-29FEB26", "expiry '29FEB26' is not a date"),
        ("BTC-4294967296", "expiry '4294967296' is not a date"),
        ("BTC-0", "expiry '0' is not a date"),
        ("BTC-", "expiry '' is not a date"),
        ("BTC-27MAR26-80000", "allowed: SYMBOL, SYMBOL-PERP"),
        ("BTC-27MAR26-80000-C-X", "allowed: SYMBOL, SYMBOL-PERP"),
        ("BTC-27MAR26-80000-X", "option type 'X'; allowed: C or P"),
        ("BTC-27MAR26-80000-c", "option type 'c'; allowed: C or P"),
        ("BTC-27MAR26-8e4-C", "'8e4' is not a plain decimal"),
        ("BTC-27MAR26-0-C", "strike '0' is out of range; allowed: 0.0001 to 100000000"),
        ("BTC-27MAR26-100000000.1-C", "strike '100000000.1' is out of range; allowed: 0.0001 to 100000000"),
        ("BTC-27MAR26--5-C", "allowed: SYMBOL, SYMBOL-PERP"),
        ("BTC-27MAR26-1.123456789-C", "9 decimals, at most 8"),
    ],
)
def test_a_bad_name_says_which_part_and_what_is_allowed(text: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_instrument_name(text)
    assert part in str(caught.value)


def test_dates_and_seconds_mean_the_same_time() -> None:
    assert parse_expiry("27MAR26") == parse_expiry(str(MARCH)) == MARCH
    for days in range(0, 365 * 20, 13):
        expiry = MARCH + days * 86_400
        assert parse_expiry(format_expiry(expiry)) == expiry
        assert format_expiry(expiry + 1) == str(expiry + 1)


def test_the_table_numbers_symbols_alphabetically() -> None:
    assert symbol_table(["SOL", "BTC", "ETH", "BTC"]) == {"BTC": 1, "ETH": 2, "SOL": 3}
    with pytest.raises(InputError, match="symbol 'sol' is not accepted"):
        symbol_table(["sol"])
    with pytest.raises(InputError, match="64 symbols; allowed: at most 63"):
        symbol_table(f"A{index}" for index in range(64))


def test_an_id_without_symbol_is_refused() -> None:
    with pytest.raises(InputError, match=r"underlying id 5 has no symbol; known ids: \[1, 2\]"):
        format_instrument_name(Instrument(5, Kind.SPOT), {"BTC": 1, "ETH": 2})
