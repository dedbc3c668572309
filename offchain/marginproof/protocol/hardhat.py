"""Runs a Hardhat node; Hardhat is large, so it is installed into build/hardhat when first asked for."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from marginproof.errors import ToolMissingError
from marginproof.files import write_json, write_text

HARDHAT_VERSION: Final = "2.29.1"
_INSTALL_SECONDS = 600


def command(
    root: Path, notify: Callable[[str], None], *, host: str, port: int, network: Mapping[str, Any]
) -> tuple[list[str], Path]:
    """The command line of a node with these `network` settings, and the folder to run it in.

    Installs Hardhat first where it is missing; ToolMissingError where Node is missing or that fails.
    """
    node = _node()
    folder = root / "build" / "hardhat"
    if not _installed(folder):
        notify(f"Installing Hardhat {HARDHAT_VERSION} into build/hardhat, once (about 300 MB) ...")
        _install(folder)
    config = folder / f"node-{port}.config.js"
    settings = {"solidity": "0.8.28", "networks": {"hardhat": dict(network)}}
    write_text(config, f"module.exports = {json.dumps(settings, indent=2)};\n")
    program = folder / "node_modules" / "hardhat" / "internal" / "cli" / "bootstrap.js"
    options = ["--config", config.name, "node", "--hostname", host, "--port", str(port)]
    return [node, str(program), *options], folder


def _node() -> str:
    """Path of the Node program itself: version managers put a script on PATH that needs the user's HOME."""
    found = shutil.which("node")
    if found is not None:
        run = subprocess.run([found, "-p", "process.execPath"], capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return run.stdout.strip()
    raise ToolMissingError("Node.js is missing.", "Install Node.js 20 or newer: Hardhat runs on it.")


def _installed(folder: Path) -> bool:
    try:
        package = json.loads(
            (folder / "node_modules" / "hardhat" / "package.json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return False
    complete = (folder / "node_modules" / ".package-lock.json").is_file()
    return complete and package.get("version") == HARDHAT_VERSION


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ToolMissingError("npm is missing.", "Install npm, which comes with Node.js 20 and newer.")
    write_json(folder / "package.json", {"private": True, "dependencies": {"hardhat": HARDHAT_VERSION}})
    try:
        run = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--no-package-lock"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolMissingError(
            "npm did not finish installing Hardhat.", "Check the network, then try again."
        ) from error
    if run.returncode != 0:
        reason = next((line for line in run.stderr.splitlines() if "error" in line), "no reason given")
        raise ToolMissingError(
            f"npm could not install Hardhat {HARDHAT_VERSION} ({reason.strip()}).",
            "The first run with Hardhat needs a network; after that none.",
        )
