"""From dirty chains to a market document: medians, expired and repeated rows, expiries left out, all
accounted for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from marginproof.documents import SettlementEntry, market_symbols, market_to_spec
from marginproof.errors import InputError
from marginproof.market.arbitrage import Violation
from marginproof.market.fit import Butterflies
from marginproof.market.importing import ImportReport, import_and_fit

from .chains import DAY, TIME, Row, chain, write


def balanced(report: ImportReport) -> bool:
    rows = report.rows
    used = sum(item.rows for item in report.expiries)
    return rows.rows_read == rows.rows_used + sum(rows.dropped.values()) and rows.rows_used == used


def test_two_clean_files_make_one_market(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "eth.csv", chain("ETH", 1900.0)),
        write(tmp_path / "btc.csv", chain("BTC", 65_000.0)),
    ]
    document, report = import_and_fit(paths, source="made up")
    assert document.time == TIME
    assert document.source == "made up"
    assert [entry.symbol for entry in document.underlyings] == ["BTC", "ETH"]
    assert [entry.spot_e8 for entry in document.underlyings] == [65_000 * 10**8, 1900 * 10**8]
    btc = document.underlyings[0]
    assert [item.expiry for item in btc.expiries] == [TIME + int(days * DAY) for days in (1.5, 8, 50)]
    assert btc.expiries[1].forward_e8 == 6_505_200_000_000
    assert (btc.confidence_wad, btc.funding_e8, btc.settlements) == (10**18, 0, ())
    assert all(item.fit and item.fit.median_near_money_vol_wad <= 10**15 for item in btc.expiries)
    assert balanced(report)
    assert len(report.fitted) == 6
    assert report.without_bid == 108
    market_to_spec(document, market_symbols(document))


def test_both_underlyings_may_be_in_one_file(tmp_path: Path) -> None:
    mixed = [row for pair in zip(chain("ETH", 1900.0), chain("BTC"), strict=True) for row in pair]
    document, _ = import_and_fit([write(tmp_path / "mixed.csv", mixed)])
    apart, _ = import_and_fit(
        [write(tmp_path / "e.csv", chain("ETH", 1900.0)), write(tmp_path / "b.csv", chain("BTC"))]
    )
    assert document.underlyings == apart.underlyings


def test_outliers_do_not_move_spot_or_forward(tmp_path: Path) -> None:
    rows = chain()
    for row in rows[::5]:
        row["index_price"] = "66000"
        row["underlying_price"] = "70000"
    document, _ = import_and_fit([write(tmp_path / "chain.csv", rows)])
    clean, _ = import_and_fit([write(tmp_path / "clean.csv", chain())])
    assert abs(document.underlyings[0].spot_e8 - clean.underlyings[0].spot_e8) <= 3 * 10**8
    assert [item.forward_e8 for item in document.underlyings[0].expiries] == [
        item.forward_e8 for item in clean.underlyings[0].expiries
    ]


def test_dirt_is_dropped_counted_and_reported(tmp_path: Path) -> None:
    rows = chain()
    expired = [{**row, "expiry_utc": str(TIME - DAY)} for row in rows[:4]] + [
        {**rows[4], "expiry_utc": str(TIME)}
    ]
    older = [{**row, "snapshot_ts": str(TIME - 301)} for row in rows[:3]]
    thin = [{**row, "expiry_utc": str(TIME + 90 * DAY)} for row in rows[:8]]
    no_forward = [{**row, "expiry_utc": str(TIME + 91 * DAY), "underlying_price": ""} for row in rows[:20]]
    unreadable = [{**rows[0], "strike": "?"}]
    rows[6]["mark_iv"] = "0"
    dirty = [*rows, *expired, *older, *thin, *no_forward, *unreadable, rows[10], rows[11]]
    document, report = import_and_fit([write(tmp_path / "chain.csv", dirty)])
    clean, _ = import_and_fit([write(tmp_path / "clean.csv", chain())])
    assert report.rows.dropped == {
        "expired": 5,
        f"of another time (snapshot_ts {TIME - 301}, the snapshot's is {TIME})": 3,
        "unreadable": 1,
        "duplicate": 2,
    }
    assert balanced(report)
    assert [(item.expiry, item.rows) for item in report.left_out] == [
        (TIME + 90 * DAY, 8),
        (TIME + 91 * DAY, 20),
    ]
    assert "4 strikes with a usable mark_iv; at least 5" in report.left_out[0].reason
    assert "there is no forward" in report.left_out[1].reason
    text = "\n".join(report.lines())
    for part in (
        "dropped: 5 rows, expired",
        "1 cells, mark_iv absent",
        f"left out: BTC-{TIME + 90 * DAY}, 8 rows, 4 strikes with a usable mark_iv",
        "line 8: mark_iv '0'",
    ):
        assert part in text
    assert [item.expiry for item in document.underlyings[0].expiries] == [
        item.expiry for item in clean.underlyings[0].expiries
    ]


def test_of_several_times_the_latest_counts_unless_one_is_asked_for(tmp_path: Path) -> None:
    late = chain()
    early = [{**row, "snapshot_ts": str(TIME - 3600), "index_price": "64000"} for row in chain()]
    path = write(tmp_path / "chain.csv", early + late)
    latest, report = import_and_fit([path])
    assert (latest.time, sum(report.rows.dropped.values())) == (TIME, 150)
    earlier, _ = import_and_fit([path], time=TIME - 3600)
    assert (earlier.time, earlier.underlyings[0].spot_e8) == (TIME - 3600, 64_000 * 10**8)
    with pytest.raises(
        InputError, match=rf"no row within 300 s before time {TIME - DAY}; snapshot_ts in the files: "
    ):
        import_and_fit([path], time=TIME - DAY)


def test_a_newer_row_replaces_an_older_one_within_the_window(tmp_path: Path) -> None:
    older = [{**row, "snapshot_ts": str(TIME - 60), "index_price": "64000"} for row in chain()]
    document, report = import_and_fit([write(tmp_path / "chain.csv", older + chain())])
    assert document.underlyings[0].spot_e8 == 65_000 * 10**8
    assert report.rows.dropped == {"duplicate": 150}
    assert balanced(report)


def test_funding_perpetual_and_settlements_are_passed_on(tmp_path: Path) -> None:
    settled = SettlementEntry(expiry=TIME - DAY, price_e8=64_000 * 10**8)
    document, _ = import_and_fit(
        [write(tmp_path / "chain.csv", chain())],
        funding_e8={"BTC": -5},
        perpetual_e8={"BTC": 65_001 * 10**8},
        settlements={"BTC": (settled,)},
    )
    assert document.underlyings[0].funding_e8 == -5
    assert document.underlyings[0].perpetual_e8 == 65_001 * 10**8
    assert document.underlyings[0].settlements == (settled,)


def test_funding_settlements_and_source_must_fit_the_format(tmp_path: Path) -> None:
    path = write(tmp_path / "chain.csv", chain(days=(8,)))
    with pytest.raises(InputError, match=r"funding_?e?8?: .*out of range; allowed: -1000000 to 1000000"):
        import_and_fit([path], funding_e8={"BTC": 10**15})
    with pytest.raises(InputError, match=r"perpetual.*: .*out of range; allowed: 0.01 to 1000000"):
        import_and_fit([path], perpetual_e8={"BTC": 0})
    late = SettlementEntry(expiry=TIME + DAY, price_e8=10**8)
    with pytest.raises(InputError, match=rf"expiry {TIME + DAY} is after time {TIME}"):
        import_and_fit([path], settlements={"BTC": (late,)})
    with pytest.raises(InputError, match=r"source: .*at most 2000 characters"):
        import_and_fit([path], source="x" * 2001)


def test_the_source_stays_short_with_many_files(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{index:03}{'x' * 100}.csv", chain(days=(8,))) for index in range(30)]
    document, report = import_and_fit(paths)
    assert document.source.startswith("book summaries 000xxx")
    assert "and 22 more" in document.source
    assert report.rows.dropped == {"duplicate": 29 * 50}


def with_all(rows: list[Row], **cells: str) -> list[Row]:
    return [{**row, **cells} for row in rows]


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ([], "no usable row"),
        (with_all(chain(), strike="x"), r"no usable row\n  chain.csv line 2: strike 'x'"),
        (with_all(chain(), expiry_utc=str(TIME - 1)), "no live option at time .*150 rows expired"),
        (with_all(chain(), index_price=""), "BTC: no row has a usable index_price"),
        (with_all(chain(), mark_iv=""), "no expiry could be fitted\n  BTC expiry .*0 strikes"),
    ],
)
def test_a_chain_without_anything_usable_is_refused(tmp_path: Path, rows: list[Row], part: str) -> None:
    with pytest.raises(InputError, match=part):
        import_and_fit([write(tmp_path / "chain.csv", rows)])


def test_too_many_underlyings_or_expiries(tmp_path: Path) -> None:
    many = [row for index in range(9) for row in chain(f"A{index}", days=(8,))]
    with pytest.raises(InputError, match="9 underlyings in the files; allowed: at most 8"):
        import_and_fit([write(tmp_path / "many.csv", many)])
    dates = chain(days=tuple(range(2, 35)))
    document, report = import_and_fit([write(tmp_path / "dates.csv", dates)])
    assert len(document.underlyings[0].expiries) == 32
    assert [(item.expiry, item.reason) for item in report.left_out] == [
        (TIME + 34 * DAY, "only the first 32 expiries fit a snapshot")
    ]


def bent(rows: list[Row], days: float, vol: Callable[[float], float]) -> list[Row]:
    """The rows with the marks of one expiry replaced; `vol` is of k = ln(strike / forward)."""
    expiry = str(TIME + int(days * DAY))
    return [
        {
            **row,
            "mark_iv": f"{100 * vol(math.log(float(row['strike']) / float(row['underlying_price']))):.3f}",
        }
        if row["expiry_utc"] == expiry
        else row
        for row in rows
    ]


def test_clean_chains_say_that_no_arbitrage_was_found(tmp_path: Path) -> None:
    _, report = import_and_fit([write(tmp_path / "chain.csv", chain())])
    assert report.findings == []
    assert "arbitrage: none found within 8 standard deviations of the forwards" in report.lines()


def test_crossed_expiries_are_named(tmp_path: Path) -> None:
    rows = bent(chain(), 8, lambda k: 3.0 + k * k)
    document, report = import_and_fit([write(tmp_path / "chain.csv", rows)])
    expiries = [item.expiry for item in document.underlyings[0].expiries]
    (found,) = report.findings
    assert (found.violation, found.expiry, found.later_expiry) == (
        Violation.CALENDAR,
        expiries[1],
        expiries[2],
    )
    assert f"arbitrage: BTC-{expiries[1]} crosses BTC-{expiries[2]}: calendar" in "\n".join(report.lines())


def test_findings_reach_as_far_as_the_quotes_of_the_nearer_expiry(tmp_path: Path) -> None:
    """The nearer wings cross the later smile only beyond eight deviations: looked for where strikes are quoted there."""
    rows = chain(days=(2, 3))
    far = [{**row, "strike": str(round(float(row["strike"]) * 1.7)), "instrument_name": ""} for row in rows]

    def marked(made: list[Row]) -> list[Row]:
        near = bent(made, 2, lambda k: math.sqrt((0.0005 + 0.01 * math.hypot(k, 0.001)) / (2 / 365)))
        return bent(near, 3, lambda k: math.sqrt(0.005 / (3 / 365)))

    _, narrow = import_and_fit([write(tmp_path / "narrow.csv", marked(rows))])
    _, wide = import_and_fit([write(tmp_path / "wide.csv", marked(rows + far))])
    assert narrow.findings == []
    (found,) = wide.findings
    assert found.violation == Violation.CALENDAR
    assert found.strike > 65_000 * math.exp(0.45)


def test_a_smile_with_butterflies_is_refitted_and_both_errors_are_told(tmp_path: Path) -> None:
    def steep(k: float) -> float:
        return math.sqrt(
            (-0.0410 + 0.1331 * (0.306 * (k - 0.3586) + math.hypot(k - 0.3586, 0.4153))) / (50 / 365)
        )

    path = write(tmp_path / "chain.csv", bent(chain(), 50, steep))
    _, plain = import_and_fit([path], remove_butterflies=False)
    assert [item.violation for item in plain.findings] == [Violation.CALENDAR, Violation.BUTTERFLY]
    assert "not refitted: BTC-27MAR26" not in "\n".join(plain.lines())
    assert "butterfly arbitrage stays" in "\n".join(plain.lines())
    _, report = import_and_fit([path])
    fit = report.expiries[2].fit
    assert fit is not None
    assert fit.butterflies == Butterflies.REMOVED
    assert Violation.BUTTERFLY not in [item.violation for item in report.findings]
    assert "admits butterfly arbitrage; without it the median error near the money is" in "\n".join(
        report.lines()
    )


def test_quotes_that_no_smile_meets_are_named(tmp_path: Path) -> None:
    rows = bent(chain(), 8, lambda k: 0.8 + 0.1 * (round(k * 1000) % 2))
    _, report = import_and_fit([write(tmp_path / "chain.csv", rows)])
    text = "\n".join(report.lines())
    name = f"BTC-{TIME + 8 * DAY}"
    assert report.expiries[1].coarse
    assert f"coarse: {name}, median error near the money" in text
    assert f"not met: {name}, strike " in text
    assert "more strikes" in text
    assert not report.expiries[0].coarse
