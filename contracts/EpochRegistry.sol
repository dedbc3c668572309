// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { IAttesterSet } from "./interfaces/IAttesterSet.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IModelRegistry } from "./interfaces/IModelRegistry.sol";
import { IPriceGuard } from "./interfaces/IPriceGuard.sol";
import { EpochHeader, Leaf } from "./interfaces/Types.sol";
import { Limits } from "./libraries/Limits.sol";
import { MarketCodec } from "./libraries/MarketCodec.sol";
import { Range } from "./libraries/Range.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title Accepts what a quorum of attesters signed
contract EpochRegistry is IEpochRegistry, EIP712 {
    struct Settlement {
        uint64 price;
        uint64 recordedAt;
    }

    /// @dev The snapshot's time and how many underlyings are listed.
    struct Listed {
        uint64 time;
        uint256 count;
    }

    uint256 private constant SIGNATURE_BYTES = 65;
    /// @dev How far a round may be ahead of the last: without a bound one signed header could use up all numbers.
    uint64 private constant MAX_ROUND_GAP = 1_000;
    /// @dev The chain knows the hashes of 256 blocks; a deeper one could never be proven.
    int256 private constant MAX_DEPTH = 255;

    /// @notice Who may sign.
    IAttesterSet public immutable attesterSet;
    /// @notice Where models are kept.
    IModelRegistry public immutable models;
    /// @notice Where instruments are listed.
    IInstrumentRegistry public immutable instruments;
    /// @notice What compares prices with outside feeds.
    IPriceGuard public immutable guard;
    /// @notice How long after its time an epoch may be in force, seconds.
    uint64 public immutable maxAge;
    /// @notice How many blocks must follow the one that an epoch margins.
    uint64 public immutable minDepth;

    EpochHeader private _latest;
    mapping(uint8 => mapping(uint32 => Settlement)) private _settlements;
    /// @dev Per underlying, how many of the first listed expiries are settled: they need no look again.
    mapping(uint8 => uint256) private _settledPrefix;

    /// @param attesterSet_ Who may sign.
    /// @param models_ Where models are kept.
    /// @param instruments_ Where instruments are listed.
    /// @param guard_ What compares prices with outside feeds.
    /// @param maxAge_ How long after its time an epoch may be in force, seconds, at least 1.
    /// @param minDepth_ How many blocks must follow the one that an epoch margins, at most 255.
    constructor(
        IAttesterSet attesterSet_,
        IModelRegistry models_,
        IInstrumentRegistry instruments_,
        IPriceGuard guard_,
        uint64 maxAge_,
        uint64 minDepth_
    ) EIP712("marginproof", "1") {
        Range.check("maxAge", int256(uint256(maxAge_)), 1, Limits.MAX_TIME);
        Range.check("minDepth", int256(uint256(minDepth_)), 0, MAX_DEPTH);
        attesterSet = attesterSet_;
        models = models_;
        instruments = instruments_;
        guard = guard_;
        maxAge = maxAge_;
        minDepth = minDepth_;
    }

    /// @inheritdoc IEpochRegistry
    function post(EpochHeader calldata header, bytes calldata signatures, bytes calldata market) external {
        _requireQuorum(digest(header), signatures);
        _requireOrder(header);
        _requireBlock(header);
        bytes32 model = models.current();
        require(header.modelHash == model && model != bytes32(0), WrongModel(header.modelHash, model));
        _requireMarket(header, market);
        _latest = header;
        _takePrices(header.time, market);
        emit EpochPosted(header.round, header, signatures, market);
    }

    /// @inheritdoc IEpochRegistry
    function publishLeaves(uint64 round, Leaf[] calldata leaves) external {
        require(round <= _latest.round, RoundNotPosted(round, _latest.round));
        emit LeavesPublished(round, msg.sender, leaves);
    }

    /// @inheritdoc IEpochRegistry
    function latestHeader() external view returns (EpochHeader memory) {
        return _latest;
    }

    /// @inheritdoc IEpochRegistry
    function lastRound() external view returns (uint64) {
        return _latest.round;
    }

    /// @inheritdoc IEpochRegistry
    function latestMarketHash() external view returns (bytes32) {
        return _latest.marketHash;
    }

    /// @inheritdoc IEpochRegistry
    function requireLive() external view returns (EpochHeader memory header) {
        header = _latest;
        require(header.round != 0, NoEpoch());
        require(block.timestamp < header.validUntil, EpochExpired(header.validUntil, block.timestamp));
    }

    /// @inheritdoc IEpochRegistry
    function settlementPrice(uint8 underlying, uint32 expiry) external view returns (uint64) {
        return _settlements[underlying][expiry].price;
    }

    /// @inheritdoc IEpochRegistry
    function settledAt(uint8 underlying, uint32 expiry) external view returns (uint64) {
        return _settlements[underlying][expiry].recordedAt;
    }

    /// @inheritdoc IEpochRegistry
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IEpochRegistry
    function digest(EpochHeader calldata header) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashHeader(header));
    }

    /// @dev Guard, listing and settlement of every price in a market already validated.
    function _takePrices(uint64 time, bytes calldata market) private {
        // In memory, because the stack has no room.
        Listed memory listed = Listed(time, instruments.underlyingCount());
        uint256 count = MarketCodec.underlyingCount(market);
        uint256 offset = MarketCodec.HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            MarketCodec.Section memory section = MarketCodec.section(market, offset);
            offset = section.end;
            // Listed underlyings are 1 to `count` and the market's increase, so section i must be underlying i + 1.
            if (section.underlying > listed.count) revert UnlistedUnderlying(uint8(section.underlying));
            if (section.underlying != i + 1) revert UnderlyingNotQuoted(uint8(i + 1));
            guard.check(uint8(section.underlying), uint64(section.spot));
            guard.checkPerpetual(uint8(section.underlying), uint64(section.perpetual), uint64(section.spot));
            _recordSettlements(market, section);
            _requireExpiries(listed, market, section);
        }
        if (count < listed.count) revert UnderlyingNotQuoted(uint8(count + 1));
    }

    function _recordSettlements(bytes calldata market, MarketCodec.Section memory section) private {
        uint8 underlying = uint8(section.underlying);
        for (uint256 i = 0; i < section.settlementCount; ++i) {
            (uint256 expiry, uint256 price) = MarketCodec.settlement(market, section, i);
            Settlement storage stored = _settlements[underlying][uint32(expiry)];
            uint64 recorded = stored.price;
            if (recorded != 0) {
                require(
                    recorded == price,
                    SettlementChanged(underlying, uint32(expiry), uint64(price), recorded)
                );
                continue;
            }
            guard.check(underlying, uint64(price));
            stored.price = uint64(price);
            stored.recordedAt = uint64(block.timestamp);
            emit SettlementRecorded(underlying, uint32(expiry), uint64(price));
        }
    }

    /// @dev A listed expiry is quoted while it lives. Once expired it is in the first market afterwards, which records its price; from then
    ///      on a market may leave it out, because accounts settle on the record.
    function _requireExpiries(
        Listed memory listed,
        bytes calldata market,
        MarketCodec.Section memory section
    ) private {
        uint8 underlying = uint8(section.underlying);
        uint32[] memory expiries = _openExpiries(underlying);
        for (uint256 i = 0; i < expiries.length; ++i) {
            uint32 expiry = expiries[i];
            bool known =
                expiry > listed.time
                    ? _isQuoted(market, section, expiry)
                    : _settlements[underlying][expiry].price != 0;
            require(known, ExpiryNotQuoted(underlying, expiry));
        }
    }

    /// @dev The listed expiries behind the settled first ones; remembers how many those are by now.
    function _openExpiries(uint8 underlying) private returns (uint32[] memory expiries) {
        uint256 start = _settledPrefix[underlying];
        expiries = instruments.expiriesFrom(underlying, start);
        uint256 settled = 0;
        while (settled < expiries.length && _settlements[underlying][expiries[settled]].price != 0) ++settled;
        if (settled != 0) _settledPrefix[underlying] = start + settled;
    }

    function _requireQuorum(bytes32 signed, bytes calldata signatures) private view {
        require(signatures.length % SIGNATURE_BYTES == 0, WrongSignatureLength(signatures.length));
        uint256 count = signatures.length / SIGNATURE_BYTES;
        uint256 threshold = attesterSet.threshold();
        require(count == threshold, WrongSignatureCount(count, threshold));
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata signature = signatures[i * SIGNATURE_BYTES:(i + 1) * SIGNATURE_BYTES];
            (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(signed, signature);
            require(problem == ECDSA.RecoverError.NoError, BadSignature(i));
            require(signer > previous, SignersNotIncreasing(previous, signer));
            require(attesterSet.isAttester(signer), NotAttester(signer));
            previous = signer;
        }
    }

    function _requireOrder(EpochHeader calldata header) private view {
        require(header.round > _latest.round, RoundNotNewer(header.round, _latest.round));
        uint64 maxRound = _latest.round + MAX_ROUND_GAP;
        require(header.round <= maxRound, RoundTooFar(header.round, maxRound));
        require(header.time <= block.timestamp, HeaderFromFuture(header.time, block.timestamp));
        require(header.time >= _latest.time, HeaderOlderThanLast(header.time, _latest.time));
        require(block.timestamp < header.validUntil, EpochExpired(header.validUntil, block.timestamp));
    }

    function _requireBlock(EpochHeader calldata header) private view {
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
    }

    function _requireMarket(EpochHeader calldata header, bytes calldata market) private view {
        bytes32 actual = MarketCodec.hash(market);
        require(header.marketHash == actual, WrongMarketHash(header.marketHash, actual));
        MarketCodec.validate(market);
        uint64 time = uint64(MarketCodec.time(market));
        require(time == header.time, WrongMarketTime(time, header.time));
        uint256 expected = MarketCodec.nextExpiry(market);
        uint256 oldest = uint256(time) + maxAge;
        if (oldest < expected) expected = oldest;
        require(header.validUntil == expected, WrongValidUntil(header.validUntil, expected));
    }

    function _isQuoted(
        bytes calldata market,
        MarketCodec.Section memory section,
        uint32 expiry
    ) private pure returns (bool) {
        for (uint256 i = 0; i < section.expiryCount; ++i) {
            if (MarketCodec.expiryAt(market, section, i) == expiry) return true;
        }
        return false;
    }
}
