// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { IEpochRegistry } from "../interfaces/IEpochRegistry.sol";
import { EpochHeader } from "../interfaces/Types.sol";
import { TypedData } from "../libraries/TypedData.sol";

/// @title What disputes need of the registry of epochs and of the ledger, set by hand: for tests only
contract DisputeStage is EIP712 {
    struct Posted {
        bytes32 commitment;
        uint64 finalAt;
        bool isInvalid;
    }

    struct Opened {
        uint64 openedAt;
        bytes32 history;
    }

    event Invalidated(uint64 round, bytes32 fallbackHash);
    event TicketInvalidated(bytes32 digest);

    error UnknownAccount(uint64 account);
    error NotDisputes(address caller);

    address private _disputes;
    mapping(uint64 => Posted) private _posted;
    Opened[] private _accounts;

    /// @notice The protocol's domain.
    constructor() EIP712("marginproof", "1") {}

    /// @notice Choose who may invalidate.
    function connect(address disputes) external {
        _disputes = disputes;
    }

    /// @notice An epoch, unchecked.
    function post(EpochHeader calldata header, bytes calldata signatures, uint64 finalAt) external {
        bytes32 commitment = keccak256(abi.encode(TypedData.hashHeader(header), keccak256(signatures)));
        _posted[header.round] = Posted(commitment, finalAt, false);
    }

    /// @notice A further account.
    function open(uint64 openedAt, bytes32 history) external {
        _accounts.push(Opened(openedAt, history));
    }

    /// @notice As the registry's.
    function invalidate(uint64 round, EpochHeader calldata fallbackHeader, bytes32) external {
        require(msg.sender == _disputes, NotDisputes(msg.sender));
        _posted[round].isInvalid = true;
        emit Invalidated(round, TypedData.hashHeader(fallbackHeader));
    }

    /// @notice As the registry's.
    function invalidateTicket(bytes32 digest) external {
        require(msg.sender == _disputes, NotDisputes(msg.sender));
        emit TicketInvalidated(digest);
    }

    /// @notice As the registry's.
    function record(uint64 round) external view returns (bytes32, IEpochRegistry.Standing, uint64) {
        Posted memory found = _posted[round];
        IEpochRegistry.Standing standing =
            block.timestamp < found.finalAt ? IEpochRegistry.Standing.Open : IEpochRegistry.Standing.Final;
        if (found.isInvalid) standing = IEpochRegistry.Standing.Invalid;
        if (found.commitment == 0) standing = IEpochRegistry.Standing.None;
        return (found.commitment, standing, found.finalAt);
    }

    /// @notice As the registry's.
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @notice As the ledger's.
    function provenance(uint64 account) external view returns (uint64, bytes32) {
        require(account < _accounts.length, UnknownAccount(account));
        return (_accounts[account].openedAt, _accounts[account].history);
    }

    /// @notice As the ledger's.
    function accountCount() external view returns (uint64) {
        return uint64(_accounts.length);
    }
}
