"""Family model: the canonical bytes of a margin model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, cast

from marginproof.spec import limits
from marginproof.spec.model import (
    FIELD_BYTES,
    MODEL_VERSION,
    Model,
    ModelSection,
    Scenario,
    VolKind,
    decode_model,
    encode_model,
    model_hash,
    neutral_section,
)
from marginproof.spec.model_fields import FIELDS, Field

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .models import BASIS, DELTA_CHARGE, EXTREME, FULL, LOWEST, SECTION, SHORT_MINIMUM, SMALL, WAD, model_of
from .schema import BYTES, BYTES32, INTEGER, NATURAL, array, record

_SECTION_HEAD: Final = 1 + FIELD_BYTES * len(FIELDS) + 1
_SCENARIO: Final = 25
_ONE: Final = replace(EXTREME, scenarios=SMALL.scenarios[:1], maintenance_factor=0)
"""Every field is at its top but the maintenance factor, so that each field alone can leave its range."""


def raw_model(model: Model, version: int = MODEL_VERSION) -> bytes:
    """Canonical layout without any check."""
    parts = [bytes((version, len(model.sections)))]
    for section in model.sections:
        parts.append(bytes((section.underlying,)))
        parts += [value.to_bytes(FIELD_BYTES, "big", signed=True) for value in section.values()]
        parts.append(bytes((len(section.scenarios),)))
        parts += [
            s.spot_wad.to_bytes(8, "big")
            + bytes((s.kind,))
            + s.amount_wad.to_bytes(8, "big", signed=True)
            + s.weight_wad.to_bytes(8, "big")
            for s in section.scenarios
        ]
    return b"".join(parts)


def _section_json(section: ModelSection) -> Json:
    return {
        "underlying": decimal(section.underlying),
        **{field.name: decimal(getattr(section, field.attribute)) for field in FIELDS},
        "indexCount": decimal(section.index_count()),
        "scenarios": [
            {
                "spot": decimal(s.spot_wad),
                "volKind": decimal(s.kind),
                "volAdd": decimal(s.amount_wad),
                "weight": decimal(s.weight_wad),
            }
            for s in section.scenarios
        ],
    }


def _decode(given: Json) -> Json:
    data = octets(given["bytes"])
    model = decode_model(data)
    if encode_model(model) != data:
        raise AssertionError("an encoding that does not survive decoding and encoding")
    return {
        "hash": hexadecimal(model_hash(model)),
        "sections": [_section_json(section) for section in model.sections],
    }


def _draft(name: str, data: bytes, *flags: str, comment: str = "") -> Draft:
    return Draft(name, {"bytes": hexadecimal(data)}, flags, comment)


def _changed(section: ModelSection, field: Field, value: int) -> ModelSection:
    change: dict[str, Any] = {field.attribute: value}
    return replace(section, **change)


def _ranges() -> Iterator[Draft]:
    """Every field one unit outside, on either side; the widest integers; and the two factors against each other."""
    for field in FIELDS:
        for value in (field.low - 1, field.high + 1):
            yield _draft(
                f"{field.name} = {value}", raw_model(model_of(_changed(_ONE, field, value))), "corner"
            )
    for field in FIELDS[::7]:
        for value in (-(2**127), 2**127 - 1, 2**64 + field.low, -(2**64) + field.high):
            yield _draft(
                f"{field.name} = {value}", raw_model(model_of(_changed(_ONE, field, value))), "corner"
            )
    for initial, maintenance in ((WAD, WAD), (WAD, WAD + 1), (0, 0), (0, 1)):
        section = replace(_ONE, initial_factor=initial, maintenance_factor=maintenance)
        yield _draft(f"factors {initial} and {maintenance}", raw_model(model_of(section)), "corner")


def _scenario_ranges() -> Iterator[Draft]:
    add, none, low, high = VolKind.ADD, VolKind.NONE, limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK
    most = limits.MAX_VOL_ADD
    good = (
        Scenario(low, none, WAD),
        Scenario(high, VolKind.DOWN, 0),
        Scenario(WAD, VolKind.UP, 1),
        Scenario(WAD, VolKind.LINEAR_SKEW, limits.MAX_WEIGHT),
        Scenario(WAD, VolKind.ABSOLUTE_SKEW, WAD),
        Scenario(WAD, add, WAD, most),
        Scenario(WAD, add, WAD, -most),
        Scenario(WAD, add, WAD, 0),
    )
    bad = (
        Scenario(low - 1, none, WAD),
        Scenario(0, none, WAD),
        Scenario(high + 1, none, WAD),
        Scenario(2**64 - 1, none, WAD),
        Scenario(WAD, none, limits.MAX_WEIGHT + 1),
        Scenario(WAD, none, 2**64 - 1),
        Scenario(WAD, cast(VolKind, 6), WAD),
        Scenario(WAD, cast(VolKind, 255), WAD),
        Scenario(WAD, add, WAD, most + 1),
        Scenario(WAD, add, WAD, -most - 1),
        Scenario(WAD, add, WAD, -(2**63)),
        *(Scenario(WAD, kind, WAD, 1) for kind in VolKind if kind != add),
        Scenario(WAD, VolKind.UP, WAD, -1),
    )
    for scenario in (*good, *bad):
        model = model_of(replace(_ONE, scenarios=(*_ONE.scenarios, scenario)))
        name = f"scenario {scenario.spot_wad}, {int(scenario.kind)}, {scenario.amount_wad}, {scenario.weight_wad}"
        yield _draft(name, raw_model(model), "corner")


def _good_models() -> Iterator[Draft]:
    one = replace(SMALL, scenarios=SMALL.scenarios[:1])
    yield _draft("33 scenarios with skews for two underlyings", raw_model(model_of(SECTION, SECTION)))
    yield _draft("everything on", raw_model(model_of(FULL)))
    yield _draft("volatility rules only, five scenarios", raw_model(model_of(SMALL)))
    yield _draft("neutral but for one scenario", raw_model(model_of(neutral_section(1, SMALL.scenarios[:1]))))
    yield _draft("every parameter where it does most", raw_model(model_of(EXTREME, EXTREME)), "corner")
    for name, attribute in (("top", "high"), ("bottom", "low")):
        fields = {field.attribute: getattr(field, attribute) for field in FIELDS}
        section = neutral_section(1, LOWEST.scenarios, **fields)
        yield _draft(f"every parameter at the {name} of its range", raw_model(model_of(section)), "corner")
    for name, changes in (("basis", BASIS), ("delta", DELTA_CHARGE), ("short minimum", SHORT_MINIMUM)):
        for key in changes:
            charged = replace(one, **{key: changes[key]})  # type: ignore[arg-type]
            yield _draft(f"{name}: {key} alone", raw_model(model_of(charged)), "corner")
    yield _draft("eight underlyings", raw_model(model_of(*[one] * 8)), "corner")
    yield _draft("128 scenarios", raw_model(model_of(replace(one, scenarios=one.scenarios * 128))), "corner")
    gap = Model((replace(one, underlying=3), replace(one, underlying=63)))
    yield _draft("underlyings 3 and 63", raw_model(gap), "corner")


def _drafts() -> Iterator[Draft]:
    yield from _good_models()
    yield from _ranges()
    yield from _scenario_ranges()
    yield from _bad_shapes()
    yield from _random_models()
    yield from _faults_behind_good_sections()


def _bad_shapes() -> Iterator[Draft]:
    one = replace(SMALL, scenarios=SMALL.scenarios[:1])
    data, two = raw_model(model_of(one)), raw_model(model_of(one, replace(one, scenarios=SMALL.scenarios)))
    for count in (0, 129, 255):
        model = model_of(replace(one, scenarios=one.scenarios * count))
        yield _draft(f"{count} scenarios", raw_model(model), "corner")
    yield _draft("no section", raw_model(Model(())), "corner")
    yield _draft("nine sections", raw_model(model_of(*[one] * 9)), "corner")
    for underlying in (0, 64, 255):
        alone = Model((replace(one, underlying=underlying),))
        yield _draft(f"underlying {underlying}", raw_model(alone), "corner")
    for pair in ((1, 1), (2, 1)):
        sections = tuple(replace(one, underlying=underlying) for underlying in pair)
        yield _draft(f"sections {pair[0]}, {pair[1]}", raw_model(Model(sections)), "order")
    for version in (0, 1, 3, 255):
        yield _draft(f"version {version}", raw_model(model_of(one), version), "corner")
    yield _draft("a model of version 1", _version_one(), "corner", comment="its whole encoding")
    for cut in (0, 1, 2, 3, 18, 19, _SECTION_HEAD, _SECTION_HEAD + 1, _SECTION_HEAD + 2, len(data) - 1):
        yield _draft(f"first {cut} bytes", data[:cut], "length")
    second = len(data) + _SECTION_HEAD
    for cut in (len(data), len(data) + 1, second, second + 8, second + 9, second + 17, second + _SCENARIO):
        yield _draft(f"two sections, first {cut} bytes", two[:cut], "length")
    yield _draft("one byte more", data + b"\0", "length")
    yield _draft("a section more than counted", two[:1] + b"\1" + two[2:], "length")
    yield _draft("a section less than counted", data[:1] + b"\2" + data[2:], "length")


def _version_one() -> bytes:
    """One scenario in the layout of version 1: seven factors of 8 bytes, the floor in 4, scenarios of 17."""
    factors = (WAD, WAD, 0, 0, 0, 0, 0)
    scenario = WAD.to_bytes(8, "big") + b"\0" + WAD.to_bytes(8, "big")
    head = b"\1\1\1" + b"".join(value.to_bytes(8, "big") for value in factors)
    return head + (86_400).to_bytes(4, "big") + b"\1" + scenario


def _random_scenario(number: int, kind: VolKind) -> Scenario:
    draw = draws(302_000 + number)
    amount = draw.randint(-limits.MAX_VOL_ADD, limits.MAX_VOL_ADD) if kind == VolKind.ADD else 0
    spot = log_uniform(draw, limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK)
    return Scenario(spot, kind, draw.randint(0, limits.MAX_WEIGHT), amount)


def _random_models() -> Iterator[Draft]:
    draw = draws(302)
    for number in range(80):
        fields = {field.attribute: draw.randint(field.low, field.high) for field in FIELDS}
        fields["maintenance_factor"] = draw.randint(0, fields["initial_factor"])
        for field in draw.sample(FIELDS[2:], 12):
            fields[field.attribute] = field.neutral
        scenarios = tuple(
            _random_scenario(10 * number + i, draw.choice(list(VolKind))) for i in range(draw.randint(1, 4))
        )
        section = neutral_section(draw.randint(1, 63), scenarios, **fields)
        yield _draft(f"random model {number}", raw_model(Model((section,))), "random")


def _faults_behind_good_sections() -> Iterator[Draft]:
    """The fault stands in the second section, or in its last scenario."""
    one = replace(SMALL, scenarios=SMALL.scenarios[:2])
    for field in FIELDS[::4]:
        model = model_of(one, _changed(one, field, field.high + 1))
        yield _draft(f"second section: {field.name} = {field.high + 1}", raw_model(model), "corner")
    bare = model_of(one, replace(one, scenarios=()))
    yield _draft("second section: no scenarios", raw_model(bare), "corner")
    for name, scenario in (
        ("spot one too low", Scenario(limits.MIN_SPOT_SHOCK - 1, VolKind.UP, WAD)),
        ("spot one too high", Scenario(limits.MAX_SPOT_SHOCK + 1, VolKind.UP, WAD)),
        ("weight one too high", Scenario(WAD, VolKind.UP, limits.MAX_WEIGHT + 1)),
        ("vol kind one too high", Scenario(WAD, cast(VolKind, 6), WAD)),
        ("an amount one too high", Scenario(WAD, VolKind.ADD, WAD, limits.MAX_VOL_ADD + 1)),
        ("an amount with another kind", Scenario(WAD, VolKind.LINEAR_SKEW, WAD, -1)),
    ):
        faulty = replace(one, scenarios=(*one.scenarios, scenario))
        yield _draft(f"last scenario of two sections: {name}", raw_model(model_of(one, faulty)), "corner")


TOPICS: Final = (
    Topic(
        "model",
        "codec",
        "Canonical bytes of a model to its hash and parameters; indexCount is the number of losses that compete.",
        _decode,
        _drafts,
        record(bytes=BYTES),
        record(
            hash=BYTES32,
            sections=array(
                record(
                    underlying=NATURAL,
                    **{field.name: INTEGER if field.low < 0 else NATURAL for field in FIELDS},
                    indexCount=NATURAL,
                    scenarios=array(record(spot=NATURAL, volKind=NATURAL, volAdd=INTEGER, weight=NATURAL)),
                )
            ),
        ),
    ),
)
