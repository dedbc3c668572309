// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What disputes need of the ledger of accounts
interface IAccountHistory {
    /// @notice When an account was opened and what its portfolio's changes fold to (libraries/Provenance.sol).
    /// @param account The account, which must exist.
    /// @return openedAt The block of its opening.
    /// @return history The word that proves what it held after any block.
    function provenance(uint64 account) external view returns (uint64 openedAt, bytes32 history);

    /// @notice How many accounts there are; ids count from 0.
    function accountCount() external view returns (uint64);
}
