"""The outside tokens of a venue: amounts, balances, approvals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from web3 import Web3
from web3.contract import Contract

from marginproof.cli.chain import Chain
from marginproof.cli.options import amount as parse_amount
from marginproof.documents import format_decimal
from marginproof.errors import InputError, MarginproofError
from marginproof.protocol.transactions import Sender, query

CASH: Final = "cash"


def _function(name: str, inputs: list[str], output: str | None, *, view: bool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": "", "type": kind} for kind in inputs],
        "outputs": [{"name": "", "type": output}] if output else [],
        "stateMutability": "view" if view else "nonpayable",
    }


_ABI: Final = [
    _function("decimals", [], "uint8", view=True),
    _function("balanceOf", ["address"], "uint256", view=True),
    _function("allowance", ["address", "address"], "uint256", view=True),
    # No output: some tokens return nothing, and nobody reads it here.
    _function("approve", ["address", "uint256"], None, view=False),
]


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the vault takes it: the settlement token ("cash") or an underlying's spot collateral."""

    chain: Chain
    asset: str
    contract: Contract
    decimals: int

    def units(self, option: str, text: str) -> int:
        """A positive amount in the token's smallest units. Errors: InputError."""
        return parse_amount(option, text, self.decimals)

    def text(self, units: int) -> str:
        """An amount as people read it."""
        return f"{format_decimal(units, self.decimals)} {'USD' if self.asset == CASH else self.asset}"

    def balance(self, owner: str) -> int:
        """What an address holds, in smallest units. Errors: ChainError."""
        return int(self._ask("balanceOf", owner))

    def let_vault_take(self, sender: Sender, units: int) -> None:
        """Approve the vault for this amount, unless it may take that much already. Errors: MarginproofError, ChainError."""
        self.let_take(sender, "MarginVault", units)

    def let_take(self, sender: Sender, contract: str, units: int) -> None:
        """Approve one of the venue's contracts for this amount, unless it may take that much already.

        Errors: MarginproofError, ChainError.
        """
        held = self.balance(sender.address)
        if held < units:
            raise MarginproofError(f"{sender.address} holds {self.text(held)}, less than {self.text(units)}.")
        spender = self.chain.venue.contract(contract).address
        if int(self._ask("allowance", sender.address, spender)) < units:
            sender.send(
                self.contract.functions.approve(spender, units),
                f"approving {self.text(units)} for {contract}",
            )

    def _ask(self, function: str, *arguments: Any) -> Any:
        venue = self.chain.venue
        return query(self.contract.functions[function](*arguments), venue.decoder, f"the token's {function}")


def token_of(chain: Chain, asset: str) -> Token:
    """The token behind "cash" or a symbol. Errors: InputError giving what the venue takes."""
    tokens = chain.venue.deployment.tokens
    role = "settlement" if asset == CASH else asset
    if role not in tokens or asset == "settlement":
        known = ", ".join([CASH, *sorted(set(tokens) - {"settlement"})])
        raise InputError(f"--asset: {asset!r} is not taken by the venue; allowed: {known}.")
    return token_at(chain, asset, tokens[role].address)


def token_at(chain: Chain, asset: str, address: str) -> Token:
    """The token at an address, called `asset`. Errors: ChainError."""
    contract = chain.venue.web3.eth.contract(address=Web3.to_checksum_address(address), abi=_ABI)
    decimals = int(query(contract.functions.decimals(), chain.venue.decoder, "the token's decimals"))
    return Token(chain, asset, contract, decimals)
