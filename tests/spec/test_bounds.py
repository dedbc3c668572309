"""No intermediate can overflow: the table of bounds.py, its corners evaluated, and the intermediates of real computations below it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import product
from random import Random

import pytest
from scripts.vector_families.models import EXTREME, LOWEST, model_of
from scripts.vector_families.samples import EXTREME_MARKET, FIRST_SECOND, REGISTRY, all_ids

from marginproof.engine.instruments import columns_of
from marginproof.engine.kernels import netting, pricing
from marginproof.engine.values import _Strip, value
from marginproof.spec import black76, bounds, gaussian, limits, margin, scenario, tenor
from marginproof.spec.add_ons import add_ons, confidence_add_on
from marginproof.spec.fixed_point import floor_div, square_root
from marginproof.spec.gaussian_table import COEFFICIENTS
from marginproof.spec.holdings import hold
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.logarithm import LN2, MAX_EXP_ARGUMENT, exponential, logarithm
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, neutral_section
from marginproof.spec.model_fields import FIELDS
from marginproof.spec.scenario import settled_value, shocked_price, undated_value, vol_rule
from marginproof.spec.svi import Svi, prepare_smile, require_valid_smile
from marginproof.spec.units import ONE_Q58, ONE_WAD, SECONDS_PER_YEAR

from .watched import factors, watching

LOWEST_PRICE = limits.MIN_SPOT * limits.MIN_SPOT_SHOCK // ONE_WAD
HIGHEST_PRICE = limits.MAX_SPOT * limits.MAX_SPOT_SHOCK // ONE_WAD
PRICES = (LOWEST_PRICE, limits.MIN_SPOT, limits.MAX_SPOT, HIGHEST_PRICE)
STRIKES = (limits.MIN_STRIKE, limits.MAX_STRIKE)
TIMES = (1, 86_400, 30 * 86_400, 365 * 86_400, limits.MAX_TIME - 1)
HIGH = {field.name: field.high for field in FIELDS}


@pytest.mark.parametrize("name", bounds.HOT_PATH)
def test_hot_path_fits_128_bits(name: str) -> None:
    assert 0 < bounds.HOT_PATH[name] < 2**127


@pytest.mark.parametrize("name", bounds.WIDE)
def test_accounts_fit_256_bits(name: str) -> None:
    assert 0 < bounds.WIDE[name] < 2**255


def test_the_documented_powers_of_two_hold() -> None:
    rows = re.findall(r"^\| ([^|]+) \| 2\^(\d+) \|", bounds.__doc__ or "", re.MULTILINE)
    documented = {name: int(bits) for name, bits in rows}
    for name, text in {
        "shocked price": "shocked price",
        "numerator of y/w": "y << 58",
        "y/w": "y/w, and so a and b, Q58",
        "squared distance and sigma": "squared distance and sigma of the smile, Q116",
        "smile slope x its factor": "smile slope x its factor",
        "variance << 52": "variance << 52",
        "skew: k x cap": "skew: k x cap, and k* << 62",
        "total vol x multiplier": "total vol x multiplier",
        "price x probability": "price x probability",
        "polynomial step": "polynomial step",
        "value of one unit": "value of one unit",
        "account sum": "quantity x value, 128 positions",
        "discounted sum": "sum of an expiry with its static discount",
        "sum of deltas": "quantity x delta, 128 positions",
    }.items():
        assert bounds.HOT_PATH[name] <= 2 ** documented[text], name
    for name, text in {
        "loss": "loss (E34)",
        "delta charge": "delta charge before its shift",
        "factor x scan": "factor x scan",
        "add-ons": "add-ons (10^52)",
    }.items():
        assert bounds.WIDE[name] <= 2 ** documented[text], name


def test_the_table_is_what_its_reasons_say() -> None:
    account = 2 * 128 * 10**16 * (10**16 + 10**14)
    discounted = account + 16 * account
    distance, root = 271 * 2**58 // 10, 274 * 2**58 // 10
    assert {
        "shocked price": 16 * 10**14,
        "discounted price": 10**16 * 2**8,
        "numerator of y/w": (2**63 - 1) * 2**58,
        "y/w": (2**63 - 1) * 2**58,
        "squared distance and sigma": distance**2 + 2**120,
        "smile slope x its factor": 2**61 * (distance + root),
        "variance << 52": (9 * 2**64 + (2**61 * (distance + root) >> 54)) * 2**52,
        "skew: k x cap": (2**63 - 1) * 2**62,
        "total vol x multiplier": 2**124,
        "price x probability": 10**16 * 2**68,
        "polynomial step": 2**116,
        "value of one unit": 10**16 + 10**14,
        "account sum": account,
        "discounted sum": discounted,
        "sum of deltas": 128 * 10**16 * 2**60,
    } == bounds.HOT_PATH
    factor = 20 * 10**18 + 20 * 10**18 * (2**32 - 1) // 31_536_000
    loss = max(account * factor, discounted * 9 * 10**18)
    scaled = loss * (10 * 10**18 + 100 * 10**18)
    extra = 10**16 * 128 * 10**14 * 140 * 10**36
    assert {
        "loss": loss,
        "delta charge": 128 * 10**16 * 2**60 * 20 * 10**18 * 10**14,
        "factor x scan": scaled,
        "add-ons": extra,
        "requirement": scaled + extra,
    } == bounds.WIDE


def test_shocked_prices() -> None:
    corners = [
        shocked_price(price, shock)
        for price, shock in product(
            (limits.MIN_SPOT, limits.MAX_SPOT), (limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK)
        )
    ]
    assert (min(corners), max(corners)) == (LOWEST_PRICE, HIGHEST_PRICE)
    assert max(corners) == bounds.HOT_PATH["shocked price"]
    assert min(corners) >= 1
    assert max(*corners, *STRIKES) < 2**54


def test_distances_in_the_smile() -> None:
    """ln(K/F) at the unshocked forward, less m: at most 27.1; with sigma the root stays below 27.4."""
    for forward, strike in product((limits.MIN_SPOT, limits.MAX_SPOT), STRIKES):
        for m in (-limits.MAX_SVI_M, limits.MAX_SVI_M):
            smile = prepare_smile(Svi(0, 0, 0, m, limits.MAX_SVI_SIGMA))
            distance = ((logarithm(strike) - logarithm(forward)) >> 6) - smile.m
            assert distance**2 + smile.sigma**2 <= bounds.HOT_PATH["squared distance and sigma"]


def test_polynomial_steps() -> None:
    half = gaussian.HALF_CELL
    for row in COEFFICIENTS:
        assert max(map(abs, row)) < 2**61
        total = 0
        for coefficient in reversed(row):
            product_size = abs(total) * half
            assert product_size <= bounds.HOT_PATH["polynomial step"]
            total = abs(coefficient) + (product_size >> 58) + 1


@pytest.mark.parametrize("kind", [VolKind.UP, VolKind.DOWN, VolKind.ADD, VolKind.NONE])
def test_vol_rules_stay_below_their_cap(kind: VolKind) -> None:
    moves = [move for move in EXTREME.scenarios if move.kind == kind] or [margin.NOW]
    for section, move, seconds in product((EXTREME, LOWEST), moves, TIMES):
        multiplier, added, floor = vol_rule(section, move, seconds)
        assert 0 <= multiplier <= black76.MAX_TOTAL_VOL
        assert abs(added) <= black76.MAX_TOTAL_VOL
        assert 0 <= floor <= black76.MAX_TOTAL_VOL


def test_tenor_terms_stay_below_their_caps() -> None:
    for section, seconds, rate in product((EXTREME, LOWEST), TIMES, (limits.MIN_RATE, 0, limits.MAX_RATE)):
        assert 0 <= tenor.discount_factor(rate, seconds) <= ONE_Q58
        for discount in tenor.static_discounts(section, rate, seconds):
            assert 0 <= discount <= tenor.MAX_DISCOUNT
        assert tenor.basis_factor(section, seconds) * bounds.HOT_PATH["account sum"] <= bounds.WIDE["loss"]
        for is_absolute in (False, True):
            cap, k_star = tenor.skew_terms(section, seconds, is_absolute)
            assert abs(cap) <= 2**62
            assert 0 < k_star <= 2**62


def test_the_initial_factor_at_the_lowest_settlement_token() -> None:
    factor = margin.initial_factor(EXTREME, limits.MIN_SETTLEMENT_TOKEN)
    assert factor * bounds.WIDE["loss"] <= bounds.WIDE["factor x scan"]
    top = HIGH["initialFactor"] + HIGH["pegFactor"] * HIGH["pegThreshold"] // 10**8
    assert factor >= top - HIGH["pegFactor"] // 10**8


def test_y_over_w_at_the_least_volatility() -> None:
    """With w one unit, and as the numerator is divided on the way to a value."""
    farthest = black76.moneyness(logarithm(LOWEST_PRICE), logarithm(limits.MAX_STRIKE))
    least, most = 1, bounds.HOT_PATH["y/w"]
    assert most // 2 < floor_div(farthest << 58, least) <= most
    assert farthest <= bounds.ENGINE_WORDS["y"] < 2**63
    # Such an a is only ever the argument of a probability, and that is 0.
    a = (least >> 1) - floor_div(farthest << 58, least)
    assert gaussian.normal_cdf(a) == 0
    assert gaussian.normal_cdf(a - least) == 0


def test_values_of_one_unit_at_the_corners() -> None:
    """Undated, settled and dated: the bound is the dearest option's value and the greatest funding, which no one instrument has."""
    bound = bounds.HOT_PATH["value of one unit"]
    dear = replace(
        EXTREME_MARKET.underlying(1),
        spot_e8=limits.MAX_SPOT,
        perpetual_e8=limits.MAX_SPOT,
        funding_e8=-limits.MAX_FUNDING,
    )
    perpetual = undated_value(Instrument(1, Kind.PERPETUAL), dear, limits.MAX_SPOT_SHOCK)
    assert perpetual == HIGHEST_PRICE + limits.MAX_FUNDING
    put = Instrument(1, Kind.PUT, 1, limits.MAX_STRIKE)
    settled = settled_value(put, limits.MIN_SETTLEMENT_PRICE)
    assert settled_value(Instrument(1, Kind.FUTURE, 1), limits.MAX_SETTLEMENT_PRICE) <= bound
    logs = logarithm(LOWEST_PRICE), logarithm(limits.MAX_STRIKE)
    live = black76.option_pair(LOWEST_PRICE, limits.MAX_STRIKE, *logs, 0, ONE_Q58).put
    assert bound // 2 < max(perpetual, settled, live) <= bound


