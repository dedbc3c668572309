"""Family scenario: what depends on an expiry's time or rate, year fractions to discounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from marginproof.spec import tenor
from marginproof.spec.limits import (
    MAX_RATE,
    MAX_SPOT,
    MAX_SPOT_SHOCK,
    MAX_TIME,
    MIN_RATE,
    MIN_SPOT,
    MIN_SPOT_SHOCK,
)
from marginproof.spec.logarithm import exponential, logarithm
from marginproof.spec.model import ModelSection, neutral_section
from marginproof.spec.model_fields import FIELDS
from marginproof.spec.scenario import Expiry, shocked_forward
from marginproof.spec.svi import BinarySvi

from .case import Draft, Json, Topic, decimal, draws, log_uniform
from .models import BASIS, DISCOUNTS, MILLI, SMALL, WAD
from .schema import INTEGER, NATURAL, record

FIELD_OF: Final = {field.name: field for field in FIELDS}
MONTH: Final = 30 * 86_400
SECONDS: Final = (
    0,
    1,
    2,
    1799,
    1800,
    1801,
    86_399,
    86_400,
    86_401,
    MONTH - 1,
    MONTH,
    MONTH + 1,
    365 * 86_400,
    MAX_TIME - 1,
)
"""Times to expiry where something changes."""
POWERS: Final = ("powerShort", "powerLong", "floorSeconds")
_DISCOUNTS: Final = (
    "longBase",
    "longRateMultiple",
    "longRateAdd",
    "shortBase",
    "shortRateMultiple",
    "shortRateAdd",
)
_BASIS: Final = ("basisBase", "basisPerYear")


def section_of(given: Json) -> ModelSection:
    """A neutral section with the fields that a vector names."""
    named = {FIELD_OF[name].attribute: int(value) for name, value in given.items() if name in FIELD_OF}
    return neutral_section(1, SMALL.scenarios, **named)


def fields_json(section: ModelSection, names: Sequence[str]) -> Json:
    """The named fields of a section."""
    return {name: decimal(getattr(section, FIELD_OF[name].attribute)) for name in names}


def drawn(seed: int, names: Sequence[str], count: int) -> Iterator[Json]:
    """Values of the named fields over their whole ranges, about evenly over the orders of magnitude, either sign where there are two."""
    draw = draws(seed)
    for _ in range(count):
        values = {}
        for name in names:
            field = FIELD_OF[name]
            sign = draw.choice((-1, 1)) if field.low < 0 else 1
            value = sign * log_uniform(draw, max(1, field.low), field.high)
            values[name] = decimal(value if draw.randrange(8) or field.low > 0 else 0)
        yield values


def _year_fraction(given: Json) -> Json:
    seconds = int(given["seconds"])
    return {
        "years": decimal(tenor.years(seconds)),
        "squareRoot": decimal(tenor.square_root_of_years(seconds)),
    }


def _year_fractions() -> Iterator[Draft]:
    draw = draws(411)
    for seconds in (*SECONDS, *(log_uniform(draw, 1, MAX_TIME) for _ in range(16))):
        yield Draft(f"{seconds} s in years", {"seconds": decimal(seconds)}, ("corner",))


def _multiplier(given: Json) -> Json:
    return {"multiplier": decimal(tenor.tenor_multiplier(section_of(given), int(given["seconds"])))}


def _multiplier_draft(fields: Json, seconds: int, flag: str) -> Draft:
    given = {**fields, "seconds": decimal(seconds)}
    return Draft(f"m at {seconds} s, not below {fields['floorSeconds']} s", given, (flag,))


def _multipliers() -> Iterator[Draft]:
    corners = (
        (300 * MILLI, 130 * MILLI, 400 * 86_400),
        (300 * MILLI, 130 * MILLI, 86_400),
        (10 * WAD, 10 * WAD, 1),
        (0, 0, 1),
        (WAD, WAD, 400 * 86_400),
    )
    for values, seconds in product(corners, SECONDS):
        fields = {name: decimal(value) for name, value in zip(POWERS, values, strict=True)}
        yield _multiplier_draft(fields, seconds, "corner")
    draw = draws(412)
    for fields in drawn(413, POWERS, 40):
        yield _multiplier_draft(fields, log_uniform(draw, 1, MAX_TIME - 1), "random")
    yield from _edges_of_the_logarithm()


def _edges_of_the_logarithm() -> Iterator[Draft]:
    """Cases in which ln(30 days), were it one unit of 2^-64 off either way, would show."""
    draw = draws(414)
    fields = {"powerShort": decimal(WAD), "powerLong": decimal(WAD), "floorSeconds": "1"}
    for offset in (1, -1):
        found = 0
        while found < 4:
            seconds = draw.randint(86_400, 60 * 86_400)
            away = exponential(tenor.LOG_THIRTY_DAYS + offset - logarithm(seconds))
            if away != tenor.tenor_multiplier(section_of(fields), seconds):
                found += 1
                yield _multiplier_draft(fields, seconds, "edge")


def _discount(given: Json) -> Json:
    return {"discount": decimal(tenor.discount_factor(int(given["rate"]), int(given["seconds"])))}


def _rated(fields: Json, rate: int, seconds: int, flag: str) -> Draft:
    given = {**fields, "rate": decimal(rate), "seconds": decimal(seconds)}
    return Draft(f"rate {rate} over {seconds} s", given, (flag,))


def _discount_drafts() -> Iterator[Draft]:
    draw = draws(415)
    for rate, seconds in product((MIN_RATE, -1, 0, 1, 50 * MILLI, MAX_RATE), SECONDS):
        yield _rated({}, rate, seconds, "corner")
    for _ in range(40):
        yield _rated({}, draw.randint(-WAD // 4, MAX_RATE), log_uniform(draw, 1, 5 * 365 * 86_400), "random")


def _static(given: Json) -> Json:
    long, short = tenor.static_discounts(section_of(given), int(given["rate"]), int(given["seconds"]))
    return {"long": decimal(long), "short": decimal(short)}


def _static_drafts() -> Iterator[Draft]:
    draw = draws(416)
    usual = fields_json(neutral_section(1, (), **DISCOUNTS), _DISCOUNTS)
    neutral = fields_json(neutral_section(1, ()), _DISCOUNTS)
    tops = {name: decimal(FIELD_OF[name].high) for name in _DISCOUNTS}
    high = {**tops, "longRateMultiple": "0", "longRateAdd": "0"}
    bottoms = {name: decimal(FIELD_OF[name].low) for name in _DISCOUNTS}
    for fields in (usual, neutral, tops, high, bottoms):
        for rate, seconds in product(
            (MIN_RATE, 0, 150 * MILLI, MAX_RATE), (0, 1, 86_400, MONTH, 400 * 86_400, MAX_TIME - 1)
        ):
            yield _rated(fields, rate, seconds, "corner")
    for fields in drawn(417, _DISCOUNTS, 60):
        yield _rated(
            fields, draw.randint(-WAD // 2, MAX_RATE), log_uniform(draw, 1, 10 * 365 * 86_400), "random"
        )


def _basis(given: Json) -> Json:
    return {"factor": decimal(tenor.basis_factor(section_of(given), int(given["seconds"])))}


def _basis_draft(fields: Json, seconds: int, flag: str) -> Draft:
    return Draft(f"basis factor at {seconds} s", {**fields, "seconds": decimal(seconds)}, (flag,))


def _basis_drafts() -> Iterator[Draft]:
    draw = draws(418)
    usual = fields_json(neutral_section(1, (), **BASIS), _BASIS)
    tops = {name: decimal(FIELD_OF[name].high) for name in _BASIS}
    for fields in (usual, tops, dict.fromkeys(_BASIS, "0")):
        for seconds in SECONDS:
            yield _basis_draft(fields, seconds, "corner")
    for fields in drawn(419, _BASIS, 20):
        yield _basis_draft(fields, log_uniform(draw, 1, MAX_TIME - 1), "random")


def _fixed(given: Json) -> Json:
    section, forward, seconds = section_of(given), int(given["forward"]), int(given["seconds"])
    fixed = tenor.fixed_part(section, forward, seconds)
    expiry = Expiry(seconds, forward, fixed, 0, BinarySvi(0, 0, 0, 0, 0), 0)
    return {"fixed": decimal(fixed), "shocked": decimal(shocked_forward(expiry, int(given["spot"])))}


def _fixed_draft(window: int, forward: int, seconds: int, spot: int, flag: str) -> Draft:
    values = {"averagingSeconds": window, "forward": forward, "seconds": seconds, "spot": spot}
    name = f"forward {forward} times {spot}, {seconds} s before expiry, averaged over {window} s"
    return Draft(name, {key: decimal(value) for key, value in values.items()}, (flag,))


def _fixed_drafts() -> Iterator[Draft]:
    draw = draws(420)
    for window in (0, 1, 1800, 86_400):
        for seconds in sorted({0, 1, window // 2, max(0, window - 1), window, window + 1, MAX_TIME - 1}):
            for forward, spot in (
                (MIN_SPOT, MIN_SPOT_SHOCK),
                (MAX_SPOT, MAX_SPOT_SHOCK),
                (70_200_00000007, 865 * MILLI),
            ):
                yield _fixed_draft(window, forward, seconds, spot, "corner")
    for _ in range(40):
        window = draw.randint(1, 86_400)
        seconds = draw.randint(0, window + window // 4)
        spot = log_uniform(draw, MIN_SPOT_SHOCK, MAX_SPOT_SHOCK)
        yield _fixed_draft(window, log_uniform(draw, MIN_SPOT, MAX_SPOT), seconds, spot, "random")


def _topic(name: str, comment: str, *parts: Json) -> Topic:
    return Topic("scenario", name, comment, *parts)


TOPICS: Final = (
    _topic(
        "year-fraction",
        "Seconds in years of 365 days, and the square root of that, Q64.",
        _year_fraction,
        _year_fractions,
        record(seconds=NATURAL),
        record(years=NATURAL, squareRoot=NATURAL),
    ),
    _topic(
        "tenor-multiplier",
        "m, by which volatility moves are scaled at an expiry, Q64; powers in WAD, times in seconds.",
        _multiplier,
        _multipliers,
        record(**dict.fromkeys((*POWERS, "seconds"), NATURAL)),
        record(multiplier=NATURAL),
    ),
    _topic(
        "discount",
        "The discount factor (Q58) of a rate (WAD) over seconds; a negative rate counts as none.",
        _discount,
        _discount_drafts,
        record(rate=INTEGER, seconds=NATURAL),
        record(discount=NATURAL),
    ),
    _topic(
        "static-discounts",
        "What multiplies an expiry's sum in a scenario when it is positive or zero, and when it is negative, Q58.",
        _static,
        _static_drafts,
        record(**dict.fromkeys(_DISCOUNTS, NATURAL), rate=INTEGER, seconds=NATURAL),
        record(long=NATURAL, short=NATURAL),
    ),
    _topic(
        "basis-factor",
        "The factor (WAD) of an expiry's part of the basis charge.",
        _basis,
        _basis_drafts,
        record(**dict.fromkeys((*_BASIS, "seconds"), NATURAL)),
        record(factor=NATURAL),
    ),
    _topic(
        "fixed-part",
        "The part of a forward (E8) that averaging has fixed already, and the whole forward when the rest moves by a multiple (WAD).",
        _fixed,
        _fixed_drafts,
        record(**dict.fromkeys(("averagingSeconds", "forward", "seconds", "spot"), NATURAL)),
        record(fixed=NATURAL, shocked=NATURAL),
    ),
)
