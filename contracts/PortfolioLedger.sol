// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import { BitMaps } from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IMarginVault } from "./interfaces/IMarginVault.sol";
import { IPortfolioLedger } from "./interfaces/IPortfolioLedger.sol";
import { ISpecErrors } from "./interfaces/SpecErrors.sol";
import { Leaf, Order } from "./interfaces/Types.sol";
import { ExpirySettlement } from "./libraries/ExpirySettlement.sol";
import { FixedPoint } from "./libraries/FixedPoint.sol";
import { InstrumentId } from "./libraries/InstrumentId.sol";
import { Limits } from "./libraries/Limits.sol";
import { MarginGate } from "./libraries/MarginGate.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Provenance } from "./libraries/Provenance.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title Keeps accounts and settles what they trade
contract PortfolioLedger is IPortfolioLedger, AccessControl, EIP712 {
    using BitMaps for BitMaps.BitMap;

    /// @dev Owner, flag and block share a slot.
    struct Account {
        address owner;
        bool isFrozen;
        uint48 openedAt;
        bytes32 portfolioHash;
        bytes32 history;
    }

    int256 private constant E8 = 1e8;
    uint256 private constant PAIR_BYTES = 2;
    bytes32 private constant EMPTY_PORTFOLIO = Provenance.EMPTY_PORTFOLIO;

    /// @notice Where instruments are listed.
    IInstrumentRegistry public immutable instruments;
    /// @notice Where epochs are kept.
    IEpochRegistry public immutable epochs;
    /// @notice What recomputes margin.
    IMarginCourt public immutable court;
    /// @inheritdoc IPortfolioLedger
    uint64 public immutable settleDelay;

    /// @notice Where cash is kept; zero until connected.
    IMarginVault public vault;
    /// @inheritdoc IPortfolioLedger
    uint64 public accountCount;
    /// @notice The liquidation house; zero until connected.
    address public house;
    mapping(uint64 => Account) private _accounts;
    mapping(uint64 => BitMaps.BitMap) private _usedNonces;

    /// @param admin May connect vault and house, once.
    /// @param instruments_ Where instruments are listed.
    /// @param epochs_ Where epochs are kept.
    /// @param court_ What recomputes margin.
    /// @param settleDelay_ Seconds after which anyone may settle an account's expired positions.
    constructor(
        address admin,
        IInstrumentRegistry instruments_,
        IEpochRegistry epochs_,
        IMarginCourt court_,
        uint64 settleDelay_
    ) EIP712("marginproof", "1") {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        instruments = instruments_;
        epochs = epochs_;
        court = court_;
        settleDelay = settleDelay_;
    }

    /// @inheritdoc IPortfolioLedger
    function connect(address vault_, address house_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        require(address(vault) == address(0), AlreadyConnected());
        require(vault_ != address(0) && house_ != address(0), ZeroAddress());
        vault = IMarginVault(vault_);
        house = house_;
    }

    /// @inheritdoc IPortfolioLedger
    function openAccount(address owner) external returns (uint64 account) {
        require(owner != address(0), ZeroAddress());
        account = accountCount++;
        // No chain reaches block 2^48.
        _accounts[account] = Account(owner, false, uint48(block.number), EMPTY_PORTFOLIO, 0);
        emit AccountOpened(account, owner);
    }

    /// @inheritdoc IPortfolioLedger
    function settle(
        Order calldata a,
        bytes calldata signatureA,
        Order calldata b,
        bytes calldata signatureB,
        bytes calldata portfolioA,
        bytes calldata portfolioB,
        bytes calldata market
    ) external {
        _requireMatch(a, b);
        _requireTradable(a.instrument);
        bytes32 modelHash = MarginGate.liveModel(epochs, market);
        MarginGate.Change memory changeA = _change(a, signatureA, portfolioA, a.price);
        MarginGate.Change memory changeB = _change(b, signatureB, portfolioB, a.price);
        MarginGate.enforce(court, modelHash, market, changeA);
        MarginGate.enforce(court, modelHash, market, changeB);
        _commit(changeA);
        _commit(changeB);
        _announce(a, b);
    }

    /// @inheritdoc IPortfolioLedger
    function settleAttested(
        Order calldata a,
        bytes calldata signatureA,
        Order calldata b,
        bytes calldata signatureB,
        bytes calldata portfolioA,
        bytes calldata portfolioB,
        Leaf calldata leafA,
        Leaf calldata leafB,
        bytes calldata signatures
    ) external {
        _requireMatch(a, b);
        uint256 sizeE8 = _size(a, _requireTradable(a.instrument));
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = _trade(a, signatureA, portfolioA, leafA);
        leaves[1] = _trade(b, signatureB, portfolioB, leafB);
        (int256 cashA, int256 cashB) = vault.exchangeCash(
            a.account,
            _proceeds(a.quantity, a.price),
            b.account,
            _proceeds(b.quantity, a.price)
        );
        _requireMargin(cashA, leafA);
        _requireMargin(cashB, leafB);
        epochs.useTickets(leaves, signatures, _union(leafA.worstScenarios, leafB.worstScenarios), sizeE8);
        _announce(a, b);
    }

    /// @inheritdoc IPortfolioLedger
    function cancel(uint64 account, uint64 nonce) external {
        require(_known(account).owner == msg.sender, NotOwner(account, msg.sender));
        _useNonce(account, nonce);
        emit OrderCancelled(account, nonce);
    }

    /// @inheritdoc IPortfolioLedger
    function settleExpired(uint64 account, bytes calldata portfolio) external {
        Account storage stored = _known(account);
        _requirePortfolio(account, stored, portfolio);
        ExpirySettlement.Outcome memory outcome = ExpirySettlement.collapse(
            epochs,
            portfolio,
            instruments.terms(portfolio),
            stored.owner == msg.sender ? 0 : settleDelay
        );
        if (outcome.rest.length == portfolio.length) {
            if (outcome.opensAt != 0) revert SettlementNotOpen(account, outcome.opensAt);
            revert NothingToSettle(account);
        }
        _write(account, stored, outcome.rest, keccak256(outcome.rest));
        emit ExpirySettled(account, outcome.cash);
        vault.addCash(account, outcome.cash);
    }

    /// @inheritdoc IPortfolioLedger
    function writePortfolio(
        uint64 account,
        bytes calldata oldPortfolio,
        bytes calldata newPortfolio
    ) external {
        require(msg.sender == address(vault) || msg.sender == house, NotConnected(msg.sender));
        Account storage stored = _known(account);
        _requirePortfolio(account, stored, oldPortfolio);
        PortfolioCodec.check(newPortfolio);
        _write(account, stored, newPortfolio, keccak256(newPortfolio));
    }

    /// @inheritdoc IPortfolioLedger
    function setFrozen(uint64 account, bool isFrozen) external {
        require(msg.sender == house, NotConnected(msg.sender));
        _known(account).isFrozen = isFrozen;
        emit FrozenChanged(account, isFrozen);
    }

    /// @inheritdoc IPortfolioLedger
    function accountOf(uint64 account) external view returns (address, bool, bytes32) {
        Account storage stored = _known(account);
        return (stored.owner, stored.isFrozen, stored.portfolioHash);
    }

    /// @inheritdoc IPortfolioLedger
    function provenance(uint64 account) external view returns (uint64, bytes32) {
        Account storage stored = _known(account);
        return (stored.openedAt, stored.history);
    }

    /// @inheritdoc IPortfolioLedger
    function ownerOf(uint64 account) external view returns (address) {
        return _known(account).owner;
    }

    /// @inheritdoc IPortfolioLedger
    function portfolioHash(uint64 account) external view returns (bytes32) {
        return _known(account).portfolioHash;
    }

    /// @inheritdoc IPortfolioLedger
    function frozen(uint64 account) external view returns (bool) {
        return _known(account).isFrozen;
    }

    /// @inheritdoc IPortfolioLedger
    function isNonceUsed(uint64 account, uint64 nonce) external view returns (bool) {
        return _usedNonces[account].get(nonce);
    }

    /// @inheritdoc IPortfolioLedger
    function digest(Order calldata order) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hashOrder(order));
    }

    /// @inheritdoc IPortfolioLedger
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev One side of a trade as a change that the margin gate judges; marks the order as used.
    function _change(
        Order calldata order,
        bytes calldata signature,
        bytes calldata portfolio,
        int64 price
    ) private returns (MarginGate.Change memory change) {
        _use(order, signature, portfolio);
        change.account = order.account;
        change.cashBefore = vault.cash(order.account);
        change.cashAfter = change.cashBefore + _proceeds(order.quantity, price);
        change.portfolioBefore = portfolio;
        change.portfolioAfter = PortfolioCodec.applyTrade(portfolio, order.instrument, order.quantity);
    }

    /// @dev One side of a trade on a ticket, done but for its money; returns the hash of the leaf, whose figures and signatures the caller checks.
    function _trade(
        Order calldata order,
        bytes calldata signature,
        bytes calldata portfolio,
        Leaf calldata leaf
    ) private returns (bytes32) {
        Account storage stored = _use(order, signature, portfolio);
        uint64 account = order.account;
        require(leaf.account == account, WrongLeafAccount(leaf.account, account));
        bytes memory result = PortfolioCodec.applyTrade(portfolio, order.instrument, order.quantity);
        bytes32 resultHash = keccak256(result);
        require(leaf.portfolioHash == resultHash, WrongTicket(account, leaf.portfolioHash, resultHash));
        // The trade changes one position: if it is not of spot, no spot became negative.
        if (InstrumentId.isSpot(order.instrument)) MarginGate.requireCoveredSpot(account, result);
        _write(account, stored, result, resultHash);
        return TypedData.hashLeafGiven(leaf);
    }

    /// @dev Everything about one side of a trade but margin and money; marks the order as used.
    function _use(
        Order calldata order,
        bytes calldata signature,
        bytes calldata portfolio
    ) private returns (Account storage stored) {
        uint64 account = order.account;
        stored = _accounts[account];
        (address owner, bool isFrozen) = (stored.owner, stored.isFrozen);
        require(owner != address(0), UnknownAccount(account));
        require(!isFrozen, AccountFrozen(account));
        require(block.timestamp <= order.deadline, OrderExpired(order.deadline, block.timestamp));
        _useNonce(account, order.nonce);
        // The match has read all other fields of both orders.
        bytes32 signed = _hashTypedDataV4(TypedData.hashOrderGiven(order));
        (address signer, , ) = ECDSA.tryRecoverCalldata(signed, signature);
        require(signer == owner, WrongOrderSigner(account, signer, owner));
        _requirePortfolio(account, stored, portfolio);
    }

    function _commit(MarginGate.Change memory change) private {
        bytes memory portfolio = change.portfolioAfter;
        _write(change.account, _accounts[change.account], portfolio, keccak256(portfolio));
        vault.addCash(change.account, change.cashAfter - change.cashBefore);
    }

    function _write(uint64 account, Account storage stored, bytes memory portfolio, bytes32 hash) private {
        stored.portfolioHash = hash;
        stored.history = Provenance.fold(stored.history, uint64(block.number), hash);
        emit PortfolioChanged(account, portfolio);
    }

    function _announce(Order calldata a, Order calldata b) private {
        if (a.quantity > 0) emit TradeSettled(a.account, b.account, a.instrument, a.quantity, a.price);
        else emit TradeSettled(b.account, a.account, a.instrument, b.quantity, a.price);
    }

    function _useNonce(uint64 account, uint64 nonce) private {
        mapping(uint256 => uint256) storage used = _usedNonces[account]._data;
        uint256 word = used[nonce >> 8];
        uint256 bit = 1 << (nonce & 0xff);
        require(word & bit == 0, OrderUsed(account, nonce));
        used[nonce >> 8] = word | bit;
    }

    /// @dev Returns the instrument's strike (E8), zero if it has none.
    function _requireTradable(uint32 id) private view returns (uint256 strike) {
        bool listed;
        uint256 expiry;
        (listed, expiry, strike) = instruments.listing(id);
        require(listed, InstrumentNotListed(id));
        require(expiry == 0 || expiry > block.timestamp, InstrumentExpired(id, expiry));
    }

    /// @dev What is at stake in a trade, E8, rounded up: the money that it moves, and of an option what it may come to cost.
    function _size(Order calldata order, uint256 strike) private view returns (uint256) {
        uint256 spot = epochs.spotOf(uint8(InstrumentId.underlying(order.instrument)));
        uint256 price = SignedMath.abs(order.price);
        uint256 unit = Math.max(price, Math.max(strike, spot));
        return Math.ceilDiv(SignedMath.abs(order.quantity) * unit, uint256(E8));
    }

    function _known(uint64 account) private view returns (Account storage stored) {
        stored = _accounts[account];
        require(stored.owner != address(0), UnknownAccount(account));
    }

    function _requirePortfolio(
        uint64 account,
        Account storage stored,
        bytes calldata portfolio
    ) private view {
        bytes32 given = keccak256(portfolio);
        require(given == stored.portfolioHash, WrongPortfolio(account, given, stored.portfolioHash));
    }

    /// @dev Rounding down what an account receives is rounding up what it pays: one formula for buyer and seller.
    function _proceeds(int64 quantity, int64 price) private pure returns (int256) {
        return FixedPoint.floorDiv(-int256(quantity) * price, E8);
    }

    /// @dev On figures that the epoch registry vouches for.
    function _requireMargin(int256 balance, Leaf calldata leaf) private pure {
        int256 equity = balance + leaf.portfolioValue;
        require(
            equity >= 0 && uint256(equity) >= leaf.initialMargin,
            BelowInitialMargin(leaf.account, equity, leaf.initialMargin)
        );
        int256 free = equity - leaf.spotValue;
        require(free >= 0, CashDeficit(leaf.account, uint256(-free)));
    }

    /// @dev The pairs of one leaf, and those of another whose underlyings the first does not name: no feed is asked twice.
    function _union(bytes calldata first, bytes calldata second) private pure returns (bytes memory pairs) {
        uint256 named = 0;
        for (uint256 i = 0; i < first.length; i += PAIR_BYTES) named |= 1 << uint8(first[i]);
        pairs = first;
        for (uint256 i = 0; i + 1 < second.length; i += PAIR_BYTES) {
            if ((named >> uint8(second[i])) & 1 != 0) continue;
            pairs = bytes.concat(pairs, second[i:i + PAIR_BYTES]);
        }
    }

    function _requireMatch(Order calldata a, Order calldata b) private pure {
        int256 quantity = a.quantity;
        bool opposite = quantity + int256(b.quantity) == 0;
        require(a.instrument == b.instrument && opposite, OrdersDoNotMatch());
        require(a.account != b.account, SelfTrade(a.account));
        require(quantity != 0, ISpecErrors.ZeroQuantity(a.instrument));
        require(
            quantity <= Limits.MAX_QUANTITY && quantity >= -Limits.MAX_QUANTITY,
            ISpecErrors.QuantityOutOfRange(a.instrument, quantity)
        );
        bool perpetual = InstrumentId.expiryIndex(a.instrument) == InstrumentId.PERPETUAL_INDEX;
        int256 least = perpetual ? -Limits.MAX_TRADE_PRICE : int256(0);
        require(
            a.price >= least && a.price <= Limits.MAX_TRADE_PRICE,
            PriceOutOfRange(a.instrument, a.price)
        );
        require(
            b.quantity > 0 ? a.price <= b.price : a.price >= b.price,
            PriceOutsideLimit(a.price, b.price)
        );
    }
}
