// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { ModelCodec } from "../libraries/ModelCodec.sol";
import { Scenario } from "../libraries/Scenario.sol";

/// @title What the vectors ask for and no other contract offers by itself: for tests only
contract VectorHarness is EIP712 {
    /// @notice The protocol's domain.
    constructor() EIP712("marginproof", "1") {}

    /// @notice The domain separator of this chain and this address.
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @notice What is signed for a struct hash on this chain and at this address.
    /// @param structHash EIP-712 struct hash.
    function digest(bytes32 structHash) external view returns (bytes32) {
        return _hashTypedDataV4(structHash);
    }

    /// @notice Multiplier and floor of total volatility, Q58.
    /// @param model Canonical model bytes.
    /// @param underlying The underlying whose parameters are meant.
    /// @param time Seconds to expiry.
    /// @param kind 0 none, 1 up, 2 down.
    function volRule(
        bytes memory model,
        uint256 underlying,
        uint256 time,
        uint256 kind
    ) external pure returns (uint256 multiplier, uint256 floor) {
        ModelCodec.check(model);
        return Scenario.volRule(Scenario.volRules(ModelCodec.section(model, underlying), time), kind);
    }
}
