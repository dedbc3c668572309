"""The liquidator: one sweep over all accounts, on the newest valid market."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from marginproof.engine.explain import Explanation, explain
from marginproof.engine.values import ValueTable
from marginproof.errors import ChainError
from marginproof.liquidator.sizing import DEFAULT_BUFFER_PERCENT, Terms, slice_cost, slice_fraction, split
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import PostedEpoch, VenueState
from marginproof.protocol.transactions import Sender
from marginproof.spec.portfolio import encode_portfolio
from marginproof.spec.typed_data import leaf_of

log = logging.getLogger("marginproof.liquidator")

_MAX_SLICES = 16
_CALL_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to an account: "call", "slice" or "release", with the account's figures before and after, and the gas."""

    account: int
    action: str
    before: Explanation
    after: Explanation
    fraction_wad: int
    fresh_account: int | None
    gas: int


class Liquidator:
    """Calls, slices and releases. `funding_account` is the bot's own account without positions, whose cash backs the slices."""

    def __init__(
        self,
        replayer: Replayer,
        sender: Sender,
        funding_account: int,
        buffer_percent: int = DEFAULT_BUFFER_PERCENT,
    ) -> None:
        self.replayer = replayer
        self.venue = replayer.venue
        self.sender = sender
        self.funding_account = funding_account
        self.buffer_percent = buffer_percent
        self.terms = Terms(
            self.venue.call("LiquidationHouse", "discountWad"),
            self.venue.call("LiquidationHouse", "maxSliceWad"),
            self.venue.call("LiquidationHouse", "dustE8"),
        )

    def sweep(self) -> list[Step]:
        """Look at every account once and act. Without a valid epoch nothing is done. Errors: ChainError."""
        state = self.replayer.state_at()
        eth = self.venue.web3.eth
        now = read(lambda: eth.get_block("latest"), endpoint(self.venue.web3), "the newest block")[
            "timestamp"
        ]
        valid = state.valid_epochs()
        if not valid or valid[-1].header.valid_until <= now:
            return []
        epoch = valid[-1]
        values = ValueTable(epoch.market, state.model(epoch.header.model_hash))
        steps: list[Step] = []
        for account in range(len(state.accounts)):
            figures = _figures(state, account, values)
            if state.accounts[account].frozen or figures.maintenance_excess_e8 < 0:
                steps += self._handle(account, state, epoch, values)
        return steps

    def _handle(self, account: int, state: VenueState, epoch: PostedEpoch, values: ValueTable) -> list[Step]:
        if state.accounts[account].owner == self.sender.address:
            log.warning(
                "account %d is our own and below maintenance margin: somebody else has to liquidate it",
                account,
            )
            return []
        steps: list[Step] = []
        if not state.accounts[account].frozen:
            called = self._call_persistently(account, state, epoch, values)
            if called is None:
                return steps
            steps.append(called)
            state = self.replayer.state_at()
        for _ in range(_MAX_SLICES):
            figures = _figures(state, account, values)
            if figures.maintenance_excess_e8 >= 0 or not state.accounts[account].positions:
                break
            step = self._slice(account, state, epoch, values)
            if step is None:
                break
            steps.append(step)
            state = self.replayer.state_at()
        if _figures(state, account, values).maintenance_excess_e8 >= 0:
            steps.append(self._release(account, state, epoch, values))
        return steps

    def _call_persistently(
        self, account: int, state: VenueState, epoch: PostedEpoch, values: ValueTable
    ) -> Step | None:
        """Call, and again when the owner changed the portfolio just before; None when it is healthy by then."""
        for _ in range(_CALL_ATTEMPTS - 1):
            try:
                return self._call(account, state, epoch, values)
            except ChainError as error:
                if "WrongPortfolio" not in error.message:
                    raise
                state = self.replayer.state_at()
                if _figures(state, account, values).maintenance_excess_e8 >= 0:
                    return None
        return self._call(account, state, epoch, values)

    def _call(self, account: int, state: VenueState, epoch: PostedEpoch, values: ValueTable) -> Step:
        before = _figures(state, account, values)
        portfolio = encode_portfolio(state.accounts[account].positions)
        receipt = self.venue.send(
            self.sender,
            "LiquidationHouse",
            "callMargin",
            account,
            portfolio,
            epoch.market_bytes,
            _choices(before),
        )
        return Step(account, "call", before, before, 0, None, receipt["gasUsed"])

    def _slice(self, account: int, state: VenueState, epoch: PostedEpoch, values: ValueTable) -> Step | None:
        before = _figures(state, account, values)
        positions = state.accounts[account].positions
        fraction = slice_fraction(before, self.terms)
        part = split(positions, fraction)
        cost = slice_cost(part, state.table(), values, self.buffer_percent)
        funds = state.accounts[self.funding_account].cash_e8
        if cost.total > funds:
            log.warning(
                "account %d: a slice needs %d E8 of cash, account %d has %d",
                account,
                cost.total,
                self.funding_account,
                funds,
            )
            return None
        receipt = self.venue.send(
            self.sender,
            "LiquidationHouse",
            "liquidate",
            account,
            self.funding_account,
            fraction,
            cost.cash_in,
            encode_portfolio(positions),
            epoch.market_bytes,
            _choices(before),
        )
        after_state = self.replayer.state_at()
        after = _figures(after_state, account, values)
        return Step(
            account, "slice", before, after, fraction, len(after_state.accounts) - 1, receipt["gasUsed"]
        )

    def _release(self, account: int, state: VenueState, epoch: PostedEpoch, values: ValueTable) -> Step:
        figures = _figures(state, account, values)
        portfolio = encode_portfolio(state.accounts[account].positions)
        receipt = self.venue.send(
            self.sender, "LiquidationHouse", "release", account, portfolio, epoch.market_bytes
        )
        return Step(account, "release", figures, figures, 0, None, receipt["gasUsed"])


def _figures(state: VenueState, account: int, values: ValueTable) -> Explanation:
    held = state.accounts[account]
    table = state.table()
    return explain(held.cash_e8, [(table.resolve(p.instrument), p.quantity) for p in held.positions], values)


def _choices(figures: Explanation) -> bytes:
    return leaf_of(0, b"", figures.margin).worst_scenarios
