"""Options that several commands share, and exact parsing of decimals given on the command line."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from marginproof.errors import InputError

UINT64: Final = 2**64 - 1
_INTEGER: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)
DEFAULT_RPC: Final = "http://127.0.0.1:8545"


class ChainKind(StrEnum):
    """The local chains that can be started."""

    ANVIL = "anvil"
    HARDHAT = "hardhat"


def whole(low: int, high: int) -> Callable[[object], int]:
    """A parser for a whole number in this range; what it refuses is told with the value and the range."""

    def parse(text: object) -> int:
        if not _INTEGER.fullmatch(str(text)) or not low <= int(str(text)) <= high:
            raise typer.BadParameter(f"{text!s:.60} is not accepted; allowed: whole numbers {low} to {high}.")
        return int(str(text))

    return parse


def real(low: float, high: float) -> Callable[[object], float]:
    """A parser for a number in this range, for tolerances and waiting times: nothing of it is committed."""

    def parse(text: object) -> float:
        try:
            value = float(str(text))
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise typer.BadParameter(f"{text!s:.60} is not accepted; allowed: {low:g} to {high:g}.")
        return value

    return parse


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
RoundFigures = Annotated[
    bool,
    typer.Option(
        "--round", help="Round figures with too many decimals, and say so, instead of refusing them."
    ),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")]
AccountId = Annotated[
    int, typer.Option("--account", parser=whole(0, UINT64), metavar="ID", help="Account id.")
]
RoundOption = Annotated[
    int | None,
    typer.Option(
        "--round", parser=whole(0, UINT64), metavar="ROUND", help="Round of the epoch. [default: the newest]"
    ),
]
Sources = Annotated[
    Path, typer.Option("--source", metavar="DIR", help="Folder of market documents (*.json).")
]
Interval = Annotated[
    float,
    typer.Option(
        "--interval", parser=real(0.1, 86_400), metavar="SECONDS", help="Seconds between two looks."
    ),
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
    """A checksum address, not the zero address, whose key nobody has. Errors: InputError."""
    from eth_utils.address import is_address, to_checksum_address

    if not is_address(text):
        raise InputError(f"{option}: {text!r} is not an address; allowed: 0x and 40 hex digits.")
    if int(text, 16) == 0:
        raise InputError(f"{option}: {text} is the zero address, whose key nobody has; allowed: any other.")
    return to_checksum_address(text)


def url(option: str, text: str) -> str:
    """An http(s) address without its final slash. Errors: InputError."""
    if not text.startswith(("http://", "https://")):
        raise InputError(
            f"{option}: {text!r} is not an address; allowed: http://HOST:PORT or https://HOST:PORT."
        )
    return text.rstrip("/")
