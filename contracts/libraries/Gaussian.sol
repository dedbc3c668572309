// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { GaussianTable } from "./GaussianTable.sol";

/// @title The standard normal distribution in Q60 (gaussian.py)
library Gaussian {
    uint256 internal constant ONE_Q60 = 2 ** 60;

    /// @notice N(-x), the probability of a standard normal above x, Q60; exactly 0 from x = 9 on.
    /// @param x Q58, at least 0.
    function upperTail(uint256 x) internal pure returns (uint256) {
        return GaussianTable.upperTail(x);
    }

    /// @notice N(x), for either sign, Q60. N(-x) = 1 - N(x) holds exactly, by definition.
    /// @param x Q58.
    function normalCdf(int256 x) internal pure returns (uint256) {
        unchecked {
            uint256 tail = upperTail(FixedPointMathLib.abs(x));
            return x < 0 ? tail : ONE_Q60 - tail;
        }
    }
}
