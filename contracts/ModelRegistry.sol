// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { SSTORE2 } from "solady/src/utils/SSTORE2.sol";
import { IModelRegistry } from "./interfaces/IModelRegistry.sol";
import { ModelCodec } from "./libraries/ModelCodec.sol";

/// @title Margin models by hash, and the current one
/// @dev A model is stored as the code of an address of its own: reading it costs one cold account, whatever its size.
contract ModelRegistry is IModelRegistry, AccessControl {
    /// @notice May publish models.
    bytes32 public constant MODEL_ROLE = keccak256("MODEL_ROLE");

    /// @inheritdoc IModelRegistry
    bytes32 public current;

    mapping(bytes32 hash => address pointer) private _pointers;

    /// @param admin Grants and revokes the roles.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IModelRegistry
    function publish(bytes calldata model) external onlyRole(MODEL_ROLE) returns (bytes32 hash) {
        ModelCodec.check(model);
        hash = keccak256(model);
        if (_pointers[hash] == address(0)) _pointers[hash] = SSTORE2.write(model);
        current = hash;
        emit ModelPublished(hash, model);
    }

    /// @inheritdoc IModelRegistry
    function modelBytes(bytes32 hash) external view returns (bytes memory) {
        address pointer = _pointers[hash];
        if (pointer == address(0)) revert UnknownModel(hash);
        return SSTORE2.read(pointer);
    }
}
