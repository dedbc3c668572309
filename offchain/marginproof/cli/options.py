"""Options that several commands share, and exact parsing of decimals given on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from marginproof.errors import InputError

DEFAULT_RPC: Final = "http://127.0.0.1:8545"

Rpc = Annotated[
    str, typer.Option("--rpc", envvar="MARGINPROOF_RPC", metavar="URL", help="JSON-RPC address of a node.")
]
DeploymentFile = Annotated[
    Path | None,
    typer.Option(
        "--deployment",
        metavar="FILE",
        help="The venue's deployment file. [default: deployments/<chain id>.json]",
    ),
]
Keystore = Annotated[
    Path | None,
    typer.Option(
        "--keystore", metavar="FILE", help="Encrypted key file; else MARGINPROOF_KEYSTORE or MARGINPROOF_KEY."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, decimals as strings.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")]
AccountId = Annotated[int, typer.Option("--account", min=0, max=2**64 - 1, metavar="ID", help="Account id.")]
Sources = Annotated[
    Path, typer.Option("--source", metavar="DIR", help="Folder of market documents (*.json).")
]
Interval = Annotated[
    float, typer.Option("--interval", min=0.1, max=86_400, help="Seconds between two looks.")
]


def decimal(option: str, text: str, digits: int, low: int, high: int, *, nonzero: bool = False) -> int:
    """The exact integer text * 10^digits. Errors: InputError naming the option, the value and the allowed range."""
    from pydantic_core import PydanticCustomError

    from marginproof.documents.decimals import ScaledDecimal

    try:
        return ScaledDecimal(digits, low, high, "", nonzero=nonzero).from_json(text)
    except PydanticCustomError as error:
        raise InputError(f"{option}: {error.message()}") from None


def quantity(option: str, text: str) -> int:
    """A signed quantity in E8, not zero. Errors: InputError."""
    from marginproof.spec.limits import MAX_QUANTITY

    return decimal(option, text, 8, -MAX_QUANTITY, MAX_QUANTITY, nonzero=True)


def price(option: str, text: str) -> int:
    """A price per unit in E8; negative ones exist for perpetuals that owe funding. Errors: InputError."""
    from marginproof.spec.limits import MAX_TRADE_PRICE

    return decimal(option, text, 8, -MAX_TRADE_PRICE, MAX_TRADE_PRICE)


def amount(option: str, text: str, digits: int) -> int:
    """A positive amount of a token with this many decimals, in its smallest units; at most 10^12 tokens. Errors: InputError."""
    return decimal(option, text, digits, 1, 10 ** (12 + digits))


def address(option: str, text: str) -> str:
    """A checksum address. Errors: InputError."""
    from eth_utils.address import is_address, to_checksum_address

    if not is_address(text):
        raise InputError(f"{option}: {text!r} is not an address; allowed: 0x and 40 hex digits.")
    return to_checksum_address(text)


def url(option: str, text: str) -> str:
    """An http(s) address without its final slash. Errors: InputError."""
    if not text.startswith(("http://", "https://")):
        raise InputError(
            f"{option}: {text!r} is not an address; allowed: http://HOST:PORT or https://HOST:PORT."
        )
    return text.rstrip("/")
