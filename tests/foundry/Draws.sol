// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Numbers drawn from a seed, the same ones for the same seed
library Draws {
    /// @notice A stream of draws.
    struct Draw {
        uint256 state;
    }

    /// @notice 256 bits.
    function word(Draw memory draw) internal pure returns (uint256) {
        draw.state = uint256(keccak256(abi.encode(draw.state)));
        return draw.state;
    }

    /// @notice From 0 to `count` - 1.
    function below(Draw memory draw, uint256 count) internal pure returns (uint256) {
        return word(draw) % count;
    }

    /// @notice From `low` to `high`, both included.
    function between(Draw memory draw, int256 low, int256 high) internal pure returns (int256) {
        return low + int256(word(draw) % uint256(high - low + 1));
    }

    /// @notice True one time in `count`.
    function oneIn(Draw memory draw, uint256 count) internal pure returns (bool) {
        return word(draw) % count == 0;
    }
}
