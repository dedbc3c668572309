// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { InstrumentId } from "./InstrumentId.sol";
import { PortfolioCodec } from "./PortfolioCodec.sol";
import { StrikeStore } from "./StrikeStore.sol";

/// @title Expiry, strike and its logarithm of every position, from what a contract knows of the underlyings
/// @notice The registry of instruments knows all of it, the court a copy. Expiries and strikes are only ever appended, and pieces of strikes
///         stay for ever: a copy that is old is not wrong, it knows fewer instruments.
library Terms {
    /// @notice What is known of an underlying: the head, and the expiries after the first 7, 8 to a word. Packed by hand, so that a
    ///         portfolio's terms cost few storage reads. The head holds from the low bits the count of expiries (16 bits), the count of
    ///         strikes (15), a bit that is set once the underlying exists, and the first 7 expiries (32 each). Strikes stand in the
    ///         `StrikeStore` of the registry.
    struct Known {
        uint256 head;
        mapping(uint256 place => uint256 eightExpiries) expiryWords;
    }

    /// @notice The head of an underlying without expiries and strikes.
    uint256 internal constant EXISTS = 1 << 31;

    uint256 private constant ONE_STRIKE = 1 << 16;
    uint256 private constant HEAD_EXPIRIES = 7;
    /// @dev A group that no id is of, a first index that no index is near.
    uint256 private constant NOWHERE = 1 << 128;
    /// @dev Of an id: strike and put.
    uint256 private constant STRIKE_BITS = 0xffff;
    /// @dev Room for four pieces of strikes, each with what the last word read reaches beyond it.
    uint256 private constant ROOM = 0x2280;

    /// @notice How many expiries there are.
    /// @param head Of the underlying.
    function expiryCount(uint256 head) internal pure returns (uint256) {
        return uint16(head);
    }

    /// @notice How many strikes there are.
    /// @param head Of the underlying.
    function strikeCount(uint256 head) internal pure returns (uint256) {
        return (head >> 16) & 32767;
    }

    /// @notice Expiry `i`, counted from zero; below the count.
    /// @param head Of the underlying.
    function expiryAt(Known storage known, uint256 head, uint256 i) internal view returns (uint256) {
        unchecked {
            if (i < HEAD_EXPIRIES) return uint32(head >> (32 * (i + 1)));
            i -= HEAD_EXPIRIES;
            return uint32(known.expiryWords[i >> 3] >> (32 * (i & 7)));
        }
    }

    /// @notice Append an expiry. There is an index for it.
    function addExpiry(Known storage known, uint256 expiry) internal {
        uint256 head = known.head;
        uint256 count = expiryCount(head);
        if (count < HEAD_EXPIRIES) head |= expiry << (32 * (count + 1));
        else {
            uint256 place = count - HEAD_EXPIRIES;
            known.expiryWords[place >> 3] |= expiry << (32 * (place & 7));
        }
        known.head = head + 1;
    }

    /// @notice Count strikes that were appended to the store. There are indices for them.
    function addStrikes(Known storage known, uint256 count) internal {
        known.head += ONE_STRIKE * count;
    }

    /// @notice The first word of expiries that is not full: those before it stay as they are.
    /// @param head Of the underlying, zero if it is not known.
    function openWord(uint256 head) internal pure returns (uint256) {
        return FixedPointMathLib.zeroFloorSub(expiryCount(head), HEAD_EXPIRIES) >> 3;
    }

    /// @notice The words of expiries from `start` on.
    function wordsFrom(Known storage known, uint256 start) internal view returns (uint256[] memory words) {
        uint256 count = (FixedPointMathLib.zeroFloorSub(expiryCount(known.head), HEAD_EXPIRIES) + 7) >> 3;
        words = new uint256[](FixedPointMathLib.zeroFloorSub(count, start));
        for (uint256 i = 0; i < words.length; ++i) words[i] = known.expiryWords[start + i];
    }

    /// @notice Overwrite a copy with what a registry knows of an underlying by now.
    /// @param head As `packedTerms` has it.
    /// @param start How many words were left out.
    /// @param words The words of expiries from there on.
    function copy(Known storage known, uint256 head, uint256 start, uint256[] memory words) internal {
        known.head = head;
        for (uint256 i = 0; i < words.length; ++i) known.expiryWords[start + i] = words[i];
    }

    /// @notice Expiry and strike of every position, up to the first of an instrument that is not known.
    /// @param known By underlying.
    /// @param registry Whose store the strikes are in.
    /// @param portfolio Packed portfolio bytes of whole positions; ids that are sorted cost least.
    /// @return terms One word per position: expiry (unix seconds) << 136 | ln(strike) (Q64) << 64 | strike (E8); what there is not is zero.
    /// @return left Bytes of the portfolio from the first position on that is not known, whose word and all after it are not written; zero if
    ///         all are known.
    /// @dev The inner loop writes terms as long as positions are of the expiry and their strikes at hand, in place of
    ///          for (; at < end; (at += 12, put += 32)) {
    ///              uint256 term = expiry;
    ///              uint256 option = _idAt(at) - base;
    ///              if (option != 0) {
    ///                  // Above `last` for other strikes and for ids of other expiries, too.
    ///                  uint256 index = (option >> 1) - low;
    ///                  if (index > last) break;
    ///                  term |= the 17 bytes at body + 17 * index;
    ///              }
    ///              store term at put;
    ///          }
    function read(
        mapping(uint256 underlying => Known) storage known,
        address registry,
        bytes calldata portfolio
    ) internal view returns (uint256[] memory terms, uint256 left) {
        uint256 put;
        (terms, put) = _allocate(portfolio.length / PortfolioCodec.POSITION_BYTES);
        (uint256 at, uint256 end) = _bounds(portfolio);
        // Of the expiry at hand: its ids without strike, the underlying's head, the expiry. Of the strikes at hand: the first index, how
        // many follow it, where in memory they are. Which pieces are in memory: see `_choose`.
        (uint256 base, uint256 head, uint256 expiry) = (NOWHERE, 0, 0);
        (uint256 low, uint256 last, uint256 body) = (NOWHERE, 0, 0);
        uint256 loaded = 0;
        unchecked {
            while (at < end) {
                uint256 id = _idAt(at);
                uint256 option = id - base;
                if (option > STRIKE_BITS) {
                    if (id >> 26 != base >> 26) (head, low, loaded) = (known[id >> 26].head, NOWHERE, 0);
                    if (!_isExpiry(head, id)) break;
                    option = id & STRIKE_BITS;
                    base = id - option;
                    uint256 group = InstrumentId.expiryIndex(id);
                    if (group < HEAD_EXPIRIES + InstrumentId.FIRST_EXPIRY_INDEX) {
                        (expiry, low) = _enterNear(head, group, low);
                    } else {
                        group -= InstrumentId.FIRST_EXPIRY_INDEX;
                        expiry = expiryAt(known[id >> 26], head, group) << StrikeStore.ENTRY_BITS;
                    }
                }
                if (!_isAtHand(option, low, last)) {
                    uint256 strike = option >> 1;
                    uint256 count = strikeCount(head);
                    if (!_isStrike(strike, count, expiry)) break;
                    uint256 place = (strike - 1) / StrikeStore.PIECE;
                    uint256 until = StrikeStore.endOf(place, count);
                    body = _room();
                    option = _idAt(end - PortfolioCodec.POSITION_BYTES) - base;
                    bool isThere = false;
                    if (loaded | (option >> 16) == 0) {
                        // Of the last expiry no strike is needed but those from here to the last. If ids are not sorted, all that follow.
                        low = strike;
                        last = FixedPointMathLib.min(until - strike, (option >> 1) - strike);
                    } else {
                        low = place * StrikeStore.PIECE + 1;
                        last = until - low;
                        (body, loaded, isThere) = _choose(body, loaded, place);
                    }
                    if (!isThere) {
                        address piece = StrikeStore.addressOf(registry, id >> 26, place, until);
                        _copy(piece, body, (low - 1) % StrikeStore.PIECE, last + 1);
                    }
                }
                // The loop in the notes above.
                assembly ("memory-safe") {
                    for {} lt(at, end) {
                        at := add(at, 12)
                    } {
                        let term := expiry
                        let index := sub(shr(224, calldataload(at)), base)
                        if index {
                            index := sub(shr(1, index), low)
                            if gt(index, last) {
                                break
                            }
                            term := or(term, shr(120, mload(add(body, mul(index, 17)))))
                        }
                        mstore(put, term)
                        put := add(put, 32)
                    }
                }
            }
            left = end - at;
        }
        assembly ("memory-safe") {
            mstore(0x40, sub(mload(0x40), ROOM))
        }
    }

    /// @dev Equals terms = new uint256[](count), not cleared, and room behind it that is given back.
    /// @return terms The array.
    /// @return put Where its first word goes.
    function _allocate(uint256 count) private pure returns (uint256[] memory terms, uint256 put) {
        assembly ("memory-safe") {
            terms := mload(0x40)
            mstore(terms, count)
            put := add(terms, 32)
            mstore(0x40, add(add(put, shl(5, count)), ROOM))
        }
    }

    /// @dev Where in the calldata bytes start and end.
    function _bounds(bytes calldata given) private pure returns (uint256 start, uint256 end) {
        assembly ("memory-safe") {
            start := given.offset
            end := add(start, given.length)
        }
    }

    /// @dev The id at a place in the calldata.
    function _idAt(uint256 at) private pure returns (uint256 id) {
        assembly ("memory-safe") {
            id := shr(224, calldataload(at))
        }
    }

    /// @dev Whether the underlying exists and has the id's expiry, as each has spot and perpetual. Equals
    ///      head != 0 && expiryIndex(id) < expiryCount(head) + 2.
    function _isExpiry(uint256 head, uint256 id) private pure returns (bool isKnown) {
        assembly ("memory-safe") {
            isKnown := and(shr(31, head), lt(and(shr(16, id), 1023), add(and(head, 0xffff), 2)))
        }
    }

    /// @dev Goes on with spot, perpetual or an expiry that stands in the head. Equals
    ///          index < 2 ? (0, NOWHERE) : (expiryAt(head, index - 2) << 136, low)
    ///      but for another first index that no index is near, either: spot and perpetual have no strikes.
    function _enterNear(
        uint256 head,
        uint256 index,
        uint256 low
    ) private pure returns (uint256 expiry, uint256 nowLow) {
        assembly ("memory-safe") {
            let isDated := gt(index, 1)
            expiry := shl(136, mul(isDated, and(shr(shl(5, sub(index, 1)), head), 0xffffffff)))
            nowLow := or(low, shl(128, iszero(isDated)))
        }
    }

    /// @dev Whether a future or an option whose strike is at hand. Equals option == 0 || (option >> 1) - low <= last.
    function _isAtHand(uint256 option, uint256 low, uint256 last) private pure returns (bool isIt) {
        assembly ("memory-safe") {
            isIt := or(iszero(option), iszero(gt(sub(shr(1, option), low), last)))
        }
    }

    /// @dev Equals strike != 0 && strike <= count && expiry != 0.
    function _isStrike(uint256 strike, uint256 count, uint256 expiry) private pure returns (bool isKnown) {
        assembly ("memory-safe") {
            isKnown := and(lt(sub(strike, 1), count), gt(expiry, 0))
        }
    }

    /// @dev Copies entries of a piece into memory; a byte stands before all of them.
    function _copy(address piece, uint256 to, uint256 skipped, uint256 entries) private view {
        assembly ("memory-safe") {
            extcodecopy(piece, to, add(1, mul(skipped, 17)), mul(entries, 17))
        }
    }

    /// @dev Where in memory the room for pieces is.
    function _room() private pure returns (uint256 room) {
        assembly ("memory-safe") {
            room := sub(mload(0x40), ROOM)
        }
    }

    /// @dev Which of four rooms a whole piece of strikes has, and whether it is there already.
    /// @param room Where the first one is: that of the piece loaded first, so that no memory is left out before it.
    /// @param loaded Zero, or that piece's place << 64 and for each room 16 bits: the place of the piece that is there, plus one.
    function _choose(
        uint256 room,
        uint256 loaded,
        uint256 place
    ) private pure returns (uint256 body, uint256 nowLoaded, bool isThere) {
        unchecked {
            if (loaded == 0) loaded = place << 64;
            uint256 number = (place - (loaded >> 64)) & 3;
            uint256 shift = number << 4;
            body = room + number * (ROOM / 4);
            isThere = uint16(loaded >> shift) == place + 1;
            nowLoaded = (loaded & ~(0xffff << shift)) | ((place + 1) << shift);
        }
    }
}
