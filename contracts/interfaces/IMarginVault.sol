// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IPortfolioLedger } from "./IPortfolioLedger.sol";

/// @title Accounts, and the tokens that come in as their cash or spot and leave again
/// @notice Amounts given and taken are in token units; cash is E8. Tokens must move exactly what they are told to: a fee on transfer or a
///         rebasing supply breaks safety. Safety of the settlement token: it is worth what the snapshots say. Liveness: it transfers.
interface IMarginVault is IPortfolioLedger {
    /// @notice Tokens came in for an account.
    event Deposited(uint64 indexed account, address indexed token, address indexed from, uint256 amount);
    /// @notice Settlement tokens left for an account: its new cash (E8, signed). How many, and to whom, the token's Transfer tells that follows.
    event CashWithdrawn(uint64 indexed account, int256 cash);
    /// @notice Spot collateral left for an account.
    event Withdrawn(uint64 indexed account, address indexed token, address indexed to, uint256 amount);
    /// @notice The token behind the spot of an underlying, for good.
    event CollateralSet(uint8 indexed underlying, address token, uint8 decimals);

    /// @notice The most of a token, in its units, that deposits may bring the vault to.
    event CapSet(address indexed token, uint256 cap);

    /// @notice An amount of zero.
    error ZeroAmount();
    /// @notice An amount that is no whole number of E8; it must be a multiple of `unit`.
    error AmountNotRepresentable(uint256 amount, uint256 unit);
    /// @notice The vault's balance did not change by exactly the amount.
    error TransferShort(uint256 expected, uint256 received);
    /// @notice An address that does not answer `decimals()`.
    error NotAToken(address token);
    /// @notice A token with more than 36 decimals.
    error TooManyDecimals(address token, uint256 decimals);
    /// @notice An underlying whose spot is not taken as collateral.
    error NoCollateral(uint8 underlying);
    /// @notice An underlying that has its token already.
    error CollateralAlreadySet(uint8 underlying);
    /// @notice More than the account may withdraw; both E8.
    error WithdrawalAboveAllowed(uint256 requested, uint256 allowed);
    /// @notice The vault would hold more of a token than its cap; token units.
    error CapExceeded(address token, uint256 held, uint256 cap);
    /// @notice A shown leaf that ends within its figures, its pairs or a sibling.
    error WrongLeafLength(uint256 length);

    /// @notice Take a token as spot collateral of an underlying, for good.
    /// @param underlying Its id.
    /// @param token The token.
    function setCollateral(uint8 underlying, address token) external;

    /// @notice Limit how much of a token deposits may bring the vault to. What is there stays, and leaves as before.
    /// @param token The settlement token or any collateral.
    /// @param cap Token units.
    function setCap(address token, uint256 cap) external;

    /// @notice Stop deposits and withdrawals on leaves. Withdrawals that rest on no signature go on, with positions or without.
    function pause() external;

    /// @notice Let them go on.
    function unpause() external;

    /// @notice Put settlement tokens of the caller into any account, frozen or not.
    /// @param account The account.
    /// @param amount Token units.
    function depositCash(uint64 account, uint256 amount) external;

    /// @notice Put spot collateral of the caller into an own account that is not frozen.
    /// @param account The account.
    /// @param underlying The underlying's id.
    /// @param amount Token units.
    /// @param portfolio What the account holds now.
    function depositSpot(uint64 account, uint8 underlying, uint256 amount, bytes calldata portfolio) external;

    /// @notice Take cash out on a leaf of the newest epoch, up to the lesser of cash + value - initial margin and cash + value - spot value.
    /// @dev What is shown comes packed, big-endian: an own account that is not frozen (8 bytes); how much, in token units (16); who receives
    ///      it (20); how many underlyings the account's leaf names (1); the leaf as in libraries/ShownLeaf.sol; the siblings from it up (32
    ///      each). A leaf of another account, or of what the account no longer holds, reverts with WrongRoot.
    /// @param shown All of it.
    function withdraw(bytes calldata shown) external;

    /// @notice Take cash out as on a leaf, with the figures recomputed here instead: no signature of this account's figures is needed. The
    ///         market was signed all the same: what leaves counts in the outflow, unless the account holds nothing but spot.
    /// @param account An own account that is not frozen.
    /// @param amount Token units.
    /// @param to Who receives them.
    /// @param portfolio What the account holds now.
    /// @param market The newest epoch's market bytes.
    function withdrawFull(
        uint64 account,
        uint256 amount,
        address to,
        bytes calldata portfolio,
        bytes calldata market
    ) external;

    /// @notice Take cash out of an account without positions.
    /// @param account An own account that is not frozen.
    /// @param amount Token units.
    /// @param to Who receives them.
    function withdrawUnencumbered(uint64 account, uint256 amount, address to) external;

    /// @notice Take spot collateral out, through the margin gate. When nothing is left but cash of at least 0, no epoch is needed.
    ///         While positions other than spot stay, what leaves counts in the outflow at the epoch's spot, rounded up.
    /// @param account An own account that is not frozen.
    /// @param underlying The underlying's id.
    /// @param amount Token units.
    /// @param to Who receives them.
    /// @param portfolio What the account holds now.
    /// @param market The newest epoch's market bytes.
    function withdrawSpot(
        uint64 account,
        uint8 underlying,
        uint256 amount,
        address to,
        bytes calldata portfolio,
        bytes calldata market
    ) external;

    /// @notice The most of a token, in its units, that deposits may bring the vault to; the greatest number until one is set.
    /// @param token The token.
    function capOf(address token) external view returns (uint256);

    /// @notice The settlement token.
    function settlementToken() external view returns (address);

    /// @notice The token behind the spot of an underlying; zero if there is none.
    /// @param underlying Its id.
    function collateral(uint8 underlying) external view returns (address);
}
