// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IAggregatorV3 } from "../interfaces/IAggregatorV3.sol";

/// @title A price feed for test chains: anyone sets any answer
contract TestFeed is IAggregatorV3 {
    /// @inheritdoc IAggregatorV3
    uint8 public immutable decimals;

    uint80 private _roundId;
    uint80 private _answeredInRound;
    int256 private _answer;
    uint256 private _updatedAt;

    /// @param decimals_ Decimals of the answers.
    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    /// @notice Complete a round.
    /// @param answer The price.
    /// @param updatedAt When, unix seconds.
    function setAnswer(int256 answer, uint256 updatedAt) external {
        _roundId += 1;
        setRound(_roundId, answer, updatedAt, _roundId);
    }

    /// @notice Set every figure of the newest round, consistent or not.
    /// @param roundId Its number.
    /// @param answer The price.
    /// @param updatedAt When it was completed, 0 if it was not.
    /// @param answeredInRound The round the answer comes from.
    function setRound(uint80 roundId, int256 answer, uint256 updatedAt, uint80 answeredInRound) public {
        _roundId = roundId;
        _answer = answer;
        _updatedAt = updatedAt;
        _answeredInRound = answeredInRound;
    }

    /// @inheritdoc IAggregatorV3
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (_roundId, _answer, _updatedAt, _updatedAt, _answeredInRound);
    }
}
