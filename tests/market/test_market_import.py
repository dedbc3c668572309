"""From dirty chains to a market document: medians, expired and repeated rows, expiries left out, all
accounted for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from marginproof.documents import SettlementEntry, market_symbols, market_to_spec
from marginproof.errors import InputError
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
        "left out: BTC expiry",
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


def test_funding_and_settlements_are_passed_on(tmp_path: Path) -> None:
    settled = SettlementEntry(expiry=TIME - DAY, price_e8=64_000 * 10**8)
    document, _ = import_and_fit(
        [write(tmp_path / "chain.csv", chain())], funding_e8={"BTC": -5}, settlements={"BTC": (settled,)}
    )
    assert document.underlyings[0].funding_e8 == -5
    assert document.underlyings[0].settlements == (settled,)


def test_funding_settlements_and_source_must_fit_the_format(tmp_path: Path) -> None:
    path = write(tmp_path / "chain.csv", chain(days=(8,)))
    with pytest.raises(InputError, match=r"funding_?e?8?: .*out of range; allowed: -1000000 to 1000000"):
        import_and_fit([path], funding_e8={"BTC": 10**15})
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
