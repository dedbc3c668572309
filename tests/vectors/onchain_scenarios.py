"""What a scenario does, inside the EVM: times, discounts, volatility, skews, and the value of every instrument in every column."""

from __future__ import annotations

from scripts.vector_families.case import octets
from scripts.vector_families.models import model_of
from scripts.vector_families.tenor import section_of

from marginproof.spec.instruments import Kind
from marginproof.spec.model import VolKind, encode_model

from .onchain_base import Given, cell_harness, harness


def _model(given: Given) -> bytes:
    """A model whose one section has the fields that a vector names."""
    return encode_model(model_of(section_of(given)))


def _list(given: Given, name: str) -> list[int]:
    return [int(given[name])]


def year_fraction(given: Given) -> Given:
    seconds = _list(given, "seconds")
    return {
        "years": harness().call("toYears", seconds)[0],
        "squareRoot": harness().call("squareRootOfYears", seconds)[0],
    }


def tenor_multiplier(given: Given) -> Given:
    return {"multiplier": harness().call("tenorMultiplier", _model(given), 1, _list(given, "seconds"))[0]}


def discount(given: Given) -> Given:
    return {"discount": harness().call("discountFactor", _list(given, "rate"), _list(given, "seconds"))[0]}


def static_discounts(given: Given) -> Given:
    arguments = (_list(given, "rate"), _list(given, "seconds"))
    long, short = harness().call("staticDiscounts", _model(given), 1, *arguments)[0]
    return {"long": long, "short": short}


def basis_factor(given: Given) -> Given:
    return {"factor": harness().call("basisFactor", _model(given), 1, _list(given, "seconds"))[0]}


def fixed_part(given: Given) -> Given:
    data, arguments = _model(given), (_list(given, "forward"), _list(given, "seconds"))
    return {
        "fixed": harness().call("fixedPart", data, 1, *arguments)[0],
        "shocked": harness().call("shockedForward", data, 1, *arguments, _list(given, "spot"))[0],
    }


def vol_rule(given: Given) -> Given:
    kind, seconds = VolKind[given["kind"].upper()], _list(given, "seconds")
    rule = harness().call("volRule", _model(given), 1, kind, int(given["amount"]), seconds)[0]
    return dict(zip(("multiplier", "added", "floor"), rule, strict=True))


def shocked_vol(given: Given) -> Given:
    arguments = (_list(given, name) for name in ("vol", "multiplier", "added", "floor"))
    return {"vol": harness().call("shockedVol", *arguments)[0]}


def skew_terms(given: Given) -> Given:
    is_absolute = given["kind"] == VolKind.ABSOLUTE_SKEW.name.lower()
    cap, k_star = harness().call("skewTerms", _model(given), 1, _list(given, "seconds"), is_absolute)[0]
    return {"cap": cap, "kStar": k_star}


def skew_multiplier(given: Given) -> Given:
    arguments = (_list(given, name) for name in ("k", "cap", "kStar"))
    return {"multiplier": harness().call("skewMultiplier", *arguments)[0]}


def value(given: Given) -> Given:
    kind = Kind[given["kind"].upper()]
    expiry, strike = int(given["expiry"]), int(given["strike"])
    packed = int(given["underlying"]) << 128 | kind << 120 | expiry << 64 | strike
    (row,) = cell_harness().call("cells", octets(given["model"]), octets(given["market"]), [packed])
    return {"values": row[:-1], "delta": row[-1]}
