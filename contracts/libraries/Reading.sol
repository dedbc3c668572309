// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Big-endian integers inside byte strings
/// @notice The caller has checked that the field lies within the bytes: nothing is checked here.
/// @dev `word(data, i)` equals bytes32(data[i:i+32]) with whatever follows the data in place of missing bytes; the callers shift
///      those out again.
library Reading {
    /// @notice The 32 bytes at an offset, zeros or whatever else follows the data in place of missing ones.
    function wordAt(bytes calldata data, uint256 offset) internal pure returns (uint256) {
        return uint256(_word(data, offset));
    }

    /// @notice The bytes from an offset to before another, neither of which is checked. Equals data[from:to].
    function part(
        bytes calldata data,
        uint256 from,
        uint256 to
    ) internal pure returns (bytes calldata result) {
        assembly ("memory-safe") {
            result.offset := add(data.offset, from)
            result.length := sub(to, from)
        }
    }

    /// @notice The words from an offset on; what is left over at the end is not among them.
    function words(bytes calldata data, uint256 from) internal pure returns (bytes32[] calldata result) {
        assembly ("memory-safe") {
            result.offset := add(data.offset, from)
            result.length := shr(5, sub(data.length, from))
        }
    }

    /// @notice keccak256(data), without keeping the copy that is hashed.
    function hashOf(bytes calldata data) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, data.offset, data.length)
            result := keccak256(free, data.length)
        }
    }

    /// @notice The unsigned byte at an offset.
    function uint8At(bytes calldata data, uint256 offset) internal pure returns (uint256) {
        return uint256(_word(data, offset)) >> 248;
    }

    /// @notice The unsigned 4-byte integer at an offset.
    function uint32At(bytes calldata data, uint256 offset) internal pure returns (uint256) {
        return uint256(_word(data, offset)) >> 224;
    }

    /// @notice The unsigned 8-byte integer at an offset.
    function uint64At(bytes calldata data, uint256 offset) internal pure returns (uint256) {
        return uint256(_word(data, offset)) >> 192;
    }

    /// @notice The signed 8-byte integer at an offset.
    function int64At(bytes calldata data, uint256 offset) internal pure returns (int256) {
        return int256(uint256(_word(data, offset))) >> 192;
    }

    /// @notice The unsigned byte at an offset, in memory.
    function uint8In(bytes memory data, uint256 offset) internal pure returns (uint256) {
        return uint256(_wordIn(data, offset)) >> 248;
    }

    /// @notice The unsigned 4-byte integer at an offset, in memory.
    function uint32In(bytes memory data, uint256 offset) internal pure returns (uint256) {
        return uint256(_wordIn(data, offset)) >> 224;
    }

    /// @notice The unsigned 8-byte integer at an offset, in memory.
    function uint64In(bytes memory data, uint256 offset) internal pure returns (uint256) {
        return uint256(_wordIn(data, offset)) >> 192;
    }

    /// @notice The signed 16-byte integer at an offset, in memory.
    function int128In(bytes memory data, uint256 offset) internal pure returns (int256) {
        return int256(uint256(_wordIn(data, offset))) >> 128;
    }

    function _word(bytes calldata data, uint256 offset) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := calldataload(add(data.offset, offset))
        }
    }

    function _wordIn(bytes memory data, uint256 offset) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := mload(add(add(data, 32), offset))
        }
    }
}
