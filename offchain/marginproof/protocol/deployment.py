"""The deployment file: where a venue's contracts are, and how to talk to them. One file per chain, `deployments/<chain id>.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marginproof.errors import InputError
from marginproof.files import write_json

FORMAT: Literal["marginproof/deployment@1"] = "marginproof/deployment@1"


class ContractEntry(BaseModel):
    """One deployed contract."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    abi: list[dict[str, Any]]


class Deployment(BaseModel):
    """A deployed venue. `block` is the block of the first contract: no event of the venue is older.

    `tokens` and `feeds` name outside contracts by role ("settlement", or an underlying's symbol).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["marginproof/deployment@1"] = FORMAT
    chain_id: int = Field(alias="chainId", ge=1)
    block: int = Field(ge=0)
    contracts: dict[str, ContractEntry]
    tokens: dict[str, ContractEntry] = {}
    feeds: dict[str, ContractEntry] = {}

    def save(self, path: Path) -> None:
        """Write the file in one step."""
        write_json(path, self.model_dump(by_alias=True))


def load_deployment(path: Path) -> Deployment:
    """Read a deployment file. Errors: InputError naming the file and every field that is wrong."""
    if path == Path():
        raise InputError("The deployment file's path is empty or the current folder; name a file.")
    try:
        return Deployment.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError(
            f"There is no deployment file {path}.", "Run `marginproof deploy`, or name the file."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The deployment file {path} cannot be read: {error}.") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise InputError(f"{path} is not a deployment file: {problems}.") from error


def default_path(root: Path, chain_id: int) -> Path:
    """`deployments/<chain id>.json` under the project folder."""
    return root / "deployments" / f"{chain_id}.json"
