"""The parameters of a model section: one row per field, in the order of the canonical bytes.

Each row gives the field, its range (inclusive) and its neutral value: a section made of neutral values and one scenario asks for the
loss in that scenario and nothing else. WAD unless the last column says otherwise.

| field | meaning |
|---|---|
| initialFactor, maintenanceFactor | what the scan is multiplied by |
| pegThreshold (E8), pegFactor | below this price of the settlement token the initial factor grows by pegFactor x shortfall |
| volUp, volDown | relative volatility moves of the kinds up and down, before scaling by m |
| minVolUp | volatility moved up is at least this |
| powerShort, powerLong | exponent of m for expiries up to 30 days, and beyond |
| floorSeconds (s) | time to expiry counts at least this much in m |
| averagingSeconds (s) | settlement averages the price over so much time before expiry; 0: none |
| linearCap, linearCapSlope | cap of the linear skew: linearCap + linearCapSlope x sqrt(tau) |
| absoluteCap, absoluteCapSlope | the same of the absolute skew |
| skewMinimum | kMin, the least log-moneyness at which the cap is reached |
| skewWidth, skewVol, skewVolSlope | k* = max(kMin, sqrt(tau) x width x (vol + sqrt(tau) x volSlope)) |
| longBase, longRateMultiple, longRateAdd | static discount of a positive sum: base x exp(-tau (r x multiple + add)) |
| shortBase, shortRateMultiple, shortRateAdd | of a negative one: min(1/df, base x exp(tau (r x multiple + add))) |
| basisUp, basisDown | the two forward moves of the basis charge |
| basisBase, basisPerYear | its factor: base + perYear x tau; both 0: no basis charge |
| deltaNet, deltaHedged | delta charge: (net x abs(net delta) + hedged x hedged delta) x spot; both 0: none |
| shortMinimum (E8), shortMinimumRate | charge per short option: amount + rate x spot; both 0: none |
| nakedMaintenance, nakedInitial | add-on per naked short option, of spot |
| perpetualMaintenance, perpetualInitial | add-on per perpetual, of spot |
| futureMaintenance, futureInitial | add-on per dated future, of spot |
| haircutMaintenance, haircutInitial | add-on per unit of spot collateral, of spot |
| confidenceThreshold, confidenceRate | initial add-on below the threshold: (1 - confidence) x rate of notional |

An `...Initial` rate is charged on top of the maintenance rate.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .units import ONE_WAD


class Field(NamedTuple):
    """One parameter: name as in errors and documents, inclusive range, neutral value."""

    name: str
    low: int
    high: int
    neutral: int

    @property
    def attribute(self) -> str:
        """The field's name in `ModelSection`: snake_case."""
        return "".join("_" + c.lower() if c.isupper() else c for c in self.name)


FIELDS: Final = (
    Field("initialFactor", 0, 10 * ONE_WAD, ONE_WAD),
    Field("maintenanceFactor", 0, 10 * ONE_WAD, ONE_WAD),
    Field("pegThreshold", 0, 10**9, 0),
    Field("pegFactor", 0, 10 * ONE_WAD, 0),
    Field("volUp", 0, 10 * ONE_WAD, 0),
    Field("volDown", 0, 10 * ONE_WAD, 0),
    Field("minVolUp", 0, 20 * ONE_WAD, 0),
    Field("powerShort", 0, 10 * ONE_WAD, 0),
    Field("powerLong", 0, 10 * ONE_WAD, 0),
    Field("floorSeconds", 1, 400 * 86_400, 86_400),
    Field("averagingSeconds", 0, 86_400, 0),
    Field("linearCap", 0, 10 * ONE_WAD, 0),
    Field("linearCapSlope", -10 * ONE_WAD, 10 * ONE_WAD, 0),
    Field("absoluteCap", 0, 10 * ONE_WAD, 0),
    Field("absoluteCapSlope", -10 * ONE_WAD, 10 * ONE_WAD, 0),
    Field("skewMinimum", 10**12, 10 * ONE_WAD, ONE_WAD),
    Field("skewWidth", 0, 10 * ONE_WAD, 0),
    Field("skewVol", 0, 10 * ONE_WAD, 0),
    Field("skewVolSlope", -20 * ONE_WAD, 20 * ONE_WAD, 0),
    Field("longBase", 0, 4 * ONE_WAD, ONE_WAD),
    Field("longRateMultiple", 0, 10 * ONE_WAD, 0),
    Field("longRateAdd", 0, 10 * ONE_WAD, 0),
    Field("shortBase", 0, 4 * ONE_WAD, ONE_WAD),
    Field("shortRateMultiple", 0, 10 * ONE_WAD, 0),
    Field("shortRateAdd", 0, 10 * ONE_WAD, 0),
    Field("basisUp", 10**16, 16 * ONE_WAD, ONE_WAD),
    Field("basisDown", 10**16, 16 * ONE_WAD, ONE_WAD),
    Field("basisBase", 0, 20 * ONE_WAD, 0),
    Field("basisPerYear", 0, 20 * ONE_WAD, 0),
    Field("deltaNet", 0, 10 * ONE_WAD, 0),
    Field("deltaHedged", 0, 10 * ONE_WAD, 0),
    Field("shortMinimum", 0, 10**14, 0),
    Field("shortMinimumRate", 0, 10 * ONE_WAD, 0),
    Field("nakedMaintenance", 0, 20 * ONE_WAD, 0),
    Field("nakedInitial", 0, 20 * ONE_WAD, 0),
    Field("perpetualMaintenance", 0, 20 * ONE_WAD, 0),
    Field("perpetualInitial", 0, 20 * ONE_WAD, 0),
    Field("futureMaintenance", 0, 20 * ONE_WAD, 0),
    Field("futureInitial", 0, 20 * ONE_WAD, 0),
    Field("haircutMaintenance", 0, ONE_WAD, 0),
    Field("haircutInitial", 0, ONE_WAD, 0),
    Field("confidenceThreshold", 0, ONE_WAD, 0),
    Field("confidenceRate", 0, 20 * ONE_WAD, 0),
)
"""43 fields, 16 bytes each."""
