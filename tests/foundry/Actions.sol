// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Figures, Leaf, Order } from "../../contracts/interfaces/Types.sol";
import { Checks } from "./Checks.sol";
import { Draws } from "./Draws.sol";
import { Encoding, INSTRUMENTS } from "./Encoding.sol";

/// @title What users do: money in and out, trades, margin calls, slices, settlements
abstract contract Actions is Checks {
    using Draws for Draws.Draw;

    /// @dev Both sides of a trade on its way.
    struct Deal {
        uint64 buyer;
        uint64 seller;
        uint256 instrument;
        int64 quantity;
        int64 price;
        Order ask;
        Order bid;
        bytes askSignature;
        bytes bidSignature;
    }

    uint256 internal constant TRADERS = 5;
    uint256 private constant MAX_ACCOUNTS = 24;
    uint256 private constant LIQUIDATOR_KEY = 77;
    uint64 internal liquidator;
    uint64 private _nonce;
    /// @dev How often each action was tried, and how often it did something.
    mapping(string => uint256) internal tried;
    mapping(string => uint256) internal done;
    /// @dev The last true tickets that were used: the round, their leaves and signatures.
    uint64 internal ticketRound;
    bytes internal ticketLeaves;
    bytes internal ticketSignatures;

    constructor() {
        Draws.Draw memory draw = Draws.Draw(1);
        for (uint256 i = 0; i < TRADERS; ++i) _deposit(_open(100 + i), 40_000e6 + i * 20_000e6);
        liquidator = _open(LIQUIDATOR_KEY);
        _deposit(liquidator, 500_000e6);
        _depositSpot(0, 1e8);
        _postTrue(draw, false);
    }

    function _count(string memory action, bool isDone) internal {
        ++tried[action];
        if (isDone) ++done[action];
    }

    function _any(Draws.Draw memory draw) internal view returns (uint64) {
        return uint64(draw.below(held.length));
    }

    /// @dev Not the liquidator's funding account: it may have no positions.
    function _trader(Draws.Draw memory draw) internal view returns (uint64 account) {
        account = draw.oneIn(4) ? _any(draw) : uint64(draw.below(TRADERS));
        if (account == liquidator) account = 0;
    }

    // --- cash and collateral ----------------------------------------------------------------------------------------

    function _deposit(uint64 account, uint256 amount) internal {
        usd.mint(address(this), amount);
        vault.depositCash(account, amount);
        cashIn += amount;
    }

    function _depositSpot(uint64 account, uint256 amount) internal returns (bool ok) {
        address owner = _owner(account);
        bytes memory book = _book(account);
        coin.mint(owner, amount);
        vm.prank(owner);
        coin.approve(address(vault), amount);
        vm.prank(owner);
        try vault.depositSpot(account, Encoding.UNDERLYING, amount, book) {
            _hold(account, 0, int256(amount));
            coinIn += amount;
            ok = true;
        } catch {}
    }

    function _withdrawOnLeaf(Draws.Draw memory draw) internal returns (bool) {
        uint64 account = _trader(draw);
        _ensureLive(draw);
        // Mostly on an epoch that knows the account as it is.
        Leaf[] memory leaves = _leavesOf(_newestValid());
        bool isStale = account >= leaves.length || leaves[account].portfolioHash != keccak256(_book(account));
        if (isStale && !draw.oneIn(4)) {
            _postTrue(draw, false);
            leaves = _leavesOf(_newestValid());
        }
        if (account >= leaves.length) return false;
        return _takeOnLeaf(account, _amount(draw, account), leaves);
    }

    function _takeOnLeaf(uint64 account, uint256 amount, Leaf[] memory leaves) internal returns (bool) {
        (, bytes32[] memory proof) = Encoding.tree(leaves, account);
        address owner = _owner(account);
        bytes memory shown = bytes.concat(
            abi.encodePacked(account, uint128(amount), owner),
            Encoding.shownLeaf(leaves[account], abi.encodePacked(proof))
        );
        vm.prank(owner);
        try vault.withdraw(shown) {
            cashOut += amount;
            require(amount * 100 <= MAX_WITHDRAWAL_E8, string.concat(OUTFLOW, "above the policy"));
            _release(amount * 100);
            return true;
        } catch {
            return false;
        }
    }

    function _withdrawFull(Draws.Draw memory draw) internal returns (bool) {
        uint64 account = _trader(draw);
        _ensureLive(draw);
        uint256 amount = _amount(draw, account) * (draw.oneIn(3) ? 10 : 1);
        bytes memory book = _book(account);
        bytes memory market = _market();
        address owner = _owner(account);
        vm.prank(owner);
        try vault.withdrawFull(account, amount, owner, book, market) {
            cashOut += amount;
            if (_holdsMoreThanSpot(account)) _release(amount * 100);
            return true;
        } catch {
            return false;
        }
    }

    function _withdrawUnencumbered(Draws.Draw memory draw) internal returns (bool) {
        uint64 account = _any(draw);
        uint256 amount = _amount(draw, account);
        address owner = _owner(account);
        vm.prank(owner);
        try vault.withdrawUnencumbered(account, amount, owner) {
            cashOut += amount;
            return true;
        } catch {
            return false;
        }
    }

    function _withdrawSpot(Draws.Draw memory draw) internal returns (bool) {
        uint64 account = _trader(draw);
        if (!draw.oneIn(4)) _ensureLive(draw);
        for (uint64 i = 0; i < held.length && held[account][0] == 0; ++i) account = i;
        uint256 spot = uint256(held[account][0]);
        uint256 amount = draw.oneIn(3) ? spot : 1 + draw.below(spot + spot / 8 + 1);
        bytes memory book = _book(account);
        bytes memory market = _market();
        address owner = _owner(account);
        vm.prank(owner);
        try vault.withdrawSpot(account, Encoding.UNDERLYING, amount, owner, book, market) {
            _hold(account, 0, -int256(amount));
            coinOut += amount;
            uint256 spotE8 = posted[_newestValid()].quotes.spot;
            if (_holdsMoreThanSpot(account)) _release((amount * spotE8 + 1e8 - 1) / 1e8);
            return true;
        } catch {
            return false;
        }
    }

    /// @dev What such an account takes out counts in the outflow.
    function _holdsMoreThanSpot(uint64 account) private view returns (bool) {
        for (uint256 i = 1; i < INSTRUMENTS; ++i) {
            if (held[account][i] != 0) return true;
        }
        return false;
    }

    /// @dev Token units: a share of what the account has above its requirement, to a little beyond; or some thousand dollars.
    function _amount(Draws.Draw memory draw, uint64 account) private view returns (uint256) {
        if (draw.oneIn(3)) return 1 + draw.below(4_000e6);
        Figures memory f = _figures(_book(account), _market());
        int256 equity = vault.cash(account) + f.portfolioValue;
        int256 excess = equity - int256(f.initialMargin);
        if (equity - f.spotValue < excess) excess = equity - f.spotValue;
        if (excess <= 100) return 1;
        // To the last unit, and one beyond, too.
        if (draw.oneIn(4)) return uint256(excess) / 100 + draw.below(2);
        return 1 + (uint256(excess) * draw.below(105)) / 10_000;
    }

    // --- trades -----------------------------------------------------------------------------------------------------

    function _tradeFull(Draws.Draw memory draw) internal returns (bool) {
        _ensureLive(draw);
        Deal memory deal = _deal(draw);
        bytes memory market = _market();
        try
            vault.settle(
                deal.ask,
                deal.askSignature,
                deal.bid,
                deal.bidSignature,
                _book(deal.seller),
                _book(deal.buyer),
                market
            )
        {
            _traded(deal);
            return true;
        } catch {
            return false;
        }
    }

    function _tradeOnTickets(Draws.Draw memory draw) internal returns (bool) {
        _ensureLive(draw);
        Deal memory deal = _deal(draw);
        Leaf[] memory leaves = _tickets(deal);
        bytes memory signatures = _signTickets(draw, leaves);
        if (!_settleAttested(deal, leaves, signatures)) return false;
        ticketRound = _newestValid();
        (ticketLeaves, ticketSignatures) = (abi.encode(leaves), signatures);
        _traded(deal);
        _release(_charge(deal));
        return true;
    }

    function _settleAttested(
        Deal memory deal,
        Leaf[] memory leaves,
        bytes memory signatures
    ) internal returns (bool) {
        try
            vault.settleAttested(
                bytes.concat(
                    abi.encodePacked(deal.ask.instrument, deal.ask.quantity),
                    Encoding.shownSide(deal.ask, deal.askSignature, leaves[0], _book(deal.seller)),
                    Encoding.shownSide(deal.bid, deal.bidSignature, leaves[1], _book(deal.buyer)),
                    signatures
                )
            )
        {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev True leaves for what seller and buyer will hold.
    function _tickets(Deal memory deal) internal view returns (Leaf[] memory leaves) {
        bytes memory market = _market();
        leaves = new Leaf[](2);
        leaves[0] = _leaf(deal.seller, _bookWith(deal.seller, deal.instrument, -deal.quantity), market);
        leaves[1] = _leaf(deal.buyer, _bookWith(deal.buyer, deal.instrument, deal.quantity), market);
    }

    function _signTickets(Draws.Draw memory draw, Leaf[] memory leaves) internal view returns (bytes memory) {
        uint64 round = _newestValid();
        bytes32 header = Encoding.headerHash(posted[round].header);
        return _attest(Encoding.ticketsHash(round, header, _hashes(leaves)), draw.word());
    }

    function _hashes(Leaf[] memory leaves) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) hashes[i] = Encoding.leafHash(leaves[i]);
    }

    /// @dev What a trade counts for in the outflow.
    function _charge(Deal memory deal) private view returns (uint256) {
        uint256 unit = uint64(deal.price < 0 ? -deal.price : deal.price);
        uint64 strike = Encoding.strikeOf(deal.instrument);
        uint64 spot = posted[_newestValid()].quotes.spot;
        if (strike > unit) unit = strike;
        if (spot > unit) unit = spot;
        uint256 size = (uint64(deal.quantity) * unit + 1e8 - 1) / 1e8;
        require(size <= MAX_TRADE_E8, string.concat(OUTFLOW, "a trade above the policy"));
        return (size * CHARGE_BPS + 9_999) / 10_000;
    }

    function _traded(Deal memory deal) private {
        _hold(deal.seller, deal.instrument, -deal.quantity);
        _hold(deal.buyer, deal.instrument, deal.quantity);
        ++roundings;
    }

    /// @dev Two signed orders for something like what the weaker side can bear, from next to nothing to far too much.
    function _deal(Draws.Draw memory draw) internal returns (Deal memory deal) {
        deal.seller = _trader(draw);
        deal.buyer = _trader(draw);
        if (deal.seller == deal.buyer) deal.buyer = uint64((deal.buyer + 1) % TRADERS);
        if (deal.seller == deal.buyer) deal.seller = uint64((deal.seller + 1) % TRADERS);
        deal.instrument = draw.below(INSTRUMENTS);
        // Expired ones only now and then: they are refused.
        if (_isExpired(deal.instrument) && !draw.oneIn(8)) deal.instrument = draw.oneIn(3) ? 0 : 1;
        if (deal.instrument == 0 && !draw.oneIn(8)) _offerSpot(deal);
        bytes memory market = _market();
        int256[INSTRUMENTS] memory unit;
        unit[deal.instrument] = deal.instrument == 0 ? int256(1e8) : int256(-1e8);
        Figures memory one = _figures(Encoding.portfolio(unit), market);
        int256 mark = deal.instrument == 0 ? one.portfolioValue : -one.portfolioValue;
        deal.quantity = _quantity(draw, deal, one.initialMargin + 1, market);
        int256 spot = held[deal.seller][0];
        if (deal.instrument == 0 && deal.quantity > spot && spot > 0 && !draw.oneIn(8)) {
            deal.quantity = int64(spot);
        }
        mark = (mark * (draw.oneIn(8) ? draw.between(50, 200) : draw.between(97, 103))) / 100;
        if (mark < 0 && deal.instrument != 1) mark = 0;
        deal.price = int64(mark);
        _sign(deal);
    }

    /// @dev Whoever has spot sells it.
    function _offerSpot(Deal memory deal) private view {
        for (uint64 i = 0; i < held.length; ++i) {
            if (held[i][0] > 0 && i != deal.buyer) deal.seller = i;
        }
    }

    function _sign(Deal memory deal) private {
        uint32 id = Encoding.ids()[deal.instrument];
        deal.ask = Order(deal.seller, id, -deal.quantity, deal.price, ++_nonce, type(uint64).max);
        deal.bid = Order(deal.buyer, id, deal.quantity, deal.price, ++_nonce, type(uint64).max);
        deal.askSignature = _signOrder(deal.ask);
        deal.bidSignature = _signOrder(deal.bid);
    }

    function _signOrder(Order memory order) private view returns (bytes memory) {
        bytes32 digest = Encoding.digest(address(vault), Encoding.orderHash(order));
        return _sign(ownerKeys[order.account], digest);
    }

    function _quantity(
        Draws.Draw memory draw,
        Deal memory deal,
        uint256 unitMargin,
        bytes memory market
    ) private view returns (int64) {
        if (draw.oneIn(8)) return int64(uint64(1 + draw.below(1_000)));
        // Now and then what closes the seller's position.
        int256 own = held[deal.seller][deal.instrument];
        if (own > 0 && draw.oneIn(3)) return int64(own);
        uint64 weaker = draw.oneIn(2) ? deal.seller : deal.buyer;
        Figures memory f = _figures(_book(weaker), market);
        int256 excess = vault.cash(weaker) + f.portfolioValue - int256(f.initialMargin);
        if (excess <= 0) return int64(uint64(1 + draw.below(1e8)));
        uint256 most = (uint256(excess) * 1e8) / unitMargin;
        if (most > 100e8) most = 100e8;
        return int64(uint64(1 + (most * draw.below(120)) / 100));
    }

    function _isExpired(uint256 instrument) internal view returns (bool) {
        uint256 date = Encoding.expiryOf(instrument);
        return date != 2 && block.timestamp >= expiries[date];
    }

    /// @dev Somebody with positions takes out all there is above the requirement, and prices move a lot.
    function _squeeze(Draws.Draw memory draw) internal returns (bool isDone) {
        _ensureLive(draw);
        uint64 account = _trader(draw);
        for (uint64 i = 0; i < held.length && _book(account).length == 0; ++i) {
            account = uint64((account + 1) % held.length);
        }
        bytes memory book = _book(account);
        bytes memory market = _market();
        Figures memory f = _figures(book, market);
        int256 equity = vault.cash(account) + f.portfolioValue;
        int256 excess = equity - int256(f.initialMargin);
        if (equity - f.spotValue < excess) excess = equity - f.spotValue;
        if (excess < 100) return false;
        address owner = _owner(account);
        vm.prank(owner);
        try vault.withdrawFull(account, uint256(excess) / 100, owner, book, market) {
            cashOut += uint256(excess) / 100;
            if (_holdsMoreThanSpot(account)) _release((uint256(excess) / 100) * 100);
            isDone = true;
        } catch {}
    }

    // --- margin calls, slices, settlements --------------------------------------------------------------------------

    /// @dev The first unhealthy account from some place on is called, else somebody who is healthy, in vain.
    function _callMargin(Draws.Draw memory draw) internal returns (bool) {
        _ensureLive(draw);
        bytes memory market = _market();
        uint64 account = _find(_any(draw), false, market);
        bytes memory book = _book(account);
        Figures memory f = _figures(book, market);
        int256 equity = vault.cash(account) + f.portfolioValue;
        try house.callMargin(account, book, market, f.worstScenarios) {
            require(
                equity < int256(f.maintenanceMargin),
                string.concat(MARGIN, "a healthy account was called")
            );
            return true;
        } catch {
            return false;
        }
    }

    function _liquidate(Draws.Draw memory draw) internal returns (bool) {
        if (held.length >= MAX_ACCOUNTS) return false;
        _ensureLive(draw);
        bytes memory market = _market();
        uint64 account = _find(_any(draw), true, market);
        uint256 fraction = draw.oneIn(4) ? 1e18 : 1 + draw.below(MAX_SLICE_WAD + MAX_SLICE_WAD / 8);
        Figures memory f = _figures(_book(account), market);
        uint256 cash = (f.initialMargin * draw.below(60)) / 100 + draw.below(20_000e8);
        bytes memory book = _book(account);
        vm.prank(_owner(liquidator));
        try house.liquidate(account, liquidator, fraction, cash, book, market, f.worstScenarios) {
            _adopt(LIQUIDATOR_KEY);
            _slice(account, fraction);
            return true;
        } catch {
            return false;
        }
    }

    function _slice(uint64 account, uint256 fraction) private {
        uint64 fresh = uint64(held.length - 1);
        for (uint256 k = 0; k < INSTRUMENTS; ++k) {
            // Both divisions round towards zero: what is cut off is never more than its share.
            int256 part = (held[account][k] * int256(fraction)) / 1e18;
            held[account][k] -= part;
            held[fresh][k] = part;
        }
        _noteChange(account);
        _noteChange(fresh);
    }

    function _releaseCalled(Draws.Draw memory draw) internal returns (bool) {
        _ensureLive(draw);
        bytes memory market = _market();
        uint64 account = _any(draw);
        for (uint64 i = 0; i < held.length && !vault.frozen(account); ++i) {
            account = uint64((account + 1) % held.length);
        }
        bytes memory book = _book(account);
        try house.release(account, book, market) {
            Figures memory f = _figures(book, market);
            require(
                vault.cash(account) + f.portfolioValue >= int256(f.maintenanceMargin),
                string.concat(MARGIN, "an unhealthy account was released")
            );
            return true;
        } catch {
            return false;
        }
    }

    function _settleExpired(Draws.Draw memory draw) internal returns (bool) {
        uint64 account = _any(draw);
        for (uint64 i = 0; i < held.length && !_holdsExpired(account); ++i) {
            account = uint64((account + 1) % held.length);
        }
        bytes memory book = _book(account);
        bool byOwner = !draw.oneIn(3);
        if (byOwner) vm.prank(_owner(account));
        try vault.settleExpired(account, book) {
            for (uint256 k = 2; k < INSTRUMENTS; ++k) {
                uint32 expiry = expiries[Encoding.expiryOf(k)];
                uint64 since = epochs.settledAt(Encoding.UNDERLYING, expiry);
                bool isOpen = since != 0 && (byOwner || block.timestamp >= since + SETTLE_DELAY);
                if (isOpen) held[account][k] = 0;
            }
            _noteChange(account);
            ++roundings;
            return true;
        } catch {
            return false;
        }
    }

    function _holdsExpired(uint64 account) private view returns (bool) {
        for (uint256 k = 2; k < INSTRUMENTS; ++k) {
            bool isRecorded =
                epochs.settlementPrice(Encoding.UNDERLYING, expiries[Encoding.expiryOf(k)]) != 0;
            if (isRecorded && held[account][k] != 0) return true;
        }
        return false;
    }

    function _cover(Draws.Draw memory draw) internal returns (bool) {
        uint64 account = _any(draw);
        for (uint64 i = 0; i < held.length; ++i) {
            if (vault.cash(i) < 0 && _book(i).length == 0) account = i;
        }
        try fund.cover(account) returns (uint256 amount) {
            cashIn += amount;
            return true;
        } catch {
            return false;
        }
    }

    /// @dev The first account from `start` on whose equity is below maintenance, and that is called already, or not; else `start`.
    function _find(uint64 start, bool isCalled, bytes memory market) private view returns (uint64) {
        for (uint64 i = 0; i < held.length; ++i) {
            uint64 account = uint64((start + i) % held.length);
            if (vault.frozen(account) != isCalled) continue;
            Figures memory f = _figures(_book(account), market);
            if (vault.cash(account) + f.portfolioValue < int256(f.maintenanceMargin)) return account;
        }
        return start;
    }
}
