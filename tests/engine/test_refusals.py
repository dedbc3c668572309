"""What the engine refuses before it computes anything: markets, models, volatilities, arrays, threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from engine.worlds import (
    EXPIRIES,
    SETTLED,
    SPOTS,
    TIME,
    world_instruments,
    world_market,
    world_model,
    world_portfolios,
)
from marginproof.engine import partition
from marginproof.engine.epoch import advance, compute
from marginproof.engine.executors import LocalExecutor, compute_with
from marginproof.engine.instruments import InstrumentColumns, columns_of
from marginproof.engine.kernels import pricing
from marginproof.engine.leaves import portfolio_hashes
from marginproof.engine.netting import net, resolve
from marginproof.engine.ray_executor import RayExecutor
from marginproof.engine.tree import Tree, merge, root, subtree_root
from marginproof.engine.values import Values, ValueTable, value
from marginproof.spec import limits
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import value_table
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.scenario import MAX_GIVEN_VOL, override_vol
from marginproof.spec.units import ONE_WAD

CALL = Instrument(1, Kind.CALL, EXPIRIES[2], SPOTS[1])


@pytest.fixture(scope="module")
def instruments() -> InstrumentColumns:
    return world_instruments()


@pytest.fixture(scope="module")
def values(instruments: InstrumentColumns) -> Values:
    return value(instruments, world_market(), world_model())


@pytest.fixture
def nothing_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    def priced(*_: object) -> None:
        raise AssertionError("priced before everything was looked at")

    monkeypatch.setattr(pricing, "price_strip", priced)


def refusal(work: Callable[[], object]) -> SpecError:
    with pytest.raises(SpecError) as caught:
        work()
    return caught.value


# Volatilities per strike


@pytest.mark.usefixtures("nothing_priced")
@pytest.mark.parametrize(
    "vol",
    [
        float("nan"),
        float("inf"),
        0.5,
        5e17,
        "0.5",
        None,
        True,
        np.int64(5 * 10**17),
        np.uint64(5 * 10**17),
        np.float64("nan"),
        np.array([5 * 10**17]),
        b"1",
        [5 * 10**17],
    ],
    ids=repr,
)
def test_a_vol_that_is_no_python_integer_is_refused(instruments: InstrumentColumns, vol: Any) -> None:
    error = refusal(lambda: value(instruments, world_market(), world_model(), {CALL: vol}))
    assert error.name == "BadVol"
    assert error.args_by_name["instrument"] == str(CALL)
    assert str(error.args_by_name["found"]).startswith(type(vol).__name__)
    assert refusal(lambda: ValueTable(world_market(), world_model(), {CALL: vol})).name == "BadVol"


@pytest.mark.usefixtures("nothing_priced")
@pytest.mark.parametrize("vol", [-1, -(10**18), MAX_GIVEN_VOL + 1, 10**40])
def test_a_vol_out_of_range_is_refused(instruments: InstrumentColumns, vol: int) -> None:
    error = refusal(lambda: value(instruments, world_market(), world_model(), {CALL: vol}))
    assert (error.name, error.args_by_name) == (
        "OutOfRange",
        {"field": "vol", "value": vol, "low": 0, "high": 100 * ONE_WAD},
    )
    assert refusal(lambda: override_vol(vol, 86_400)).args_by_name == error.args_by_name
    assert refusal(lambda: value_table(world_market(), world_model(), {CALL: vol})(CALL)).name == "OutOfRange"


@pytest.mark.parametrize("vol", [0, 1, MAX_GIVEN_VOL])
def test_vols_at_the_ends_of_the_range_are_the_specifications(
    instruments: InstrumentColumns, vol: int
) -> None:
    given = value(instruments, world_market(), world_model(), {CALL: vol})
    truth = value_table(world_market(), world_model(), {CALL: vol})(CALL)
    row = instruments.instruments.index(CALL)
    assert tuple(given.table[row, : len(truth)].tolist()) == truth


@pytest.mark.usefixtures("nothing_priced")
@pytest.mark.parametrize(
    ("key", "name"),
    [
        (replace(CALL, kind=Kind.PUT), "BadVol"),
        (Instrument(1, Kind.FUTURE, EXPIRIES[2]), "BadVol"),
        (Instrument(1, Kind.SPOT), "BadVol"),
        ((1, Kind.CALL, EXPIRIES[2], SPOTS[1]), "BadVol"),
        ("BTC", "BadVol"),
        (None, "BadVol"),
        (replace(CALL, expiry=np.int64(EXPIRIES[2])), "BadVol"),
        (replace(CALL, strike_e8=float(SPOTS[1])), "BadVol"),
        (replace(CALL, strike_e8=SPOTS[1] + 1), "BadVol"),
        (replace(CALL, expiry=EXPIRIES[2] + 1), "MissingExpiry"),
        (replace(CALL, expiry=SETTLED), "MissingExpiry"),
        (replace(CALL, underlying=3), "MissingUnderlying"),
    ],
    ids=str,
)
def test_a_vol_of_anything_but_a_listed_live_call_is_refused(
    instruments: InstrumentColumns, key: Any, name: str
) -> None:
    vols = {key: ONE_WAD}
    assert refusal(lambda: value(instruments, world_market(), world_model(), vols)).name == name


@pytest.mark.parametrize("vols", [[], [(CALL, ONE_WAD)], "", 0, np.zeros(3), {CALL}], ids=repr)
def test_vols_are_a_mapping(instruments: InstrumentColumns, vols: Any) -> None:
    assert refusal(lambda: value(instruments, world_market(), world_model(), vols)).name == "BadVol"


def test_a_vol_by_call_counts_for_a_put_listed_alone() -> None:
    put = replace(CALL, kind=Kind.PUT)
    given = value(columns_of([put]), world_market(), world_model(), {CALL: ONE_WAD})
    assert tuple(given.table[0].tolist()) == value_table(world_market(), world_model(), {CALL: ONE_WAD})(put)


def test_a_table_takes_vols_of_strikes_that_it_is_not_asked_for() -> None:
    other = replace(CALL, strike_e8=SPOTS[1] + 1)
    vols = {CALL: ONE_WAD, other: 2 * ONE_WAD}
    table, truth = (
        ValueTable(world_market(), world_model(), vols),
        value_table(world_market(), world_model(), vols),
    )
    for instrument in (Instrument(1, Kind.SPOT), CALL, other, replace(other, kind=Kind.PUT)):
        assert table(instrument) == truth(instrument)
    assert refusal(lambda: ValueTable(world_market(), world_model(), {replace(CALL, expiry=1): 1})).name == (
        "MissingExpiry"
    )


# Markets and models


def _market(**changes: Any) -> MarketSnapshot:
    return replace(world_market(), **changes)


def _first(**changes: Any) -> MarketSnapshot:
    first, second = world_market().underlyings
    return _market(underlyings=(replace(first, **changes), second))


def _quote(**changes: Any) -> MarketSnapshot:
    quotes = world_market().underlyings[0].expiries
    return _first(expiries=(replace(quotes[0], **changes), *quotes[1:]))


_SMILE = world_market().underlyings[0].expiries[0].svi


@pytest.mark.usefixtures("nothing_priced")
@pytest.mark.parametrize(
    ("market", "field"),
    [
        (_first(spot_e8=0), "spot"),
        (_first(spot_e8=-1), "spot"),
        (_first(spot_e8=limits.MAX_SPOT + 1), "spot"),
        (_first(perpetual_e8=0), "perpetual"),
        (_first(funding_e8=limits.MAX_FUNDING + 1), "funding"),
        (_first(confidence_wad=2 * ONE_WAD), "confidence"),
        (_first(confidence_wad=-1), "confidence"),
        (_quote(confidence_wad=2 * ONE_WAD), "expiryConfidence"),
        (_quote(forward_e8=0), "forward"),
        (_quote(forward_e8=-(10**12)), "forward"),
        (_quote(forward_e8=10**16), "forward"),
        (_quote(rate_wad=limits.MAX_RATE + 1), "rate"),
        (_quote(svi=replace(_SMILE, sigma=0)), "sigma"),
        (_market(settlement_token_e8=0), "settlementToken"),
        (_market(time=0), "time"),
        (_market(time=EXPIRIES[0]), "expiry"),
        (_market(time=EXPIRIES[0] + 1), "expiry"),
        (_market(time=SETTLED - 1), "settledExpiry"),
    ],
)
def test_a_market_out_of_range_is_refused(
    instruments: InstrumentColumns, market: MarketSnapshot, field: str
) -> None:
    error = refusal(lambda: value(instruments, market, world_model()))
    assert (error.name, error.args_by_name["field"]) == ("OutOfRange", field)
    assert refusal(lambda: ValueTable(market, world_model())(CALL)).args_by_name == error.args_by_name


def test_a_market_out_of_order_or_of_negative_variance_is_refused(instruments: InstrumentColumns) -> None:
    twice = _market(underlyings=world_market().underlyings[::-1])
    assert refusal(lambda: value(instruments, twice, world_model())).name == "NotIncreasing"
    negative = _quote(svi=replace(_SMILE, a=-ONE_WAD))
    assert refusal(lambda: value(instruments, negative, world_model())).name == "NegativeVariance"


@pytest.mark.usefixtures("nothing_priced")
@pytest.mark.parametrize(
    ("market", "field"),
    [
        (None, "market"),
        (_market(time=float(TIME)), "market.time"),
        (_market(underlyings=list(world_market().underlyings)), "market.underlyings"),
        (_market(underlyings=(1,)), "market.underlyings[0]"),
        (_first(spot_e8=float("nan")), "market.underlyings[0].spot_e8"),
        (_first(spot_e8=np.int64(SPOTS[1])), "market.underlyings[0].spot_e8"),
        (_first(spot_e8=str(SPOTS[1])), "market.underlyings[0].spot_e8"),
        (_first(confidence_wad=True), "market.underlyings[0].confidence_wad"),
        (_quote(forward_e8=7e12), "market.underlyings[0].expiries[0].forward_e8"),
        (_quote(svi=replace(_SMILE, a=np.float64(0))), "market.underlyings[0].expiries[0].svi.a"),
        (_quote(svi=None), "market.underlyings[0].expiries[0].svi"),
    ],
)
def test_a_market_of_anything_but_whole_numbers_is_refused(
    instruments: InstrumentColumns, market: Any, field: str
) -> None:
    error = refusal(lambda: value(instruments, market, world_model()))
    assert (error.name, error.args_by_name["field"]) == ("BadField", field)


@pytest.mark.usefixtures("nothing_priced")
def test_a_bad_model_is_refused(instruments: InstrumentColumns) -> None:
    model = world_model()
    first, second = model.sections

    def refused(sections: Any) -> tuple[str, object]:
        error = refusal(lambda: value(instruments, world_market(), replace(model, sections=sections)))
        return error.name, error.args_by_name.get("field")

    assert refused((replace(first, maintenance_factor=first.initial_factor + 1), second)) == (
        "OutOfRange",
        "maintenanceFactor",
    )
    assert refused((replace(first, skew_minimum=0), second)) == ("OutOfRange", "skewMinimum")
    assert refused((replace(first, scenarios=()), second)) == ("OutOfRange", "scenarios")
    assert refused((second, first)) == ("NotIncreasing", None)
    assert refused([first, second]) == ("BadField", "model.sections")
    heavy = replace(first.scenarios[3], weight_wad=limits.MAX_WEIGHT + 1)
    assert refused((replace(first, scenarios=(heavy,)), second)) == ("OutOfRange", "weight")
    for place, change in (
        ("weight_wad", 1.0),
        ("weight_wad", np.int64(ONE_WAD)),
        ("spot_wad", float("nan")),
        ("kind", 1),
    ):
        odd = (first.scenarios[0], replace(first.scenarios[1], **{place: change}))
        assert refused((replace(first, scenarios=odd), second)) == (
            "BadField",
            f"model.sections[0].scenarios[1].{place}",
        )
    assert refused((replace(first, vol_up=0.5), second)) == ("BadField", "model.sections[0].vol_up")
    # An equal model of floats is another model, even after the one of integers was accepted.
    same = replace(first, initial_factor=float(first.initial_factor))
    assert same == first
    assert refused((same, second)) == ("BadField", "model.sections[0].initial_factor")


# Instruments


@pytest.mark.parametrize(
    ("instrument", "field"),
    [
        (replace(CALL, strike_e8=0), "strike"),
        (replace(CALL, strike_e8=-1), "strike"),
        (replace(CALL, strike_e8=limits.MAX_STRIKE + 1), "strike"),
        (replace(CALL, strike_e8=np.int64(SPOTS[1])), "strike"),
        (replace(CALL, strike_e8=float("nan")), "strike"),
        (replace(CALL, expiry=0), "expiry"),
        (replace(CALL, expiry=2**40), "expiry"),
        (replace(CALL, underlying=64), "underlying"),
        (replace(CALL, underlying=0), "underlying"),
        (Instrument(1, Kind.SPOT, 5), "expiry"),
        (Instrument(1, Kind.FUTURE, 5, 5), "strike"),
    ],
    ids=str,
)
def test_what_nothing_could_be_listed_with_is_refused(instrument: Instrument, field: str) -> None:
    error = refusal(lambda: columns_of([instrument]))
    assert (error.name, error.args_by_name["field"]) == ("OutOfRange", field)


# Arrays


def _wrong(array: np.ndarray[Any, Any]) -> list[object]:
    """The array shortened, lengthened, of another shape or dtype, not contiguous, in another byte order, and no array."""
    other = np.dtype(np.float64 if array.dtype.kind != "f" else np.int32)
    swapped = array.astype(array.dtype.newbyteorder() if array.itemsize > 1 else np.int8)
    return [
        array[:-1],
        np.concatenate([array, array[-1:] + 1]),
        array.reshape(-1)[:, None] if array.ndim > 1 else array.reshape(1, -1),
        np.ascontiguousarray(array[..., :-1]),
        np.zeros(array.shape, other),
        swapped,
        np.repeat(array, 2, axis=-1)[..., ::2],
        array.tolist(),
        None,
    ]


VALUE_ARRAYS = ("table", "delta", "row_info", "by_column", "main", "side")
SECTION_ARRAYS = ("index_of", "underlyings", "group_terms", "group_floats", "weights", "kinds")
LANE_ARRAYS = ("columns", "indices", "weights", "bias")
INSTRUMENT_ARRAYS = ("ids", "underlying", "kind", "expiry", "strike", "log_strike")


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel over wrong arrays may end the process: none may be reached."""

    def reached(*_: object) -> None:
        raise AssertionError("a kernel was reached")

    for module, name in (
        ("netting", "net_accounts"),
        ("leaves", "first_bad_portfolio"),
        ("instruments", "find_rows"),
    ):
        monkeypatch.setattr(import_module(f"marginproof.engine.{module}"), name, reached)


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize(
    "name",
    VALUE_ARRAYS
    + tuple(f"sections.{n}" for n in SECTION_ARRAYS)
    + tuple(f"sections.lanes.{n}" for n in LANE_ARRAYS),
)
def test_wrong_arrays_of_values_never_reach_a_kernel(values: Values, name: str, with_rows: bool) -> None:
    portfolios = world_portfolios(values.instruments, 3)
    rows = np.zeros(len(portfolios.ids), np.uint32) if with_rows else None
    *owner, attribute = name.split(".")
    good = values
    for part in owner:
        good = getattr(good, part)
    for number, wrong in enumerate(_wrong(getattr(good, attribute))):
        broken: Any = replace(good, **{attribute: wrong})
        if "lanes" in owner:
            broken = replace(values.sections, lanes=broken)
        if owner:
            broken = replace(values, sections=broken)
        error = refusal(lambda broken=broken: net(portfolios, broken, 1, rows))  # type: ignore[misc]
        assert (error.name, str(error.args_by_name["column"]).split(".")[-1]) == ("BadColumn", attribute), (
            number
        )


