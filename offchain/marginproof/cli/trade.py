"""`marginproof trade`: signing orders, settling two of them, cancelling, and what a trade would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import (
    DEFAULT_RPC,
    UINT64,
    AccountId,
    AsJson,
    DeploymentFile,
    Keystore,
    Output,
    Rpc,
    whole,
)

app = group("Orders: sign, settle, cancel, what-if.")


@app.command("sign")
def sign(
    account: AccountId,
    instrument: Annotated[
        str, typer.Option("--instrument", metavar="NAME", help="Such as BTC-27MAR26-80000-C.")
    ],
    quantity: Annotated[str, typer.Option("--quantity", metavar="DECIMAL", help="Units; negative to sell.")],
    price: Annotated[str, typer.Option("--price", metavar="DECIMAL", help="Limit per unit, USD.")],
    nonce: Annotated[
        int | None,
        typer.Option(
            "--nonce",
            parser=whole(0, UINT64),
            metavar="N",
            help="Used once per account. [default: a random one]",
        ),
    ] = None,
    valid_for: Annotated[
        int,
        typer.Option(
            "--valid-for",
            parser=whole(1, 365 * 86_400),
            metavar="SECONDS",
            help="Seconds from the newest block's time.",
        ),
    ] = 3_600,
    output: Output = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
) -> None:
    """Sign an order (EIP-712).

    It goes to a file, or to stdout.
    """
    import secrets

    from marginproof.cli import options
    from marginproof.cli.chain import account_of, listed_id, open_signed
    from marginproof.cli.console import save, say
    from marginproof.cli.numbers import moment
    from marginproof.cli.orders import order_document
    from marginproof.documents import document_json, save_document
    from marginproof.errors import InputError
    from marginproof.protocol.orders import sign_order
    from marginproof.spec.typed_data import Order

    quantity_e8, price_e8 = options.quantity("--quantity", quantity), options.price("--price", price)
    chain, sender = open_signed(rpc, deployment, keystore)
    state = chain.state()
    held = account_of(state, account)
    if held.owner != sender.address:
        raise InputError(
            f"Account {account} belongs to {held.owner}, the key to {sender.address}.",
            "Sign with the owner's key.",
        )
    chosen = secrets.randbits(63) if nonce is None else nonce
    if chain.venue.call("MarginVault", "isNonceUsed", account, chosen):
        raise InputError(
            f"--nonce: {chosen} of account {account} was settled or cancelled already.",
            "Give another one, or none.",
        )
    order = Order(
        account, listed_id(state, instrument), quantity_e8, price_e8, chosen, chain.time() + valid_for
    )
    document = order_document(chain, state, sign_order(chain.venue, sender.signer, order))
    if output is None:
        typer.echo(document_json(document), nl=False)
        return
    save(lambda path: save_document(document, path), output)
    side = "buys" if quantity_e8 > 0 else "sells"
    say(
        f"Account {account} {side} {quantity.lstrip('-')} {document.instrument} at {price} USD or better, "
        f"until {moment(order.deadline)}, nonce {chosen}. Wrote {output}."
    )


@app.command("settle")
def settle(
    resting: Annotated[Path, typer.Argument(metavar="RESTING", help="The order whose price is the trade's.")],
    taking: Annotated[Path, typer.Argument(metavar="TAKING", help="The order that meets it.")],
    attester: Annotated[
        list[str] | None,
        typer.Option(
            "--attester",
            metavar="URL",
            help="An attester to ask for tickets; give it once for each. Without any, the contracts recompute both accounts.",
        ),
    ] = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Settle two signed orders on chain.

    Anybody may send them; both accounts pass the margin gate or nothing happens.
    """
    from marginproof.cli.chain import open_signed
    from marginproof.cli.console import emit, say
    from marginproof.cli.numbers import e8
    from marginproof.cli.options import url
    from marginproof.cli.orders import load_order, require_venue
    from marginproof.cli.words import in_dollars
    from marginproof.protocol.rungs import ATTESTED
    from marginproof.protocol.trades import Settlement

    urls = [url("--attester", text) for text in attester or ()]
    documents = (load_order(resting), load_order(taking))
    chain, sender = open_signed(rpc, deployment, keystore)
    state = chain.state()
    for document, path in zip(documents, (resting, taking), strict=True):
        require_venue(chain, state, document, path)
    settlement = Settlement.of(chain.venue, state, *(document.signed() for document in documents))
    settled = settlement.settle(sender, urls)
    receipt = settled.receipt
    trade = chain.event("MarginVault", "TradeSettled", receipt)
    name, size, price = documents[0].instrument, e8(trade["quantity"]), e8(trade["price"])
    if as_json:
        emit(
            {
                "instrument": name,
                "quantity": size,
                "price": price,
                "buyer": trade["buyer"],
                "seller": trade["seller"],
            }
            | {"rung": settled.rung, "ticketsRefused": settled.refused}
            | {"transaction": "0x" + bytes(receipt["transactionHash"]).hex(), "gas": receipt["gasUsed"]}
        )
    else:
        say(
            f"Account {trade['buyer']} bought {size} {name} from account {trade['seller']} at {price} USD "
            f"({'on tickets' if settled.rung == ATTESTED else 'recomputed in full'}, {receipt['gasUsed']} gas)."
        )
        if settled.refused:
            say(f"Tickets were not enough: {in_dollars(settled.refused)}")


@app.command("cancel")
def cancel(
    account: AccountId,
    nonce: Annotated[
        int,
        typer.Option("--nonce", parser=whole(0, UINT64), metavar="N", help="Nonce of the order to cancel."),
    ],
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Cancel an order by its nonce.

    It can never be settled any more.
    """
    from marginproof.cli.chain import open_signed
    from marginproof.cli.console import emit, say

    chain, sender = open_signed(rpc, deployment, keystore)
    receipt = chain.venue.send(sender, "MarginVault", "cancel", account, nonce)
    if as_json:
        emit({"account": account, "nonce": str(nonce), "gas": receipt["gasUsed"]})
    else:
        say(f"Cancelled nonce {nonce} of account {account}.")


@app.command("what-if", context_settings={"ignore_unknown_options": True})
def what_if(
    account: AccountId,
    instrument: Annotated[str, typer.Argument(metavar="INSTRUMENT", help="Such as BTC-27MAR26-80000-C.")],
    quantity: Annotated[str, typer.Argument(metavar="QUANTITY", help="Units; negative to sell.")],
    price: Annotated[str, typer.Argument(metavar="PRICE", help="Per unit, USD.")],
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Say what a trade would do.

    Margin before and after, the trade's own share, and what the margin gate would say. Sends nothing.
    """
    from marginproof.cli import options
    from marginproof.cli.chain import open_venue
    from marginproof.cli.console import emit, out
    from marginproof.cli.whatif import WhatIf

    quantity_e8, price_e8 = options.quantity("QUANTITY", quantity), options.price("PRICE", price)
    answer = WhatIf.of(open_venue(rpc, deployment), account, instrument, quantity_e8, price_e8)
    if as_json:
        emit(answer.json())
    else:
        answer.show(out())
