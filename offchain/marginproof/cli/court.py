"""`marginproof court`: the contracts' own figures for an account, beside ours."""

from __future__ import annotations

from typing import Annotated

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import DEFAULT_RPC, AccountId, AsJson, DeploymentFile, RoundOption, Rpc

app = group("Ask the court: margin of an account, repriced by the contracts.")


@app.command("recompute")
def recompute(
    account: AccountId,
    round_number: RoundOption = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Have the contracts recompute an account over all scenarios and charges.

    On the market and model of a posted epoch, with the positions of its block. Sends nothing. Exits with 5 when our figures differ.
    """
    from marginproof.cli.court_case import CourtCase

    CourtCase.of(rpc, deployment, account, round_number).recompute(as_json=as_json)


@app.command("reprice")
def reprice(
    account: AccountId,
    choice: Annotated[
        list[str] | None,
        typer.Option(
            "--index",
            metavar="SYMBOL=INDEX",
            help="Scenario or charge to judge an underlying by; give it once for each held underlying. [default: the worst]",
        ),
    ] = None,
    round_number: RoundOption = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Have the contracts reprice an account under one scenario or charge of each underlying.

    What a margin call and a dispute do. Never above the true requirement; equal to it under the worst. Sends nothing.
    """
    from marginproof.cli.court_case import CourtCase

    CourtCase.of(rpc, deployment, account, round_number).reprice(choice or [], as_json=as_json)
