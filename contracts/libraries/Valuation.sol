// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Black76 } from "./Black76.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { Gaussian } from "./Gaussian.sol";
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

    /// @dev How a kind of move changes the total volatility of the expiry prepared last (Q58): times the multiplier, plus what is added, at
    ///      least the floor; for skews the cap and where it is reached. Moves of one kind share it, but for those that add an amount.
    struct Rule {
        uint256 multiplier;
        int256 added;
        uint256 floor;
        uint256 kind;
        int256 cap;
        uint256 kStar;
        int256 amount;
    }

    /// @dev One move: spot multiple, that of forwards (a skew leaves them), weight; its shock to the expiry prepared last: forward, as it is,
    ///      its logarithm, discounted, and the rule for volatility; sums of that expiry's options and futures under it; and in total the
    ///      change against the market as it stands, or, in the first column, the value.
    struct Column {
        uint256 forward;
        int256 logForward;
        uint256 discounted;
        int256 options;
        Rule rule;
        int256 futures;
        int256 total;
        uint256 spot;
        uint256 multiple;
        uint256 weight;
    }

    /// @dev One underlying: its model, what is wanted, the columns (the market as it stands first), the rules that change volatility, the basis charge (E34), and the sums of
    ///      positive and of negative deltas (E8 x Q60, both as positive numbers); and the strike that is being added.
    struct Book {
        ModelCodec.Section model;
        Plan plan;
        Column[] columns;
        Rule[] rules;
        uint256 basis;
        uint256 long;
        uint256 short;
        Strike strike;
    }

    /// @dev An expiry prepared for pricing: seconds and rate (WAD) as quoted, logarithm of the forward (Q64), smile, discount factor (Q58);
    ///      of the strike added last the total volatility (Q58), from which the next one's is found faster.
    struct Expiry {
        uint256 time;
        int256 rate;
        int256 logForward;
        Svi.Smile smile;
        uint256 discount;
        uint256 vol;
    }

    /// @dev One strike at one expiry: price (E8), as it is and discounted; the expiry's discount factor (Q58); logarithm and log-moneyness
    ///      at the unshocked forward (Q64); total volatility (Q58); signed quantities of calls and puts (E8).
    struct Strike {
        uint256 price;
        int256 log;
        uint256 discounted;
        int256 puts;
        int256 calls;
        uint256 discount;
        uint256 vol;
        int256 logMoneyness;
    }

    /// @notice Makes a book, new or used, one with nothing in it. Here and below, structs are filled where they are: one that is returned would
    ///         be allocated twice.
    function open(Book memory book, ModelCodec.Section memory model, Plan memory plan) internal pure {
        unchecked {
            uint256 count = 1 + plan.scenarios;
            Column[] memory made = _columns(plan.hasBasis ? count + 2 : count);
            Rule[] memory rules = _rules(plan.scenarios);
            Rule memory none = Rule(FixedPoint.ONE_Q58, 0, 0, ModelCodec.VOL_NONE, 0, 0, 0);
            (made[0].rule, made[0].spot, made[0].multiple) = (none, ONE_WAD, ONE_WAD);
            // Where the rule of each kind is, if there is one.
            uint256[6] memory places;
            for (uint256 s = 1; s < count; ++s) {
                Column memory column = made[s];
                uint256 kind;
                int256 amount;
                (column.spot, kind, amount, column.weight) = model.scenarioWords(plan.first + s - 1);
                column.multiple = kind >= ModelCodec.LINEAR_SKEW ? ONE_WAD : column.spot;
                Rule memory rule = none;
                if (kind != ModelCodec.VOL_NONE) {
                    uint256 place = places[kind];
                    if (place == 0 || kind == ModelCodec.VOL_ADD) {
                        rule = Rule(FixedPoint.ONE_Q58, 0, 0, kind, 0, 0, amount);
                        places[kind] = _push(rules, rule);
                    } else {
                        assembly ("memory-safe") {
                            rule := place
                        }
                    }
                }
                column.rule = rule;
            }
            if (plan.hasBasis) {
                (made[count].rule, made[count + 1].rule) = (made[0].rule, made[0].rule);
                made[count].multiple = model.natural(ModelFields.BASIS_UP);
                made[count + 1].multiple = model.natural(ModelFields.BASIS_DOWN);
                made[count].spot = made[count].multiple;
                made[count + 1].spot = made[count + 1].multiple;
            }
            (book.model, book.plan, book.columns, book.rules) = (model, plan, made, rules);
            (book.basis, book.long, book.short) = (0, 0, 0);
        }
    }

    /// @notice Prepare a live expiry, and in every column the move's shock to it. `close` ends what `prepare` began.
    /// @param expiry Where it goes.
    /// @param quote The expiry's quote.
    /// @param now_ The market's time, unix seconds.
    function prepare(
        Book memory book,
        Expiry memory expiry,
        MarketCodec.Quote memory quote,
        uint256 now_
    ) internal pure {
        unchecked {
            uint256 time = quote.expiry - now_;
            (expiry.time, expiry.rate, expiry.vol) = (time, quote.rate, 0);
            expiry.logForward = Logarithm.ln(quote.forward);
            expiry.discount = Tenor.discountFactor(quote.rate, time);
            Svi.prepareInto(expiry.smile, quote.smile);
            uint256 fixedPart = Tenor.fixedPart(book.model, quote.forward, time);
            _shock(book.columns, quote.forward, fixedPart, expiry);
            for (uint256 r = 0; r < book.rules.length; ++r) _prepareRule(book.model, book.rules[r], time);
        }
    }

    /// @dev Forwards of an expiry in every column. Moves that shock alike stand beside each other in most models.
    function _shock(
        Column[] memory made,
        uint256 unshocked,
        uint256 fixedPart,
        Expiry memory expiry
    ) private pure {
        unchecked {
            uint256 multiple = ONE_WAD;
            uint256 forward = unshocked;
            int256 log = expiry.logForward;
            uint256 discounted = Black76.discounted(forward, expiry.discount);
            uint256 at;
            uint256 end;
            assembly ("memory-safe") {
                at := add(made, 32)
                end := add(at, shl(5, mload(made)))
            }
            // Given a value because one without would be allocated.
            Column memory column = made[0];
            for (; at < end; at += 32) {
                assembly ("memory-safe") {
                    column := mload(at)
                }
                if (column.multiple != multiple) {
                    multiple = column.multiple;
                    forward = Scenario.shockedForward(unshocked, fixedPart, multiple);
                    log = forward == unshocked ? expiry.logForward : Logarithm.ln(forward);
                    discounted = Black76.discounted(forward, expiry.discount);
                }
                (column.forward, column.logForward, column.discounted) = (forward, log, discounted);
            }
        }
    }

    /// @notice Add calls and puts of one strike at the expiry prepared last, as `book.strike` has them: price, logarithm, quantities. Both have
    ///         the same out-of-the-money value; the one in the money adds its intrinsic value (put-call parity).
    /// @param expiry The prepared expiry.
    function addStrike(Book memory book, Expiry memory expiry) internal pure {
        unchecked {
            Strike memory k = book.strike;
            k.discount = expiry.discount;
            k.discounted = Black76.discounted(k.price, expiry.discount);
            k.logMoneyness = k.log - expiry.logForward;
            k.vol = Svi.volAt(expiry.smile, k.logMoneyness, expiry.vol);
            expiry.vol = k.vol;
            uint256 at;
            uint256 end;
            Column[] memory made = book.columns;
            assembly ("memory-safe") {
                at := add(made, 32)
                end := add(at, shl(5, mload(made)))
            }
            Column memory column = made[0];
            (uint256 near, uint256 far) = _addCell(column, k);
            if (book.plan.hasDelta) _addDeltas(book, near, far);
            for (at += 32; at < end; at += 32) {
                assembly ("memory-safe") {
                    column := mload(at)
                }
                _addCell(column, k);
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
            Column memory column = made[0];
            int256 now_ = column.options + column.futures;
            column.total += now_;
            // Made when first needed: one scenario needs one of the two.
            uint256 long = UNKNOWN;
            uint256 short = UNKNOWN;
            for (uint256 s = 1; s <= book.plan.scenarios; ++s) {
                column = made[s];
                int256 there = column.options;
                if (there >= 0) {
                    if (long == UNKNOWN) long = Tenor.longDiscount(book.model, expiry.rate, expiry.time);
                    there *= int256(long);
                } else {
                    if (short == UNKNOWN) short = Tenor.shortDiscount(book.model, expiry.rate, expiry.time);
                    there *= int256(short);
                }
                int256 change = (there >> 58) + column.futures - now_;
                if (change > 0 && column.rule.kind >= ModelCodec.LINEAR_SKEW) change = -change;
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

    /// @dev Equals new Column[](count), which would clear each field by itself.
    function _columns(uint256 count) private pure returns (Column[] memory made) {
        assembly ("memory-safe") {
            made := mload(0x40)
            mstore(made, count)
            let first := add(made, shl(5, add(count, 1)))
            // Beyond the calldata all bytes are zero.
            calldatacopy(first, calldatasize(), mul(count, 0x140))
            mstore(0x40, add(first, mul(count, 0x140)))
            for {
                let i := 0
            } lt(i, count) {
                i := add(i, 1)
            } {
                mstore(add(made, shl(5, add(i, 1))), add(first, mul(i, 0x140)))
            }
        }
    }

    /// @dev An empty array with room for so many: equals new Rule[](count) cut to the length zero, without making its elements.
    function _rules(uint256 count) private pure returns (Rule[] memory rules) {
        assembly ("memory-safe") {
            rules := mload(0x40)
            mstore(rules, 0)
            mstore(0x40, add(rules, shl(5, add(count, 1))))
        }
    }

    /// @dev Appends to an array that has room; returns where in memory the rule is. Equals rules.push(rule).
    function _push(Rule[] memory rules, Rule memory rule) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            let count := add(mload(rules), 1)
            mstore(rules, count)
            mstore(add(rules, shl(5, count)), rule)
            place := rule
        }
    }

    /// @dev Adds quantity x value of calls and puts of one strike under one move, E16; returns N(a) and N(b) of `Black76.outOfTheMoney`
    ///      (where the volatility is zero, both zero unless forward and strike are equal to the last bit of their logarithms, then 1/2).
    ///      The first assembly block equals, with isAbove = column.forward > k.price:
    ///          y = Black76.moneyness(column.logForward, k.log);
    ///          (lesser, greater) = isAbove ? (k.discounted, column.discounted) : (column.discounted, k.discounted);
    ///          value = (isAbove ? k.calls : k.puts) * int256(Black76.intrinsic(distance of column.forward and k.price, k.discount));
    ///          w = Scenario.shockedVol(k.vol, rule.multiplier, rule.added, rule.floor);
    ///      the second:
    ///          column.options += value + (k.calls + k.puts) * int256(zeroFloorSub(lesser * near, greater * far) >> 68);
    function _addCell(
        Column memory column,
        Strike memory k
    ) private pure returns (uint256 near, uint256 far) {
        unchecked {
            Rule memory rule = column.rule;
            if (rule.kind >= ModelCodec.LINEAR_SKEW) _skew(rule, k.logMoneyness);
            uint256 y;
            uint256 w;
            assembly ("memory-safe") {
                // |column.logForward - k.log| >> 6
                y := sub(mload(add(column, 0x20)), mload(add(k, 0x20)))
                w := sar(255, y)
                y := shr(6, xor(add(y, w), w))
                // min(16, max(floor, vol * multiplier + added)); the floor is not negative.
                w := add(shr(58, mul(mload(add(k, 0xc0)), mload(rule))), mload(add(rule, 0x20)))
                let floor_ := mload(add(rule, 0x40))
                w := xor(w, mul(xor(w, floor_), slt(w, floor_)))
                w := xor(w, mul(xor(w, 0x4000000000000000), gt(w, 0x4000000000000000)))
                // column.forward - k.price, and whether it is positive.
                let value := sub(mload(column), mload(k))
                let isAbove := sgt(value, 0)
                value := mul(value, sub(shl(1, isAbove), 1))
                // The intrinsic value, times k.puts or k.calls, which stand beside each other.
                value := shr(58, add(mul(value, mload(add(k, 0xa0))), 0x200000000000000))
                value := mul(value, mload(add(add(k, 0x60), shl(5, isAbove))))
                mstore(add(column, 0x60), add(mload(add(column, 0x60)), value))
            }
            if (w == 0) {
                if (y == 0) (near, far) = (Gaussian.ONE_Q60 >> 1, Gaussian.ONE_Q60 >> 1);
                return (near, far);
            }
            y = FixedPointMathLib.rawDiv(y << 58, w);
            int256 a = int256(w >> 1) - int256(y);
            if (a >= 0) near = Gaussian.ONE_Q60 - Gaussian.upperTail(uint256(a));
            else {
                near = Gaussian.upperTail(uint256(-a));
                // Without a near probability the value is zero, and the far one, which is smaller still, is zero too.
                if (near == 0) return (0, 0);
            }
            far = Gaussian.upperTail(w - (w >> 1) + y);
            assembly ("memory-safe") {
                // The lesser and the greater of the two, discounted: discounting keeps their order.
                let lesser := mload(add(column, 0x40))
                let greater := mload(add(k, 0x40))
                let swap := mul(gt(lesser, greater), xor(lesser, greater))
                lesser := mul(xor(lesser, swap), near)
                greater := mul(xor(greater, swap), far)
                lesser := shr(68, mul(gt(lesser, greater), sub(lesser, greater)))
                let sum := add(mload(add(k, 0x60)), mload(add(k, 0x80)))
                mstore(add(column, 0x60), add(mload(add(column, 0x60)), mul(sum, lesser)))
            }
        }
    }

    /// @dev The multiplier of a skew at a log-moneyness (Q64).
    function _skew(Rule memory rule, int256 distance) private pure {
        unchecked {
            if (rule.kind == ModelCodec.ABSOLUTE_SKEW && distance < 0) distance = -distance;
            rule.multiplier = Tenor.skewMultiplier(distance >> 6, rule.cap, rule.kStar);
        }
    }

    function _prepareRule(ModelCodec.Section memory model, Rule memory rule, uint256 time) private pure {
        if (rule.kind >= ModelCodec.LINEAR_SKEW) {
            Tenor.Skew memory skew = Tenor.skewTerms(model, time, rule.kind == ModelCodec.ABSOLUTE_SKEW);
            (rule.cap, rule.kStar) = (skew.cap, skew.kStar);
        } else {
            Scenario.VolRule memory made = Scenario.volRule(model, rule.kind, rule.amount, time);
            (rule.multiplier, rule.added, rule.floor) = (made.multiplier, made.added, made.floor);
        }
    }

    /// @dev Deltas of the strike, from what the first column's cell returned.
    function _addDeltas(Book memory book, uint256 near, uint256 far) private pure {
        unchecked {
            Strike memory k = book.strike;
            int256 delta = Black76.callDelta(near, far, book.columns[0].forward > k.price, k.discount);
            _addDelta(book, k.calls * delta);
            _addDelta(book, k.puts * Black76.putDelta(delta, k.discount));
        }
    }

    function _addDelta(Book memory book, int256 delta) private pure {
        unchecked {
            if (delta > 0) book.long += uint256(delta);
            else book.short += uint256(-delta);
        }
    }
}
