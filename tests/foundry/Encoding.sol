// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EpochHeader, Leaf, Order } from "../../contracts/interfaces/Types.sol";

/// @dev How many instruments are traded.
uint256 constant INSTRUMENTS = 8;

/// @title Markets, portfolios, typed data and trees, encoded here once more and not with the contracts' libraries
library Encoding {
    /// @notice What a snapshot of the one underlying says. Prices and funding E8, the rest WAD; `vols` is annual volatility.
    struct Market {
        uint64 time;
        uint64 token;
        uint64 spot;
        uint64 perpetual;
        uint64 confidence;
        int64 funding;
        uint64[2] forwards;
        int64[2] rates;
        uint64 vol;
        int64 rho;
        uint64[2] settled;
    }

    uint8 internal constant UNDERLYING = 1;

    uint256 private constant YEAR = 365 days;

    /// @notice Instrument ids, increasing: spot, perpetual; of the first expiry the future, a call and two puts; of the second a put and a call.
    function ids() internal pure returns (uint32[INSTRUMENTS] memory) {
        return
            [
                _id(0, 0, false),
                _id(1, 0, false),
                _id(2, 0, false),
                _id(2, 1, false),
                _id(2, 1, true),
                _id(2, 2, true),
                _id(3, 2, true),
                _id(3, 3, false)
            ];
    }

    /// @notice Strikes by index, from 1, E8.
    function strikes() internal pure returns (uint64[] memory all) {
        all = new uint64[](3);
        (all[0], all[1], all[2]) = (100_000e8, 80_000e8, 120_000e8);
    }

    /// @notice The strike of an instrument, E8; 0 if it has none.
    function strikeOf(uint256 instrument) internal pure returns (uint64) {
        uint256 index = (ids()[instrument] >> 1) & 32767;
        return index == 0 ? 0 : strikes()[index - 1];
    }

    /// @notice Which of the two expiries an instrument has; 2 if none.
    function expiryOf(uint256 instrument) internal pure returns (uint256) {
        return
            instrument < 2
                ? 2
                : instrument < 6
                    ? 0
                    : 1;
    }

    /// @notice What an instrument pays per unit at a settlement price, E8.
    function payoff(uint256 instrument, uint64 price) internal pure returns (int256) {
        int256 strike = int256(uint256(strikeOf(instrument)));
        if (strike == 0) return int256(uint256(price));
        int256 beyond = int256(uint256(price)) - strike;
        if (ids()[instrument] & 1 != 0) beyond = -beyond;
        return beyond > 0 ? beyond : int256(0);
    }

    /// @notice Portfolio bytes of quantities.
    function portfolio(int256[INSTRUMENTS] memory quantities) internal pure returns (bytes memory packed) {
        uint32[INSTRUMENTS] memory all = ids();
        for (uint256 i = 0; i < INSTRUMENTS; ++i) {
            if (quantities[i] == 0) continue;
            packed = abi.encodePacked(packed, all[i], int64(quantities[i]));
        }
    }

    /// @notice Canonical bytes of a market.
    function market(Market memory m, uint32[2] memory expiries) internal pure returns (bytes memory) {
        bytes memory settled;
        bytes memory live;
        uint8 settledCount;
        for (uint256 i = 0; i < 2; ++i) {
            if (expiries[i] <= m.time) {
                settled = abi.encodePacked(settled, expiries[i], m.settled[i]);
                ++settledCount;
            } else {
                live = abi.encodePacked(live, _quote(m, i, expiries[i]));
            }
        }
        return
            abi.encodePacked(
                abi.encodePacked(m.time, m.token, uint8(1), UNDERLYING, m.spot, m.perpetual),
                abi.encodePacked(m.confidence, m.funding, settledCount, settled, 2 - settledCount, live)
            );
    }

    /// @notice The hash of a market of one underlying: of its quotes by pairs, of pairs by twos, of these with what stands before them.
    function marketHash(bytes memory packed) internal pure returns (bytes32) {
        uint256 quotesAt = 17 + 34 + 12 * uint8(packed[17 + 33]) + 1;
        bytes memory section = _cut(packed, 17, quotesAt);
        for (uint256 at = quotesAt; at < packed.length; at += 4 * 68) {
            bytes memory group = abi.encodePacked(keccak256(_cut(packed, at, at + 2 * 68)));
            if (at + 2 * 68 < packed.length) {
                group = abi.encodePacked(group, keccak256(_cut(packed, at + 2 * 68, at + 4 * 68)));
            }
            section = abi.encodePacked(section, keccak256(group));
        }
        return keccak256(abi.encodePacked(_cut(packed, 0, 17), keccak256(section)));
    }

    /// @dev The bytes from one offset to before another, or to the end.
    function _cut(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory part) {
        if (to > data.length) to = data.length;
        part = new bytes(to - from);
        for (uint256 i = 0; i < part.length; ++i) part[i] = data[from + i];
    }

    /// @notice The struct hash of a header.
    function headerHash(EpochHeader memory header) internal pure returns (bytes32) {
        bytes32 kind = keccak256(
            "EpochHeader(uint64 round,uint64 time,uint64 blockNumber,bytes32 blockHash,uint64 validUntil,bytes32 modelHash,bytes32 marketHash,bytes32 leafRoot,uint64 leafCount)"
        );
        return keccak256(abi.encode(kind, header));
    }

    /// @notice The struct hash of a leaf.
    function leafHash(Leaf memory leaf) internal pure returns (bytes32) {
        bytes32 kind = keccak256(
            "Leaf(uint64 account,bytes32 portfolioHash,int256 portfolioValue,int256 spotValue,uint256 initialMargin,uint256 maintenanceMargin,bytes worstScenarios)"
        );
        return
            keccak256(
                abi.encode(
                    kind,
                    leaf.account,
                    leaf.portfolioHash,
                    leaf.portfolioValue,
                    leaf.spotValue,
                    leaf.initialMargin,
                    leaf.maintenanceMargin,
                    keccak256(leaf.worstScenarios)
                )
            );
    }

    /// @notice A leaf as a withdrawal shows it: how many underlyings it names, its figures and pairs, and what comes after.
    function shownLeaf(Leaf memory leaf, bytes memory rest) internal pure returns (bytes memory) {
        uint8 pairs = uint8(leaf.worstScenarios.length / 2);
        return bytes.concat(abi.encodePacked(pairs), _figures(leaf), leaf.worstScenarios, rest);
    }

    /// @notice One side of a trade on tickets, as it is shown.
    function shownSide(
        Order memory order,
        bytes memory signature,
        Leaf memory leaf,
        bytes memory book
    ) internal pure returns (bytes memory) {
        return
            bytes.concat(
                abi.encodePacked(order.price, order.account, order.nonce, order.deadline),
                signature,
                abi.encodePacked(uint8(leaf.worstScenarios.length / 2), uint8(book.length / 12)),
                _figures(leaf),
                leaf.worstScenarios,
                book
            );
    }

    /// @notice The struct hash of an order.
    function orderHash(Order memory order) internal pure returns (bytes32) {
        bytes32 kind = keccak256(
            "Order(uint64 account,uint32 instrument,int64 quantity,int64 price,uint64 nonce,uint64 deadline)"
        );
        return keccak256(abi.encode(kind, order));
    }

    /// @notice The struct hash of tickets.
    function ticketsHash(
        uint64 round,
        bytes32 header,
        bytes32[] memory leaves
    ) internal pure returns (bytes32) {
        bytes32 kind = keccak256("Tickets(uint64 round,bytes32 headerHash,bytes32[] leaves)");
        return keccak256(abi.encode(kind, round, header, keccak256(abi.encodePacked(leaves))));
    }

    /// @notice The EIP-712 domain of a contract of this protocol.
    function domain(address verifier) internal view returns (bytes32) {
        bytes32 kind = keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        );
        return keccak256(abi.encode(kind, keccak256("marginproof"), keccak256("1"), block.chainid, verifier));
    }

    /// @notice What is signed for a struct hash.
    function digest(address verifier, bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", domain(verifier), structHash));
    }

    /// @notice The root over leaves, and the siblings of one of them from the leaf up.
    function tree(
        Leaf[] memory leaves,
        uint256 index
    ) internal pure returns (bytes32 root, bytes32[] memory proof) {
        uint256 depth = 0;
        while (1 << depth < leaves.length) ++depth;
        bytes32[] memory level = new bytes32[](1 << depth);
        for (uint256 i = 0; i < level.length; ++i) {
            level[i] = i < leaves.length ? leafHash(leaves[i]) : keccak256("marginproof.empty-leaf");
        }
        proof = new bytes32[](depth);
        for (uint256 height = 0; height < depth; ++height) {
            proof[height] = level[index ^ 1];
            index >>= 1;
            for (uint256 i = 0; i < 1 << (depth - height - 1); ++i) {
                level[i] = keccak256(abi.encodePacked(level[2 * i], level[2 * i + 1]));
            }
        }
        root = level[0];
    }

    function _figures(Leaf memory leaf) private pure returns (bytes memory) {
        return
            abi.encodePacked(
                int96(leaf.portfolioValue),
                int96(leaf.spotValue),
                uint96(leaf.initialMargin),
                uint96(leaf.maintenanceMargin)
            );
    }

    function _id(uint32 expiryIndex, uint32 strikeIndex, bool put) private pure returns (uint32) {
        return (uint32(UNDERLYING) << 26) | (expiryIndex << 16) | (strikeIndex << 1) | (put ? 1 : 0);
    }

    /// @dev A smile whose variance per year stays as it is while the expiry comes nearer.
    function _quote(Market memory m, uint256 i, uint32 expiry) private pure returns (bytes memory) {
        uint256 left = expiry - m.time;
        int64 a = int64(uint64((uint256(m.vol) * m.vol * left) / (YEAR * 1e18)));
        int64 b = int64(uint64((5e16 * left) / YEAR));
        return
            abi.encodePacked(
                expiry,
                m.forwards[i],
                m.rates[i],
                m.confidence,
                a,
                b,
                m.rho,
                int64(0),
                int64(1e17)
            );
    }
}
