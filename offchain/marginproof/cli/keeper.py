"""`marginproof keeper`: proposes, collects signatures, posts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import DEFAULT_RPC, AsJson, DeploymentFile, Interval, Keystore, Rpc, Sources

if TYPE_CHECKING:
    from marginproof.keeper.bot import Keeper, Round

app = group("Propose epochs, collect signatures, post.")

Attesters = Annotated[
    list[str],
    typer.Option("--attester", metavar="URL", help="Address of an attester; give it once for each."),
]


def _keeper(
    source: Path, attesters: list[str], rpc: str, deployment: Path | None, keystore: Path | None
) -> Keeper:
    from marginproof.cli.chain import open_signed
    from marginproof.cli.options import url
    from marginproof.keeper.bot import Keeper
    from marginproof.market.sources import MarketFolder

    folder = MarketFolder(source)
    addresses = [url("--attester", text) for text in attesters]
    chain, sender = open_signed(rpc, deployment, keystore)
    return Keeper(chain.replayer, sender, folder, addresses)


def _sentence(done: Round) -> str:
    from marginproof.cli.numbers import plural

    header = done.epoch.header
    signed = sum(answer.signer is not None for answer in done.answers)
    return f"posted epoch {header.round}: {plural(header.leaf_count, 'account')}, {plural(signed, 'signature')}, {done.gas} gas"


@app.command("once")
def once(
    source: Sources,
    attester: Attesters,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Post the newest market of the source as an epoch, once."""
    from marginproof.cli.console import emit, say
    from marginproof.cli.epochs import header_json

    done = _keeper(source, attester, rpc, deployment, keystore).round()
    if done is None:
        emit(None) if as_json else say(
            "Nothing to post: the source has no market newer than the last epoch's."
        )
        return
    if as_json:
        answers = [{"attester": a.url, "signer": a.signer, "answer": a.reason} for a in done.answers]
        emit({"header": header_json(done.epoch.header), "gas": done.gas, "answers": answers})
        return
    say(_sentence(done).capitalize() + ".")
    for answer in done.answers:
        say(f"  {answer.url}: {answer.reason}" + (f" by {answer.signer}" if answer.signer else ""))


@app.command("run")
def run(
    source: Sources,
    attester: Attesters,
    interval: Interval = 10,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
) -> None:
    """Post an epoch whenever the source has a newer market, until stopped."""
    import logging

    from marginproof.cli.bots import repeat, start_log

    keeper = _keeper(source, attester, rpc, deployment, keystore)
    start_log()
    log = logging.getLogger("marginproof.keeper")

    def step() -> None:
        done = keeper.round()
        if done is not None:
            log.info("%s", _sentence(done))
        settled = keeper.settle_expired()
        if settled:
            log.info("settled expired positions of %d accounts", settled)

    repeat(step, interval, "keeper", f"watching {source} every {interval:g} s")
