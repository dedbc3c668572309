// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The fields of an instrument id (instruments.py)
/// @notice Bits 26..31 underlying, 16..25 expiry index (0 spot, 1 perpetual, 2.. dated), 1..15 strike index (0 future, 1.. option), 0 put.
library InstrumentId {
    uint256 internal constant PERPETUAL_INDEX = 1;
    uint256 internal constant FIRST_EXPIRY_INDEX = 2;

    /// @notice The underlying of an id.
    function underlying(uint256 id) internal pure returns (uint256) {
        return id >> 26;
    }

    /// @notice The expiry index of an id.
    function expiryIndex(uint256 id) internal pure returns (uint256) {
        return (id >> 16) & 1023;
    }

    /// @notice The strike index of an id.
    function strikeIndex(uint256 id) internal pure returns (uint256) {
        return (id >> 1) & 32767;
    }

    /// @notice Whether the put bit is set.
    function isPut(uint256 id) internal pure returns (bool) {
        return id & 1 != 0;
    }

    /// @notice Whether an id is spot collateral.
    function isSpot(uint256 id) internal pure returns (bool) {
        return expiryIndex(id) == 0;
    }
}
