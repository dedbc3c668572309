"""What each topic's case comes to inside the EVM. A runner returns the part of `expected` that the contracts compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import onchain_accounts as accounts
from . import onchain_arithmetic as arithmetic
from . import onchain_disputes as disputes
from . import onchain_epochs as epochs
from . import onchain_scenarios as scenarios
from .onchain_base import Given, NotExpressibleError

__all__ = ["RUNNERS", "NotExpressibleError"]

RUNNERS: Final[dict[str, Callable[[Given], Given]]] = {
    "fixed-point/division": arithmetic.division,
    "fixed-point/shift": arithmetic.shift,
    "fixed-point/square-root": arithmetic.square_root,
    "fixed-point/wad-to-binary": arithmetic.wad_to_binary,
    "fixed-point/logarithm": arithmetic.logarithm,
    "fixed-point/exponential": arithmetic.exponential,
    "fixed-point/bounded-exponential": arithmetic.bounded_exponential,
    "fixed-point/power": arithmetic.power,
    "pricing/gaussian": arithmetic.gaussian,
    "pricing/black76": arithmetic.black76,
    "smile/parameters": arithmetic.smile_parameters,
    "smile/total-vol": arithmetic.total_vol,
    "model/codec": arithmetic.model,
    "scenario/year-fraction": scenarios.year_fraction,
    "scenario/tenor-multiplier": scenarios.tenor_multiplier,
    "scenario/discount": scenarios.discount,
    "scenario/static-discounts": scenarios.static_discounts,
    "scenario/basis-factor": scenarios.basis_factor,
    "scenario/fixed-part": scenarios.fixed_part,
    "scenario/vol-rule": scenarios.vol_rule,
    "scenario/shocked-vol": scenarios.shocked_vol,
    "scenario/skew-terms": scenarios.skew_terms,
    "scenario/skew-multiplier": scenarios.skew_multiplier,
    "scenario/value": scenarios.value,
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
    "epoch/abridged": epochs.abridged,
    "epoch/commitments": epochs.commitments,
    "epoch/whole": epochs.epoch,
    "dispute/judgement": disputes.judgement,
    "dispute/history": disputes.history,
    "dispute/commitment": disputes.commitment,
    "dispute/tickets": disputes.tickets,
    "dispute/equivocation": disputes.equivocation,
}
