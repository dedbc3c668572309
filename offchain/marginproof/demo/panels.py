"""The report's figures: three overviews of the whole venue, and a card per account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from marginproof.demo.charts import Bar, Series, bar_chart, line_chart, stacked_chart
from marginproof.demo.digest import Health, History, health
from marginproof.demo.record import EpochEntry, Record, ScenarioChange
from marginproof.demo.words import counted, move, ratio, short_moment, short_usd, usd
from marginproof.spec.units import ONE_WAD

_OVERVIEW: Final = (420, 230)
_SMALL: Final = (330, 150)
_VOL_ORDER: Final = {"down": 0, "none": 1, "up": 2}
_SPOT_STYLES: Final = ("c1", "c2", "c3", "c4")
_LABEL_GAP: Final = 4
"""Bars between two labels of the profile, at least."""
_HEALTH_STYLES: Final = {Health.GOOD: "good", Health.THIN: "thin", Health.SHORT: "short"}


def _usd_float(amount_e8: int) -> float:
    return amount_e8 / 1e8


def _tips(epochs: Sequence[EpochEntry]) -> list[str]:
    return [short_moment(epoch.time) for epoch in epochs]


def _slots(epochs: Sequence[EpochEntry]) -> list[str]:
    """The day under the first epoch of each day, the hour under the others."""
    texts = zip(_new_days(epochs), _tips(epochs), strict=True)
    return [day or text.rpartition(" ")[2] for day, text in texts]


def _days(epochs: Sequence[EpochEntry]) -> list[str]:
    return [short_moment(epoch.time).rpartition(" ")[0] for epoch in epochs]


def _new_days(epochs: Sequence[EpochEntry]) -> list[str]:
    """The day under the first epoch of each day."""
    days = ["", *_days(epochs)]
    return ["" if day == days[i] else day for i, day in enumerate(days[1:])]


def spot_chart(record: Record) -> Markup:
    """Every spot price in percent of its first."""
    symbols = list(dict.fromkeys(symbol for epoch in record.epochs for symbol in epoch.spots_e8))
    series = []
    for number, symbol in enumerate(symbols):
        prices = [epoch.spots_e8.get(symbol) for epoch in record.epochs]
        first = next((price for price in prices if price), 1)
        values = tuple(None if price is None else 100 * price / first for price in prices)
        series.append(Series(symbol, values, _SPOT_STYLES[number % len(_SPOT_STYLES)]))
    return line_chart(
        "Spot prices in percent of the first",
        series,
        _slots(record.epochs),
        _OVERVIEW,
        lambda v: f"{v:.4g}%",
        from_zero=False,
        tips=_tips(record.epochs),
    )


def total_chart(record: Record, accounts: Sequence[History], makers: str) -> Markup:
    """Equity and requirements of all accounts with a requirement together, without the strategy `makers`."""
    counted_ids = {history.book.account for history in accounts if history.book.strategy != makers}
    totals: dict[str, list[float]] = {"equity": [], "initial": [], "maintenance": []}
    for epoch in record.epochs:
        held = [f for f in epoch.accounts if f.account in counted_ids and f.maintenance_e8 > 0]
        totals["equity"].append(_usd_float(sum(f.equity_e8 for f in held)))
        totals["initial"].append(_usd_float(sum(f.initial_e8 for f in held)))
        totals["maintenance"].append(_usd_float(sum(f.maintenance_e8 for f in held)))
    series = [Series(name, tuple(values), name) for name, values in totals.items()]
    title = "Equity and requirements together"
    return line_chart(title, series, _slots(record.epochs), _OVERVIEW, short_usd, tips=_tips(record.epochs))


def health_chart(record: Record) -> Markup:
    """How many accounts with a requirement are in which state, epoch by epoch."""
    columns = []
    for epoch in record.epochs:
        states = [
            health(figures)
            for figures in epoch.accounts
            if figures.maintenance_e8 > 0 or figures.equity_e8 < 0
        ]
        columns.append(
            [
                Bar(states.count(state), style, f"{counted(states.count(state), 'account')} {state.value}")
                for state, style in reversed(_HEALTH_STYLES.items())
            ]
        )
    return stacked_chart("Accounts by state", columns, _slots(record.epochs), _OVERVIEW)


@dataclass(frozen=True, slots=True)
class Decision:
    """The scenario that decides for one underlying, in words: "spot -18%, volatility up", the change there, and whether it loses."""

    underlying: str
    scenario: str
    change: str
    loses: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One account of the report. `profile` is None when no scenario changes anything, and `note` then says why."""

    account: int
    name: str
    state: str
    style: str
    called: bool
    lowest: str
    lowest_at: str
    equity: str
    chart: Markup
    profile: Markup | None
    note: str
    decisions: tuple[Decision, ...]


