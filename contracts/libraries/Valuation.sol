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

    /// @dev One move (spot multiple, vol kind and amount, weight); its shock to the expiry prepared last (forward, as it is, its logarithm,
    ///      discounted; vol rule or skew, Q58); sums of that expiry's options and futures under it; and in total the change against the market
    ///      as it stands, or, in the first column, the value.
    struct Column {
        uint256 forward;
        int256 logForward;
        uint256 discounted;
        int256 options;
        uint256 kind;
        uint256 multiplier;
        int256 added;
        uint256 floor;
        int256 cap;
        uint256 kStar;
        int256 futures;
        int256 total;
        uint256 spot;
        int256 amount;
        uint256 weight;
    }

    /// @dev One underlying: its model, what is wanted, the columns (the market as it stands first), the basis charge (E34), and the sums of
    ///      positive and of negative deltas (E8 x Q60, both as positive numbers); room for the strike that is being added.
    struct Book {
        ModelCodec.Section model;
        Plan plan;
        Column[] columns;
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

    /// @notice A book with nothing in it.
    function open(
        ModelCodec.Section memory model,
        Plan memory plan
    ) internal pure returns (Book memory book) {
        unchecked {
            uint256 count = 1 + plan.scenarios;
            Column[] memory made = _columns(plan.hasBasis ? count + 2 : count);
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
    ) internal pure returns (Expiry memory) {
        Expiry memory expiry = Expiry({
            time: quote.expiry - now_,
            rate: quote.rate,
            logForward: Logarithm.ln(quote.forward),
            smile: Svi.prepare(quote.smile),
            discount: Tenor.discountFactor(quote.rate, quote.expiry - now_),
            vol: 0
        });
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
                _copyVol(book.columns[same], column);
                continue;
            }
            firsts[column.kind] = s;
            _prepareVol(book.model, column, expiry.time);
        }
        return expiry;
    }

    /// @notice Add calls and puts of one strike at the expiry prepared last. Both have the same out-of-the-money value; the one in the
    ///         money adds its intrinsic value (put-call parity).
    /// @param expiry The prepared expiry.
    /// @param term The strike and its logarithm, as `IInstrumentRegistry.pricingTerms` has them; what stands above them is not looked at.
    /// @param calls Signed quantity, E8.
    /// @param puts Signed quantity, E8.
    function addOptions(
        Book memory book,
        Expiry memory expiry,
        uint256 term,
        int256 calls,
        int256 puts
    ) internal pure {
        unchecked {
            Strike memory k = book.strike;
            uint256 discount = expiry.discount;
            uint256 strike = uint64(term);
            (k.price, k.calls, k.puts, k.discount) = (strike, calls, puts, discount);
            k.discounted = Black76.discounted(strike, discount);
            int256 log = int256(uint256(uint72(term >> 64)));
            k.log = log;
            log -= expiry.logForward;
            k.logMoneyness = log;
            uint256 vol = Svi.volAt(expiry.smile, log, expiry.vol);
            (k.vol, expiry.vol) = (vol, vol);
            // made[0], made[1], ...
            Column[] memory made = book.columns;
            Column memory column;
            uint256 at;
            uint256 end;
            assembly ("memory-safe") {
                at := add(made, 32)
                end := add(at, shl(5, mload(made)))
                column := mload(at)
            }
            (uint256 near, uint256 far) = _addCell(column, k);
            if (book.plan.hasDelta) _addDeltas(book, column, k, near, far);
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

    /// @dev Equals new Column[](count), which would clear each field by itself.
    function _columns(uint256 count) private pure returns (Column[] memory made) {
        assembly ("memory-safe") {
            made := mload(0x40)
            mstore(made, count)
            let first := add(made, shl(5, add(count, 1)))
            // Beyond the calldata all bytes are zero.
            calldatacopy(first, calldatasize(), mul(count, 0x1e0))
            mstore(0x40, add(first, mul(count, 0x1e0)))
            for {
                let i := 0
            } lt(i, count) {
                i := add(i, 1)
            } {
                mstore(add(made, shl(5, add(i, 1))), add(first, mul(i, 0x1e0)))
            }
        }
    }

    /// @dev Adds quantity x value of calls and puts of one strike under one move, E16; returns N(a) and N(b) of `Black76.outOfTheMoney`
    ///      (where the volatility is zero, both zero unless forward and strike are equal to the last bit of their logarithms, then 1/2).
    ///      The first assembly block equals, with isAbove = column.forward > k.price:
    ///          y = Black76.moneyness(column.logForward, k.log);
    ///          (lesser, greater) = isAbove ? (k.discounted, column.discounted) : (column.discounted, k.discounted);
    ///          value = (isAbove ? k.calls : k.puts) * int256(Black76.intrinsic(distance of column.forward and k.price, k.discount));
    ///      the second:
    ///          column.options += value + (k.calls + k.puts) * int256(zeroFloorSub(lesser * near, greater * far) >> 68);
    function _addCell(
        Column memory column,
        Strike memory k
    ) private pure returns (uint256 near, uint256 far) {
        unchecked {
            uint256 y;
            uint256 lesser;
            uint256 greater;
            int256 value;
            assembly ("memory-safe") {
                // |column.logForward - k.log| >> 6
                y := sub(mload(add(column, 0x20)), mload(add(k, 0x20)))
                greater := sar(255, y)
                y := shr(6, xor(add(y, greater), greater))
                // column.forward - k.price, and whether it is positive.
                value := sub(mload(column), mload(k))
                let isAbove := sgt(value, 0)
                value := mul(value, sub(shl(1, isAbove), 1))
                // The intrinsic value, times k.puts or k.calls, which stand beside each other.
                value := shr(58, add(mul(value, mload(add(k, 0xa0))), 0x200000000000000))
                value := mul(value, mload(add(add(k, 0x60), shl(5, isAbove))))
                lesser := mload(add(column, 0x40))
                greater := mload(add(k, 0x40))
                let swap := mul(isAbove, xor(lesser, greater))
                lesser := xor(lesser, swap)
                greater := xor(greater, swap)
            }
            uint256 w = column.kind == ModelCodec.VOL_NONE ? k.vol : _vol(column, k);
            if (w == 0) {
                if (y == 0) (near, far) = (Gaussian.ONE_Q60 >> 1, Gaussian.ONE_Q60 >> 1);
                column.options += value;
                return (near, far);
            }
            y = FixedPointMathLib.rawDiv(y << 58, w);
            int256 a = int256(w >> 1) - int256(y);
            near = Gaussian.upperTail(FixedPointMathLib.abs(a));
            if (a >= 0) near = Gaussian.ONE_Q60 - near;
            // Without a near probability the value is zero, and the far one, which is smaller still, is zero too.
            if (near == 0) {
                column.options += value;
                return (0, 0);
            }
            far = Gaussian.upperTail(w - (w >> 1) + y);
            assembly ("memory-safe") {
                lesser := mul(lesser, near)
                greater := mul(greater, far)
                lesser := shr(68, mul(gt(lesser, greater), sub(lesser, greater)))
                let sum := add(mload(add(k, 0x60)), mload(add(k, 0x80)))
                value := add(value, mul(sum, lesser))
                mstore(add(column, 0x60), add(mload(add(column, 0x60)), value))
            }
        }
    }

    /// @dev Total volatility of a strike under a move that changes volatility.
    function _vol(Column memory column, Strike memory k) private pure returns (uint256) {
        unchecked {
            uint256 kind = column.kind;
            uint256 multiplier = column.multiplier;
            if (kind >= ModelCodec.LINEAR_SKEW) {
                int256 distance = k.logMoneyness;
                if (kind == ModelCodec.ABSOLUTE_SKEW && distance < 0) distance = -distance;
                multiplier = Tenor.skewMultiplier(distance >> 6, column.cap, column.kStar);
            }
            return Scenario.shockedVol(k.vol, multiplier, column.added, column.floor);
        }
    }

    function _prepareVol(ModelCodec.Section memory model, Column memory column, uint256 time) private pure {
        if (column.kind >= ModelCodec.LINEAR_SKEW) {
            bool isAbsolute = column.kind == ModelCodec.ABSOLUTE_SKEW;
            Tenor.Skew memory skew = Tenor.skewTerms(model, time, isAbsolute);
            (column.cap, column.kStar) = (skew.cap, skew.kStar);
        } else {
            Scenario.VolRule memory rule = Scenario.volRule(model, column.kind, column.amount, time);
            (column.multiplier, column.added, column.floor) = (rule.multiplier, rule.added, rule.floor);
        }
    }

    function _copyVol(Column memory from, Column memory to) private pure {
        (to.multiplier, to.added, to.floor) = (from.multiplier, from.added, from.floor);
        (to.cap, to.kStar) = (from.cap, from.kStar);
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

    function _addDeltas(
        Book memory book,
        Column memory column,
        Strike memory k,
        uint256 near,
        uint256 far
    ) private pure {
        unchecked {
            int256 delta = Black76.callDelta(near, far, column.forward > k.price, k.discount);
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
