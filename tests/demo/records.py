"""Records to report on: the real crash as the engine margins it, with invented signers, gas, liquidations and withdrawals."""

from __future__ import annotations

from marginproof.demo.record import (
    AccountFigures,
    BookEntry,
    EpochEntry,
    FundingEntry,
    LiquidationEntry,
    Record,
    ScenarioChange,
    SettlementEntry,
    WithdrawalEntry,
)
from marginproof.engine.explain import Explanation
from marginproof.spec.units import ONE_E8, ONE_WAD

from .crash import Crash

SIGNERS = tuple(f"0x{digit * 40}" for digit in "abc")


def account_figures(account: int, state: Explanation, symbols: dict[int, str]) -> AccountFigures:
    """One account as the demonstration notes it."""
    profile = tuple(
        ScenarioChange(
            underlying=symbols[lines.underlying],
            index=line.index,
            spot_wad=line.scenario.spot_wad,
            vol=line.scenario.kind.name.lower(),
            change_e8=line.change_e34 // 10**26,
            decides=line.decides,
        )
        for lines in state.underlyings
        for line in lines.scenarios
    )
    figures = state.margin
    return AccountFigures(
        account, state.cash_e8, figures.value, figures.initial, figures.maintenance, False, profile
    )


def empty_record() -> Record:
    """A run that stopped before its first epoch."""
    return Record("anvil", 31337, "options-33", "no source yet")


def crash_record(crash: Crash) -> Record:
    """A whole run: every account at six epochs, one liquidation in three steps, everything else at least once."""
    record = Record("anvil", 31337, "options-33", crash.document.source, trades=76, seconds=71.5)
    names = {underlying: symbol for symbol, underlying in crash.symbols.items()}
    record.books = [BookEntry(i, book.name, book.strategy) for i, book in enumerate(crash.books)]
    for round_, market in enumerate(crash.markets, 1):
        accounts = tuple(
            account_figures(i, crash.figures(book.name, round_ - 1), names)
            for i, book in enumerate(crash.books)
        )
        spots = {names[section.underlying]: section.spot_e8 for section in market.underlyings}
        record.epochs.append(EpochEntry(round_, market.time, spots, SIGNERS, (), 412_345 + round_, accounts))
        record.add_gas("post epoch", 412_345 + round_)
    called = next(b.account for b in record.books if b.name == "Over-levered long perpetual, BTC, 1")
    usd = ONE_E8
    record.liquidations = [
        LiquidationEntry(
            2, called, "call", 0, 86_400 * usd, 101_900 * usd, 86_400 * usd, 101_900 * usd, None
        ),
        LiquidationEntry(
            2, called, "slice", ONE_WAD // 5, 86_400 * usd, 101_900 * usd, 85_100 * usd, 81_500 * usd, 54
        ),
        LiquidationEntry(
            2, called, "release", 0, 85_100 * usd, 81_500 * usd, 85_100 * usd, 81_500 * usd, None
        ),
    ]
    record.withdrawals = [
        WithdrawalEntry(1, 7, 5_000 * usd, True, "within what initial margin leaves free"),
        WithdrawalEntry(
            2, 9, 900_000 * usd, False, "WithdrawalAboveAllowed(requested 900,000, allowed 3,120)"
        ),
    ]
    record.settlements = [SettlementEntry(2, 23, 0), SettlementEntry(2, 30, -1_234_567 * usd)]
    record.funding = [
        FundingEntry(2, 6, 474 * usd),
        FundingEntry(3, 6, 2 * usd),
        FundingEntry(2, 12, -190 * usd),
    ]
    for gas in (48_000, 54_000, 106_000):
        record.add_gas("settle trade", gas)
    record.bad_debt_e8 = 18_314 * usd
    record.audit_passed = True
    record.audit_lines = ["6 epochs rebuilt, 324 leaves compared, 0 differences"]
    return record
