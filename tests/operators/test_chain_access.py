"""Reaching the chain: addresses, chain ids, decoded refusals, reorganisations, deployment files."""

from __future__ import annotations

from pathlib import Path

import pytest

from marginproof.demo.operators import free_port
from marginproof.errors import ChainError, InputError
from marginproof.protocol.connection import connect
from marginproof.protocol.deployment import load_deployment
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import VenueState
from operators.stage import Stage


def test_an_rpc_that_is_down_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ChainError, match=f"No answer from the node at {url}"):
        connect(url)


def test_an_rpc_on_another_chain_is_refused(stage: Stage) -> None:
    with pytest.raises(ChainError, match="is on chain 31337, the deployment on chain 5"):
        connect(stage.chain.url, 5)


def test_an_address_that_is_no_address_is_refused() -> None:
    with pytest.raises(ChainError, match="http://"):
        connect("localhost:8545")


def test_a_refusal_carries_the_decoded_custom_error(stage: Stage) -> None:
    sender = stage.world.holder(0)
    with pytest.raises(ChainError, match=r"MarginVault\.cancel was refused: NotOwner\(account=1, caller=0x"):
        stage.venue.send(sender, "MarginVault", "cancel", 1, 1)


def test_a_refused_view_is_decoded_too(stage: Stage) -> None:
    with pytest.raises(ChainError, match=r"UnknownAccount\(account=4000\)"):
        stage.venue.call("MarginVault", "portfolioHash", 4000)


def facts(state: VenueState) -> tuple[object, ...]:
    return (state.accounts, state.listed, state.models, state.epochs, state.settlements, state.published)


def test_following_the_chain_gives_what_a_fresh_replay_gives(stage: Stage) -> None:
    follower = Replayer(stage.venue)
    follower.state_at(stage.venue.deployment.block + 40)
    assert facts(follower.state_at()) == facts(Replayer(stage.venue).state_at())


def test_attack_40_a_reorganisation_is_noticed(stage: Stage) -> None:
    follower = Replayer(stage.venue)
    sender = stage.world.holder(4)
    mark = stage.chain.rpc("evm_snapshot")
    stage.venue.send(sender, "MarginVault", "openAccount", sender.address)
    seen = len(follower.state_at().accounts)
    stage.chain.rpc("evm_revert", mark)
    stage.chain.mine(3)
    assert len(follower.state_at().accounts) == seen - 1
    assert facts(follower.state_at()) == facts(Replayer(stage.venue).state_at())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("{}", "chainId"),
        ('{"format":"other","chainId":1,"block":0,"contracts":{}}', "format"),
        ('{"format":"marginproof/deployment@1","chainId":0,"block":0,"contracts":{}}', "chainId"),
        (
            '{"format":"marginproof/deployment@1","chainId":1,"block":0,"contracts":{"A":{"address":"0x1","abi":[]}}}',
            "contracts.A.address",
        ),
    ],
)
def test_a_wrong_deployment_file_names_the_field(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        load_deployment(path)


def test_a_missing_deployment_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="marginproof deploy"):
        load_deployment(tmp_path / "none.json")


def test_the_deployment_file_round_trips(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "31337.json"
    stage.venue.deployment.save(path)
    assert load_deployment(path) == stage.venue.deployment
