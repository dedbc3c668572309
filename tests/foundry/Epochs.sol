// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IEpochRegistry } from "../../contracts/interfaces/IEpochRegistry.sol";
import { EpochHeader, Figures, Leaf } from "../../contracts/interfaces/Types.sol";
import { Provenance } from "../../contracts/libraries/Provenance.sol";
import { Draws } from "./Draws.sol";
import { Encoding, INSTRUMENTS } from "./Encoding.sol";
import { Venue } from "./Venue.sol";

/// @title What every account holds, kept apart from the ledger, and epochs over it, true and false
abstract contract Epochs is Venue {
    using Draws for Draws.Draw;

    /// @dev An epoch as posted. Leaves are kept encoded.
    struct Posted {
        EpochHeader header;
        bytes signatures;
        bytes market;
        bytes leaves;
        Encoding.Market quotes;
        bool isLie;
        bool isInvalid;
    }

    uint256 private constant MIN_SPOT = 30_000e8;
    uint256 private constant MAX_SPOT = 300_000e8;

    Encoding.Market internal now_;
    /// @dev Quantities by account and instrument, E8.
    int256[INSTRUMENTS][] internal held;
    /// @dev Keys of the owners, by account.
    uint256[] internal ownerKeys;
    /// @dev Changes of the portfolio, by account.
    Provenance.Change[][] internal changes;
    /// @dev Portfolio bytes by their hash.
    mapping(bytes32 => bytes) internal bookOf;
    uint64[] internal rounds;
    mapping(uint64 => Posted) internal posted;

    constructor() {
        (now_.token, now_.spot, now_.perpetual, now_.vol) = (1e8, 100_000e8, 100_000e8, 6e17);
        now_.confidence = 1e18;
        now_.forwards = [now_.spot, now_.spot];
        now_.time = uint64(START);
    }

    // --- accounts ---------------------------------------------------------------------------------------------------

    function _open(uint256 ownerKey) internal returns (uint64 account) {
        account = vault.openAccount(vm.addr(ownerKey));
        _adopt(ownerKey);
    }

    /// @dev Keeps an account that was opened.
    function _adopt(uint256 ownerKey) internal {
        held.push();
        ownerKeys.push(ownerKey);
        changes.push();
    }

    function _owner(uint64 account) internal view returns (address) {
        return vm.addr(ownerKeys[account]);
    }

    function _book(uint64 account) internal view returns (bytes memory) {
        return Encoding.portfolio(held[account]);
    }

    /// @dev The portfolio bytes after a change that did not happen yet.
    function _bookWith(
        uint64 account,
        uint256 instrument,
        int256 quantity
    ) internal view returns (bytes memory) {
        int256[INSTRUMENTS] memory after_ = held[account];
        after_[instrument] += quantity;
        return Encoding.portfolio(after_);
    }

    function _hold(uint64 account, uint256 instrument, int256 quantity) internal {
        held[account][instrument] += quantity;
        _noteChange(account);
    }

    function _noteChange(uint64 account) internal {
        bytes memory book = _book(account);
        changes[account].push(Provenance.Change(uint64(block.number), keccak256(book)));
        bookOf[keccak256(book)] = book;
    }

    function _figures(bytes memory book, bytes memory market) internal view returns (Figures memory) {
        return court.recompute(modelHash, book, market);
    }

    // --- markets ----------------------------------------------------------------------------------------------------

    /// @dev Moves the market to the block's time, within what the venue accepts of honest attesters, and the feed with it.
    function _moveMarket(Draws.Draw memory draw, bool isCrash) internal {
        Encoding.Market memory m = now_;
        uint256 elapsed = block.timestamp - m.time;
        m.time = uint64(block.timestamp);
        int256 most =
            !isCrash
                ? int256(150)
                : draw.oneIn(3)
                    ? int256(4_000)
                    : int256(1_500);
        uint256 spot = (uint256(m.spot) * uint256(10_000 + draw.between(-most, most))) / 10_000;
        m.spot = uint64(
            spot < MIN_SPOT
                ? MIN_SPOT
                : spot > MAX_SPOT
                    ? MAX_SPOT
                    : spot
        );
        m.perpetual = _near(draw, m.spot, 30);
        m.confidence = uint64(1e18 - draw.below(1e16));
        m.token = _near(draw, 1e8, 20);
        int256 funding = int256((uint256(m.spot) * elapsed * 4_000) / (1e6 * 1 days));
        m.funding += int64(draw.between(-funding, funding));
        uint256 vol = (uint256(m.vol) * uint256(10_000 + draw.between(-1_000, 1_000))) / 10_000;
        m.vol = uint64(
            vol < 3e17
                ? 3e17
                : vol > 2e18
                    ? 2e18
                    : vol
        );
        m.rho = int64(draw.between(-3e17, 3e17));
        for (uint256 i = 0; i < 2; ++i) {
            m.forwards[i] = _near(draw, m.spot, 40);
            m.rates[i] = int64(draw.between(-8e15, 8e15));
            if (m.time >= expiries[i] && m.settled[i] == 0) {
                uint64 recorded = epochs.settlementPrice(Encoding.UNDERLYING, expiries[i]);
                m.settled[i] = recorded == 0 ? _near(draw, m.spot, 100) : recorded;
            }
        }
        now_ = m;
        feed.setAnswer(int256(uint256(m.spot)), block.timestamp);
    }

    function _near(Draws.Draw memory draw, uint64 price, int256 bps) private pure returns (uint64) {
        return uint64((uint256(price) * uint256(10_000 + draw.between(-bps, bps))) / 10_000);
    }

    // --- epochs -----------------------------------------------------------------------------------------------------

    /// @dev True leaves of all accounts as they are now.
    function _leaves(bytes memory market) internal view returns (Leaf[] memory leaves) {
        leaves = new Leaf[](held.length);
        for (uint64 i = 0; i < leaves.length; ++i) leaves[i] = _leaf(i, _book(i), market);
    }

    function _leaf(
        uint64 account,
        bytes memory book,
        bytes memory market
    ) internal view returns (Leaf memory) {
        Figures memory f = _figures(book, market);
        return
            Leaf(
                account,
                keccak256(book),
                f.portfolioValue,
                f.spotValue,
                f.initialMargin,
                f.maintenanceMargin,
                f.worstScenarios
            );
    }

    /// @dev A header over leaves of the accounts as they are now; the blocks that it needs behind it pass.
    function _header(Leaf[] memory leaves, bytes memory market) internal returns (EpochHeader memory header) {
        header.blockNumber = uint64(block.number);
        vm.roll(block.number + MIN_DEPTH + 1);
        header.round = epochs.lastRound() + 1;
        header.time = now_.time;
        header.blockHash = blockhash(header.blockNumber);
        header.validUntil = header.time + MAX_AGE;
        for (uint256 i = 0; i < 2; ++i) {
            bool isNext = expiries[i] > header.time && expiries[i] < header.validUntil;
            if (isNext) header.validUntil = expiries[i];
        }
        header.modelHash = modelHash;
        header.marketHash = Encoding.marketHash(market);
        (header.leafRoot, ) = Encoding.tree(leaves, 0);
        header.leafCount = uint64(leaves.length);
    }

    /// @dev Posts what attesters sign; it must be accepted, true or false: the registry cannot tell.
    function _post(Draws.Draw memory draw, Leaf[] memory leaves, uint64 leafCount, bool isLie) internal {
        bytes memory market = Encoding.market(now_, expiries);
        EpochHeader memory header = _header(leaves, market);
        header.leafCount = leafCount;
        bytes memory signatures = _attest(Encoding.headerHash(header), draw.word());
        uint64 last = _newestValid();
        epochs.post(header, signatures, market, last == 0 ? bytes("") : posted[last].market);
        posted[header.round] = Posted(header, signatures, market, abi.encode(leaves), now_, isLie, false);
        rounds.push(header.round);
    }

    function _postTrue(Draws.Draw memory draw, bool isCrash) internal {
        _moveMarket(draw, isCrash);
        Leaf[] memory leaves = _leaves(Encoding.market(now_, expiries));
        _post(draw, leaves, uint64(leaves.length), false);
    }

    /// @dev A true epoch is in force afterwards, with spots.
    function _ensureLive(Draws.Draw memory draw) internal {
        uint64 last = _newestValid();
        bool isLive = last != 0 && block.timestamp < posted[last].header.validUntil;
        if (!isLive || epochs.spotOf(Encoding.UNDERLYING) == 0) _postTrue(draw, false);
    }

    /// @dev The newest valid round by this contract's own record; 0 if there is none.
    function _newestValid() internal view returns (uint64) {
        return _validBefore(type(uint64).max);
    }

    function _validBefore(uint64 round) internal view returns (uint64) {
        for (uint256 i = rounds.length; i > 0; --i) {
            if (rounds[i - 1] < round && !posted[rounds[i - 1]].isInvalid) return rounds[i - 1];
        }
        return 0;
    }

    function _standing(uint64 round) internal view returns (IEpochRegistry.Standing standing) {
        (, standing, ) = epochs.record(round);
    }

    function _finalAt(uint64 round) internal view returns (uint64 finalAt) {
        (, , finalAt) = epochs.record(round);
    }

    /// @dev The market that actions are judged by now.
    function _market() internal view returns (bytes memory) {
        return posted[_newestValid()].market;
    }

    function _leavesOf(uint64 round) internal view returns (Leaf[] memory) {
        return abi.decode(posted[round].leaves, (Leaf[]));
    }
}
