// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title How far a snapshot's prices may be from outside feeds
interface IPriceGuard {
    /// @notice The feed of an underlying (USD, at most 18 decimals) and its limits.
    struct Feed {
        address source;
        uint8 decimals;
        uint32 maxAge;
        uint16 maxDeviationBps;
    }

    /// @notice The feed of an underlying was set or replaced.
    event FeedSet(
        uint8 indexed underlying,
        address feed,
        uint8 decimals,
        uint32 maxAge,
        uint16 maxDeviationBps
    );

    /// @notice An underlying without a feed.
    error NoFeed(uint8 underlying);
    /// @notice A feed that reverts, is no contract, or answers with malformed data.
    error FeedFailed(uint8 underlying);
    /// @notice An answer of zero or below.
    error FeedPriceNotPositive(uint8 underlying, int256 answer);
    /// @notice A round that is not complete, or carries an earlier round's answer.
    error FeedRoundIncomplete(uint8 underlying);
    /// @notice An answer older than allowed, or from the future.
    error FeedStale(uint8 underlying, uint256 updatedAt, uint256 time);
    /// @notice A price further from the feed's (both E8) than allowed.
    error FeedDeviation(uint8 underlying, uint256 priceE8, uint256 feedPriceE8, uint256 maxDeviationBps);
    /// @notice A perpetual's price further from the spot price (both E8) than spot may be from the feed.
    error PerpetualDeviation(uint8 underlying, uint256 perpetualE8, uint256 spotE8, uint256 maxDeviationBps);
    /// @notice A feed with more than 18 decimals.
    error TooManyDecimals(uint8 underlying, uint256 decimals);
    /// @notice Limits that would allow everything or nothing: no age, or a deviation of 100% and more.
    error LimitOutOfRange(uint8 underlying, uint256 maxAge, uint256 maxDeviationBps);

    /// @notice Set the feed of an underlying. The feed must answer `decimals()`.
    /// @param underlying Its id.
    /// @param feed The feed's address.
    /// @param maxAge How old an answer may be, seconds, at least 1.
    /// @param maxDeviationBps How far a price may be from the answer, in 1/10,000 of it, below 10,000.
    function setFeed(uint8 underlying, address feed, uint32 maxAge, uint16 maxDeviationBps) external;

    /// @notice Reverts unless the price is positive, fresh and within the deviation of the feed.
    /// @param underlying Its id.
    /// @param priceE8 The price to check.
    function check(uint8 underlying, uint64 priceE8) external view;

    /// @notice Reverts unless a perpetual's price is within the deviation of the spot price that was checked.
    /// @param underlying Its id.
    /// @param perpetualE8 The price to check.
    /// @param spotE8 The spot price.
    function checkPerpetual(uint8 underlying, uint64 perpetualE8, uint64 spotE8) external view;

    /// @notice The feed of an underlying; all zero if there is none.
    /// @param underlying Its id.
    function feedOf(uint8 underlying) external view returns (Feed memory);
}
