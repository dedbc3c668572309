"""Family pricing: the normal distribution and Black-76 option values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from marginproof.spec import black76, gaussian
from marginproof.spec.limits import MAX_SPOT, MAX_SPOT_SHOCK, MAX_STRIKE, MIN_STRIKE
from marginproof.spec.logarithm import logarithm
from marginproof.spec.units import ONE_Q58, ONE_WAD

from .case import Draft, Json, Topic, decimal, draws, log_uniform
from .schema import BOOLEAN, INTEGER, NATURAL, record

MAX_FORWARD: Final = MAX_SPOT * MAX_SPOT_SHOCK // ONE_WAD


def _cdf(given: Json) -> Json:
    return {"probability": decimal(gaussian.normal_cdf(int(given["x"])))}


def _cdfs() -> Iterator[Draft]:
    draw = draws(201)
    cell = 1 << gaussian.CELL_BITS
    edges = {
        0,
        1,
        cell - 1,
        cell // 2,
        9 * ONE_Q58 - 1,
        9 * ONE_Q58,
        9 * ONE_Q58 + 1,
        32 * ONE_Q58,
        (1 << 63) - 1,
        1 << 63,
    }
    edges |= {j * cell for j in range(1, 37)}
    for x in sorted(edges):
        for signed in sorted({x, -x}):
            yield Draft(f"N({signed}/2^58)", {"x": decimal(signed)}, ("corner",))
    for j in range(36):
        x = draw.randrange(j * cell, (j + 1) * cell)
        signed = x if draw.randrange(2) else -x
        yield Draft(f"N({signed}/2^58)", {"x": decimal(signed)}, ("random",), f"cell {j}")


def _price(given: Json) -> Json:
    forward, strike, vol = int(given["forward"]), int(given["strike"]), int(given["totalVol"])
    return {"value": decimal(black76.price(given["isCall"], forward, strike, vol))}


def _option(is_call: bool, forward: int, strike: int, vol: int, *flags: str, comment: str = "") -> Draft:
    given = {
        "isCall": is_call,
        "forward": decimal(forward),
        "strike": decimal(strike),
        "totalVol": decimal(vol),
    }
    kind = "call" if is_call else "put"
    return Draft(f"{kind} forward {forward} strike {strike} vol {vol}", given, flags, comment)


def _prices() -> Iterator[Draft]:
    draw = draws(202)
    vols = (0, 1, ONE_Q58 // 10_000, ONE_Q58, black76.MAX_TOTAL_VOL)
    for forward, strike, vol in product((10**4, 10**8, MAX_FORWARD), (MIN_STRIKE, 10**8, MAX_STRIKE), vols):
        for is_call in (True, False):
            yield _option(is_call, forward, strike, vol, "corner")
    for offset in (-1, 0, 1):
        for vol in (0, 1, ONE_Q58 // 1000, ONE_Q58 // 2):
            for is_call in (True, False):
                yield _option(
                    is_call,
                    7 * 10**12,
                    7 * 10**12 + offset,
                    vol,
                    "corner",
                    comment="at the money, one unit about",
                )
    y = black76.moneyness(logarithm(10**12), logarithm(2 * 10**12))
    for vol in ((y >> 5) - 1, y >> 5, (y >> 5) + 1, (y >> 5) + 2, y // 9, y // 8, y // 4):
        yield _option(
            True, 10**12, 2 * 10**12, vol, "corner", comment="about the cut-off y/w = 32, or in the far tail"
        )
        yield _option(
            False, 10**12, 2 * 10**12, vol, "corner", comment="about the cut-off y/w = 32, or in the far tail"
        )
    for _ in range(200):
        forward = log_uniform(draw, 10**6, MAX_SPOT)
        strike = log_uniform(draw, max(MIN_STRIKE, forward // 100), min(MAX_STRIKE, forward * 100))
        vol = log_uniform(draw, ONE_Q58 // 10_000, 5 * ONE_Q58)
        yield _option(bool(draw.randrange(2)), forward, strike, vol, "random")


TOPICS: Final = (
    Topic(
        "pricing",
        "gaussian",
        "The standard normal distribution function: x in Q58, probability in Q60.",
        _cdf,
        _cdfs,
        record(x=INTEGER),
        record(probability=NATURAL),
    ),
    Topic(
        "pricing",
        "black76",
        "Undiscounted option values: forward, strike and value in E8, total volatility in Q58. Defined for every input.",
        _price,
        _prices,
        record(isCall=BOOLEAN, forward=NATURAL, strike=NATURAL, totalVol=NATURAL),
        record(value=NATURAL),
    ),
)