def test_option_values_at_the_corners() -> None:
    vols = (0, 1, 1 << 40, 1 << 58, black76.MAX_TOTAL_VOL)
    discounts = (0, 1, ONE_Q58 - 1, ONE_Q58)
    for forward, strike, vol, discount in product(PRICES, STRIKES, vols, discounts):
        logs = logarithm(forward), logarithm(strike)
        pair = black76.option_pair(forward, strike, *logs, vol, discount)
        for worth in (pair.call, pair.put):
            assert 0 <= worth <= max(forward, strike) <= bounds.HOT_PATH["value of one unit"] < 2**54
        assert 0 <= pair.call_delta <= 2**60
        assert 0 <= -pair.put_delta <= 2**60


@pytest.mark.parametrize("sign", [1, -1])
def test_attack_20_the_largest_account_at_the_extreme_market(sign: int) -> None:
    model = model_of(EXTREME, EXTREME)
    ids = all_ids(1)[:64] + all_ids(2)[:64]
    positions = [(REGISTRY.resolve(id_), sign * limits.MAX_QUANTITY) for id_ in ids]
    values = margin.value_table(EXTREME_MARKET, model)
    rows = [(values(instrument), quantity) for instrument, quantity in positions]
    assert (
        sum(max(abs(quantity * value) for value in row) for row, quantity in rows)
        < bounds.HOT_PATH["account sum"]
    )
    assert (
        sum(abs(quantity * values.delta(i)) for i, quantity in positions) <= bounds.HOT_PATH["sum of deltas"]
    )
    figures = margin.margin(positions, values)
    for scan in figures.scans:
        assert all(abs(loss) <= bounds.WIDE["loss"] for loss in scan.losses)
        assert sum(row.initial for row in scan.add_ons) <= bounds.WIDE["add-ons"]
    assert figures.initial * 10**44 < bounds.WIDE["requirement"] < 2**255


