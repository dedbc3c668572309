// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What is used of a price feed
/// @notice The interface of public USD price feeds. Safety: the answer is a price of the right asset, the right way up. Liveness: rounds
///         complete and carry their time.
interface IAggregatorV3 {
    /// @notice How many decimals an answer has.
    function decimals() external view returns (uint8);

    /// @notice The newest round.
    /// @return roundId Its number.
    /// @return answer The price.
    /// @return startedAt When it was started.
    /// @return updatedAt When it was completed; 0 if it was not.
    /// @return answeredInRound The round in which the answer was computed.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
