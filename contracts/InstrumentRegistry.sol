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

    struct Underlying {
        string symbol;
        uint32[] expiries;
        uint64[] strikes;
    }

    /// @dev Underlying 1 stands first.
    Underlying[] private _underlyings;
    LibBitmap.Bitmap private _listed;

    /// @param admin Grants and revokes the roles.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IInstrumentRegistry
    function addUnderlying(string calldata symbol) external onlyRole(LISTER_ROLE) returns (uint8 id) {
        if (bytes(symbol).length == 0) revert EmptySymbol();
        uint256 count = _underlyings.length;
        uint256 max = uint256(Limits.MAX_UNDERLYING_ID);
        if (count == max) revert TooManyUnderlyings(max);
        bytes32 hash = keccak256(bytes(symbol));
        for (uint256 i = 0; i < count; ++i) {
            if (keccak256(bytes(_underlyings[i].symbol)) == hash) revert DuplicateSymbol(symbol);
        }
        _underlyings.push().symbol = symbol;
        id = uint8(count + 1);
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
        for (uint256 i = 0; i < count; ++i) {
            if (known[i] == expiry) revert DuplicateExpiry(underlying, expiry);
        }
        known.push(expiry);
        index = uint16(count + InstrumentId.FIRST_EXPIRY_INDEX);
        emit ExpiryAdded(underlying, index, expiry);
    }

    /// @inheritdoc IInstrumentRegistry
    function addStrikes(
        uint8 underlying,
        uint64[] calldata strikesE8
    ) external onlyRole(LISTER_ROLE) returns (uint16 first) {
        uint64[] storage known = _underlying(underlying).strikes;
        uint256 count = known.length;
        uint256 max = uint256(Limits.MAX_STRIKE_INDEX);
        if (count + strikesE8.length > max) revert TooManyStrikes(underlying, max);
        for (uint256 i = 0; i < strikesE8.length; ++i) {
            uint64 strike = strikesE8[i];
            Range.check("strike", int256(uint256(strike)), Limits.MIN_STRIKE, Limits.MAX_STRIKE);
            known.push(strike);
            emit StrikeAdded(underlying, uint16(count + 1 + i), strike);
        }
        first = uint16(count + 1);
    }

    /// @inheritdoc IInstrumentRegistry
    function list(uint32[] calldata ids) external onlyRole(LISTER_ROLE) {
        for (uint256 i = 0; i < ids.length; ++i) {
            _terms(ids[i]);
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
    function strikes(uint8 underlying) external view returns (uint64[] memory) {
        return _underlying(underlying).strikes;
    }

    /// @inheritdoc IInstrumentRegistry
    function isListed(uint32 id) external view returns (bool) {
        return _listed.get(id);
    }

    /// @inheritdoc IInstrumentRegistry
    function terms(bytes calldata portfolio) external view returns (uint256[] memory result) {
        if (portfolio.length % PortfolioCodec.POSITION_BYTES != 0) {
            revert ISpecErrors.BadPortfolioLength(portfolio.length);
        }
        uint256 count = PortfolioCodec.count(portfolio);
        result = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            (uint256 id, ) = PortfolioCodec.at(portfolio, i);
            result[i] = _terms(id);
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

    /// @dev Expiry << 64 | strike of a registered id; reverts with UnknownInstrument(id) otherwise.
    function _terms(uint256 id) private view returns (uint256) {
        uint256 underlying = InstrumentId.underlying(id);
        uint256 expiryIndex = InstrumentId.expiryIndex(id);
        uint256 strikeIndex = InstrumentId.strikeIndex(id);
        bool isPut = InstrumentId.isPut(id);
        if (underlying == 0 || underlying > _underlyings.length) revert ISpecErrors.UnknownInstrument(id);
        if (strikeIndex == 0 && isPut) revert ISpecErrors.UnknownInstrument(id);
        if (expiryIndex < InstrumentId.FIRST_EXPIRY_INDEX) {
            if (strikeIndex != 0) revert ISpecErrors.UnknownInstrument(id);
            return 0;
        }
        Underlying storage known = _underlyings[underlying - 1];
        uint256 place = expiryIndex - InstrumentId.FIRST_EXPIRY_INDEX;
        if (place >= known.expiries.length || strikeIndex > known.strikes.length) {
            revert ISpecErrors.UnknownInstrument(id);
        }
        uint256 strike = strikeIndex == 0 ? 0 : known.strikes[strikeIndex - 1];
        return (uint256(known.expiries[place]) << 64) | strike;
    }
}
