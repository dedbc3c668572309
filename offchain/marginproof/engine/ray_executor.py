"""Parts of an epoch on a Ray cluster.

What all parts share (instruments, market, model) is sent once; each task carries the positions of its own accounts and brings back
their figures and one hash. Ray decides where a task runs, and runs it again elsewhere when a machine is lost.
"""

from __future__ import annotations

import importlib
import os
import pickle
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from marginproof import __version__
from marginproof.errors import InputError, MarginproofError, ToolMissingError
from marginproof.spec.errors import SpecError

from .columns import require_threads
from .executors import source_digest
from .netting import Portfolios
from .partition import PartResult, PartTask, compute_part

RETRIES: Final = 3
"""How often Ray may begin a part anew after losing the machine or the process that had it."""
_CONNECT_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 60.0
"""How long to wait for a machine that can take a part when the cluster has none left."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A `SpecError` as plain data: exceptions with arguments of their own do not survive every pickling."""

    name: str
    arguments: dict[str, int | str]
    notes: tuple[str, ...]

    def error(self) -> SpecError:
        """The error again."""
        made = SpecError(self.name, **self.arguments)
        for note in self.notes:
            made.add_note(note)
        return made


@dataclass(frozen=True, slots=True)
class OtherSources:
    """A worker has another marginproof than the machine that asks; what it would compute is not asked for."""

    node: str
    version: str


Answer = PartResult | Refused | OtherSources


def answer(shared: bytes, digest: str, first: int, portfolios: Portfolios) -> Answer:
    """One part on a worker. `shared` is the task without its accounts, `digest` the sources of the machine that asks."""
    if digest != source_digest():
        return OtherSources(socket.gethostname(), __version__)
    # Columns out of Ray's store are read-only: kernels would be compiled once more for those, which takes seconds.
    p = portfolios
    held = Portfolios(np.array(p.offsets), np.array(p.ids), np.array(p.quantities))
    task: PartTask = replace(pickle.loads(shared), first=first, portfolios=held)  # noqa: S301 - sent by whoever runs this worker
    try:
        return compute_part(task)
    except SpecError as error:
        return Refused(error.name, error.args_by_name, tuple(getattr(error, "__notes__", ())))


