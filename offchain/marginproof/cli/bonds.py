"""Attesters' bonds from the command line: paying, leaving, taking out, looking."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from marginproof.cli import options
from marginproof.cli.chain import Chain, open_signed, open_venue
from marginproof.cli.console import emit, note, out, say, table
from marginproof.cli.numbers import moment
from marginproof.cli.tokens import CASH, Token, token_at
from marginproof.documents import format_decimal
from marginproof.errors import InputError, MarginproofError

_STANDINGS: Final = ("none", "admitted", "bonded", "slashed")
_BONDED: Final = 2


@dataclass(frozen=True, slots=True)
class Status:
    """An attester's standing: bond in token units, times in unix seconds (0: none)."""

    address: str
    standing: str
    active: bool
    bond: int
    active_from: int
    active_until: int
    bond_opens_at: int

    @classmethod
    def of(cls, chain: Chain, address: str) -> Status:
        """Ask the contract. Errors: ChainError."""
        standing, active, *rest = chain.venue.call("AttesterSet", "statusOf", address)
        return cls(address, _STANDINGS[standing], active, *rest)

    def json(self, decimals: int) -> dict[str, Any]:
        """For programs."""
        return {
            "attester": self.address,
            "standing": self.standing,
            "active": self.active,
            "bond": format_decimal(self.bond, decimals),
            "activeFrom": self.active_from or None,
            "activeUntil": self.active_until or None,
            "bondOpensAt": self.bond_opens_at or None,
        }


def bond_token(chain: Chain) -> Token:
    """The token that bonds are in. Errors: ChainError."""
    address = chain.venue.call("AttesterSet", "bondToken")
    settlement = chain.venue.deployment.tokens["settlement"].address
    return token_at(chain, CASH if address.lower() == settlement.lower() else "bond tokens", address)


def join(
    rpc: str, deployment: Path | None, keystore: Path | None, attester: str | None, *, as_json: bool
) -> None:
    """Pay a bond, or what is missing of it. Errors: InputError, MarginproofError, ChainError."""
    named = None if attester is None else options.address("--attester", attester)
    chain, sender = open_signed(rpc, deployment, keystore)
    address = named or sender.address
    before = Status.of(chain, address)
    token = bond_token(chain)
    whole = chain.venue.call("AttesterSet", "bond")
    function = {"admitted": "join", "bonded": "topUp"}.get(before.standing)
    if function is None:
        why = (
            "was slashed and can never join again"
            if before.standing == "slashed"
            else "was not admitted: the venue's admin admits attesters"
        )
        raise InputError(f"{address} {why}.")
    if function == "topUp" and before.bond >= whole:
        raise InputError(f"{address} has joined already; its bond of {token.text(whole)} is whole.")
    missing = whole - before.bond
    token.let_take(sender, "AttesterSet", missing)
    receipt = chain.venue.send(sender, "AttesterSet", function, address)
    after = Status.of(chain, address)
    if as_json:
        emit(after.json(token.decimals) | {"gas": receipt["gasUsed"]})
        return
    say(
        f"Paid {token.text(missing)} for {address}; its signatures count from {moment(after.active_from)} on."
    )


def leave(rpc: str, deployment: Path | None, keystore: Path | None, *, as_json: bool) -> None:
    """Start to leave, or take the open bond out. Errors: MarginproofError, ChainError."""
    chain, sender = open_signed(rpc, deployment, keystore)
    before = Status.of(chain, sender.address)
    if before.standing != _STANDINGS[_BONDED]:
        raise InputError(f"{sender.address} has no bond here: its standing is {before.standing}.")
    token = bond_token(chain)
    if before.bond_opens_at == 0:
        receipt = chain.venue.send(sender, "AttesterSet", "leave")
    elif chain.time() < before.bond_opens_at:
        raise MarginproofError(
            f"{sender.address} is leaving already; its bond opens at {moment(before.bond_opens_at)}.",
            "Until then it answers for what it signed.",
        )
    else:
        receipt = chain.venue.send(sender, "AttesterSet", "withdrawBond", sender.address)
    after = Status.of(chain, sender.address)
    if as_json:
        emit(after.json(token.decimals) | {"gas": receipt["gasUsed"]})
    elif after.bond_opens_at:
        _warn_of_shortage(_members(chain), chain.venue.call("AttesterSet", "threshold"))
        say(
            f"{sender.address} signs until {moment(after.active_until)}; its bond of {token.text(after.bond)} opens at "
            f"{moment(after.bond_opens_at)}."
        )
    else:
        say(f"Paid the bond of {token.text(before.bond)} to {sender.address}.")


def show_status(rpc: str, deployment: Path | None, attester: str | None, *, as_json: bool) -> None:
    """The set, or one attester. Errors: InputError, ChainError."""
    named = None if attester is None else options.address("--attester", attester)
    chain = open_venue(rpc, deployment)
    token = bond_token(chain)
    found = [Status.of(chain, named)] if named else _members(chain)
    threshold, whole = (chain.venue.call("AttesterSet", name) for name in ("threshold", "bond"))
    if as_json:
        emit(
            {
                "format": "marginproof/attesters@1",
                "threshold": threshold,
                "bond": format_decimal(whole, token.decimals),
                "attesters": [item.json(token.decimals) for item in found],
            }
        )
        return
    rows = table(
        "Attesters", "address", "standing", "signs", "bond", "until", "bond opens", numbers=("bond",)
    )
    for item in found:
        rows.add_row(
            item.address,
            item.standing,
            "yes" if item.active else "no",
            token.text(item.bond),
            moment(item.active_until) if item.active_until else "",
            moment(item.bond_opens_at) if item.bond_opens_at else "",
        )
    out().print(rows)
    if named is None:
        _warn_of_shortage(found, threshold)
    quorum = "1 signature makes" if threshold == 1 else f"{threshold} signatures make"
    say(f"{quorum} a quorum; a whole bond is {token.text(whole)}.")


def _members(chain: Chain) -> list[Status]:
    """Everybody who was ever in the set, by address. Errors: ChainError."""
    known = sorted(chain.state().members.by_address, key=lambda text: int(text, 16))
    return [Status.of(chain, address) for address in known]


def _warn_of_shortage(members: list[Status], threshold: int) -> None:
    """Say it when those who stay are too few for an epoch."""
    bonded = [member for member in members if member.standing == _STANDINGS[_BONDED]]
    staying = [member for member in bonded if not member.active_until]
    if len(staying) >= threshold:
        return
    ends = sorted(member.active_until for member in bonded if member.active_until)
    last = f" after {moment(ends[len(bonded) - threshold])}" if len(bonded) >= threshold else ""
    note(
        f"{len(staying)} of {len(bonded)} bonded attesters stay, and a quorum is {threshold}: no epoch can be posted{last} "
        "until others have joined."
    )
