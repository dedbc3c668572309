"""An EVM in the test process: deploy compiled contracts, call them, decode what they return, refuse with or log.

machine = Machine()
registry = machine.deploy("InstrumentRegistry", ADMIN)
registry.transact("addUnderlying", "BTC", caller=ADMIN)
with refused("UnknownUnderlying", 9):
    registry.call("symbolOf", 9)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env

from marginproof.files import project_root
from marginproof.protocol.compiler import Artifact, load_artifacts
from marginproof.protocol.creation import created_at

ADMIN = "0x" + "a1" * 20
"""Deploys contracts and is their admin, unless a test says otherwise."""
STRANGER = "0x" + "5e" * 20
"""Has no role anywhere."""
NOBODY = "0x" + "00" * 20
"""The zero address."""
START = 1_700_000_000
"""Block time of a new machine, unix seconds."""

_GAS = 2**40
_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")
_ACCOUNT = re.compile(r"(0x[0-9a-f]{40}): Account {")
_SLOT = re.compile(r"(\d+): StorageSlot { previous_or_original_value: \d+, present_value: (\d+)")
_BUILT_IN_ERRORS = (
    {"type": "error", "name": "Error", "inputs": [{"type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"type": "uint256"}]},
)


class ContractRefused(Exception):  # noqa: N818
    """A contract reverted: the error's name and arguments in order, as plain Python values; `data` is what it returned."""

    def __init__(self, name: str, args: tuple[Any, ...], data: bytes) -> None:
        super().__init__(f"{name}{args}")
        self.name = name
        self.values = args
        self.data = data


@contextmanager
def refused(name: str, *values: Any) -> Iterator[None]:
    """Assert that the block reverts with this error; the arguments are compared when any are given."""
    with pytest.raises(ContractRefused) as caught:
        yield
    assert caught.value.name == name, f"expected {name}, got {caught.value}"
    assert not values or caught.value.values == values, f"expected {name}{values}, got {caught.value}"


@cache
def artifact(name: str) -> Artifact:
    """A contract by its name, which is its file's, compiled where needed."""
    root = project_root()
    sources = [path.relative_to(root).as_posix() for path in (root / "contracts").rglob(f"{name}.sol")]
    return load_artifacts(sources=sources)[name]


def abi_type(parameter: dict[str, Any]) -> str:
    """The canonical type of an ABI parameter, structs as tuples."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(abi_type(part) for part in parameter['components'])}){kind.removeprefix('tuple')}"


def _types(parameters: Sequence[dict[str, Any]]) -> list[str]:
    return [abi_type(parameter) for parameter in parameters]


def signature(entry: dict[str, Any]) -> str:
    """Name and types of an ABI entry: what selectors and topics are hashes of."""
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


@cache
def _errors() -> dict[bytes, dict[str, Any]]:
    root = project_root()
    sources = [
        path.relative_to(root).as_posix() for path in (root / "contracts" / "interfaces").glob("*.sol")
    ]
    found = load_artifacts(sources=sources).values()
    entries = [entry for compiled in found for entry in _of_type(compiled, "error")]
    return _by_selector([*entries, *_BUILT_IN_ERRORS])


def _of_type(compiled: Artifact, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in compiled.abi if entry["type"] == kind]


def _by_selector(entries: Sequence[dict[str, Any]]) -> dict[bytes, dict[str, Any]]:
    return {keccak(text=signature(entry))[:4]: entry for entry in entries}


def _refusal(data: bytes, errors: dict[bytes, dict[str, Any]]) -> ContractRefused:
    entry = errors.get(data[:4]) or _errors().get(data[:4])
    if entry is None:
        return ContractRefused("unknown" if data else "empty", (data,), data)
    return ContractRefused(entry["name"], decode(_types(entry["inputs"]), data[4:]), data)


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded log: the emitter's address, the event's name, its arguments by name."""

    address: str
    name: str
    values: dict[str, Any]


@dataclass(slots=True)
class Contract:
    """A deployed contract. Arguments and results are plain Python values, structs as tuples; `gas` is what the last call used, all
    storage that earlier kept calls touched being warm."""

    machine: Machine
    artifact: Artifact
    address: str
    gas: int = 0
    _functions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        functions = _of_type(self.artifact, "function")
        self._functions = {entry["name"]: entry for entry in functions} | {signature(e): e for e in functions}

    def encode(self, name: str, *args: Any) -> bytes:
        """Calldata of a function, by its name or, where names repeat, its signature."""
        entry = self._functions[name]
        return keccak(text=signature(entry))[:4] + encode(_types(entry["inputs"]), args)

    def call(self, name: str, *args: Any, caller: str = ADMIN) -> Any:
        """Call without keeping changes. A single result comes without its tuple."""
        data = self.machine.raw(self.address, self.encode(name, *args), caller, keep=False)
        self.gas = self.machine.gas
        return self.decode(name, data)

    def transact(self, name: str, *args: Any, caller: str = ADMIN) -> Any:
        """Call and keep changes, unless it reverts."""
        data = self.machine.raw(self.address, self.encode(name, *args), caller, keep=True)
        self.gas = self.machine.gas
        return self.decode(name, data)

    def decode(self, name: str, data: bytes) -> Any:
        """The result of a function from its return data."""
        values = decode(_types(self._functions[name]["outputs"]), data)
        return values[0] if len(values) == 1 else values or None

    def batch(self, name: str, calls: Sequence[Sequence[Any]], caller: str = ADMIN) -> list[Any]:
        """Results of one view for many argument lists."""
        return [self.call(name, *args, caller=caller) for args in calls]


