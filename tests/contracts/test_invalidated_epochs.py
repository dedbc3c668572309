"""What was done on an epoch that is found wrong later: it stands, it is counted once, and nobody has to pay for it twice."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import pytest

from evm.machine import Contract, refused
from marginproof.auditor.evidence import Kind
from marginproof.spec.hashing import keccak
from marginproof.spec.portfolio import decode_portfolio
from marginproof.spec.tree import root

from . import setting
from .setting import BTC_PERP, E8
from .world import ATTESTERS, Posted, World, person

ALICE, BOB, CAROL, CLAIMANT = (person(name).address for name in ("alice", "bob", "carol", "claimant"))
FUNDS = 2
SPOT = setting.SPOTS[setting.BTC]
SALT = keccak(b"salt")


def post_with_lie(world: World, btc: int, units: int) -> None:
    """An epoch whose market is true and in which Bob's initial margin is too low."""
    world.advance()
    header = world.snapshot(setting.market(world.time, {setting.BTC: btc * E8}))
    lie = world.leaves[1]
    world.leaves[1] = replace(lie, initial_margin=lie.initial_margin - units)
    world.submit(replace(header, leaf_root=root([leaf.struct_hash() for leaf in world.leaves])))


@pytest.fixture
def called() -> World:
    """Alice is long five perpetuals on 100,000 dollars, Bob short, Carol has cash. At 85,000, in an epoch with a lie about Bob, Alice
    is called and Carol takes a slice."""
    world = World()
    for name, usd in (("alice", 100_000), ("bob", 5_000_000), ("carol", 5_000_000)):
        world.open(person(name), usd)
    world.post()
    world.trade(0, 1, BTC_PERP, 5 * E8, SPOT)
    world.post()
    post_with_lie(world, 85_000, 10_000 * E8)
    world.do(
        world.house, "callMargin", 0, world.portfolios[0], world.market_bytes(), world.choices(0), by=CAROL
    )
    given = (world.portfolios[0], world.market_bytes(), world.choices(0))
    world.do(world.house, "liquidate", 0, FUNDS, setting.MAX_SLICE, 10**6 * E8, *given, by=CAROL)
    world.owners.append(person("carol"))
    return world


def dispute(world: World) -> dict[str, Any]:
    """Prove the newest epoch's leaf of Bob wrong, falling back on the epoch before."""
    rounds = sorted(world.posted)
    wrong, before = world.posted[rounds[-1]], world.posted[rounds[-2]]
    subject = (1).to_bytes(32, "big")
    word = world.disputes.call("commitmentOf", CLAIMANT, int(Kind.LEAF), wrong.header.round, subject, SALT)
    world.do(world.disputes, "commit", word, by=CLAIMANT)
    world.advance()
    claim = (
        astuple(wrong.header),
        wrong.signatures,
        astuple(before.header),
        keccak(before.signatures),
        SALT,
    )
    leaf, proof = world.leaf(1)
    witness = (world.portfolios[1], wrong.market, world.choices(1))
    world.do(world.disputes, "disputeLeaf", claim, leaf, proof, witness, by=CLAIMANT)
    found = world.event("EpochDisputed")
    fall_back(world, before)
    return found


def fall_back(world: World, posted: Posted) -> None:
    world.header = posted.header
    world.market = setting.market(posted.header.time)
    assert world.market_bytes() == posted.market


def positions(world: World) -> dict[int, int]:
    """What all accounts hold together, by instrument."""
    total: dict[int, int] = {}
    for portfolio in world.portfolios:
        for position in decode_portfolio(portfolio):
            total[position.instrument] = total.get(position.instrument, 0) + position.quantity
    return total


def test_attack_34_liquidation_on_an_epoch_that_is_later_invalidated(called: World) -> None:
    """The market that she was liquidated on was true: the slice and its price stand. Nothing moves when the epoch falls, and she is
    released on the one before, where she is healthy, without a second slice."""
    world = called
    cash, portfolios, held = (
        list(world.cash),
        list(world.portfolios),
        world.usd.call("balanceOf", world.vault.address),
    )
    assert world.frozen[0]
    assert dispute(world)["slashed"]
    assert (world.cash, world.portfolios) == (cash, portfolios)
    assert world.usd.call("balanceOf", world.vault.address) == held
    assert sum(cash) == held * 100
    assert all(quantity == 0 for quantity in positions(world).values())
    world.check()
    # The market of the epoch that fell serves no further slice; on the one before she is healthy.
    fallen = setting.market(world.time, {setting.BTC: 85_000 * E8})
    assert world.equity(0) >= world.figures(0).maintenance
    given = (world.portfolios[0], world.market_bytes(), world.choices(0))
    with refused("AccountHealthy"):
        world.do(world.house, "liquidate", 0, FUNDS, setting.MAX_SLICE, 10**6 * E8, *given, by=CAROL)
    with refused("WrongMarket"):
        market = world.market
        world.market = fallen
        lost = (world.portfolios[0], world.market_bytes())
        world.market = market
        world.do(world.house, "liquidate", 0, FUNDS, setting.MAX_SLICE, 10**6 * E8, *lost, given[2], by=CAROL)
    world.do(world.house, "release", 0, world.portfolios[0], world.market_bytes(), by=BOB)
    assert not world.frozen[0]
    # What signers lost went to the claimant and the fund, once; no account was credited.
    bonds = bonds_of(world)
    assert bonds["claimant"] == bonds["fund"] == bonds["taken"] // 2
    assert world.cash == cash


def bonds_of(world: World) -> dict[str, int]:
    """Bond tokens that the claimant and the fund have, and what the signers' bonds are short of."""
    bond_token = Contract(world.machine, world.usd.artifact, world.attesters.call("bondToken"))
    whole = world.attesters.call("bond")
    left = sum(world.attesters.call("bondOf", a) for a in [a.address for a in ATTESTERS])
    return {
        "claimant": bond_token.call("balanceOf", CLAIMANT),
        "fund": bond_token.call("balanceOf", world.fund.address),
        "taken": whole * len([a.address for a in ATTESTERS]) - left,
    }


def test_attack_34_liquidation_goes_on_where_the_account_is_unhealthy_in_the_next_true_epoch(
    called: World,
) -> None:
    """The honest epoch that follows has the same market: the next slice is taken there, of what is left, not of what was sold already."""
    world = called
    before = world.portfolios[0]
    dispute(world)
    world.attesters.transact("setThreshold", 2)
    world.advance()
    header = world.snapshot(setting.market(world.time, {setting.BTC: 85_000 * E8}))
    world.submit(header, world.signatures(header, ATTESTERS[-2:]))
    assert world.portfolios[0] == before
    given = (world.portfolios[0], world.market_bytes(), world.choices(0))
    world.do(world.house, "liquidate", 0, FUNDS, setting.MAX_SLICE, 10**6 * E8, *given, by=CAROL)
    world.owners.append(person("carol"))
    assert all(quantity == 0 for quantity in positions(world).values())
    assert sum(world.cash) == world.usd.call("balanceOf", world.vault.address) * 100
    world.check()
