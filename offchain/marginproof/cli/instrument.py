"""`marginproof instrument`: what the venue lists, listing more, settling what expired."""

from __future__ import annotations

from typing import Annotated

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import DEFAULT_RPC, AccountId, AsJson, DeploymentFile, Keystore, Rpc

app = group("Instruments: list, add, settle expired.")


@app.command("list")
def list_instruments(
    underlying: Annotated[
        str | None, typer.Option("--underlying", metavar="SYMBOL", help="Only this underlying.")
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="One line per instrument: id and name.")] = False,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """List what can be traded, by underlying and expiry."""
    from marginproof.cli.chain import instrument_name, open_venue
    from marginproof.cli.console import emit, out, say
    from marginproof.cli.listing import require_underlying, summary
    from marginproof.spec.instruments import id_parts

    chain = open_venue(rpc, deployment)
    state = chain.state()
    wanted = None if underlying is None else require_underlying(state, underlying)
    ids = sorted(i for i in state.listed if wanted is None or id_parts(i).underlying == wanted)
    if as_json:
        emit([{"id": i, "name": instrument_name(state, i)} for i in ids])
    elif names:
        for i in ids:
            say(f"{i:>10} {instrument_name(state, i)}")
    elif ids:
        out().print(summary(state, ids, chain.time()))
    else:
        say("Nothing is listed yet.")


@app.command("add")
def add(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Such as BTC-27MAR26 or BTC-27MAR26-80000-C.")
    ],
    strikes: Annotated[
        str | None,
        typer.Option(
            "--strikes",
            metavar="USD,USD,...",
            help="Also the calls and puts at these strikes, for each future named.",
        ),
    ] = None,
    new_underlying: Annotated[
        bool, typer.Option("--new-underlying", help="Allow symbols that the venue does not have yet.")
    ] = False,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """List more instruments.

    Registers their underlyings, expiries and strikes as needed; running it again adds nothing twice. The court's copy of them, which makes
    margin cheaper to compute, is renewed as well.
    """
    from marginproof.cli.chain import instrument_name, open_signed
    from marginproof.cli.console import emit, say
    from marginproof.cli.listing import add_instruments, expand

    wanted = expand(names, strikes)
    chain, sender = open_signed(rpc, deployment, keystore)
    done = add_instruments(chain, sender, wanted, new_underlying=new_underlying)
    state = chain.state()
    if as_json:
        emit(
            {
                "registered": done.registered,
                "listed": [{"id": i, "name": instrument_name(state, i)} for i in done.listed],
                "synced": done.synced,
            }
        )
        return
    for line in done.registered:
        say(f"Registered {line}.")
    for i in done.listed:
        say(f"Listed {instrument_name(state, i)} (id {i}).")
    if not done.listed:
        say("All of them are listed already.")
    for symbol in done.synced:
        say(f"The court knows all instruments of {symbol}.")


@app.command("settle")
def settle(
    account: AccountId,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Collapse expired positions into cash."""
    from marginproof.cli.chain import account_of, instrument_name, open_signed
    from marginproof.cli.console import emit, say
    from marginproof.cli.numbers import e8, exact
    from marginproof.errors import MarginproofError
    from marginproof.spec.portfolio import encode_portfolio

    chain, sender = open_signed(rpc, deployment, keystore)
    state = chain.state()
    held = account_of(state, account)
    table = state.table()
    resolved = [(p, table.resolve(p.instrument)) for p in held.positions]
    due = [p for p, i in resolved if (i.underlying, i.expiry) in state.settlements]
    if not due:
        raise MarginproofError(
            f"Account {account} holds no expired position with a settlement price.",
            "The first epoch after an expiry brings its price.",
        )
    receipt = chain.venue.send(
        sender, "MarginVault", "settleExpired", account, encode_portfolio(held.positions)
    )
    cash = chain.event("MarginVault", "ExpirySettled", receipt)["cash"]
    settled = [{"instrument": instrument_name(state, p.instrument), "quantity": e8(p.quantity)} for p in due]
    if as_json:
        emit({"account": account, "settled": settled, "cash": e8(cash), "gas": receipt["gasUsed"]})
        return
    for item in settled:
        say(f"Settled {item['quantity']} {item['instrument']}.")
    say(
        f"Account {account} received {exact(cash)} USD."
        if cash >= 0
        else f"Account {account} paid {exact(-cash)} USD."
    )
