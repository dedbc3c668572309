"""Sending transactions: EIP-1559 fees, one nonce sequence per sender, refusals decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import requests
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract.contract import ContractConstructor, ContractFunction
from web3.exceptions import ContractLogicError, TimeExhausted, Web3Exception
from web3.types import TxParams, TxReceipt, Wei

from marginproof.errors import ChainError
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.reverts import RevertDecoder

_GAS_HEADROOM_PERCENT = 25
_EMPTY_GAS = 21_000
_RECEIPT_TIMEOUT_SECONDS = 120
_POLL_SECONDS = 0.02


class Sender:
    """Signs and sends for one key, and waits for each receipt.

    Every failure is a ChainError that says which call failed and why: the contract's custom error with its arguments, or the
    node's words. A call that would revert is refused before anything is sent.
    """

    def __init__(self, web3: Web3, signer: LocalAccount, decoder: RevertDecoder) -> None:
        self.web3 = web3
        self.signer = signer
        self.decoder = decoder

    @property
    def address(self) -> str:
        """The sender's checksum address."""
        return str(self.signer.address)

    def next_nonce(self) -> int:
        """The nonce of the next transaction, behind those that wait. Errors: ChainError."""
        count = self.web3.eth.get_transaction_count
        return int(
            read(
                lambda: count(self.signer.address, "pending"),
                endpoint(self.web3),
                "the sender's transactions",
            )
        )

    def send(self, call: ContractFunction | ContractConstructor, what: str) -> TxReceipt:
        """Send a contract call (or a creation) and wait until it is mined. `what` names it in messages."""

        def build() -> TxParams:
            transaction = call.build_transaction(self._parameters())
            gas = transaction["gas"]
            transaction["gas"] = gas + gas * _GAS_HEADROOM_PERCENT // 100
            return transaction

        return self._send(build, what)

    def send_nothing(self) -> TxReceipt:
        """An empty transaction to ourselves, mined in a block of its own time: on a chain that mines on demand nothing else moves time on.

        Errors: ChainError.
        """
        empty: TxParams = {"to": self.signer.address, "value": Wei(0), "gas": _EMPTY_GAS}
        return self._send(lambda: self._parameters() | empty, "an empty transaction")

    def _send(self, build: Callable[[], TxParams], what: str) -> TxReceipt:
        try:
            transaction = build()
            signed = self.signer.sign_transaction(cast(dict[str, Any], transaction))
            transaction_hash = self.web3.eth.send_raw_transaction(signed.raw_transaction)
            receipt = self.web3.eth.wait_for_transaction_receipt(
                transaction_hash, timeout=_RECEIPT_TIMEOUT_SECONDS, poll_latency=_POLL_SECONDS
            )
        except ContractLogicError as error:
            raise ChainError(f"{what} was refused: {self.decoder.describe(error)}.") from error
        except TimeExhausted as error:
            raise ChainError(
                f"{what} was sent but not mined within {_RECEIPT_TIMEOUT_SECONDS} s.",
                "Look before you send it again.",
            ) from error
        except requests.RequestException as error:
            raise ChainError(
                f"{what} failed: the connection to {endpoint(self.web3)} broke ({type(error).__name__}).",
                "It may have been sent: look before you send it again.",
            ) from error
        except (Web3Exception, ValueError) as error:
            raise ChainError(f"{what} failed: {error}.") from error
        if receipt["status"] != 1:
            raise ChainError(f"{what} was mined but reverted (transaction 0x{transaction_hash.hex()}).")
        return receipt

    def _parameters(self) -> TxParams:
        block, tip = read(
            lambda: (self.web3.eth.get_block("latest"), self.web3.eth.max_priority_fee),
            endpoint(self.web3),
            "the fees",
        )
        base_fee = block.get("baseFeePerGas", Wei(0))
        return {
            "from": self.signer.address,
            "nonce": self.web3.eth.get_transaction_count(self.signer.address, "pending"),
            "chainId": self.web3.eth.chain_id,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": Wei(2 * base_fee + tip),
        }


def query(call: ContractFunction, decoder: RevertDecoder, what: str, block: int | str = "latest") -> Any:
    """The result of a view. Errors: ChainError with the decoded custom error, or the node's words."""
    rpc_url = endpoint(call.w3)
    try:
        return read(lambda: call.call(block_identifier=block), rpc_url, what)  # type: ignore[arg-type]
    except ChainError as error:
        if isinstance(error.__cause__, ContractLogicError):
            raise ChainError(f"{what} was refused: {decoder.describe(error.__cause__)}.") from error.__cause__
        raise
