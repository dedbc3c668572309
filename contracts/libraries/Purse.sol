// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice An account's cash and one page of its used nonces: what a trade changes, in one word. From the low bits up: cash (E8, 96 bits, signed),
///         64 nonces (a bit each), and which 64 they are (64 bits).
type Purse is uint256;

/// @title Reading and changing purses
library Purses {
    using SafeCast for int256;

    uint256 private constant NONCES_SHIFT = 96;
    uint256 private constant PAGE_SHIFT = 160;

    /// @notice The cash, E8, signed.
    function cash(Purse purse) internal pure returns (int256) {
        // The conversions cut off what stands above it, and restore the sign.
        return int96(uint96(Purse.unwrap(purse)));
    }

    /// @notice The purse with other cash, E8. Reverts with SafeCastOverflowedIntDowncast beyond 96 bits.
    function withCash(Purse purse, int256 balance) internal pure returns (Purse) {
        uint256 rest = Purse.unwrap(purse) >> NONCES_SHIFT;
        return Purse.wrap((rest << NONCES_SHIFT) | uint96(balance.toInt96()));
    }

    /// @notice Which page of nonces is in the purse: that of 64 x page and the 63 that follow.
    function page(Purse purse) internal pure returns (uint256) {
        return Purse.unwrap(purse) >> PAGE_SHIFT;
    }

    /// @notice The used nonces of that page, a bit each.
    function nonces(Purse purse) internal pure returns (uint256) {
        return uint64(Purse.unwrap(purse) >> NONCES_SHIFT);
    }

    /// @notice The purse with another page of nonces.
    function withPage(Purse purse, uint256 number, uint256 used) internal pure returns (Purse) {
        return Purse.wrap((number << PAGE_SHIFT) | (used << NONCES_SHIFT) | uint96(Purse.unwrap(purse)));
    }
}
