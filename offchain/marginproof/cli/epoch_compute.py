"""`marginproof epoch compute`: the root of a whole epoch, from files or from the chain, in parts, here or on many machines."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.options import DEFAULT_RPC, AsJson, DeploymentFile, RoundOption, Rpc, whole

if TYPE_CHECKING:
    from marginproof.cli.epoch_inputs import EpochInputs
    from marginproof.engine.executors import Executor


class ExecutorKind(StrEnum):
    """Where parts can be computed."""

    LOCAL = "local"
    RAY = "ray"


_MAX_THREADS = 256
_MAX_PARTS = 1 << 20


def compute(
    market: Annotated[
        str | None,
        typer.Option("--market", metavar="FILE|crash:N", help="Market document, or a shipped one."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE|NAME", help="Model document, or a shipped model's name."),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            "--accounts", metavar="FILE", help="Accounts: a JSON document, or numpy columns (.npz)."
        ),
    ] = None,
    executor: Annotated[
        ExecutorKind, typer.Option("--executor", help="Compute in this process, or on a Ray cluster.")
    ] = ExecutorKind.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT|auto",
            help="Ray's head node. [default: RAY_ADDRESS, else a Ray of its own on this machine]",
        ),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(
            "--parts",
            parser=whole(1, _MAX_PARTS),
            metavar="N",
            help="At most so many parts, each of at least 4096 accounts. [default: as many as run at once]",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            parser=whole(1, _MAX_THREADS),
            metavar="N",
            help="Threads: local, in all [default: one per processor]; ray, of each part [default: 1].",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write every account's figures here, as numpy columns (.npz)."
        ),
    ] = None,
    round_number: RoundOption = None,
    rpc: Rpc = DEFAULT_RPC,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """Compute the root of a whole epoch, in parts.

    From --market, --model and --accounts; without them an epoch of the venue from the chain, compared with the posted root:
    exits with 5 when they differ. Executor, parts and threads change no bit.
    """
    from marginproof.cli.console import emit, out, require_target
    from marginproof.cli.epoch_inputs import from_chain, from_files
    from marginproof.cli.epoch_report import EpochReport, write_figures
    from marginproof.errors import InputError

    if address is not None and executor is not ExecutorKind.RAY:
        raise InputError("--address is for --executor ray only.")
    if output is not None:
        require_target("--out", output)
    files = {"--market": market, "--model": model, "--accounts": accounts}
    missing = [name for name, value in files.items() if value is None]
    inputs: EpochInputs
    if market is not None and model is not None and accounts is not None:
        if round_number is not None or deployment is not None:
            raise InputError(
                "--round and --deployment are for an epoch from the chain; leave them out with files."
            )
        inputs = from_files(market, model, accounts)
    elif len(missing) == len(files):
        inputs = from_chain(rpc, deployment, round_number)
    else:
        raise InputError(
            f"An epoch from files needs {', '.join(missing)} as well.",
            "Without all three it is taken from the chain.",
        )
    with _executor(executor, address, threads) as chosen:
        report = EpochReport.compute(inputs, chosen, parts)
    if output is not None:
        write_figures(report.epoch, output)
    if as_json:
        emit(report.json())
    else:
        report.show(out())
    report.require_posted()


def _executor(kind: ExecutorKind, address: str | None, threads: int | None) -> Executor:
    from marginproof.engine.executors import LocalExecutor

    if kind is ExecutorKind.LOCAL:
        return LocalExecutor(threads or min(processors(), _MAX_THREADS))
    from marginproof.engine.ray_executor import RayExecutor

    return RayExecutor(address, threads or 1)


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
