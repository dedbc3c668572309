"""Facts about the repository that nobody would notice losing."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from marginproof.protocol import compiler

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", "node_modules", "build", ".build", ".cache", ".hypothesis", "__pycache__"}
# Put together here, so that this file does not contain them.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (("npmjs", "org"), ("yarnpkg", "com"), ("pypi", "org"), ("pythonhosted", "org"))
]


def own_files() -> Iterator[Path]:
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = [
            name for name in subfolders if name not in NOT_OURS and not name.endswith(".egg-info")
        ]
        yield from (Path(folder) / name for name in names)


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_package_registry(host: str) -> None:
    assert [str(path.relative_to(ROOT)) for path in own_files() if host.encode() in path.read_bytes()] == []


def test_lock_file_holds_no_addresses_and_every_platform_of_anvil_and_forge() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in locked.items() if "resolved" in entry] == []
    programs: dict[str, int] = {}
    for name, version in package["optionalDependencies"].items():
        program, system, machine = name.removeprefix("@foundry-rs/").split("-")
        programs[program] = programs.get(program, 0) + 1
        entry = locked[f"node_modules/{name}"]
        expected = (version, [system], [{"amd64": "x64", "arm64": "arm64"}[machine]], True)
        assert (entry["version"], entry["os"], entry["cpu"], entry["optional"]) == expected
    assert programs == {"anvil": 4, "forge": 4}


def test_forge_runs_what_the_product_compiles_with_the_products_compiler() -> None:
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    assert profile["solc"] == "./scripts/solc"
    assert profile["evm_version"] == compiler.SETTINGS["evmVersion"]
    # Its own few sources alone: the venue comes as creation code.
    assert {profile["src"], profile["test"]} == {"tests/foundry"}


def test_ape_compiles_with_the_settings_of_the_product() -> None:
    package = json.loads((ROOT / "package.json").read_text())["dependencies"]
    config = yaml.safe_load((ROOT / "ape-config.yaml").read_text())
    solidity = config["solidity"]
    assert solidity["version"] == package["solc"]
    assert solidity["evm_version"] == compiler.SETTINGS["evmVersion"]
    assert solidity["via_ir"] == compiler.SETTINGS["viaIR"]
    assert solidity["optimize"] == compiler.SETTINGS["optimizer"]["enabled"]
    assert solidity["optimization_runs"] == compiler.SETTINGS["optimizer"]["runs"]
    versions = {dependency["name"]: dependency["version"] for dependency in config["dependencies"]}
    assert versions == {"openzeppelin": package["@openzeppelin/contracts"], "solady": package["solady"]}


def test_prettier_formats_for_the_pinned_compiler() -> None:
    options = json.loads((ROOT / ".prettierrc.json").read_text())["overrides"][0]["options"]
    assert options["compiler"] == json.loads((ROOT / "package.json").read_text())["dependencies"]["solc"]


def test_this_run_is_without_the_ape_plugin(pytestconfig: pytest.Config) -> None:
    assert not pytestconfig.pluginmanager.has_plugin("ape_test")
