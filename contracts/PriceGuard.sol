// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";
import { LibCall } from "solady/src/utils/LibCall.sol";
import { IAggregatorV3 } from "./interfaces/IAggregatorV3.sol";
import { IPriceGuard } from "./interfaces/IPriceGuard.sol";

/// @title Compares prices with outside feeds
/// @dev Prices are compared at 18 decimals, which every feed's answer reaches without rounding.
contract PriceGuard is IPriceGuard, AccessControl {
    /// @dev The first feed and what all feeds share: one slot, so that one feed costs one read.
    struct Lead {
        address source;
        uint8 decimals;
        uint32 maxAge;
        uint16 maxDeviationBps;
        uint8 count;
        uint8 minFresh;
    }

    /// @dev Why an answer does not count.
    enum Flaw {
        None,
        Failed,
        NotPositive,
        Incomplete,
        Stale
    }

    uint256 private constant BPS = 10_000;
    uint256 private constant E10 = 1e10;
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant MAX_FEEDS = 7;
    uint16 private constant ROUND_BYTES = 160;
    /// @dev What asking a feed may cost: one that burns all it gets must not stop the others.
    uint256 private constant FEED_GAS = 300_000;

    mapping(uint8 underlying => Lead) private _leads;
    /// @dev The feeds after the first, by their index.
    mapping(uint8 underlying => mapping(uint256 index => Feed)) private _others;

    /// @param admin May set feeds. A timelock, where money is at stake.
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
        Source[] memory sources = new Source[](1);
        sources[0] = Source(feed, maxAge);
        _set(underlying, sources, 1, maxDeviationBps);
    }

    /// @inheritdoc IPriceGuard
    function setFeeds(
        uint8 underlying,
        Source[] calldata sources,
        uint8 minFresh,
        uint16 maxDeviationBps
    ) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _set(underlying, sources, minFresh, maxDeviationBps);
    }

    /// @inheritdoc IPriceGuard
    function check(uint8 underlying, uint64 priceE8) external view {
        Lead memory lead = _leads[underlying];
        _requireWithin(underlying, lead, priceE8, lead.maxDeviationBps);
    }

    /// @inheritdoc IPriceGuard
    function checkWithin(uint8 underlying, uint64 priceE8, uint16 maxDeviationBps) external view {
        _requireWithin(underlying, _leads[underlying], priceE8, maxDeviationBps);
    }

    /// @inheritdoc IPriceGuard
    function checkSpot(uint8 underlying, uint64 spotE8, uint64 perpetualE8) external view {
        _checkSpot(underlying, spotE8, perpetualE8);
    }

    /// @inheritdoc IPriceGuard
    function checkSpots(uint256[] calldata spots) external view {
        for (uint256 i = 0; i < spots.length; ++i) {
            _checkSpot(uint8(spots[i] >> 128), uint64(spots[i] >> 64), uint64(spots[i]));
        }
    }

    /// @inheritdoc IPriceGuard
    function median(uint8 underlying) external view returns (uint256) {
        return _median(underlying, _leads[underlying]) / E10;
    }

    /// @inheritdoc IPriceGuard
    function answer(uint8 underlying, uint256 index) external view returns (uint256) {
        Lead memory lead = _leads[underlying];
        require(index < lead.count, NoFeed(underlying));
        return _soundAnswer(underlying, _feedAt(underlying, lead, index)) / E10;
    }

    /// @inheritdoc IPriceGuard
    function feedsOf(
        uint8 underlying
    ) external view returns (Feed[] memory feeds, uint8 minFresh, uint16 maxDeviationBps) {
        Lead memory lead = _leads[underlying];
        feeds = new Feed[](lead.count);
        for (uint256 i = 0; i < feeds.length; ++i) feeds[i] = _feedAt(underlying, lead, i);
        return (feeds, lead.minFresh, lead.maxDeviationBps);
    }

    function _set(uint8 underlying, Source[] memory sources, uint8 minFresh, uint16 maxDeviationBps) private {
        uint256 count = sources.length;
        require(count != 0 && count <= MAX_FEEDS, FeedCountOutOfRange(underlying, count, MAX_FEEDS));
        require(minFresh != 0 && minFresh <= count, MinFreshOutOfRange(underlying, minFresh, count));
        Feed[] memory feeds = new Feed[](count);
        for (uint256 i = 0; i < count; ++i) {
            Source memory given = sources[i];
            require(
                given.maxAge != 0 && maxDeviationBps < BPS,
                LimitOutOfRange(underlying, given.maxAge, maxDeviationBps)
            );
            for (uint256 j = 0; j < i; ++j) {
                require(feeds[j].source != given.source, DuplicateFeed(underlying, given.source));
            }
            feeds[i] = Feed(given.source, _decimalsOf(underlying, given.source), given.maxAge);
            if (i != 0) _others[underlying][i] = feeds[i];
        }
        _leads[underlying] = Lead(
            feeds[0].source,
            feeds[0].decimals,
            feeds[0].maxAge,
            maxDeviationBps,
            uint8(count),
            minFresh
        );
        emit FeedsSet(underlying, feeds, minFresh, maxDeviationBps);
    }

    function _decimalsOf(uint8 underlying, address source) private view returns (uint8) {
        (bool ok, bytes memory data) = _ask(source, IAggregatorV3.decimals.selector, 32);
        require(ok, FeedFailed(underlying));
        uint256 decimals = abi.decode(data, (uint256));
        require(decimals <= MAX_DECIMALS, TooManyDecimals(underlying, decimals));
        return uint8(decimals);
    }

    function _checkSpot(uint8 underlying, uint64 spotE8, uint64 perpetualE8) private view {
        Lead memory lead = _leads[underlying];
        uint256 maxDeviationBps = lead.maxDeviationBps;
        _requireWithin(underlying, lead, spotE8, lead.maxDeviationBps);
        uint256 distance = perpetualE8 > spotE8 ? perpetualE8 - spotE8 : spotE8 - perpetualE8;
        require(
            distance * BPS <= spotE8 * maxDeviationBps,
            PerpetualDeviation(underlying, perpetualE8, spotE8, maxDeviationBps)
        );
    }

    function _requireWithin(
        uint8 underlying,
        Lead memory lead,
        uint64 priceE8,
        uint16 maxDeviationBps
    ) private view {
        uint256 expected = _median(underlying, lead);
        uint256 given = priceE8 * E10;
        uint256 distance = given > expected ? given - expected : expected - given;
        require(
            distance * BPS <= expected * maxDeviationBps,
            FeedDeviation(underlying, priceE8, expected / E10, maxDeviationBps)
        );
    }

    /// @dev The median of the fresh answers, 18 decimals.
    function _median(uint8 underlying, Lead memory lead) private view returns (uint256) {
        require(lead.count != 0, NoFeed(underlying));
        if (lead.count == 1) return _soundAnswer(underlying, _feedAt(underlying, lead, 0));
        uint256[MAX_FEEDS] memory sorted;
        uint256 fresh = 0;
        for (uint256 i = 0; i < lead.count; ++i) {
            (Flaw flaw, int256 price, ) = _answer(_feedAt(underlying, lead, i));
            if (flaw != Flaw.None) continue;
            uint256 place = fresh++;
            for (; place != 0 && sorted[place - 1] > uint256(price); --place)
                sorted[place] = sorted[place - 1];
            sorted[place] = uint256(price);
        }
        require(fresh >= lead.minFresh, TooFewFreshFeeds(underlying, fresh, lead.minFresh));
        return sorted[(fresh - 1) / 2];
    }

    /// @dev An answer at 18 decimals, or the error that says what is wrong with it.
    function _soundAnswer(uint8 underlying, Feed memory feed) private view returns (uint256) {
        (Flaw flaw, int256 price, uint256 updatedAt) = _answer(feed);
        require(flaw != Flaw.Failed, FeedFailed(underlying));
        require(flaw != Flaw.NotPositive, FeedPriceNotPositive(underlying, price));
        require(flaw != Flaw.Incomplete, FeedRoundIncomplete(underlying));
        require(flaw != Flaw.Stale, FeedStale(underlying, updatedAt, block.timestamp));
        return uint256(price);
    }

    /// @dev What a feed answers: a flaw and the answer as it came, or no flaw and the price at 18 decimals.
    function _answer(Feed memory feed) private view returns (Flaw flaw, int256 price, uint256 updatedAt) {
        (bool ok, bytes memory data) = _ask(feed.source, IAggregatorV3.latestRoundData.selector, ROUND_BYTES);
        if (!ok) return (Flaw.Failed, 0, 0);
        // Decoded as whole words: a dirty one must lead to a named refusal, not to a bare revert.
        uint256 roundId;
        uint256 answeredInRound;
        (roundId, price, , updatedAt, answeredInRound) = abi.decode(
            data,
            (uint256, int256, uint256, uint256, uint256)
        );
        if (price <= 0) return (Flaw.NotPositive, price, updatedAt);
        if (updatedAt == 0 || answeredInRound < roundId) return (Flaw.Incomplete, price, updatedAt);
        if (updatedAt > block.timestamp || block.timestamp - updatedAt > feed.maxAge) {
            return (Flaw.Stale, price, updatedAt);
        }
        // No price is near 2^128 at 18 decimals; a feed that says so is broken, and no product may overflow.
        if (price > int256(uint256(type(uint128).max))) return (Flaw.Failed, price, updatedAt);
        price *= int256(10 ** (MAX_DECIMALS - feed.decimals));
    }

    function _feedAt(uint8 underlying, Lead memory lead, uint256 index) private view returns (Feed memory) {
        if (index == 0) return Feed(lead.source, lead.decimals, lead.maxAge);
        return _others[underlying][index];
    }

    /// @dev `length` bytes of what a feed answers: however much more it is, it is not copied.
    function _ask(
        address source,
        bytes4 selector,
        uint16 length
    ) private view returns (bool ok, bytes memory data) {
        (ok, , data) = LibCall.tryStaticCall(source, FEED_GAS, length, abi.encodeWithSelector(selector));
        ok = ok && source.code.length != 0 && data.length == length;
    }
}
