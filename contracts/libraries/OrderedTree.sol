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
        uint256 count,
        bytes32[] calldata proof,
        bytes32 root
    ) internal pure {
        if (index >= count) revert ISpecErrors.LeafOutOfRange(index, count);
        uint256 levels = depth(count);
        if (proof.length != levels) revert ISpecErrors.BadProofLength(proof.length, levels);
        bytes32 node = leaf;
        // For each height: `sibling` = proof[height], and `node` becomes keccak256(abi.encode(node, sibling)) if that bit of the index is
        // 0, keccak256(abi.encode(sibling, node)) if it is 1. Words 0 and 1 of memory are free for hashing.
        assembly ("memory-safe") {
            for {
                let height := 0
            } lt(height, levels) {
                height := add(height, 1)
            } {
                let place := shl(5, and(shr(height, index), 1))
                mstore(place, node)
                mstore(xor(place, 32), calldataload(add(proof.offset, shl(5, height))))
                node := keccak256(0, 64)
            }
        }
        if (node != root) revert ISpecErrors.WrongRoot(node, root);
    }
}
