// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { MarketCodec } from "./MarketCodec.sol";
import { Svi } from "./Svi.sol";

/// @title Readers of market bytes that may be abridged (abridged.py)
/// @notice Takes bytes that MarketCodec.validate let pass, or whose MarketHash.abridged is the hash of such bytes. What is left out reads as
///         missing. Places are offsets in calldata.
/// @dev Unchecked throughout: places stay within the bytes, counts are bytes.
library AbridgedMarket {
    /// @dev Lengths of what stands in place of a section, and of a pair or a group.
    uint256 private constant SECTION_MARK_BYTES = 33;
    uint256 private constant MARK_BYTES = 36;
    uint256 private constant PAIR = 2;
    uint256 private constant GROUP = 4;

    /// @dev One underlying: spot and the perpetual's price (E8), confidence in both (WAD), the perpetual's cumulative funding per unit (E8);
    ///      how many settled expiries it has and where; how many live ones and where; how many come after the quote read last, and where.
    struct Section {
        uint256 spot;
        uint256 perpetual;
        uint256 confidence;
        int256 funding;
        uint256 settlementCount;
        uint256 settlementsAt;
        uint256 quoteCount;
        uint256 quotesAt;
        uint256 nextCount;
        uint256 nextAt;
    }

    /// @notice Fill in the section of an underlying. Reverts with MissingUnderlying(underlying).
    function find(bytes calldata market, uint256 underlying, Section memory section) internal pure {
        uint256 at;
        assembly ("memory-safe") {
            at := market.offset
        }
        unchecked {
            at += MarketCodec.HEADER_BYTES;
            for (uint256 left = MarketCodec.underlyingCount(market); left != 0; --left) {
                uint256 id = _wordAt(at) >> 248;
                if (id == underlying) return _read(section, at);
                at = id == 0 ? at + SECTION_MARK_BYTES : _end(at);
            }
        }
        revert ISpecErrors.MissingUnderlying(underlying);
    }

    /// @notice The settlement price (E8) of an expiry; zero if the section has none.
    function settlementPrice(Section memory section, uint256 expiry) internal pure returns (uint256) {
        uint256 at = section.settlementsAt;
        unchecked {
            for (uint256 left = section.settlementCount; left != 0; --left) {
                uint256 word = _wordAt(at);
                if (word >> 224 == expiry) return uint64(word >> 160);
                at += MarketCodec.SETTLEMENT_BYTES;
            }
        }
        return 0;
    }

    /// @notice The quote of a live expiry, into one that is there: first looked for after the one read last, because ids and dates mostly
    ///         increase together. Reverts with MissingExpiry(expiry), also where it is left out.
    function readQuote(Section memory section, uint256 expiry, MarketCodec.Quote memory live) internal pure {
        (uint256 at, uint256 left) = _search(section.nextAt, section.nextCount, expiry);
        if (left == 0) {
            (at, left) = _search(section.quotesAt, section.quoteCount, expiry);
            if (left == 0) revert ISpecErrors.MissingExpiry(expiry);
        }
        unchecked {
            // The casts cut off what stands before, and restore signs.
            uint256 word = _wordAt(at);
            (live.expiry, live.forward) = (expiry, uint64(word >> 160));
            (live.rate, live.confidence) = (int64(uint64(word >> 96)), uint64(word >> 32));
            Svi.Smile memory smile = live.smile;
            word = _wordAt(at + 28);
            (smile.a, smile.b) = (int256(word) >> 192, int64(uint64(word >> 128)));
            (smile.rho, smile.m) = (int64(uint64(word >> 64)), int64(uint64(word)));
            smile.sigma = int256(_wordAt(at + 60)) >> 192;
            (section.nextAt, section.nextCount) = (at + MarketCodec.QUOTE_BYTES, left - 1);
        }
    }

    /// @dev Fills in the section at a place.
    function _read(Section memory section, uint256 at) private pure {
        unchecked {
            // The casts cut off what stands before, and restore the sign.
            uint256 word = _wordAt(at);
            (section.spot, section.perpetual) = (uint64(word >> 184), uint64(word >> 120));
            section.confidence = uint64(word >> 56);
            word = _wordAt(at + 25);
            section.funding = int256(word) >> 192;
            uint256 count = uint8(word >> 184);
            at += MarketCodec.SECTION_BYTES + 1;
            (section.settlementCount, section.settlementsAt) = (count, at);
            at += count * MarketCodec.SETTLEMENT_BYTES + 1;
            count = _wordAt(at - 1) >> 248;
            (section.quoteCount, section.quotesAt) = (count, at);
            (section.nextCount, section.nextAt) = (count, at);
        }
    }

    /// @dev Where the section at a place ends.
    function _end(uint256 at) private pure returns (uint256 end) {
        unchecked {
            at += MarketCodec.SECTION_BYTES + 1;
            at += (_wordAt(at - 1) >> 248) * MarketCodec.SETTLEMENT_BYTES + 1;
            // No expiry is so late.
            (end, ) = _search(at, _wordAt(at - 1) >> 248, type(uint256).max);
        }
    }

    /// @dev Where the quote of an expiry is, and how many quotes there are from it on, of so many from a place on; the end and zero if it is
    ///      not there.
    function _search(uint256 at, uint256 left, uint256 expiry) private pure returns (uint256, uint256) {
        unchecked {
            while (left != 0) {
                uint256 found = _wordAt(at) >> 224;
                if (found == expiry) break;
                if (found > 1) {
                    at += MarketCodec.QUOTE_BYTES;
                    --left;
                } else {
                    at += MARK_BYTES;
                    uint256 quotes = found == 0 ? PAIR : GROUP;
                    left = left > quotes ? left - quotes : 0;
                }
            }
        }
        return (at, left);
    }

    function _wordAt(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(at)
        }
    }
}
