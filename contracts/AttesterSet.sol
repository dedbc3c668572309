// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { IAttesterSet } from "./interfaces/IAttesterSet.sol";

/// @title Who may sign epochs
contract AttesterSet is IAttesterSet, AccessControl {
    /// @inheritdoc IAttesterSet
    mapping(address => bool) public isAttester;
    /// @inheritdoc IAttesterSet
    uint8 public threshold;
    /// @dev What one attester's bond counts for, E8.
    uint256 private constant BOND_VALUE_E8 = 100_000e8;
    address[] private _attesters;

    /// @param admin May replace the set.
    /// @param attesters_ Strictly increasing, none zero.
    /// @param threshold_ Signatures per epoch.
    constructor(address admin, address[] memory attesters_, uint8 threshold_) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _configure(attesters_, threshold_);
    }

    /// @inheritdoc IAttesterSet
    function configure(
        address[] calldata attesters_,
        uint8 threshold_
    ) external onlyRole(DEFAULT_ADMIN_ROLE) {
        for (uint256 i = 0; i < _attesters.length; ++i) {
            isAttester[_attesters[i]] = false;
        }
        _configure(attesters_, threshold_);
    }

    /// @inheritdoc IAttesterSet
    function attesters() external view returns (address[] memory) {
        return _attesters;
    }

    /// @inheritdoc IAttesterSet
    function slashableE8() external view returns (uint256) {
        return uint256(threshold) * BOND_VALUE_E8;
    }

    function _configure(address[] memory attesters_, uint8 threshold_) private {
        require(
            threshold_ != 0 && threshold_ <= attesters_.length,
            ThresholdOutOfRange(threshold_, attesters_.length)
        );
        address previous = address(0);
        for (uint256 i = 0; i < attesters_.length; ++i) {
            address attester = attesters_[i];
            require(attester != address(0), ZeroAttester());
            require(attester > previous, AttestersNotIncreasing(previous, attester));
            isAttester[attester] = true;
            previous = attester;
        }
        _attesters = attesters_;
        threshold = threshold_;
        emit Configured(attesters_, threshold_);
    }
}
