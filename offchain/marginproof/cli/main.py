"""Assembles the command `marginproof` from its groups."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from marginproof import __version__
from marginproof.cli import (
    account,
    attester,
    audit,
    court,
    demo,
    deploy,
    epoch,
    explain,
    instrument,
    keeper,
    liquidator,
    margin,
    market,
    model,
    testing,
    trade,
)
from marginproof.cli.console import guarded

app = typer.Typer(
    name="marginproof",
    help="Portfolio margin that anyone can recompute, on chain and off chain equal bit for bit.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"marginproof {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


app.command("margin")(margin.margin)
app.add_typer(market.app, name="market")
app.add_typer(model.app, name="model")
app.command("deploy")(deploy.deploy)
app.add_typer(instrument.app, name="instrument")
app.add_typer(account.app, name="account")
app.add_typer(trade.app, name="trade")
app.add_typer(epoch.app, name="epoch")
app.add_typer(keeper.app, name="keeper")
app.add_typer(attester.app, name="attester")
app.add_typer(liquidator.app, name="liquidator")
app.command("audit")(audit.audit)
app.add_typer(court.app, name="court")
app.command("explain")(explain.explain)
app.add_typer(testing.app, name="testing")
app.command("demo")(demo.demo)


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code; messages go to stdout and stderr."""
    return guarded(lambda: app(args=list(arguments), prog_name="marginproof"))


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
