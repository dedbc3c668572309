"""The campaigns of `make fuzz`, a hundredth of each; and that a campaign can fail."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.portfolio import Position

from . import campaigns, draws, replay
from .campaigns import (
    CAMPAIGNS,
    DisagreementError,
    Tally,
    batches,
    compare_accounts,
    compare_cells,
    gather,
)
from .draws import Shape, book, world
from .engine import engine_figures, engine_rows, engine_values
from .peers import PEERS, integer_lists
from .seeding import scaled, seed

SHARE = 100
WORLD = Shape((2, 5), scenarios=5, expiries=3, strikes=4)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_short_campaign(name: str) -> None:
    print(f"repeat with SEED={seed()}")
    wanted = scaled(CAMPAIGNS[name].count // SHARE)
    total = gather(CAMPAIGNS[name], wanted, batches(name, seed()))
    print(f"{total.compared} compared")
    assert total.compared >= wanted


def test_a_full_run_compares_what_is_promised() -> None:
    assert {name: campaign.count for name, campaign in CAMPAIGNS.items()} == {
        "specification-cells": 2_000_000,
        "specification-accounts": 20_000,
        "solidity-cells": 5_000_000,
        "solidity-accounts": 50_000,
        "checker-cells": 1_000_000,
        "checker-accounts": 10_000,
    }


def test_batches_depend_on_seed_and_number_only() -> None:
    first, other = (campaigns.run_batch("specification-accounts", 3, number) for number in (0, 1))
    assert first == campaigns.run_batch("specification-accounts", 3, 0)
    assert first != other


@pytest.mark.parametrize("peer", PEERS)
def test_a_wrong_cell_fails_with_a_program_that_shows_it(
    peer: str, rng: Random, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = world(rng, WORLD)
    [rows] = PEERS[peer].rows([drawn])
    compare_cells(peer, drawn, rows)
    wrong = rng.randrange(len(rows))
    column = rng.randrange(len(rows[wrong]))
    rows[wrong] = (*rows[wrong][:column], rows[wrong][column] + 1, *rows[wrong][column + 1 :])
    with pytest.raises(DisagreementError, match=rf"columns \[{column}\]") as failure:
        compare_cells(peer, drawn, rows)
    _run(str(failure.value), tmp_path)
    printed = capsys.readouterr().out
    assert printed.count(str(engine_rows(drawn)[wrong])) == 2
    assert printed.endswith("equal\n")


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("figure", range(5))
def test_a_wrong_figure_fails_with_a_program_that_shows_it(
    peer: str, figure: int, rng: Random, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = world(rng, WORLD)
    books = [book(rng, drawn) for _ in range(6)]
    [figures] = PEERS[peer].figures([(drawn, books)])
    compare_accounts(peer, drawn, books, figures)
    *money, worst = figures[3]
    wrong = [*(m - (i == figure) for i, m in enumerate(money)), worst + b"\x02" if figure == 4 else worst]
    with pytest.raises(DisagreementError) as failure:
        compare_accounts(peer, drawn, books, [*figures[:3], tuple(wrong), *figures[4:]])  # type: ignore[list-item]
    _run(str(failure.value), tmp_path)
    printed = capsys.readouterr().out
    assert printed.count(str(engine_figures(books, engine_values(drawn))[3])) == 2
    assert printed.endswith("equal\n")


def _run(program: str, folder: Path) -> None:
    path = folder / "case.py"
    path.write_text(program, encoding="utf-8")
    runpy.run_path(str(path))


def test_a_case_that_differs_says_so(
    rng: Random, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = world(rng, WORLD)
    program = replay.program("specification", drawn, drawn.ids[:1], None, "", None)
    monkeypatch.setattr(replay, "engine_rows", lambda drawn: [(1, 2)])
    exec(compile(program, "case", "exec"), {})
    assert capsys.readouterr().out.endswith("different\n")


@pytest.mark.parametrize("name", [name for name in CAMPAIGNS if not name.startswith("specification")])
def test_a_refusal_is_a_disagreement(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every account holds, and every question of cells names, what no registry lists."""
    monkeypatch.setattr(draws, "all_ids", lambda table: (1 << 31 | 2,))
    monkeypatch.setattr(draws, "book", lambda rng, drawn: (Position(1 << 31 | 2, 1),))
    monkeypatch.setattr(draws.World, "instruments", (Instrument(32, Kind.SPOT),))
    with pytest.raises(
        DisagreementError, match=r"refused.*\n# the whole batch again: make fuzz SEED=7 ARGS="
    ):
        campaigns.run_batch(name, 7, 0)


def test_a_campaign_that_meets_too_little_fails() -> None:
    campaign = CAMPAIGNS["checker-cells"]
    everything = Counter(dict.fromkeys(campaign.classes, 1))
    half = everything - Counter(["weight 0"])
    assert gather(campaign, 10, [Tally(9, half), Tally(9, everything)]).compared == 18
    with pytest.raises(AssertionError, match="the batches ended after 9 of 10"):
        gather(campaign, 10, [Tally(9, everything)])
    with pytest.raises(AssertionError, match=r"207 compared without \['weight 0'\]"):
        gather(campaign, 10, [Tally(9, half) for _ in range(40)])


def test_lists_of_integers_are_read_to_the_last_bit(rng: Random) -> None:
    from eth_abi.abi import encode

    edges = [0, 1, -1, 2**63, -(2**63) - 1, 2**255 - 1, -(2**255)]
    rows = [[rng.choice(edges) for _ in range(rng.randrange(5))] for _ in range(9)]
    assert integer_lists(encode(["int256[][]"], [rows])) == [tuple(row) for row in rows]
