"""The deployment plan `marginproof/deploy@1`: everything a venue chooses before its contracts exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from marginproof.documents.base import Document, Symbol, UnixTime, parse_document
from marginproof.documents.decimals import E8_DIGITS, WAD_DIGITS, ScaledDecimal, format_decimal
from marginproof.errors import InputError
from marginproof.spec import limits

DEPLOY_FORMAT: Final = "marginproof/deploy@1"
_ONE_WAD: Final = 10**18
_MILLIONTH_DIGITS: Final = 6

Address = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$"),
    Field(description="A contract or key, 0x and 40 hex digits."),
]
Strike = Annotated[int, ScaledDecimal(E8_DIGITS, limits.MIN_STRIKE, limits.MAX_STRIKE, "A strike in USD.")]


def _share(highest: int, description: str) -> ScaledDecimal:
    return ScaledDecimal(_MILLIONTH_DIGITS, 0, highest, description)


class MarketBoundsPlan(Document):
    """How far a market may be from what is plausible, and from the epoch before (MarketBounds.sol). Integers are millionths.

    The defaults let the crash of February 2026 pass with room to spare: volatilities that doubled within hours, then halved.
    """

    min_vol: Annotated[int, _share(4 * 10**9, "The least annual volatility.")] = 50_000
    max_vol: Annotated[int, _share(4 * 10**9, "The greatest annual volatility.")] = 5 * 10**6
    wing: Annotated[
        int,
        _share(
            4 * 10**6, "Where volatility is judged: at the money and this many sqrt(years) of ln(K/F) out."
        ),
    ] = 10**6
    basis: Annotated[int, _share(2**32 - 1, "How far forward/spot may be from 1 at any expiry.")] = 20_000
    basis_per_year: Annotated[int, _share(2**32 - 1, "How much further per year to the expiry.")] = 250_000
    min_rate: Annotated[
        int, ScaledDecimal(_MILLIONTH_DIGITS, -(2**31), 2**31 - 1, "The least interest rate per year.")
    ] = -200_000
    max_rate: Annotated[
        int, ScaledDecimal(_MILLIONTH_DIGITS, -(2**31), 2**31 - 1, "The greatest interest rate per year.")
    ] = 500_000
    basis_jump: Annotated[
        int, _share(2**32 - 1, "How far forward/spot of an expiry may move between two epochs.")
    ] = 10_000
    basis_jump_per_hour: Annotated[int, _share(2**32 - 1, "How much further per hour between them.")] = 2_000
    rate_jump: Annotated[int, _share(2**32 - 1, "How far a rate may move between two epochs.")] = 20_000
    rate_jump_per_hour: Annotated[int, _share(2**32 - 1, "How much further per hour between them.")] = 5_000
    vol_jump: Annotated[
        int, _share(10**9, "By which share a volatility may rise between two epochs, or have been higher.")
    ] = 250_000
    vol_jump_per_hour: Annotated[int, _share(10**9, "How much more per hour between them.")] = 100_000
    funding_per_day: Annotated[
        int, _share(2**32 - 1, "By which share of spot a perpetual's cumulative funding may move per day.")
    ] = 5_000
    confidence_jump: Annotated[
        int,
        _share(
            2**32 - 1,
            "How far the confidence in spot or in an expiry may rise between two epochs; it may fall at once.",
        ),
    ] = 250_000
    confidence_jump_per_hour: Annotated[int, _share(2**32 - 1, "How much further per hour between them.")] = (
        250_000
    )

    def values(self) -> tuple[int, ...]:
        """In the order of the contract's struct."""
        return (
            self.min_vol,
            self.max_vol,
            self.wing,
            self.basis,
            self.basis_per_year,
            self.min_rate,
            self.max_rate,
            self.basis_jump,
            self.basis_jump_per_hour,
            self.rate_jump,
            self.rate_jump_per_hour,
            self.vol_jump,
            self.vol_jump_per_hour,
            self.funding_per_day,
            self.confidence_jump,
            self.confidence_jump_per_hour,
        )


class TokenBoundsPlan(Document):
    """How far the settlement token's price may be from the epoch before's, as a share of it (MarketBounds.sol). Integers are millionths."""

    jump: Annotated[int, _share(2**32 - 1, "How far it may rise or fall between two epochs.")] = 50_000
    jump_per_hour: Annotated[int, _share(2**32 - 1, "How much further per hour between them.")] = 50_000

    def values(self) -> tuple[int, ...]:
        """In the order of the contract's struct."""
        return (self.jump, self.jump_per_hour)


class FeedPlan(Document):
    """One more feed of an underlying."""

    feed: Address
    max_age: Annotated[int, Field(ge=1, le=2**32 - 1, description="Oldest acceptable answer, seconds.")] = (
        3_600
    )


