"""The checker agrees with the specification on random whole accounts and on every cell behind them, to the bit."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import pytest

from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import SpecValues, margin
from marginproof.spec.model import Charge, VolKind

from . import drawing
from .running import Json, Questions, describe, figures_json, node, table_json, vols_json

WORLDS: Final = max(1, int(40 * float(os.environ.get("SCALE") or "1")))
ACCOUNTS_PER_WORLD: Final = 10


def _expected(values: SpecValues, held: list[tuple[Instrument, int]]) -> Json:
    return {"result": "valid", "expected": figures_json(margin(held, values))}


def test_random_accounts_and_cells_agree_to_the_bit(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    draw, questions = Random(seed), Questions()
    figures: list[Json] = []
    rows: list[Json] = []
    met: Counter[str] = Counter()
    for _ in range(WORLDS):
        market, model = drawing.market(draw), drawing.model(draw)
        table, values = drawing.instrument_table(draw, market), SpecValues(market, model)
        world, used = questions.world(model, market, table), set()
        for _ in range(ACCOUNTS_PER_WORLD):
            positions = drawing.positions(draw, table)
            held = [(table.resolve(id_), quantity) for id_, quantity in positions]
            used |= {instrument for instrument, _ in held}
            questions.accounts.append({**world, "positions": [[id_, str(q)] for id_, q in positions]})
            figures.append(_expected(values, held))
            for scan in margin(held, values).scans:
                section = model.section(scan.underlying)
                moves = (*(s.kind for s in section.scenarios), *section.charges())
                met[moves[scan.worst].name] += 1
                met.update(add_on.name for add_on in scan.add_ons)
        listed = sorted(used)
        questions.cells.append({**world, "instruments": [describe(instrument) for instrument in listed]})
        rows.append([[str(cell) for cell in (*values(i), values.delta(i))] for i in listed])
    for number, (answer, wanted) in enumerate(zip(questions.ask("margin", tmp_path), figures, strict=True)):
        assert answer == wanted, f"seed {seed}, account {number}"
    for number, (answer, wanted) in enumerate(zip(questions.ask("cells", tmp_path), rows, strict=True)):
        assert answer == wanted, f"seed {seed}, world {number}"
    every = {kind.name for kind in VolKind} | {charge.name for charge in Charge}
    every |= {"nakedShortOptions", "perpetuals", "futures", "collateralHaircut", "confidence"}
    assert set(met) == every, "some rule decided no account"


def test_volatilities_per_strike_agree_to_the_bit(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    draw, questions = Random(seed), Questions()
    figures = []
    for _ in range(6):
        market, model = drawing.market(draw), drawing.model(draw)
        table = drawing.instrument_table(draw, market)
        positions = drawing.positions(draw, table)
        held = [(table.resolve(id_), quantity) for id_, quantity in positions]
        vols = {
            Instrument(i.underlying, Kind.CALL, i.expiry, i.strike_e8): draw.randint(0, 20 * 10**18)
            for i, _ in held
            if i.kind.is_option
        }
        world = questions.world(model, market, table)
        questions.accounts.append(
            {**world, "vols": vols_json(vols), "positions": [[id_, str(q)] for id_, q in positions]}
        )
        figures.append(_expected(SpecValues(market, model, vols), held))
    assert questions.ask("margin", tmp_path) == figures


def test_refusals_agree_and_do_not_touch_other_accounts(tmp_path: Path, seed: int) -> None:
    draw, questions = Random(seed), Questions()
    market, model = drawing.market(draw), drawing.model(draw)
    table = drawing.instrument_table(draw, market)
    world = questions.world(model, market, table)
    good, twice = {**world, "positions": [[1 << 26, "1"]]}, {**world, "positions": [[1 << 26, "1"]] * 2}
    unknown = {**world, "positions": [[3 << 26, "1"]]}
    broken = {**good, "model": questions.models[0] + "00"}
    questions.accounts = [good, twice, unknown, broken, good]
    questions.cells = [
        {**world, "instruments": [[1, "spot", 0, 0], [1, "call", drawing.TIME + 7, 10**12]]},
        {**world, "instruments": [1 << 26]},
    ]
    first, *refused, last = questions.ask("margin", tmp_path)
    spot = Instrument(1, Kind.SPOT)
    assert first == last == _expected(SpecValues(market, model), [(spot, 1)])
    assert [answer["error"]["name"] for answer in refused] == [
        "PositionsNotSorted",
        "UnknownInstrument",
        "BadLength",
    ]
    missing, row = questions.ask("cells", tmp_path)
    with pytest.raises(SpecError) as refusal:
        SpecValues(market, model)(Instrument(1, Kind.CALL, drawing.TIME + 7, 10**12))
    args = {name: str(value) for name, value in refusal.value.args_by_name.items()}
    assert missing["error"] == {"name": refusal.value.name, "args": args}
    assert row == [[str(cell) for cell in (*SpecValues(market, model)(spot), 1 << 60)]]


def test_whole_accounts_need_no_shared_lists(tmp_path: Path, seed: int) -> None:
    draw, questions = Random(seed), Questions()
    market, model = drawing.market(draw), drawing.model(draw)
    table = drawing.instrument_table(draw, market)
    questions.world(model, market, table)
    positions = drawing.positions(draw, table)
    packed = b"".join(id_.to_bytes(4, "big") + q.to_bytes(8, "big", signed=True) for id_, q in positions)
    account = {
        "registry": table_json(table),
        "model": questions.models[0],
        "market": questions.markets[0],
        "portfolio": "0x" + packed.hex(),
    }
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps([account]), encoding="utf-8")
    held = [(table.resolve(id_), quantity) for id_, quantity in positions]
    assert json.loads(node("margin", str(path)).stdout) == [_expected(SpecValues(market, model), held)]


def test_a_file_that_cannot_be_answered_is_one_line_on_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "cells.json"
    path.write_text('{"cells": [{"model": 3, "market": 0, "instruments": []}]}', encoding="utf-8")
    run = node("cells", str(path))
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "checker: there is no model 3: the file lists 0\n"
