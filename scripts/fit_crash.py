#!/usr/bin/env python3
"""Make the shipped crash snapshots from real option chains, or check that they follow from them.

    fit_crash.py DATA_DIR            writes offchain/marginproof/market/crash/<n>-<UTC time>.json
    fit_crash.py --check DATA_DIR    recomputes them and compares; exit 1 on a difference

DATA_DIR holds deribit_{btc,eth}_options_<UTC time>.csv.gz for each time, deribit_futures_marks.csv.gz and funding_binance_8h.csv.gz. The
figures and errors are derived here; no row of the chains is copied. The smiles are the best fits, with their butterfly arbitrage where
they have any (far from the money, in 13 of 142), so that figures recorded with these snapshots keep their meaning; both forms list it.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import sys
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "offchain"))

from marginproof.documents.base import document_json, parse_document  # noqa: E402
from marginproof.documents.market_document import MarketDocument, SettlementEntry, SviSmile, UnderlyingEntry  # noqa: E402
from marginproof.errors import InputError, MarginproofError  # noqa: E402
from marginproof.files import write_text  # noqa: E402
from marginproof.market.crash import load_crash  # noqa: E402
from marginproof.market.fit import smile_vol  # noqa: E402
from marginproof.market.importing import fit_chain, load_chain  # noqa: E402
from marginproof.market.perpetuals import read_perpetuals  # noqa: E402
from marginproof.spec.units import SECONDS_PER_YEAR  # noqa: E402

OUTPUT: Final = ROOT / "offchain" / "marginproof" / "market" / "crash"
SYMBOLS: Final = ("BTC", "ETH")
MAX_MEDIAN_WAD: Final = 10**16
"""One vol point: the largest median error near the money that is shipped."""
VOL_TOLERANCE: Final = 1e-4
"""A hundredth of a vol point: what floating point on another machine may change in a recomputed smile."""
DEVIATIONS: Final = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Where recomputed smiles are compared: so many standard deviations from the forward."""
ETH_FUNDING: Final = "the funding source has no ETH rates for these days, so ETH's index stays 0"

Rates = dict[str, list[tuple[int, Fraction]]]


def build(data: Path) -> list[MarketDocument]:
    """All snapshots in order of time, with settlements and funding carried from one to the next."""
    names = sorted(path.name for path in data.glob("deribit_btc_options_*.csv.gz"))
    if not names:
        raise InputError(f"{data}: no file named deribit_btc_options_<UTC time>.csv.gz")
    rates = read_rates(data / "funding_binance_8h.csv.gz")
    marks = data / "deribit_futures_marks.csv.gz"
    perpetuals = read_perpetuals(marks)
    documents: list[MarketDocument] = []
    for name in names:
        paths = [data / name.replace("_btc_", f"_{symbol.lower()}_") for symbol in SYMBOLS]
        chain = load_chain(paths)
        prices = perpetuals.get(chain.time, {})
        missing = [symbol for symbol in SYMBOLS if symbol not in prices]
        if missing:
            raise InputError(
                f"{marks}: no price of the perpetual of {', '.join(missing)} at time {chain.time}"
            )
        fitted, report = fit_chain(chain, perpetual_e8=prices, remove_butterflies=False)
        for line in report.lines():
            print(f"  {line}")
        previous = documents[-1] if documents else None
        documents.append(carried(fitted, previous, rates))
    return documents


def carried(fitted: MarketDocument, previous: MarketDocument | None, rates: Rates) -> MarketDocument:
    """The fitted snapshot with source, settlement prices and cumulative funding, given the one before it."""
    moment = datetime.fromtimestamp(fitted.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    source = (
        f"Deribit public book summaries, {moment}; index median, forward median, SVI fitted by "
        f"scripts/fit_crash.py; perpetuals from their one-minute candles; "
        f"BTC funding from Binance 8 h rates, summed from the first snapshot on, {ETH_FUNDING}"
    )
    before = {entry.symbol: entry for entry in previous.underlyings} if previous else {}
    since = previous.time if previous else fitted.time
    underlyings = []
    for entry in fitted.underlyings:
        earlier = before.get(entry.symbol)
        changes: dict[str, object] = {}
        if earlier is not None:
            changes["settlements"] = settled(entry, earlier, fitted.time)
            growth = funding_growth(
                rates[entry.symbol], (since, earlier.spot_e8), (fitted.time, entry.spot_e8)
            )
            changes["funding_e8"] = earlier.funding_e8 + growth
        underlyings.append(entry.model_copy(update=changes))
    document = fitted.model_copy(update={"source": source, "underlyings": tuple(underlyings)})
    return parse_document(MarketDocument, document_json(document), "crash snapshot")


def settled(entry: UnderlyingEntry, earlier: UnderlyingEntry, time: int) -> tuple[SettlementEntry, ...]:
    """Earlier settlements stay; expiries that passed since settle at this first snapshot's spot."""
    passed = [item.expiry for item in earlier.expiries if item.expiry <= time]
    return earlier.settlements + tuple(
        SettlementEntry(expiry=expiry, price_e8=entry.spot_e8) for expiry in passed
    )


def funding_growth(rates: list[tuple[int, Fraction]], start: tuple[int, int], end: tuple[int, int]) -> int:
    """The sum of rate x spot over the funding times in (start, end], E8, floored once.

    `start` and `end` are (time, spot E8); the spot between them is taken as linear in time.
    """
    (t0, spot0), (t1, spot1) = start, end
    total = sum(
        (
            rate * (spot0 + Fraction((spot1 - spot0) * (at - t0), t1 - t0))
            for at, rate in rates
            if t0 < at <= t1
        ),
        Fraction(0),
    )
    return total.numerator // total.denominator


def read_rates(path: Path) -> Rates:
    """Funding rates per symbol: (unix seconds, fraction); blank cells are left out."""
    rates: Rates = {symbol: [] for symbol in SYMBOLS}
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                for symbol in SYMBOLS:
                    if row[f"{symbol.lower()}_rate"]:
                        rates[symbol].append((int(row["ts"]), Fraction(row[f"{symbol.lower()}_rate"])))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: not readable as funding rates with columns ts, btc_rate, eth_rate ({error})"
        ) from None
    return rates


