// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EpochHeader, Leaf, Order } from "../interfaces/Types.sol";

/// @title EIP-712 struct hashes of what attesters and traders sign, and of leaves (typed_data.py)
library TypedData {
    bytes32 internal constant HEADER_TYPEHASH = keccak256(
        "EpochHeader(uint64 round,uint64 time,uint64 blockNumber,bytes32 blockHash,uint64 validUntil,bytes32 modelHash,bytes32 marketHash,bytes32 leafRoot,uint64 leafCount)"
    );
    bytes32 internal constant LEAF_TYPEHASH = keccak256(
        "Leaf(uint64 account,bytes32 portfolioHash,int256 portfolioValue,int256 spotValue,uint256 initialMargin,uint256 maintenanceMargin,bytes worstScenarios)"
    );
    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "Order(uint64 account,uint32 instrument,int64 quantity,int64 price,uint64 nonce,uint64 deadline)"
    );

    bytes32 internal constant TICKETS_TYPEHASH = keccak256(
        "Tickets(uint64 round,bytes32 headerHash,bytes32[] leaves)"
    );

    /// @notice The struct hash of an epoch's header.
    function hashHeader(EpochHeader memory header) internal pure returns (bytes32) {
        // A struct of one-word fields encodes as its fields in order.
        return keccak256(abi.encode(HEADER_TYPEHASH, header));
    }

    /// @notice The same of a header in calldata, all of whose fields the caller reads: reading refuses a word out of its type's range.
    function hashHeaderGiven(EpochHeader calldata header) internal pure returns (bytes32 result) {
        bytes32 typeHash = HEADER_TYPEHASH;
        // Its fields are nine words that follow one another in calldata. Equals keccak256(abi.encode(HEADER_TYPEHASH, header)).
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 32), header, 288)
            result := keccak256(free, 320)
        }
    }

    /// @notice The struct hash of a leaf: what stands in the tree.
    function hashLeaf(Leaf memory leaf) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    LEAF_TYPEHASH,
                    leaf.account,
                    leaf.portfolioHash,
                    leaf.portfolioValue,
                    leaf.spotValue,
                    leaf.initialMargin,
                    leaf.maintenanceMargin,
                    keccak256(leaf.worstScenarios)
                )
            );
    }

    /// @notice The struct hash of an order.
    function hashOrder(Order memory order) internal pure returns (bytes32 result) {
        bytes32 typeHash = ORDER_TYPEHASH;
        // Equals keccak256(abi.encode(ORDER_TYPEHASH, order)): a struct of one-word fields is in memory as it is encoded.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            mcopy(add(free, 32), order, 192)
            result := keccak256(free, 224)
        }
    }

    /// @notice The struct hash of tickets: leaves of would-be portfolios, signed for one epoch.
    /// @param round Round of the epoch.
    /// @param headerHash Struct hash of its header.
    /// @param leaves Struct hashes of the leaves.
    function hashTickets(
        uint64 round,
        bytes32 headerHash,
        bytes32[] memory leaves
    ) internal pure returns (bytes32) {
        return hashTicketsGiven(round, headerHash, keccak256(abi.encodePacked(leaves)));
    }

    /// @notice The same with the hash of the leaves' struct hashes, one after the other.
    function hashTicketsGiven(
        uint64 round,
        bytes32 headerHash,
        bytes32 leavesHash
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(TICKETS_TYPEHASH, round, headerHash, leavesHash));
    }
}
