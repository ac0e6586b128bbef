"""Where everything stands in a picture, in pixels: both drawings of a chart take it from here."""

import itertools
import math
import textwrap
from typing import NamedTuple

import numpy as np

from course_utils import look
from course_utils.look import Look

WIDTH, HEIGHT = 640, 400
_EDGE, _LINE, _GAP = 8, 18, 15  # room at an edge, height of a line of words, least of two words
_RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)
_PLAIN = 1e-4, 1e6  # between them a number needs no power of ten


class Axis(NamedTuple):
    """A range with its ticks, which stand where Plotly puts as many, too.

    `most` is how many ticks it may have, and `spec` what makes Plotly write them alike.
    """

    low: float
    high: float
    log: bool
    ticks: list[float]
    words: list[str]
    most: int
    spec: dict

    def share(self, values: object) -> np.ndarray:
        """Return how far along the axis values are, from 0 to 1."""
        low, high, values = (self.scaled(part) for part in (self.low, self.high, values))
        return (values - low) / (high - low)

    def scaled(self, values: object) -> np.ndarray:
        """Return the values, or their powers of ten on a logarithmic axis."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(values) if self.log else np.asarray(values, float)


class Word(NamedTuple):
    """A text whose baseline starts, or ends, at a pixel; right and down from the upper left."""

    text: str
    x: float
    y: float
    role: str = "quiet"
    ends: bool = False  # whether x is where it ends
    bold: bool = False
    inside: bool = False  # whether it stands on the plot


class Frame(NamedTuple):
    """The plot's box, its axes, what they are called, the key (a look and where its marker stands).

    The words of the ticks stand apart, since Plotly writes its own.
    """

    left: float
    top: float
    right: float
    bottom: float
    x: Axis
    y: Axis
    words: list[Word]
    ticks: list[Word]
    key: list[tuple[Look, float, float]]

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point is drawn."""
        across, up = float(self.x.share(x)), float(self.y.share(y))
        return (
            self.left + across * (self.right - self.left),
            self.bottom - up * (self.bottom - self.top),
        )


def axis(values: np.ndarray, log: bool, most: int, room: float = 0.04) -> Axis:
    """Return the axis that shows all finite values."""
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    log = log and bool(len(values))
    ends = [values.min(), values.max()] if len(values) else [0.0, 1.0]
    low, high = np.log10(ends) if log else np.array(ends, float)
    alone = 0.5 if log else 0.5 * (abs(low) or 1.0)
    margin = room * (high - low) or alone * (low == high)
    low, high = float(low - margin), float(high + margin)
    most = _most_powers(high - low) if log else most
    ticks = _powers(low, high, most) if log else _multiples(low, high, _step((high - low) / most))
    if log:
        low, high = 10.0**low, 10.0**high
    words, spec = _written(ticks, log)
    return Axis(low, high, log, ticks, words, most, spec)


def frame(
    series: list, looks: list[Look], labels: tuple[str, str], axes: tuple[Axis, Axis],
    *, note: str = "", square: bool = False,
) -> Frame:  # fmt: skip
    """Put everything in its place.

    Parameters
    ----------
    series : list of Series
        What is drawn, with `name`, `x`, `y` and `kind`.
    looks : list of Look
        How each is drawn.
    labels : (str, str)
        Names of the axes.
    axes : (Axis, Axis)
        The axes themselves.
    note : str
        What stands above the plot at its right.
    square : bool
        One unit has one length on both axes, if that leaves room for both.

    Returns
    -------
    Frame
    """
    x, y = axes
    named = [(one, kind, _short(one.name)) for one, kind in zip(series, looks, strict=True)]
    points = [(kind, text) for one, kind, text in named if one.kind == "points"]
    far = 0.75 if points else 0.93  # what ends there is named at the right, beyond all points
    lines = [part for part in named if part[0].kind != "points" and _last(part[0], axes)]
    beyond = [text for one, _, text in lines if one.kind == "line" and _ends_beyond(one, axes, far)]
    left = _EDGE + max(look.width(word) for word in y.words) + _EDGE
    right = WIDTH - _EDGE - max([look.width(text, bold=True) + _EDGE for text in beyond] + [0])
    words, key, top = _heading(labels[1], points if len(points) > 1 else [])
    bottom = HEIGHT - 2 * _LINE - _EDGE
    if square:
        unit = (bottom - top) / (y.high - y.low)
        across = unit * (x.high - x.low)
        right = left + across if 0.5 < across / (right - left) <= 1 else right
    placed = Frame(left, top, right, bottom, x, y, words, [], key)
    placed.ticks.extend(_tick_words(placed))
    words.append(Word(labels[0], right, bottom + 2 * _LINE, ends=True))
    if note:
        words.append(Word(note, right, words[0].y, ends=True))
    spots = _spots(placed, [one for one, *_ in lines if one.kind == "line" and not square])
    words += _apart([_beside(placed, *part, far, spots) for part in lines], placed)
    return placed


