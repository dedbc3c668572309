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
from .schema import INTEGER, NATURAL, record

MAX_FORWARD: Final = MAX_SPOT * MAX_SPOT_SHOCK // ONE_WAD
_PAIR: Final = ("forward", "strike", "totalVol", "discount")


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


def _pair(given: Json) -> Json:
    forward, strike, vol, discount = (int(given[name]) for name in _PAIR)
    pair = black76.option_pair(forward, strike, logarithm(forward), logarithm(strike), vol, discount)
    return {
        "call": decimal(pair.call),
        "put": decimal(pair.put),
        "callDelta": decimal(pair.call_delta),
        "putDelta": decimal(pair.put_delta),
    }


def _options(
    forward: int, strike: int, vol: int, *flags: str, discount: int = ONE_Q58, comment: str = ""
) -> Draft:
    given = {
        name: decimal(value) for name, value in zip(_PAIR, (forward, strike, vol, discount), strict=True)
    }
    return Draft(f"forward {forward} strike {strike} vol {vol} discount {discount}", given, flags, comment)


def _pairs() -> Iterator[Draft]:
    draw = draws(202)
    vols = (0, 1, ONE_Q58 // 10_000, ONE_Q58, black76.MAX_TOTAL_VOL)
    corners = (10**4, 10**8, MAX_FORWARD), (MIN_STRIKE, 10**8, MAX_STRIKE), vols
    for forward, strike, vol in product(*corners):
        yield _options(forward, strike, vol, "corner")
    least = ONE_Q58 * 4 // 10**18
    for (forward, strike, vol), discount in product(product(*corners), (0, 1, least, ONE_Q58 - 1)):
        if draw.randrange(3) == 0:
            yield _options(forward, strike, vol, "corner", discount=discount)
    for offset, vol, discount in product(
        (-1, 0, 1), (0, 1, ONE_Q58 // 1000, ONE_Q58 // 2), (ONE_Q58, 9 * ONE_Q58 // 10)
    ):
        at, about = 7 * 10**12, "at the money, one unit about"
        yield _options(at, at + offset, vol, "corner", discount=discount, comment=about)
    yield from _tails()
    yield from _halves()
    yield from _edges_of_the_price_bits()
    for number in range(200):
        forward = log_uniform(draw, 10**6, MAX_SPOT)
        strike = log_uniform(draw, max(MIN_STRIKE, forward // 100), min(MAX_STRIKE, forward * 100))
        vol = log_uniform(draw, ONE_Q58 // 10_000, 5 * ONE_Q58)
        discount = ONE_Q58 if number % 2 else draw.randint(ONE_Q58 // 8, ONE_Q58)
        yield _options(forward, strike, vol, "random", discount=discount)


def _tails() -> Iterator[Draft]:
    y = black76.moneyness(logarithm(10**12), logarithm(2 * 10**12))
    for vol in ((y >> 5) - 1, y >> 5, (y >> 5) + 1, y // 10, y // 9 - 1, y // 9, y // 9 + 1, y // 8, y // 4):
        for forward, strike in ((10**12, 2 * 10**12), (2 * 10**12, 10**12)):
            yield _options(forward, strike, vol, "corner", comment="where N(a) reaches 0, or in the far tail")


def _edges_of_the_price_bits() -> Iterator[Draft]:
    """Cases in which a binary place more or less in the discounted prices would show."""
    draw = draws(203)
    for bits in (black76.PRICE_BITS - 1, black76.PRICE_BITS + 1):
        found = 0
        while found < 4:
            near, far = sorted(draw.randint(10**11, 10**13) for _ in range(2))
            vol, discount = draw.randint(ONE_Q58 // 4, ONE_Q58), draw.randint(ONE_Q58 // 2, ONE_Q58)
            a = (vol >> 1) - (black76.moneyness(logarithm(near), logarithm(far)) << 58) // vol
            other = (near * discount >> 58 - bits) * gaussian.normal_cdf(a)
            other -= (far * discount >> 58 - bits) * gaussian.normal_cdf(a - vol)
            pair = black76.option_pair(near, far, logarithm(near), logarithm(far), vol, discount)
            if other >> 60 + bits != pair.call:
                found += 1
                yield _options(near, far, vol, "edge", discount=discount)


def _halves() -> Iterator[Draft]:
    """The discounted parity term lies at a half, one unit of the discount below it, and above."""
    half = 1 << 57
    for forward, strike in ((10**8 + 1, 10**8), (10**8, 10**8 + 1), (10**8 + 3, 10**8), (10**8, 10**8 + 5)):
        for discount in (half - 1, half, half + 1):
            for vol in (0, 1 << 40):
                comment = "parity rounds to the nearest, halves up"
                yield _options(forward, strike, vol, "corner", discount=discount, comment=comment)


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
        "A call and a put and their discounted deltas: prices in E8, total volatility and discount factor in Q58, deltas in Q60. "
        "Defined for every input.",
        _pair,
        _pairs,
        record(**dict.fromkeys(_PAIR, NATURAL)),
        record(call=NATURAL, put=NATURAL, callDelta=INTEGER, putDelta=INTEGER),
    ),
)
