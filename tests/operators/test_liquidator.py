"""The liquidator calls, slices and releases through the contracts."""

from __future__ import annotations

from marginproof.protocol.replay import Replayer
from operators.stage import Stage, served


def test_accounts_below_maintenance_are_called_sliced_and_released(stage: Stage) -> None:
    stage.move_to(2)
    with served([stage.attester(index) for index in range(3)]) as urls:
        assert stage.keeper(urls).round() is not None
    steps = stage.liquidator().sweep()
    short_gamma = stage.world.accounts["Over-levered short gamma, ETH, 2"]
    own = [step for step in steps if step.account == short_gamma]
    assert own[0].action == "call"
    assert {"slice", "release"} <= {step.action for step in own}
    for step in own:
        if step.action == "slice":
            before, after = step.before, step.after
            assert after.equity_e8 * before.margin.maintenance >= before.equity_e8 * after.margin.maintenance
            assert after.equity_e8 >= 0
    state = Replayer(stage.venue).state_at()
    assert not state.accounts[short_gamma].frozen
    assert short_gamma not in {step.account for step in stage.liquidator().sweep()}


def test_nothing_is_done_without_a_valid_epoch(stage: Stage) -> None:
    stage.move_to(2)
    assert stage.liquidator().sweep() == []
