"""The audit of every epoch of a venue, from an RPC address and the deployment file alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

from marginproof.auditor.disputable import WrongCount, WrongLeaf, WrongTicket, tree_of
from marginproof.auditor.evidence import Evidence, Kind, figure_evidence, leaf_evidence
from marginproof.auditor.findings import EpochAudit, Finding
from marginproof.auditor.shown import shown_leaves, shown_tickets
from marginproof.documents.decimals import E8_DIGITS, format_decimal
from marginproof.documents.index_words import index_words
from marginproof.engine.epoch import Epoch, compute_epoch
from marginproof.engine.values import ValueTable
from marginproof.errors import ChainError
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.replay import Replayer
from marginproof.protocol.signing import SIGNATURE_BYTES, recover
from marginproof.protocol.state import PostedEpoch, VenueState
from marginproof.protocol.venue import Venue
from marginproof.spec.errors import SpecError
from marginproof.spec.hashing import keccak
from marginproof.spec.margin import Margin, margin
from marginproof.spec.market import MarketSnapshot, market_hash
from marginproof.spec.model import Model
from marginproof.spec.portfolio import encode_portfolio
from marginproof.spec.tree import root
from marginproof.spec.typed_data import Leaf, leaf_of

_FIELD_NAMES = {
    "account": "account",
    "portfolio_hash": "portfolioHash",
    "portfolio_value": "portfolioValue",
    "spot_value": "spotValue",
    "initial_margin": "initialMargin",
    "maintenance_margin": "maintenanceMargin",
    "worst_scenarios": "worstScenarios",
}
_MONEY_FIELDS = ("portfolio_value", "spot_value", "initial_margin", "maintenance_margin")
_MARGIN_FIELDS = ("initial_margin", "maintenance_margin", "worst_scenarios")


def show(value: int | bytes) -> str:
    """A figure as text: integers as they are, bytes in hex."""
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _show_field(name: str, value: int | bytes) -> str:
    if name in _MONEY_FIELDS and isinstance(value, int):
        whole, _, tail = format_decimal(value, E8_DIGITS).partition(".")
        return f"{whole}.{tail.ljust(E8_DIGITS, '0')}"
    return show(value)


@dataclass
class Auditor:
    """Audits one venue. `on_chain` also asks the contracts for every figure (one eth_call per account)."""

    venue: Venue
    on_chain: bool = True
    _replayer: Replayer = field(init=False)

    def __post_init__(self) -> None:
        self._replayer = Replayer(self.venue)

    @cached_property
    def _materiality(self) -> int:
        return int(self.venue.call("Disputes", "materialityE8"))

    def newest_state(self) -> VenueState:
        """The venue's state now: every epoch and every published leaf. Errors: ChainError."""
        return Replayer(self.venue).state_at()

    def audit(self, newest: VenueState | None = None) -> Iterator[EpochAudit]:
        """Audit every epoch of a state (the newest by default), oldest first. Errors: ChainError when the node fails."""
        state = newest or self.newest_state()
        for epoch in state.epochs:
            yield self._audit(epoch, state)

    def _audit(self, epoch: PostedEpoch, newest: VenueState) -> EpochAudit:
        audit = EpochAudit(epoch.header.round)
        try:
            market = epoch.market
            state = self._replayer.state_at(epoch.header.block_number)
            model = state.model(epoch.header.model_hash)
            result = compute_epoch([a.positions for a in state.accounts], state.table(), market, model)
        except (SpecError, KeyError) as error:
            audit.findings.append(
                Finding(audit.round, None, "epoch", "an epoch", f"not computable ({error})")
            )
            return audit
        audit.accounts = len(result)
        audit.figures_recomputed = len(result) * len(_FIELD_NAMES)
        self._check_header(audit, epoch, state, market, result)
        self._check_signatures(audit, epoch)
        audit.invalidated = epoch.header.round in newest.invalid
        if epoch.header.leaf_count != len(result):
            audit.disputable.append(WrongCount(epoch, Evidence(Kind.COUNT, b"", 0, 0)))
        self._check_leaves(audit, epoch, newest, state, result, model)
        self._check_tickets(audit, epoch, newest)
        if self.on_chain:
            self._check_contracts(audit, epoch, state, result)
        return audit

    def _check_header(
        self,
        audit: EpochAudit,
        epoch: PostedEpoch,
        state: VenueState,
        market: MarketSnapshot,
        result: Epoch,
    ) -> None:
        header = epoch.header
        eth = self.venue.web3.eth
        block = read(
            lambda: eth.get_block(header.block_number),
            endpoint(self.venue.web3),
            f"block {header.block_number}",
        )
        max_age = self.venue.call("EpochRegistry", "maxAge")
        expected: dict[str, tuple[int | bytes, int | bytes]] = {
            "blockHash": (header.block_hash, bytes(block["hash"])),
            "modelHash": (header.model_hash, state.current_model),
            "marketHash": (header.market_hash, market_hash(market)),
            "time": (header.time, market.time),
            "validUntil": (header.valid_until, min(header.time + max_age, market.next_expiry())),
            "leafCount": (header.leaf_count, len(result)),
            "leafRoot": (header.leaf_root, result.root),
        }
        for name, (posted, true) in expected.items():
            if posted != true:
                audit.findings.append(Finding(audit.round, None, name, show(posted), show(true)))

    def _check_signatures(self, audit: EpochAudit, epoch: PostedEpoch) -> None:
        separator = self.venue.domain("EpochRegistry")
        struct_hash = epoch.header.struct_hash()
        parts = [
            epoch.signatures[i : i + SIGNATURE_BYTES]
            for i in range(0, len(epoch.signatures), SIGNATURE_BYTES)
        ]
        signers = [recover(part, separator, struct_hash) or "nobody" for part in parts]
        audit.signers = signers
        valid = {signer for signer in signers if signer in epoch.attesters}
        if len(valid) < epoch.threshold:
            posted, needed = f"{len(valid)} by attesters", f"at least {epoch.threshold} by attesters"
            audit.findings.append(Finding(audit.round, None, "signatures", posted, needed))

    def _posted_leaves(self, epoch: PostedEpoch, newest: VenueState) -> dict[int, Leaf] | None:
        """The leaves in the logs that hash to the signed root, whoever published them; None when nobody did."""
        for leaves in newest.published.get(epoch.header.round, {}).values():
            ordered = [leaves[account] for account in sorted(leaves)]
            if (
                sorted(leaves) == list(range(epoch.header.leaf_count))
                and root([leaf.struct_hash() for leaf in ordered]) == epoch.header.leaf_root
            ):
                return leaves
        return None

    def _check_leaves(
        self,
        audit: EpochAudit,
        epoch: PostedEpoch,
        newest: VenueState,
        state: VenueState,
        result: Epoch,
        model: Model,
    ) -> None:
        posted = self._posted_leaves(epoch, newest)
        proofs: dict[int, tuple[bytes, ...]] = {}
        if posted is None:
            if epoch.header.leaf_root == result.root:
                return
            shown = {item.leaf.account: item for item in shown_leaves(self.venue, epoch, newest)}
            posted = {account: item.leaf for account, item in shown.items()}
            proofs = {account: item.proof for account, item in shown.items()}
        audit.leaves_seen = len(posted)
        tree = None
        for true in result.leaves:
            given = posted.get(true.account, true)
            if given == true:
                continue
            figures = result.margin(true.account)
            audit.findings += _leaf_findings(audit.round, given, true, figures, state, model)
            if true.account not in proofs:
                tree = tree or tree_of(posted)
                proofs[true.account] = tuple(tree.proof(true.account))
            held = encode_portfolio(state.accounts[true.account].positions)
            underlyings = [scan.underlying for scan in figures.scans]
            evidence = leaf_evidence(
                true.account, given, keccak(held), figures, model, underlyings, self._materiality
            )
            if evidence is not None:
                audit.disputable.append(
                    WrongLeaf(epoch, true.account, given, proofs[true.account], held, evidence)
                )

    def _check_tickets(self, audit: EpochAudit, epoch: PostedEpoch, newest: VenueState) -> None:
        """The tickets that trades used on this epoch."""
        values = ValueTable(epoch.market, newest.model(epoch.header.model_hash))
        table = newest.table()
        for shown in shown_tickets(self.venue, epoch, newest):
            for place, (given, positions) in enumerate(zip(shown.leaves, shown.portfolios, strict=True)):
                packed = encode_portfolio(positions)
                figures = margin([(table.resolve(p.instrument), p.quantity) for p in positions], values)
                true = leaf_of(given.account, keccak(packed), figures)
                audit.tickets_seen += 1
                evidence = figure_evidence(given, figures, values.model, self._materiality, Kind.TICKET)
                if evidence is None:
                    continue
                for finding in _leaf_findings(audit.round, given, true, figures, newest, values.model):
                    audit.findings.append(replace(finding, field=f"ticket {finding.field}"))
                if shown.digest not in newest.invalid_tickets:
                    hashes = tuple(leaf.struct_hash() for leaf in shown.leaves)
                    audit.disputable.append(
                        WrongTicket(
                            epoch, hashes, shown.signatures, shown.digest, place, given, packed, evidence
                        )
                    )

    def _check_contracts(
        self, audit: EpochAudit, epoch: PostedEpoch, state: VenueState, result: Epoch
    ) -> None:
        for leaf in result.leaves:
            portfolio = encode_portfolio(state.accounts[leaf.account].positions)
            try:
                figures = self.venue.call(
                    "MarginCourt", "recompute", epoch.header.model_hash, portfolio, epoch.market_bytes
                )
            except ChainError as error:
                audit.findings.append(
                    Finding(audit.round, leaf.account, "contract recomputation", error.message, "figures")
                )
                continue
            true = (
                leaf.portfolio_value,
                leaf.spot_value,
                leaf.initial_margin,
                leaf.maintenance_margin,
                leaf.worst_scenarios,
            )
            audit.contract_checks += 1
            if tuple(figures) != true:
                audit.findings.append(
                    Finding(
                        audit.round, leaf.account, "contract recomputation", str(tuple(figures)), str(true)
                    )
                )


def _leaf_findings(
    round_number: int, posted: Leaf, true: Leaf, margin: Margin, state: VenueState, model: Model
) -> Iterator[Finding]:
    for item in fields(Leaf):
        given, right = getattr(posted, item.name), getattr(true, item.name)
        if given == right:
            continue
        scans = [scan for scan in margin.scans if scan.scan > 0] or list(margin.scans)
        if item.name in _MARGIN_FIELDS and scans:
            scan = max(scans, key=lambda candidate: candidate.scan)
            yield Finding(
                round_number,
                true.account,
                _FIELD_NAMES[item.name],
                _show_field(item.name, given),
                _show_field(item.name, right),
                state.symbols[scan.underlying],
                scan.worst,
                index_words(model.section(scan.underlying), scan.worst),
            )
        else:
            shown = _show_field(item.name, given), _show_field(item.name, right)
            yield Finding(round_number, true.account, _FIELD_NAMES[item.name], *shown)
