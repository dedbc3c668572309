"""Executors: the same epoch from each; what is refused, and by what name; what happens when Ray is not there."""

from __future__ import annotations

import pickle
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from engine.epochs import Inputs, drawn, figures, venue
from marginproof.engine import Portfolios, columns_of, executors, ray_executor
from marginproof.engine.executors import LocalExecutor, source_digest
from marginproof.engine.partition import PartResult, PartTask, split
from marginproof.engine.ray_executor import OtherSources, RayExecutor, Refused, _require_reachable, answer
from marginproof.errors import InputError, MarginproofError, ToolMissingError
from marginproof.spec.errors import SpecError


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("parts", [1, 2, 5, 64])
def test_local_is_the_whole(threads: int, parts: int) -> None:
    inputs = drawn(20_000)
    with LocalExecutor(threads) as executor:
        merged = inputs.by(executor, parts)
    assert merged.root == inputs.whole().root
    assert figures(merged) == figures(inputs.whole())


def test_threads_are_divided_among_parts() -> None:
    executor = LocalExecutor(8)
    assert executor.slots == 8
    assert [executor.part_threads(parts) for parts in (1, 2, 3, 8, 9)] == [8, 4, 2, 1, 1]


def test_no_accounts() -> None:
    inputs = drawn(0)
    assert inputs.by(LocalExecutor(2), 4).root == inputs.whole().root


class Recording:
    """Counts how many tasks reach an executor."""

    name = "recording"
    slots = 2
    asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def part_threads(self, parts: int) -> int:
        return 1

    def run(self, tasks: Sequence[PartTask]) -> Iterator[PartResult]:
        self.asked += len(tasks)
        return LocalExecutor().run(tasks)


def _changed(inputs: Inputs, **columns: object) -> Inputs:
    return replace(inputs, portfolios=replace(inputs.portfolios, **columns))


def _spoilt() -> dict[str, tuple[Inputs, str]]:
    inputs = drawn(10_000)
    p = inputs.portfolios
    unknown, zero, much, crossed = p.ids.copy(), p.quantities.copy(), p.quantities.copy(), p.ids.copy()
    unknown[-1], zero[-1], much[-1] = 4_000_000_000, 0, 10**16 + 1
    nan = p.quantities.astype(np.float64)
    nan[-1] = np.nan
    start = int(p.offsets[np.flatnonzero(np.diff(p.offsets) >= 2)[-1]])
    crossed[start : start + 2] = crossed[start : start + 2][::-1]
    return {
        "unknown": (_changed(inputs, ids=unknown), "UnknownInstrument"),
        "zero": (_changed(inputs, quantities=zero), "ZeroQuantity"),
        "too much": (_changed(inputs, quantities=much), "QuantityOutOfRange"),
        "not a number": (_changed(inputs, quantities=nan), "BadColumn"),
        "unsorted": (_changed(inputs, ids=crossed), "PositionsNotSorted"),
        "dtype": (_changed(inputs, ids=p.ids.astype(np.int64)), "BadColumn"),
        "byte order": (_changed(inputs, quantities=p.quantities.astype(">i8")), "BadColumn"),
        "shape": (_changed(inputs, quantities=p.quantities[:-1]), "BadColumn"),
        "two dimensions": (_changed(inputs, ids=p.ids.reshape(-1, 1)), "BadColumn"),
        "not contiguous": (_changed(inputs, quantities=np.repeat(p.quantities, 2)[::2]), "BadColumn"),
        "offsets that fall": (_changed(inputs, offsets=p.offsets[::-1].copy()), "BadColumn"),
        "no offsets": (_changed(inputs, offsets=p.offsets[:0]), "BadColumn"),
    }


@pytest.mark.parametrize("name", list(_spoilt()))
def test_bad_columns_reach_no_executor(name: str) -> None:
    inputs, error = _spoilt()[name]
    executor = Recording()
    with pytest.raises(SpecError) as caught:
        inputs.by(executor, 3)
    assert caught.value.name == error
    assert executor.asked == 0


@pytest.mark.parametrize(("parts", "field"), [(0, "parts"), (-1, "parts"), ((1 << 20) + 1, "parts")])
def test_parts_out_of_range(parts: int, field: str) -> None:
    with pytest.raises(SpecError, match=f"OutOfRange\\(field={field}, value={parts}"):
        drawn(3).by(LocalExecutor(), parts)


@pytest.mark.parametrize("threads", [0, 257])
def test_threads_out_of_range(threads: int) -> None:
    with pytest.raises(SpecError, match=f"field=threads, value={threads}, low=1, high=256"):
        LocalExecutor(threads)


