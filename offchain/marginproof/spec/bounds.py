"""Bounds of every intermediate, derived from `limits` and `model_fields`.

Per cell and per position everything fits a signed 128-bit word (`HOT_PATH`); preparation, once per expiry, strike or scenario, and the last
step of an account fit a signed 256-bit word (`PREPARATION`, `WIDE`).

| intermediate | bound | why |
|---|---|---|
| shocked price | 2^51 | MAX_SPOT x 16 = 1.6e15 |
| discounted price, E8 with 8 more places | 2^62 | the greater of F' and K is at most 1e16 < 2^54; a discount factor is at most 1 |
| y = abs(ln(F'/K)), Q58 | 2^63 | F' >= 1e4 and <= 1.6e15, K in [1e4, 1e16]: y <= ln(1e12) = 27.7 < 32 |
| y << 58 | 2^121 | numerator of y/w |
| y/w, and so a and b, Q58 | 2^121 | w at least 1 unit; from 9 on only the sign matters |
| squared distance and sigma of the smile, Q116 | 2^126 | abs(ln(K/F)) <= 23.1, m <= 4, sigma <= 4 |
| smile slope x its factor | 2^126 | b <= 2 in Q60, factor at most 2 x 27.4 in Q58 |
| variance << 52 | 2^123 | a <= 9 plus b times 55, in Q64 |
| skew: k x cap, and k* << 62 | 2^125 | k as y, cap and k* at most 16 in Q58 |
| total vol x multiplier | 2^124 | both at most 16 in Q58 = 2^62 |
| price x probability | 2^122 | discounted price, probability 2^60 |
| polynomial step | 2^117 | coefficient below 2^61, offset below 2^55 |
| value of one unit | 2^54 | the greater of F' and K, plus MAX_FUNDING for a perpetual |
| quantity x value, 128 positions | 2^116 | 1e16 x 1.01e16 x 2 x 128 |
| sum of an expiry with its static discount | 2^120 | discounts are at most 16 |
| quantity x delta, 128 positions | 2^121 | 1e16 x 2^60 x 128 |
| loss (E34) | 2^188 | basis: the sum x (20 + 20 x 137 years) in WAD; scenario: the discounted sum x weight 9 |
| delta charge before its shift | 2^238 | 2^121 x rates of 20e18 x spot |
| factor x scan | 2^255 | factor at most 10 + 10 x 10, the positions of all underlyings together at most 128 |
| add-ons (10^52) | 2^244 | 1e16 x 128 x 1e14 x 1e18 x rates of 140e18 |

Preparation: `PREPARATION`. Logarithms and exponentials work in 96 bits, wad parameters become Q64 first.

| prepared | bound | why |
|---|---|---|
| parameter << 64 | 2^131 | wad to Q64; the greatest is a volatility given per strike, 100; of a model 20 |
| logarithm: quotient << 96 | 2^156 | z - c below an eighth of 2^63 |
| logarithm: series | 2^189 | series below 2^97, s at most 1/17 |
| exponential: series | 2^193 | e^r below 2, r below ln 2, both in 96 bits |
| exponential: 2^n e^r | 2^154 | arguments are brought into [-40, 40] first: n at most 57 |
| pow: ln(30 days / t) x power | 2^136 | exp2 and log2 with the scale ln 2: t from 1 s to 136 years, power at most 10 |
| m x vol move | 2^190 | m at most e^40, volUp and volDown at most 10 |
| seconds << 128 | 2^160 | radicand of sqrt(tau) before its division; tau below 137 years |
| vol x sqrt(tau) | 2^139 | given vol at most 100; minVolUp 20, vol added 4; sqrt(tau) below 11.7 |
| skew slope x sqrt(tau) | 2^136 | capSlope at most 10, skewVolSlope 20 |
| skew width x vol | 2^143 | width 10 x sqrt(tau), vol at most 10 + 20 sqrt(tau) |
| rate x multiple | 2^133 | rate at most 2, multiple 10; the discount factor's is 1 |
| rate x tau | 2^140 | rate at most 2 x 10 + 10; clamped to 40 before the exponential |
| static discount: base x exponential | 2^188 | base at most 4, exponential at most e^40; clamped to 16 after |
| basis per year x seconds | 2^97 | at most 20 a year |
| forward x averaging window | 2^63 | forward at most 1e14, window at most a day: the fixed part |
| price x shock | 2^111 | 1e14 x 16 |
| least variance | 2^183 | b sigma sqrt(1 - rho^2), WAD, before its division |
| peg factor x shortfall | 2^94 | 10 x 10 USD |
| short minimum rate x spot | 2^110 | 10 x 1e14 |

Only the engine: `ENGINE_WORDS` fit a signed 64-bit word, `ENGINE_PAIRS` a 128-bit one, `ENGINE_WIDE` a 256-bit one.

| in the kernels | bound | why |
|---|---|---|
| discounted price, in a word | 2^62 | as above |
| y | 2^63 | ln(1e16/1e4) = 27.7 in Q58 |
| distance in the smile | 2^63 | 23.1 and m at most 4 |
| total vol, and y/w where it counts | 2^62 | from y/w = 16 on both probabilities are 0 |
| change of one unit | 2^55 | value there less value now |
| weight | 2^63 | 9 in WAD |
| sum of sizes | 2^61 | 1e16 x 128: naked, futures, perpetuals, collateral, shorts, and what lacks confidence |
| charge per short option | 2^50 | shortMinimum and its rate of spot |
| parity, before its shift | 2^112 | abs(F' - K) x discount and the half |
| square above a root | 2^126 | the last exact step of a square root |
| size of k x cap and k* | 2^125 | negated for a division that rounds down |
| low word x static discount | 2^126 | the high word's product is a part of the discounted sum |
| sizes x add-on rate | 2^125 | a position has one of the four rates, at most 20 |
| (1 - confidence) x rate | 2^124 | 1 x 20 |
| first pass, in floats | 2^107 | E16 x 2^-24 times the heavier of weight and basis factor, in single floats below 2^127 |
| 10^44 << 45 | 2^192 | what the division by 10^44 compares with |
| short option minimum | 2^170 | sum of sizes x charge per short option x 1e18 |
| delta charge, rounded up | 2^231 | as above and 2^60 - 1 |

The caps follow: each may grow by the factor below until the row beside it breaks; twice that breaks it.

| cap | may grow | first to break |
|---|---|---|
| MAX_SPOT | 16 x | discounted price, in a word |
| MAX_SPOT_SHOCK | 16 x | discounted price, in a word |
| MAX_STRIKE | 2 x | discounted price, in a word |
| MAX_FUNDING | 512 x | factor x scan |
| MAX_QUANTITY | 4 x | sum of sizes |
| MAX_POSITIONS | 4 x | sum of sizes |
| MAX_WEIGHT | 1 x | weight |

Every table is evaluated by the tests at its corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

from .black76 import MAX_TOTAL_VOL, PRICE_BITS
from .fixed_point import mul_shift, wad_to_q64
from .limits import (
    MAX_FUNDING,
    MAX_POSITIONS,
    MAX_QUANTITY,
    MAX_RATE,
    MAX_SPOT,
    MAX_SPOT_SHOCK,
    MAX_STRIKE,
    MAX_SVI_B,
    MAX_SVI_SIGMA,
    MAX_TIME,
    MAX_WEIGHT,
    MIN_SPOT,
    MIN_SPOT_SHOCK,
    MIN_STRIKE,
)
from .logarithm import LN2, MAX_EXP_ARGUMENT, exponential, logarithm
from .model_fields import FIELDS
from .scenario import MAX_GIVEN_VOL
from .tenor import LOG_THIRTY_DAYS, MAX_DISCOUNT, square_root_of_years, years
from .units import ONE_WAD, SECONDS_PER_YEAR

HIGH: Final = {field.name: field.high for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps of `limits` that the bounds of books and prices follow from."""

    spot: int = MAX_SPOT
    spot_shock: int = MAX_SPOT_SHOCK
    strike: int = MAX_STRIKE
    funding: int = MAX_FUNDING
    quantity: int = MAX_QUANTITY
    positions: int = MAX_POSITIONS
    weight: int = MAX_WEIGHT

    @property
    def shocked(self) -> int:
        """The greatest shocked spot, perpetual or forward, E8."""
        return self.spot * self.spot_shock // ONE_WAD

    @property
    def price(self) -> int:
        """The greatest price that an option is computed from, E8."""
        return max(self.strike, self.shocked)

    @property
    def value(self) -> int:
        """The greatest value of one unit, E8."""
        return self.price + self.funding

    @property
    def size(self) -> int:
        """The greatest sum of sizes, E8."""
        return self.quantity * self.positions

    @property
    def account(self) -> int:
        """The greatest sum of quantity x change of value, E16."""
        return 2 * self.size * self.value

    @property
    def discounted(self) -> int:
        """The same with the greatest static discount."""
        return self.account + (self.account * MAX_DISCOUNT >> 58)

    @property
    def deltas(self) -> int:
        """The greatest sum of quantity x delta."""
        return self.size << 60

    @property
    def loss(self) -> int:
        """The greatest loss of a scenario or of the basis charge, E34."""
        return max(self.account * _BASIS_FACTOR, self.discounted * self.weight)

    @property
    def short_unit(self) -> int:
        """The greatest charge per short option, E8."""
        return HIGH["shortMinimum"] + HIGH["shortMinimumRate"] * self.spot // ONE_WAD

    def moneyness(self) -> int:
        """The greatest distance of a shocked forward from a strike, Q58."""
        lowest = MIN_SPOT * MIN_SPOT_SHOCK // ONE_WAD
        return max(_distance(self.shocked, MIN_STRIKE), _distance(self.strike, lowest))

    def smile_distance(self) -> int:
        """The greatest distance in a smile, its m included, Q58."""
        return max(_distance(self.spot, MIN_STRIKE), _distance(self.strike, MIN_SPOT)) + (4 << 58)

    def smile_root(self) -> int:
        """The greatest root in a smile, Q58."""
        return max(_ROOT, isqrt(self.radicand()) + 1)

    def radicand(self) -> int:
        """The greatest squared distance and sigma in a smile, Q116."""
        return max(_DISTANCE, self.smile_distance()) ** 2 + (4 << 58) ** 2

    def smile_slope(self) -> int:
        """The greatest slope times its factor in a smile."""
        return (2 << 60) * (max(_DISTANCE, self.smile_distance()) + self.smile_root())

    def variance(self) -> int:
        """The greatest radicand of a total volatility."""
        return ((9 << 64) + (self.smile_slope() >> 54)) << 52


