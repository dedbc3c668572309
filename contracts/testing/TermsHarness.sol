// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { IInstrumentRegistry } from "../interfaces/IInstrumentRegistry.sol";
import { Terms } from "../libraries/Terms.sol";

/// @title Terms from a copy of what a registry knows, as the court reads them: for tests
contract TermsHarness {
    using Terms for Terms.Known;

    IInstrumentRegistry private immutable _registry;
    mapping(uint256 underlying => Terms.Known) private _known;

    /// @param registry Of which to keep a copy.
    constructor(IInstrumentRegistry registry) {
        _registry = registry;
    }

    /// @notice Copy what the registry knows of an underlying.
    function sync(uint8 underlying) external {
        Terms.Known storage known = _known[underlying];
        uint256 start = Terms.openWord(known.head);
        (uint256 head, uint256[] memory words) = _registry.packedTerms(underlying, start);
        known.copy(head, start, words);
    }

    /// @notice The terms that are known, and how many bytes of the portfolio are left then.
    /// @return found The terms up to the first unknown position.
    /// @return left Bytes of the portfolio from there on.
    /// @return isTight Whether no memory stays taken behind the terms.
    function read(
        bytes calldata portfolio
    ) external view returns (uint256[] memory found, uint256 left, bool isTight) {
        uint256[] memory terms;
        (terms, left) = Terms.read(_known, address(_registry), portfolio);
        assembly ("memory-safe") {
            isTight := eq(mload(0x40), add(terms, shl(5, add(mload(terms), 1))))
        }
        found = new uint256[]((portfolio.length - left) / 12);
        for (uint256 i = 0; i < found.length; ++i) found[i] = terms[i];
    }
}
