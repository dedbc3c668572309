// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice One signed epoch. Times in unix seconds; `blockNumber` and `blockHash` name the block whose portfolios it margins.
/// @dev EIP-712 type: EpochHeader(uint64 round,uint64 time,uint64 blockNumber,bytes32 blockHash,uint64 validUntil,bytes32 modelHash,
///      bytes32 marketHash,bytes32 leafRoot,uint64 leafCount).
struct EpochHeader {
    uint64 round;
    uint64 time;
    uint64 blockNumber;
    bytes32 blockHash;
    uint64 validUntil;
    bytes32 modelHash;
    bytes32 marketHash;
    bytes32 leafRoot;
    uint64 leafCount;
}

/// @notice One account of one epoch, money in E8. `worstScenarios` is two bytes per held underlying, in order: underlying, scenario.
/// @dev EIP-712 type: Leaf(uint64 account,bytes32 portfolioHash,int256 portfolioValue,int256 spotValue,uint256 initialMargin,
///      uint256 maintenanceMargin,bytes worstScenarios).
struct Leaf {
    uint64 account;
    bytes32 portfolioHash;
    int256 portfolioValue;
    int256 spotValue;
    uint256 initialMargin;
    uint256 maintenanceMargin;
    bytes worstScenarios;
}

/// @notice A trader's order: quantity > 0 buys, < 0 sells (E8); price is the limit per unit (E8, may be negative for a perpetual).
/// @dev EIP-712 type: Order(uint64 account,uint32 instrument,int64 quantity,int64 price,uint64 nonce,uint64 deadline).
struct Order {
    uint64 account;
    uint32 instrument;
    int64 quantity;
    int64 price;
    uint64 nonce;
    uint64 deadline;
}

/// @notice An account's figures, E8: portfolio value and the part of it that is spot collateral (both rounded down), requirements
///         (rounded up), and two bytes per held underlying, in order: underlying, the index that decides (a scenario's, or after
///         the last scenario a charge's).
struct Figures {
    int256 portfolioValue;
    int256 spotValue;
    uint256 initialMargin;
    uint256 maintenanceMargin;
    bytes worstScenarios;
}
