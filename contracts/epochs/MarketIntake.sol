// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "../interfaces/IInstrumentRegistry.sol";
import { IMarketBounds } from "../interfaces/IMarketBounds.sol";
import { IModelRegistry } from "../interfaces/IModelRegistry.sol";
import { EpochHeader } from "../interfaces/Types.sol";
import { MarketCodec } from "../libraries/MarketCodec.sol";
import { MarketScan } from "../libraries/MarketScan.sol";
import { MarketWords } from "../libraries/MarketWords.sol";
import { OutflowBudget } from "./OutflowBudget.sol";

/// @title What the market of an epoch must be, and the settlement prices it brings
abstract contract MarketIntake is OutflowBudget {
    struct Settlement {
        uint64 price;
        uint64 recordedAt;
    }

    /// @notice Where models are kept.
    IModelRegistry public immutable models;
    /// @notice Where instruments are listed.
    IInstrumentRegistry public immutable instruments;
    /// @notice What bounds the market's forwards, rates, smiles and funding.
    IMarketBounds public immutable bounds;
    /// @notice How long after its time an epoch may be in force, seconds.
    uint64 public immutable maxAge;

    mapping(uint8 => mapping(uint32 => Settlement)) private _settlements;
    /// @dev Per underlying, how many of the first listed expiries are settled: they need no look again.
    mapping(uint8 => uint256) private _settledPrefix;

    /// @inheritdoc IEpochRegistry
    function restoreSpots(bytes calldata market) external {
        bytes32 given = MarketCodec.hash(market);
        require(given == _marketHash, WrongMarket(given, _marketHash));
        _storeSpots(MarketWords.spotsOf(market));
    }

    /// @inheritdoc IEpochRegistry
    function settlementPrice(uint8 underlying, uint32 expiry) external view returns (uint64) {
        return _settlements[underlying][expiry].price;
    }

    /// @inheritdoc IEpochRegistry
    function settledAt(uint8 underlying, uint32 expiry) external view returns (uint64) {
        return _settlements[underlying][expiry].recordedAt;
    }

    /// @dev Listing, guard, settlement and spots of a market already validated; `clock` is changed. What the newest valid market was held
    ///      against is not read again while nothing was listed and no expiry passed.
    function _takePrices(bytes calldata market, bytes calldata previousMarket, Clock memory clock) internal {
        uint40 version = instruments.termsVersion();
        bool isKnown = version == clock.termsVersion && MarketScan.keepsQuotes(market, previousMarket);
        clock.termsVersion = version;
        if (!isKnown) _requireUnderlyings(market);
        _takeSections(market);
        if (!isKnown) _requireQuotes(market, clock.time);
    }

    function _takeSections(bytes calldata market) private {
        uint256[] memory spots = MarketWords.spotsOf(market);
        _storeSpots(spots);
        guard.checkSpots(spots);
        uint256 at = MarketWords.firstSection(market);
        for (uint256 i = 0; i < spots.length; ++i) {
            _recordSettlements(uint8(MarketWords.underlyingAt(at)), at);
            (, at) = MarketWords.quotesOf(at);
        }
    }

    function _requireQuotes(bytes calldata market, uint256 time) private {
        uint256 count = MarketCodec.underlyingCount(market);
        uint256 offset = MarketCodec.HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            MarketCodec.Section memory section = MarketCodec.section(market, offset);
            offset = section.end;
            _requireExpiries(market, section, time);
        }
    }

    function _requireMarket(
        EpochHeader calldata header,
        bytes calldata market,
        bytes calldata previousMarket
    ) internal view {
        bytes32 actual = MarketCodec.hash(market);
        require(header.marketHash == actual, WrongMarketHash(header.marketHash, actual));
        bytes32 given = previousMarket.length == 0 ? bytes32(0) : MarketCodec.hash(previousMarket);
        require(given == _marketHash, WrongPreviousMarket(given, _marketHash));
        (bool sound, uint256 expected) = MarketScan.isSound(market);
        if (!sound) expected = bounds.requireMarket(market);
        uint64 time = uint64(MarketCodec.time(market));
        require(time == header.time, WrongMarketTime(time, header.time));
        uint256 oldest = uint256(time) + maxAge;
        if (oldest < expected) expected = oldest;
        require(header.validUntil == expected, WrongValidUntil(header.validUntil, expected));
    }

    /// @dev As MarketWords.spotsOf gives them, that of underlying i + 1 in place i: the first two in the gate, where spots fit
    ///      (Limits.MAX_SPOT), the others four to a word.
    function _storeSpots(uint256[] memory spots) private {
        uint256 word = 0;
        for (uint256 i = 0; i < spots.length; ++i) {
            uint256 spot = uint64(spots[i] >> 64);
            if (i == 0) {
                _gate.firstSpot = uint48(spot);
            } else if (i == 1) {
                _gate.secondSpot = uint48(spot);
            } else {
                uint256 place = i - 2;
                word |= spot << ((place & 3) << 6);
                if (place & 3 != 3 && i + 1 != spots.length) continue;
                _spots[place >> 2] = word;
                word = 0;
            }
        }
    }

    /// @dev `at` is where in calldata the underlying's section lies.
    function _recordSettlements(uint8 underlying, uint256 at) private {
        (uint256 place, uint256 count) = MarketWords.settlementsOf(at);
        for (; count != 0; --count) {
            (uint256 expiry, uint256 price) = MarketWords.settlementAt(place);
            place += MarketCodec.SETTLEMENT_BYTES;
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
        bytes calldata market,
        MarketCodec.Section memory section,
        uint256 time
    ) private {
        uint8 underlying = uint8(section.underlying);
        uint32[] memory expiries = _openExpiries(underlying);
        for (uint256 i = 0; i < expiries.length; ++i) {
            uint32 expiry = expiries[i];
            bool known =
                expiry > time
                    ? MarketCodec.quotes(market, section, expiry)
                    : _settlements[underlying][expiry].price != 0;
            require(known, ExpiryNotQuoted(underlying, expiry));
        }
    }

    /// @dev Listed underlyings are 1 to `listed` and the market's increase, so section i must be underlying i + 1.
    function _requireUnderlyings(bytes calldata market) private view {
        uint256 listed = instruments.underlyingCount();
        uint256 count = MarketCodec.underlyingCount(market);
        uint256 offset = MarketCodec.HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            MarketCodec.Section memory section = MarketCodec.section(market, offset);
            offset = section.end;
            if (section.underlying > listed) revert UnlistedUnderlying(uint8(section.underlying));
            if (section.underlying != i + 1) revert UnderlyingNotQuoted(uint8(i + 1));
        }
        if (count < listed) revert UnderlyingNotQuoted(uint8(count + 1));
    }

    /// @dev The listed expiries behind the settled first ones; remembers how many those are by now.
    function _openExpiries(uint8 underlying) private returns (uint32[] memory expiries) {
        uint256 start = _settledPrefix[underlying];
        expiries = instruments.expiriesFrom(underlying, start);
        uint256 settled = 0;
        while (settled < expiries.length && _settlements[underlying][expiries[settled]].price != 0) ++settled;
        if (settled != 0) _settledPrefix[underlying] = start + settled;
    }
}
