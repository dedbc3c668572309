// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPoint } from "../libraries/FixedPoint.sol";

/// @title Square roots of the hot path, in batches: for tests
contract RootHarness {
    /// @notice floor(sqrt(value)) of every value, from guesses.
    /// @param values Below 2^128.
    /// @param guesses Any below 2^128.
    function squareRootNear(
        uint256[] calldata values,
        uint256[] calldata guesses
    ) external pure returns (uint256[] memory out) {
        out = new uint256[](values.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.squareRootNear(values[i], guesses[i]);
    }

    /// @notice floor(sqrt(a^2 + b^2)) of every pair.
    /// @param a Below 2^63 in size.
    /// @param b Positive, below 2^63.
    function hypotenuse(
        int256[] calldata a,
        int256[] calldata b
    ) external pure returns (uint256[] memory out) {
        out = new uint256[](a.length);
        for (uint256 i = 0; i < out.length; ++i) out[i] = FixedPoint.hypotenuse(a[i], b[i]);
    }
}
