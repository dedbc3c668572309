// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

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
}
