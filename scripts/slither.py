"""Run slither over the contracts: `make slither`. Ends with 0 when nothing is found that slither.config.json does not leave out.

What is left out, and why it is no problem, stands in docs/slither.md. Arguments go to slither: `make slither ARGS="--detect reentrancy-eth"`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from marginproof.errors import ToolMissingError
from marginproof.files import project_root, write_json
from marginproof.protocol.compiler import SETTINGS

OUTPUTS = {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode"], "": ["ast"]}}


def sources(root: Path) -> list[str]:
    """Every contract of the venue: not those for tests, nor the copies of libraries in hidden folders."""
    found = (path.relative_to(root) for path in (root / "contracts").rglob("*.sol"))
    left_out = ("testing",)
    return sorted(
        path.as_posix()
        for path in found
        if path.parts[1] not in left_out and not any(part.startswith(".") for part in path.parts)
    )


def program(root: Path) -> Path:
    """slither in its own venv. Errors: ToolMissingError."""
    found = root / "build" / "slither-venv" / "bin" / "slither"
    if not found.is_file():
        raise ToolMissingError("slither is missing.", 'Run "make slither": it installs it into a venv of its own.')
    return found


def main() -> int:
    """Write the compiler's input, run slither on it, return its exit code."""
    root = project_root()
    try:
        slither = program(root)
    except ToolMissingError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    standard = {
        "language": "Solidity",
        "sources": {name: {"urls": [name]} for name in sources(root)},
        "settings": SETTINGS | {"outputSelection": OUTPUTS},
    }
    # In a folder of its own: in the project slither would find foundry.toml and ask forge instead of the compiler.
    with tempfile.TemporaryDirectory(prefix="marginproof-slither-") as name:
        folder = Path(name)
        shutil.copytree(root / "contracts", folder / "contracts")
        (folder / "node_modules").symlink_to((root / "node_modules").resolve())
        write_json(folder / "input.json", standard)
        command = [str(slither), "input.json", "--compile-force-framework", "Solc-json"]
        command += ["--solc", str(root / "scripts" / "solc")]
        command += ["--config-file", str(root / "slither.config.json"), *sys.argv[1:]]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
