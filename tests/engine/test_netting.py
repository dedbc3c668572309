"""Netted figures are the specification's, whatever the order, the chunks and the threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.worlds import (
    EXPIRIES,
    SPOTS,
    world_instruments,
    world_market,
    world_model,
    world_portfolios,
)
from marginproof.engine.columns import money_values
from marginproof.engine.netting import Margins, Portfolios, net, portfolio_columns, resolve
from marginproof.engine.values import Values, ValueTable, value
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.limits import MAX_QUANTITY
from marginproof.spec.margin import Margin, margin
from marginproof.spec.portfolio import Position


@pytest.fixture(scope="module")
def values() -> Values:
    return value(world_instruments(), world_market(), world_model())


def figures(margins: Margins, account: int) -> tuple[int, ...]:
    return tuple(money_values(margins.column(i))[account] for i in range(4))


def worst(margins: Margins, account: int) -> bytes:
    return bytes(margins.worst[account, : margins.worst_lengths[account]])


def by_specification(portfolios: Portfolios, account: int, values: Values, table: ValueTable) -> Margin:
    rows = values.instruments.rows(np.array([p.instrument for p in portfolios.positions(account)], np.uint32))
    held = zip(rows.tolist(), portfolios.positions(account), strict=True)
    return margin([(values.instruments.instruments[row], p.quantity) for row, p in held], table)


def assert_equal(margins: Margins, account: int, true: Margin) -> None:
    assert figures(margins, account) == (true.value, true.spot_value, true.initial, true.maintenance)
    assert worst(margins, account) == b"".join(bytes((s.underlying, s.worst)) for s in true.scans)


def test_random_books_are_the_specifications(values: Values) -> None:
    portfolios = world_portfolios(values.instruments, 400)
    margins, table = net(portfolios, values), ValueTable.of(values)
    indices = set()
    for account in range(len(portfolios)):
        true = by_specification(portfolios, account, values, table)
        assert_equal(margins, account, true)
        indices |= {scan.worst for scan in true.scans}
    assert len(indices) > 8


def test_threads_and_order_change_nothing(values: Values) -> None:
    portfolios = world_portfolios(values.instruments, 20_000)
    one, two = net(portfolios, values), net(portfolios, values, threads=2)
    order = np.random.default_rng(3).permutation(len(portfolios))
    shuffled = net(portfolio_columns([portfolios.positions(a) for a in order]), values, threads=3)
    for name in ("money", "worst", "worst_lengths"):
        assert (getattr(one, name) == getattr(two, name)).all(), name
        assert (getattr(one, name)[order] == getattr(shuffled, name)).all(), name


def test_ties_go_to_the_lowest_index(values: Values) -> None:
    future = values.instruments.instruments.index(Instrument(1, Kind.FUTURE, EXPIRIES[2]))
    section = values.model.sections[0]
    doubled = replace(section, scenarios=(*section.scenarios, *section.scenarios))
    model = replace(values.model, sections=(doubled, *values.model.sections[1:]))
    tied = value(values.instruments, values.market, model)
    for sign in (1, -1):
        book = portfolio_columns([[Position(int(values.instruments.ids[future]), sign * 10**8)]])
        margins = net(book, tied)
        losses = by_specification(book, 0, tied, ValueTable.of(tied)).scans[0].losses
        assert losses.count(max(losses)) == 2
        assert worst(margins, 0)[1] == losses.index(max(losses)) < len(section.scenarios)


def test_nothing_at_risk_is_scenario_zero_and_no_margin(values: Values) -> None:
    settled = next(
        i
        for i, instrument in enumerate(values.instruments.instruments)
        if instrument.kind == Kind.CALL and instrument.expiry < values.market.time
    )
    margins = net(portfolio_columns([[], [Position(int(values.instruments.ids[settled]), 10**8)]]), values)
    assert figures(margins, 0) == (0, 0, 0, 0)
    assert worst(margins, 0) == b""
    assert figures(margins, 1)[2:] == (0, 0)
    assert worst(margins, 1) == b"\1\0"


@pytest.mark.parametrize("sign", [1, -1])
def test_the_greatest_portfolio_is_exact(values: Values, sign: int) -> None:
    ids = values.instruments.ids[:128].tolist()
    book = portfolio_columns([[Position(number, sign * MAX_QUANTITY) for number in ids]])
    true = by_specification(book, 0, values, ValueTable.of(values))
    assert true.initial > 1 << 63 or sign > 0
    assert_equal(net(book, values), 0, true)


def test_a_book_that_hedges_to_nothing_is_exact(values: Values) -> None:
    known = values.instruments
    strike = SPOTS[1]
    legs = [
        (Instrument(1, Kind.FUTURE, EXPIRIES[3]), -1),
        (Instrument(1, Kind.CALL, EXPIRIES[3], strike), 1),
        (Instrument(1, Kind.PUT, EXPIRIES[3], strike), -1),
    ]
    rows = [(known.instruments.index(instrument), sign) for instrument, sign in legs]
    book = portfolio_columns([[Position(int(known.ids[row]), sign * 10**15) for row, sign in rows]])
    assert_equal(net(book, values), 0, by_specification(book, 0, values, ValueTable.of(values)))


def test_bad_columns_and_bad_portfolios_are_refused(values: Values) -> None:
    good = world_portfolios(values.instruments, 3)
    first = int(values.instruments.ids[0])

    def refused(portfolios: Portfolios) -> str:
        with pytest.raises(SpecError) as refusal:
            net(portfolios, values)
        return refusal.value.name

    assert refused(replace(good, quantities=good.quantities.astype(np.int32))) == "BadColumn"
    assert refused(replace(good, quantities=good.quantities.astype(np.float64))) == "BadColumn"
    assert refused(replace(good, quantities=np.repeat(good.quantities, 2)[::2])) == "BadColumn"
    assert refused(replace(good, ids=good.ids[:-1])) == "BadColumn"
    assert refused(replace(good, offsets=good.offsets[1:])) == "BadColumn"
    assert refused(portfolio_columns([[Position(first, 0)]])) == "ZeroQuantity"
    assert refused(portfolio_columns([[Position(first, MAX_QUANTITY + 1)]])) == "QuantityOutOfRange"
    assert refused(portfolio_columns([[Position(first, 1), Position(first, 1)]])) == "PositionsNotSorted"
    assert refused(portfolio_columns([[Position(i + 1, 1) for i in range(129)]])) == "TooManyPositions"
    assert refused(portfolio_columns([[Position(1 << 31, 1)]])) == "UnknownInstrument"
    with pytest.raises(SpecError, match="QuantityOutOfRange"):
        portfolio_columns([[Position(first, 1 << 63)]])
    with pytest.raises(SpecError, match="BadColumn"):
        net(good, values, rows=resolve(good, values.instruments)[:-1])
