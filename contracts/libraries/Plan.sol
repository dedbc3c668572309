// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Which indices of a model are wanted: some of its scenarios, and any of its charges. In one word: first scenario (8 bits), count of
///         scenarios (8), then a bit each for the basis charge, the delta charge and the short-option minimum.
type Plan is uint256;

using Plans for Plan global;

/// @title What a plan holds
library Plans {
    uint256 private constant BASIS = 1 << 16;
    uint256 private constant DELTA = 1 << 17;
    uint256 private constant SHORT_MINIMUM = 1 << 18;

    /// @notice A plan.
    /// @param first_ The first scenario, below 256.
    /// @param scenarios_ How many, below 256.
    function make(
        uint256 first_,
        uint256 scenarios_,
        bool basis,
        bool delta,
        bool shortMinimum
    ) internal pure returns (Plan) {
        uint256 word = first_ | (scenarios_ << 8);
        if (basis) word |= BASIS;
        if (delta) word |= DELTA;
        if (shortMinimum) word |= SHORT_MINIMUM;
        return Plan.wrap(word);
    }

    /// @notice The first scenario.
    function first(Plan plan) internal pure returns (uint256) {
        return uint8(Plan.unwrap(plan));
    }

    /// @notice How many scenarios, from the first on.
    function scenarios(Plan plan) internal pure returns (uint256) {
        return uint8(Plan.unwrap(plan) >> 8);
    }

    /// @notice Whether the basis charge is wanted.
    function hasBasis(Plan plan) internal pure returns (bool) {
        return Plan.unwrap(plan) & BASIS != 0;
    }

    /// @notice Whether the delta charge is wanted.
    function hasDelta(Plan plan) internal pure returns (bool) {
        return Plan.unwrap(plan) & DELTA != 0;
    }

    /// @notice Whether the short-option minimum is wanted.
    function hasShortMinimum(Plan plan) internal pure returns (bool) {
        return Plan.unwrap(plan) & SHORT_MINIMUM != 0;
    }

    /// @notice Whether no index is wanted.
    function isEmpty(Plan plan) internal pure returns (bool) {
        return Plan.unwrap(plan) >> 8 == 0;
    }

    /// @notice How many indices are wanted.
    function count(Plan plan) internal pure returns (uint256) {
        uint256 word = Plan.unwrap(plan);
        unchecked {
            return scenarios(plan) + ((word >> 16) & 1) + ((word >> 17) & 1) + ((word >> 18) & 1);
        }
    }
}