def file_name(index: int, document: MarketDocument) -> str:
    """Number, then time: the files sort in order of time."""
    return f"{index}-{datetime.fromtimestamp(document.time, UTC).strftime('%Y%m%dT%H%M%SZ')}.json"


def worst_median(documents: list[MarketDocument]) -> int:
    """The largest median error near the money over all expiries, WAD."""
    fits = (item.fit for document in documents for entry in document.underlyings for item in entry.expiries)
    return max((fit.median_near_money_vol_wad for fit in fits if fit is not None), default=0)


def differences(shipped: MarketDocument, made: MarketDocument) -> list[str]:
    """What differs by more than floating point explains: everything but the smiles exactly, the smiles in
    vol.
    """
    found = []
    if bare(shipped) != bare(made):
        found.append(
            f"{shipped.time}: time, source, spot, perpetual, forward, funding, settlement or quote counts differ"
        )
        return found
    for old, new in zip(shipped.underlyings, made.underlyings, strict=True):
        for a, b in zip(old.expiries, new.expiries, strict=True):
            seconds, forward = a.expiry - shipped.time, a.forward_e8 / 10**8
            width = smile_vol(a.svi, forward, forward, seconds) * math.sqrt(seconds / SECONDS_PER_YEAR)
            strikes = [forward * math.exp(width * deviations) for deviations in DEVIATIONS]
            apart = max(
                abs(smile_vol(a.svi, strike, forward, seconds) - smile_vol(b.svi, strike, forward, seconds))
                for strike in strikes
            )
            stated, remade = a.fit, b.fit
            if stated is None or remade is None:
                found.append(f"{shipped.time} {old.symbol} {a.expiry}: no fit statistics")
                continue
            error = abs(stated.median_near_money_vol_wad - remade.median_near_money_vol_wad) / 10**18
            if max(apart, error) > VOL_TOLERANCE:
                found.append(
                    f"{shipped.time} {old.symbol} {a.expiry}: vols differ by {apart:.6f}, stated error "
                    f"by {error:.6f}"
                )
    return found


def bare(document: MarketDocument) -> MarketDocument:
    """The document without what floating point decides: smiles made flat, fit errors 0."""
    flat = SviSmile(a_wad=0, b_wad=0, rho_wad=0, m_wad=0, sigma_wad=10**18)
    no_errors = {"median_near_money_vol_wad": 0, "max_near_money_vol_wad": 0, "rmse_vol_wad": 0}
    underlyings = []
    for entry in document.underlyings:
        expiries = tuple(
            item.model_copy(update={"svi": flat, "fit": item.fit and item.fit.model_copy(update=no_errors)})
            for item in entry.expiries
        )
        underlyings.append(entry.model_copy(update={"expiries": expiries}))
    return document.model_copy(update={"underlyings": tuple(underlyings)})


def check(documents: list[MarketDocument]) -> int:
    """Compare with the shipped files; returns the exit code."""
    shipped = load_crash()
    if len(shipped) != len(documents):
        print(f"{len(shipped)} snapshots are shipped, {len(documents)} were made", file=sys.stderr)
        return 1
    found = [line for old, new in zip(shipped, documents, strict=True) for line in differences(old, new)]
    for line in found:
        print(line, file=sys.stderr)
    same = sum(old == new for old, new in zip(shipped, documents, strict=True))
    if not found:
        print(f"{len(shipped)} shipped snapshots reproduced, {same} of them to the last digit")
    return 1 if found else 0


def main() -> int:
    """Run the script; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make or check the shipped crash snapshots.")
    parser.add_argument(
        "data", type=Path, metavar="DATA_DIR", help="folder with the option chains and funding rates"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with the shipped files instead of writing them"
    )
    options = parser.parse_args()
    try:
        documents = build(options.data)
        worst = worst_median(documents)
        print(f"largest median error near the money: {worst / 10**16:.3f} vol points (allowed: 1)")
        if worst > MAX_MEDIAN_WAD:
            raise MarginproofError("the fit is too coarse to be shipped")
        if options.check:
            return check(documents)
        for index, document in enumerate(documents, 1):
            write_text(OUTPUT / file_name(index, document), document_json(document))
            print(f"wrote {file_name(index, document)}")
    except MarginproofError as error:
        print(f"fit_crash: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
