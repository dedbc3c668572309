"""`marginproof demo`: the main job on a local chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.options import AsJson


def demo(
    chain: Annotated[
        str | None,
        typer.Option("--chain", metavar="anvil|hardhat", help="Which local chain to start. [default: anvil]"),
    ] = None,
    rpc: Annotated[
        str | None,
        typer.Option("--rpc", metavar="URL", help="Use this running chain instead of starting one."),
    ] = None,
    tamper: Annotated[
        int,
        typer.Option(
            "--tamper",
            min=0,
            max=10**15,
            help="Let the quorum sign one leaf that is this many E8 units too low.",
        ),
    ] = 0,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Where the HTML report goes.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Port of the local chain; 0 takes a free one.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Replay a real crash: trade, margin, sign, post, liquidate, audit. Takes about a minute."""
    from marginproof.cli.options import url
    from marginproof.errors import InputError

    if chain not in (None, "anvil", "hardhat"):
        raise InputError(f"--chain: {chain!r} is not accepted; allowed: anvil, hardhat.")
    if chain is not None and rpc is not None:
        raise InputError(
            "--chain and --rpc exclude each other: one starts a chain, the other uses a running one."
        )
    from marginproof.demo.run import run_demo

    address = None if rpc is None else url("--rpc", rpc)
    raise typer.Exit(
        run_demo(chain=chain, tamper=tamper, rpc=address, report=report, port=port, json_output=as_json)
    )
