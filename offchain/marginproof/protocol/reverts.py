"""Turning revert data into the name and arguments of a custom error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple, function_signature_to_4byte_selector
from web3.exceptions import ContractCustomError, ContractLogicError

_STANDARD = (
    {"name": "Error", "type": "error", "inputs": [{"name": "message", "type": "string"}]},
    {"name": "Panic", "type": "error", "inputs": [{"name": "code", "type": "uint256"}]},
)


class RevertDecoder:
    """Knows every custom error of the given ABIs."""

    def __init__(self, abis: Iterable[list[dict[str, Any]]]) -> None:
        self._errors: dict[bytes, Mapping[str, Any]] = {}
        for entry in (*_STANDARD, *(entry for abi in abis for entry in abi)):
            if entry["type"] == "error":
                signature = (
                    f"{entry['name']}({','.join(collapse_if_tuple(item) for item in entry['inputs'])})"
                )
                self._errors[function_signature_to_4byte_selector(signature)] = entry

    def decode(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """(name, arguments) of revert data; ("Reverted", {"data": hex}) for what no ABI knows."""
        entry = self._errors.get(data[:4])
        if entry is None:
            return "Reverted", {"data": "0x" + data.hex()} if data else {}
        inputs = entry["inputs"]
        try:
            values = decode([collapse_if_tuple(item) for item in inputs], data[4:])
        except DecodingError:
            return "Reverted", {"data": "0x" + data.hex()}
        return entry["name"], {
            item["name"] or str(i): v for i, (item, v) in enumerate(zip(inputs, values, strict=True))
        }

    def describe(self, error: ContractLogicError) -> str:
        """`Name(arg=value, ...)` for a refusal raised by web3, or the node's own words."""
        data = revert_data(error)
        if data is None:
            return str(error.message or error)
        name, arguments = self.decode(data)
        return f"{name}({', '.join(f'{key}={_plain(value)}' for key, value in arguments.items())})"


def revert_data(error: ContractLogicError) -> bytes | None:
    """The raw revert data that a web3 exception carries, or None."""
    data = error.data
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if data is None and isinstance(error, ContractCustomError):
        data = error.message
    if isinstance(data, str) and data.startswith("0x"):
        return bytes.fromhex(data[2:])
    return None


def _plain(value: object) -> object:
    return "0x" + value.hex() if isinstance(value, bytes) else value
