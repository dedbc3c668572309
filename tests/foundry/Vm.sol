// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The few of Foundry's cheatcodes that are used here
interface Vm {
    /// @notice The address of a private key.
    function addr(uint256 key) external pure returns (address);

    /// @notice How many contracts an address has created, plus one.
    function getNonce(address account) external view returns (uint64);

    /// @notice The address of the contract that an address creates with a nonce.
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);

    /// @notice A signature of a digest, with a low s.
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    /// @notice The next call comes from somebody else.
    function prank(address sender) external;

    /// @notice Set the block's time.
    function warp(uint256 time) external;

    /// @notice Set the block's number.
    function roll(uint256 number) external;

    /// @notice A whole file.
    function readFile(string calldata path) external view returns (string memory);

    /// @notice The bytes of "0x" and hexadecimal digits.
    function parseBytes(string calldata digits) external pure returns (bytes memory);

    /// @notice Append a line to a file.
    function writeLine(string calldata path, string calldata line) external;

    /// @notice A number in decimal digits.
    function toString(uint256 value) external pure returns (string memory);
}
