"""Whatever people do, in any order: nobody's money is made or lost, and every claim is backed by tokens.

After each step of a random history:
- cash over all accounts, and what settled legs still have to pay and receive, is at most the settlement tokens held;
- the spot over all accounts is the tokens held; every other instrument nets to zero;
- no action left an account below its requirement, unless it was below before and the action reduced its risk;
- no slice worsened health, no refused call changed anything, and what events tell is what the contracts hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evm.machine import ADMIN, ContractRefused
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import Instrument
from marginproof.spec.portfolio import decode_portfolio
from marginproof.spec.scenario import settled_value

from . import setting
from .setting import (
    BTC,
    BTC_CALL,
    BTC_FUTURE,
    BTC_LONG_CALL,
    BTC_PERP,
    BTC_PUT,
    BTC_SPOT,
    DAY,
    E8,
    ETH,
    ETH_PERP,
    ETH_PUT,
)
from .world import World, person

TRADED = (BTC_PERP, ETH_PERP, BTC_FUTURE, BTC_CALL, BTC_PUT, BTC_LONG_CALL, ETH_PUT, BTC_SPOT)
UNNAMED = {"Panic", "empty", "unknown"}
"""What a contract must not end in, whatever it is asked to do."""
PEOPLE = ("alice", "bob", "carol", "dave")
FUNDS = 3
"""Dave's account: he only liquidates."""

ACCOUNT = st.integers(0, 2)
QUANTITY = st.one_of(st.integers(1, 9), st.integers(1, 20 * E8))
STEPS = st.one_of(
    st.tuples(st.just("deposit"), ACCOUNT, st.integers(1, 10**12)),
    st.tuples(st.just("deposit_spot"), ACCOUNT, st.sampled_from((BTC, ETH)), QUANTITY),
    st.tuples(st.just("withdraw"), ACCOUNT, st.integers(1, 10**12)),
    st.tuples(st.just("withdraw_spot"), ACCOUNT, st.sampled_from((BTC, ETH)), QUANTITY),
    st.tuples(st.just("trade"), ACCOUNT, ACCOUNT, st.sampled_from(TRADED), QUANTITY, st.integers(90, 110)),
    st.tuples(st.just("trade"), ACCOUNT, ACCOUNT, st.sampled_from(TRADED), QUANTITY, st.integers(90, 110)),
    st.tuples(
        st.just("trade_attested"), ACCOUNT, ACCOUNT, st.sampled_from(TRADED), QUANTITY, st.integers(90, 110)
    ),
    st.tuples(st.just("withdraw_full"), ACCOUNT, st.integers(1, 10**12)),
    st.tuples(st.just("withdraw_all"), ACCOUNT),
    st.tuples(st.just("pause"), st.booleans()),
    st.tuples(st.just("move"), st.integers(70, 140), st.integers(-500, 500)),
    st.tuples(st.just("wait"), st.integers(1, 4)),
    st.tuples(st.just("settle"), st.integers(0, 9)),
    st.tuples(st.just("call"), ACCOUNT),
    st.tuples(st.just("liquidate"), ACCOUNT, st.integers(1, setting.MAX_SLICE)),
    st.tuples(st.just("release"), ACCOUNT),
)


