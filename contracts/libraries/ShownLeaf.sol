// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Reading } from "./Reading.sol";
import { TypedData } from "./TypedData.sol";

/// @title A leaf as users show it (shown.py): its figures, and none of what the contracts know themselves
/// @notice 48 bytes of figures, 12 each, E8: portfolio value and spot value (signed), initial and maintenance margin; then two bytes per held
///         underlying, the worst scenarios. Account and portfolio are those that it is shown for: a leaf of others has another hash.
library ShownLeaf {
    uint256 internal constant FIGURES_BYTES = 48;
    uint256 internal constant PAIR_BYTES = 2;

    /// @notice A leaf's worst scenarios in one word, as the epoch registry takes them: up to eight pairs from the first byte on, and in the
    ///         last 16 bytes how many there are. Of more only the number is true, for which they are refused.
    function packed(bytes calldata pairs) internal pure returns (bytes32) {
        // Whatever follows the pairs stays in the word, and is not looked at.
        unchecked {
            return bytes32(((Reading.wordAt(pairs, 0) >> 128) << 128) | (pairs.length / PAIR_BYTES));
        }
    }

    /// @notice What a leaf leaves of its account's cash beyond what margin and spot need, and the leaf's struct hash.
    /// @param shown At least 48 bytes, which the caller has made sure of; what follows them are the worst scenarios.
    /// @return value Portfolio value, E8.
    /// @return spotValue The part of it that is spot collateral, E8.
    /// @return initialMargin E8.
    /// @return leafHash Struct hash of the leaf.
    function read(
        bytes calldata shown,
        uint256 account,
        bytes32 portfolioHash
    ) internal pure returns (int256 value, int256 spotValue, uint256 initialMargin, bytes32 leafHash) {
        uint256 word = Reading.wordAt(shown, 0);
        // The conversions restore the sign.
        value = int96(uint96(word >> 160));
        spotValue = int96(uint96(word >> 64));
        initialMargin = Reading.wordAt(shown, 24) >> 160;
        bytes32 typeHash = TypedData.LEAF_TYPEHASH;
        // Equals keccak256(abi.encode(LEAF_TYPEHASH, account, portfolioHash, value, spotValue, initialMargin, maintenanceMargin,
        // keccak256(shown[48:]))), the maintenance margin being the 12 bytes from 36 on.
        assembly ("memory-safe") {
            let free := mload(0x40)
            let length := sub(shown.length, FIGURES_BYTES)
            calldatacopy(free, add(shown.offset, FIGURES_BYTES), length)
            mstore(add(free, 224), keccak256(free, length))
            mstore(free, typeHash)
            mstore(add(free, 32), account)
            mstore(add(free, 64), portfolioHash)
            mstore(add(free, 96), value)
            mstore(add(free, 128), spotValue)
            mstore(add(free, 160), initialMargin)
            mstore(add(free, 192), shr(160, calldataload(add(shown.offset, 36))))
            leafHash := keccak256(free, 256)
        }
    }
}