def without(inputs: Inputs, accounts: range) -> Inputs:
    """The same, with a market that lacks an expiry which only these accounts hold."""
    instruments, market, _ = venue()
    section = market.underlyings[0]
    gone = section.expiries[0].expiry
    rows = np.flatnonzero(instruments.expiry == gone)
    p = inputs.portfolios
    owners = np.searchsorted(p.offsets, np.arange(len(p.ids)), side="right") - 1
    dropped = np.isin(p.ids, instruments.ids[rows]) & ~np.isin(owners, accounts)
    kept = np.flatnonzero(~dropped)
    sizes = np.bincount(owners[kept], minlength=len(p))
    portfolios = Portfolios(np.concatenate(([0], np.cumsum(sizes))), p.ids[kept], p.quantities[kept])
    lacking = replace(section, expiries=section.expiries[1:])
    market = replace(market, underlyings=(lacking, *market.underlyings[1:]))
    return replace(inputs, portfolios=portfolios, market=market)


def test_a_part_that_fails_fails_the_epoch() -> None:
    inputs = without(drawn(20_000), range(9_000, 9_500))
    with pytest.raises(SpecError) as caught:
        inputs.by(LocalExecutor(2), 5)
    assert caught.value.name == "MissingExpiry"
    assert without(drawn(20_000), range(0)).by(LocalExecutor(2), 5).count == 20_000


def test_the_first_failing_part_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Part 1 fails after part 3 has failed already."""
    later_has_failed = threading.Event()

    def compute_part(task: PartTask) -> PartResult:
        if task.first == 3 * 4096:
            later_has_failed.set()
            raise SpecError("Later")
        if task.first == 4096:
            assert later_has_failed.wait(30)
            raise SpecError("Earlier")
        return real(task)

    real = executors.compute_part
    monkeypatch.setattr(executors, "compute_part", compute_part)
    with pytest.raises(SpecError) as caught:
        drawn(20_000).by(LocalExecutor(4), 5)
    assert caught.value.name == "Earlier"


def test_a_reader_who_stops_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    real = executors.compute_part

    def compute_part(task: PartTask) -> PartResult:
        begun.append(task.first)
        return real(task)

    monkeypatch.setattr(executors, "compute_part", compute_part)
    i = drawn(40_000, most=1)
    results = LocalExecutor(1).run(split(i.portfolios, i.instruments, i.market, i.model, 10))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) < 10


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToolMissingError, match="--executor ray needs the Python package ray") as caught:
        RayExecutor()
    assert caught.value.hint is not None
    assert "[ray]" in caught.value.hint


def test_what_a_worker_answers() -> None:
    """The function that runs on a worker, run here: read-only columns, other sources, a refusal."""
    inputs = drawn(5_000)
    task = split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 2)[1]
    for column in (task.portfolios.offsets, task.portfolios.ids, task.portfolios.quantities):
        column.flags.writeable = False
    shared = pickle.dumps(replace(task, first=0))
    result = answer(shared, source_digest(), task.first, task.portfolios)
    assert isinstance(result, PartResult)
    assert result.first == 4096
    [other] = LocalExecutor().run([drawn_task(1)])
    assert result.subroot == other.subroot
    assert isinstance(answer(shared, "0" * 64, task.first, task.portfolios), OtherSources)
    empty = replace(task, instruments=columns_of([]))
    refused = answer(pickle.dumps(empty), source_digest(), task.first, task.portfolios)
    assert isinstance(refused, Refused)
    sent = pickle.loads(pickle.dumps(refused)).error()
    assert (sent.name, sent.args_by_name) == ("UnknownInstrument", {"id": int(task.portfolios.ids[0])})
    assert str(sent) == f"UnknownInstrument(id={task.portfolios.ids[0]})"


def drawn_task(index: int) -> PartTask:
    """A part of 5,000 accounts, freshly drawn."""
    inputs = drawn(5_000)
    return split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 2)[index]


def test_sources_decide_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec").mkdir()
    (tmp_path / "engine" / "kernels").mkdir(parents=True)
    file = tmp_path / "engine" / "kernels" / "one.py"
    monkeypatch.setattr(executors, "_PACKAGE", tmp_path)
    digests = set()
    for text in ("a = 1\n", "a = 2\n"):
        file.write_text(text)
        digests.add(source_digest.__wrapped__())
    file.rename(tmp_path / "spec" / "one.py")
    digests.add(source_digest.__wrapped__())
    assert len(digests) == 3


def test_a_worker_computes_on_columns_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only ones, which is what Ray hands over, would make the kernels compile again."""
    given: list[PartTask] = []
    monkeypatch.setattr(ray_executor, "compute_part", given.append)
    task = drawn_task(1)
    for column in (task.portfolios.offsets, task.portfolios.ids, task.portfolios.quantities):
        column.flags.writeable = False
    answer(pickle.dumps(task), source_digest(), task.first, task.portfolios)
    held = given[0].portfolios
    assert all(column.flags.writeable for column in (held.offsets, held.ids, held.quantities))


@pytest.mark.parametrize("address", ["nowhere", "host:", ":6379", "host:0", "host:70000", "host:six"])
def test_bad_addresses(address: str) -> None:
    with pytest.raises(InputError, match="is not an address of a Ray cluster"):
        _require_reachable(address)


def test_an_address_where_nobody_answers() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(MarginproofError, match=f"Nobody answers at 127.0.0.1:{port}"):
        _require_reachable(f"127.0.0.1:{port}")
