"""A keeper that ends, or is refused, between any two steps; attesters that are slow, odd, or asked for too much."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_keys.constants import SECPK1_N

from marginproof.attester.checks import MAX_ROUND_GAP, RefusedError
from marginproof.attester.signed_rounds import SignedRounds
from marginproof.auditor.audit import Auditor
from marginproof.errors import ChainError, InputError
from marginproof.keeper.collect import collect, free_round
from marginproof.keeper.post import post, publish_leaves
from marginproof.protocol import quorum as collecting
from marginproof.protocol.replay import Replayer
from marginproof.protocol.signing import recover, sign
from operators.stage import Stage, served

THREE = range(3)


def test_attack_41_a_keeper_killed_between_collecting_and_posting_goes_on_with_another_round(
    stage: Stage,
) -> None:
    stage.move_to(1)
    with served([stage.attester(index) for index in THREE]) as urls:
        lost = stage.propose(1)
        collect(stage.venue, lost, urls)
        stage.chain.mine(2)
        assert free_round(lost.header.round - 1, urls) == lost.header.round + 1
        done = stage.keeper(urls).round()
    assert done is not None
    assert done.epoch.header.round == lost.header.round + 1
    assert [item.findings for item in Auditor(stage.venue, on_chain=False).audit()] == [[], [], []]


def test_attack_41_leaves_left_out_by_a_killed_keeper_are_published_by_the_next(stage: Stage) -> None:
    stage.move_to(1)
    with served([stage.attester(index) for index in THREE]) as urls:
        keeper = stage.keeper(urls)
        epoch = stage.propose(1)
        signatures, _ = collect(stage.venue, epoch, urls)
        post(stage.venue, keeper.sender, epoch, signatures)
        publish_leaves(stage.venue, keeper.sender, epoch.header.round, epoch.result.leaves[:2])
        assert stage.keeper(urls).round() is None
    (leaves,) = Replayer(stage.venue).state_at().published[epoch.header.round].values()
    assert tuple(leaves[account] for account in sorted(leaves)) == epoch.result.leaves


def test_a_refused_post_does_not_use_up_the_venue(stage: Stage) -> None:
    stage.move_to(1)
    feeds = {entry.symbol: entry.spot_e8 for entry in stage.documents[1].underlyings}
    stage.world.set_feeds({symbol: spot * 2 for symbol, spot in feeds.items()}, stage.documents[1].time)
    with served([stage.attester(index) for index in THREE]) as urls:
        with pytest.raises(ChainError, match="FeedDeviation"):
            stage.keeper(urls).round()
        stage.world.set_feeds(feeds, stage.documents[1].time)
        assert stage.keeper(urls).round() is not None


def test_a_round_far_ahead_is_signed_by_nobody_and_refused_on_chain(stage: Stage) -> None:
    stage.move_to(1)
    last = stage.venue.call("EpochRegistry", "lastRound")
    ahead = stage.propose(1)
    for number in (last + MAX_ROUND_GAP + 1, last + 1_001, 2**64 - 1):
        epoch = replace(ahead, header=replace(ahead.header, round=number))
        with pytest.raises(RefusedError, match=f"more than {MAX_ROUND_GAP}"):
            stage.attester(0).sign(epoch.message())
    domain = stage.venue.domain("EpochRegistry")
    keys = sorted(stage.world.keys.attesters[:3], key=lambda key: int(key.address, 16))
    signatures = b"".join(sign(key, domain, epoch.header.struct_hash()) for key in keys)
    with pytest.raises(ChainError, match=rf"RoundTooFar\(round={2**64 - 1}, max={last + 1_000}\)"):
        post(stage.venue, stage.venue.sender(stage.world.keys.keeper), epoch, signatures)


def test_an_rpc_that_fails_in_the_middle_of_a_replay_leaves_the_state_whole(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marginproof.protocol.replay.BLOCKS_PER_QUERY", 20)
    follower = Replayer(stage.venue)
    get_logs = stage.venue.web3.eth.get_logs
    calls = 0

    def flaky(filter_params: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ValueError("the node gave up")
        return get_logs(filter_params)

    monkeypatch.setattr(stage.venue.web3.eth, "get_logs", flaky)
    with pytest.raises(ChainError, match="the node gave up"):
        follower.state_at()
    assert calls == 3
    assert len(follower.state_at().accounts) == len(stage.world.books)


@contextmanager
def dripping() -> Iterator[str]:
    """A server that accepts, answers the headers, and then sends one byte at a time for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            server.settimeout(0.2)
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
                    try:
                        while not ended.wait(0.1):
                            connection.sendall(b" ")
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join(timeout=10)


