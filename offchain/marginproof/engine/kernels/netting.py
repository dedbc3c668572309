"""Margin of whole accounts from a table of values: exact sums in integers, scenarios that cannot be the worst skipped by a proven bound.

Per account and underlying a first pass in single floats gives every loss with an error of at most `slack` (see `_slack`). An index
whose float loss lies more than twice that below the greatest is not the worst; all others are computed in integers, as
`spec/margin.py` has it, and only those integers are ever compared or returned. What the floats are cannot change a result, only
how much is skipped.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .compile import kernel
from .lanes import LANES, add_discounted, add_row, at_least, clear, greatest, weigh
from .wide import (
    add128,
    add256,
    divide_word,
    join128,
    less128,
    less256,
    low_signed,
    low_word,
    lowest_bit,
    mul128,
    mul256,
    shl128,
    shl256,
    shr128,
    shr256,
    sub128,
    sub256,
    to_float,
    wide128,
    wide256,
)

UNDATED, SETTLED, UNKNOWN = -1, -2, -3
"""Groups that are no live expiry: spot and perpetuals; settled; what has no value in this market under this model."""

# Columns of the per-row array.
R_SECTION, R_GROUP, R_KIND, R_PAIRED, R_NOW = range(5)
ROW_FIELDS: Final = 8
"""A row is one line of cache; the value now is repeated here."""

# Columns of the per-expiry array; pairs of words are 128-bit integers, high first.
G_LONG, G_SHORT, G_BASIS, G_CONFIDENCE = 0, 1, 2, 4
GROUP_FIELDS: Final = 6

# Columns of the per-underlying array; the last ones are pairs of words.
(
    U_ID,
    U_SCENARIOS,
    U_SKEWS,
    U_HEAVIEST,
    U_HAS_BASIS,
    U_HAS_DELTA,
    U_HAS_SHORT,
    U_SPOT,
    U_SHORT_UNIT,
) = range(9)
U_INITIAL, U_MAINTENANCE, U_DELTA_NET, U_DELTA_HEDGED = 9, 11, 13, 15
U_NAKED, U_PERPETUAL, U_FUTURE, U_HAIRCUT = 17, 21, 25, 29
U_CONFIDENCE = 33
UNDERLYING_FIELDS: Final = 35

WORD_BLOCKS: Final = 64 // LANES
SCALE: Final = 2.0**-24
"""Values in tables of floats are E8 times this, so that no sum of any account leaves the range of single floats."""

WORST_BYTES: Final = 16
"""Two bytes per underlying, at most eight."""

E44_HIGH: Final = 10**44 >> 128
E44_MIDDLE: Final = np.uint64(10**44 >> 64 & (1 << 64) - 1)
E44_LOW: Final = np.uint64(10**44 & (1 << 64) - 1)
ONE_WAD: Final = 10**18
WAD_WORD: Final = np.uint64(10**18)
"""Unsigned: a product with a word known not to be negative takes far fewer instructions."""
ONE: Final = np.uint64(1)
"""Unsigned, as all indices of the hot loops are: numba tests signed ones for counting from the end."""
ONE_E8: Final = 10**8
ONE_D_Q58: Final = 1 << 58


@kernel(inline="always")
def _times_pair(value: Any, high: Any, low: Any) -> Any:
    """value * the non-negative 128-bit integer of two words; the high word is hardly ever set.

    Scalars only: handing an array to an inlined function counts references, which costs more than the product.
    """
    product = mul256(value, low_word(low))
    if high != 0:
        product = add256(product, shl256(mul256(value, low_word(high)), 64))
    return product


@kernel
def _scale() -> Any:
    """10^44 as an i256."""
    upper = add256(shl256(wide256(E44_HIGH), 64), wide256(E44_MIDDLE))
    return add256(shl256(upper, 64), wide256(E44_LOW))


@kernel
def requirement(numerator: Any) -> Any:
    """ceil(numerator / 10^44) of a non-negative i256, as an i128: an estimate in floats, corrected exactly."""
    scale = _scale()
    quotient = wide256(0)
    rest = numerator
    while not less256(rest, shl256(scale, 45)):
        estimate = to_float(rest) / 1e44
        shift = 0
        while estimate >= 1125899906842624.0:
            estimate /= 2.0
            shift += 1
        part = shl256(wide256(np.int64(estimate * 0.999999)), shift)
        quotient = add256(quotient, part)
        rest = sub256(rest, mul256(part, scale))
    step = wide256(np.int64(to_float(rest) / 1e44))
    quotient = add256(quotient, step)
    rest = sub256(rest, mul256(step, scale))
    # The step is at most one off either way. Written without a loop: LLVM would make a wide division of one.
    if less256(0, rest):
        quotient, rest = add256(quotient, 1), sub256(rest, scale)
    if less256(0, rest):
        quotient, rest = add256(quotient, 1), sub256(rest, scale)
    if not less256(sub256(0, scale), rest):
        quotient, rest = sub256(quotient, 1), add256(rest, scale)
    if not less256(sub256(0, scale), rest):
        quotient = sub256(quotient, 1)
    return wide128(quotient)


@kernel
def floor_e8(total: Any) -> Any:
    """floor(total / 10^8) of an i128, as an i128."""
    negative = less128(total, 0)
    size = sub128(ONE_E8 - 1, total) if negative else total
    high, low = low_word(shr128(size, 64)), low_word(size)
    top = high // np.uint64(ONE_E8)
    bottom = divide_word(high - top * np.uint64(ONE_E8), low, np.uint64(ONE_E8))
    quotient = join128(np.int64(top), np.int64(bottom))
    return sub128(0, quotient) if negative else quotient


@kernel(inline="always")
def _discounted(total: Any, long: Any, short: Any) -> Any:
    """floor(sum * discount), i128: the high word's product is a whole multiple of 2^58 short of 2^6, so only the low word's is shifted."""
    high = low_signed(shr128(total, 64))
    discount = short if high < 0 else long
    if discount == ONE_D_Q58:
        return total
    return add128(shl128(mul128(high, discount), 6), shr128(mul128(low_word(total), discount), 58))


@kernel
def exact_scenario(
    rows: Any,
    quantities: Any,
    start: Any,
    stop: Any,
    row_info: Any,
    groups: Any,
    values: Any,
    column: Any,
    skew: Any,
) -> Any:
    """The change of positions start .. stop (of one underlying) in a column, i128, before the weight."""
    change = wide128(0)
    at = np.uint64(column)
    p = start
    while p < stop:
        row = rows[p]
        index = row_info[row, R_GROUP]
        if index < 0:
            if index == UNDATED:
                change = add128(change, mul128(quantities[p], values[at, row] - row_info[row, R_NOW]))
            p += ONE
            continue
        there, other = wide128(0), wide128(0)
        while p < stop and row_info[rows[p], R_GROUP] == index:
            row = rows[p]
            quantity, now = quantities[p], row_info[row, R_NOW]
            if row_info[row, R_KIND] >= 3:
                there = add128(there, mul128(quantity, values[at, row]))
                other = sub128(other, mul128(quantity, now))
            else:
                other = add128(other, mul128(quantity, values[at, row] - now))
            p += ONE
        part = add128(_discounted(there, groups[index, G_LONG], groups[index, G_SHORT]), other)
        change = add128(change, part) if skew == 0 or less128(part, 0) else sub128(change, part)
    return change


@kernel
def exact_basis(
    rows: Any, quantities: Any, start: Any, stop: Any, row_info: Any, groups: Any, values: Any, column: Any
) -> Any:
    """The basis charge, E34, i256; `column` is that of the move up, the move down is beside it."""
    loss = wide256(0)
    p = start
    while p < stop:
        index = row_info[rows[p], R_GROUP]
        if index < 0:
            p += ONE
            continue
        up, down = wide128(0), wide128(0)
        while p < stop and row_info[rows[p], R_GROUP] == index:
            row = rows[p]
            up = add128(up, mul128(quantities[p], values[column, row] - row_info[row, R_NOW]))
            down = add128(down, mul128(quantities[p], values[column + 1, row] - row_info[row, R_NOW]))
            p += ONE
        worse = down if less128(down, up) else up
        if less128(worse, 0):
            loss = sub256(loss, mul256(worse, join128(groups[index, G_BASIS], groups[index, G_BASIS + 1])))
    return loss


@kernel
def exact_delta(
    rows: Any,
    quantities: Any,
    start: Any,
    stop: Any,
    row_info: Any,
    underlyings: Any,
    section: Any,
    deltas: Any,
) -> Any:
    """The delta charge, E34, i256."""
    long, short = wide128(0), wide128(0)
    for p in range(start, stop):
        if row_info[rows[p], R_GROUP] == SETTLED:
            continue
        part = mul128(quantities[p], deltas[rows[p]])
        if less128(part, 0):
            short = sub128(short, part)
        else:
            long = add128(long, part)
    net = sub128(short, long) if less128(long, short) else sub128(long, short)
    hedged = long if less128(long, short) else short
    weighted = add256(
        mul256(net, join128(underlyings[section, U_DELTA_NET], underlyings[section, U_DELTA_NET + 1])),
        mul256(
            hedged, join128(underlyings[section, U_DELTA_HEDGED], underlyings[section, U_DELTA_HEDGED + 1])
        ),
    )
    return shr256(add256(mul256(weighted, underlyings[section, U_SPOT]), (1 << 60) - 1), 60)


@kernel(inline="always")
def _slack(gross: Any, positions: Any) -> Any:
    """A bound on the error of any float change, E16 / SCALE, given sum |quantity| * greatest |value| * greatest discount (at least 1).

    Tables and quantities are converted with a relative error of 2^-24 each, a discount likewise, products and sums round at 2^-24: a
    change is a sum of at most 3 terms per position (there, now, futures), so its error is below (3 n + 12) 2^-24 x 3 gross even if every
    rounding is against us; the floors of the discounts add one unit of E16 per expiry. About four times that, to be far from doubt.
    """
    return (positions + 4.0) * 2.0**-19 * gross + 2.0**-19


@kernel
def net_accounts(  # noqa: C901 - one pass over an account; calls with arrays cost more than their work
    offsets: Any,
    rows: Any,
    quantities: Any,
    row_info: Any,
    groups: Any,
    group_floats: Any,
    underlyings: Any,
    weights: Any,
    kinds: Any,
    lanes: Any,
    lane_weights: Any,
    lane_bias: Any,
    values: Any,
    main_floats: Any,
    side_floats: Any,
    deltas: Any,
    money: Any,
    worst: Any,
    worst_lengths: Any,
    start: Any,
    stop: Any,
) -> Any:
    """Margin of accounts start .. stop. Returns the first position that has no value, or -1.

    `lanes` (u, main + side): the index whose loss a lane holds, or -1; its float loss is weighted by `lane_weights`, plus
    `lane_bias`, which is minus infinity where there is no index.
    `values` (columns, n); `main_floats` (n, main): the same of scenarios that are no skew; `side_floats` (n, side): value now,
    then skews, then the two basis moves; last the row's greatest size times its greatest discount.
    `money` (n, 4, 2): value, spot value, initial, maintenance, each a high and a low word; `worst` (n, 16) and its lengths (n).
    """
    main, side = main_floats.shape[1], side_floats.shape[1]
    ceiling = np.uint64(side - 1)
    total = np.zeros(main, np.float32)
    mixed = np.zeros(main, np.float32)
    options = np.zeros(side, np.float32)
    others = np.zeros(side, np.float32)
    sides = np.zeros(side, np.float32)
    out = np.zeros(main + side, np.float32)
    for account in range(start, stop):
        p, end = np.uint64(offsets[account]), np.uint64(offsets[account + 1])
        value, spot_value = wide128(0), wide128(0)
        initial, maintenance = wide256(0), wide256(0)
        length = 0
        while p < end:
            section = np.uint64(row_info[rows[p], R_SECTION])
            skews, has_basis = underlyings[section, U_SKEWS], underlyings[section, U_HAS_BASIS]
            first = p
            clear(total)
            clear(sides)
            gross, slack_factor, now_float = np.float32(0.0), np.float32(1.0), np.float32(0.0)
            naked, perpetuals, futures, collateral, shorts = 0, 0, 0, 0, 0
            low_confidence, has_low = wide256(0), False
            while p < end:
                row = rows[p]
                if np.uint64(row_info[row, R_SECTION]) != section:
                    break
                index, kind = row_info[row, R_GROUP], row_info[row, R_KIND]
                if index < 0:
                    if index == UNKNOWN:
                        return np.int64(p)
                    quantity = quantities[p]
                    now = mul128(quantity, row_info[row, R_NOW])
                    value = add128(value, now)
                    p += ONE
                    if index == SETTLED:
                        continue
                    factor = np.float32(quantity)
                    add_row(total, main_floats, row, factor)
                    now_float += factor * side_floats[row, 0]
                    gross += abs(factor) * side_floats[row, ceiling]
                    for j in range(1, skews + 1):
                        sides[j] -= factor * (side_floats[row, j] - side_floats[row, 0])
                    if kind == 0:
                        spot_value = add128(spot_value, now)
                        collateral += abs(quantity)
                    else:
                        perpetuals += abs(quantity)
                    continue
                group = np.uint64(index)
                is_single = kind >= 3 and (p + ONE >= end or row_info[rows[p + ONE], R_GROUP] != index)
                long_discount, short_discount = group_floats[group, 0], group_floats[group, 1]
                sum_gross = 0
                if is_single:
                    quantity = quantities[p]
                    value = add128(value, mul128(quantity, row_info[row, R_NOW]))
                    factor = np.float32(quantity)
                    discount = group_floats[group, G_LONG + (quantity < 0)]
                    add_row(total, main_floats, row, factor * discount)
                    size = abs(factor)
                    now = side_floats[row, 0]
                    now_float += factor * now
                    gross += size * side_floats[row, ceiling]
                    sum_gross = abs(quantity)
                    naked += max(0, -quantity)
                    shorts += max(0, -quantity)
                    p += ONE
                    for j in range(1, skews + 1):
                        sides[j] += size * abs(side_floats[row, j] * discount - now)
                    if has_basis:
                        up, down = side_floats[row, skews + 1], side_floats[row, skews + 2]
                        worse = min(factor * (up - now), factor * (down - now))
                        sides[skews + 1] -= min(np.float32(0.0), worse) * group_floats[group, 2]
                else:
                    clear(mixed)
                    clear(options)
                    clear(others)
                    pair_row, pair_net = -1, 0
                    while p < end and row_info[rows[p], R_GROUP] == index:
                        row, quantity = rows[p], quantities[p]
                        value = add128(value, mul128(quantity, row_info[row, R_NOW]))
                        factor = np.float32(quantity)
                        gross += abs(factor) * side_floats[row, ceiling]
                        sum_gross += abs(quantity)
                        if row_info[row, R_KIND] < 3:
                            futures += abs(quantity)
                            add_row(total, main_floats, row, factor)
                            add_row(others, side_floats, row, factor)
                        else:
                            # A put right after its call: what the pair is short together is naked.
                            net = quantity
                            if pair_row == row:
                                naked -= max(0, -pair_net)
                                net += pair_net
                            naked += max(0, -net)
                            shorts += max(0, -quantity)
                            pair_row, pair_net = (row + 1 if row_info[row, R_PAIRED] else -1), quantity
                            add_row(mixed, main_floats, row, factor)
                            add_row(options, side_floats, row, factor)
                        p += ONE
                    add_discounted(total, mixed, long_discount, short_discount)
                    now_float += options[0] + others[0]
                    for j in range(1, skews + 1):
                        there = options[j] * (long_discount if options[j] >= 0.0 else short_discount)
                        sides[j] += abs(there - options[0] + others[j] - others[0])
                    if has_basis:
                        rise = options[skews + 1] - options[0] + others[skews + 1] - others[0]
                        fall = options[skews + 2] - options[0] + others[skews + 2] - others[0]
                        sides[skews + 1] -= min(np.float32(0.0), rise, fall) * group_floats[group, 2]
                if has_basis:
                    slack_factor = max(slack_factor, group_floats[group, 2])
                if groups[group, G_CONFIDENCE] != 0 or groups[group, G_CONFIDENCE + 1] != 0:
                    low_confidence = add256(
                        low_confidence,
                        mul256(
                            sum_gross, join128(groups[group, G_CONFIDENCE], groups[group, G_CONFIDENCE + 1])
                        ),
                    )
                    has_low = True
            scenarios = underlyings[section, U_SCENARIOS]
            slack = _slack(gross, np.int64(p - first)) * max(
                slack_factor, np.float32(underlyings[section, U_HEAVIEST])
            )
            weigh(out, total, now_float, lane_weights, lane_bias, section)
            for j in range(side):
                out[main + j] = sides[j] * lane_weights[section, main + j] + lane_bias[section, main + j]
            threshold = greatest(out) - np.float32(2.0) * slack
            scan, worst_index, found = wide256(0), 0, False
            for first_block in range(0, (main + side) // LANES, WORD_BLOCKS):
                # One word of candidates: a branch for each block would mostly be guessed wrongly.
                mask = 0
                for block in range(first_block, min(first_block + WORD_BLOCKS, (main + side) // LANES)):
                    mask |= at_least(out, block, threshold) << (LANES * (block - first_block))
                while mask:
                    held = lanes[section, LANES * first_block + lowest_bit(mask)]
                    mask &= mask - 1
                    if held < scenarios:
                        change = exact_scenario(
                            rows,
                            quantities,
                            first,
                            p,
                            row_info,
                            groups,
                            values,
                            held + 1,
                            kinds[section, held],
                        )
                        loss = mul256(sub128(0, change), low_word(weights[section, held]))
                    else:
                        loss = exact_basis(rows, quantities, first, p, row_info, groups, values, held + 1)
                    if not found or less256(scan, loss) or (held < worst_index and not less256(loss, scan)):
                        scan, worst_index, found = loss, held, True
            charge = scenarios + has_basis
            if underlyings[section, U_HAS_DELTA]:
                loss = exact_delta(rows, quantities, first, p, row_info, underlyings, section, deltas)
                if less256(scan, loss):
                    scan, worst_index = loss, charge
                charge += 1
            if underlyings[section, U_HAS_SHORT]:
                loss = mul256(mul256(shorts, underlyings[section, U_SHORT_UNIT]), ONE_WAD)
                if less256(scan, loss):
                    scan, worst_index = loss, charge
            spot = low_word(underlyings[section, U_SPOT])
            # A position belongs to one of the four: their sum of quantity x rate is below 2^125.
            rated, rated_initial = wide128(0), wide128(0)
            for notional, at in (
                (naked, U_NAKED),
                (perpetuals, U_PERPETUAL),
                (futures, U_FUTURE),
                (collateral, U_HAIRCUT),
            ):
                if notional != 0:
                    rated = add128(
                        rated,
                        mul128(notional, join128(underlyings[section, at], underlyings[section, at + 1])),
                    )
                    rated_initial = add128(
                        rated_initial,
                        mul128(notional, join128(underlyings[section, at + 2], underlyings[section, at + 3])),
                    )
            extra = mul256(mul256(rated, spot), WAD_WORD)
            initial_extra = add256(extra, mul256(mul256(rated_initial, spot), WAD_WORD))
            undated = perpetuals + collateral
            if undated != 0 and (
                underlyings[section, U_CONFIDENCE] != 0 or underlyings[section, U_CONFIDENCE + 1] != 0
            ):
                low_confidence = add256(
                    low_confidence,
                    mul256(
                        undated,
                        join128(underlyings[section, U_CONFIDENCE], underlyings[section, U_CONFIDENCE + 1]),
                    ),
                )
                has_low = True
            if has_low:
                initial_extra = add256(initial_extra, mul256(low_confidence, spot))
            if less256(0, scan):
                initial_extra = add256(
                    initial_extra,
                    _times_pair(scan, underlyings[section, U_INITIAL], underlyings[section, U_INITIAL + 1]),
                )
                extra = add256(
                    extra,
                    _times_pair(
                        scan, underlyings[section, U_MAINTENANCE], underlyings[section, U_MAINTENANCE + 1]
                    ),
                )
            initial = add256(initial, initial_extra)
            maintenance = add256(maintenance, extra)
            worst[account, length] = underlyings[section, U_ID]
            worst[account, length + 1] = worst_index
            length += 2
        for c in range(length, WORST_BYTES):
            worst[account, c] = 0
        worst_lengths[account] = length
        for at, figure in (
            (0, floor_e8(value)),
            (1, floor_e8(spot_value)),
            (2, requirement(initial)),
            (3, requirement(maintenance)),
        ):
            money[account, at, 0] = low_signed(shr128(figure, 64))
            money[account, at, 1] = low_signed(figure)
    return np.int64(-1)
