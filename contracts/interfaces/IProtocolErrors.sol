// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Refusals that several contracts share
/// @notice Money in E8, times in unix seconds.
interface IProtocolErrors {
    /// @notice An account that was never opened.
    error UnknownAccount(uint64 account);
    /// @notice Something only the account's owner may do.
    error NotOwner(uint64 account, address caller);
    /// @notice The account is under a margin call: it may be liquidated, topped up with cash and settled, nothing else.
    error AccountFrozen(uint64 account);
    /// @notice The portfolio bytes given are not those the account holds.
    error WrongPortfolio(uint64 account, bytes32 givenHash, bytes32 storedHash);
    /// @notice The account holds positions where none are allowed.
    error PositionsOpen(uint64 account);
    /// @notice The market bytes given are not those of the newest epoch.
    error WrongMarket(bytes32 given, bytes32 current);
    /// @notice Equity after the change would be below initial margin, and the change does not only reduce risk.
    error BelowInitialMargin(uint64 account, int256 equity, uint256 initialMargin);
    /// @notice Cash and portfolio value without spot collateral would be negative, by `deficit`.
    error CashDeficit(uint64 account, uint256 deficit);
    /// @notice A spot position, which is a claim on tokens held, would become negative.
    error SpotShort(uint64 account, uint256 id, int256 quantity);
    /// @notice Contracts are connected once and for good.
    error AlreadyConnected();
    /// @notice Something only a connected contract may do.
    error NotConnected(address caller);
    /// @notice An address that must not be zero.
    error ZeroAddress();
}
