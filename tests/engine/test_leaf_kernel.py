"""Leaves and portfolios from columns hash as the specification's do."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from marginproof.engine import columns
from marginproof.engine.columns import money_column, money_values, widened
from marginproof.engine.leaves import LeafColumns, leaf_hashes, portfolio_hashes
from marginproof.spec.errors import SpecError
from marginproof.spec.limits import MAX_QUANTITY
from marginproof.spec.portfolio import Position, portfolio_hash
from marginproof.spec.typed_data import Leaf

CORNERS = [0, 1, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, -(2**64), 2**127 - 1, -(2**127)]


def _leaf(rng: Random, length: int) -> Leaf:
    def money() -> int:
        return rng.choice(
            [rng.choice(CORNERS), rng.randrange(-(2**50), 2**50), rng.randrange(-(2**127), 2**127)]
        )

    return Leaf(
        account=rng.choice([0, 1, 2**64 - 1, rng.getrandbits(64)]),
        portfolio_hash=rng.randbytes(32),
        portfolio_value=money(),
        spot_value=money(),
        initial_margin=money(),
        maintenance_margin=money(),
        worst_scenarios=rng.randbytes(length),
    )


def _columns(leaves: list[Leaf], width: int) -> LeafColumns:
    """Unused worst-scenario bytes are filled with 255, which must not matter."""
    rows = b"".join(leaf.worst_scenarios.ljust(width, b"\xff") for leaf in leaves)
    hashes = b"".join(leaf.portfolio_hash for leaf in leaves)
    return LeafColumns(
        account=np.array([leaf.account for leaf in leaves], dtype=np.uint64),
        portfolio_hash=np.frombuffer(hashes, dtype=np.uint8).reshape(-1, 32),
        portfolio_value=money_column([leaf.portfolio_value for leaf in leaves]),
        spot_value=money_column([leaf.spot_value for leaf in leaves]),
        initial_margin=money_column([leaf.initial_margin for leaf in leaves]),
        maintenance_margin=money_column([leaf.maintenance_margin for leaf in leaves]),
        worst_scenarios=np.frombuffer(rows, dtype=np.uint8).reshape(-1, width),
        worst_lengths=np.array([len(leaf.worst_scenarios) for leaf in leaves], dtype=np.uint8),
    )


def _hashes(rows: NDArray[np.uint8]) -> list[bytes]:
    return [bytes(row) for row in rows]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 300])
def test_leaves_equal_the_specification(count: int) -> None:
    rng = Random(count)
    leaves = [_leaf(rng, rng.randrange(17)) for _ in range(count)]
    assert _hashes(leaf_hashes(_columns(leaves, 16))) == [leaf.struct_hash() for leaf in leaves]


@pytest.mark.parametrize("length", range(17))
def test_worst_scenarios_of_every_length(length: int) -> None:
    leaves = [_leaf(Random(length), length)]
    assert _hashes(leaf_hashes(_columns(leaves, max(length, 1)))) == [leaves[0].struct_hash()]


@pytest.mark.parametrize("field", ["portfolio_value", "spot_value", "initial_margin", "maintenance_margin"])
def test_money_at_the_corners(field: str) -> None:
    figures: list[dict[str, Any]] = [{field: value} for value in CORNERS]
    leaves = [replace(_leaf(Random(1), 2), **figure) for figure in figures]
    assert _hashes(leaf_hashes(_columns(leaves, 2))) == [leaf.struct_hash() for leaf in leaves]


def test_no_leaves() -> None:
    assert leaf_hashes(_columns([], 2)).shape == (0, 32)


def _book(rng: Random, sizes: list[int]) -> list[list[Position]]:
    book = []
    for size in sizes:
        ids = sorted(rng.sample(range(1, 2**32), size))
        extremes = [1, -1, MAX_QUANTITY, -MAX_QUANTITY]
        book.append([Position(i, rng.choice([*extremes, rng.randrange(1, MAX_QUANTITY)])) for i in ids])
    return book


def _portfolio_columns(book: list[list[Position]]) -> tuple[Any, Any, Any]:
    offsets = np.cumsum([0] + [len(positions) for positions in book])
    instrument = np.array([p.instrument for positions in book for p in positions], dtype=np.uint32)
    quantity = np.array([p.quantity for positions in book for p in positions], dtype=np.int64)
    return offsets, instrument, quantity


@pytest.mark.parametrize("size", range(129))
def test_portfolios_of_every_size(size: int) -> None:
    book = _book(Random(size), [size, size, size])
    assert _hashes(portfolio_hashes(*_portfolio_columns(book))) == [portfolio_hash(p) for p in book]


def test_portfolios_of_mixed_sizes() -> None:
    rng = Random(5)
    book = _book(rng, [0, 128] + [rng.choice([0, 1, 5, 11, 12, 22, 23, 128]) for _ in range(150)])
    assert _hashes(portfolio_hashes(*_portfolio_columns(book))) == [portfolio_hash(p) for p in book]


def test_no_portfolios() -> None:
    assert portfolio_hashes(*_portfolio_columns([])).shape == (0, 32)


def test_threads_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(3)
    leaves = _columns([_leaf(rng, rng.randrange(17)) for _ in range(500)], 16)
    book = _portfolio_columns(_book(rng, [rng.randrange(0, 40) for _ in range(500)]))
    expected = (leaf_hashes(leaves), portfolio_hashes(*book))
    for chunk in (1, 64, 300):
        monkeypatch.setattr(columns, "MIN_CHUNK", chunk)
        for threads in (2, 3, 7):
            assert (leaf_hashes(leaves, threads) == expected[0]).all()
            assert (portfolio_hashes(*book, threads) == expected[1]).all()


def test_rows_in_any_order() -> None:
    rng = Random(4)
    leaves = [_leaf(rng, 4) for _ in range(50)]
    order = rng.sample(range(50), 50)
    shuffled = leaf_hashes(_columns([leaves[i] for i in order], 4))
    assert (shuffled == leaf_hashes(_columns(leaves, 4))[order]).all()


def test_money_columns() -> None:
    assert money_values(money_column(CORNERS)) == CORNERS
    assert money_column([]).shape == (0, 2)
    narrow = np.array([0, -1, 2**63 - 1, -(2**63)])
    assert money_values(widened(narrow)) == narrow.tolist()
    for value in (2**127, -(2**127) - 1):
        with pytest.raises(SpecError, match=f"OutOfRange\\(field=money, value={value}"):
            money_column([value])


@pytest.mark.parametrize(
    ("column", "array", "found"),
    [
        ("account", np.zeros(3, np.int64), "int64 array, shape (3,), contiguous"),
        ("portfolio_hash", np.zeros((2, 32), np.uint8), "uint8 array, shape (2, 32), contiguous"),
        ("portfolio_value", np.zeros((3, 2)), "float64 array, shape (3, 2), contiguous"),
        ("spot_value", np.zeros(3, np.int64), "int64 array, shape (3,), contiguous"),
        ("initial_margin", np.zeros((2, 3), np.int64).T, "int64 array, shape (3, 2), not contiguous"),
        ("maintenance_margin", np.zeros((3, 2), ">i8"), ">i8 array, shape (3, 2), in another byte order"),
        ("maintenance_margin", [[0, 0]] * 3, "list"),
        ("worst_scenarios", np.zeros((3, 2), np.int8), "int8 array, shape (3, 2), contiguous"),
        ("worst_lengths", np.zeros(4, np.uint8), "uint8 array, shape (4,), contiguous"),
    ],
)
def test_columns_of_another_kind(column: str, array: Any, found: str) -> None:
    good = _columns([_leaf(Random(i), 2) for i in range(3)], 2)
    with pytest.raises(SpecError) as refused:
        leaf_hashes(replace(good, **{column: array}))
    assert refused.value.name == "BadColumn"
    assert (refused.value.args_by_name["column"], refused.value.args_by_name["found"]) == (column, found)


def test_hashes_at_an_odd_address() -> None:
    leaves = [_leaf(Random(i), 2) for i in range(3)]
    good = _columns(leaves, 2)
    odd = np.empty(3 * 32 + 1, dtype=np.uint8)[1:].reshape(3, 32)
    odd[:] = good.portfolio_hash
    assert columns.hash_words(odd).flags.aligned  # the kernels are compiled for aligned words
    assert _hashes(leaf_hashes(replace(good, portfolio_hash=odd))) == [leaf.struct_hash() for leaf in leaves]


def test_columns_not_aligned() -> None:
    good = _columns([_leaf(Random(i), 2) for i in range(3)], 2)
    odd = np.zeros(25, np.uint8)[1:].view(np.uint64)
    with pytest.raises(SpecError, match="not aligned"):
        leaf_hashes(replace(good, account=odd))


def test_worst_scenario_lengths() -> None:
    good = _columns([_leaf(Random(i), 2) for i in range(3)], 2)
    long = replace(good, worst_lengths=np.array([2, 3, 0], dtype=np.uint8))
    with pytest.raises(SpecError, match=r"OutOfRange\(field=worst_lengths, value=3, low=0, high=2\)"):
        leaf_hashes(long)
    wide = replace(good, worst_scenarios=np.zeros((3, 17), np.uint8))
    with pytest.raises(
        SpecError, match=r"OutOfRange\(field=worst_scenarios width, value=17, low=0, high=16\)"
    ):
        leaf_hashes(wide)


@pytest.mark.parametrize(
    ("offsets", "found"),
    [
        ([0, 1], "0 .. 1"),
        ([1, 2], "1 .. 2"),
        ([0, 3], "0 .. 3"),
        ([0, 2, 1, 2], "0 .. 2, falling somewhere"),
        ([], "nothing"),
    ],
)
def test_offsets_that_do_not_divide_the_positions(offsets: list[int], found: str) -> None:
    ids, quantity = np.array([1, 2], dtype=np.uint32), np.array([1, 1])
    with pytest.raises(SpecError) as refused:
        portfolio_hashes(np.array(offsets, dtype=np.int64), ids, quantity)
    assert refused.value.args_by_name["column"] == "offsets"
    assert refused.value.args_by_name["found"] == found


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([(2, 1), (2, 1)], "PositionsNotSorted(previous=2, id=2)"),
        ([(3, 1), (2, 1)], "PositionsNotSorted(previous=3, id=2)"),
        ([(0, 1)], "PositionsNotSorted(previous=0, id=0)"),
        ([(1, 1), (2, 0)], "ZeroQuantity(id=2)"),
        ([(1, MAX_QUANTITY + 1)], f"QuantityOutOfRange(id=1, quantity={MAX_QUANTITY + 1})"),
        ([(1, -MAX_QUANTITY - 1)], f"QuantityOutOfRange(id=1, quantity={-MAX_QUANTITY - 1})"),
        ([(1, -(2**63))], f"QuantityOutOfRange(id=1, quantity={-(2**63)})"),
        ([(i, 1) for i in range(1, 130)], "TooManyPositions(count=129, max=128)"),
    ],
)
def test_portfolios_without_an_encoding(
    positions: list[tuple[int, int]], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first bad row is the one refused, from any number of threads."""
    monkeypatch.setattr(columns, "MIN_CHUNK", 8)
    fine = _book(Random(1), [3] * 20)
    later = [Position(9, 0)]
    book = [*fine, [Position(*pair) for pair in positions], *fine, later, *fine]
    for threads in (1, 3):
        with pytest.raises(SpecError) as refused:
            portfolio_hashes(*_portfolio_columns(book), threads)
        assert str(refused.value) == message
        assert refused.value.__notes__ == ["row 20 of the portfolios"]


@pytest.mark.parametrize("column", ["instrument", "quantity", "offsets"])
def test_portfolio_columns_of_another_kind(column: str) -> None:
    good = dict(
        zip(("offsets", "instrument", "quantity"), _portfolio_columns([[Position(1, 1)]]), strict=True)
    )
    with pytest.raises(SpecError) as refused:
        portfolio_hashes(**{**good, column: good[column].astype(np.float64)})
    assert refused.value.args_by_name["column"] == column