def test_add_ons_of_the_largest_positions() -> None:
    """128 of the dearest kind: naked shorts whose expiry has no confidence."""
    quotes = EXTREME_MARKET.underlying(1)
    expiry = quotes.expiries[-1].expiry
    shorts = [(Instrument(1, Kind.CALL, expiry, 10**4 + i), -limits.MAX_QUANTITY) for i in range(128)]
    rows = add_ons(hold(shorts, quotes), EXTREME, quotes)
    assert {row.name for row in rows} == {"nakedShortOptions", "confidence"}
    assert bounds.WIDE["add-ons"] // 3 < sum(row.initial for row in rows) <= bounds.WIDE["add-ons"]


# Preparation


def _section(**changes: int) -> ModelSection:
    moves = tuple(Scenario(limits.MAX_SPOT_SHOCK, kind, ONE_WAD) for kind in (VolKind.UP, VolKind.DOWN))
    return neutral_section(1, moves, **changes)


DISCOUNTS = _section(
    long_rate_multiple=HIGH["longRateMultiple"],
    long_rate_add=HIGH["longRateAdd"],
    long_base=HIGH["longBase"],
    short_rate_multiple=HIGH["shortRateMultiple"],
    short_rate_add=HIGH["shortRateAdd"],
    short_base=HIGH["shortBase"],
)
"""Products of static discounts, in order: rate x multiple, rate x tau, long; the same, short; base x exponential, long and short; the
two of the growth."""
SKEWS = _section(skew_vol=HIGH["skewVol"], skew_vol_slope=HIGH["skewVolSlope"], skew_width=HIGH["skewWidth"])
POWERS = _section(
    vol_up=HIGH["volUp"],
    vol_down=HIGH["volDown"],
    power_short=HIGH["powerShort"],
    power_long=HIGH["powerLong"],
    floor_seconds=1,
)
CORNERS: dict[str, tuple[str, Callable[[], object], Callable[[list[int]], int]]] = {
    "parameter << 64": (
        "fixed_point.floor_div",
        lambda: scenario.override_vol(scenario.MAX_GIVEN_VOL, 1),
        max,
    ),
    "logarithm: quotient << 96": (
        "logarithm.floor_div",
        lambda: [logarithm(((9 + j) << 60) - 1) for j in range(7)],
        max,
    ),
    "logarithm: series": (
        "logarithm.mul_shift",
        lambda: [logarithm(((9 + j) << 60) - 1) for j in range(7)],
        max,
    ),
    "exponential: series": (
        "logarithm.mul_shift",
        lambda: [exponential(x) for x in (-MAX_EXP_ARGUMENT, -1, 1, LN2 >> 32, MAX_EXP_ARGUMENT)],
        max,
    ),
    "exponential: 2^n e^r": (
        "logarithm.mul_shift",
        lambda: None,
        lambda _: exponential(MAX_EXP_ARGUMENT) << 32,
    ),
    "pow: ln(30 days / t) x power": (
        "tenor.power",
        lambda: [tenor.tenor_multiplier(POWERS, seconds) for seconds in (1, limits.MAX_TIME - 1)],
        max,
    ),
    "m x vol move": (
        "scenario.mul_shift",
        lambda: [vol_rule(POWERS, move, 1) for move in POWERS.scenarios],
        max,
    ),
    "seconds << 128": (
        "tenor.square_root",
        lambda: tenor.square_root_of_years(limits.MAX_TIME - 1),
        lambda seen: seen[0] * SECONDS_PER_YEAR,
    ),
    "vol x sqrt(tau)": (
        "scenario.mul_shift",
        lambda: scenario.override_vol(scenario.MAX_GIVEN_VOL, limits.MAX_TIME - 1),
        max,
    ),
    "skew slope x sqrt(tau)": (
        "tenor.mul_shift",
        lambda: tenor.skew_terms(SKEWS, limits.MAX_TIME - 1, False),
        lambda seen: seen[1],
    ),
    "skew width x vol": (
        "tenor.mul_shift",
        lambda: tenor.skew_terms(SKEWS, limits.MAX_TIME - 1, False),
        lambda seen: seen[3],
    ),
    "rate x multiple": (
        "tenor.mul_shift",
        lambda: tenor.static_discounts(DISCOUNTS, limits.MAX_RATE, limits.MAX_TIME - 1),
        lambda seen: max(seen[0], seen[2], seen[6]),
    ),
    "rate x tau": (
        "tenor.mul_shift",
        lambda: tenor.static_discounts(DISCOUNTS, limits.MAX_RATE, limits.MAX_TIME - 1),
        lambda seen: max(seen[1], seen[3], seen[7]),
    ),
    "static discount: base x exponential": (
        "tenor.mul_shift",
        lambda: tenor.static_discounts(DISCOUNTS, limits.MAX_RATE, limits.MAX_TIME - 1),
        lambda seen: max(seen[4], seen[5]),
    ),
    "basis per year x seconds": (
        "tenor.mul_shift",
        lambda: None,
        lambda _: (
            tenor.basis_factor(_section(basis_per_year=HIGH["basisPerYear"]), limits.MAX_TIME - 1)
            * SECONDS_PER_YEAR
        ),
    ),
    "forward x averaging window": (
        "tenor.mul_shift",
        lambda: None,
        lambda _: (
            tenor.fixed_part(_section(averaging_seconds=HIGH["averagingSeconds"]), limits.MAX_SPOT, 1)
            * HIGH["averagingSeconds"]
        ),
    ),
    "price x shock": (
        "scenario.floor_div",
        lambda: shocked_price(limits.MAX_SPOT, limits.MAX_SPOT_SHOCK),
        max,
    ),
    "least variance": (
        "svi.square_root",
        lambda: require_valid_smile(Svi(limits.MAX_SVI_A, limits.MAX_SVI_B, 0, 0, limits.MAX_SVI_SIGMA)),
        lambda seen: limits.MAX_SVI_B * limits.MAX_SVI_SIGMA * square_root(seen[0]),
    ),
    "peg factor x shortfall": (
        "margin.ceil_div",
        lambda: margin.initial_factor(
            _section(peg_factor=HIGH["pegFactor"], peg_threshold=HIGH["pegThreshold"]),
            limits.MIN_SETTLEMENT_TOKEN,
        ),
        max,
    ),
    "short minimum rate x spot": (
        "margin.floor_div",
        lambda: margin.short_minimum_loss(
            hold([], _DEAR.underlyings[0]),
            _section(short_minimum_rate=HIGH["shortMinimumRate"]),
            margin.value_table(_DEAR, model_of(EXTREME, EXTREME)),
        ),
        max,
    ),
}
"""By row of preparation: the function whose factors, numerators or radicands are recorded, the call at the corner, and which counts."""
_DEAR = replace(
    EXTREME_MARKET, underlyings=(replace(EXTREME_MARKET.underlyings[0], spot_e8=limits.MAX_SPOT),)
)


