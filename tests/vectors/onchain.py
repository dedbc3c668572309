"""What each topic's case comes to inside the EVM. A runner returns the part of `expected` that the contracts compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import onchain_accounts as accounts
from . import onchain_arithmetic as arithmetic
from . import onchain_epochs as epochs
from .onchain_base import Given, NotExpressibleError

__all__ = ["RUNNERS", "NotExpressibleError"]

RUNNERS: Final[dict[str, Callable[[Given], Given]]] = {
    "fixed-point/division": arithmetic.division,
    "fixed-point/shift": arithmetic.shift,
    "fixed-point/square-root": arithmetic.square_root,
    "fixed-point/wad-to-q64": arithmetic.wad_to_q64,
    "fixed-point/logarithm": arithmetic.logarithm,
    "fixed-point/exponential": arithmetic.exponential,
    "pricing/gaussian": arithmetic.gaussian,
    "pricing/black76": arithmetic.black76,
    "smile/parameters": arithmetic.smile_parameters,
    "smile/total-vol": arithmetic.total_vol,
    "model/codec": arithmetic.model,
    "scenario/vol-rule": arithmetic.vol_rule,
    "scenario/value": accounts.value,
    "portfolio/codec": arithmetic.portfolio_codec,
    "portfolio/trade": arithmetic.trade,
    "portfolio/instrument": accounts.instrument,
    "portfolio/margin": accounts.margin,
    "tree/depth": arithmetic.depth,
    "tree/root": arithmetic.root,
    "tree/proof": arithmetic.proof,
    "tree/verify": arithmetic.verify,
    "eip712/domain": epochs.domain,
    "eip712/header": epochs.header,
    "eip712/leaf": epochs.leaf,
    "eip712/order": epochs.order,
    "eip712/quorum": epochs.quorum,
    "epoch/market": epochs.market,
    "epoch/commitments": epochs.commitments,
    "epoch/whole": epochs.epoch,
}
