// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Who may sign epochs, and how many of them must
/// @notice Safety: fewer than `threshold` attesters collude. Liveness: at least `threshold` of them work.
interface IAttesterSet {
    /// @notice The whole new configuration.
    event Configured(address[] attesters, uint8 threshold);

    /// @notice The zero address as an attester.
    error ZeroAttester();
    /// @notice Attesters that do not increase strictly: unsorted or duplicate.
    error AttestersNotIncreasing(address previous, address attester);
    /// @notice A threshold of zero, or above the number of attesters.
    error ThresholdOutOfRange(uint256 threshold, uint256 count);

    /// @notice Replace the whole set. Epochs posted earlier stay; those who left sign no further ones.
    /// @param attesters Strictly increasing, none zero.
    /// @param threshold Signatures per epoch, from 1 to the number of attesters.
    function configure(address[] calldata attesters, uint8 threshold) external;

    /// @notice Whether an address is an attester now.
    /// @param attester The address.
    function isAttester(address attester) external view returns (bool);

    /// @notice How many signatures an epoch carries.
    function threshold() external view returns (uint8);

    /// @notice All attesters, increasing.
    function attesters() external view returns (address[] memory);

    /// @notice What a wrong epoch costs its signers together, E8 of the settlement currency.
    function slashableE8() external view returns (uint256);
}
