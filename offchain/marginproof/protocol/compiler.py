"""Compiles contracts/ with the pinned Solidity compiler and keeps the results in build/contracts/.

Each source file with code to deploy is compiled in a run of its own, together with what it imports and nothing
else. The bytecode then depends on those files and the settings below only (with via-IR, unrelated files in the
same run can change it), and after an edit only the files that see the edit are compiled again. Interfaces and
internal libraries have no such code and share one run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from marginproof.errors import CompilerError, ToolMissingError
from marginproof.files import project_root, write_json

REMAPPINGS = {"@openzeppelin/": "node_modules/@openzeppelin/", "solady/": "node_modules/solady/"}
EVM_VERSION = "cancun"
OPTIMIZER_RUNS = 1_000
VIA_IR = True
SETTINGS: dict[str, Any] = {
    "optimizer": {"enabled": True, "runs": OPTIMIZER_RUNS},
    "viaIR": VIA_IR,
    "evmVersion": EVM_VERSION,
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "remappings": [f"{prefix}={target}" for prefix, target in REMAPPINGS.items()],
}
_OUTPUTS = ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences", "evm.deployedBytecode.object"]
_CACHE_FORMAT = 1
_MAX_PROCESSES = 4

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_CONTRACT = re.compile(r"\bcontract\s+\w")
_LIBRARY = re.compile(r"\blibrary\s+\w")
_CALLABLE = re.compile(r"\b(?:public|external)\b")
_IMPORT = re.compile(r"""\bimport\s+(?:[^;"']*?\bfrom\s*)?["']([^"']+)["']""")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract, interface or library.

    `bytecode` is the creation code, "0x" followed by hex, and "0x" alone where nothing can be deployed.
    `runtime_size` is the size of the deployed code in bytes. `source_path` is relative to the project, with
    slashes. `link_references` maps each library that the code calls to the byte offsets of its address in the
    creation code.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    runtime_size: int
    source_path: str
    link_references: dict[str, list[int]]

    def linked(self, addresses: Mapping[str, str]) -> str:
        """The creation code with library addresses filled in by name; KeyError names a missing one."""
        code = self.bytecode
        for library, offsets in self.link_references.items():
            address = addresses[library].removeprefix("0x").lower()
            for offset in offsets:
                start = 2 + 2 * offset
                code = code[:start] + address + code[start + 40 :]
        return code


def load_artifacts(root: Path | None = None, sources: Collection[str] | None = None) -> dict[str, Artifact]:
    """Artifacts of every contract under contracts/ by name, those that changed compiled first.

    `sources` limits this to the contracts in these files, named like "contracts/MarginCourt.sol".
    Raises CompilerError for errors, for warnings in our own sources, and for two contracts of one name;
    ToolMissingError where Node or the compiler is missing.
    """
    base = project_root() if root is None else root
    entries = _entries(base) if sources is None else sorted(sources)
    texts: dict[str, str] = {}
    closures = {entry: _closure(base, entry, texts) for entry in entries}
    version = _pinned_version(base)
    keys = {entry: _key(version, closures[entry]) for entry in entries}
    found = {entry: _read_cache(base, entry, keys[entry]) for entry in entries}
    missing = [entry for entry in entries if found[entry] is None]
    if missing:
        compiler = _compiler(base, version)

        def build(run: list[str]) -> dict[str, list[Artifact]]:
            together = {name: text for entry in run for name, text in closures[entry].items()}
            built = _compile(compiler, run, together)
            for entry, artifacts in built.items():
                fields = [asdict(artifact) for artifact in artifacts]
                write_json(_cache_path(base, entry), {"key": keys[entry], "artifacts": fields})
            return built

        with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_PROCESSES)) as pool:
            jobs = [pool.submit(build, run) for run in _runs(missing, closures)]
        _report([error for job in jobs if (error := job.exception()) is not None])
        for job in jobs:
            found.update(job.result())
    return _by_name([artifact for entry in entries for artifact in found[entry] or []])


def _entries(root: Path) -> list[str]:
    """Every source under contracts/, except in hidden folders: ape keeps copies of libraries in one."""
    found = (path.relative_to(root) for path in (root / "contracts").rglob("*.sol"))
    return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))


def _pinned_version(root: Path) -> str:
    package = json.loads((root / "package.json").read_text(encoding="utf-8"))
    return str(package["config"]["solcLongVersion"])


def _resolve(importer: str, name: str) -> str:
    if name.startswith("."):
        return os.path.normpath(PurePosixPath(importer).parent / name).replace(os.sep, "/")
    for prefix, target in REMAPPINGS.items():
        if name.startswith(prefix):
            return target + name.removeprefix(prefix)
    return name


def _closure(root: Path, entry: str, texts: dict[str, str]) -> dict[str, str]:
    """`entry` and everything it imports, by source unit name; `texts` remembers files across entries."""
    closure: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in closure:
            continue
        if name not in texts:
            texts[name] = _read_source(root, name, entry)
        closure[name] = texts[name]
        imports = _IMPORT.findall(_COMMENT.sub("", texts[name]))
        waiting.extend(_resolve(name, imported) for imported in imports)
    return dict(sorted(closure.items()))


