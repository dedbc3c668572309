// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EpochHeader } from "./Types.sol";

/// @title What disputes need of the registry of epochs
interface IDisputedEpochs {
    /// @notice Where an epoch stands: never posted, open to disputes, final, or invalidated.
    enum Standing {
        None,
        Open,
        Final,
        Invalid
    }

    /// @notice Invalidate an epoch. Disputes only.
    /// @param round Its round.
    /// @param fallbackHeader The header of the newest valid epoch before it, all zero when there is none; used if it was the newest.
    /// @param fallbackSignatures keccak256 of the signatures with which that header was posted.
    function invalidate(
        uint64 round,
        EpochHeader calldata fallbackHeader,
        bytes32 fallbackSignatures
    ) external;

    /// @notice Make tickets unusable. Disputes only.
    /// @param digest What their quorum signed.
    function invalidateTicket(bytes32 digest) external;

    /// @notice What is kept of an epoch.
    /// @param round Its round.
    /// @return commitment keccak256(abi.encode(struct hash of the header, keccak256(signatures))), zero if there was no such epoch.
    /// @return standing Where it stands.
    /// @return finalAt When it can no longer be disputed, unix seconds.
    function record(
        uint64 round
    ) external view returns (bytes32 commitment, Standing standing, uint64 finalAt);

    /// @notice The EIP-712 domain separator of headers and tickets.
    function domainSeparator() external view returns (bytes32);
}
