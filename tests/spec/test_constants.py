"""Every constant, recomputed from its definition or compared with a second statement of it."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

from mpmath import mp, mpf

from marginproof.spec import (
    black76,
    gaussian,
    instruments,
    limits,
    logarithm,
    margin,
    model,
    portfolio,
    tenor,
    tree,
    units,
)
from marginproof.spec.gaussian_table import COEFFICIENTS
from marginproof.spec.model_fields import FIELDS

ROOT = Path(__file__).resolve().parents[2]

PUBLISHED_LIMITS = """
MIN_SPOT 1e6; MAX_SPOT 1e14; MIN_STRIKE 1e4; MAX_STRIKE 1e16; MIN_SETTLEMENT_PRICE 1; MAX_SETTLEMENT_PRICE 1e16
MAX_FUNDING 1e14; MIN_CONFIDENCE 0; MAX_CONFIDENCE 1e18; MIN_SETTLEMENT_TOKEN 1; MAX_SETTLEMENT_TOKEN 1e9
MIN_RATE -9e18; MAX_RATE 2e18; MIN_SVI_A -4e18; MAX_SVI_A 9e18; MIN_SVI_B 0; MAX_SVI_B 2e18; MAX_SVI_RHO 9999e14
MAX_SVI_M 4e18; MIN_SVI_SIGMA 1e12; MAX_SVI_SIGMA 4e18; MAX_TIME 4294967295; MAX_QUANTITY 1e16; MAX_TRADE_PRICE 1e16
MAX_POSITIONS 128; MAX_UNDERLYING_ID 63; MAX_EXPIRY_INDEX 1023; MAX_STRIKE_INDEX 32767; MAX_UNDERLYINGS 8
MAX_EXPIRIES 32; MAX_SETTLEMENTS 32; MAX_SCENARIOS 128; MIN_SPOT_SHOCK 1e16; MAX_SPOT_SHOCK 16e18; MAX_WEIGHT 9e18
MAX_VOL_ADD 4e18
"""
PUBLISHED_FIELDS = """
initialFactor 0 10e18 1e18; maintenanceFactor 0 10e18 1e18; pegThreshold 0 1e9 0; pegFactor 0 10e18 0; volUp 0 10e18 0; volDown 0 10e18 0
minVolUp 0 20e18 0; powerShort 0 10e18 0; powerLong 0 10e18 0; floorSeconds 1 34560000 86400; averagingSeconds 0 86400 0
linearCap 0 10e18 0; linearCapSlope -10e18 10e18 0; absoluteCap 0 10e18 0; absoluteCapSlope -10e18 10e18 0; skewMinimum 1e12 10e18 1e18
skewWidth 0 10e18 0; skewVol 0 10e18 0; skewVolSlope -20e18 20e18 0; longBase 0 4e18 1e18; longRateMultiple 0 10e18 0
longRateAdd 0 10e18 0; shortBase 0 4e18 1e18; shortRateMultiple 0 10e18 0; shortRateAdd 0 10e18 0; basisUp 1e16 16e18 1e18
basisDown 1e16 16e18 1e18; basisBase 0 20e18 0; basisPerYear 0 20e18 0; deltaNet 0 10e18 0; deltaHedged 0 10e18 0
shortMinimum 0 1e14 0; shortMinimumRate 0 10e18 0; nakedMaintenance 0 20e18 0; nakedInitial 0 20e18 0; perpetualMaintenance 0 20e18 0
perpetualInitial 0 20e18 0; futureMaintenance 0 20e18 0; futureInitial 0 20e18 0; haircutMaintenance 0 1e18 0; haircutInitial 0 1e18 0
confidenceThreshold 0 1e18 0; confidenceRate 0 20e18 0
"""


def _integer(text: str) -> int:
    mantissa, _, exponent = text.partition("e")
    return int(mantissa) * 10 ** int(exponent or "0")


def _limits() -> dict[str, int]:
    return {name: value for name, value in vars(limits).items() if name.isupper() and isinstance(value, int)}


def test_limits_are_the_published_ones() -> None:
    pairs = re.findall(r"([A-Z_]+) ([-0-9e]+)", PUBLISHED_LIMITS)
    assert {name: _integer(value) for name, value in pairs} == _limits()


def test_fields_of_a_model_section_are_the_published_ones() -> None:
    rows = re.findall(r"([A-Za-z]+) ([-0-9e]+) ([-0-9e]+) ([-0-9e]+)", PUBLISHED_FIELDS)
    published = [(name, *(_integer(text) for text in numbers)) for name, *numbers in rows]
    assert published == [tuple(field) for field in FIELDS]
    assert len(FIELDS) == 43
    attributes = [field.name for field in dataclasses.fields(model.ModelSection)]
    assert attributes == ["underlying", *(field.attribute for field in FIELDS), "scenarios"]


def test_fields_of_the_contracts_are_the_same() -> None:
    """Indices and names, in the order of the bytes."""
    source = (ROOT / "contracts/libraries/ModelFields.sol").read_text(encoding="utf-8")
    indices = re.findall(r"constant ([A-Z_]+) = (\d+);", source)
    assert [name.lower() for name, _ in indices[:43]] == [field.attribute for field in FIELDS]
    assert [int(index) for _, index in indices[:44]] == list(range(44))
    assert re.findall(r'"([A-Za-z]+) *"', source) == [field.name for field in FIELDS]


def test_limits_of_the_contracts_are_the_same() -> None:
    source = (ROOT / "contracts/libraries/Limits.sol").read_text(encoding="utf-8")
    found = re.findall(r"constant ([A-Z_]+) = ([-0-9_* ]+);", source)
    values = {}
    for name, expression in found:
        value = 1
        for factor in re.sub(r"2 \*\* 32 - 1", str(2**32 - 1), expression).replace("_", "").split(" * "):
            base, _, exponent = factor.strip().partition(" ** ")
            value *= int(base) ** int(exponent or "1")
        values[name] = value
    assert values == _limits()


def test_logarithms_of_two_and_of_eighths() -> None:
    mp.dps = 60
    assert int(mp.floor(mp.log(2) * 2**96)) == logarithm.LN2
    assert tuple(int(mp.floor(mp.log(mpf(8 + j) / 8) * 2**96)) for j in range(8)) == logarithm.LN_EIGHTHS
    assert tuple(2**96 // n for n in range(1, 16, 2)) == logarithm.ODD_RECIPROCALS
    mp.dps = 50


def test_logarithms_of_the_contracts_are_the_same() -> None:
    library = (ROOT / "contracts/libraries/Tenor.sol").read_text(encoding="utf-8")
    assert f"LOG_THIRTY_DAYS = {tenor.LOG_THIRTY_DAYS};" in library
    library = (ROOT / "contracts/libraries/Logarithm.sol").read_text(encoding="utf-8")
    for constant in (logarithm.LN2, *logarithm.LN_EIGHTHS[1:]):
        assert re.search(rf"\b{constant}\b", library), constant


def test_scales() -> None:
    assert (units.ONE_E8, units.ONE_WAD) == (10**8, 10**18)
    assert (units.ONE_Q58, units.ONE_Q60, units.ONE_Q64) == (2**58, 2**60, 2**64)
    assert (units.SECONDS_PER_DAY, units.SECONDS_PER_YEAR) == (24 * 3600, 365 * 24 * 3600)
    assert (2_592_000, int(mp.floor(mp.log(2_592_000) * 2**64))) == (
        tenor.THIRTY_DAYS,
        tenor.LOG_THIRTY_DAYS,
    )
    assert margin.REQUIREMENT_SCALE == 10 ** (18 + 34 - 8)


def test_shapes_of_pricing() -> None:
    assert (logarithm.EXP_TERMS, logarithm.MAX_EXP_ARGUMENT) == (20, 40 * 2**64)
    assert (gaussian.CELL_BITS, gaussian.HALF_CELL, gaussian.CELLS) == (56, 2**55, 36)
    assert {len(row) for row in COEFFICIENTS} == {13}
    assert (black76.MAX_TOTAL_VOL, tenor.MAX_DISCOUNT, black76.PRICE_BITS) == (16 * 2**58, 16 * 2**58, 8)


def test_encodings() -> None:
    assert (model.MODEL_VERSION, model.FIELD_BYTES, portfolio.POSITION_BYTES, tree.MAX_DEPTH) == (
        2,
        16,
        12,
        40,
    )
    assert (instruments.SPOT_INDEX, instruments.PERPETUAL_INDEX, instruments.FIRST_EXPIRY_INDEX) == (0, 1, 2)
    assert [kind.value for kind in instruments.Kind] == [0, 1, 2, 3, 4]
    kinds = ["NONE", "UP", "DOWN", "ADD", "LINEAR_SKEW", "ABSOLUTE_SKEW"]
    assert [(kind.name, kind.value) for kind in model.VolKind] == [(name, i) for i, name in enumerate(kinds)]
    assert [kind for kind in model.VolKind if kind.is_skew] == list(model.VolKind)[4:]
    charges = ["BASIS", "DELTA", "SHORT_MINIMUM"]
    assert [(charge.name, charge.value) for charge in model.Charge] == [
        (name, i) for i, name in enumerate(charges)
    ]


def test_gaussian_tables_are_what_their_formula_gives() -> None:
    script = ROOT / "scripts/gaussian_table.py"
    run = subprocess.run([sys.executable, str(script), "check"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
