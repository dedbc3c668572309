"""Arithmetic, smiles, models, portfolios and trees inside the EVM: the libraries behind PricingHarness."""

from __future__ import annotations

from scripts.vector_families.case import octets
from scripts.vector_families.samples import model_of
from scripts.vector_families.scenario import rule_section

from marginproof.spec import tree
from marginproof.spec.model import encode_model

from .onchain_base import Given, NotExpressibleError, harness, natural, vector_harness

UNIT = 10**8


def division(given: Given) -> Given:
    name = "floorDiv" if given["rounding"] == "down" else "ceilDiv"
    return {"quotient": harness().call(name, [int(given["numerator"])], [int(given["denominator"])])[0]}


def shift(given: Given) -> Given:
    return {
        "product": harness().call("mulShift", [int(given["a"])], [int(given["b"])], int(given["bits"]))[0]
    }


def square_root(given: Given) -> Given:
    return {"root": harness().call("squareRoot", [natural(given["value"])])[0]}


def wad_to_q64(given: Given) -> Given:
    return {"q64": harness().call("wadToQ64", [int(given["wad"])])[0]}


def logarithm(given: Given) -> Given:
    return {"logarithm": harness().call("ln", [natural(given["x"])])[0]}


def exponential(given: Given) -> Given:
    return {"exponential": harness().call("exp", [int(given["x"])])[0]}


def gaussian(given: Given) -> Given:
    return {"probability": harness().call("normalCdf", [int(given["x"])])[0]}


def black76(given: Given) -> Given:
    arguments = ([int(given[name])] for name in ("forward", "strike", "totalVol"))
    return {"value": harness().call("prices", [given["isCall"]], *arguments)[0]}


def _smile(given: Given) -> tuple[int, ...]:
    return tuple(int(given[name]) for name in ("a", "b", "rho", "m", "sigma"))


def smile_parameters(given: Given) -> Given:
    harness().call("totalVols", _smile(given), UNIT, [UNIT])
    values = harness().call("wadToQ64", _smile(given))
    return {f"{name}Q64": value for name, value in zip(("a", "b", "rho", "m", "sigma"), values, strict=True)}


def total_vol(given: Given) -> Given:
    vols = harness().call("totalVols", _smile(given["svi"]), int(given["forward"]), [int(given["strike"])])
    return {"totalVol": vols[0]}


def model(given: Given) -> Given:
    return {"hash": harness().call("checkModel", octets(given["bytes"]))}


def vol_rule(given: Given) -> Given:
    data = encode_model(model_of(rule_section(given)))
    kind = ("none", "up", "down").index(given["kind"])
    multiplier, floor = vector_harness().call("volRule", data, 1, int(given["seconds"]), kind)
    return {"multiplier": multiplier, "floor": floor}


def portfolio_codec(given: Given) -> Given:
    return {"hash": harness().call("checkPortfolio", octets(given["bytes"]))}


def trade(given: Given) -> Given:
    arguments = (octets(given["portfolio"]), int(given["id"]), int(given["quantity"]))
    return {"portfolio": harness().call("applyTrade", *arguments)}


def depth(given: Given) -> Given:
    return {"depth": harness().call("treeDepth", int(given["count"]))}


def root(given: Given) -> Given:
    """Contracts never build a tree: every leaf's proof must lead to the expected root, and is checked by `verify`."""
    leaves = [octets(leaf) for leaf in given["leaves"]]
    if not leaves:
        raise NotExpressibleError("a tree without leaves has no proof")
    levels = tree.tree_levels(leaves)
    for index, leaf in enumerate(leaves):
        harness().call("verifyLeaf", leaf, index, len(leaves), tree.proof(levels, index), levels[-1][0])
    return {"root": levels[-1][0]}


def proof(given: Given) -> Given:
    leaves, index = [octets(leaf) for leaf in given["leaves"]], int(given["index"])
    levels = tree.tree_levels(leaves)
    siblings = tree.proof(levels, index) if index < len(leaves) else []
    leaf = leaves[min(index, len(leaves) - 1)]
    harness().call("verifyLeaf", leaf, index, len(leaves), siblings, levels[-1][0])
    return {"proof": siblings}


def verify(given: Given) -> Given:
    siblings = [octets(node) for node in given["proof"]]
    arguments = (
        octets(given["leaf"]),
        int(given["index"]),
        int(given["count"]),
        siblings,
        octets(given["root"]),
    )
    harness().call("verifyLeaf", *arguments)
    return {"root": given["root"]}
