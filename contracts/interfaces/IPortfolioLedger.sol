// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IProtocolErrors } from "./IProtocolErrors.sol";
import { Order } from "./Types.sol";

/// @title Accounts: who owns them, what they hold, what they trade
/// @notice Ids count from 0 and are the leaf index. Of a portfolio only the hash is stored; every change is an event.
interface IPortfolioLedger is IProtocolErrors {
    /// @notice A new account without cash and positions.
    event AccountOpened(uint64 indexed account, address indexed owner);
    /// @notice The whole new portfolio of an account, where the change is no trade.
    event PortfolioChanged(uint64 indexed account, bytes portfolio);
    /// @notice Whether an account is under a margin call.
    event FrozenChanged(uint64 indexed account, bool frozen);
    /// @notice An account's new cash (E8, signed), where no other event of the change gives it.
    event CashChanged(uint64 indexed account, int256 cash);
    /// @notice A trade: size (positive) and price per unit, E8, and the new cash of both accounts, E8, signed. Their portfolios are what they
    ///         were, and the traded quantity more or less of the instrument.
    event TradeSettled(
        uint64 indexed buyer,
        uint64 indexed seller,
        uint32 indexed instrument,
        int64 quantity,
        int64 price,
        int256 buyerCash,
        int256 sellerCash
    );
    /// @notice An order that can no longer be used.
    event OrderCancelled(uint64 indexed account, uint64 nonce);
    /// @notice Expired positions of an account became cash (E8, signed).
    event ExpirySettled(uint64 indexed account, int256 cash);

    /// @notice An order whose deadline has passed.
    error OrderExpired(uint64 deadline, uint256 time);
    /// @notice An order used or cancelled before.
    error OrderUsed(uint64 account, uint64 nonce);
    /// @notice An order signed by someone other than the account's owner; `signer` is zero if the signature is malformed.
    error WrongOrderSigner(uint64 account, address signer, address owner);
    /// @notice Orders of different instruments, or not of opposite and equal size.
    error OrdersDoNotMatch();
    /// @notice The resting order's price is beyond the other's limit.
    error PriceOutsideLimit(int64 price, int64 limit);
    /// @notice Both orders are of one account.
    error SelfTrade(uint64 account);
    /// @notice An instrument that may not be traded.
    error InstrumentNotListed(uint32 id);
    /// @notice An instrument that has expired.
    error InstrumentExpired(uint32 id, uint256 expiry);
    /// @notice A price beyond the greatest, or a negative one of anything but a perpetual.
    error PriceOutOfRange(uint32 id, int64 price);
    /// @notice A packed trade that ends before a side does.
    error TradeTooShort(uint256 length, uint256 needed);
    /// @notice The account holds nothing that has settled.
    error NothingToSettle(uint64 account);
    /// @notice Until `opensAt` only the owner may settle the account.
    error SettlementNotOpen(uint64 account, uint256 opensAt);

    /// @notice Connect the liquidation house, once.
    /// @param house The house.
    function connect(address house) external;

    /// @notice Open an account for anyone.
    /// @param owner Its owner, for good.
    /// @return account Its id.
    function openAccount(address owner) external returns (uint64 account);

    /// @notice Settle a trade between two signed orders, at the price of the first. Both accounts must pass the margin gate.
    /// @dev The buyer pays quantity x price rounded up, the seller receives it rounded down, to E8.
    /// @param a The resting order: its price is the trade's.
    /// @param signatureA Signature of `a` by the owner of its account.
    /// @param b The other order: its price is a limit.
    /// @param signatureB Signature of `b` by the owner of its account.
    /// @param portfolioA What the account of `a` holds now.
    /// @param portfolioB What the account of `b` holds now.
    /// @param market The newest epoch's market bytes.
    function settle(
        Order calldata a,
        bytes calldata signatureA,
        Order calldata b,
        bytes calldata signatureB,
        bytes calldata portfolioA,
        bytes calldata portfolioB,
        bytes calldata market
    ) external;

