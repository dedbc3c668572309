// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { IModelRegistry } from "./interfaces/IModelRegistry.sol";
import { ModelCodec } from "./libraries/ModelCodec.sol";
import { ModelStore } from "./libraries/ModelStore.sol";

/// @title Margin models by hash, and the current one
/// @dev A model is stored as code at an address that follows from its hash, so that nobody needs to ask here for it.
contract ModelRegistry is IModelRegistry, AccessControl {
    /// @notice May publish models.
    bytes32 public constant MODEL_ROLE = keccak256("MODEL_ROLE");

    /// @inheritdoc IModelRegistry
    bytes32 public current;

    /// @param admin Grants and revokes the roles.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IModelRegistry
    function publish(bytes calldata model) external onlyRole(MODEL_ROLE) returns (bytes32 hash) {
        ModelCodec.check(model);
        hash = keccak256(model);
        if (!ModelStore.isStored(address(this), hash)) ModelStore.write(model);
        current = hash;
        emit ModelPublished(hash, model);
    }

    /// @inheritdoc IModelRegistry
    function modelBytes(bytes32 hash) external view returns (bytes memory) {
        return ModelStore.read(address(this), hash);
    }
}
