"""A venue on a local chain that is driven through the command line alone."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from eth_account.signers.local import LocalAccount
from web3 import Web3

from cli.conftest import Ended
from marginproof.cli.main import run as run_command
from marginproof.documents import save_document
from marginproof.market.crash import load_crash
from marginproof.protocol.deployment import load_deployment
from marginproof.protocol.localchain import LocalChain, development_account
from marginproof.protocol.venue import Venue

ADMIN, ATTESTER, KEEPER, ALICE, BOB, LIQUIDATOR = range(6)
SNAPSHOTS = load_crash()
COMMAND = [sys.executable, "-c", "from marginproof.cli.main import main; main()"]


class World:
    """The chain, the deployment file, and every key."""

    def __init__(self, chain: LocalChain, folder: Path) -> None:
        self.chain = chain
        self.folder = folder
        self.deployment = folder / "deployment.json"
        self.source = folder / "source"
        self.source.mkdir()
        self.attester = ""

    def run(self, *arguments: object, who: int | None = None) -> Ended:
        """Run a command against this venue, with this key."""
        words = [str(argument) for argument in arguments]
        words += ["--rpc", self.chain.url]
        if words[0] != "deploy" and words[1] != "clock":
            words += ["--deployment", str(self.deployment)]
        out, err = io.StringIO(), io.StringIO()
        with self.key(who), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_command(words)
        ended = Ended(code, out.getvalue(), err.getvalue())
        assert "Traceback" not in ended.out + ended.err
        assert "This is a bug" not in ended.err, ended.err
        return ended

    def json(self, *arguments: object, who: int | None = None) -> Any:
        """Run a command with --json that must succeed."""
        ended = self.run(*arguments, "--json", who=who)
        assert ended.code == 0, ended.err
        return json.loads(ended.out)

    @contextlib.contextmanager
    def key(self, who: int | None) -> Iterator[None]:
        """The environment in which this key signs."""
        before = os.environ.pop("MARGINPROOF_KEY", None)
        columns = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = "200"
        if who is not None:
            os.environ["MARGINPROOF_KEY"] = private_key(who)
        try:
            yield
        finally:
            os.environ.pop("MARGINPROOF_KEY", None)
            os.environ.pop("COLUMNS")
            if columns is not None:
                os.environ["COLUMNS"] = columns
            if before is not None:
                os.environ["MARGINPROOF_KEY"] = before

    def venue(self) -> Venue:
        """The venue's contracts, for what no command does."""
        return Venue.open(self.chain.url, load_deployment(self.deployment))

    def mint(self, asset: str, who: int, amount: str) -> None:
        """Give somebody test tokens."""
        done = self.run(
            "testing", "mint", "--asset", asset, "--to", address(who), "--amount", amount, who=ADMIN
        )
        assert done.code == 0, done.err

    def move_to(self, number: int) -> None:
        """The world at a shipped snapshot (from 1): the clock, the feeds, the market in the source."""
        document = SNAPSHOTS[number - 1]
        assert self.run("testing", "clock", f"crash:{number}").code == 0
        assert set(self.json("testing", "feeds", f"crash:{number}", who=ADMIN)) == {"BTC", "ETH"}
        save_document(document, self.source / f"{number}.json")


def key(who: int) -> LocalAccount:
    """A test key."""
    return development_account(who)


def address(who: int) -> str:
    """Its address."""
    return Web3.to_checksum_address(key(who).address)


def private_key(who: int) -> str:
    """Its private key in hex."""
    return "0x" + bytes(key(who).key).hex()


def plan() -> dict[str, Any]:
    """A deployment plan: BTC and ETH, one attester, an expiry between the first two snapshots and one after all."""
    return {
        "format": "marginproof/deploy@1",
        "attesters": [address(ATTESTER)],
        "threshold": 1,
        "underlyings": [
            {"symbol": "BTC", "expiries": [1769846400, 1774598400], "strikes": ["60000", "90000"]},
            {"symbol": "ETH"},
        ],
    }


@contextlib.contextmanager
def served_attester(world: World, port: int) -> Iterator[str]:
    """`marginproof attester serve` in a process of its own; stopped by SIGTERM, which must end it cleanly."""
    arguments = [
        "attester",
        "serve",
        "--source",
        world.source,
        "--state",
        world.folder / "rounds.json",
        "--port",
        port,
    ]
    arguments += ["--rpc", world.chain.url, "--deployment", world.deployment]
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, "MARGINPROOF_KEY": private_key(ATTESTER)},
        stderr=subprocess.PIPE,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, url)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert "SIGTERM: stopping" in log
    assert "Traceback" not in log


def _wait_for(process: subprocess.Popen[str], url: str) -> None:
    for _ in range(300):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", trust_env=False).status_code == httpx.codes.OK:
                return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    raise AssertionError("the attester did not start")
