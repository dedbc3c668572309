// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { MarketWords } from "./MarketWords.sol";

/// @title Whether a posted quote keeps its limits, for less
/// @notice Every epoch pays for this once per expiry. It says the same as MarketBounds._refuse, which is plain Solidity, states each limit and
///         names the one that is broken; only what is off here is asked there.
/// @dev x within [low, high] is one comparison, x - low <= high - low without sign, which wraps to a large number below; |x| <= y is
///      x + y <= 2 y without sign.
library QuoteBounds {
    /// @dev One underlying of both markets, with its limits at the scale of their comparison: prices in E8, times in seconds, rates and
    ///      confidence in WAD, `basis` and `basisPerYear` in millionths x seconds per year, `basisJump` in millionths x 3600, variances in
    ///      1e-36 per second, `growth` = (1 + volJump)^2 in 1e-12, `volJump` and `wing` in millionths. `elapsed` is the time between the
    ///      markets, `previousSpot` zero without one before. `widest`, `steepest` and `farthest` are spot x basis, spot x basisPerYear and
    ///      spot x previousSpot x basisJump. The offsets below follow this order.
    struct Scope {
        uint256 time;
        uint256 spot;
        uint256 widest;
        uint256 steepest;
        int256 minRate;
        uint256 rateSpan;
        uint256 minVariance;
        uint256 varianceSpan;
        uint256 wing;
        uint256 previousSpot;
        uint256 farthest;
        uint256 rateJump;
        uint256 confidenceJump;
        uint256 elapsed;
        uint256 growth;
        uint256 volJump;
        uint256 basis;
        uint256 basisPerYear;
        uint256 basisJump;
        uint256 underlying;
    }

    /// @notice Whether a quote is outside of its limits.
    /// @param scope Its underlying.
    /// @param at Where in calldata it lies.
    /// @param beforeAt Where that of the same expiry in the market before lies; 0 if there is none.
    function isOff(Scope memory scope, uint256 at, uint256 beforeAt) internal pure returns (bool off) {
        uint256 left = (MarketWords.wordAt(at) >> 224) - scope.time;
        uint256 out = _outer(scope, left);
        (uint256 low, uint256 middle, uint256 high) = _points(at, out);
        // Prices are below 2^47, limits and times below 2^32, distances below 2^66, variances below 2^130 and ratios below 2^116: nothing
        // here overflows.
        assembly ("memory-safe") {
            let quote := calldataload(at)
            {
                let min := mul(mload(add(scope, 0xc0)), left)
                let span := mul(mload(add(scope, 0xe0)), left)
                // A negative one is huge, too.
                off := or(or(gt(sub(low, min), span), gt(sub(middle, min), span)), gt(sub(high, min), span))
            }
            let most := add(mload(add(scope, 0x40)), mul(mload(add(scope, 0x60)), left))
            let distance := sub(shr(192, shl(32, quote)), mload(add(scope, 0x20)))
            off := or(off, gt(add(mul(distance, 31536000000000), most), shl(1, most)))
            off := or(
                off,
                gt(sub(sar(192, shl(96, quote)), mload(add(scope, 0x80))), mload(add(scope, 0xa0)))
            )
        }
        if (beforeAt == 0) return off;
        assembly ("memory-safe") {
            let quote := calldataload(at)
            let old := calldataload(beforeAt)
            {
                let moved := sub(
                    mul(shr(192, shl(32, quote)), mload(add(scope, 0x120))),
                    mul(shr(192, shl(32, old)), mload(add(scope, 0x20)))
                )
                let most := mload(add(scope, 0x140))
                off := or(off, gt(add(mul(moved, 3600000000), most), shl(1, most)))
                most := mload(add(scope, 0x160))
                off := or(
                    off,
                    gt(add(sub(sar(192, shl(96, quote)), sar(192, shl(96, old))), most), shl(1, most))
                )
                most := add(shr(192, shl(160, old)), mload(add(scope, 0x180)))
                off := or(off, gt(shr(192, shl(160, quote)), most))
            }
        }
        (uint256 oldLow, uint256 oldMiddle, uint256 oldHigh) = _points(beforeAt, out);
        assembly ("memory-safe") {
            let growth := mload(add(scope, 0x1c0))
            let ratio := div(shl(64, left), add(left, mload(add(scope, 0x1a0))))
            let min := div(mul(ratio, 1000000000000), growth)
            let span := sub(div(mul(ratio, growth), 1000000000000), min)
            off := or(off, slt(or(or(oldLow, oldMiddle), oldHigh), 0))
            off := or(off, gt(sub(shl(64, low), mul(oldLow, min)), mul(oldLow, span)))
            off := or(off, gt(sub(shl(64, middle), mul(oldMiddle, min)), mul(oldMiddle, span)))
            off := or(off, gt(sub(shl(64, high), mul(oldHigh, min)), mul(oldHigh, span)))
        }
    }

    /// @dev Where the outer points lie: SmilePoints.rootOfYears by the underlying's wing.
    function _outer(Scope memory scope, uint256 left) private pure returns (uint256 out) {
        assembly ("memory-safe") {
            let square := div(mul(left, 1000000000000000000000000000000000000), 31536000)
            let bits := shl(4, gt(left, 0xffff))
            bits := or(bits, shl(3, gt(shr(bits, left), 0xff)))
            bits := or(bits, shl(2, gt(shr(bits, left), 0xf)))
            bits := or(bits, shl(1, gt(shr(bits, left), 3)))
            let root := shl(shr(1, bits), 178072434654453)
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            out := div(mul(root, mload(add(scope, 0x100))), 1000000)
        }
    }

    /// @dev SmilePoints.totalVariance of the quote at a place, at -out, 0 and out, but for zero in place of what is negative. The three parts
    ///      are the same: a call of each would cost as much as a quarter of it. Sigma, and with it every root, is positive.
    function _points(
        uint256 at,
        uint256 out
    ) private pure returns (uint256 low, uint256 middle, uint256 high) {
        assembly ("memory-safe") {
            let smile := calldataload(add(at, 28))
            let sigma := shr(192, calldataload(add(at, 60)))
            let sigmaSquared := mul(sigma, sigma)
            let a := mul(sar(192, smile), 1000000000000000000)
            let b := sar(192, shl(64, smile))
            let rho := sar(192, shl(128, smile))
            let d := sub(0, signextend(7, smile))
            {
                let sign := sar(255, d)
                let larger := sub(xor(d, sign), sign)
                let swap := mul(xor(larger, sigma), lt(larger, sigma))
                larger := xor(larger, swap)
                let more := sub(shr(1, xor(sigma, swap)), shr(3, larger))
                let root := add(larger, mul(more, sgt(more, 0)))
                let square := add(mul(d, d), sigmaSquared)
                root := shr(1, add(root, div(square, root)))
                root := shr(1, add(root, div(square, root)))
                middle := add(a, mul(b, add(sdiv(mul(rho, d), 1000000000000000000), root)))
            }
            d := sub(d, out)
            {
                let sign := sar(255, d)
                let larger := sub(xor(d, sign), sign)
                let swap := mul(xor(larger, sigma), lt(larger, sigma))
                larger := xor(larger, swap)
                let more := sub(shr(1, xor(sigma, swap)), shr(3, larger))
                let root := add(larger, mul(more, sgt(more, 0)))
                let square := add(mul(d, d), sigmaSquared)
                root := shr(1, add(root, div(square, root)))
                root := shr(1, add(root, div(square, root)))
                low := add(a, mul(b, add(sdiv(mul(rho, d), 1000000000000000000), root)))
            }
            d := add(d, shl(1, out))
            {
                let sign := sar(255, d)
                let larger := sub(xor(d, sign), sign)
                let swap := mul(xor(larger, sigma), lt(larger, sigma))
                larger := xor(larger, swap)
                let more := sub(shr(1, xor(sigma, swap)), shr(3, larger))
                let root := add(larger, mul(more, sgt(more, 0)))
                let square := add(mul(d, d), sigmaSquared)
                root := shr(1, add(root, div(square, root)))
                root := shr(1, add(root, div(square, root)))
                high := add(a, mul(b, add(sdiv(mul(rho, d), 1000000000000000000), root)))
            }
        }
    }
}
