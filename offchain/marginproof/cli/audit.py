"""`marginproof audit`: every epoch rebuilt from the chain and compared with what was signed and what the contracts compute."""

from __future__ import annotations

from typing import Annotated

import typer

from marginproof.cli.options import DEFAULT_RPC, AsJson, DeploymentFile, Rpc


def audit(
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    contracts: Annotated[
        bool,
        typer.Option("--contracts/--no-contracts", help="Also ask the contracts to recompute every account."),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Audit every epoch from the chain.

    Rebuilds every account and compares every figure with what was signed. Exits with 5 when anything differs.
    """
    from rich.progress import Progress

    from marginproof.auditor.audit import Auditor
    from marginproof.auditor.findings import EpochAudit
    from marginproof.cli.chain import open_venue
    from marginproof.cli.console import emit, err, out, table
    from marginproof.cli.numbers import plural
    from marginproof.errors import VerificationError

    chain = open_venue(rpc, deployment)
    auditor = Auditor(chain.venue, on_chain=contracts)
    newest = auditor.newest_state()
    total = len(newest.epochs)
    audits: list[EpochAudit] = []
    console = err()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Auditing epochs", total=total)
        for item in auditor.audit(newest):
            audits.append(item)
            progress.advance(task)
    findings = [finding for item in audits for finding in item.findings]
    if as_json:
        emit(
            {"format": "marginproof/audit@1", "clean": not findings, "contracts": contracts}
            | {"epochs": [item.summary() for item in audits]}
        )
    else:
        numbers = ("round", "accounts", "figures", "posted leaves", "by contract", "findings")
        rows = table("Audit", *numbers[:5], "signers", "findings", numbers=numbers)
        for item in audits:
            rows.add_row(
                str(item.round),
                str(item.accounts),
                str(item.figures_recomputed),
                str(item.leaves_seen),
                str(item.contract_checks),
                ", ".join(signer[:8] for signer in item.signers),
                str(len(item.findings)),
            )
        out().print(rows)
        for finding in findings:
            out().print(finding.sentence(), soft_wrap=True)
        if not audits:
            out().print("No epoch was posted yet.")
        elif not findings:
            figures = sum(item.figures_recomputed for item in audits)
            out().print(
                f"Clean: {plural(len(audits), 'epoch')}, {figures} figures recomputed, every one as signed."
            )
    if findings:
        wrong = "1 posted figure is" if len(findings) == 1 else f"{len(findings)} posted figures are"
        raise VerificationError(f"{wrong} not what the chain gives.")