def _distance(price: int, other: int) -> int:
    return (logarithm(min(price, (1 << 64) - 1)) - logarithm(other)) >> 6


CAPS: Final = Caps()
_DISTANCE = 271 * (1 << 58) // 10
_ROOT = 274 * (1 << 58) // 10
_BASIS_FACTOR = HIGH["basisBase"] + HIGH["basisPerYear"] * MAX_TIME // SECONDS_PER_YEAR
_FACTOR = HIGH["initialFactor"] + HIGH["pegFactor"] * HIGH["pegThreshold"] // 10**8
_RATES = sum(
    HIGH[name]
    for name in ("nakedMaintenance", "nakedInitial", "perpetualMaintenance", "perpetualInitial")
    + ("futureMaintenance", "futureInitial", "confidenceRate")
)
_Y = (1 << 63) - 1
_GROWTH = exponential(MAX_EXP_ARGUMENT)
_ROOT_OF_YEARS = square_root_of_years(MAX_TIME)


def _q64(name: str) -> int:
    return wad_to_q64(HIGH[name])


def hot_path(caps: Caps = CAPS) -> dict[str, int]:
    """Greatest magnitudes per cell and position."""
    return {
        "shocked price": caps.shocked,
        "discounted price": caps.price << PRICE_BITS,
        "numerator of y/w": _Y << 58,
        "y/w": _Y << 58,
        "squared distance and sigma": caps.radicand(),
        "smile slope x its factor": caps.smile_slope(),
        "variance << 52": caps.variance(),
        "skew: k x cap": _Y * MAX_TOTAL_VOL,
        "total vol x multiplier": MAX_TOTAL_VOL * MAX_TOTAL_VOL,
        "price x probability": caps.price << (60 + PRICE_BITS),
        "polynomial step": (1 << 61) * (1 << 55),
        "value of one unit": caps.value,
        "account sum": caps.account,
        "discounted sum": caps.discounted,
        "sum of deltas": caps.deltas,
    }


