// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IMarketChecker } from "./interfaces/IMarketChecker.sol";
import { MarketCodec } from "./libraries/MarketCodec.sol";

/// @title Checks of market bytes, in a contract of its own because the court has no room for them
contract MarketChecker is IMarketChecker {
    /// @inheritdoc IMarketChecker
    function check(bytes calldata market) external pure {
        MarketCodec.validate(market);
    }
}
