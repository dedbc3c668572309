// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { Range } from "./Range.sol";

/// @title Natural logarithm and exponential (logarithm.py), in 96-bit fixed point after a range reduction
library Logarithm {
    /// @dev floor(2^96 ln 2).
    uint256 internal constant LN2 = 54916777467707473351141471128;

    /// @dev floor(2^96 ln(1 + j/8)), two to a word: even j in the low half, odd j in the high half.
    uint256 private constant LN_EIGHTHS_0_1 = 9331733490407339481906020321 << 128;
    uint256 private constant LN_EIGHTHS_2_3 =
        (25230503962333098831887785676 << 128) | 17679253547532294036705525221;
    uint256 private constant LN_EIGHTHS_4_5 =
        (38465892130698103515515896908 << 128) | 32124255479057406416523745725;
    uint256 private constant LN_EIGHTHS_6_7 =
        (49803509026589700453229270947 << 128) | 44337330592095756615844442015;

    uint256 private constant ONE_Q96 = 2 ** 96;
    int256 internal constant MAX_EXP_ARGUMENT = 40 * 2 ** 64;

    /// @notice ln(x), Q64, rounded down, within 2 units.
    /// @dev x = 2^n z with z in [1, 2); c = 1 + j/8 the largest eighth not above z; s = (z - c)/(z + c) < 1/17;
    ///      ln x = n ln 2 + ln c + 2 (s + s^3/3 + ... + s^15/15). Every factor is below 2^97, so no product reaches 2^194.
    /// @param x 1 <= x < 2^64; reverts with OutOfRange("logarithm", ..) otherwise.
    function ln(uint256 x) internal pure returns (int256) {
        if (x == 0 || x >> 64 != 0) Range.check("logarithm", int256(x), 1, 2 ** 64 - 1);
        return lnWith(x, log2(x));
    }

    /// @notice floor(log2(x)), for what is below 2^64: half the range of the library's.
    /// @dev Each line halves the bits in question; of the last four a table has the logarithm.
    /// @param x 1 <= x < 2^64: not checked here.
    function log2(uint256 x) internal pure returns (uint256 n) {
        assembly ("memory-safe") {
            n := shl(5, lt(0xffffffff, x))
            n := or(n, shl(4, lt(0xffff, shr(n, x))))
            n := or(n, shl(3, lt(0xff, shr(n, x))))
            n := or(n, shl(2, lt(0xf, shr(n, x))))
            n := or(n, byte(shr(n, x), 0x0000010102020202030303030303030300000000000000000000000000000000))
        }
    }

    /// @notice ln(x), as above, where floor(log2(x)) is known.
    /// @param x 1 <= x < 2^64: not checked here.
    /// @param n floor(log2(x)).
    function lnWith(uint256 x, uint256 n) internal pure returns (int256) {
        unchecked {
            uint256 z = x << (63 - n);
            uint256 j = (z >> 60) & 7;
            uint256 c = (8 + j) << 60;
            uint256 s = FixedPointMathLib.rawDiv((z - c) << 96, z + c);
            uint256 square = (s * s) >> 96;
            uint256 series = ONE_Q96 / 15;
            series = ONE_Q96 / 13 + ((series * square) >> 96);
            series = ONE_Q96 / 11 + ((series * square) >> 96);
            series = ONE_Q96 / 9 + ((series * square) >> 96);
            series = ONE_Q96 / 7 + ((series * square) >> 96);
            series = ONE_Q96 / 5 + ((series * square) >> 96);
            series = ONE_Q96 / 3 + ((series * square) >> 96);
            series = ONE_Q96 + ((series * square) >> 96);
            return int256((n * LN2 + _lnEighth(j) + 2 * ((s * series) >> 96)) >> 32);
        }
    }

    /// @notice ln(x), as above, cheaper than `ln` where a power of two near x is known.
    /// @param x 1 <= x < 2^64: not checked here.
    /// @param guess About floor(log2(x)), below 64.
    function lnNear(uint256 x, uint256 guess) internal pure returns (int256) {
        unchecked {
            while (x >> guess == 0) --guess;
            while (x >> guess > 1) ++guess;
            return lnWith(x, guess);
        }
    }

    /// @notice e^x, Q64 in, Q64 out, rounded down at every step.
    /// @dev x = n ln 2 + r with 0 <= r < ln 2; e^r = 1 + r(1 + r/2(1 + r/3(... (1 + r/20)))); e^x = 2^n e^r. The series stays below
    ///      2^97 and n within -58 .. 57, so nothing reaches 2^194.
    /// @param x |x| <= 40; reverts with OutOfRange("exponential", ..) otherwise.
    function exp(int256 x) internal pure returns (uint256) {
        Range.check("exponential", x, -MAX_EXP_ARGUMENT, MAX_EXP_ARGUMENT);
        return _exp(x);
    }

    /// @notice e^x with x first brought into [-40, 40], so that it is defined for every argument. Q64 in, Q64 out.
    function boundedExp(int256 x) internal pure returns (uint256) {
        unchecked {
            // Both bounds in one comparison: what is below them is a huge number.
            if (uint256(x + MAX_EXP_ARGUMENT) > uint256(2 * MAX_EXP_ARGUMENT))
                x = FixedPoint.clamp(x, MAX_EXP_ARGUMENT);
        }
        return _exp(x);
    }

    /// @notice ratio^exponent, Q64, for a ratio given by its logarithm; the product is floored before the exponential, and beyond e^40
    ///         and below e^-40 the result stays there.
    /// @param ratioLogarithm Q64.
    /// @param exponent Q64.
    function power(int256 ratioLogarithm, int256 exponent) internal pure returns (uint256) {
        return boundedExp(FixedPoint.mulShift(ratioLogarithm, exponent, 64));
    }

    /// @dev `exp` within its range.
    function _exp(int256 x) private pure returns (uint256) {
        unchecked {
            // 58 more, so that nothing is negative.
            uint256 moved = uint256((x << 32) + int256(58 * LN2));
            uint256 n = moved / LN2;
            uint256 r = moved - n * LN2;
            // Equals one = ONE_Q96, for what is moved is never zero. The constant itself would be shifted anew for every term.
            uint256 one;
            assembly ("memory-safe") {
                one := shl(96, gt(moved, 0))
            }
            // Written out: a loop would cost as much again. A shift by 96 and a division are one division.
            uint256 series = one + r / 20;
            series = one + (series * r) / (19 << 96);
            series = one + (series * r) / (18 << 96);
            series = one + (series * r) / (17 << 96);
            series = one + (series * r) / (16 << 96);
            series = one + (series * r) / (15 << 96);
            series = one + (series * r) / (14 << 96);
            series = one + (series * r) / (13 << 96);
            series = one + (series * r) / (12 << 96);
            series = one + (series * r) / (11 << 96);
            series = one + (series * r) / (10 << 96);
            series = one + (series * r) / (9 << 96);
            series = one + (series * r) / (8 << 96);
            series = one + (series * r) / (7 << 96);
            series = one + (series * r) / (6 << 96);
            series = one + (series * r) / (5 << 96);
            series = one + (series * r) / (4 << 96);
            series = one + (series * r) / (3 << 96);
            series = one + (series * r) / (2 << 96);
            series = one + ((series * r) >> 96);
            return n < 90 ? series >> (90 - n) : series << (n - 90);
        }
    }

    function _lnEighth(uint256 j) private pure returns (uint256) {
        unchecked {
            uint256 pair =
                j < 4 ? (j < 2 ? LN_EIGHTHS_0_1 : LN_EIGHTHS_2_3) : (j < 6 ? LN_EIGHTHS_4_5 : LN_EIGHTHS_6_7);
            return (pair >> ((j & 1) << 7)) & type(uint128).max;
        }
    }
}
