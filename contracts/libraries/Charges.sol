// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { ModelFields } from "./ModelFields.sol";
import { Plan, Plans } from "./Plan.sol";
import { Valuation } from "./Valuation.sol";

/// @title What competes in the maximum: scenarios, then the charges that a model has, as further indices (margin.py)
library Charges {
    using ModelCodec for ModelCodec.Section;

    uint256 private constant ONE_WAD = 10 ** 18;
    uint256 private constant ONE_E8 = 10 ** 8;

    /// @notice Every index of a model.
    function all(ModelCodec.Section model) internal pure returns (Plan) {
        return
            Plans.make(0, model.scenarioCount(), _hasBasis(model), _hasDelta(model), _hasShortMinimum(model));
    }

    /// @notice One index alone; nothing at all if the model does not have it.
    function one(ModelCodec.Section model, uint256 index) internal pure returns (Plan) {
        uint256 scenarios = model.scenarioCount();
        if (index < scenarios) return Plans.make(index, 1, false, false, false);
        unchecked {
            uint256 charge = index - scenarios;
            if (_hasBasis(model) && charge-- == 0) return Plans.make(0, 0, true, false, false);
            if (_hasDelta(model) && charge-- == 0) return Plans.make(0, 0, false, true, false);
            return Plans.make(0, 0, false, false, _hasShortMinimum(model) && charge == 0);
        }
    }

    /// @notice The loss at every index of a book's plan, in order, E34.
    /// @param book The underlying's book, opened with the plan and filled.
    /// @param shorts Sum of short options, E8.
    /// @param spot E8.
    function losses(
        Valuation.Book memory book,
        uint256 shorts,
        uint256 spot
    ) internal pure returns (int256[] memory result) {
        Plan plan = book.plan;
        uint256 count = plan.count();
        uint256 scenarios = plan.scenarios();
        Valuation.Column memory column = book.first;
        uint256 next;
        uint256 stride = Valuation.COLUMN_BYTES;
        // result = new int256[](count), not cleared: every word is written.
        assembly ("memory-safe") {
            result := mload(0x40)
            mstore(result, count)
            next := add(result, 32)
            mstore(0x40, add(next, shl(5, count)))
        }
        unchecked {
            for (; scenarios != 0; --scenarios) {
                assembly ("memory-safe") {
                    column := add(column, stride)
                }
                next = _put(next, _scenarioLoss(column));
            }
            if (plan.hasBasis()) next = _put(next, int256(book.basis));
            if (plan.hasDelta()) next = _put(next, int256(delta(book, spot)));
            if (plan.hasShortMinimum()) _put(next, int256(shortMinimum(book.model, shorts, spot)));
        }
    }

    /// @notice The loss at the one index of a book's plan, E34. Parameters as above.
    function loss(Valuation.Book memory book, uint256 shorts, uint256 spot) internal pure returns (int256) {
        Plan plan = book.plan;
        if (plan.scenarios() != 0) {
            Valuation.Column memory column = book.first;
            uint256 stride = Valuation.COLUMN_BYTES;
            assembly ("memory-safe") {
                column := add(column, stride)
            }
            return _scenarioLoss(column);
        }
        if (plan.hasBasis()) return int256(book.basis);
        if (plan.hasDelta()) return int256(delta(book, spot));
        return int256(shortMinimum(book.model, shorts, spot));
    }

    /// @dev The loss under the scenario of a column, E34: below 2^121 x 2^64 (and the basis charge's below 2^117 x 2^72).
    function _scenarioLoss(Valuation.Column memory column) private pure returns (int256) {
        unchecked {
            return -int256(column.weight) * column.total;
        }
    }

    /// @dev Writes a word; returns the place after it.
    function _put(uint256 place, int256 word) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            mstore(place, word)
            next := add(place, 32)
        }
    }

    /// @notice (deltaNet * |net delta| + deltaHedged * min(long, short)) * spot, E34, rounded up.
    /// @dev 2^121 x 20e18 x 1e14: below 2^238.
    function delta(Valuation.Book memory book, uint256 spot) internal pure returns (uint256) {
        unchecked {
            (uint256 long, uint256 short) = (book.long, book.short);
            uint256 weighted =
                book.model.natural(ModelFields.DELTA_NET) * FixedPointMathLib.dist(long, short) +
                    book.model.natural(ModelFields.DELTA_HEDGED) * FixedPointMathLib.min(long, short);
            return (weighted * spot + 2 ** 60 - 1) >> 60;
        }
    }

    /// @notice (shortMinimum + floor(shortMinimumRate * spot)) per unit of short options, E34.
    function shortMinimum(
        ModelCodec.Section model,
        uint256 shorts,
        uint256 spot
    ) internal pure returns (uint256) {
        unchecked {
            uint256 relative = (model.natural(ModelFields.SHORT_MINIMUM_RATE) * spot) / ONE_WAD;
            return (model.natural(ModelFields.SHORT_MINIMUM) + relative) * shorts * ONE_WAD;
        }
    }

    /// @notice The initial factor, WAD: initialFactor + pegFactor * shortfall of the settlement token below pegThreshold, rounded up.
    /// @param settlementToken Its price, E8.
    function initialFactor(
        ModelCodec.Section model,
        uint256 settlementToken
    ) internal pure returns (uint256) {
        uint256 threshold = model.natural(ModelFields.PEG_THRESHOLD);
        uint256 factor = model.natural(ModelFields.INITIAL_FACTOR);
        if (settlementToken >= threshold) return factor;
        unchecked {
            uint256 extra = model.natural(ModelFields.PEG_FACTOR) * (threshold - settlementToken);
            return factor + FixedPointMathLib.divUp(extra, ONE_E8);
        }
    }

    function _hasBasis(ModelCodec.Section model) private pure returns (bool) {
        return model.has(ModelFields.BASIS_BASE, ModelFields.BASIS_PER_YEAR);
    }

    function _hasDelta(ModelCodec.Section model) private pure returns (bool) {
        return model.has(ModelFields.DELTA_NET, ModelFields.DELTA_HEDGED);
    }

    function _hasShortMinimum(ModelCodec.Section model) private pure returns (bool) {
        return model.has(ModelFields.SHORT_MINIMUM, ModelFields.SHORT_MINIMUM_RATE);
    }
}
