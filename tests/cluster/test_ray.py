"""The Ray executor on a cluster of two nodes of this machine: the same bits as locally, also when a node is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.epochs import Inputs, drawn, figures
from marginproof.engine import columns_of, ray_executor
from marginproof.engine.executors import LocalExecutor, compute_with
from marginproof.engine.partition import compute_in_parts, split
from marginproof.engine.ray_executor import RayExecutor
from marginproof.errors import InputError, MarginproofError
from marginproof.spec.errors import SpecError

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
import ray
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # Ray leaves its log files to the collector.
MEMORY = 256 * 2**20
COMMAND = [sys.executable, "-c", "from marginproof.cli.main import main; main()"]


@contextmanager
def running(head_processors: int, *, joined: bool = False) -> Iterator[Cluster]:
    """A head with so many processors and a worker node with one, each with processes of its own.

    `joined`: this process is attached to the head, so that the worker can be lost; Ray may choose either node later.
    """
    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": head_processors,
            "include_dashboard": False,
            "object_store_memory": MEMORY,
        },
    )
    try:
        if joined:
            ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
        made.add_node(num_cpus=1, object_store_memory=MEMORY)
        made.wait_for_nodes()
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two nodes with one processor each."""
    with running(1) as made:
        yield made


def test_same_bits_as_locally(cluster: Cluster) -> None:
    for count in (0, 1, 4097, 20_000):
        inputs = drawn(count)
        whole = inputs.whole()
        with RayExecutor(cluster.address) as executor:
            assert executor.slots == 2
            for parts in (1, 2, 3, 5):
                merged = inputs.by(executor, parts)
                assert merged.root == whole.root
                assert figures(merged) == figures(whole)
        for threads in (1, 2):
            assert inputs.by(LocalExecutor(threads), 3).root == whole.root
    assert not ray.is_initialized()


def test_both_nodes_take_part(cluster: Cluster) -> None:
    inputs = drawn(20_000)
    with RayExecutor(cluster.address):

        @ray.remote(num_cpus=1)
        def where() -> str:
            time.sleep(0.5)
            return str(ray.get_runtime_context().get_node_id())

        assert len(set(ray.get([where.remote() for _ in range(6)]))) == 2
        assert inputs.by(RayExecutor(), 5).root == inputs.whole().root


def lose_worker(cluster: Cluster) -> None:
    """Kill the worker node's processes."""
    worker = next(node for node in cluster.list_all_nodes() if not node.is_head())
    cluster.remove_node(worker, allow_graceful=False)


def noticed(executor: RayExecutor) -> bool:
    """Whether the cluster comes to count one processor less: it may finish all parts before it notices."""
    for _ in range(120):
        if executor.slots == 1:
            return True
        time.sleep(0.5)
    return False


@pytest.mark.parametrize("moment", ["before the first result", "after the first result"])
def test_a_lost_node_changes_nothing(moment: str) -> None:
    inputs = drawn(60_000)
    tasks = split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 15)
    assert len(tasks) == 15
    with running(1, joined=True) as cluster, RayExecutor() as executor:
        assert executor.slots == 2
        results = executor.run(tasks)
        if moment == "before the first result":
            timer = threading.Timer(0.3, lose_worker, [cluster])
            timer.start()
            kept = list(results)
            timer.join()
        else:
            kept = [next(results)]
            lose_worker(cluster)
            kept += results
        assert noticed(executor), "the cluster still counts the lost node"
    merged = compute_in_parts(tasks, 60_000, lambda _: kept)
    assert merged.root == inputs.whole().root
    assert figures(merged) == figures(inputs.whole())


