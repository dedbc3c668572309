"""Run slither over the contracts: `make slither`. Ends with 0 when docs/slither.md explains every finding, and nothing else.

That page has a table: detector, where, how many, why it is no problem. What slither.config.json leaves out altogether stands there, too.
Arguments go to slither.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from marginproof.errors import MarginproofError, ToolMissingError
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
        raise ToolMissingError(
            "slither is missing.", 'Run "make slither": it installs it into a venv of its own.'
        )
    return found


Finding = tuple[str, str]
"""Detector, and where: contract.function, and the variable where it is about one."""


def explained(page: str) -> Counter[Finding]:
    """The findings in the table of docs/slither.md."""
    rows = re.findall(r"^\| `([a-z-]+)` \| `([\w.]+)` \| (\d+) \| ", page, re.MULTILINE)
    return Counter({(detector, where): int(count) for detector, where, count in rows})


def found(report: Mapping[str, Any]) -> dict[Finding, list[str]]:
    """The findings in slither's report, with their descriptions."""
    result: dict[Finding, list[str]] = {}
    for finding in report["results"].get("detectors", []):
        result.setdefault((finding["check"], _where(finding["elements"][0])), []).append(
            finding["description"]
        )
    return result


def _where(element: Mapping[str, Any]) -> str:
    names = [element["name"]]
    parent = element.get("type_specific_fields", {}).get("parent")
    while parent and parent["type"] in ("contract", "function"):
        names.append(parent["name"])
        parent = parent.get("type_specific_fields", {}).get("parent")
    return ".".join(reversed(names))


def compare(report: Mapping[str, Any], page: str) -> list[str]:
    """What is found and not explained, or explained and not found; empty where all is well."""
    known = explained(page)
    problems: list[str] = []
    findings = found(report)
    for key in sorted(findings.keys() | known.keys()):
        texts = findings.get(key, [])
        if len(texts) == known[key]:
            continue
        name = " ".join(key)
        if len(texts) > known[key]:
            problems.append(f"{name}: found {len(texts)}, docs/slither.md explains {known[key]}")
            problems.extend(texts)
        else:
            problems.append(
                f"{name}: docs/slither.md explains {known[key]}, found {len(texts)}: correct the page"
            )
    return problems


def analyse(root: Path, arguments: Sequence[str]) -> Mapping[str, Any]:
    """slither's report. Errors: ToolMissingError; MarginproofError with what slither said where it gave no report."""
    slither = program(root)
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
        command += ["--config-file", str(root / "slither.config.json"), "--json", "report.json", *arguments]
        done = subprocess.run(command, cwd=folder, check=False, text=True, capture_output=True)
        answer = folder / "report.json"
        report = json.loads(answer.read_text(encoding="utf-8")) if answer.is_file() else {}
    if not report.get("success"):
        raise MarginproofError(f"slither gave no report:\n{done.stdout}{done.stderr}")
    return cast("Mapping[str, Any]", report)


def main() -> int:
    """Run slither, compare its report with docs/slither.md, print the differences."""
    root = project_root()
    try:
        report = analyse(root, sys.argv[1:])
    except MarginproofError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    problems = compare(report, (root / "docs" / "slither.md").read_text(encoding="utf-8"))
    print("\n".join(problems) or "slither: nothing beyond what docs/slither.md explains.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
