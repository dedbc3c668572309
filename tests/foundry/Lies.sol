// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IDisputes } from "../../contracts/interfaces/IDisputes.sol";
import { IEpochRegistry } from "../../contracts/interfaces/IEpochRegistry.sol";
import { EpochHeader, Figures, Leaf } from "../../contracts/interfaces/Types.sol";
import { Provenance } from "../../contracts/libraries/Provenance.sol";
import { Actions } from "./Actions.sol";
import { Draws } from "./Draws.sol";
import { Encoding } from "./Encoding.sol";

/// @title Attacks on what is true, which must fail, and disputes of what is false, which must not
abstract contract Lies is Actions {
    using Draws for Draws.Draw;

    /// @dev What is wrong with an epoch.
    enum Lie {
        Value,
        SpotValue,
        Initial,
        Maintenance,
        Worst,
        WorstLength,
        Book,
        Account,
        CountAbove,
        CountBelow
    }

    /// @dev A false epoch and what proves it.
    struct Case {
        Lie lie;
        uint64 round;
        uint64 place;
        // What the account named by the leaf really holds, and what the leaf says that it holds.
        bytes book;
        bytes claimedBook;
        bytes choices;
        bool isLarge;
        uint256 balance;
    }

    uint256 private constant HALF_OF_BONDS = (BOND * THRESHOLD) / 2;

    // --- a true epoch cannot be disputed ----------------------------------------------------------------------------

    /// @dev Everything right but the charge: committed, revealed in time, evidence and witnesses complete.
    function _attackTrueLeaf(Draws.Draw memory draw) internal {
        uint64 round = _openTrueRound(draw);
        Leaf[] memory leaves = _leavesOf(round);
        uint64 account = uint64(draw.below(leaves.length));
        Leaf memory leaf = leaves[account];
        IDisputes.Witness memory witness = _witness(draw, bookOf[leaf.portfolioHash], posted[round].market);
        (, bytes32[] memory proof) = Encoding.tree(leaves, account);
        IDisputes.Claim memory claim = _claim(draw, round, IDisputes.Kind.Leaf, bytes32(uint256(account)));
        bool isFair = _spoil(draw, round, claim, leaf, witness);
        try disputes.disputeLeaf(claim, leaf, proof, witness) {
            revert(string.concat(TRUE_STANDS, "by a leaf"));
        } catch (bytes memory reason) {
            if (isFair)
                _requireReason(reason, IDisputes.LeafIsRight.selector, "another reason than a right leaf");
        }
    }

    /// @dev By what an account held, with its true history or one that leaves something out; or by the count.
    function _attackTrueIdentity(Draws.Draw memory draw) internal {
        uint64 round = _openTrueRound(draw);
        EpochHeader memory header = posted[round].header;
        if (draw.oneIn(4)) {
            IDisputes.Claim memory count = _claim(draw, round, IDisputes.Kind.Count, 0);
            try disputes.disputeCount(count) {
                revert(string.concat(TRUE_STANDS, "by the count"));
            } catch (bytes memory reason) {
                _requireReason(reason, IDisputes.CountIsRight.selector, "another reason than a right count");
            }
            return;
        }
        Leaf[] memory leaves = _leavesOf(round);
        uint64 account = uint64(draw.below(leaves.length));
        (, bytes32[] memory proof) = Encoding.tree(leaves, account);
        IDisputes.Claim memory claim = _claim(
            draw,
            round,
            IDisputes.Kind.Identity,
            bytes32(uint256(account))
        );
        // Nothing is wrong with the block it is cut at unless it is another one than the header's.
        uint64 cutAt = draw.oneIn(2) ? header.blockNumber : uint64(draw.below(block.number + 1));
        Provenance.History memory history = _history(account, cutAt);
        if (draw.oneIn(4) && history.later.length != 0) history.later[0].portfolioHash = bytes32(draw.word());
        try disputes.disputeIdentity(claim, account, leaves[account], proof, history) {
            revert(string.concat(TRUE_STANDS, "by what an account held"));
        } catch (bytes memory reason) {
            if (cutAt != header.blockNumber || _differs(history, _history(account, cutAt))) return;
            _requireReason(
                reason,
                IDisputes.IdentityIsRight.selector,
                "another reason than a right identity"
            );
        }
    }

    function _attackTrueTicket(Draws.Draw memory draw) internal returns (bool) {
        if (ticketRound == 0 || block.timestamp >= _finalAt(ticketRound)) return false;
        Leaf[] memory leaves = abi.decode(ticketLeaves, (Leaf[]));
        IDisputes.Batch memory batch = IDisputes.Batch(_hashes(leaves), ticketSignatures);
        uint256 place = draw.below(2);
        bytes memory book = bookOf[leaves[place].portfolioHash];
        IDisputes.Witness memory witness = _witness(draw, book, posted[ticketRound].market);
        try this.revealTicket(ticketRound, batch, place, leaves[place], witness) {
            revert(string.concat(TRUE_STANDS, "by its tickets"));
        } catch (bytes memory reason) {
            _requireReason(reason, IDisputes.LeafIsRight.selector, "another reason than a right ticket");
        }
        return true;
    }

    /// @dev Any choices for a book, mostly an index that exists.
    function _witness(
        Draws.Draw memory draw,
        bytes memory book,
        bytes memory market
    ) private view returns (IDisputes.Witness memory) {
        if (book.length == 0) return IDisputes.Witness(book, market, "");
        uint8 index = uint8(draw.below(indexCount));
        return IDisputes.Witness(book, market, abi.encodePacked(Encoding.UNDERLYING, index));
    }

    /// @dev Mostly nothing; else one thing that does not belong. Returns whether all belongs.
    function _spoil(
        Draws.Draw memory draw,
        uint64 round,
        IDisputes.Claim memory claim,
        Leaf memory leaf,
        IDisputes.Witness memory witness
    ) private view returns (bool) {
        uint256 kind = draw.below(16);
        if (kind > 7) return true;
        uint64 other = rounds[draw.below(rounds.length)];
        if (kind == 0) witness.market = posted[other].market;
        else if (kind == 1) witness.portfolio = _book(_any(draw));
        else if (kind == 2) witness.choices = abi.encodePacked(witness.choices, uint16(draw.word()));
        else if (kind == 3) witness.choices = abi.encodePacked(Encoding.UNDERLYING, uint8(indexCount));
        else if (kind == 4) leaf.initialMargin += 1;
        else if (kind == 5) claim.header = posted[other].header;
        else if (kind == 6)
            witness.market[draw.below(witness.market.length)] ^= bytes1(uint8(1 + draw.below(255)));
        else claim.header.leafRoot = bytes32(draw.word());
        round;
        return false;
    }

    /// @dev A true epoch that can still be disputed.
    function _openTrueRound(Draws.Draw memory draw) private returns (uint64 round) {
        for (uint256 i = 0; i < 3; ++i) {
            round = rounds[draw.below(rounds.length)];
            if (!posted[round].isLie && block.timestamp < _finalAt(round)) return round;
        }
        _postTrue(draw, false);
        return _newestValid();
    }

    function _requireReason(bytes memory reason, bytes4 expected, string memory what) private pure {
        require(bytes4(reason) == expected, string.concat(TRUE_STANDS, what));
    }

    // --- a wrong epoch can always be disputed -----------------------------------------------------------------------

    /// @dev Attesters sign a lie; perhaps true epochs follow; within the window somebody proves it.
    function _lie(Draws.Draw memory draw) internal returns (string memory name) {
        Case memory c = _falseEpoch(draw);
        name = _nameOf(c.lie);
        if (draw.oneIn(2)) {
            _pass(draw.below(20 minutes));
            _postTrue(draw, draw.oneIn(3));
        }
        // To the last second, sometimes.
        uint256 left = _finalAt(c.round) - block.timestamp;
        _pass(draw.oneIn(4) ? left - 1 : draw.below(left / 2));
        _prove(draw, c);
    }

    /// @dev As `_lie`, but an account withdraws on its false leaf first, as much as it is let.
    function _theft(Draws.Draw memory draw) internal returns (bool) {
        uint64 account = uint64(draw.below(TRADERS));
        if (vault.frozen(account)) return false;
        _moveMarket(draw, false);
        Leaf[] memory leaves = _leaves(Encoding.market(now_, expiries));
        Case memory c;
        c.place = account;
        c.book = c.claimedBook = _book(account);
        c.choices = leaves[account].worstScenarios;
        leaves[account].portfolioValue += 1_000_000e8;
        (c.lie, c.isLarge) = (Lie.Value, true);
        _post(draw, leaves, uint64(leaves.length), true);
        c.round = rounds[rounds.length - 1];
        uint256 taken = 0;
        // Mostly a little, so that others find some budget left; else until nothing more is let out.
        uint256 times = draw.oneIn(4) ? 6 : 1;
        for (uint256 i = 6 - times; i < 6; ++i) {
            if (_takeOnLeaf(account, MAX_WITHDRAWAL_E8 / 100 / (i + 1), leaves)) ++taken;
        }
        _prove(draw, c);
        return taken != 0;
    }

    /// @dev Attesters sign a false ticket. Used or not, it is proven wrong, and of no use afterwards.
    function _lieInTicket(Draws.Draw memory draw) internal returns (bool) {
        _ensureLive(draw);
        uint64 round = _newestValid();
        Deal memory deal = _deal(draw);
        // What a trade leads to has to exist for the leaf to be of something.
        if (deal.instrument == 0 && held[deal.seller][0] < deal.quantity) return false;
        Leaf[] memory leaves = _tickets(deal);
        uint256 place = draw.below(2);
        bytes memory worst = bytes.concat(leaves[place].worstScenarios);
        _falsify(draw, leaves[place], Lie(draw.below(4)), draw.oneIn(4));
        IDisputes.Batch memory batch = IDisputes.Batch(_hashes(leaves), _signTickets(draw, leaves));
        bytes memory book =
            place == 0
                ? _bookWith(deal.seller, deal.instrument, -deal.quantity)
                : _bookWith(deal.buyer, deal.instrument, deal.quantity);
        IDisputes.Witness memory witness = IDisputes.Witness(book, posted[round].market, worst);
        try this.revealTicket(round, batch, place, leaves[place], witness) {} catch {
            revert(string.concat(FALSE_FALLS, "a ticket stands"));
        }
        bytes32 digest = disputes.ticketDigest(
            round,
            Encoding.headerHash(posted[round].header),
            batch.leaves
        );
        require(epochs.isInvalidTicket(digest), string.concat(FALSE_FALLS, "a ticket is still valid"));
        _mendAttesters();
        require(
            !_settleAttested(deal, leaves, batch.signatures),
            string.concat(FALSE_FALLS, "a ticket found wrong was used")
        );
        return true;
    }

    /// @notice Commit to a ticket's dispute and reveal it; this contract only, which catches what it reverts with.
    function revealTicket(
        uint64 round,
        IDisputes.Batch calldata batch,
        uint256 place,
        Leaf calldata leaf,
        IDisputes.Witness calldata witness
    ) external {
        require(msg.sender == address(this), "only the handler itself");
        Posted storage epoch = posted[round];
        bytes32 digest = disputes.ticketDigest(round, Encoding.headerHash(epoch.header), batch.leaves);
        bytes32 salt = keccak256(abi.encode(digest));
        disputes.commit(disputes.commitmentOf(address(this), IDisputes.Kind.Ticket, round, digest, salt));
        vm.roll(block.number + 1);
        disputes.disputeTicket(epoch.header, keccak256(epoch.signatures), batch, place, leaf, witness, salt);
    }

    /// @dev Posts an epoch with one lie.
    function _falseEpoch(Draws.Draw memory draw) private returns (Case memory c) {
        _moveMarket(draw, false);
        bytes memory market = Encoding.market(now_, expiries);
        Leaf[] memory leaves = _leaves(market);
        c.lie = Lie(draw.below(10));
        c.place = uint64(draw.below(leaves.length));
        // A worst scenario needs positions.
        for (
            uint256 i = 0;
            i < leaves.length && held[c.place].length != 0 && _book(c.place).length == 0;
            ++i
        ) {
            c.place = uint64((c.place + 1) % leaves.length);
        }
        c.book = c.claimedBook = _book(c.place);
        // A copy: the lie may be in the leaf's own.
        c.choices = bytes.concat(leaves[c.place].worstScenarios);
        if (c.lie == Lie.Worst && c.book.length == 0) c.lie = Lie.WorstLength;
        uint64 count = uint64(leaves.length);
        if (c.lie == Lie.Book) {
            // True figures of a book that the account does not hold.
            c.claimedBook = _bookWith(c.place, 1, draw.oneIn(2) ? int256(1) : int256(1e8));
            leaves[c.place] = _leaf(c.place, c.claimedBook, market);
        } else if (c.lie == Lie.Account) {
            leaves[c.place].account = uint64(draw.oneIn(2) ? leaves.length : c.place + 1);
        } else if (c.lie == Lie.CountAbove) {
            ++count;
            leaves = _longer(leaves);
        } else if (c.lie == Lie.CountBelow) {
            --count;
            assembly ("memory-safe") {
                mstore(leaves, count)
            }
        } else {
            c.isLarge = _falsify(draw, leaves[c.place], c.lie, draw.oneIn(5));
            // A wrong worst scenario shows at the right one, and as well at itself, where the requirement is another.
            bool atItself = c.lie == Lie.Worst && draw.oneIn(2);
            if (atItself && _isBelow(leaves[c.place], c.book, market)) {
                c.choices = leaves[c.place].worstScenarios;
            }
        }
        _post(draw, leaves, count, true);
        c.round = rounds[rounds.length - 1];
    }

    function _isBelow(Leaf memory leaf, bytes memory book, bytes memory market) private view returns (bool) {
        Figures memory f = court.repriceScenario(modelHash, book, market, leaf.worstScenarios);
        return f.initialMargin < leaf.initialMargin;
    }

    /// @dev Another leaf at the end, of an account that was never opened.
    function _longer(Leaf[] memory leaves) private pure returns (Leaf[] memory more) {
        more = new Leaf[](leaves.length + 1);
        for (uint256 i = 0; i < leaves.length; ++i) more[i] = leaves[i];
        more[leaves.length].account = uint64(leaves.length);
        more[leaves.length].portfolioHash = keccak256("");
    }

    /// @dev Makes one field of a leaf wrong, by one unit or by a lot, up or down; returns whether by a lot.
    function _falsify(
        Draws.Draw memory draw,
        Leaf memory leaf,
        Lie lie,
        bool isLarge
    ) private view returns (bool) {
        uint256 difference = isLarge ? MATERIALITY_E8 + draw.below(1e16) : 1;
        bool up = draw.oneIn(2);
        int256 signed = up ? int256(difference) : -int256(difference);
        if (lie == Lie.Value) leaf.portfolioValue += signed;
        else if (lie == Lie.SpotValue) leaf.spotValue += signed;
        else if (lie == Lie.Initial) leaf.initialMargin = _moved(leaf.initialMargin, difference, up);
        else if (lie == Lie.Maintenance)
            leaf.maintenanceMargin = _moved(leaf.maintenanceMargin, difference, up);
        else {
            if (lie == Lie.WorstLength) {
                leaf.worstScenarios = abi.encodePacked(leaf.worstScenarios, uint16(draw.word()));
            } else {
                uint256 index = uint8(leaf.worstScenarios[1]) + 1 + draw.below(indexCount - 1);
                leaf.worstScenarios[1] = bytes1(uint8(index % indexCount));
            }
            return false;
        }
        return isLarge;
    }

    function _moved(uint256 margin, uint256 difference, bool up) private pure returns (uint256) {
        return up || margin < difference ? margin + difference : margin - difference;
    }

    /// @dev Commits and reveals; the epoch must fall, the claimant be paid, and the epoch before it, if it was the newest, be in force again.
    function _prove(Draws.Draw memory draw, Case memory c) private {
        c.balance = usd.balanceOf(address(this));
        bool wasNewest = _newestValid() == c.round;
        _reveal(draw, c);
        posted[c.round].isInvalid = true;
        require(
            _standing(c.round) == IEpochRegistry.Standing.Invalid,
            string.concat(FALSE_FALLS, _nameOf(c.lie))
        );
        uint256 paid = usd.balanceOf(address(this)) - c.balance;
        uint256 due = c.isLarge ? HALF_OF_BONDS : BOUNTY;
        require(paid == due, string.concat(FALSE_FALLS, _nameOf(c.lie), ", but paid ", vm.toString(paid)));
        _mendAttesters();
        if (!wasNewest) return;
        now_ = posted[_newestValid()].quotes;
        if (draw.oneIn(2)) epochs.restoreSpots(_market());
    }

    function _reveal(Draws.Draw memory draw, Case memory c) private {
        if (c.lie == Lie.CountAbove || c.lie == Lie.CountBelow) {
            IDisputes.Claim memory claim = _claim(draw, c.round, IDisputes.Kind.Count, 0);
            try disputes.disputeCount(claim) {} catch {
                revert(string.concat(FALSE_FALLS, _nameOf(c.lie)));
            }
            return;
        }
        Leaf[] memory leaves = _leavesOf(c.round);
        (, bytes32[] memory proof) = Encoding.tree(leaves, c.place);
        if (c.lie == Lie.Book || c.lie == Lie.Account) _revealIdentity(draw, c, leaves[c.place], proof);
        else _revealLeaf(draw, c, leaves[c.place], proof);
    }

    function _revealIdentity(
        Draws.Draw memory draw,
        Case memory c,
        Leaf memory leaf,
        bytes32[] memory proof
    ) private {
        bytes32 subject = bytes32(uint256(c.place));
        IDisputes.Claim memory claim = _claim(draw, c.round, IDisputes.Kind.Identity, subject);
        Provenance.History memory history = _history(c.place, posted[c.round].header.blockNumber);
        try disputes.disputeIdentity(claim, c.place, leaf, proof, history) {} catch {
            revert(string.concat(FALSE_FALLS, _nameOf(c.lie)));
        }
    }

    function _revealLeaf(
        Draws.Draw memory draw,
        Case memory c,
        Leaf memory leaf,
        bytes32[] memory proof
    ) private {
        bytes32 subject = bytes32(uint256(c.place));
        IDisputes.Claim memory claim = _claim(draw, c.round, IDisputes.Kind.Leaf, subject);
        IDisputes.Witness memory witness = IDisputes.Witness(c.book, posted[c.round].market, c.choices);
        try disputes.disputeLeaf(claim, leaf, proof, witness) {} catch {
            revert(string.concat(FALSE_FALLS, _nameOf(c.lie)));
        }
    }

    // --- evidence ---------------------------------------------------------------------------------------------------

    /// @dev The evidence of an epoch, committed to in an earlier block.
    function _claim(
        Draws.Draw memory draw,
        uint64 round,
        IDisputes.Kind kind,
        bytes32 subject
    ) private returns (IDisputes.Claim memory claim) {
        Posted storage epoch = posted[round];
        uint64 before = _validBefore(round);
        claim.header = epoch.header;
        claim.signatures = epoch.signatures;
        claim.fallbackHeader = posted[before].header;
        claim.fallbackSignatures = keccak256(posted[before].signatures);
        claim.salt = bytes32(draw.word());
        disputes.commit(disputes.commitmentOf(address(this), kind, round, subject, claim.salt));
        vm.roll(block.number + 1);
    }

    /// @dev What an account held after a block, provably.
    function _history(
        uint64 account,
        uint64 blockNumber
    ) private view returns (Provenance.History memory history) {
        Provenance.Change[] storage all = changes[account];
        uint256 count = 0;
        while (count < all.length && all[count].blockNumber <= blockNumber) ++count;
        for (uint256 i = 0; i + 1 < count; ++i) {
            history.before = keccak256(
                abi.encodePacked(history.before, all[i].blockNumber, all[i].portfolioHash)
            );
        }
        if (count != 0) {
            history.changedAt = all[count - 1].blockNumber;
            history.portfolioHash = all[count - 1].portfolioHash;
        }
        history.later = new Provenance.Change[](all.length - count);
        for (uint256 i = 0; i < history.later.length; ++i) history.later[i] = all[count + i];
    }

    function _differs(Provenance.History memory a, Provenance.History memory b) private pure returns (bool) {
        return keccak256(abi.encode(a)) != keccak256(abi.encode(b));
    }

    function _nameOf(Lie lie) private pure returns (string memory) {
        if (lie == Lie.Value) return "portfolio value";
        if (lie == Lie.SpotValue) return "spot value";
        if (lie == Lie.Initial) return "initial margin";
        if (lie == Lie.Maintenance) return "maintenance margin";
        if (lie == Lie.Worst) return "worst scenario";
        if (lie == Lie.WorstLength) return "malformed worst scenarios";
        if (lie == Lie.Book) return "another portfolio";
        if (lie == Lie.Account) return "another account";
        return lie == Lie.CountAbove ? "one leaf too many" : "one leaf too few";
    }
}
