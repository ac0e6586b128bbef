"""One chart, drawn twice: a still picture by Matplotlib and, to hover over, one by Plotly."""

import html
import io
import re
from dataclasses import dataclass

import numpy as np

from course_utils import frame, look

MOST_POINTS = 2_000
# What Markdown may take for markup, a link or a formula; an underscore within a word it does not.
_MARKUP = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])|[&<>`*~\[\]$\\@]|:(?=//)|(?<=www)\.")
_MIME = "application/vnd.plotly.v1+json"
_CONFIG = {"displayModeBar": False, "responsive": True}  # nothing over the words; as wide as fits
_PT = 0.72  # points in a pixel, at 100 pixels an inch
_PLOTLY = {".": "circle", "o": "circle", "O": "circle-open", "s": "square", "^": "triangle-up",
           "D": "diamond", "v": "triangle-down", "+": "cross-thin-open",
           "x": "x-thin-open", "|": "line-ns-open", "8": "circle"}  # fmt: skip
GLYPHS = dict(
    zip(".oOs^Dv+x|8", "\u25cf\u25cf\u25cb\u25a0\u25b2\u25c6\u25bc+\u00d7|\u25cf", strict=True)
)
_PLOTLY_FONT = {"family": ", ".join([*look.STYLE["fonts"], "sans-serif"]), "size": look.SMALL}
# A picture has a white ground of its own, which reads everywhere. In JupyterLab's dark theme the
# sentence below it, if trusted, turns it over: white becomes #111, blue stays blue. It also gives
# the picture, which JupyterLab shows without any, its alternative text.
_OURS = ".jp-OutputArea-child:has(+ .jp-OutputArea-child :is(.figure-says, .explorer-still))"
STYLE = f"""<style>
{_OURS} .jp-RenderedPlotly {{ max-width: {frame.WIDTH}px; }}
[data-jp-theme-light="false"] {_OURS} :is(.jp-RenderedImage img, .jp-RenderedPlotly) {{
  filter: invert(0.9333) hue-rotate(180deg); }}
</style>"""
_SCRIPT = """<script>{
const said = document.currentScript?.closest(".jp-OutputArea-child");
for (const image of said?.previousElementSibling?.querySelectorAll("img") ?? [])
  image.alt = said.querySelector("p").textContent;
}</script>"""


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

    def __repr__(self) -> str:
        return f"Chart: {self.summary}"

    def styled(self) -> list[tuple[Series, look.Look]]:
        """Return each series with its look; roles without one take the spare ones in turn."""
        looks = [look.ROLES.get(series.role) for series in self.series]
        for k, series in enumerate(self.series):
            spare = look.SPARE if series.kind == "line" else look.SPARE[-1:] + look.SPARE[:-1]
            taken = {one.role for one in looks if one}
            free = (one for one in spare if one.role not in taken)
            looks[k] = looks[k] or next(free, spare[k % len(spare)])
        return list(zip(self.series, looks, strict=True))

    def frame(self) -> frame.Frame:
        """Return where everything stands."""
        points = [one for one in self.series if one.kind != "vertical"]
        xs, ys = [one.x for one in self.series], [one.y for one in points]
        room = 0.0 if self.surface else 0.04
        if self.surface:
            xs, ys = [self.surface[0]], [self.surface[1]]
        axes = (
            frame.axis(np.concatenate([*xs, []]), self.log_x, 8, room),
            frame.axis(np.concatenate([*ys, []]), self.log_y, 8, room),
        )
        series, looks = zip(*self.styled(), strict=True) if self.series else ((), ())
        surface = self.surface is not None
        note = "The bluer, the higher the loss." if surface else ""
        labels = self.xlabel, self.ylabel
        return frame.frame(series, looks, labels, axes, note=note, square=surface)

    def to_matplotlib(self):
        """Return the chart as a Matplotlib figure, made without pyplot and its global state."""
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
        from matplotlib.patheffects import withStroke

        at, mark = self.frame(), look.MARK
        wide, high = frame.WIDTH, frame.HEIGHT
        figure = Figure(figsize=(wide / 100, high / 100), dpi=100, facecolor=look.COLORS["ground"])
        box = at.left / wide, 1 - at.bottom / high
        axes = figure.add_axes((*box, (at.right - at.left) / wide, (at.bottom - at.top) / high))
        axes.set(xlim=(at.x.low, at.x.high), ylim=(at.y.low, at.y.high), facecolor="none")
        axes.set(xscale="log" if at.x.log else "linear", yscale="log" if at.y.log else "linear")
        axes.set(xticks=[], yticks=[])
        axes.minorticks_off()
        axes.spines[:].set_visible(False)
        halo = [withStroke(linewidth=mark["halo"] * _PT, foreground=look.COLORS["ground"])]
        if self.surface is not None:
            self._shade(axes)
        else:
            ends = at.x.low, at.x.high
            axes.hlines(at.y.ticks, *ends, colors=look.COLORS["rule"], linewidths=_PT, zorder=0)
        for series, kind in self.styled():
            self._draw(axes, series, kind)
        for kind, x, y in at.key:
            spot = [x / wide], [1 - y / high]
            figure.add_artist(Line2D(*spot, transform=figure.transFigure, **_dots(kind)))
        for word in [*at.words, *at.ticks]:
            text = figure.text(
                word.x / wide, 1 - word.y / high, word.text, color=look.COLORS[word.role],
                family=look.fonts(), fontsize=look.SMALL * _PT, parse_math=False, va="baseline",
                ha="right" if word.ends else "left", weight="bold" if word.bold else "normal",
            )  # fmt: skip
            if word.inside:
                text.set_path_effects(halo)
        return figure

    def _draw(self, axes: object, series: Series, kind: look.Look) -> None:
        """Draw a series with Matplotlib; a line stands off from what is below it."""
        from matplotlib.patheffects import withStroke

        x, y = thin(series.x), thin(series.y)
        name = series.name.lstrip("_") or "unnamed"  # Matplotlib hides names with a leading _
        if series.kind == "points":
            few = {"zorder": 3} if len(x) <= 60 else {}  # above lines, which many would hide
            axes.plot(x, y, label=name, **_dots(kind) | few)
            return
        wide = _width(series) * _PT
        dash = [part * _PT / wide for part in kind.dash]
        style = {
            "color": kind.color,
            "linewidth": wide,
            "label": name,
            "zorder": 2 + bool(dash) / 2,
        }
        style["linestyle"] = (0, dash) if dash else "-"
        if series.kind == "vertical":
            axes.axvline(x[0], **style)
            return
        (line,) = axes.plot(x, y, solid_capstyle="round", **style)
        if self.surface or len(x) == 1:  # with a halo each, crowded dots would hide one another
            size = (5 * _PT) ** 2
            axes.scatter(x, y, size, kind.color, linewidths=1, zorder=style["zorder"])
        if not dash and (self.surface or any(one.kind == "points" for one in self.series)):
            below = look.MARK["halo"] / 2 * _PT + wide
            stroke = withStroke(linewidth=below, foreground=look.COLORS["ground"])
            line.set_path_effects([stroke])

    def _shade(self, axes: object) -> None:
        """Draw the loss by its level sets, darker with height; some tell their value."""
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.patheffects import withStroke

        x, y, heights = self._contours()
        low, high, ink = (look.COLORS[role] for role in ("low", "high", "ink"))
        inner = frame.levels(heights.min(), heights.max())
        levels = np.unique([heights.min(), *np.log10(inner), heights.max()])
        if len(levels) < 2:  # a flat surface has nothing to tell apart
            return
        shades = LinearSegmentedColormap.from_list("loss", [low, high], len(levels))
        axes.contourf(x, y, heights, levels, colors=shades(range(len(levels) - 1)))
        axes.contour(
            x,
            y,
            heights,
            levels[1:-1],
            linestyles="solid",
            colors="white",
            linewidths=_PT,
            alpha=0.5,
        )
        style = {"color": ink, "ha": "center", "va": "center", "clip_on": True}
        style |= {"fontsize": look.SMALL * _PT, "family": look.fonts()}
        stroke = withStroke(linewidth=look.MARK["halo"] * _PT, foreground=low, alpha=0.8)
        lowest = np.unravel_index(np.argmin(heights), heights.shape)
        row = heights[lowest[0], lowest[1] :: -1]  # from the lowest place to the left
        last = x[lowest[1]]
        for level in inner:
            at = x[lowest[1] - np.argmax(row > np.log10(level))]
            if row[0] < np.log10(level) < row.max() and last - at > 0.08 * np.ptp(x):
                axes.text(at, y[lowest[0]], as_text(level, 2), path_effects=[stroke], **style)
                last = at

    def to_plotly(self) -> dict:
        """Return the chart as the data and layout that Plotly draws in the page.

        The tests let Plotly's Python package check it; the kernel has no need to load that.
        """
        at, traces, shapes = self.frame(), [], []
        if self.surface is not None:
            x, y, z = (values.tolist() for values in self._contours())
            shades = [[0, look.COLORS["low"]], [1, look.COLORS["high"]]]
            bare = {"colorscale": shades, "showscale": False}
            traces.append({"type": "contour", "x": x, "y": y, "z": z, **bare})
        for series, kind in self.styled():
            line = {"color": kind.color, "width": _width(series)}
            line["dash"] = ",".join(f"{part}px" for part in kind.dash) or "solid"
            if series.kind == "vertical":
                ends = {"x0": float(series.x[0]), "y0": 0, "y1": 1, "yref": "y domain"}
                shapes.append({"type": "line", "line": line, **ends, "x1": ends["x0"]})
                continue
            points = _plotly_dots(kind)
            mode = "lines" if series.kind == "line" else "markers"
            x, y = _six_digits(thin(series.x)), _six_digits(thin(series.y))
            look_alike = {"mode": mode, "line": line, "marker": points}
            name = as_plotly(series.name)
            traces.append({"type": "scatter", "name": name, "x": x, "y": y, **look_alike})
        layout = {
            "xaxis": _plotly_axis(at.x) | {"showgrid": False}, "yaxis": _plotly_axis(at.y),
            "shapes": shapes, "annotations": _plotly_words(at), "showlegend": False,
            "height": frame.HEIGHT, "autosize": True,  # and as wide as its place, see STYLE
            "margin": {"l": at.left, "r": frame.WIDTH - at.right, "t": at.top,
                       "b": frame.HEIGHT - at.bottom, "pad": 0},
            "paper_bgcolor": look.COLORS["ground"], "plot_bgcolor": look.COLORS["ground"],
            "font": _PLOTLY_FONT, "hovermode": "closest",
        }  # fmt: skip
        return {"data": traces, "layout": layout, "config": _CONFIG}

    def to_png(self) -> bytes:
        """Return the still picture as the bytes of a PNG file with 64 colors, which suffice.

        It is twice as fine as it is shown, unless Plotly's picture takes its place.
        """
        from PIL import Image

        drawn, small = io.BytesIO(), io.BytesIO()
        self.to_matplotlib().savefig(drawn, format="png", dpi=self._scale * 100)
        picture = Image.open(drawn).convert("RGB")
        exact = 6 if self.surface else 0  # large areas of one color show a small error
        few = picture.quantize(
            64, Image.Quantize.MAXCOVERAGE, kmeans=exact, dither=Image.Dither.NONE
        )
        few.save(small, format="png", optimize=True)
        return small.getvalue()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        self.show_picture()
        caption = as_markdown(self.summary)
        page = f'<p class="figure-says"><em>{caption}</em></p>{STYLE}{_SCRIPT}'
        data = {"text/html": page, "text/markdown": f"*{caption}*", "text/plain": self.summary}
        display(data, raw=True)

    def show_picture(self) -> None:
        """Show the chart without its caption."""
        from IPython.display import display

        data = {"image/png": self.to_png(), "text/plain": repr(self)}
        if self.interactive:
            data[_MIME] = self.to_plotly()
        display(data, raw=True, metadata={"image/png": {"alt": self.summary, "width": frame.WIDTH}})

    @property
    def _scale(self) -> int:
        return 1 if self.interactive else 2

    def _contours(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y, z = self.surface
        with np.errstate(divide="ignore"):
            heights = np.log10(z)
        return x, y, np.maximum(heights, np.nanmax(heights) - 8)


def as_text(
    value: float, digits: int = 4, *, decimals: int | None = None, least: float = 0.0
) -> str:
    """Write a number as people do.

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


def _width(series: Series) -> float:
    """Return how wide a line is; of many points, or of single steps, it is a thin one."""
    if series.kind == "vertical":
        return look.MARK["stroke"]
    thin_one = len(series.x) > 250 or series.role == "walk"
    return look.MARK["line"] / 2 if thin_one else look.MARK["line"]


def _dots(kind: look.Look) -> dict:
    """Return how Matplotlib draws points of this look."""
    hollow = kind.marker == "O"
    return {
        "linestyle": "", "color": kind.color, "markersize": 2 * _PT * kind.radius,
        "zorder": 3 if kind.marker == "8" else 2,  # above every line
        "marker": "o" if kind.marker in "O.8" else kind.marker, "alpha": kind.opacity,
        "markerfacecolor": look.COLORS["ground"] if hollow else kind.color,
        "markeredgewidth": look.MARK["stroke"] * _PT if kind.marker in "O+x|" else 0,
    }  # fmt: skip


def _plotly_dots(kind: look.Look) -> dict:
    symbol = _PLOTLY[kind.marker]
    edge = {"color": kind.color, "width": look.MARK["stroke"] if "open" in symbol else 0}
    size = {"size": 2 * kind.radius, "opacity": kind.opacity}
    return {"symbol": symbol, "color": kind.color, "line": edge, **size}


def _plotly_axis(axis: frame.Axis) -> dict:
    """Return an axis whose ticks are those of the still picture until one zooms in."""
    ends = axis.scaled([axis.low, axis.high]).tolist()
    return {
        "type": "log" if axis.log else "linear", "range": ends, "nticks": axis.most,
        "tickangle": 0, "ticklabelstandoff": 3, "automargin": False, "zeroline": False, "ticks": "",
        "gridcolor": look.COLORS["rule"], "tickfont": {"color": look.COLORS["quiet"]}, **axis.spec,
    }  # fmt: skip


def _plotly_words(at: frame.Frame) -> list[dict]:
    """Return all words but those of the ticks, and the markers of the key."""
    notes = []
    for word in at.words:
        text = as_plotly(word.text)
        side = "right" if word.ends else "left"
        text = f"<b>{text}</b>" if word.bold else text
        notes.append((text, word.x, word.y - 4, side, look.COLORS[word.role], look.SMALL))
    glyphs = ((GLYPHS[kind.marker], kind.color, x, y) for kind, x, y in at.key)
    notes += [(text, x, y, "center", color, look.SMALL + 4) for text, color, x, y in glyphs]
    across, up = at.right - at.left, at.bottom - at.top
    fixed = {"xref": "paper", "yref": "paper", "showarrow": False, "borderpad": 0}
    return [
        fixed | {"text": text, "x": (x - at.left) / across, "y": (at.bottom - y) / up,
                 "xanchor": side, "yanchor": "middle", "font": {"color": color, "size": size}}
        for text, x, y, side, color, size in notes
    ]  # fmt: skip


def _six_digits(values: np.ndarray) -> list[float | None]:
    """Round, so that stored figures do not differ between machines; a gap becomes None."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]
