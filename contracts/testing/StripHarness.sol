// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Black76 } from "../libraries/Black76.sol";

/// @title What option values cost: for measurements only
contract StripHarness {
    /// @dev What the options of one expiry share: forward (E8), its logarithm (Q64), discount factor (Q58).
    struct Expiry {
        uint256 forward;
        int256 log;
        uint256 discount;
    }

    /// @dev Strike (E8), its logarithm (Q64), total volatility (Q58).
    struct Option {
        uint256 strike;
        int256 log;
        uint256 vol;
    }

    /// @notice Gas that the call values of a strip take, without what reading it and the loop over it take.
    function stripGas(Expiry memory expiry, Option[] memory strip) external view returns (uint256 spent) {
        uint256 sum = 0;
        uint256 start = gasleft();
        for (uint256 i = 0; i < strip.length; ++i) sum += _call(expiry, strip[i]);
        spent = start - gasleft();
        start = gasleft();
        for (uint256 i = 0; i < strip.length; ++i) sum += _read(expiry, strip[i]);
        spent -= start - gasleft();
        // The sum is used, so that nothing of it can be left out.
        if (sum == 0) spent = 0;
    }

    function _call(Expiry memory expiry, Option memory k) private pure returns (uint256) {
        unchecked {
            bool isAbove = expiry.forward > k.strike;
            (uint256 near, uint256 far) = isAbove ? (k.strike, expiry.forward) : (expiry.forward, k.strike);
            (uint256 value, , ) = Black76.outOfTheMoney(
                Black76.discounted(near, expiry.discount),
                Black76.discounted(far, expiry.discount),
                Black76.moneyness(expiry.log, k.log),
                k.vol
            );
            return isAbove ? value + Black76.intrinsic(far - near, expiry.discount) : value;
        }
    }

    function _read(Expiry memory expiry, Option memory k) private pure returns (uint256) {
        unchecked {
            return (expiry.forward + k.strike + uint256(expiry.log + k.log)) ^ (k.vol + expiry.discount);
        }
    }
}
