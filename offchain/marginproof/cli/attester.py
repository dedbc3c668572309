"""`marginproof attester`: the service that checks proposals and signs them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import DEFAULT_RPC, AsJson, DeploymentFile, Keystore, Rpc, Sources, real, whole

app = group("Check proposals and sign them; join, leave, status.")

AttesterAddress = Annotated[
    str | None,
    typer.Option("--attester", metavar="ADDRESS", help="The attester. [default: the key's own address]"),
]


@app.command("serve")
def serve(
    source: Sources,
    state: Annotated[
        Path,
        typer.Option(
            "--state",
            metavar="FILE",
            help="Record of signed rounds; keep it, it prevents signing a round twice.",
        ),
    ],
    port: Annotated[
        int, typer.Option("--port", parser=whole(1, 65_535), metavar="PORT", help="Port to listen on.")
    ] = 8600,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    price_tolerance: Annotated[
        float,
        typer.Option(
            "--price-tolerance",
            parser=real(0, 1),
            metavar="SHARE",
            help="Greatest relative difference of prices from our source.",
        ),
    ] = 0.003,
    vol_tolerance: Annotated[
        float,
        typer.Option(
            "--vol-tolerance",
            parser=real(0, 5),
            metavar="VOL",
            help="Greatest difference of volatility; 0.01 is one point.",
        ),
    ] = 0.02,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
) -> None:
    """Serve until stopped: POST /sign, GET /health."""
    import logging

    from marginproof.attester.checks import Attester
    from marginproof.attester.service import serve as serve_http
    from marginproof.attester.signed_rounds import SignedRounds
    from marginproof.attester.tolerance import Tolerance
    from marginproof.cli.bots import start_log, stopping_by_signal
    from marginproof.cli.chain import open_signed
    from marginproof.market.sources import MarketFolder

    rounds = SignedRounds(state)
    folder = MarketFolder(source)
    chain, sender = open_signed(rpc, deployment, keystore)
    members = chain.venue.call("AttesterSet", "attesters")
    start_log()
    log = logging.getLogger("marginproof.attester")
    if sender.address not in members:
        log.warning(
            "%s is not a member of the venue's attester set: its signatures will not count", sender.address
        )
    attester = Attester(
        sender.signer, chain.replayer, folder, rounds, Tolerance(price_tolerance, vol_tolerance)
    )
    with stopping_by_signal():
        serve_http(attester, host, port)
    log.info("stopped")


@app.command("health")
def health(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Address of the attester, such as http://127.0.0.1:8600.")
    ],
    as_json: AsJson = False,
) -> None:
    """Ask an attester who it is and which round it signed last."""
    import httpx
    from pydantic import ValidationError

    from marginproof.cli.console import emit, say
    from marginproof.cli.options import url as checked_url
    from marginproof.errors import ChainError
    from marginproof.protocol.messages import Health

    address = checked_url("URL", url)
    try:
        answer = Health.model_validate_json(httpx.get(f"{address}/health", timeout=10).content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChainError(
            f"No answer from {address} ({type(error).__name__}).", "Check that the attester runs there."
        ) from error
    except ValidationError as error:
        raise ChainError(f"What answers at {address} is not an attester.") from error
    if as_json:
        emit(
            {
                "url": address,
                "signer": answer.signer,
                "chainId": answer.chain_id,
                "lastRound": answer.last_round,
            }
        )
    else:
        last = "no round yet" if answer.last_round < 0 else f"round {answer.last_round}"
        say(
            f"{address}: {answer.signer} on chain {answer.chain_id} signed {last} last."
            if answer.last_round >= 0
            else f"{address}: {answer.signer} on chain {answer.chain_id} signed {last}."
        )


@app.command("join")
def join(
    attester: AttesterAddress = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Pay an admitted attester's bond, or bring a reduced one back to the whole.

    The bond is the attester's from then on, whoever pays it.
    """
    from marginproof.cli.bonds import join as pay

    pay(rpc, deployment, keystore, attester, as_json=as_json)


@app.command("leave")
def leave(
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Leave, and once the bond is open, take it out.

    The first call starts leaving; called again after the bond has opened, it pays the bond to the key's own address.
    """
    from marginproof.cli.bonds import leave as go

    go(rpc, deployment, keystore, as_json=as_json)


@app.command("status")
def status(
    attester: AttesterAddress = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Show who may sign, and every attester's bond and times; or one attester's."""
    from marginproof.cli.bonds import show_status

    show_status(rpc, deployment, attester, as_json=as_json)
