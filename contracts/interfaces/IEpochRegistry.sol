// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IProtocolErrors } from "./IProtocolErrors.sol";
import { EpochHeader, Leaf } from "./Types.sol";

/// @title Every epoch, what may be done on the newest valid one, and the settlement price of every expiry
/// @notice An epoch is in force from its posting until just before `validUntil`. Anyone may post what a quorum signed. An epoch may be found
///         wrong until its dispute window, which starts with its end, has passed; then it is final.
/// @dev Safety: fewer than the threshold of attesters collude, or what is released on signatures stays below what they lose. Liveness: one
///      poster, and a threshold of attesters.
interface IEpochRegistry is IProtocolErrors {
    /// @notice How an epoch stands: never posted, posted and open to disputes, beyond dispute, found wrong.
    enum Standing {
        None,
        Open,
        Final,
        Invalid
    }

    /// @notice What may be done on signatures. Zero sizes forbid it.
    /// @param maxAttestedWithdrawalE8 The most that one withdrawal may release on a leaf, E8.
    /// @param maxAttestedTradeE8 The greatest size of one trade on tickets, E8.
    /// @param deltaBps How far a live price may be from the epoch's spot, in 1/10,000 of the live price, below 10,000.
    /// @param outflowShareBps How much of what the signers of a wrong epoch lose may be out on epochs that are not final, in 1/10,000.
    /// @param tradeChargeBps How much of its size a trade on tickets counts for in the outflow, in 1/10,000.
    struct Policy {
        uint64 maxAttestedWithdrawalE8;
        uint64 maxAttestedTradeE8;
        uint16 deltaBps;
        uint16 outflowShareBps;
        uint16 tradeChargeBps;
    }

    /// @notice A new epoch, with all that is needed to check it.
    event EpochPosted(uint64 indexed round, EpochHeader header, bytes signatures, bytes market);
    /// @notice Leaves put into the logs, so that an auditor sees the posted figures. Nobody vouches for them here: they count if together
    ///         they hash to the epoch's root.
    event LeavesPublished(uint64 indexed round, address indexed publisher, Leaf[] leaves);
    /// @notice The settlement price (E8) of an expiry, for ever.
    event SettlementRecorded(uint8 indexed underlying, uint32 indexed expiry, uint64 price);

    /// @notice An epoch was found wrong. If it was the newest valid one, the newest valid one before it is current again.
    event EpochInvalidated(uint64 indexed round);
    /// @notice Tickets, by what their signers signed, were used in a trade on this round.
    event TicketsUsed(uint64 indexed round, bytes32 indexed digest);
    /// @notice Tickets, by what their signers signed, were found wrong.
    event TicketInvalidated(bytes32 indexed digest);
    /// @notice The policy, at first and whenever it changes.
    event PolicySet(Policy policy);

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
    /// @notice The bytes given are not those of the newest valid epoch's market. Either is zero where there is none.
    error WrongPreviousMarket(bytes32 given, bytes32 expected);
    /// @notice More leaves than a tree holds.
    error TooManyLeaves(uint64 count);
    /// @notice An epoch that was found wrong before.
    error AlreadyInvalid(uint64 round);
    /// @notice An epoch that is beyond dispute.
    error EpochFinal(uint64 round, uint64 finalAt);
    /// @notice Not the epoch that becomes current; zero where there is none.
    error WrongFallback(uint64 given, uint64 expected);
    /// @notice A header or signatures other than those posted; for round 0, which nobody posted, a header that is not all zero.
    error WrongEvidence(uint64 round, bytes32 given, bytes32 expected);
    /// @notice Tickets that were found wrong.
    error InvalidTicket(bytes32 digest);
    /// @notice More bytes of worst scenarios than any portfolio can have.
    error TooManyUnderlyings(uint256 length);
    /// @notice More than the policy leaves to signatures, E8: recompute in full, or take less.
    error AboveAttestedSize(uint256 amountE8, uint256 maxE8);
    /// @notice More than may be out on epochs that are not final, E8: wait, or trade recomputed in full. Withdrawals in full count, too.
    error OutflowBudgetExceeded(uint256 amountE8, uint256 spentE8, uint256 limitE8);
    /// @notice The newest valid epoch has no spot for the underlying, or an epoch after it was found wrong: see `restoreSpots`.
    error SpotUnknown(uint8 underlying);
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

    /// @notice Connect what may find wrong what attesters signed; once, the admin only.
    /// @param disputes Invalidates.
    function connect(address disputes) external;

    /// @notice Set the policy; the admin only. The limit of the outflow follows at once.
    /// @param policy The whole new policy.
    function setPolicy(Policy calldata policy) external;

    /// @notice Make an epoch the newest one.
    /// @param header The header.
    /// @param signatures Exactly `threshold` signatures of its digest, 65 bytes each (r, s, v), by increasing address of the signer.
    /// @param market The market bytes it commits to.
    /// @param previousMarket The market bytes of the newest valid epoch, against which changes are bounded; empty if there is none.
    function post(
        EpochHeader calldata header,
        bytes calldata signatures,
        bytes calldata market,
        bytes calldata previousMarket
    ) external;

    /// @notice Stop or resume the use of leaves; the vault only, whose pauser decides. While stopped, `releaseCash` reverts with EnforcedPause().
    /// @param isPaused Whether leaves are of no use from now on.
    function pauseLeaves(bool isPaused) external;

