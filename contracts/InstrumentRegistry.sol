// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { LibBitmap } from "solady/src/utils/LibBitmap.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { ISpecErrors } from "./interfaces/SpecErrors.sol";
import { InstrumentId } from "./libraries/InstrumentId.sol";
import { Limits } from "./libraries/Limits.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Range } from "./libraries/Range.sol";
import { Reading } from "./libraries/Reading.sol";
import { StrikeWord } from "./libraries/StrikeWord.sol";

/// @title Instruments: underlyings, their expiries and strikes, and which combinations may be traded
contract InstrumentRegistry is IInstrumentRegistry, AccessControl {
    using LibBitmap for LibBitmap.Bitmap;

    /// @notice May add underlyings, expiries and strikes, and list instruments.
    bytes32 public constant LISTER_ROLE = keccak256("LISTER_ROLE");

    /// @dev Packed by hand, so that a portfolio's terms cost few storage reads. The head holds from the low bits the count of expiries (16
    ///      bits), the count of strikes (15), a bit that is set once the underlying exists, and the first 7 expiries (32 each). The other
    ///      expiries stand 8 to a word, strikes 8 to a word in the short form of `StrikeWord`, those that have none by index in `longStrikes`.
    struct Underlying {
        string symbol;
        uint256 head;
        mapping(uint256 place => uint256 eightExpiries) expiryWords;
        mapping(uint256 place => uint256 eightStrikes) strikeWords;
        mapping(uint256 index => uint256 strike) longStrikes;
        mapping(uint256 strike => bool isKnown) knownStrikes;
        mapping(uint256 expiry => bool isKnown) knownExpiries;
    }

    /// @dev What the positions of one expiry share: the underlying's head, the expiry << 64, how many strikes there are.
    struct Group {
        uint256 head;
        uint256 expiry;
        uint256 strikeCount;
    }

    uint256 private constant NOWHERE = type(uint256).max;
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
        uint256 word = known.strikeWords[count >> 3];
        for (uint256 i = 0; i < strikesE8.length; ++i) {
            uint256 strike = strikesE8[i];
            Range.check("strike", int256(strike), Limits.MIN_STRIKE, Limits.MAX_STRIKE);
            // Margin nets what has one strike: two indices with the same would be two strikes to it.
            if (known.knownStrikes[strike]) revert DuplicateStrike(underlying, strike);
            known.knownStrikes[strike] = true;
            uint256 short = StrikeWord.shortForm(strike);
            if (short == 0) known.longStrikes[count] = strike;
            word |= short << (32 * (count & 7));
            known.strikeWords[count >> 3] = word;
            ++count;
            if (count & 7 == 0) word = 0;
            emit StrikeAdded(underlying, uint16(count), uint64(strike));
        }
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
            result[i] = uint64(_strikeIn(known, known.strikeWords[i >> 3], i));
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
        strike = _strikeIn(known, known.strikeWords[(strikeIndex - 1) >> 3], strikeIndex - 1);
    }

    /// @inheritdoc IInstrumentRegistry
    function terms(bytes calldata portfolio) external view returns (uint256[] memory result) {
        if (portfolio.length % PortfolioCodec.POSITION_BYTES != 0) {
            revert ISpecErrors.BadPortfolioLength(portfolio.length);
        }
        uint256 count = PortfolioCodec.count(portfolio);
        result = new uint256[](count);
        // Ids are sorted, so what neighbours share is read once.
        uint256 group = NOWHERE;
        Group memory shared;
        // Words of strikes by the low four bits of their place, each behind that place plus one.
        uint256[32] memory words;
        // Unchecked: a strike index that passed is at most 32767, and i below the count.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                uint256 id = Reading.uint32At(portfolio, i * PortfolioCodec.POSITION_BYTES);
                if (id >> 16 != group) {
                    if (id >> 26 != group >> 10) {
                        shared.head = _underlyings[id >> 26].head;
                        delete words;
                    }
                    group = id >> 16;
                    (shared.expiry, shared.strikeCount) = _group(id, shared.head);
                    shared.expiry <<= 64;
                }
                // Equals id & 65535: strike index and put bit. A future is zero, a put without a strike one.
                uint256 option = uint16(id);
                uint256 term = shared.expiry;
                if (option != 0) {
                    uint256 index = option >> 1;
                    if (index > shared.strikeCount || index-- == 0) revert ISpecErrors.UnknownInstrument(id);
                    uint256 word;
                    uint256 room;
                    // word = words[room + 1] where words[room] == place + 1.
                    assembly ("memory-safe") {
                        room := add(words, and(shl(3, index), 0x3c0))
                        if eq(mload(room), add(shr(3, index), 1)) {
                            word := mload(add(room, 32))
                        }
                    }
                    if (word == 0) {
                        word = _underlyings[id >> 26].strikeWords[index >> 3];
                        assembly ("memory-safe") {
                            mstore(room, add(shr(3, index), 1))
                            mstore(add(room, 32), word)
                        }
                    }
                    uint256 strike = StrikeWord.strikeIn(word, index);
                    term |= strike != 0 ? strike : _underlyings[id >> 26].longStrikes[index];
                }
                assembly ("memory-safe") {
                    mstore(add(add(result, 32), shl(5, i)), term)
                }
            }
        }
        // Equals the end of the function, in one copy; nothing comes after that could miss what is written over.
        assembly ("memory-safe") {
            mstore(words, 32)
            mcopy(add(words, 32), result, shl(5, add(count, 1)))
            return(words, add(64, shl(5, count)))
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

    /// @dev Strike `i`, counted from zero, whose word is given.
    function _strikeIn(Underlying storage known, uint256 word, uint256 i) private view returns (uint256) {
        uint256 strike = StrikeWord.strikeIn(word, i);
        return strike != 0 ? strike : known.longStrikes[i];
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
