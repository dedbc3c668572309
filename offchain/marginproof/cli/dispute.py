"""`marginproof audit --dispute`: pricing and filing what an audit found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marginproof.auditor.claims import Claimant, Filed, Quote, cases_of
from marginproof.auditor.disputable import Disputable
from marginproof.auditor.findings import EpochAudit
from marginproof.cli.bonds import bond_token
from marginproof.cli.chain import Chain
from marginproof.cli.console import out
from marginproof.cli.numbers import e8, exact
from marginproof.documents import format_decimal
from marginproof.errors import ChainError
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.judgement import UNPRICED


@dataclass(frozen=True, slots=True)
class DisputeCase:
    """Something to be proven wrong, what it would cost and bring, and how it ended: filed, refused with a reason, or neither yet."""

    item: Disputable
    quote: Quote
    filed: Filed | None = None
    refused: str | None = None


def settle_disputes(venue: Venue, sender: Sender | None, audits: Sequence[EpochAudit]) -> list[DisputeCase]:
    """Price every dispute, and with a sender file it. A refusal does not keep the others from being filed. Errors: ChainError."""
    claimant = Claimant(venue, sender)
    found = []
    for item in cases_of(audits):
        quote = claimant.quote(item)
        if sender is None:
            found.append(DisputeCase(item, quote))
            continue
        try:
            found.append(DisputeCase(item, quote, claimant.file(item)))
        except ChainError as error:
            found.append(DisputeCase(item, quote, refused=error.message))
    return found


def disputes_json(chain: Chain, cases: Sequence[DisputeCase]) -> list[dict[str, Any]]:
    """For programs: rewards as decimals of the bond token."""
    token = bond_token(chain)
    return [
        {
            "round": case.item.epoch.header.round,
            "kind": case.item.kind.name.lower(),
            "about": case.item.words,
            "difference": None
            if case.item.evidence.difference_e8 == UNPRICED
            else e8(case.item.evidence.difference_e8),
            "choices": "0x" + case.item.evidence.choices.hex(),
            "material": case.quote.is_material,
            "gasEstimate": case.quote.gas,
            "rewardEstimate": format_decimal(case.quote.reward, token.decimals),
            "filed": None
            if case.filed is None
            else {
                "transaction": case.filed.transaction,
                "gas": case.filed.gas,
                "slashed": case.filed.slashed,
                "paid": format_decimal(case.filed.paid, token.decimals),
            },
            "refused": case.refused,
        }
        for case in cases
    ]


def show_disputes(chain: Chain, cases: Sequence[DisputeCase]) -> None:
    """For people."""
    if not cases:
        return
    token = bond_token(chain)
    for case in cases:
        evidence, quote = case.item.evidence, case.quote
        by = (
            "what the market cannot price"
            if evidence.difference_e8 == UNPRICED
            else f"{exact(evidence.difference_e8)} USD"
            if evidence.difference_e8
            else "no money figure"
        )
        penalty = "bonds are slashed" if quote.is_material else "a bounty"
        line = f"Dispute about {case.item.words}: wrong by {by}: {penalty}"
        if case.filed is not None:
            done = "bonds slashed" if case.filed.slashed else "bounty"
            line = f"Disputed {case.item.words}: wrong by {by}; {done}, {token.text(case.filed.paid)} paid to us, {case.filed.gas:,} gas"
        elif case.refused is not None:
            line += f"; refused: {case.refused}"
        else:
            line += f"; would bring {token.text(quote.reward)} for about {quote.gas:,} gas"
        out().print(line + ".", soft_wrap=True)
