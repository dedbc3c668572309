// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { Black76 } from "./Black76.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { Logarithm } from "./Logarithm.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { ModelFields } from "./ModelFields.sol";

/// @title What depends on an expiry's time alone, or on its rate (tenor.py)
/// @notice Times to expiry are seconds, at least 1 and below 2^32.
library Tenor {
    using ModelCodec for ModelCodec.Section;

    uint256 private constant ONE_WAD = 10 ** 18;
    uint256 private constant THIRTY_DAYS = 30 days;
    /// @dev ln(2592000), Q64, by Logarithm.ln.
    int256 internal constant LOG_THIRTY_DAYS = 272420415882384643912;
    uint256 private constant SECONDS_PER_YEAR = 365 days;
    /// @dev Discounts above 16 count as 16, Q58.
    uint256 private constant MAX_DISCOUNT = 2 ** 62;
    uint256 private constant SURELY_ABOVE_ONE = 1_001 * 10 ** 15;

    /// @notice t / 365 days, Q64, rounded down.
    function toYears(uint256 time) internal pure returns (uint256) {
        unchecked {
            return (time << 64) / SECONDS_PER_YEAR;
        }
    }

    /// @notice sqrt(t / 365 days), Q64, rounded down.
    function squareRootOfYears(uint256 time) internal pure returns (uint256) {
        unchecked {
            return FixedPoint.squareRoot((time << 128) / SECONDS_PER_YEAR);
        }
    }

    /// @notice m = (30 days / max(t, floor))^p, Q64, p = powerShort for t up to 30 days, powerLong beyond.
    function tenorMultiplier(ModelCodec.Section model, uint256 time) internal pure returns (uint256) {
        uint256 exponent = model.natural(
            time <= THIRTY_DAYS ? ModelFields.POWER_SHORT : ModelFields.POWER_LONG
        );
        uint256 least = model.natural(ModelFields.FLOOR_SECONDS);
        // The floor is at least a second.
        uint256 seconds_ = FixedPointMathLib.max(time, least);
        unchecked {
            int256 ratioLogarithm = LOG_THIRTY_DAYS - Logarithm.lnWith(seconds_, Logarithm.log2(seconds_));
            return Logarithm.power(ratioLogarithm, int256(FixedPoint.naturalToQ64(exponent)));
        }
    }

    /// @notice exp(-r tau) with r = max(rate, 0), Q58: never above 1.
    /// @param rate WAD.
    function discountFactor(int256 rate, uint256 time) internal pure returns (uint256) {
        // exp(0) is exactly 1.
        if (rate <= 0) return FixedPoint.ONE_Q58;
        return Logarithm.boundedExp(-_rateTime(rate, time, ONE_WAD, 0)) >> 6;
    }

    /// @notice What multiplies an expiry's scenario sum if it is positive or zero, at most 16:
    ///         longBase * exp(-tau (r * longRateMultiple + longRateAdd)). Every step down.
    /// @dev A base below 2^66 times an exponential below 2^122.
    /// @param rate WAD.
    function longDiscount(
        ModelCodec.Section model,
        int256 rate,
        uint256 time
    ) internal pure returns (uint256) {
        int256 rateTime = _rateTime(
            rate,
            time,
            model.natural(ModelFields.LONG_RATE_MULTIPLE),
            model.natural(ModelFields.LONG_RATE_ADD)
        );
        return FixedPointMathLib.min(MAX_DISCOUNT, _based(model.natural(ModelFields.LONG_BASE), -rateTime));
    }

    /// @notice The same if it is negative: min(1/df, shortBase * exp(tau (r * shortRateMultiple + shortRateAdd))).
    /// @param rate WAD.
    function shortDiscount(
        ModelCodec.Section model,
        int256 rate,
        uint256 time
    ) internal pure returns (uint256) {
        int256 rateTime = _rateTime(
            rate,
            time,
            model.natural(ModelFields.SHORT_RATE_MULTIPLE),
            model.natural(ModelFields.SHORT_RATE_ADD)
        );
        uint256 base = model.natural(ModelFields.SHORT_BASE);
        if (rate <= 0) {
            // 1/df is exactly 1, and a base of at least 1 with an exponential of at least 1 is not below it.
            if (rateTime >= 0 && base >= ONE_WAD) return FixedPoint.ONE_Q58;
            return FixedPointMathLib.min(FixedPoint.ONE_Q58, _based(base, rateTime));
        }
        int256 own = _rateTime(rate, time, ONE_WAD, 0);
        // Exponentials of at least 1 are right to a part in 2^60: with a thousandth more, the greater exponent's is the greater.
        if (rateTime >= own && base >= SURELY_ABOVE_ONE)
            return FixedPointMathLib.min(MAX_DISCOUNT, Logarithm.boundedExp(own) >> 6);
        uint256 short = _based(base, rateTime);
        // 1/df is never below 1: what is not above 1 needs no comparison.
        if (short <= FixedPoint.ONE_Q58) return short;
        uint256 growth = Logarithm.boundedExp(own) >> 6;
        return FixedPointMathLib.min(FixedPointMathLib.min(MAX_DISCOUNT, growth), short);
    }

    /// @notice basisBase + basisPerYear * tau, WAD, the product rounded down.
    function basisFactor(ModelCodec.Section model, uint256 time) internal pure returns (uint256) {
        unchecked {
            return
                model.natural(ModelFields.BASIS_BASE) +
                (model.natural(ModelFields.BASIS_PER_YEAR) * time) / SECONDS_PER_YEAR;
        }
    }

    /// @notice The part of a forward that settlement averaging has fixed already, E8, rounded down: 0 before the averaging window.
    /// @param forward E8.
    function fixedPart(
        ModelCodec.Section model,
        uint256 forward,
        uint256 time
    ) internal pure returns (uint256) {
        uint256 window = model.natural(ModelFields.AVERAGING_SECONDS);
        unchecked {
            return time < window ? (forward * (window - time)) / window : 0;
        }
    }

    /// @notice The cap of a skew at an expiry and the log-moneyness at which it is reached, Q58:
    ///         cap = capSlope * sqrt(tau) + cap0; k* = max(kMin, sqrt(tau) * width * (skewVol + sqrt(tau) * skewVolSlope)). Every product
    ///         down; |cap| and k* at most 16.
    /// @dev Parameters are below 2^69 and sqrt(tau) below 2^68: no product reaches 2^150.
    /// @param isAbsolute Which of the two skews.
    function skewTerms(
        ModelCodec.Section model,
        uint256 time,
        bool isAbsolute
    ) internal pure returns (int256 cap, uint256 kStar) {
        int256 root = int256(squareRootOfYears(time));
        cap = _line(
            model,
            isAbsolute ? ModelFields.ABSOLUTE_CAP : ModelFields.LINEAR_CAP,
            isAbsolute ? ModelFields.ABSOLUTE_CAP_SLOPE : ModelFields.LINEAR_CAP_SLOPE,
            root
        );
        int256 vol = _line(model, ModelFields.SKEW_VOL, ModelFields.SKEW_VOL_SLOPE, root);
        int256 width = FixedPoint.mulShift(
            root,
            int256(FixedPoint.naturalToQ64(model.natural(ModelFields.SKEW_WIDTH))),
            64
        );
        int256 reached = FixedPointMathLib.max(
            int256(FixedPoint.naturalToQ64(model.natural(ModelFields.SKEW_MINIMUM))),
            FixedPoint.mulShift(width, vol, 64)
        );
        cap = FixedPoint.clamp(cap >> 6, int256(Black76.MAX_TOTAL_VOL));
        kStar = FixedPointMathLib.min(Black76.MAX_TOTAL_VOL, uint256(reached >> 6));
    }

    /// @notice max(0, 1 + t), Q58, at most 16, with t = k * cap / k*, capped: min(cap, t) for k >= 0, max(-cap, t) for k < 0.
    /// @dev |k| < 2^63 and |cap| <= 2^62, k* at most 2^62: below 2^125. The quotient counts as 16 beyond 16 and is rounded down.
    /// @param k Log-moneyness, Q58.
    function skewMultiplier(int256 k, int256 cap, uint256 kStar) internal pure returns (uint256) {
        int256 most = int256(Black76.MAX_TOTAL_VOL);
        unchecked {
            int256 product = k * cap;
            int256 limit = int256(kStar << 62);
            int256 tilt = product >= limit ? most : -most;
            if (product < limit && product > -limit) tilt = FixedPoint.floorDiv(product, int256(kStar));
            tilt = k >= 0 ? FixedPointMathLib.min(cap, tilt) : FixedPointMathLib.max(-cap, tilt);
            return uint256(FixedPointMathLib.clamp(int256(FixedPoint.ONE_Q58) + tilt, 0, most));
        }
    }

    /// @dev (r * multiple + add) * tau with r = max(rate, 0), Q64, every product down. Below 2^69 x 2^72.
    function _rateTime(
        int256 rate,
        uint256 time,
        uint256 multiple,
        uint256 add
    ) private pure returns (int256) {
        // Nothing of a rate plus nothing is nothing, and e^0 is exactly 1.
        if (multiple | add == 0) return 0;
        unchecked {
            uint256 sum = FixedPoint.naturalToQ64(add);
            // A rate of at most 0 counts as 0. One in WAD is one in Q64.
            if (rate > 0) {
                uint256 r = FixedPoint.naturalToQ64(uint256(rate));
                sum += multiple == ONE_WAD ? r : (r * FixedPoint.naturalToQ64(multiple)) >> 64;
            }
            return int256((sum * toYears(time)) >> 64);
        }
    }

    function _based(uint256 base, int256 rateTime) private pure returns (uint256) {
        unchecked {
            uint256 growth = rateTime == 0 ? uint256(FixedPoint.ONE_Q64) : Logarithm.boundedExp(rateTime);
            return (FixedPoint.naturalToQ64(base) * growth) >> 70;
        }
    }

    /// @dev constant + slope * root, Q64, the product down.
    function _line(
        ModelCodec.Section model,
        uint256 constantField,
        uint256 slopeField,
        int256 root
    ) private pure returns (int256) {
        unchecked {
            int256 slope = FixedPoint.wadToQ64(model.field(slopeField));
            return
                int256(FixedPoint.naturalToQ64(model.natural(constantField))) +
                FixedPoint.mulShift(slope, root, 64);
        }
    }
}
