// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { IMarketBounds } from "./interfaces/IMarketBounds.sol";
import { MarketCodec } from "./libraries/MarketCodec.sol";
import { MarketWords } from "./libraries/MarketWords.sol";
import { QuoteBounds } from "./libraries/QuoteBounds.sol";
import { Range } from "./libraries/Range.sol";
import { SmilePoints } from "./libraries/SmilePoints.sol";

/// @title Bounds what attesters say about forwards, rates, smiles, funding, confidence and the settlement token
/// @dev Every epoch pays for this: quotes are read where they lie, limits are brought to the scale of the comparison once per underlying, and
///      each limit is stated twice, tersely for what passes (QuoteBounds.isOff) and plainly for what does not (`_refuse`).
contract MarketBounds is IMarketBounds, AccessControl {
    uint256 private constant YEAR = 365 days;
    uint256 private constant HOUR = 1 hours;
    uint256 private constant DAY = 1 days;
    uint256 private constant ONE = 1e6;
    uint256 private constant E12 = 1e12;
    uint256 private constant E18 = 1e18;
    uint256 private constant RATIO_BITS = 64;
    int256 private constant MAX_VOL = 4e9;
    int256 private constant MAX_WING = 4e6;
    uint256 private constant MAX_JUMP = 1e9;

    mapping(uint8 underlying => Limits) private _limits;
    TokenLimits private _tokenLimits;

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
    function setTokenLimits(TokenLimits calldata limits) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _tokenLimits = limits;
        emit TokenLimitsSet(limits);
    }

    /// @inheritdoc IMarketBounds
    function limitsOf(uint8 underlying) external view returns (Limits memory) {
        return _limits[underlying];
    }

    /// @inheritdoc IMarketBounds
    function tokenLimits() external view returns (TokenLimits memory) {
        return _tokenLimits;
    }

    /// @inheritdoc IMarketBounds
    function requireMarket(bytes calldata market) external pure returns (uint256 nextExpiry) {
        MarketCodec.validate(market);
        return MarketCodec.nextExpiry(market);
    }

    /// @inheritdoc IMarketBounds
    function check(bytes calldata market, bytes calldata previous) external view {
        unchecked {
            QuoteBounds.Scope memory scope;
            scope.time = MarketCodec.time(market);
            uint256 left = MarketCodec.underlyingCount(market);
            uint256 previousLeft = 0;
            if (previous.length != 0) {
                scope.elapsed = scope.time - MarketCodec.time(previous);
                previousLeft = MarketCodec.underlyingCount(previous);
                _checkToken(
                    MarketCodec.settlementToken(market),
                    MarketCodec.settlementToken(previous),
                    scope.elapsed
                );
            }
            uint256 at = MarketWords.firstSection(market);
            uint256 beforeAt = MarketWords.firstSection(previous);
            for (; left != 0; --left) {
                uint256 underlying = MarketWords.underlyingAt(at);
                // Underlyings increase in both.
                while (previousLeft != 0 && MarketWords.underlyingAt(beforeAt) < underlying) {
                    (, beforeAt) = MarketWords.quotesOf(beforeAt);
                    --previousLeft;
                }
                bool isKnown = previousLeft != 0 && MarketWords.underlyingAt(beforeAt) == underlying;
                scope.underlying = underlying;
                at = _checkSection(scope, at, isKnown ? beforeAt : 0);
            }
        }
    }

    function _checkToken(uint256 price, uint256 before, uint256 elapsed) private view {
        // A pegged token rarely moves: then there is nothing to read.
        if (price == before) return;
        TokenLimits memory limits = _tokenLimits;
        unchecked {
            uint256 jump = limits.jump * HOUR + limits.jumpPerHour * elapsed;
            if (_distance(int256(price), int256(before)) * (ONE * HOUR) > before * jump) {
                revert TokenJump(price, before, jump / HOUR);
            }
        }
    }

    /// @dev `at` and `beforeAt` are where in calldata the sections of one underlying lie; `beforeAt` is 0 where the market before lacks it.
    function _checkSection(
        QuoteBounds.Scope memory scope,
        uint256 at,
        uint256 beforeAt
    ) private view returns (uint256 end) {
        _open(scope, MarketWords.sectionAt(at), beforeAt == 0 ? 0 : MarketWords.sectionAt(beforeAt));
        uint256 beforeEnd = 0;
        if (beforeAt != 0) (beforeAt, beforeEnd) = MarketWords.quotesOf(beforeAt);
        (at, end) = MarketWords.quotesOf(at);
        unchecked {
            for (; at < end; at += MarketCodec.QUOTE_BYTES) {
                // Expiries increase in both.
                uint256 before = MarketWords.same(at, beforeAt, beforeEnd);
                while (
                    before == 0 &&
                    beforeAt < beforeEnd &&
                    MarketWords.expiryAt(beforeAt) < MarketWords.expiryAt(at)
                ) {
                    beforeAt += MarketCodec.QUOTE_BYTES;
                    before = MarketWords.same(at, beforeAt, beforeEnd);
                }
                if (before != 0) beforeAt += MarketCodec.QUOTE_BYTES;
                if (QuoteBounds.isOff(scope, at, before)) _refuse(scope, at, before);
            }
        }
    }

    /// @dev Turns to the next underlying; bounds its funding and its confidence. `section` is its word, `before` that of the market before,
    ///      or 0.
    function _open(QuoteBounds.Scope memory scope, uint256 section, uint256 before) private view {
        uint8 underlying = uint8(scope.underlying);
        Limits memory limits = _limits[underlying];
        require(limits.maxVol != 0, NoLimits(underlying));
        // Unchecked: limits are below 2^32, prices below 2^47 and times below 2^32.
        unchecked {
            uint256 spot = MarketWords.spot(section);
            scope.spot = spot;
            scope.previousSpot = MarketWords.spot(before);
            scope.basis = limits.basis * YEAR;
            scope.basisPerYear = limits.basisPerYear;
            scope.widest = spot * scope.basis;
            scope.steepest = spot * limits.basisPerYear;
            scope.minRate = int256(limits.minRate) * int256(E12);
            scope.rateSpan = uint256(int256(limits.maxRate) - limits.minRate) * E12;
            scope.minVariance = (uint256(limits.minVol) * limits.minVol * 1e24) / YEAR;
            scope.varianceSpan = (uint256(limits.maxVol) * limits.maxVol * 1e24) / YEAR - scope.minVariance;
            scope.wing = limits.wing;
            if (before == 0) return;

            uint256 elapsed = scope.elapsed;
            scope.basisJump = limits.basisJump * HOUR + limits.basisJumpPerHour * elapsed;
            scope.farthest = spot * scope.previousSpot * scope.basisJump;
            scope.rateJump = ((limits.rateJump * HOUR + limits.rateJumpPerHour * elapsed) * E12) / HOUR;
            scope.confidenceJump =
                ((limits.confidenceJump * HOUR + limits.confidenceJumpPerHour * elapsed) * E12) / HOUR;
            uint256 volJump = limits.volJump + (limits.volJumpPerHour * elapsed) / HOUR;
            if (volJump > MAX_JUMP) volJump = MAX_JUMP;
            scope.volJump = volJump;
            scope.growth = (ONE + volJump) * (ONE + volJump);
            int256 funding = MarketWords.funding(section);
            int256 previousFunding = MarketWords.funding(before);
            uint256 allowed = spot * limits.fundingPerDay * elapsed;
            if (_distance(funding, previousFunding) * ONE * DAY > allowed) {
                revert FundingJump(underlying, funding, previousFunding, allowed / (ONE * DAY));
            }
            _checkConfidence(
                scope,
                0,
                MarketWords.sectionConfidence(section),
                MarketWords.sectionConfidence(before)
            );
        }
    }

    /// @dev Reverts with the first limit that a quote breaks. QuoteBounds.isOff says whether there is one.
    function _refuse(QuoteBounds.Scope memory scope, uint256 at, uint256 beforeAt) private pure {
        uint256 quote = MarketWords.wordAt(at);
        uint256 before = beforeAt == 0 ? 0 : MarketWords.wordAt(beforeAt);
        _checkForward(scope, quote, before);
        _checkRate(scope, quote, before);
        if (before != 0) {
            _checkConfidence(
                scope,
                MarketWords.expiry(quote),
                MarketWords.confidence(quote),
                MarketWords.confidence(before)
            );
        }
        uint256 left = MarketWords.expiry(quote) - scope.time;
        int256 out = int256((scope.wing * SmilePoints.rootOfYears(left)) / ONE);
        uint256[3] memory points = _variances(at, out);
        _checkBand(scope, left, points);
        if (before != 0) _checkJump(scope, left, points, _variances(beforeAt, out));
    }

    function _checkForward(QuoteBounds.Scope memory scope, uint256 quote, uint256 before) private pure {
        uint256 expiry = MarketWords.expiry(quote);
        uint256 forward = MarketWords.forward(quote);
        uint256 spot = scope.spot;
        uint256 allowed = scope.basis + scope.basisPerYear * (expiry - scope.time);
        uint256 distance = _distance(int256(forward), int256(spot));
        if (distance * (ONE * YEAR) > spot * allowed) {
            revert BasisOutOfBand(uint8(scope.underlying), uint32(expiry), forward, spot, allowed / YEAR);
        }
        if (before == 0) return;
        uint256 previous = MarketWords.forward(before);
        uint256 previousSpot = scope.previousSpot;
        distance = _distance(int256(forward * previousSpot), int256(previous * spot));
        if (distance * (ONE * HOUR) > spot * previousSpot * scope.basisJump) {
            revert BasisJump(
                uint8(scope.underlying),
                uint32(expiry),
                forward,
                spot,
                previous,
                previousSpot,
                scope.basisJump / HOUR
            );
        }
    }

    function _checkRate(QuoteBounds.Scope memory scope, uint256 quote, uint256 before) private pure {
        uint8 underlying = uint8(scope.underlying);
        uint32 expiry = uint32(MarketWords.expiry(quote));
        int256 rate = MarketWords.rate(quote);
        int256 maxRate = scope.minRate + int256(scope.rateSpan);
        if (rate < scope.minRate || rate > maxRate) {
            revert RateOutOfBand(underlying, expiry, rate, scope.minRate, maxRate);
        }
        if (before == 0) return;
        int256 previous = MarketWords.rate(before);
        if (_distance(rate, previous) > scope.rateJump) {
            revert RateJump(underlying, expiry, rate, previous, scope.rateJump / E12);
        }
    }

    /// @dev Only a rise is bounded: it takes margin off. `expiry` is 0 for the confidence in spot.
    function _checkConfidence(
        QuoteBounds.Scope memory scope,
        uint256 expiry,
        uint256 confidence,
        uint256 before
    ) private pure {
        uint256 most = before + scope.confidenceJump;
        if (confidence > most) {
            revert ConfidenceJump(
                uint8(scope.underlying),
                uint32(expiry),
                confidence,
                before,
                scope.confidenceJump / E12
            );
        }
    }

    function _checkBand(QuoteBounds.Scope memory scope, uint256 left, uint256[3] memory points) private pure {
        uint256 min = scope.minVariance * left;
        uint256 max = min + scope.varianceSpan * left;
        for (uint256 i = 0; i < 3; ++i) {
            if (points[i] >= min && points[i] <= max) continue;
            revert VarianceOutOfBand(
                uint8(scope.underlying),
                uint32(scope.time + left),
                i,
                points[i] / E18,
                min / E18,
                max / E18
            );
        }
    }

    /// @dev Each variance over the one before must lie within [ratio / growth, ratio x growth], where ratio is that of the times left.
    function _checkJump(
        QuoteBounds.Scope memory scope,
        uint256 left,
        uint256[3] memory points,
        uint256[3] memory before
    ) private pure {
        uint256 ratio = (left << RATIO_BITS) / (left + scope.elapsed);
        uint256 min = (ratio * E12) / scope.growth;
        uint256 max = (ratio * scope.growth) / E12;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 scaled = points[i] << RATIO_BITS;
            if (scaled >= before[i] * min && scaled <= before[i] * max) continue;
            revert VarianceJump(
                uint8(scope.underlying),
                uint32(scope.time + left),
                i,
                points[i] / E18,
                before[i] / E18,
                scope.volJump
            );
        }
    }

    /// @dev The total variances of the quote at a place, at -out, 0 and out, 1e-36.
    function _variances(uint256 at, int256 out) private pure returns (uint256[3] memory points) {
        int256 smile = int256(MarketWords.wordAt(at + 28));
        int256 sigma = int256(MarketWords.wordAt(at + 60)) >> 192;
        for (uint256 i = 0; i < 3; ++i) {
            points[i] = SmilePoints.totalVariance(
                smile >> 192,
                (smile << 64) >> 192,
                (smile << 128) >> 192,
                (smile << 192) >> 192,
                sigma,
                out * (int256(i) - 1)
            );
        }
    }

    function _distance(int256 a, int256 b) private pure returns (uint256) {
        return uint256(a > b ? a - b : b - a);
    }
}
