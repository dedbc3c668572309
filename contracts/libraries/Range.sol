// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { LibString } from "solady/src/utils/LibString.sol";
import { ISpecErrors } from "../interfaces/SpecErrors.sol";

/// @title Range checks under the specification's error
library Range {
    /// @notice Revert with OutOfRange unless low <= value <= high.
    /// @param field The field's name; one word, so that nothing is allocated while all is well.
    function check(bytes32 field, int256 value, int256 low, int256 high) internal pure {
        if (value < low || value > high) {
            revert ISpecErrors.OutOfRange(LibString.fromSmallString(field), value, low, high);
        }
    }
}
