// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Margin models by hash, and the current one
interface IModelRegistry {
    /// @notice A model was checked and stored, and is the current one.
    event ModelPublished(bytes32 indexed hash, bytes model);

    /// @notice A hash under which no model was published.
    error UnknownModel(bytes32 hash);

    /// @notice Check a model, store it and make it the current one. Publishing an earlier one again makes it current again.
    /// @param model Canonical model bytes.
    /// @return hash keccak-256 of the bytes.
    function publish(bytes calldata model) external returns (bytes32 hash);

    /// @notice The hash of the current model; zero before the first.
    function current() external view returns (bytes32);

    /// @notice The canonical bytes of a published model. Reverts with UnknownModel(hash).
    /// @param hash Its hash.
    function modelBytes(bytes32 hash) external view returns (bytes memory);
}
