"""The local chain: it starts where and when it is told to, says why when it cannot, and never outlives us."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from marginproof.errors import ChainError, InputError, PortInUseError, ToolMissingError
from marginproof.protocol import anvil, hardhat
from marginproof.protocol.localchain import BLOCK_GAS_LIMIT, LocalChain, development_account

CRASH_BEGINS = 1769614910  # 2026-01-28 15:41:50 UTC
HOLDER = """
import sys, time
from marginproof.protocol.localchain import LocalChain
with LocalChain() as chain:
    print(chain.port, flush=True)
    if sys.argv[1] == "raise":
        raise RuntimeError("on purpose")
    if sys.argv[1] == "wait":
        time.sleep(60)
"""


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with LocalChain(chain_id=4242, genesis_timestamp=CRASH_BEGINS, accounts=25) as running:
        yield running


def latest(chain: LocalChain) -> tuple[int, int]:
    block = chain.rpc("eth_getBlockByNumber", "latest", False)
    return int(block["number"], 16), int(block["timestamp"], 16)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_gone(port: int) -> bool:
    for _ in range(400):
        if not listens(port):
            return True
        time.sleep(0.05)
    return False


def test_chain_is_the_one_asked_for(chain: LocalChain) -> None:
    genesis = chain.rpc("eth_getBlockByNumber", "0x0", False)
    assert int(chain.rpc("eth_chainId"), 16) == 4242
    assert int(genesis["timestamp"], 16) == CRASH_BEGINS
    assert int(genesis["gasLimit"], 16) == BLOCK_GAS_LIMIT
    assert [address.lower() for address in chain.rpc("eth_accounts")] == [
        account.address.lower() for account in chain.accounts
    ]
    assert len(chain.accounts) == 25


def test_first_test_account_is_the_well_known_one() -> None:
    assert development_account(0).address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def test_time_and_blocks_move_when_told(chain: LocalChain) -> None:
    number, timestamp = latest(chain)
    chain.set_next_timestamp(timestamp + 1000)
    chain.mine()
    assert latest(chain) == (number + 1, timestamp + 1000)
    chain.mine(5)
    assert latest(chain)[0] == number + 6


@pytest.mark.parametrize("blocks", [0, -1])
def test_mining_no_block_is_refused(chain: LocalChain, blocks: int) -> None:
    with pytest.raises(InputError, match=f"Cannot mine {blocks} blocks"):
        chain.mine(blocks)


def test_refused_call_carries_the_words_of_the_node(chain: LocalChain) -> None:
    with pytest.raises(ChainError, match=r"refused no_such_method: Method not found"):
        chain.rpc("no_such_method")
    with pytest.raises(ChainError, match=r"refused evm_setNextBlockTimestamp: .*lower than"):
        chain.set_next_timestamp(5)


def test_taken_port_is_named(chain: LocalChain) -> None:
    with pytest.raises(PortInUseError) as caught, LocalChain(port=chain.port):
        pass
    assert str(caught.value) == (
        f"Port {chain.port} on 127.0.0.1 is in use. Choose another port, or 0 for any free one."
    )
    assert chain.rpc("eth_chainId") == hex(4242)


@pytest.mark.parametrize("holder", ["another chain", "a program that never answers"])
def test_port_taken_between_probe_and_start_is_named(
    chain: LocalChain, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = chain.port if holder == "another chain" else silent.getsockname()[1]
        monkeypatch.setattr("marginproof.protocol.localchain._free_port", lambda host, wanted: port)
        with pytest.raises(PortInUseError, match=f"Port {port} on"), LocalChain():
            pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "ganache"}, "Unknown kind of chain 'ganache': choose anvil or hardhat."),
        ({"port": 65536}, "Port 65536 is not between 0 and 65535."),
        ({"chain_id": 0}, "Chain id 0 is not between 1 and 2^53 - 1."),
        ({"accounts": 0}, "0 test accounts: choose 1 to 1000."),
        ({"genesis_timestamp": -1}, "Genesis timestamp -1 is not between 1 and 2^32 - 1."),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        LocalChain(**arguments)  # type: ignore[arg-type]
    assert caught.value.message == message


def test_stopped_chain_says_so_and_stops_twice(chain: LocalChain) -> None:
    other = LocalChain()
    with other:
        port = other.port
        assert listens(port)
    other.stop()
    assert not listens(port)
    with pytest.raises(ChainError, match="not running"):
        other.rpc("eth_chainId")
    with pytest.raises(ChainError, match="not running"):
        assert other.process_id


def test_program_that_ends_at_once_shows_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\necho cannot allocate a universe\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(anvil, "find", lambda root: program)
    with (
        pytest.raises(ChainError, match=r"anvil ended while starting(.|\n)*cannot allocate a universe"),
        LocalChain(),
    ):
        pass


def test_anvil_comes_from_the_platform_package_then_path_then_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    on_path = tmp_path / "bin" / "anvil"
    packaged = tmp_path / "node_modules" / "@foundry-rs" / "anvil-darwin-arm64" / "bin" / "anvil"
    monkeypatch.setenv("PATH", f"{on_path.parent}{os.pathsep}/bin")
    with pytest.raises(ToolMissingError, match=r"anvil is missing: .* darwin-arm64 .*Foundry"):
        anvil.find(tmp_path)
    for program in (on_path, packaged):
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
        assert anvil.find(tmp_path) == program
    packaged.write_text("#!/bin/sh\nexit 1\n")
    assert anvil.find(tmp_path) == on_path


@pytest.mark.parametrize(
    ("behaviour", "end"),
    [
        ("end", None),
        ("raise", None),
        ("wait", signal.SIGINT),
        ("wait", signal.SIGTERM),
        ("wait", signal.SIGKILL),
    ],
)
def test_chain_never_outlives_the_program_that_started_it(behaviour: str, end: signal.Signals | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, behaviour],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        if end is not None:
            assert listens(port)
            holder.send_signal(end)
        holder.wait(timeout=30)
    assert wait_until_gone(port)


def hardhat_command(root: Path, told: list[str]) -> tuple[list[str], Path]:
    return hardhat.command(root, told.append, host="127.0.0.1", port=8545, network={"chainId": 7})


def test_installed_hardhat_runs_with_the_network_given(tmp_path: Path) -> None:
    modules = tmp_path / "build" / "hardhat" / "node_modules"
    (modules / "hardhat").mkdir(parents=True)
    (modules / "hardhat" / "package.json").write_text(json.dumps({"version": hardhat.HARDHAT_VERSION}))
    (modules / ".package-lock.json").write_text("{}")
    told: list[str] = []
    command, folder = hardhat_command(tmp_path, told)
    assert told == []
    assert command[2:] == [
        "--config",
        "node-8545.config.js",
        "node",
        "--hostname",
        "127.0.0.1",
        "--port",
        "8545",
    ]
    assert '"chainId": 7' in (folder / "node-8545.config.js").read_text()


@pytest.mark.parametrize(
    ("npm", "sentence"),
    [
        (None, "npm is missing. Install npm"),
        (
            "echo 'npm error code ENOTFOUND' >&2; exit 1",
            "(npm error code ENOTFOUND). The first run with Hardhat needs",
        ),
    ],
)
def test_hardhat_that_cannot_be_installed_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, npm: str | None, sentence: str
) -> None:
    programs = {"node": "echo /usr/bin/node"} | ({} if npm is None else {"npm": npm})
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[str] = []
    with pytest.raises(ToolMissingError) as caught:
        hardhat_command(tmp_path, told)
    assert sentence in str(caught.value)
    assert len(told) == 1
    assert not (tmp_path / "build" / "hardhat" / "node_modules").exists()


def test_hardhat_without_node_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match=r"^Node\.js is missing\. Install Node\.js 20 or newer"):
        hardhat_command(tmp_path, [])
