// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Figures } from "../../contracts/interfaces/Types.sol";
import { Encoding, INSTRUMENTS } from "./Encoding.sol";
import { Epochs } from "./Epochs.sol";

/// @title What must hold: after every action of the accounts that it changed, and at any time of the venue as a whole
abstract contract Checks is Epochs {
    string internal constant TOKENS = "tokens held are the sum of claims: ";
    string internal constant MARGIN = "no action leaves an account short: ";
    string internal constant OUTFLOW = "outflow stays within the budget: ";
    string internal constant TRUE_STANDS = "a true epoch cannot be disputed: ";
    string internal constant FALSE_FALLS = "a wrong epoch can be disputed: ";
    string internal constant MIRROR = "the handler's own view is the venue's: ";

    /// @dev How an action may change accounts that have less than initial margin, apart from reducing risk.
    enum Rule {
        // Not at all.
        Gate,
        // Collateral comes in: what is above the requirements does not fall, but for the rounding of values and requirements to E8.
        Deposit,
        // Payoffs become cash, rounded down to E8: by one unit at most.
        Settlement,
        // A slice is cut to whole quantities: by what a unit of each position is worth.
        Slice
    }

    /// @dev An account's cash and portfolio.
    struct Account {
        int256 cash;
        bytes book;
    }

    /// @dev Something released on signatures, counted until its epoch is final.
    struct Release {
        uint64 round;
        uint256 amountE8;
    }

    Release[] private _releases;
    uint256 internal cashIn;
    uint256 internal cashOut;
    uint256 internal coinIn;
    uint256 internal coinOut;
    uint256 internal donated;
    /// @dev How many times a trade or a settlement may have left up to one unit of E8 in the vault.
    uint256 internal roundings;

    // --- after every action -----------------------------------------------------------------------------------------

    /// @dev All accounts, to be compared with afterwards.
    function _before() internal view returns (Account[] memory all) {
        all = new Account[](held.length);
        for (uint64 i = 0; i < all.length; ++i) all[i] = Account(vault.cash(i), _book(i));
    }

    /// @dev Judges every account that changed, and what was opened since.
    function _judge(
        Account[] memory all,
        bytes memory market,
        Rule rule,
        string memory action
    ) internal view {
        for (uint64 i = 0; i < held.length; ++i) {
            Account memory was = i < all.length ? all[i] : Account(0, "");
            Account memory is_ = Account(vault.cash(i), _book(i));
            if (was.cash == is_.cash && keccak256(was.book) == keccak256(is_.book)) continue;
            // The liquidator's own accounts get no leave of their own.
            Rule own = rule == Rule.Slice && i >= all.length ? Rule.Gate : rule;
            require(_isAllowed(was, is_, market, own), string.concat(MARGIN, action));
        }
    }

    /// @dev Covered; or less risk than before, as MarginGate defines it; or what the rule allows.
    function _isAllowed(
        Account memory was,
        Account memory is_,
        bytes memory market,
        Rule rule
    ) private view returns (bool) {
        Figures memory f = _figures(is_.book, market);
        int256 equity = is_.cash + f.portfolioValue;
        int256 initial = int256(f.initialMargin);
        int256 free = equity - f.spotValue;
        if (equity >= initial && free >= 0) return true;
        Figures memory g = _figures(was.book, market);
        int256 equityBefore = was.cash + g.portfolioValue;
        int256 initialBefore = int256(g.initialMargin);
        int256 freeBefore = equityBefore - g.spotValue;
        if (rule == Rule.Deposit) {
            return equity - initial + 2 >= equityBefore - initialBefore && free + 1 >= freeBefore;
        }
        int256 slack =
            rule == Rule.Settlement
                ? int256(1)
                : rule == Rule.Slice
                    ? _sliceSlack()
                    : int256(0);
        if (free < 0 && free + slack < freeBefore) return false;
        if (initial > initialBefore + slack) return false;
        if (equityBefore <= 0) return equity + slack >= equityBefore;
        return
            equity + (initialBefore - initial) / 10 + slack >= equityBefore &&
            (equity + slack) * initialBefore >= equityBefore * (initial - slack);
    }

    /// @dev Every quantity that stays is less than one unit (1e-8) above its share, and a unit of any instrument has neither a value nor a
    ///      requirement above twice the spot price here; a unit more for the rounding of figures.
    function _sliceSlack() private view returns (int256) {
        return int256((INSTRUMENTS * 2 * uint256(now_.spot)) / 1e8 + INSTRUMENTS);
    }

    // --- outflow ----------------------------------------------------------------------------------------------------

    /// @dev Counts what was released on the newest valid epoch: the limit must hold with it.
    function _release(uint256 amountE8) internal {
        _releases.push(Release(_newestValid(), amountE8));
        require(_openReleases() <= LIMIT_E8, string.concat(OUTFLOW, "more is out than the limit"));
    }

    /// @dev What is out on epochs that are not final, by this contract's own count.
    function _openReleases() internal view returns (uint256 sum) {
        for (uint256 i = 0; i < _releases.length; ++i) {
            if (block.timestamp < _endOf(i)) sum += _releases[i].amountE8;
        }
    }

    /// @dev What must still be counted once everything that may be counted out is: epochs that become final in this hour or later.
    function _releasesByHour() internal view returns (uint256 sum) {
        for (uint256 i = 0; i < _releases.length; ++i) {
            if (_endOf(i) / 1 hours >= block.timestamp / 1 hours) sum += _releases[i].amountE8;
        }
    }

    function _endOf(uint256 release) private view returns (uint256) {
        return uint256(posted[_releases[release].round].header.validUntil) + DISPUTE_WINDOW;
    }

    // --- at any time ------------------------------------------------------------------------------------------------

    /// @notice Tokens in the vault are the cash of all accounts, and what expired positions still have to pay, and up to a unit of E8 for
    ///         every trade (buyers pay rounded up, sellers receive rounded down) and every settlement (rounded down), never less.
    function checkTokens() external view {
        int256 cash = 0;
        int256 pending = 0;
        int256[INSTRUMENTS] memory sums;
        for (uint64 i = 0; i < held.length; ++i) {
            cash += vault.cash(i);
            for (uint256 k = 0; k < INSTRUMENTS; ++k) sums[k] += held[i][k];
        }
        for (uint256 k = 1; k < INSTRUMENTS; ++k) {
            uint256 date = Encoding.expiryOf(k);
            uint64 price = date == 2 ? 0 : epochs.settlementPrice(Encoding.UNDERLYING, expiries[date]);
            // What was bought was sold, until some of it has become cash.
            if (price == 0) require(sums[k] == 0, string.concat(TOKENS, "positions without a counterpart"));
            else pending += sums[k] * Encoding.payoff(k, price);
        }
        int256 heldE8 = int256(usd.balanceOf(address(vault)) * 100);
        int256 dustE16 = (heldE8 - int256(donated * 100) - cash) * 1e8 - pending;
        require(dustE16 >= 0, string.concat(TOKENS, "less cash than claims"));
        require(dustE16 <= int256(roundings * 1e8), string.concat(TOKENS, "more cash than claims"));
        require(
            heldE8 == int256((cashIn + donated - cashOut) * 100),
            string.concat(TOKENS, "cash that came or went by itself")
        );
        uint256 coins = coin.balanceOf(address(vault));
        require(sums[0] >= 0 && coins == uint256(sums[0]), string.concat(TOKENS, "spot"));
        require(coins == coinIn - coinOut, string.concat(TOKENS, "spot that came or went by itself"));
    }

    /// @notice What the registry says is out is within the limit, and no less than this contract's own count.
    function checkOutflow() external view {
        (uint256 spent, uint256 limit) = epochs.outflow();
        require(limit == LIMIT_E8, string.concat(OUTFLOW, "another limit"));
        require(spent <= limit, string.concat(OUTFLOW, "the registry's own count is above the limit"));
        require(_openReleases() <= spent, string.concat(OUTFLOW, "something is not counted"));
    }

    /// @notice No true epoch is invalid; every epoch found wrong stays so.
    function checkStandings() external view {
        for (uint256 i = 0; i < rounds.length; ++i) {
            bool isInvalid = uint256(_standing(rounds[i])) == 3;
            require(!isInvalid || posted[rounds[i]].isLie, string.concat(TRUE_STANDS, "invalid"));
            require(
                isInvalid == posted[rounds[i]].isInvalid,
                string.concat(FALSE_FALLS, "valid again, or invalid by itself")
            );
        }
        require(
            epochs.latestHeader().round == _newestValid(),
            string.concat(FALSE_FALLS, "the newest valid epoch is not in its place")
        );
    }

    /// @notice Portfolios and accounts are what this contract thinks they are: the other checks would be of nothing otherwise.
    function checkMirror() external view {
        require(vault.accountCount() == held.length, string.concat(MIRROR, "accounts"));
        for (uint64 i = 0; i < held.length; ++i) {
            require(vault.portfolioHash(i) == keccak256(_book(i)), string.concat(MIRROR, "portfolio"));
            require(held[i][0] >= 0, string.concat(MIRROR, "spot sold short"));
        }
    }
}
