"""`marginproof account`: opening accounts, what is in them, money in and out."""

from __future__ import annotations

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
    Rpc,
    whole,
)

app = group("Accounts: list, show, open, deposit, withdraw.")

Asset = Annotated[
    str, typer.Option("--asset", metavar="cash|SYMBOL", help="Cash, or an underlying as spot collateral.")
]
Amount = Annotated[str, typer.Option("--amount", metavar="DECIMAL", help="How much, in whole tokens.")]


@app.command("list")
def list_accounts(
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="ADDRESS", help="Only accounts of this owner.")
    ] = None,
    margin: Annotated[
        bool, typer.Option("--margin", help="Also equity and margin on the newest epoch's market.")
    ] = False,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """List the accounts."""
    from marginproof.cli.accounts import Overview
    from marginproof.cli.chain import open_venue
    from marginproof.cli.console import emit, out, say
    from marginproof.cli.options import address

    wanted = None if owner is None else address("--owner", owner)
    overview = Overview(open_venue(rpc, deployment).state(), wanted, with_margin=margin)
    if as_json:
        emit(overview.json())
    elif overview.ids:
        out().print(overview.table())
    else:
        say("No account was opened yet." if wanted is None else f"{wanted} has no account.")


@app.command("show")
def show(
    account: Annotated[int, typer.Argument(metavar="ID", parser=whole(0, UINT64), help="Account id.")],
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Show an account as it is now.

    Owner, cash, positions, and its margin on the newest epoch's market.
    """
    from marginproof.cli.accounts import account_json, show_account
    from marginproof.cli.chain import account_of, open_venue
    from marginproof.cli.console import emit, out

    chain = open_venue(rpc, deployment)
    state = chain.state()
    account_of(state, account)
    if as_json:
        emit(account_json(state, account))
    else:
        show_account(out(), state, account, chain.time())


@app.command("open")
def open_account(
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="ADDRESS", help="Whose account. [default: the key's]")
    ] = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Open an account."""
    from marginproof.cli.chain import open_signed
    from marginproof.cli.console import emit, say
    from marginproof.cli.options import address

    wanted = None if owner is None else address("--owner", owner)
    chain, sender = open_signed(rpc, deployment, keystore)
    holder = wanted or sender.address
    receipt = chain.venue.send(sender, "MarginVault", "openAccount", holder)
    account = chain.event("MarginVault", "AccountOpened", receipt)["account"]
    if as_json:
        emit({"account": account, "owner": holder, "gas": receipt["gasUsed"]})
    else:
        say(f"Opened account {account} for {holder}.")


@app.command("deposit")
def deposit(
    account: AccountId,
    amount: Amount,
    asset: Asset = "cash",
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Deposit cash or spot collateral."""
    from marginproof.cli.chain import account_of, open_signed
    from marginproof.cli.console import emit, say
    from marginproof.cli.numbers import e8
    from marginproof.cli.tokens import CASH, token_of
    from marginproof.spec.portfolio import encode_portfolio

    chain, sender = open_signed(rpc, deployment, keystore)
    token = token_of(chain, asset)
    units = token.units("--amount", amount)
    state = chain.state()
    held = account_of(state, account)
    token.let_vault_take(sender, units)
    if asset == CASH:
        receipt = chain.venue.send(sender, "MarginVault", "depositCash", account, units)
    else:
        underlying = state.ids_by_symbol()[asset]
        portfolio = encode_portfolio(held.positions)
        receipt = chain.venue.send(
            sender, "MarginVault", "depositSpot", account, underlying, units, portfolio
        )
    cash = chain.venue.call("MarginVault", "cash", account)
    if as_json:
        emit(
            {
                "account": account,
                "asset": asset,
                "amount": token.text(units).split()[0],
                "cash": e8(cash),
                "gas": receipt["gasUsed"],
            }
        )
    else:
        say(f"Deposited {token.text(units)} into account {account}; its cash is {e8(cash)} USD.")


@app.command("withdraw")
def withdraw(
    account: AccountId,
    amount: Amount,
    asset: Asset = "cash",
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="Who receives it. [default: the key's address]"),
    ] = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw as far as margin allows.

    Cash of an account with positions leaves on its leaf of the newest epoch, which is recomputed and checked first.
    """
    from marginproof.cli.chain import open_signed
    from marginproof.cli.console import emit, say
    from marginproof.cli.options import address
    from marginproof.cli.tokens import CASH, token_of
    from marginproof.cli.withdrawals import withdraw_cash, withdraw_spot

    target = None if to is None else address("--to", to)
    chain, sender = open_signed(rpc, deployment, keystore)
    token = token_of(chain, asset)
    units = token.units("--amount", amount)
    take = withdraw_cash if asset == CASH else withdraw_spot
    receipt = take(chain, sender, account, token, units, target or sender.address)
    if as_json:
        emit(
            {
                "account": account,
                "asset": asset,
                "amount": token.text(units).split()[0],
                "gas": receipt["gasUsed"],
            }
        )
    else:
        say(f"Withdrew {token.text(units)} from account {account} to {target or sender.address}.")
