// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IProtocolErrors } from "./IProtocolErrors.sol";

/// @title Margin calls, and the sale of unhealthy accounts in slices
/// @notice Rests on the newest market and an on-chain repricing, never on a signed figure. Money in E8, fractions in WAD.
interface ILiquidationHouse is IProtocolErrors {
    /// @notice An account was frozen: its equity is below the requirement in the chosen scenarios.
    event MarginCalled(uint64 indexed account, int256 equity, uint256 requirement, bytes choices);
    /// @notice A slice moved to a fresh account of the liquidator, for its value less the bonus.
    event SliceSold(
        uint64 indexed account,
        uint64 indexed freshAccount,
        address indexed liquidator,
        uint256 fraction,
        int256 sliceValue,
        uint256 bonus
    );
    /// @notice An account is healthy again and no longer frozen.
    event Released(uint64 indexed account);

    /// @notice Equity covers the requirement in the chosen scenarios.
    error AccountHealthy(uint64 account, int256 equity, uint256 requirement);
    /// @notice The account is not under a margin call.
    error NotCalled(uint64 account);
    /// @notice The caller owns the account.
    error SelfLiquidation(uint64 account);
    /// @notice A fraction above the greatest slice (WAD).
    error SliceTooLarge(uint256 fraction, uint256 max);
    /// @notice A fraction of zero.
    error ZeroFraction();
    /// @notice A fraction so small that no position moves.
    error EmptySlice(uint64 account, uint256 fraction);
    /// @notice The slice would leave a greater requirement behind than there was.
    error SliceRaisesRequirement(uint64 account, uint256 requirement, uint256 remaining);
    /// @notice Equity is below the maintenance margin over all scenarios.
    error StillUnhealthy(uint64 account, int256 equity, uint256 maintenanceMargin);

    /// @notice Freeze an account whose equity is below the maintenance requirement in the chosen scenarios.
    /// @param account The account, not frozen.
    /// @param portfolio What it holds now.
    /// @param market The newest epoch's market bytes.
    /// @param choices Two bytes per held underlying, in order: underlying, scenario.
    function callMargin(
        uint64 account,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external;

    /// @notice Buy a slice of a frozen account that is still unhealthy: a fraction of every position, rounded towards zero.
    /// @dev Price: the slice's value less a bonus, the discount on the requirement that goes with it: discount x fraction x requirement, but
    ///      for quantities cut to whole units. At most what keeps equity / requirement from falling, 0 when equity is not positive. If the
    ///      price is negative, the funding account receives it.
    /// @param account The account, not the caller's.
    /// @param fundingAccount An own account without positions, which pays; its cash must not end below zero.
    /// @param fractionWad Above 0, at most `maxSliceWad`; up to 1 when the requirement is below `dustE8` or equity at most 0.
    /// @param cashIn Cash moved from the funding account to the fresh one, E8, so that it passes the margin gate.
    /// @param portfolio What the account holds now.
    /// @param market The newest epoch's market bytes.
    /// @param choices Two bytes per held underlying, in order: underlying, scenario.
    /// @return freshAccount The liquidator's new account, with the slice.
    function liquidate(
        uint64 account,
        uint64 fundingAccount,
        uint256 fractionWad,
        uint256 cashIn,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external returns (uint64 freshAccount);

    /// @notice Unfreeze an account whose equity covers the maintenance margin over all scenarios.
    /// @param account The account, frozen.
    /// @param portfolio What it holds now.
    /// @param market The newest epoch's market bytes.
    function release(uint64 account, bytes calldata portfolio, bytes calldata market) external;

    /// @notice The bonus as a share of the requirement, WAD.
    function discountWad() external view returns (uint256);

    /// @notice The greatest slice, WAD.
    function maxSliceWad() external view returns (uint256);

    /// @notice The requirement below which an account may be sold at once, E8.
    function dustE8() external view returns (uint256);
}
