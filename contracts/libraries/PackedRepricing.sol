// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { PortfolioCodec } from "./PortfolioCodec.sol";
import { Reading } from "./Reading.sol";

/// @title A repricing's arguments as one byte string (repricing.py)
/// @notice Model hash (32 bytes), count of positions u8, count of indices u8, positions (12 each), indices (2 each), market: the rest.
library PackedRepricing {
    uint256 private constant HEAD_BYTES = 34;
    uint256 private constant CHOICE_BYTES = 2;

    /// @notice The arguments. Reverts with BadLength(length) where there is no room for what the counts say.
    function split(
        bytes calldata packed
    )
        internal
        pure
        returns (bytes32 modelHash, bytes calldata portfolio, bytes calldata choices, bytes calldata market)
    {
        // Whatever stands in place of counts that are not there: with them the market begins behind the head, which is beyond the bytes.
        unchecked {
            uint256 counts = Reading.wordAt(packed, HEAD_BYTES - 2);
            uint256 choicesAt = HEAD_BYTES + (counts >> 248) * PortfolioCodec.POSITION_BYTES;
            uint256 marketAt = choicesAt + uint8(counts >> 240) * CHOICE_BYTES;
            if (marketAt > packed.length) revert ISpecErrors.BadLength(packed.length);
            modelHash = bytes32(Reading.wordAt(packed, 0));
            portfolio = Reading.part(packed, HEAD_BYTES, choicesAt);
            choices = Reading.part(packed, choicesAt, marketAt);
            market = Reading.part(packed, marketAt, packed.length);
        }
    }
}
