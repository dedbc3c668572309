"""The books of the demonstration as data: who holds what, for how much money.

A row is (strategy, symbol, deposit in USD, spot collateral in units, legs). Legs read "quantity instrument" without the symbol,
separated by semicolons, in the order in which they trade: what protects comes first, so that every portfolio on the way meets
initial margin. Sizes and strikes are what accounts of 50,000 to 2 million USD hold near the money of 28 January 2026 (BTC 89,338,
ETH 3,006); the deposits leave each book at least `books.MIN_CUSHION_PERCENT` above its initial margin.
"""

from __future__ import annotations

from typing import Final

Row = tuple[str, str, int, str, str]

OVER_LEVERED: Final = ("Over-levered long perpetual", "Over-levered short gamma")
"""The strategies that cannot survive this crash. Everybody else's book is sized to stay above maintenance margin throughout."""

ROWS: Final[tuple[Row, ...]] = (
    # Perpetuals and futures.
    ("Perpetual carry", "BTC", 60_000, "10", "-10 PERP"),
    ("Perpetual carry", "BTC", 20_000, "3.5", "-3.5 PERP"),
    ("Perpetual carry", "ETH", 60_000, "250", "-250 PERP"),
    ("Dated-future basis", "BTC", 60_000, "8", "-8 27MAR26"),
    ("Dated-future basis", "ETH", 40_000, "200", "-200 26JUN26"),
    ("Dated-future basis", "BTC", 115_000, "0", "6 27MAR26; -6 PERP"),
    ("Directional long perpetual", "BTC", 190_000, "0", "4 PERP"),
    ("Directional long perpetual", "BTC", 66_000, "0", "1.5 PERP"),
    ("Directional long perpetual", "ETH", 135_000, "0", "80 PERP"),
    ("Directional short perpetual", "ETH", 60_000, "0", "-60 PERP"),
    ("Over-levered long perpetual", "BTC", 272_000, "0", "10 PERP"),
    ("Over-levered long perpetual", "BTC", 153_000, "0", "5 PERP"),
    ("Over-levered long perpetual", "BTC", 67_000, "0", "2 PERP"),
    ("Over-levered long perpetual", "ETH", 156_000, "0", "200 PERP"),
    ("Over-levered long perpetual", "ETH", 173_000, "0", "150 PERP"),
    ("Over-levered long perpetual", "ETH", 54_000, "0", "40 PERP"),
    # Income on coins held.
    ("Covered call", "BTC", 5_000, "5", "-4 27FEB26-95000-C"),
    ("Covered call", "BTC", 2_000, "2", "-2 6FEB26-92000-C"),
    ("Covered call", "BTC", 4_000, "12", "-5 30JAN26-90000-C; -5 13FEB26-94000-C"),
    ("Covered call", "ETH", 5_000, "150", "-120 27FEB26-3300-C"),
    ("Covered call", "ETH", 2_000, "60", "-30 30JAN26-3100-C; -30 27MAR26-3600-C"),
    ("Cash-secured put", "BTC", 170_000, "0", "-2 27FEB26-85000-P"),
    ("Cash-secured put", "BTC", 165_000, "0", "-1 6FEB26-86000-P; -1 27MAR26-80000-P"),
    ("Cash-secured put", "ETH", 140_000, "0", "-50 27FEB26-2800-P"),
    ("Cash-secured put", "ETH", 90_000, "0", "-30 30JAN26-3000-P"),
    # Insurance.
    ("Protective put", "BTC", 20_000, "4", "4 27FEB26-85000-P"),
    ("Protective put", "BTC", 30_000, "6", "6 27MAR26-80000-P"),
    ("Protective put", "ETH", 25_000, "100", "100 27FEB26-2800-P"),
    ("Collar", "BTC", 10_000, "6", "6 27FEB26-80000-P; -6 27FEB26-95000-C"),
    ("Collar", "BTC", 15_000, "10", "10 6FEB26-84000-P; -10 6FEB26-94000-C"),
    ("Collar", "ETH", 8_000, "180", "180 27MAR26-2600-P; -180 27MAR26-3600-C"),
    # Volatility.
    ("Long straddle", "BTC", 25_000, "0", "4 27FEB26-90000-C; 4 27FEB26-90000-P"),
    ("Long straddle", "ETH", 15_000, "0", "60 6FEB26-3000-C; 60 6FEB26-3000-P"),
    ("Short strangle", "BTC", 75_000, "0", "-2 27FEB26-80000-P; -2 27FEB26-100000-C"),
    ("Short strangle", "BTC", 60_000, "0", "-3 30JAN26-86000-P; -3 30JAN26-92000-C"),
    ("Short strangle", "ETH", 40_000, "0", "-30 27FEB26-2600-P; -30 27FEB26-3400-C"),
    ("Over-levered short gamma", "BTC", 136_000, "0", "-6 27FEB26-85000-P; -6 27FEB26-95000-C"),
    ("Over-levered short gamma", "BTC", 83_000, "0", "-3 13FEB26-88000-P; -3 13FEB26-90000-C"),
    ("Over-levered short gamma", "ETH", 110_000, "0", "-120 27FEB26-2800-P; -120 27FEB26-3200-C"),
    ("Over-levered short gamma", "ETH", 46_000, "0", "-50 13FEB26-3000-P; -50 13FEB26-3000-C"),
    # Spreads.
    ("Calendar spread", "BTC", 30_000, "0", "4 27MAR26-90000-C; -4 27FEB26-90000-C"),
    ("Calendar spread", "ETH", 45_000, "0", "80 27FEB26-3000-P; -80 6FEB26-3000-P"),
    ("Ratio spread", "BTC", 55_000, "0", "3 27FEB26-95000-C; -6 27FEB26-105000-C"),
    ("Ratio spread", "ETH", 45_000, "0", "50 27MAR26-2800-P; -100 27MAR26-2400-P"),
    ("Vertical spread", "BTC", 25_000, "0", "5 27FEB26-90000-C; -5 27FEB26-100000-C"),
    ("Vertical spread", "ETH", 20_000, "0", "100 13FEB26-2800-P; -100 13FEB26-3000-P"),
    (
        "Iron condor",
        "BTC",
        25_000,
        "0",
        "4 27FEB26-75000-P; 4 27FEB26-105000-C; -4 27FEB26-80000-P; -4 27FEB26-100000-C",
    ),
    (
        "Iron condor",
        "ETH",
        18_000,
        "0",
        "80 6FEB26-2600-P; 80 6FEB26-3400-C; -80 6FEB26-2800-P; -80 6FEB26-3200-C",
    ),
)
"""48 books; the market makers, the liquidator and the idle accounts are in `books`."""
