// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { IDisputes } from "../interfaces/IDisputes.sol";
import { IMarginCourt } from "../interfaces/IMarginCourt.sol";
import { ISpecErrors } from "../interfaces/SpecErrors.sol";
import { EpochHeader, Figures, Leaf } from "../interfaces/Types.sol";
import { MarketCodec } from "./MarketCodec.sol";

/// @title Whether a leaf's figures are wrong, and by how much (evidence.py)
library Judgement {
    uint256 private constant PAIR_BYTES = 2;

    /// @notice What a leaf is shown to be: wrong in a figure by `differenceE8`, wrong in its worst scenarios alone (zero), or reverts.
    /// @dev A true leaf passes every check for all choices: its values are the court's; no choice gives a higher requirement; its own worst
    ///      gives its requirements exactly; no index of an underlying has a greater loss, none below it an equal one; and the market prices
    ///      everything it holds.
    ///
    ///      Figures are what counts: an index that is wrong beside right figures never costs more than a bounty. At such an index both
    ///      requirements are below the leaf's, so where both are, that shows a wrong leaf but no difference; empty choices, which recompute
    ///      all scenarios, show which it is. Where one is and the other is not, the index is not what is wrong, as long as neither factor of
    ///      the model is next to nothing.
    /// @return differenceE8 The greatest difference shown in a money figure, E8.
    function judge(
        IMarginCourt court,
        EpochHeader calldata header,
        Leaf calldata leaf,
        IDisputes.Witness calldata witness
    ) internal view returns (uint256 differenceE8) {
        _requireBytes(header, leaf, witness);
        bool isWrong;
        if (witness.choices.length == 0) {
            (isWrong, differenceE8) = _recompute(court, header.modelHash, leaf, witness);
        } else {
            bool atOwn = keccak256(witness.choices) == keccak256(leaf.worstScenarios);
            (isWrong, differenceE8) = _reprice(
                court,
                header.modelHash,
                leaf,
                witness,
                witness.choices,
                atOwn
            );
            if (!isWrong && !atOwn) {
                if (_isWorse(court, header.modelHash, leaf, witness)) return 0;
                (isWrong, differenceE8) = _reprice(
                    court,
                    header.modelHash,
                    leaf,
                    witness,
                    leaf.worstScenarios,
                    true
                );
            }
        }
        require(isWrong, IDisputes.LeafIsRight(leaf.account, witness.choices));
    }

    function _requireBytes(
        EpochHeader calldata header,
        Leaf calldata leaf,
        IDisputes.Witness calldata witness
    ) private pure {
        bytes32 given = keccak256(witness.portfolio);
        require(given == leaf.portfolioHash, IDisputes.WrongPortfolioBytes(given, leaf.portfolioHash));
        given = MarketCodec.hash(witness.market);
        require(given == header.marketHash, IDisputes.WrongMarketBytes(given, header.marketHash));
    }

    /// @dev One repricing. At the leaf's own worst scenarios requirements have to be equal, anywhere else no higher than the leaf's.
    function _reprice(
        IMarginCourt court,
        bytes32 modelHash,
        Leaf calldata leaf,
        IDisputes.Witness calldata witness,
        bytes calldata choices,
        bool atOwn
    ) private view returns (bool isWrong, uint256 differenceE8) {
        try court.repriceScenario(modelHash, witness.portfolio, witness.market, choices) returns (
            Figures memory found
        ) {
            (isWrong, differenceE8) = _compare(leaf, found, atOwn);
        } catch (bytes memory reason) {
            differenceE8 = _worthOf(reason, atOwn);
            isWrong = true;
        }
    }

    /// @dev All scenarios: the leaf's figures and worst scenarios have to be the court's.
    function _recompute(
        IMarginCourt court,
        bytes32 modelHash,
        Leaf calldata leaf,
        IDisputes.Witness calldata witness
    ) private view returns (bool isWrong, uint256 differenceE8) {
        try court.recompute(modelHash, witness.portfolio, witness.market) returns (Figures memory found) {
            (uint256 initial, uint256 maintenance) = _excess(leaf, found);
            differenceE8 = _max(_shortfall(leaf, found), _max(initial, maintenance));
            isWrong = differenceE8 != 0 || keccak256(found.worstScenarios) != keccak256(leaf.worstScenarios);
        } catch (bytes memory reason) {
            differenceE8 = _worthOf(reason, false);
            isWrong = true;
        }
    }

    function _compare(
        Leaf calldata leaf,
        Figures memory found,
        bool atOwn
    ) private pure returns (bool isWrong, uint256 differenceE8) {
        differenceE8 = _shortfall(leaf, found);
        if (atOwn) {
            (uint256 initial, uint256 maintenance) = _excess(leaf, found);
            isWrong = initial != 0 || maintenance != 0;
            if (initial == 0 || maintenance == 0) differenceE8 = _max(differenceE8, initial + maintenance);
        }
        isWrong = isWrong || differenceE8 != 0;
    }

    /// @dev The greatest of how far the values are off, and how far the requirements are below those found.
    function _shortfall(Leaf calldata leaf, Figures memory found) private pure returns (uint256) {
        return
            _max(
                _max(
                    FixedPointMathLib.dist(leaf.portfolioValue, found.portfolioValue),
                    FixedPointMathLib.dist(leaf.spotValue, found.spotValue)
                ),
                _max(
                    FixedPointMathLib.zeroFloorSub(found.initialMargin, leaf.initialMargin),
                    FixedPointMathLib.zeroFloorSub(found.maintenanceMargin, leaf.maintenanceMargin)
                )
            );
    }

    /// @dev How far the requirements are above those found.
    function _excess(
        Leaf calldata leaf,
        Figures memory found
    ) private pure returns (uint256 initial, uint256 maintenance) {
        initial = FixedPointMathLib.zeroFloorSub(leaf.initialMargin, found.initialMargin);
        maintenance = FixedPointMathLib.zeroFloorSub(leaf.maintenanceMargin, found.maintenanceMargin);
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return FixedPointMathLib.max(a, b);
    }

    /// @dev What a refusal of the court proves, as a difference; any other is passed on. Both kinds do not depend on how much gas is left.
    function _worthOf(bytes memory reason, bool atOwn) private pure returns (uint256) {
        bytes4 name = bytes4(reason);
        // The market or the model lacks something that the portfolio holds: it has no figures, so any figures are made up.
        if (
            name == ISpecErrors.MissingExpiry.selector ||
            name == ISpecErrors.MissingUnderlying.selector ||
            name == ISpecErrors.MissingModelSection.selector ||
            name == ISpecErrors.UnknownInstrument.selector
        ) return type(uint256).max;
        // The leaf's worst scenarios do not name each held underlying once, in order, with an index that its model has.
        if (
            atOwn &&
            (name == IMarginCourt.WrongChoices.selector || name == IMarginCourt.ScenarioOutOfRange.selector)
        ) return 0;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    /// @dev Whether for some underlying the choices' index has a greater loss than the leaf's, or a lower index the same loss; or the leaf's
    ///      worst scenarios are malformed.
    function _isWorse(
        IMarginCourt court,
        bytes32 modelHash,
        Leaf calldata leaf,
        IDisputes.Witness calldata witness
    ) private view returns (bool) {
        int256[] memory own;
        try court.lossesAt(modelHash, witness.portfolio, witness.market, leaf.worstScenarios) returns (
            int256[] memory found
        ) {
            own = found;
        } catch (bytes memory reason) {
            _worthOf(reason, true);
            return true;
        }
        int256[] memory chosen = court.lossesAt(
            modelHash,
            witness.portfolio,
            witness.market,
            witness.choices
        );
        // Both have an index for each held underlying, in the same order.
        for (uint256 i = 0; i < own.length; ++i) {
            if (chosen[i] > own[i]) return true;
            uint256 at = i * PAIR_BYTES + 1;
            if (chosen[i] == own[i] && witness.choices[at] < leaf.worstScenarios[at]) return true;
        }
        return false;
    }
}
