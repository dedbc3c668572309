// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { LibBitmap } from "solady/src/utils/LibBitmap.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { ISpecErrors } from "./interfaces/SpecErrors.sol";
import { InstrumentId } from "./libraries/InstrumentId.sol";
import { Limits } from "./libraries/Limits.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Range } from "./libraries/Range.sol";
import { StrikeStore } from "./libraries/StrikeStore.sol";

/// @title Instruments: underlyings, their expiries and strikes, and which combinations may be traded
contract InstrumentRegistry is IInstrumentRegistry, AccessControl {
    using LibBitmap for LibBitmap.Bitmap;

    /// @notice May add underlyings, expiries and strikes, and list instruments.
    bytes32 public constant LISTER_ROLE = keccak256("LISTER_ROLE");

    /// @dev Packed by hand, so that a portfolio's terms cost few storage reads. The head holds from the low bits the count of expiries (16
    ///      bits), the count of strikes (15), a bit that is set once the underlying exists, and the first 7 expiries (32 each). The other
    ///      expiries stand 8 to a word. Strikes stand in a `StrikeStore`.
    struct Underlying {
        string symbol;
        uint256 head;
        mapping(uint256 place => uint256 eightExpiries) expiryWords;
        mapping(uint256 strike => bool isKnown) knownStrikes;
        mapping(uint256 expiry => bool isKnown) knownExpiries;
    }

    /// @dev What the positions of one expiry share: the first 16 bits of their ids, the underlying's head, the expiry, how many strikes there
    ///      are; and of the piece of strikes at hand the first index, how many follow it, and where in memory it is.
    struct Group {
        uint256 group;
        uint256 head;
        uint256 expiry;
        uint256 strikeCount;
        uint256 low;
        uint256 last;
        uint256 body;
    }

    /// @dev A group that no id is of, a first index that no index is near.
    uint256 private constant NOWHERE = 1 << 128;
    uint256 private constant EXISTS = 1 << 31;
    uint256 private constant ONE_STRIKE = 1 << 16;
    uint256 private constant HEAD_EXPIRIES = 7;

    uint256 private _count;
    mapping(uint256 id => Underlying) private _underlyings;
    LibBitmap.Bitmap private _listed;
    /// @inheritdoc IInstrumentRegistry
    uint40 public termsVersion;

    /// @param admin Grants and revokes the roles.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IInstrumentRegistry
    function addUnderlying(string calldata symbol) external onlyRole(LISTER_ROLE) returns (uint8 id) {
        if (bytes(symbol).length == 0) revert EmptySymbol();
        uint256 count = _count;
        uint256 max = uint256(Limits.MAX_UNDERLYINGS);
        if (count == max) revert TooManyUnderlyings(max);
        bytes32 hash = keccak256(bytes(symbol));
        for (uint256 i = 1; i <= count; ++i) {
            if (keccak256(bytes(_underlyings[i].symbol)) == hash) revert DuplicateSymbol(symbol);
        }
        id = uint8(count + 1);
        ++termsVersion;
        _count = id;
        (_underlyings[id].symbol, _underlyings[id].head) = (symbol, EXISTS);
        emit UnderlyingAdded(id, symbol);
        uint32 spot = uint32(id) << 26;
        _list(spot);
        _list(spot | uint32(InstrumentId.PERPETUAL_INDEX << 16));
    }

    /// @inheritdoc IInstrumentRegistry
    function addExpiry(
        uint8 underlying,
        uint32 expiry
    ) external onlyRole(LISTER_ROLE) returns (uint16 index) {
        Underlying storage known = _underlying(underlying);
        if (expiry <= block.timestamp) revert ExpiryNotInFuture(expiry, block.timestamp);
        uint256 head = known.head;
        uint256 count = uint16(head);
        uint256 max = uint256(Limits.MAX_EXPIRY_INDEX) + 1 - InstrumentId.FIRST_EXPIRY_INDEX;
        if (count == max) revert TooManyExpiries(underlying, max);
        if (known.knownExpiries[expiry]) revert DuplicateExpiry(underlying, expiry);
        uint256 live = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (_expiryAt(known, head, i) > block.timestamp) ++live;
        }
        uint256 maxLive = uint256(Limits.MAX_EXPIRIES);
        if (live >= maxLive) revert TooManyLiveExpiries(underlying, maxLive);
        known.knownExpiries[expiry] = true;
        if (count < HEAD_EXPIRIES) head |= uint256(expiry) << (32 * (count + 1));
        else {
            uint256 place = count - HEAD_EXPIRIES;
            known.expiryWords[place >> 3] |= uint256(expiry) << (32 * (place & 7));
        }
        known.head = head + 1;
        ++termsVersion;
        index = uint16(count + InstrumentId.FIRST_EXPIRY_INDEX);
        emit ExpiryAdded(underlying, index, expiry);
    }

    /// @inheritdoc IInstrumentRegistry
    function addStrikes(
        uint8 underlying,
        uint64[] calldata strikesE8
    ) external onlyRole(LISTER_ROLE) returns (uint16 first) {
        Underlying storage known = _underlying(underlying);
        uint256 head = known.head;
        uint256 count = _strikeCount(head);
        uint256 max = uint256(Limits.MAX_STRIKE_INDEX);
        if (count + strikesE8.length > max) revert TooManyStrikes(underlying, max);
        first = uint16(count + 1);
        for (uint256 i = 0; i < strikesE8.length; ++i) {
            uint256 strike = strikesE8[i];
            Range.check("strike", int256(strike), Limits.MIN_STRIKE, Limits.MAX_STRIKE);
            // Margin nets what has one strike: two indices with the same would be two strikes to it.
            if (known.knownStrikes[strike]) revert DuplicateStrike(underlying, strike);
            known.knownStrikes[strike] = true;
            emit StrikeAdded(underlying, uint16(first + i), uint64(strike));
        }
        StrikeStore.append(underlying, count, strikesE8);
        known.head = head + ONE_STRIKE * strikesE8.length;
    }

    /// @inheritdoc IInstrumentRegistry
    function list(uint32[] calldata ids) external onlyRole(LISTER_ROLE) {
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 head = _underlyings[InstrumentId.underlying(ids[i])].head;
            (, uint256 strikeCount) = _group(ids[i], head);
            _checkStrike(ids[i], strikeCount);
            if (!_listed.get(ids[i])) _list(ids[i]);
        }
    }

    /// @inheritdoc IInstrumentRegistry
    function underlyingCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IInstrumentRegistry
    function symbolOf(uint8 underlying) external view returns (string memory) {
        return _underlying(underlying).symbol;
    }

    /// @inheritdoc IInstrumentRegistry
    function expiries(uint8 underlying) external view returns (uint32[] memory) {
        return _expiriesFrom(underlying, 0);
    }

    /// @inheritdoc IInstrumentRegistry
    function expiriesFrom(uint8 underlying, uint256 start) external view returns (uint32[] memory) {
        return _expiriesFrom(underlying, start);
    }

    /// @inheritdoc IInstrumentRegistry
    function strikes(uint8 underlying) external view returns (uint64[] memory result) {
        Underlying storage known = _underlying(underlying);
        result = new uint64[](_strikeCount(known.head));
        for (uint256 i = 0; i < result.length; ++i) {
            result[i] = uint64(StrikeStore.at(underlying, i, result.length));
        }
    }

    /// @inheritdoc IInstrumentRegistry
    function isListed(uint32 id) external view returns (bool) {
        return _listed.get(id);
    }

    /// @inheritdoc IInstrumentRegistry
    function listing(uint32 id) external view returns (bool listed, uint256 expiry, uint256 strike) {
        listed = _listed.get(id);
        uint256 index = InstrumentId.expiryIndex(id);
        if (!listed || index < InstrumentId.FIRST_EXPIRY_INDEX) return (listed, 0, 0);
        Underlying storage known = _underlyings[InstrumentId.underlying(id)];
        expiry = _expiryAt(known, known.head, index - InstrumentId.FIRST_EXPIRY_INDEX);
        uint256 strikeIndex = InstrumentId.strikeIndex(id);
        if (strikeIndex == 0) return (listed, expiry, 0);
        strike = StrikeStore.at(id >> 26, strikeIndex - 1, _strikeCount(known.head));
    }

    /// @inheritdoc IInstrumentRegistry
    function terms(bytes calldata portfolio) external view returns (uint256[] memory result) {
        result = _terms(portfolio);
        for (uint256 i = 0; i < result.length; ++i) {
            uint256 term = result[i];
            result[i] = ((term >> StrikeStore.ENTRY_BITS) << 64) | uint64(term);
        }
    }

    /// @inheritdoc IInstrumentRegistry
    function pricingTerms(bytes calldata portfolio) external view returns (uint256[] memory) {
        uint256[] memory result = _terms(portfolio);
        // Equals returning it, without a copy: the word before it is its own, written over here.
        assembly ("memory-safe") {
            let start := sub(result, 32)
            mstore(start, 32)
            return(start, add(64, shl(5, mload(result))))
        }
    }

    /// @dev `pricingTerms`; the word before the array is free.
    function _terms(bytes calldata portfolio) private view returns (uint256[] memory result) {
        if (portfolio.length % PortfolioCodec.POSITION_BYTES != 0) {
            revert ISpecErrors.BadPortfolioLength(portfolio.length);
        }
        // Ids are sorted, so what neighbours share is read once.
        Group memory shared;
        uint256 at;
        uint256 end;
        uint256 put;
        // result = new uint256[](count), not cleared, behind a free word; `put` is where its next word goes. Four pieces behind it.
        uint256 pieces;
        assembly ("memory-safe") {
            let count := div(portfolio.length, 12)
            result := add(mload(0x40), 32)
            mstore(result, count)
            put := add(result, 32)
            pieces := add(put, shl(5, count))
            mstore(0x40, add(pieces, 0x2300))
            at := portfolio.offset
            end := add(at, portfolio.length)
        }
        (shared.group, shared.low) = (NOWHERE, NOWHERE);
        while (true) {
            uint256 next;
            (next, put) = _fill(shared, at, end, put);
            if (next >= end) return result;
            // What stopped: another expiry, or a strike that is not in the piece at hand.
            at = next;
            uint256 id;
            assembly ("memory-safe") {
                id := shr(224, calldataload(at))
            }
            if (id >> 16 != shared.group) _enter(shared, id, pieces);
            else _load(shared, id, pieces);
        }
    }

    /// @dev Writes terms as long as positions are of the group and their strikes in its piece: in place of
    ///          for (; at < end; (at += 12, put += 32)) {
    ///              uint256 term = expiry << 136;
    ///              uint256 option = id at `at` - (group << 16);
    ///              if (option != 0) {
    ///                  // Above `last` for strikes of other pieces and ids of other groups, too.
    ///                  uint256 index = (option >> 1) - low;
    ///                  if (index > last) break;
    ///                  term |= the 17 bytes at body + 17 * index;
    ///              }
    ///              store term at put;
    ///          }
    function _fill(
        Group memory shared,
        uint256 at,
        uint256 end,
        uint256 put
    ) private pure returns (uint256, uint256) {
        (uint256 base, uint256 expiry) = (shared.group << 16, shared.expiry << StrikeStore.ENTRY_BITS);
        (uint256 low, uint256 last, uint256 body) = (shared.low, shared.last, shared.body);
        assembly ("memory-safe") {
            for {} lt(at, end) {
                at := add(at, 12)
            } {
                let term := expiry
                let option := sub(shr(224, calldataload(at)), base)
                if option {
                    option := sub(shr(1, option), low)
                    if gt(option, last) {
                        break
                    }
                    term := or(term, shr(120, mload(add(body, mul(option, 17)))))
                }
                mstore(put, term)
                put := add(put, 32)
            }
        }
        return (at, put);
    }

    /// @dev Goes on with the expiry of an id.
    function _enter(Group memory shared, uint256 id, uint256 pieces) private view {
        if (id >> 26 != shared.group >> 10) {
            shared.head = _underlyings[id >> 26].head;
            shared.low = NOWHERE;
            // No piece is loaded of it.
            assembly ("memory-safe") {
                calldatacopy(pieces, calldatasize(), 128)
            }
        }
        shared.group = id >> 16;
        (shared.expiry, shared.strikeCount) = _group(id, shared.head);
        // Spot and perpetual have no strikes.
        if (shared.expiry == 0) shared.low = NOWHERE;
    }

    /// @dev Goes on with the piece that holds the strike of an id, copied into memory unless it is there: at `pieces`, four words that say
    ///      which piece is in which of four places, plus one, and then the places.
    function _load(Group memory shared, uint256 id, uint256 pieces) private view {
        uint256 index = InstrumentId.strikeIndex(id);
        if (index == 0 || index > shared.strikeCount) revert ISpecErrors.UnknownInstrument(id);
        // Indices are below 32768.
        unchecked {
            uint256 place = (index - 1) / StrikeStore.PIECE;
            uint256 body = pieces + 128 + (place & 3) * 2208;
            bool isLoaded;
            assembly ("memory-safe") {
                isLoaded := eq(mload(add(pieces, shl(5, and(place, 3)))), add(place, 1))
            }
            (shared.low, shared.body) = (place * StrikeStore.PIECE + 1, body);
            shared.last = FixedPointMathLib.min(StrikeStore.PIECE, shared.strikeCount + 1 - shared.low) - 1;
            if (isLoaded) return;
            address stored = StrikeStore.address_(id >> 26, place, shared.strikeCount);
            // Without the byte before the data. Beyond the end of the code all bytes are zero.
            assembly ("memory-safe") {
                extcodecopy(stored, body, 1, 2176)
                mstore(add(pieces, shl(5, and(place, 3))), add(place, 1))
            }
        }
    }

    function _list(uint32 id) private {
        _listed.set(id);
        emit InstrumentListed(id);
    }

    function _underlying(uint256 underlying) private view returns (Underlying storage known) {
        known = _underlyings[underlying];
        if (known.head == 0) revert UnknownUnderlying(underlying);
    }

    /// @dev The expiry of an id, zero for spot and perpetual, and how many strikes it may refer to.
    /// @param head The underlying's, zero if there is no such underlying.
    function _group(uint256 id, uint256 head) private view returns (uint256 expiry, uint256 strikeCount) {
        uint256 index = InstrumentId.expiryIndex(id);
        if (head == 0) revert ISpecErrors.UnknownInstrument(id);
        if (index < InstrumentId.FIRST_EXPIRY_INDEX) return (0, 0);
        unchecked {
            uint256 place = index - InstrumentId.FIRST_EXPIRY_INDEX;
            if (place >= uint16(head)) revert ISpecErrors.UnknownInstrument(id);
            return (_expiryAt(_underlyings[InstrumentId.underlying(id)], head, place), _strikeCount(head));
        }
    }

    function _expiriesFrom(uint8 underlying, uint256 start) private view returns (uint32[] memory rest) {
        Underlying storage known = _underlying(underlying);
        uint256 head = known.head;
        uint256 count = uint16(head);
        rest = new uint32[](start < count ? count - start : 0);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = uint32(_expiryAt(known, head, start + i));
    }

    /// @dev Expiry `i`, counted from zero; below the count.
    function _expiryAt(Underlying storage known, uint256 head, uint256 i) private view returns (uint256) {
        unchecked {
            if (i < HEAD_EXPIRIES) return uint32(head >> (32 * (i + 1)));
            i -= HEAD_EXPIRIES;
            return uint32(known.expiryWords[i >> 3] >> (32 * (i & 7)));
        }
    }

    function _checkStrike(uint256 id, uint256 strikeCount) private pure {
        uint256 index = InstrumentId.strikeIndex(id);
        if (index > strikeCount || (index == 0 && InstrumentId.isPut(id)))
            revert ISpecErrors.UnknownInstrument(id);
    }

    function _strikeCount(uint256 head) private pure returns (uint256) {
        return (head >> 16) & 32767;
    }
}
