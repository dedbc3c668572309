"""A short campaign of the invariants, so that `make test` notices when one breaks; `make invariants` runs longer ones."""

from __future__ import annotations

import os
import secrets

import pytest
from scripts import invariants

from marginproof.errors import ToolMissingError

RUNS = 4
DEPTH = 100


def test_the_venue_holds_whatever_anybody_does() -> None:
    seed = int(os.environ.get("SEED") or secrets.randbits(32))
    print(f"SEED={seed}")
    try:
        invariants.forge()
    except ToolMissingError as error:
        pytest.skip(str(error))
    campaign = invariants.run(seed, RUNS, DEPTH)
    assert campaign.held, campaign.output
    actions = {name for name in campaign.counts if not name.startswith("lie: ")}
    tried = {name for name in actions if campaign.counts[name][1] > 0}
    assert tried == actions, f"never tried: {sorted(actions - tried)}"
    assert campaign.counts["lie"][0] > 0
    assert campaign.counts["trade"][0] > 0
