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

    /// @dev Where a lead's fields are in its slot.
    uint256 private constant DECIMALS_SHIFT = 160;
    uint256 private constant AGE_SHIFT = 168;
    uint256 private constant COUNT_SHIFT = 216;
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
    function checkPrice(uint256 price) external view returns (bool) {
        // The conversions cut off what stands above a field.
        uint8 underlying = uint8(price >> 128);
        Lead storage lead = _leads[underlying];
        uint256 word;
        // A lead's slot, read once; its fields from the low bits up: source (160 bits), decimals (8), greatest age (32), deviation (16), count (8).
        assembly ("memory-safe") {
            word := sload(lead.slot)
        }
        // The count's conversion cuts off what stands above it.
        uint256 expected =
            uint8(word >> COUNT_SHIFT) == 1
                ? _soundAnswer(
                    underlying,
                    address(uint160(word)),
                    uint8(word >> DECIMALS_SHIFT),
                    uint32(word >> AGE_SHIFT)
                )
                : _median(underlying, lead);
        _requireNear(underlying, expected, uint64(price >> 64), uint16(price));
        return true;
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
        Feed memory feed = _feedAt(underlying, lead, index);
        return _soundAnswer(underlying, feed.source, feed.decimals, feed.maxAge) / E10;
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
        _requireNear(underlying, _median(underlying, lead), priceE8, maxDeviationBps);
    }

    /// @param expected 18 decimals.
    function _requireNear(
        uint8 underlying,
        uint256 expected,
        uint64 priceE8,
        uint16 maxDeviationBps
    ) private pure {
        // A price is below 2^64 at 8 decimals, an answer at most 2^128 x 10^18: no product reaches 2^256.
        unchecked {
            uint256 given = priceE8 * E10;
            uint256 distance = given > expected ? given - expected : expected - given;
            require(
                distance * BPS <= expected * maxDeviationBps,
                FeedDeviation(underlying, priceE8, expected / E10, maxDeviationBps)
            );
        }
    }

    /// @dev The median of the fresh answers, 18 decimals.
    function _median(uint8 underlying, Lead memory lead) private view returns (uint256) {
        require(lead.count != 0, NoFeed(underlying));
        if (lead.count == 1) return _soundAnswer(underlying, lead.source, lead.decimals, lead.maxAge);
        uint256[MAX_FEEDS] memory sorted;
        uint256 fresh = 0;
        for (uint256 i = 0; i < lead.count; ++i) {
            Feed memory feed = _feedAt(underlying, lead, i);
            (Flaw flaw, int256 price, ) = _answer(feed.source, feed.decimals, feed.maxAge);
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
    function _soundAnswer(
        uint8 underlying,
        address source,
        uint8 decimals,
        uint32 maxAge
    ) private view returns (uint256) {
        (Flaw flaw, int256 price, uint256 updatedAt) = _answer(source, decimals, maxAge);
        if (flaw == Flaw.None) return uint256(price);
        require(flaw != Flaw.Failed, FeedFailed(underlying));
        require(flaw != Flaw.NotPositive, FeedPriceNotPositive(underlying, price));
        require(flaw != Flaw.Incomplete, FeedRoundIncomplete(underlying));
        revert FeedStale(underlying, updatedAt, block.timestamp);
    }

    /// @dev What a feed answers: a flaw and the answer as it came, or no flaw and the price at 18 decimals.
    function _answer(
        address source,
        uint8 decimals,
        uint32 maxAge
    ) private view returns (Flaw flaw, int256 price, uint256 updatedAt) {
        bool ok;
        uint256 roundId;
        uint256 answeredInRound;
        bytes4 selector = IAggregatorV3.latestRoundData.selector;
        // Equals (ok, data) = source.staticcall{ gas: FEED_GAS }(abi.encodeWithSelector(selector)), and if that is ok, by a contract and long
        // enough: (roundId, price, , updatedAt, answeredInRound) = abi.decode(data, (uint256, int256, uint256, uint256, uint256)).
        // Whole words: a dirty one must lead to a named refusal, not to a bare revert.
        assembly ("memory-safe") {
            let answers := mload(0x40)
            mstore(answers, selector)
            ok := staticcall(FEED_GAS, source, answers, 4, answers, ROUND_BYTES)
            // Who has no code returns nothing; of what is built into the chain nothing returns as much for 4 bytes.
            ok := and(ok, iszero(lt(returndatasize(), ROUND_BYTES)))
            if ok {
                roundId := mload(answers)
                price := mload(add(answers, 32))
                updatedAt := mload(add(answers, 96))
                answeredInRound := mload(add(answers, 128))
            }
        }
        if (!ok) return (Flaw.Failed, 0, 0);
        if (price <= 0) return (Flaw.NotPositive, price, updatedAt);
        if (updatedAt == 0 || answeredInRound < roundId) return (Flaw.Incomplete, price, updatedAt);
        if (updatedAt > block.timestamp || block.timestamp - updatedAt > maxAge) {
            return (Flaw.Stale, price, updatedAt);
        }
        // No price is near 2^128 at 18 decimals; a feed that says so is broken, and no product may overflow.
        if (price > int256(uint256(type(uint128).max))) return (Flaw.Failed, price, updatedAt);
        // At most 2^128 x 10^18.
        unchecked {
            price *= int256(10 ** (MAX_DECIMALS - decimals));
        }
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
