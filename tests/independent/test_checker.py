"""The JavaScript checker agrees with every vector, notices every tampering, and with the specification on random whole accounts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from scripts.vector_families.accounts import account_json, account_margin, figures_json
from scripts.vector_families.case import log_uniform, octets
from scripts.vector_families.samples import DAY, E8, EXPIRIES, SECTION, TIME, WAD, all_ids

from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind
from marginproof.spec.portfolio import decode_portfolio
from marginproof.spec.svi import Svi

CHECKER = Path(__file__).parent / "checker.js"
VECTORS = Path(__file__).parent.parent / "vectors"
MINIMUM_ACCOUNTS = 200
MINIMUM_CELLS = 3_000


def _node(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["node", str(CHECKER), *arguments], capture_output=True, text=True, check=False)


def test_every_vector_passes() -> None:
    manifest = json.loads((VECTORS / "MANIFEST.json").read_text(encoding="utf-8"))
    totals: Counter[str] = Counter()
    for entry in manifest["files"]:
        totals[entry["family"]] += entry["cases"]
    run = _node()
    lines = [f"{family}: {count} passed, 0 failed" for family, count in totals.items()]
    assert run.stdout.splitlines() == [*lines, f"total: {manifest['total']} passed, 0 failed"], run.stderr
    assert (run.returncode, run.stderr) == (0, "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "vectors"
    shutil.copytree(VECTORS, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def test_a_changed_expectation_fails_by_name(folder: Path) -> None:
    path = folder / "v1/portfolio/margin.json"
    text = path.read_text(encoding="utf-8")
    case = next(c for c in json.loads(text)["cases"] if c["name"] == "covered call")
    maintenance = case["expected"]["maintenanceMargin"]
    path.write_text(text.replace(f'"{maintenance}"', f'"{int(maintenance) - 1}"'), encoding="utf-8")
    run = _node(str(folder))
    assert run.returncode == 1
    assert f"{case['id']} (covered call)" in run.stderr
    assert "v1/portfolio/margin.json: sha256" in run.stderr


def test_a_missing_case_fails_by_count(folder: Path) -> None:
    path = folder / "v1/tree/depth.json"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")
    run = _node(str(folder))
    assert run.returncode == 1
    assert "v1/tree/depth.json: 24 cases, the manifest says 25" in run.stderr


def test_an_unknown_topic_fails(folder: Path) -> None:
    path = folder / "MANIFEST.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"topic": "depth"', '"topic": "height"'))
    run = _node(str(folder))
    assert run.returncode == 1
    assert "v1/tree/depth.json: this checker does not know the topic" in run.stderr


def _smile(draw: Random) -> Svi:
    return Svi(
        a=draw.randint(0, WAD // 5),
        b=draw.randint(0, WAD // 2),
        rho=draw.randint(-95 * WAD // 100, 95 * WAD // 100),
        m=draw.randint(-WAD, WAD),
        sigma=log_uniform(draw, 10**15, WAD),
    )


def _section(draw: Random, underlying: int) -> ModelSection:
    scenarios = tuple(
        Scenario(log_uniform(draw, 10**16, 16 * WAD), VolKind(draw.randrange(3)), draw.randint(0, WAD))
        for _ in range(draw.randint(1, 6))
    )
    initial = draw.randint(0, 10 * WAD)
    return replace(
        SECTION,
        underlying=underlying,
        initial_factor_wad=initial,
        maintenance_factor_wad=draw.randint(0, initial),
        vol_up_wad=draw.randint(0, 4 * WAD),
        vol_down_wad=draw.randint(0, WAD),
        min_vol_up_wad=draw.randint(0, 2 * WAD),
        power_short_wad=draw.randint(0, WAD),
        power_long_wad=draw.randint(0, WAD),
        floor_seconds=log_uniform(draw, 1, 30 * DAY),
        scenarios=scenarios,
    )


def _underlying(draw: Random, underlying: int) -> UnderlyingMarket:
    spot = log_uniform(draw, 10**10, 10**14)
    quotes = tuple(
        ExpiryMarket(expiry, min(10**14, spot * draw.randint(90, 110) // 100), 0, _smile(draw))
        for expiry in EXPIRIES
        if expiry > TIME
    )
    settled = tuple(Settlement(expiry, log_uniform(draw, 1, 10**16)) for expiry in EXPIRIES if expiry <= TIME)
    return UnderlyingMarket(
        underlying, spot, draw.randint(0, WAD), draw.randint(-(10**12), 10**12), settled, quotes
    )


def _account(draw: Random) -> dict[str, Any]:
    model = Model((_section(draw, 1), _section(draw, 2)))
    market = MarketSnapshot(TIME, E8, (_underlying(draw, 1), _underlying(draw, 2)))
    ids = draw.sample(all_ids(1), draw.randint(0, 7)) + draw.sample(all_ids(2), draw.randint(0, 4))
    positions = [(id_, draw.choice((-1, 1)) * log_uniform(draw, 1, 10**16)) for id_ in ids]
    account: dict[str, Any] = account_json(model, market, positions)
    return account


def test_random_accounts_agree_to_the_bit(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    draw = Random(seed)
    accounts = [_account(draw) for _ in range(MINIMUM_ACCOUNTS * int(os.environ.get("SCALE", "1")))]
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps(accounts), encoding="utf-8")
    run = _node("margin", str(path))
    assert run.returncode == 0, run.stderr
    answers = json.loads(run.stdout)
    assert len(answers) == len(accounts) >= MINIMUM_ACCOUNTS
    cells = 0
    for number, (account, answer) in enumerate(zip(accounts, answers, strict=True)):
        figures = figures_json(account_margin(account))
        assert answer == {"result": "valid", "expected": figures}, f"seed {seed}, account {number}"
        for position in decode_portfolio(octets(account["portfolio"])):
            cells += 1 + len(figures["losses"][str(position.instrument >> 26)])
    assert cells >= MINIMUM_CELLS
