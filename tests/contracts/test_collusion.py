"""A quorum that colludes on the market: smiles, forwards and rates at the edge of the bounds, epoch after epoch, and leaves that are
true on them. Nothing of it can be disputed; what they take is limited by the outflow budget. Under the default plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Final

import pytest

from evm.machine import ContractRefused, refused
from marginproof.documents import model_to_spec
from marginproof.models import load_model
from marginproof.protocol.deploy_config import BondPlan, MarketBoundsPlan, PolicyPlan
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket, encode_market
from marginproof.spec.model import encode_model

from . import setting
from .setting import BTC, BTC_LONG_CALL, E8, ETH, WAD
from .world import THRESHOLD, World, person

USD_UNIT_E8: Final = 100
"""One unit of the settlement token, E8."""
BOND_E8: Final = BondPlan().bond_e8
STAKE_E8: Final = THRESHOLD * BOND_E8
BUDGET_E8: Final = STAKE_E8 * PolicyPlan().outflow_share_bps // 10_000
MOST_E8: Final = PolicyPlan().max_withdrawal_e8
PEAK: Final = 9
"""Steps from a volatility of 60 % up to the band of 500 %: 1.25^9 = 7.5."""
CALLS_E8: Final = 50 * E8
_ONE: Final = 10**9
_VOL_JUMP: Final = 11
"""Its place among the limits."""

RAISER, WRITER, ACCOMPLICE, HONEST = range(4)
NAMES: Final = ("raiser", "writer", "accomplice", "honest")
OWN_USD: Final = (60_000, 20_000_000, 1_000_000, 30_000_000)
"""What everybody pays in, the raiser a bitcoin besides. The first three are the quorum's."""


