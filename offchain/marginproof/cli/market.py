"""`marginproof market`: importing option chains, fit errors, looking at snapshots, the shipped crash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import AsJson, Output, whole

if TYPE_CHECKING:
    from marginproof.documents import MarketDocument, SettlementEntry
    from marginproof.market.importing import ImportReport

app = group("Market snapshots: import, fit, check, show.")

Chains = Annotated[list[Path], typer.Argument(metavar="CSV...", help="Book summaries, .csv or .csv.gz.")]
SnapshotTime = Annotated[
    int | None,
    typer.Option(
        "--time",
        parser=whole(1, 2**32 - 2),
        metavar="SECONDS",
        help="Time of the snapshot, unix seconds. [default: latest snapshot_ts]",
    ),
]
Symbols = Annotated[
    list[str] | None,
    typer.Option("--symbol", help="Keep only this underlying; may be given again. [default: all]"),
]


@app.command("import")
def import_chains(
    files: Chains,
    output: Output = None,
    symbol: Symbols = None,
    time: SnapshotTime = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Where the chains come from, for the document.")
    ] = None,
    funding: Annotated[
        list[str] | None,
        typer.Option(
            "--funding", metavar="SYMBOL=USD", help="Cumulative funding of a perpetual. [default: 0]"
        ),
    ] = None,
    settlement: Annotated[
        list[str] | None,
        typer.Option(
            "--settlement", metavar="SYMBOL-EXPIRY=USD", help="Settlement price of an expired expiry."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit a market document to option chains.

    The chains are of one moment.
    With --output the document goes to the file and the report to stdout;
    without, the document goes to stdout and the report to stderr.
    """
    from marginproof.cli.console import emit, err, out, save
    from marginproof.cli.market_reports import report_json, show_report
    from marginproof.documents import document_json, save_document

    document, report = _fitted(files, time, symbol, source, funding or [], settlement or [])
    if output is None:
        typer.echo(document_json(document), nl=False)
        show_report(err(), document, report)
        return
    save(lambda path: save_document(document, path), output)
    if as_json:
        emit(report_json(document, report) | {"file": str(output)})
    else:
        console = out()
        show_report(console, document, report)
        console.print(f"Wrote {output}.", soft_wrap=True)


@app.command("fit")
def fit(files: Chains, symbol: Symbols = None, time: SnapshotTime = None, as_json: AsJson = False) -> None:
    """Report the fit errors of option chains.

    Fits the smiles as `import` does, and writes nothing.
    """
    from marginproof.cli.console import emit, out
    from marginproof.cli.market_reports import report_json, show_report

    document, report = _fitted(files, time, symbol, None, [], [])
    if as_json:
        emit(report_json(document, report))
    else:
        show_report(out(), document, report)


def _fitted(
    files: list[Path],
    time: int | None,
    symbols: list[str] | None,
    source: str | None,
    funding: list[str],
    settlement: list[str],
) -> tuple[MarketDocument, ImportReport]:
    from marginproof.cli.console import err
    from marginproof.errors import InputError
    from marginproof.market.importing import import_and_fit

    if source is not None and not 1 <= len(source) <= 2000:
        raise InputError(f"--source: {len(source)} characters; allowed: 1 to 2000.")
    funding_e8, settlements = _funding(funding), _settlements(settlement)
    console = err()
    with console.status("Fitting smiles ...") if console.is_terminal else _nothing():
        document, report = import_and_fit(
            files, source=source, time=time, funding_e8=funding_e8, settlements=settlements
        )
    known = [entry.symbol for entry in document.underlyings]
    for option, names in (
        ("--symbol", symbols or []),
        ("--funding", list(funding_e8)),
        ("--settlement", list(settlements)),
    ):
        for name in names:
            if name not in known:
                raise InputError(
                    f"{option}: the files have no underlying {name}; allowed: {', '.join(known)}."
                )
    if symbols:
        kept = tuple(entry for entry in document.underlyings if entry.symbol in symbols)
        document = document.model_copy(update={"underlyings": kept})
        report.keep(symbols)
    return document, report


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def _funding(items: list[str]) -> dict[str, int]:
    from marginproof.cli.options import decimal
    from marginproof.errors import InputError
    from marginproof.spec.limits import MAX_FUNDING

    found: dict[str, int] = {}
    for item in items:
        symbol, equals, text = item.partition("=")
        if not equals or not symbol:
            raise InputError(f"--funding: {item!r} is not accepted; allowed: SYMBOL=USD, such as BTC=12.5.")
        if symbol in found:
            raise InputError(f"--funding: {symbol} is given twice.")
        found[symbol] = decimal("--funding", text, 8, -MAX_FUNDING, MAX_FUNDING)
    return found


