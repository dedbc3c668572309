"""Finds the anvil program: the npm platform package of this project first, then PATH."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

from marginproof.errors import ToolMissingError

_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find(root: Path) -> Path:
    """Path of an anvil that starts on this machine; ToolMissingError where there is none."""
    system = _SYSTEMS.get(platform.system(), platform.system().lower())
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    packaged = root / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    on_path = shutil.which("anvil")
    for candidate in [packaged, *([Path(on_path)] if on_path else [])]:
        if candidate.is_file() and _starts(candidate):
            return candidate
    raise ToolMissingError(
        f"anvil is missing: neither npm's package for {system}-{machine} nor PATH has one that starts.",
        'Run "make setup", or install Foundry and put its anvil on PATH.',
    )


def _starts(program: Path) -> bool:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
