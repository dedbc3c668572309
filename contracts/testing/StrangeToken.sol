// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { TestToken } from "./TestToken.sol";

/// @title A token that misbehaves in the way it is told to, for tests
contract StrangeToken is TestToken {
    /// @notice Each way to misbehave.
    enum Habit {
        None,
        ReturnsNothing,
        ReturnsFalse,
        TakesFee,
        TakesFeeFromSender,
        Reverts,
        CallsBack,
        Blocks,
        RevertsOnZero
    }

    error Unavailable();
    error Blocked(address account);
    error NothingMoved();

    /// @notice How it misbehaves now.
    Habit public habit;
    /// @notice Whom `Blocks` lets neither give nor take.
    address public blocked;
    address private _target;
    bytes private _call;
    bool private _calling;

    /// @param decimals_ Its decimals.
    constructor(uint8 decimals_) TestToken("Strange", "STR", decimals_) {}

    /// @notice Choose a habit.
    function setHabit(Habit habit_) external {
        habit = habit_;
    }

    /// @notice Choose whom `Blocks` blocks.
    function setBlocked(address blocked_) external {
        blocked = blocked_;
    }

    /// @notice Choose what `CallsBack` calls in the middle of a transfer.
    function setCallBack(address target, bytes calldata call) external {
        _target = target;
        _call = call;
    }

    /// @notice Like the standard's, but for the habit.
    function transfer(address to, uint256 amount) public override returns (bool) {
        if (habit == Habit.ReturnsFalse) return false;
        _misbehave(msg.sender, to, amount);
        super.transfer(to, amount);
        return _answer();
    }

    /// @notice Like the standard's, but for the habit.
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (habit == Habit.ReturnsFalse) return false;
        _misbehave(from, to, amount);
        super.transferFrom(from, to, amount);
        if (habit == Habit.TakesFee) _burn(to, amount / 100);
        return _answer();
    }

    function _misbehave(address payer, address payee, uint256 amount) private {
        if (habit == Habit.Blocks) {
            require(payer != blocked, Blocked(payer));
            require(payee != blocked, Blocked(payee));
        }
        require(habit != Habit.RevertsOnZero || amount != 0, NothingMoved());
        require(habit != Habit.Reverts, Unavailable());
        if (habit == Habit.TakesFeeFromSender) _burn(payer, 1);
        if (habit == Habit.CallsBack && !_calling) {
            _calling = true;
            Address.functionCall(_target, _call);
            _calling = false;
        }
    }

    function _answer() private view returns (bool) {
        if (habit == Habit.ReturnsNothing) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return true;
    }
}
