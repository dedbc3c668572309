// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { IPortfolioLedger } from "../interfaces/IPortfolioLedger.sol";
import { PortfolioCodec } from "../libraries/PortfolioCodec.sol";
import { Provenance } from "../libraries/Provenance.sol";
import { Purse, Purses } from "../libraries/Purse.sol";
import { Reading } from "../libraries/Reading.sol";

/// @title Accounts: who owns them, their cash, what they hold and held, which orders they have used
abstract contract AccountBook is IPortfolioLedger, AccessControl {
    using Purses for Purse;

    /// @dev Four slots: who owns it, what trades move, what it holds, what it held. Of used nonces one page is here, the one used last; a
    ///      trade that uses a nonce near the one before writes no slot more than its cash does.
    struct Account {
        address owner;
        bool isFrozen;
        uint48 openedAt;
        Purse purse;
        bytes32 portfolioHash;
        bytes32 history;
    }

    bytes32 internal constant EMPTY_PORTFOLIO = Provenance.EMPTY_PORTFOLIO;

    /// @notice The liquidation house; zero until connected.
    address public house;
    /// @inheritdoc IPortfolioLedger
    uint64 public accountCount;
    mapping(uint64 => Account) internal _accounts;
    /// @dev Pages of 64 nonces, a bit each; what stands here for the page in an account's purse is out of date.
    mapping(uint64 account => mapping(uint256 page => uint256)) private _otherNonces;

    /// @param admin May connect the house, once.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IPortfolioLedger
    function connect(address house_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        require(house == address(0), AlreadyConnected());
        require(house_ != address(0), ZeroAddress());
        house = house_;
    }

    /// @inheritdoc IPortfolioLedger
    function openAccount(address owner) external returns (uint64 account) {
        require(owner != address(0), ZeroAddress());
        account = accountCount++;
        // No chain reaches block 2^48.
        _accounts[account] = Account(owner, false, uint48(block.number), Purse.wrap(0), EMPTY_PORTFOLIO, 0);
        emit AccountOpened(account, owner);
    }

    /// @inheritdoc IPortfolioLedger
    function cancel(uint64 account, uint64 nonce) external {
        Account storage stored = _known(account);
        require(stored.owner == msg.sender, NotOwner(account, msg.sender));
        stored.purse = _useNonce(account, stored.purse, nonce);
        emit OrderCancelled(account, nonce);
    }

    /// @inheritdoc IPortfolioLedger
    function writePortfolio(
        uint64 account,
        bytes calldata oldPortfolio,
        bytes calldata newPortfolio
    ) external {
        require(msg.sender == house, NotConnected(msg.sender));
        PortfolioCodec.check(newPortfolio);
        _replace(account, oldPortfolio, newPortfolio);
    }

    /// @inheritdoc IPortfolioLedger
    function transferCash(uint64 from, uint64 to, int256 amount) external {
        require(msg.sender == house, NotConnected(msg.sender));
        _addCash(from, -amount);
        _addCash(to, amount);
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
        Purse purse = _accounts[account].purse;
        uint256 page = nonce >> 6;
        uint256 used = page == purse.page() ? purse.nonces() : _otherNonces[account][page];
        return (used >> (nonce & 63)) & 1 != 0;
    }

    /// @inheritdoc IPortfolioLedger
    function cash(uint64 account) external view returns (int256) {
        return _accounts[account].purse.cash();
    }

    /// @dev Looks at what the account holds now, not when its caller looked: tokens may have run in between.
    function _replace(uint64 account, bytes calldata oldPortfolio, bytes memory newPortfolio) internal {
        Account storage stored = _known(account);
        _requirePortfolio(account, stored, oldPortfolio);
        _write(account, stored, newPortfolio, keccak256(newPortfolio));
    }

    function _addCash(uint64 account, int256 delta) internal {
        Account storage stored = _known(account);
        int256 balance = stored.purse.cash() + delta;
        stored.purse = stored.purse.withCash(balance);
        emit CashChanged(account, balance);
    }

    function _write(uint64 account, Account storage stored, bytes memory portfolio, bytes32 hash) internal {
        _record(stored, hash);
        emit PortfolioChanged(account, portfolio);
    }

    /// @dev What the account holds from now on; the caller emits an event that says it.
    function _record(Account storage stored, bytes32 hash) internal {
        stored.portfolioHash = hash;
        stored.history = Provenance.fold(stored.history, uint64(block.number), hash);
    }

    /// @dev The purse after a nonce was used; a page that leaves it is stored here, the purse by the caller.
    function _useNonce(uint64 account, Purse purse, uint64 nonce) internal returns (Purse) {
        uint256 page = nonce >> 6;
        uint256 used = purse.nonces();
        if (page != purse.page()) {
            _otherNonces[account][purse.page()] = used;
            used = _otherNonces[account][page];
        }
        uint256 bit = 1 << (nonce & 63);
        require(used & bit == 0, OrderUsed(account, nonce));
        return purse.withPage(page, used | bit);
    }

    function _known(uint64 account) internal view returns (Account storage stored) {
        stored = _accounts[account];
        require(stored.owner != address(0), UnknownAccount(account));
    }

    function _requirePortfolio(
        uint64 account,
        Account storage stored,
        bytes calldata portfolio
    ) internal view {
        bytes32 given = Reading.hashOf(portfolio);
        require(given == stored.portfolioHash, WrongPortfolio(account, given, stored.portfolioHash));
    }
}
