"""What follows a false epoch: an audit finds it, a dispute proves it wrong on chain, its signers pay, an honest epoch takes its place."""

from __future__ import annotations

from rich.console import Console

from marginproof.auditor.audit import Auditor
from marginproof.auditor.claims import Claimant, Filed, cases_of
from marginproof.demo.operators import AttesterProcesses
from marginproof.demo.record import DisputeEntry, Record
from marginproof.demo.words import usd
from marginproof.demo.world import JOIN_DELAY, TOKEN_UNIT_E8, World
from marginproof.errors import ChainError
from marginproof.keeper.bot import Keeper, Round
from marginproof.protocol.deployment import load_deployment
from marginproof.protocol.venue import Venue


class Reckoning:
    """The claimant's part of the story, and what the signers do afterwards."""

    def __init__(self, world: World, record: Record, console: Console, attesters: AttesterProcesses) -> None:
        self.world = world
        self.record = record
        self.console = console
        self.attesters = attesters

    def answer(self, false: Round, keeper: Keeper) -> Round:
        """Dispute a false epoch, recover, and post an honest one for the same market. Errors: ChainError when the dispute fails."""
        filed = self._dispute(false)
        joined = self.world.make_whole()
        if joined:
            self.attesters.add(joined)
            keeper.attesters = tuple(self.attesters.urls)
            self.world.chain.set_next_timestamp(keeper.chain_time() + JOIN_DELAY)
            self.world.chain.rpc("evm_mine")
        done = keeper.round()
        if done is None:
            raise ChainError("The keeper found no market for an honest epoch after the dispute.")
        mended = (
            f"{len(joined)} attesters on standby joined"
            if filed.slashed
            else "its signers made their bonds whole"
        )
        self.console.print(f"  recovered: {mended}; honest epoch {done.epoch.header.round}, nothing was lost")
        return done

    def _dispute(self, false: Round) -> Filed:
        number = false.epoch.header.round
        venue = Venue.open(self.world.chain.url, load_deployment(self.world.path))
        audits = [item for item in Auditor(venue, on_chain=False).audit() if item.round == number]
        cases = cases_of(audits)
        if len(cases) != 1:
            raise ChainError(
                f"The audit of the false epoch {number} found {len(cases)} disputes instead of one."
            )
        for audit in audits:
            for finding in audit.findings:
                self.console.print(f"  [red]{finding.sentence()}[/]", highlight=False, soft_wrap=True)
        filed = Claimant(venue, venue.sender(self.world.keys.claimant)).file(cases[0])
        self.record.add_gas("dispute a leaf, commit and reveal", filed.gas)
        paid = filed.paid * TOKEN_UNIT_E8
        difference = cases[0].evidence.difference_e8
        self.record.disputes.append(
            DisputeEntry(number, cases[0].words, difference, filed.slashed, paid, filed.gas)
        )
        penalty = "their whole bonds were slashed" if filed.slashed else "they paid a bounty"
        self.console.print(
            f"  disputed: epoch {number} is invalid, wrong by {difference / 1e8:,.8f} USD; {penalty}, {usd(paid)} USD to the claimant, "
            f"{filed.gas:,} gas",
            soft_wrap=True,
        )
        return filed
