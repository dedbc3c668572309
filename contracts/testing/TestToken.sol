// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token for test chains: anyone mints any amount
contract TestToken is ERC20 {
    uint8 private immutable _decimals;

    /// @param name_ Its name.
    /// @param symbol_ Its symbol.
    /// @param decimals_ Its decimals.
    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) {
        _decimals = decimals_;
    }

    /// @notice Make tokens.
    /// @param to Who gets them.
    /// @param amount Token units.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Its decimals.
    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}