def _settlements(items: list[str]) -> dict[str, list[SettlementEntry]]:
    from marginproof.cli.options import decimal
    from marginproof.documents import SettlementEntry, parse_instrument_name
    from marginproof.errors import InputError
    from marginproof.spec.instruments import Kind
    from marginproof.spec.limits import MAX_SETTLEMENT_PRICE, MIN_SETTLEMENT_PRICE

    found: dict[str, list[SettlementEntry]] = {}
    for item in items:
        text, equals, price = item.partition("=")
        name = parse_instrument_name(text) if equals else None
        if name is None or name.kind != Kind.FUTURE:
            raise InputError(
                f"--settlement: {item!r} is not accepted; allowed: SYMBOL-EXPIRY=USD, such as BTC-6FEB26=65000."
            )
        entry = SettlementEntry(
            expiry=name.expiry,
            price_e8=decimal("--settlement", price, 8, MIN_SETTLEMENT_PRICE, MAX_SETTLEMENT_PRICE),
        )
        if any(known.expiry == entry.expiry for known in found.get(name.symbol, [])):
            raise InputError(f"--settlement: {text} is given twice.")
        found.setdefault(name.symbol, []).append(entry)
    return found


@app.command("show")
def show(
    market: Annotated[str, typer.Argument(metavar="FILE|crash:N", help="Market document, or a shipped one.")],
    as_json: AsJson = False,
) -> None:
    """Show a snapshot.

    Spot, funding, settlements; per expiry forward, volatility, skew and fit error.
    """
    from marginproof.cli.console import emit, out
    from marginproof.cli.inputs import market_argument
    from marginproof.cli.snapshots import market_json, show_market

    document = market_argument(market)
    if as_json:
        emit(market_json(document))
    else:
        show_market(out(), document)


@app.command("check")
def check(
    market: Annotated[str, typer.Argument(metavar="FILE|crash:N", help="Market document, or a shipped one.")],
    as_json: AsJson = False,
) -> None:
    """Check a market document: its ranges, then prices far apart and static arbitrage of its smiles.

    A document out of range is refused with exit code 2. The rest are warnings: they are listed, and the exit code stays 0.
    """
    from marginproof.cli.console import emit, out
    from marginproof.cli.inputs import market_argument
    from marginproof.cli.market_reports import far_price_json, finding_json
    from marginproof.cli.numbers import moment
    from marginproof.documents import market_symbols, market_to_spec
    from marginproof.market.arbitrage import counts, document_findings
    from marginproof.market.import_report import arbitrage_lines
    from marginproof.market.plausible import far_prices

    document = market_argument(market)
    market_to_spec(document, market_symbols(document))
    far, findings = far_prices(document), document_findings(document)
    expiries = sum(len(entry.expiries) for entry in document.underlyings)
    if as_json:
        emit(
            {
                "format": "marginproof/market-check@1",
                "time": document.time,
                "expiries": expiries,
                "prices": [far_price_json(item) for item in far],
                "counts": counts(findings),
                "arbitrage": [finding_json(item) for item in findings],
            }
        )
        return
    console = out()
    names = ", ".join(entry.symbol for entry in document.underlyings)
    console.print(
        f"Market of {moment(document.time)}: {names}, {expiries} expiries, every figure within its range.",
        soft_wrap=True,
    )
    for line in [*(f"price: {item.words}" for item in far), *arbitrage_lines(findings)]:
        console.print(line, soft_wrap=True)


@app.command("crash")
def crash(
    number: Annotated[
        str | None, typer.Argument(metavar="N", help="Which snapshot to write with --output.")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """List or write the shipped snapshots.

    They are of the crash of January and February 2026; every command that takes a market takes `crash:N` too.
    """
    from marginproof.cli.console import emit, out, save, say, table
    from marginproof.cli.inputs import crash_snapshot
    from marginproof.cli.numbers import cents, e8, moment
    from marginproof.documents import document_json, save_document
    from marginproof.errors import InputError
    from marginproof.market.crash import load_crash

    if number is not None:
        document = crash_snapshot(number)
        if output is None:
            typer.echo(document_json(document), nl=False)
            return
        save(lambda path: save_document(document, path), output)
        if as_json:
            emit({"file": str(output), "time": document.time})
        else:
            say(f"Wrote {output}.")
        return
    if output is not None:
        raise InputError("--output needs the number of a snapshot.", "`marginproof market crash` lists them.")
    snapshots = load_crash()
    if as_json:
        emit(
            [
                {
                    "number": n,
                    "time": s.time,
                    "spot": {u.symbol: e8(u.spot_e8) for u in s.underlyings},
                    "source": s.source,
                }
                for n, s in enumerate(snapshots, 1)
            ]
        )
        return
    names = [entry.symbol for entry in snapshots[0].underlyings]
    rows = table(
        "Shipped snapshots", "number", "time", *names, "expiries", numbers=("number", *names, "expiries")
    )
    for index, snapshot in enumerate(snapshots, 1):
        spots = [cents(entry.spot_e8) for entry in snapshot.underlyings]
        rows.add_row(
            str(index), moment(snapshot.time), *spots, str(sum(len(u.expiries) for u in snapshot.underlyings))
        )
    out().print(rows)
