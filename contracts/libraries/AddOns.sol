// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { ModelFields } from "./ModelFields.sol";

/// @title Add-ons: what a requirement holds beside the scan (add_ons.py)
/// @notice Each is a rate of a notional, exact, and never negative.
/// @dev Unchecked: 128 positions of 1e16 at a spot of 1e14 and rates of 140e18 in WAD stay below 2^244.
library AddOns {
    using ModelCodec for ModelCodec.Section;

    uint256 private constant WAD = 10 ** 18;

    /// @dev Sums of sizes over what is live in one underlying, E8: net short options per strike, short options one by one, perpetuals,
    ///      dated futures, spot collateral; and sizes times what their confidence lacks (WAD x E8), where it is below the threshold.
    struct Exposure {
        uint256 naked;
        uint256 shorts;
        uint256 perpetuals;
        uint256 futures;
        uint256 collateral;
        uint256 unconfident;
    }

    /// @notice Count sizes whose price deserves so much confidence.
    /// @param confidence WAD.
    /// @param size E8.
    function addConfidence(
        Exposure memory exposure,
        ModelCodec.Section model,
        uint256 confidence,
        uint256 size
    ) internal pure {
        unchecked {
            if (confidence < model.natural(ModelFields.CONFIDENCE_THRESHOLD)) {
                exposure.unconfident += (WAD - confidence) * size;
            }
        }
    }

    /// @notice Count what is short of the calls and puts of one strike: net, and each by itself.
    /// @param calls Signed, E8.
    /// @param puts Signed, E8.
    function addShorts(Exposure memory exposure, int256 calls, int256 puts) internal pure {
        unchecked {
            int256 net = calls + puts;
            if (net < 0) exposure.naked += uint256(-net);
            if (calls < 0) exposure.shorts += uint256(-calls);
            if (puts < 0) exposure.shorts += uint256(-puts);
        }
    }

    /// @notice What is added to the two requirements, 10^52.
    /// @param spot E8.
    function charge(
        Exposure memory exposure,
        ModelCodec.Section model,
        uint256 spot
    ) internal pure returns (uint256 initial, uint256 maintenance) {
        uint256 linear = exposure.perpetuals | exposure.futures | exposure.collateral;
        if (exposure.naked | exposure.unconfident | linear == 0) return (0, 0);
        unchecked {
            maintenance =
                exposure.naked * model.natural(ModelFields.NAKED_MAINTENANCE) +
                exposure.perpetuals * model.natural(ModelFields.PERPETUAL_MAINTENANCE) +
                exposure.futures * model.natural(ModelFields.FUTURE_MAINTENANCE) +
                exposure.collateral * model.natural(ModelFields.HAIRCUT_MAINTENANCE);
            initial =
                maintenance +
                exposure.naked * model.natural(ModelFields.NAKED_INITIAL) +
                exposure.perpetuals * model.natural(ModelFields.PERPETUAL_INITIAL) +
                exposure.futures * model.natural(ModelFields.FUTURE_INITIAL) +
                exposure.collateral * model.natural(ModelFields.HAIRCUT_INITIAL);
            uint256 lacking = exposure.unconfident * model.natural(ModelFields.CONFIDENCE_RATE);
            maintenance *= spot * WAD;
            initial = (initial * WAD + lacking) * spot;
        }
    }

    /// @notice The size of a position, E8.
    function sizeOf(int256 quantity) internal pure returns (uint256) {
        return FixedPointMathLib.abs(quantity);
    }
}
