// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { Limits } from "./Limits.sol";
import { MarketHash } from "./MarketHash.sol";
import { Range } from "./Range.sol";
import { Reading } from "./Reading.sol";
import { Svi } from "./Svi.sol";

/// @title Market bytes (market.py)
/// @notice Header: time u64, settlement token price u64 (E8), count of underlyings u8. Section: underlying u8, spot u64 (E8), perpetual u64
///         (E8), confidence u64 (WAD), funding i64 (E8); count u8, then per settled expiry: expiry u32, price u64 (E8); count u8, then per
///         live expiry: expiry u32, forward u64 (E8), rate i64, confidence u64, smile 5 x i64 (WAD). `validate` comes first: the readers
///         take bytes that passed it, or whose hash is that of bytes that did.
library MarketCodec {
    uint256 internal constant HEADER_BYTES = 17;
    uint256 internal constant SECTION_BYTES = 33;
    uint256 internal constant SETTLEMENT_BYTES = 12;
    uint256 internal constant QUOTE_BYTES = 68;

    /// @dev One underlying: spot and the perpetual's price (E8), confidence in both (WAD), the perpetual's cumulative funding per unit (E8);
    ///      how many settled and live expiries it has and at which offsets of the bytes they start; where the section ends.
    struct Section {
        uint256 underlying;
        uint256 spot;
        uint256 perpetual;
        uint256 confidence;
        int256 funding;
        uint256 settlementCount;
        uint256 settlementsAt;
        uint256 expiryCount;
        uint256 expiriesAt;
        uint256 end;
    }

    /// @dev A live expiry: unix seconds, forward (E8), rate, confidence, smile (WAD).
    struct Quote {
        uint256 expiry;
        uint256 forward;
        int256 rate;
        uint256 confidence;
        Svi.Smile smile;
    }

    /// @notice The market hash. Reverts with BadLength(length) where lengths do not fit; checks nothing else.
    function hash(bytes calldata market) internal pure returns (bytes32) {
        return MarketHash.whole(market);
    }

    /// @notice Refuse bytes that encode no market: BadLength, OutOfRange, NotIncreasing, NegativeVariance.
    function validate(bytes calldata market) internal pure {
        uint256 count = _countChecked(market);
        uint256 offset = HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) (, , offset) = _bounds(market, offset);
        if (offset != market.length) revert ISpecErrors.BadLength(market.length);

        uint256 now_ = time(market);
        Range.check("time", int256(now_), 1, Limits.MAX_TIME - 1);
        int256 token = int256(settlementToken(market));
        Range.check("settlementToken", token, Limits.MIN_SETTLEMENT_TOKEN, Limits.MAX_SETTLEMENT_TOKEN);
        Range.check("underlyings", int256(count), 1, Limits.MAX_UNDERLYINGS);
        _checkOrder(market, count);
        offset = HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            Section memory current = section(market, offset);
            _checkSettlements(market, current, now_);
            _checkExpiries(market, current, now_);
            offset = current.end;
        }
    }

    /// @notice When the snapshot was taken, unix seconds.
    function time(bytes calldata market) internal pure returns (uint256) {
        return Reading.uint64At(market, 0);
    }

    /// @notice The settlement token's price, E8.
    function settlementToken(bytes calldata market) internal pure returns (uint256) {
        return Reading.uint64At(market, 8);
    }

    /// @notice How many underlyings there are. Their sections follow each other from HEADER_BYTES on.
    function underlyingCount(bytes calldata market) internal pure returns (uint256) {
        return Reading.uint8At(market, 16);
    }

    /// @notice The section at an offset: HEADER_BYTES, or another section's end. Reverts with BadLength(length) beyond the bytes.
    function section(bytes calldata market, uint256 offset) internal pure returns (Section memory current) {
        // Offsets grow by at most 33 + 255 * 80 per section: far from overflow.
        unchecked {
            (current.settlementsAt, current.expiriesAt, current.end) = _bounds(market, offset);
            current.underlying = Reading.uint8At(market, offset);
            current.spot = Reading.uint64At(market, offset + 1);
            current.perpetual = Reading.uint64At(market, offset + 9);
            current.confidence = Reading.uint64At(market, offset + 17);
            current.funding = Reading.int64At(market, offset + 25);
            current.settlementCount = Reading.uint8At(market, current.settlementsAt - 1);
            current.expiryCount = Reading.uint8At(market, current.expiriesAt - 1);
        }
    }

    /// @dev Where the parts of the section at an offset are. Reverts with BadLength(length) beyond the bytes.
    function _bounds(
        bytes calldata market,
        uint256 offset
    ) private pure returns (uint256 settlementsAt, uint256 expiriesAt, uint256 end) {
        unchecked {
            settlementsAt = offset + SECTION_BYTES + 1;
            _require(market, settlementsAt);
            expiriesAt = settlementsAt + Reading.uint8At(market, settlementsAt - 1) * SETTLEMENT_BYTES + 1;
            _require(market, expiriesAt);
            end = expiriesAt + Reading.uint8At(market, expiriesAt - 1) * QUOTE_BYTES;
            _require(market, end);
        }
    }

    /// @notice Settled expiry `i` of a section (unix seconds) and its price (E8); `i` must be below the count.
    function settlement(
        bytes calldata market,
        Section memory current,
        uint256 i
    ) internal pure returns (uint256 expiry, uint256 price) {
        unchecked {
            uint256 offset = current.settlementsAt + i * SETTLEMENT_BYTES;
            return (Reading.uint32At(market, offset), Reading.uint64At(market, offset + 4));
        }
    }

    /// @notice Live expiry `i` of a section, unix seconds; `i` must be below the count.
    function expiryAt(
        bytes calldata market,
        Section memory current,
        uint256 i
    ) internal pure returns (uint256) {
        unchecked {
            return Reading.uint32At(market, current.expiriesAt + i * QUOTE_BYTES);
        }
    }

    /// @notice The quote of live expiry `i` of a section; `i` must be below the count.
    function quote(
        bytes calldata market,
        Section memory current,
        uint256 i
    ) internal pure returns (Quote memory live) {
        unchecked {
            uint256 offset = current.expiriesAt + i * QUOTE_BYTES;
            // The casts cut off what stands before, and restore signs.
            uint256 word = Reading.wordAt(market, offset);
            (live.expiry, live.forward) = (word >> 224, uint64(word >> 160));
            (live.rate, live.confidence) = (int64(uint64(word >> 96)), uint64(word >> 32));
            Svi.Smile memory smile = live.smile;
            word = Reading.wordAt(market, offset + 28);
            (smile.a, smile.b) = (int256(word) >> 192, int64(uint64(word >> 128)));
            (smile.rho, smile.m) = (int64(uint64(word >> 64)), int64(uint64(word)));
            smile.sigma = Reading.int64At(market, offset + 60);
        }
    }

    /// @notice Whether the section quotes an expiry.
    function quotes(
        bytes calldata market,
        Section memory current,
        uint256 expiry
    ) internal pure returns (bool) {
        for (uint256 i = 0; i < current.expiryCount; ++i) {
            if (expiryAt(market, current, i) == expiry) return true;
        }
        return false;
    }

    /// @notice The earliest live expiry, unix seconds, or the greatest time when there is none.
    function nextExpiry(bytes calldata market) internal pure returns (uint256 earliest) {
        earliest = uint256(Limits.MAX_TIME);
        uint256 count = underlyingCount(market);
        uint256 offset = HEADER_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            Section memory current = section(market, offset);
            // Expiries increase, so the first of a section is its earliest.
            if (current.expiryCount != 0) {
                uint256 first = expiryAt(market, current, 0);
                if (first < earliest) earliest = first;
            }
            offset = current.end;
        }
    }

    function _checkOrder(bytes calldata market, uint256 count) private pure {
        uint256 offset = HEADER_BYTES;
        uint256 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            Section memory current = section(market, offset);
            if (i != 0 && current.underlying <= previous) {
                revert ISpecErrors.NotIncreasing(previous, current.underlying);
            }
            previous = current.underlying;
            offset = current.end;
        }
    }

    function _checkSettlements(bytes calldata market, Section memory current, uint256 now_) private pure {
        Range.check("underlying", int256(current.underlying), 1, Limits.MAX_UNDERLYING_ID);
        Range.check("spot", int256(current.spot), Limits.MIN_SPOT, Limits.MAX_SPOT);
        Range.check("perpetual", int256(current.perpetual), Limits.MIN_SPOT, Limits.MAX_SPOT);
        Range.check("confidence", int256(current.confidence), Limits.MIN_CONFIDENCE, Limits.MAX_CONFIDENCE);
        Range.check("funding", current.funding, -Limits.MAX_FUNDING, Limits.MAX_FUNDING);
        uint256 count = current.settlementCount;
        Range.check("settlements", int256(count), 0, Limits.MAX_SETTLEMENTS);
        uint256 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 expiry, ) = settlement(market, current, i);
            if (i != 0 && expiry <= previous) revert ISpecErrors.NotIncreasing(previous, expiry);
            previous = expiry;
        }
        for (uint256 i = 0; i < count; ++i) {
            (uint256 expiry, uint256 price) = settlement(market, current, i);
            Range.check("settledExpiry", int256(expiry), 1, int256(now_));
            Range.check(
                "settlementPrice",
                int256(price),
                Limits.MIN_SETTLEMENT_PRICE,
                Limits.MAX_SETTLEMENT_PRICE
            );
        }
    }

    function _checkExpiries(bytes calldata market, Section memory current, uint256 now_) private pure {
        uint256 count = current.expiryCount;
        Range.check("expiries", int256(count), 0, Limits.MAX_EXPIRIES);
        uint256 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 expiry = expiryAt(market, current, i);
            if (i != 0 && expiry <= previous) revert ISpecErrors.NotIncreasing(previous, expiry);
            previous = expiry;
        }
        for (uint256 i = 0; i < count; ++i) {
            if (_isValidQuote(market, current.expiriesAt + i * QUOTE_BYTES, now_)) continue;
            // What is wrong with it: one of these reverts.
            Quote memory live = quote(market, current, i);
            Range.check("expiry", int256(live.expiry), int256(now_) + 1, Limits.MAX_TIME);
            Range.check("forward", int256(live.forward), Limits.MIN_SPOT, Limits.MAX_SPOT);
            Range.check("rate", live.rate, Limits.MIN_RATE, Limits.MAX_RATE);
            Range.check(
                "expiryConfidence",
                int256(live.confidence),
                Limits.MIN_CONFIDENCE,
                Limits.MAX_CONFIDENCE
            );
            Svi.check(live.smile);
        }
    }

    /// @dev Whether the quote at an offset is within its ranges.
    function _isValidQuote(bytes calldata market, uint256 at, uint256 now_) private pure returns (bool) {
        // Expiry, forward, rate and confidence in one word; a, b, rho and m in another.
        uint256 head = Reading.wordAt(market, at);
        uint256 forward = uint64(head >> 160);
        int256 rate = int64(uint64(head >> 96));
        if (head >> 224 <= now_ || uint64(head >> 32) > uint256(Limits.MAX_CONFIDENCE)) return false;
        if (forward < uint256(Limits.MIN_SPOT) || forward > uint256(Limits.MAX_SPOT)) return false;
        if (rate < Limits.MIN_RATE || rate > Limits.MAX_RATE) return false;
        unchecked {
            int256 smile = int256(Reading.wordAt(market, at + 28));
            return
                Svi.isValid(
                    smile >> 192,
                    (smile << 64) >> 192,
                    (smile << 128) >> 192,
                    (smile << 192) >> 192,
                    Reading.int64At(market, at + 60)
                );
        }
    }

    function _countChecked(bytes calldata market) private pure returns (uint256) {
        _require(market, HEADER_BYTES);
        return underlyingCount(market);
    }

    function _require(bytes calldata market, uint256 length) private pure {
        if (market.length < length) revert ISpecErrors.BadLength(market.length);
    }
}
