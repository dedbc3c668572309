"""`marginproof epoch`: what was posted, and the proof of one account's leaf."""

from __future__ import annotations

from typing import Annotated

import typer

from marginproof.cli.epoch_compute import compute
from marginproof.cli.groups import group
from marginproof.cli.options import (
    DEFAULT_RPC,
    UINT64,
    AccountId,
    AsJson,
    DeploymentFile,
    Output,
    RoundOption,
    Rpc,
    whole,
)

app = group("Epochs: list and show what was posted, prove a leaf, compute one.")
app.command("compute")(compute)


@app.command("list")
def list_epochs(rpc: Rpc = DEFAULT_RPC, deployment: DeploymentFile = None, as_json: AsJson = False) -> None:
    """List the posted epochs."""
    from marginproof.cli.chain import open_venue
    from marginproof.cli.console import emit, out, say, table
    from marginproof.cli.epochs import header_json
    from marginproof.cli.numbers import moment

    chain = open_venue(rpc, deployment)
    epochs = chain.state().epochs
    if as_json:
        emit(
            [header_json(e.header) | {"transaction": e.transaction, "postedInBlock": e.block} for e in epochs]
        )
        return
    if not epochs:
        say("No epoch has been posted yet.")
        return
    now = chain.time()
    numbers = ("round", "accounts", "block", "bytes")
    rows = table(
        "Epochs",
        "round",
        "market time",
        "accounts",
        "block",
        "valid until",
        "bytes",
        "root",
        numbers=numbers,
        whole=("market time", "valid until"),
    )
    for epoch in epochs:
        header = epoch.header
        live = epoch is epochs[-1] and header.valid_until > now
        rows.add_row(
            str(header.round),
            moment(header.time),
            str(header.leaf_count),
            str(header.block_number),
            moment(header.valid_until) + (" (live)" if live else ""),
            str(len(epoch.market_bytes)),
            "0x" + header.leaf_root.hex()[:12] + "...",
        )
    out().print(rows)


@app.command("show")
def show(
    round_number: Annotated[
        int, typer.Argument(metavar="ROUND", parser=whole(0, UINT64), help="Round of the epoch.")
    ],
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one epoch: header, signers, market."""
    from marginproof.cli.chain import find_epoch, open_venue
    from marginproof.cli.console import emit, out
    from marginproof.cli.epochs import header_json
    from marginproof.cli.numbers import moment
    from marginproof.cli.snapshots import market_json, show_market
    from marginproof.documents import market_from_spec
    from marginproof.protocol.signing import recover

    chain = open_venue(rpc, deployment)
    state = chain.state()
    epoch = find_epoch(state, round_number)
    header, struct_hash = epoch.header, epoch.header.struct_hash()
    domain = chain.venue.domain("EpochRegistry")
    parts = [epoch.signatures[i : i + 65] for i in range(0, len(epoch.signatures), 65)]
    signers = [recover(part, domain, struct_hash) or "nobody" for part in parts]
    document = market_from_spec(epoch.market, state.ids_by_symbol(), f"epoch {header.round}")
    if as_json:
        emit(
            {
                "header": header_json(header),
                "signers": signers,
                "transaction": epoch.transaction,
                "postedInBlock": epoch.block,
                "market": market_json(document),
            }
        )
        return
    console = out()
    for name, value in header_json(header).items():
        when = f" ({moment(int(value))})" if name in ("time", "validUntil") else ""
        console.print(f"{name:12} {value}{when}", soft_wrap=True)
    console.print(f"{'posted':12} in block {epoch.block}, transaction {epoch.transaction}", soft_wrap=True)
    for signer in signers:
        console.print(f"{'signed by':12} {signer}")
    console.print()
    show_market(console, document, with_source=False)


@app.command("proof")
def proof(
    account: AccountId,
    round_number: RoundOption = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    output: Output = None,
) -> None:
    """Give an account's leaf and proof.

    Recomputes the epoch and checks its root against the posted one first.
    """
    from marginproof.cli.chain import find_epoch, open_venue
    from marginproof.cli.console import emit, save, say
    from marginproof.cli.epochs import leaf_and_proof, leaf_json
    from marginproof.files import write_json

    chain = open_venue(rpc, deployment)
    epoch = find_epoch(chain.state(), round_number)
    leaf, siblings = leaf_and_proof(chain, epoch, account)
    document = {
        "round": epoch.header.round,
        "leafRoot": "0x" + epoch.header.leaf_root.hex(),
        "leafCount": epoch.header.leaf_count,
        "leaf": leaf_json(leaf),
        "proof": ["0x" + sibling.hex() for sibling in siblings],
    }
    if output is None:
        emit(document)
        return
    save(lambda path: write_json(path, document), output)
    say(f"Wrote {output}.")