def account_card(history: History, epochs: Sequence[EpochEntry]) -> Card:
    """The card of one account. It must appear in at least one epoch."""
    tightest, worst, book = history.tightest, history.worst_health, history.book
    profile = tightest.figures.profile if tightest is not None else ()
    moves = any(change.change_e8 for change in profile)
    note = "The legs cancel: no scenario changes this book." if profile else "No positions at any epoch."
    return Card(
        account=book.account,
        name=book.name,
        state=worst.value if tightest is not None else "no requirement",
        style=_HEALTH_STYLES[worst] if tightest is not None else "idle",
        called=bool(history.liquidated_rounds),
        lowest=ratio(tightest.figures.equity_e8, tightest.figures.maintenance_e8)
        if tightest is not None
        else "",
        lowest_at=short_moment(tightest.epoch.time) if tightest is not None else "",
        equity=f"{usd(history.points[0].figures.equity_e8)} \N{RIGHTWARDS ARROW} {usd(history.points[-1].figures.equity_e8)}",
        chart=_margin_chart(history, epochs),
        profile=_profile_chart(book.name, profile) if moves else None,
        note=note,
        decisions=tuple(_decision(change) for change in profile if change.decides),
    )


def _margin_chart(history: History, epochs: Sequence[EpochEntry]) -> Markup:
    points = {point.epoch.round: point.figures for point in history.points}
    figures = [points.get(epoch.round) for epoch in epochs]
    series = [
        Series(
            "initial margin",
            tuple(None if f is None else _usd_float(f.initial_e8) for f in figures),
            "initial",
        ),
        Series(
            "maintenance margin",
            tuple(None if f is None else _usd_float(f.maintenance_e8) for f in figures),
            "maintenance",
        ),
        Series("equity", tuple(None if f is None else _usd_float(f.equity_e8) for f in figures), "equity"),
    ]
    if history.tightest is None:
        series = series[2:]
    rings = []
    for slot, (epoch, now) in enumerate(zip(epochs, figures, strict=True)):
        if now is not None and (health(now) == Health.SHORT or epoch.round in history.liquidated_rounds):
            short = health(now) == Health.SHORT
            tip = "below maintenance margin" if short else "called"
            rings.append((slot, _usd_float(now.equity_e8), "short" if short else "thin", tip))
    title = f"{history.book.name}: equity against margin"
    return line_chart(title, series, _new_days(epochs), _SMALL, short_usd, tips=_tips(epochs), rings=rings)


def _profile_chart(name: str, profile: Sequence[ScenarioChange]) -> Markup:
    order = {
        underlying: i for i, underlying in enumerate(dict.fromkeys(change.underlying for change in profile))
    }
    ranked = sorted(
        profile, key=lambda c: (order[c.underlying], c.spot_wad, _VOL_ORDER.get(c.vol, 3), c.index)
    )
    several = len(order) > 1
    bars = [
        Bar(
            _usd_float(change.change_e8),
            "decides" if change.decides else "gain" if change.change_e8 >= 0 else "loss",
            f"{change.underlying} {_scenario(change)}: {usd(change.change_e8)}",
        )
        for change in ranked
    ]
    return bar_chart(
        f"{name}: change in every scenario", bars, _profile_slots(ranked, several), _SMALL, short_usd
    )


def _profile_slots(ranked: Sequence[ScenarioChange], several: bool) -> list[str]:
    """The symbol in the middle of its bars where there are several; else the spot move under the outermost bars and at some between."""
    slots = [""] * len(ranked)
    if several:
        for symbol in dict.fromkeys(change.underlying for change in ranked):
            own = [i for i, change in enumerate(ranked) if change.underlying == symbol]
            slots[own[len(own) // 2]] = symbol
        return slots
    places = {
        spot: [i for i, c in enumerate(ranked) if c.spot_wad == spot] for spot in (c.spot_wad for c in ranked)
    }
    outermost = (ranked[0].spot_wad, ranked[-1].spot_wad)
    for spot in sorted(places, key=lambda s: (s != ONE_WAD, s not in outermost)):
        place = places[spot][len(places[spot]) // 2]
        if not any(slots[max(0, place - _LABEL_GAP) : place + _LABEL_GAP + 1]):
            slots[place] = move(spot)
    return slots


def _scenario(change: ScenarioChange) -> str:
    if change.vol.endswith(("skew", "charge")):
        return change.vol
    vol = "unchanged" if change.vol == "none" else change.vol
    return f"spot {move(change.spot_wad)}, volatility {vol}"


def _decision(change: ScenarioChange) -> Decision:
    return Decision(change.underlying, _scenario(change), usd(change.change_e8), change.change_e8 < 0)
