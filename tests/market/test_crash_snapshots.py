"""The shipped crash: six snapshots that fit together, fitted within one vol point, valid for the
specification.
"""

from __future__ import annotations

from itertools import pairwise

from marginproof.documents import market_symbols, market_to_spec
from marginproof.market.crash import load_crash
from marginproof.spec.logarithm import logarithm
from marginproof.spec.svi import prepare_smile, total_vol

TIMES = [1769614910, 1770265792, 1770306692, 1770326977, 1770352212, 1770393081]


def test_six_snapshots_of_two_underlyings_in_order_of_time() -> None:
    documents = load_crash()
    assert [document.time for document in documents] == TIMES
    for document in documents:
        assert [entry.symbol for entry in document.underlyings] == ["BTC", "ETH"]
        assert document.source.startswith("Deribit public book summaries, 2026-0")
        assert "scripts/fit_crash.py" in document.source


def test_every_smile_is_within_one_vol_point_near_the_money() -> None:
    fits = [
        item.fit for document in load_crash() for entry in document.underlyings for item in entry.expiries
    ]
    assert len(fits) == 142
    for fit in fits:
        assert fit is not None
        assert fit.median_near_money_vol_wad <= 10**16
        assert 3 <= fit.near_money <= fit.used <= fit.quotes


def test_the_specification_accepts_them_and_sees_positive_variance() -> None:
    for document in load_crash():
        snapshot = market_to_spec(document, market_symbols(document))
        for section in snapshot.underlyings:
            for quote in section.expiries:
                smile, log_forward = prepare_smile(quote.svi), logarithm(quote.forward_e8)
                for percent in (30, 50, 80, 95, 100, 105, 120, 200, 600):
                    assert total_vol(smile, log_forward, logarithm(quote.forward_e8 * percent // 100)) > 0
                assert abs(quote.forward_e8 - section.spot_e8) < section.spot_e8 // 15


def test_every_expiry_that_passes_settles_at_the_next_spot_for_good() -> None:
    documents = load_crash()
    for index, entry in enumerate(documents[0].underlyings):
        expected: dict[int, int] = {}
        live = {item.expiry for item in entry.expiries}
        for document in documents:
            now = document.underlyings[index]
            for expiry in sorted(live):
                if expiry <= document.time and expiry not in expected:
                    expected[expiry] = now.spot_e8
            assert {item.expiry: item.price_e8 for item in now.settlements} == expected
            live |= {item.expiry for item in now.expiries}
        assert len(expected) == 6


def test_funding_starts_at_zero_and_moves_by_plausible_steps() -> None:
    documents = load_crash()
    for entry in documents[0].underlyings:
        assert entry.funding_e8 == 0
    for before, after in pairwise(documents):
        btc, earlier = after.underlyings[0], before.underlyings[0]
        hours = (after.time - before.time) / 3600
        assert btc.funding_e8 != earlier.funding_e8
        assert abs(btc.funding_e8 - earlier.funding_e8) < 0.0005 * btc.spot_e8 * (hours / 8 + 1)
        assert after.underlyings[1].funding_e8 == 0
        assert "no ETH rates" in after.source


def test_perpetuals_are_near_spot_at_prices_of_their_own() -> None:
    for document in load_crash():
        assert "perpetuals from their one-minute candles" in document.source
        for entry in document.underlyings:
            assert entry.perpetual_e8 is not None
            assert 0 < abs(entry.perpetual_e8 - entry.spot_e8) < entry.spot_e8 // 100


def test_the_crash_is_in_the_figures() -> None:
    spots = [document.underlyings[0].spot_e8 / 10**8 for document in load_crash()]
    assert spots[0] > 89_000
    assert min(spots) == spots[3] < 64_000
    assert spots[5] > 68_000
