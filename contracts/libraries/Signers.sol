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
        require(
            signatures.length % SIGNATURE_BYTES == 0,
            IEpochRegistry.WrongSignatureLength(signatures.length)
        );
        signers = new address[](signatures.length / SIGNATURE_BYTES);
        address previous = address(0);
        for (uint256 i = 0; i < signers.length; ++i) {
            bytes calldata signature = signatures[i * SIGNATURE_BYTES:(i + 1) * SIGNATURE_BYTES];
            (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
            require(problem == ECDSA.RecoverError.NoError, IEpochRegistry.BadSignature(i));
            require(signer > previous, IEpochRegistry.SignersNotIncreasing(previous, signer));
            signers[i] = signer;
            previous = signer;
        }
    }

    /// @notice The only signer.
    function recoverOne(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        require(signature.length == SIGNATURE_BYTES, IEpochRegistry.WrongSignatureLength(signature.length));
        return recover(digest, signature)[0];
    }
}
