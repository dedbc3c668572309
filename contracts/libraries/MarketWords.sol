// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { MarketCodec } from "./MarketCodec.sol";

/// @title Market bytes by the word, for what reads a whole market at every posting
/// @notice The fields of a section and of a quote (MarketCodec.sol) lie so that one word holds most of them. A place is an offset in
///         calldata. Nothing is checked here: the bytes are those of a valid market.
/// @dev Two shifts cost less than a shift and a mask.
library MarketWords {
    /// @notice Where in calldata the first section begins.
    function firstSection(bytes calldata market) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := market.offset
        }
        unchecked {
            return place + MarketCodec.HEADER_BYTES;
        }
    }

    /// @notice The 32 bytes at a place in calldata.
    function wordAt(uint256 place) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(place)
        }
    }

    /// @notice The underlying of the section at a place.
    function underlyingAt(uint256 place) internal pure returns (uint256) {
        return wordAt(place) >> 248;
    }

    /// @notice Spot, perpetual, confidence and funding of the section at a place, 64 bits each.
    function sectionAt(uint256 place) internal pure returns (uint256) {
        unchecked {
            return wordAt(place + 1);
        }
    }

    /// @notice Of every section: underlying x 2^128 + spot (E8) x 2^64 + the perpetual's price (E8).
    function spotsOf(bytes calldata market) internal pure returns (uint256[] memory spots) {
        spots = new uint256[](MarketCodec.underlyingCount(market));
        uint256 place = firstSection(market);
        for (uint256 i = 0; i < spots.length; ++i) {
            // One byte and two times eight.
            spots[i] = wordAt(place) >> 120;
            (, place) = quotesOf(place);
        }
    }

    /// @notice E8, of a section's word.
    function spot(uint256 section) internal pure returns (uint256) {
        return section >> 192;
    }

    /// @notice E8, of a section's word.
    function perpetual(uint256 section) internal pure returns (uint256) {
        return (section << 64) >> 192;
    }

    /// @notice WAD, of a section's word.
    function sectionConfidence(uint256 section) internal pure returns (uint256) {
        return (section << 128) >> 192;
    }

    /// @notice E8, of a section's word.
    function funding(uint256 section) internal pure returns (int256) {
        return (int256(section) << 192) >> 192;
    }

    /// @notice Where the settlement prices of the section at a place begin, and how many there are.
    function settlementsOf(uint256 place) internal pure returns (uint256 settlementsAt, uint256 count) {
        unchecked {
            settlementsAt = place + MarketCodec.SECTION_BYTES + 1;
            count = wordAt(settlementsAt - 1) >> 248;
        }
    }

    /// @notice The settled expiry at a place (unix seconds) and its price (E8).
    function settlementAt(uint256 place) internal pure returns (uint256 settled, uint256 price) {
        uint256 word = wordAt(place);
        return (word >> 224, (word << 32) >> 192);
    }

    /// @notice Where the quotes of the section at a place begin and end; the end is the section's.
    function quotesOf(uint256 place) internal pure returns (uint256 quotesAt, uint256 end) {
        unchecked {
            quotesAt = place + MarketCodec.SECTION_BYTES + 2;
            quotesAt += (wordAt(quotesAt - 2) >> 248) * MarketCodec.SETTLEMENT_BYTES;
            end = quotesAt + (wordAt(quotesAt - 1) >> 248) * MarketCodec.QUOTE_BYTES;
        }
    }

    /// @notice The expiry of the quote at a place, unix seconds.
    function expiryAt(uint256 place) internal pure returns (uint256) {
        return wordAt(place) >> 224;
    }

    /// @notice A place, if it is before an end and the quote there has the expiry of the one at `at`; else 0.
    function same(uint256 at, uint256 place, uint256 end) internal pure returns (uint256 found) {
        // place < end && expiryAt(place) == expiryAt(at) ? place : 0.
        assembly ("memory-safe") {
            found := mul(
                place,
                and(lt(place, end), iszero(shr(224, xor(calldataload(place), calldataload(at)))))
            )
        }
    }

    /// @notice Unix seconds, of a quote's first word.
    function expiry(uint256 quote) internal pure returns (uint256) {
        return quote >> 224;
    }

    /// @notice E8, of a quote's first word.
    function forward(uint256 quote) internal pure returns (uint256) {
        return (quote << 32) >> 192;
    }

    /// @notice WAD, of a quote's first word.
    function rate(uint256 quote) internal pure returns (int256) {
        return (int256(quote) << 96) >> 192;
    }

    /// @notice WAD, of a quote's first word.
    function confidence(uint256 quote) internal pure returns (uint256) {
        return (quote << 160) >> 192;
    }

    /// @notice a, b, rho and m (WAD, signed 64 bits each) of the quote at a place.
    function smileAt(uint256 place) internal pure returns (uint256) {
        unchecked {
            return wordAt(place + 28);
        }
    }

    /// @notice sigma (WAD) of the quote at a place.
    function sigmaAt(uint256 place) internal pure returns (uint256) {
        unchecked {
            return wordAt(place + 60) >> 192;
        }
    }
}
