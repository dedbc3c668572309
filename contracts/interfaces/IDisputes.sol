// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Provenance } from "../libraries/Provenance.sol";
import { EpochHeader, Leaf } from "./Types.sol";

/// @title Proves a signed figure wrong, invalidates what rests on it, and makes its signers pay
/// @notice Two steps, so that nobody can snatch a claim: `commit` to a hash, then in a later block, at most a day later, one of the
///         `dispute` functions by the same caller. A dispute verifies or reverts: there is nothing to judge and no deposit to lose.
/// @notice Nothing but what is on chain or was signed is needed: header, signatures and market are in the registry's logs, portfolios in
///         the ledger's, and a wrong leaf or ticket shows itself where it is used.
/// @notice Where the difference shown in a money figure reaches `materialityE8`, the signers lose their whole bonds, half to the claimant;
///         below it, and for what is no money figure, they pay a fixed bounty together. What a small lie invalidated can still be disputed
///         for a large one, so that nobody gets away by confessing the small one.
interface IDisputes {
    /// @notice What is disputed, and what the subject of a commitment is.
    /// @dev Leaf, Identity: the leaf's index. Count: 0. Ticket: the digest that its quorum signed. Equivocation: the signer's address.
    enum Kind {
        Leaf,
        Identity,
        Count,
        Ticket,
        Equivocation
    }

    /// @notice From which difference on bonds are slashed (E8); what is paid below (units of the bond token).
    struct Terms {
        uint256 materialityE8;
        uint256 bounty;
    }

    /// @notice What every dispute of an epoch carries: its header and signatures as posted, the header of the newest valid epoch before it
    ///         with the hash of its signatures (all zero if there is none), and the salt of the commitment.
    struct Claim {
        EpochHeader header;
        bytes signatures;
        EpochHeader fallbackHeader;
        bytes32 fallbackSignatures;
        bytes32 salt;
    }

    /// @notice What figures follow from: the portfolio and market bytes, and an index for each held underlying (underlying, index); no
    ///         choices at all stand for all scenarios.
    struct Witness {
        bytes portfolio;
        bytes market;
        bytes choices;
    }

    /// @notice Tickets as signed: the struct hashes of their leaves, and the signatures, by increasing address of the signer.
    struct Batch {
        bytes32[] leaves;
        bytes signatures;
    }

    /// @notice Two headers, each with one signature of 65 bytes; and the header posted for their round with the hash of its signatures, used
    ///         only where the chain no longer knows the hash of the headers' block.
    struct Twins {
        EpochHeader first;
        bytes firstSignature;
        EpochHeader second;
        bytes secondSignature;
        EpochHeader posted;
        bytes32 signaturesHash;
    }

    /// @notice A claimant committed to a dispute.
    event Committed(address indexed claimant, bytes32 commitment);
    /// @notice An epoch was proven wrong. `subject` as in `Kind`; the difference in E8; what the claimant was paid, in units of the bond token.
    event EpochDisputed(
        uint64 indexed round,
        address indexed claimant,
        Kind kind,
        bytes32 subject,
        uint256 differenceE8,
        bool slashed,
        uint256 paid
    );
    /// @notice Tickets were proven wrong.
    event TicketDisputed(
        uint64 indexed round,
        address indexed claimant,
        bytes32 digest,
        uint256 differenceE8,
        bool slashed,
        uint256 paid
    );
    /// @notice An attester signed two headers of one round.
    event EquivocationProven(
        uint64 indexed round,
        address indexed claimant,
        address indexed signer,
        uint256 paid
    );

