// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Metadata } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IMarginVault } from "./interfaces/IMarginVault.sol";
import { IPortfolioLedger } from "./interfaces/IPortfolioLedger.sol";
import { Figures, Leaf } from "./interfaces/Types.sol";
import { MarginGate } from "./libraries/MarginGate.sol";
import { OrderedTree } from "./libraries/OrderedTree.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title Holds tokens and the cash of every account
contract MarginVault is IMarginVault, AccessControl, Pausable, ReentrancyGuardTransient {
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
    bytes32 private constant EMPTY_PORTFOLIO = keccak256("");

    /// @notice Where accounts are kept.
    IPortfolioLedger public immutable ledger;
    /// @notice Where epochs are kept.
    IEpochRegistry public immutable epochs;
    /// @notice What recomputes margin.
    IMarginCourt public immutable court;
    /// @inheritdoc IMarginVault
    address public immutable settlementToken;
    uint8 private immutable _settlementDecimals;

    /// @notice The liquidation house; zero until connected.
    address public house;
    /// @inheritdoc IMarginVault
    mapping(uint64 => int256) public cash;
    mapping(uint8 => Token) private _collateral;
    /// @dev Every bit of a cap turned over, so that a cap that was never set is the greatest.
    mapping(address => uint256) private _turnedCaps;

    /// @param admin May connect the house and add collateral, both once, and set caps.
    /// @param ledger_ Where accounts are kept.
    /// @param epochs_ Where epochs are kept.
    /// @param court_ What recomputes margin.
    /// @param settlementToken_ The token that cash is counted in.
    constructor(
        address admin,
        IPortfolioLedger ledger_,
        IEpochRegistry epochs_,
        IMarginCourt court_,
        address settlementToken_
    ) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        ledger = ledger_;
        epochs = epochs_;
        court = court_;
        settlementToken = settlementToken_;
        _settlementDecimals = _decimalsOf(settlementToken_);
    }

    /// @inheritdoc IMarginVault
    function connect(address house_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        require(house == address(0), AlreadyConnected());
        require(house_ != address(0), ZeroAddress());
        house = house_;
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
    }

    /// @inheritdoc IMarginVault
    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    /// @inheritdoc IMarginVault
    function depositCash(uint64 account, uint256 amount) external nonReentrant whenNotPaused {
        ledger.ownerOf(account);
        uint256 amountE8 = _toE8(amount, _settlementDecimals);
        _pull(settlementToken, amount);
        emit Deposited(account, settlementToken, msg.sender, amount);
        _setCash(account, cash[account] + amountE8.toInt256());
    }

    /// @inheritdoc IMarginVault
    function depositSpot(
        uint64 account,
        uint8 underlying,
        uint256 amount,
        bytes calldata portfolio
    ) external nonReentrant whenNotPaused {
        _requirePortfolio(account, portfolio, _requireFreeOwner(account));
        Token memory token = _collateralToken(underlying);
        int256 quantity = _toE8(amount, token.decimals).toInt256();
        bytes memory portfolioAfter = PortfolioCodec.applyTrade(portfolio, _spotId(underlying), quantity);
        _pull(token.source, amount);
        emit Deposited(account, token.source, msg.sender, amount);
        ledger.writePortfolio(account, portfolio, portfolioAfter);
    }

    /// @inheritdoc IMarginVault
    function withdraw(
        uint64 account,
        uint256 amount,
        address to,
        Leaf calldata leaf,
        bytes32[] calldata proof
    ) external nonReentrant whenNotPaused {
        bytes32 held = _requireFreeOwner(account);
        require(leaf.account == account, WrongLeafAccount(leaf.account, account));
        uint256 amountE8 = _toE8(amount, _settlementDecimals);
        (bytes32 root, uint64 count) = epochs.useLeaf(leaf.worstScenarios, amountE8);
        OrderedTree.verify(TypedData.hashLeafGiven(leaf), account, count, proof, root);
        require(leaf.portfolioHash == held, StaleLeaf(account, leaf.portfolioHash, held));
        int256 before = cash[account];
        int256 limit = _limit(before, leaf.portfolioValue, leaf.spotValue, leaf.initialMargin);
        _payCash(account, amount, to, amountE8, before, limit);
    }

    /// @inheritdoc IMarginVault
    function withdrawFull(
        uint64 account,
        uint256 amount,
        address to,
        bytes calldata portfolio,
        bytes calldata market
    ) external nonReentrant {
        _requirePortfolio(account, portfolio, _requireFreeOwner(account));
        uint256 amountE8 = _toE8(amount, _settlementDecimals);
        Figures memory figures = court.recompute(MarginGate.liveModel(epochs, market), portfolio, market);
        if (MarginGate.holdsMoreThanSpot(portfolio)) epochs.useMarket(amountE8);
        int256 before = cash[account];
        int256 limit = _limit(before, figures.portfolioValue, figures.spotValue, figures.initialMargin);
        _payCash(account, amount, to, amountE8, before, limit);
    }

    /// @inheritdoc IMarginVault
    function withdrawUnencumbered(uint64 account, uint256 amount, address to) external nonReentrant {
        require(_requireFreeOwner(account) == EMPTY_PORTFOLIO, PositionsOpen(account));
        int256 before = cash[account];
        _payCash(account, amount, to, _toE8(amount, _settlementDecimals), before, before);
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
        _requirePortfolio(account, portfolio, _requireFreeOwner(account));
        Token memory token = _collateralToken(underlying);
        MarginGate.Change memory change;
        change.account = account;
        change.cashBefore = cash[account];
        change.cashAfter = change.cashBefore;
        change.portfolioBefore = portfolio;
        int256 quantity = _toE8(amount, token.decimals).toInt256();
        change.portfolioAfter = PortfolioCodec.applyTrade(portfolio, _spotId(underlying), -quantity);
        if (change.portfolioAfter.length != 0 || change.cashAfter < 0) {
            MarginGate.enforce(court, MarginGate.liveModel(epochs, market), market, change);
        }
        if (MarginGate.holdsMoreThanSpot(change.portfolioAfter)) _countSpot(underlying, uint256(quantity));
        ledger.writePortfolio(account, portfolio, change.portfolioAfter);
        _push(account, token.source, to, amount);
    }

    /// @inheritdoc IMarginVault
    function transferCash(uint64 from, uint64 to, int256 amount) external {
        require(msg.sender == house, NotConnected(msg.sender));
        _setCash(from, cash[from] - amount);
        _setCash(to, cash[to] + amount);
    }

    /// @inheritdoc IMarginVault
    function addCash(uint64 account, int256 delta) external {
        require(msg.sender == address(ledger), NotConnected(msg.sender));
        _setCash(account, cash[account] + delta);
    }

    /// @inheritdoc IMarginVault
    function exchangeCash(
        uint64 a,
        int256 deltaA,
        uint64 b,
        int256 deltaB
    ) external returns (int256 cashA, int256 cashB) {
        require(msg.sender == address(ledger), NotConnected(msg.sender));
        cashA = cash[a] + deltaA;
        _setCash(a, cashA);
        cashB = cash[b] + deltaB;
        _setCash(b, cashB);
    }

    /// @inheritdoc IMarginVault
    function capOf(address token) external view returns (uint256) {
        return ~_turnedCaps[token];
    }

    /// @inheritdoc IMarginVault
    function collateral(uint8 underlying) external view returns (address) {
        return _collateral[underlying].source;
    }

    function _setCash(uint64 account, int256 balance) private {
        cash[account] = balance;
        emit CashChanged(account, balance);
    }

    function _payCash(
        uint64 account,
        uint256 amount,
        address to,
        uint256 amountE8,
        int256 before,
        int256 limit
    ) private {
        uint256 allowed = limit > 0 ? uint256(limit) : 0;
        require(amountE8 <= allowed, WithdrawalAboveAllowed(amountE8, allowed));
        // Not above the limit, which is a signed number, so the conversion keeps the value.
        _setCash(account, before - int256(amountE8));
        _push(account, settlementToken, to, amount);
    }

    /// @dev Counts collateral that leaves in the outflow, at the epoch's spot.
    function _countSpot(uint8 underlying, uint256 quantityE8) private {
        uint256 spot = epochs.spotOf(underlying);
        require(spot != 0, IEpochRegistry.SpotUnknown(underlying));
        epochs.useMarket(Math.mulDiv(quantityE8, spot, ONE_E8, Math.Rounding.Ceil));
    }

    /// @dev Credit comes after this call: while the token runs, the account does not have the money yet.
    function _pull(address token, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 held = IERC20(token).balanceOf(address(this));
        require(held - before == amount, TransferShort(amount, held - before));
        uint256 cap = ~_turnedCaps[token];
        require(held <= cap, CapExceeded(token, held, cap));
    }

    /// @dev Debit comes before this call. A token that takes more from the vault than it was told to is refused, too.
    function _push(uint64 account, address token, address to, uint256 amount) private {
        emit Withdrawn(account, token, to, amount);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        uint256 taken = before - IERC20(token).balanceOf(address(this));
        require(taken == amount, TransferShort(amount, taken));
    }

    /// @dev Returns the hash of what the account holds.
    function _requireFreeOwner(uint64 account) private view returns (bytes32 held) {
        address owner;
        bool isFrozen;
        (owner, isFrozen, held) = ledger.accountOf(account);
        require(owner == msg.sender, NotOwner(account, msg.sender));
        require(!isFrozen, AccountFrozen(account));
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

    function _requirePortfolio(uint64 account, bytes calldata portfolio, bytes32 held) private pure {
        bytes32 given = keccak256(portfolio);
        require(given == held, WrongPortfolio(account, given, held));
    }

    /// @dev What may be withdrawn: the part of equity above initial margin, and no more than equity without spot collateral.
    function _limit(
        int256 balance,
        int256 value,
        int256 spotValue,
        uint256 initialMargin
    ) private pure returns (int256) {
        int256 equity = balance + value;
        int256 aboveMargin = equity - initialMargin.toInt256();
        int256 withoutSpot = equity - spotValue;
        return aboveMargin < withoutSpot ? aboveMargin : withoutSpot;
    }

    function _toE8(uint256 amount, uint256 decimals) private pure returns (uint256) {
        require(amount != 0, ZeroAmount());
        if (decimals <= E8_DECIMALS) return amount * 10 ** (E8_DECIMALS - decimals);
        uint256 unit = 10 ** (decimals - E8_DECIMALS);
        require(amount % unit == 0, AmountNotRepresentable(amount, unit));
        return amount / unit;
    }

    function _spotId(uint8 underlying) private pure returns (uint32) {
        return uint32(underlying) << uint32(UNDERLYING_SHIFT);
    }
}
