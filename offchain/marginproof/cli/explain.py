"""`marginproof explain`: one account at one epoch, from the chain."""

from __future__ import annotations

from marginproof.cli.options import DEFAULT_RPC, AccountId, AsJson, DeploymentFile, RoundOption, Rpc


def explain(
    account: AccountId,
    round_number: RoundOption = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Explain an account's margin from the chain.

    Shows how the figures of a posted epoch came about: positions, scenarios, factors.
    Exits with 5 when the posted root is not what the chain gives.
    """
    from marginproof.auditor.explain import explain_account
    from marginproof.cli.chain import open_venue
    from marginproof.cli.console import emit, out
    from marginproof.cli.epochs import compute, header_json
    from marginproof.cli.figures import MarginReport
    from marginproof.cli.numbers import moment
    from marginproof.engine.values import ValueTable
    from marginproof.errors import VerificationError

    chain = open_venue(rpc, deployment)
    found = explain_account(chain.venue, account, round_number)
    header, state = found.epoch.header, found.state
    values = ValueTable(found.epoch.market, state.model(header.model_hash))
    report = MarginReport(found.explanation, values, state.ids_by_symbol())
    root = compute(state, found.epoch).root
    matches = root == header.leaf_root
    if as_json:
        emit(
            {"format": "marginproof/explanation@1", "id": account, "owner": state.accounts[account].owner}
            | {"epoch": header_json(header), "recomputedRoot": "0x" + root.hex(), "rootMatches": matches}
            | report.json()
        )
    else:
        console = out()
        console.print(
            f"Account {account} of {state.accounts[account].owner} in epoch {header.round}: market of {moment(header.time)}, "
            f"positions and cash as of block {header.block_number}.\n",
            soft_wrap=True,
        )
        report.show(console)
        console.print(f"Model 0x{header.model_hash.hex()}.", soft_wrap=True)
        if matches:
            console.print(
                f"The recomputed root is the posted one, 0x{root.hex()}: these figures are what was signed.",
                soft_wrap=True,
            )
    if not matches:
        raise VerificationError(
            f"Epoch {header.round} was posted with root 0x{header.leaf_root.hex()}, the chain gives 0x{root.hex()}.",
            "`marginproof audit` says which account and figure differ.",
        )
