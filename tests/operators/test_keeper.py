"""Collecting a quorum, posting, and what happens when there is none."""

from __future__ import annotations

import httpx
import pytest

from marginproof.demo.operators import free_port
from marginproof.demo.tamper import Tamper
from marginproof.errors import ChainError
from marginproof.keeper.post import post
from marginproof.protocol.quorum import QuorumNotReachedError
from marginproof.protocol.replay import Replayer
from marginproof.spec.portfolio import encode_portfolio
from operators.stage import Stage, served


def test_attack_46_posts_with_one_attester_offline_and_one_disagreeing(stage: Stage) -> None:
    stage.move_to(1)
    liar = Tamper(stage.documents[1].time, 1).compute
    attesters = [
        stage.attester(0),
        stage.attester(1, compute=liar),
        stage.attester(2),
        stage.attester(3, drift_bps=2),
    ]
    before = stage.venue.call("EpochRegistry", "lastRound")
    with served(attesters) as urls:
        done = stage.keeper([f"http://127.0.0.1:{free_port()}", *urls]).round()
    assert done is not None
    assert stage.venue.call("EpochRegistry", "lastRound") == before + 1
    assert len(done.signatures) == 3 * 65
    published = Replayer(stage.venue).state_at().published[done.epoch.header.round]
    assert [len(leaves) for leaves in published.values()] == [len(done.epoch.result.leaves)]


def test_too_few_signatures_post_nothing_and_say_why(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="marginproof.attester")
    stage.move_to(1)
    before = stage.venue.call("EpochRegistry", "lastRound")
    with served([stage.attester(0), stage.attester(1, drift_bps=50), stage.attester(2)]) as urls:
        keeper = stage.keeper(urls)
        with pytest.raises(QuorumNotReachedError, match=r"2 valid signatures of 3 needed.*too far from ours"):
            keeper.round()
    assert stage.venue.call("EpochRegistry", "lastRound") == before
    assert "signed round 3 of time" in caplog.text
    assert "refused: The market is too far from ours" in caplog.text


def test_a_wrong_epoch_gets_no_honest_signature(stage: Stage) -> None:
    stage.move_to(1)
    liar = Tamper(stage.documents[1].time, 1).compute
    with served([stage.attester(index) for index in range(3)]) as urls:
        keeper = stage.keeper(urls, compute=liar)
        with pytest.raises(QuorumNotReachedError, match=r"0 valid signatures of 3 needed.*leaf root"):
            keeper.round()


def test_the_same_market_is_not_posted_twice_unasked(stage: Stage) -> None:
    assert stage.keeper([]).round() is None


def test_attack_44_a_second_keeper_with_the_same_round_is_refused(stage: Stage) -> None:
    stage.move_to(1)
    with served([stage.attester(index) for index in range(3)]) as urls:
        keeper = stage.keeper(urls)
        done = keeper.round()
    assert done is not None
    with pytest.raises(
        ChainError, match=r"EpochRegistry\.post was refused: RoundNotNewer\(round=3, last=3\)"
    ):
        post(stage.venue, keeper.sender, done.epoch, done.signatures)


def test_the_service_names_what_is_malformed(stage: Stage) -> None:
    with served([stage.attester(0)]) as (url,):
        answer = httpx.post(f"{url}/sign", json={"header": {}, "market": "zz"})
        assert answer.status_code == 422
        assert "market" in answer.json()["refused"]
        health = httpx.get(f"{url}/health").json()
        assert health["signer"] == stage.world.keys.attesters[0].address
        assert health["last_round"] == -1


def test_a_settlement_price_is_repeated_only_while_somebody_holds_the_expiry(stage: Stage) -> None:
    stage.move_to(1)
    with served([stage.attester(index) for index in range(3)]) as urls:
        assert stage.keeper(urls).round() is not None
    state = Replayer(stage.venue).state_at()
    expired = {expiry for _, expiry in state.settlements}
    assert expired
    holders = [
        account
        for account, held in enumerate(state.accounts)
        if any(state.table().resolve(p.instrument).expiry in expired for p in held.positions)
    ]
    stage.move_to(2)
    repeated = stage.propose(2).market
    assert {s.expiry for section in repeated.underlyings for s in section.settlements} == (
        expired if holders else set()
    )
    for account in holders:
        portfolio = encode_portfolio(state.accounts[account].positions)
        stage.venue.send(stage.world.holder(account), "MarginVault", "settleExpired", account, portfolio)
    stage.chain.mine(2)
    afterwards = stage.propose(2).market
    assert [section.settlements for section in afterwards.underlyings] == [(), ()]
    with served([stage.attester(index) for index in range(3)]) as urls:
        assert stage.keeper(urls).round() is not None


def test_a_pause_across_an_expiry_does_not_block_posting(stage: Stage) -> None:
    """The first epoch after the pause settles at its own spot: the feed no longer confirms the older price."""
    stage.move_to(2)
    with served([stage.attester(index, drift_bps=2) for index in range(3)]) as urls:
        done = stage.keeper(urls).round()
    assert done is not None
    for section in done.epoch.market.underlyings:
        assert {s.price_e8 for s in section.settlements} <= {section.spot_e8}
    assert any(section.settlements for section in done.epoch.market.underlyings)
