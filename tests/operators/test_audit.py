"""The auditor finds a lie of one unit in any field, and nothing in the truth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marginproof.auditor.audit import Auditor
from marginproof.auditor.explain import explain_account
from marginproof.engine.epoch import Epoch, recommit
from marginproof.errors import InputError
from marginproof.protocol.compute import epoch_of
from marginproof.protocol.state import VenueState
from marginproof.protocol.venue import Venue
from marginproof.spec.market import MarketSnapshot
from operators.stage import Stage, served

VICTIM = 6


def post_lie(stage: Stage, field: str, change: int | bytes) -> None:
    """Let all attesters agree on one wrong field of one leaf."""

    def lie(state: VenueState, market: MarketSnapshot) -> Epoch:
        result = epoch_of(state, market)
        leaves = list(result.leaves)
        value = change if isinstance(change, bytes) else getattr(leaves[VICTIM], field) + change
        leaves[VICTIM] = replace(leaves[VICTIM], **{field: value})
        return recommit(result, leaves)

    stage.move_to(1)
    with served([stage.attester(index, compute=lie) for index in range(3)]) as urls:
        assert stage.keeper(urls, compute=lie).round() is not None


def audit(stage: Stage) -> Auditor:
    return Auditor(Venue.open(stage.chain.url, stage.venue.deployment))


def test_the_truth_passes_and_every_figure_is_compared(stage: Stage) -> None:
    audits = list(audit(stage).audit())
    assert [a.round for a in audits] == [1, 2]
    for item in audits:
        assert item.findings == []
        assert item.accounts == item.leaves_seen == item.contract_checks == len(stage.world.books)
        assert len(item.signers) == 3


@pytest.mark.parametrize(
    ("field", "change", "name"),
    [
        ("portfolio_hash", b"\x07" * 32, "portfolioHash"),
        ("portfolio_value", 1, "portfolioValue"),
        ("spot_value", 1, "spotValue"),
        ("initial_margin", -1, "initialMargin"),
        ("initial_margin", 1, "initialMargin"),
        ("maintenance_margin", -1, "maintenanceMargin"),
        ("worst_scenarios", b"\x01\x00", "worstScenarios"),
    ],
)
def test_a_lie_of_one_unit_in_any_field_is_named(
    stage: Stage, field: str, change: int | bytes, name: str
) -> None:
    post_lie(stage, field, change)
    findings = [finding for item in audit(stage).audit() for finding in item.findings]
    assert [(f.round, f.account, f.field) for f in findings] == [(3, None, "leafRoot"), (3, VICTIM, name)]
    assert findings[1].posted != findings[1].true
    if name in ("initialMargin", "maintenanceMargin"):
        assert findings[1].scenario_index is not None
        assert "scenario" in findings[1].sentence()


def test_a_lie_is_found_without_published_leaves(stage: Stage) -> None:
    post_lie(stage, "maintenance_margin", -1)
    auditor = audit(stage)
    newest = auditor.newest_state()
    newest.published.clear()
    findings = [finding for item in auditor.audit(newest) for finding in item.findings]
    assert [(f.round, f.field) for f in findings] == [(3, "leafRoot")]


def test_explain_gives_the_leafs_figures(stage: Stage) -> None:
    found = explain_account(stage.venue, VICTIM)
    leaf = found.state.published.get(2, {})
    assert leaf == {}  # the state is that of the epoch's block, before it was posted
    posted = audit(stage).newest_state().published[2]
    (leaves,) = posted.values()
    assert found.explanation.margin.maintenance == leaves[VICTIM].maintenance_margin
    assert found.explanation.margin.initial == leaves[VICTIM].initial_margin


@pytest.mark.parametrize(
    ("account", "round_number", "words"), [(999, None, "no account 999"), (0, 9, "no epoch 9")]
)
def test_explain_names_what_does_not_exist(
    stage: Stage, account: int, round_number: int | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        explain_account(stage.venue, account, round_number)
