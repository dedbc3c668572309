"""Family model: the canonical bytes of a margin model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, cast

from marginproof.spec.model import (
    Model,
    ModelSection,
    Scenario,
    VolKind,
    decode_model,
    encode_model,
    model_hash,
)

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .samples import EXTREME, SECTION, SMALL, WAD, model_of
from .schema import BYTES, BYTES32, NATURAL, array, record

_FACTORS: Final = (
    ("initialFactor", "initial_factor_wad", 0, 10 * WAD),
    ("maintenanceFactor", "maintenance_factor_wad", 0, SECTION.initial_factor_wad),
    ("volUp", "vol_up_wad", 0, 4 * WAD),
    ("volDown", "vol_down_wad", 0, WAD),
    ("minVolUp", "min_vol_up_wad", 0, 8 * WAD),
    ("powerShort", "power_short_wad", 0, WAD),
    ("powerLong", "power_long_wad", 0, WAD),
    ("floorSeconds", "floor_seconds", 1, 30 * 86_400),
)


def raw_model(model: Model, version: int = 1) -> bytes:
    """Canonical layout without any check."""
    parts = [bytes((version, len(model.sections)))]
    for section in model.sections:
        values = [getattr(section, attribute) for _, attribute, _, _ in _FACTORS]
        parts.append(
            bytes((section.underlying,)) + b"".join(value.to_bytes(8, "big") for value in values[:7])
        )
        parts.append(values[7].to_bytes(4, "big") + bytes((len(section.scenarios),)))
        parts += [
            s.spot_wad.to_bytes(8, "big") + bytes((s.kind,)) + s.weight_wad.to_bytes(8, "big")
            for s in section.scenarios
        ]
    return b"".join(parts)


def _decode(given: Json) -> Json:
    data = octets(given["bytes"])
    model = decode_model(data)
    if encode_model(model) != data:
        raise AssertionError("an encoding that does not survive decoding and encoding")
    sections = [
        {
            "underlying": decimal(section.underlying),
            **{name: decimal(getattr(section, attribute)) for name, attribute, _, _ in _FACTORS},
            "scenarios": [
                {"spot": decimal(s.spot_wad), "volKind": decimal(s.kind), "weight": decimal(s.weight_wad)}
                for s in section.scenarios
            ],
        }
        for section in model.sections
    ]
    return {"hash": hexadecimal(model_hash(model)), "sections": sections}


def _draft(name: str, data: bytes, *flags: str, comment: str = "") -> Draft:
    return Draft(name, {"bytes": hexadecimal(data)}, flags, comment)


def _changed(section: ModelSection, attribute: str, value: int) -> Model:
    change: dict[str, Any] = {attribute: value}
    return model_of(replace(section, **change))


def _ranges() -> Iterator[Draft]:
    for name, attribute, low, high in _FACTORS:
        section = replace(SMALL, maintenance_factor_wad=0) if attribute == "initial_factor_wad" else SMALL
        for value in (low, high):
            yield _draft(f"{name} = {value}", raw_model(_changed(section, attribute, value)), "corner")
        top = 2**32 - 1 if name == "floorSeconds" else 2**64 - 1
        for value in {high + 1, top} | ({low - 1} if low else set()):
            yield _draft(f"{name} = {value}", raw_model(_changed(section, attribute, value)), "corner")


def _scenario_ranges() -> Iterator[Draft]:
    none = VolKind.NONE
    bad_kind = cast(VolKind, 3)
    good = (Scenario(10**16, none, WAD), Scenario(16 * WAD, VolKind.DOWN, 0), Scenario(WAD, VolKind.UP, 1))
    bad = (
        Scenario(10**16 - 1, none, WAD),
        Scenario(0, none, WAD),
        Scenario(16 * WAD + 1, none, WAD),
        Scenario(WAD, none, WAD + 1),
        Scenario(WAD, none, 2**64 - 1),
        Scenario(WAD, bad_kind, WAD),
        Scenario(WAD, cast(VolKind, 255), WAD),
    )
    for scenario in (*good, *bad):
        model = model_of(replace(SMALL, scenarios=(*SMALL.scenarios, scenario)))
        yield _draft(
            f"scenario {scenario.spot_wad}, {int(scenario.kind)}, {scenario.weight_wad}",
            raw_model(model),
            "corner",
        )


def _drafts() -> Iterator[Draft]:
    full = raw_model(model_of(SECTION, SECTION))
    small = raw_model(model_of(SMALL))
    yield _draft("options-33 for two underlyings", full)
    yield _draft("one underlying, five scenarios", small)
    yield _draft("every parameter at its top", raw_model(model_of(EXTREME, EXTREME)), "corner")
    yield _draft(
        "eight underlyings",
        raw_model(model_of(*[replace(SMALL, scenarios=SMALL.scenarios[:1])] * 8)),
        "corner",
    )
    yield _draft(
        "128 scenarios", raw_model(model_of(replace(SMALL, scenarios=SMALL.scenarios[:1] * 128))), "corner"
    )
    gap = Model((replace(SMALL, underlying=3), replace(SMALL, underlying=63)))
    yield _draft("underlyings 3 and 63", raw_model(gap), "corner")
    yield from _ranges()
    yield from _scenario_ranges()
    for count in (0, 129, 255):
        model = model_of(replace(SMALL, scenarios=SMALL.scenarios[:1] * count))
        yield _draft(f"{count} scenarios", raw_model(model), "corner")
    yield _draft("no section", raw_model(Model(())), "corner")
    one = replace(SMALL, scenarios=SMALL.scenarios[:1])
    yield _draft("nine sections", raw_model(model_of(*[one] * 9)), "corner")
    for underlying in (0, 64, 255):
        yield _draft(
            f"underlying {underlying}", raw_model(Model((replace(one, underlying=underlying),))), "corner"
        )
    for pair in ((1, 1), (2, 1)):
        sections = tuple(replace(one, underlying=underlying) for underlying in pair)
        yield _draft(f"sections {pair[0]}, {pair[1]}", raw_model(Model(sections)), "order")
    for version in (0, 2, 255):
        yield _draft(f"version {version}", raw_model(model_of(one), version), "corner")
    for cut in (0, 1, 2, 3, 10, 62, 63, 64, len(small) - 1):
        yield _draft(f"first {cut} bytes", small[:cut], "length")
    yield _draft("one byte more", small + b"\0", "length")
    yield _draft("a section more than counted", small[:1] + b"\1" + full[2:], "length")
    yield _draft("a section less than counted", small[:1] + b"\2" + small[2:], "length")
    yield from _random_models()
    yield from _faults_behind_good_sections()
    yield from _cuts()


def _random_models() -> Iterator[Draft]:
    draw = draws(302)
    for number in range(25):
        initial = draw.randint(0, 10 * WAD)
        section = ModelSection(
            underlying=1,
            initial_factor_wad=initial,
            maintenance_factor_wad=draw.randint(0, initial),
            vol_up_wad=draw.randint(0, 4 * WAD),
            vol_down_wad=draw.randint(0, WAD),
            min_vol_up_wad=draw.randint(0, 8 * WAD),
            power_short_wad=draw.randint(0, WAD),
            power_long_wad=draw.randint(0, WAD),
            floor_seconds=log_uniform(draw, 1, 30 * 86_400),
            scenarios=tuple(
                Scenario(
                    log_uniform(draw, 10**16, 16 * WAD), VolKind(draw.randrange(3)), draw.randint(0, WAD)
                )
                for _ in range(draw.randint(1, 6))
            ),
        )
        ids = sorted(draw.sample(range(1, 64), draw.randint(1, 3)))
        sections = tuple(replace(section, underlying=id_) for id_ in ids)
        yield _draft(f"random model {number}", raw_model(Model(sections)), "random")


def _faults_behind_good_sections() -> Iterator[Draft]:
    """The fault stands in the last section, or in its last scenario."""
    one = replace(SMALL, scenarios=SMALL.scenarios[:2])
    for name, attribute, _, high in _FACTORS:
        change: dict[str, Any] = {attribute: high + 1}
        model = model_of(one, one, replace(one, **change))
        yield _draft(f"third section: {name} = {high + 1}", raw_model(model), "corner")
    yield _draft(
        "third section: no scenarios", raw_model(model_of(one, one, replace(one, scenarios=()))), "corner"
    )
    for name, scenario in (
        ("spot one too low", Scenario(10**16 - 1, VolKind.UP, WAD)),
        ("spot one too high", Scenario(16 * WAD + 1, VolKind.UP, WAD)),
        ("weight one too high", Scenario(WAD, VolKind.UP, WAD + 1)),
        ("vol kind one too high", Scenario(WAD, cast(VolKind, 3), WAD)),
    ):
        faulty = replace(one, scenarios=(*one.scenarios, scenario))
        yield _draft(f"last scenario of two sections: {name}", raw_model(model_of(one, faulty)), "corner")


def _cuts() -> Iterator[Draft]:
    """Truncated at every boundary of a field that the topic's other cases leave out."""
    data = raw_model(model_of(replace(SMALL, scenarios=SMALL.scenarios[:1]), SMALL))
    section = 1 + 7 * 8 + 4 + 1
    fields = [3 + 8 * i for i in range(1, 8)]
    for cut in (*fields, 2 + section + 8, 2 + section + 9, 2 + section + 17, 2 + section + 18):
        yield _draft(f"two sections, first {cut} bytes", data[:cut], "length")


TOPICS: Final = (
    Topic(
        "model",
        "codec",
        "Canonical bytes of a model to its hash and parameters.",
        _decode,
        _drafts,
        record(bytes=BYTES),
        record(
            hash=BYTES32,
            sections=array(
                record(
                    underlying=NATURAL,
                    **{name: NATURAL for name, _, _, _ in _FACTORS},
                    scenarios=array(record(spot=NATURAL, volKind=NATURAL, weight=NATURAL)),
                )
            ),
        ),
    ),
)
