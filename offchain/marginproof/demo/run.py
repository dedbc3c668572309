"""The main job, end to end, on a chain that starts and stops with it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Literal

from rich.console import Console

from marginproof.demo.books import LIQUIDATOR, build_books
from marginproof.demo.operators import AttesterProcesses, write_source
from marginproof.demo.reckoning import Reckoning
from marginproof.demo.record import Record
from marginproof.demo.report import write_report
from marginproof.demo.story import Story
from marginproof.demo.summary import summary_tables
from marginproof.demo.tamper import Tamper
from marginproof.demo.world import OPERATOR_KEYS, World
from marginproof.documents import MarketDocument
from marginproof.errors import InputError, VerificationError
from marginproof.files import project_root
from marginproof.market.crash import load_crash
from marginproof.protocol.deployment import default_path
from marginproof.protocol.localchain import LocalChain

SYMBOLS = {"BTC": 1, "ETH": 2}
SETUP_SECONDS = 3_600
"""The chain starts this long before the first snapshot, so that setting up happens before it."""
TAMPERED_SNAPSHOT = 3
PLAIN_WIDTH = 120
"""Columns of the output where it does not go to a terminal."""
DRIFTS_BPS = (0, 2, -2, 5, -5, 0, 2, -2)
"""How far each attester's own source is from the keeper's, in basis points of price; the last three are on standby."""


def run_demo(
    chain: Literal["anvil", "hardhat"] = "anvil",
    tamper: int = 0,
    report: Path | None = None,
    port: int = 0,
    json_output: bool = False,
) -> int:
    """Run the demonstration and return its exit code: 0, or 5 when the audit finds a difference that was not proven wrong on chain.

    `tamper` > 0 lets the quorum sign one leaf whose maintenance margin is that many units of E8 too low; it is disputed, its signers pay,
    and the next honest epoch recovers.
    Errors: InputError for a bad option, ToolMissingError, PortInUseError, ChainError.
    """
    if tamper < 0:
        raise InputError(f"tamper is {tamper}; allowed: 0 (honest) or a positive number of E8 units.")
    started = time.monotonic()
    root = project_root()
    target = report or root / "build" / "demo" / "report.html"
    documents = load_crash()
    record = Record(chain=chain, chain_id=0, model="options-33", source=documents[0].source)
    console = Console(stderr=json_output)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    folder = _operators_folder(root, documents)
    books = build_books(documents[0], SYMBOLS)
    lie = Tamper(documents[TAMPERED_SNAPSHOT].time, tamper) if tamper else None
    console.rule("[bold]marginproof: a real crash, margined, signed, posted, liquidated and audited")
    with LocalChain(
        chain,
        port=port,
        genesis_timestamp=documents[0].time - SETUP_SECONDS,
        accounts=OPERATOR_KEYS + len(books),
        notify=console.print,
    ) as local:
        record.chain_id = local.chain_id
        path = default_path(root, local.chain_id)
        world = World(local, books, SYMBOLS, record, path)
        story = Story(world, documents, console, lie)
        story.set_up()
        extra = ["--tamper", str(lie)] if lie else []
        with AttesterProcesses(world.keys.attesters, local.url, path, folder, extra) as attesters:
            keeper, liquidator = story.operators(
                folder / "keeper", attesters.urls, world.accounts[LIQUIDATOR]
            )
            reckoning = Reckoning(world, record, console, attesters) if lie else None
            story.replay(keeper, liquidator, reckoning)
        story.audit(local.url)
    record.seconds = time.monotonic() - started
    write_report(record, target)
    for table in summary_tables(record):
        console.print(table)
    console.print(f"Report: {target}   Deployment: {path}   {record.seconds:.0f} s")
    if json_output:
        print(json.dumps(story.summary(target), indent=2))
    return 0 if record.audit_passed else VerificationError.exit_code


def _operators_folder(root: Path, documents: list[MarketDocument]) -> Path:
    """A fresh folder with every operator's own copy of the source."""
    folder = root / "build" / "demo" / "operators"
    shutil.rmtree(folder, ignore_errors=True)
    write_source(folder / "keeper" / "source", documents, 0)
    for index, drift in enumerate(DRIFTS_BPS, 1):
        write_source(folder / f"attester-{index}" / "source", documents, drift)
    return folder
