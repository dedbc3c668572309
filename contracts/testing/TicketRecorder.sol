// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Stands in for the epoch registry and notes what a ledger asks it, for tests
contract TicketRecorder {
    /// @notice The spot of every underlying, E8.
    uint64 public spot;
    /// @notice The leaves of the last tickets.
    bytes32[] public leaves;
    /// @notice Signatures of the last tickets.
    bytes public signatures;
    /// @notice The pairs that name the underlyings of the last tickets.
    bytes public underlyings;
    /// @notice The size of the last trade, E8.
    uint256 public sizeE8;

    /// @notice Choose the spot.
    function setSpot(uint64 spot_) external {
        spot = spot_;
    }

    /// @notice Note everything and refuse nothing.
    function useTickets(
        bytes32[] calldata leaves_,
        bytes calldata signatures_,
        bytes calldata underlyings_,
        uint256 sizeE8_
    ) external {
        leaves = leaves_;
        signatures = signatures_;
        underlyings = underlyings_;
        sizeE8 = sizeE8_;
    }

    /// @notice The same for every underlying.
    function spotOf(uint8) external view returns (uint64) {
        return spot;
    }
}