def _heading(label: str, points: list[tuple[Look, str]]) -> tuple[list, list, float]:
    """Name the vertical axis and, at the right of it or above, the kinds of points."""
    marks = [(kind, text, 18 + look.width(text)) for kind, text in points]
    rows, room = [[]], WIDTH - 4 * _EDGE - look.width(label)
    if sum(size + 12 for *_, size in marks) > room:
        room, label_row = WIDTH - 2 * _EDGE, 1
    else:
        label_row = 0
    for mark in marks:
        if rows[-1] and sum(size + 12 for *_, size in [*rows[-1], mark]) > room:
            rows.append([])
        rows[-1].append(mark)
    words, key = [], []
    for number, row in enumerate(rows):
        x = WIDTH - _EDGE + 12 - sum(size + 12 for *_, size in row)
        y = _LINE * (number + 1)
        for kind, text, size in row:
            key.append((kind, x + 6, y - 4))
            words.append(Word(text, x + 18, y))
            x += size + 12
    last = _LINE * (len(rows) + label_row)
    return [Word(label, _EDGE, last), *words], key, last + 14


def _tick_words(placed: Frame) -> list[Word]:
    words = []
    for value, text in zip(placed.y.ticks, placed.y.words, strict=True):
        at = placed.pixel(placed.x.low, value)[1]
        words.append(Word(text, placed.left - _EDGE, at + 4, ends=True))
    for value, text in zip(placed.x.ticks, placed.x.words, strict=True):
        at = placed.pixel(value, placed.y.low)[0] - look.width(text) / 2
        words.append(Word(text, min(at, WIDTH - look.width(text) - 2), placed.bottom + _LINE))
    return words


def _spots(placed: Frame, lines: list) -> np.ndarray:
    """Return pixels along all lines, shape (P, 2)."""
    box, parts = [[placed.left, placed.bottom], [placed.right, placed.top]], [np.zeros((0, 2))]
    for one in lines:
        shares = np.stack([placed.x.share(one.x), placed.y.share(one.y)], axis=1)
        at = box[0] + shares * np.subtract(*box[::-1])
        between = np.linspace(0, 1, 50)[:, None, None]
        parts.append((at[:-1] + between * np.diff(at, axis=0)).reshape(-1, 2))
    return np.concatenate(parts)


def _beside(placed: Frame, series: object, kind: Look, text: str, far: float, ink: object) -> Word:
    """Name a line where it ends: right of the plot, or within it beside its last point.

    Within it, the word stands a little higher or on the other side where lines would cross it.
    """
    size = look.width(text, bold=True)
    if series.kind == "vertical":
        at = placed.pixel(series.x[0], placed.y.low)[0]
        fits = at + _EDGE + size < placed.right
        x = at + 6 if fits else at - 6
        return Word(text, x, placed.top + 12, kind.role, not fits, bold=True, inside=True)
    axes = placed.x, placed.y
    at, height = placed.pixel(*_last(series, axes))
    if _ends_beyond(series, axes, far):
        return Word(text, placed.right + _EDGE, height + 4, kind.role, bold=True)
    fits = at + 2 * _EDGE + size < placed.right
    places = [(at + _EDGE, height + 4), (at + _EDGE, height - 10)] if fits else []
    places += [(at - _EDGE - size, height - up) for up in (6, 10)]

    def crossed(place: tuple[float, float]) -> int:
        off = ink - place
        return np.sum((abs(off[:, 0] - size / 2) < size / 2) & (abs(off[:, 1] + 4) < 8))

    x, y = min(places, key=crossed)
    return Word(text, x, y, kind.role, bold=True, inside=True)


