// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Black76 } from "./Black76.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { ModelFields } from "./ModelFields.sol";
import { Tenor } from "./Tenor.sol";

/// @title What one scenario does to prices and to volatility (scenario.py)
library Scenario {
    using ModelCodec for ModelCodec.Section;

    uint256 private constant ONE_Q64 = 2 ** 64;

    /// @notice floor(price * multiple / 1e18), E8. Both below 2^64.
    function shockedPrice(uint256 price, uint256 spotWad) internal pure returns (uint256) {
        unchecked {
            return (price * spotWad) / 10 ** 18;
        }
    }

    /// @notice fixed + floor((forward - fixed) * multiple / 1e18), E8.
    /// @param forward E8.
    /// @param fixedPart E8, at most the forward.
    function shockedForward(
        uint256 forward,
        uint256 fixedPart,
        uint256 spotWad
    ) internal pure returns (uint256) {
        unchecked {
            return fixedPart + shockedPrice(forward - fixedPart, spotWad);
        }
    }

    /// @notice How total volatility moves in a scenario that is no skew: to max(floor, 0, vol * multiplier + added), at most 16; Q58. Up: 1 + volUp * m, floor minVolUp * sqrt(tau). Down:
    ///         max(0, 1 - volDown * m). Add: amount * sqrt(tau) added. None: as it stands. Every product down, each result at most 16 in size.
    /// @dev m is below 2^122 and parameters below 2^68.
    /// @param kind One of ModelCodec.
    /// @param amount WAD.
    /// @param time Seconds to expiry.
    function volRule(
        ModelCodec.Section model,
        uint256 kind,
        int256 amount,
        uint256 time
    ) internal pure returns (uint256 multiplier, int256 added, uint256 floor) {
        multiplier = FixedPoint.ONE_Q58;
        // Q64 factors below 2^69 times Q64 factors below 2^128.
        unchecked {
            if (kind == ModelCodec.VOL_UP) {
                uint256 rise = _times(model.natural(ModelFields.VOL_UP), Tenor.tenorMultiplier(model, time));
                multiplier = _capped((ONE_Q64 + (rise >> 64)) >> 6);
                floor = _capped(
                    _times(model.natural(ModelFields.MIN_VOL_UP), Tenor.squareRootOfYears(time)) >> 70
                );
            } else if (kind == ModelCodec.VOL_DOWN) {
                uint256 fall = _times(
                    model.natural(ModelFields.VOL_DOWN),
                    Tenor.tenorMultiplier(model, time)
                );
                multiplier = FixedPointMathLib.zeroFloorSub(ONE_Q64, fall >> 64) >> 6;
            } else if (kind == ModelCodec.VOL_ADD) {
                added = FixedPoint.mulShift(
                    FixedPoint.wadToQ64(amount),
                    int256(Tenor.squareRootOfYears(time)),
                    70
                );
                added = FixedPoint.clamp(added, int256(Black76.MAX_TOTAL_VOL));
            }
        }
    }

    /// @notice min(16, max(floor, 0, floor(vol * multiplier) + added)), Q58. All are at most 2^62 in size.
    function shockedVol(
        uint256 vol,
        uint256 multiplier,
        int256 added,
        uint256 floor
    ) internal pure returns (uint256) {
        unchecked {
            int256 moved = int256((vol * multiplier) >> 58) + added;
            if (moved < int256(floor)) moved = int256(floor);
            return uint256(moved) > Black76.MAX_TOTAL_VOL ? Black76.MAX_TOTAL_VOL : uint256(moved);
        }
    }

    /// @dev A parameter (WAD) times a factor (Q64), Q128.
    function _times(uint256 parameterWad, uint256 factor) private pure returns (uint256) {
        unchecked {
            return FixedPoint.naturalToQ64(parameterWad) * factor;
        }
    }

    function _capped(uint256 vol) private pure returns (uint256) {
        return FixedPointMathLib.min(vol, Black76.MAX_TOTAL_VOL);
    }
}
