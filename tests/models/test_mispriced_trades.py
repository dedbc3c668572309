"""What a trade between two colluding accounts can cost others, when the volatility that margins it is not the true one: the loss beyond
the loser's initial margin, as a share of it. The figures of docs/security.md, for single options under options-33."""

from __future__ import annotations

import pytest

from marginproof.documents import model_to_spec
from marginproof.models import load_model
from marginproof.protocol.deploy_config import MarketBoundsPlan
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import Margin, margin, value_table
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.svi import Svi
from marginproof.spec.units import ONE_E8, ONE_WAD

TIME = 1_900_000_000
SPOT = 100_000 * ONE_E8
DAY = 86_400
DAYS = (7, 30, 180, 365)
STRIKES = range(20_000, 320_000, 10_000)
STEP = 1 + MarketBoundsPlan().vol_jump / 10**6
BAND = MarketBoundsPlan().max_vol / 10**6


def figures(volatility: float, side: int) -> dict[tuple[int, Kind, int], Margin]:
    """Value and margin of one option of each kind, bought (1) or sold (-1), on a flat smile."""
    quotes = tuple(
        ExpiryMarket(
            TIME + days * DAY,
            SPOT,
            0,
            Svi(int(volatility**2 * days / 365 * ONE_WAD), 0, 0, 0, ONE_WAD),
        )
        for days in DAYS
    )
    market = MarketSnapshot(TIME, ONE_E8, (UnderlyingMarket(1, SPOT, SPOT, ONE_WAD, 0, (), quotes),))
    values = value_table(market, model_to_spec(load_model("options-33"), {"BTC": 1}))
    return {
        (days, kind, strike): margin(
            [(Instrument(1, kind, TIME + days * DAY, strike * ONE_E8), side * ONE_E8)], values
        )
        for days in DAYS
        for kind in (Kind.CALL, Kind.PUT)
        for strike in STRIKES
    }


def worst_excess(true: float, posted: float) -> float:
    """The greatest loss beyond initial margin, by initial margin, of whoever buys too dear or sells too cheap."""
    side = 1 if posted > true else -1
    right, wrong = figures(true, side), figures(posted, side)
    losses = ((wrong[key].value - right[key].value, wrong[key].initial) for key in wrong)
    return max((loss - held) / held for loss, held in losses if held)


@pytest.mark.parametrize("true", [0.6, 1.0])
def test_one_step_of_the_bounds_stays_within_initial_margin(true: float) -> None:
    for posted in (true * STEP, true / STEP):
        assert worst_excess(true, posted) <= 0


def test_what_more_steps_can_cost_is_what_the_page_says() -> None:
    assert max(worst_excess(true, true * STEP**2) for true in (0.6, 1.0)) == pytest.approx(0.17, abs=0.005)
    assert worst_excess(0.6, BAND) == pytest.approx(3.0, abs=0.05)
