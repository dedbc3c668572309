"""Recomputing a posted epoch from the chain, so that a leaf is used only when it leads to the signed root."""

from __future__ import annotations

from typing import Any

from marginproof.cli.chain import Chain
from marginproof.cli.numbers import e8
from marginproof.engine.epoch import Epoch, compute_epoch
from marginproof.errors import InputError, VerificationError
from marginproof.protocol.state import PostedEpoch, VenueState
from marginproof.spec.tree import verify
from marginproof.spec.typed_data import EpochHeader, Leaf


def compute(state: VenueState, epoch: PostedEpoch) -> Epoch:
    """The epoch as it follows from the venue's state at the epoch's block. Errors: the specification's."""
    portfolios = [account.positions for account in state.accounts]
    return compute_epoch(portfolios, state.table(), epoch.market, state.model(epoch.header.model_hash))


def recomputed(chain: Chain, epoch: PostedEpoch) -> Epoch:
    """The epoch as it follows from the chain. Errors: VerificationError when its root is not the posted one."""
    result = compute(chain.state(epoch.header.block_number), epoch)
    if result.root != epoch.header.leaf_root or len(result) != epoch.header.leaf_count:
        raise VerificationError(
            f"Epoch {epoch.header.round} was posted with root 0x{epoch.header.leaf_root.hex()}; "
            f"from the chain it is 0x{result.root.hex()}.",
            "`marginproof audit` says where they differ. Its leaves cannot be proven from here.",
        )
    return result


def leaf_and_proof(chain: Chain, epoch: PostedEpoch, account: int) -> tuple[Leaf, list[bytes]]:
    """An account's leaf and its proof, verified against the posted root. Errors: InputError, VerificationError, SpecError."""
    header = epoch.header
    if account >= header.leaf_count:
        raise InputError(
            f"There is no account {account} at epoch {header.round}; allowed: 0 to {header.leaf_count - 1}.",
            "An account that was opened after the epoch's block is in the next one.",
        )
    result = recomputed(chain, epoch)
    proof = result.proof(account)
    leaf = result.leaves[account]
    verify(leaf.struct_hash(), account, header.leaf_count, proof, header.leaf_root)
    return leaf, proof


def leaf_json(leaf: Leaf) -> dict[str, Any]:
    """A leaf for programs: money as exact decimals in USD."""
    return {
        "account": leaf.account,
        "portfolioHash": "0x" + leaf.portfolio_hash.hex(),
        "portfolioValue": e8(leaf.portfolio_value),
        "spotValue": e8(leaf.spot_value),
        "initialMargin": e8(leaf.initial_margin),
        "maintenanceMargin": e8(leaf.maintenance_margin),
        "worstScenarios": "0x" + leaf.worst_scenarios.hex(),
        "hash": "0x" + leaf.struct_hash().hex(),
    }


def header_json(header: EpochHeader) -> dict[str, Any]:
    """A header for programs."""
    return {
        "round": header.round,
        "time": header.time,
        "blockNumber": header.block_number,
        "blockHash": "0x" + header.block_hash.hex(),
        "validUntil": header.valid_until,
        "modelHash": "0x" + header.model_hash.hex(),
        "marketHash": "0x" + header.market_hash.hex(),
        "leafRoot": "0x" + header.leaf_root.hex(),
        "leafCount": header.leaf_count,
    }
