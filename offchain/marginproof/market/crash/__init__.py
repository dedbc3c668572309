"""Six fitted snapshots of BTC and ETH from 28 January to 6 February 2026: a calm day, then a crash and
rebound.

Only derived figures are here: medians, fitted smiles and their errors. `scripts/fit_crash.py` makes these
files from the chains and checks them with `--check`; each file names its source and time.
"""

from __future__ import annotations

from importlib import resources

from ...documents.base import parse_document
from ...documents.market_document import MarketDocument


def load_crash() -> list[MarketDocument]:
    """The six snapshots in order of time, each checked like a user's file."""
    folder = resources.files(__name__)
    files = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".json")), key=lambda item: item.name
    )
    return [parse_document(MarketDocument, item.read_text(encoding="utf-8"), item.name) for item in files]
