"""Every shipped model: its published parameters, and the checks its venue has published, at the precision published."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist

import pytest

from marginproof.models import list_presets, load_preset
from marginproof.spec.margin import margin
from marginproof.spec.model import Charge, Scenario, VolKind, neutral_section
from marginproof.spec.tenor import skew_terms, static_discounts, tenor_multiplier

from .desk import DAY, E8, PERPETUAL, WAD, call, desk_values, future, preset_section, put, scan_of

NAMES = ["grid-27", "nine-9", "options-31", "options-33", "scan-24", "span-16", "tims-10"]
UP, NONE, DOWN = VolKind.UP, VolKind.NONE, VolKind.DOWN


def wad(text: str) -> int:
    return int(Decimal(text) * WAD)


def moves(name: str) -> set[Scenario]:
    return set(preset_section(name).scenarios)


def grid(spots: str, kinds: tuple[VolKind, ...], weight: str = "1") -> set[Scenario]:
    return {Scenario(wad(spot), kind, wad(weight)) for spot in spots.split() for kind in kinds}


def tails(text: str) -> set[Scenario]:
    pairs = [pair.split(":") for pair in text.split()]
    return {Scenario(wad(spot), UP, wad(weight)) for spot, weight in pairs}


SKEWS = {Scenario(WAD, kind, WAD) for kind in (VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW)}
CORE = grid("1.18 0.82", (UP,)) | grid("1.135 1.09 1.045 1 0.955 0.91 0.865", (UP, NONE, DOWN))


def test_all_are_shipped_under_their_own_names() -> None:
    assert list_presets() == NAMES
    assert [load_preset(name).name for name in NAMES] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_says_where_it_is_from_and_what_it_leaves_out(name: str) -> None:
    document = load_preset(name)
    assert len(document.source) > 20
    assert document.date == "2026-01"
    assert document.description is not None
    assert "Not expressed" in document.description


MILLI = WAD // 1000
BY_TENOR = {"power_short": 300 * MILLI, "power_long": 130 * MILLI, "floor_seconds": DAY}
OPTIONS = BY_TENOR | {
    "maintenance_factor": 800 * MILLI,
    "vol_up": 500 * MILLI,
    "averaging_seconds": 1800,
    "skew_minimum": 10 * MILLI,
    "skew_width": 4 * WAD,
    "skew_vol": 600 * MILLI,
    "long_base": 950 * MILLI,
    "basis_up": 1045 * MILLI,
    "basis_down": 955 * MILLI,
    "basis_base": 500 * MILLI,
    "basis_per_year": 2 * WAD,
    "naked_maintenance": 3 * MILLI,
    "naked_initial": 2 * MILLI,
    "confidence_threshold": 550 * MILLI,
    "confidence_rate": WAD,
}
PARAMETERS = {
    "options-33": OPTIONS
    | {"peg_threshold": 99 * 10**6, "peg_factor": 4 * WAD, "vol_down": 300 * MILLI, "min_vol_up": 400 * MILLI}
    | dict.fromkeys(("linear_cap", "absolute_cap"), 250 * MILLI)
    | dict.fromkeys(("linear_cap_slope", "absolute_cap_slope"), -100 * MILLI)
    | {"long_rate_add": 160 * MILLI, "short_base": 1050 * MILLI, "short_rate_add": 160 * MILLI}
    | {"perpetual_maintenance": 30 * MILLI, "perpetual_initial": 10 * MILLI},
    "options-31": OPTIONS
    | {"peg_threshold": 98 * 10**6, "peg_factor": 2 * WAD, "vol_down": 275 * MILLI, "min_vol_up": 450 * MILLI}
    | dict.fromkeys(("linear_cap", "absolute_cap"), 150 * MILLI)
    | dict.fromkeys(("linear_cap_slope", "absolute_cap_slope"), -50 * MILLI)
    | {"skew_vol_slope": -100 * MILLI}
    | {"long_rate_multiple": WAD, "long_rate_add": 80 * MILLI}
    | {"short_base": 1040 * MILLI, "short_rate_multiple": 500 * MILLI, "short_rate_add": 80 * MILLI}
    | {"perpetual_maintenance": 15 * MILLI, "perpetual_initial": 5 * MILLI},
    "scan-24": BY_TENOR
    | {"maintenance_factor": 500 * MILLI, "vol_up": 400 * MILLI, "vol_down": 220 * MILLI}
    | {"delta_net": 20 * MILLI, "delta_hedged": 10 * MILLI},
    "grid-27": BY_TENOR
    | {"maintenance_factor": 800 * MILLI, "vol_up": 500 * MILLI, "vol_down": 250 * MILLI}
    | {"min_vol_up": 500 * MILLI},
    "nine-9": BY_TENOR
    | {"power_long": 300 * MILLI}
    | dict.fromkeys(("vol_up", "vol_down"), 451738774182742181),
    "span-16": {},
    "tims-10": {"short_minimum": 37_500_000},
}


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_the_published_one(name: str) -> None:
    section = preset_section(name)
    assert section == neutral_section(1, section.scenarios, **PARAMETERS[name])


def test_options_33() -> None:
    section = preset_section("options-33")
    assert len(section.scenarios) == 33
    assert moves("options-33") == CORE | SKEWS | tails(
        "0.34:0.21 0.67:0.42 1.5:0.2772 2:0.1386 3:0.0693 4:0.0462 5:0.03465 6:0.02772"
    )
    assert "1.05 for long and 0.95 for short" in str(load_preset("options-33").description)


def test_options_31() -> None:
    section = preset_section("options-31")
    assert len(section.scenarios) == 31
    assert moves("options-31") == CORE | SKEWS | tails(
        "0.34:0.054545454545454545 0.67:0.109090909090909091 1.5:0.072 2:0.036 3:0.018 4:0.012"
    )


@pytest.mark.parametrize(
    ("seconds", "up", "down"),
    [
        (1, 2.3870955573360906, 0.23709744346515027),
        (794_852, 1.712811375927374, 0.6079537432399443),
        (3_214_052, 1.4862120042860796, 0.7325833976426561),
        (11_076_452, 1.4139715227699674, 0.7723156624765178),
        (18_938_852, 1.3860882452894718, 0.7876514650907905),
    ],
)
def test_options_31_volatility_moves(seconds: int, up: float, down: float) -> None:
    section = preset_section("options-31")
    m = tenor_multiplier(section, seconds) / 2**64
    assert 1 + section.vol_up / WAD * m == pytest.approx(up, rel=1e-14)
    assert 1 - section.vol_down / WAD * m == pytest.approx(down, rel=1e-14)


@pytest.mark.parametrize(
    ("rate", "seconds", "long", "short"),
    [
        ("0.15", 794_852, 0.9445087287221925, 1.0037878445554764),
        ("0.2", 18_938_852, 0.8029631388059034, 1.127620219411916),
        ("0.1", 11_076_452, 0.8917985146283806, 1.035747303851427),
        ("0.31", 26_801_252, 0.6819905186833847, 1.26990019748112),
        ("0.23", 5_633_252, 0.89882370801299, 1.0419403825966795),
    ],
)
def test_options_31_static_discounts(rate: str, seconds: int, long: float, short: float) -> None:
    found = static_discounts(preset_section("options-31"), wad(rate), seconds)
    assert [value / 2**58 for value in found] == pytest.approx([long, short], rel=1e-14)


@pytest.mark.parametrize(
    ("seconds", "cap", "k_star"),
    [
        (1, 0.14999109637826727, 0.01),
        (794_852, 0.1420620229941944, 0.3709410596475161),
        (18_938_852, 0.1112525143612097, 1.619660487729412),
    ],
)
def test_options_31_skews(seconds: int, cap: float, k_star: float) -> None:
    for is_absolute in (False, True):
        found = skew_terms(preset_section("options-31"), seconds, is_absolute)
        assert [value / 2**58 for value in found] == pytest.approx([cap, k_star], rel=1e-14)


def test_scan_24_parameters() -> None:
    section = preset_section("scan-24")
    assert len(section.scenarios) == 24
    assert moves("scan-24") == (
        grid("1.16 0.84", (UP,))
        | grid("1.12 1.08 1.04 1 0.96 0.92 0.88", (UP, DOWN))
        | tails("0.34:0.24 0.67:0.48 1.5:0.32 2:0.16 3:0.08 4:0.0533 5:0.04 6:0.032")
    )
    assert section.charges() == (Charge.DELTA,)


def test_scan_24_delta_charge() -> None:
    """Published: one perpetual against five short calls of delta 0.3, spot 70,000: 1,400."""
    seconds, spot, vol = 30 * DAY, 70_000, 0.6
    width = vol * math.sqrt(seconds / (365 * DAY))
    strike = round(spot * math.exp(width * width / 2 - width * NormalDist().inv_cdf(0.3)) * E8)
    option = call(seconds, strike)
    values = desk_values("scan-24", spot * E8, {seconds: spot * E8}, {option: wad("0.6")})
    assert values.delta(option) / 2**60 == pytest.approx(0.3, abs=1e-9)
    scan = scan_of([(PERPETUAL, E8), (option, -5 * E8)], values)
    assert scan.losses[24] / 10**34 == pytest.approx(1400, abs=0.001)


def test_scan_24_requires_the_greater_of_scan_and_delta_charge() -> None:
    values = desk_values("scan-24", 70_000 * E8, {30 * DAY: 70_000 * E8})
    hedged = margin([(PERPETUAL, E8), (future(30 * DAY), -E8)], values)
    assert (hedged.scans[0].worst, hedged.initial, hedged.maintenance) == (24, 700 * E8, 350 * E8)
    outright = margin([(PERPETUAL, E8)], values)
    assert (outright.scans[0].worst, outright.initial, outright.maintenance) == (15, 11_200 * E8, 5_600 * E8)


def test_grid_27() -> None:
    section = preset_section("grid-27")
    spots = "1.16 1.12 1.08 1.04 1 0.96 0.92 0.88 0.84"
    assert moves("grid-27") == grid(spots, (UP, NONE, DOWN))
    for seconds, power in ((DAY, 0.3), (7 * DAY, 0.3), (30 * DAY, 0.3), (90 * DAY, 0.13), (365 * DAY, 0.13)):
        m = tenor_multiplier(section, seconds) / 2**64
        assert m == pytest.approx((30 * DAY / seconds) ** power, rel=1e-14)


def test_nine_9_moves_volatility_by_two_fifths_at_45_days() -> None:
    section = preset_section("nine-9")
    assert moves("nine-9") == grid("1.15 1 0.85", (UP, NONE, DOWN))
    for seconds in (2 * DAY, 30 * DAY, 45 * DAY, 180 * DAY):
        shock = section.vol_up * tenor_multiplier(section, seconds) / 2**64 / WAD
        assert shock == pytest.approx(0.40 * (45 * DAY / seconds) ** 0.3, rel=1e-14)
    at_45_days = section.vol_up * tenor_multiplier(section, 45 * DAY) / 2**64 / WAD
    assert f"{at_45_days:.15f}" == "0.400000000000000"
    assert section.vol_down == section.vol_up


def test_span_16() -> None:
    """Published: a future with a scan range of 10,000 needs 10,000; two thirds of it at two thirds, 7,000 in the extremes."""
    section = preset_section("span-16")
    assert len(section.scenarios) == 16
    assert {s.weight_wad for s in section.scenarios if s.kind == NONE} == {wad("0.35")}
    assert {s.amount_wad for s in section.scenarios if s.kind == VolKind.ADD} == {wad("0.1"), -wad("0.1")}
    values = desk_values("span-16", 100_000 * E8, {30 * DAY: 100_000 * E8})
    scan = scan_of([(future(30 * DAY), E8)], values)
    losses = {
        s.spot_wad: round(loss / 10**34, 2) for s, loss in zip(section.scenarios, scan.losses, strict=True)
    }
    assert scan.scan == 10_000 * 10**34
    assert losses[wad("0.9")] == 10_000
    assert losses[wad("0.933333333333333333")] == 6_666.67
    assert losses[wad("0.966666666666666667")] == 3_333.33
    assert losses[wad("0.8")] == 7_000
    assert losses[wad("1.1")] == -10_000


def test_tims_10_moves_and_minimum() -> None:
    """Published: ten equidistant moves to 15 %, at least 0.375 x multiplier per contract."""
    assert moves("tims-10") == grid("1.15 1.12 1.09 1.06 1.03 0.97 0.94 0.91 0.88 0.85", (NONE,))
    option, multiplier = put(30 * DAY, 20 * E8), 100
    values = desk_values("tims-10", 100 * E8, {30 * DAY: 100 * E8}, {call(30 * DAY, 20 * E8): wad("0.3")})
    three_contracts = margin([(option, -3 * multiplier * E8)], values)
    assert three_contracts.initial == int(Decimal("0.375") * multiplier * 3 * E8)
    assert three_contracts.scans[0].worst == 10
    outright = margin([(future(30 * DAY), multiplier * E8)], values)
    assert outright.initial == 15 * multiplier * E8


def test_the_page_describes_every_shipped_model() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    for name in NAMES:
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert all(word in section for word in ("**Source**", "**Not expressed**")), name
        assert name == "options-33" or "**Check" in section
