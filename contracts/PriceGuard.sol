// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IAggregatorV3 } from "./interfaces/IAggregatorV3.sol";
import { IPriceGuard } from "./interfaces/IPriceGuard.sol";

/// @title Compares prices with outside feeds
contract PriceGuard is IPriceGuard, AccessControl {
    uint256 private constant BPS = 10_000;
    uint256 private constant E8 = 1e8;
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant ROUND_BYTES = 160;

    mapping(uint8 => Feed) private _feeds;

    /// @param admin May set feeds.
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IPriceGuard
    function setFeed(
        uint8 underlying,
        address feed,
        uint32 maxAge,
        uint16 maxDeviationBps
    ) external onlyRole(DEFAULT_ADMIN_ROLE) {
        require(maxAge != 0 && maxDeviationBps < BPS, LimitOutOfRange(underlying, maxAge, maxDeviationBps));
        uint256 decimals = abi.decode(_ask(underlying, feed, IAggregatorV3.decimals.selector, 32), (uint256));
        require(decimals <= MAX_DECIMALS, TooManyDecimals(underlying, decimals));
        // The check above leaves at most 18, so the cast keeps the value.
        _feeds[underlying] = Feed(feed, uint8(decimals), maxAge, maxDeviationBps);
        emit FeedSet(underlying, feed, uint8(decimals), maxAge, maxDeviationBps);
    }

    /// @inheritdoc IPriceGuard
    function check(uint8 underlying, uint64 priceE8) external view {
        Feed memory feed = _feeds[underlying];
        require(feed.source != address(0), NoFeed(underlying));
        uint256 answer = _freshAnswer(underlying, feed);
        // Both sides times 1e8 x 10^decimals, so that nothing is rounded before the comparison.
        uint256 unit = 10 ** feed.decimals;
        uint256 given = priceE8 * unit;
        uint256 expected = answer * E8;
        uint256 distance = given > expected ? given - expected : expected - given;
        require(
            distance * BPS <= expected * feed.maxDeviationBps,
            FeedDeviation(underlying, priceE8, Math.mulDiv(answer, E8, unit), feed.maxDeviationBps)
        );
    }

    /// @inheritdoc IPriceGuard
    function checkPerpetual(uint8 underlying, uint64 perpetualE8, uint64 spotE8) external view {
        uint256 maxDeviationBps = _feeds[underlying].maxDeviationBps;
        uint256 distance = perpetualE8 > spotE8 ? perpetualE8 - spotE8 : spotE8 - perpetualE8;
        require(
            distance * BPS <= spotE8 * maxDeviationBps,
            PerpetualDeviation(underlying, perpetualE8, spotE8, maxDeviationBps)
        );
    }

    /// @inheritdoc IPriceGuard
    function feedOf(uint8 underlying) external view returns (Feed memory) {
        return _feeds[underlying];
    }

    function _freshAnswer(uint8 underlying, Feed memory feed) private view returns (uint256) {
        bytes memory data = _ask(
            underlying,
            feed.source,
            IAggregatorV3.latestRoundData.selector,
            ROUND_BYTES
        );
        // Decoded as whole words: a dirty one must lead to a named refusal, not to a bare revert.
        (uint256 roundId, int256 answer, , uint256 updatedAt, uint256 answeredInRound) = abi.decode(
            data,
            (uint256, int256, uint256, uint256, uint256)
        );
        require(answer > 0, FeedPriceNotPositive(underlying, answer));
        require(updatedAt != 0 && answeredInRound >= roundId, FeedRoundIncomplete(underlying));
        require(
            updatedAt <= block.timestamp && block.timestamp - updatedAt <= feed.maxAge,
            FeedStale(underlying, updatedAt, block.timestamp)
        );
        // No price is near 2^128 at 18 decimals; a feed that says so is broken, and the products of `check` must not overflow.
        require(answer <= int256(uint256(type(uint128).max)), FeedFailed(underlying));
        return uint256(answer);
    }

    function _ask(
        uint8 underlying,
        address feed,
        bytes4 selector,
        uint256 length
    ) private view returns (bytes memory data) {
        bool ok;
        (ok, data) = feed.staticcall(abi.encodeWithSelector(selector));
        require(ok && feed.code.length != 0 && data.length >= length, FeedFailed(underlying));
    }
}
