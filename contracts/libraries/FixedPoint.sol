// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { ISpecErrors } from "../interfaces/SpecErrors.sol";

/// @title Division, shifts, roots: the only roundings that committed arithmetic may use (fixed_point.py)
/// @notice Signed `/` truncates here and floors elsewhere, so signed numbers are divided by these functions only.
library FixedPoint {
    int256 internal constant ONE_WAD = 10 ** 18;
    int256 internal constant ONE_Q64 = 2 ** 64;
    uint256 internal constant ONE_Q58 = 2 ** 58;

    /// @notice floor(numerator / denominator), towards minus infinity.
    /// @param numerator Any number.
    /// @param denominator Positive; reverts with DivisionByZero(denominator) otherwise.
    function floorDiv(int256 numerator, int256 denominator) internal pure returns (int256 quotient) {
        if (denominator <= 0) revert ISpecErrors.DivisionByZero(denominator);
        // A positive denominator cannot overflow the quotient, and a non-zero remainder leaves room to subtract one.
        unchecked {
            quotient = numerator / denominator;
            if (numerator % denominator < 0) --quotient;
        }
    }

    /// @notice ceil(numerator / denominator), towards plus infinity. As floorDiv otherwise.
    function ceilDiv(int256 numerator, int256 denominator) internal pure returns (int256 quotient) {
        if (denominator <= 0) revert ISpecErrors.DivisionByZero(denominator);
        unchecked {
            quotient = numerator / denominator;
            if (numerator % denominator > 0) ++quotient;
        }
    }

    /// @notice floor(a * b / 2^bits), for either sign: the one rounding step inside pricing.
    /// @dev The caller knows a bound: |a * b| < 2^255.
    function mulShift(int256 a, int256 b, uint256 bits) internal pure returns (int256) {
        unchecked {
            return (a * b) >> bits;
        }
    }

    /// @notice floor(sqrt(value)), exact for every 256-bit value.
    function squareRoot(uint256 value) internal pure returns (uint256) {
        return FixedPointMathLib.sqrt(value);
    }

    /// @notice floor(value * 2^bits / 10^18): a decimal parameter as binary fixed point.
    /// @dev The caller knows a bound: |value| < 2^(255 - bits).
    function wadToBinary(int256 valueWad, uint256 bits) internal pure returns (int256) {
        return floorDiv(valueWad << bits, ONE_WAD);
    }

    /// @notice `wadToBinary` at 64 bits.
    function wadToQ64(int256 valueWad) internal pure returns (int256) {
        return wadToBinary(valueWad, 64);
    }

    /// @notice The value, but at most `limit` and at least -`limit`, which is not negative.
    function clamp(int256 value, int256 limit) internal pure returns (int256) {
        unchecked {
            return FixedPointMathLib.clamp(value, -limit, limit);
        }
    }
}
