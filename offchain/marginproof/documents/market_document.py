"""The market document `marginproof/market@1`: one snapshot of everything that pricing reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from ..spec import limits
from ..spec.errors import SpecError
from ..spec.svi import Svi, require_valid_smile
from .base import Document, Symbol, UnixTime, inconsistent
from .decimals import E8_DIGITS, WAD_DIGITS, ScaledDecimal, format_decimal
from .whole_numbers import WholeNumber

MARKET_FORMAT: Final = "marginproof/market@1"

_Vol = ScaledDecimal(WAD_DIGITS, 0, 100 * 10**18, "Volatility error; 0.01 is one vol point.")
_Confidence = ScaledDecimal(
    WAD_DIGITS, limits.MIN_CONFIDENCE, limits.MAX_CONFIDENCE, "Confidence in the prices; 1 is full."
)


class SviSmile(Document):
    """Raw SVI of total variance: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), k = ln(strike /
    forward).
    """

    a_wad: Annotated[
        int,
        Field(alias="a"),
        ScaledDecimal(WAD_DIGITS, limits.MIN_SVI_A, limits.MAX_SVI_A, "Level of total variance."),
    ]
    b_wad: Annotated[
        int,
        Field(alias="b"),
        ScaledDecimal(WAD_DIGITS, limits.MIN_SVI_B, limits.MAX_SVI_B, "Slope of the wings."),
    ]
    rho_wad: Annotated[
        int,
        Field(alias="rho"),
        ScaledDecimal(WAD_DIGITS, -limits.MAX_SVI_RHO, limits.MAX_SVI_RHO, "Tilt of the smile."),
    ]
    m_wad: Annotated[
        int,
        Field(alias="m"),
        ScaledDecimal(WAD_DIGITS, -limits.MAX_SVI_M, limits.MAX_SVI_M, "Centre in log-moneyness."),
    ]
    sigma_wad: Annotated[
        int,
        Field(alias="sigma"),
        ScaledDecimal(WAD_DIGITS, limits.MIN_SVI_SIGMA, limits.MAX_SVI_SIGMA, "Roundness of the bottom."),
    ]

    @model_validator(mode="after")
    def _variance_is_never_negative(self) -> Self:
        try:
            require_valid_smile(self.spec())
        except SpecError:
            raise inconsistent(
                f"a = {format_decimal(self.a_wad, WAD_DIGITS)!r} makes the variance negative; "
                "allowed: a + b * sigma * sqrt(1 - rho^2) at least 0"
            ) from None
        return self

    def spec(self) -> Svi:
        """The smile of the specification."""
        return Svi(self.a_wad, self.b_wad, self.rho_wad, self.m_wad, self.sigma_wad)


class FitStatistics(Document):
    """How well the smile meets the quotes it was fitted to; information only, pricing does not read it."""

    quotes: Annotated[
        int, WholeNumber(0), Field(description="Quotes of this expiry in the source, calls and puts.")
    ]
    used: Annotated[int, WholeNumber(0), Field(description="Strikes that the fit used.")]
    near_money: Annotated[
        int,
        WholeNumber(0),
        Field(description="Strikes near the money: |ln(strike / forward)| at most one standard deviation."),
    ]
    median_near_money_vol_wad: Annotated[int, Field(alias="medianNearMoneyVol"), _Vol]
    max_near_money_vol_wad: Annotated[int, Field(alias="maxNearMoneyVol"), _Vol]
    rmse_vol_wad: Annotated[int, Field(alias="rmseVol"), _Vol]


class ExpiryBase(Document):
    """What every live expiry gives, whatever its volatilities come from."""

    expiry: Annotated[UnixTime, Field(description="Expiry, unix seconds; after the snapshot's time.")]
    forward_e8: Annotated[
        int,
        Field(alias="forward"),
        ScaledDecimal(E8_DIGITS, limits.MIN_SPOT, limits.MAX_SPOT, "Forward price for this expiry, USD."),
    ]
    rate_wad: Annotated[
        int,
        Field(alias="rate"),
        ScaledDecimal(WAD_DIGITS, limits.MIN_RATE, limits.MAX_RATE, "Interest rate per year."),
    ]
    confidence_wad: Annotated[Annotated[int, _Confidence] | None, Field(alias="confidence")] = None
    """Confidence in the forward, rate and smile; absent: full."""


class ExpiryEntry(ExpiryBase):
    """One live expiry: forward, rate, confidence (absent: 1) and smile."""

    svi: SviSmile
    fit: FitStatistics | None = None


class SettlementEntry(Document):
    """The price at which an expired expiry settled, constant from then on."""

    expiry: Annotated[UnixTime, Field(description="Expiry, unix seconds; not after the snapshot's time.")]
    price_e8: Annotated[
        int,
        Field(alias="price"),
        ScaledDecimal(
            E8_DIGITS,
            limits.MIN_SETTLEMENT_PRICE,
            limits.MAX_SETTLEMENT_PRICE,
            "Settlement price of the underlying, USD.",
        ),
    ]


class UnderlyingBase(Document):
    """What every underlying gives, whatever its volatilities come from."""

    symbol: Symbol
    spot_e8: Annotated[
        int,
        Field(alias="spot"),
        ScaledDecimal(E8_DIGITS, limits.MIN_SPOT, limits.MAX_SPOT, "Spot price, USD."),
    ]
    perpetual_e8: Annotated[
        Annotated[
            int,
            ScaledDecimal(
                E8_DIGITS,
                limits.MIN_SPOT,
                limits.MAX_SPOT,
                "Price of the perpetual, USD; absent: the spot price.",
            ),
        ]
        | None,
        Field(alias="perpetual"),
    ] = None
    confidence_wad: Annotated[int, Field(alias="confidence"), _Confidence]
    funding_e8: Annotated[
        int,
        Field(alias="funding"),
        ScaledDecimal(
            E8_DIGITS,
            -limits.MAX_FUNDING,
            limits.MAX_FUNDING,
            "Cumulative funding of the perpetual, USD per unit; holders of long positions have paid it.",
        ),
    ]
    settlements: Annotated[tuple[SettlementEntry, ...], Field(max_length=limits.MAX_SETTLEMENTS)]


class UnderlyingEntry(UnderlyingBase):
    """One underlying: spot, perpetual, confidence, funding, settlement prices, live expiries."""

    expiries: Annotated[tuple[ExpiryEntry, ...], Field(max_length=limits.MAX_EXPIRIES)]


class MarketBase(Document):
    """What every market document starts with."""

    format: Literal["marginproof/market@1"]
    time: Annotated[
        int,
        WholeNumber(1, limits.MAX_TIME - 1),
        Field(description="Time of the snapshot, unix seconds."),
    ]
    settlement_token_e8: Annotated[
        int,
        Field(alias="settlementToken"),
        ScaledDecimal(
            E8_DIGITS,
            limits.MIN_SETTLEMENT_TOKEN,
            limits.MAX_SETTLEMENT_TOKEN,
            "Price of the settlement token, USD.",
        ),
    ]
    source: Annotated[str, Field(min_length=1, max_length=2000, description="Where the figures come from.")]


class MarketDocument(MarketBase):
    """One market snapshot. All prices in USD, all times in unix seconds."""

    underlyings: Annotated[
        tuple[UnderlyingEntry, ...], Field(min_length=1, max_length=limits.MAX_UNDERLYINGS)
    ]

    @model_validator(mode="after")
    def _entries_fit_together(self) -> Self:
        require_fitting(self.time, [(entry, entry.expiries) for entry in self.underlyings])
        return self


def require_fitting(time: int, underlyings: Sequence[tuple[UnderlyingBase, Sequence[ExpiryBase]]]) -> None:
    """Refuse a symbol or an expiry given twice, a live expiry that has passed, a settled one that has not."""
    _refuse_repeated("underlyings", "symbol", [entry.symbol for entry, _ in underlyings])
    for index, (entry, live) in enumerate(underlyings):
        place = f"underlyings[{index}] ({entry.symbol})"
        expiries = [item.expiry for item in live]
        settled = [item.expiry for item in entry.settlements]
        _refuse_repeated(f"{place}.expiries and settlements", "expiry", expiries + settled)
        for expiry in expiries:
            if expiry <= time:
                raise inconsistent(
                    f"{place}.expiries: expiry {expiry} has passed at time {time}; allowed: "
                    f"later than the snapshot's "
                    "time (give an expired one a settlement price under settlements instead)"
                )
        for expiry in settled:
            if expiry > time:
                raise inconsistent(
                    f"{place}.settlements: expiry {expiry} is after time {time}; allowed: not "
                    f"after the snapshot's time"
                )


def _refuse_repeated(place: str, key: str, values: list[str] | list[int]) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise inconsistent(f"{place}: {key} {value!r} is given more than once; allowed: once")