class Machine:
    """A fresh chain state under Cancun rules."""

    def __init__(self, time: int = START, number: int = 1_000) -> None:
        self._number = number
        self._time = time
        env = Env(cfg=CfgEnv(chain_id=31_337), block=self._block())
        self._evm = EVM(env=env, gas_limit=_GAS, spec_id="CANCUN")
        self._contracts: dict[str, Contract] = {}
        self._known_errors: dict[bytes, dict[str, Any]] = {}
        self.gas = 0
        for account in (ADMIN, STRANGER):
            self._evm.set_balance(account, 10**30)

    def _block(self) -> BlockEnv:
        return BlockEnv(number=self._number, timestamp=self._time, gas_limit=_GAS)

    @property
    def time(self) -> int:
        """Block time, unix seconds."""
        return self._time

    @property
    def number(self) -> int:
        """The block's number."""
        return self._number

    def set_time(self, time: int) -> None:
        """Mine nothing, but let the block's time be `time` and its number one more."""
        self._time, self._number = time, self._number + 1
        self._evm.set_block_env(self._block())

    def cold(self, contract: Contract) -> Contract:
        """The contract in a new machine of the same state, of which nothing was touched yet: in its gas is what the first touch of an
        account or of a slot costs."""
        other = Machine(self._time, self._number)
        journal = self._evm.journal_str
        starts = [*_ACCOUNT.finditer(journal)]
        ends = [*(start.start() for start in starts[1:]), len(journal)]
        for start, end in zip(starts, ends, strict=True):
            address = to_checksum_address(start[1])
            other._evm.insert_account_info(address, self._evm.basic(address))
            for slot, value in _SLOT.findall(journal[start.start() : end]):
                # An insertion leaves the account loaded, and with it every later slot warm: going back forgets that, and keeps the value.
                checkpoint = other._evm.snapshot()
                other._evm.insert_account_storage(address, int(slot), int(value))
                other._evm.revert(checkpoint)
        return Contract(other, contract.artifact, contract.address)

    def deploy(self, name: str, *args: Any, caller: str = ADMIN) -> Contract:
        """Deploy a contract by its name, with constructor arguments."""
        compiled = artifact(name)
        self._known_errors |= _by_selector(_of_type(compiled, "error"))
        inputs = [parameter for entry in _of_type(compiled, "constructor") for parameter in entry["inputs"]]
        code = bytes.fromhex(compiled.bytecode[2:]) + encode(_types(inputs), args)
        try:
            address = to_checksum_address(self._evm.deploy(caller, code))
        except RuntimeError as error:
            raise self._failure(error) from None
        self._measure()
        contract = Contract(self, compiled, address)
        self._contracts[address] = contract
        return contract

    def empty(self, contract: Contract) -> None:
        """Take the code of a contract away."""
        self._evm.insert_account_info(contract.address, AccountInfo())

    def later(self, contracts: int, caller: str = ADMIN) -> str:
        """The address of the contract that a caller deploys after so many others, with nothing else in between."""
        return created_at(caller, int(self._evm.basic(caller).nonce) + contracts)

    def raw(
        self, address: str, data: bytes, caller: str = ADMIN, *, keep: bool = False, gas: int | None = None
    ) -> bytes:
        """Call with bytes, get bytes; raises ContractRefused, or RuntimeError where the gas does not suffice."""
        checkpoint = None if keep else self._evm.snapshot()
        try:
            return bytes(self._evm.message_call(caller, address, calldata=data, gas=gas))
        except RuntimeError as error:
            raise self._failure(error) from None
        finally:
            self._measure()
            self._evm.reset_transient_storage()
            if checkpoint is not None:
                self._evm.revert(checkpoint)

    def events(self) -> list[Event]:
        """What the last call logged, decoded."""
        result = self._evm.result
        assert result is not None
        found = []
        for log in result.logs:
            address = to_checksum_address(log.address)
            topics, data = log.data
            found.append(
                _event(self._contracts[address].artifact, address, [bytes(t) for t in topics], bytes(data))
            )
        return found

    def _measure(self) -> None:
        result = self._evm.result
        self.gas = 0 if result is None else int(result.gas_used)

    def _failure(self, error: RuntimeError) -> Exception:
        output = _OUTPUT.search(str(error))
        return error if output is None else _refusal(bytes.fromhex(output.group(1)), self._known_errors)


def _event(compiled: Artifact, address: str, topics: list[bytes], data: bytes) -> Event:
    entry = next(e for e in _of_type(compiled, "event") if keccak(text=signature(e)) == topics[0])
    indexed = [parameter for parameter in entry["inputs"] if parameter["indexed"]]
    plain = [parameter for parameter in entry["inputs"] if not parameter["indexed"]]
    values = {
        p["name"]: decode([abi_type(p)], topic)[0] for p, topic in zip(indexed, topics[1:], strict=True)
    }
    values |= dict(zip([p["name"] for p in plain], decode(_types(plain), data), strict=True))
    return Event(address, entry["name"], values)
