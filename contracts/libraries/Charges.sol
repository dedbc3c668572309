// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { FixedPoint } from "./FixedPoint.sol";
import { ModelCodec } from "./ModelCodec.sol";
import { ModelFields } from "./ModelFields.sol";
import { Valuation } from "./Valuation.sol";

/// @title What competes in the maximum: scenarios, then the charges that a model has, as further indices (margin.py)
library Charges {
    using ModelCodec for ModelCodec.Section;

    uint256 private constant ONE_WAD = 10 ** 18;
    int256 private constant ONE_E8 = 10 ** 8;

    /// @dev The indices to be judged: scenarios, basis and delta charge as the plan says, and the short-option minimum or not.
    struct Choice {
        Valuation.Plan plan;
        bool hasShortMinimum;
    }

    /// @notice Every index of a model.
    function all(ModelCodec.Section memory model) internal pure returns (Choice memory) {
        return
            Choice(
                Valuation.Plan(0, model.scenarioCount, _hasBasis(model), _hasDelta(model)),
                _hasShortMinimum(model)
            );
    }

    /// @notice How many indices a choice holds.
    function count(Choice memory choice) internal pure returns (uint256 total) {
        unchecked {
            total = choice.plan.scenarios;
            if (choice.plan.hasBasis) ++total;
            if (choice.plan.hasDelta) ++total;
            if (choice.hasShortMinimum) ++total;
        }
    }

    /// @notice One index alone; nothing at all if the model does not have it.
    function one(ModelCodec.Section memory model, uint256 index) internal pure returns (Choice memory) {
        uint256 scenarios = model.scenarioCount;
        Choice memory choice = Choice(Valuation.Plan(index, index < scenarios ? 1 : 0, false, false), false);
        if (index < scenarios) return choice;
        unchecked {
            uint256 charge = index - scenarios;
            if (_hasBasis(model) && charge-- == 0) choice.plan.hasBasis = true;
            else if (_hasDelta(model) && charge-- == 0) choice.plan.hasDelta = true;
            else if (_hasShortMinimum(model) && charge == 0) choice.hasShortMinimum = true;
            return choice;
        }
    }

    /// @notice The loss at every index of a choice, in order, E34.
    /// @param book The underlying's book, opened with the choice's plan and filled.
    /// @param shorts Sum of short options, E8.
    /// @param spot E8.
    function losses(
        Choice memory choice,
        Valuation.Book memory book,
        uint256 shorts,
        uint256 spot
    ) internal pure returns (int256[] memory result) {
        result = new int256[](count(choice));
        uint256 next = 0;
        // Below 2^121 x 2^64, and for the basis charge 2^117 x 2^72.
        unchecked {
            for (; next < choice.plan.scenarios; ++next) {
                Valuation.Column memory column = book.columns[1 + next];
                result[next] = -int256(column.weight) * column.total;
            }
            if (choice.plan.hasBasis) result[next++] = int256(book.basis);
            if (choice.plan.hasDelta) result[next++] = int256(delta(book, spot));
            if (choice.hasShortMinimum) result[next] = int256(shortMinimum(book.model, shorts, spot));
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
        ModelCodec.Section memory model,
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
        ModelCodec.Section memory model,
        uint256 settlementToken
    ) internal pure returns (uint256) {
        uint256 threshold = model.natural(ModelFields.PEG_THRESHOLD);
        int256 extra =
            model.field(ModelFields.PEG_FACTOR) *
                int256(FixedPointMathLib.zeroFloorSub(threshold, settlementToken));
        return model.natural(ModelFields.INITIAL_FACTOR) + uint256(FixedPoint.ceilDiv(extra, ONE_E8));
    }

    function _hasBasis(ModelCodec.Section memory model) private pure returns (bool) {
        return model.has(ModelFields.BASIS_BASE, ModelFields.BASIS_PER_YEAR);
    }

    function _hasDelta(ModelCodec.Section memory model) private pure returns (bool) {
        return model.has(ModelFields.DELTA_NET, ModelFields.DELTA_HEDGED);
    }

    function _hasShortMinimum(ModelCodec.Section memory model) private pure returns (bool) {
        return model.has(ModelFields.SHORT_MINIMUM, ModelFields.SHORT_MINIMUM_RATE);
    }
}
