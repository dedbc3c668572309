// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A price feed that misbehaves in the way it is told to, for tests
contract StrangeFeed {
    /// @notice Each way to misbehave.
    enum Habit {
        None,
        Reverts,
        AnswersTooShort,
        DirtyWords,
        HugeAnswer,
        TooManyDecimals,
        BurnsGas,
        AnswersMuchMore
    }

    error Unavailable();

    /// @notice How it misbehaves now.
    Habit public habit;

    /// @notice Choose a habit.
    function setHabit(Habit habit_) external {
        habit = habit_;
    }

    /// @notice 8, or 19.
    function decimals() external view returns (uint256) {
        require(habit != Habit.Reverts, Unavailable());
        return habit == Habit.TooManyDecimals ? 19 : 8;
    }

    /// @notice A round of price 1, unless the habit says otherwise.
    function latestRoundData() external view {
        require(habit != Habit.Reverts, Unavailable());
        while (habit == Habit.BurnsGas) {
            // Until nothing is left.
        }
        bytes memory data =
            habit == Habit.DirtyWords
                ? abi.encode(type(uint256).max, int256(1e8), 1, block.timestamp, uint256(1) << 80)
                : abi.encode(
                    1,
                    habit == Habit.HugeAnswer ? type(int256).max : int256(1e8),
                    1,
                    block.timestamp,
                    1
                );
        uint256 length = habit == Habit.AnswersTooShort ? 128 : 160;
        // About as much as the guard's gas pays for.
        if (habit == Habit.AnswersMuchMore) length = 250_000;
        assembly ("memory-safe") {
            return(add(data, 32), length)
        }
    }
}
