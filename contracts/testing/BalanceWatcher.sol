// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IMarginVault } from "../interfaces/IMarginVault.sol";

/// @title What a reader of the vault sees in the middle of a transfer, for tests
contract BalanceWatcher {
    /// @notice How often it looked.
    uint256 public looks;
    /// @notice The cash of the account at the last look, E8.
    int256 public cashSeen;
    /// @notice The settlement tokens that the vault held at the last look.
    uint256 public heldSeen;

    /// @notice Look at an account's cash and at what backs it.
    function look(IMarginVault vault, uint64 account) external {
        ++looks;
        cashSeen = vault.cash(account);
        heldSeen = IERC20(vault.settlementToken()).balanceOf(address(vault));
    }
}
