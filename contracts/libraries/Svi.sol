// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { Black76 } from "./Black76.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { Limits } from "./Limits.sol";
import { Range } from "./Range.sol";

/// @title The smile: raw SVI, five integers per expiry, giving total variance at any strike (svi.py)
/// @notice w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)) at k = ln(strike / forward).
library Svi {
    uint256 private constant ONE_WAD = 10 ** 18;

    /// @dev The five parameters: all in WAD, or, prepared, a in Q64, b and rho in Q60, m and sigma in Q58.
    struct Smile {
        int256 a;
        int256 b;
        int256 rho;
        int256 m;
        int256 sigma;
    }

    /// @notice Refuse a smile (WAD) out of range or with a negative minimum variance a + b sigma sqrt(1 - rho^2).
    /// @dev b * sigma * root is at most 2e18 * 4e18 * 1e18 < 2^123.
    function check(Smile memory smile) internal pure {
        Range.check("a", smile.a, Limits.MIN_SVI_A, Limits.MAX_SVI_A);
        Range.check("b", smile.b, Limits.MIN_SVI_B, Limits.MAX_SVI_B);
        Range.check("rho", smile.rho, -Limits.MAX_SVI_RHO, Limits.MAX_SVI_RHO);
        Range.check("m", smile.m, -Limits.MAX_SVI_M, Limits.MAX_SVI_M);
        Range.check("sigma", smile.sigma, Limits.MIN_SVI_SIGMA, Limits.MAX_SVI_SIGMA);
        unchecked {
            uint256 root = FixedPoint.squareRoot(uint256(10 ** 36 - smile.rho * smile.rho));
            uint256 above = (uint256(smile.b) * uint256(smile.sigma) * root) / 10 ** 36;
            int256 minimum = smile.a + int256(above);
            if (minimum < 0) revert ISpecErrors.NegativeVariance(minimum);
        }
    }

    /// @notice Whether `check` would let a smile (WAD) pass, for less.
    /// @dev With root = floor(sqrt(1e36 - rho^2)) and n = ceil(-a 1e36 / (b sigma)): a + floor(b sigma root / 1e36) >= 0 exactly if
    ///      root >= n, which for whole numbers means 1e36 - rho^2 >= n^2.
    function isValid(int256 a, int256 b, int256 rho, int256 m, int256 sigma) internal pure returns (bool) {
        if (a < Limits.MIN_SVI_A || a > Limits.MAX_SVI_A || b < Limits.MIN_SVI_B || b > Limits.MAX_SVI_B)
            return false;
        if (rho < -Limits.MAX_SVI_RHO || rho > Limits.MAX_SVI_RHO) return false;
        if (m < -Limits.MAX_SVI_M || m > Limits.MAX_SVI_M) return false;
        if (sigma < Limits.MIN_SVI_SIGMA || sigma > Limits.MAX_SVI_SIGMA) return false;
        if (a >= 0) return true;
        if (b == 0) return false;
        unchecked {
            uint256 product = uint256(b * sigma);
            uint256 least = (uint256(-a) * 10 ** 36 + product - 1) / product;
            return least <= 10 ** 18 && least * least <= uint256(10 ** 36 - rho * rho);
        }
    }

    /// @notice Convert the parameters from WAD to binary, each floored. No intermediate of `totalVol` then needs more than 128 bits.
    function prepare(Smile memory smile) internal pure returns (Smile memory prepared) {
        prepared.a = FixedPoint.wadToQ64(smile.a);
        prepared.b = FixedPoint.wadToBinary(smile.b, 60);
        prepared.rho = FixedPoint.wadToBinary(smile.rho, 60);
        prepared.m = FixedPoint.wadToBinary(smile.m, 58);
        prepared.sigma = FixedPoint.wadToBinary(smile.sigma, 58);
    }

    /// @notice `prepare` of a valid smile as market bytes have it, into a smile that is there.
    /// @param word a, b, rho and m, signed 64 bits each, WAD; b is not negative.
    /// @param sigma WAD.
    function readInto(Smile memory prepared, uint256 word, uint256 sigma) internal pure {
        unchecked {
            prepared.a = FixedPoint.wadToQ64(int256(word) >> 192);
            prepared.b = int256((((word << 64) >> 192) << 60) / ONE_WAD);
            prepared.rho = FixedPoint.wadToBinary(int256(word << 128) >> 192, 60);
            prepared.m = FixedPoint.wadToBinary(int256(word << 192) >> 192, 58);
            prepared.sigma = int256((sigma << 58) / ONE_WAD);
        }
    }

    /// @notice Total volatility sqrt(w(k)) at a strike, Q58, at most 16; the log-moneyness, every product and both roots down.
    /// @dev |distance| < 28 in Q58 and sigma at most 4: the sum of squares stays below 2^126, the variance shifted by 52 below 2^123.
    /// @param smile Prepared.
    /// @param logForward Q64, of the unshocked forward.
    /// @param logStrike Q64.
    /// @param guess A total volatility expected near, Q58, or zero: the result does not depend on it.
    function totalVol(
        Smile memory smile,
        int256 logForward,
        int256 logStrike,
        uint256 guess
    ) internal pure returns (uint256) {
        return volAt(smile, logStrike - logForward, guess);
    }

    /// @notice `totalVol` at ln(strike / forward), Q64.
    function volAt(
        Smile memory smile,
        int256 logMoneyness,
        uint256 guess
    ) internal pure returns (uint256 vol) {
        unchecked {
            int256 distance = (logMoneyness >> 6) - smile.m;
            int256 root = int256(FixedPoint.hypotenuse(distance, smile.sigma));
            int256 variance = smile.a + ((smile.b * (((smile.rho * distance) >> 60) + root)) >> 54);
            if (variance <= 0) return 0;
            vol = FixedPoint.squareRootNear(uint256(variance) << 52, guess);
            if (vol > Black76.MAX_TOTAL_VOL) vol = Black76.MAX_TOTAL_VOL;
        }
    }
}
