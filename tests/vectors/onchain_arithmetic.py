"""Arithmetic, smiles, models, portfolios and trees inside the EVM: the libraries behind PricingHarness."""

from __future__ import annotations

from scripts.vector_families.case import octets

from marginproof.spec import tree
from marginproof.spec.model import decode_model
from marginproof.spec.units import ONE_Q58

from .onchain_base import Given, NotExpressibleError, codec_harness, harness, natural


def division(given: Given) -> Given:
    name = "floorDiv" if given["rounding"] == "down" else "ceilDiv"
    return {"quotient": harness().call(name, [int(given["numerator"])], [int(given["denominator"])])[0]}


def shift(given: Given) -> Given:
    return {
        "product": harness().call("mulShift", [int(given["a"])], [int(given["b"])], int(given["bits"]))[0]
    }


def square_root(given: Given) -> Given:
    return {"root": harness().call("squareRoot", [natural(given["value"])])[0]}


def wad_to_binary(given: Given) -> Given:
    return {"binary": harness().call("wadToBinary", [int(given["wad"])], int(given["bits"]))[0]}


def logarithm(given: Given) -> Given:
    return {"logarithm": harness().call("ln", [natural(given["x"])])[0]}


def exponential(given: Given) -> Given:
    return {"exponential": harness().call("exp", [int(given["x"])])[0]}


def bounded_exponential(given: Given) -> Given:
    return {"exponential": harness().call("boundedExponential", [int(given["x"])])[0]}


def power(given: Given) -> Given:
    return {"power": harness().call("power", [int(given["ratioLogarithm"])], [int(given["exponent"])])[0]}


def gaussian(given: Given) -> Given:
    """N(x); and the upper tail it is made of."""
    x = int(given["x"])
    probability = harness().call("normalCdf", [x])[0]
    tail = harness().call("upperTail", [abs(x)])[0]
    assert probability == (tail if x < 0 else 2**60 - tail)
    return {"probability": probability}


def black76(given: Given) -> Given:
    """The pair; and, undiscounted, each of its values from the function that prices one option."""
    forward, strike, vol, discount = (
        int(given[name]) for name in ("forward", "strike", "totalVol", "discount")
    )
    logarithms = harness().call("ln", [forward, strike])
    arguments = (forward, strike, *logarithms, vol, discount)
    pair = harness().call("optionPair", *([value] for value in arguments))[0]
    if discount == ONE_Q58:
        alone = harness().call("prices", [True, False], *([value] * 2 for value in (forward, strike, vol)))
        assert tuple(alone) == tuple(pair[:2])
    return dict(zip(("call", "put", "callDelta", "putDelta"), pair, strict=True))


def _smile(given: Given) -> tuple[int, ...]:
    return tuple(int(given[name]) for name in ("a", "b", "rho", "m", "sigma"))


def smile_parameters(given: Given) -> Given:
    harness().call("checkSmile", _smile(given))
    values = harness().call("prepareSmile", _smile(given))
    return dict(zip(("aQ64", "bQ60", "rhoQ60", "mQ58", "sigmaQ58"), values, strict=True))


def total_vol(given: Given) -> Given:
    """With the parameters checked; and once more from the two logarithms."""
    smile, forward, strike = _smile(given["svi"]), int(given["forward"]), int(given["strike"])
    vol = harness().call("totalVols", smile, forward, [strike])[0]
    logarithms = harness().call("ln", [forward, strike])
    assert harness().call("totalVol", smile, *([value] for value in logarithms))[0] == vol
    return {"totalVol": vol}


def model(given: Given) -> Given:
    data = octets(given["bytes"])
    model_hash = codec_harness().call("checkModel", data)
    ids = [section.underlying for section in decode_model(data).sections]
    counts = [harness().call("indexCount", data, id_) for id_ in ids]
    return {"hash": model_hash, "sections": [{"indexCount": count} for count in counts]}


def portfolio_codec(given: Given) -> Given:
    return {"hash": codec_harness().call("checkPortfolio", octets(given["bytes"]))}


def trade(given: Given) -> Given:
    arguments = (octets(given["portfolio"]), int(given["id"]), int(given["quantity"]))
    return {"portfolio": codec_harness().call("applyTrade", *arguments)}


def depth(given: Given) -> Given:
    return {"depth": codec_harness().call("treeDepth", int(given["count"]))}


def root(given: Given) -> Given:
    """Contracts never build a tree: every leaf's proof must lead to the expected root, and is checked by `verify`."""
    leaves = [octets(leaf) for leaf in given["leaves"]]
    if not leaves:
        raise NotExpressibleError("a tree without leaves has no proof")
    levels = tree.tree_levels(leaves)
    for index, leaf in enumerate(leaves):
        codec_harness().call("verifyLeaf", leaf, index, len(leaves), tree.proof(levels, index), levels[-1][0])
    return {"root": levels[-1][0]}


def proof(given: Given) -> Given:
    leaves, index = [octets(leaf) for leaf in given["leaves"]], int(given["index"])
    levels = tree.tree_levels(leaves)
    siblings = tree.proof(levels, index) if index < len(leaves) else []
    leaf = leaves[min(index, len(leaves) - 1)]
    codec_harness().call("verifyLeaf", leaf, index, len(leaves), siblings, levels[-1][0])
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
    codec_harness().call("verifyLeaf", *arguments)
    return {"root": given["root"]}
