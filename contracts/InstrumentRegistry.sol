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

/// @title Instruments: underlyings, their expiries and strikes, and which combinations may be traded
contract InstrumentRegistry is IInstrumentRegistry, AccessControl {
    using LibBitmap for LibBitmap.Bitmap;

    /// @notice May add underlyings, expiries and strikes, and list instruments.
    bytes32 public constant LISTER_ROLE = keccak256("LISTER_ROLE");

    /// @dev Strikes are packed by hand, four to a word, the first in the low bits: reading 100 positions costs few storage reads.
    struct Underlying {
        string symbol;
        uint32[] expiries;
        uint256 strikeCount;
        mapping(uint256 place => uint256 fourStrikes) strikeWords;
        mapping(uint256 strike => bool isKnown) knownStrikes;
    }

    uint256 private constant UNDERLYING_SLOTS = 5;
    uint256 private constant NOWHERE = type(uint256).max;

    /// @dev Underlying 1 stands first.
    Underlying[] private _underlyings;
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
        uint256 count = _underlyings.length;
        uint256 max = uint256(Limits.MAX_UNDERLYINGS);
        if (count == max) revert TooManyUnderlyings(max);
        bytes32 hash = keccak256(bytes(symbol));
        for (uint256 i = 0; i < count; ++i) {
            if (keccak256(bytes(_underlyings[i].symbol)) == hash) revert DuplicateSymbol(symbol);
        }
        _underlyings.push().symbol = symbol;
        id = uint8(count + 1);
        ++termsVersion;
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
        uint32[] storage known = _underlying(underlying).expiries;
        if (expiry <= block.timestamp) revert ExpiryNotInFuture(expiry, block.timestamp);
        uint256 count = known.length;
        uint256 max = uint256(Limits.MAX_EXPIRY_INDEX) + 1 - InstrumentId.FIRST_EXPIRY_INDEX;
        if (count == max) revert TooManyExpiries(underlying, max);
        uint256 live = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (known[i] == expiry) revert DuplicateExpiry(underlying, expiry);
            if (known[i] > block.timestamp) ++live;
        }
        uint256 maxLive = uint256(Limits.MAX_EXPIRIES);
        if (live >= maxLive) revert TooManyLiveExpiries(underlying, maxLive);
        known.push(expiry);
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
        uint256 count = known.strikeCount;
        uint256 max = uint256(Limits.MAX_STRIKE_INDEX);
        if (count + strikesE8.length > max) revert TooManyStrikes(underlying, max);
        first = uint16(count + 1);
        uint256 word = known.strikeWords[count >> 2];
        for (uint256 i = 0; i < strikesE8.length; ++i) {
            uint256 strike = strikesE8[i];
            Range.check("strike", int256(strike), Limits.MIN_STRIKE, Limits.MAX_STRIKE);
            // Margin nets what has one strike: two indices with the same would be two strikes to it.
            if (known.knownStrikes[strike]) revert DuplicateStrike(underlying, strike);
            known.knownStrikes[strike] = true;
            word |= strike << ((count & 3) << 6);
            known.strikeWords[count >> 2] = word;
            ++count;
            if (count & 3 == 0) word = 0;
            emit StrikeAdded(underlying, uint16(count), uint64(strike));
        }
        known.strikeCount = count;
    }

    /// @inheritdoc IInstrumentRegistry
    function list(uint32[] calldata ids) external onlyRole(LISTER_ROLE) {
        for (uint256 i = 0; i < ids.length; ++i) {
            (, uint256 strikeCount) = _group(ids[i]);
            _checkStrike(ids[i], strikeCount);
            if (!_listed.get(ids[i])) _list(ids[i]);
        }
    }

    /// @inheritdoc IInstrumentRegistry
    function underlyingCount() external view returns (uint256) {
        return _underlyings.length;
    }

    /// @inheritdoc IInstrumentRegistry
    function symbolOf(uint8 underlying) external view returns (string memory) {
        return _underlying(underlying).symbol;
    }

    /// @inheritdoc IInstrumentRegistry
    function expiries(uint8 underlying) external view returns (uint32[] memory) {
        return _underlying(underlying).expiries;
    }

    /// @inheritdoc IInstrumentRegistry
    function expiriesFrom(uint8 underlying, uint256 start) external view returns (uint32[] memory rest) {
        uint32[] storage known = _underlying(underlying).expiries;
        uint256 count = known.length;
        rest = new uint32[](start < count ? count - start : 0);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = known[start + i];
    }

    /// @inheritdoc IInstrumentRegistry
    function strikes(uint8 underlying) external view returns (uint64[] memory result) {
        Underlying storage known = _underlying(underlying);
        result = new uint64[](known.strikeCount);
        for (uint256 i = 0; i < result.length; ++i) result[i] = _strikeIn(known.strikeWords[i >> 2], i);
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
        Underlying storage known = _registered(InstrumentId.underlying(id));
        expiry = _registeredExpiry(known, index - InstrumentId.FIRST_EXPIRY_INDEX);
        uint256 strikeIndex = InstrumentId.strikeIndex(id);
        if (strikeIndex == 0) return (listed, expiry, 0);
        strike = _strikeIn(known.strikeWords[(strikeIndex - 1) >> 2], strikeIndex - 1);
    }

    /// @inheritdoc IInstrumentRegistry
    function terms(bytes calldata portfolio) external view returns (uint256[] memory result) {
        if (portfolio.length % PortfolioCodec.POSITION_BYTES != 0) {
            revert ISpecErrors.BadPortfolioLength(portfolio.length);
        }
        uint256 count = PortfolioCodec.count(portfolio);
        result = new uint256[](count);
        // Ids are sorted, so what neighbours share is read once: the expiry, and a word of strikes.
        uint256 group = NOWHERE;
        uint256 place = NOWHERE;
        uint256 expiry = 0;
        uint256 strikeCount = 0;
        uint256 word = 0;
        // Unchecked: a strike index that passed is at most 32767, and an underlying that passed at least 1.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                (uint256 id, ) = PortfolioCodec.at(portfolio, i);
                if (id >> 16 != group) {
                    (group, place) = (id >> 16, NOWHERE);
                    (expiry, strikeCount) = _group(id);
                }
                _checkStrike(id, strikeCount);
                uint256 strikeIndex = InstrumentId.strikeIndex(id);
                uint256 term = expiry << 64;
                if (strikeIndex != 0) {
                    if ((strikeIndex - 1) >> 2 != place) {
                        place = (strikeIndex - 1) >> 2;
                        word = _underlyings[InstrumentId.underlying(id) - 1].strikeWords[place];
                    }
                    term |= _strikeIn(word, strikeIndex - 1);
                }
                result[i] = term;
            }
        }
    }

    function _list(uint32 id) private {
        _listed.set(id);
        emit InstrumentListed(id);
    }

    function _underlying(uint256 underlying) private view returns (Underlying storage) {
        if (underlying == 0 || underlying > _underlyings.length) revert UnknownUnderlying(underlying);
        return _underlyings[underlying - 1];
    }

    /// @dev The expiry of an id, zero for spot and perpetual, and how many strikes it may refer to.
    function _group(uint256 id) private view returns (uint256 expiry, uint256 strikeCount) {
        uint256 underlying = InstrumentId.underlying(id);
        uint256 index = InstrumentId.expiryIndex(id);
        if (underlying == 0 || underlying > _underlyings.length) revert ISpecErrors.UnknownInstrument(id);
        if (index < InstrumentId.FIRST_EXPIRY_INDEX) return (0, 0);
        Underlying storage known = _underlyings[underlying - 1];
        uint256 place = index - InstrumentId.FIRST_EXPIRY_INDEX;
        if (place >= known.expiries.length) revert ISpecErrors.UnknownInstrument(id);
        return (known.expiries[place], known.strikeCount);
    }

    /// @dev Equals _underlyings[underlying - 1], for an underlying of something listed: without reading the length.
    function _registered(uint256 underlying) private pure returns (Underlying storage known) {
        assembly ("memory-safe") {
            mstore(0, _underlyings.slot)
            known.slot := add(keccak256(0, 32), mul(sub(underlying, 1), UNDERLYING_SLOTS))
        }
    }

    /// @dev Equals known.expiries[place], for an expiry of something listed: without reading the length.
    function _registeredExpiry(
        Underlying storage known,
        uint256 place
    ) private view returns (uint256 expiry) {
        uint32[] storage all = known.expiries;
        assembly ("memory-safe") {
            mstore(0, all.slot)
            // Eight to a word, the first in the low bits.
            expiry := sload(add(keccak256(0, 32), shr(3, place)))
            expiry := and(shr(shl(5, and(place, 7)), expiry), 0xffffffff)
        }
    }

    function _checkStrike(uint256 id, uint256 strikeCount) private pure {
        uint256 index = InstrumentId.strikeIndex(id);
        if (index > strikeCount || (index == 0 && InstrumentId.isPut(id)))
            revert ISpecErrors.UnknownInstrument(id);
    }

    /// @dev Strike `i`, counted from zero, in the word that holds it.
    function _strikeIn(uint256 word, uint256 i) private pure returns (uint64) {
        return uint64(word >> ((i & 3) << 6));
    }
}
