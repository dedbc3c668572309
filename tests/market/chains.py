"""Made-up option chains in the columns of a public book summary."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from random import Random
from typing import Final

TIME: Final = 1_770_326_977
DAY: Final = 86_400
COLUMNS: Final = (
    "instrument_name",
    "underlying",
    "expiry_utc",
    "strike",
    "option_type",
    "mark_iv",
    "mark_price",
    "underlying_price",
    "index_price",
    "open_interest",
    "bid",
    "ask",
    "snapshot_ts",
)
Row = dict[str, str]
Parameters = tuple[float, float, float, float, float]


def svi_vol(parameters: Parameters, strike: float, forward: float, seconds: int) -> float:
    """Volatility of a raw SVI smile."""
    a, b, rho, m, sigma = parameters
    k = math.log(strike / forward)
    return math.sqrt((a + b * (rho * (k - m) + math.hypot(k - m, sigma))) / (seconds / (365 * DAY)))


def smile(seconds: int) -> Parameters:
    """A smile of a stressed market: about 90 % at the money, steeper on the downside, scaled to the time to
    expiry.
    """
    variance = 0.8 * seconds / (365 * DAY)
    width = math.sqrt(variance)
    return (0.5 * variance, 0.6 * width, -0.3, 0.1 * width, 0.8 * width)


def chain(
    symbol: str = "BTC", spot: float = 65_000.0, days: tuple[float, ...] = (1.5, 8, 50), noise: float = 0.0
) -> list[Row]:
    """Calls and puts at strikes within three standard deviations; `noise` is the vols' standard deviation."""
    random = Random(7)
    rows: list[Row] = []
    for count in days:
        seconds = int(count * DAY)
        forward = spot * (1 + 0.0001 * count)
        width = 0.9 * math.sqrt(seconds / (365 * DAY))
        for step in range(-12, 13):
            strike = round(forward * math.exp(step / 4 * width))
            vol = svi_vol(smile(seconds), strike, forward, seconds) + random.gauss(0, noise)
            rows += [
                {
                    "instrument_name": f"{symbol}-X-{strike}-{side}",
                    "underlying": symbol,
                    "expiry_utc": str(TIME + seconds),
                    "strike": str(strike),
                    "option_type": side,
                    "mark_iv": f"{100 * vol:.2f}",
                    "mark_price": "0.01",
                    "underlying_price": f"{forward:.4f}",
                    "index_price": f"{spot + random.choice((-3, 0, 0, 0, 3)):.2f}",
                    "open_interest": "1.5",
                    "bid": "0.009" if step % 3 else "",
                    "ask": "0.011",
                    "snapshot_ts": str(TIME),
                }
                for side in "CP"
            ]
    return rows


def write(path: Path, rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write rows as CSV and return the path."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path