    /// @notice Release cash on a leaf of the newest valid epoch; the vault only, which checks the leaf against what this returns.
    /// @dev Called for every withdrawal: a contract compares selectors in increasing order, and this one's is the least.
    /// @param amountE8 What is released, E8.
    /// @param underlyings The leaf's worst scenarios from the first byte on, two bytes per held underlying, of which the first is the
    ///        underlying, and in the last 16 bytes how many underlyings they name (big-endian); what stands between is not looked at.
    /// @return leafRoot The epoch's root.
    /// @return leafCount How many leaves it has.
    function releaseCash(
        uint256 amountE8,
        bytes32 underlyings
    ) external returns (bytes32 leafRoot, uint64 leafCount);

    /// @notice Settle a trade on leaves of portfolios that do not exist yet; the vault only, which checks them against the accounts.
    /// @dev The size of the trade is quantity x the greater of unit and spot, rounded up. Reverts with SpotUnknown where there is no spot.
    /// @param leavesHash keccak256 of the leaves' struct hashes, one after the other.
    /// @param signatures Signatures of `ticketsDigest` for the newest valid epoch, as in `post`.
    /// @param underlyings Two bytes per underlying held in any of the portfolios, laid out as for `releaseCash`.
    /// @param underlying The underlying of what is traded.
    /// @param quantityE8 How much of it is traded, E8, positive.
    /// @param unitE8 The greatest that one may cost but for its spot, E8.
    function useTickets(
        bytes32 leavesHash,
        bytes calldata signatures,
        bytes32 underlyings,
        uint8 underlying,
        uint256 quantityE8,
        uint256 unitE8
    ) external;

    /// @notice Count what is released on figures recomputed from the newest valid epoch's market; the vault only. What attesters say of
    ///         smiles and forwards is never judged afterwards, so this is all that limits it.
    /// @param amountE8 What is paid out, E8.
    function useMarket(uint256 amountE8) external;

    /// @notice Find an epoch wrong; disputes only. It stays in the history, and its number is used up. If it was the newest valid one, the
    ///         newest valid one before it becomes current, without spots until `restoreSpots`.
    /// @param round The epoch.
    /// @param fallbackHeader The header that becomes current; all zero if none does. Looked at only if `round` is the newest valid one.
    /// @param fallbackSignatures keccak256 of the signatures with which that header was posted.
    function invalidate(
        uint64 round,
        EpochHeader calldata fallbackHeader,
        bytes32 fallbackSignatures
    ) external;

    /// @notice Find tickets wrong, so that they cannot be used any more; disputes only.
    /// @param ticket Their digest.
    function invalidateTicket(bytes32 ticket) external;

    /// @notice Give the market of the newest valid epoch, so that its spots are known again after an invalidation; anyone may.
    /// @param market The market bytes; reverts with WrongMarket(given, current) for others.
    function restoreSpots(bytes calldata market) external;

    /// @notice Take what was released on epochs that are final by now out of the outflow; anyone may. Posting does it too, for some hours.
    /// @param max How many hours to go through at most.
    function releaseFinal(uint256 max) external;

    /// @notice Put leaves of a posted epoch into the logs; anyone may. Reverts RoundNotPosted for a round after the last.
    /// @param round Round of the epoch.
    /// @param leaves Any number of its leaves.
    function publishLeaves(uint64 round, Leaf[] calldata leaves) external;

    /// @notice The newest valid epoch, in force or not; all zero if there is none.
    function latestHeader() external view returns (EpochHeader memory);

    /// @notice The highest round ever posted, valid or not; 0 if there is none.
    function lastRound() external view returns (uint64);

    /// @notice How an epoch stands.
    /// @param round Its round.
    /// @return commitment keccak256(abi.encode(struct hash of the header, keccak256(signatures))), as posted; 0 if there is no such round.
    /// @return standing How it stands now.
    /// @return finalAt When it becomes final, unless it is found wrong before: unix seconds.
    function record(
        uint64 round
    ) external view returns (bytes32 commitment, Standing standing, uint64 finalAt);

    /// @notice How long after its end an epoch may be found wrong, seconds.
    function disputeWindow() external view returns (uint64);

    /// @notice The market of the newest valid epoch, in force or not, by its hash; 0 if there is none.
    function latestMarketHash() external view returns (bytes32);

    /// @notice The tree of the newest valid epoch; reverts like `requireLive`.
    function liveTree() external view returns (uint64 round, bytes32 leafRoot, uint64 leafCount);

    /// @notice Model and market of the newest valid epoch; reverts like `requireLive`.
    function liveMarket() external view returns (bytes32 modelHash, bytes32 marketHash);

    /// @notice The spot price of an underlying in the newest valid epoch, E8, in force or not; 0 if there is none.
    /// @param underlying The underlying's id.
    function spotOf(uint8 underlying) external view returns (uint64);

    /// @notice The policy.
    function policy() external view returns (Policy memory);

    /// @notice What is out on epochs that are not final, and the most that may be, E8. An epoch counts until the end of the hour in which it
    ///         becomes final, also where it is found wrong, and until the next posting or `releaseFinal`.
    function outflow() external view returns (uint256 spentE8, uint256 limitE8);

    /// @notice Whether tickets were found wrong.
    /// @param ticket Their digest.
    function isInvalidTicket(bytes32 ticket) external view returns (bool);

    /// @notice What uses leaves and tickets.
    function vault() external view returns (address);

    /// @notice The newest valid epoch; reverts with NoEpoch() or EpochExpired(validUntil, time) unless it is in force.
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

    /// @notice What attesters sign for tickets on this chain and registry.
    /// @param round The round the tickets are for.
    /// @param headerHash The struct hash of its header.
    /// @param leaves Struct hashes of the leaves.
    function ticketsDigest(
        uint64 round,
        bytes32 headerHash,
        bytes32[] calldata leaves
    ) external view returns (bytes32);

    /// @notice The EIP-712 domain separator.
    function domainSeparator() external view returns (bytes32);
}
