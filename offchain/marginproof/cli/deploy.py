"""`marginproof deploy`: a whole venue from a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.options import DEFAULT_RPC, AsJson, Keystore, Output, Rpc


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

    The key becomes its admin. Writes deployments/<chain id>.json, or --output.
    """
    from marginproof.cli.console import emit, err, out, save, say, table
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
        underlyings = [underlying.symbol for underlying in plan.underlyings]
        if as_json:
            emit({"valid": True, "model": plan.model, "underlyings": underlyings})
        else:
            say(
                f"{config} is valid: {', '.join(underlyings)}, model {plan.model}, {plan.threshold} of {len(plan.attesters)} attesters."
            )
        return
    signer = load_signer(keystore)
    web3 = connect(url("--rpc", rpc))
    path = output or default_path(project_root(), web3.eth.chain_id)
    if path.exists() and not force:
        raise InputError(
            f"{path} is there already.", "Give --force to replace it, or --output for another file."
        )
    console = err()
    with console.status("Compiling and deploying ..."):
        artifacts = deployable()
        decoder = RevertDecoder(artifact.abi for artifact in artifacts.values())
        deployment = deploy_protocol(Sender(web3, signer, decoder), artifacts, plan)
    save(deployment.save, path)
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
    say(f"Admin {signer.address}. Wrote {path}.")
