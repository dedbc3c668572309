// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Stands in for the epoch registry and notes what a ledger asks it, for tests
contract TicketRecorder {
    /// @notice The hash of the leaves of the last tickets.
    bytes32 public leavesHash;
    /// @notice Signatures of the last tickets.
    bytes public signatures;
    /// @notice The pairs that name the underlyings of the last tickets.
    bytes32 public underlyings;
    /// @notice The underlying of the last trade.
    uint8 public underlying;
    /// @notice How much was traded, E8.
    uint256 public quantityE8;
    /// @notice The greatest that one may cost but for its spot, E8.
    uint256 public unitE8;

    /// @notice Note everything and refuse nothing.
    function useTickets(
        bytes32 leavesHash_,
        bytes calldata signatures_,
        bytes32 underlyings_,
        uint8 underlying_,
        uint256 quantityE8_,
        uint256 unitE8_
    ) external {
        leavesHash = leavesHash_;
        signatures = signatures_;
        underlyings = underlyings_;
        underlying = underlying_;
        quantityE8 = quantityE8_;
        unitE8 = unitE8_;
    }
}
