"""Gas of MarginCourt over books of 1, 10 and 100 options of distinct strikes in a market of 12 expiries, under options-33 with a delta
charge and a short-option minimum added: 33 scenarios, both skews, static discounts, every charge.

What a transaction uses is counted, its own 21,000 and its calldata included, everything cold. The market is the newest epoch's, abridged to
what the book needs, and a repricing is packed; except where the name says that the market is whole (and `repriceScenario` is called), or
checked, which only a whole one can be. The court has a copy of all instruments, except where the name says that it asks the registry.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import isqrt

from evm.court import Court
from evm.machine import Machine
from evm.samples import DAY, TIME, WAD
from marginproof.documents import model_to_spec
from marginproof.models import load_model
from marginproof.spec.abridged import abridge_market, needed_by
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket, encode_market
from marginproof.spec.model import Model, ModelSection
from marginproof.spec.repricing import Repricing, pack_repricing
from marginproof.spec.svi import Svi

Book = list[tuple[Instrument, int]]
UNIT = 10**8
PERCENT = WAD // 100
SIZES = {1: 1, 10: 2, 100: 12}
"""Options, and the expiries that they are spread over."""
VOL_UP = 7
"""The index of a scenario that moves spot and volatility."""
YEAR = 365 * DAY
_EXPIRIES = tuple(TIME + days * DAY for days in (1, 2, 3, 8, 15, 29, 43, 71, 120, 200, 290, 330))
_STRIP = 100
STRIP_ROW = "Black-76, average over a strip"


def _section() -> ModelSection:
    (section,) = model_to_spec(load_model("options-33"), {"BTC": 1}).sections
    return replace(section, delta_net=10 * PERCENT, delta_hedged=PERCENT, short_minimum=10 * UNIT)


def _quote(expiry: int) -> ExpiryMarket:
    """A quote at about 50 % volatility, with a skew: total variance is 0.25 tau at the money, two fifths of it from the wings' term."""
    time = expiry - TIME
    variance = WAD * time // (4 * YEAR)
    sigma = WAD // 10 + 3 * isqrt(WAD * WAD * time // YEAR) // 10
    b = 2 * variance * WAD // (5 * sigma)
    smile = Svi(3 * variance // 5, b, -WAD // 4 - 7, WAD // 50 + 13, sigma)
    forward = (95_663 * UNIT + 4_783 * UNIT * time // YEAR) + 12_345_678
    return ExpiryMarket(expiry, forward, WAD // 20, smile)


def _market() -> MarketSnapshot:
    spot, perpetual = 95_663 * UNIT + 50_604_855, 95_700 * UNIT + 12_000_000
    part = UnderlyingMarket(1, spot, perpetual, WAD, 0, (), tuple(map(_quote, _EXPIRIES)))
    return MarketSnapshot(TIME, UNIT, (part,))


def _strike(i: int) -> int:
    """Strike `i` of 100, from 47,500 up to 146,500, E8."""
    return (47_500 + 1_000 * i) * UNIT


def _book(options: int, expiries: int) -> Book:
    """Strikes even over the range, one after another in the next of so many expiries; calls and puts, long and short."""
    return [
        (
            Instrument(
                1,
                (Kind.CALL, Kind.PUT)[i % 2],
                _EXPIRIES[i % expiries * (len(_EXPIRIES) // expiries)],
                _strike((2 * i + 1) * _STRIP // (2 * options)),
            ),
            (-1) ** (i // 2) * (i % 17 + 1) * UNIT,
        )
        for i in range(options)
    ]


def _court(*, syncs: bool = True) -> Court:
    """A court whose registry knows every strike and expiry from the start, in increasing order; its copy is as new."""
    court = Court(1, syncs=syncs)
    for expiry in _EXPIRIES:
        court.id_of(Instrument(1, Kind.FUTURE, expiry))
    for i in range(_STRIP):
        court.id_of(Instrument(1, Kind.CALL, _EXPIRIES[0], _strike(i)))
    if syncs:
        court.sync()
    return court


def _measure_asking(model: Model, market: MarketSnapshot) -> dict[str, int]:
    """The same calls of a court that has no copy of the instruments, and what making one takes."""
    court = _court(syncs=False)
    published = court.publish(model)
    court.post(market)
    gas = {
        f"one scenario, registry asked, {n} options": _reprice(court, published, _book(n, expiries), VOL_UP)
        for n, expiries in SIZES.items()
    }
    contract = court.machine.cold(court.court)
    contract.transact("syncInstruments", 1)
    return gas | {"sync of 12 expiries and 100 strikes": contract.gas}


def _gas(court: Court, name: str, *arguments: bytes) -> int:
    """Gas of one call as a transaction of its own, everything cold."""
    contract = court.machine.cold(court.court)
    contract.call(name, *arguments)
    return contract.gas


def _abridged(book: Book) -> bytes:
    """The market as far as the book needs it."""
    return abridge_market(_market(), needed_by(instrument for instrument, _ in book))


def _reprice(court: Court, model: bytes, book: Book, index: int) -> int:
    """Gas of one index, as tight as its calldata can be."""
    asked = Repricing(model, court.portfolio(book), bytes((1, index)), _abridged(book))
    return _gas(court, "repriceCompact", pack_repricing(asked))


def _reprice_whole(court: Court, model: bytes, book: Book) -> int:
    """Gas of one scenario by the call that other contracts use, with all of the market."""
    return _gas(
        court,
        "repriceScenario",
        model,
        court.portfolio(book),
        encode_market(_market()),
        bytes((1, VOL_UP)),
    )


def measure_court() -> dict[str, int]:
    """Gas by call and number of options."""
    court, market, section = _court(), _market(), _section()
    model, count = court.publish(Model((section,))), len(section.scenarios)
    indices = {
        "one scenario": VOL_UP,
        "a skew": count - 1,
        "basis": count,
        "delta": count + 1,
        "short minimum": count + 2,
    }
    books = {f"{n} options": _book(n, expiries) for n, expiries in SIZES.items()}
    books["10 options in 10 expiries"] = _book(10, 10)
    gas = {
        f"one scenario, market checked, {size}": _reprice_whole(court, model, book)
        for size, book in books.items()
    }
    court.post(market)
    for size, book in books.items():
        gas[f"one scenario, market whole, {size}"] = _reprice_whole(court, model, book)
        gas[f"full, {size}"] = _gas(court, "recompute", model, court.portfolio(book), _abridged(book))
        for name, index in indices.items():
            gas[f"{name}, {size}"] = _reprice(court, model, book, index)
    return gas | _measure_asking(Model((section,)), market) | {STRIP_ROW: measure_strip()}


def measure_strip() -> int:
    """Gas of one option value from forward, strike, their logarithms, total volatility and discount factor: 25 strikes at each of four
    total volatilities, without what reading them and the loop take."""
    machine = Machine()
    logarithm = partial(machine.deploy("PricingHarness").call, "ln")
    forward, discount = 95_663 * UNIT, 2**58 - 2**52
    strikes = [_strike(4 * i) for i in range(25)]
    strip = [
        (strike, log, 2**58 * percent // 100)
        for percent in (5, 15, 30, 60)
        for strike, log in zip(strikes, logarithm(strikes), strict=True)
    ]
    expiry = (forward, *logarithm([forward]), discount)
    return int(machine.deploy("StripHarness").call("stripGas", expiry, strip)) // len(strip)
