// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Gaussian } from "./Gaussian.sol";

/// @title Black-76 option values and deltas (black76.py)
library Black76 {
    /// @dev Total volatility is capped at 16, Q58.
    uint256 internal constant MAX_TOTAL_VOL = 2 ** 62;
    uint256 private constant HALF_Q60 = 2 ** 59;
    uint256 private constant HALF_Q58 = 2 ** 57;

    /// @dev A call and the put of the same strike and expiry: values (E8) and discounted deltas (Q60; the put's is not positive).
    struct OptionPair {
        int256 call;
        int256 put;
        int256 callDelta;
        int256 putDelta;
    }

    /// @notice price x discount factor, in E8 with 8 more binary places, rounded down.
    /// @param price E8, below 2^54.
    /// @param discount Q58, at most 1.
    function discounted(uint256 price, uint256 discount) internal pure returns (uint256) {
        unchecked {
            return (price * discount) >> 50;
        }
    }

    /// @notice Value of the out-of-the-money option, near * N(a) - far * N(b), E8, at least 0 and rounded down, and N(a), N(b), Q60, with
    ///         a = w/2 - y/w and b = a - w. At w = 0 it is worth 0, and the probabilities are 1/2 if y = 0, else 0.
    /// @dev y/w is at most y << 58 < 2^121; a price below 2^62 times a probability up to 2^60.
    ///      -b = (w - floor(w/2)) + floor(y/w) is never negative, so N(b) is the tail above it.
    /// @param near The lesser of forward and strike, by `discounted`.
    /// @param far The greater.
    /// @param y |ln(forward / strike)|, Q58, below 2^63.
    /// @param w Total volatility, Q58, at most 2^62.
    function outOfTheMoney(
        uint256 near,
        uint256 far,
        uint256 y,
        uint256 w
    ) internal pure returns (uint256 value, uint256 nearProbability, uint256 farProbability) {
        unchecked {
            if (w == 0) {
                if (y == 0) (nearProbability, farProbability) = (HALF_Q60, HALF_Q60);
                return (0, nearProbability, farProbability);
            }
            uint256 ratio = FixedPointMathLib.rawDiv(y << 58, w);
            nearProbability = Gaussian.normalCdf(int256(w >> 1) - int256(ratio));
            farProbability = Gaussian.upperTail(w - (w >> 1) + ratio);
            value = FixedPointMathLib.zeroFloorSub(near * nearProbability, far * farProbability) >> 68;
        }
    }

    /// @notice What the option in the money is worth beyond the other one: |forward - strike| discounted, to the nearest unit.
    /// @param distance |forward - strike|, E8.
    /// @param discount Q58.
    function intrinsic(uint256 distance, uint256 discount) internal pure returns (uint256) {
        unchecked {
            return (distance * discount + HALF_Q58) >> 58;
        }
    }

    /// @notice The call's delta, Q60: N(d1) times the discount factor. The put's is that minus the discount factor.
    /// @param isAbove Whether the forward is above the strike, so that the out-of-the-money option was the put.
    function callDelta(
        uint256 nearProbability,
        uint256 farProbability,
        bool isAbove,
        uint256 discount
    ) internal pure returns (int256) {
        unchecked {
            uint256 probability = isAbove ? Gaussian.ONE_Q60 - farProbability : nearProbability;
            return int256((probability * discount) >> 58);
        }
    }

    /// @notice The put's delta, Q60, from the call's.
    function putDelta(int256 delta, uint256 discount) internal pure returns (int256) {
        unchecked {
            return delta - int256(discount << 2);
        }
    }

    /// @notice |ln(forward) - ln(strike)|, Q58, from two Q64 logarithms of E8 prices; rounded down.
    function moneyness(int256 logForward, int256 logStrike) internal pure returns (uint256) {
        return FixedPointMathLib.dist(logForward, logStrike) >> 6;
    }

    /// @notice Values and deltas of the European call and put: `option_pair` of the specification, where one is wanted by itself.
    /// @param forward E8.
    /// @param strike E8.
    /// @param logForward Q64, of the same integer.
    /// @param logStrike Q64, of the same integer.
    /// @param totalVol Q58.
    /// @param discount Q58.
    function optionPair(
        uint256 forward,
        uint256 strike,
        int256 logForward,
        int256 logStrike,
        uint256 totalVol,
        uint256 discount
    ) internal pure returns (OptionPair memory pair) {
        bool isAbove = forward > strike;
        (uint256 near, uint256 far) = isAbove ? (strike, forward) : (forward, strike);
        (uint256 value, uint256 nearProbability, uint256 farProbability) = outOfTheMoney(
            discounted(near, discount),
            discounted(far, discount),
            moneyness(logForward, logStrike),
            totalVol
        );
        uint256 other = value + intrinsic(far - near, discount);
        pair.call = int256(isAbove ? other : value);
        pair.put = int256(isAbove ? value : other);
        pair.callDelta = callDelta(nearProbability, farProbability, isAbove, discount);
        pair.putDelta = putDelta(pair.callDelta, discount);
    }
}
