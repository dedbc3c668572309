// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IProvenanceErrors } from "../interfaces/IProvenanceErrors.sol";

/// @title What an account held after a block (provenance.py)
/// @notice A ledger keeps one word per account: starting from zero, every change of the portfolio is folded into it with its block. Whoever
///         knows the changes, which are events, proves from that word what the account held after any block.
library Provenance {
    /// @notice One change: the block, and the hash of the whole new portfolio.
    struct Change {
        uint64 blockNumber;
        bytes32 portfolioHash;
    }

    /// @notice The last change up to some block: the word before it, its block and its portfolio hash; and all changes after it.
    /// @dev If nothing had changed by then, `before`, `changedAt` and `portfolioHash` are zero and `later` is every change there is.
    struct History {
        bytes32 before;
        uint64 changedAt;
        bytes32 portfolioHash;
        Change[] later;
    }

    bytes32 internal constant EMPTY_PORTFOLIO = keccak256("");

    /// @notice The word after a change.
    /// @param previous The word before it; zero for the first change.
    /// @param blockNumber The block of the change.
    /// @param portfolioHash Hash of the portfolio afterwards.
    function fold(
        bytes32 previous,
        uint64 blockNumber,
        bytes32 portfolioHash
    ) internal pure returns (bytes32 result) {
        // Equals keccak256(abi.encodePacked(previous, blockNumber, portfolioHash)).
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, previous)
            mstore(add(free, 32), shl(192, blockNumber))
            mstore(add(free, 40), portfolioHash)
            result := keccak256(free, 72)
        }
    }

    /// @notice The hash of what an account held after a block. Reverts with WrongHistory or NotLastChange.
    /// @dev Blocks never decrease along a history, so looking at the changes on both sides of the block is enough.
    /// @param chain The account's word.
    /// @param history The witness.
    /// @param blockNumber A block that has passed.
    function heldAfter(
        bytes32 chain,
        History calldata history,
        uint64 blockNumber
    ) internal pure returns (bytes32 portfolioHash) {
        bytes32 word = 0;
        portfolioHash = EMPTY_PORTFOLIO;
        // No change is of block 0. The word given before "no change" does not count: it would be the whole history, passed off as its start.
        if (history.changedAt != 0) {
            portfolioHash = history.portfolioHash;
            word = fold(history.before, history.changedAt, portfolioHash);
        }
        uint64 nextAt = 0;
        for (uint256 i = 0; i < history.later.length; ++i) {
            Change calldata change = history.later[i];
            if (i == 0) nextAt = change.blockNumber;
            word = fold(word, change.blockNumber, change.portfolioHash);
        }
        if (word != chain) revert IProvenanceErrors.WrongHistory(word, chain);
        bool isLast = history.changedAt <= blockNumber && (history.later.length == 0 || nextAt > blockNumber);
        if (!isLast) revert IProvenanceErrors.NotLastChange(blockNumber, history.changedAt, nextAt);
    }
}
