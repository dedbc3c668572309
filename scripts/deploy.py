#!/usr/bin/env python3
"""Deploy a venue: `python scripts/deploy.py --config PLAN ...` is `marginproof deploy --config PLAN ...`.

Under ape, `ape run deploy` deploys deployments/plan.example.json (or the plan named in MARGINPROOF_PLAN) to the connected network with
ape's first test account, through the same code, and writes the deployment file into build/ape-deployments/.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from eth_account import Account

from marginproof.cli.main import run
from marginproof.files import project_root
from marginproof.protocol.deploy import deploy_protocol, deployable
from marginproof.protocol.deploy_config import load_plan
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
    signer = Account.from_key(ape.accounts.test_accounts[0].private_key)
    artifacts = deployable()
    decoder = RevertDecoder(artifact.abi for artifact in artifacts.values())
    deployment = deploy_protocol(Sender(web3, signer, decoder), artifacts, plan)
    path = project_root() / "build" / "ape-deployments" / f"{deployment.chain_id}.json"
    deployment.save(path)
    for name, entry in deployment.contracts.items():
        print(f"{name:<20} {entry.address}")
    print(f"Written to {path}")


if __name__ == "__main__":
    sys.exit(run(["deploy", *sys.argv[1:]]))
