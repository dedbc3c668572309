"""The compiled hash against the library that the specification uses, and what is kept of compiled code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import marginproof
from marginproof.engine.kernels import compile as compiling
from marginproof.engine.kernels.compile import kernel
from marginproof.engine.kernels.hashing import hash_bytes
from marginproof.engine.kernels.keccak import WIDTH, permute_many, permute_one
from marginproof.spec.hashing import keccak


@kernel(cache=False)
def _both(side_by_side: NDArray[np.uint64], single: NDArray[np.uint64]) -> None:
    permute_many(side_by_side)
    permute_one(single)


def test_the_zero_state_gives_the_published_words() -> None:
    """The first words of keccak-f[1600] of zeros, from the Keccak team's intermediate values, in every place."""
    many, one = np.zeros(25 * WIDTH, np.uint64), np.zeros(25, np.uint64)
    _both(many, one)
    assert [hex(word) for word in one[:2].tolist()] == ["0xf1258f7940e1dde7", "0x84d5ccf933c0478a"]
    assert (many.reshape(25, WIDTH) == one[:, None]).all()


def test_neighbours_do_not_touch() -> None:
    states = np.random.default_rng(1).integers(0, 2**64, (WIDTH, 25), dtype=np.uint64)
    many = states.T.copy().reshape(-1)
    for place in range(WIDTH):
        single = states[place].copy()
        _both(many.copy(), single)
        states[place] = single
    _both(many, np.zeros(25, np.uint64))
    assert (states == many.reshape(25, WIDTH).T).all()


@pytest.mark.parametrize("length", [0, 1, 7, 8, 64, 134, 135, 136, 137, 271, 272, 273, 1536, 5000])
def test_bytes_of_every_length(length: int) -> None:
    message = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8)
    words = np.empty(25, np.uint64)
    hash_bytes(message, words)
    assert words[:4].tobytes() == keccak(message.tobytes())


def test_the_second_start_compiles_nothing() -> None:
    program = (
        "from marginproof.engine.kernels import hashing\n"
        "made = [hashing.hash_pairs, hashing.hash_pairs_at, hashing.hash_leaves, hashing.hash_portfolios,"
        " hashing.first_bad_portfolio, hashing.hash_bytes]\n"
        "print([len(one.stats.cache_misses) for one in made], [len(one.stats.cache_hits) for one in made])"
    )
    package = Path(marginproof.__file__).parents[1]
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=package)
    assert shown.stdout.decode().strip() == f"{[0] * 6} {[1] * 6}"


def test_a_changed_callee_is_compiled_again(tmp_path: Path) -> None:
    """Numba alone would go on running the old one: it looks at the caller's file only."""
    folder = tmp_path / "changing" / "engine" / "kernels"
    folder.mkdir(parents=True)
    (tmp_path / "changing" / "spec").mkdir()
    (folder / "compile.py").write_text(Path(compiling.__file__).read_text())
    callee, caller = folder / "callee.py", folder / "caller.py"
    caller.write_text(
        "from .callee import step\nfrom .compile import kernel\n"
        "@kernel('int64(int64)')\ndef twice(x):\n    return step(step(x))\n"
    )
    program = "from changing.engine.kernels.caller import twice; print(twice(1), len(twice.stats.cache_hits))"
    shown = []
    for growth in (1, 1, 2):
        callee.write_text(
            f"from .compile import kernel\n@kernel('int64(int64)')\ndef step(x):\n    return x + {growth}\n"
        )
        # Python, too, would go on running the old one: to it a file of the same second and size is the same.
        command = [sys.executable, "-B", "-c", program]
        done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
        shown.append(done.stdout.decode().strip())
    assert shown == ["3 0", "3 1", "5 0"]
