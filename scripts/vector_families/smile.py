"""Family smile: which SVI parameters are accepted, and the total volatility they give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Final

from marginproof.spec.errors import SpecError
from marginproof.spec.logarithm import logarithm
from marginproof.spec.svi import Svi, prepare_smile, require_valid_smile, total_vol

from .case import Draft, Json, Topic, decimal, draws, log_uniform
from .models import MILLI
from .samples import FLAT, SMILE
from .schema import INTEGER, NATURAL, record
from .smile_faults import (
    RANGES,
    base_of,
    far_away,
    far_outside,
    further_outside,
    negative_variances,
    one_outside,
    variance_floor,
)

_PLACES: Final = {"a": 64, "b": 60, "rho": 60, "m": 58, "sigma": 58}
SVI_SCHEMA: Final = record(a=INTEGER, b=INTEGER, rho=INTEGER, m=INTEGER, sigma=INTEGER)


def svi_json(svi: Svi) -> Json:
    """The five parameters as decimal strings."""
    return {name: decimal(value) for name, value in asdict(svi).items()}


def svi_of(given: Json) -> Svi:
    """The inverse of `svi_json`."""
    return Svi(**{name: int(given[name]) for name in RANGES})


def _accept(given: Json) -> Json:
    svi = svi_of(given)
    require_valid_smile(svi)
    return {f"{name}Q{_PLACES[name]}": decimal(value) for name, value in asdict(prepare_smile(svi)).items()}


def _acceptance() -> Iterator[Draft]:
    yield Draft("a usual smile", svi_json(SMILE))
    yield Draft("a flat smile", svi_json(FLAT))
    for field, bounds in RANGES.items():
        for bound, outwards in zip(bounds, (-1, 1), strict=True):
            base = replace(base_of(field), **{field: bound})
            yield Draft(f"{field} at {bound}", svi_json(base), ("corner",))
            outside = replace(base, **{field: bound + outwards})
            yield Draft(f"{field} at {bound + outwards}", svi_json(outside), ("corner",))
            far = replace(base, **{field: far_outside(field, outwards)})
            yield Draft(f"{field} at {far_outside(field, outwards)}", svi_json(far), ("corner",))
    least = 10**16
    for rho in (0, 600 * MILLI, -800 * MILLI):
        root = {0: 1000, 600 * MILLI: 800, -800 * MILLI: 600}[rho] * MILLI
        floor = 100 * MILLI * 100 * MILLI * root // 10**36
        for a in (-floor, -floor - 1, -floor - least):
            smile = Svi(a, 100 * MILLI, rho, 0, 100 * MILLI)
            yield Draft(
                f"least variance {a + floor}", svi_json(smile), ("corner",), "about zero least variance"
            )
    draw = draws(303)
    for number in range(24):
        b, rho = draw.randint(0, 2 * 10**18), draw.randint(-9999 * 10**14, 9999 * 10**14)
        sigma = log_uniform(draw, 10**12, 4 * 10**18)
        lowest = max(-4 * 10**18, -variance_floor(b, rho, sigma))
        svi = Svi(draw.randint(lowest, 10**18), b, rho, draw.randint(-4 * 10**18, 4 * 10**18), sigma)
        yield Draft(f"random smile {number}", svi_json(svi), ("random",))
    for name, svi in further_outside():
        yield Draft(name, svi_json(svi), ("range",))
    for name, svi in negative_variances((0, 600 * MILLI, -600 * MILLI, 9999 * 10**14, -9999 * 10**14)):
        yield Draft(name, svi_json(svi), ("variance",))


def _vol(given: Json) -> Json:
    svi = svi_of(given["svi"])
    require_valid_smile(svi)
    vol = total_vol(prepare_smile(svi), logarithm(int(given["forward"])), logarithm(int(given["strike"])))
    return {"totalVol": decimal(vol)}


def _valid(svi: Svi) -> bool:
    try:
        require_valid_smile(svi)
    except SpecError:
        return False
    return True


def _vols() -> Iterator[Draft]:
    draw = draws(301)
    corners = (
        Svi(9 * 10**18, 2 * 10**18, 9999 * 10**14, 4 * 10**18, 4 * 10**18),
        Svi(9 * 10**18, 2 * 10**18, -9999 * 10**14, -4 * 10**18, 4 * 10**18),
        Svi(0, 0, 0, 0, 10**12),
        Svi(0, 2 * 10**18, 9999 * 10**14, 0, 10**12),
        Svi(-14_142_135_623_730, 1000 * MILLI, -9999 * 10**14, 0, MILLI),
        FLAT,
    )
    for svi in corners:
        for forward, strike in ((10**6, 10**16), (10**14, 10**4), (10**8, 10**8), (10**14, 10**14 + 1)):
            given = {"svi": svi_json(svi), "forward": decimal(forward), "strike": decimal(strike)}
            yield Draft(f"forward {forward} strike {strike}", given, ("corner",))
    for b in (333_333_333_333_333_333, 999_999_999_999_999_999, 700 * MILLI + 1):
        svi = Svi(-4 * b, b, 0, 0, 4 * 10**18)
        given = {"svi": svi_json(svi), "forward": decimal(7 * 10**12), "strike": decimal(7 * 10**12)}
        yield Draft(f"no variance at the money, b {b}", given, ("corner",), "rounds to below zero")
    for _ in range(100):
        svi = Svi(
            draw.randint(-(10**16), 10**18),
            log_uniform(draw, 10**14, 2 * 10**18),
            draw.randint(-999 * MILLI, 999 * MILLI),
            draw.randint(-(10**18), 10**18),
            log_uniform(draw, 10**12, 4 * 10**18),
        )
        forward = log_uniform(draw, 10**6, 10**14)
        strike = log_uniform(draw, max(10**4, forward // 100), min(10**16, forward * 100))
        given = {"svi": svi_json(svi), "forward": decimal(forward), "strike": decimal(strike)}
        yield Draft(
            f"forward {forward} strike {strike}", given, ("random",), "" if _valid(svi) else "refused"
        )
    yield from _bad_vols()


def _bad_vols() -> Iterator[Draft]:
    near, wing = (7 * 10**12, 7 * 10**12), (10**14, 10**4)
    for faults, (forward, strike), flag in (
        (one_outside(), near, "range"),
        (far_away(), wing, "range"),
        (negative_variances((0, 9999 * 10**14)), near, "variance"),
    ):
        for name, svi in faults:
            given = {"svi": svi_json(svi), "forward": decimal(forward), "strike": decimal(strike)}
            yield Draft(name, given, (flag,))
    for outside in (0, 2**64, 2**64 + 1, 2**128, 2**255 - 1):
        for forward, strike in ((outside, 10**12), (10**12, outside)):
            given = {"svi": svi_json(SMILE), "forward": decimal(forward), "strike": decimal(strike)}
            yield Draft(f"forward {forward} strike {strike}", given, ("range",), "no logarithm")


TOPICS: Final = (
    Topic(
        "smile",
        "parameters",
        "Acceptance of the five SVI parameters (WAD) and their binary values, each floored.",
        _accept,
        _acceptance,
        SVI_SCHEMA,
        record(**{f"{name}Q{bits}": INTEGER for name, bits in _PLACES.items()}),
    ),
    Topic(
        "smile",
        "total-vol",
        "Total volatility (Q58) at a strike; forward and strike in E8.",
        _vol,
        _vols,
        record(svi=SVI_SCHEMA, forward=NATURAL, strike=NATURAL),
        record(totalVol=NATURAL),
    ),
)
