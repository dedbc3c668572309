// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";

/// @title The market hash, of whole market bytes and of abridged ones (market.py, abridged.py)
/// @notice keccak(header | keccak(section 1) | keccak(section 2) | ...), a section counting as its bytes before the quotes | the hash of each
///         group of four quotes; a group as the hashes of its pairs, a pair as the bytes of its quotes. The last group and the last pair
///         may be shorter. Abridged bytes have the hash in place of what they leave out, behind a mark that nothing valid starts with:
///         u8 0 for a section, u32 1 for a group, u32 0 for a pair.
library MarketHash {
    uint256 private constant HEADER_BYTES = 17;
    uint256 private constant SECTION_BYTES = 33;
    uint256 private constant SETTLEMENT_BYTES = 12;
    uint256 private constant QUOTE_BYTES = 68;

    /// @notice The hash of whole bytes. Reverts with BadLength(length) where lengths do not fit; checks nothing else.
    function whole(bytes calldata market) internal pure returns (bytes32 result) {
        bool fits;
        (fits, result) = _hash(market, 0);
        if (!fits) revert ISpecErrors.BadLength(market.length);
    }

    /// @notice Whether the lengths of bytes fit that may be abridged, and if so their hash; nothing else is checked.
    function abridged(bytes calldata market) internal pure returns (bool fits, bytes32 result) {
        return _hash(market, 1);
    }

    /// @dev Header and hashes of sections are gathered behind the free pointer, which stays; behind them a section's bytes and the hashes of
    ///      its groups, and behind these the quotes of a pair; the hashes of a group's pairs in the scratch space. Beyond the end of the
    ///      calldata all is zero; what reaches beyond the bytes leaves `at` there.
    /// @param marks Whether marks are looked for, 1 or 0.
    function _hash(bytes calldata market, uint256 marks) private pure returns (bool fits, bytes32 result) {
        assembly ("memory-safe") {
            let first := mload(0x40)
            calldatacopy(first, market.offset, HEADER_BYTES)
            let place := add(first, HEADER_BYTES)
            let room := add(place, shl(5, byte(sub(HEADER_BYTES, 1), calldataload(market.offset))))
            let at := add(market.offset, HEADER_BYTES)
            let end := add(market.offset, market.length)
            for {} and(lt(place, room), lt(at, end)) {
                place := add(place, 32)
            } {
                if lt(byte(0, calldataload(at)), marks) {
                    mstore(place, calldataload(add(at, 1)))
                    at := add(at, 33)
                    continue
                }
                let length := byte(0, calldataload(add(at, SECTION_BYTES)))
                length := add(mul(SETTLEMENT_BYTES, length), add(SECTION_BYTES, 2))
                calldatacopy(room, at, length)
                at := add(at, length)
                let left := byte(0, calldataload(sub(at, 1)))
                let put := add(room, length)
                for {} left {
                    put := add(put, 32)
                    left := mul(gt(left, 4), sub(left, 4))
                } {
                    let mark := shr(224, calldataload(at))
                    if and(eq(mark, 1), marks) {
                        mstore(put, calldataload(add(at, 4)))
                        at := add(at, 36)
                        continue
                    }
                    let pairs := 32
                    switch lt(mark, marks)
                    case 0 {
                        length := shl(iszero(eq(left, 1)), QUOTE_BYTES)
                        calldatacopy(put, at, length)
                        mstore(0, keccak256(put, length))
                        at := add(at, length)
                    }
                    default {
                        mstore(0, calldataload(add(at, 4)))
                        at := add(at, 36)
                    }
                    if gt(left, 2) {
                        pairs := 64
                        switch lt(shr(224, calldataload(at)), marks)
                        case 0 {
                            length := shl(iszero(eq(left, 3)), QUOTE_BYTES)
                            calldatacopy(put, at, length)
                            mstore(32, keccak256(put, length))
                            at := add(at, length)
                        }
                        default {
                            mstore(32, calldataload(add(at, 4)))
                            at := add(at, 36)
                        }
                    }
                    mstore(put, keccak256(0, pairs))
                }
                mstore(place, keccak256(room, sub(put, room)))
            }
            fits := and(eq(place, room), eq(at, end))
            result := keccak256(first, sub(room, first))
        }
    }
}
