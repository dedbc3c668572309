// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Blockhash } from "@openzeppelin/contracts/utils/Blockhash.sol";
import { MessageHashUtils } from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import { IAttesterSet } from "./interfaces/IAttesterSet.sol";
import { IDisputes } from "./interfaces/IDisputes.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IPortfolioLedger } from "./interfaces/IPortfolioLedger.sol";
import { EpochHeader, Leaf } from "./interfaces/Types.sol";
import { Judgement } from "./libraries/Judgement.sol";
import { OrderedTree } from "./libraries/OrderedTree.sol";
import { Provenance } from "./libraries/Provenance.sol";
import { Signers } from "./libraries/Signers.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title Proves signed figures wrong
contract Disputes is IDisputes {
    /// @dev Block and time of a commitment.
    struct Commitment {
        uint64 blockNumber;
        uint64 time;
    }

    /// @dev What is known of an epoch once its record was checked, and what is to be settled.
    struct Case {
        Kind kind;
        uint64 round;
        bool isInvalid;
        bytes32 headerHash;
        bytes32 subject;
        bytes32 digest;
    }

    uint256 private constant REVEAL_WITHIN = 1 days;

    /// @notice Where epochs are kept.
    IEpochRegistry public immutable epochs;
    /// @notice Where accounts are kept.
    IPortfolioLedger public immutable ledger;
    /// @notice What recomputes margin.
    IMarginCourt public immutable court;
    /// @notice Who signs, and pays.
    IAttesterSet public immutable attesterSet;
    /// @notice From which difference on bonds are slashed, E8.
    uint256 public immutable materialityE8;
    /// @notice What a smaller lie costs its signers together, in equal parts that are rounded down; units of the bond token.
    uint256 public immutable bounty;

    /// @notice Tickets, by digest, that were proven wrong.
    mapping(bytes32 => bool) public invalidTickets;
    /// @notice Rounds of which a bounty for tickets was paid. One computation gone wrong by a bit would otherwise make every ticket of the
    ///         round pay one.
    mapping(uint64 => bool) public ticketBountyPaid;
    mapping(address => mapping(bytes32 => Commitment)) private _commitments;

    /// @param epochs_ Where epochs are kept.
    /// @param ledger_ Where accounts are kept.
    /// @param court_ What recomputes margin.
    /// @param attesterSet_ Who signs, and pays.
    /// @param terms When and how much.
    constructor(
        IEpochRegistry epochs_,
        IPortfolioLedger ledger_,
        IMarginCourt court_,
        IAttesterSet attesterSet_,
        Terms memory terms
    ) {
        epochs = epochs_;
        ledger = ledger_;
        court = court_;
        attesterSet = attesterSet_;
        materialityE8 = terms.materialityE8;
        bounty = terms.bounty;
    }

    /// @inheritdoc IDisputes
    function commit(bytes32 commitment) external {
        // By the caller's address: nobody can spoil another's commitment by making it first.
        _commitments[msg.sender][commitment] = Commitment(uint64(block.number), uint64(block.timestamp));
        emit Committed(msg.sender, commitment);
    }

    /// @inheritdoc IDisputes
    function disputeLeaf(
        Claim calldata claim,
        Leaf calldata leaf,
        bytes32[] calldata proof,
        Witness calldata witness
    ) external {
        Case memory found = _open(claim, Kind.Leaf, bytes32(uint256(leaf.account)));
        _requireLeaf(claim.header, leaf.account, leaf, proof);
        _settle(claim, found, Judgement.judge(court, claim.header, leaf, witness));
    }

    /// @inheritdoc IDisputes
    function disputeIdentity(
        Claim calldata claim,
        uint64 index,
        Leaf calldata leaf,
        bytes32[] calldata proof,
        Provenance.History calldata history
    ) external {
        Case memory found = _open(claim, Kind.Identity, bytes32(uint256(index)));
        _requireLeaf(claim.header, index, leaf, proof);
        if (leaf.account == index) {
            (, bytes32 chain) = ledger.provenance(index);
            bytes32 held = Provenance.heldAfter(chain, history, claim.header.blockNumber);
            require(leaf.portfolioHash != held, IdentityIsRight(index, held));
        }
        _settle(claim, found, 0);
    }

    /// @inheritdoc IDisputes
    function disputeCount(Claim calldata claim) external {
        Case memory found = _open(claim, Kind.Count, 0);
        uint64 count = claim.header.leafCount;
        uint64 number = claim.header.blockNumber;
        // Accounts open in order: the last one counted was not there, or the next one was.
        bool tooMany = count != 0 && !_wasOpen(count - 1, number);
        require(tooMany || _wasOpen(count, number), CountIsRight(count));
        _settle(claim, found, 0);
    }

    /// @inheritdoc IDisputes
    function disputeTicket(
        EpochHeader calldata header,
        bytes32 signaturesHash,
        Batch calldata batch,
        uint256 place,
        Leaf calldata leaf,
        Witness calldata witness,
        bytes32 salt
    ) external {
        Case memory found;
        found.round = header.round;
        found.headerHash = TypedData.hashHeader(header);
        _requireOpen(found, signaturesHash);
        found.digest = ticketDigest(header.round, found.headerHash, batch.leaves);
        found.subject = found.digest;
        _reveal(commitmentOf(msg.sender, Kind.Ticket, header.round, found.digest, salt));
        bytes32 leafHash = TypedData.hashLeaf(leaf);
        require(place < batch.leaves.length && batch.leaves[place] == leafHash, NotInBatch(leafHash, place));
        found.isInvalid = invalidTickets[found.digest];
        address[] memory signers = _quorum(found.digest, batch.signatures, header.time);
        _settleTicket(found, signers, Judgement.judge(court, header, leaf, witness));
    }

    /// @inheritdoc IDisputes
    function disputeEquivocation(Twins calldata twins, bytes32 salt) external {
        uint64 round = twins.first.round;
        require(twins.second.round == round, DifferentRounds(round, twins.second.round));
        bytes32 first = TypedData.hashHeader(twins.first);
        bytes32 second = TypedData.hashHeader(twins.second);
        require(first != second, SameHeader(first));
        bytes32 domain = epochs.domainSeparator();
        address signer = Signers.recoverOne(
            MessageHashUtils.toTypedDataHash(domain, first),
            twins.firstSignature
        );
        address other = Signers.recoverOne(
            MessageHashUtils.toTypedDataHash(domain, second),
            twins.secondSignature
        );
        require(signer == other, DifferentSigners(signer, other));
        _reveal(commitmentOf(msg.sender, Kind.Equivocation, round, bytes32(uint256(uint160(signer))), salt));
        _requireCanonical(twins.first, twins);
        _requireCanonical(twins.second, twins);
        require(attesterSet.isAccountable(signer), NotAccountable(signer));
        require(
            attesterSet.statusOf(signer).standing != IAttesterSet.Standing.Slashed,
            AlreadyExpelled(signer)
        );
        address[] memory signers = new address[](1);
        signers[0] = signer;
        emit EquivocationProven(round, msg.sender, signer, _penalize(signers, true));
    }

    /// @inheritdoc IDisputes
    function commitmentOf(
        address claimant,
        Kind kind,
        uint64 round,
        bytes32 subject,
        bytes32 salt
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(claimant, keccak256(abi.encode(kind, round, subject)), salt));
    }

    /// @inheritdoc IDisputes
    function ticketDigest(
        uint64 round,
        bytes32 headerHash,
        bytes32[] calldata leaves
    ) public view returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                epochs.domainSeparator(),
                TypedData.hashTickets(round, headerHash, leaves)
            );
    }

    /// @dev Everything about an epoch's dispute that does not depend on what is wrong.
    function _open(Claim calldata claim, Kind kind, bytes32 subject) private returns (Case memory found) {
        found.kind = kind;
        found.round = claim.header.round;
        found.subject = subject;
        found.headerHash = TypedData.hashHeader(claim.header);
        found.isInvalid = _requireOpen(found, keccak256(claim.signatures));
        found.digest = MessageHashUtils.toTypedDataHash(epochs.domainSeparator(), found.headerHash);
        // Only a figure can be wrong by enough to be judged after the epoch has become invalid.
        require(!found.isInvalid || kind == Kind.Leaf, AlreadyInvalid(found.round, subject));
        _reveal(commitmentOf(msg.sender, kind, found.round, subject, claim.salt));
    }

    /// @dev The header is the posted one, and not final. Returns whether it is invalid.
    function _requireOpen(Case memory found, bytes32 signaturesHash) private view returns (bool) {
        (bytes32 posted, IEpochRegistry.Standing standing, uint64 finalAt) = epochs.record(found.round);
        require(standing != IEpochRegistry.Standing.None, UnknownEpoch(found.round));
        bytes32 given = keccak256(abi.encode(found.headerHash, signaturesHash));
        require(given == posted, NotAsPosted(found.round, given, posted));
        require(block.timestamp < finalAt, WindowClosed(found.round, finalAt));
        return standing == IEpochRegistry.Standing.Invalid;
    }

    function _reveal(bytes32 commitment) private {
        Commitment memory made = _commitments[msg.sender][commitment];
        require(made.time != 0, NotCommitted(msg.sender, commitment));
        require(block.number > made.blockNumber, RevealTooEarly(made.blockNumber));
        uint256 expiredAt = made.time + REVEAL_WITHIN;
        require(block.timestamp <= expiredAt, CommitmentExpired(expiredAt, block.timestamp));
        delete _commitments[msg.sender][commitment];
    }

    function _requireLeaf(
        EpochHeader calldata header,
        uint64 index,
        Leaf calldata leaf,
        bytes32[] calldata proof
    ) private pure {
        OrderedTree.verify(TypedData.hashLeaf(leaf), index, header.leafCount, proof, header.leafRoot);
    }

    function _settle(Claim calldata claim, Case memory found, uint256 differenceE8) private {
        bool isMaterial = differenceE8 >= materialityE8 && differenceE8 != 0;
        if (!found.isInvalid) epochs.invalidate(found.round, claim.fallbackHeader, claim.fallbackSignatures);
        uint256 paid = _penalize(Signers.recover(found.digest, claim.signatures), isMaterial);
        _requireMore(found, isMaterial, paid);
        emit EpochDisputed(
            found.round,
            msg.sender,
            found.kind,
            found.subject,
            differenceE8,
            isMaterial,
            paid
        );
    }

    function _settleTicket(Case memory found, address[] memory signers, uint256 differenceE8) private {
        bool isMaterial = differenceE8 >= materialityE8 && differenceE8 != 0;
        if (!found.isInvalid) {
            invalidTickets[found.digest] = true;
            epochs.invalidateTicket(found.digest);
        }
        uint256 paid = 0;
        if (isMaterial || !ticketBountyPaid[found.round]) {
            if (!isMaterial) ticketBountyPaid[found.round] = true;
            paid = _penalize(signers, isMaterial);
        }
        _requireMore(found, isMaterial, paid);
        emit TicketDisputed(found.round, msg.sender, found.digest, differenceE8, isMaterial, paid);
    }

    /// @dev What is invalid already has to be worth a slash, and its signers must have something left to lose.
    function _requireMore(Case memory found, bool isMaterial, uint256 paid) private pure {
        require(!found.isInvalid || (isMaterial && paid != 0), AlreadyInvalid(found.round, found.subject));
    }

    /// @dev Half of the whole bonds, or the bounty from all in equal parts, to the caller.
    function _penalize(address[] memory signers, bool isMaterial) private returns (uint256) {
        if (isMaterial) return attesterSet.penalize(signers, 0, msg.sender, type(uint256).max, true);
        // All that is taken is paid, so that nothing is left for a transfer of next to nothing to the fund.
        return attesterSet.penalize(signers, bounty / signers.length, msg.sender, bounty, false);
    }

    /// @dev The accountable signers of tickets, as many as some quorum had since the header's time.
    function _quorum(
        bytes32 digest,
        bytes calldata signatures,
        uint64 since
    ) private view returns (address[] memory signers) {
        signers = Signers.recover(digest, signatures);
        uint256 needed = attesterSet.leastThresholdSince(since);
        require(signers.length >= needed, NoQuorum(signers.length, needed));
        for (uint256 i = 0; i < signers.length; ++i) {
            require(attesterSet.isAccountable(signers[i]), NotAccountable(signers[i]));
        }
    }

    function _wasOpen(uint64 account, uint64 blockNumber) private view returns (bool) {
        if (account >= ledger.accountCount()) return false;
        (uint64 openedAt, ) = ledger.provenance(account);
        return openedAt <= blockNumber;
    }

    /// @dev The header's block is in the chain, as far as the chain remembers; or it is the one of the header posted for the round.
    function _requireCanonical(EpochHeader calldata header, Twins calldata twins) private view {
        bytes32 actual = Blockhash.blockHash(header.blockNumber);
        if (actual == bytes32(0) && twins.posted.round == header.round) {
            (bytes32 posted, , ) = epochs.record(header.round);
            bytes32 given = keccak256(abi.encode(TypedData.hashHeader(twins.posted), twins.signaturesHash));
            require(given == posted, NotAsPosted(header.round, given, posted));
            if (twins.posted.blockNumber == header.blockNumber) actual = twins.posted.blockHash;
        }
        require(
            actual != bytes32(0) && actual == header.blockHash,
            NotCanonical(header.blockNumber, header.blockHash, actual)
        );
    }
}
