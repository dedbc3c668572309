// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SignedMath } from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import { AccountBook } from "./accounts/AccountBook.sol";
import { IEpochRegistry } from "./interfaces/IEpochRegistry.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IMarginCourt } from "./interfaces/IMarginCourt.sol";
import { IPortfolioLedger } from "./interfaces/IPortfolioLedger.sol";
import { ISpecErrors } from "./interfaces/SpecErrors.sol";
import { Order } from "./interfaces/Types.sol";
import { ExpirySettlement } from "./libraries/ExpirySettlement.sol";
import { FixedPoint } from "./libraries/FixedPoint.sol";
import { InstrumentId } from "./libraries/InstrumentId.sol";
import { Limits } from "./libraries/Limits.sol";
import { MarginGate } from "./libraries/MarginGate.sol";
import { PortfolioCodec } from "./libraries/PortfolioCodec.sol";
import { Purse, Purses } from "./libraries/Purse.sol";
import { Reading } from "./libraries/Reading.sol";
import { ShownLeaf } from "./libraries/ShownLeaf.sol";
import { TypedData } from "./libraries/TypedData.sol";

/// @title Settles what accounts trade
/// @dev The vault is one contract with it: a trade moves cash, a withdrawal looks at an account, and neither pays for a call.
abstract contract PortfolioLedger is AccountBook, EIP712 {
    using Purses for Purse;

    /// @dev What two sides agree on; the quantity is what the resting one buys.
    struct Deal {
        uint32 instrument;
        int64 quantity;
        int64 price;
    }

    /// @dev One side of a trade on tickets: where its parts are, and what came of it.
    struct Side {
        uint64 account;
        int256 cash;
        bytes32 leafHash;
        uint256 pairs;
        uint256 portfolio;
        uint256 end;
    }

    int256 private constant E8 = 1e8;
    uint256 private constant TRADE_HEAD_BYTES = 12;
    uint256 private constant ORDER_BYTES = 32;
    uint256 private constant SIGNATURE_BYTES = 65;

    /// @notice Where instruments are listed.
    IInstrumentRegistry public immutable instruments;
    /// @notice Where epochs are kept.
    IEpochRegistry public immutable epochs;
    /// @notice What recomputes margin.
    IMarginCourt public immutable court;
    /// @inheritdoc IPortfolioLedger
    uint64 public immutable settleDelay;

    /// @param admin May connect the house, once.
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
    ) AccountBook(admin) EIP712("marginproof", "1") {
        instruments = instruments_;
        epochs = epochs_;
        court = court_;
        settleDelay = settleDelay_;
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
        Deal memory deal = Deal(a.instrument, a.quantity, a.price);
        if (a.quantity > 0) _announce(deal, a.account, changeA.cashAfter, b.account, changeB.cashAfter);
        else _announce(deal, b.account, changeB.cashAfter, a.account, changeA.cashAfter);
    }

    /// @inheritdoc IPortfolioLedger
    function settleAttested(bytes calldata trade) external {
        Deal memory deal;
        uint256 head = Reading.wordAt(trade, 0);
        deal.instrument = uint32(head >> 224);
        // The conversions restore the sign.
        deal.quantity = int64(uint64(head >> 160));
        deal.price = int64(uint64(Reading.wordAt(trade, TRADE_HEAD_BYTES) >> 192));
        _requireQuantity(deal.instrument, deal.quantity);
        _requirePrice(deal.instrument, deal.price);
        uint256 unitE8 = Math.max(_requireTradable(deal.instrument), SignedMath.abs(deal.price));
        Side memory a = _side(trade, TRADE_HEAD_BYTES, deal, deal.quantity);
        uint256 other = Reading.wordAt(trade, a.end);
        require(a.account != uint64(other >> 128), SelfTrade(a.account));
        _requireLimit(-deal.quantity, deal.price, int64(uint64(other >> 192)));
        Side memory b = _side(trade, a.end, deal, -deal.quantity);
        epochs.useTickets(
            keccak256(abi.encode(a.leafHash, b.leafHash)),
            Reading.part(trade, b.end, trade.length),
            _union(Reading.part(trade, a.pairs, a.portfolio), Reading.part(trade, b.pairs, b.portfolio)),
            uint8(InstrumentId.underlying(deal.instrument)),
            SignedMath.abs(deal.quantity),
            unitE8
        );
        if (deal.quantity > 0) _announce(deal, a.account, a.cash, b.account, b.cash);
        else _announce(deal, b.account, b.cash, a.account, a.cash);
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
        _addCash(account, outcome.cash);
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
        (Account storage stored, Purse purse) = _use(order, signature, portfolio);
        stored.purse = purse;
        change.account = order.account;
        change.cashBefore = purse.cash();
        change.cashAfter = change.cashBefore + _proceeds(order.quantity, price);
        change.portfolioBefore = portfolio;
        change.portfolioAfter = PortfolioCodec.applyTrade(portfolio, order.instrument, order.quantity);
    }

    /// @dev One side of a trade on a ticket, done but for the signatures of the leaf. See the interface for its bytes.
    /// @param at Where they start.
    /// @param quantity What the side buys, E8.
    function _side(
        bytes calldata trade,
        uint256 at,
        Deal memory deal,
        int64 quantity
    ) private returns (Side memory side) {
        uint256 shown;
        // `at` is at most the trade's length.
        unchecked {
            shown = at + ORDER_BYTES + SIGNATURE_BYTES;
            uint256 counts = Reading.wordAt(trade, shown);
            side.pairs = shown + 2 + ShownLeaf.FIGURES_BYTES;
            side.portfolio = side.pairs + (counts >> 248) * ShownLeaf.PAIR_BYTES;
            side.end = side.portfolio + uint8(counts >> 240) * PortfolioCodec.POSITION_BYTES;
        }
        require(side.end <= trade.length, TradeTooShort(trade.length, side.end));
        side.cash = _proceeds(quantity, deal.price);
        uint256 word = Reading.wordAt(trade, at);
        Order memory order = Order(
            uint64(word >> 128),
            deal.instrument,
            quantity,
            int64(uint64(word >> 192)),
            uint64(word >> 64),
            uint64(word)
        );
        side.account = order.account;
        bytes calldata portfolio = Reading.part(trade, side.portfolio, side.end);
        (Account storage stored, Purse purse) = _use(
            order,
            Reading.part(trade, at + ORDER_BYTES, shown),
            portfolio
        );
        bytes memory result = PortfolioCodec.applyTrade(portfolio, deal.instrument, quantity);
        // The trade changes one position: if it is not of spot, no spot became negative.
        if (InstrumentId.isSpot(deal.instrument)) MarginGate.requireCoveredSpot(side.account, result);
        bytes32 resultHash = keccak256(result);
        _record(stored, resultHash);
        side.cash += purse.cash();
        stored.purse = purse.withCash(side.cash);
        side.leafHash = _requireMargin(
            side.account,
            side.cash,
            Reading.part(trade, shown + 2, side.portfolio),
            resultHash
        );
    }

    /// @dev Everything about one side of a trade but margin and money. Returns the purse with the order marked as used: the caller stores it.
    function _use(
        Order memory order,
        bytes calldata signature,
        bytes calldata portfolio
    ) private returns (Account storage stored, Purse purse) {
        uint64 account = order.account;
        stored = _accounts[account];
        (address owner, bool isFrozen) = (stored.owner, stored.isFrozen);
        require(owner != address(0), UnknownAccount(account));
        require(!isFrozen, AccountFrozen(account));
        require(block.timestamp <= order.deadline, OrderExpired(order.deadline, block.timestamp));
        purse = _useNonce(account, stored.purse, order.nonce);
        bytes32 signed = _hashTypedDataV4(TypedData.hashOrder(order));
        (address signer, , ) = ECDSA.tryRecoverCalldata(signed, signature);
        require(signer == owner, WrongOrderSigner(account, signer, owner));
        _requirePortfolio(account, stored, portfolio);
    }

    function _commit(MarginGate.Change memory change) private {
        Account storage stored = _accounts[change.account];
        _record(stored, keccak256(change.portfolioAfter));
        stored.purse = stored.purse.withCash(change.cashAfter);
    }

    function _announce(
        Deal memory deal,
        uint64 buyer,
        int256 buyerCash,
        uint64 seller,
        int256 sellerCash
    ) private {
        int64 quantity = deal.quantity > 0 ? deal.quantity : -deal.quantity;
        emit TradeSettled(buyer, seller, deal.instrument, quantity, deal.price, buyerCash, sellerCash);
    }

    /// @dev Returns the instrument's strike (E8), zero if it has none.
    function _requireTradable(uint32 id) private view returns (uint256 strike) {
        bool listed;
        uint256 expiry;
        (listed, expiry, strike) = instruments.listing(id);
        require(listed, InstrumentNotListed(id));
        require(expiry == 0 || expiry > block.timestamp, InstrumentExpired(id, expiry));
    }

    /// @dev Rounding down what an account receives is rounding up what it pays: one formula for buyer and seller.
    function _proceeds(int64 quantity, int64 price) private pure returns (int256) {
        return FixedPoint.floorDiv(-int256(quantity) * price, E8);
    }

    /// @dev On figures that the epoch registry vouches for, if it does for the leaf whose hash this returns.
    function _requireMargin(
        uint64 account,
        int256 balance,
        bytes calldata shown,
        bytes32 held
    ) private pure returns (bytes32) {
        (int256 value, int256 spotValue, uint256 initialMargin, bytes32 leafHash) = ShownLeaf.read(
            shown,
            account,
            held
        );
        // Cash and figures have 96 bits.
        unchecked {
            int256 equity = balance + value;
            require(
                equity >= 0 && uint256(equity) >= initialMargin,
                BelowInitialMargin(account, equity, initialMargin)
            );
            int256 free = equity - spotValue;
            require(free >= 0, CashDeficit(account, uint256(-free)));
        }
        return leafHash;
    }

    /// @dev The pairs of one leaf, and those of another whose underlyings the first does not name: no feed is asked twice.
    ///      Laid out as the epoch registry takes them (ShownLeaf.packed).
    function _union(bytes calldata first, bytes calldata second) private pure returns (bytes32) {
        uint256 named = 0;
        unchecked {
            for (uint256 i = 0; i < first.length; i += ShownLeaf.PAIR_BYTES)
                named |= 1 << Reading.uint8At(first, i);
            uint256 pairs = uint256(ShownLeaf.packed(first));
            uint256 count = uint128(pairs);
            // What follows the first leaf's pairs makes room for the second's.
            uint256 shift = 256 - count * 16;
            pairs = (pairs >> shift) << shift;
            for (uint256 i = 0; i < second.length; i += ShownLeaf.PAIR_BYTES) {
                uint256 pair = Reading.wordAt(second, i) >> 240;
                if ((named >> (pair >> 8)) & 1 != 0) continue;
                pairs |= pair << (240 - count++ * 16);
            }
            // Of more than eight only the number counts.
            return bytes32(((pairs >> 128) << 128) | count);
        }
    }

    function _requireMatch(Order calldata a, Order calldata b) private pure {
        int256 quantity = a.quantity;
        bool opposite = quantity + int256(b.quantity) == 0;
        require(a.instrument == b.instrument && opposite, OrdersDoNotMatch());
        require(a.account != b.account, SelfTrade(a.account));
        _requireQuantity(a.instrument, quantity);
        _requirePrice(a.instrument, a.price);
        _requireLimit(b.quantity, a.price, b.price);
    }

    function _requireQuantity(uint32 instrument, int256 quantity) private pure {
        require(quantity != 0, ISpecErrors.ZeroQuantity(instrument));
        require(
            quantity <= Limits.MAX_QUANTITY && quantity >= -Limits.MAX_QUANTITY,
            ISpecErrors.QuantityOutOfRange(instrument, quantity)
        );
    }

    function _requirePrice(uint32 instrument, int64 price) private pure {
        bool perpetual = InstrumentId.expiryIndex(instrument) == InstrumentId.PERPETUAL_INDEX;
        int256 least = perpetual ? -Limits.MAX_TRADE_PRICE : int256(0);
        require(price >= least && price <= Limits.MAX_TRADE_PRICE, PriceOutOfRange(instrument, price));
    }

    /// @param quantity What the order with the limit buys.
    function _requireLimit(int64 quantity, int64 price, int64 limit) private pure {
        require(quantity > 0 ? price <= limit : price >= limit, PriceOutsideLimit(price, limit));
    }
}
