"""Runs a page's commands as printed: in a folder of their own, with the keys and on the chain that the page names.

Only three things are not as at a reader's terminal: the deployment file goes into that folder instead of the checkout's, ports may be
moved, and what stays running is stopped at the end. `marginproof` runs in a process of its own each time, forked from this one, which has
imported everything once: the page takes a third of the time.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from marginproof.errors import ChainError, PortInUseError
from marginproof.protocol import deployment
from marginproof.protocol.localchain import development_account

CHAIN_PORT: Final = 8545
ATTESTER_PORT: Final = 8600
_PROGRAM: Final = "marginproof "
_CHAIN: Final = "marginproof testing chain"
_STAYS: Final = re.compile(rf"({_CHAIN}|marginproof (attester serve|keeper run|liquidator run))\b")
_PORT: Final = re.compile(r"--port (\d+)")
_IMPORTED: Final = (
    "scipy.optimize",
    "web3",
    "marginproof.cli.main",
    "marginproof.cli.chain",
    "marginproof.engine.explain",
    "marginproof.market.importing",
)
_COMMAND_SECONDS: Final = 180
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10
_NAP_SECONDS: Final = 0.05


class Session:
    """One reader at a terminal, as a context manager. `offset` is added to every port on the page; outputs have the page's ports.

    Errors: PortInUseError; ChainError for a command that does not end, or that should stay running and ends.
    """

    def __init__(self, folder: Path, offset: int = 0) -> None:
        self.folder = folder
        self._offset = offset
        self._exit_code = 0
        self._logs = 0
        self._running: list[BaseProcess] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MARGINPROOF_")}
        kept.pop("COLUMNS", None)
        self._environment = kept | {"MARGINPROOF_RPC": f"http://127.0.0.1:{CHAIN_PORT + offset}"}
        _import_everything()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._running):
            process.terminate()
            process.join(_STOP_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()

    def take_key(self, number: int) -> None:
        """Give what follows with this key of the development chain."""
        self._environment["MARGINPROOF_KEY"] = f"0x{bytes(development_account(number).key).hex()}"

    def run(self, command: str, wanted: int) -> list[str]:
        """The output of a command; of one that stays running the first `wanted` lines."""
        if not command.startswith(_PROGRAM):
            return self._shell(command)
        command = self._moved(command)
        port = _PORT.search(command)
        if port and _answers(int(port[1])):
            raise PortInUseError(
                f"Port {port[1]} is in use, and `{command}` needs it.", "Choose others with --offset."
            )
        process, log = self._fork(command)
        self._running.append(process)
        if _STAYS.match(command):
            return self._greeting(command, process, log, wanted, port and int(port[1]))
        process.join(_COMMAND_SECONDS)
        if process.exitcode is None:
            raise ChainError(f"`{command}` did not end within {_COMMAND_SECONDS} s.")
        self._running.remove(process)
        self._exit_code = process.exitcode
        return self._lines(log.read_bytes())

    def _shell(self, command: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", f"(exit {self._exit_code})\n{command}"],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        self._exit_code = done.returncode
        return self._lines(done.stdout)

    def _fork(self, command: str) -> tuple[BaseProcess, Path]:
        """A process that runs this `marginproof` command, and the file that its output goes to."""
        self._logs += 1
        log = self.folder / f".output-{self._logs}.txt"
        log.touch()
        words = shlex.split(command.removeprefix(_PROGRAM))
        process = multiprocessing.get_context("fork").Process(
            target=_child, args=(words, self.folder, self._environment, log)
        )
        process.start()
        return process, log

    def _greeting(
        self, command: str, process: BaseProcess, log: Path, wanted: int, port: int | None
    ) -> list[str]:
        for _ in _until(time.monotonic() + _START_SECONDS):
            lines = self._lines(log.read_bytes())
            if process.exitcode is not None:
                raise ChainError(f"`{command}` ended: {' '.join(lines)}")
            if len(lines) >= wanted and (port is None or _answers(port)):
                return lines
        raise ChainError(f"`{command}` did not print {wanted} lines and answer within {_START_SECONDS} s.")

    def _moved(self, command: str) -> str:
        """The command with its ports moved by the offset."""
        if command.startswith(_CHAIN) and not _PORT.search(command):
            command += f" --port {CHAIN_PORT}"
        return _with_ports(command, 0, self._offset)

    def _lines(self, output: bytes) -> list[str]:
        """An output as a page shows it: without blanks around it, this folder as `...`, the ports unmoved."""
        text = output.decode("utf-8", "replace").replace(str(self.folder), "...")
        lines = [line.rstrip() for line in _with_ports(text, self._offset, 0).splitlines()]
        return "\n".join(lines).strip("\n").splitlines()


def _import_everything() -> None:
    """Whatever a command would spend its first second on; before that, the deployment file's place, which others import by name."""
    deployment.default_path = lambda root, chain_id: Path.cwd() / "deployments" / f"{chain_id}.json"  # noqa: ARG005
    for name in _IMPORTED:
        import_module(name)


def _child(words: list[str], folder: Path, environment: dict[str, str], log: Path) -> None:
    """Be the command: its folder, its environment, both outputs in the order in which they were written."""
    from marginproof.cli.main import run

    with log.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(run(words))


def _with_ports(text: str, old: int, new: int) -> str:
    for port in (CHAIN_PORT, ATTESTER_PORT):
        text = re.sub(rf"(--port |127\.0\.0\.1:){port + old}\b", rf"\g<1>{port + new}", text)
    return text


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _until(end: float) -> Iterator[None]:
    while time.monotonic() < end:
        yield
        time.sleep(_NAP_SECONDS)
