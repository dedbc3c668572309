"""What `make setup` says, before it touches anything, on a machine that lacks something."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"python3": f'exec "{sys.executable}" "$@"', "node": "echo v20.11.1", "npm": "echo 10.2.4"}
OLD_PYTHON = 'case "$1" in --version) echo "Python 3.10.12" ;; *) exit 1 ;; esac'
NO_VENV = f'case "$2" in *ensurepip*) exit 1 ;; *) exec "{sys.executable}" "$@" ;; esac'


def run_check(folder: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name in ("dirname", "head"):
        real = shutil.which(name)
        assert real is not None
        (folder / name).symlink_to(real)
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "setup.sh", "--check"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_good_machine_passes_and_names_its_python(tmp_path: Path) -> None:
    run = run_check(tmp_path, GOOD)
    assert (run.returncode, run.stdout, run.stderr) == (0, "python3\n", "")


def test_newer_python_names_are_preferred(tmp_path: Path) -> None:
    run = run_check(tmp_path, GOOD | {"python3.11": GOOD["python3"], "python3": OLD_PYTHON})
    assert (run.returncode, run.stdout) == (0, "python3.11\n")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"python3": None}, "Please install Python 3.11 or 3.12."),
        ({"python3": OLD_PYTHON}, "Please install Python 3.11 or 3.12 (this machine has Python 3.10.12)."),
        (
            {"python3": NO_VENV},
            "Please install Python's venv module (on Debian and Ubuntu: the package python3-venv).",
        ),
        ({"node": None}, "Please install Node.js 20 or newer (this machine has none)."),
        ({"node": "exit 1"}, "Please install Node.js 20 or newer (the one on PATH does not start)."),
        ({"node": "echo v18.20.4"}, "Please install Node.js 20 or newer (this machine has v18.20.4)."),
        ({"node": "echo hello"}, 'Please install Node.js 20 or newer (this machine\'s answers "hello").'),
        ({"npm": None}, "Please install npm, which comes with Node.js 20 and newer."),
    ],
)
def test_missing_tool_gets_one_plain_sentence(
    tmp_path: Path, changes: dict[str, str | None], sentence: str
) -> None:
    programs = {name: body for name, body in (GOOD | changes).items() if body is not None}
    run = run_check(tmp_path, programs)
    assert run.returncode != 0
    assert run.stdout == ""
    assert run.stderr == sentence + "\n"