def test_no_node_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head takes no parts here, so the loss of the only worker leaves nobody."""
    monkeypatch.setattr(ray_executor, "_PATIENCE_SECONDS", 3.0)
    monkeypatch.setattr(ray_executor, "_LOOK_SECONDS", 0.5)
    with running(0, joined=True) as cluster, RayExecutor() as executor:
        assert executor.slots == 1
        lose_worker(cluster)
        with pytest.raises(MarginproofError, match=r"has lost every machine .* \(5 are left\)"):
            drawn(20_000).by(executor, 5)


def test_a_refusal_keeps_its_name_and_the_first_part_is_told(cluster: Cluster) -> None:
    inputs = drawn(20_000)
    instruments = columns_of([i for i in inputs.instruments.instruments if i.expiry == 0])
    tasks = split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 5)
    shared = replace(inputs.market, underlyings=inputs.market.underlyings[:1])
    with RayExecutor(cluster.address) as executor:
        with pytest.raises(SpecError) as caught:
            replace(inputs, market=shared).by(executor, 5)
        assert caught.value.name == "MissingUnderlying"
        assert caught.value.args_by_name == {"underlying": inputs.market.underlyings[1].underlying}
        unknown = [replace(task, instruments=instruments) for task in tasks]
        with pytest.raises(SpecError) as caught:
            list(executor.run(unknown))
        first = inputs.portfolios.ids[~np.isin(inputs.portfolios.ids, instruments.ids)][0]
        assert caught.value.args_by_name == {"id": int(first)}
        assert compute_with(
            executor, inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 5
        ).root == (inputs.whole().root)


def test_other_sources_are_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_executor, "source_digest", lambda: "0" * 64)
    with RayExecutor(cluster.address) as executor, pytest.raises(MarginproofError) as caught:
        drawn(3).by(executor, 1)
    assert "has another marginproof" in caught.value.message


def test_more_threads_than_processors(cluster: Cluster) -> None:
    with (
        pytest.raises(InputError, match=r"--threads: 2 is more than any machine .* allowed: 1 to 1"),
        RayExecutor(cluster.address, threads=2),
    ):
        pass
    assert not ray.is_initialized()


def _written(inputs: Inputs, folder: Path) -> Path:
    from marginproof.documents import InstrumentName, market_symbols
    from marginproof.market.crash import load_crash

    symbols = {number: symbol for symbol, number in market_symbols(load_crash()[3]).items()}
    names = [
        str(InstrumentName(symbols[i.underlying], i.kind, i.expiry, i.strike_e8))
        for i in inputs.instruments.instruments
    ]
    spot = np.isin(inputs.portfolios.ids, inputs.instruments.ids[inputs.instruments.kind == 0])
    np.savez(
        folder / "accounts.npz",
        offsets=inputs.portfolios.offsets,
        ids=inputs.portfolios.ids,
        quantities=np.where(spot, abs(inputs.portfolios.quantities), inputs.portfolios.quantities),
        instruments=np.array(names),
        instrument_ids=inputs.instruments.ids,
    )
    return folder / "accounts.npz"


def _command(path: Path, *options: object, **environment: str) -> Any:
    words = ["epoch", "compute", "--market", "crash:4", "--model", "options-33", "--accounts", path, *options]
    done = subprocess.run(
        [*COMMAND, *map(str, words), "--json"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_command(cluster: Cluster, tmp_path: Path) -> None:
    path = _written(drawn(9_000), tmp_path)
    local = _command(path, "--executor", "local", "--threads", 2)
    for found in (
        _command(path, "--executor", "ray", "--address", cluster.address),
        _command(path, "--executor", "ray", "--parts", 3, RAY_ADDRESS=cluster.address),
    ):
        assert (found["executor"], found["leafRoot"]) == ("ray", local["leafRoot"])
    assert (found["parts"], found["leafCount"]) == (3, 9_000)


def test_command_with_a_ray_of_its_own(tmp_path: Path) -> None:
    path = _written(drawn(5_000), tmp_path)
    found = _command(path, "--executor", "ray", "--parts", 2)
    assert found["leafRoot"] == _command(path, "--parts", 2)["leafRoot"]
