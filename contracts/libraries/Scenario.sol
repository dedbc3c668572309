// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Black76 } from "./Black76.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { Logarithm } from "./Logarithm.sol";
import { ModelCodec } from "./ModelCodec.sol";

/// @title What one scenario does to the forward and to volatility (scenario.py)
library Scenario {
    uint256 private constant THIRTY_DAYS = 30 days;
    /// @dev ln(2592000), Q64, by Logarithm.ln.
    int256 internal constant LOG_THIRTY_DAYS = 272420415882384643912;
    uint256 private constant SECONDS_PER_YEAR = 365 days;

    /// @dev What vol moves mean at one expiry, Q58; prepared once, whatever the number of scenarios.
    struct VolRules {
        uint256 upMultiplier;
        uint256 upFloor;
        uint256 downMultiplier;
    }

    /// @notice floor(price * multiple / 1e18), E8. Both below 2^64.
    function shockedPrice(uint256 price, uint256 spotWad) internal pure returns (uint256) {
        unchecked {
            return (price * spotWad) / 10 ** 18;
        }
    }

    /// @notice m = (30 days / max(t, floor))^p, Q64, p = powerShort for t up to 30 days, powerLong beyond.
    /// @param time Seconds to expiry, t.
    function tenorMultiplier(ModelCodec.Section memory model, uint256 time) internal pure returns (uint256) {
        uint256 exponent = time <= THIRTY_DAYS ? model.powerShort : model.powerLong;
        int256 ratioLogarithm =
            LOG_THIRTY_DAYS - Logarithm.ln(FixedPointMathLib.max(time, model.floorSeconds));
        return Logarithm.power(ratioLogarithm, FixedPoint.wadToQ64(int256(exponent)));
    }

    /// @notice sqrt(t / 365 days), Q64, rounded down.
    /// @param time Seconds to expiry, below 2^32.
    function squareRootOfYears(uint256 time) internal pure returns (uint256) {
        unchecked {
            return FixedPoint.squareRoot((time << 128) / SECONDS_PER_YEAR);
        }
    }

    /// @notice Up: 1 + volUp * m, floor minVolUp * sqrt(tau), both at most 16. Down: max(0, 1 - volDown * m). Every product down.
    /// @dev m is at most 30 days in seconds, below 2^22: volUp * m < 2^66 * 2^86.
    /// @param time Seconds to expiry.
    function volRules(
        ModelCodec.Section memory model,
        uint256 time
    ) internal pure returns (VolRules memory rules) {
        int256 m = int256(tenorMultiplier(model, time));
        int256 up = FixedPoint.mulShift(FixedPoint.wadToQ64(int256(model.volUp)), m, 64);
        int256 down = FixedPoint.mulShift(FixedPoint.wadToQ64(int256(model.volDown)), m, 64);
        int256 floor = FixedPoint.mulShift(
            FixedPoint.wadToQ64(int256(model.minVolUp)),
            int256(squareRootOfYears(time)),
            70
        );
        rules.upMultiplier = _capped(uint256((FixedPoint.ONE_Q64 + up) >> 6));
        rules.upFloor = _capped(uint256(floor));
        rules.downMultiplier = down < FixedPoint.ONE_Q64 ? uint256(FixedPoint.ONE_Q64 - down) >> 6 : 0;
    }

    /// @notice Multiplier and floor of total volatility, Q58, for a kind of vol move.
    function volRule(
        VolRules memory rules,
        uint256 kind
    ) internal pure returns (uint256 multiplier, uint256 floor) {
        if (kind == ModelCodec.VOL_UP) return (rules.upMultiplier, rules.upFloor);
        if (kind == ModelCodec.VOL_DOWN) return (rules.downMultiplier, 0);
        return (FixedPoint.ONE_Q58, 0);
    }

    /// @notice min(16, max(floor, floor(vol * multiplier))), Q58. Vol and multiplier are at most 2^62.
    function shockedVol(uint256 vol, uint256 multiplier, uint256 floor) internal pure returns (uint256) {
        unchecked {
            return _capped(FixedPointMathLib.max((vol * multiplier) >> 58, floor));
        }
    }

    function _capped(uint256 vol) private pure returns (uint256) {
        return FixedPointMathLib.min(vol, Black76.MAX_TOTAL_VOL);
    }
}
