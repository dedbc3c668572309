// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IDisputes } from "../interfaces/IDisputes.sol";
import { IMarginCourt } from "../interfaces/IMarginCourt.sol";
import { EpochHeader, Leaf } from "../interfaces/Types.sol";
import { Judgement } from "../libraries/Judgement.sol";

/// @title The judgement of disputes by itself: for tests only
contract JudgeHarness {
    /// @notice By how much a leaf is shown wrong, E8, as in `Judgement.judge`.
    function judge(
        IMarginCourt court,
        EpochHeader calldata header,
        Leaf calldata leaf,
        IDisputes.Witness calldata witness
    ) external view returns (uint256) {
        return Judgement.judge(court, header, leaf, witness);
    }
}
