"""`marginproof demo`: the main job on a local chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.options import AsJson, ChainKind, whole


def demo(
    chain: Annotated[
        ChainKind, typer.Option("--chain", help="Which local chain to start.")
    ] = ChainKind.ANVIL,
    tamper: Annotated[
        int,
        typer.Option(
            "--tamper",
            parser=whole(0, 10**15),
            metavar="N",
            help="Let the quorum sign one leaf this many E8 units too low; it is disputed.",
        ),
    ] = 0,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Where the HTML report goes. [default: build/demo/]"),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            "--port", parser=whole(0, 65_535), metavar="PORT", help="Port of the chain; 0 takes a free one."
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Replay a real crash, end to end.

    Starts a chain, deploys, trades, margins, signs, posts, liquidates and audits; takes about a minute.
    """
    from marginproof.cli.console import require_target
    from marginproof.demo.run import run_demo

    if report is not None:
        require_target("--report", report)
    raise typer.Exit(
        run_demo(chain=chain.value, tamper=tamper, report=report, port=port, json_output=as_json)
    )
