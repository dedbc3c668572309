// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { Limits } from "./Limits.sol";
import { Reading } from "./Reading.sol";

/// @title Portfolio bytes: 12 per position, a 32-bit id and a signed 64-bit quantity (E8), strictly increasing ids (portfolio.py)
/// @notice `check` comes first: the other functions take bytes that passed it, or whose hash is that of bytes that did.
library PortfolioCodec {
    uint256 internal constant POSITION_BYTES = 12;

    /// @notice Refuse bytes that encode no portfolio: BadPortfolioLength, TooManyPositions, PositionsNotSorted, ZeroQuantity,
    ///         QuantityOutOfRange.
    function check(bytes calldata portfolio) internal pure {
        if (portfolio.length % POSITION_BYTES != 0) revert ISpecErrors.BadPortfolioLength(portfolio.length);
        uint256 total = count(portfolio);
        if (total > Limits.MAX_POSITIONS) revert ISpecErrors.TooManyPositions(total, Limits.MAX_POSITIONS);
        if (_isValid(portfolio)) return;
        // Again and slowly, for the error of the first fault.
        uint256 previous = 0;
        for (uint256 i = 0; i < total; ++i) {
            (uint256 id, int256 quantity) = at(portfolio, i);
            if (id <= previous) revert ISpecErrors.PositionsNotSorted(previous, id);
            _checkQuantity(id, quantity);
            previous = id;
        }
    }

    /// @notice How many positions there are.
    function count(bytes calldata portfolio) internal pure returns (uint256) {
        return portfolio.length / POSITION_BYTES;
    }

    /// @notice The id and the quantity (E8) of position `i`, which must be below `count`.
    function at(bytes calldata portfolio, uint256 i) internal pure returns (uint256 id, int256 quantity) {
        unchecked {
            uint256 word = Reading.wordAt(portfolio, i * POSITION_BYTES);
            id = word >> 224;
            // The cast restores the sign.
            quantity = int64(uint64(word >> 160));
        }
    }

    /// @notice The 12 bytes of one position.
    function pack(uint256 id, int256 quantity) internal pure returns (bytes12) {
        return bytes12(uint96((uint96(uint32(id)) << 64) | uint64(uint256(quantity))));
    }

    /// @notice The portfolio after adding a signed quantity (E8) of one instrument; a position that becomes zero disappears.
    /// @dev Reverts as `check` would on the result.
    function applyTrade(
        bytes calldata portfolio,
        uint256 instrument,
        int256 traded
    ) internal pure returns (bytes memory) {
        uint256 length = portfolio.length;
        uint256 start = 0;
        uint256 position = 0;
        unchecked {
            for (; start < length; start += POSITION_BYTES) {
                position = Reading.wordAt(portfolio, start);
                if (position >> 224 >= instrument) break;
            }
        }
        bool held = start < length && position >> 224 == instrument;
        uint256 end = held ? start + POSITION_BYTES : start;
        // The cast restores the sign.
        int256 afterwards = held ? int64(uint64(position >> 160)) + traded : traded;
        if (afterwards == 0) return _spliced(portfolio, start, end, 0, 0);
        if (!held && length == Limits.MAX_POSITIONS * POSITION_BYTES) {
            revert ISpecErrors.TooManyPositions(Limits.MAX_POSITIONS + 1, Limits.MAX_POSITIONS);
        }
        if (instrument == 0) revert ISpecErrors.PositionsNotSorted(0, 0);
        _checkQuantity(instrument, afterwards);
        return _spliced(portfolio, start, end, pack(instrument, afterwards), POSITION_BYTES);
    }

    /// @notice Cut every position in two: quantity x fraction / 1e18, rounded towards zero, and what remains. Zero results are left out.
    /// @param portfolio The whole.
    /// @param fractionWad At most 1e18.
    /// @return slice The cut part.
    /// @return rest What remains; slice and rest add up to the whole.
    function split(
        bytes calldata portfolio,
        uint256 fractionWad
    ) internal pure returns (bytes memory slice, bytes memory rest) {
        uint256 total = count(portfolio);
        slice = new bytes(portfolio.length);
        rest = new bytes(portfolio.length);
        uint256 sliceLength = 0;
        uint256 restLength = 0;
        for (uint256 i = 0; i < total; ++i) {
            (uint256 id, int256 quantity) = at(portfolio, i);
            int256 size = int256(
                ((quantity < 0 ? uint256(-quantity) : uint256(quantity)) * fractionWad) / 10 ** 18
            );
            int256 cut = quantity < 0 ? -size : size;
            sliceLength = _append(slice, sliceLength, id, cut);
            restLength = _append(rest, restLength, id, quantity - cut);
        }
        _shorten(slice, sliceLength);
        _shorten(rest, restLength);
    }

    /// @notice The portfolio without some of its positions.
    /// @param portfolio The whole.
    /// @param removed Bit `i` set: position `i` goes.
    function without(bytes calldata portfolio, uint256 removed) internal pure returns (bytes memory rest) {
        uint256 total = count(portfolio);
        rest = new bytes(portfolio.length);
        uint256 length = 0;
        for (uint256 i = 0; i < total; ++i) {
            if ((removed >> i) & 1 != 0) continue;
            (uint256 id, int256 quantity) = at(portfolio, i);
            length = _append(rest, length, id, quantity);
        }
        _shorten(rest, length);
    }

    /// @dev The portfolio with other bytes, the first `length` of `put`, in place of those from `start` to before `end`. Equals
    ///      bytes.concat(portfolio[:start], put, portfolio[end:]), in one allocation; what is copied over at its end is made zero again.
    function _spliced(
        bytes calldata portfolio,
        uint256 start,
        uint256 end,
        bytes12 put,
        uint256 length
    ) private pure returns (bytes memory result) {
        assembly ("memory-safe") {
            result := mload(0x40)
            let data := add(result, 32)
            calldatacopy(data, portfolio.offset, start)
            mstore(add(data, start), put)
            let rest := add(start, length)
            calldatacopy(add(data, rest), add(portfolio.offset, end), sub(portfolio.length, end))
            let total := add(rest, sub(portfolio.length, end))
            mstore(result, total)
            mstore(add(data, total), 0)
            mstore(0x40, and(add(add(data, total), 63), not(31)))
        }
    }

    /// @dev Whether ids increase from above zero and no quantity is zero or out of range, without branches:
    ///          for (each position) {
    ///              if (id <= previous || quantity == 0 || quantity > MAX_QUANTITY || quantity < -MAX_QUANTITY) isValid = false;
    ///              previous = id;
    ///          }
    ///      A quantity is in range if it is at most 2 * MAX_QUANTITY once MAX_QUANTITY is added, a negative sum being a huge number.
    function _isValid(bytes calldata portfolio) private pure returns (bool isValid) {
        int256 max = Limits.MAX_QUANTITY;
        assembly ("memory-safe") {
            let previous := 0
            let bad := 0
            let twice := shl(1, max)
            let end := add(portfolio.offset, portfolio.length)
            for {
                let at_ := portfolio.offset
            } lt(at_, end) {
                at_ := add(at_, 12)
            } {
                let word := calldataload(at_)
                let id := shr(224, word)
                let quantity := sar(192, shl(32, word))
                bad := or(
                    bad,
                    or(iszero(lt(previous, id)), or(iszero(quantity), gt(add(quantity, max), twice)))
                )
                previous := id
            }
            isValid := iszero(bad)
        }
    }

    function _checkQuantity(uint256 id, int256 quantity) private pure {
        if (quantity == 0) revert ISpecErrors.ZeroQuantity(id);
        if (quantity > Limits.MAX_QUANTITY || quantity < -Limits.MAX_QUANTITY) {
            revert ISpecErrors.QuantityOutOfRange(id, quantity);
        }
    }

    /// @dev Writes a position at `length` unless its quantity is zero; returns the new length. The caller has made room for 12 bytes.
    ///      The word's other 20 bytes are written back as they were.
    function _append(
        bytes memory target,
        uint256 length,
        uint256 id,
        int256 quantity
    ) private pure returns (uint256) {
        if (quantity == 0) return length;
        bytes32 position = pack(id, quantity);
        assembly ("memory-safe") {
            let place := add(add(target, 32), length)
            mstore(place, or(position, shr(96, shl(96, mload(place)))))
        }
        return length + POSITION_BYTES;
    }

    /// @dev Cuts bytes just allocated to their first `length`.
    function _shorten(bytes memory data, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }
}
