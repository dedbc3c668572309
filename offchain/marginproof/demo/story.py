"""The demonstration's course: set-up, trades, six snapshots of the crash, the audit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from marginproof.auditor.audit import Auditor
from marginproof.demo.figures import account_figures, funding_entries, utc
from marginproof.demo.reckoning import Reckoning
from marginproof.demo.record import BookEntry, EpochEntry, LiquidationEntry, SettlementEntry, WithdrawalEntry
from marginproof.demo.tamper import Tamper
from marginproof.demo.world import TOKEN_UNIT_E8, World
from marginproof.documents import MarketDocument, format_decimal
from marginproof.engine.values import ValueTable
from marginproof.errors import ChainError
from marginproof.keeper.bot import Keeper, Round
from marginproof.liquidator.bot import Liquidator
from marginproof.market.sources import MarketFolder
from marginproof.protocol.compute import epoch_of
from marginproof.protocol.deployment import load_deployment
from marginproof.protocol.gate import allowed_withdrawal
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import VenueState
from marginproof.protocol.venue import Venue
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.portfolio import encode_portfolio
from marginproof.spec.shown import ShownWithdrawal, pack_withdrawal

POSTING_DELAY = 30
"""Seconds between a snapshot's time and the block that posts it."""
SAMPLE_STEP = 7
"""Every so many accounts, one withdraws and one asks for too much."""


def usd(value_e8: int) -> str:
    """Whole dollars with separators."""
    return f"{value_e8 / 1e8:,.0f}"


