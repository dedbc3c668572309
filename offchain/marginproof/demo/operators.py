"""The demonstration's attesters: five processes, each with its own key, connection and copy of the source."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from eth_account.signers.local import LocalAccount

from marginproof.documents import MarketDocument, save_document
from marginproof.errors import ChainError
from marginproof.protocol.keys import KEY_VARIABLE

START_SECONDS = 60.0
_WAD = 10**18


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def write_source(folder: Path, documents: Sequence[MarketDocument], drift_bps: int) -> None:
    """Write an operator's own copy of the source: what it sees differs from the keeper's by `drift_bps` basis points of price."""
    for index, document in enumerate(documents, 1):
        save_document(_drifted(document, drift_bps), folder / f"{index}.json")


def _drifted(document: MarketDocument, drift_bps: int) -> MarketDocument:
    def moved(price_e8: int) -> int:
        return price_e8 + price_e8 * drift_bps // 10_000

    underlyings = tuple(
        entry.model_copy(
            update={
                "spot_e8": moved(entry.spot_e8),
                "expiries": tuple(
                    quote.model_copy(update={"forward_e8": moved(quote.forward_e8)})
                    for quote in entry.expiries
                ),
            }
        )
        for entry in document.underlyings
    )
    return document.model_copy(update={"underlyings": underlyings})


class AttesterProcesses:
    """Starts one attester process per signer and stops them all at the end; they also stop when we die."""

    def __init__(
        self,
        signers: Sequence[LocalAccount],
        rpc_url: str,
        deployment: Path,
        folder: Path,
        extra: Sequence[str] = (),
    ) -> None:
        self.urls: list[str] = []
        self._signers = tuple(signers)
        self._arguments = ["--rpc", rpc_url, "--deployment", str(deployment), *extra]
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            for index, signer in enumerate(self._signers):
                self._start(index, signer)
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, index: int, signer: LocalAccount) -> None:
        port = free_port()
        home = self._folder / f"attester-{index + 1}"
        command = [sys.executable, "-m", "marginproof.demo.attester_process", *self._arguments]
        command += [
            "--source",
            str(home / "source"),
            "--state",
            str(home / "rounds.json"),
            "--port",
            str(port),
        ]
        with (home / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, KEY_VARIABLE: "0x" + bytes(signer.key).hex()},
                start_new_session=True,
            )
        self._processes.append(process)
        self.urls.append(f"http://127.0.0.1:{port}")

    def add(self, signers: Sequence[LocalAccount]) -> None:
        """Start attesters more. Errors: ChainError for one that does not start."""
        first = len(self._processes)
        for index, signer in enumerate(signers, first):
            self._start(index, signer)
        self._wait(first)

    def _wait(self, first: int = 0) -> None:
        deadline = time.monotonic() + START_SECONDS
        for index, url in enumerate(self.urls[first:], first):
            while True:
                try:
                    if httpx.get(f"{url}/health", timeout=2.0, trust_env=False).status_code == httpx.codes.OK:
                        break
                except httpx.HTTPError:
                    pass
                log = self._folder / f"attester-{index + 1}" / "log.txt"
                if self._processes[index].poll() is not None or time.monotonic() > deadline:
                    raise ChainError(f"Attester {index + 1} did not start.", f"Its log is {log}.")
                time.sleep(0.05)

    def stop(self) -> None:
        """End every process."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
        self._processes.clear()
