// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { IMarketBounds } from "./interfaces/IMarketBounds.sol";
import { MarketCodec } from "./libraries/MarketCodec.sol";
import { Range } from "./libraries/Range.sol";
import { Reading } from "./libraries/Reading.sol";

/// @title Bounds what attesters say about forwards, rates, smiles and funding
/// @dev Every epoch pays for this: quotes are read where they lie, and limits are brought to the scale of the comparison once per underlying.
contract MarketBounds is IMarketBounds, AccessControl {
    /// @dev One underlying of both markets, with its limits at the scale of their comparison. `previousSpot` is zero without a market before.
    ///      `basis` and `basisPerYear` are in millionths x seconds per year, jumps in millionths x 3600, rates in WAD, variances in 1e-36 per
    ///      second; `growth` is (1 + volJump)^2 in 1e-12.
    struct Scope {
        uint256 underlying;
        uint256 time;
        uint256 spot;
        uint256 previousTime;
        uint256 previousSpot;
        uint256 basis;
        uint256 basisPerYear;
        int256 minRate;
        int256 maxRate;
        uint256 minVariance;
        uint256 maxVariance;
        uint256 wing;
        uint256 basisJump;
        uint256 rateJump;
        uint256 volJump;
        uint256 growth;
    }

    uint256 private constant YEAR = 365 days;
    uint256 private constant HOUR = 1 hours;
    uint256 private constant DAY = 1 days;
    uint256 private constant ONE = 1e6;
    int256 private constant E12 = 1e12;
    uint256 private constant E18 = 1e18;
    uint256 private constant RATIO_BITS = 64;
    /// @dev sqrt(1 / 365 days) in WAD.
    uint256 private constant ROOT_OF_SECOND = 178_072_434_654_453;
    int256 private constant MAX_VOL = 4e9;
    int256 private constant MAX_WING = 4e6;
    uint256 private constant MAX_JUMP = 1e9;

    mapping(uint8 underlying => Limits) private _limits;

    /// @param admin May set limits. A timelock, where money is at stake.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IMarketBounds
    function setLimits(uint8 underlying, Limits calldata limits) external onlyRole(DEFAULT_ADMIN_ROLE) {
        Range.check("maxVol", int256(uint256(limits.maxVol)), 1, MAX_VOL);
        Range.check("minVol", int256(uint256(limits.minVol)), 0, int256(uint256(limits.maxVol)));
        Range.check("wing", int256(uint256(limits.wing)), 0, MAX_WING);
        Range.check("maxRate", limits.maxRate, limits.minRate, type(int32).max);
        _limits[underlying] = limits;
        emit LimitsSet(underlying, limits);
    }

    /// @inheritdoc IMarketBounds
    function limitsOf(uint8 underlying) external view returns (Limits memory) {
        return _limits[underlying];
    }

    /// @inheritdoc IMarketBounds
    function check(bytes calldata market, bytes calldata previous) external view {
        Scope memory scope;
        scope.time = MarketCodec.time(market);
        uint256 count = MarketCodec.underlyingCount(market);
        uint256 previousCount = 0;
        if (previous.length != 0) {
            scope.previousTime = MarketCodec.time(previous);
            previousCount = MarketCodec.underlyingCount(previous);
        }
        uint256 offset = MarketCodec.HEADER_BYTES;
        uint256 previousOffset = MarketCodec.HEADER_BYTES;
        MarketCodec.Section memory before;
        for (uint256 i = 0; i < count; ++i) {
            MarketCodec.Section memory section = MarketCodec.section(market, offset);
            offset = section.end;
            // Underlyings increase in both.
            while (previousCount != 0 && before.underlying < section.underlying) {
                before = MarketCodec.section(previous, previousOffset);
                previousOffset = before.end;
                --previousCount;
            }
            _open(scope, section, before);
            _checkQuotes(scope, market, section, previous, before);
        }
    }

    /// @dev Turns to the next underlying; bounds its funding.
    function _open(
        Scope memory scope,
        MarketCodec.Section memory section,
        MarketCodec.Section memory before
    ) private view {
        Limits memory limits = _limits[uint8(section.underlying)];
        require(limits.maxVol != 0, NoLimits(uint8(section.underlying)));
        // Unchecked: limits are below 2^32, prices below 2^47 and times below 2^32.
        unchecked {
            scope.underlying = section.underlying;
            scope.spot = section.spot;
            scope.previousSpot = 0;
            scope.basis = limits.basis * YEAR;
            scope.basisPerYear = limits.basisPerYear;
            scope.minRate = int256(limits.minRate) * E12;
            scope.maxRate = int256(limits.maxRate) * E12;
            scope.minVariance = (uint256(limits.minVol) * limits.minVol * 1e24) / YEAR;
            scope.maxVariance = (uint256(limits.maxVol) * limits.maxVol * 1e24) / YEAR;
            scope.wing = limits.wing;
            if (before.underlying != section.underlying) return;

            uint256 elapsed = scope.time - scope.previousTime;
            scope.previousSpot = before.spot;
            scope.basisJump = limits.basisJump * HOUR + limits.basisJumpPerHour * elapsed;
            scope.rateJump = limits.rateJump * HOUR + limits.rateJumpPerHour * elapsed;
            uint256 volJump = limits.volJump + (limits.volJumpPerHour * elapsed) / HOUR;
            if (volJump > MAX_JUMP) volJump = MAX_JUMP;
            scope.volJump = volJump;
            scope.growth = (ONE + volJump) * (ONE + volJump);
            uint256 distance = _distance(section.funding, before.funding);
            uint256 allowed = section.spot * limits.fundingPerDay * elapsed;
            if (distance * ONE * DAY > allowed) {
                revert FundingJump(
                    uint8(section.underlying),
                    section.funding,
                    before.funding,
                    allowed / (ONE * DAY)
                );
            }
        }
    }

    function _checkQuotes(
        Scope memory scope,
        bytes calldata market,
        MarketCodec.Section memory section,
        bytes calldata previous,
        MarketCodec.Section memory before
    ) private pure {
        unchecked {
            uint256 end = section.end;
            uint256 beforeAt = before.expiriesAt;
            uint256 beforeEnd = scope.previousSpot == 0 ? 0 : before.end;
            for (uint256 at = section.expiriesAt; at < end; at += MarketCodec.QUOTE_BYTES) {
                uint256 head = Reading.wordAt(market, at);
                uint256 beforeHead = 0;
                // Expiries increase in both. Where both quote this one, `beforeHead` is not zero.
                while (beforeAt < beforeEnd) {
                    beforeHead = Reading.wordAt(previous, beforeAt);
                    if (beforeHead >> 224 >= head >> 224) break;
                    beforeAt += MarketCodec.QUOTE_BYTES;
                    beforeHead = 0;
                }
                if (beforeHead >> 224 != head >> 224) beforeHead = 0;
                _checkForward(scope, head, beforeHead);
                _checkRate(scope, head, beforeHead);
                uint256 out = (scope.wing * _rootOfYears((head >> 224) - scope.time)) / ONE;
                _checkSmiles(
                    scope,
                    head >> 224,
                    out,
                    market,
                    at + 28,
                    previous,
                    beforeHead == 0 ? 0 : beforeAt + 28
                );
            }
        }
    }

    /// @dev `at` and `beforeAt` are where the smiles of an expiry lie; `beforeAt` is 0 where the market before does not quote it.
    function _checkSmiles(
        Scope memory scope,
        uint256 expiry,
        uint256 out,
        bytes calldata market,
        uint256 at,
        bytes calldata previous,
        uint256 beforeAt
    ) private pure {
        unchecked {
            uint256 left = expiry - scope.time;
            (uint256 low, uint256 middle, uint256 high) = _variances(market, at, out);
            uint256 min = scope.minVariance * left;
            uint256 max = scope.maxVariance * left;
            if (low < min || low > max) _refuseVariance(scope, expiry, 0, low);
            if (middle < min || middle > max) _refuseVariance(scope, expiry, 1, middle);
            if (high < min || high > max) _refuseVariance(scope, expiry, 2, high);
            if (beforeAt == 0) return;
            (uint256 oldLow, uint256 oldMiddle, uint256 oldHigh) = _variances(previous, beforeAt, out);
            uint256 ratio = (left << RATIO_BITS) / (expiry - scope.previousTime);
            min = (ratio * uint256(E12)) / scope.growth;
            max = (ratio * scope.growth) / uint256(E12);
            if (_jumps(low, oldLow, min, max)) _refuseJump(scope, expiry, 0, low, oldLow);
            if (_jumps(middle, oldMiddle, min, max)) _refuseJump(scope, expiry, 1, middle, oldMiddle);
            if (_jumps(high, oldHigh, min, max)) _refuseJump(scope, expiry, 2, high, oldHigh);
        }
    }

    /// @dev `head` is the first word of a quote: expiry, forward, rate, ...; `before` is that of the same expiry in the market before, or 0.
    function _checkForward(Scope memory scope, uint256 head, uint256 before) private pure {
        // Unchecked: prices are below 2^47, limits below 2^32 and times below 2^32, so no product reaches 2^200.
        unchecked {
            uint256 forward = uint64(head >> 160);
            uint256 spot = scope.spot;
            uint256 distance = forward > spot ? forward - spot : spot - forward;
            uint256 allowed = scope.basis + scope.basisPerYear * ((head >> 224) - scope.time);
            if (distance * (ONE * YEAR) > spot * allowed) {
                revert BasisOutOfBand(
                    uint8(scope.underlying),
                    uint32(head >> 224),
                    forward,
                    spot,
                    allowed / YEAR
                );
            }
            if (before == 0) return;
            before = uint64(before >> 160);
            uint256 previousSpot = scope.previousSpot;
            distance = _distance(int256(forward * previousSpot), int256(before * spot));
            if (distance * (ONE * HOUR) > spot * previousSpot * scope.basisJump) {
                revert BasisJump(
                    uint8(scope.underlying),
                    uint32(head >> 224),
                    forward,
                    spot,
                    before,
                    previousSpot,
                    scope.basisJump / HOUR
                );
            }
        }
    }

    function _checkRate(Scope memory scope, uint256 head, uint256 before) private pure {
        unchecked {
            int256 rate = int64(uint64(head >> 96));
            if (rate < scope.minRate || rate > scope.maxRate) {
                revert RateOutOfBand(
                    uint8(scope.underlying),
                    uint32(head >> 224),
                    rate,
                    scope.minRate,
                    scope.maxRate
                );
            }
            if (before == 0) return;
            int256 previousRate = int64(uint64(before >> 96));
            if (_distance(rate, previousRate) * HOUR > scope.rateJump * uint256(E12)) {
                revert RateJump(
                    uint8(scope.underlying),
                    uint32(head >> 224),
                    rate,
                    previousRate,
                    scope.rateJump / HOUR
                );
            }
        }
    }

    /// @dev Whether now / before lies outside [min, max], both x 2^RATIO_BITS.
    function _jumps(uint256 now_, uint256 before, uint256 min, uint256 max) private pure returns (bool) {
        // Unchecked: variances are below 2^130, ratios below 2^(32 + 64 + 20).
        unchecked {
            return now_ << RATIO_BITS < before * min || now_ << RATIO_BITS > before * max;
        }
    }

    function _refuseVariance(
        Scope memory scope,
        uint256 expiry,
        uint256 point,
        uint256 variance
    ) private pure {
        uint256 left = expiry - scope.time;
        revert VarianceOutOfBand(
            uint8(scope.underlying),
            uint32(expiry),
            point,
            variance / E18,
            (scope.minVariance * left) / E18,
            (scope.maxVariance * left) / E18
        );
    }

    function _refuseJump(
        Scope memory scope,
        uint256 expiry,
        uint256 point,
        uint256 variance,
        uint256 before
    ) private pure {
        revert VarianceJump(
            uint8(scope.underlying),
            uint32(expiry),
            point,
            variance / E18,
            before / E18,
            scope.volJump
        );
    }

    /// @dev Total variance of a smile at the log-moneynesses -out, 0 and out, 1e-36: a + b (rho d + sqrt(d^2 + sigma^2)) with d = k - m; zero
    ///      where rounding leaves it below. The root comes from a first guess within 3% and two steps of Newton's, which leave it at most 2e-7
    ///      of itself too high. The smile's a, b, rho and m fill the word at the offset, sigma follows. `variance` equals
    ///
    ///          uint256 square = uint256(d * d + sigma * sigma);
    ///          uint256 larger = max(abs(d), sigma);
    ///          uint256 smaller = min(abs(d), sigma);
    ///          uint256 root = max(larger, larger - larger / 8 + smaller / 2);
    ///          root = (root + square / root) / 2;
    ///          root = (root + square / root) / 2;
    ///          return max(0, a + b * ((rho * d) / 1e18 + int256(root)));
    function _variances(
        bytes calldata market,
        uint256 at,
        uint256 out
    ) private pure returns (uint256 low, uint256 middle, uint256 high) {
        // |out| <= 48, |m| <= 4 and |rho| < 1, so that no distance passes 60 and no product 2^200. Sigma, and with it the root, is positive.
        assembly ("memory-safe") {
            function variance(a, b, rho, sigma, d) -> result {
                let sign := sar(255, d)
                let larger := sub(xor(d, sign), sign)
                let swap := mul(xor(larger, sigma), lt(larger, sigma))
                let square := add(mul(d, d), mul(sigma, sigma))
                larger := xor(larger, swap)
                let root := add(sub(larger, shr(3, larger)), shr(1, xor(sigma, swap)))
                root := xor(root, mul(xor(root, larger), lt(root, larger)))
                root := shr(1, add(root, div(square, root)))
                root := shr(1, add(root, div(square, root)))
                result := add(a, mul(b, add(sdiv(mul(rho, d), 1000000000000000000), root)))
                result := mul(result, sgt(result, 0))
            }
            let word := calldataload(add(market.offset, at))
            let sigma := sar(192, calldataload(add(market.offset, add(at, 32))))
            let a := mul(sar(192, word), 1000000000000000000)
            let b := sar(192, shl(64, word))
            let rho := sar(192, shl(128, word))
            let distance := sub(0, signextend(7, word))
            low := variance(a, b, rho, sigma, sub(distance, out))
            middle := variance(a, b, rho, sigma, distance)
            high := variance(a, b, rho, sigma, add(distance, out))
        }
    }

    /// @dev sqrt(seconds / 365 days) in WAD, at most 3% too high: where the outer points lie need not be known better.
    function _rootOfYears(uint256 left) private pure returns (uint256) {
        unchecked {
            uint256 square = (left * 1e36) / YEAR;
            uint256 root = ROOT_OF_SECOND;
            if (left > 0xffff) (left, root) = (left >> 16, root << 8);
            if (left > 0xff) (left, root) = (left >> 8, root << 4);
            if (left > 0xf) (left, root) = (left >> 4, root << 2);
            if (left > 3) root <<= 1;
            // Between the root and half of it: one step leaves it at most a quarter too high, the next 3%.
            root = (root + square / root) >> 1;
            return (root + square / root) >> 1;
        }
    }

    function _distance(int256 a, int256 b) private pure returns (uint256) {
        unchecked {
            return uint256(a > b ? a - b : b - a);
        }
    }
}
