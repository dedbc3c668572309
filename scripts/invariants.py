"""Run the invariant tests of tests/foundry: `make invariants`, with SEED=, RUNS= and DEPTH=.

forge compiles the tests, which import interfaces only. The contracts they deploy are creation code that the project's own compiler
made: this script writes it to build/foundry/ beside a model of the specification, starts forge, and says what was done how often.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from marginproof.errors import CompilerError, ToolMissingError
from marginproof.files import project_root
from marginproof.protocol.deploy import deployable
from marginproof.spec.model import Model, Scenario, VolKind, encode_model, neutral_section

WAD = 10**18
RUNS = 20
DEPTH = 300


def model() -> Model:
    """One underlying, five scenarios and all three charges, every add-on: what disputes have to tell apart."""
    moves = (
        (100, VolKind.NONE),
        (115, VolKind.UP),
        (115, VolKind.DOWN),
        (85, VolKind.UP),
        (85, VolKind.DOWN),
    )
    section = neutral_section(
        1,
        tuple(Scenario(spot_wad=spot * WAD // 100, kind=kind, weight_wad=WAD) for spot, kind in moves),
        initial_factor=12 * WAD // 10,
        maintenance_factor=WAD,
        vol_up=WAD // 2,
        vol_down=3 * WAD // 10,
        min_vol_up=4 * WAD // 10,
        power_short=3 * WAD // 10,
        power_long=13 * WAD // 100,
        basis_base=WAD,
        basis_per_year=WAD // 10,
        basis_up=102 * WAD // 100,
        basis_down=98 * WAD // 100,
        delta_net=WAD // 20,
        short_minimum_rate=WAD // 50,
        naked_maintenance=WAD // 100,
        naked_initial=WAD // 50,
        perpetual_maintenance=WAD // 200,
        perpetual_initial=WAD // 100,
        future_maintenance=WAD // 200,
        future_initial=WAD // 100,
        haircut_maintenance=WAD // 40,
        haircut_initial=WAD // 20,
        confidence_threshold=WAD * 995 // 1000,
        confidence_rate=WAD,
    )
    return Model((section,))


def forge() -> str:
    """The path of forge: npm's for this machine, otherwise one on PATH. Errors: ToolMissingError."""
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower(), platform.machine()
    )
    package = project_root() / "node_modules" / "@foundry-rs" / f"forge-{sys.platform}-{machine}"
    npm = package / "bin" / "forge"
    found = str(npm) if npm.is_file() else shutil.which("forge")
    if found is None:
        raise ToolMissingError(
            "forge is missing, which runs the invariant tests: npm has none for this machine.",
            'Run "make setup" again, or put forge 1.7 on PATH.',
        )
    return found


def prepare(folder: Path) -> None:
    """Write creation code and model. Errors: CompilerError, ToolMissingError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, artifact in deployable().items():
        (folder / f"{name}.hex").write_text(artifact.bytecode, encoding="ascii")
    (folder / "model.hex").write_text("0x" + encode_model(model()).hex(), encoding="ascii")
    (folder / "runs.txt").unlink(missing_ok=True)
    # forge would start with what failed before, whatever the seed.
    shutil.rmtree(folder / "failures", ignore_errors=True)


def counts(folder: Path) -> dict[str, tuple[int, int]]:
    """By action, how often it did something and how often it was tried, over all runs that came to their end."""
    totals: dict[str, tuple[int, int]] = {}
    path = folder / "runs.txt"
    # forge reports the last run twice.
    lines = dict.fromkeys(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else {}
    for line in lines:
        for entry in filter(None, line.split(";")):
            name, figures = entry.split("=")
            done, tried = (int(figure) for figure in figures.split("/"))
            before = totals.get(name, (0, 0))
            totals[name] = (before[0] + done, before[1] + tried)
    return totals


@dataclass(frozen=True, slots=True)
class Campaign:
    """What came of it: whether everything held, what forge printed, and by action how often it did something and was tried."""

    held: bool
    output: str
    counts: dict[str, tuple[int, int]]


def run(seed: int, runs: int, depth: int) -> Campaign:
    """One campaign. Errors: CompilerError, ToolMissingError."""
    program = forge()
    root = project_root()
    folder = root / "build" / "foundry"
    prepare(folder)
    environment = os.environ | {"FOUNDRY_INVARIANT_RUNS": str(runs), "FOUNDRY_INVARIANT_DEPTH": str(depth)}
    command = [program, "test", "--root", str(root), "--fuzz-seed", str(seed), "--color", "never"]
    done = subprocess.run(command, env=environment, cwd=root, check=False, text=True, capture_output=True)
    return Campaign(done.returncode == 0, done.stdout + done.stderr, counts(folder))


def main() -> int:
    """Read the arguments, run, print forge's output if it failed, and the counts. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, help="the same seed does the same actions; default: a new one")
    parser.add_argument(
        "--runs", type=int, default=RUNS, help=f"how many times from the start (default {RUNS})"
    )
    parser.add_argument("--depth", type=int, default=DEPTH, help=f"how many actions each (default {DEPTH})")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    print(f"Invariants: SEED={seed} RUNS={options.runs} DEPTH={options.depth}", flush=True)
    try:
        campaign = run(seed, options.runs, options.depth)
    except (CompilerError, ToolMissingError) as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if not campaign.held:
        print(campaign.output)
    for name, (done, tried) in campaign.counts.items():
        print(f"{name:32} {done:6} of {tried}")
    print(f"Invariants: {'all held' if campaign.held else 'FAILED'}, SEED={seed}")
    return 0 if campaign.held else 1


if __name__ == "__main__":
    sys.exit(main())
