"""`marginproof deploy`: a whole venue from a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.options import DEFAULT_RPC, AsJson, Keystore, Output, Rpc

if TYPE_CHECKING:
    from marginproof.protocol.deploy_config import DeployPlan


def deploy(
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="Deployment plan, marginproof/deploy@1.")
    ],
    rpc: Rpc = DEFAULT_RPC,
    keystore: Keystore = None,
    output: Output = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a deployment file that is there already.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the plan; send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy and configure a venue.

    The key becomes its admin, unless the plan has a timelock. Writes deployments/<chain id>.json, or --output.
    """
    from marginproof.cli.console import emit, err, out, require_target, save, say, table
    from marginproof.cli.options import url
    from marginproof.errors import InputError
    from marginproof.files import project_root
    from marginproof.protocol.connection import connect
    from marginproof.protocol.deploy import deploy_protocol, deployable
    from marginproof.protocol.deploy_config import load_plan
    from marginproof.protocol.deployment import default_path
    from marginproof.protocol.keys import load_signer
    from marginproof.protocol.reverts import RevertDecoder
    from marginproof.protocol.transactions import Sender

    plan = load_plan(config)
    if check:
        _check(config, plan, url("--rpc", rpc), as_json=as_json)
        return
    if output is not None:
        require_target("--output", output)
    signer = load_signer(keystore)
    web3 = connect(url("--rpc", rpc))
    path = output or default_path(project_root(), web3.eth.chain_id)
    if path.exists() and not force:
        raise InputError(
            f"{path} is there already.",
            "Give --force to replace it (right when it belongs to a chain that is gone), or --output for another file.",
        )
    console = err()
    with console.status("Compiling and deploying ..."):
        artifacts = deployable()
        decoder = RevertDecoder(artifact.abi for artifact in artifacts.values())
        deployment = deploy_protocol(Sender(web3, signer, decoder), artifacts, plan)
    save(deployment.save, path, parents=output is None)
    if as_json:
        addresses = {name: entry.address for name, entry in deployment.contracts.items()}
        tokens = {name: entry.address for name, entry in deployment.tokens.items()}
        feeds = {name: entry.address for name, entry in deployment.feeds.items()}
        emit(
            {
                "chainId": deployment.chain_id,
                "file": str(path),
                "contracts": addresses,
                "tokens": tokens,
                "feeds": feeds,
            }
        )
        return
    rows = table(f"Deployed on chain {deployment.chain_id}", "contract", "address")
    for name, entry in deployment.contracts.items():
        rows.add_row(name, entry.address)
    for name, entry in deployment.tokens.items():
        rows.add_row(f"token {name}", entry.address)
    for name, entry in deployment.feeds.items():
        rows.add_row(f"feed {name}", entry.address)
    out().print(rows)
    if plan.timelock is None:
        say(f"Admin {signer.address}. Wrote {path}.")
    else:
        timelock = deployment.contracts["Timelock"].address
        say(f"Admin the timelock {timelock}, delay {plan.timelock.delay} s. Wrote {path}.")


def _check(config: Path, plan: DeployPlan, rpc: str, *, as_json: bool) -> None:
    """Tell that a plan is valid; its expiries are compared with the chain's time when a node answers."""
    from marginproof.cli.console import emit, say
    from marginproof.cli.numbers import moment
    from marginproof.documents import model_to_spec
    from marginproof.errors import ChainError
    from marginproof.models import load_model
    from marginproof.protocol.connection import connect
    from marginproof.protocol.deploy import chain_time, require_future_expiries

    model_to_spec(
        load_model(plan.model), {item.symbol: index for index, item in enumerate(plan.underlyings, 1)}
    )
    try:
        time = chain_time(connect(rpc))
    except ChainError:
        time = None
    if time is not None:
        require_future_expiries(plan, time)
    underlyings = [underlying.symbol for underlying in plan.underlyings]
    if as_json:
        emit({"valid": True, "model": plan.model, "underlyings": underlyings, "comparedWithTime": time})
        return
    say(
        f"{config} is valid: {', '.join(underlyings)}, model {plan.model}, {plan.threshold} of {len(plan.attesters)} attesters."
    )
    if time is not None:
        say(f"Every expiry is after the chain's time, {moment(time)}.")
    elif any(underlying.expiries for underlying in plan.underlyings):
        say(f"No node answers at {rpc}: the expiries are compared with the chain's time at deployment.")
