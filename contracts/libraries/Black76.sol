// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Gaussian, TailTable } from "./Gaussian.sol";

/// @title Black-76 option values without discounting (black76.py)
library Black76 {
    /// @dev Total volatility is capped at 16, Q58.
    uint256 internal constant MAX_TOTAL_VOL = 2 ** 62;

    /// @notice Value of the out-of-the-money option, E8: near * N(a) - far * N(a - w), with a = w/2 - y/w; at least 0, rounded down.
    /// @dev y/w is taken only where it is below 32, that is 2^63; y << 58 < 2^121; a price below 2^54 times a probability up to 2^60.
    /// @param near The lesser of forward and strike, E8, 0 < near <= 2^54.
    /// @param far The greater of the two, E8, at most 2^54.
    /// @param y |ln(forward / strike)|, Q58, below 2^63.
    /// @param w Total volatility, Q58, at most 2^62.
    function outOfTheMoney(
        uint256 near,
        uint256 far,
        uint256 y,
        uint256 w,
        TailTable table
    ) internal pure returns (uint256) {
        unchecked {
            if (y >> 5 >= w) return 0;
            int256 a = int256(w >> 1) - int256((y << 58) / w);
            int256 b = a - int256(w);
            int256 value =
                int256(near * Gaussian.normalCdf(a, table)) - int256(far * Gaussian.normalCdf(b, table));
            return value < 0 ? 0 : uint256(value >> 60);
        }
    }

    /// @notice |ln(forward) - ln(strike)|, Q58, from two Q64 logarithms of E8 prices; rounded down.
    function moneyness(int256 logForward, int256 logStrike) internal pure returns (uint256) {
        unchecked {
            return uint256(logForward < logStrike ? logStrike - logForward : logForward - logStrike) >> 6;
        }
    }
}
