"""scripts/solc behaves like the native compiler, and steps aside for a native one of the same version."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = json.loads((ROOT / "package.json").read_text())
LONG_VERSION: str = PACKAGE["config"]["solcLongVersion"]


def solc(
    *arguments: str, stdin: str = "", extra_path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    path = os.environ["PATH"] if extra_path is None else f"{extra_path}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [ROOT / "scripts" / "solc", *arguments],
        input=stdin,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def fake_native(folder: Path, version: str) -> None:
    program = folder / "solc"
    program.write_text(f'#!/bin/sh\necho "Version: {version}.Linux.g++"\necho "native $*"\n')
    program.chmod(0o755)


def test_version_is_the_pinned_one_and_the_installed_one() -> None:
    assert LONG_VERSION.partition("+")[0] == PACKAGE["dependencies"]["solc"]
    assert f"Version: {LONG_VERSION}" in solc("--version").stdout
    installed = subprocess.run(
        ["node", "-p", "require('solc').version()"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert installed.stdout.startswith(LONG_VERSION)


def test_standard_json_reads_imports_below_the_base_path(tmp_path: Path) -> None:
    header = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.28;\n"
    (tmp_path / "B.sol").write_text(header + "contract B {}\n")
    source = header + 'import {B} from "B.sol";\ncontract A is B {}\n'
    request = {
        "language": "Solidity",
        "sources": {"A.sol": {"content": source}},
        "settings": {"outputSelection": {"*": {"*": ["abi"]}}},
    }
    run = solc("--standard-json", "--base-path", str(tmp_path), "--allow-paths=.", stdin=json.dumps(request))
    answer = json.loads(run.stdout)
    assert "errors" not in answer
    assert set(answer["contracts"]) == {"A.sol", "B.sol"}


@pytest.mark.parametrize("arguments", [["--bin", "A.sol"], []])
def test_other_uses_are_refused(arguments: list[str]) -> None:
    run = solc(*arguments)
    assert run.returncode == 1
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1


def test_native_compiler_of_the_pinned_version_is_used(tmp_path: Path) -> None:
    fake_native(tmp_path, LONG_VERSION)
    assert "native --standard-json" in solc("--standard-json", extra_path=tmp_path).stdout


def test_native_compiler_of_another_version_is_not(tmp_path: Path) -> None:
    fake_native(tmp_path, "0.8.19+commit.7dd6d404")
    assert LONG_VERSION in solc("--version", extra_path=tmp_path).stdout


def test_compiler_on_path_that_is_this_wrapper_does_not_call_itself(tmp_path: Path) -> None:
    (tmp_path / "solc").symlink_to(ROOT / "scripts" / "solc")
    starts = tmp_path / "starts"
    (tmp_path / "node").write_text(
        f'#!/bin/sh\necho start >>"{starts}"\nexec "{shutil.which("node")}" "$@"\n'
    )
    (tmp_path / "node").chmod(0o755)
    assert LONG_VERSION in solc("--version", extra_path=tmp_path).stdout
    assert starts.read_text() == "start\n"
