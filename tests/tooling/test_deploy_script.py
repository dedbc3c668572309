"""What `ape run deploy` makes of a plan whose expiries are past on its network."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from marginproof.files import project_root
from marginproof.protocol.deploy import require_future_expiries
from marginproof.protocol.deploy_config import load_plan

EXAMPLE = project_root() / "deployments" / "plan.example.json"
FEBRUARY_27, MARCH_27, JUNE_26 = 1772179200, 1774598400, 1782460800


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deploy_script", project_root() / "scripts" / "deploy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_past_expiries_are_left_out_and_named_in_one_line(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = script._without_past_expiries(load_plan(EXAMPLE), MARCH_27)
    assert [underlying.expiries for underlying in plan.underlyings] == [(JUNE_26,), (JUNE_26,)]
    assert capsys.readouterr().out == (
        "Left out, as past on this network: BTC-27FEB26, BTC-27MAR26, ETH-27FEB26, ETH-27MAR26\n"
    )
    require_future_expiries(plan, MARCH_27)


def test_a_plan_that_is_ahead_of_the_network_stays_whole(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = load_plan(EXAMPLE)
    assert script._without_past_expiries(plan, FEBRUARY_27 - 1) is plan
    assert capsys.readouterr().out == ""