def test_every_row_of_preparation_has_a_corner() -> None:
    assert CORNERS.keys() == bounds.PREPARATION.keys()


@pytest.mark.parametrize("name", CORNERS)
def test_preparation_at_its_corners(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the bound, and not far below: a row that says too much proves nothing about the caps."""
    function, call, pick = CORNERS[name]
    seen = factors(monkeypatch, function)
    call()
    bound = bounds.PREPARATION[name]
    assert bound < 2**255
    assert bound // 8 < pick(seen) <= bound


@pytest.mark.parametrize(
    ("table", "bits"),
    [
        (bounds.PREPARATION, 255),
        (bounds.ENGINE_WORDS, 63),
        (bounds.ENGINE_PAIRS, 127),
        (bounds.ENGINE_WIDE, 255),
    ],
)
def test_documented_rows_of_preparation_and_engine(table: dict[str, int], bits: int) -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| 2\^(\d+) \|", bounds.__doc__ or "", re.MULTILINE))
    for name, greatest in table.items():
        assert 0 < greatest < 2**bits, name
        assert int(rows[name]) == (greatest - 1).bit_length() <= bits, name


# The engine


def test_kernels_are_given_what_the_table_says() -> None:
    """The arrays of the engine at the extreme market, and the corners of what kernels make of them: every word at or below its row."""
    words, pairs = bounds.ENGINE_WORDS, bounds.ENGINE_PAIRS
    market, model = EXTREME_MARKET, model_of(EXTREME, EXTREME)
    instruments = columns_of([REGISTRY.resolve(id_) for id_ in (*all_ids(1), *all_ids(2))])
    made = value(instruments, market, model)
    strip = _Strip(instruments, market, made.sections, {}, made.sections.width)
    prices = strip.moves[:, :, pricing.FORWARD_DISCOUNTED]
    assert 0 <= int(prices.min()) <= int(prices.max()) <= words["discounted price, in a word"]
    highest, lowest = max(PRICES), min(PRICES)
    far = [logarithm(price) for price in (highest, lowest, *STRIKES)]
    for one, other in product(far[:2], far[2:]):
        assert abs(one - other) >> 6 <= words["y"]
    assert max(abs(one - other) for one, other in product(far[:2], far[2:])) >> 6 == words["y"]
    for forward, strike in product((limits.MIN_SPOT, limits.MAX_SPOT), STRIKES):
        assert (abs(logarithm(strike) - logarithm(forward)) >> 6) + (4 << 58) <= words[
            "distance in the smile"
        ]
    total_vols = strip.moves[
        :, :, [pricing.MULTIPLIER, pricing.ADDED, pricing.FLOOR, pricing.CAP, pricing.K_STAR]
    ]
    assert int(abs(total_vols).max()) <= words["total vol, and y/w where it counts"]
    changes = made.table.astype(object) - made.table[:, :1].astype(object)
    assert abs(changes).max() <= words["change of one unit"]
    assert int(made.sections.weights.max()) == words["weight"] == limits.MAX_WEIGHT
    assert int(made.sections.underlyings[:, netting.U_SHORT_UNIT].max()) <= words["charge per short option"]
    low = made.sections.underlyings[:, netting.U_CONFIDENCE : netting.U_CONFIDENCE + 2].tolist()
    low += made.sections.group_terms[:, netting.G_CONFIDENCE : netting.G_CONFIDENCE + 2].tolist()
    assert (
        max((high << 64) + (part & (1 << 64) - 1) for high, part in low) <= pairs["(1 - confidence) x rate"]
    )
    assert confidence_add_on(EXTREME, 0, 1) == pairs["(1 - confidence) x rate"]
    assert words["sum of sizes"] == limits.MAX_QUANTITY * limits.MAX_POSITIONS
    sizes = words["sum of sizes"] * EXTREME.naked_initial
    assert sizes == pairs["sizes x add-on rate"]
    # Single floats: the table, its greatest row by the greatest books, weights and discounts.
    heaviest = max(limits.MAX_WEIGHT, tenor.basis_factor(EXTREME, limits.MAX_TIME)) / ONE_WAD
    book = 2.0 * float(made.side[:, -1].max()) * words["sum of sizes"] * (1 + tenor.MAX_DISCOUNT / 2**58)
    assert book * heaviest < 2.0 * pairs["first pass, in floats"] < 2.0**127
    assert netting.SCALE == 2.0**-24


# The caps


@pytest.mark.parametrize("cap", [field.name for field in fields(bounds.Caps)])
def test_caps_follow_from_the_bounds(cap: str) -> None:
    """Each cap may grow by what the table says and no further: twice that breaks the row named."""
    name = f"MAX_{cap.upper()}"
    row = re.search(rf"^\| {name} \| (\d+) x \| ([^|]+) \|$", bounds.__doc__ or "", re.MULTILINE)
    assert row is not None
    growth, first = int(row[1]), row[2]
    in_force = getattr(bounds.CAPS, cap)
    assert in_force == getattr(limits, name)
    assert bounds.broken(replace(bounds.CAPS, **{cap: in_force * growth})) == []
    assert bounds.broken(replace(bounds.CAPS, **{cap: in_force * growth * 2}))[0] == first


def test_quantity_and_positions_share_their_headroom() -> None:
    four = replace(bounds.CAPS, quantity=2 * limits.MAX_QUANTITY, positions=2 * limits.MAX_POSITIONS)
    assert bounds.broken(four) == []
    assert bounds.broken(replace(four, positions=4 * limits.MAX_POSITIONS)) != []


WATCHED = {
    "gaussian.mul_shift": "polynomial step",
    "svi.mul_shift": "smile slope x its factor",
    "svi.square_root": "squared distance and sigma",
    "black76.floor_div": "numerator of y/w",
    "black76.discounted": "discounted price",
    "scenario.skew_multiplier": "skew: k x cap",
    "scenario.shocked_vol": "total vol x multiplier",
    "margin.discounted_sum": "discounted sum",
}
"""The calls of the hot path and the bound of what is largest in them; of the smile's two radicands, the greater."""


def _value_all(model: Model, market: MarketSnapshot, held: list[Instrument]) -> None:
    values = margin.value_table(market, model)
    margin.margin([(instrument, limits.MAX_QUANTITY) for instrument in held], values)
    margin.margin([(instrument, -limits.MAX_QUANTITY) for instrument in held], values)


def test_intermediates_stay_below_the_table(rng: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Corner and random markets priced whole, with every product, numerator and radicand of the hot path recorded."""
    seen = watching(monkeypatch, tuple(WATCHED))
    model = model_of(EXTREME, EXTREME)
    ids = all_ids(1)[:64] + all_ids(2)[:64]
    _value_all(model, EXTREME_MARKET, [REGISTRY.resolve(id_) for id_ in ids])
    far = [
        Instrument(1, kind, quote.expiry, strike)
        for quote in FIRST_SECOND.underlyings[0].expiries
        for kind in (Kind.CALL, Kind.PUT)
        for strike in (*STRIKES, rng.randint(*STRIKES))
    ]
    _value_all(model, FIRST_SECOND, far)
    for name, row in WATCHED.items():
        assert 0 < seen[name] <= bounds.HOT_PATH[row], name
        assert seen[name] < 2**127
