// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SafeTransferLib } from "solady/src/utils/SafeTransferLib.sol";
import { PortfolioLedger } from "./PortfolioLedger.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IMarginVault } from "./interfaces/IMarginVault.sol";
import { Figures } from "./interfaces/Types.sol";
import { MarginGate } from "./libraries/MarginGate.sol";
import { OrderedTree } from "./libraries/OrderedTree.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Purse, Purses } from "./libraries/Purse.sol";
import { Reading } from "./libraries/Reading.sol";
import { ShownLeaf } from "./libraries/ShownLeaf.sol";

/// @title Holds tokens, and keeps the accounts that they belong to
contract MarginVault is PortfolioLedger, IMarginVault, Pausable, ReentrancyGuardTransient {
    using Purses for Purse;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    struct Token {
        address source;
        uint8 decimals;
    }

    /// @notice May pause and unpause.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    uint256 private constant E8_DECIMALS = 8;
    uint256 private constant ONE_E8 = 1e8;
    uint256 private constant MAX_DECIMALS = 36;
    uint256 private constant UNDERLYING_SHIFT = 26;
    /// @dev What comes before the figures of a shown leaf: account (8 bytes), amount (16), receiver (20), count of underlyings (1).
    uint256 private constant SHOWN_HEAD_BYTES = 45;
    uint256 private constant TO_OFFSET = 24;

    /// @inheritdoc IMarginVault
    address public immutable settlementToken;
    /// @dev Of the settlement token, as `_scale` gives them.
    uint256 private immutable _e8PerUnit;
    uint256 private immutable _unitsPerE8;

    mapping(uint8 => Token) private _collateral;
    /// @dev Every bit of a cap turned over, so that a cap that was never set is the greatest.
    mapping(address => uint256) private _turnedCaps;

    /// @param admin May connect the house and add collateral, both once, and set caps.
    /// @param instruments_ Where instruments are listed.
    /// @param epochs_ Where epochs are kept, which knows this contract by its address.
    /// @param court_ What recomputes margin.
    /// @param settleDelay_ Seconds after which anyone may settle an account's expired positions.
    /// @param settlementToken_ The token that cash is counted in.
    constructor(
        address admin,
        IInstrumentRegistry instruments_,
        IEpochRegistry epochs_,
        IMarginCourt court_,
        uint64 settleDelay_,
        address settlementToken_
    ) PortfolioLedger(admin, instruments_, epochs_, court_, settleDelay_) {
        settlementToken = settlementToken_;
        (_e8PerUnit, _unitsPerE8) = _scale(_decimalsOf(settlementToken_));
    }

    /// @inheritdoc IMarginVault
    function setCollateral(uint8 underlying, address token) external onlyRole(DEFAULT_ADMIN_ROLE) {
        // Replacing a token would let whoever chooses it exchange worthless tokens for good ones.
        require(_collateral[underlying].source == address(0), CollateralAlreadySet(underlying));
        uint8 decimals = _decimalsOf(token);
        _collateral[underlying] = Token(token, decimals);
        emit CollateralSet(underlying, token, decimals);
    }

    /// @inheritdoc IMarginVault
    function setCap(address token, uint256 cap) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _turnedCaps[token] = ~cap;
        emit CapSet(token, cap);
    }

    /// @inheritdoc IMarginVault
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
        epochs.pauseLeaves(true);
    }

    /// @inheritdoc IMarginVault
    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
        epochs.pauseLeaves(false);
    }

    /// @inheritdoc IMarginVault
    function depositCash(uint64 account, uint256 amount) external nonReentrant whenNotPaused {
        _known(account);
        uint256 amountE8 = _toE8(amount, _e8PerUnit, _unitsPerE8);
        _pull(settlementToken, amount);
        emit Deposited(account, settlementToken, msg.sender, amount);
        _addCash(account, amountE8.toInt256());
    }

    /// @inheritdoc IMarginVault
    function depositSpot(
        uint64 account,
        uint8 underlying,
        uint256 amount,
        bytes calldata portfolio
    ) external nonReentrant whenNotPaused {
        _requirePortfolio(account, _requireFreeOwner(account), portfolio);
        Token memory token = _collateralToken(underlying);
        int256 quantity = _spotE8(amount, token).toInt256();
        bytes memory portfolioAfter = PortfolioCodec.applyTrade(portfolio, _spotId(underlying), quantity);
        _pull(token.source, amount);
        emit Deposited(account, token.source, msg.sender, amount);
        _replace(account, portfolio, portfolioAfter);
    }

    /// @inheritdoc IMarginVault
    /// @dev The registry refuses while paused: it reads the flag with its gate.
    function withdraw(bytes calldata shown) external nonReentrant {
        (uint256 pairs, uint256 proof) = _shownParts(shown);
        uint256 head = Reading.wordAt(shown, 0);
        uint64 account = uint64(head >> 192);
        Account storage stored = _requireFreeOwner(account);
        uint256 amount = uint128(head >> 64);
        uint256 amountE8 = _toE8(amount, _e8PerUnit, _unitsPerE8);
        (bytes32 root, uint64 count) = epochs.releaseCash(
            amountE8,
            ShownLeaf.packed(Reading.part(shown, pairs, proof))
        );
        (int256 value, int256 spotValue, uint256 initialMargin, bytes32 leafHash) = ShownLeaf.read(
            Reading.part(shown, SHOWN_HEAD_BYTES, proof),
            account,
            stored.portfolioHash
        );
        OrderedTree.verify(leafHash, account, count, Reading.words(shown, proof), root);
        address to = address(uint160(Reading.wordAt(shown, TO_OFFSET) >> 96));
        _payCash(account, stored, amount, to, amountE8, _spare(value, spotValue, initialMargin));
    }

    /// @inheritdoc IMarginVault
    function withdrawFull(
        uint64 account,
        uint256 amount,
        address to,
        bytes calldata portfolio,
        bytes calldata market
    ) external nonReentrant {
        Account storage stored = _requireFreeOwner(account);
        _requirePortfolio(account, stored, portfolio);
        uint256 amountE8 = _toE8(amount, _e8PerUnit, _unitsPerE8);
        Figures memory figures = court.recompute(MarginGate.liveModel(epochs, market), portfolio, market);
        if (MarginGate.holdsMoreThanSpot(portfolio)) epochs.useMarket(amountE8);
        int256 spare = _spare(figures.portfolioValue, figures.spotValue, figures.initialMargin);
        _payCash(account, stored, amount, to, amountE8, spare);
    }

    /// @inheritdoc IMarginVault
    function withdrawUnencumbered(uint64 account, uint256 amount, address to) external nonReentrant {
        Account storage stored = _requireFreeOwner(account);
        require(stored.portfolioHash == EMPTY_PORTFOLIO, PositionsOpen(account));
        _payCash(account, stored, amount, to, _toE8(amount, _e8PerUnit, _unitsPerE8), 0);
    }

    /// @inheritdoc IMarginVault
    function withdrawSpot(
        uint64 account,
        uint8 underlying,
        uint256 amount,
        address to,
        bytes calldata portfolio,
        bytes calldata market
    ) external nonReentrant {
        Account storage stored = _requireFreeOwner(account);
        _requirePortfolio(account, stored, portfolio);
        Token memory token = _collateralToken(underlying);
        MarginGate.Change memory change;
        change.account = account;
        change.cashBefore = stored.purse.cash();
        change.cashAfter = change.cashBefore;
        change.portfolioBefore = portfolio;
        int256 quantity = _spotE8(amount, token).toInt256();
        change.portfolioAfter = PortfolioCodec.applyTrade(portfolio, _spotId(underlying), -quantity);
        if (change.portfolioAfter.length != 0 || change.cashAfter < 0) {
            MarginGate.enforce(court, MarginGate.liveModel(epochs, market), market, change);
        }
        if (MarginGate.holdsMoreThanSpot(change.portfolioAfter)) _countSpot(underlying, uint256(quantity));
        _replace(account, portfolio, change.portfolioAfter);
        emit Withdrawn(account, token.source, to, amount);
        _push(token.source, to, amount);
    }

    /// @inheritdoc IMarginVault
    function capOf(address token) external view returns (uint256) {
        return ~_turnedCaps[token];
    }

    /// @inheritdoc IMarginVault
    function collateral(uint8 underlying) external view returns (address) {
        return _collateral[underlying].source;
    }

    /// @param spare What the account's figures allow beyond its cash, or ask of it if negative; E8.
    function _payCash(
        uint64 account,
        Account storage stored,
        uint256 amount,
        address to,
        uint256 amountE8,
        int256 spare
    ) private {
        Purse purse = stored.purse;
        int256 balance = purse.cash();
        int256 limit;
        // Cash has 96 bits, and what figures leave is below 2^111 (see `_spare`).
        unchecked {
            limit = balance + spare;
        }
        uint256 allowed = limit > 0 ? uint256(limit) : 0;
        require(amountE8 <= allowed, WithdrawalAboveAllowed(amountE8, allowed));
        // Not above the limit, which is a signed number, so the conversion keeps the value.
        balance -= int256(amountE8);
        stored.purse = purse.withCash(balance);
        emit CashWithdrawn(account, balance);
        _push(settlementToken, to, amount);
    }

    /// @dev Counts collateral that leaves in the outflow, at the epoch's spot.
    function _countSpot(uint8 underlying, uint256 quantityE8) private {
        uint256 spot = epochs.spotOf(underlying);
        require(spot != 0, IEpochRegistry.SpotUnknown(underlying));
        epochs.useMarket(Math.mulDiv(quantityE8, spot, ONE_E8, Math.Rounding.Ceil));
    }

    /// @dev Credit comes after this call: while the token runs, the account does not have the money yet.
    function _pull(address token, uint256 amount) private {
        uint256 before = _held(token);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 held = _held(token);
        require(held - before == amount, TransferShort(amount, held - before));
        uint256 cap = ~_turnedCaps[token];
        require(held <= cap, CapExceeded(token, held, cap));
    }

    /// @dev Debit comes before this call. A token that takes more from the vault than it was told to is refused, too.
    function _push(address token, address to, uint256 amount) private {
        uint256 before = _held(token);
        IERC20(token).safeTransfer(to, amount);
        uint256 taken = before - _held(token);
        require(taken == amount, TransferShort(amount, taken));
    }

    /// @dev Equals IERC20(token).balanceOf(address(this)), but that a token which tells no balance is named.
    function _held(address token) private view returns (uint256) {
        (bool isKnown, uint256 balance) = SafeTransferLib.checkBalanceOf(token, address(this));
        require(isKnown, SafeERC20.SafeERC20FailedOperation(token));
        return balance;
    }

    function _requireFreeOwner(uint64 account) private view returns (Account storage stored) {
        stored = _accounts[account];
        (address owner, bool isFrozen) = (stored.owner, stored.isFrozen);
        require(owner != address(0), UnknownAccount(account));
        require(owner == msg.sender, NotOwner(account, msg.sender));
        require(!isFrozen, AccountFrozen(account));
    }

    /// @dev Where the pairs of what `withdraw` is shown start, and where they end: the siblings are all that follows.
    function _shownParts(bytes calldata shown) private pure returns (uint256 pairs, uint256 proof) {
        unchecked {
            pairs = SHOWN_HEAD_BYTES + ShownLeaf.FIGURES_BYTES;
            // Zeros, or whatever else follows, where it is too short for that byte.
            proof = pairs + Reading.uint8At(shown, SHOWN_HEAD_BYTES - 1) * ShownLeaf.PAIR_BYTES;
            require(shown.length >= proof && (shown.length - proof) % 32 == 0, WrongLeafLength(shown.length));
        }
    }

    function _collateralToken(uint8 underlying) private view returns (Token memory token) {
        token = _collateral[underlying];
        require(token.source != address(0), NoCollateral(underlying));
    }

    function _decimalsOf(address token) private view returns (uint8 decimals) {
        require(token.code.length != 0, NotAToken(token));
        try IERC20Metadata(token).decimals() returns (uint8 answer) {
            decimals = answer;
        } catch {
            revert NotAToken(token);
        }
        require(decimals <= MAX_DECIMALS, TooManyDecimals(token, decimals));
    }

    /// @dev What figures leave beyond cash: value above initial margin, and no more than value without spot collateral.
    function _spare(int256 value, int256 spotValue, uint256 initialMargin) private pure returns (int256) {
        // Figures have 96 bits where they are shown, and are below 2^255 / 1e44 < 2^109 where they are computed (bounds.py).
        unchecked {
            int256 aboveMargin = value - int256(initialMargin);
            int256 withoutSpot = value - spotValue;
            return aboveMargin < withoutSpot ? aboveMargin : withoutSpot;
        }
    }

    function _spotE8(uint256 amount, Token memory token) private pure returns (uint256) {
        (uint256 e8PerUnit, uint256 unitsPerE8) = _scale(token.decimals);
        return _toE8(amount, e8PerUnit, unitsPerE8);
    }

    /// @dev How many E8 one unit of a token is, and how many units one E8 is: one of them is 1.
    function _scale(uint256 decimals) private pure returns (uint256 e8PerUnit, uint256 unitsPerE8) {
        if (decimals <= E8_DECIMALS) return (10 ** (E8_DECIMALS - decimals), 1);
        return (1, 10 ** (decimals - E8_DECIMALS));
    }

    function _toE8(uint256 amount, uint256 e8PerUnit, uint256 unitsPerE8) private pure returns (uint256) {
        require(amount != 0, ZeroAmount());
        if (unitsPerE8 == 1) return amount * e8PerUnit;
        require(amount % unitsPerE8 == 0, AmountNotRepresentable(amount, unitsPerE8));
        return amount / unitsPerE8;
    }

    function _spotId(uint8 underlying) private pure returns (uint32) {
        return uint32(underlying) << uint32(UNDERLYING_SHIFT);
    }
}
