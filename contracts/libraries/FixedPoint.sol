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

    /// @notice floor(sqrt(value)), exact, from a guess: cheaper than `squareRoot` where the guess is near, and no dearer by much elsewhere.
    /// @dev Five of Newton's steps bring a guess within a third of the root to within 1e-25 of it; every step but the first is from above, so
    ///      the result is then the floor or one more. What the comparison refuses is computed from nothing.
    /// @param value Below 2^128.
    /// @param guess Any number below 2^128; none if zero.
    function squareRootNear(uint256 value, uint256 guess) internal pure returns (uint256 root) {
        unchecked {
            if (guess != 0) {
                // Each step equals root = (root + value / root) / 2; where root is zero, value / root is too.
                assembly ("memory-safe") {
                    root := shr(1, add(guess, div(value, guess)))
                    root := shr(1, add(root, div(value, root)))
                    root := shr(1, add(root, div(value, root)))
                    root := shr(1, add(root, div(value, root)))
                    root := shr(1, add(root, div(value, root)))
                    root := sub(root, lt(div(value, root), root))
                }
                // root^2 <= value < (root + 1)^2; the first step left the root below 2^128, so that nothing wraps but a negative difference.
                if (value - root * root <= root << 1) return root;
            }
            return squareRoot(value);
        }
    }

    /// @notice floor(sqrt(a^2 + b^2)), exact.
    /// @dev max + min * 3/8 is within 7 % of the root, so that four of Newton's steps end at the floor or one more: an error of 7 % becomes
    ///      one of 2.3e-3, 2.7e-6, 3.5e-12, 6.2e-24. The root is below 2^64.
    /// @param a |a| < 2^63.
    /// @param b 0 < b < 2^63.
    function hypotenuse(int256 a, int256 b) internal pure returns (uint256 root) {
        unchecked {
            uint256 value = uint256(a * a + b * b);
            uint256 one = FixedPointMathLib.abs(a);
            uint256 other = uint256(b);
            // Each step equals root = (root + value / root) / 2, and root is never zero because b is not.
            assembly ("memory-safe") {
                let swap := mul(xor(one, other), lt(one, other))
                root := add(xor(one, swap), shr(3, mul(3, xor(other, swap))))
                root := shr(1, add(root, div(value, root)))
                root := shr(1, add(root, div(value, root)))
                root := shr(1, add(root, div(value, root)))
                root := shr(1, add(root, div(value, root)))
                root := sub(root, lt(div(value, root), root))
            }
        }
    }

    /// @notice floor(value * 2^bits / 10^18): a decimal parameter as binary fixed point.
    /// @dev The caller knows a bound: |value| < 2^(255 - bits).
    function wadToBinary(int256 valueWad, uint256 bits) internal pure returns (int256) {
        return floorDivUnchecked(valueWad << bits, ONE_WAD);
    }

    /// @notice `wadToBinary` at 64 bits.
    function wadToQ64(int256 valueWad) internal pure returns (int256) {
        return wadToBinary(valueWad, 64);
    }

    /// @notice `wadToQ64` of what is not negative and below 2^192, for less.
    function naturalToQ64(uint256 valueWad) internal pure returns (uint256) {
        return (valueWad << 64) / uint256(ONE_WAD);
    }

    /// @notice The value, but at most `limit` and at least -`limit`, which is not negative.
    function clamp(int256 value, int256 limit) internal pure returns (int256) {
        unchecked {
            return FixedPointMathLib.clamp(value, -limit, limit);
        }
    }

    /// @dev floorDiv without its check, in place of it where the denominator is a positive constant. The assembly equals
    ///      quotient = numerator / denominator; if (numerator % denominator < 0) --quotient.
    function floorDivUnchecked(int256 numerator, int256 denominator) internal pure returns (int256 quotient) {
        assembly ("memory-safe") {
            quotient := sub(sdiv(numerator, denominator), slt(smod(numerator, denominator), 0))
        }
    }

    /// @dev ceilDiv without its check, likewise. The assembly equals
    ///      quotient = numerator / denominator; if (numerator % denominator > 0) ++quotient.
    function ceilDivUnchecked(int256 numerator, int256 denominator) internal pure returns (int256 quotient) {
        assembly ("memory-safe") {
            quotient := add(sdiv(numerator, denominator), sgt(smod(numerator, denominator), 0))
        }
    }
}
