// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IProtocolErrors } from "./IProtocolErrors.sol";

/// @title Holds settlement tokens for the losses of accounts that have nothing left
/// @notice Anyone gives by sending tokens here; slashed bonds arrive the same way. Nothing leaves but into accounts without positions whose
///         cash is negative. Tokens other than the settlement token stay for ever: bonds should be in the settlement token.
interface IInsuranceFund is IProtocolErrors {
    /// @notice Tokens went into an account, in token units.
    event DeficitCovered(uint64 indexed account, uint256 amount);

    /// @notice The account owes less than one token unit (`deficit`, E8), or the fund is empty.
    error NothingToCover(uint64 account, uint256 deficit);

    /// @notice Pay the deficit of an account without positions, as far as the fund reaches. Anyone may.
    /// @param account The account.
    /// @return amount Token units.
    function cover(uint64 account) external returns (uint256 amount);
}