def test_attack_46_a_slow_attester_cannot_hold_a_round_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "DEADLINE_SECONDS", 1.5)
    stage.move_to(1)
    with (
        dripping() as slow,
        served([stage.attester(index) for index in range(2)]) as urls,
        pytest.raises(
            collecting.QuorumNotReachedError, match=r"2 valid signatures of 3 needed.*within 1\.5 s"
        ),
    ):
        stage.keeper([slow, *urls]).round()
    monkeypatch.setattr(collecting, "DEADLINE_SECONDS", 20.0)
    with dripping() as slow, served([stage.attester(index) for index in THREE]) as urls:
        epoch = stage.propose(1)
        _, answers = collect(stage.venue, epoch, [slow, *urls])
    assert [answer.reason for answer in answers] == ["signed"] * 3


def test_an_answer_without_end_is_cut_off(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_ANSWER_BYTES", 100)
    stage.move_to(1)
    with served([stage.attester(index) for index in THREE]) as urls:
        epoch = stage.propose(1)
        with pytest.raises(collecting.QuorumNotReachedError, match="an answer that is not an attester's"):
            collect(stage.venue, epoch, urls)


def test_a_signature_that_the_contracts_refuse_is_refused_before(stage: Stage) -> None:
    key = stage.world.keys.attesters[0]
    domain, struct_hash = b"\x01" * 32, b"\x02" * 32
    good = sign(key, domain, struct_hash)
    assert recover(good, domain, struct_hash) == key.address
    high = SECPK1_N - int.from_bytes(good[32:64], "big")
    for bad in (
        good[:32] + high.to_bytes(32, "big") + bytes([55 - good[64]]),
        good[:64] + bytes([good[64] - 27]),
        good[:64],
        good + b"\x00",
    ):
        assert recover(bad, domain, struct_hash) is None


def test_one_record_of_rounds_serves_one_process(tmp_path: Path) -> None:
    path = tmp_path / "rounds.json"
    first = SignedRounds(path)
    first.record(7, b"\x01" * 32)
    with pytest.raises(InputError, match="Another process holds"):
        SignedRounds(path)
    first.close()
    again = SignedRounds(path)
    assert again.newest() == [7]
    again.close()


def test_epochs_stay_valid_after_the_attesters_change(stage: Stage) -> None:
    for key in stage.world.keys.attesters[:3]:
        stage.venue.send(stage.world.deployer, "AttesterSet", "expel", key.address)
    stage.venue.send(stage.world.deployer, "AttesterSet", "setThreshold", 2)
    audits = list(Auditor(stage.venue, on_chain=False).audit())
    assert [item.findings for item in audits] == [[], []]


def test_the_keeper_settles_for_owners_who_did_not(stage: Stage) -> None:
    stage.move_to(1)
    with served([stage.attester(index) for index in THREE]) as urls:
        keeper = stage.keeper(urls)
        assert keeper.round() is not None
        assert keeper.settle_expired() == 0
        stage.chain.set_next_timestamp(stage.documents[1].time + 30 + 3_600 + 60)
        stage.chain.mine(1)
        assert keeper.settle_expired() > 0
        assert keeper.settle_expired() == 0
    state = Replayer(stage.venue).state_at()
    table = state.table()
    held = {table.resolve(p.instrument).expiry for a in state.accounts for p in a.positions}
    assert held.isdisjoint({expiry for _, expiry in state.settlements})