    /// @notice Settle a trade like `settle`, on the figures of two tickets: leaves for the portfolios that it leads to, signed by the attesters
    ///         for the newest epoch.
    /// @dev Both accounts must end with initial margin and without a cash deficit; unlike `settle` no trade is let through for reducing risk.
    ///      The size that the epoch registry limits is |quantity| x the greatest of |price|, strike and spot. The trade comes packed, big-endian:
    ///      what both orders share, the instrument (4 bytes) and what the resting one buys (8, signed, E8); the resting side; the other side; the
    ///      attesters' signatures of both leaves in this order. A side is its order's price (8, signed), account, nonce and deadline (8 each);
    ///      its owner's signature (65); how many underlyings the leaf names and how many positions the account holds now (1 each); the leaf as
    ///      in libraries/ShownLeaf.sol; what the account holds now. The price of the resting order is the trade's, that of the other a limit.
    /// @param trade All of it.
    function settleAttested(bytes calldata trade) external;

    /// @notice Make an order unusable, whether it exists or not. Owner only.
    /// @param account The order's account.
    /// @param nonce The order's nonce.
    function cancel(uint64 account, uint64 nonce) external;

    /// @notice Turn positions whose settlement price is recorded into cash: the exact sum of their payoffs, rounded down once to E8.
    /// @dev The owner settles all of them at once; anyone else those whose price was recorded `settleDelay` ago.
    /// @param account The account, frozen or not.
    /// @param portfolio What it holds now.
    function settleExpired(uint64 account, bytes calldata portfolio) external;

    /// @notice Replace an account's portfolio. House only; it checks what may change.
    /// @param account The account.
    /// @param oldPortfolio What it holds now.
    /// @param newPortfolio What it holds from now on; refused unless well formed.
    function writePortfolio(
        uint64 account,
        bytes calldata oldPortfolio,
        bytes calldata newPortfolio
    ) external;

    /// @notice Move cash between accounts. House only.
    /// @param from The account that gives (receives, if negative).
    /// @param to The account that receives.
    /// @param amount E8, signed.
    function transferCash(uint64 from, uint64 to, int256 amount) external;

    /// @notice Freeze or unfreeze an account. House only.
    /// @param account The account.
    /// @param isFrozen Whether it is to be frozen.
    function setFrozen(uint64 account, bool isFrozen) external;

    /// @notice What every check of an account needs, in one call. Reverts with UnknownAccount(account).
    /// @param account The account.
    /// @return owner Its owner.
    /// @return isFrozen Whether it is under a margin call.
    /// @return portfolioHash The hash of its portfolio bytes.
    function accountOf(
        uint64 account
    ) external view returns (address owner, bool isFrozen, bytes32 portfolioHash);

    /// @notice What proves the past of an account. Reverts with UnknownAccount(account).
    /// @param account The account.
    /// @return openedAt The block it was opened in.
    /// @return history All changes of its portfolio, folded into one word (see the library Provenance).
    function provenance(uint64 account) external view returns (uint64 openedAt, bytes32 history);

    /// @notice The owner of an account. Reverts with UnknownAccount(account).
    /// @param account The account.
    function ownerOf(uint64 account) external view returns (address);

    /// @notice The hash of an account's portfolio bytes. Reverts with UnknownAccount(account).
    /// @param account The account.
    function portfolioHash(uint64 account) external view returns (bytes32);

    /// @notice Whether an account is under a margin call. Reverts with UnknownAccount(account).
    /// @param account The account.
    function frozen(uint64 account) external view returns (bool);

    /// @notice The cash of an account, E8, signed.
    /// @param account The account.
    function cash(uint64 account) external view returns (int256);

    /// @notice How many accounts there are; the next one gets this id.
    function accountCount() external view returns (uint64);

    /// @notice Whether an order was used or cancelled.
    /// @param account Its account.
    /// @param nonce Its nonce.
    function isNonceUsed(uint64 account, uint64 nonce) external view returns (bool);

    /// @notice Seconds after which anyone may settle an account's expired positions.
    function settleDelay() external view returns (uint64);

    /// @notice What a trader signs for an order on this chain and ledger.
    /// @param order The order.
    function digest(Order calldata order) external view returns (bytes32);

    /// @notice The EIP-712 domain separator.
    function domainSeparator() external view returns (bytes32);
}
