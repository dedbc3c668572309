"""From epochs to the record: each account's figures, scenario profile and funding."""

from __future__ import annotations

from datetime import UTC, datetime

from marginproof.demo.record import AccountFigures, FundingEntry, ScenarioChange
from marginproof.documents.index_words import CHARGE_NAMES
from marginproof.keeper.propose import ProposedEpoch
from marginproof.protocol.state import VenueState
from marginproof.spec.fixed_point import floor_div
from marginproof.spec.instruments import Kind
from marginproof.spec.margin import Margin
from marginproof.spec.model import Model
from marginproof.spec.units import ONE_WAD

_E34_TO_E8 = 10**26


def utc(time: int) -> str:
    """A time as people read it."""
    return datetime.fromtimestamp(time, UTC).strftime("%d %b %Y %H:%M UTC")


def account_figures(account: int, state: VenueState, margin: Margin, model: Model) -> AccountFigures:
    """One account as margined in an epoch, with the weighted change of every scenario and what charges take."""
    profile = []
    for scan in margin.scans:
        symbol = state.symbols[scan.underlying]
        section = model.section(scan.underlying)
        moves = [(s.spot_wad, s.kind.name.lower().replace("_", " ")) for s in section.scenarios]
        moves += [(ONE_WAD, f"{CHARGE_NAMES[charge]} charge") for charge in section.charges()]
        for index, (spot, vol) in enumerate(moves):
            change = floor_div(-scan.losses[index], _E34_TO_E8)
            profile.append(ScenarioChange(symbol, index, spot, vol, change, index == scan.worst))
    held = state.accounts[account]
    return AccountFigures(
        account, held.cash_e8, margin.value, margin.initial, margin.maintenance, held.frozen, tuple(profile)
    )


def funding_entries(before: ProposedEpoch, after: ProposedEpoch) -> list[FundingEntry]:
    """Funding between two epochs, on the perpetuals held at the later one: minus quantity x growth of the index."""
    table = after.state.table()
    entries = []
    for account, held in enumerate(after.state.accounts):
        amount = 0
        for position in held.positions:
            instrument = table.resolve(position.instrument)
            if instrument.kind == Kind.PERPETUAL:
                growth = (
                    after.market.underlying(instrument.underlying).funding_e8
                    - before.market.underlying(instrument.underlying).funding_e8
                )
                amount -= position.quantity * growth
        if amount:
            entries.append(FundingEntry(after.header.round, account, floor_div(amount, 10**8)))
    return entries
