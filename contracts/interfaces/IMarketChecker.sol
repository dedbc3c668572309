// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Checks of market bytes
interface IMarketChecker {
    /// @notice Refuse bytes that encode no market: BadLength, OutOfRange, NotIncreasing, NegativeVariance.
    /// @param market Market bytes.
    function check(bytes calldata market) external pure;
}