def preparation(caps: Caps = CAPS) -> dict[str, int]:
    """Greatest magnitudes per expiry, strike, scenario, listing and configuration."""
    ratio = max(LOG_THIRTY_DAYS - logarithm(1), logarithm(MAX_TIME) - LOG_THIRTY_DAYS)
    multiplied = wad_to_q64(MAX_RATE) * _q64("longRateMultiple")
    vol = _q64("skewVol") + mul_shift(_q64("skewVolSlope"), _ROOT_OF_YEARS, 64)
    return {
        "parameter << 64": MAX_GIVEN_VOL << 64,
        "logarithm: quotient << 96": ((1 << 60) - 1) << 96,
        "logarithm: series": (1 << 97) * ((1 << 96) // 17),
        "exponential: series": (1 << 97) * LN2,
        "exponential: 2^n e^r": 1 << (97 + (MAX_EXP_ARGUMENT << 32) // LN2),
        "pow: ln(30 days / t) x power": ratio * _q64("powerShort"),
        "m x vol move": _GROWTH * max(_q64("volUp"), _q64("volDown")),
        "seconds << 128": MAX_TIME << 128,
        "vol x sqrt(tau)": wad_to_q64(MAX_GIVEN_VOL) * _ROOT_OF_YEARS,
        "skew slope x sqrt(tau)": _q64("skewVolSlope") * _ROOT_OF_YEARS,
        "skew width x vol": mul_shift(_ROOT_OF_YEARS, _q64("skewWidth"), 64) * vol,
        "rate x multiple": multiplied,
        "rate x tau": ((multiplied >> 64) + _q64("longRateAdd")) * years(MAX_TIME),
        "static discount: base x exponential": _q64("shortBase") * _GROWTH,
        "basis per year x seconds": HIGH["basisPerYear"] * MAX_TIME,
        "forward x averaging window": caps.spot * HIGH["averagingSeconds"],
        "price x shock": caps.spot * caps.spot_shock,
        "least variance": MAX_SVI_B * MAX_SVI_SIGMA * ONE_WAD,
        "peg factor x shortfall": HIGH["pegFactor"] * HIGH["pegThreshold"],
        "short minimum rate x spot": HIGH["shortMinimumRate"] * caps.spot,
    }


def wide(caps: Caps = CAPS) -> dict[str, int]:
    """Greatest magnitudes per account."""
    add_ons = caps.size * caps.spot * _RATES * ONE_WAD
    return {
        "loss": caps.loss,
        "delta charge": caps.deltas * (HIGH["deltaNet"] + HIGH["deltaHedged"]) * caps.spot,
        "factor x scan": caps.loss * _FACTOR,
        "add-ons": add_ons,
        "requirement": caps.loss * _FACTOR + add_ons,
    }


def engine_words(caps: Caps = CAPS) -> dict[str, int]:
    """Greatest magnitudes that kernels hold in 64 bits."""
    return {
        "discounted price, in a word": caps.price << PRICE_BITS,
        "y": caps.moneyness(),
        "distance in the smile": caps.smile_distance(),
        "total vol, and y/w where it counts": MAX_TOTAL_VOL,
        "change of one unit": 2 * caps.value,
        "weight": caps.weight,
        "sum of sizes": caps.size,
        "charge per short option": caps.short_unit,
    }


def engine_pairs(caps: Caps = CAPS) -> dict[str, int]:
    """Greatest magnitudes that kernels hold in 128 bits, where they differ from the specification's."""
    lost = max(_BASIS_FACTOR, caps.weight, ONE_WAD)
    return {
        "parity, before its shift": (caps.price << 58) + (1 << 57),
        "square above a root": (max(isqrt(caps.radicand()), isqrt(caps.variance())) + 1) ** 2,
        "size of k x cap and k*": _Y * MAX_TOTAL_VOL + MAX_TOTAL_VOL,
        "low word x static discount": ((1 << 64) - 1) * MAX_DISCOUNT,
        "sizes x add-on rate": caps.size * HIGH["nakedInitial"],
        "(1 - confidence) x rate": ONE_WAD * HIGH["confidenceRate"],
        "first pass, in floats": 2 * caps.discounted * lost // ONE_WAD >> 24,
    }


def engine_wide(caps: Caps = CAPS) -> dict[str, int]:
    """Greatest magnitudes that kernels hold in 256 bits, where they differ from the specification's."""
    return {
        "10^44 << 45": 10**44 << 45,
        "short option minimum": caps.size * caps.short_unit * ONE_WAD,
        "delta charge, rounded up": wide(caps)["delta charge"] + (1 << 60) - 1,
    }


def broken(caps: Caps) -> list[str]:
    """The rows that would no longer fit their word under other caps."""
    tables = (
        (hot_path(caps), 127),
        (engine_words(caps), 63),
        (engine_pairs(caps), 127),
        (preparation(caps), 255),
        (wide(caps), 255),
        (engine_wide(caps), 255),
    )
    return [name for table, bits in tables for name, value in table.items() if value >> bits]


HOT_PATH: Final = hot_path()
"""Greatest magnitudes per cell and position: each below 2^127."""
PREPARATION: Final = preparation()
"""Greatest magnitudes of preparation: each below 2^255."""
WIDE: Final = wide()
"""Greatest magnitudes per account: each below 2^255."""
ENGINE_WORDS: Final = engine_words()
"""Greatest magnitudes in 64-bit words of kernels: each below 2^63."""
ENGINE_PAIRS: Final = engine_pairs()
"""Greatest magnitudes in 128-bit words of kernels: each below 2^127."""
ENGINE_WIDE: Final = engine_wide()
"""Greatest magnitudes in 256-bit words of kernels: each below 2^255."""
