// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { SSTORE2 } from "solady/src/utils/SSTORE2.sol";
import { IModelRegistry } from "./interfaces/IModelRegistry.sol";
import { ModelCodec } from "./libraries/ModelCodec.sol";

/// @title Margin models by hash, and the current one
/// @dev A model is stored as the code of an address of its own, or of two where it is longer than code may be: reading it costs one cold
///      account per piece, whatever its size.
contract ModelRegistry is IModelRegistry, AccessControl {
    /// @notice May publish models.
    bytes32 public constant MODEL_ROLE = keccak256("MODEL_ROLE");

    /// @inheritdoc IModelRegistry
    bytes32 public current;

    /// @dev The longest code less the byte before the data. The longest model, of 8 sections with 128 scenarios each, has 31,122 bytes.
    uint256 private constant PIECE_BYTES = 24_575;

    mapping(bytes32 hash => address[2] pieces) private _pieces;

    /// @param admin Grants and revokes the roles.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IModelRegistry
    function publish(bytes calldata model) external onlyRole(MODEL_ROLE) returns (bytes32 hash) {
        ModelCodec.check(model);
        hash = keccak256(model);
        if (_pieces[hash][0] == address(0)) _store(_pieces[hash], model);
        current = hash;
        emit ModelPublished(hash, model);
    }

    /// @inheritdoc IModelRegistry
    function modelBytes(bytes32 hash) external view returns (bytes memory) {
        address[2] storage pieces = _pieces[hash];
        address first = pieces[0];
        if (first == address(0)) revert UnknownModel(hash);
        bytes memory model = SSTORE2.read(first);
        return model.length < PIECE_BYTES ? model : bytes.concat(model, SSTORE2.read(pieces[1]));
    }

    /// @dev A full first piece is followed by a second, even an empty one: that is how a reader knows.
    function _store(address[2] storage pieces, bytes calldata model) private {
        if (model.length < PIECE_BYTES) {
            pieces[0] = SSTORE2.write(model);
            return;
        }
        pieces[0] = SSTORE2.write(model[:PIECE_BYTES]);
        pieces[1] = SSTORE2.write(model[PIECE_BYTES:]);
    }
}
