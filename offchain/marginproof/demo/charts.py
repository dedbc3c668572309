"""Small charts as inline SVG. Colours are classes of the page's style sheet; every text passes through escaping."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_LEFT: Final = 46
_RIGHT: Final = 15
_TOP: Final = 8
_BOTTOM: Final = 20
_MAX_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One line: the name in tooltips, a value per epoch or None, and the class that colours it."""

    name: str
    values: tuple[float | None, ...]
    style: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its value, its class, and what its tooltip says."""

    value: float
    style: str
    tip: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The plotting area: size in SVG units, and the range of the vertical axis."""

    width: int
    height: int
    low: float
    high: float

    def y(self, value: float) -> float:
        """Vertical place of a value."""
        inner = self.height - _TOP - _BOTTOM
        return round(_TOP + inner * (self.high - value) / (self.high - self.low), 1)

    def x(self, index: float, count: int) -> float:
        """Horizontal place of the middle of slot `index` of `count`."""
        inner = self.width - _LEFT - _RIGHT
        return round(_LEFT + inner * (index + 0.5) / max(1, count), 1)


def ticks(low: float, high: float) -> list[float]:
    """At most five round numbers from below `low` to above `high`, equally spaced; the step is 1, 2, 2.5 or 5 times a power of ten."""
    span = (high - low) or max(abs(high), 1.0)
    power = 10 ** math.floor(math.log10(span / _MAX_TICKS))
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        step = power * factor
        first, last = math.floor(low / step), math.ceil((low + span) / step)
        if last - first < _MAX_TICKS:
            break
    return [step * k for k in range(first, last + 1)]


def _grid(frame: Frame, marks: Sequence[float], label: Callable[[float], str]) -> Markup:
    line = Markup(
        '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick end" x="{}" y="{}">{}</text>'
    )
    right = frame.width - _RIGHT
    return Markup("").join(
        line.format("zero" if mark == 0 else "grid", _LEFT, right, frame.y(mark), frame.y(mark), _LEFT - 5,
                    frame.y(mark) + 3, label(mark))
        for mark in marks
    )  # fmt: skip


def _slots(frame: Frame, names: Sequence[str]) -> Markup:
    text = Markup('<text class="tick mid" x="{}" y="{}">{}</text>')
    return Markup("").join(
        text.format(frame.x(i, len(names)), frame.height - 6, name) for i, name in enumerate(names) if name
    )


def _svg(frame: Frame, title: str, body: Markup) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        frame.width, frame.height, title, body
    )


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Stretches of values without a gap, each value with its index."""
    runs: list[list[tuple[int, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((index, value))
    return [run for run in runs if run]


def line_chart(
    title: str,
    series: Sequence[Series],
    slots: Sequence[str],
    size: tuple[int, int],
    label: Callable[[float], str],
    *,
    from_zero: bool = True,
    tips: Sequence[str] = (),
    rings: Sequence[tuple[int, float, str, str]] = (),
) -> Markup:
    """Lines over evenly spaced slots, `slots` below the axis and `tips` (the slots when left out) in tooltips.

    `rings` are marks: slot, value, class, tooltip. Without any value: an empty frame.
    """
    names = tips or slots
    values = [value for line in series for value in line.values if value is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    marks = ticks(min(0.0, low) if from_zero else low, max(0.0, high) if from_zero else high)
    frame = Frame(*size, marks[0], marks[-1])
    body = _grid(frame, marks, label) + _slots(frame, slots)
    dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="2"><title>{}</title></circle>')
    for line in series:
        for run in _runs(line.values):
            points = [(frame.x(index, len(slots)), frame.y(value)) for index, value in run]
            if len(points) > 1:
                path = " ".join(f"{x},{y}" for x, y in points)
                body += Markup('<polyline class="line {}" points="{}"/>').format(line.style, path)
            for (index, value), (x, y) in zip(run, points, strict=True):
                body += dot.format(line.style, x, y, f"{names[index]}, {line.name}: {label(value)}")
    ring = Markup('<circle class="ring {}" cx="{}" cy="{}" r="5"><title>{}</title></circle>')
    for slot, value, style, tip in rings:
        body += ring.format(style, frame.x(slot, len(slots)), frame.y(value), tip)
    return _svg(frame, title, body)


def bar_chart(
    title: str,
    bars: Sequence[Bar],
    slots: Sequence[str],
    size: tuple[int, int],
    label: Callable[[float], str],
) -> Markup:
    """Bars from zero, one per slot; `slots` holds a text or nothing for each bar."""
    values = [bar.value for bar in bars]
    marks = ticks(min([0.0, *values]), max([0.0, *values]))
    frame = Frame(*size, marks[0], marks[-1])
    width = round((frame.width - _LEFT - _RIGHT) / max(1, len(bars)) * 0.72, 2)
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    body = _grid(frame, marks, label)
    for index, bar in enumerate(bars):
        top, bottom = frame.y(max(0.0, bar.value)), frame.y(min(0.0, bar.value))
        left = round(frame.x(index, len(bars)) - width / 2, 1)
        body += shape.format(bar.style, left, top, width, round(max(0.6, bottom - top), 1), bar.tip)
    return _svg(frame, title, body + _slots(frame, slots))


def stacked_chart(
    title: str, columns: Sequence[Sequence[Bar]], slots: Sequence[str], size: tuple[int, int]
) -> Markup:
    """Counts stacked from zero, one column per slot."""
    totals = [sum(bar.value for bar in column) for column in columns]
    marks = ticks(0.0, max(totals, default=1.0))
    frame = Frame(*size, marks[0], marks[-1])
    width = round((frame.width - _LEFT - _RIGHT) / max(1, len(columns)) * 0.55, 1)
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    body = _grid(frame, marks, lambda mark: f"{mark:g}") + _slots(frame, slots)
    for index, column in enumerate(columns):
        base = 0.0
        for bar in column:
            top, bottom = frame.y(base + bar.value), frame.y(base)
            left = round(frame.x(index, len(columns)) - width / 2, 1)
            if bar.value:
                body += shape.format(bar.style, left, top, width, round(bottom - top, 1), bar.tip)
            base += bar.value
    return _svg(frame, title, body)
