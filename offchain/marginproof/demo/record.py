"""What the demonstration remembers of itself: enough for the summary and the report. Money in E8, times in unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScenarioChange:
    """One scenario of one underlying: spot multiple (WAD), vol move ("up", "none",
    "linear skew") or the charge that it is ("basis charge"), and the weighted change (E8, rounded)."""

    underlying: str
    index: int
    spot_wad: int
    vol: str
    change_e8: int
    decides: bool


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """One account at one epoch."""

    account: int
    cash_e8: int
    value_e8: int
    initial_e8: int
    maintenance_e8: int
    frozen: bool
    profile: tuple[ScenarioChange, ...]

    @property
    def equity_e8(self) -> int:
        """Cash plus portfolio value."""
        return self.cash_e8 + self.value_e8


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One account of the demonstration: its id, who holds it ("Covered call, BTC, 1"), its strategy ("covered call")."""

    account: int
    name: str
    strategy: str


@dataclass(frozen=True, slots=True)
class EpochEntry:
    """One posted epoch: round, snapshot time, spot by symbol (E8), signers, gas, and every account as margined in it."""

    round: int
    time: int
    spots_e8: dict[str, int]
    signers: tuple[str, ...]
    refusals: tuple[str, ...]
    gas: int
    accounts: tuple[AccountFigures, ...]


@dataclass(frozen=True, slots=True)
class LiquidationEntry:
    """One call, slice or release, with equity and maintenance margin before and after (E8)."""

    round: int
    account: int
    action: str
    fraction_wad: int
    equity_before_e8: int
    maintenance_before_e8: int
    equity_after_e8: int
    maintenance_after_e8: int
    fresh_account: int | None


@dataclass(frozen=True, slots=True)
class WithdrawalEntry:
    """One withdrawal on a leaf: what was asked (E8) and whether it was allowed, with the contract's words when not."""

    round: int
    account: int
    amount_e8: int
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SettlementEntry:
    """Expired legs of one account collapsed into cash (E8, signed)."""

    round: int
    account: int
    cash_e8: int


@dataclass(frozen=True, slots=True)
class FundingEntry:
    """Funding paid (negative) or received by an account since the round before (E8)."""

    round: int
    account: int
    amount_e8: int


@dataclass(frozen=True, slots=True)
class DisputeEntry:
    """An epoch proven wrong: round, what was wrong in words, the difference shown (E8), whether bonds were slashed, what the claimant was
    paid (E8), gas of commitment and revelation."""

    round: int
    about: str
    difference_e8: int
    slashed: bool
    paid_e8: int
    gas: int


@dataclass(slots=True)
class Record:
    """Everything. `gas` lists the gas of every transaction by action; `audit` holds the audit's verdict in words."""

    chain: str
    chain_id: int
    model: str
    source: str
    books: list[BookEntry] = field(default_factory=list)
    epochs: list[EpochEntry] = field(default_factory=list)
    unlisted_rounds: list[int] = field(default_factory=list)
    """Rounds posted before anybody traded: on chain and audited, but not in `epochs`."""
    trades: int = 0
    attested_trades: int = 0
    """How many of them were settled on tickets."""
    disputes: list[DisputeEntry] = field(default_factory=list)
    trades_refused: list[str] = field(default_factory=list)
    withdrawals: list[WithdrawalEntry] = field(default_factory=list)
    liquidations: list[LiquidationEntry] = field(default_factory=list)
    settlements: list[SettlementEntry] = field(default_factory=list)
    funding: list[FundingEntry] = field(default_factory=list)
    gas: dict[str, list[int]] = field(default_factory=dict)
    bad_debt_e8: int = 0
    audit_passed: bool = False
    audit_lines: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add_gas(self, action: str, gas: int) -> None:
        """Note the gas of one transaction."""
        self.gas.setdefault(action, []).append(gas)
