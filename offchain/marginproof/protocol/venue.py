"""A deployed venue as seen from outside: its contracts bound to a connection, and its errors decoded."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.types import TxReceipt

from marginproof.protocol.connection import connect, endpoint, read
from marginproof.protocol.deployment import ContractEntry, Deployment
from marginproof.protocol.reverts import RevertDecoder
from marginproof.protocol.transactions import Sender, query
from marginproof.spec.typed_data import domain_separator


class Venue:
    """Contracts by name, on one chain. Every call goes through here, so every refusal is decoded."""

    def __init__(self, web3: Web3, deployment: Deployment) -> None:
        self.web3 = web3
        self.deployment = deployment

    @classmethod
    def open(cls, rpc_url: str, deployment: Deployment) -> Venue:
        """Connect and check the chain id. Errors: ChainError."""
        return cls(connect(rpc_url, deployment.chain_id), deployment)

    @cached_property
    def decoder(self) -> RevertDecoder:
        """Decodes the custom errors of every contract of the deployment."""
        entries = (
            *self.deployment.contracts.values(),
            *self.deployment.tokens.values(),
            *self.deployment.feeds.values(),
        )
        return RevertDecoder(entry.abi for entry in entries)

    def contract(self, name: str) -> Contract:
        """A contract of the deployment, by its name."""
        return self.bind(self.deployment.contracts[name])

    def token(self, role: str) -> Contract:
        """An outside token: "settlement", or an underlying's symbol."""
        return self.bind(self.deployment.tokens[role])

    def bind(self, entry: ContractEntry) -> Contract:
        """An entry of the deployment file as a web3 contract."""
        return self.web3.eth.contract(address=Web3.to_checksum_address(entry.address), abi=entry.abi)

    def sender(self, signer: LocalAccount) -> Sender:
        """A sender for one key."""
        return Sender(self.web3, signer, self.decoder)

    def call(self, contract: str, function: str, *arguments: Any, block: int | str = "latest") -> Any:
        """The result of a view function."""
        bound = self.contract(contract).functions[function](*arguments)
        return query(bound, self.decoder, f"{contract}.{function}", block)

    def gas(self, contract: str, function: str, *arguments: Any) -> int:
        """Gas of a call as a transaction by itself, as the node estimates it. Error: ChainError."""
        bound = self.contract(contract).functions[function](*arguments)
        return int(read(bound.estimate_gas, endpoint(self.web3), f"the gas of {contract}.{function}"))

    def send(self, sender: Sender, contract: str, function: str, *arguments: Any) -> TxReceipt:
        """Send a transaction to a contract's function and wait for it."""
        return sender.send(self.contract(contract).functions[function](*arguments), f"{contract}.{function}")

    def domain(self, contract: str) -> bytes:
        """The EIP-712 domain separator of a contract, computed here."""
        address = bytes.fromhex(self.deployment.contracts[contract].address[2:])
        return domain_separator(self.deployment.chain_id, address)
