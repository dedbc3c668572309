"""The tree and its proofs, against OpenZeppelin's JavaScript library."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import IO, cast

import numpy as np

from marginproof.engine.tree import Tree

from . import world
from .result import REPETITIONS, Result, result, seconds
from .sizes import Sizes

SCRIPT = Path(__file__).with_name("merkle_tree.mjs")
MICROSECONDS = 1e6
MOST_RATIO = 0.005


class NodePeer:
    """OpenZeppelin's library in a process of its own that lives through all repetitions, as its compiler warms up."""

    def __init__(self, leaves: int, proofs: int) -> None:
        node = shutil.which("node")
        if node is None:
            raise FileNotFoundError("node")
        self._task = json.dumps({"leaves": leaves, "proofs": proofs}) + "\n"
        self._process = subprocess.Popen(
            [node, SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def seconds(self) -> float:
        """The time of one run, as the process itself measures it. Raises ValueError when the library is not installed."""
        given, answers = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        try:
            given.write(self._task)
            given.flush()
        except BrokenPipeError:
            raise ValueError("the process ended") from None
        return float(answers.readline()) / 1e3

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def bench_tree(sizes: Sizes) -> list[Result]:
    """Microseconds a leaf on one core: hash the tree over leaf hashes and take proofs, one for every hundredth leaf."""
    random = np.random.Generator(np.random.PCG64(world.SEED))
    leaves = random.integers(0, 256, (sizes.leaves, 32), np.uint8)
    asked = np.linspace(0, sizes.leaves - 1, sizes.proofs).astype(np.int64)
    peer_proofs = max(1, sizes.peer_leaves * sizes.proofs // sizes.leaves)
    times: list[float] = []
    peers: list[float] = []
    label = f"@openzeppelin/merkle-tree, {sizes.peer_leaves:,} leaves"
    try:
        peer = NodePeer(sizes.peer_leaves, peer_proofs)
    except FileNotFoundError:
        peer = None
    for repetition in range(REPETITIONS + 1):
        mine = seconds(lambda: Tree(leaves).proofs(asked))
        try:
            theirs = peer.seconds() if peer else None
        except ValueError:
            theirs = None
        if repetition:
            times.append(mine)
            peers += [] if theirs is None else [theirs]
    if peer:
        peer.close()
    found = len(peers) == REPETITIONS
    return [
        result(
            f"tree of {sizes.leaves:,} leaves, {sizes.proofs:,} proofs",
            "us a leaf",
            statistics.median(times) / sizes.leaves * MICROSECONDS,
            peer_name=label if found else "@openzeppelin/merkle-tree (not installed: npm ci)",
            peer=statistics.median(peers) / sizes.peer_leaves * MICROSECONDS if found else None,
            most_ratio=MOST_RATIO,
        )
    ]
