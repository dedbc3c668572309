"""A chain on this machine for demos and tests: anvil or Hardhat, started here and gone when we are gone.

Its keys come from the mnemonic that every development chain publishes. They protect nothing.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Literal, Self

import httpx
from eth_account import Account
from eth_account.signers.local import LocalAccount

from marginproof.errors import ChainError, InputError, PortInUseError
from marginproof.files import project_root
from marginproof.protocol import anvil, hardhat

ChainKind = Literal["anvil", "hardhat"]

TEST_MNEMONIC: Final = "test test test test test test test test test test test junk"
DEFAULT_CHAIN_ID: Final = 31337
DEFAULT_ACCOUNTS: Final = 20
BLOCK_GAS_LIMIT: Final = 60_000_000
HARDFORK: Final = "prague"
ACCOUNT_BALANCE_ETH: Final = 10_000

_START_SECONDS = {"anvil": 20.0, "hardhat": 60.0}
_POLL_SECONDS = 0.02
_FIRST_CALL_SECONDS = 2.0
_CALL_SECONDS = 120.0
_FREE_PORT_ATTEMPTS = 3
_LOG_TAIL_LINES = 12

# The shell becomes the chain (same process id). Its background half holds our pipe and kills the process
# group when the pipe closes, which the system does for us however we end: exit, Ctrl-C, SIGTERM or SIGKILL.
_DIES_WITH_US = 'exec 3<&0 </dev/null; { cat <&3 >/dev/null; kill -s KILL -- "-$$"; } & exec 3<&-; exec "$@"'


def development_account(index: int) -> LocalAccount:
    """The public test key at m/44'/60'/0'/0/`index` of `TEST_MNEMONIC`."""
    Account.enable_unaudited_hdwallet_features()
    account: LocalAccount = Account.from_mnemonic(TEST_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return account


class LocalChain:
    """A running development chain, as a context manager; every transaction is mined at once in its own block.

    `port` 0 takes a free one. `genesis_timestamp` is the Unix time, in seconds, of block 0 (None: now); the
    chain's clock runs on from there at the pace of the real one. Each of the `accounts` test keys owns
    `ACCOUNT_BALANCE_ETH` ether. `notify` is told, in a sentence, about anything slow, like an installation.

    Raises PortInUseError for a taken port, ToolMissingError where the program cannot be had, ChainError where
    it ends or stays silent, InputError for an argument out of range.
    """

    def __init__(
        self,
        kind: ChainKind = "anvil",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        chain_id: int = DEFAULT_CHAIN_ID,
        genesis_timestamp: int | None = None,
        accounts: int = DEFAULT_ACCOUNTS,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        if kind not in ("anvil", "hardhat"):
            raise InputError(f"Unknown kind of chain {kind!r}: choose anvil or hardhat.")
        if not 0 <= port <= 65535:
            raise InputError(f"Port {port} is not between 0 and 65535.")
        if not 1 <= chain_id < 2**53:
            raise InputError(f"Chain id {chain_id} is not between 1 and 2^53 - 1.")
        if not 1 <= accounts <= 1000:
            raise InputError(f"{accounts} test accounts: choose 1 to 1000.")
        if genesis_timestamp is not None and not 1 <= genesis_timestamp < 2**32:
            raise InputError(f"Genesis timestamp {genesis_timestamp} is not between 1 and 2^32 - 1.")
        self.kind: ChainKind = kind
        self.host = host
        self.port = port
        self.chain_id = chain_id
        self.genesis_timestamp = int(time.time()) if genesis_timestamp is None else genesis_timestamp
        self.account_count = accounts
        self._notify = notify or (lambda _: None)
        self._wants_free_port = port == 0
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._client: httpx.Client | None = None
        self._request_ids = itertools.count(1)

    @property
    def url(self) -> str:
        """Address of the JSON-RPC endpoint."""
        return f"http://{self.host}:{self.port}"

    @property
    def process_id(self) -> int:
        """Process id of the chain; ChainError unless it runs."""
        if self._process is None:
            raise ChainError("The local chain is not running.")
        return self._process.pid

    @cached_property
    def accounts(self) -> tuple[LocalAccount, ...]:
        """The funded test keys, in the order of their derivation path."""
        return tuple(development_account(index) for index in range(self.account_count))

    def __enter__(self) -> Self:
        for attempt in range(1, _FREE_PORT_ATTEMPTS + 1):
            try:
                self.start()
                break
            except PortInUseError:
                # Between our finding a free port and the chain's taking it, another program may come first.
                if not self._wants_free_port or attempt == _FREE_PORT_ATTEMPTS:
                    raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the chain and wait until it answers; see the class for errors. `with` also stops it."""
        self.port = _free_port(self.host, 0 if self._wants_free_port else self.port)
        command, folder = self._command()
        home = project_root() / "build" / "chain-home"
        home.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        environment |= {"HOME": str(home), "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"}
        self._log = tempfile.TemporaryFile(dir=home)  # noqa: SIM115 (stop() closes it)
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _DIES_WITH_US, "sh", *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to handle: the chain stays up while we wind down
            )
            self._client = httpx.Client(base_url=self.url, trust_env=False)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the chain and everything it started; harmless when it is not running."""
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process is not None:
            # The watcher keeps the process group alive, so the number cannot belong to anybody else.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call; ChainError with the node's words when it fails."""
        return self._call(method, params, _CALL_SECONDS)

    def _call(self, method: str, params: Sequence[Any], timeout: float) -> Any:
        if self._client is None:
            raise ChainError("The local chain is not running.")
        request = {"jsonrpc": "2.0", "id": next(self._request_ids), "method": method, "params": params}
        try:
            answer = self._client.post("", json=request, timeout=timeout).json()
        except (httpx.HTTPError, ValueError) as error:
            raise ChainError(f"The local chain at {self.url} did not answer {method}: {error}.") from error
        if "error" in answer:
            raise ChainError(
                f"The local chain refused {method}: {answer['error'].get('message', answer['error'])}"
            )
        return answer["result"]

    def set_next_timestamp(self, timestamp: int) -> None:
        """Give the next block this Unix time in seconds, not before the newest's; the clock follows."""
        self.rpc("evm_setNextBlockTimestamp", timestamp)

    def mine(self, blocks: int = 1) -> None:
        """Add this many empty blocks, one second apart."""
        if blocks < 1:
            raise InputError(f"Cannot mine {blocks} blocks: give 1 or more.")
        self.rpc("hardhat_mine", hex(blocks), hex(1))

    def _command(self) -> tuple[list[str], Path]:
        root = project_root()
        if self.kind == "hardhat":
            return hardhat.command(
                root,
                self._notify,
                host=self.host,
                port=self.port,
                network={
                    "chainId": self.chain_id,
                    "initialDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.genesis_timestamp)),
                    "allowBlocksWithSameTimestamp": True,
                    "blockGasLimit": BLOCK_GAS_LIMIT,
                    "hardfork": HARDFORK,
                    "accounts": {
                        "mnemonic": TEST_MNEMONIC,
                        "count": self.account_count,
                        "accountsBalance": str(ACCOUNT_BALANCE_ETH * 10**18),
                    },
                },
            )
        options = {
            "--host": self.host,
            "--port": self.port,
            "--chain-id": self.chain_id,
            "--timestamp": self.genesis_timestamp,
            "--mnemonic": TEST_MNEMONIC,
            "--accounts": self.account_count,
            "--balance": ACCOUNT_BALANCE_ETH,
            "--gas-limit": BLOCK_GAS_LIMIT,
            "--hardfork": HARDFORK,
        }
        return [str(anvil.find(root)), *(str(word) for option in options.items() for word in option)], root

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS[self.kind]
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                output = self._output()
                if "already in use" in output.lower() or "EADDRINUSE" in output:
                    raise _port_in_use(self.host, self.port)
                raise ChainError(f"{self.kind} ended while starting. Its last words:\n{output}")
            try:
                answered = int(self._call("eth_chainId", (), _FIRST_CALL_SECONDS), 16)
            except ChainError:
                time.sleep(_POLL_SECONDS)
                continue
            if answered != self.chain_id:
                raise _port_in_use(self.host, self.port)
            return
        waited = f"{_START_SECONDS[self.kind]:.0f} s"
        raise ChainError(f"{self.kind} did not answer within {waited}. Its last words:\n{self._output()}")

    def _output(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])


def _free_port(host: str, port: int) -> int:
    """`port` if it can be listened on (0: any that can); PortInUseError if not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise InputError(f"Port {port} needs more rights than we have: choose 1024 or above.") from error
        except OSError as error:
            raise _port_in_use(host, port) from error
        return int(probe.getsockname()[1])


def _port_in_use(host: str, port: int) -> PortInUseError:
    return PortInUseError(f"Port {port} on {host} is in use.", "Choose another port, or 0 for any free one.")
