"""`marginproof testing`: the outside world of a venue on a development chain: the chain itself, its clock, tokens, price feeds."""

from __future__ import annotations

from typing import Annotated

import typer

from marginproof.cli.groups import group
from marginproof.cli.options import DEFAULT_RPC, AsJson, ChainKind, DeploymentFile, Keystore, Rpc, whole

app = group("Development chains: chain, clock, mint, feeds.")

_KEYS_SHOWN = 10
_MAX_TIME = 2**32 - 2


@app.command("chain")
def chain(
    kind: Annotated[ChainKind, typer.Option("--kind", help="Which one to start.")] = ChainKind.ANVIL,
    port: Annotated[
        int, typer.Option("--port", parser=whole(0, 65_535), metavar="PORT", help="0 takes a free one.")
    ] = 8545,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="SECONDS|crash:N", help="Time of its first block. [default: now]"),
    ] = None,
) -> None:
    """Run a local chain until stopped.

    Its keys are public and protect nothing. `--time crash:1` starts one hour before the first shipped snapshot.
    """
    from marginproof.cli.bots import start_log, stopping_by_signal, wait
    from marginproof.cli.console import note, say
    from marginproof.cli.numbers import moment
    from marginproof.protocol.localchain import LocalChain

    start = None if time is None else _moment(time, before=3_600)
    start_log()
    with (
        stopping_by_signal() as stop,
        LocalChain(kind.value, port=port, genesis_timestamp=start, notify=note) as local,
    ):
        say(
            f"{kind.value} at {local.url}, chain id {local.chain_id}, time {moment(local.genesis_timestamp)}. Ctrl-C stops it."
        )
        for index, key in enumerate(local.accounts[:_KEYS_SHOWN]):
            say(f"key {index}: {key.address} 0x{bytes(key.key).hex()}")
        wait(stop)


@app.command("clock")
def clock(
    time: Annotated[
        str, typer.Argument(metavar="SECONDS|crash:N", help="Unix seconds, or a shipped snapshot's time.")
    ],
    rpc: Rpc = DEFAULT_RPC,
) -> None:
    """Move the chain's clock on.

    Mines two blocks, the first at this time. Only development chains allow it.
    """
    from marginproof.cli.console import say
    from marginproof.cli.numbers import moment
    from marginproof.cli.options import url
    from marginproof.errors import ChainError, InputError
    from marginproof.protocol.connection import connect

    target = _moment(time)
    web3 = connect(url("--rpc", rpc))
    now = web3.eth.get_block("latest")["timestamp"]
    if target <= now:
        raise InputError(f"The chain's time is {now} already; allowed: {now + 1} to {_MAX_TIME}.")
    for method, arguments in (("evm_setNextBlockTimestamp", [target]), ("evm_mine", []), ("evm_mine", [])):
        answer = web3.provider.make_request(method, arguments)  # type: ignore[arg-type]
        if "error" in answer:
            raise ChainError(
                f"The node does not let its clock be moved ({method}).", "Only development chains do."
            )
    say(f"The chain's time is {moment(target)}.")


def _moment(text: str, before: int = 0) -> int:
    from marginproof.cli.inputs import crash_snapshot
    from marginproof.errors import InputError

    if text.startswith("crash:"):
        return crash_snapshot(text.removeprefix("crash:")).time - before
    try:
        return whole(1, _MAX_TIME)(text)
    except typer.BadParameter as error:
        raise InputError(f"time: {error.message}") from None


@app.command("mint")
def mint(
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Who gets them.")],
    amount: Annotated[str, typer.Option("--amount", metavar="DECIMAL", help="How many, in whole tokens.")],
    asset: Annotated[
        str, typer.Option("--asset", metavar="cash|SYMBOL", help="The settlement token, or an underlying's.")
    ] = "cash",
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
) -> None:
    """Make test tokens.

    Only for tokens that `marginproof deploy` made itself.
    """
    from marginproof.cli.chain import open_signed
    from marginproof.cli.console import say
    from marginproof.cli.options import address
    from marginproof.cli.tokens import CASH, token_of
    from marginproof.errors import InputError

    holder = address("--to", to)
    opened, sender = open_signed(rpc, deployment, keystore)
    token = token_of(opened, asset)
    units = token.units("--amount", amount)
    contract = opened.venue.token("settlement" if asset == CASH else asset)
    if not any(entry.get("name") == "mint" for entry in contract.abi):
        raise InputError(f"The venue's token for {asset} is not a test token: nobody mints it here.")
    sender.send(contract.functions.mint(holder, units), f"minting {token.text(units)}")
    say(f"{holder} got {token.text(units)}.")


@app.command("feeds")
def feeds(
    market: Annotated[str, typer.Argument(metavar="FILE|crash:N", help="Market document, or a shipped one.")],
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    keystore: Keystore = None,
    as_json: AsJson = False,
) -> None:
    """Set the test feeds to a market's spot prices.

    Only for feeds that `marginproof deploy` made itself.
    """
    from marginproof.cli.chain import open_signed
    from marginproof.cli.console import emit, say
    from marginproof.cli.inputs import market_argument
    from marginproof.cli.numbers import e8
    from marginproof.errors import InputError
    from marginproof.protocol.deploy import feed_update

    document = market_argument(market)
    opened, sender = open_signed(rpc, deployment, keystore)
    known = opened.venue.deployment.feeds
    prices = {entry.symbol: entry.spot_e8 for entry in document.underlyings if entry.symbol in known}
    for symbol in prices:
        if not any(entry.get("name") == "setAnswer" for entry in known[symbol].abi):
            raise InputError(
                f"The venue's feed for {symbol} is not a test feed: its price comes from outside."
            )
    now = opened.time()
    for symbol, price in prices.items():
        feed_update(opened.venue, sender, symbol, price, now)
    if as_json:
        emit({symbol: e8(price) for symbol, price in prices.items()})
        return
    for symbol, price in prices.items():
        say(f"{symbol} feed: {e8(price)} USD.")
