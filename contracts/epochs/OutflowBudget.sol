// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IAttesterSet } from "../interfaces/IAttesterSet.sol";
import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";
import { IPriceGuard } from "../interfaces/IPriceGuard.sol";
import { Range } from "../libraries/Range.sol";
import { EpochHistory } from "./EpochHistory.sol";

/// @title What may be released on signatures or on a market that attesters signed, and what was
/// @dev What is released on an epoch is counted until the epoch is final, also where it is found invalid: until then it may be the loss that
///      bonds have to cover. It is kept by the hour in which that is, so that counting it out costs little; it leaves with the hour's end.
abstract contract OutflowBudget is EpochHistory, AccessControl {
    /// @dev All E8: the limit, what is out on earlier epochs, what is out on the newest valid one, the greatest withdrawal. What is out stays
    ///      at or below a limit, and limits fit.
    struct Budget {
        uint64 limitE8;
        uint64 closedE8;
        uint64 openE8;
        uint64 maxWithdrawalE8;
    }

    /// @dev What tickets need and withdrawals do not.
    struct Terms {
        uint64 maxTradeE8;
        uint16 tradeChargeBps;
    }

    /// @dev Where a budget's fields are in its slot.
    uint256 private constant CLOSED_SHIFT = 64;
    uint256 private constant OPEN_SHIFT = 128;
    uint256 private constant MAX_WITHDRAWAL_SHIFT = 192;
    uint256 internal constant BPS = 10_000;
    uint256 private constant PAIR_BYTES = 2;
    /// @dev The most underlyings that there can be (Limits.MAX_UNDERLYINGS).
    uint256 private constant MAX_PAIRS = 8;
    /// @dev How many hours one posting counts out at most: a backlog shrinks, and no posting grows dear.
    uint256 private constant HOURS_PER_POST = 32;

    /// @notice Who may sign.
    IAttesterSet public immutable attesterSet;
    /// @notice What compares prices with outside feeds.
    IPriceGuard public immutable guard;

    Budget internal _budget;
    Terms internal _terms;
    /// @dev What was released on epochs that become final within an hour, E8, four hours to a word.
    mapping(uint256 place => uint256 fourHours) private _hours;

    /// @inheritdoc IEpochRegistry
    function setPolicy(Policy calldata policy_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setPolicy(policy_);
        _budget.limitE8 = _limit(policy_.outflowShareBps);
    }

    /// @inheritdoc IEpochRegistry
    function releaseFinal(uint256 max) external {
        Clock memory clock = _clock;
        require(clock.lastRound != 0, NoEpoch());
        Budget memory budget = _closed(_gate.round);
        _release(clock, budget, max);
        _clock = clock;
        _budget = budget;
    }

    /// @inheritdoc IEpochRegistry
    function policy() external view returns (Policy memory) {
        Terms memory terms = _terms;
        return
            Policy(
                _budget.maxWithdrawalE8,
                terms.maxTradeE8,
                _gate.deltaBps,
                _clock.outflowShareBps,
                terms.tradeChargeBps
            );
    }

    /// @inheritdoc IEpochRegistry
    function outflow() external view returns (uint256 spentE8, uint256 limitE8) {
        Budget memory budget = _budget;
        return (uint256(budget.closedE8) + budget.openE8, budget.limitE8);
    }

    function _setPolicy(Policy memory policy_) internal {
        Range.check("deltaBps", int256(uint256(policy_.deltaBps)), 0, int256(BPS - 1));
        Range.check("outflowShareBps", int256(uint256(policy_.outflowShareBps)), 0, int256(BPS));
        Range.check("tradeChargeBps", int256(uint256(policy_.tradeChargeBps)), 0, int256(BPS));
        _budget.maxWithdrawalE8 = policy_.maxAttestedWithdrawalE8;
        _gate.deltaBps = policy_.deltaBps;
        Terms storage terms = _terms;
        terms.maxTradeE8 = policy_.maxAttestedTradeE8;
        _clock.outflowShareBps = policy_.outflowShareBps;
        terms.tradeChargeBps = policy_.tradeChargeBps;
        emit PolicySet(policy_);
    }

    /// @dev Renews the budget for a new epoch; `clock` is changed and still has to be stored. `round` was the newest valid one before.
    function _renew(uint64 round, Clock memory clock) internal {
        Budget memory budget = _closed(round);
        // Nothing was released before the first epoch.
        if (clock.firstHour == 0) clock.firstHour = uint32(block.timestamp / 1 hours);
        _release(clock, budget, HOURS_PER_POST);
        budget.limitE8 = _limit(clock.outflowShareBps);
        _budget = budget;
    }

    /// @dev The budget, what is open of it written to the hour in which the newest valid epoch becomes final. The caller stores it.
    function _closed(uint64 round) internal returns (Budget memory budget) {
        budget = _budget;
        if (budget.openE8 == 0) return budget;
        uint256 hour = _finalAt(round) / 1 hours;
        // No carry into the neighbour: the sum of all hours is at most a limit.
        _hours[hour >> 2] += uint256(budget.openE8) << ((hour & 3) << 6);
        budget.closedE8 += budget.openE8;
        budget.openE8 = 0;
    }

    /// @dev Counts `amountE8` against the budget. A trade's is at most 2^64: the caller compared its size with the policy.
    /// @param isWithdrawal Whether the policy's greatest withdrawal holds for it.
    function _spend(uint256 amountE8, bool isWithdrawal) internal {
        Budget storage budget = _budget;
        uint256 word;
        // The slot of the budget, read once; 64 bits each, from the low ones up: limit, closed, open, greatest withdrawal.
        assembly ("memory-safe") {
            word := sload(budget.slot)
        }
        if (isWithdrawal) {
            uint256 max = word >> MAX_WITHDRAWAL_SHIFT;
            require(amountE8 <= max, AboveAttestedSize(amountE8, max));
        }
        // No sum of three numbers of 64 bits overflows, and what is open is at most the limit: no carry into the neighbour.
        unchecked {
            uint256 limit = uint64(word);
            uint256 spent = uint256(uint64(word >> CLOSED_SHIFT)) + uint64(word >> OPEN_SHIFT);
            require(spent + amountE8 <= limit, OutflowBudgetExceeded(amountE8, spent, limit));
            word += amountE8 << OPEN_SHIFT;
        }
        // Equals budget.openE8 += uint64(amountE8).
        assembly ("memory-safe") {
            sstore(budget.slot, word)
        }
    }

    /// @dev Refuses when a live price is further from the epoch's spot than allowed.
    /// @param underlyings Pairs from the first byte on, of which the first byte is the underlying; in the last 16 bytes their number.
    /// @param gate The slot of `_gate`.
    function _requireNear(bytes32 underlyings, uint256 gate) internal view {
        uint256 pairs = uint256(underlyings);
        // No true leaf is longer; one that takes a whole transaction's gas to read could be used but not disputed.
        uint256 count = uint128(pairs);
        unchecked {
            require(count <= MAX_PAIRS, TooManyUnderlyings(count * PAIR_BYTES));
            for (; count != 0; --count) {
                uint256 underlying = pairs >> 248;
                uint256 spot = _spotOf(underlying, gate);
                require(spot != 0, SpotUnknown(uint8(underlying)));
                _checkPrice((underlying << 128) | (spot << 64) | uint16(gate >> DELTA_SHIFT));
                pairs <<= 16;
            }
        }
    }

    /// @dev Equals guard.checkPrice(price), whose answer it does not read.
    function _checkPrice(uint256 price) private view {
        address asked = address(guard);
        bytes4 selector = IPriceGuard.checkPrice.selector;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, price)
            // The arguments of `and` are evaluated from the last to the first. Where no contract is, nothing is returned.
            if iszero(and(gt(returndatasize(), 31), staticcall(gas(), asked, 0, 36, 0, 0))) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }

    /// @dev Counts out hours that have passed, in order.
    function _release(Clock memory clock, Budget memory budget, uint256 max) private view {
        uint256 hour = clock.firstHour;
        uint256 end = block.timestamp / 1 hours;
        // Where nothing is out on earlier epochs, no hour holds anything.
        if (budget.closedE8 == 0) hour = end;
        if (end - hour > max) end = hour + max;
        uint256 place = type(uint256).max;
        uint256 word = 0;
        for (; hour < end; ++hour) {
            if (hour >> 2 != place) {
                place = hour >> 2;
                word = _hours[place];
            }
            budget.closedE8 -= uint64(word >> ((hour & 3) << 6));
        }
        clock.firstHour = uint32(hour);
    }

    function _limit(uint256 shareBps) private view returns (uint64) {
        uint256 limit = Math.mulDiv(attesterSet.slashableE8(), shareBps, BPS);
        return uint64(Math.min(limit, type(uint64).max));
    }
}
