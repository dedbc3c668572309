// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Refusals of witnesses to what an account held
interface IProvenanceErrors {
    /// @notice The witness folds to something else than the account's history.
    error WrongHistory(bytes32 reached, bytes32 expected);
    /// @notice The witness's change is not the last one up to the block: it came later (`changedAt`), or the next one came by then (`nextAt`;
    ///         zero if there is none).
    error NotLastChange(uint64 blockNumber, uint64 changedAt, uint64 nextAt);
}
