// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { ISpecErrors } from "../interfaces/SpecErrors.sol";

/// @title The ordered tree over all leaves of an epoch (tree.py)
/// @notice Index = account id; the tree is full, of the least depth that holds all leaves; a parent is keccak(left | right), and which
///         side a node is on is a bit of the index: nobody can be omitted, doubled or moved.
library OrderedTree {
    uint256 internal constant MAX_DEPTH = 40;

    /// @notice Levels above the leaves: the least d with 2^d >= count. Reverts with TooManyLeaves(count) above 2^40.
    function depth(uint256 count) internal pure returns (uint256 levels) {
        if (count > 1) levels = Math.log2(count - 1) + 1;
        if (levels > MAX_DEPTH) revert ISpecErrors.TooManyLeaves(count);
    }

    /// @notice Check that a leaf hash stands at an index of a tree. Reverts with LeafOutOfRange, BadProofLength or WrongRoot.
    /// @param leaf Struct hash of the leaf.
    /// @param index Account id.
    /// @param count Count of leaves, from the header.
    /// @param proof The siblings, from the leaf up to below the root.
    /// @param root The root, from the header.
    function verify(
        bytes32 leaf,
        uint256 index,
        uint64 count,
        bytes32[] calldata proof,
        bytes32 root
    ) internal pure {
        if (index >= count) revert ISpecErrors.LeafOutOfRange(index, count);
        uint256 levels = proof.length;
        // The depth is the least number of levels that hold all leaves, the bits of the last index: `last >> levels` is zero, and with a level less
        // it is not. Twice the last index and one has a bit more, and is not zero. An index below the count shows that there is a last one.
        unchecked {
            if (levels > MAX_DEPTH || (2 * uint256(count - 1) + 1) >> levels != 1) {
                revert ISpecErrors.BadProofLength(levels, depth(count));
            }
        }
        bytes32 node = leaf;
        // for (uint256 height = 0; height < levels; ++height) {
        //     bytes32 sibling = proof[height];
        //     node = (index >> height) & 1 == 0 ? keccak256(abi.encode(node, sibling)) : keccak256(abi.encode(sibling, node));
        // }
        // Memory below 64 is free for hashing; of the index, what is above the bit that counts is cut off by the mask.
        assembly ("memory-safe") {
            let bits := shl(5, index)
            let at := proof.offset
            let end := add(at, shl(5, levels))
            // One level at a time until those left are a multiple of four, then four at a time.
            for {} and(sub(end, at), 96) {
                at := add(at, 32)
                bits := shr(1, bits)
            } {
                let place := and(bits, 32)
                mstore(place, node)
                mstore(xor(place, 32), calldataload(at))
                node := keccak256(0, 64)
            }
            for {} lt(at, end) {
                at := add(at, 128)
                bits := shr(4, bits)
            } {
                let place := and(bits, 32)
                mstore(place, node)
                mstore(xor(place, 32), calldataload(at))
                node := keccak256(0, 64)
                place := and(shr(1, bits), 32)
                mstore(place, node)
                mstore(xor(place, 32), calldataload(add(at, 32)))
                node := keccak256(0, 64)
                place := and(shr(2, bits), 32)
                mstore(place, node)
                mstore(xor(place, 32), calldataload(add(at, 64)))
                node := keccak256(0, 64)
                place := and(shr(3, bits), 32)
                mstore(place, node)
                mstore(xor(place, 32), calldataload(add(at, 96)))
                node := keccak256(0, 64)
            }
        }
        if (node != root) revert ISpecErrors.WrongRoot(node, root);
    }
}