class PolicyPlan(Document):
    """What may be done on attesters' signatures."""

    max_withdrawal_e8: Annotated[
        int,
        Field(alias="maxWithdrawal"),
        ScaledDecimal(E8_DIGITS, 0, 2**64 - 1, "The greatest withdrawal on a leaf, USD; 0 allows none."),
    ] = 100_000 * 10**8
    max_trade_e8: Annotated[
        int,
        Field(alias="maxTrade"),
        ScaledDecimal(E8_DIGITS, 0, 2**64 - 1, "The greatest trade on tickets, USD; 0 allows none."),
    ] = 1_000_000 * 10**8
    delta_bps: Annotated[
        int,
        Field(ge=0, le=9_999, description="How far live prices may be from the epoch's spot, basis points."),
    ] = 200
    outflow_share_bps: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="Share of the slashable bonds that may be out on epochs not yet final, basis points.",
        ),
    ] = 5_000
    trade_charge_bps: Annotated[
        int, Field(ge=0, le=10_000, description="What a trade counts for in that, basis points of its size.")
    ] = 10_000

    def values(self) -> tuple[int, ...]:
        """In the order of the contract's struct."""
        return (
            self.max_withdrawal_e8,
            self.max_trade_e8,
            self.delta_bps,
            self.outflow_share_bps,
            self.trade_charge_bps,
        )


class UnderlyingPlan(Document):
    """One underlying. Without `collateral` or `feed` a test token or test feed is deployed: for development chains only."""

    symbol: Symbol
    collateral: Address | None = None
    feed: Address | None = None
    feed_max_age: Annotated[
        int, Field(ge=1, le=2**32 - 1, description="Oldest acceptable feed answer, seconds.")
    ] = 3_600
    more_feeds: Annotated[
        tuple[FeedPlan, ...],
        Field(max_length=6, description="Further feeds; prices are held against the median of all."),
    ] = ()
    feeds_min_fresh: Annotated[
        int, Field(ge=1, le=7, description="How many of the feeds must be fresh; fewer stop posting.")
    ] = 1
    bounds: MarketBoundsPlan = MarketBoundsPlan()
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


class BondPlan(Document):
    """What attesters stand to lose, in the settlement token, and when. Test tokens are minted for the founders' bonds; with a token of
    one's own, attesters pay their bonds themselves (`marginproof attester join`).
    """

    bond_e8: Annotated[
        int,
        Field(alias="bond"),
        ScaledDecimal(E8_DIGITS, 10**8, 10**18, "What every attester pays to join, USD; whole tokens."),
    ] = 250_000 * 10**8
    join_delay: Annotated[
        int,
        Field(ge=0, le=60 * 86_400, description="From paying to the first signature that counts, seconds."),
    ] = 86_400
    leave_delay: Annotated[
        int,
        Field(ge=0, le=60 * 86_400, description="From leaving to the last signature that counts, seconds."),
    ] = 86_400
    grace: Annotated[
        int,
        Field(
            ge=0,
            le=60 * 86_400,
            description="How long a bond stays beyond the dispute window of the last epoch its owner may have signed, seconds.",
        ),
    ] = 86_400
    materiality_e8: Annotated[
        int,
        Field(alias="materiality"),
        ScaledDecimal(E8_DIGITS, 0, 10**18, "From which difference on a lie costs whole bonds, USD."),
    ] = 100 * 10**8
    bounty_e8: Annotated[
        int,
        Field(alias="bounty"),
        ScaledDecimal(E8_DIGITS, 0, 10**18, "What the signers of a smaller one pay together, USD."),
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
    settlement_token_bounds: TokenBoundsPlan = TokenBoundsPlan()
    attesters: Annotated[tuple[Address, ...], Field(min_length=1, max_length=64)]
    threshold: Annotated[int, Field(ge=1, le=64, description="How many attesters must sign an epoch.")]
    epoch_max_age: Annotated[
        int, Field(ge=60, le=7 * 86_400, description="How long an epoch is valid at most, seconds.")
    ] = 43_200
    epoch_min_depth: Annotated[
        int, Field(ge=1, le=200, description="How deep the margined block must be, blocks.")
    ] = 1
    dispute_window: Annotated[
        int,
        Field(
            ge=1,
            le=365 * 86_400,
            description="How long after its end an epoch may be found wrong, seconds.",
        ),
    ] = 7 * 86_400
    policy: PolicyPlan = PolicyPlan()
    bonds: BondPlan = BondPlan()
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
    if plan.bonds.bounty_e8 > plan.bonds.bond_e8 * plan.threshold:
        raise InputError(
            f"bonds.bounty is {format_decimal(plan.bonds.bounty_e8, E8_DIGITS)}; allowed: at most the bonds of the "
            f"{plan.threshold} signers, {format_decimal(plan.bonds.bond_e8 * plan.threshold, E8_DIGITS)}."
        )
    symbols = [underlying.symbol for underlying in plan.underlyings]
    if len(set(symbols)) != len(symbols):
        raise InputError(f"underlyings names a symbol twice: {', '.join(symbols)}.")
    for index, underlying in enumerate(plan.underlyings):
        feeds = 1 + len(underlying.more_feeds)
        if underlying.feeds_min_fresh > feeds:
            raise InputError(
                f"underlyings[{index}].feedsMinFresh is {underlying.feeds_min_fresh}; "
                f"allowed: 1 to the number of feeds, {feeds}."
            )
        if underlying.bounds.min_vol > underlying.bounds.max_vol:
            raise InputError(f"underlyings[{index}].bounds: minVol is above maxVol; allowed: at most maxVol.")
        if underlying.bounds.min_rate > underlying.bounds.max_rate:
            raise InputError(
                f"underlyings[{index}].bounds: minRate is above maxRate; allowed: at most maxRate."
            )
        for name, values in (("expiries", underlying.expiries), ("strikes", underlying.strikes)):
            if len(set(values)) != len(values):
                raise InputError(f"underlyings[{index}].{name} names one twice; allowed: each once.")
    return plan
