// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title How far prices may be from outside feeds
/// @notice An underlying has one to seven feeds. Its price is the median of those that are fresh, the lower one of the middle two; a feed that
///         reverts, is no contract, answers malformed data or nothing positive, did not complete its round, or is older than allowed or from
///         the future is left out. With fewer fresh feeds than `minFresh` there is no price.
/// @dev Safety: fewer than half of the fresh feeds are wrong. Liveness: `minFresh` of them answer.
interface IPriceGuard {
    /// @notice One feed to set: its address, which must answer `decimals()`, and how old an answer may be, seconds, at least 1.
    struct Source {
        address source;
        uint32 maxAge;
    }

    /// @notice One feed as it was set: USD, at most 18 decimals.
    struct Feed {
        address source;
        uint8 decimals;
        uint32 maxAge;
    }

    /// @notice The feeds of an underlying were set or replaced.
    event FeedsSet(uint8 indexed underlying, Feed[] feeds, uint8 minFresh, uint16 maxDeviationBps);

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
    /// @notice Of several feeds, fewer are fresh than are needed. Of one alone the error says what is wrong with it.
    error TooFewFreshFeeds(uint8 underlying, uint256 fresh, uint256 minFresh);
    /// @notice A price further from the feeds' (both E8) than allowed.
    error FeedDeviation(uint8 underlying, uint256 priceE8, uint256 feedPriceE8, uint256 maxDeviationBps);
    /// @notice A perpetual's price further from the spot price (both E8) than spot may be from the feeds.
    error PerpetualDeviation(uint8 underlying, uint256 perpetualE8, uint256 spotE8, uint256 maxDeviationBps);
    /// @notice A feed with more than 18 decimals.
    error TooManyDecimals(uint8 underlying, uint256 decimals);
    /// @notice Limits that would allow everything or nothing: no age, or a deviation of 100% and more.
    error LimitOutOfRange(uint8 underlying, uint256 maxAge, uint256 maxDeviationBps);
    /// @notice No feed, or more than allowed.
    error FeedCountOutOfRange(uint8 underlying, uint256 count, uint256 max);
    /// @notice A quorum of zero, or of more feeds than there are.
    error MinFreshOutOfRange(uint8 underlying, uint256 minFresh, uint256 count);
    /// @notice One feed twice: it would outvote the others.
    error DuplicateFeed(uint8 underlying, address source);

    /// @notice Set the only feed of an underlying.
    /// @param underlying Its id.
    /// @param feed The feed's address. It must answer `decimals()`.
    /// @param maxAge How old an answer may be, seconds, at least 1.
    /// @param maxDeviationBps How far a price may be from the answer, in 1/10,000 of it, below 10,000.
    function setFeed(uint8 underlying, address feed, uint32 maxAge, uint16 maxDeviationBps) external;

    /// @notice Set all feeds of an underlying.
    /// @param underlying Its id.
    /// @param sources One to seven, no address twice.
    /// @param minFresh How many of them must be fresh, at least 1.
    /// @param maxDeviationBps How far a price may be from the median, in 1/10,000 of it, below 10,000.
    function setFeeds(
        uint8 underlying,
        Source[] calldata sources,
        uint8 minFresh,
        uint16 maxDeviationBps
    ) external;

    /// @notice Reverts unless the price is within the underlying's deviation of the median.
    /// @param underlying Its id.
    /// @param priceE8 The price to check.
    function check(uint8 underlying, uint64 priceE8) external view;

    /// @notice Reverts unless each spot is within its underlying's deviation of the median, and the perpetual within the same deviation of spot.
    /// @param spots Each underlying's id x 2^128 + spot price (E8) x 2^64 + the perpetual's price (E8).
    function checkSpots(uint256[] calldata spots) external view;

    /// @notice Reverts unless the price is within a deviation of the median.
    /// @dev One word, and an answer: both cost less than arguments and a look whether the guard is a contract.
    /// @param price The underlying's id x 2^128 + the price to check (E8) x 2^64 + the deviation, in 1/10,000 of the median, below 2^16.
    /// @return isNear True, always.
    function checkPrice(uint256 price) external view returns (bool isNear);

    /// @notice The median of the fresh feeds, E8, rounded down.
    /// @param underlying Its id.
    function median(uint8 underlying) external view returns (uint256 priceE8);

    /// @notice What one feed answers, E8, rounded down. Reverts with what is wrong with it, unless it is fresh.
    /// @param underlying The underlying's id.
    /// @param index Which of its feeds, from zero; NoFeed(underlying) beyond the last.
    function answer(uint8 underlying, uint256 index) external view returns (uint256 priceE8);

    /// @notice The feeds of an underlying, how many of them must be fresh, and how far a price may be from their median; nothing and zeros
    ///         if there are none.
    /// @param underlying Its id.
    function feedsOf(
        uint8 underlying
    ) external view returns (Feed[] memory feeds, uint8 minFresh, uint16 maxDeviationBps);
}
