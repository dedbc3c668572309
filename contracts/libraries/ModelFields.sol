// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The parameters of a model section, in the order of the canonical bytes (model_fields.py)
/// @notice Indices for `ModelCodec.field`, and the table of names and ranges by which a model is checked.
library ModelFields {
    uint256 internal constant INITIAL_FACTOR = 0;
    uint256 internal constant MAINTENANCE_FACTOR = 1;
    uint256 internal constant PEG_THRESHOLD = 2;
    uint256 internal constant PEG_FACTOR = 3;
    uint256 internal constant VOL_UP = 4;
    uint256 internal constant VOL_DOWN = 5;
    uint256 internal constant MIN_VOL_UP = 6;
    uint256 internal constant POWER_SHORT = 7;
    uint256 internal constant POWER_LONG = 8;
    uint256 internal constant FLOOR_SECONDS = 9;
    uint256 internal constant AVERAGING_SECONDS = 10;
    uint256 internal constant LINEAR_CAP = 11;
    uint256 internal constant LINEAR_CAP_SLOPE = 12;
    uint256 internal constant ABSOLUTE_CAP = 13;
    uint256 internal constant ABSOLUTE_CAP_SLOPE = 14;
    uint256 internal constant SKEW_MINIMUM = 15;
    uint256 internal constant SKEW_WIDTH = 16;
    uint256 internal constant SKEW_VOL = 17;
    uint256 internal constant SKEW_VOL_SLOPE = 18;
    uint256 internal constant LONG_BASE = 19;
    uint256 internal constant LONG_RATE_MULTIPLE = 20;
    uint256 internal constant LONG_RATE_ADD = 21;
    uint256 internal constant SHORT_BASE = 22;
    uint256 internal constant SHORT_RATE_MULTIPLE = 23;
    uint256 internal constant SHORT_RATE_ADD = 24;
    uint256 internal constant BASIS_UP = 25;
    uint256 internal constant BASIS_DOWN = 26;
    uint256 internal constant BASIS_BASE = 27;
    uint256 internal constant BASIS_PER_YEAR = 28;
    uint256 internal constant DELTA_NET = 29;
    uint256 internal constant DELTA_HEDGED = 30;
    uint256 internal constant SHORT_MINIMUM = 31;
    uint256 internal constant SHORT_MINIMUM_RATE = 32;
    uint256 internal constant NAKED_MAINTENANCE = 33;
    uint256 internal constant NAKED_INITIAL = 34;
    uint256 internal constant PERPETUAL_MAINTENANCE = 35;
    uint256 internal constant PERPETUAL_INITIAL = 36;
    uint256 internal constant FUTURE_MAINTENANCE = 37;
    uint256 internal constant FUTURE_INITIAL = 38;
    uint256 internal constant HAIRCUT_MAINTENANCE = 39;
    uint256 internal constant HAIRCUT_INITIAL = 40;
    uint256 internal constant CONFIDENCE_THRESHOLD = 41;
    uint256 internal constant CONFIDENCE_RATE = 42;

    uint256 internal constant COUNT = 43;

    /// @dev The fields' names as errors have them, each padded with blanks to 20 bytes.
    uint256 internal constant NAME_BYTES = 20;
    // prettier-ignore
    bytes internal constant NAMES =
        "initialFactor       "
        "maintenanceFactor   "
        "pegThreshold        "
        "pegFactor           "
        "volUp               "
        "volDown             "
        "minVolUp            "
        "powerShort          "
        "powerLong           "
        "floorSeconds        "
        "averagingSeconds    "
        "linearCap           "
        "linearCapSlope      "
        "absoluteCap         "
        "absoluteCapSlope    "
        "skewMinimum         "
        "skewWidth           "
        "skewVol             "
        "skewVolSlope        "
        "longBase            "
        "longRateMultiple    "
        "longRateAdd         "
        "shortBase           "
        "shortRateMultiple   "
        "shortRateAdd        "
        "basisUp             "
        "basisDown           "
        "basisBase           "
        "basisPerYear        "
        "deltaNet            "
        "deltaHedged         "
        "shortMinimum        "
        "shortMinimumRate    "
        "nakedMaintenance    "
        "nakedInitial        "
        "perpetualMaintenance"
        "perpetualInitial    "
        "futureMaintenance   "
        "futureInitial       "
        "haircutMaintenance  "
        "haircutInitial      "
        "confidenceThreshold "
        "confidenceRate      ";

    /// @dev Least and greatest value of each field, inclusive, 16 bytes each. The greatest maintenance factor is the initial factor.
    // prettier-ignore
    bytes internal constant RANGES =
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_0000000000000000000000003b9aca00"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000001_000000000000000000000000020f5800"
        hex"00000000000000000000000000000000_00000000000000000000000000015180"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"ffffffffffffffff7538dcfb76180000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"ffffffffffffffff7538dcfb76180000_00000000000000008ac7230489e80000"
        hex"0000000000000000000000e8d4a51000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"fffffffffffffffeea71b9f6ec300000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_00000000000000003782dace9d900000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000003782dace9d900000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"0000000000000000002386f26fc10000_0000000000000000de0b6b3a76400000"
        hex"0000000000000000002386f26fc10000_0000000000000000de0b6b3a76400000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_000000000000000000005af3107a4000"
        hex"00000000000000000000000000000000_00000000000000008ac7230489e80000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000"
        hex"00000000000000000000000000000000_00000000000000000de0b6b3a7640000"
        hex"00000000000000000000000000000000_00000000000000000de0b6b3a7640000"
        hex"00000000000000000000000000000000_00000000000000000de0b6b3a7640000"
        hex"00000000000000000000000000000000_0000000000000001158e460913d00000";
}
