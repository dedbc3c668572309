// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Strikes in 32 bits, eight to a word, the first in the low bits
/// @notice 30 bits times 1, 1e4, 1e6 or 1e8 by the upper two bits: exact, for strikes that are a small enough multiple of one of them
///         (whole dollars up to a billion, cents up to ten million). Other strikes have no short form, which is written as zero.
library StrikeWord {
    uint256 private constant MANTISSAS = 2 ** 30;

    /// @dev The four units, 64 bits each, the first in the low bits.
    uint256 private constant UNITS = 1 | (1e4 << 64) | (1e6 << 128) | (1e8 << 192);

    /// @notice The short form of a strike, or zero.
    /// @param strike E8, not zero.
    function shortForm(uint256 strike) internal pure returns (uint256) {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 unit = uint64(UNITS >> (64 * i));
            if (strike % unit == 0 && strike / unit < MANTISSAS) return (i << 30) | (strike / unit);
        }
        return 0;
    }

    /// @notice Strike `i` modulo 8 of a word, E8; zero if it has no short form.
    function strikeIn(uint256 word, uint256 i) internal pure returns (uint256) {
        unchecked {
            uint256 short = word >> ((i & 7) << 5);
            return (short & (MANTISSAS - 1)) * uint64(UNITS >> (((short >> 30) & 3) << 6));
        }
    }
}
