// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { SSTORE2 } from "solady/src/utils/SSTORE2.sol";
import { Logarithm } from "./Logarithm.sol";

/// @title Strikes and their logarithms as code, 128 to a contract, at addresses that follow from underlying, place and count
/// @notice Reading 128 strikes costs one cold account, and their logarithms, which pricing needs every time, are worked out once. A piece
///         that is not full is written again with what is added to it, under another address: the count is part of that.
library StrikeStore {
    /// @notice Strikes in a full piece.
    uint256 internal constant PIECE = 128;
    /// @notice Bytes of an entry: logarithm (Q64, 9 bytes), strike (E8, 8 bytes).
    uint256 internal constant ENTRY_BYTES = 17;
    /// @notice Bits of an entry.
    uint256 internal constant ENTRY_BITS = 136;

    /// @notice Append strikes to those of an underlying. The caller has checked them.
    /// @param count How many the underlying has.
    /// @param strikes E8.
    function append(uint256 underlying, uint256 count, uint64[] calldata strikes) internal {
        if (strikes.length == 0) return;
        // Room for a full piece, and for what the last word written reaches beyond it.
        bytes memory piece = new bytes(PIECE * ENTRY_BYTES + 32);
        uint256 total = count + strikes.length;
        // No index is above 32,767.
        unchecked {
            uint256 filled = count % PIECE;
            if (filled != 0) _copy(addressOf(address(this), underlying, count / PIECE, count), piece, filled);
            for (uint256 i = 0; i < strikes.length; ++i) {
                uint256 word = entryOf(strikes[i]) << (256 - ENTRY_BITS);
                assembly ("memory-safe") {
                    mstore(add(add(piece, 32), mul(filled, ENTRY_BYTES)), word)
                }
                if (++filled != PIECE && i + 1 != strikes.length) continue;
                assembly ("memory-safe") {
                    mstore(piece, mul(filled, ENTRY_BYTES))
                }
                uint256 place = (count + i) / PIECE;
                SSTORE2.writeDeterministic(piece, _salt(underlying, place, endOf(place, total)));
                filled = 0;
            }
        }
    }

    /// @notice What is stored of a strike: its logarithm << 64 | the strike. The logarithm is positive and below 2^72.
    /// @param strike E8, within the specification's range.
    function entryOf(uint256 strike) internal pure returns (uint256) {
        return (uint256(Logarithm.lnWith(strike, Logarithm.log2(strike))) << 64) | strike;
    }

    /// @notice Where a piece is: it stays there when a longer one is written.
    /// @param registry Who wrote it.
    /// @param place Index of its first strike / 128.
    /// @param end How many strikes there are up to its last one: `endOf(place, count)`.
    function addressOf(
        address registry,
        uint256 underlying,
        uint256 place,
        uint256 end
    ) internal pure returns (address) {
        return SSTORE2.predictDeterministicAddress(_salt(underlying, place, end), registry);
    }

    /// @notice How many strikes there are up to the last one of a piece.
    /// @param place Index of its first strike / 128.
    /// @param count How many strikes the underlying has.
    function endOf(uint256 place, uint256 count) internal pure returns (uint256) {
        unchecked {
            return FixedPointMathLib.min(count, (place + 1) * PIECE);
        }
    }

    /// @notice Strike `i`, counted from zero; below the count.
    function at(uint256 underlying, uint256 i, uint256 count) internal view returns (uint256 strike) {
        uint256 place = i / PIECE;
        address piece = addressOf(address(this), underlying, place, endOf(place, count));
        // The strike stands in the last 8 of the entry's 17 bytes, behind the byte before all data.
        assembly ("memory-safe") {
            extcodecopy(piece, 0, add(10, mul(mod(i, PIECE), ENTRY_BYTES)), 8)
            strike := shr(192, mload(0))
        }
    }

    /// @dev The first `entries` of a piece to the start of another's bytes.
    function _copy(address from, bytes memory to, uint256 entries) private view {
        assembly ("memory-safe") {
            extcodecopy(from, add(to, 32), 1, mul(entries, ENTRY_BYTES))
        }
    }

    /// @dev The end is part of it: a piece that was added to is another one.
    function _salt(uint256 underlying, uint256 place, uint256 end) private pure returns (bytes32) {
        return bytes32((underlying << 64) | (place << 32) | end);
    }
}
