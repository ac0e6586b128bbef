"""One chart, drawn twice: a still picture by Matplotlib and, to hover over, one by Plotly."""

import html
import io
import re
from dataclasses import dataclass, field

import numpy as np

# Okabe and Ito's palette, those of its colors that reach 3 : 1 on white. Marker and dash differ
# too, so that no series is told by its color alone.
BLUE, VERMILLION, GREEN, BLACK, GRAY = "#0072B2", "#D55E00", "#00805E", "#000000", "#767676"
# role: (color, Matplotlib marker, Plotly marker, Matplotlib dash, Plotly dash)
STYLES = {
    "data": (BLUE, "o", "circle", "-", "solid"),
    "train": (BLUE, "o", "circle", "-", "solid"),
    "validation": (GREEN, "^", "triangle-up", "--", "dash"),
    "test": (VERMILLION, "s", "square", "-.", "dashdot"),
    "prediction": (BLACK, "+", "cross-thin-open", "-", "solid"),
    "truth": (GRAY, "x", "x", "--", "dash"),
    "limit": (BLACK, "|", "line-ns", ":", "dot"),
    "diverged": (VERMILLION, "^", "triangle-up", "-", "solid"),
}
SPARE = (
    (VERMILLION, "s", "square", "-", "solid"),
    (GREEN, "^", "triangle-up", "-.", "dashdot"),
    (BLACK, "D", "diamond", ":", "dot"),
    (GRAY, "x", "x", "-", "solid"),
    (BLUE, "o", "circle", "--", "dash"),
)
MOST_POINTS = 2_000
# What Markdown may take for markup, a link or a formula; an underscore within a word it does not.
_MARKUP = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])|[&<>`*~\[\]$\\@]|:(?=//)|(?<=www)\.")
_MIME = "application/vnd.plotly.v1+json"
_CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "showSendToCloud": False,
}  # no button that leaves the machine


@dataclass(frozen=True)
class Series:
    """Points, a line or a vertical mark with a name and a role that sets its style."""

    name: str
    x: np.ndarray
    y: np.ndarray
    kind: str = "points"  # "points", "line" or "vertical"
    role: str = ""


@dataclass(frozen=True)
class Chart:
    """What is drawn, apart from how.

    Attributes
    ----------
    series : tuple of Series
        In drawing order.
    xlabel, ylabel : str
        Axis labels with units.
    summary : str
        One sentence that says what the picture shows: caption and alternative text.
    log_x, log_y : bool
        Logarithmic axes.
    surface : tuple of ndarray, optional
        x (A,), y (B,) and z (B, A), drawn as contours beneath the series.
    interactive : bool
        Also offer the Plotly picture, which JupyterLab prefers.
    """

    series: tuple[Series, ...]
    xlabel: str
    ylabel: str
    summary: str
    log_x: bool = False
    log_y: bool = False
    surface: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    interactive: bool = False
    size: tuple[float, float] = field(default=(6.4, 4.0))

    def __repr__(self) -> str:
        return f"Chart: {self.summary}"

    def styled(self):
        """Yield each series with its style; roles without one take the spare styles in turn."""
        spare = iter(SPARE * (1 + len(self.series)))
        for series in self.series:
            yield series, STYLES.get(series.role) or next(spare)

    def to_matplotlib(self):
        """Return the chart as a Matplotlib figure, made without pyplot and its global state."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=self.size, layout="constrained")
        axes = figure.add_subplot(xlabel=self.xlabel, ylabel=self.ylabel)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_parse_math(False)  # a learner's word with a dollar is no formula
        axes.grid(alpha=0.3)
        if self.surface is not None:
            filled = axes.contourf(*self._contours(), levels=20, cmap="Greys", alpha=0.6)
            figure.colorbar(filled, label="log10 of the loss")
        for series, (color, marker, _, dash, _) in self.styled():
            x, y = thin(series.x), thin(series.y)
            name = series.name.lstrip("_") or "unnamed"  # Matplotlib hides names with a leading _
            if series.kind == "vertical":
                axes.axvline(x[0], color=color, linestyle=dash, label=name)
            elif series.kind == "line":
                dots = marker if len(x) <= 60 and self.surface else None
                axes.plot(x, y, marker=dots, color=color, linestyle=dash, markersize=4, label=name)
            else:
                axes.plot(x, y, marker, color=color, markersize=5, alpha=0.7, label=name)
        if self.log_x and self._reaches("x"):
            axes.set_xscale("log")
        if self.log_y and self._reaches("y"):
            axes.set_yscale("log")
        if self.series:  # above the axes, where it cannot cover a point
            legend = figure.legend(loc="outside upper center", ncols=4, frameon=False)
            for text in legend.get_texts():
                text.set_parse_math(False)
        return figure

    def to_plotly(self) -> dict:
        """Return the chart as the data and layout that Plotly draws in the page.

        The tests let Plotly's Python package check it; the kernel has no need to load that.
        """
        traces, shapes = [], []
        if self.surface is not None:
            x, y, z = (values.tolist() for values in self._contours())
            look = {"colorscale": "Greys", "reversescale": True, "opacity": 0.6}
            traces.append({"type": "contour", "x": x, "y": y, "z": z, **look})
        for series, (color, _, marker, _, dash) in self.styled():
            line = {"color": color, "dash": dash}
            if series.kind == "vertical":
                at = float(series.x[0])
                ends = {"x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "y domain"}
                shapes.append({"type": "line", "line": line, **ends})
                x, y, mode = [None], [None], "lines"  # a vertical mark has no legend of its own
            else:
                x, y = _six_digits(thin(series.x)), _six_digits(thin(series.y))
                mode = "lines" if series.kind == "line" else "markers"
            points = {"color": color, "symbol": marker, "size": 7}
            look = {"mode": mode, "line": line, "marker": points, "opacity": 0.8}
            name = as_plotly(series.name)
            traces.append({"type": "scatter", "name": name, "x": x, "y": y, **look})
        axis = {"gridcolor": "#D9D9D9", "zeroline": False, "linecolor": GRAY, "ticks": "outside"}
        kinds = {False: "linear", True: "log"}
        layout = {
            "xaxis": {"title": {"text": as_plotly(self.xlabel)}, "type": kinds[self.log_x], **axis},
            "yaxis": {"title": {"text": as_plotly(self.ylabel)}, "type": kinds[self.log_y], **axis},
            "shapes": shapes, "height": 420, "margin": {"l": 70, "r": 20, "t": 30, "b": 75},
            "showlegend": True, "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "paper_bgcolor": "white", "plot_bgcolor": "white",
            "font": {"color": "black", "size": 13},
        }  # fmt: skip
        return {"data": traces, "layout": layout, "config": _CONFIG}

    def to_png(self) -> bytes:
        """Return the still picture as the bytes of a PNG file with 64 colors, which suffice."""
        from PIL import Image

        drawn, small = io.BytesIO(), io.BytesIO()
        self.to_matplotlib().savefig(drawn, format="png", dpi=100)
        picture = Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE)
        picture.save(small, format="png", optimize=True)
        return small.getvalue()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        self.show_picture()
        caption = f"*{as_markdown(self.summary)}*"
        display({"text/markdown": caption, "text/plain": self.summary}, raw=True)

    def show_picture(self) -> None:
        """Show the chart without its caption."""
        from IPython.display import display

        data = {"image/png": self.to_png(), "text/plain": repr(self)}
        if self.interactive:
            data[_MIME] = self.to_plotly()
        display(data, raw=True, metadata={"image/png": {"alt": self.summary}})

    def _reaches(self, axis: str) -> bool:
        """Tell whether there is a value that a logarithmic axis can show."""
        drawn = [one for one in self.series if axis == "x" or one.kind != "vertical"]
        return any(np.any(np.nan_to_num(getattr(one, axis)) > 0) for one in drawn)

    def _contours(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y, z = self.surface
        with np.errstate(divide="ignore"):
            heights = np.log10(z)
        return x, y, np.maximum(heights, np.nanmax(heights) - 8)


def as_text(
    value: float, digits: int = 4, *, decimals: int | None = None, least: float = 0.0
) -> str:
    """Write a number as people do; replay.js has the same rules.

    There is no minus before a zero, a comma parts the thousands, and only what lies outside a
    millionth to a million gets an exponent.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        How many significant digits it gets below 1,000.
    decimals : int, optional
        How many digits stand after the point, instead, below 100,000.
    least : float
        What is above 0 and smaller than this is told as being so.
    """
    value = float(value)
    if 0 < value < least:
        return f"less than {as_text(least)}"
    if value == 0 and decimals is None:
        return "0"
    if not np.isfinite(value):
        return str(value)
    if decimals is not None and abs(value) < 1e5:
        return f"{round(value, decimals) + 0.0:,.{decimals}f}"
    rounded = float(f"{value:.{digits - 1}e}")
    if not 1e-6 <= abs(rounded) < 1e6:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{float(mantissa):g}e{int(power)}"
    if abs(rounded) >= 1_000:
        return f"{value:,.0f}"
    return np.format_float_positional(rounded, trim="-")


def count(n: int, thing: str = "row") -> str:
    """Return a number with what is counted."""
    return f"{n:,} {thing}{'s' if n != 1 else ''}"


def drawn(n: int) -> str:
    """Say how many of n points are drawn, or nothing if all are."""
    return (
        "" if n <= MOST_POINTS else f" ({len(range(0, n, -(-n // MOST_POINTS))):,} of them drawn)"
    )


def thin(values: np.ndarray) -> np.ndarray:
    """Return every k-th value, so that no more than `MOST_POINTS` are drawn."""
    return values[:: -(-len(values) // MOST_POINTS)] if len(values) > MOST_POINTS else values


def as_markdown(text: str) -> str:
    """Return Markdown that shows the text to the letter: no markup, no link, no formula in it.

    Entities are never taken for markup. What begins a formula stands in an element of its own,
    because formulas are looked for once the Markdown has become a page.
    """
    text = _MARKUP.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), text)
    text = " ".join(text.split())
    return re.sub(r"&#(36|92);", r"<span>\g<0></span>", text)


def as_html(text: str) -> str:
    """Return HTML that shows the text to the letter: no markup and no formula in it."""
    return re.sub(r"[$\\]", lambda found: f"<span>&#{ord(found[0])};</span>", html.escape(text))


def as_plotly(text: str) -> str:
    """Return a text without the few tags and the formulas that Plotly draws in names and titles."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("$", "&#36;")


def _six_digits(values: np.ndarray) -> list[float | None]:
    """Round, so that stored figures do not differ between machines; a gap becomes None."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]
