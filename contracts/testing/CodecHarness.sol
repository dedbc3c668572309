// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EpochHeader, Leaf, Order } from "../interfaces/Types.sol";
import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { MarketCodec } from "../libraries/MarketCodec.sol";
import { MarketHash } from "../libraries/MarketHash.sol";
import { MarketScan } from "../libraries/MarketScan.sol";
import { ModelCodec } from "../libraries/ModelCodec.sol";
import { OrderedTree } from "../libraries/OrderedTree.sol";
import { PortfolioCodec } from "../libraries/PortfolioCodec.sol";
import { Provenance } from "../libraries/Provenance.sol";
import { ShownLeaf } from "../libraries/ShownLeaf.sol";
import { TypedData } from "../libraries/TypedData.sol";

/// @title The libraries that read and commit to bytes, callable from outside: for tests and vectors
contract CodecHarness {
    /// @notice Revert unless the bytes encode a portfolio; returns its hash.
    function checkPortfolio(bytes calldata portfolio) external pure returns (bytes32) {
        PortfolioCodec.check(portfolio);
        return keccak256(portfolio);
    }

    /// @notice The portfolio after a trade.
    function applyTrade(
        bytes calldata portfolio,
        uint256 instrument,
        int256 quantity
    ) external pure returns (bytes memory) {
        return PortfolioCodec.applyTrade(portfolio, instrument, quantity);
    }

    /// @notice A portfolio cut in two.
    function split(
        bytes calldata portfolio,
        uint256 fractionWad
    ) external pure returns (bytes memory, bytes memory) {
        return PortfolioCodec.split(portfolio, fractionWad);
    }

    /// @notice A portfolio without the positions whose bits are set.
    function without(bytes calldata portfolio, uint256 removed) external pure returns (bytes memory) {
        return PortfolioCodec.without(portfolio, removed);
    }

    /// @notice Revert unless the bytes encode a model; returns its hash.
    function checkModel(bytes calldata model) external pure returns (bytes32) {
        ModelCodec.check(model);
        return keccak256(model);
    }

    /// @notice Revert unless the bytes encode a market; returns its hash and its next expiry.
    function checkMarket(bytes calldata market) external pure returns (bytes32, uint256) {
        MarketCodec.validate(market);
        return (MarketCodec.hash(market), MarketCodec.nextExpiry(market));
    }

    /// @notice Whether bytes of fitting lengths encode a market, and its next expiry.
    function scanMarket(bytes calldata market) external pure returns (bool, uint256) {
        return MarketScan.isSound(market);
    }

    /// @notice Whether a market quotes what an earlier one quotes, none of which has passed.
    function keepsQuotes(bytes calldata market, bytes calldata earlier) external pure returns (bool) {
        return MarketScan.keepsQuotes(market, earlier);
    }

    /// @notice The market hash, lengths checked only.
    function marketHash(bytes calldata market) external pure returns (bytes32) {
        return MarketCodec.hash(market);
    }

    /// @notice The market hash of bytes that may be abridged, lengths checked only: BadLength(length) where they do not fit.
    function abridgedHash(bytes calldata market) external pure returns (bytes32 result) {
        bool fits;
        (fits, result) = MarketHash.abridged(market);
        if (!fits) revert ISpecErrors.BadLength(market.length);
    }

    /// @notice Revert unless the leaf stands at the index of the tree.
    function verifyLeaf(
        bytes32 leaf,
        uint256 index,
        uint64 count,
        bytes32[] calldata proof,
        bytes32 root
    ) external pure {
        OrderedTree.verify(leaf, index, count, proof, root);
    }

    /// @notice The depth of a tree over so many leaves.
    function treeDepth(uint256 count) external pure returns (uint256) {
        return OrderedTree.depth(count);
    }

    /// @notice The hash of what an account held after a block.
    function heldAfter(
        bytes32 chain,
        Provenance.History calldata history,
        uint64 blockNumber
    ) external pure returns (bytes32) {
        return Provenance.heldAfter(chain, history, blockNumber);
    }

    /// @notice The struct hash of an epoch's header.
    function hashHeader(EpochHeader calldata header) external pure returns (bytes32) {
        return TypedData.hashHeader(header);
    }

    /// @notice The struct hash of a leaf.
    function hashLeaf(Leaf calldata leaf) external pure returns (bytes32) {
        return TypedData.hashLeaf(leaf);
    }

    /// @notice The struct hash of an order.
    function hashOrder(Order calldata order) external pure returns (bytes32) {
        return TypedData.hashOrder(order);
    }

    /// @notice What is read of a shown leaf, which must be long enough.
    function readShownLeaf(
        bytes calldata shown,
        uint64 account,
        bytes32 portfolioHash
    ) external pure returns (int256 value, int256 spotValue, uint256 initialMargin, bytes32 leafHash) {
        return ShownLeaf.read(shown, account, portfolioHash);
    }

    /// @notice The struct hash of tickets.
    function hashTickets(
        uint64 round,
        bytes32 headerHash,
        bytes32[] calldata leaves
    ) external pure returns (bytes32) {
        return TypedData.hashTickets(round, headerHash, leaves);
    }
}
