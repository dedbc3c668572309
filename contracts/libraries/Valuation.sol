// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Black76 } from "./Black76.sol";
import { Gaussian } from "./Gaussian.sol";
import { Logarithm } from "./Logarithm.sol";
import { MarketWords } from "./MarketWords.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { ModelFields } from "./ModelFields.sol";
import { Plan } from "./Plan.sol";
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

    /// @dev Bytes of a column in memory: columns stand one behind the other, so that a step to the next is an addition.
    uint256 internal constant COLUMN_BYTES = 0x140;
    uint256 private constant RULE_BYTES = 0xe0;

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

    /// @dev One move. Its shock to the expiry prepared last: forward, as it is, its logarithm, discounted; sums of that expiry's options and
    ///      futures under it; in total the change against the market as it stands, or, in the first column, the value; spot multiple, that of
    ///      forwards (a skew leaves them), weight; and the rule for volatility, a null pointer where it stays.
    struct Column {
        uint256 forward;
        int256 logForward;
        uint256 discounted;
        int256 options;
        int256 futures;
        int256 total;
        uint256 spot;
        uint256 multiple;
        uint256 weight;
        Rule rule;
    }

    /// @dev One underlying: its model; what is wanted; the columns, the market as it stands first, then scenarios, then the basis charge's
    ///      two, and where they end; where the rules are that change volatility; the basis charge (E34); the sums of positive and of negative
    ///      deltas (E8 x Q60, both as positive numbers); the expiry prepared last and the strike that is being added.
    struct Book {
        ModelCodec.Section model;
        Plan plan;
        Column first;
        uint256 end;
        uint256 rules;
        uint256 rulesEnd;
        uint256 basis;
        uint256 long;
        uint256 short;
        Expiry expiry;
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

    /// @dev One strike at one expiry: price (E8), as it is and discounted; the expiry's discount factor (Q58); logarithm (Q64); signed
    ///      quantities of calls and puts (E8).
    struct Strike {
        uint256 price;
        int256 log;
        uint256 discounted;
        int256 puts;
        int256 calls;
        uint256 discount;
    }

    /// @notice Makes a book, new or used, one with nothing in it. Here and below, structs are filled where they are: one that is returned would
    ///         be allocated twice.
    function open(Book memory book, ModelCodec.Section model, Plan plan) internal pure {
        unchecked {
            uint256 scenarios = plan.scenarios();
            uint256 count = 1 + scenarios + (plan.hasBasis() ? 2 : 0);
            (book.model, book.plan, book.basis, book.long, book.short) = (model, plan, 0, 0, 0);
            _makeColumns(book, count);
            Column memory column = book.first;
            (column.spot, column.multiple) = (ONE_WAD, ONE_WAD);
            _openScenarios(book, ModelCodec.scenarioAt(model, plan.first()), scenarios);
            if (!plan.hasBasis()) return;
            uint256 end = book.end;
            assembly ("memory-safe") {
                column := sub(end, mul(2, COLUMN_BYTES))
            }
            column.multiple = model.natural(ModelFields.BASIS_UP);
            column.spot = column.multiple;
            assembly ("memory-safe") {
                column := add(column, COLUMN_BYTES)
            }
            column.multiple = model.natural(ModelFields.BASIS_DOWN);
            column.spot = column.multiple;
        }
    }

    /// @dev Room for columns with nothing in them, and behind them six words that are zero, too. Equals
    ///          (book.first, book.end) = (the free memory, that + count * COLUMN_BYTES);
    function _makeColumns(Book memory book, uint256 count) private pure {
        assembly ("memory-safe") {
            let first := mload(0x40)
            let end := add(first, mul(count, COLUMN_BYTES))
            // Beyond the calldata all bytes are zero.
            calldatacopy(first, calldatasize(), add(sub(end, first), 0xc0))
            mstore(0x40, add(end, 0xc0))
            mstore(add(book, 0x40), first)
            mstore(add(book, 0x60), end)
        }
    }

    /// @dev Fills the columns of scenarios and makes the rules that they need. Equals, with `places` the six words behind the columns,
    ///          for (each scenario, its column) {
    ///              (column.spot, kind, amount, column.weight) = ModelCodec.split(its word);
    ///              column.multiple = kind >= LINEAR_SKEW ? ONE_WAD : column.spot;
    ///              if (kind == VOL_NONE) continue;
    ///              if (places[kind] == 0 || kind == VOL_ADD) places[kind] = new rule of the kind and the amount;
    ///              column.rule = places[kind];
    ///          }
    /// @param at Where the first scenario's bytes are.
    function _openScenarios(Book memory book, uint256 at, uint256 count) private pure {
        uint256 places = book.end;
        uint256 rules;
        uint256 rulesEnd;
        uint256 scenarioBytes = ModelCodec.SCENARIO_BYTES;
        Column memory column = book.first;
        assembly ("memory-safe") {
            rules := mload(0x40)
            rulesEnd := rules
            for {} count {
                count := sub(count, 1)
            } {
                column := add(column, COLUMN_BYTES)
                let word := mload(at)
                let spot := shr(192, word)
                let kind := and(shr(184, word), 0xff)
                mstore(add(column, 0xc0), spot)
                mstore(add(column, 0x100), and(shr(56, word), 0xffffffffffffffff))
                if gt(kind, 3) {
                    spot := ONE_WAD
                }
                mstore(add(column, 0xe0), spot)
                if kind {
                    let place := add(places, shl(5, kind))
                    let rule := mload(place)
                    if or(iszero(rule), eq(kind, 3)) {
                        rule := rulesEnd
                        rulesEnd := add(rule, RULE_BYTES)
                        mstore(place, rule)
                        mstore(add(rule, 0x60), kind)
                        mstore(add(rule, 0xc0), sar(192, shl(72, word)))
                    }
                    mstore(add(column, 0x120), rule)
                }
                at := add(at, scenarioBytes)
            }
            mstore(0x40, rulesEnd)
        }
        (book.rules, book.rulesEnd) = (rules, rulesEnd);
    }

    /// @notice Prepare a live expiry, and in every column the move's shock to it. `close` ends what `prepare` began.
    /// @param quoteAt Where in calldata the expiry's quote is.
    /// @param now_ The market's time, unix seconds.
    function prepare(Book memory book, uint256 quoteAt, uint256 now_) internal pure {
        unchecked {
            uint256 quote = MarketWords.wordAt(quoteAt);
            uint256 forward = MarketWords.forward(quote);
            int256 rate = MarketWords.rate(quote);
            uint256 time = MarketWords.expiry(quote) - now_;
            Expiry memory expiry = book.expiry;
            (expiry.time, expiry.rate, expiry.vol) = (time, rate, 0);
            // Forwards are at least 1e6 and shocks at least 0.01, so that no forward is zero.
            uint256 power = Logarithm.log2(forward);
            expiry.logForward = Logarithm.lnWith(forward, power);
            expiry.discount = Tenor.discountFactor(rate, time);
            book.strike.discount = expiry.discount;
            Svi.readInto(expiry.smile, MarketWords.smileAt(quoteAt), MarketWords.sigmaAt(quoteAt));
            _shock(book, forward, power, Tenor.fixedPart(book.model, forward, time));
            _prepareRules(book, time);
        }
    }

    /// @dev Forwards of an expiry in every column. Moves that shock alike stand beside each other in most models.
    /// @param power floor(log2(unshocked)).
    function _shock(Book memory book, uint256 unshocked, uint256 power, uint256 fixedPart) private pure {
        unchecked {
            uint256 multiple = ONE_WAD;
            uint256 forward = unshocked;
            uint256 discount = book.expiry.discount;
            int256 log = book.expiry.logForward;
            uint256 discounted = Black76.discounted(forward, discount);
            Column memory column = book.first;
            uint256 end = book.end;
            while (true) {
                if (column.multiple != multiple) {
                    multiple = column.multiple;
                    forward = Scenario.shockedForward(unshocked, fixedPart, multiple);
                    log = forward == unshocked ? book.expiry.logForward : Logarithm.lnNear(forward, power);
                    discounted = Black76.discounted(forward, discount);
                }
                (column.forward, column.logForward, column.discounted) = (forward, log, discounted);
                bool isLast;
                assembly ("memory-safe") {
                    column := add(column, COLUMN_BYTES)
                    isLast := eq(column, end)
                }
                if (isLast) return;
            }
        }
    }

    /// @dev How each kind of move that there is changes volatility at the expiry.
    function _prepareRules(Book memory book, uint256 time) private pure {
        (uint256 at, uint256 end) = (book.rules, book.rulesEnd);
        if (at == end) return;
        ModelCodec.Section model = book.model;
        // Given a value because one without would be allocated.
        Rule memory rule = book.first.rule;
        while (at != end) {
            assembly ("memory-safe") {
                rule := at
                at := add(at, RULE_BYTES)
            }
            uint256 kind = rule.kind;
            if (kind >= ModelCodec.LINEAR_SKEW) {
                (rule.cap, rule.kStar) = Tenor.skewTerms(model, time, kind == ModelCodec.ABSOLUTE_SKEW);
            } else {
                (rule.multiplier, rule.added, rule.floor) = Scenario.volRule(model, kind, rule.amount, time);
            }
        }
    }

    /// @notice Add calls and puts of one strike at the expiry prepared last, as `book.strike` has them: price, logarithm, quantities. Both have
    ///         the same out-of-the-money value; the one in the money adds its intrinsic value (put-call parity).
    function addStrike(Book memory book) internal pure {
        unchecked {
            Strike memory k = book.strike;
            Expiry memory expiry = book.expiry;
            k.discounted = Black76.discounted(k.price, k.discount);
            int256 logMoneyness = k.log - expiry.logForward;
            uint256 vol = Svi.volAt(expiry.smile, logMoneyness, expiry.vol);
            expiry.vol = vol;
            Column memory column = book.first;
            uint256 end = book.end;
            (uint256 near, uint256 far) = _addCell(column, k, vol);
            if (book.plan.hasDelta()) _addDeltas(book, near, far);
            while (true) {
                bool isLast;
                uint256 rule;
                assembly ("memory-safe") {
                    column := add(column, COLUMN_BYTES)
                    isLast := eq(column, end)
                    rule := mload(add(column, 0x120))
                }
                if (isLast) return;
                _addCell(column, k, rule == 0 ? vol : _shockedVol(column.rule, vol, logMoneyness));
            }
        }
    }

    /// @notice Add a future of the expiry prepared last.
    /// @param quantity Signed, E8.
    function addFuture(Book memory book, int256 quantity) internal pure {
        unchecked {
            Column memory column = book.first;
            uint256 end = book.end;
            bool isLast;
            while (!isLast) {
                column.futures += quantity * int256(column.forward);
                assembly ("memory-safe") {
                    column := add(column, COLUMN_BYTES)
                    isLast := eq(column, end)
                }
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
            Column memory column = book.first;
            column.total += quantity * (int256(price) - funding);
            for (uint256 left = book.plan.scenarios(); left != 0; --left) {
                assembly ("memory-safe") {
                    column := add(column, COLUMN_BYTES)
                }
                column.total +=
                    quantity * (int256(Scenario.shockedPrice(price, column.spot)) - int256(price));
            }
            _addDelta(book, quantity << 60);
        }
    }

    /// @notice Bring what was added to the expiry prepared last into the totals: options with the static discount on their sum in the
    ///         scenario, futures without, a skew as minus the size of the change; and into the basis charge.
    function close(Book memory book) internal pure {
        unchecked {
            Column memory column = book.first;
            int256 now_ = column.options + column.futures;
            column.total += now_;
            (column.options, column.futures) = (0, 0);
            // Made when first needed: one scenario needs one of the two.
            uint256 long = UNKNOWN;
            uint256 short = UNKNOWN;
            for (uint256 left = book.plan.scenarios(); left != 0; --left) {
                assembly ("memory-safe") {
                    column := add(column, COLUMN_BYTES)
                }
                int256 there = column.options;
                if (there >= 0) {
                    if (long == UNKNOWN)
                        long = Tenor.longDiscount(book.model, book.expiry.rate, book.expiry.time);
                    there *= int256(long);
                } else {
                    if (short == UNKNOWN)
                        short = Tenor.shortDiscount(book.model, book.expiry.rate, book.expiry.time);
                    there *= int256(short);
                }
                int256 change = (there >> 58) + column.futures - now_;
                if (change > 0 && _isSkew(column)) change = -change;
                column.total += change;
                (column.options, column.futures) = (0, 0);
            }
            if (book.plan.hasBasis()) _closeBasis(book, now_, column);
        }
    }

    /// @dev Adds the basis charge of the expiry.
    /// @param now_ Its value as the market stands, E16.
    /// @param column The one before the charge's two.
    function _closeBasis(Book memory book, int256 now_, Column memory column) private pure {
        unchecked {
            assembly ("memory-safe") {
                column := add(column, COLUMN_BYTES)
            }
            int256 worse = column.options + column.futures;
            (column.options, column.futures) = (0, 0);
            assembly ("memory-safe") {
                column := add(column, COLUMN_BYTES)
            }
            worse = FixedPointMathLib.min(worse, column.options + column.futures);
            (column.options, column.futures) = (0, 0);
            if (worse < now_) {
                book.basis += uint256(now_ - worse) * Tenor.basisFactor(book.model, book.expiry.time);
            }
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

    /// @dev Whether a column's move is a skew. One without a rule is none.
    function _isSkew(Column memory column) private pure returns (bool) {
        uint256 rule;
        assembly ("memory-safe") {
            rule := mload(add(column, 0x120))
        }
        return rule != 0 && column.rule.kind >= ModelCodec.LINEAR_SKEW;
    }

    /// @dev min(16, max(floor, vol * multiplier + added)), the multiplier of a skew being that of the log-moneyness (Q64). Equals
    ///      Scenario.shockedVol(vol, rule.multiplier, rule.added, rule.floor), with the struct read once.
    function _shockedVol(
        Rule memory rule,
        uint256 vol,
        int256 logMoneyness
    ) private pure returns (uint256 w) {
        if (rule.kind >= ModelCodec.LINEAR_SKEW) {
            int256 k = logMoneyness >> 6;
            // The size of the distance, rounded towards zero.
            if (rule.kind == ModelCodec.ABSOLUTE_SKEW && logMoneyness < 0) k = -logMoneyness >> 6;
            w = (vol * Tenor.skewMultiplier(k, rule.cap, rule.kStar)) >> 58;
            return w > Black76.MAX_TOTAL_VOL ? Black76.MAX_TOTAL_VOL : w;
        }
        return Scenario.shockedVol(vol, rule.multiplier, rule.added, rule.floor);
    }

    /// @dev Adds quantity x value of calls and puts of one strike under one move, E16; returns N(a) and N(b) of `Black76.outOfTheMoney`
    ///      (where the volatility is zero, both zero unless forward and strike are equal to the last bit of their logarithms, then 1/2).
    ///      The first assembly block equals
    ///          y = Black76.moneyness(column.logForward, k.log);
    ///          if (column.forward > k.price) {
    ///              (lesser, greater) = (k.discounted, column.discounted);
    ///              value = k.calls * int256(Black76.intrinsic(column.forward - k.price, k.discount));
    ///          } else {
    ///              (lesser, greater) = (column.discounted, k.discounted);
    ///              value = k.puts * int256(Black76.intrinsic(k.price - column.forward, k.discount));
    ///          }
    ///      the second:
    ///          column.options += value + (k.calls + k.puts) * int256(zeroFloorSub(lesser * near, greater * far) >> 68);
    /// @param w Total volatility under the move, Q58.
    function _addCell(
        Column memory column,
        Strike memory k,
        uint256 w
    ) private pure returns (uint256 near, uint256 far) {
        unchecked {
            uint256 y;
            uint256 lesser;
            uint256 greater;
            assembly ("memory-safe") {
                // |column.logForward - k.log| >> 6
                y := sub(mload(add(column, 0x20)), mload(add(k, 0x20)))
                let value := sar(255, y)
                y := shr(6, xor(add(y, value), value))
                value := sub(mload(column), mload(k))
                lesser := mload(add(column, 0x40))
                greater := mload(add(k, 0x40))
                switch sgt(value, 0)
                case 0 {
                    value := shr(58, sub(0x200000000000000, mul(value, mload(add(k, 0xa0)))))
                    value := mul(value, mload(add(k, 0x60)))
                }
                default {
                    let swap := lesser
                    lesser := greater
                    greater := swap
                    value := shr(58, add(mul(value, mload(add(k, 0xa0))), 0x200000000000000))
                    value := mul(value, mload(add(k, 0x80)))
                }
                mstore(add(column, 0x60), add(mload(add(column, 0x60)), value))
            }
            if (w == 0) {
                if (y == 0) (near, far) = (Gaussian.ONE_Q60 >> 1, Gaussian.ONE_Q60 >> 1);
                return (near, far);
            }
            y = FixedPointMathLib.rawDiv(y << 58, w);
            uint256 half = w >> 1;
            near = Gaussian.upperTail(FixedPointMathLib.dist(half, y));
            if (half >= y)
                near = Gaussian.ONE_Q60 - near;
                // Without a near probability the value is zero, and the far one, which is smaller still, is zero too.
            else if (near == 0) return (0, 0);
            far = Gaussian.upperTail(w - half + y);
            assembly ("memory-safe") {
                lesser := mul(lesser, near)
                greater := mul(greater, far)
                if gt(lesser, greater) {
                    let value := mul(
                        add(mload(add(k, 0x60)), mload(add(k, 0x80))),
                        shr(68, sub(lesser, greater))
                    )
                    mstore(add(column, 0x60), add(mload(add(column, 0x60)), value))
                }
            }
        }
    }

    /// @dev Deltas of the strike, from what the first column's cell returned.
    function _addDeltas(Book memory book, uint256 near, uint256 far) private pure {
        unchecked {
            Strike memory k = book.strike;
            int256 delta = Black76.callDelta(near, far, book.first.forward > k.price, k.discount);
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
