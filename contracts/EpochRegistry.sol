// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { MarketIntake } from "./epochs/MarketIntake.sol";
import { IAttesterSet } from "./interfaces/IAttesterSet.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IMarketBounds } from "./interfaces/IMarketBounds.sol";
import { IModelRegistry } from "./interfaces/IModelRegistry.sol";
import { IPriceGuard } from "./interfaces/IPriceGuard.sol";
import { EpochHeader, Leaf } from "./interfaces/Types.sol";
import { Limits } from "./libraries/Limits.sol";
import { Range } from "./libraries/Range.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title Accepts what a quorum of attesters signed
contract EpochRegistry is MarketIntake, EIP712 {
    /// @dev Other contracts that epochs need, none of which needs them back but the vault: it is created afterwards, at an address that is
    ///      known before.
    struct Parts {
        IAttesterSet attesterSet;
        IModelRegistry models;
        IInstrumentRegistry instruments;
        IPriceGuard guard;
        IMarketBounds bounds;
        address vault;
    }

    /// @dev How far a round may be ahead of the last: without a bound one signed header could use up all numbers.
    uint64 private constant MAX_ROUND_GAP = 1_000;
    /// @dev The chain knows the hashes of 256 blocks; a deeper one could never be proven.
    int256 private constant MAX_DEPTH = 255;
    uint256 private constant E8 = 1e8;
    int256 private constant MAX_DISPUTE_WINDOW = 365 days;

    /// @notice How many blocks must follow the one that an epoch margins.
    uint64 public immutable minDepth;
    /// @inheritdoc IEpochRegistry
    address public immutable vault;

    /// @notice What may invalidate epochs and tickets; zero until connected.
    address public disputes;
    /// @inheritdoc IEpochRegistry
    mapping(bytes32 digest => bool) public isInvalidTicket;

    /// @param admin May set the policy, and connect disputes once. A timelock, where money is at stake.
    /// @param parts Attester set, models, instruments, price guard, market bounds and vault.
    /// @param maxAge_ How long after its time an epoch may be in force, seconds, at least 1.
    /// @param minDepth_ How many blocks must follow the one that an epoch margins, at most 255.
    /// @param disputeWindow_ How long after its end an epoch may be found wrong, seconds, 1 to a year.
    /// @param policy_ What may be done on signatures, at first.
    constructor(
        address admin,
        Parts memory parts,
        uint64 maxAge_,
        uint64 minDepth_,
        uint64 disputeWindow_,
        Policy memory policy_
    ) EIP712("marginproof", "1") {
        Range.check("maxAge", int256(uint256(maxAge_)), 1, Limits.MAX_TIME);
        Range.check("minDepth", int256(uint256(minDepth_)), 0, MAX_DEPTH);
        Range.check("disputeWindow", int256(uint256(disputeWindow_)), 1, MAX_DISPUTE_WINDOW);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        attesterSet = parts.attesterSet;
        models = parts.models;
        instruments = parts.instruments;
        guard = parts.guard;
        bounds = parts.bounds;
        require(parts.vault != address(0), ZeroAddress());
        vault = parts.vault;
        maxAge = maxAge_;
        minDepth = minDepth_;
        disputeWindow = disputeWindow_;
        _setPolicy(policy_);
    }

    /// @inheritdoc IEpochRegistry
    function connect(address disputes_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        require(disputes == address(0), AlreadyConnected());
        require(disputes_ != address(0), ZeroAddress());
        disputes = disputes_;
    }

    /// @inheritdoc IEpochRegistry
    function post(
        EpochHeader calldata header,
        bytes calldata signatures,
        bytes calldata market,
        bytes calldata previousMarket
    ) external {
        // Every field is read below, and written to the event.
        bytes32 headerHash = TypedData.hashHeaderGiven(header);
        attesterSet.requireQuorum(_hashTypedDataV4(headerHash), signatures);
        _requireOrder(header);
        _requireBlockAndModel(header);
        _requireMarket(header, market, previousMarket);
        _accept(header, headerHash, signatures, market, previousMarket);
        bounds.check(market, previousMarket);
        emit EpochPosted(header.round, header, signatures, market);
    }

    /// @inheritdoc IEpochRegistry
    function publishLeaves(uint64 round, Leaf[] calldata leaves) external {
        uint64 last = _clock.lastRound;
        require(round <= last, RoundNotPosted(round, last));
        emit LeavesPublished(round, msg.sender, leaves);
    }

    /// @inheritdoc IEpochRegistry
    function pauseLeaves(bool isPaused) external {
        _requireVault();
        _gate.isPaused = isPaused;
    }

    /// @inheritdoc IEpochRegistry
    function releaseCash(
        uint256 amountE8,
        bytes32 underlyings
    ) external returns (bytes32 leafRoot, uint64 leafCount) {
        _requireVault();
        uint256 gate = _gateWord();
        // The conversions cut off what stands above a field.
        require(uint8(gate >> PAUSED_SHIFT) == 0, Pausable.EnforcedPause());
        _requireLive(uint32(gate >> VALID_UNTIL_SHIFT));
        _requireNear(underlyings, gate);
        _spend(amountE8, true);
        return (_leafRoot, uint40(gate >> LEAF_COUNT_SHIFT));
    }

    /// @inheritdoc IEpochRegistry
    function useTickets(
        bytes32 leavesHash,
        bytes calldata signatures,
        bytes32 underlyings,
        uint8 underlying,
        uint256 quantityE8,
        uint256 unitE8
    ) external {
        _requireVault();
        uint256 gate = _gateWord();
        // The conversions cut off what stands above a field.
        _requireLive(uint32(gate >> VALID_UNTIL_SHIFT));
        uint64 round = uint48(gate);
        Terms memory terms = _terms;
        uint256 spot = _spotOf(underlying, gate);
        // Without it a trade at next to nothing would have no size, whatever it moves.
        require(spot != 0, SpotUnknown(underlying));
        uint256 sizeE8 = Math.ceilDiv(quantityE8 * Math.max(unitE8, spot), E8);
        require(sizeE8 <= terms.maxTradeE8, AboveAttestedSize(sizeE8, terms.maxTradeE8));
        bytes32 ticket = _hashTypedDataV4(TypedData.hashTicketsGiven(round, _headerHash, leavesHash));
        if (uint8(gate >> DOUBTS_SHIFT) != 0) require(!isInvalidTicket[ticket], InvalidTicket(ticket));
        attesterSet.requireQuorum(ticket, signatures);
        _requireNear(underlyings, gate);
        // Up to the next unit: many small trades cost no less than a large one.
        _spend((sizeE8 * terms.tradeChargeBps + BPS - 1) / BPS, false);
        emit TicketsUsed(round, ticket);
    }

    /// @inheritdoc IEpochRegistry
    function useMarket(uint256 amountE8) external {
        _requireVault();
        // No limit reaches 2^64.
        _spend(amountE8 < 1 << 64 ? amountE8 : 1 << 64, false);
    }

    /// @inheritdoc IEpochRegistry
    function invalidate(
        uint64 round,
        EpochHeader calldata fallbackHeader,
        bytes32 fallbackSignatures
    ) external {
        require(msg.sender == disputes, NotConnected(msg.sender));
        // What was released on the newest epoch goes into its record while it is still the newest.
        _budget = _closed(_gate.round);
        _invalidate(round, fallbackHeader, fallbackSignatures);
    }

    /// @inheritdoc IEpochRegistry
    function invalidateTicket(bytes32 ticket) external {
        require(msg.sender == disputes, NotConnected(msg.sender));
        require(!isInvalidTicket[ticket], InvalidTicket(ticket));
        isInvalidTicket[ticket] = true;
        _gate.doubtsTickets = true;
        emit TicketInvalidated(ticket);
    }

    /// @inheritdoc IEpochRegistry
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IEpochRegistry
    function ticketsDigest(
        uint64 round,
        bytes32 headerHash,
        bytes32[] calldata leaves
    ) external view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashTickets(round, headerHash, leaves));
    }

    /// @inheritdoc IEpochRegistry
    function digest(EpochHeader calldata header) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashHeader(header));
    }

    function _accept(
        EpochHeader calldata header,
        bytes32 headerHash,
        bytes calldata signatures,
        bytes calldata market,
        bytes calldata previousMarket
    ) private {
        Clock memory clock = _clock;
        uint64 before = _gate.round;
        _append(header, headerHash, signatures, clock);
        _renew(before, clock);
        _takePrices(market, previousMarket, clock);
        _clock = clock;
    }

    function _requireVault() private view {
        require(msg.sender == vault, NotConnected(msg.sender));
    }

    function _requireOrder(EpochHeader calldata header) private view {
        Clock memory clock = _clock;
        uint64 last = clock.lastRound;
        require(header.round > last, RoundNotNewer(header.round, last));
        uint64 maxRound = last + MAX_ROUND_GAP;
        require(header.round <= maxRound, RoundTooFar(header.round, maxRound));
        require(header.time <= block.timestamp, HeaderFromFuture(header.time, block.timestamp));
        require(header.time >= clock.time, HeaderOlderThanLast(header.time, clock.time));
        require(block.timestamp < header.validUntil, EpochExpired(header.validUntil, block.timestamp));
    }

    function _requireBlockAndModel(EpochHeader calldata header) private view {
        uint64 number = header.blockNumber;
        require(
            number < block.number && block.number - number >= minDepth,
            BlockNotDeepEnough(number, block.number, minDepth)
        );
        bytes32 actual = blockhash(number);
        require(
            actual == header.blockHash && actual != bytes32(0),
            WrongBlockHash(number, header.blockHash, actual)
        );
        bytes32 model = models.current();
        require(header.modelHash == model && model != bytes32(0), WrongModel(header.modelHash, model));
    }
}
