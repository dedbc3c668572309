// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { Figures } from "./Types.sol";

/// @title Margin, recomputed on chain to the last bit
/// @notice Every figure follows from the model (by hash), the portfolio bytes and the market bytes. All three are checked
///         in full and refused with the errors of the specification; but the newest epoch's market was when it was posted, and is known
///         by its hash. Whether they are the committed ones is the caller's business. The court stores nothing but a copy of what the
///         instrument registry knows; no figure depends on how old it is, only gas.
interface IMarginCourt {
    /// @notice The court copied what the instrument registry knows of an underlying: so many expiries and strikes.
    event InstrumentsSynced(uint8 indexed underlying, uint256 expiries, uint256 strikes);

    /// @notice Choices that do not name each held underlying once, in order.
    error WrongChoices(bytes choices);
    /// @notice An index that the underlying's model section does not have: scenarios come first, then its charges.
    error ScenarioOutOfRange(uint256 index, uint256 count);

    /// @notice The figures over all scenarios and charges: for each underlying the worst, the lowest index among equals.
    /// @param modelHash Hash of a published model.
    /// @param portfolio Packed portfolio bytes.
    /// @param market Canonical market bytes; of the newest epoch's market they may be abridged (AbridgedMarket.sol).
    function recompute(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market
    ) external view returns (Figures memory);

    /// @notice The figures if for each underlying the chosen index were the worst: never above the true requirements.
    /// @param modelHash Hash of a published model.
    /// @param portfolio Packed portfolio bytes.
    /// @param market Canonical market bytes; of the newest epoch's market they may be abridged (AbridgedMarket.sol).
    /// @param choices Two bytes per held underlying, in order: underlying, index of a scenario or charge.
    function repriceScenario(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external view returns (Figures memory);

    /// @notice `repriceScenario` for less gas: its arguments as one byte string. Reverts with BadLength(length) too.
    /// @param packed Model hash (32 bytes), count of positions (1), count of choices (1), portfolio, choices, market.
    function repriceCompact(bytes calldata packed) external view returns (Figures memory);

    /// @notice The exact loss (E34) of each held underlying at its chosen index, in order: what `repriceScenario` rounds.
    /// @param modelHash Hash of a published model.
    /// @param portfolio Packed portfolio bytes.
    /// @param market Canonical market bytes; of the newest epoch's market they may be abridged (AbridgedMarket.sol).
    /// @param choices Two bytes per held underlying, in order: underlying, index of a scenario or charge.
    function lossesAt(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        bytes calldata choices
    ) external view returns (int256[] memory);

    /// @notice The exact loss of one underlying's positions at every index (scenarios, then charges), E34; zeros if it is not held.
    /// @param modelHash Hash of a published model.
    /// @param portfolio Packed portfolio bytes.
    /// @param market Canonical market bytes; of the newest epoch's market they may be abridged (AbridgedMarket.sol).
    /// @param underlying Its id.
    function losses(
        bytes32 modelHash,
        bytes calldata portfolio,
        bytes calldata market,
        uint8 underlying
    ) external view returns (int256[] memory);

    /// @notice Copy what the instrument registry knows of an underlying, so that margin of its instruments takes less gas; without it the
    ///         court asks the registry. Anybody may call it whenever expiries or strikes were added; nothing happens if none were.
    ///         Reverts with UnknownUnderlying(underlying).
    /// @param underlying Its id.
    function syncInstruments(uint8 underlying) external;

    /// @notice What the court's copy knows of an underlying.
    /// @param underlying Its id.
    /// @return exists Whether it was copied at all.
    /// @return expiries How many expiries were.
    /// @return strikes How many strikes were.
    function syncedInstruments(
        uint8 underlying
    ) external view returns (bool exists, uint256 expiries, uint256 strikes);
}
