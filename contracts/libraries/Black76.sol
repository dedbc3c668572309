// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Gaussian, TailTable } from "./Gaussian.sol";

/// @title Black-76 option values without discounting (black76.py)
library Black76 {
    /// @dev Total volatility is capped at 16, Q58.
    uint256 internal constant MAX_TOTAL_VOL = 2 ** 62;

    /// @notice Value of the out-of-the-money option, E8: near * N(a) - far * N(a - w), with a = w/2 - y/w; at least 0, rounded down.
    ///         near is the lesser of forward and strike, far the greater.
    /// @dev y/w is at most y << 58 < 2^121; a price below 2^54 times a probability up to 2^60.
    ///      w - a = (w - floor(w/2)) + floor(y/w) is never negative, so N(a - w) is the tail above it.
    /// @param forward E8, positive, below 2^54.
    /// @param strike E8, positive, below 2^54.
    /// @param y |ln(forward / strike)|, Q58, below 2^63.
    /// @param w Total volatility, Q58, at most 2^62.
    function outOfTheMoney(
        uint256 forward,
        uint256 strike,
        uint256 y,
        uint256 w,
        TailTable table
    ) internal pure returns (uint256 value) {
        unchecked {
            if (w != 0) {
                uint256 ratio = FixedPointMathLib.rawDiv(y << 58, w);
                uint256 near = FixedPointMathLib.min(forward, strike);
                value = Gaussian.upperTail(w - (w >> 1) + ratio, table) * (forward + strike - near);
                near *= Gaussian.normalCdf(int256(w >> 1) - int256(ratio), table);
                value = FixedPointMathLib.zeroFloorSub(near, value) >> 60;
            }
        }
    }

    /// @notice |ln(forward) - ln(strike)|, Q58, from two Q64 logarithms of E8 prices; rounded down.
    function moneyness(int256 logForward, int256 logStrike) internal pure returns (uint256) {
        return FixedPointMathLib.dist(logForward, logStrike) >> 6;
    }
}
