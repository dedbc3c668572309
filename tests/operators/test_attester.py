"""An attester signs what it can reproduce, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from marginproof.attester.checks import RefusedError
from marginproof.attester.signed_rounds import EquivocationError, SignedRounds
from marginproof.errors import InputError
from marginproof.keeper.propose import ProposedEpoch
from marginproof.protocol.messages import HeaderMessage, Proposal
from marginproof.protocol.signing import recover
from marginproof.spec.market import encode_market, market_hash
from marginproof.spec.typed_data import EpochHeader
from operators.stage import Stage


def proposal(stage: Stage, snapshot: int = 1) -> ProposedEpoch:
    stage.move_to(snapshot)
    return stage.propose(snapshot)


def message(epoch: ProposedEpoch, **changes: object) -> Proposal:
    header = replace(epoch.header, **changes)  # type: ignore[arg-type]
    return Proposal(header=HeaderMessage.of(header), market="0x" + epoch.market_bytes.hex())


def test_signs_a_true_epoch_with_its_own_key(stage: Stage) -> None:
    epoch = proposal(stage)
    attester = stage.attester(2, drift_bps=5)
    signature = attester.sign(epoch.message())
    signer = recover(signature, stage.venue.domain("EpochRegistry"), epoch.header.struct_hash())
    assert signer == stage.world.keys.attesters[2].address
    assert attester.rounds.last == epoch.header.round


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h: {"leaf_root": b"\x11" * 32}, "leaf root"),
        (lambda h: {"leaf_count": h.leaf_count + 1}, "counts"),
        (lambda h: {"block_hash": b"\x22" * 32}, "has hash"),
        (lambda h: {"block_number": h.block_number + 1}, "not 1 deep"),
        (lambda h: {"model_hash": b"\x33" * 32}, "model"),
        (lambda h: {"market_hash": b"\x44" * 32}, "market hash"),
        (lambda h: {"valid_until": h.valid_until + 1}, "valid until"),
        (lambda h: {"round": h.round - 1}, "not newer"),
        (lambda h: {"time": h.time + 1}, "time"),
    ],
)
def test_refuses_a_header_that_it_cannot_reproduce(
    stage: Stage, change: Callable[[EpochHeader], dict[str, object]], words: str
) -> None:
    epoch = proposal(stage)
    with pytest.raises(RefusedError, match=words):
        stage.attester(0).sign(message(epoch, **change(epoch.header)))


def test_refuses_a_future_time(stage: Stage) -> None:
    epoch = stage.propose(1)
    with pytest.raises(RefusedError, match="after the newest block"):
        stage.attester(0).sign(epoch.message())


def test_refuses_a_market_too_far_from_its_own_source(stage: Stage) -> None:
    epoch = proposal(stage)
    with pytest.raises(RefusedError, match=r"spot is .*, ours is .*allowed: 0.30%"):
        stage.attester(0, drift_bps=50).sign(epoch.message())


def test_refuses_a_smile_too_far_from_its_own_source(stage: Stage) -> None:
    epoch = proposal(stage)
    section = epoch.market.underlyings[0]
    quote = section.expiries[-1]
    bent = replace(quote, svi=replace(quote.svi, a=quote.svi.a + 10**17))
    market = replace(
        epoch.market,
        underlyings=(
            replace(section, expiries=(*section.expiries[:-1], bent)),
            *epoch.market.underlyings[1:],
        ),
    )
    header = replace(epoch.header, market_hash=market_hash(market))
    offered = Proposal(header=HeaderMessage.of(header), market="0x" + encode_market(market).hex())
    with pytest.raises(RefusedError, match="standard deviations"):
        stage.attester(0).sign(offered)


def test_refuses_malformed_market_bytes(stage: Stage) -> None:
    epoch = proposal(stage)
    offered = Proposal(header=HeaderMessage.of(epoch.header), market="0x" + epoch.market_bytes[:-1].hex())
    with pytest.raises(RefusedError, match="BadLength"):
        stage.attester(0).sign(offered)


def test_never_signs_two_headers_for_one_round_even_after_a_restart(stage: Stage) -> None:
    epoch = proposal(stage)
    attester = stage.attester(0)
    attester.sign(epoch.message())
    attester.sign(epoch.message())
    stage.chain.mine(3)
    other = stage.propose(1)
    assert other.header.round == epoch.header.round
    attester.rounds.close()
    attester.rounds = SignedRounds(attester.rounds.path)
    with pytest.raises(EquivocationError, match=f"Round {epoch.header.round} was already signed"):
        attester.sign(other.message())


def test_a_damaged_record_of_rounds_stops_the_attester(stage: Stage) -> None:
    path = stage.folder / "damaged.json"
    path.write_text("{not json")
    with pytest.raises(InputError, match=r"damaged\.json cannot be read"):
        SignedRounds(path)
