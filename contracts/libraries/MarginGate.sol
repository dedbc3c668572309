// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";
import { IMarginCourt } from "../interfaces/IMarginCourt.sol";
import { IProtocolErrors } from "../interfaces/IProtocolErrors.sol";
import { Figures } from "../interfaces/Types.sol";
import { InstrumentId } from "./InstrumentId.sol";
import { MarketCodec } from "./MarketCodec.sol";
import { PortfolioCodec } from "./PortfolioCodec.sol";
import { Reading } from "./Reading.sol";

/// @title What every change that could add risk must pass
library MarginGate {
    /// @dev A change that only reduces risk may cost a tenth of the margin it frees.
    int256 private constant MAX_COST_DIVISOR = 10;

    /// @notice An account before and after a change, cash in E8.
    struct Change {
        uint64 account;
        int256 cashBefore;
        int256 cashAfter;
        bytes portfolioBefore;
        bytes portfolioAfter;
    }

    /// @notice The model of the newest epoch. Reverts unless the epoch is in force and the market is its market.
    function liveModel(IEpochRegistry epochs, bytes calldata market) internal view returns (bytes32) {
        (bytes32 modelHash, bytes32 marketHash) = epochs.liveMarket();
        bytes32 given = MarketCodec.hash(market);
        require(given == marketHash, IProtocolErrors.WrongMarket(given, marketHash));
        return modelHash;
    }

    /// @notice Refuse a change unless the account ends with initial margin and without a cash deficit, or it only reduces risk.
    function enforce(
        IMarginCourt court,
        bytes32 modelHash,
        bytes calldata market,
        Change memory change
    ) internal view {
        requireCoveredSpot(change.account, change.portfolioAfter);
        Figures memory afterwards = court.recompute(modelHash, change.portfolioAfter, market);
        (int256 equity, int256 excess, int256 free) = _standing(change.cashAfter, afterwards);
        if (excess >= 0 && free >= 0) return;

        Figures memory before = court.recompute(modelHash, change.portfolioBefore, market);
        (int256 equityBefore, , int256 freeBefore) = _standing(change.cashBefore, before);
        bool reducesRisk = _reducesRisk(equityBefore, before.initialMargin, equity, afterwards.initialMargin);
        bool keepsCash = free >= 0 || free >= freeBefore;
        if (reducesRisk && keepsCash) return;

        if (excess < 0 && !reducesRisk) {
            revert IProtocolErrors.BelowInitialMargin(change.account, equity, afterwards.initialMargin);
        }
        if (free < 0) revert IProtocolErrors.CashDeficit(change.account, uint256(-free));
        revert IProtocolErrors.BelowInitialMargin(change.account, equity, afterwards.initialMargin);
    }

    /// @notice Refuse spot sold short.
    /// @dev Spot is a claim on tokens in the vault. Sold short, it would let the buyer withdraw tokens of others.
    function requireCoveredSpot(uint64 account, bytes memory portfolio) internal pure {
        for (uint256 at = 0; at < portfolio.length; at += PortfolioCodec.POSITION_BYTES) {
            uint256 id = Reading.uint32In(portfolio, at);
            if (!InstrumentId.isSpot(id)) continue;
            // The conversion back to 64 bits restores the sign.
            int256 quantity = int64(uint64(Reading.uint64In(portfolio, at + 4)));
            require(quantity > 0, IProtocolErrors.SpotShort(account, id, quantity));
        }
    }

    /// @notice Whether a portfolio holds anything whose value rests on more than spot, which follows outside feeds.
    function holdsMoreThanSpot(bytes memory portfolio) internal pure returns (bool) {
        for (uint256 at = 0; at < portfolio.length; at += PortfolioCodec.POSITION_BYTES) {
            if (!InstrumentId.isSpot(Reading.uint32In(portfolio, at))) return true;
        }
        return false;
    }

    /// @dev Initial margin does not rise, and equity pays at most a tenth of the margin that is freed and does not fall relative to initial
    ///      margin; an account without equity pays nothing. Otherwise closing at a bad price would carry out the money that backs the rest.
    function _reducesRisk(
        int256 equityBefore,
        uint256 marginBefore,
        int256 equityAfter,
        uint256 marginAfter
    ) private pure returns (bool) {
        if (marginAfter > marginBefore) return false;
        if (equityBefore <= 0) return equityAfter >= equityBefore;
        int256 freed = int256(marginBefore - marginAfter);
        return
            equityAfter + freed / MAX_COST_DIVISOR >= equityBefore &&
            equityAfter * int256(marginBefore) >= equityBefore * int256(marginAfter);
    }

    /// @dev Equity, what it has above initial margin, and what is left of it without spot collateral.
    function _standing(
        int256 cash,
        Figures memory figures
    ) private pure returns (int256 equity, int256 excess, int256 free) {
        equity = cash + figures.portfolioValue;
        excess = equity - int256(figures.initialMargin);
        free = equity - figures.spotValue;
    }
}
