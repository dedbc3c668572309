"""The compiler's cache, its independence of unrelated files, and what it says when sources are wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from marginproof.errors import CompilerError, MarginproofError, ToolMissingError
from marginproof.protocol import deploy
from marginproof.protocol.compiler import load_artifacts

ROOT = Path(__file__).resolve().parents[2]
HEADER = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.28;\n"
BASE = f"""{HEADER}
library Base {{
    function next(uint256 x) internal pure returns (uint256) {{
        return x + 1;
    }}
}}
"""
USER = f"""{HEADER}
import {{Base}} from "./sub/Base.sol";

contract User {{
    function f(uint256 x) external pure returns (uint256) {{
        return Base.next(x);
    }}
}}
"""
BORROWER = f"""{HEADER}
import {{Context}} from "@openzeppelin/contracts/utils/Context.sol";
import {{LibBit}} from "solady/src/utils/LibBit.sol";

contract Borrower is Context {{
    function f(uint256 x) external pure returns (uint256) {{
        return LibBit.fls(x);
    }}
}}
"""
OTHER = HEADER + "contract Other {\n    uint256 public value;\n}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout in small: the project's compiler and libraries, two contracts and a library of its own."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "solc", tmp_path / "scripts" / "solc")
    shutil.copy(ROOT / "package.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "contracts" / "sub").mkdir(parents=True)
    (tmp_path / "contracts" / "sub" / "Base.sol").write_text(BASE)
    (tmp_path / "contracts" / "User.sol").write_text(USER)
    return tmp_path


def forbid_compiling(project: Path) -> None:
    (project / "scripts" / "solc").write_text("#!/bin/sh\necho must not run >&2\nexit 1\n")


def test_artifacts_say_what_they_are(project: Path) -> None:
    user = load_artifacts(project)["User"]
    assert user.source_path == "contracts/User.sol"
    assert [item["name"] for item in user.abi] == ["f"]
    assert 0 < user.runtime_size < len(bytes.fromhex(user.bytecode[2:]))
    assert user.link_references == {}


def test_libraries_from_npm_are_found_and_their_warnings_are_theirs(project: Path) -> None:
    (project / "contracts" / "Borrower.sol").write_text(BORROWER)
    borrower = load_artifacts(project, ["contracts/Borrower.sol"])["Borrower"]
    assert borrower.runtime_size > 0


def test_cache_answers_until_a_source_changes_and_then_only_its_users_compile(project: Path) -> None:
    (project / "contracts" / "Other.sol").write_text(OTHER)
    first = load_artifacts(project)
    cached = {path.name: path.stat().st_mtime_ns for path in (project / "build").rglob("*.json")}
    assert set(cached) == {"Base.json", "Other.json", "User.json"}

    solc = (project / "scripts" / "solc").read_text()
    forbid_compiling(project)
    assert load_artifacts(project) == first

    (project / "scripts" / "solc").write_text(solc)
    (project / "contracts" / "sub" / "Base.sol").write_text(BASE.replace("x + 1", "x + 2"))
    second = load_artifacts(project)
    rebuilt = {
        path.name
        for path in (project / "build").rglob("*.json")
        if path.stat().st_mtime_ns != cached[path.name]
    }
    assert rebuilt == {"Base.json", "User.json"}
    assert second["User"].bytecode != first["User"].bytecode
    assert second["Other"] == first["Other"]


def test_bytecode_is_reproducible_whatever_else_is_compiled(project: Path) -> None:
    alone = load_artifacts(project)["User"]
    shutil.rmtree(project / "build")
    (project / "contracts" / "Another.sol").write_text(USER.replace("contract User", "contract Another"))
    (project / "contracts" / "Other.sol").write_text(OTHER)
    together = load_artifacts(project)["User"]
    assert together == alone


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": "x"}', '{"key": 1, "artifacts": [{"no": 1}]}'])
def test_damaged_cache_is_compiled_again(project: Path, content: str) -> None:
    (project / "contracts" / "User.sol").unlink()
    first = load_artifacts(project)
    path = project / "build" / "contracts" / "sub" / "Base.json"
    key = json.loads(path.read_text())["key"]
    path.write_text(content.replace('"key": 1', f'"key": "{key}"'))
    assert load_artifacts(project) == first


def test_warnings_in_our_sources_are_errors_and_named_once(project: Path) -> None:
    unused = BASE.replace("return x + 1", "uint256 unused;\n        return x + 1")
    (project / "contracts" / "sub" / "Base.sol").write_text(unused)
    with pytest.raises(CompilerError) as caught:
        load_artifacts(project)
    assert caught.value.message.count("Unused local variable") == 1
    assert "contracts/sub/Base.sol:6" in caught.value.message
    assert "node_modules" not in caught.value.message
    assert not (project / "build").exists()


def test_errors_are_shown_with_their_place(project: Path) -> None:
    (project / "contracts" / "sub" / "Base.sol").write_text(BASE.replace("x + 1", "y + 1"))
    with pytest.raises(
        CompilerError, match=r"Undeclared identifier(.|\n)*contracts/sub/Base\.sol:6"
    ) as caught:
        load_artifacts(project)
    assert caught.value.exit_code == 6


def test_two_contracts_of_one_name_are_refused(project: Path) -> None:
    (project / "contracts" / "Again.sol").write_text(BASE)
    with pytest.raises(
        CompilerError, match=r"^Base is defined in contracts/Again\.sol and in contracts/sub/Base\.sol"
    ):
        load_artifacts(project)


@pytest.mark.parametrize(
    ("old", "new", "kind", "sentence"),
    [
        (
            "./sub/Base.sol",
            "./Base.sol",
            CompilerError,
            "contracts/User.sol imports contracts/Base.sol, which does not",
        ),
        ("solady/src", "solady/none", ToolMissingError, "LibBit.sol, which is not installed."),
    ],
)
def test_missing_import_is_named(
    project: Path, old: str, new: str, kind: type[MarginproofError], sentence: str
) -> None:
    (project / "contracts" / "User.sol").write_text((USER + BORROWER).replace(old, new))
    with pytest.raises(kind) as caught:
        load_artifacts(project)
    assert sentence in caught.value.message


def test_missing_node_and_compiler_are_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "contracts" / "User.sol").unlink()
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(ToolMissingError, match=r"Node\.js is missing"):
        load_artifacts(project)
    (project / "node_modules").unlink()
    (project / "node").write_text("#!/bin/sh\n")
    (project / "node").chmod(0o755)
    with pytest.raises(ToolMissingError, match="compiler is missing"):
        load_artifacts(project)


def test_hidden_folders_are_not_ours(project: Path) -> None:
    (project / "contracts" / ".cache").mkdir()
    (project / "contracts" / ".cache" / "Broken.sol").write_text("not Solidity")
    assert set(load_artifacts(project)) == {"Base", "User"}


def test_sources_can_be_limited(project: Path) -> None:
    (project / "contracts" / "Broken.sol").write_text("not Solidity")
    assert set(load_artifacts(project, ["contracts/sub/Base.sol"])) == {"Base"}
    with pytest.raises(CompilerError, match=r"There is no source contracts/No\.sol"):
        load_artifacts(project, ["contracts/No.sol"])


def test_interfaces_and_internal_libraries_share_one_run(project: Path) -> None:
    solc = project / "scripts" / "solc"
    solc.rename(project / "scripts" / "real-solc")
    runs = project / "runs"
    solc.write_text(f'#!/bin/sh\necho "$1" >>"{runs}"\nexec "{project}/scripts/real-solc" "$@"\n')
    solc.chmod(0o755)
    shared = "interface IShared {\n    function f() external;\n}\n// contract of nobody\n"
    (project / "contracts" / "IShared.sol").write_text(HEADER + shared)
    assert set(load_artifacts(project)) == {"Base", "IShared", "User"}
    assert runs.read_text().split().count("--standard-json") == 2


def test_command_prints_plain_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise CompilerError("Nothing compiles.", "Mend it.")

    monkeypatch.setattr(deploy, "deployable", fail)
    assert deploy.main() == CompilerError.exit_code
    assert capsys.readouterr().err == "Nothing compiles. Mend it.\n"


def test_libraries_are_linked_by_name(project: Path) -> None:
    (project / "contracts" / "sub" / "Base.sol").write_text(BASE.replace("internal pure", "public pure"))
    user = load_artifacts(project)["User"]
    address = "0x" + "aB" * 20
    code = user.linked({"Base": address})
    (offset,) = user.link_references["Base"]
    assert bytes.fromhex(code[2:])[offset : offset + 20] == bytes.fromhex(address[2:])
    with pytest.raises(KeyError, match="Base"):
        user.linked({})
