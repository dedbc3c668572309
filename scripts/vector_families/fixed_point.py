"""Family fixed-point: division, shifts, roots, conversion, logarithm, exponential and power."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from marginproof.spec import fixed_point as fp
from marginproof.spec import logarithm as lg

from .case import Draft, Json, Topic, decimal, draws, log_uniform
from .schema import INTEGER, NATURAL, choice, record

_NEAR_WORDS: Final = (1, 2, 3, 10**8, 10**18, (1 << 64) - 1, 1 << 64, (1 << 127) - 1, (1 << 127) + 7)


def _divide(given: Json) -> Json:
    function = fp.floor_div if given["rounding"] == "down" else fp.ceil_div
    return {"quotient": decimal(function(int(given["numerator"]), int(given["denominator"])))}


def _divisions() -> Iterator[Draft]:
    for rounding in ("down", "up"):
        for numerator in (0, 1, -1, 7, -7, 8, -8, 10**34, -(10**34), (1 << 240) + 1, -(1 << 240) - 1):
            for denominator in (1, 7, 10**8, 10**18 + 9):
                given = {
                    "rounding": rounding,
                    "numerator": decimal(numerator),
                    "denominator": decimal(denominator),
                }
                yield Draft(f"{numerator} / {denominator} {rounding}", given, ("corner",))
        for numerator in (0, 5, -5, 10**30):
            for denominator in (0, -1, -(10**18)):
                given = {
                    "rounding": rounding,
                    "numerator": decimal(numerator),
                    "denominator": decimal(denominator),
                }
                yield Draft(
                    f"{numerator} / {denominator} {rounding}", given, ("corner",), "denominator not positive"
                )


def _shift(given: Json) -> Json:
    return {"product": decimal(fp.mul_shift(int(given["a"]), int(given["b"]), int(given["bits"])))}


def _shifts() -> Iterator[Draft]:
    for bits in (1, 6, 58, 60, 64, 70, 96):
        for a in (1, -1, 3, -3, (1 << 62) + 1, -(1 << 62) - 1):
            for b in (1, -1, (1 << 58) - 1, -(1 << 63)):
                yield Draft(
                    f"{a} * {b} >> {bits}",
                    {"a": decimal(a), "b": decimal(b), "bits": decimal(bits)},
                    ("corner",),
                )


def _root(given: Json) -> Json:
    return {"root": decimal(fp.square_root(int(given["value"])))}


def _roots() -> Iterator[Draft]:
    for value in (0, 1, 2, 3, 4, *_NEAR_WORDS):
        for nearby in {value, value * value - 1, value * value, value * value + 1}:
            yield Draft(f"root of {nearby}", {"value": decimal(nearby)}, ("corner",))
    for value in (1, 2, 10**18, 1 << 200):
        yield Draft(f"root of {-value}", {"value": decimal(-value)}, ("corner",), "negative")


def _convert(given: Json) -> Json:
    return {"binary": decimal(fp.wad_to_binary(int(given["wad"]), int(given["bits"])))}


def _conversions() -> Iterator[Draft]:
    draw = draws(103)
    corners = (
        0,
        1,
        10**18,
        10**18 - 1,
        10**18 + 1,
        4 * 10**18,
        9 * 10**18,
        20 * 10**18,
        333333333333333333,
        9999 * 10**14,
    )
    for bits in (58, 60, 64):
        for value in corners:
            for signed in sorted({value, -value}):
                yield _conversion(signed, bits, "corner")
        for _ in range(8):
            yield _conversion(draw.randint(-20 * 10**18, 20 * 10**18), bits, "random")
    yield _conversion(123456789, 0, "corner")
    yield _conversion(-1, 1, "corner")


def _conversion(value: int, bits: int, flag: str) -> Draft:
    given = {"wad": decimal(value), "bits": decimal(bits)}
    return Draft(f"{value} wad with {bits} binary places", given, (flag,))


def _log(given: Json) -> Json:
    return {"logarithm": decimal(lg.logarithm(int(given["x"])))}


def _logs() -> Iterator[Draft]:
    draw = draws(101)
    for x in (1, 2, 3, 7, 8, 9, 10**4, 10**6, 10**8, 10**14, 10**16, 16 * 10**14, 2_592_000, (1 << 64) - 1):
        yield Draft(f"ln {x}", {"x": decimal(x)}, ("corner",))
    for j in range(8):
        for offset in (-1, 0, 1):
            x = ((8 + j) << 50) + offset
            yield Draft(f"ln {x}", {"x": decimal(x)}, ("corner",), f"at eighth {j}")
    for _ in range(40):
        x = draw.randrange(1, 1 << draw.randrange(2, 65))
        yield Draft(f"ln {x}", {"x": decimal(x)}, ("random",))
    for x in (0, -1, -(10**8), 1 << 64, (1 << 64) + 1, 1 << 128, 10**40):
        yield Draft(f"ln {x}", {"x": decimal(x)}, ("corner",), "outside 1 .. 2^64 - 1")


def _exp(given: Json) -> Json:
    return {"exponential": decimal(lg.exponential(int(given["x"])))}


def _exps() -> Iterator[Draft]:
    draw = draws(102)
    top = lg.MAX_EXP_ARGUMENT
    for x in (
        0,
        1,
        -1,
        1 << 64,
        -(1 << 64),
        lg.LN2 >> 32,
        (lg.LN2 >> 32) + 1,
        -(lg.LN2 >> 32),
        top,
        -top,
        top - 1,
        1 - top,
    ):
        yield Draft(f"e^({x}/2^64)", {"x": decimal(x)}, ("corner",))
    for _ in range(40):
        x = draw.randint(-top, top)
        yield Draft(f"e^({x}/2^64)", {"x": decimal(x)}, ("random",))
    for x in (top + 1, -top - 1, 41 << 64, -(41 << 64), 1 << 100, -(1 << 100)):
        yield Draft(f"e^({x}/2^64)", {"x": decimal(x)}, ("corner",), "outside -40 .. 40")


def _bounded(given: Json) -> Json:
    return {"exponential": decimal(lg.bounded_exponential(int(given["x"])))}


def _bounded_exps() -> Iterator[Draft]:
    draw = draws(104)
    top = lg.MAX_EXP_ARGUMENT
    for size in (0, 1, 1 << 64, top - 1, top, top + 1, 41 << 64, 1 << 100, 1 << 127, 1 << 250):
        for x in sorted({size, -size}):
            yield Draft(f"e^({x}/2^64), bounded", {"x": decimal(x)}, ("corner",))
    for _ in range(12):
        x = draw.randint(-2 * top, 2 * top)
        yield Draft(f"e^({x}/2^64), bounded", {"x": decimal(x)}, ("random",))


def _power(given: Json) -> Json:
    return {"power": decimal(lg.power(int(given["ratioLogarithm"]), int(given["exponent"])))}


def _powers() -> Iterator[Draft]:
    draw = draws(105)
    one = 1 << 64
    ratios = (
        0,
        1,
        -1,
        lg.logarithm(2),
        -lg.logarithm(2),
        lg.logarithm(30),
        lg.logarithm((1 << 64) - 1),
        -23 * one,
    )
    for ratio in ratios:
        for exponent in (0, 1, 3 * one // 10, one - 1, one, one + 1, 10 * one, -one):
            yield _power_draft(ratio, exponent, "corner")
    for _ in range(24):
        ratio = draw.choice((-1, 1)) * log_uniform(draw, 1, 45 * one)
        yield _power_draft(ratio, log_uniform(draw, 1, 10 * one), "random")


def _power_draft(ratio: int, exponent: int, flag: str) -> Draft:
    given = {"ratioLogarithm": decimal(ratio), "exponent": decimal(exponent)}
    return Draft(f"logarithm {ratio}/2^64 to the {exponent}/2^64", given, (flag,))


def _topic(name: str, comment: str, *parts: Json) -> Topic:
    return Topic("fixed-point", name, comment, *parts)


TOPICS: Final = (
    _topic(
        "division",
        "Division of signed integers, rounded down (towards minus infinity) or up; the denominator is positive.",
        _divide,
        _divisions,
        record(rounding=choice("down", "up"), numerator=INTEGER, denominator=INTEGER),
        record(quotient=INTEGER),
    ),
    _topic(
        "shift",
        "floor(a * b / 2^bits), the only rounding inside pricing.",
        _shift,
        _shifts,
        record(a=INTEGER, b=INTEGER, bits=NATURAL),
        record(product=INTEGER),
    ),
    _topic("square-root", "floor(sqrt(value)).", _root, _roots, record(value=INTEGER), record(root=NATURAL)),
    _topic(
        "wad-to-binary",
        "floor(wad * 2^bits / 10^18).",
        _convert,
        _conversions,
        record(wad=INTEGER, bits=NATURAL),
        record(binary=INTEGER),
    ),
    _topic(
        "logarithm",
        "ln(x) of a bare integer, Q64.",
        _log,
        _logs,
        record(x=INTEGER),
        record(logarithm=INTEGER),
    ),
    _topic(
        "exponential", "e^x, Q64 in and out.", _exp, _exps, record(x=INTEGER), record(exponential=NATURAL)
    ),
    _topic(
        "bounded-exponential",
        "e^x with x brought into [-40, 40] first, Q64 in and out. Defined for every input.",
        _bounded,
        _bounded_exps,
        record(x=INTEGER),
        record(exponential=NATURAL),
    ),
    _topic(
        "power",
        "exp(exponent * ln ratio), Q64 throughout. Defined for every input.",
        _power,
        _powers,
        record(ratioLogarithm=INTEGER, exponent=INTEGER),
        record(power=NATURAL),
    ),
)
