// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { ILiquidationHouse } from "./interfaces/ILiquidationHouse.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IPortfolioLedger } from "./interfaces/IPortfolioLedger.sol";
import { Figures } from "./interfaces/Types.sol";
import { MarginGate } from "./libraries/MarginGate.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Range } from "./libraries/Range.sol";

/// @title Calls margin and sells slices at a fixed discount
contract LiquidationHouse is ILiquidationHouse {
    using SafeCast for uint256;

    /// @dev One slice on its way: what is sold and what stays, the model, the account's standing, value and requirement of both parts.
    struct Sale {
        bytes32 modelHash;
        bytes slice;
        bytes rest;
        int256 equity;
        uint256 requirement;
        int256 sliceValue;
        uint256 remaining;
        uint256 bonus;
    }

    uint256 private constant WAD = 1e18;
    int256 private constant MAX_DUST = 1e16;
    bytes32 private constant EMPTY_PORTFOLIO = keccak256("");

    /// @notice Where accounts are kept, and their cash.
    IPortfolioLedger public immutable ledger;
    /// @notice Where epochs are kept.
    IEpochRegistry public immutable epochs;
    /// @notice What reprices portfolios.
    IMarginCourt public immutable court;
    /// @inheritdoc ILiquidationHouse
    uint256 public immutable discountWad;
    /// @inheritdoc ILiquidationHouse
    uint256 public immutable maxSliceWad;
    /// @inheritdoc ILiquidationHouse
    uint256 public immutable dustE8;

    /// @param ledger_ Where accounts are kept, and their cash.
    /// @param epochs_ Where epochs are kept.
    /// @param court_ What reprices portfolios.
    /// @param discountWad_ The bonus as a share of the requirement, at most 1e18.
    /// @param maxSliceWad_ The greatest slice, 1 to 1e18.
    /// @param dustE8_ The requirement below which an account may be sold at once, at most 1e16.
    constructor(
        IPortfolioLedger ledger_,
        IEpochRegistry epochs_,
        IMarginCourt court_,
        uint256 discountWad_,
        uint256 maxSliceWad_,
        uint256 dustE8_
    ) {
        Range.check("discount", discountWad_.toInt256(), 0, int256(WAD));
        Range.check("maxSlice", maxSliceWad_.toInt256(), 1, int256(WAD));
        Range.check("dust", dustE8_.toInt256(), 0, MAX_DUST);
        ledger = ledger_;
        epochs = epochs_;
        court = court_;
        discountWad = discountWad_;
        maxSliceWad = maxSliceWad_;
        dustE8 = dustE8_;
    }

    /// @inheritdoc ILiquidationHouse
    function callMargin(
        uint64 account,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external {
        require(!ledger.frozen(account), AccountFrozen(account));
        _requirePortfolio(account, portfolio);
        bytes32 modelHash = MarginGate.liveModel(epochs, market);
        (Figures memory figures, int256 equity) = _reprice(modelHash, account, portfolio, market, choices);
        ledger.setFrozen(account, true);
        emit MarginCalled(account, equity, figures.maintenanceMargin, choices);
    }

    /// @inheritdoc ILiquidationHouse
    function liquidate(
        uint64 account,
        uint64 fundingAccount,
        uint256 fractionWad,
        uint256 cashIn,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external returns (uint64 freshAccount) {
        _requireParties(account, fundingAccount);
        _requirePortfolio(account, portfolio);
        Sale memory sale = _price(account, fractionWad, portfolio, market, choices);
        int256 price = sale.sliceValue - sale.bonus.toInt256();
        int256 funds = ledger.cash(fundingAccount) - price - cashIn.toInt256();
        require(funds >= 0, CashDeficit(fundingAccount, uint256(-funds)));
        freshAccount = ledger.openAccount(msg.sender);
        MarginGate.enforce(
            court,
            sale.modelHash,
            market,
            MarginGate.Change(freshAccount, 0, cashIn.toInt256(), "", sale.slice)
        );
        ledger.writePortfolio(account, portfolio, sale.rest);
        ledger.writePortfolio(freshAccount, "", sale.slice);
        ledger.transferCash(fundingAccount, account, price);
        ledger.transferCash(fundingAccount, freshAccount, cashIn.toInt256());
        emit SliceSold(account, freshAccount, msg.sender, fractionWad, sale.sliceValue, sale.bonus);
    }

    /// @inheritdoc ILiquidationHouse
    function release(uint64 account, bytes calldata portfolio, bytes calldata market) external {
        require(ledger.frozen(account), NotCalled(account));
        _requirePortfolio(account, portfolio);
        bytes32 modelHash = MarginGate.liveModel(epochs, market);
        Figures memory figures = court.recompute(modelHash, portfolio, market);
        int256 equity = ledger.cash(account) + figures.portfolioValue;
        require(
            equity >= figures.maintenanceMargin.toInt256(),
            StillUnhealthy(account, equity, figures.maintenanceMargin)
        );
        ledger.setFrozen(account, false);
        emit Released(account);
    }

    /// @dev Cuts the slice and prices it as the difference between whole and rest: the account is paid every unit that leaves it.
    function _price(
        uint64 account,
        uint256 fractionWad,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) private view returns (Sale memory sale) {
        sale.modelHash = MarginGate.liveModel(epochs, market);
        Figures memory whole;
        (whole, sale.equity) = _reprice(sale.modelHash, account, portfolio, market, choices);
        sale.requirement = whole.maintenanceMargin;
        _requireFraction(fractionWad, sale);
        (sale.slice, sale.rest) = PortfolioCodec.split(portfolio, fractionWad);
        require(sale.slice.length != 0, EmptySlice(account, fractionWad));
        Figures memory rest = court.repriceScenario(
            sale.modelHash,
            sale.rest,
            market,
            // Less than the whole leaves something of every position; the whole leaves nothing to choose for.
            sale.rest.length == 0 ? bytes("") : choices
        );
        sale.remaining = rest.maintenanceMargin;
        require(
            sale.remaining <= sale.requirement,
            SliceRaisesRequirement(account, sale.requirement, sale.remaining)
        );
        sale.sliceValue = whole.portfolioValue - rest.portfolioValue;
        sale.bonus = _bonus(sale);
    }

    /// @dev The figures in the chosen scenarios, and equity. Reverts if equity covers the requirement there.
    function _reprice(
        bytes32 modelHash,
        uint64 account,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) private view returns (Figures memory figures, int256 equity) {
        figures = court.repriceScenario(modelHash, portfolio, market, choices);
        equity = ledger.cash(account) + figures.portfolioValue;
        require(
            equity < figures.maintenanceMargin.toInt256(),
            AccountHealthy(account, equity, figures.maintenanceMargin)
        );
    }

    function _requireParties(uint64 account, uint64 fundingAccount) private view {
        require(ledger.frozen(account), NotCalled(account));
        require(ledger.ownerOf(account) != msg.sender, SelfLiquidation(account));
        require(ledger.ownerOf(fundingAccount) == msg.sender, NotOwner(fundingAccount, msg.sender));
        require(!ledger.frozen(fundingAccount), AccountFrozen(fundingAccount));
        require(ledger.portfolioHash(fundingAccount) == EMPTY_PORTFOLIO, PositionsOpen(fundingAccount));
    }

    function _requirePortfolio(uint64 account, bytes calldata portfolio) private view {
        bytes32 given = keccak256(portfolio);
        bytes32 held = ledger.portfolioHash(account);
        require(given == held, WrongPortfolio(account, given, held));
    }

    function _requireFraction(uint256 fractionWad, Sale memory sale) private view {
        require(fractionWad != 0, ZeroFraction());
        uint256 max = sale.requirement < dustE8 || sale.equity <= 0 ? WAD : maxSliceWad;
        require(fractionWad <= max, SliceTooLarge(fractionWad, max));
    }

    /// @dev Discount x the requirement that goes with the slice, at most what keeps equity / requirement from falling. Both follow from the
    ///      requirement that is left, not from the fraction: quantities are cut to whole units, and a bonus for a fraction that did not
    ///      quite move could be had again and again. As it is, many small slices earn no more than a large one.
    function _bonus(Sale memory sale) private view returns (uint256) {
        if (sale.equity <= 0) return 0;
        uint256 equity = uint256(sale.equity);
        uint256 offered = Math.mulDiv(sale.requirement - sale.remaining, discountWad, WAD);
        uint256 needed = Math.mulDiv(equity, sale.remaining, sale.requirement, Math.Rounding.Ceil);
        return Math.min(offered, equity - needed);
    }
}
