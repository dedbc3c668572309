"""What an audit finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marginproof.auditor.disputable import Disputable, WrongTicket


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: where, which field, the posted and the true value, and the scenario or charge that shows it (for margins)."""

    round: int
    account: int | None
    field: str
    posted: str
    true: str
    underlying: str | None = None
    scenario_index: int | None = None
    scenario: str | None = None

    def sentence(self) -> str:
        """The finding in one sentence."""
        where = f"epoch {self.round}" + (f", account {self.account}" if self.account is not None else "")
        text = f"{where}: {self.field} was posted as {self.posted}, it is {self.true}"
        if self.scenario is not None:
            text += f"; shown by {self.underlying} scenario {self.scenario_index} ({self.scenario})"
        return text


@dataclass(slots=True)
class EpochAudit:
    """The audit of one epoch: how many accounts and figures were compared with what, and what differed."""

    round: int
    accounts: int = 0
    figures_recomputed: int = 0
    leaves_seen: int = 0
    contract_checks: int = 0
    signers: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tickets_seen: int = 0
    invalidated: bool = False
    """Whether the epoch was proven wrong on chain already: its findings are settled then."""
    disputable: list[Disputable] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether something is wrong that nobody has proven on chain yet."""
        return bool(self.findings) and not self.is_settled

    @property
    def is_settled(self) -> bool:
        """Whether everything wrong here was proven on chain: the epoch, and every ticket."""
        tickets = any(isinstance(item, WrongTicket) for item in self.disputable)
        of_epoch = any(not finding.field.startswith("ticket ") for finding in self.findings)
        return not tickets and (self.invalidated or not of_epoch)

    def summary(self) -> dict[str, Any]:
        """For --json."""
        return {
            "round": self.round,
            "accounts": self.accounts,
            "figuresRecomputed": self.figures_recomputed,
            "postedLeavesSeen": self.leaves_seen,
            "contractChecks": self.contract_checks,
            "ticketsSeen": self.tickets_seen,
            "invalidated": self.invalidated,
            "signers": self.signers,
            "findings": [
                {
                    "round": f.round,
                    "account": f.account,
                    "field": f.field,
                    "posted": f.posted,
                    "true": f.true,
                    "underlying": f.underlying,
                    "scenario": f.scenario_index,
                    "sentence": f.sentence(),
                }
                for f in self.findings
            ],
        }