    /// @notice The caller never committed to this.
    error NotCommitted(address claimant, bytes32 commitment);
    /// @notice The commitment is of this very block.
    error RevealTooEarly(uint256 committedAt);
    /// @notice The commitment has expired, at `expiredAt`.
    error CommitmentExpired(uint256 expiredAt, uint256 time);
    /// @notice No epoch has this round.
    error UnknownEpoch(uint64 round);
    /// @notice Header and signatures are not those posted for their round.
    error NotAsPosted(uint64 round, bytes32 given, bytes32 posted);
    /// @notice The epoch is final.
    error WindowClosed(uint64 round, uint64 finalAt);
    /// @notice Already invalid for as much as this would show.
    error AlreadyInvalid(uint64 round, bytes32 subject);
    /// @notice The portfolio bytes are not those of the leaf.
    error WrongPortfolioBytes(bytes32 given, bytes32 inLeaf);
    /// @notice The market bytes are not those of the header.
    error WrongMarketBytes(bytes32 given, bytes32 inHeader);
    /// @notice The leaf is right as far as these choices show: every figure is what the court computes, or at least no less; its worst
    ///         scenarios give its requirements, and no less loss than the choices.
    error LeafIsRight(uint64 account, bytes choices);
    /// @notice The leaf stands where it belongs and names what the account held.
    error IdentityIsRight(uint64 account, bytes32 portfolioHash);
    /// @notice Exactly so many accounts were opened by the header's block.
    error CountIsRight(uint64 count);
    /// @notice The leaf is not in the batch at this place.
    error NotInBatch(bytes32 leaf, uint256 place);
    /// @notice Fewer signatures than any quorum needed since the header's time.
    error NoQuorum(uint256 count, uint256 threshold);
    /// @notice The signer has no bond here, and never had one slashed.
    error NotAccountable(address signer);
    /// @notice The headers are of different rounds.
    error DifferentRounds(uint64 first, uint64 second);
    /// @notice Both headers are the same.
    error SameHeader(bytes32 structHash);
    /// @notice The signatures are of different signers.
    error DifferentSigners(address first, address second);
    /// @notice The header names a block that the chain does not have, or no longer knows; `actual` is zero for the latter.
    error NotCanonical(uint64 blockNumber, bytes32 claimed, bytes32 actual);
    /// @notice The signer was expelled before.
    error AlreadyExpelled(address signer);

    /// @notice Commit to a dispute; again, if the first commitment has expired.
    /// @param commitment See `commitmentOf`.
    function commit(bytes32 commitment) external;

    /// @notice Prove a leaf's figures wrong, too high or too low, or its worst scenarios malformed or not the worst.
    /// @dev One repricing shows any wrong value, a requirement too low (at choices that give more) and one too high (at the leaf's own worst
    ///      scenarios as choices). Worst scenarios that give the same requirements are compared by their exact losses. Where both requirements
    ///      are too high at the leaf's own, its index may be all that is wrong: that counts as no difference, unless all scenarios are
    ///      recomputed.
    /// @param claim The epoch.
    /// @param leaf The leaf, whose account is its index.
    /// @param proof Its siblings, from the leaf up.
    /// @param witness What its figures follow from.
    function disputeLeaf(
        Claim calldata claim,
        Leaf calldata leaf,
        bytes32[] calldata proof,
        Witness calldata witness
    ) external;

    /// @notice Prove that a leaf names another account than its index, or a portfolio that the account did not hold at the header's block.
    /// @param claim The epoch.
    /// @param index Where the leaf stands.
    /// @param leaf The leaf.
    /// @param proof Its siblings, from the leaf up.
    /// @param history What the account held.
    function disputeIdentity(
        Claim calldata claim,
        uint64 index,
        Leaf calldata leaf,
        bytes32[] calldata proof,
        Provenance.History calldata history
    ) external;

    /// @notice Prove that an epoch has more or fewer leaves than there were accounts at its block.
    /// @param claim The epoch.
    function disputeCount(Claim calldata claim) external;

    /// @notice Prove a ticket's figures wrong, as those of a leaf. The tickets become unusable; the epoch stays.
    /// @param header The header posted for the tickets' round.
    /// @param signaturesHash keccak256 of its signatures as posted.
    /// @param batch The tickets.
    /// @param place Which of them is wrong.
    /// @param leaf The ticket itself.
    /// @param witness What its figures follow from.
    /// @param salt Of the commitment.
    function disputeTicket(
        EpochHeader calldata header,
        bytes32 signaturesHash,
        Batch calldata batch,
        uint256 place,
        Leaf calldata leaf,
        Witness calldata witness,
        bytes32 salt
    ) external;

    /// @notice Prove that an attester signed two different headers of one round, each on a canonical block. It alone is expelled; every epoch
    ///         stays as it is.
    /// @param twins The headers.
    /// @param salt Of the commitment.
    function disputeEquivocation(Twins calldata twins, bytes32 salt) external;

    /// @notice What a claimant commits to.
    /// @param claimant Who will call.
    /// @param kind What is disputed.
    /// @param round Of the epoch.
    /// @param subject See `Kind`.
    /// @param salt Anything unguessable.
    function commitmentOf(
        address claimant,
        Kind kind,
        uint64 round,
        bytes32 subject,
        bytes32 salt
    ) external pure returns (bytes32);

    /// @notice What a quorum signs for tickets.
    /// @param round Round of the epoch that they are for.
    /// @param headerHash Struct hash of its header.
    /// @param leaves Struct hashes of their leaves.
    function ticketDigest(
        uint64 round,
        bytes32 headerHash,
        bytes32[] calldata leaves
    ) external view returns (bytes32);
}