@pytest.mark.usefixtures("no_kernel", "nothing_priced")
@pytest.mark.parametrize("name", INSTRUMENT_ARRAYS + ("bases", "sizes", "rows"))
def test_wrong_arrays_of_instruments_never_reach_a_kernel(values: Values, name: str) -> None:
    portfolios = world_portfolios(values.instruments, 3)
    good = values.instruments
    is_lookup = name not in INSTRUMENT_ARRAYS
    for wrong in _wrong(getattr(good.lookup if is_lookup else good, name)):
        broken = replace(good, lookup=replace(good.lookup, **{name: wrong})) if is_lookup else None
        if broken is None:
            broken = replace(good, **{name: wrong})
        for work in (
            lambda broken=broken: value(broken, values.market, values.model),
            lambda broken=broken: resolve(portfolios, broken),
            lambda broken=broken: net(portfolios, replace(values, instruments=broken)),
        ):
            assert refusal(work).name == "BadColumn"


@pytest.mark.usefixtures("no_kernel")
def test_wrong_portfolios_with_rows_never_reach_a_kernel(values: Values) -> None:
    good = world_portfolios(values.instruments, 3)
    rows = np.zeros(len(good.ids), np.uint32)
    for name in ("offsets", "ids", "quantities"):
        for wrong in _wrong(getattr(good, name)):
            broken = replace(good, **{name: wrong})
            assert refusal(lambda broken=broken: net(broken, values, 1, rows)).name == "BadColumn", name  # type: ignore[misc]
    for wrong in _wrong(rows)[:-1]:
        assert refusal(lambda wrong=wrong: net(good, values, 1, wrong)).name == "BadColumn"  # type: ignore[misc]
    assert refusal(lambda: net(None, values)).name == "BadField"  # type: ignore[arg-type]
    assert refusal(lambda: net(good, None)).name == "BadField"  # type: ignore[arg-type]
    assert refusal(lambda: value(None, values.market, values.model)).name == "BadField"  # type: ignore[arg-type]


