// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { GaussianTable } from "./GaussianTable.sol";

/// @dev Where in memory the coefficients start.
type TailTable is uint256;

/// @title The standard normal distribution in Q60 (gaussian.py)
library Gaussian {
    uint256 internal constant ONE_Q60 = 2 ** 60;
    /// @dev A cell is 2^56 in Q58: one quarter.
    uint256 private constant CELL_BITS = 56;
    uint256 private constant CELLS = 36;
    uint256 private constant ROW_BYTES = 104;

    /// @notice Copy the coefficients to memory, once per call.
    function load() internal pure returns (TailTable table) {
        bytes memory coefficients = GaussianTable.COEFFICIENTS;
        assembly ("memory-safe") {
            table := add(coefficients, 32)
        }
    }

    /// @notice N(-x), the probability of a standard normal above x, Q60; exactly 0 from x = 9 on.
    /// @dev With j = floor(4x) and u = x - (j + 1/2)/4, Horner's rule over the row's 13 coefficients c0..c12:
    ///      total = c12; for k = 11 down to 0: total = ck + ((total * u) >> 58); then max(0, total >> 2).
    ///      Assembly because Solidity cannot read 8-byte integers from memory without bounds checks: `sar(192, mload(p))` equals
    ///      int64(bytes8 at p). |total| < 2^61 and |u| <= 2^55, so no product reaches 2^117.
    /// @param x Q58, at least 0.
    function upperTail(uint256 x, TailTable table) internal pure returns (uint256 result) {
        unchecked {
            uint256 j = x >> CELL_BITS;
            if (j >= CELLS) return 0;
            int256 u = int256(x & (2 ** CELL_BITS - 1)) - int256(2 ** (CELL_BITS - 1));
            uint256 row = TailTable.unwrap(table) + j * ROW_BYTES;
            int256 total;
            assembly ("memory-safe") {
                total := sar(192, mload(add(row, 96)))
                total := add(sar(192, mload(add(row, 88))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 80))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 72))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 64))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 56))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 48))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 40))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 32))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 24))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 16))), sar(58, mul(total, u)))
                total := add(sar(192, mload(add(row, 8))), sar(58, mul(total, u)))
                total := add(sar(192, mload(row)), sar(58, mul(total, u)))
            }
            return uint256(FixedPointMathLib.max(total >> 2, 0));
        }
    }

    /// @notice N(x), for either sign, Q60. N(-x) = 1 - N(x) holds exactly, by definition.
    /// @param x Q58.
    function normalCdf(int256 x, TailTable table) internal pure returns (uint256) {
        unchecked {
            return x < 0 ? upperTail(uint256(-x), table) : ONE_Q60 - upperTail(uint256(x), table);
        }
    }
}
