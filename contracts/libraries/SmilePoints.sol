// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";

/// @title A smile's total variance at the money and beside it, for bounds on posted markets
/// @notice Coarser and far cheaper than what accounts are margined with (Svi.sol).
library SmilePoints {
    uint256 private constant YEAR = 365 days;
    /// @dev sqrt(1 / 365 days) in WAD.
    uint256 private constant ROOT_OF_SECOND = 178_072_434_654_453;
    int256 private constant WAD = 1e18;

    /// @notice Total variance of a valid smile at a log-moneyness (WAD, at most 48 either way), 1e-36: a + b (rho d + sqrt(d^2 + sigma^2))
    ///         with d = k - m; zero where rounding leaves it below.
    /// @dev The root comes from a first guess within 3% and two steps of Newton's, which leave it at most 2e-7 of itself too high.
    function totalVariance(
        int256 a,
        int256 b,
        int256 rho,
        int256 m,
        int256 sigma,
        int256 k
    ) internal pure returns (uint256) {
        // |k| <= 48, |m| <= 4 and |rho| < 1, so that no distance passes 60 and no product 2^200. Sigma, and with it the root, is positive.
        unchecked {
            int256 d = k - m;
            uint256 square = uint256(d * d + sigma * sigma);
            uint256 larger = FixedPointMathLib.max(FixedPointMathLib.abs(d), uint256(sigma));
            uint256 smaller = FixedPointMathLib.min(FixedPointMathLib.abs(d), uint256(sigma));
            uint256 root = FixedPointMathLib.max(larger, larger - (larger >> 3) + (smaller >> 1));
            root = (root + square / root) >> 1;
            root = (root + square / root) >> 1;
            int256 variance = a * WAD + b * ((rho * d) / WAD + int256(root));
            return variance > 0 ? uint256(variance) : 0;
        }
    }

    /// @notice sqrt(seconds / 365 days) in WAD, at most 3% too high, for up to 2^32 seconds: where the outer points lie need not be known
    ///         better.
    function rootOfYears(uint256 left) internal pure returns (uint256) {
        unchecked {
            uint256 square = (left * 1e36) / YEAR;
            uint256 root = ROOT_OF_SECOND;
            if (left > 0xffff) (left, root) = (left >> 16, root << 8);
            if (left > 0xff) (left, root) = (left >> 8, root << 4);
            if (left > 0xf) (left, root) = (left >> 4, root << 2);
            if (left > 3) root <<= 1;
            // Between the root and half of it: one step leaves it at most a quarter too high, the next 3%.
            root = (root + square / root) >> 1;
            return (root + square / root) >> 1;
        }
    }
}