def _quote(
    quote: ExpiryMarket, times: tuple[int, int], variance: int, forward: int, rate_wad: int
) -> ExpiryMarket:
    """A quote at a later time, its variance per second and its forward times so many billionths, and a rate."""
    left, had = (quote.expiry - time for time in reversed(times))
    svi = quote.svi
    svi = replace(svi, a=svi.a * variance * left // (_ONE * had), b=svi.b * variance * left // (_ONE * had))
    return replace(quote, forward_e8=quote.forward_e8 * forward // _ONE, rate_wad=rate_wad, svi=svi)


def scaled(
    market: MarketSnapshot, time: int, variance: int = _ONE, forward: int = _ONE, rate_wad: int = 0
) -> MarketSnapshot:
    """A later market whose quotes are those of another, BTC's changed."""
    times = (market.time, time)

    def changed(part: UnderlyingMarket) -> UnderlyingMarket:
        if part.underlying != BTC:
            return replace(part, expiries=tuple(_quote(q, times, _ONE, _ONE, 0) for q in part.expiries))
        return replace(
            part, expiries=tuple(_quote(q, times, variance, forward, rate_wad) for q in part.expiries)
        )

    return replace(market, time=time, underlyings=tuple(map(changed, market.underlyings)))


@dataclass
class Ring:
    """A venue under the default plan, three accounts of a colluding quorum, and an honest one. Epochs are posted for the quorum."""

    world: World
    paid_in: dict[str, int]

    @classmethod
    def start(cls) -> Ring:
        world = World(bond_value_e8=BOND_E8)
        world.model = model_to_spec(load_model("options-33"), {"BTC": BTC, "ETH": ETH})
        world.models.transact("publish", encode_model(world.model))
        for underlying in (BTC, ETH):
            feed = world.feeds[underlying].address
            world.guard.transact("setFeed", underlying, feed, setting.FEED_AGE, 100)
            world.bounds.transact("setLimits", underlying, MarketBoundsPlan().values())
        world.epochs.transact("setPolicy", PolicyPlan().values())
        for name, usd in zip(NAMES, OWN_USD, strict=True):
            world.open(person(name), usd)
        world.deposit_spot(RAISER, BTC, E8)
        ring = cls(world, {})
        world.post(cls.true_market(world))
        world.trade(RAISER, WRITER, BTC_LONG_CALL, CALLS_E8, world.mark(BTC_LONG_CALL))
        world.post(cls.true_market(world))
        ring.paid_in = {name: ring.outside(name) for name in NAMES}
        return ring

    @staticmethod
    def true_market(world: World) -> MarketSnapshot:
        """60 % volatility, all confidence."""
        market = setting.market(world.time)
        parts = tuple(replace(part, confidence_wad=WAD) for part in market.underlyings)
        return replace(market, underlyings=parts)

    # --- the market ---------------------------------------------------------------------------------------------------

    def edge(self, name: str, low: int, high: int) -> int:
        """The greatest value of one change of the market that the bounds let pass now."""
        market = self.world.market
        assert market is not None
        before = encode_market(market)

        def passes(value: int) -> bool:
            given = encode_market(scaled(market, self.world.time, **{name: value}))
            try:
                self.world.bounds.call("check", given, before)
            except ContractRefused:
                return False
            return True

        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if passes(middle) else (low, middle - 1)
        return low

    def post(self, **changes: int) -> None:
        """The next epoch, with BTC's quotes changed."""
        assert self.world.market is not None
        self.world.submit(self.world.snapshot(scaled(self.world.market, self.world.time, **changes)))

    def step(self) -> None:
        """The next epoch at the edge of what the bounds let a smile rise."""
        self.world.advance()
        self.post(variance=self.edge("variance", _ONE, 2 * _ONE))

    def raise_market(self, steps: int = PEAK) -> None:
        for _ in range(steps):
            self.step()

    def truth_returns(self) -> None:
        """Honest attesters post again, and the admin has taken the bounds off so that they can at once."""
        market = self.true_market(self.world)
        limits = list(setting.LIMITS)
        limits[_VOL_JUMP] = 10**9
        for underlying in (BTC, ETH):
            self.world.bounds.transact("setLimits", underlying, tuple(limits))
        self.world.post(market)

    # --- money --------------------------------------------------------------------------------------------------------

    def outside(self, name: str) -> int:
        """What somebody has outside the venue: dollars, and bitcoin at its spot, E8."""
        address = person(name).address
        coins = self.world.tokens[BTC].call("balanceOf", address)
        dollars: int = self.world.usd.call("balanceOf", address) * USD_UNIT_E8
        return dollars + coins * setting.SPOTS[BTC] // E8

    def taken(self) -> int:
        """What the quorum's accounts got out, E8."""
        return sum(self.outside(name) - self.paid_in[name] for name in NAMES[:HONEST])

    def budget(self) -> tuple[int, int]:
        spent, limit = self.world.epochs.call("outflow")
        return spent, limit

    def withdraw(self, way: str, account: int, amount_e8: int) -> None:
        world, owner = self.world, person(NAMES[account]).address
        units = amount_e8 // USD_UNIT_E8
        if way == "leaf":
            shown = world.shown_withdrawal(account, units, owner)
            world.do(world.vault, "withdraw", shown, by=owner)
        elif way == "full":
            given = (world.portfolios[account], world.market_bytes())
            world.do(world.vault, "withdrawFull", account, units, owner, *given, by=owner)
        elif way == "spot":
            coins = amount_e8 * E8 // setting.SPOTS[BTC]
            given = (world.portfolios[account], world.market_bytes())
            world.do(world.vault, "withdrawSpot", account, BTC, coins, owner, *given, by=owner)
        else:
            world.do(world.vault, "withdrawUnencumbered", account, units, owner, by=owner)

    def drain(self, way: str, account: int = RAISER, lot_e8: int = MOST_E8) -> None:
        """One way out until it is closed, in ever smaller lots."""
        while lot_e8 >= E8:
            try:
                self.withdraw(way, account, lot_e8)
            except ContractRefused:
                lot_e8 //= 2


@pytest.fixture
def ring() -> Ring:
    return Ring.start()


def test_the_budget_is_half_of_what_a_quorum_has_at_stake(ring: Ring) -> None:
    assert ring.budget() == (0, BUDGET_E8)
    assert BUDGET_E8 * 2 == STAKE_E8 == ring.world.attesters.call("slashableE8")


@pytest.mark.parametrize(
    ("name", "low", "high", "error"),
    [
        ("variance", _ONE, 2 * _ONE, "VarianceJump"),
        ("forward", _ONE, 2 * _ONE, "BasisJump"),
        ("rate_wad", 0, WAD, "RateJump"),
    ],
)
def test_attack_collusion_a_larger_step_than_the_bounds_is_refused(
    ring: Ring, name: str, low: int, high: int, error: str
) -> None:
    world = ring.world
    world.advance()
    edge, before = ring.edge(name, low, high), world.market
    with refused(error):
        ring.post(**{name: edge + 1})
    world.market = before
    ring.post(**{name: edge})


def test_attack_collusion_the_band_ends_the_climb(ring: Ring) -> None:
    ring.raise_market(PEAK)
    ring.world.advance()
    left = ring.edge("variance", _ONE, 2 * _ONE)
    assert left < _ONE * 5 // 4 * 5 // 4
    ring.post(variance=left)
    ring.world.advance()
    with refused("VarianceOutOfBand"):
        ring.post(variance=_ONE + _ONE // 100)


@pytest.mark.parametrize("ways", [("leaf", "full", "spot"), ("full",), ("spot", "full"), ("full", "leaf")])
def test_attack_collusion_on_smiles_takes_no_more_than_the_budget(ring: Ring, ways: tuple[str, ...]) -> None:
    """Long calls marked up to the band in two minutes would allow several budgets; by whatever rung, one budget leaves."""
    ring.raise_market()
    world = ring.world
    allowed = world.equity(RAISER) - world.figures(RAISER).initial
    assert allowed > 2 * BUDGET_E8
    for way in ways:
        ring.drain(way)
    spent, limit = ring.budget()
    assert limit == BUDGET_E8
    assert BUDGET_E8 - 2 * E8 < ring.taken() == spent <= BUDGET_E8 <= STAKE_E8
    # A spot account that was emptied first has nothing left to be refused.
    for way in ("leaf", "full") if ways[0] == "spot" else ("leaf", "full", "spot"):
        with refused("OutflowBudgetExceeded"):
            ring.withdraw(way, RAISER, 10 * E8)
    # Neither another epoch nor hours give a new budget.
    world.advance(3_000)
    ring.post()
    with refused("OutflowBudgetExceeded"):
        ring.withdraw("full", RAISER, 10 * E8)


def test_attack_collusion_on_tickets_takes_no_more_than_the_budget(ring: Ring) -> None:
    """Tickets move money between own accounts at any price: each counts with its whole size."""
    ring.raise_market()
    world = ring.world
    price = 120_000 * E8
    lots = BUDGET_E8 // price
    with refused("OutflowBudgetExceeded", (lots + 1) * price, 0, BUDGET_E8):
        world.trade_attested(ACCOMPLICE, RAISER, BTC_LONG_CALL, (lots + 1) * E8, price)
    for _ in range(lots):
        world.trade_attested(RAISER, ACCOMPLICE, BTC_LONG_CALL, E8, price)
    assert ring.budget()[0] == lots * price
    with refused("OutflowBudgetExceeded"):
        world.trade_attested(RAISER, ACCOMPLICE, BTC_LONG_CALL, E8, price)
    ring.drain("leaf", ACCOMPLICE)
    ring.drain("full")
    assert ring.taken() <= ring.budget()[0] - lots * price
    assert ring.budget()[0] <= BUDGET_E8


def test_accounts_without_positions_are_never_kept_by_the_budget(ring: Ring) -> None:
    ring.raise_market()
    ring.drain("full")
    assert ring.budget()[0] > BUDGET_E8 - 2 * E8
    ring.withdraw("unencumbered", HONEST, OWN_USD[HONEST] * E8)
    # Nor are those that hold nothing but spot.
    world = ring.world
    world.open(person("holder"), 100)
    world.deposit_spot(4, BTC, 3 * E8)
    world.deposit_spot(4, ETH, 3 * E8)
    owner = person("holder").address
    held = (world.portfolios[4], world.market_bytes())
    world.do(world.vault, "withdrawFull", 4, 10**6, owner, *held, by=owner)
    world.do(world.vault, "withdrawSpot", 4, BTC, 3 * E8, owner, *held, by=owner)
    assert world.tokens[BTC].call("balanceOf", owner) == 3 * E8


@pytest.mark.parametrize("seed", range(4))
def test_attack_collusion_random_withdrawals_stay_within_the_budget(ring: Ring, seed: int) -> None:
    """Epochs at the edge, up or as they are, between withdrawals of any size by any rung: always within the budget."""
    rng = Random(f"collusion {seed}")
    steps = 0
    ways: tuple[str, ...] = ("leaf", "full", "spot", "step", "wait")
    for _ in range(60):
        way = rng.choice(ways)
        if way == "step" and steps < PEAK:
            ring.step()
            steps += 1
        elif way in ("step", "wait"):
            ring.world.advance(rng.randrange(12, 3_000))
            ring.post()
        else:
            amount = rng.choice((E8, 1_000 * E8, rng.randrange(100, MOST_E8), 3 * MOST_E8))
            try:
                ring.withdraw(way, RAISER, amount)
            except ContractRefused:
                continue
        assert ring.taken() <= ring.budget()[0] + 100 * USD_UNIT_E8
        assert ring.budget()[0] <= BUDGET_E8
    assert steps


def test_the_loss_to_others_is_what_was_taken(ring: Ring) -> None:
    """Once the market is true again: what accounts are owed, less what the venue holds, is at most the budget."""
    ring.raise_market()
    ring.drain("full")
    ring.truth_returns()
    world = ring.world
    owed = sum(max(0, world.equity(account)) for account in range(len(NAMES)))
    held = world.usd.call("balanceOf", world.vault.address) * USD_UNIT_E8
    held += world.tokens[BTC].call("balanceOf", world.vault.address) * setting.SPOTS[BTC] // E8
    assert 0 < owed - held <= ring.taken() <= BUDGET_E8


def test_what_trades_in_full_carry_out_is_not_limited(ring: Ring) -> None:
    """Not covered: the account that is marked up buys dear from another, which closes and leaves without positions."""
    ring.raise_market()
    world = ring.world
    paid = 2 * BUDGET_E8
    world.trade(RAISER, ACCOMPLICE, BTC_LONG_CALL, E8, paid)
    world.trade(ACCOMPLICE, RAISER, BTC_LONG_CALL, E8, 1)
    assert world.portfolios[ACCOMPLICE] == b""
    ring.withdraw("unencumbered", ACCOMPLICE, world.cash[ACCOMPLICE])
    assert ring.taken() == OWN_USD[ACCOMPLICE] * E8 + paid - USD_UNIT_E8
    assert ring.budget()[0] == 0
