"""Family scenario: how volatility moves: rules by kind, and skews by strike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Final

from marginproof.spec.black76 import MAX_TOTAL_VOL
from marginproof.spec.limits import MAX_TIME, MAX_VOL_ADD
from marginproof.spec.model import ModelSection, Scenario, VolKind
from marginproof.spec.scenario import Shock, shocked_vol, vol_rule
from marginproof.spec.tenor import skew_multiplier, skew_terms
from marginproof.spec.units import ONE_Q58

from .case import Draft, Json, Topic, decimal, draws, log_uniform
from .models import EXTREME, FULL, LOWEST, MILLI, WAD
from .schema import INTEGER, NATURAL, choice, record
from .tenor import FIELD_OF, POWERS, SECONDS, drawn, fields_json, section_of

_RULE: Final = ("volUp", "volDown", "minVolUp", *POWERS)
_RULE_KINDS: Final = (VolKind.NONE, VolKind.UP, VolKind.DOWN, VolKind.ADD)
_SKEW_KINDS: Final = (VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW)
_SKEW: Final = (
    ("linearCap", "linearCapSlope", "absoluteCap", "absoluteCapSlope")
    + ("skewMinimum", "skewWidth", "skewVol", "skewVolSlope")
)  # fmt: skip
_TOP: Final = MAX_TOTAL_VOL


def _word(kind: VolKind) -> str:
    return kind.name.lower()


def _rule(given: Json) -> Json:
    scenario = Scenario(WAD, VolKind[given["kind"].upper()], WAD, int(given["amount"]))
    multiplier, added, floor = vol_rule(section_of(given), scenario, int(given["seconds"]))
    return {"multiplier": decimal(multiplier), "added": decimal(added), "floor": decimal(floor)}


def _rule_draft(fields: Json, kind: VolKind, seconds: int, flag: str, amount: int = 0) -> Draft:
    given = {**fields, "kind": _word(kind), "amount": decimal(amount), "seconds": decimal(seconds)}
    moved = f" {amount}" if kind == VolKind.ADD else ""
    return Draft(f"vol {_word(kind)}{moved} at {seconds} s", given, (flag,))


def _rules() -> Iterator[Draft]:
    draw = draws(401)
    for section in (FULL, EXTREME, LOWEST):
        fields = fields_json(section, _RULE)
        for kind, seconds in product((VolKind.UP, VolKind.DOWN), SECONDS):
            yield _rule_draft(fields, kind, seconds, "corner")
    usual = fields_json(FULL, _RULE)
    for seconds in SECONDS[1::6]:
        yield _rule_draft(usual, VolKind.NONE, seconds, "corner")
    for amount, seconds in product(
        (0, 1, -1, 180 * MILLI, -90 * MILLI, MAX_VOL_ADD, -MAX_VOL_ADD), SECONDS[::2]
    ):
        yield _rule_draft(usual, VolKind.ADD, seconds, "corner", amount)
    for fields in drawn(402, _RULE, 80):
        kind = draw.choice(_RULE_KINDS[1:])
        amount = draw.randint(-MAX_VOL_ADD, MAX_VOL_ADD) if kind == VolKind.ADD else 0
        yield _rule_draft(fields, kind, log_uniform(draw, 1, MAX_TIME - 1), "random", amount)


def _shocked(given: Json) -> Json:
    vol, multiplier, added, floor = (int(given[name]) for name in ("vol", "multiplier", "added", "floor"))
    return {"vol": decimal(shocked_vol(vol, Shock(1, 0, multiplier, added, floor, None), multiplier))}


def _shocked_draft(vol: int, multiplier: int, added: int, floor: int, flag: str) -> Draft:
    values = {"vol": vol, "multiplier": multiplier, "added": added, "floor": floor}
    name = f"vol {vol} x {multiplier} + {added}, at least {floor}"
    return Draft(name, {key: decimal(value) for key, value in values.items()}, (flag,))


def _shocked_drafts() -> Iterator[Draft]:
    draw = draws(404)
    for vol, multiplier, added, floor in product(
        (0, 1, _TOP), (0, ONE_Q58, _TOP), (-_TOP, 0, _TOP), (0, _TOP)
    ):
        yield _shocked_draft(vol, multiplier, added, floor, "corner")
    for vol in (ONE_Q58 // 2, ONE_Q58 // 2 + 1):
        for added in (-vol - 1, -vol, 1 - vol, 1, _TOP - vol, _TOP - vol + 1):
            yield _shocked_draft(vol, ONE_Q58, added, 0, "corner")
        for floor in (vol - 1, vol, vol + 1):
            yield _shocked_draft(vol, ONE_Q58, 0, floor, "corner")
            yield _shocked_draft(vol, ONE_Q58 - 1, 0, floor, "corner")
    for _ in range(40):
        added = draw.choice((0, draw.randint(-ONE_Q58, ONE_Q58)))
        floor = draw.choice((0, log_uniform(draw, 1, ONE_Q58)))
        yield _shocked_draft(
            log_uniform(draw, 1, 4 * ONE_Q58), log_uniform(draw, 1, 4 * ONE_Q58), added, floor, "random"
        )


def _terms(given: Json) -> Json:
    is_absolute = given["kind"] == _word(VolKind.ABSOLUTE_SKEW)
    cap, k_star = skew_terms(section_of(given), int(given["seconds"]), is_absolute)
    return {"cap": decimal(cap), "kStar": decimal(k_star)}


def _terms_draft(fields: Json, kind: VolKind, seconds: int, flag: str) -> Draft:
    given = {**fields, "kind": _word(kind), "seconds": decimal(seconds)}
    return Draft(f"{_word(kind)} at {seconds} s", given, (flag,))


def _skew_sections() -> Iterator[ModelSection]:
    usual = FULL
    yield usual
    yield replace(usual, linear_cap=0, absolute_cap=0)
    yield replace(usual, skew_vol_slope=-20 * WAD)
    yield EXTREME
    yield replace(EXTREME, linear_cap_slope=-10 * WAD, absolute_cap_slope=-10 * WAD, skew_vol_slope=-20 * WAD)
    yield LOWEST


def _terms_drafts() -> Iterator[Draft]:
    draw = draws(405)
    for section, kind, seconds in product(_skew_sections(), _SKEW_KINDS, SECONDS[1::2]):
        yield _terms_draft(fields_json(section, _SKEW), kind, seconds, "corner")
    for fields in drawn(406, _SKEW, 60):
        yield _terms_draft(fields, draw.choice(_SKEW_KINDS), log_uniform(draw, 1, MAX_TIME - 1), "random")


def _tilt(given: Json) -> Json:
    return {"multiplier": decimal(skew_multiplier(*(int(given[name]) for name in ("k", "cap", "kStar"))))}


def _tilt_draft(k: int, cap: int, k_star: int, flag: str, comment: str = "") -> Draft:
    given = {"k": decimal(k), "cap": decimal(cap), "kStar": decimal(k_star)}
    return Draft(f"skew at {k}, cap {cap} from {k_star}", given, (flag,), comment)


def _tilts() -> Iterator[Draft]:
    draw = draws(407)
    far = (1 << 63) - 1
    for size, cap, k_star in product(
        (0, 1, ONE_Q58, far), (-_TOP, -1, 0, 1, ONE_Q58, _TOP), (1, ONE_Q58, _TOP)
    ):
        for k in sorted({size, -size}):
            yield _tilt_draft(k, cap, k_star, "corner")
    cap, k_star = 15 * ONE_Q58 // 100, 40 * ONE_Q58 // 100
    for at in (k_star - 1, k_star, k_star + 1):
        for k, sign in product((at, -at), (1, -1)):
            yield _tilt_draft(k, sign * cap, k_star, "corner", "where the cap is reached")
    for product_ in (-1, 0, 1):
        for sign in (1, -1):
            yield _tilt_draft(
                (1 << 62) + product_, sign * (1 << 62), 1 << 62, "corner", "where the quotient reaches 16"
            )
    for _ in range(60):
        k = draw.choice((-1, 1)) * log_uniform(draw, 1, 28 * ONE_Q58)
        cap = draw.choice((-1, 1, 1)) * log_uniform(draw, 1, _TOP)
        yield _tilt_draft(k, cap, log_uniform(draw, 1 << 30, _TOP), "random")


def _topic(name: str, comment: str, *parts: Json) -> Topic:
    return Topic("scenario", name, comment, *parts)


TOPICS: Final = (
    _topic(
        "vol-rule",
        "Multiplier, addition and floor of total volatility (Q58) in a scenario that is no skew; parameters and amount in WAD.",
        _rule,
        _rules,
        record(
            **dict.fromkeys((*_RULE, "seconds"), NATURAL),
            kind=choice(*map(_word, _RULE_KINDS)),
            amount=INTEGER,
        ),
        record(multiplier=NATURAL, added=INTEGER, floor=NATURAL),
    ),
    _topic(
        "shocked-vol",
        "Total volatility after a rule, Q58 throughout.",
        _shocked,
        _shocked_drafts,
        record(vol=NATURAL, multiplier=NATURAL, added=INTEGER, floor=NATURAL),
        record(vol=NATURAL),
    ),
    _topic(
        "skew-terms",
        "Cap and k* of a skew at an expiry, Q58; parameters in WAD.",
        _terms,
        _terms_drafts,
        record(
            **{name: INTEGER if FIELD_OF[name].low < 0 else NATURAL for name in _SKEW},
            kind=choice(*map(_word, _SKEW_KINDS)),
            seconds=NATURAL,
        ),
        record(cap=INTEGER, kStar=NATURAL),
    ),
    _topic(
        "skew-multiplier",
        "By what a skew multiplies volatility at a log-moneyness, Q58 throughout.",
        _tilt,
        _tilts,
        record(k=INTEGER, cap=INTEGER, kStar=NATURAL),
        record(multiplier=NATURAL),
    ),
)
