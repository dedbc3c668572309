// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { InstrumentId } from "./InstrumentId.sol";
import { PortfolioCodec } from "./PortfolioCodec.sol";
import { Valuation } from "./Valuation.sol";

/// @title Turns settled positions into cash
library ExpirySettlement {
    int256 private constant E8 = 1e8;

    /// @notice The cash (E8) that settled positions became, what remains, and when the next of them opens (0 if none waits).
    struct Outcome {
        int256 cash;
        uint256 opensAt;
        bytes rest;
    }

    /// @notice Collapse every position whose settlement price was recorded at least `delay` seconds ago.
    /// @param terms Expiry << 64 | strike (E8), per position.
    function collapse(
        IEpochRegistry epochs,
        bytes calldata portfolio,
        uint256[] memory terms,
        uint256 delay
    ) internal view returns (Outcome memory outcome) {
        int256 sum = 0;
        uint256 removed = 0;
        for (uint256 i = 0; i < terms.length; ++i) {
            uint32 expiry = uint32(terms[i] >> 64);
            if (expiry == 0 || expiry > block.timestamp) continue;
            (uint256 id, int256 quantity) = PortfolioCodec.at(portfolio, i);
            uint8 underlying = uint8(InstrumentId.underlying(id));
            uint64 price = epochs.settlementPrice(underlying, expiry);
            if (price == 0) continue;
            uint256 opensAt = epochs.settledAt(underlying, expiry) + delay;
            if (block.timestamp < opensAt) {
                if (outcome.opensAt == 0 || opensAt < outcome.opensAt) outcome.opensAt = opensAt;
                continue;
            }
            sum += quantity * Valuation.settledValue(price, uint64(terms[i]), InstrumentId.isPut(id));
            removed |= 1 << i;
        }
        // Exact until here: 128 positions of 1e16 x 1e16 are far below 2^255.
        outcome.cash = FixedPoint.floorDiv(sum, E8);
        outcome.rest = PortfolioCodec.without(portfolio, removed);
    }
}
