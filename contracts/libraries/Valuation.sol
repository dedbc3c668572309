// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Black76 } from "./Black76.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { TailTable } from "./Gaussian.sol";
import { Logarithm } from "./Logarithm.sol";
import { MarketCodec } from "./MarketCodec.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { ModelFields } from "./ModelFields.sol";
import { Scenario } from "./Scenario.sol";
import { Svi } from "./Svi.sol";
import { Tenor } from "./Tenor.sol";

/// @title Quantity x value of positions under a list of moves, summed exactly (E16)
/// @notice A move is the market as it stands, a scenario, or one of the basis charge's two. Values equal `instrument_value` of the
///         specification, sums those of `expiry_change`, `basis_loss` and `delta_loss`.
/// @dev Unchecked throughout: a value is below 2^54, a quantity below 2^54, an account has at most 128 positions, so no sum reaches 2^117,
///      none with a static discount 2^121, and no sum of deltas 2^122.
library Valuation {
    using ModelCodec for ModelCodec.Section;

    uint256 private constant ONE_WAD = 10 ** 18;
    uint256 private constant UNKNOWN = type(uint256).max;

    /// @dev Which moves are wanted: so many scenarios from `first` on, the basis charge's two; and whether deltas are.
    struct Plan {
        uint256 first;
        uint256 scenarios;
        bool hasBasis;
        bool hasDelta;
    }

    /// @dev One move (spot multiple, vol kind and amount, weight); its shock to the expiry prepared last (forward, as it is, its logarithm,
    ///      discounted; vol rule or skew); sums of that expiry's options and futures under it; and in total the change against the market
    ///      as it stands, or, in the first column, the value.
    struct Column {
        uint256 spot;
        uint256 kind;
        int256 amount;
        uint256 weight;
        uint256 forward;
        int256 logForward;
        uint256 discounted;
        Scenario.VolRule vol;
        Tenor.Skew skew;
        int256 options;
        int256 futures;
        int256 total;
    }

    /// @dev One underlying: its model, what is wanted, the columns (the market as it stands first), the basis charge (E34), and the sums of
    ///      positive and of negative deltas (E8 x Q60, both as positive numbers).
    struct Book {
        ModelCodec.Section model;
        Plan plan;
        Column[] columns;
        uint256 basis;
        uint256 long;
        uint256 short;
    }

    /// @dev An expiry prepared for pricing: seconds and rate (WAD) as quoted, logarithm of the forward (Q64), smile, discount factor (Q58).
    struct Expiry {
        uint256 time;
        int256 rate;
        int256 logForward;
        Svi.Smile smile;
        uint256 discount;
    }

    /// @dev One strike at one expiry: price (E8), as it is and discounted; the expiry's discount factor (Q58); logarithm and log-moneyness
    ///      at the unshocked forward (Q64); total volatility (Q58).
    struct Strike {
        uint256 price;
        uint256 discounted;
        uint256 discount;
        int256 log;
        int256 logMoneyness;
        uint256 vol;
    }

    /// @notice A book with nothing in it.
    function open(
        ModelCodec.Section memory model,
        Plan memory plan
    ) internal pure returns (Book memory book) {
        unchecked {
            uint256 count = 1 + plan.scenarios;
            Column[] memory made = new Column[](plan.hasBasis ? count + 2 : count);
            made[0].spot = ONE_WAD;
            for (uint256 s = 1; s < count; ++s) {
                ModelCodec.Scenario memory scenario = model.scenario(plan.first + s - 1);
                Column memory column = made[s];
                (column.spot, column.kind) = (scenario.spot, scenario.kind);
                (column.amount, column.weight) = (scenario.amount, scenario.weight);
            }
            if (plan.hasBasis) {
                made[count].spot = model.natural(ModelFields.BASIS_UP);
                made[count + 1].spot = model.natural(ModelFields.BASIS_DOWN);
            }
            (book.model, book.plan, book.columns) = (model, plan, made);
        }
    }

    /// @notice Prepare a live expiry, and in every column the move's shock to it. `close` ends what `prepare` began.
    /// @param quote The expiry's quote.
    /// @param now_ The market's time, unix seconds.
    function prepare(
        Book memory book,
        MarketCodec.Quote memory quote,
        uint256 now_
    ) internal pure returns (Expiry memory expiry) {
        expiry.time = quote.expiry - now_;
        expiry.logForward = Logarithm.ln(quote.forward);
        expiry.smile = Svi.prepare(quote.smile);
        expiry.rate = quote.rate;
        expiry.discount = Tenor.discountFactor(quote.rate, expiry.time);
        uint256 fixedPart = Tenor.fixedPart(book.model, quote.forward, expiry.time);
        uint256 forward = quote.forward;
        int256 logForward = expiry.logForward;
        // The first column of each kind (none has the index 0): a rule depends on the expiry alone, but for an added amount.
        uint256[6] memory firsts;
        for (uint256 s = 0; s < book.columns.length; ++s) {
            Column memory column = book.columns[s];
            uint256 shocked =
                column.kind >= ModelCodec.LINEAR_SKEW
                    ? quote.forward
                    : Scenario.shockedForward(quote.forward, fixedPart, column.spot);
            // Scenarios that move the forward alike stand beside each other in most models.
            if (shocked != forward) (forward, logForward) = (shocked, Logarithm.ln(shocked));
            (column.forward, column.logForward) = (forward, logForward);
            column.discounted = Black76.discounted(forward, expiry.discount);
            if (column.kind == ModelCodec.VOL_NONE) continue;
            uint256 same = firsts[column.kind];
            if (same != 0 && column.kind != ModelCodec.VOL_ADD) {
                (column.vol, column.skew) = (book.columns[same].vol, book.columns[same].skew);
                continue;
            }
            firsts[column.kind] = s;
            _prepareVol(book.model, column, expiry.time);
        }
    }

    /// @notice Add calls and puts of one strike at the expiry prepared last. Both have the same out-of-the-money value; the one in the
    ///         money adds its intrinsic value (put-call parity).
    /// @param expiry The prepared expiry.
    /// @param strike E8.
    /// @param calls Signed quantity, E8.
    /// @param puts Signed quantity, E8.
    /// @param table The normal distribution's coefficients.
    function addOptions(
        Book memory book,
        Expiry memory expiry,
        uint256 strike,
        int256 calls,
        int256 puts,
        TailTable table
    ) internal pure {
        unchecked {
            Strike memory k;
            (k.price, k.discount) = (strike, expiry.discount);
            k.log = Logarithm.ln(strike);
            k.vol = Svi.totalVol(expiry.smile, expiry.logForward, k.log);
            k.logMoneyness = k.log - expiry.logForward;
            k.discounted = Black76.discounted(strike, expiry.discount);
            Column[] memory made = book.columns;
            uint256 first = 0;
            if (book.plan.hasDelta) {
                (int256 value, int256 delta) = _cell(made[0], k, calls, puts, table);
                made[0].options += value;
                _addDelta(book, calls * delta);
                _addDelta(book, puts * Black76.putDelta(delta, expiry.discount));
                first = 1;
            }
            for (uint256 s = first; s < made.length; ++s) {
                (int256 value, ) = _cell(made[s], k, calls, puts, table);
                made[s].options += value;
            }
        }
    }

    /// @notice Add a future of the expiry prepared last.
    /// @param quantity Signed, E8.
    function addFuture(Book memory book, int256 quantity) internal pure {
        unchecked {
            for (uint256 s = 0; s < book.columns.length; ++s) {
                book.columns[s].futures += quantity * int256(book.columns[s].forward);
            }
            _addDelta(book, quantity << 60);
        }
    }

    /// @notice Add spot collateral, or a perpetual: its price less the cumulative funding per unit.
    /// @param price E8.
    /// @param funding E8, zero for spot collateral.
    /// @param quantity Signed, E8.
    function addUndated(Book memory book, uint256 price, int256 funding, int256 quantity) internal pure {
        unchecked {
            book.columns[0].total += quantity * (int256(price) - funding);
            for (uint256 s = 1; s <= book.plan.scenarios; ++s) {
                Column memory column = book.columns[s];
                column.total +=
                    quantity * (int256(Scenario.shockedPrice(price, column.spot)) - int256(price));
            }
            _addDelta(book, quantity << 60);
        }
    }

    /// @notice Bring what was added to the expiry prepared last into the totals: options with the static discount on their sum in the
    ///         scenario, futures without, a skew as minus the size of the change; and into the basis charge.
    function close(Book memory book, Expiry memory expiry) internal pure {
        unchecked {
            Column[] memory made = book.columns;
            (int256 options, int256 futures) = (made[0].options, made[0].futures);
            int256 now_ = options + futures;
            made[0].total += now_;
            // Made when first needed: one scenario needs one of the two.
            uint256[2] memory discounts = [UNKNOWN, UNKNOWN];
            for (uint256 s = 1; s <= book.plan.scenarios; ++s) {
                Column memory column = made[s];
                int256 there = column.options;
                uint256 sign = there >= 0 ? 0 : 1;
                if (discounts[sign] == UNKNOWN) discounts[sign] = _staticDiscount(book, expiry, sign == 0);
                int256 change =
                    FixedPoint.mulShift(there, int256(discounts[sign]), 58) + column.futures - now_;
                if (column.kind >= ModelCodec.LINEAR_SKEW && change > 0) change = -change;
                column.total += change;
            }
            if (book.plan.hasBasis) {
                uint256 up = made.length - 2;
                int256 worse = FixedPointMathLib.min(
                    made[up].options + made[up].futures,
                    made[up + 1].options + made[up + 1].futures
                );
                if (worse < now_) {
                    book.basis += uint256(now_ - worse) * Tenor.basisFactor(book.model, expiry.time);
                }
            }
            for (uint256 s = 0; s < made.length; ++s) (made[s].options, made[s].futures) = (0, 0);
        }
    }

    /// @notice What a dated instrument is worth for ever after settlement, E8: its payoff at the settlement price.
    /// @param price Settlement price, E8.
    /// @param strike E8, zero for a future (whose payoff is then that of a call).
    /// @param isPut Whether it is a put.
    function settledValue(uint256 price, uint256 strike, bool isPut) internal pure returns (int256) {
        unchecked {
            if (isPut) return strike > price ? int256(strike - price) : int256(0);
            return price > strike ? int256(price - strike) : int256(0);
        }
    }

    /// @dev quantity x value of calls and puts of one strike under one move, E16; and the call's delta, Q60.
    function _cell(
        Column memory column,
        Strike memory k,
        int256 calls,
        int256 puts,
        TailTable table
    ) private pure returns (int256 value, int256 delta) {
        unchecked {
            uint256 w = _vol(column, k);
            uint256 y = Black76.moneyness(column.logForward, k.log);
            if (column.forward > k.price) {
                (uint256 otm, uint256 near, uint256 far) = Black76.outOfTheMoney(
                    k.discounted,
                    column.discounted,
                    y,
                    w,
                    table
                );
                value =
                    (calls + puts) * int256(otm) +
                    calls * int256(Black76.intrinsic(column.forward - k.price, k.discount));
                delta = Black76.callDelta(near, far, true, k.discount);
            } else {
                (uint256 otm, uint256 near, uint256 far) = Black76.outOfTheMoney(
                    column.discounted,
                    k.discounted,
                    y,
                    w,
                    table
                );
                value =
                    (calls + puts) * int256(otm) +
                    puts * int256(Black76.intrinsic(k.price - column.forward, k.discount));
                delta = Black76.callDelta(near, far, false, k.discount);
            }
        }
    }

    /// @dev Total volatility of a strike under a move.
    function _vol(Column memory column, Strike memory k) private pure returns (uint256) {
        if (column.kind == ModelCodec.VOL_NONE) return k.vol;
        uint256 multiplier = column.vol.multiplier;
        if (column.kind >= ModelCodec.LINEAR_SKEW) {
            int256 distance = k.logMoneyness;
            if (column.kind == ModelCodec.ABSOLUTE_SKEW && distance < 0) distance = -distance;
            multiplier = Tenor.skewMultiplier(distance >> 6, column.skew.cap, column.skew.kStar);
        }
        return Scenario.shockedVol(k.vol, multiplier, column.vol.added, column.vol.floor);
    }

    function _prepareVol(ModelCodec.Section memory model, Column memory column, uint256 time) private pure {
        if (column.kind >= ModelCodec.LINEAR_SKEW) {
            bool isAbsolute = column.kind == ModelCodec.ABSOLUTE_SKEW;
            column.skew = Tenor.skewTerms(model, time, isAbsolute);
        } else {
            column.vol = Scenario.volRule(model, column.kind, column.amount, time);
        }
    }

    function _staticDiscount(
        Book memory book,
        Expiry memory expiry,
        bool isLong
    ) private pure returns (uint256) {
        return
            isLong
                ? Tenor.longDiscount(book.model, expiry.rate, expiry.time)
                : Tenor.shortDiscount(book.model, expiry.rate, expiry.time);
    }

    function _addDelta(Book memory book, int256 delta) private pure {
        unchecked {
            if (delta > 0) book.long += uint256(delta);
            else book.short += uint256(-delta);
        }
    }
}
