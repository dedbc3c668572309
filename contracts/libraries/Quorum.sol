// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { IAttesterSet } from "../interfaces/IAttesterSet.sol";
import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";

/// @title Who signed
library Quorum {
    uint256 internal constant SIGNATURE_BYTES = 65;

    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Refuse anything but exactly `threshold` low-s signatures of active attesters, by increasing address of the signer.
    /// @dev What is right costs one call of the set; what is not is gone through again, in order, for its error.
    /// @param attesters Who may sign, and how many of them must.
    /// @param signed The digest.
    /// @param signatures 65 bytes each: r, s, v.
    function check(IAttesterSet attesters, bytes32 signed, bytes calldata signatures) internal view {
        (address[] memory signers, bool sound) = _signers(signed, signatures);
        if (sound) {
            (bool all, uint256 threshold) = attesters.quorum(signers);
            if (all && threshold == signers.length) return;
        }
        _refuse(attesters, signed, signatures);
    }

    /// @dev The signers, and whether every signature is well-formed and they increase; meaningless unless so.
    function _signers(
        bytes32 signed,
        bytes calldata signatures
    ) private view returns (address[] memory signers, bool sound) {
        signers = new address[](signatures.length / SIGNATURE_BYTES);
        sound = signatures.length == signers.length * SIGNATURE_BYTES;
        // ECDSA.tryRecoverCalldata of each. What is no signature leaves the result at zero, which no address increases to.
        assembly ("memory-safe") {
            let free := mload(0x40)
            let at := signatures.offset
            let previous := 0
            mstore(free, signed)
            let to := add(signers, 32)
            for {
                let end := add(to, shl(5, mload(signers)))
            } lt(to, end) {
                to := add(to, 32)
            } {
                calldatacopy(add(free, 64), at, 64)
                mstore(add(free, 32), byte(0, calldataload(add(at, 64))))
                mstore(to, 0)
                pop(staticcall(gas(), 1, free, 128, to, 32))
                let signer := mload(to)
                sound := and(sound, and(gt(signer, previous), iszero(gt(mload(add(free, 96)), HALF_ORDER))))
                previous := signer
                at := add(at, 65)
            }
        }
    }

    function _refuse(IAttesterSet attesters, bytes32 signed, bytes calldata signatures) private view {
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
