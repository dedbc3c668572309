// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Draws } from "./Draws.sol";
import { Encoding } from "./Encoding.sol";
import { Lies } from "./Lies.sol";

/// @title The actions that Foundry calls in random order; each draws what it needs from its seed, and none reverts but for a broken check
contract Handler is Lies {
    using Draws for Draws.Draw;

    // --- users ------------------------------------------------------------------------------------------------------

    function deposit(uint256 seed) external {
        Draws.Draw memory draw = Draws.Draw(seed);
        Account[] memory all = _before();
        _deposit(_any(draw), 1 + draw.below(20_000e6));
        _judge(all, _market(), Rule.Deposit, "deposit");
        _count("deposit", true);
    }

    function depositSpot(uint256 seed) external {
        Draws.Draw memory draw = Draws.Draw(seed);
        Account[] memory all = _before();
        bool isDone = _depositSpot(_trader(draw), 1 + draw.below(5e7));
        _judge(all, _market(), Rule.Deposit, "depositSpot");
        _count("depositSpot", isDone);
    }

    function withdraw(uint256 seed) external {
        _gated("withdraw", seed, _withdrawOnLeaf);
    }

    function withdrawFull(uint256 seed) external {
        _gated("withdrawFull", seed, _withdrawFull);
    }

    function withdrawUnencumbered(uint256 seed) external {
        _gated("withdrawUnencumbered", seed, _withdrawUnencumbered);
    }

    function withdrawSpot(uint256 seed) external {
        _gated("withdrawSpot", seed, _withdrawSpot);
    }

    /// @dev Several at a time: everything else depends on what accounts hold.
    function trade(uint256 seed) external {
        for (uint256 i = 0; i < 1 + (seed % 4); ++i) _gated("trade", _next(seed, i), _tradeFull);
    }

    function tradeOnTickets(uint256 seed) external {
        for (uint256 i = 0; i < 1 + (seed % 3); ++i)
            _gated("tradeOnTickets", _next(seed, i), _tradeOnTickets);
    }

    function squeeze(uint256 seed) external {
        _gated("squeeze", seed, _squeeze);
        _postTrue(Draws.Draw(_next(seed, 1)), true);
        _gated("callMargin", _next(seed, 2), _callMargin);
    }

    function callMargin(uint256 seed) external {
        _gated("callMargin", seed, _callMargin);
    }

    function liquidate(uint256 seed) external {
        if (seed % 2 == 0) _gated("callMargin", _next(seed, 9), _callMargin);
        for (uint256 i = 0; i < 1 + (seed % 3); ++i) {
            Account[] memory all = _before();
            bool isDone = _liquidate(Draws.Draw(_next(seed, i)));
            _judge(all, _market(), Rule.Slice, "liquidate");
            _count("liquidate", isDone);
        }
    }

    function releaseCalled(uint256 seed) external {
        _gated("releaseCalled", seed, _releaseCalled);
    }

    function settleExpired(uint256 seed) external {
        Account[] memory all = _before();
        bool isDone = _settleExpired(Draws.Draw(seed));
        // In a market that has the prices: the newest valid one may be of before the expiry.
        if (isDone) _judge(all, _settledMarket(), Rule.Settlement, "settleExpired");
        _count("settleExpired", isDone);
    }

    function cover(uint256 seed) external {
        _gated("cover", seed, _cover);
    }

    function donate(uint256 seed) external {
        uint256 amount = 1 + (seed % 100e6);
        usd.transfer(address(vault), amount);
        donated += amount;
        _count("donate", true);
    }

    // --- time, prices, attesters ------------------------------------------------------------------------------------

    function pass(uint256 seed) external {
        Draws.Draw memory draw = Draws.Draw(seed);
        _pass(draw.oneIn(4) ? draw.below(12 hours) : draw.below(40 minutes));
        _count("pass", true);
    }

    function post(uint256 seed) external {
        Draws.Draw memory draw = Draws.Draw(seed);
        _postTrue(draw, draw.oneIn(3));
        _count("post", true);
    }

    /// @dev The outside price moves, and no epoch follows.
    function moveFeed(uint256 seed) external {
        Draws.Draw memory draw = Draws.Draw(seed);
        uint256 bps = uint256(10_000 + draw.between(-400, 400));
        feed.setAnswer(int256((uint256(now_.spot) * bps) / 10_000), block.timestamp);
        _count("moveFeed", true);
    }

    function countOut(uint256) external {
        epochs.releaseFinal(type(uint32).max);
        (uint256 spent, ) = epochs.outflow();
        require(spent == _releasesByHour(), string.concat(OUTFLOW, "not what was released"));
        _count("countOut", true);
    }

    // --- disputes ---------------------------------------------------------------------------------------------------

    function attackTrueLeaf(uint256 seed) external {
        _attackTrueLeaf(Draws.Draw(seed));
        _count("attackTrueLeaf", true);
    }

    function attackTrueIdentity(uint256 seed) external {
        _attackTrueIdentity(Draws.Draw(seed));
        _count("attackTrueIdentity", true);
    }

    function attackTrueTicket(uint256 seed) external {
        _count("attackTrueTicket", _attackTrueTicket(Draws.Draw(seed)));
    }

    function lie(uint256 seed) external {
        string memory name = _lie(Draws.Draw(seed));
        _count("lie", true);
        _count(string.concat("lie: ", name), true);
    }

    function lieInTicket(uint256 seed) external {
        _count("lieInTicket", _lieInTicket(Draws.Draw(seed)));
    }

    function theft(uint256 seed) external {
        _count("theft", _theft(Draws.Draw(seed)));
    }

    /// @notice How often an action was tried, and how often it did something.
    function countOf(string calldata action) external view returns (uint256, uint256) {
        return (tried[action], done[action]);
    }

    function _next(uint256 seed, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i)));
    }

    /// @dev Every account that the action changed is judged in the market that it was done in.
    function _gated(
        string memory name,
        uint256 seed,
        function(Draws.Draw memory) internal returns (bool) action
    ) private {
        Account[] memory all = _before();
        bool isDone = action(Draws.Draw(seed));
        _judge(all, _market(), Rule.Gate, name);
        _count(name, isDone);
    }

    function _settledMarket() private view returns (bytes memory) {
        Encoding.Market memory m = now_;
        for (uint256 i = 0; i < 2; ++i) {
            m.settled[i] = epochs.settlementPrice(Encoding.UNDERLYING, expiries[i]);
            if (m.settled[i] != 0 && m.time < expiries[i]) m.time = expiries[i];
        }
        return Encoding.market(m, expiries);
    }
}
