// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Holds a venue's powers, and uses them only after everyone could see what is coming
/// @notice Proposers announce a call and may cancel it; once the delay has passed, anyone may carry it out. The timelock is its own admin.
contract Timelock is TimelockController {
    /// @param delay Seconds between announcing and carrying out.
    /// @param proposers Who may announce and cancel.
    constructor(
        uint256 delay,
        address[] memory proposers
    ) TimelockController(delay, proposers, new address[](1), address(0)) {}
}
