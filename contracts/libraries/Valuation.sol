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
///         `instrument_value` of the specification; sums take one word per move.
/// @dev Unchecked throughout: a value is below 2^54, a quantity below 2^54, an account has at most 128 positions, so no sum reaches 2^117.
library Valuation {
    /// @dev An expiry prepared for pricing: forward logarithm and smile in Q64, and every move's shock.
    struct Expiry {
        int256 logForward;
        Svi.Smile smile;
        Scenario.Shock[] shocks;
    }

    /// @notice The market as it stands, as a move.
    function unmoved() internal pure returns (ModelCodec.Scenario memory) {
        return ModelCodec.Scenario(10 ** 18, ModelCodec.VOL_NONE, 0);
    }

    /// @notice Room for expiries under so many moves, one at a time.
    function emptyExpiry(uint256 moves) internal pure returns (Expiry memory expiry) {
        expiry.shocks = new Scenario.Shock[](moves);
    }

    /// @notice Prepare a live expiry under every move, in place of what was there.
    /// @param expiry Room made by `emptyExpiry` for as many moves.
    /// @param quote The expiry's quote.
    /// @param time The market's time, unix seconds.
    function prepare(
        Expiry memory expiry,
        MarketCodec.Quote memory quote,
        uint256 time,
        ModelCodec.Section memory model,
        ModelCodec.Scenario[] memory moves
    ) internal pure {
        expiry.logForward = Logarithm.ln(quote.forward);
        expiry.smile = Svi.prepare(quote.smile);
        Scenario.VolRules memory rules = Scenario.volRules(model, quote.expiry - time);
        uint256 forward = 0;
        int256 logForward = 0;
        for (uint256 s = 0; s < moves.length; ++s) {
            ModelCodec.Scenario memory move = moves[s];
            uint256 shocked = Scenario.shockedPrice(quote.forward, move.spot);
            // Scenarios that move the forward alike stand beside each other in most models.
            if (shocked != forward) (forward, logForward) = (shocked, Logarithm.ln(shocked));
            Scenario.Shock memory shock = expiry.shocks[s];
            (shock.forward, shock.logForward) = (forward, logForward);
            (shock.volMultiplier, shock.volFloor) = Scenario.volRule(rules, move.kind);
        }
    }

    /// @notice Add calls and puts of one strike. Both have the same out-of-the-money value; the one in the money adds its intrinsic
    ///         value (put-call parity).
    /// @param sums One sum per move, E16.
    /// @param expiry The prepared expiry.
    /// @param strike E8.
    /// @param calls Signed quantity, E8.
    /// @param puts Signed quantity, E8.
    /// @param table The normal distribution's coefficients.
    function addOptions(
        int256[] memory sums,
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
            for (uint256 s = 0; s < sums.length; ++s) {
                Scenario.Shock memory shock = expiry.shocks[s];
                uint256 forward = shock.forward;
                uint256 y = Black76.moneyness(shock.logForward, logStrike);
                uint256 w = Scenario.shockedVol(vol, shock);
                if (forward > strike) {
                    int256 value = int256(Black76.outOfTheMoney(strike, forward, y, w, table));
                    sums[s] += both * value + calls * int256(forward - strike);
                } else {
                    int256 value = int256(Black76.outOfTheMoney(forward, strike, y, w, table));
                    sums[s] += both * value + puts * int256(strike - forward);
                }
            }
        }
    }

    /// @notice Add a live future.
    /// @param sums One sum per move, E16.
    /// @param expiry The prepared expiry.
    /// @param quantity Signed, E8.
    function addFuture(int256[] memory sums, Expiry memory expiry, int256 quantity) internal pure {
        unchecked {
            for (uint256 s = 0; s < sums.length; ++s) sums[s] += quantity * int256(expiry.shocks[s].forward);
        }
    }

    /// @notice Add spot collateral, or a perpetual: its price less the cumulative funding per unit.
    /// @param sums One sum per move, E16.
    /// @param moves The moves.
    /// @param spot E8.
    /// @param funding E8, zero for spot collateral.
    /// @param quantity Signed, E8.
    function addUndated(
        int256[] memory sums,
        ModelCodec.Scenario[] memory moves,
        uint256 spot,
        int256 funding,
        int256 quantity
    ) internal pure {
        unchecked {
            for (uint256 s = 0; s < sums.length; ++s) {
                sums[s] += quantity * (int256(Scenario.shockedPrice(spot, moves[s].spot)) - funding);
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
