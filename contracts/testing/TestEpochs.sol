// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Stands for the epoch registry where only the newest market's hash is asked for: for tests only
contract TestEpochs {
    /// @notice The market hash of the newest epoch.
    bytes32 public latestMarketHash;

    /// @notice Set the hash; anyone may.
    /// @param hash Market hash.
    function setMarket(bytes32 hash) external {
        latestMarketHash = hash;
    }
}
