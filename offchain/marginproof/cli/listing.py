"""Listing instruments step by step: underlying, expiry, strikes, then the ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.table import Table

from marginproof.cli.chain import Chain, registered_id
from marginproof.cli.console import table
from marginproof.cli.numbers import e8, moment
from marginproof.cli.options import decimal
from marginproof.documents import InstrumentName, format_expiry, parse_instrument_name
from marginproof.errors import InputError
from marginproof.protocol.state import VenueState
from marginproof.protocol.transactions import Sender
from marginproof.spec.instruments import FIRST_EXPIRY_INDEX, PERPETUAL_INDEX, Kind, id_parts
from marginproof.spec.limits import MAX_STRIKE, MIN_STRIKE

_PER_TRANSACTION: Final = 200


@dataclass(slots=True)
class Added:
    """What was registered (in words) and listed (ids), and the symbols of which the court's copy was renewed."""

    registered: list[str] = field(default_factory=list)
    listed: list[int] = field(default_factory=list)
    synced: list[str] = field(default_factory=list)


def require_underlying(state: VenueState, symbol: str) -> int:
    """The id of a symbol. Errors: InputError giving the venue's symbols."""
    ids = state.ids_by_symbol()
    if symbol not in ids:
        raise InputError(
            f"The venue has no underlying {symbol!r}; allowed: {', '.join(sorted(ids)) or 'none yet'}."
        )
    return ids[symbol]


def expand(names: Sequence[str], strikes: str | None) -> list[InstrumentName]:
    """The instruments named, each once; with `strikes`, also the options of each future named. Errors: InputError."""
    parsed = [parse_instrument_name(name) for name in names]
    found = dict.fromkeys(parsed)
    if strikes is not None:
        futures = [name for name in parsed if name.kind == Kind.FUTURE]
        if not futures:
            raise InputError(
                "--strikes needs a future among the names, such as BTC-27MAR26, to say for which expiry."
            )
        prices = [decimal("--strikes", text, 8, MIN_STRIKE, MAX_STRIKE) for text in strikes.split(",")]
        for name in futures:
            for strike in prices:
                for kind in (Kind.CALL, Kind.PUT):
                    found[InstrumentName(name.symbol, kind, name.expiry, strike)] = None
    return list(found)


def add_instruments(
    chain: Chain, sender: Sender, wanted: Iterable[InstrumentName], *, new_underlying: bool
) -> Added:
    """Register what is missing, list the ids and renew the court's copy.

    Errors: InputError before anything is sent, ChainError with the contract's reason.
    """
    names = list(wanted)
    state = chain.state()
    unknown = sorted({name.symbol for name in names} - set(state.ids_by_symbol()))
    if unknown and not new_underlying:
        known = ", ".join(sorted(state.ids_by_symbol())) or "none yet"
        raise InputError(
            f"The venue has no underlying {', '.join(unknown)}; it has {known}.",
            "To add one for ever, give --new-underlying.",
        )
    done = Added()
    venue = chain.venue
    for symbol in unknown:
        venue.send(sender, "InstrumentRegistry", "addUnderlying", symbol)
        done.registered.append(f"underlying {symbol}")
    state = chain.state()
    for symbol in sorted({name.symbol for name in names}):
        underlying = state.ids_by_symbol()[symbol]
        mine = [name for name in names if name.symbol == symbol]
        for expiry in sorted({name.expiry for name in mine if name.expiry} - set(state.expiries[underlying])):
            venue.send(sender, "InstrumentRegistry", "addExpiry", underlying, expiry)
            done.registered.append(f"expiry {symbol}-{format_expiry(expiry)}")
        strikes = sorted({name.strike_e8 for name in mine if name.strike_e8} - set(state.strikes[underlying]))
        for start in range(0, len(strikes), _PER_TRANSACTION):
            venue.send(
                sender,
                "InstrumentRegistry",
                "addStrikes",
                underlying,
                strikes[start : start + _PER_TRANSACTION],
            )
        done.registered += [f"strike {e8(strike)} of {symbol}" for strike in strikes]
    state = chain.state()
    ids = [registered_id(state, str(name)) for name in names]
    done.listed = sorted(key for key, listed in ids if not listed)
    for start in range(0, len(done.listed), _PER_TRANSACTION):
        venue.send(sender, "InstrumentRegistry", "list", done.listed[start : start + _PER_TRANSACTION])
    for symbol in sorted({name.symbol for name in names}):
        underlying = state.ids_by_symbol()[symbol]
        # Also after a run that was interrupted before this.
        listed = (True, len(state.expiries[underlying]), len(state.strikes[underlying]))
        if tuple(venue.call("MarginCourt", "syncedInstruments", underlying)) != listed:
            venue.send(sender, "MarginCourt", "syncInstruments", underlying)
            done.synced.append(symbol)
    return done


def summary(state: VenueState, ids: Sequence[int], now: int) -> Table:
    """One row per underlying and expiry."""
    groups: dict[tuple[int, int], list[int]] = {}
    for key in ids:
        parts = id_parts(key)
        groups.setdefault((parts.underlying, parts.expiry_index), []).append(key)
    rows = table(
        "Instruments",
        "underlying",
        "expiry",
        "at",
        "future",
        "options",
        "strikes (USD)",
        numbers=("options",),
    )
    for (underlying, index), members in groups.items():
        symbol = state.symbols[underlying]
        if index < FIRST_EXPIRY_INDEX:
            rows.add_row(symbol, "perpetual" if index == PERPETUAL_INDEX else "spot", "", "", "", "")
            continue
        expiry = state.expiries[underlying][index - FIRST_EXPIRY_INDEX]
        strikes = sorted(
            {state.strikes[underlying][s - 1] for s in (id_parts(key).strike_index for key in members) if s}
        )
        options = sum(id_parts(key).strike_index > 0 for key in members)
        rows.add_row(
            symbol,
            format_expiry(expiry),
            moment(expiry) + (_fate(state, underlying, expiry) if expiry <= now else ""),
            "yes" if any(id_parts(key).strike_index == 0 for key in members) else "",
            str(options),
            f"{e8(strikes[0])} to {e8(strikes[-1])}" if strikes else "",
        )
    return rows


def _fate(state: VenueState, underlying: int, expiry: int) -> str:
    price = state.settlements.get((underlying, expiry))
    return " (expired)" if price is None else f" (settled at {e8(price)})"
