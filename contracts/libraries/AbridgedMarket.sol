// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { MarketCodec } from "./MarketCodec.sol";
import { MarketWords } from "./MarketWords.sol";

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

    /// @dev One underlying: its word of prices (MarketWords.sectionAt) and where it is; how many quotes come after the one found last, and where.
    struct Section {
        uint256 prices;
        uint256 place;
        uint256 nextCount;
        uint256 nextAt;
    }

    /// @notice Fill in the section of an underlying. Reverts with MissingUnderlying(underlying).
    function find(bytes calldata market, uint256 underlying, Section memory section) internal pure {
        uint256 at = MarketWords.firstSection(market);
        unchecked {
            for (uint256 left = MarketCodec.underlyingCount(market); left != 0; --left) {
                uint256 id = MarketWords.underlyingAt(at);
                if (id == underlying) {
                    (section.prices, section.place) = (MarketWords.sectionAt(at), at);
                    (section.nextAt, section.nextCount) = _quotesOf(at);
                    return;
                }
                at = id == 0 ? at + SECTION_MARK_BYTES : _end(at);
            }
        }
        revert ISpecErrors.MissingUnderlying(underlying);
    }

    /// @notice The settlement price (E8) of an expiry; zero if the section has none.
    function settlementPrice(Section memory section, uint256 expiry) internal pure returns (uint256) {
        (uint256 at, uint256 left) = MarketWords.settlementsOf(section.place);
        unchecked {
            for (; left != 0; --left) {
                (uint256 settled, uint256 price) = MarketWords.settlementAt(at);
                if (settled == expiry) return price;
                at += MarketCodec.SETTLEMENT_BYTES;
            }
        }
        return 0;
    }

    /// @notice Where the quote of a live expiry is: first looked for after the one found last, because ids and dates mostly increase together.
    ///         Reverts with MissingExpiry(expiry), also where it is left out.
    function findQuote(Section memory section, uint256 expiry) internal pure returns (uint256 at) {
        uint256 left;
        (at, left) = _search(section.nextAt, section.nextCount, expiry);
        if (left == 0) {
            (at, left) = _quotesOf(section.place);
            (at, left) = _search(at, left, expiry);
            if (left == 0) revert ISpecErrors.MissingExpiry(expiry);
        }
        unchecked {
            (section.nextAt, section.nextCount) = (at + MarketCodec.QUOTE_BYTES, left - 1);
        }
    }

    /// @dev Where the quotes of the section at a place begin, and how many there are.
    function _quotesOf(uint256 place) private pure returns (uint256 at, uint256 count) {
        (at, count) = MarketWords.settlementsOf(place);
        unchecked {
            at += count * MarketCodec.SETTLEMENT_BYTES + 1;
            count = MarketWords.wordAt(at - 1) >> 248;
        }
    }

    /// @dev Where the section at a place ends.
    function _end(uint256 place) private pure returns (uint256 end) {
        (uint256 at, uint256 count) = _quotesOf(place);
        // No expiry is so late.
        (end, ) = _search(at, count, type(uint256).max);
    }

    /// @dev Where the quote of an expiry is, and how many quotes there are from it on, of so many from a place on; the end and zero if it is
    ///      not there.
    function _search(uint256 at, uint256 left, uint256 expiry) private pure returns (uint256, uint256) {
        unchecked {
            while (left != 0) {
                uint256 found = MarketWords.expiryAt(at);
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
}