def _apart(words: list[Word], placed: Frame) -> list[Word]:
    """Move words apart, up and down, until none is over another."""
    spans = []
    for word in words:
        size = look.width(word.text, bold=True)
        spans.append((word.x - size, word.x) if word.ends else (word.x, word.x + size))
    heights = [word.y for word in words]
    for _ in range(60):
        for (i, a), (j, b) in itertools.combinations(enumerate(spans), 2):
            above, below = (i, j) if heights[i] <= heights[j] else (j, i)
            overlap = _GAP - (heights[below] - heights[above])
            if overlap > 0 and a[0] < b[1] + 2 and b[0] < a[1] + 2:
                heights[above] -= overlap / 2
                heights[below] += overlap / 2
        heights = [min(max(y, placed.top + 8), placed.bottom - 4) for y in heights]
    return [word._replace(y=y) for word, y in zip(words, heights, strict=True)]


def _last(series: object, axes: tuple[Axis, Axis]) -> tuple[float, float] | None:
    """Return the last point of a line that can be seen."""
    if series.kind == "vertical":
        return float(series.x[0]), axes[1].low
    shares = [one.share(values) for one, values in zip(axes, (series.x, series.y), strict=True)]
    seen = np.flatnonzero(np.isfinite(shares).all(axis=0))
    return (float(series.x[seen[-1]]), float(series.y[seen[-1]])) if len(seen) else None


def _ends_beyond(series: object, axes: tuple[Axis, Axis], far: float) -> bool:
    return bool(axes[0].share(_last(series, axes)[0]) > far)


def _short(name: str) -> str:
    return textwrap.shorten(name, 26, placeholder="\u2026") if len(name) > 26 else name


def _step(rough: float) -> float:
    """Return 2, 5 or 10 times a power of ten, no less than what is asked for."""
    base = 10.0 ** math.floor(math.log10(rough))
    return base * next((n for n in (2, 5, 10) if n * base >= rough), 10)


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def levels(low: float, high: float) -> list[float]:
    """Return level sets of a surface between two powers of ten: round numbers, some ten."""
    if not low < high:
        return []
    decades = high - low
    return _powers(low, high, 8 if decades < 1 or decades > 4.5 else 2 * decades)


def _most_powers(decades: float) -> int:
    """Return for how many ticks Plotly draws decades, or 1, 2 and 5 where there are few."""
    if decades < 1:
        return 5
    return min(int(decades / 0.31), 6) if decades < 3.3 else min(int(decades / 0.71), 6)


def _powers(low: float, high: float, most: int) -> list[float]:
    """Return ticks of a logarithmic axis: decades, or 1, 2 and 5 of each, or plain steps."""
    rough = (high - low) / most
    if rough > 0.7:
        return [10.0**k for k in _multiples(low, high, math.ceil(rough))]
    if high - low < 1:
        span = 10.0**high - 10.0**low
        return _multiples(10.0**low, 10.0**high, _step(span * rough / (1.5 * (high - low))))
    digits = (1, 2, 5) if rough > 0.3 else range(1, 10)
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [float(f"{n}e{k}") for k in decades for n in digits]
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def _written(ticks: list[float], log: bool) -> tuple[list[str], dict]:
    sizes = [abs(tick) for tick in ticks if tick]
    if not sizes or (_PLAIN[0] <= min(sizes) and max(sizes) < _PLAIN[1]):
        return [f"{tick:,.6g}".replace("-", "\u2212") for tick in ticks], {"tickformat": ",~r"}
    if log:
        powers = [round(math.log10(tick)) for tick in ticks]
        return [_power(power) for power in powers], {"exponentformat": "power"}
    parts = [f"{tick:.5e}".split("e") for tick in ticks]
    words = [f"{float(digits):g}e{int(power):+d}" for digits, power in parts]
    return [word.replace("-", "\u2212") for word in words], {"tickformat": "~e"}


def _power(power: int) -> str:
    if power in (0, 1):
        return str(10**power)
    raised = str.maketrans(
        "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
    )
    return "10" + str(power).translate(raised)
