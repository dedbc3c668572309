#!/usr/bin/env python3
"""Deploy a venue: `python scripts/deploy.py --config PLAN ...` is `marginproof deploy --config PLAN ...`.

Under ape, `ape run deploy` deploys deployments/plan.example.json (or the plan named in MARGINPROOF_PLAN) to the connected network with
ape's first test account, through the same code, and writes the deployment file into build/ape-deployments/. The example plan fits the
shipped snapshots; expiries that are past on the connected network are left out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from eth_account import Account

from marginproof.cli.main import run
from marginproof.files import project_root
from marginproof.protocol.deploy import chain_time, deploy_protocol, deployable, past_expiries
from marginproof.protocol.deploy_config import DeployPlan, load_plan
from marginproof.protocol.reverts import RevertDecoder
from marginproof.protocol.transactions import Sender

PLAN_VARIABLE = "MARGINPROOF_PLAN"


def main() -> None:
    """What `ape run deploy` calls."""
    import ape

    plan = load_plan(
        Path(os.environ.get(PLAN_VARIABLE) or project_root() / "deployments" / "plan.example.json")
    )
    web3 = ape.chain.provider.web3
    plan = _without_past_expiries(plan, chain_time(web3))
    signer = Account.from_key(ape.accounts.test_accounts[0].private_key)
    artifacts = deployable()
    decoder = RevertDecoder(artifact.abi for artifact in artifacts.values())
    deployment = deploy_protocol(Sender(web3, signer, decoder), artifacts, plan)
    path = project_root() / "build" / "ape-deployments" / f"{deployment.chain_id}.json"
    deployment.save(path)
    for name, entry in deployment.contracts.items():
        print(f"{name:<20} {entry.address}")
    print(f"Written to {path}")


def _without_past_expiries(plan: DeployPlan, time: int) -> DeployPlan:
    """The plan without what the network's clock (unix seconds) has passed, said in one line."""
    past = past_expiries(plan, time)
    if not past:
        return plan
    print(f"Left out, as past on this network: {', '.join(past)}")
    kept = tuple(
        underlying.model_copy(
            update={"expiries": tuple(expiry for expiry in underlying.expiries if expiry > time)}
        )
        for underlying in plan.underlyings
    )
    return plan.model_copy(update={"underlyings": kept})


if __name__ == "__main__":
    sys.exit(run(["deploy", *sys.argv[1:]]))
