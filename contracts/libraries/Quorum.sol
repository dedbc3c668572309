// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { IAttesterSet } from "../interfaces/IAttesterSet.sol";
import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";

/// @title Who signed
library Quorum {
    uint256 internal constant SIGNATURE_BYTES = 65;

    /// @notice Refuse anything but exactly `threshold` low-s signatures of active attesters, by increasing address of the signer.
    /// @param attesters Who may sign, and how many of them must.
    /// @param signed The digest.
    /// @param signatures 65 bytes each: r, s, v.
    function check(IAttesterSet attesters, bytes32 signed, bytes calldata signatures) internal view {
        require(
            signatures.length % SIGNATURE_BYTES == 0,
            IEpochRegistry.WrongSignatureLength(signatures.length)
        );
        uint256 count = signatures.length / SIGNATURE_BYTES;
        uint256 threshold = attesters.threshold();
        require(count == threshold, IEpochRegistry.WrongSignatureCount(count, threshold));
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata signature = signatures[i * SIGNATURE_BYTES:(i + 1) * SIGNATURE_BYTES];
            (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(signed, signature);
            require(problem == ECDSA.RecoverError.NoError, IEpochRegistry.BadSignature(i));
            require(signer > previous, IEpochRegistry.SignersNotIncreasing(previous, signer));
            require(attesters.isAttester(signer), IEpochRegistry.NotAttester(signer));
            previous = signer;
        }
    }
}
