// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Ranges, all inclusive, as in the specification (limits.py), under the same names
/// @notice What lies outside is refused when listed, configured or posted, so that no arithmetic can overflow (bounds.py).
library Limits {
    // Prices and quantities, E8.
    int256 internal constant MIN_SPOT = 10 ** 6;
    int256 internal constant MAX_SPOT = 10 ** 14;
    int256 internal constant MIN_STRIKE = 10 ** 4;
    int256 internal constant MAX_STRIKE = 10 ** 16;
    int256 internal constant MIN_SETTLEMENT_PRICE = 1;
    int256 internal constant MAX_SETTLEMENT_PRICE = 10 ** 16;
    int256 internal constant MAX_FUNDING = 10 ** 14;
    int256 internal constant MIN_SETTLEMENT_TOKEN = 1;
    int256 internal constant MAX_SETTLEMENT_TOKEN = 10 ** 9;
    int256 internal constant MAX_QUANTITY = 10 ** 16;
    int256 internal constant MAX_TRADE_PRICE = 10 ** 16;

    // Market parameters, WAD.
    int256 internal constant MIN_CONFIDENCE = 0;
    int256 internal constant MAX_CONFIDENCE = 10 ** 18;
    int256 internal constant MIN_RATE = -9 * 10 ** 18;
    int256 internal constant MAX_RATE = 2 * 10 ** 18;
    int256 internal constant MIN_SVI_A = -4 * 10 ** 18;
    int256 internal constant MAX_SVI_A = 9 * 10 ** 18;
    int256 internal constant MIN_SVI_B = 0;
    int256 internal constant MAX_SVI_B = 2 * 10 ** 18;
    int256 internal constant MAX_SVI_RHO = 9999 * 10 ** 14;
    int256 internal constant MAX_SVI_M = 4 * 10 ** 18;
    int256 internal constant MIN_SVI_SIGMA = 10 ** 12;
    int256 internal constant MAX_SVI_SIGMA = 4 * 10 ** 18;

    // Scenarios, WAD. The ranges of a model's other fields are in ModelFields.
    int256 internal constant MIN_SPOT_SHOCK = 10 ** 16;
    int256 internal constant MAX_SPOT_SHOCK = 16 * 10 ** 18;
    int256 internal constant MAX_WEIGHT = 9 * 10 ** 18;
    int256 internal constant MAX_VOL_ADD = 4 * 10 ** 18;

    // Unix seconds, counts and indices.
    int256 internal constant MAX_TIME = 2 ** 32 - 1;
    int256 internal constant MAX_UNDERLYING_ID = 63;
    int256 internal constant MAX_EXPIRY_INDEX = 1023;
    int256 internal constant MAX_STRIKE_INDEX = 32767;
    int256 internal constant MAX_UNDERLYINGS = 8;
    int256 internal constant MAX_EXPIRIES = 32;
    int256 internal constant MAX_SETTLEMENTS = 32;
    int256 internal constant MAX_SCENARIOS = 128;
    uint256 internal constant MAX_POSITIONS = 128;
}
