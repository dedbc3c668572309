// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPoint } from "../libraries/FixedPoint.sol";
import { Gaussian } from "../libraries/Gaussian.sol";
import { Logarithm } from "../libraries/Logarithm.sol";
import { Charges } from "../libraries/Charges.sol";
import { ModelCodec } from "../libraries/ModelCodec.sol";
import { Black76 } from "../libraries/Black76.sol";
import { Scenario } from "../libraries/Scenario.sol";
import { Svi } from "../libraries/Svi.sol";
import { Tenor } from "../libraries/Tenor.sol";

/// @title The libraries' arithmetic and pricing, callable from outside, in batches: for tests and vectors
/// @dev Named after the specification's functions, with its integers in and out; one array per argument, all of one length.
contract PricingHarness {
    /// @dev The cap of a skew and where it is reached, Q58.
    struct Skew {
        int256 cap;
        uint256 kStar;
    }

    /// @dev How total volatility moves, Q58.
    struct VolRule {
        uint256 multiplier;
        int256 added;
        uint256 floor;
    }

    /// @notice floorDiv of every pair.
    function floorDiv(
        int256[] calldata numerators,
        int256[] calldata denominators
    ) external pure returns (int256[] memory out) {
        out = new int256[](numerators.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.floorDiv(numerators[i], denominators[i]);
    }

    /// @notice ceilDiv of every pair.
    function ceilDiv(
        int256[] calldata numerators,
        int256[] calldata denominators
    ) external pure returns (int256[] memory out) {
        out = new int256[](numerators.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.ceilDiv(numerators[i], denominators[i]);
    }

    /// @notice mulShift of every pair, by the same number of bits.
    function mulShift(
        int256[] calldata a,
        int256[] calldata b,
        uint256 bits
    ) external pure returns (int256[] memory out) {
        out = new int256[](a.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.mulShift(a[i], b[i], bits);
    }

    /// @notice floor(sqrt(x)) of every x.
    function squareRoot(uint256[] calldata x) external pure returns (uint256[] memory out) {
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.squareRoot(x[i]);
    }

    /// @notice wadToQ64 of every x.
    function wadToQ64(int256[] calldata x) external pure returns (int256[] memory out) {
        out = new int256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.wadToQ64(x[i]);
    }

    /// @notice wadToBinary of every x, with as many bits.
    function wadToBinary(int256[] calldata x, uint256 bits) external pure returns (int256[] memory out) {
        out = new int256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.wadToBinary(x[i], bits);
    }

    /// @notice ln(x), Q64, of every x.
    function ln(uint256[] calldata x) external pure returns (int256[] memory out) {
        out = new int256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Logarithm.ln(x[i]);
    }

    /// @notice ln(30 days in seconds), Q64, as the tenor rule takes it.
    function logThirtyDays() external pure returns (int256) {
        return Tenor.LOG_THIRTY_DAYS;
    }

    /// @notice e^x, Q64, of every x.
    function exp(int256[] calldata x) external pure returns (uint256[] memory out) {
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Logarithm.exp(x[i]);
    }

    /// @notice e^x, Q64, of every x, brought into the range first.
    function boundedExponential(int256[] calldata x) external pure returns (uint256[] memory out) {
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Logarithm.boundedExp(x[i]);
    }

    /// @notice ratio^exponent, Q64, of every pair.
    /// @param ratioLogarithms Q64.
    /// @param exponents Q64.
    function power(
        int256[] calldata ratioLogarithms,
        int256[] calldata exponents
    ) external pure returns (uint256[] memory out) {
        out = new uint256[](exponents.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Logarithm.power(ratioLogarithms[i], exponents[i]);
    }

    /// @notice N(-x), Q60, of every x (Q58), at least 0.
    function upperTail(uint256[] calldata x) external pure returns (uint256[] memory out) {
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Gaussian.upperTail(x[i]);
    }

    /// @notice N(x), Q60, of every x (Q58).
    function normalCdf(int256[] calldata x) external pure returns (uint256[] memory out) {
        out = new uint256[](x.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Gaussian.normalCdf(x[i]);
    }

    /// @notice Undiscounted option values, E8, by `price` of the specification.
    /// @param isCall Whether each is a call.
    /// @param forwards E8.
    /// @param strikes E8.
    /// @param vols Total volatilities, Q58.
    function prices(
        bool[] calldata isCall,
        uint256[] calldata forwards,
        uint256[] calldata strikes,
        uint256[] calldata vols
    ) external pure returns (uint256[] memory out) {
        out = new uint256[](forwards.length);
        for (uint256 i = 0; i < out.length; ++i) {
            (uint256 f, uint256 k) = (forwards[i], strikes[i]);
            Black76.OptionPair memory pair = Black76.optionPair(
                f,
                k,
                Logarithm.ln(f),
                Logarithm.ln(k),
                vols[i],
                FixedPoint.ONE_Q58
            );
            out[i] = uint256(isCall[i] ? pair.call : pair.put);
        }
    }

    /// @notice Values (E8) and deltas (Q60) of calls and puts.
    /// @param forwards E8.
    /// @param strikes E8.
    /// @param logForwards Q64.
    /// @param logStrikes Q64.
    /// @param vols Total volatilities, Q58.
    /// @param discounts Q58.
    function optionPair(
        uint256[] calldata forwards,
        uint256[] calldata strikes,
        int256[] calldata logForwards,
        int256[] calldata logStrikes,
        uint256[] calldata vols,
        uint256[] calldata discounts
    ) external pure returns (Black76.OptionPair[] memory out) {
        out = new Black76.OptionPair[](forwards.length);
        for (uint256 i = 0; i < out.length; ++i) {
            out[i] = Black76.optionPair(
                forwards[i],
                strikes[i],
                logForwards[i],
                logStrikes[i],
                vols[i],
                discounts[i]
            );
        }
    }

    /// @notice The smile's total volatility at strikes, Q58.
    /// @param smile a, b, rho, m, sigma, WAD; refused when out of range.
    /// @param forward E8.
    /// @param strikes E8.
    function totalVols(
        Svi.Smile memory smile,
        uint256 forward,
        uint256[] calldata strikes
    ) external pure returns (uint256[] memory out) {
        Svi.check(smile);
        Svi.Smile memory prepared = Svi.prepare(smile);
        int256 logForward = Logarithm.ln(forward);
        out = new uint256[](strikes.length);
        for (uint256 i = 0; i < out.length; ++i)
            out[i] = Svi.totalVol(prepared, logForward, Logarithm.ln(strikes[i]), i == 0 ? 0 : out[i - 1]);
    }

    /// @notice Revert unless a smile (WAD) is in range and has no negative variance.
    function checkSmile(Svi.Smile memory smile) external pure {
        Svi.check(smile);
    }

    /// @notice A smile (WAD) as binary numbers; its range is not checked.
    function prepareSmile(Svi.Smile memory smile) external pure returns (Svi.Smile memory) {
        return Svi.prepare(smile);
    }

    /// @notice Total volatilities, Q58, of a smile (WAD) whose range is not checked.
    /// @param smile WAD.
    /// @param logForwards Q64.
    /// @param logStrikes Q64.
    function totalVol(
        Svi.Smile memory smile,
        int256[] calldata logForwards,
        int256[] calldata logStrikes
    ) external pure returns (uint256[] memory out) {
        Svi.Smile memory prepared = Svi.prepare(smile);
        out = new uint256[](logStrikes.length);
        for (uint256 i = 0; i < out.length; ++i)
            out[i] = Svi.totalVol(prepared, logForwards[i], logStrikes[i], i == 0 ? 0 : out[i - 1]);
    }

    /// @notice Year fractions, Q64, of times in seconds.
    function toYears(uint256[] calldata times) external pure returns (uint256[] memory out) {
        out = new uint256[](times.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Tenor.toYears(times[i]);
    }

    /// @notice Their square roots, Q64.
    function squareRootOfYears(uint256[] calldata times) external pure returns (uint256[] memory out) {
        out = new uint256[](times.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Tenor.squareRootOfYears(times[i]);
    }

    /// @notice Multipliers of vol moves, Q64, at times to expiry.
    function tenorMultiplier(
        bytes memory model,
        uint256 underlying,
        uint256[] calldata times
    ) external pure returns (uint256[] memory out) {
        ModelCodec.Section section = _section(model, underlying);
        out = new uint256[](times.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Tenor.tenorMultiplier(section, times[i]);
    }

    /// @notice Discount factors, Q58, of rates (WAD) and times.
    function discountFactor(
        int256[] calldata rates,
        uint256[] calldata times
    ) external pure returns (uint256[] memory out) {
        out = new uint256[](times.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Tenor.discountFactor(rates[i], times[i]);
    }

    /// @notice Static discounts, Q58, of rates (WAD) and times: of sums at or above zero, and below.
    function staticDiscounts(
        bytes memory model,
        uint256 underlying,
        int256[] calldata rates,
        uint256[] calldata times
    ) external pure returns (uint256[2][] memory out) {
        ModelCodec.Section section = _section(model, underlying);
        out = new uint256[2][](times.length);
        for (uint256 i = 0; i < out.length; ++i) {
            out[i][0] = Tenor.longDiscount(section, rates[i], times[i]);
            out[i][1] = Tenor.shortDiscount(section, rates[i], times[i]);
        }
    }

    /// @notice Factors of the basis charge, WAD, at times.
    function basisFactor(
        bytes memory model,
        uint256 underlying,
        uint256[] calldata times
    ) external pure returns (uint256[] memory out) {
        ModelCodec.Section section = _section(model, underlying);
        out = new uint256[](times.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Tenor.basisFactor(section, times[i]);
    }

    /// @notice The fixed part of forwards (E8) at times.
    function fixedPart(
        bytes memory model,
        uint256 underlying,
        uint256[] calldata forwards,
        uint256[] calldata times
    ) external pure returns (uint256[] memory out) {
        ModelCodec.Section section = _section(model, underlying);
        out = new uint256[](times.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Tenor.fixedPart(section, forwards[i], times[i]);
    }

    /// @notice Forwards (E8) at times after spot moves (WAD).
    function shockedForward(
        bytes memory model,
        uint256 underlying,
        uint256[] calldata forwards,
        uint256[] calldata times,
        uint256[] calldata spots
    ) external pure returns (uint256[] memory out) {
        ModelCodec.Section section = _section(model, underlying);
        out = new uint256[](times.length);
        for (uint256 i = 0; i < out.length; ++i) {
            uint256 fixed_ = Tenor.fixedPart(section, forwards[i], times[i]);
            out[i] = Scenario.shockedForward(forwards[i], fixed_, spots[i]);
        }
    }

    /// @notice Cap and k*, Q58, of a skew at times.
    function skewTerms(
        bytes memory model,
        uint256 underlying,
        uint256[] calldata times,
        bool isAbsolute
    ) external pure returns (Skew[] memory out) {
        ModelCodec.Section section = _section(model, underlying);
        out = new Skew[](times.length);
        for (uint256 i = 0; i < out.length; ++i) {
            (out[i].cap, out[i].kStar) = Tenor.skewTerms(section, times[i], isAbsolute);
        }
    }

    /// @notice Multipliers of volatility, Q58, at log-moneyness k (Q58).
    function skewMultiplier(
        int256[] calldata k,
        int256[] calldata caps,
        uint256[] calldata kStars
    ) external pure returns (uint256[] memory out) {
        out = new uint256[](k.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = Tenor.skewMultiplier(k[i], caps[i], kStars[i]);
    }

    /// @notice How a scenario of some kind (no skew) moves total volatility at times.
    function volRule(
        bytes memory model,
        uint256 underlying,
        uint256 kind,
        int256 amount,
        uint256[] calldata times
    ) external pure returns (VolRule[] memory out) {
        ModelCodec.Section section = _section(model, underlying);
        out = new VolRule[](times.length);
        for (uint256 i = 0; i < out.length; ++i) {
            VolRule memory rule = out[i];
            (rule.multiplier, rule.added, rule.floor) = Scenario.volRule(section, kind, amount, times[i]);
        }
    }

    /// @notice Total volatilities, Q58, after rules.
    function shockedVol(
        uint256[] calldata vols,
        uint256[] calldata multipliers,
        int256[] calldata added,
        uint256[] calldata floors
    ) external pure returns (uint256[] memory out) {
        out = new uint256[](vols.length);
        for (uint256 i = 0; i < out.length; ++i) {
            out[i] = Scenario.shockedVol(vols[i], multipliers[i], added[i], floors[i]);
        }
    }

    /// @notice The initial factor, WAD, at a price of the settlement token (E8).
    function initialFactor(
        bytes memory model,
        uint256 underlying,
        uint256 settlementToken
    ) external pure returns (uint256) {
        return Charges.initialFactor(_section(model, underlying), settlementToken);
    }

    /// @notice How many indices compete in an underlying's maximum.
    function indexCount(bytes memory model, uint256 underlying) external pure returns (uint256) {
        return Charges.all(_section(model, underlying)).count();
    }

    function _section(bytes memory model, uint256 underlying) private pure returns (ModelCodec.Section) {
        ModelCodec.check(model);
        return ModelCodec.section(model, underlying);
    }
}
