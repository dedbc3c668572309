// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";

/// @title Who signed a digest
/// @notice Signatures are 65 bytes each (r, s, v) with a low s, by strictly increasing address of the signer: none counts twice. Reverts with
///         the registry's WrongSignatureLength, BadSignature, SignersNotIncreasing.
library Signers {
    uint256 private constant SIGNATURE_BYTES = 65;

    /// @notice The signers, increasing.
    function recover(
        bytes32 digest,
        bytes calldata signatures
    ) internal pure returns (address[] memory signers) {
        signers = new address[](count(signatures));
        address previous = address(0);
        for (uint256 i = 0; i < signers.length; ++i) {
            previous = next(digest, signatures, i, previous);
            signers[i] = previous;
        }
    }

    /// @notice How many signatures there are.
    function count(bytes calldata signatures) internal pure returns (uint256) {
        require(
            signatures.length % SIGNATURE_BYTES == 0,
            IEpochRegistry.WrongSignatureLength(signatures.length)
        );
        return signatures.length / SIGNATURE_BYTES;
    }

    /// @notice The signer of signature `i`, which must be below `count`, after that of the one before it (zero for the first).
    function next(
        bytes32 digest,
        bytes calldata signatures,
        uint256 i,
        address previous
    ) internal pure returns (address signer) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        // Equals reading them from signatures[i * 65:(i + 1) * 65].
        assembly ("memory-safe") {
            let at := add(signatures.offset, mul(i, 65))
            r := calldataload(at)
            s := calldataload(add(at, 32))
            v := byte(0, calldataload(add(at, 64)))
        }
        ECDSA.RecoverError problem;
        (signer, problem, ) = ECDSA.tryRecover(digest, v, r, s);
        require(problem == ECDSA.RecoverError.NoError, IEpochRegistry.BadSignature(i));
        require(signer > previous, IEpochRegistry.SignersNotIncreasing(previous, signer));
    }

    /// @notice The only signer.
    function recoverOne(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        require(signature.length == SIGNATURE_BYTES, IEpochRegistry.WrongSignatureLength(signature.length));
        return recover(digest, signature)[0];
    }
}
