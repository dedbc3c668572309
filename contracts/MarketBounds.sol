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

    /// @dev Total variances at the lower, the middle and the upper point, 1e-36.
    struct Points {
        uint256 low;
        uint256 middle;
        uint256 high;
    }

    uint256 private constant YEAR = 365 days;
    uint256 private constant HOUR = 1 hours;
    uint256 private constant DAY = 1 days;
    uint256 private constant ONE = 1e6;
    int256 private constant E12 = 1e12;
    uint256 private constant E18 = 1e18;
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
                Points memory points = _variances(market, at + 28, out);
                _checkBand(scope, head >> 224, points);
                if (beforeHead == 0) continue;
                _checkVolJump(scope, head >> 224, points, _variances(previous, beforeAt + 28, out));
            }
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

    function _checkBand(Scope memory scope, uint256 expiry, Points memory points) private pure {
        unchecked {
            uint256 left = expiry - scope.time;
            uint256 low = scope.minVariance * left;
            uint256 high = scope.maxVariance * left;
            uint256 point;
            uint256 variance = points.low;
            if (variance >= low && variance <= high) {
                (point, variance) = (1, points.middle);
                if (variance >= low && variance <= high) {
                    (point, variance) = (2, points.high);
                    if (variance >= low && variance <= high) return;
                }
            }
            revert VarianceOutOfBand(
                uint8(scope.underlying),
                uint32(expiry),
                point,
                variance / E18,
                low / E18,
                high / E18
            );
        }
    }

    /// @dev Per unit of time, neither variance may be above the other x growth.
    function _checkVolJump(
        Scope memory scope,
        uint256 expiry,
        Points memory points,
        Points memory before
    ) private pure {
        // Unchecked: variances are below 2^130, times below 2^32, growth at most 2^60 and 1e12 below 2^40.
        unchecked {
            uint256 left = (expiry - scope.time) * uint256(E12);
            uint256 beforeLeft = (expiry - scope.previousTime) * uint256(E12);
            uint256 leftGrown = (expiry - scope.time) * scope.growth;
            uint256 beforeLeftGrown = (expiry - scope.previousTime) * scope.growth;
            uint256 point;
            (uint256 x, uint256 y) = (points.low, before.low);
            if (x * beforeLeft <= y * leftGrown && y * left <= x * beforeLeftGrown) {
                (point, x, y) = (1, points.middle, before.middle);
                if (x * beforeLeft <= y * leftGrown && y * left <= x * beforeLeftGrown) {
                    (point, x, y) = (2, points.high, before.high);
                    if (x * beforeLeft <= y * leftGrown && y * left <= x * beforeLeftGrown) return;
                }
            }
            revert VarianceJump(
                uint8(scope.underlying),
                uint32(expiry),
                point,
                x / E18,
                y / E18,
                scope.volJump
            );
        }
    }

    /// @dev Total variance of a smile at the log-moneynesses -out, 0 and out; zero where rounding leaves it below. The smile's a, b, rho and m
    ///      fill the word at the offset, sigma follows.
    function _variances(
        bytes calldata market,
        uint256 at,
        uint256 out
    ) private pure returns (Points memory points) {
        // Unchecked: |out| <= 48, |m| <= 4 and |rho| < 1, so that no distance passes 60 and no product 2^200.
        unchecked {
            int256 word = int256(Reading.wordAt(market, at));
            int256 sigma = Reading.int64At(market, at + 32);
            int256 a = (word >> 192) * int256(E18);
            int256 b = (word << 64) >> 192;
            int256 rho = (word << 128) >> 192;
            int256 distance = -((word << 192) >> 192);
            points.middle = _variance(a, b, rho, distance, sigma);
            points.low = _variance(a, b, rho, distance - int256(out), sigma);
            points.high = _variance(a, b, rho, distance + int256(out), sigma);
        }
    }

    /// @dev a + b (rho d + sqrt(d^2 + sigma^2)) in 1e-36. The root comes from a first guess within 3% and two steps of Newton's, which leave it
    ///      at most 2e-7 of itself too high.
    function _variance(
        int256 a,
        int256 b,
        int256 rho,
        int256 distance,
        int256 sigma
    ) private pure returns (uint256) {
        unchecked {
            uint256 square = uint256(distance * distance + sigma * sigma);
            uint256 larger = uint256(distance < 0 ? -distance : distance);
            uint256 smaller = uint256(sigma);
            if (larger < smaller) (larger, smaller) = (smaller, larger);
            uint256 root = larger - (larger >> 3) + (smaller >> 1);
            if (root < larger) root = larger;
            root = (root + square / root) >> 1;
            root = (root + square / root) >> 1;
            int256 variance = a + b * ((rho * distance) / int256(E18) + int256(root));
            return variance < 0 ? 0 : uint256(variance);
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