class Story:
    """Runs the chapters in order and fills the record."""

    def __init__(
        self, world: World, documents: Sequence[MarketDocument], console: Console, tamper: Tamper | None
    ) -> None:
        self.world = world
        self.record = world.record
        self.documents = tuple(documents)
        self.console = console
        self.tamper = tamper
        self.compute = tamper.compute if tamper else epoch_of
        self._previous: Round | None = None

    @cached_property
    def _replayer(self) -> Replayer:
        return Replayer(self.world.venue)

    def _progress(self) -> Progress:
        columns = (
            TextColumn("{task.description:<42}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        return Progress(*columns, console=self.console)

    def set_up(self) -> None:
        """Deploy, open accounts, deposit."""
        with self._progress() as progress:
            task = progress.add_task("Deploying the contracts", total=1)
            self.world.venue  # noqa: B018 - deploys on first use
            self.world.admit_standby()
            progress.advance(task)
            task = progress.add_task("Opening accounts and depositing", total=len(self.world.books))
            for account, book in enumerate(self.world.books):
                self.world.open_account(account)
                self.record.books.append(BookEntry(account, book.name, book.strategy))
                progress.advance(task)

    def operators(self, folder: Path, urls: Sequence[str], funding_account: int) -> tuple[Keeper, Liquidator]:
        """The keeper with its own source, and the liquidator with its funded account."""
        venue = self.world.venue
        keeper = Keeper(
            Replayer(venue),
            venue.sender(self.world.keys.keeper),
            MarketFolder(folder / "source"),
            urls,
            compute=self.compute,
        )
        return keeper, Liquidator(Replayer(venue), self.world.holder(funding_account), funding_account)

    def replay(self, keeper: Keeper, liquidator: Liquidator, reckoning: Reckoning | None) -> None:
        """The six snapshots: post, dispute what is false, trade (after the first), settle, withdraw, liquidate."""
        for number, document in enumerate(self.documents, 1):
            self._move_to(document)
            done = keeper.round()
            if done is None:
                raise ChainError(
                    f"The keeper found nothing to post for the snapshot of time {document.time}."
                )
            self.record.add_gas("post an epoch", done.gas)
            self.record.add_gas("publish leaves", done.publish_gas)
            if number == 1:
                self.record.unlisted_rounds.append(done.epoch.header.round)
                self.console.print(
                    f"[bold]Epoch {done.epoch.header.round}[/bold]  {utc(document.time)}  before any trade, {done.gas:,} gas"
                )
                self._trade(done, keeper.attesters)
                done = self._second_round(keeper, document)
            if reckoning is not None and self.tamper is not None and document.time == self.tamper.time:
                self.console.print(
                    f"[bold red]Epoch {done.epoch.header.round}[/]  {utc(document.time)}  posted with a lie"
                )
                done = reckoning.answer(done, keeper)
                self.record.add_gas("post an epoch", done.gas)
                self.record.add_gas("publish leaves", done.publish_gas)
            self._remember(done, document)
            self._settle_expired(done)
            self._withdraw(done)
            self._tell_moves(done.epoch.header.round)
            self._liquidate(done, liquidator)
            self._previous = done
        self._count_bad_debt()

    def _move_to(self, document: MarketDocument) -> None:
        self.world.chain.set_next_timestamp(document.time + POSTING_DELAY)
        spots = {entry.symbol: entry.spot_e8 for entry in document.underlyings}
        self.world.set_feeds(spots, document.time)

    def _second_round(self, keeper: Keeper, document: MarketDocument) -> Round:
        """The first snapshot once more, now with the portfolios that the trades made."""
        done = keeper.round(same_market=True)
        if done is None:
            raise ChainError(f"The keeper could not post the snapshot of time {document.time} again.")
        self.record.add_gas("post an epoch", done.gas)
        self.record.add_gas("publish leaves", done.publish_gas)
        return done

    def _trade(self, done: Round, attesters: Sequence[str]) -> None:
        state = self._replayer.state_at()
        values = ValueTable(done.epoch.market, done.epoch.state.model())
        trades = [(i, trade) for i, book in enumerate(self.world.books) for trade in book.trades]
        with self._progress() as progress:
            task = progress.add_task("Trading: signed orders, settled on tickets", total=len(trades))
            for account, trade in trades:
                price = values(trade.instrument)[0]
                self.world.trade(account, trade, price, state, attesters)
                progress.advance(task)
        self._refused_trade(values, state, attesters)

    def _refused_trade(self, values: ValueTable, state: VenueState, attesters: Sequence[str]) -> None:
        """One trade too large for its account: the chain must refuse it."""
        account, trade = next((i, book.trades[-1]) for i, book in enumerate(self.world.books) if book.trades)
        too_large = type(trade)(trade.instrument, trade.quantity_e8 * 1_000, trade.maker)
        try:
            self.world.trade(account, too_large, values(trade.instrument)[0], state, attesters)
        except ChainError as error:
            self.record.trades_refused.append(error.message)
            self.console.print(f"  A thousand times too large a trade: {error.message}")
        else:
            raise ChainError("A trade a thousand times too large for its account was settled.")

    def _remember(self, done: Round, document: MarketDocument) -> None:
        state = done.epoch.state
        model = state.model()
        result = done.epoch.result
        table = result.table()
        figures = tuple(
            account_figures(account, state, result.margin(account, table), model)
            for account in range(len(result))
        )
        spots = {entry.symbol: entry.spot_e8 for entry in document.underlyings}
        signers = tuple(answer.signer for answer in done.answers if answer.signer)
        refusals = tuple(answer.reason for answer in done.answers if not answer.signer)
        entry = EpochEntry(
            done.epoch.header.round, document.time, spots, signers, refusals, done.gas, figures
        )
        self.record.epochs.append(entry)
        if self._previous is not None:
            self.record.funding += funding_entries(self._previous.epoch, done.epoch)
        below = sum(f.equity_e8 < f.maintenance_e8 for f in figures)
        prices = "  ".join(f"{symbol} {usd(spot)}" for symbol, spot in spots.items())
        self.console.print(
            f"[bold]Epoch {entry.round}[/bold]  {utc(document.time)}  {prices}  "
            f"{len(signers)} signatures, {len(refusals)} refusals, {done.gas:,} gas; {below} of {len(figures)} below maintenance"
        )

    def _tell_moves(self, number: int) -> None:
        settled = [item for item in self.record.settlements if item.round == number]
        asked = [item for item in self.record.withdrawals if item.round == number]
        paid = sum(item.amount_e8 for item in asked if item.allowed)
        self.console.print(
            f"  expired legs of {len(settled)} accounts settled to cash; {sum(i.allowed for i in asked)} withdrawals of "
            f"{usd(paid)} USD in all paid, {sum(not i.allowed for i in asked)} refused"
        )

    def _settle_expired(self, done: Round) -> None:
        table = done.epoch.state.table()
        settled = False
        for account, positions in enumerate(self.world.portfolios):
            instruments = [table.resolve(p.instrument) for p in positions]
            if not any(i.kind.is_dated and i.expiry <= done.epoch.market.time for i in instruments):
                continue
            before = self.world.venue.call("MarginVault", "cash", account)
            receipt = self.world.venue.send(
                self.world.holder(account),
                "MarginVault",
                "settleExpired",
                account,
                encode_portfolio(positions),
            )
            self.record.add_gas("settle expired legs", receipt["gasUsed"])
            after = self.world.venue.call("MarginVault", "cash", account)
            self.record.settlements.append(SettlementEntry(done.epoch.header.round, account, after - before))
            settled = True
        if settled:
            self._refresh()

    def _withdraw(self, done: Round) -> None:
        """Some withdraw a tenth of what is allowed, some ask for one unit too much; on the leaves of this epoch."""
        start = done.epoch.header.round % SAMPLE_STEP
        state = self._replayer.state_at()
        for account in range(start, len(self.world.books), SAMPLE_STEP):
            leaf = done.epoch.result.leaves[account]
            held = state.accounts[account]
            if not held.positions or held.frozen:
                continue
            allowed = allowed_withdrawal(held.cash_e8, leaf)
            greedy = (account // SAMPLE_STEP) % 2 == 1
            units = allowed // TOKEN_UNIT_E8 + 1 if greedy else allowed // (10 * TOKEN_UNIT_E8)
            if units:
                self._withdraw_one(done, account, units)

    def _withdraw_one(self, done: Round, account: int, units: int) -> None:
        sender = self.world.holder(account)
        leaf, proof = done.epoch.result.leaves[account], tuple(done.epoch.result.proof(account))
        shown = ShownWithdrawal(leaf, proof, units, bytes.fromhex(sender.address[2:]))
        try:
            receipt = self.world.venue.send(sender, "MarginVault", "withdraw", pack_withdrawal(shown))
            self.record.add_gas("withdraw on a leaf", receipt["gasUsed"])
            allowed, reason = True, ""
        except ChainError as error:
            allowed, reason = False, error.message
        self.record.withdrawals.append(
            WithdrawalEntry(done.epoch.header.round, account, units * TOKEN_UNIT_E8, allowed, reason)
        )

    def _liquidate(self, done: Round, liquidator: Liquidator) -> None:
        steps = liquidator.sweep()
        for step in steps:
            self.record.add_gas(f"liquidation: {step.action}", step.gas)
            self.record.liquidations.append(
                LiquidationEntry(
                    done.epoch.header.round,
                    step.account,
                    step.action,
                    step.fraction_wad,
                    step.before.equity_e8,
                    step.before.margin.maintenance,
                    step.after.equity_e8,
                    step.after.margin.maintenance,
                    step.fresh_account,
                )
            )
            if step.fresh_account is not None:
                name = f"Slice of account {step.account}, epoch {done.epoch.header.round}"
                self.record.books.append(BookEntry(step.fresh_account, name, "liquidated slice"))
        if steps:
            self.console.print(self._liquidation_table(done))
            self._refresh()

    def _liquidation_table(self, done: Round) -> Table:
        """One row per liquidated account: what was taken, and its health before and after."""
        table = Table("account", "slices taken", "equity / maintenance before", "after", "state", box=SIMPLE)
        items = [item for item in self.record.liquidations if item.round == done.epoch.header.round]
        for account in dict.fromkeys(item.account for item in items):
            own = [item for item in items if item.account == account]
            slices = ", ".join(f"{item.fraction_wad / 1e16:.1f} %" for item in own if item.action == "slice")
            table.add_row(
                f"{account} {self.record.books[account].name}",
                slices or "none",
                f"{usd(own[0].equity_before_e8)} / {usd(own[0].maintenance_before_e8)}",
                f"{usd(own[-1].equity_after_e8)} / {usd(own[-1].maintenance_after_e8)}",
                "released" if own[-1].action == "release" else "called",
            )
        return table

    def _refresh(self) -> None:
        state = self._replayer.state_at()
        self.world.portfolios = [account.positions for account in state.accounts]

    def _count_bad_debt(self) -> None:
        state = self._replayer.state_at()
        market: MarketSnapshot = state.newest_epoch().market
        result = epoch_of(state, market)
        values = [leaf.portfolio_value for leaf in result.leaves]
        equities = [a.cash_e8 + worth for a, worth in zip(state.accounts, values, strict=True)]
        self.record.bad_debt_e8 = sum(-equity for equity in equities if equity < 0)

    def audit(self, rpc_url: str) -> None:
        """Audit with nothing but the RPC address and the deployment file."""
        auditor = Auditor(Venue.open(rpc_url, load_deployment(self.world.path)))
        findings = []
        is_open = False
        with self._progress() as progress:
            newest = auditor.newest_state()
            task = progress.add_task("Auditing every epoch from the chain", total=len(newest.epochs))
            for audit in auditor.audit(newest):
                settled = "; proven wrong on chain, and invalid since" if audit.is_settled else ""
                findings += [finding.sentence() + settled for finding in audit.findings]
                is_open |= audit.is_open
                self.record.audit_lines.append(
                    f"epoch {audit.round}: {audit.accounts} accounts, {audit.figures_recomputed} figures recomputed, "
                    f"{audit.leaves_seen} posted leaves and {audit.contract_checks} contract recomputations compared, "
                    f"{len(audit.findings)} differences"
                )
                progress.advance(task)
        self.record.audit_lines += findings
        self.record.audit_passed = not is_open
        for line in self.record.audit_lines:
            self.console.print(f"  {line}", highlight=False)

    def summary(self, report: Path) -> dict[str, Any]:
        """For --json: money as decimal strings."""
        record = self.record
        return {
            "chain": record.chain,
            "chainId": record.chain_id,
            "accounts": len(record.books),
            "epochs": [entry.round for entry in record.epochs],
            "trades": record.trades,
            "tradesOnTickets": record.attested_trades,
            "disputes": [
                {
                    "round": item.round,
                    "about": item.about,
                    "difference": format_decimal(item.difference_e8, 8),
                    "slashed": item.slashed,
                    "paid": format_decimal(item.paid_e8, 8),
                    "gas": item.gas,
                }
                for item in record.disputes
            ],
            "withdrawals": {
                "allowed": sum(item.allowed for item in record.withdrawals),
                "refused": sum(not item.allowed for item in record.withdrawals),
            },
            "liquidationSteps": len(record.liquidations),
            "badDebt": format_decimal(record.bad_debt_e8, 8),
            "gas": {action: {"count": len(v), "max": max(v)} for action, v in record.gas.items() if v},
            "auditPassed": record.audit_passed,
            "audit": record.audit_lines,
            "report": str(report),
            "seconds": round(record.seconds, 1),
        }