def _read_source(root: Path, name: str, entry: str) -> str:
    try:
        return (root / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        if name.startswith("node_modules/"):
            message = f"{entry} imports {name}, which is not installed."
            raise ToolMissingError(message, 'Check the path, then run "make setup".') from None
        if name == entry:
            raise CompilerError(f"There is no source {entry}.") from None
        raise CompilerError(f"{entry} imports {name}, which does not exist.") from None


def _runs(entries: list[str], closures: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """Which entries the compiler sees together; the longest runs first, so that none starts when others end."""
    light = [entry for entry in entries if not _deploys(closures[entry][entry])]
    heavy = sorted(set(entries) - set(light), key=lambda entry: (-len(closures[entry]), entry))
    return [[entry] for entry in heavy] + ([light] if light else [])


def _deploys(source: str) -> bool:
    """Whether a source may hold deployed code: a contract, or a library with functions to call from outside."""
    code = _COMMENT.sub("", source)
    return bool(_CONTRACT.search(code) or (_LIBRARY.search(code) and _CALLABLE.search(code)))


def _key(version: str, closure: Mapping[str, str]) -> str:
    content = json.dumps([_CACHE_FORMAT, version, SETTINGS, _OUTPUTS, closure], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _cache_path(root: Path, entry: str) -> Path:
    return root / "build" / Path(entry).with_suffix(".json")


def _read_cache(root: Path, entry: str, key: str) -> list[Artifact] | None:
    try:
        cached = json.loads(_cache_path(root, entry).read_text(encoding="utf-8"))
        if cached["key"] != key:
            return None
        return [Artifact(**fields) for fields in cached["artifacts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _compiler(root: Path, version: str) -> Path:
    if shutil.which("node") is None:
        hint = "Install Node.js 20 or newer: the contracts compile with it."
        raise ToolMissingError("Node.js is missing.", hint)
    if not (root / "node_modules" / "solc").is_dir() and shutil.which("solc") is None:
        hint = f'Run "make setup", or install solc {version}.'
        raise ToolMissingError("The Solidity compiler is missing.", hint)
    return root / "scripts" / "solc"


def _compile(compiler: Path, entries: list[str], sources: Mapping[str, str]) -> dict[str, list[Artifact]]:
    import solcx
    from solcx.exceptions import SolcError

    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {**SETTINGS, "outputSelection": {entry: {"*": _OUTPUTS} for entry in entries}},
    }
    try:
        answer: dict[str, Any] = solcx.compile_standard(request, solc_binary=compiler)
    except SolcError as error:
        reported: Any = error.error_dict or []
        reasons = [note["formattedMessage"] for note in reported if _matters(note)]
        raise _RejectedError(reasons or [str(error)]) from error
    warnings = [note["formattedMessage"] for note in answer.get("errors", []) if _matters(note)]
    if warnings:
        raise _RejectedError(warnings)
    contracts = answer.get("contracts", {})
    return {
        entry: [_artifact(entry, name, output) for name, output in sorted(contracts.get(entry, {}).items())]
        for entry in entries
    }


class _RejectedError(Exception):
    """What the compiler said about one entry, a note per item."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        super().__init__(*notes)


def _report(errors: list[BaseException]) -> None:
    """Raise one CompilerError for all of `errors`, each note once though many files may import its place."""
    if not errors:
        return
    for error in errors:
        if not isinstance(error, _RejectedError):
            raise error
    notes = [note.strip() for error in errors if isinstance(error, _RejectedError) for note in error.notes]
    raise CompilerError(
        "The contracts do not compile without errors and warnings:\n\n" + "\n\n".join(dict.fromkeys(notes))
    )


def _matters(note: Mapping[str, Any]) -> bool:
    """Errors anywhere, and warnings that are not about somebody else's source."""
    location = note.get("sourceLocation") or {}
    foreign = str(location.get("file", "")).startswith("node_modules/")
    return note["severity"] == "error" or (note["severity"] == "warning" and not foreign)


def _artifact(entry: str, name: str, output: Mapping[str, Any]) -> Artifact:
    creation = output["evm"]["bytecode"]
    references = {
        library: [position["start"] for position in positions]
        for libraries in creation["linkReferences"].values()
        for library, positions in libraries.items()
    }
    runtime_size = len(output["evm"]["deployedBytecode"]["object"]) // 2
    return Artifact(name, output["abi"], "0x" + creation["object"], runtime_size, entry, references)


def _by_name(artifacts: list[Artifact]) -> dict[str, Artifact]:
    named: dict[str, Artifact] = {}
    for artifact in artifacts:
        other = named.setdefault(artifact.name, artifact)
        if other is not artifact:
            raise CompilerError(
                f"{artifact.name} is defined in {other.source_path} and in {artifact.source_path}."
            )
    return named
