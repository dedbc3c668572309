"""`marginproof liquidator`: calls accounts below maintenance margin and takes slices of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import (
    DEFAULT_RPC,
    UINT64,
    AsJson,
    DeploymentFile,
    Interval,
    Keystore,
    Rpc,
    whole,
)

if TYPE_CHECKING:
    from marginproof.liquidator.bot import Liquidator, Step

app = group("Call accounts below margin, take slices.")

Funding = Annotated[
    int,
    typer.Option(
        "--account",
        parser=whole(0, UINT64),
        metavar="ID",
        help="Your own account without positions whose cash backs the slices.",
    ),
]


def _liquidator(account: int, rpc: str, deployment: Path | None, keystore: Path | None) -> Liquidator:
    from marginproof.cli.chain import account_of, open_signed
    from marginproof.errors import InputError
    from marginproof.liquidator.bot import Liquidator

    chain, sender = open_signed(rpc, deployment, keystore)
    held = account_of(chain.state(), account)
    if held.owner != sender.address:
        raise InputError(
            f"Account {account} belongs to {held.owner}, the key to {sender.address}.",
            "Give an account of your own.",
        )
    if held.positions:
        raise InputError(
            f"Account {account} holds {len(held.positions)} positions.",
            "Give one without positions: slices go to fresh accounts.",
        )
    return Liquidator(chain.replayer, sender, account)


def _sentence(step: Step) -> str:
    from marginproof.cli.numbers import cents, percent

    then, now = step.before, step.after
    before = f"equity {cents(then.equity_e8)}, maintenance margin {cents(then.margin.maintenance)}"
    if step.action != "slice":
        return f"account {step.account}: {'called' if step.action == 'call' else 'released'}, {before} ({step.gas} gas)"
    after = f"equity {cents(now.equity_e8)}, maintenance margin {cents(now.margin.maintenance)}"
    taken = f"took {percent(step.fraction_wad, 2)} into account {step.fresh_account}"
    return f"account {step.account}: {taken}; {before}; after: {after} ({step.gas} gas)"


def _step_json(step: Step) -> dict[str, Any]:
    from marginproof.cli.figures import account_json
    from marginproof.cli.numbers import wad

    return {
        "account": step.account,
        "action": step.action,
        "fraction": wad(step.fraction_wad),
        "freshAccount": step.fresh_account,
        "before": account_json(step.before),
        "after": account_json(step.after),
        "gas": step.gas,
    }


@app.command("once")
def once(
    account: Funding,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Look at every account once, and act."""
    from marginproof.cli.console import emit, say

    steps = _liquidator(account, rpc, deployment, keystore).sweep()
    if as_json:
        emit([_step_json(step) for step in steps])
        return
    for step in steps:
        say(_sentence(step).capitalize() + ".")
    if not steps:
        say("Nothing to do: no account is below maintenance margin on a live epoch.")


@app.command("run")
def run(
    account: Funding,
    interval: Interval = 10,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
) -> None:
    """Watch all accounts and act, until stopped."""
    import logging

    from marginproof.cli.bots import repeat, start_log

    bot = _liquidator(account, rpc, deployment, keystore)
    start_log()
    log = logging.getLogger("marginproof.liquidator")

    def step() -> None:
        for done in bot.sweep():
            log.info("%s", _sentence(done))

    repeat(step, interval, "liquidator", f"watching every {interval:g} s, backed by account {account}")
