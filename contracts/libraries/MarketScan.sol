// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Limits } from "./Limits.sol";
import { MarketCodec } from "./MarketCodec.sol";
import { MarketWords } from "./MarketWords.sol";

/// @title Whether market bytes encode a market, for less
/// @notice Says the same as MarketCodec.validate, which states every range and names what is wrong; only what is not sound here is asked there.
/// @dev x within [low, high] is one comparison without sign, x - low <= high - low, which wraps to a large number below. Offsets stay within
///      the bytes, because `isSound` takes bytes that MarketCodec.hash took: lengths fit.
library MarketScan {
    /// @notice Whether MarketCodec.validate lets bytes pass whose lengths fit, and their earliest live expiry.
    /// @return sound Whether it does.
    /// @return next The earliest live expiry, unix seconds, or the greatest time when there is none.
    function isSound(bytes calldata market) internal pure returns (bool sound, uint256 next) {
        unchecked {
            uint256 time = MarketCodec.time(market);
            uint256 token = MarketCodec.settlementToken(market);
            uint256 count = MarketCodec.underlyingCount(market);
            if (time == 0 || time >= uint256(Limits.MAX_TIME)) return (false, 0);
            if (token == 0 || token > uint256(Limits.MAX_SETTLEMENT_TOKEN)) return (false, 0);
            if (count == 0 || count > uint256(Limits.MAX_UNDERLYINGS)) return (false, 0);
            next = uint256(Limits.MAX_TIME);
            uint256 at = MarketWords.firstSection(market);
            uint256 previous = 0;
            for (; count != 0; --count) {
                uint256 underlying = MarketWords.underlyingAt(at);
                if (underlying <= previous || underlying > uint256(Limits.MAX_UNDERLYING_ID))
                    return (false, 0);
                previous = underlying;
                if (!_isSoundSection(at, time)) return (false, 0);
                uint256 quotesAt;
                (quotesAt, at) = MarketWords.quotesOf(at);
                if (quotesAt == at) continue;
                // Expiries increase, so the first of a section is its earliest.
                if (MarketWords.expiryAt(quotesAt) < next) next = MarketWords.expiryAt(quotesAt);
                if (at - quotesAt > uint256(Limits.MAX_EXPIRIES) * MarketCodec.QUOTE_BYTES) return (false, 0);
                if (!_areSoundQuotes(quotesAt, at, time)) return (false, 0);
            }
            return (true, next);
        }
    }

    /// @notice Whether a market has the underlyings of an earlier one and quotes every expiry that the earlier one quotes: none of those
    ///         has passed, then, because a market quotes only what comes after its time. False where there is no earlier one.
    function keepsQuotes(bytes calldata market, bytes calldata earlier) internal pure returns (bool) {
        if (earlier.length == 0) return false;
        uint256 left = MarketCodec.underlyingCount(market);
        if (left != MarketCodec.underlyingCount(earlier)) return false;
        uint256 end = MarketWords.firstSection(market);
        uint256 earlierEnd = MarketWords.firstSection(earlier);
        unchecked {
            for (; left != 0; --left) {
                if (MarketWords.underlyingAt(end) != MarketWords.underlyingAt(earlierEnd)) return false;
                uint256 at;
                uint256 earlierAt;
                (at, end) = MarketWords.quotesOf(end);
                (earlierAt, earlierEnd) = MarketWords.quotesOf(earlierEnd);
                if (_haveSameExpiries(at, end, earlierAt, earlierEnd)) continue;
                for (; earlierAt != earlierEnd; earlierAt += MarketCodec.QUOTE_BYTES) {
                    while (MarketWords.same(earlierAt, at, end) == 0) {
                        if (at >= end) return false;
                        at += MarketCodec.QUOTE_BYTES;
                    }
                    at += MarketCodec.QUOTE_BYTES;
                }
            }
        }
        return true;
    }

    /// @dev Whether two sections have the same expiries: as a rule, they do.
    function _haveSameExpiries(
        uint256 at,
        uint256 end,
        uint256 otherAt,
        uint256 otherEnd
    ) private pure returns (bool same) {
        if (end - at != otherEnd - otherAt) return false;
        assembly ("memory-safe") {
            let differences := 0
            for {} lt(at, end) {
                at := add(at, 68)
            } {
                differences := or(differences, xor(calldataload(at), calldataload(otherAt)))
                otherAt := add(otherAt, 68)
            }
            same := iszero(shr(224, differences))
        }
    }

    function _isSoundSection(uint256 at, uint256 time) private pure returns (bool) {
        unchecked {
            uint256 section = MarketWords.sectionAt(at);
            uint256 spots = uint256(Limits.MAX_SPOT - Limits.MIN_SPOT);
            if (MarketWords.spot(section) - uint256(Limits.MIN_SPOT) > spots) return false;
            if (MarketWords.perpetual(section) - uint256(Limits.MIN_SPOT) > spots) return false;
            if (MarketWords.sectionConfidence(section) > uint256(Limits.MAX_CONFIDENCE)) return false;
            int256 funding = MarketWords.funding(section);
            if (uint256(funding + Limits.MAX_FUNDING) > 2 * uint256(Limits.MAX_FUNDING)) return false;
            (uint256 settlementsAt, uint256 count) = MarketWords.settlementsOf(at);
            if (count > uint256(Limits.MAX_SETTLEMENTS)) return false;
            uint256 previous = 0;
            for (; count != 0; --count) {
                (uint256 expiry, uint256 price) = MarketWords.settlementAt(settlementsAt);
                if (expiry <= previous || expiry > time) return false;
                if (price == 0 || price > uint256(Limits.MAX_SETTLEMENT_PRICE)) return false;
                previous = expiry;
                settlementsAt += MarketCodec.SETTLEMENT_BYTES;
            }
            return true;
        }
    }

    /// @dev Whether quotes have increasing expiries after `time` and each is within its ranges: MarketCodec's `_isValidQuote`, whose smile is
    ///      Svi.isValid.
    function _areSoundQuotes(uint256 at, uint256 end, uint256 time) private pure returns (bool sound) {
        int256 minRate = Limits.MIN_RATE;
        uint256 rates = uint256(Limits.MAX_RATE - Limits.MIN_RATE);
        int256 maxRho = Limits.MAX_SVI_RHO;
        int256 maxM = Limits.MAX_SVI_M;
        assembly ("memory-safe") {
            let off := 0
            for {} lt(at, end) {
                at := add(at, 68)
            } {
                let quote := calldataload(at)
                // Expiry, forward from 1e6 to 1e14, rate and confidence up to 1e18.
                off := or(off, iszero(gt(shr(224, quote), time)))
                time := shr(224, quote)
                off := or(off, gt(sub(shr(192, shl(32, quote)), 1000000), 99999999000000))
                off := or(off, gt(sub(sar(192, shl(96, quote)), minRate), rates))
                off := or(off, gt(shr(192, shl(160, quote)), 1000000000000000000))
                // a from -4e18 to 9e18, b from 0 to 2e18, rho, m, sigma from 1e12 to 4e18. A negative b or sigma is huge.
                let smile := calldataload(add(at, 28))
                let a := sar(192, smile)
                let b := shr(192, shl(64, smile))
                let rho := sar(192, shl(128, smile))
                let sigma := shr(192, calldataload(add(at, 60)))
                off := or(off, gt(add(a, 4000000000000000000), 13000000000000000000))
                off := or(off, gt(b, 2000000000000000000))
                off := or(off, gt(add(rho, maxRho), shl(1, maxRho)))
                off := or(off, gt(add(signextend(7, smile), maxM), shl(1, maxM)))
                off := or(off, gt(sub(sigma, 1000000000000), 3999999000000000000))
                if slt(a, 0) {
                    // With b sigma = 0 there is no least root: then least is 0, and the product says no.
                    let product := mul(b, sigma)
                    let one := 1000000000000000000000000000000000000
                    let least := div(add(mul(sub(0, a), one), sub(product, 1)), product)
                    off := or(off, or(iszero(product), gt(least, 1000000000000000000)))
                    off := or(off, gt(mul(least, least), sub(one, mul(rho, rho))))
                }
            }
            sound := iszero(off)
        }
    }
}
