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
import { StrikeStore } from "./libraries/StrikeStore.sol";
import { Terms } from "./libraries/Terms.sol";

/// @title Instruments: underlyings, their expiries and strikes, and which combinations may be traded
contract InstrumentRegistry is IInstrumentRegistry, AccessControl {
    using LibBitmap for LibBitmap.Bitmap;
    using Terms for Terms.Known;

    /// @notice May add underlyings, expiries and strikes, and list instruments.
    bytes32 public constant LISTER_ROLE = keccak256("LISTER_ROLE");

    /// @dev What has no part in a portfolio's terms; the rest is in `_known`.
    struct Underlying {
        string symbol;
        mapping(uint256 strike => bool isKnown) knownStrikes;
        mapping(uint256 expiry => bool isKnown) knownExpiries;
    }

    uint256 private _count;
    mapping(uint256 id => Underlying) private _underlyings;
    mapping(uint256 id => Terms.Known) private _known;
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
        (_underlyings[id].symbol, _known[id].head) = (symbol, Terms.EXISTS);
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
        Terms.Known storage known = _underlying(underlying);
        if (expiry <= block.timestamp) revert ExpiryNotInFuture(expiry, block.timestamp);
        uint256 head = known.head;
        uint256 count = Terms.expiryCount(head);
        uint256 max = uint256(Limits.MAX_EXPIRY_INDEX) + 1 - InstrumentId.FIRST_EXPIRY_INDEX;
        if (count == max) revert TooManyExpiries(underlying, max);
        mapping(uint256 expiry => bool isKnown) storage others = _underlyings[underlying].knownExpiries;
        if (others[expiry]) revert DuplicateExpiry(underlying, expiry);
        uint256 live = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (known.expiryAt(head, i) > block.timestamp) ++live;
        }
        uint256 maxLive = uint256(Limits.MAX_EXPIRIES);
        if (live >= maxLive) revert TooManyLiveExpiries(underlying, maxLive);
        others[expiry] = true;
        known.addExpiry(expiry);
        ++termsVersion;
        index = uint16(count + InstrumentId.FIRST_EXPIRY_INDEX);
        emit ExpiryAdded(underlying, index, expiry);
    }

    /// @inheritdoc IInstrumentRegistry
    function addStrikes(
        uint8 underlying,
        uint64[] calldata strikesE8
    ) external onlyRole(LISTER_ROLE) returns (uint16 first) {
        Terms.Known storage known = _underlying(underlying);
        uint256 count = Terms.strikeCount(known.head);
        uint256 max = uint256(Limits.MAX_STRIKE_INDEX);
        if (count + strikesE8.length > max) revert TooManyStrikes(underlying, max);
        first = uint16(count + 1);
        mapping(uint256 strike => bool isKnown) storage others = _underlyings[underlying].knownStrikes;
        for (uint256 i = 0; i < strikesE8.length; ++i) {
            uint256 strike = strikesE8[i];
            Range.check("strike", int256(strike), Limits.MIN_STRIKE, Limits.MAX_STRIKE);
            // Margin nets what has one strike: two indices with the same would be two strikes to it.
            if (others[strike]) revert DuplicateStrike(underlying, strike);
            others[strike] = true;
            emit StrikeAdded(underlying, uint16(first + i), uint64(strike));
        }
        StrikeStore.append(underlying, count, strikesE8);
        known.addStrikes(strikesE8.length);
    }

    /// @inheritdoc IInstrumentRegistry
    function list(uint32[] calldata ids) external onlyRole(LISTER_ROLE) {
        for (uint256 i = 0; i < ids.length; ++i) {
            _requireKnown(ids[i]);
            if (!_listed.get(ids[i])) _list(ids[i]);
        }
    }

    /// @inheritdoc IInstrumentRegistry
    function underlyingCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IInstrumentRegistry
    function symbolOf(uint8 underlying) external view returns (string memory) {
        _underlying(underlying);
        return _underlyings[underlying].symbol;
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
        result = new uint64[](Terms.strikeCount(_underlying(underlying).head));
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
        Terms.Known storage known = _known[InstrumentId.underlying(id)];
        uint256 head = known.head;
        expiry = known.expiryAt(head, index - InstrumentId.FIRST_EXPIRY_INDEX);
        uint256 strikeIndex = InstrumentId.strikeIndex(id);
        if (strikeIndex == 0) return (listed, expiry, 0);
        strike = StrikeStore.at(InstrumentId.underlying(id), strikeIndex - 1, Terms.strikeCount(head));
    }

    /// @inheritdoc IInstrumentRegistry
    function packedTerms(
        uint8 underlying,
        uint256 start
    ) external view returns (uint256 head, uint256[] memory words) {
        Terms.Known storage known = _underlying(underlying);
        return (known.head, known.wordsFrom(start));
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
        // A free word, for what stands before an array that is returned.
        assembly ("memory-safe") {
            mstore(0x40, add(mload(0x40), 32))
        }
        uint256[] memory result = _terms(portfolio);
        // Equals returning it, without a copy.
        assembly ("memory-safe") {
            let start := sub(result, 32)
            mstore(start, 32)
            return(start, add(64, shl(5, mload(result))))
        }
    }

    /// @dev `pricingTerms`.
    function _terms(bytes calldata portfolio) private view returns (uint256[] memory result) {
        if (portfolio.length % PortfolioCodec.POSITION_BYTES != 0) {
            revert ISpecErrors.BadPortfolioLength(portfolio.length);
        }
        uint256 left;
        (result, left) = Terms.read(_known, address(this), portfolio);
        if (left != 0)
            revert ISpecErrors.UnknownInstrument(uint32(bytes4(portfolio[portfolio.length - left:])));
    }

    function _list(uint32 id) private {
        _listed.set(id);
        emit InstrumentListed(id);
    }

    function _underlying(uint256 underlying) private view returns (Terms.Known storage known) {
        known = _known[underlying];
        if (known.head == 0) revert UnknownUnderlying(underlying);
    }

    function _expiriesFrom(uint8 underlying, uint256 start) private view returns (uint32[] memory rest) {
        Terms.Known storage known = _underlying(underlying);
        uint256 head = known.head;
        uint256 count = Terms.expiryCount(head);
        rest = new uint32[](start < count ? count - start : 0);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = uint32(known.expiryAt(head, start + i));
    }

    /// @dev Its underlying, expiry and strike exist, and it is no put without a strike.
    function _requireKnown(uint256 id) private view {
        uint256 head = _known[InstrumentId.underlying(id)].head;
        uint256 index = InstrumentId.expiryIndex(id);
        uint256 strikes_ = 0;
        bool isKnown = head != 0;
        // Spot and perpetual have no strikes.
        if (index >= InstrumentId.FIRST_EXPIRY_INDEX) {
            isKnown = index - InstrumentId.FIRST_EXPIRY_INDEX < Terms.expiryCount(head);
            strikes_ = Terms.strikeCount(head);
        }
        uint256 strike = InstrumentId.strikeIndex(id);
        if (!isKnown || strike > strikes_ || (strike == 0 && InstrumentId.isPut(id)))
            revert ISpecErrors.UnknownInstrument(id);
    }
}
