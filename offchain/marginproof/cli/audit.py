"""`marginproof audit`: every epoch rebuilt from the chain and compared with what was signed and what the contracts compute."""

from __future__ import annotations

from typing import Annotated

import typer

from marginproof.cli.options import DEFAULT_RPC, AsJson, DeploymentFile, Keystore, Rpc


def audit(
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    contracts: Annotated[
        bool,
        typer.Option("--contracts/--no-contracts", help="Also ask the contracts to recompute every account."),
    ] = True,
    dispute: Annotated[
        bool,
        typer.Option(
            "--dispute",
            help="Prove on chain what is wrong: epochs and tickets become invalid, their signers pay.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="With --dispute: say what would be filed, its gas and reward; send nothing."
        ),
    ] = False,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Audit every epoch from the chain.

    Rebuilds every account and compares every figure with what was signed. Exits with 5 when anything differs that was not proven wrong
    on chain.
    """
    from rich.progress import Progress

    from marginproof.auditor.audit import Auditor
    from marginproof.auditor.findings import EpochAudit
    from marginproof.cli.chain import open_signed, open_venue
    from marginproof.cli.console import emit, err, out, table
    from marginproof.cli.dispute import disputes_json, settle_disputes, show_disputes
    from marginproof.cli.numbers import plural
    from marginproof.errors import InputError, VerificationError

    if dry_run and not dispute:
        raise InputError("--dry-run goes with --dispute.")
    chain, sender = (
        open_signed(rpc, deployment, keystore)
        if dispute and not dry_run
        else (open_venue(rpc, deployment), None)
    )
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
    cases = settle_disputes(chain.venue, sender, audits) if dispute else []
    if as_json:
        emit(
            {"format": "marginproof/audit@1", "clean": not findings, "contracts": contracts}
            | {"epochs": [item.summary() for item in audits]}
            | ({"disputes": disputes_json(chain, cases)} if dispute else {})
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
        for item in audits:
            for finding in item.findings:
                settled = "; proven wrong on chain" if item.is_settled else ""
                out().print(finding.sentence() + settled, soft_wrap=True)
        show_disputes(chain, cases)
        if not audits:
            out().print("No epoch was posted yet.")
        elif not findings:
            figures = sum(item.figures_recomputed for item in audits)
            out().print(
                f"Clean: {plural(len(audits), 'epoch')}, {figures} figures recomputed, every one as signed."
            )
    filed = {case.item.epoch.header.round for case in cases if case.filed}
    left = [f for item in audits if item.is_open and item.round not in filed for f in item.findings]
    if left:
        wrong = "1 posted figure is" if len(left) == 1 else f"{len(left)} posted figures are"
        raise VerificationError(
            f"{wrong} not what the chain gives.",
            None
            if dispute
            else "`marginproof audit --dispute --dry-run` says what proving it on chain would cost and bring.",
        )
