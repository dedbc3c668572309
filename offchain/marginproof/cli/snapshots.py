"""A market document as tables and JSON. Volatilities shown here are floats, for reading only."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from marginproof.cli.console import table
from marginproof.cli.numbers import cents, e8, moment, percent, wad
from marginproof.documents import ExpiryEntry, FitStatistics, MarketDocument, UnderlyingEntry, format_expiry
from marginproof.market.fit import smile_vol


def expiry_vols(entry: ExpiryEntry, time: int) -> tuple[float, float, float]:
    """Volatility at the money, and one standard deviation (of the log price until expiry) below and above it."""
    from math import exp, sqrt

    forward, seconds = entry.forward_e8 / 1e8, entry.expiry - time
    at_money = smile_vol(entry.svi, forward, forward, seconds)
    step = at_money * sqrt(seconds / (365 * 86_400))
    below, above = (smile_vol(entry.svi, forward * exp(k), forward, seconds) for k in (-step, step))
    return at_money, below, above


def fit_json(statistics: FitStatistics | None) -> dict[str, Any]:
    """Fit statistics, volatility errors as decimals (0.01 is one vol point); empty when there are none."""
    if statistics is None:
        return {}
    return {
        "quotes": statistics.quotes,
        "used": statistics.used,
        "nearMoney": statistics.near_money,
        "medianNearMoneyVol": wad(statistics.median_near_money_vol_wad),
        "maxNearMoneyVol": wad(statistics.max_near_money_vol_wad),
        "rmseVol": wad(statistics.rmse_vol_wad),
    }


def market_json(document: MarketDocument) -> dict[str, Any]:
    """What `market show` tells, for a program."""
    return {
        "time": document.time,
        "settlementToken": e8(document.settlement_token_e8),
        "source": document.source,
        "underlyings": [_underlying_json(entry, document.time) for entry in document.underlyings],
    }


def _underlying_json(entry: UnderlyingEntry, time: int) -> dict[str, Any]:
    expiries = []
    for item in entry.expiries:
        at_money, below, above = expiry_vols(item, time)
        expiries.append(
            {
                "expiry": item.expiry,
                "forward": e8(item.forward_e8),
                "vol": f"{at_money:.6f}",
                "volOneDeviationBelow": f"{below:.6f}",
                "volOneDeviationAbove": f"{above:.6f}",
                "fit": fit_json(item.fit) or None,
            }
        )
    return {
        "symbol": entry.symbol,
        "spot": e8(entry.spot_e8),
        "confidence": wad(entry.confidence_wad),
        "funding": e8(entry.funding_e8),
        "settlements": [{"expiry": item.expiry, "price": e8(item.price_e8)} for item in entry.settlements],
        "expiries": expiries,
    }


def show_market(console: Console, document: MarketDocument, *, with_source: bool = True) -> None:
    """Print a snapshot for a person."""
    console.print(
        f"Market of {moment(document.time)}." + (f" Source: {document.source}" if with_source else "")
    )
    if document.settlement_token_e8 != 10**8:
        console.print(f"The settlement token is worth {e8(document.settlement_token_e8)} USD.")
    for entry in document.underlyings:
        console.print()
        _show_underlying(console, entry, document.time)


def _show_underlying(console: Console, entry: UnderlyingEntry, time: int) -> None:
    facts = [
        f"{entry.symbol}: spot {cents(entry.spot_e8)} USD, cumulative funding {e8(entry.funding_e8)} USD"
    ]
    if entry.confidence_wad != 10**18:
        facts.append(f"confidence {wad(entry.confidence_wad)}")
    facts += [f"{format_expiry(item.expiry)} settled at {cents(item.price_e8)}" for item in entry.settlements]
    console.print(", ".join(facts) + ".")
    if not entry.expiries:
        console.print("No live expiry.")
        return
    fitted = any(item.fit for item in entry.expiries)
    numbers = ("days", "forward", "vol", "-1 sd", "+1 sd", "skew")
    errors = ("strikes", "median error", "max error") if fitted else ()
    rows = table("", "expiry", *numbers, *errors, numbers=(*numbers, *errors))
    for item in entry.expiries:
        at_money, below, above = expiry_vols(item, time)
        cells = [
            format_expiry(item.expiry),
            f"{(item.expiry - time) / 86_400:.1f}",
            cents(item.forward_e8),
            f"{at_money:.1%}",
            f"{below:.1%}",
            f"{above:.1%}",
            f"{(below - above) * 100:+.1f}",
        ]
        rows.add_row(*cells, *(_errors(item.fit) if fitted else ()))
    console.print(rows)
    console.print(
        "vol: at the money; +-1 sd: one standard deviation off; skew: their difference in vol points"
        + ("; errors of the fit near the money." if fitted else ".")
    )


def _errors(fit: FitStatistics | None) -> tuple[str, str, str]:
    if fit is None:
        return "", "", ""
    return (
        str(fit.used),
        percent(fit.median_near_money_vol_wad, 2),
        percent(fit.max_near_money_vol_wad, 2),
    )
