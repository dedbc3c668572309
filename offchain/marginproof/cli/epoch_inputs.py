"""What a whole epoch is computed from, read from files or from the chain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from marginproof.cli.accounts_file import load_accounts
from marginproof.cli.inputs import market_argument
from marginproof.documents import market_symbols, market_to_spec, model_to_spec
from marginproof.engine import Portfolios, columns_of_ids, portfolio_columns
from marginproof.engine.instruments import InstrumentColumns
from marginproof.models import load_model
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model
from marginproof.spec.typed_data import EpochHeader


@dataclass(frozen=True, slots=True)
class EpochInputs:
    """Portfolios by account id with everything that prices them; `posted` is the header to compare with, if there is one."""

    portfolios: Portfolios
    instruments: InstrumentColumns
    market: MarketSnapshot
    model: Model
    posted: EpochHeader | None = None


def from_files(market: str, model: str, accounts: Path) -> EpochInputs:
    """Read and check three files. Errors: InputError."""
    quotes = market_argument(market)
    symbols = market_symbols(quotes)
    parameters = model_to_spec(load_model(model), symbols)
    held = load_accounts(accounts, quotes, symbols)
    return EpochInputs(held.portfolios, held.instruments, market_to_spec(quotes, symbols), parameters)


def from_chain(rpc: str, deployment: Path | None, round_number: int | None) -> EpochInputs:
    """A posted epoch, the newest by default: the venue's portfolios at the epoch's block. Errors: InputError, ChainError."""
    from marginproof.cli.chain import find_epoch, open_venue

    chain = open_venue(rpc, deployment)
    epoch = find_epoch(chain.state(), round_number)
    state = chain.state(epoch.header.block_number)
    portfolios = portfolio_columns(account.positions for account in state.accounts)
    return EpochInputs(
        portfolios,
        columns_of_ids(state.table(), np.unique(portfolios.ids).tolist()),
        epoch.market,
        state.model(epoch.header.model_hash),
        epoch.header,
    )
