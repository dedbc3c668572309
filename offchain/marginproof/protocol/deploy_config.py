"""The deployment plan `marginproof/deploy@1`: everything a venue chooses before its contracts exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from marginproof.documents.base import Document, Symbol, UnixTime, parse_document
from marginproof.documents.decimals import E8_DIGITS, WAD_DIGITS, ScaledDecimal
from marginproof.errors import InputError
from marginproof.spec import limits

DEPLOY_FORMAT: Final = "marginproof/deploy@1"
_ONE_WAD: Final = 10**18

Address = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$"),
    Field(description="A contract or key, 0x and 40 hex digits."),
]
Strike = Annotated[int, ScaledDecimal(E8_DIGITS, limits.MIN_STRIKE, limits.MAX_STRIKE, "A strike in USD.")]


class UnderlyingPlan(Document):
    """One underlying. Without `collateral` or `feed` a test token or test feed is deployed: for development chains only."""

    symbol: Symbol
    collateral: Address | None = None
    feed: Address | None = None
    feed_max_age: Annotated[
        int, Field(ge=1, le=2**32 - 1, description="Oldest acceptable feed answer, seconds.")
    ] = 3_600
    feed_max_deviation_bps: Annotated[
        int,
        Field(
            ge=1, le=10_000, description="Greatest distance of a snapshot's spot from the feed, basis points."
        ),
    ] = 100
    expiries: Annotated[tuple[UnixTime, ...], Field(max_length=limits.MAX_EXPIRIES)] = ()
    strikes: tuple[Strike, ...] = ()


class LiquidationPlan(Document):
    """Terms of the liquidation house."""

    discount_wad: Annotated[
        int,
        Field(alias="discount"),
        ScaledDecimal(
            WAD_DIGITS,
            0,
            _ONE_WAD // 2,
            "The liquidator's bonus as a share of the slice's maintenance requirement.",
        ),
    ] = 5 * 10**16
    max_slice_wad: Annotated[
        int,
        Field(alias="maxSlice"),
        ScaledDecimal(WAD_DIGITS, 10**15, _ONE_WAD, "Largest share of a book in one slice."),
    ] = 5 * 10**17
    dust_e8: Annotated[
        int,
        Field(alias="dust"),
        ScaledDecimal(E8_DIGITS, 0, 10**16, "Requirement in USD below which the whole book may go at once."),
    ] = 1_000 * 10**8


class TimelockPlan(Document):
    """A timelock that holds the venue's powers: a proposer announces each use, and after the delay anyone carries it out."""

    delay: Annotated[
        int, Field(ge=0, le=60 * 86_400, description="From announcing to carrying out, seconds.")
    ] = 172_800
    proposers: Annotated[
        tuple[Address, ...],
        Field(max_length=16, description="Who may announce and cancel; the deployer if there are none."),
    ] = ()


class RolesPlan(Document):
    """Who may do what needs no delay, or less trust. Left out: the deployer, and for models the timelock where there is one."""

    lister: Annotated[
        Address | None, Field(description="Adds underlyings, expiries and strikes, lists instruments.")
    ] = None
    model: Annotated[Address | None, Field(description="Publishes models.")] = None
    pauser: Annotated[Address | None, Field(description="Pauses and unpauses the vault.")] = None


class DeployPlan(Document):
    """A whole venue."""

    format: Literal["marginproof/deploy@1"]
    model: Annotated[str, Field(description="Name of a shipped model, or path of a model document.")] = (
        "options-33"
    )
    settlement_token: Address | None = None
    attesters: Annotated[tuple[Address, ...], Field(min_length=1, max_length=64)]
    threshold: Annotated[int, Field(ge=1, le=64, description="How many attesters must sign an epoch.")]
    epoch_max_age: Annotated[
        int, Field(ge=60, le=7 * 86_400, description="How long an epoch is valid at most, seconds.")
    ] = 43_200
    epoch_min_depth: Annotated[
        int, Field(ge=1, le=200, description="How deep the margined block must be, blocks.")
    ] = 1
    settle_delay: Annotated[
        int,
        Field(
            ge=0, le=30 * 86_400, description="When others may settle an owner's expired positions, seconds."
        ),
    ] = 3_600
    liquidation: LiquidationPlan = LiquidationPlan()
    timelock: Annotated[
        TimelockPlan | None,
        Field(description="Without one the deployer stays admin of every contract: for development only."),
    ] = None
    roles: RolesPlan = RolesPlan()
    underlyings: Annotated[tuple[UnderlyingPlan, ...], Field(min_length=1, max_length=limits.MAX_UNDERLYINGS)]


def load_plan(path: Path) -> DeployPlan:
    """Read a deployment plan. Errors: InputError naming each wrong field, its value and what is allowed."""
    if path == Path():
        raise InputError("The deployment plan's path is empty or the current folder; name a file.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The deployment plan {path} cannot be read: {error}.") from error
    return check_plan(parse_document(DeployPlan, text, str(path)))


def check_plan(plan: DeployPlan) -> DeployPlan:
    """Refuse what is fine field by field but not together. Errors: InputError."""
    if plan.threshold > len(plan.attesters):
        raise InputError(
            f"threshold is {plan.threshold}; allowed: 1 to the number of attesters, {len(plan.attesters)}."
        )
    if len({address.lower() for address in plan.attesters}) != len(plan.attesters):
        raise InputError("attesters holds one address twice; each attester signs with its own key.")
    symbols = [underlying.symbol for underlying in plan.underlyings]
    if len(set(symbols)) != len(symbols):
        raise InputError(f"underlyings names a symbol twice: {', '.join(symbols)}.")
    for index, underlying in enumerate(plan.underlyings):
        for name, values in (("expiries", underlying.expiries), ("strikes", underlying.strikes)):
            if len(set(values)) != len(values):
                raise InputError(f"underlyings[{index}].{name} names one twice; allowed: each once.")
    return plan
