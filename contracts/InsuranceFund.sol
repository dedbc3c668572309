// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IInsuranceFund } from "./interfaces/IInsuranceFund.sol";
import { IMarginVault } from "./interfaces/IMarginVault.sol";

/// @title Pays what accounts left with nothing owe
contract InsuranceFund is IInsuranceFund {
    using SafeERC20 for IERC20;

    uint256 private constant E8_DECIMALS = 8;
    bytes32 private constant EMPTY_PORTFOLIO = keccak256("");

    /// @notice Where accounts and their cash are kept.
    IMarginVault public immutable vault;
    /// @notice The settlement token: the only one that can ever leave.
    IERC20 public immutable token;
    uint256 private immutable _decimals;

    /// @param vault_ Where accounts and their cash are kept.
    constructor(IMarginVault vault_) {
        vault = vault_;
        token = IERC20(vault_.settlementToken());
        _decimals = IERC20Metadata(address(token)).decimals();
    }

    /// @inheritdoc IInsuranceFund
    function cover(uint64 account) external returns (uint256 amount) {
        bytes32 held = vault.portfolioHash(account);
        require(held == EMPTY_PORTFOLIO, PositionsOpen(account));
        int256 cash = vault.cash(account);
        uint256 deficit = cash < 0 ? uint256(-cash) : 0;
        amount = FixedPointMathLib.min(_toUnits(deficit), _representable(token.balanceOf(address(this))));
        require(amount != 0, NothingToCover(account, deficit));
        emit DeficitCovered(account, amount);
        token.forceApprove(address(vault), amount);
        vault.depositCash(account, amount);
    }

    /// @dev Whole units only, rounded down: never more than what is missing.
    function _toUnits(uint256 amountE8) private view returns (uint256) {
        if (_decimals <= E8_DECIMALS) return amountE8 / 10 ** (E8_DECIMALS - _decimals);
        return amountE8 * 10 ** (_decimals - E8_DECIMALS);
    }

    /// @dev The vault takes whole numbers of E8 only.
    function _representable(uint256 amount) private view returns (uint256) {
        if (_decimals <= E8_DECIMALS) return amount;
        return amount - (amount % 10 ** (_decimals - E8_DECIMALS));
    }
}