def test_values_of_other_instruments_are_refused(values: Values) -> None:
    fewer = columns_of(values.instruments.instruments[:-3])
    portfolios = world_portfolios(fewer, 3)
    assert refusal(lambda: net(portfolios, replace(values, instruments=fewer))).name == "BadColumn"


def test_values_without_any_underlying_are_accepted() -> None:
    unknown = columns_of([Instrument(9, Kind.SPOT)])
    made = value(unknown, world_market(), world_model())
    made.check()
    assert len(net(world_portfolios(columns_of([]), 0), made)) == 0


# Threads


@pytest.mark.parametrize("threads", ["2", 1.5, 2.0, True, None, 0, -1, 257, np.int64(2)], ids=repr)
def test_threads_are_refused_before_anything_is_computed(values: Values, threads: Any) -> None:
    portfolios = world_portfolios(values.instruments, 2)
    inputs = (values.instruments, values.market, values.model)
    epoch = compute(portfolios, values)
    leaves, before = epoch.leaf_hashes, epoch.root
    task = partition.split(portfolios, *inputs, 1)[0]
    spot = columns_of([Instrument(1, Kind.SPOT)])
    works: list[Callable[[], object]] = [
        lambda: value(*inputs, threads=threads),
        lambda: value(spot, *inputs[1:], threads=threads),
        lambda: net(portfolios, values, threads),
        lambda: net(portfolios, values, threads, epoch.rows),
        lambda: resolve(portfolios, values.instruments, threads),
        lambda: values.instruments.rows(portfolios.ids, threads),
        lambda: portfolio_hashes(portfolios.offsets, portfolios.ids, portfolios.quantities, threads),
        lambda: compute(portfolios, values, threads),
        lambda: advance(epoch, portfolios, values, threads),
        lambda: root(leaves, threads),
        lambda: root(leaves[:0], threads),
        lambda: subtree_root(leaves, 1, threads),
        lambda: merge(leaves[:1], 1, 1, threads),
        lambda: epoch.tree.update(np.zeros(1, np.int64), leaves[1:], threads),
        lambda: Tree(leaves, threads),
        lambda: partition.split(portfolios, *inputs, 1, threads),
        lambda: partition.compute_part(replace(task, threads=threads)),
        lambda: LocalExecutor(threads),
        lambda: RayExecutor(threads=threads),
    ]
    for number, work in enumerate(works):
        error = refusal(work)
        assert error.name == "OutOfRange", number
        assert error.args_by_name["field"] == "threads", number
        assert (error.args_by_name["low"], error.args_by_name["high"]) == (1, 256)
    assert epoch.root == before
    assert epoch.tree.levels[0].tobytes() == leaves.tobytes()


@pytest.mark.parametrize("number", ["2", 1.5, True, -1])
def test_heights_counts_and_parts_are_whole_numbers(values: Values, number: Any) -> None:
    portfolios = world_portfolios(values.instruments, 2)
    leaves = compute(portfolios, values).leaf_hashes
    inputs = (portfolios, values.instruments, values.market, values.model)
    for work in (
        lambda: subtree_root(leaves, number),
        lambda: merge(leaves, number, 2),
        lambda: merge(leaves, 0, number),
        lambda: compute_with(LocalExecutor(), *inputs, number),
    ):
        assert refusal(work).name == "OutOfRange"
