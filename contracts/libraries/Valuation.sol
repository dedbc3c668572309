// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Black76 } from "./Black76.sol";
import { TailTable } from "./Gaussian.sol";
import { Logarithm } from "./Logarithm.sol";
import { MarketCodec } from "./MarketCodec.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { Scenario } from "./Scenario.sol";
import { Svi } from "./Svi.sol";

/// @title Quantity x value of positions under a list of moves, summed exactly (E16)
/// @notice A move is a scenario, or the market as it stands, which is the move by 1 with volatility unchanged. Values equal
///         `instrument_value` of the specification.
/// @dev Unchecked throughout: a value is below 2^54, a quantity below 2^54, an account has at most 128 positions, so no sum reaches 2^117.
library Valuation {
    /// @dev One move (spot multiple and weight in WAD, vol kind); its shock to the expiry prepared last; the sum under it (E16).
    struct Column {
        uint256 spot;
        uint256 kind;
        uint256 weight;
        uint256 forward;
        int256 logForward;
        uint256 volMultiplier;
        uint256 volFloor;
        int256 sum;
    }

    /// @dev An expiry prepared for pricing: forward logarithm and smile, Q64.
    struct Expiry {
        int256 logForward;
        Svi.Smile smile;
    }

    /// @notice Columns for the market as it stands, first, and then for so many scenarios from `first` on.
    function columns(
        bytes memory model,
        ModelCodec.Section memory section,
        uint256 first,
        uint256 scenarios
    ) internal pure returns (Column[] memory made) {
        unchecked {
            made = new Column[](1 + scenarios);
            (made[0].spot, made[0].kind) = (10 ** 18, ModelCodec.VOL_NONE);
            for (uint256 s = 0; s < scenarios; ++s) {
                ModelCodec.Scenario memory scenario = ModelCodec.scenario(model, section, first + s);
                Column memory column = made[1 + s];
                (column.spot, column.kind, column.weight) = (scenario.spot, scenario.kind, scenario.weight);
            }
        }
    }

    /// @notice Prepare a live expiry, and in every column the move's shock to it.
    /// @param made The columns.
    /// @param model The underlying's model.
    /// @param quote The expiry's quote.
    /// @param time The market's time, unix seconds.
    function prepare(
        Column[] memory made,
        ModelCodec.Section memory model,
        MarketCodec.Quote memory quote,
        uint256 time
    ) internal pure returns (Expiry memory) {
        Scenario.VolRules memory rules = Scenario.volRules(model, quote.expiry - time);
        uint256 forward = 0;
        int256 logForward = 0;
        for (uint256 s = 0; s < made.length; ++s) {
            Column memory column = made[s];
            uint256 shocked = Scenario.shockedPrice(quote.forward, column.spot);
            // Scenarios that move the forward alike stand beside each other in most models.
            if (shocked != forward) (forward, logForward) = (shocked, Logarithm.ln(shocked));
            (column.forward, column.logForward) = (forward, logForward);
            (column.volMultiplier, column.volFloor) = Scenario.volRule(rules, column.kind);
        }
        return Expiry(Logarithm.ln(quote.forward), Svi.prepare(quote.smile));
    }

    /// @notice Add calls and puts of one strike at the expiry prepared last. Both have the same out-of-the-money value; the one in the
    ///         money adds its intrinsic value (put-call parity).
    /// @param made The columns.
    /// @param expiry The prepared expiry.
    /// @param strike E8.
    /// @param calls Signed quantity, E8.
    /// @param puts Signed quantity, E8.
    /// @param table The normal distribution's coefficients.
    function addOptions(
        Column[] memory made,
        Expiry memory expiry,
        uint256 strike,
        int256 calls,
        int256 puts,
        TailTable table
    ) internal pure {
        unchecked {
            int256 logStrike = Logarithm.ln(strike);
            uint256 vol = Svi.totalVol(expiry.smile, expiry.logForward, logStrike);
            int256 both = calls + puts;
            for (uint256 s = 0; s < made.length; ++s) {
                Column memory column = made[s];
                uint256 forward = column.forward;
                uint256 w = Scenario.shockedVol(vol, column.volMultiplier, column.volFloor);
                uint256 y = Black76.moneyness(column.logForward, logStrike);
                int256 value = both * int256(Black76.outOfTheMoney(forward, strike, y, w, table));
                if (forward > strike) value += calls * int256(forward - strike);
                else value += puts * int256(strike - forward);
                column.sum += value;
            }
        }
    }

    /// @notice Add a future of the expiry prepared last.
    /// @param made The columns.
    /// @param quantity Signed, E8.
    function addFuture(Column[] memory made, int256 quantity) internal pure {
        unchecked {
            for (uint256 s = 0; s < made.length; ++s) made[s].sum += quantity * int256(made[s].forward);
        }
    }

    /// @notice Add spot collateral, or a perpetual: its price less the cumulative funding per unit.
    /// @param made The columns.
    /// @param spot E8.
    /// @param funding E8, zero for spot collateral.
    /// @param quantity Signed, E8.
    function addUndated(Column[] memory made, uint256 spot, int256 funding, int256 quantity) internal pure {
        unchecked {
            for (uint256 s = 0; s < made.length; ++s) {
                int256 price = int256(Scenario.shockedPrice(spot, made[s].spot));
                made[s].sum += quantity * (price - funding);
            }
        }
    }

    /// @notice What a dated instrument is worth for ever after settlement, E8: its payoff at the settlement price.
    /// @param price Settlement price, E8.
    /// @param strike E8, zero for a future (whose payoff is then that of a call).
    /// @param isPut Whether it is a put.
    function settledValue(uint256 price, uint256 strike, bool isPut) internal pure returns (int256) {
        unchecked {
            if (isPut) return strike > price ? int256(strike - price) : int256(0);
            return price > strike ? int256(price - strike) : int256(0);
        }
    }
}
