// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";
import { EpochHeader } from "../interfaces/Types.sol";
import { TypedData } from "../libraries/TypedData.sol";

/// @title The newest valid epoch, unpacked into slots by who reads them, and a record of every epoch
/// @dev A withdrawal on a leaf reads `_gate`, `_leafRoot` and `_budget`, a trade on tickets `_gate`, `_headerHash`, `_budget` and `_terms`.
abstract contract EpochHistory is IEpochRegistry {
    using SafeCast for uint256;

    /// @dev What everything on signatures looks at first: the newest valid round, until when it is in force, how many leaves it has, how far
    ///      prices may move, whether leaves are paused, whether any ticket of the round may have been found wrong, and the spots of the first
    ///      two underlyings (E8, zero after a fall back).
    struct Gate {
        uint48 round;
        uint32 validUntil;
        uint40 leafCount;
        uint16 deltaBps;
        bool isPaused;
        bool doubtsTickets;
        uint48 firstSpot;
        uint48 secondSpot;
    }

    /// @dev Where the history stands: time and block of the newest valid round, the highest round ever posted, the first hour whose outflow is
    ///      still counted, the version of the listing that the newest valid market was held against (0: none), and what else posting reads:
    ///      the policy's share of the slashable bonds.
    struct Clock {
        uint48 lastRound;
        uint40 blockNumber;
        uint40 termsVersion;
        uint32 time;
        uint32 firstHour;
        uint16 outflowShareBps;
    }

    /// @dev An epoch's note is 64 bits, four to a word: when it becomes final (32 bits), how many numbers it is after the round posted before
    ///      it (16 bits, zero for the first), and whether it was found wrong (1 bit).
    uint256 private constant STEP_SHIFT = 32;
    uint256 private constant INVALID = 1 << 48;
    /// @dev Where the fields of a gate are in its slot.
    uint256 internal constant VALID_UNTIL_SHIFT = 48;
    uint256 internal constant LEAF_COUNT_SHIFT = 80;
    uint256 internal constant DELTA_SHIFT = 120;
    uint256 internal constant PAUSED_SHIFT = 136;
    uint256 internal constant DOUBTS_SHIFT = 144;
    uint256 private constant FIRST_SPOT_SHIFT = 152;
    uint256 private constant SECOND_SPOT_SHIFT = 200;

    /// @inheritdoc IEpochRegistry
    uint64 public immutable disputeWindow;

    Gate internal _gate;
    bytes32 internal _leafRoot;
    /// @dev Struct hash of the newest valid header.
    bytes32 internal _headerHash;
    Clock internal _clock;
    bytes32 internal _marketHash;
    bytes32 internal _modelHash;
    bytes32 internal _blockHash;
    /// @dev Further spots of the newest valid epoch, E8, four to a word, underlying 3 in the low bits of the first; zero after a fall back.
    mapping(uint256 place => uint256 fourSpots) internal _spots;
    mapping(uint64 round => bytes32) private _commitments;
    mapping(uint256 place => uint256 fourNotes) private _notes;

    /// @inheritdoc IEpochRegistry
    function latestHeader() external view returns (EpochHeader memory) {
        return _header();
    }

    /// @inheritdoc IEpochRegistry
    function lastRound() external view returns (uint64) {
        return _clock.lastRound;
    }

    /// @inheritdoc IEpochRegistry
    function latestMarketHash() external view returns (bytes32) {
        return _marketHash;
    }

    /// @inheritdoc IEpochRegistry
    function requireLive() external view returns (EpochHeader memory) {
        _requireLive(_gate.validUntil);
        return _header();
    }

    /// @inheritdoc IEpochRegistry
    function liveTree() external view returns (uint64 round, bytes32 leafRoot, uint64 leafCount) {
        Gate memory gate = _gate;
        _requireLive(gate.validUntil);
        return (gate.round, _leafRoot, gate.leafCount);
    }

    /// @inheritdoc IEpochRegistry
    function liveMarket() external view returns (bytes32 modelHash, bytes32 marketHash) {
        _requireLive(_gate.validUntil);
        return (_modelHash, _marketHash);
    }

    /// @inheritdoc IEpochRegistry
    function spotOf(uint8 underlying) public view returns (uint64) {
        return _spotOf(underlying, _gateWord());
    }

    /// @inheritdoc IEpochRegistry
    function record(
        uint64 round
    ) public view returns (bytes32 commitment, Standing standing, uint64 finalAt) {
        commitment = _commitments[round];
        uint256 note = _note(round);
        finalAt = uint32(note);
        if (commitment == bytes32(0)) standing = Standing.None;
        else if (note & INVALID != 0) standing = Standing.Invalid;
        else standing = block.timestamp < finalAt ? Standing.Open : Standing.Final;
    }

    /// @dev Make an epoch the newest one and record it. `clock` is changed and still has to be stored.
    ///      `headerHash` is the header's struct hash.
    function _append(
        EpochHeader calldata header,
        bytes32 headerHash,
        bytes calldata signatures,
        Clock memory clock
    ) internal {
        uint256 finalAt = uint256(header.validUntil) + disputeWindow;
        uint256 step = clock.lastRound == 0 ? 0 : header.round - clock.lastRound;
        _commitments[header.round] = _commitment(headerHash, keccak256(signatures));
        _addToNote(header.round, finalAt.toUint32() | (step << STEP_SHIFT));
        clock.lastRound = uint256(header.round).toUint48();
        _setHead(header, headerHash, clock);
        // Tickets are of one round: none of this one was found wrong yet.
        _gate.doubtsTickets = false;
    }

    /// @dev Mark an epoch; if it was the newest valid one, the newest valid one before it takes its place.
    function _invalidate(
        uint64 round,
        EpochHeader calldata fallbackHeader,
        bytes32 fallbackSignatures
    ) internal {
        (, Standing standing, uint64 finalAt) = record(round);
        require(standing != Standing.None, RoundNotPosted(round, _clock.lastRound));
        require(standing != Standing.Invalid, AlreadyInvalid(round));
        require(standing == Standing.Open, EpochFinal(round, finalAt));
        _addToNote(round, INVALID);
        emit EpochInvalidated(round);
        if (_gate.round != round) return;
        Clock memory clock = _clock;
        uint64 valid = _validBefore(round);
        require(fallbackHeader.round == valid, WrongFallback(fallbackHeader.round, valid));
        bytes32 headerHash = TypedData.hashHeader(fallbackHeader);
        bytes32 given = _commitment(headerHash, fallbackSignatures);
        EpochHeader memory none;
        // Where no epoch is left nothing is in force: a header of round 0 that anyone could choose must not be.
        bytes32 posted =
            valid == 0 ? _commitment(TypedData.hashHeader(none), fallbackSignatures) : _commitments[valid];
        require(given == posted, WrongEvidence(valid, given, posted));
        _setHead(fallbackHeader, headerHash, clock);
        clock.termsVersion = 0;
        _clock = clock;
        // The market of the epoch before is not at hand: its prices come back with `restoreSpots`, or with the next epoch.
        _gate.firstSpot = 0;
        _gate.secondSpot = 0;
        delete _spots[0];
        delete _spots[1];
        // Tickets of the round that is current again may have been found wrong while it was.
        _gate.doubtsTickets = true;
    }

    function _setHead(EpochHeader calldata header, bytes32 headerHash, Clock memory clock) private {
        // Time, `validUntil` and block were compared with the market's time and the chain's head when posted; rounds go up in bounded steps.
        require(header.leafCount <= type(uint40).max, TooManyLeaves(header.leafCount));
        clock.time = uint256(header.time).toUint32();
        clock.blockNumber = uint256(header.blockNumber).toUint40();
        Gate storage gate = _gate;
        gate.round = uint256(header.round).toUint48();
        gate.validUntil = uint256(header.validUntil).toUint32();
        gate.leafCount = uint40(header.leafCount);
        _leafRoot = header.leafRoot;
        _headerHash = headerHash;
        _marketHash = header.marketHash;
        _modelHash = header.modelHash;
        _blockHash = header.blockHash;
    }

    /// @dev When a posted epoch becomes final.
    function _finalAt(uint64 round) internal view returns (uint256) {
        return uint32(_note(round));
    }

    function _addToNote(uint64 round, uint256 bits) private {
        _notes[round >> 2] |= bits << ((round & 3) << 6);
    }

    function _note(uint64 round) private view returns (uint256) {
        return uint64(_notes[round >> 2] >> ((round & 3) << 6));
    }

    /// @dev The newest valid round before a posted one; 0 if there is none.
    function _validBefore(uint64 round) private view returns (uint64) {
        uint256 note = _note(round);
        do {
            uint64 step = uint16(note >> STEP_SHIFT);
            if (step == 0) return 0;
            round -= step;
            note = _note(round);
        } while (note & INVALID != 0);
        return round;
    }

    function _header() internal view returns (EpochHeader memory) {
        Gate memory gate = _gate;
        Clock memory clock = _clock;
        return
            EpochHeader(
                gate.round,
                clock.time,
                clock.blockNumber,
                _blockHash,
                gate.validUntil,
                _modelHash,
                _marketHash,
                _leafRoot,
                gate.leafCount
            );
    }

    /// @dev The slot of `_gate`, for who reads it once and few of its fields.
    function _gateWord() internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(_gate.slot)
        }
    }

    /// @param gate The slot of `_gate`. The conversions cut off what stands above a spot.
    function _spotOf(uint256 underlying, uint256 gate) internal view returns (uint64) {
        if (underlying == 1) return uint48(gate >> FIRST_SPOT_SHIFT);
        if (underlying == 2) return uint48(gate >> SECOND_SPOT_SHIFT);
        if (underlying == 0) return 0;
        unchecked {
            uint256 place = underlying - 3;
            return uint64(_spots[place >> 2] >> ((place & 3) << 6));
        }
    }

    function _requireLive(uint256 validUntil) internal view {
        require(validUntil != 0, NoEpoch());
        require(block.timestamp < validUntil, EpochExpired(uint64(validUntil), block.timestamp));
    }

    function _commitment(bytes32 headerHash, bytes32 signaturesHash) private pure returns (bytes32) {
        return keccak256(abi.encode(headerHash, signaturesHash));
    }
}
