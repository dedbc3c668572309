"""Withdrawals, judged here before they are sent, so that a refusal costs nothing and says why."""

from __future__ import annotations

from typing import Final

from web3.types import TxReceipt

from marginproof.cli.chain import Chain, account_of, margin_report, newest_values
from marginproof.cli.epochs import leaf_and_proof
from marginproof.cli.numbers import exact, moment
from marginproof.cli.tokens import Token
from marginproof.documents import format_decimal
from marginproof.errors import ChainError, InputError, MarginproofError
from marginproof.protocol.gate import allowed_withdrawal, judge
from marginproof.protocol.rungs import leaves_to_full
from marginproof.protocol.state import AccountState, PostedEpoch, VenueState
from marginproof.protocol.transactions import Sender
from marginproof.spec.fixed_point import ceil_div
from marginproof.spec.instruments import SPOT_INDEX, IdParts, instrument_id
from marginproof.spec.portfolio import apply_trade, encode_portfolio, portfolio_hash
from marginproof.spec.shown import ShownWithdrawal, pack_withdrawal
from marginproof.spec.typed_data import leaf_of

_E8_DIGITS: Final = 8


def units_to_e8(units: int, decimals: int) -> int:
    """An amount of a token in E8, rounded up (a withdrawal never takes less from the account than it gives)."""
    return ceil_div(units * 10**_E8_DIGITS, 10**decimals)


def withdraw_cash(chain: Chain, sender: Sender, account: int, token: Token, units: int, to: str) -> TxReceipt:
    """Cash: without positions at once, otherwise on leaf and proof, or recomputed in full where those are not enough.

    Errors: MarginproofError in words, ChainError.
    """
    held, state = _own(chain, sender, account)
    wanted = units_to_e8(units, token.decimals)
    if not held.positions:
        if wanted > held.cash_e8:
            raise MarginproofError(
                f"Account {account} has {exact(held.cash_e8)} USD, less than {token.text(units)}."
            )
        return chain.venue.send(sender, "MarginVault", "withdrawUnencumbered", account, units, to)
    epoch = _live(chain, state)
    figures = margin_report(state, held.cash_e8, held.positions, newest_values(state)).explanation.margin
    leaf = leaf_of(account, portfolio_hash(held.positions), figures)
    allowed = allowed_withdrawal(held.cash_e8, leaf)
    if wanted > allowed:
        raise MarginproofError(
            f"Account {account} may withdraw {exact(allowed)} USD now, not {token.text(units)}: cash {exact(held.cash_e8)} + "
            f"portfolio value {exact(leaf.portfolio_value)} - the greater of initial margin {exact(leaf.initial_margin)} and "
            f"spot collateral {exact(leaf.spot_value)}.",
            f"Figures of epoch {epoch.header.round}.",
        )
    if account < epoch.header.leaf_count:
        posted, proof = leaf_and_proof(chain, epoch, account)
        if posted == leaf:
            shown = ShownWithdrawal(leaf, tuple(proof), units, bytes.fromhex(to[2:]))
            try:
                return chain.venue.send(sender, "MarginVault", "withdraw", pack_withdrawal(shown))
            except ChainError as error:
                if not leaves_to_full(error):
                    raise
    # No leaf of what it holds now, or more than is left to signatures: the contracts recompute the account.
    given = (account, units, to, encode_portfolio(held.positions), epoch.market_bytes)
    try:
        return chain.venue.send(sender, "MarginVault", "withdrawFull", *given)
    except ChainError as error:
        raise _in_words(chain, token.text(units), error) from error


def _in_words(chain: Chain, asked: str, error: ChainError) -> MarginproofError:
    """A refusal for the outflow budget, said with what is left of it; any other as it is."""
    if "OutflowBudgetExceeded(" not in error.message:
        return error
    spent, limit = chain.venue.call("EpochRegistry", "outflow")
    return MarginproofError(
        f"Accounts with positions may take out {exact(max(0, limit - spent))} USD more on epochs that are not final, not {asked}.",
        "Take less, wait until epochs are final, or close the positions first.",
    )


def withdraw_spot(chain: Chain, sender: Sender, account: int, token: Token, units: int, to: str) -> TxReceipt:
    """Spot collateral, through the margin gate. Errors: MarginproofError in words, ChainError."""
    held, state = _own(chain, sender, account)
    underlying = state.ids_by_symbol()[token.asset]
    spot = instrument_id(IdParts(underlying, SPOT_INDEX, 0, is_put=False))
    wanted = units_to_e8(units, token.decimals)
    has = dict(held.positions).get(spot, 0)
    if wanted > has:
        raise MarginproofError(
            f"Account {account} holds {format_decimal(has, 8)} {token.asset}, less than {token.text(units)}."
        )
    epoch = _live(chain, state)
    values = newest_values(state)
    before = margin_report(state, held.cash_e8, held.positions, values).explanation
    after = margin_report(state, held.cash_e8, apply_trade(held.positions, spot, -wanted), values).explanation
    verdict = judge(before, after)
    if not verdict.passes:
        raise MarginproofError(
            f"Without {token.text(units)} account {account} would not pass the margin gate: {verdict.reason} "
            f"(equity {exact(after.equity_e8)}, initial margin {exact(after.margin.initial)} USD)."
        )
    given = (account, underlying, units, to, encode_portfolio(held.positions), epoch.market_bytes)
    try:
        return chain.venue.send(sender, "MarginVault", "withdrawSpot", *given)
    except ChainError as error:
        raise _in_words(chain, token.text(units), error) from error


def _own(chain: Chain, sender: Sender, account: int) -> tuple[AccountState, VenueState]:
    state = chain.state()
    held = account_of(state, account)
    if held.owner != sender.address:
        raise InputError(
            f"Account {account} belongs to {held.owner}, the key to {sender.address}.",
            "Sign with the owner's key.",
        )
    if held.frozen:
        raise MarginproofError(
            f"Account {account} was called for margin and withdraws nothing until it is released."
        )
    return held, state


def _live(chain: Chain, state: VenueState) -> PostedEpoch:
    epoch = state.newest_epoch()
    if epoch.header.valid_until <= chain.time():
        raise MarginproofError(
            f"The newest epoch {epoch.header.round} was valid until {moment(epoch.header.valid_until)}.",
            _NEXT_EPOCH,
        )
    return epoch


_NEXT_EPOCH: Final = "Wait for the next epoch (`marginproof epoch list`)."
