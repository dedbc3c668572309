// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { SSTORE2 } from "solady/src/utils/SSTORE2.sol";
import { IModelRegistry } from "../interfaces/IModelRegistry.sol";

/// @title Model bytes as code, at addresses that follow from the model's hash and the registry that wrote them
/// @notice Reading a model costs one cold account per piece of 24,575 bytes, whatever its size, and no call of the registry. Nobody but
///         the registry can write at its addresses, which are made of its own and a salt.
library ModelStore {
    /// @dev The longest code less the byte before the data. The longest model, of 8 sections with 128 scenarios each, has 31,122 bytes.
    uint256 private constant PIECE_BYTES = 24_575;

    /// @notice Store a checked model under its hash. A full first piece is followed by a second, even an empty one: that is how a reader
    ///         knows.
    function write(bytes calldata model) internal {
        bytes32 hash = keccak256(model);
        if (model.length < PIECE_BYTES) {
            SSTORE2.writeDeterministic(model, hash);
            return;
        }
        SSTORE2.writeDeterministic(model[:PIECE_BYTES], hash);
        SSTORE2.writeDeterministic(model[PIECE_BYTES:], _second(hash));
    }

    /// @notice Whether a registry stored a model.
    function isStored(address registry, bytes32 hash) internal view returns (bool) {
        return SSTORE2.predictDeterministicAddress(hash, registry).code.length != 0;
    }

    /// @notice The bytes of a model. Reverts with UnknownModel(hash).
    function read(address registry, bytes32 hash) internal view returns (bytes memory model) {
        address first = SSTORE2.predictDeterministicAddress(hash, registry);
        uint256 size = first.code.length;
        // Code is never empty: a byte stands before the data.
        if (size == 0) revert IModelRegistry.UnknownModel(hash);
        // Equals model = SSTORE2.read(first), the size being known. The byte before the data goes where the length then does.
        assembly ("memory-safe") {
            model := mload(0x40)
            extcodecopy(first, add(model, 31), 0, size)
            mstore(model, sub(size, 1))
            mstore(0x40, and(add(add(model, size), 94), not(31)))
        }
        if (size <= PIECE_BYTES) return model;
        return
            bytes.concat(model, SSTORE2.read(SSTORE2.predictDeterministicAddress(_second(hash), registry)));
    }

    function _second(bytes32 hash) private pure returns (bytes32) {
        return keccak256(abi.encode(hash));
    }
}
