"""Measurements that need a process of their own: peak memory, and how long a start takes. Prints one JSON object.

python -m scripts.benchmarks.child epoch ACCOUNTS INSTRUMENTS THREADS REPETITIONS
python -m scripts.benchmarks.child start
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROC_STATUS = Path("/proc/self/status")


def run(*arguments: object, environment: dict[str, str] | None = None) -> dict[str, float]:
    """Run a measurement in a fresh process and return what it printed."""
    command = [sys.executable, "-m", "scripts.benchmarks.child", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def peak_bytes() -> int:
    """The most memory that this process has held at once. Linux's own count: `getrusage` starts from the parent's there."""
    if PROC_STATUS.exists():
        lines = PROC_STATUS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def epoch(accounts: int, instruments: int, threads: int, repetitions: int) -> dict[str, float]:
    """Median seconds of a whole epoch from market and portfolios to root, and the process's peak memory in bytes."""
    from marginproof.engine import value
    from marginproof.engine.epoch import compute

    from . import world

    columns = world.venue_columns(instruments)
    portfolios = world.spread_book(columns, accounts, 10).portfolios
    times = []
    for repetition in range(repetitions + 1):
        begin = time.perf_counter()
        compute(portfolios, value(columns, world.market(), world.options_33(), threads=threads), threads)
        if repetition:
            times.append(time.perf_counter() - begin)
    return {"seconds": statistics.median(times or [0.0]), "peak": peak_bytes()}


def start() -> dict[str, float]:
    """How many functions had to be compiled for a first small epoch; the caller times the process."""
    from numba.core import event  # type: ignore[import-untyped]

    with event.install_recorder("numba:compile") as recorder:
        epoch(64, 2_000, 1, 0)
    return {"compiled": sum(1 for _, record in recorder.buffer if record.is_start)}


def main(arguments: list[str]) -> None:
    """Run one measurement."""
    name, *numbers = arguments
    done = epoch(*map(int, numbers)) if name == "epoch" else start()
    print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[1:])