class History:
    """A world and what may happen in it. A refused step leaves no trace."""

    def __init__(self) -> None:
        self.world = World()
        self.spots = dict(setting.SPOTS)
        self.funding = 0
        self.settled: dict[tuple[int, int], int] = {}
        for name in PEOPLE:
            self.world.open(person(name), 100_000)
        self.world.deposit(FUNDS, 10**14)
        self.world.vault.transact("grantRole", keccak(b"PAUSER_ROLE"), ADMIN)
        self.paused = False
        self.epoch()

    def epoch(self) -> None:
        self.world.advance()
        for underlying, expiries in setting.EXPIRIES.items():
            for expiry in expiries:
                if expiry <= self.world.time:
                    self.settled.setdefault((underlying, expiry), self.spots[underlying])
        market = setting.market(self.world.time, self.spots, {BTC: self.funding}, self.settled)
        self.world.submit(self.world.snapshot(market))

    def owner(self, account: int) -> str:
        address: str = self.world.owners[account].address
        return address

    def deposit(self, account: int, amount: int) -> None:
        self.world.deposit(account, amount)

    def deposit_spot(self, account: int, underlying: int, quantity: int) -> None:
        self.world.deposit_spot(account, underlying, quantity)

    def withdraw(self, account: int, amount: int) -> None:
        self.epoch()
        owner = self.owner(account)
        shown = self.world.shown_withdrawal(account, amount, owner)
        self.world.do(self.world.vault, "withdraw", shown, by=owner)
        assert not self.paused
        self.covered(account)

    def covered(self, account: int) -> None:
        """The account has initial margin and no cash deficit."""
        figures, cash = self.world.figures(account), self.world.cash[account]
        assert cash + figures.value >= figures.initial
        assert cash + figures.value >= figures.spot_value
        assert not self.world.frozen[account]

    def withdraw_full(self, account: int, amount: int) -> None:
        portfolio, market = self.world.portfolios[account], self.world.market_bytes()
        owner = self.owner(account)
        self.world.do(self.world.vault, "withdrawFull", account, amount, owner, portfolio, market, by=owner)
        self.covered(account)

    def withdraw_all(self, account: int) -> None:
        """Whoever has nothing but cash and was not called takes it, whatever else is going on."""
        cash, owner = self.world.cash[account], self.owner(account)
        if self.world.portfolios[account] or self.world.frozen[account] or cash < 100:
            return
        self.world.do(self.world.vault, "withdrawUnencumbered", account, cash // 100, owner, by=owner)
        assert 0 <= self.world.cash[account] < 100

    def pause(self, pause: bool) -> None:
        self.world.do(self.world.vault, "pause" if pause else "unpause")
        self.paused = pause

    def withdraw_spot(self, account: int, underlying: int, quantity: int) -> None:
        amount = quantity * (10**10 if underlying == ETH else 1)
        portfolio, market, owner = (
            self.world.portfolios[account],
            self.world.market_bytes(),
            self.owner(account),
        )
        self.world.do(
            self.world.vault, "withdrawSpot", account, underlying, amount, owner, portfolio, market, by=owner
        )

    def trade(self, buyer: int, seller: int, instrument: int, quantity: int, percent: int) -> None:
        price = max(self.world.mark(instrument), 0) * percent // 100
        before = {account: self.standing(account) for account in (buyer, seller)}
        self.world.trade(buyer, seller, instrument, quantity, price)
        for account, (initial, equity) in before.items():
            initial_after, equity_after = self.standing(account)
            if equity_after < initial_after:
                assert initial_after <= initial
                assert equity_after + (initial - initial_after) // 10 >= equity

    def standing(self, account: int) -> tuple[int, int]:
        """Initial margin and equity."""
        return self.world.figures(account).initial, self.world.equity(account)

    def trade_attested(self, buyer: int, seller: int, instrument: int, quantity: int, percent: int) -> None:
        price = max(self.world.mark(instrument), 0) * percent // 100
        self.world.trade_attested(buyer, seller, instrument, quantity, price)
        for account in (buyer, seller):
            self.covered(account)

    def move(self, percent: int, funding: int) -> None:
        self.spots = {u: max(10**8, min(10**13, price * percent // 100)) for u, price in self.spots.items()}
        self.funding += funding * E8
        self.epoch()

    def wait(self, days: int) -> None:
        self.world.advance(days * DAY)
        self.epoch()

    def settle(self, account: int) -> None:
        account %= len(self.world.portfolios)
        portfolio, owner = self.world.portfolios[account], self.owner(account)
        equity = self.world.equity(account)
        self.world.do(self.world.ledger, "settleExpired", account, portfolio, by=owner)
        assert equity - 1 <= self.world.equity(account) <= equity

    def call(self, account: int) -> None:
        choices = self.world.choices(account)
        args = (account, self.world.portfolios[account], self.world.market_bytes(), choices)
        self.world.do(self.world.house, "callMargin", *args)

    def liquidate(self, account: int, fraction: int) -> None:
        world = self.world
        figures, equity = world.figures(account), world.equity(account)
        args = (account, FUNDS, fraction, 10**7 * E8, world.portfolios[account], world.market_bytes())
        world.do(world.house, "liquidate", *args, world.choices(account), by=self.owner(FUNDS))
        world.owners.append(person("dave"))
        after, equity_after = world.figures(account), world.equity(account)
        assert after.maintenance <= figures.maintenance
        assert equity_after <= equity
        if equity >= 0:
            assert equity_after * figures.maintenance >= equity * after.maintenance
        else:
            assert equity_after == equity

    def release(self, account: int) -> None:
        world = self.world
        world.do(world.house, "release", account, world.portfolios[account], world.market_bytes())

    def step(self, name: str, *args: Any) -> bool:
        """Take a step; False if it was refused."""
        action: Callable[..., None] = getattr(self, name)
        try:
            action(*args)
        except ContractRefused as refusal:
            if refusal.name in UNNAMED:
                raise
            return False
        return True

    def check(self) -> None:
        world = self.world
        world.check()
        net: Counter[int] = Counter()
        pending = 0
        for portfolio in world.portfolios:
            for position in decode_portfolio(portfolio):
                net[position.instrument] += position.quantity
                instrument: Instrument = setting.TABLE.resolve(position.instrument)
                price = self.settled.get((instrument.underlying, instrument.expiry))
                if price is not None:
                    pending += position.quantity * settled_value(instrument, price)
        held = world.usd.call("balanceOf", world.vault.address) * 100
        assert sum(world.cash) * E8 + pending <= held * E8
        for underlying, unit in ((BTC, 1), (ETH, 10**10)):
            coins = world.tokens[underlying].call("balanceOf", world.vault.address)
            assert net.pop(underlying << 26, 0) * unit == coins
        # A leg settled for one side and not yet for the other no longer nets to zero; `pending` holds it to account.
        for instrument_id, quantity in net.items():
            resolved = setting.TABLE.resolve(instrument_id)
            assert quantity == 0 or (resolved.underlying, resolved.expiry) in self.settled


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=8, max_size=24))
def test_money_is_conserved_through_any_history(steps: list[tuple[Any, ...]]) -> None:
    history = History()
    for name, *args in steps:
        history.step(name, *args)
        history.check()


def test_a_full_history_takes_every_kind_of_step() -> None:
    """The random histories above are worth little if their steps are refused: this one takes each of them."""
    history = History()
    steps: list[tuple[Any, ...]] = [
        ("deposit_spot", 0, BTC, E8),
        ("trade", 1, 0, BTC_CALL, 3 * E8, 100),
        ("trade", 0, 1, BTC_PERP, 7 * E8 + 1, 100),
        ("trade", 1, 2, BTC_FUTURE, 2 * E8, 100),
        ("withdraw_spot", 0, BTC, 1),
        ("withdraw", 2, 10**6),
        ("pause", True),
        ("trade_attested", 2, 1, ETH_PERP, E8, 101),
        ("withdraw_full", 2, 10**6),
        ("pause", False),
        ("move", 80, 3),
        ("call", 0),
        ("liquidate", 0, setting.MAX_SLICE),
        ("liquidate", 0, setting.MAX_SLICE // 3),
        ("deposit", 0, 10**12),
        ("release", 0),
        ("wait", 4),
        ("wait", 4),
        ("settle", 0),
        ("settle", 1),
        ("settle", 2),
        ("settle", 4),
        ("settle", 5),
    ]
    for name, *args in steps:
        assert history.step(name, *args), f"{name}{args} was refused"
        history.check()
    world = history.world
    cash_only = sum(world.cash)
    assert cash_only <= world.usd.call("balanceOf", world.vault.address) * 100
