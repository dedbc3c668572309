// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EpochHeader, Leaf } from "./Types.sol";

/// @title The newest epoch, and the settlement price of every expiry
/// @notice An epoch is in force from its posting until just before `validUntil`. Anyone may post what a quorum signed.
interface IEpochRegistry {
    /// @notice A new epoch, with all that is needed to check it.
    event EpochPosted(uint64 indexed round, EpochHeader header, bytes signatures, bytes market);
    /// @notice Leaves put into the logs, so that an auditor sees the posted figures. Nobody vouches for them here: they count if together
    ///         they hash to the epoch's root.
    event LeavesPublished(uint64 indexed round, address indexed publisher, Leaf[] leaves);
    /// @notice The settlement price (E8) of an expiry, for ever.
    event SettlementRecorded(uint8 indexed underlying, uint32 indexed expiry, uint64 price);

    /// @notice Signatures that are not 65 bytes each.
    error WrongSignatureLength(uint256 length);
    /// @notice More or fewer signatures than the threshold.
    error WrongSignatureCount(uint256 count, uint256 threshold);
    /// @notice A malformed signature, or one with a high s.
    error BadSignature(uint256 index);
    /// @notice Signers that do not increase strictly: unordered or duplicate.
    error SignersNotIncreasing(address previous, address signer);
    /// @notice A signature by nobody in the set. A header of another chain or registry looks like this, too.
    error NotAttester(address signer);
    /// @notice A round too far ahead of the last.
    error RoundTooFar(uint64 round, uint64 max);
    /// @notice A round that no epoch has reached.
    error RoundNotPosted(uint64 round, uint64 last);
    /// @notice A round at or below the last one.
    error RoundNotNewer(uint64 round, uint64 last);
    /// @notice A header of a later time than the block's.
    error HeaderFromFuture(uint64 time, uint256 blockTime);
    /// @notice A header of an earlier time than the last one's.
    error HeaderOlderThanLast(uint64 time, uint64 last);
    /// @notice No epoch was posted yet.
    error NoEpoch();
    /// @notice The epoch is no longer in force.
    error EpochExpired(uint64 validUntil, uint256 time);
    /// @notice `validUntil` is not the earlier of time + maximum age and the next expiry.
    error WrongValidUntil(uint64 validUntil, uint256 expected);
    /// @notice The block is too close to the head, or beyond it.
    error BlockNotDeepEnough(uint64 blockNumber, uint256 head, uint256 minDepth);
    /// @notice The block has another hash; `actual` is zero if the block is too old for the chain to know.
    error WrongBlockHash(uint64 blockNumber, bytes32 claimed, bytes32 actual);
    /// @notice The header's model is not the current one.
    error WrongModel(bytes32 claimed, bytes32 current);
    /// @notice The market bytes are not those the header commits to.
    error WrongMarketHash(bytes32 claimed, bytes32 actual);
    /// @notice The market is of another time than the header.
    error WrongMarketTime(uint64 marketTime, uint64 headerTime);
    /// @notice The market lacks an expiry that is listed: its quote while it lives, its first settlement price afterwards.
    error ExpiryNotQuoted(uint8 underlying, uint32 expiry);
    /// @notice A settlement price other than the one recorded.
    error SettlementChanged(uint8 underlying, uint32 expiry, uint64 price, uint64 stored);
    /// @notice The market has an underlying that the registry of instruments does not know.
    error UnlistedUnderlying(uint8 underlying);
    /// @notice The market lacks an underlying that the registry of instruments knows.
    error UnderlyingNotQuoted(uint8 underlying);

    /// @notice Make an epoch the newest one.
    /// @param header The header.
    /// @param signatures Exactly `threshold` signatures of its digest, 65 bytes each (r, s, v), by increasing address of the signer.
    /// @param market The market bytes it commits to.
    function post(EpochHeader calldata header, bytes calldata signatures, bytes calldata market) external;

    /// @notice Put leaves of a posted epoch into the logs; anyone may. Reverts RoundNotPosted for a round after the last.
    /// @param round Round of the epoch.
    /// @param leaves Any number of its leaves.
    function publishLeaves(uint64 round, Leaf[] calldata leaves) external;

    /// @notice The newest epoch, in force or not; all zero if there is none.
    function latestHeader() external view returns (EpochHeader memory);

    /// @notice The newest epoch's round; 0 if there is none.
    function lastRound() external view returns (uint64);

    /// @notice The market hash of the newest epoch, in force or not; zero if there is none.
    function latestMarketHash() external view returns (bytes32);

    /// @notice The newest epoch; reverts with NoEpoch() or EpochExpired(validUntil, time) unless it is in force.
    function requireLive() external view returns (EpochHeader memory);

    /// @notice The settlement price of an expiry, E8; 0 while there is none.
    /// @param underlying The underlying's id.
    /// @param expiry Unix seconds.
    function settlementPrice(uint8 underlying, uint32 expiry) external view returns (uint64);

    /// @notice When the settlement price of an expiry was recorded, unix seconds; 0 while there is none.
    /// @param underlying The underlying's id.
    /// @param expiry Unix seconds.
    function settledAt(uint8 underlying, uint32 expiry) external view returns (uint64);

    /// @notice What attesters sign for a header on this chain and registry.
    /// @param header The header.
    function digest(EpochHeader calldata header) external view returns (bytes32);

    /// @notice The EIP-712 domain separator.
    function domainSeparator() external view returns (bytes32);
}