class RayExecutor:
    """Parts on the Ray cluster at `address`, each part claiming `threads` processors.

    `address` is HOST:PORT of the head node, or "auto" for the cluster that this machine belongs to; without one it is RAY_ADDRESS, and
    without that a Ray of its own is started here and ended with the `with` statement. A Ray that this process has
    joined already is used as it is and left alone.

    Errors: ToolMissingError without the extra, InputError for an address, MarginproofError for a cluster that cannot be joined, has no
    machine with so many processors, runs another marginproof, or loses machines faster than parts can be begun anew.
    """

    name: Final = "ray"

    def __init__(self, address: str | None = None, threads: int = 1) -> None:
        require_threads(threads)
        self.address = address or os.environ.get("RAY_ADDRESS") or None
        self._threads = threads
        self._ray = _import_ray()
        self._joined = False

    def __enter__(self) -> Self:
        if not self._ray.is_initialized():
            self._join()
            self._joined = True
        try:
            self._require_processors()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._joined:
            self._ray.shutdown()
            self._joined = False

    @property
    def slots(self) -> int:
        """How many parts the cluster's processors take at the same time."""
        return sum(cpus // self._threads for cpus in self._processors())

    def part_threads(self, parts: int) -> int:  # noqa: ARG002 - the caller's choice, whatever the number of parts
        """As many as a part claims processors."""
        return self._threads

    def run(self, tasks: Sequence[PartTask]) -> Iterator[PartResult]:
        """As `Executor.run`. Parts not yet done are cancelled when one fails or when the caller stops reading."""
        ray = self._ray
        pending: dict[Any, int] = {}
        failed: dict[int, Refused] = {}
        try:
            pending = self._submit(tasks)
            while pending:
                done = self._next(list(pending))
                first = pending.pop(done)
                result = self._get(done)
                if isinstance(result, Refused):
                    failed[first] = result
                    for late in [ref for ref, at in pending.items() if at > first]:
                        ray.cancel(late)
                        del pending[late]
                elif not failed:
                    yield result
            if failed:
                raise failed[min(failed)].error()
        finally:
            for ref in pending:
                ray.cancel(ref)

    def _submit(self, tasks: Sequence[PartTask]) -> dict[Any, int]:
        if not tasks:
            return {}
        empty = Portfolios(np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.int64))
        common = replace(tasks[0], first=0, portfolios=empty)
        shared = self._ray.put(pickle.dumps(common, pickle.HIGHEST_PROTOCOL))

        # Sent by value, being no function of a module, so that a worker without marginproof can say what it lacks.
        def part(shared: bytes, digest: str, first: int, portfolios: Any) -> Any:
            from marginproof.engine.netting import Portfolios
            from marginproof.engine.ray_executor import answer

            return answer(shared, digest, first, Portfolios(*portfolios))

        remote = self._ray.remote(num_cpus=self._threads, max_retries=RETRIES)(part)
        digest = source_digest()
        return {
            remote.remote(
                shared,
                digest,
                task.first,
                (task.portfolios.offsets, task.portfolios.ids, task.portfolios.quantities),
            ): task.first
            for task in tasks
        }

    def _next(self, pending: list[Any]) -> Any:
        """A part that is done. Waits as long as some machine can take parts."""
        alone_since: float | None = None
        while True:
            done, _ = self._ray.wait(pending, num_returns=1, timeout=_LOOK_SECONDS)
            if done:
                return done[0]
            now = time.monotonic()
            if self.slots:
                alone_since = None
            elif alone_since is None:
                alone_since = now
            elif now - alone_since > _PATIENCE_SECONDS:
                raise MarginproofError(
                    f"The Ray cluster has lost every machine that could compute a part ({len(pending)} are left).",
                    "Nothing was kept; run the command again when machines are back.",
                )

    def _get(self, done: Any) -> PartResult | Refused:
        errors = self._ray.exceptions
        try:
            result: Answer = self._ray.get(done)
        except errors.RayTaskError as error:
            raise _of_worker(error.cause) from None
        except errors.RayError as error:
            raise MarginproofError(
                f"Ray gave a part up after {RETRIES} new beginnings: {_line(error)}",
                "Nothing was kept; look at the machines of the cluster, then run the command again.",
            ) from None
        if isinstance(result, OtherSources):
            raise MarginproofError(
                f"The Ray worker on {result.node} has another marginproof ({result.version}) than this machine ({__version__}), "
                "or one with changed sources.",
                "Install the same version on every machine of the cluster: docs/scaling.md.",
            )
        return result

    def _join(self) -> None:
        if self.address is not None:
            _require_reachable(self.address)
        try:
            self._ray.init(
                address=self.address or "local",
                log_to_driver=False,
                logging_level="ERROR",
                **({} if self.address else {"include_dashboard": False}),
            )
        except (OSError, RuntimeError, ValueError, AssertionError, self._ray.exceptions.RayError) as error:
            what = f"The Ray cluster at {self.address}" if self.address else "A Ray of this machine's own"
            raise MarginproofError(
                f"{what} cannot be joined: {_line(error)}",
                "Run this on a machine of the cluster, with the Python and Ray versions of the cluster: docs/scaling.md.",
            ) from None

    def _processors(self) -> list[int]:
        """Processors of each machine that is alive."""
        return [int(node["Resources"].get("CPU", 0)) for node in self._ray.nodes() if node["Alive"]]

    def _require_processors(self) -> None:
        most = max(self._processors(), default=0)
        if most < self._threads:
            raise InputError(
                f"--threads: {self._threads} is more than any machine of the Ray cluster has processors; allowed: 1 to {most}."
                if most
                else "The Ray cluster has no machine with a processor for a part."
            )


def _import_ray() -> Any:
    # Nothing is reported to Ray's makers, and its hint about accelerators is of no use here.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ToolMissingError(
            f"--executor ray needs the Python package ray, which cannot be imported ({_line(error)}).",
            "Install it beside marginproof with `pip install --constraint constraints.txt --editable '.[ray]'`, or use --executor local.",
        ) from None


def _require_reachable(address: str) -> None:
    """Refuse an address where nobody answers: Ray itself would try for a minute. Errors: InputError, MarginproofError."""
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or not 1 <= int(port[:6]) <= 65535:
        raise InputError(
            f"--address: {address!r} is not an address of a Ray cluster; allowed: HOST:PORT of its head node, or auto."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise MarginproofError(
            f"Nobody answers at {address} ({error.strerror or error}).",
            "Start the cluster's head with `ray start --head`, or correct --address or RAY_ADDRESS.",
        ) from None


def _of_worker(cause: BaseException) -> MarginproofError:
    if isinstance(cause, ImportError):
        return MarginproofError(
            f"A Ray worker cannot import marginproof ({_line(cause)}).",
            "Install the same version on every machine of the cluster: docs/scaling.md.",
        )
    return MarginproofError(f"A part failed on a Ray worker: {type(cause).__name__}: {_line(cause)}")


def _line(error: BaseException) -> str:
    """The first line of an error, without its final full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
