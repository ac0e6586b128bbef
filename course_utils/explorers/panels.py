"""bqplot panels with fixed axes: the picture moves, the frame does not."""

import bqplot
import numpy as np

from course_utils.charts import BLUE, GRAY, GREEN, STYLES, VERMILLION, thin

# A role's marker and dash as bqplot calls them; colors are those of the still figures.
_MARKER = {
    "o": "circle",
    "^": "triangle-up",
    "s": "square",
    "+": "cross",
    "x": "cross",
    "D": "diamond",
}
# Black lines vanish in the dark theme, so what is predicted is vermillion here; blue and green are
# lighter, so that they stand out from #111111 (4.5 and 4.6 : 1) as from white (4.2 and 4.1).
_LIGHTER = {BLUE: "#1480C8", GREEN: "#008F69"}
_STYLES = {role: (_LIGHTER.get(color, color), *rest) for role, (color, *rest) in STYLES.items()} | {
    "prediction": (VERMILLION, "D", "diamond", "-", "solid"),
    "limit": (GRAY, "|", "line-ns", ":", "dot"),
}
# In the corner the lowest label of y ends where the first of x begins; bqplot sets them 3 px apart.
_BELOW = {"label_offset": "36px", "tick_style": {"transform": "translateY(7px)"}}
# What lies behind a legend shines through without crossing its words, and stays within reach.
_OPAQUE = {
    "fill": "var(--jp-layout-color0, white)",
    "fill-opacity": "0.8",
    "pointer-events": "none",
}
_DASH = {"-": "solid", "--": "dashed", "-.": "dash_dotted", ":": "dotted"}


class Panel:
    """A figure on two labeled axes with fixed ends, to which marks are added in drawing order.

    Parameters
    ----------
    title : str
        What the panel shows, in a few words.
    x, y : (label with unit, smallest value, largest value)
        The axes.
    log_x, log_y : bool
        Logarithmic axes.
    width : int
        Width in pixels.
    """

    def __init__(
        self,
        title: str,
        x: tuple[str, float, float],
        y: tuple[str, float, float],
        *,
        log_x: bool = False,
        log_y: bool = False,
        width: int = 420,
    ):
        self.scales, axes = {}, []
        for name, (label, low, high), log in (("x", x, log_x), ("y", y, log_y)):
            scale = bqplot.LogScale if log else bqplot.LinearScale
            self.scales[name] = scale(min=float(low), max=float(high), allow_padding=False)
            place = {"side": "left", "label_offset": "48px"} if name == "y" else _BELOW
            ticks = _powers_of_ten(low, high) if log else _round_ticks(low, high)
            form = {"tick_format": "~g"} if log else {}
            options = {"grid_color": "#8888884d", "tick_values": ticks, **form, **place}
            axes.append(bqplot.Axis(scale=self.scales[name], label=label, **options))
        self.figure = bqplot.Figure(
            title=title, axes=axes, legend_location="top-left", animation_duration=0,
            title_style={"transform": "translateY(-6px)"},  # it would stand on the frame
            legend_style=_OPAQUE,
            display_toolbar=False,  # it covers titles, and its pan moves the frame
            fig_margin={"top": 40, "bottom": 45, "left": 65, "right": 15},
            layout={"width": f"{width}px", "max_width": "calc(100% - 4px)", "height": "320px"},
        )  # fmt: skip

    def points(self, name: str, role: str = "data", **options: object) -> bqplot.Scatter:
        """Add an empty scatter mark in the style of a role."""
        color, marker, *_ = _STYLES[role]
        style = {"marker": _MARKER[marker], "default_size": 24}
        return self._add(bqplot.Scatter, name, color, style | options)

    def line(self, name: str, role: str = "prediction", **options: object) -> bqplot.Lines:
        """Add an empty line mark in the style of a role."""
        color, _, _, dash, _ = _STYLES[role]
        style = {"line_style": _DASH[dash], "stroke_width": 2}
        return self._add(bqplot.Lines, name, color, style | options)

    def _add(self, kind: type[bqplot.Mark], name: str, color: str, options: dict) -> bqplot.Mark:
        style = {"colors": [color], "labels": [name], "display_legend": True} | options
        scales = self.scales | style.pop("scales", {})
        mark = kind(x=[0.0, 0.0], y=[0.0, 0.0], scales=scales, **style)
        self.figure.marks = [*self.figure.marks, mark]
        return mark


def _round_ticks(low: float, high: float) -> np.ndarray:
    """Return round numbers between the ends, six spaces or fewer; bqplot's own are cut off."""
    power = 10.0 ** np.floor(np.log10((high - low) / 6))
    step = next(m * power for m in (1, 2, 5, 10) if (high - low) / (m * power) <= 6)
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step


def _powers_of_ten(low: float, high: float) -> np.ndarray:
    """Return the powers between the ends, every second one where there are many."""
    powers = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    return 10.0 ** powers[:: -(-len(powers) // 6)]


def put(mark: bqplot.Mark, x: np.ndarray, y: np.ndarray) -> None:
    """Set the data of a mark in one message; many points are thinned."""
    with mark.hold_sync():
        mark.x, mark.y = thin(np.asarray(x)), thin(np.asarray(y))
