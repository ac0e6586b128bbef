"""What is drawn, in both pictures: the data itself, labels, looks and the sentence below."""

import io
import itertools
import json
import re
from pathlib import Path

import numpy as np
import plotly
import plotly.graph_objects as go
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from course_utils import charts, datasets, descent, figures, frame, look
from course_utils.inputs import InputError

pytest_plugins = ["lab"]

X, Y = datasets.make_line()
GRID = torch.linspace(-2, 2, 50).unsqueeze(1)
WEIGHTS, BIASES = np.linspace(-1, 5, 30), np.linspace(-2, 4, 20)
CHARTS = {
    "data": figures.plot_data(X, Y, {"truth": (2.0, 1.5), "fitted": (1.0, -0.5)}),
    "groups": figures.plot_groups({"batch": (X[:16], Y[:16]), "rest": (X[16:], Y[16:])}),
    "split": figures.plot_split(X[:160], Y[:160], X[160:], Y[160:], 2 * X[160:] + 1.5),
    "curves": figures.plot_curves(X, Y, GRID, {"truth": 2 * GRID + 1.5, "model": GRID**3}),
    "losses": figures.plot_losses({"train": [1.0, 0.1], "validation": [1.5, 0.2]}),
    "residuals": figures.plot_residuals(X, Y - 2 * X - 1.5),
    "surface": figures.plot_surface(
        WEIGHTS, BIASES, descent.loss_surface(X, Y, WEIGHTS, BIASES), {"run": ([0, 2], [0, 1.5])}
    ),
    "slope": figures.plot_slope(WEIGHTS, (WEIGHTS - 2) ** 2 + 1, 0.0, -4.0),
    "walk": figures.plot_walk(WEIGHTS, (WEIGHTS - 2) ** 2, [0.0, 3.5, 1.2], [4.0, 2.25, 0.64]),
    "learning rates": figures.plot_learning_rates([0.01, 0.1, 2], [1, 0.01, np.inf], 0.941),
}
LONG = "a name that is much too long to stand beside anything"
HARD = CHARTS | {
    "lines that end together": figures.plot_losses({f"lr {k}": [9.0, 0.1] for k in range(9)}),
    "long names": figures.plot_groups({f"{LONG} {k}": (X, Y + k) for k in range(5)}),
    "long lines": figures.plot_data(X, Y, {LONG: (1.0, 0.0), f"{LONG}!": (1.0, 0.1)}),
    "many decades": figures.plot_losses({"lr 1.0": 10.0 ** np.arange(-9, 90)}),
    "less than a decade": figures.plot_losses({"train": [0.31, 0.32, 0.33]}),
    "large numbers": figures.plot_data(X * 1e7, Y * 1e9),
    "small numbers": figures.plot_data(X * 1e-7, Y * 1e-6),
    "one point": figures.plot_data(X[:1], Y[:1]),
    "one number": figures.plot_losses({"train": [2.0]}, log_y=False),
    "paths": figures.plot_surface(
        WEIGHTS, BIASES, descent.loss_surface(X, Y, WEIGHTS, BIASES),
        {f"batch size {k}": ([0, 1.9], [0, 1.4]) for k in range(4)},
    ),
    "nothing": charts.Chart((), "step", "loss", "No loss has been computed yet."),
}  # fmt: skip
INTERACTIVE = {name: chart for name, chart in HARD.items() if chart.interactive}
FILTER = re.search(r"invert\((.+?)\) hue-rotate\((.+?)deg\)", charts.STYLE)


def matplotlib_series(chart):
    """Return {label: (x, y)} of what the Matplotlib figure holds."""
    axes = chart.to_matplotlib().axes[0]
    return {line.get_label(): np.array(line.get_data()) for line in axes.lines}


def plotly_figure(chart):
    """Let Plotly check data and layout: it raises at a property it does not know."""
    drawn = chart.to_plotly()
    return go.Figure(data=drawn["data"], layout=drawn["layout"])


def plotly_series(chart):
    traces = [trace for trace in plotly_figure(chart).data if isinstance(trace, go.Scatter)]
    return {trace.name: np.array([trace.x, trace.y]) for trace in traces}


def test_a_logarithmic_axis_without_a_value_it_can_show_stays_linear():
    for limit in (None, 0.9):
        chart = figures.plot_learning_rates([0.5], [0.0], limit)
        assert chart.to_png().startswith(b"\x89PNG")
        assert chart.to_matplotlib().axes[0].get_yscale() == "linear"
    assert figures.plot_losses({"train": [np.inf, 0]}).to_png().startswith(b"\x89PNG")


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_both_pictures_draw_the_data_of_the_chart(chart):
    still, live = matplotlib_series(chart), plotly_series(chart)
    assert list(still) == [series.name for series in chart.series]
    assert list(live) == [series.name for series in chart.series if series.kind != "vertical"]
    for series in chart.series:
        if series.kind == "vertical":
            assert still[series.name][0].tolist() == [series.x[0]] * 2
            assert [shape.x0 for shape in plotly_figure(chart).layout.shapes] == [series.x[0]]
        else:
            np.testing.assert_array_equal(still[series.name], [series.x, series.y])
            drawn = live[series.name].astype(float)
            np.testing.assert_allclose(drawn, [series.x, series.y], rtol=5e-6)


@pytest.mark.parametrize("chart", HARD.values(), ids=HARD)
def test_both_pictures_have_one_frame_and_the_same_words(chart):
    axes, layout = chart.to_matplotlib().axes[0], plotly_figure(chart).layout
    box, edge = axes.get_position(), layout.margin
    assert (layout.width, layout.height) == (None, frame.HEIGHT)  # as wide as its place
    live = [edge.l, edge.b, frame.WIDTH - edge.r, frame.HEIGHT - edge.t]
    still = np.array([box.x0, box.y0, box.x1, box.y1]) * ([frame.WIDTH, frame.HEIGHT] * 2)
    np.testing.assert_allclose(live, still)
    for name, limits in (("x", axes.get_xlim()), ("y", axes.get_ylim())):
        scale = getattr(axes, f"get_{name}scale")()
        assert layout[f"{name}axis"].type == scale
        ends = np.log10(limits) if scale == "log" else limits
        np.testing.assert_allclose(layout[f"{name}axis"].range, ends)
    assert not layout.showlegend
    assert not layout.xaxis.automargin
    assert not layout.yaxis.automargin
    told = {re.sub("</?b>", "", note.text) for note in layout.annotations}
    words = {text.get_text() for text in axes.figure.texts}
    at = chart.frame()
    assert told - set(charts.GLYPHS.values()) == words - {word.text for word in at.ticks}
    assert {chart.xlabel, chart.ylabel} <= words


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_every_series_is_named_where_it_is(chart):
    at = chart.frame()
    words = [word.text for word in at.words]
    points = [series for series in chart.series if series.kind == "points"]
    for series, kind in chart.styled():
        alone = series in points and len(points) == 1  # the caption says what the points are
        assert words.count(series.name) == (not alone)
        if series.kind != "points":
            (word,) = (word for word in at.words if word.text == series.name)
            assert word.role == kind.role
            assert word.bold
    keys = [kind for kind, *_ in at.key]
    shown = [kind for series, kind in chart.styled() if series in points]
    assert keys == (shown if len(points) > 1 else [])


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_no_two_series_are_told_apart_by_color_alone(chart):
    looks = [kind for _, kind in chart.styled()]
    assert len({kind.role for kind in looks}) == len(looks)
    for kind in ("points", "line"):
        drawn = [one for series, one in chart.styled() if series.kind == kind]
        shapes = {one.marker if kind == "points" else one.dash for one in drawn}
        assert len(shapes) == len(drawn)


@pytest.mark.parametrize("chart", HARD.values(), ids=HARD)
def test_no_word_is_cut_off_or_over_another(chart):
    canvas = FigureCanvasAgg(chart.to_matplotlib())
    canvas.draw()
    texts = [text for text in canvas.figure.texts if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts]
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= frame.WIDTH, text
        assert box.y1 <= frame.HEIGHT, text
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert min(a.x1 - b.x0, b.x1 - a.x0, a.y1 - b.y0, b.y1 - a.y0) <= 1, (one, other)
    for _, x, y in chart.frame().key:
        spot = x, frame.HEIGHT - y
        assert not any(box.contains(*spot) for _, box in boxes)


def test_numbers_are_written_as_people_do():
    def words(values, log=False, most=8):
        return frame.axis(np.array(values, float), log, most).words

    assert words([-2.44, 2.65]) == ["\u22122", "\u22121", "0", "1", "2"]
    assert words([2_900, 6_300])[:3] == ["3,000", "3,500", "4,000"]
    assert words([0.00012, 0.0005])[0] == "0.0002"
    assert words([0.01, 50], log=True) == ["0.01", "0.1", "1", "10"]
    assert words([1e-9, 1e3], log=True)[:2] == ["10\u207b\u2079", "10\u207b\u2076"]
    assert words([1, 2.1], log=True) == ["1", "1.2", "1.4", "1.6", "1.8", "2"]


def turned_over(color):
    """Return the color that the dark theme's filter makes of one."""
    share, angle = float(FILTER[1]), np.radians(float(FILTER[2]))
    weights = np.array([0.213, 0.715, 0.072])
    gray = np.tile(weights, (3, 1))
    side = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    turn = gray + np.cos(angle) * (np.eye(3) - gray) + np.sin(angle) * side
    return np.clip(turn @ (color * (1 - 2 * share) + share), 0, 1)


def rgb(color):
    return np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def contrast(one, other):
    def luminance(color):
        linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return high / low


def test_words_and_marks_stand_out_in_both_themes():
    style = json.loads(Path(look.__file__).with_name("style.json").read_text(encoding="utf-8"))
    white, black = (rgb(style[theme]["ground"]) for theme in ("light", "dark"))
    np.testing.assert_allclose(turned_over(white), black, atol=0.002)
    roles = {"quiet"} | {kind.role for kind in (*look.ROLES.values(), *look.SPARE)}
    for role in roles:  # each is that of a word, too
        color = rgb(style["light"][role])
        assert contrast(color, white) >= 4.5, role
        assert contrast(turned_over(color), black) >= 4.5, role
        hue = np.argsort(color) == np.argsort(turned_over(color))
        assert hue.all() or np.ptp(color) < 0.15, f"{role} changes its hue in the dark"
    for series, kind in CHARTS["split"].styled():
        (line,) = (
            line
            for line in CHARTS["split"].to_matplotlib().axes[0].lines
            if line.get_label() == series.name
        )
        (trace,) = (one for one in plotly_figure(CHARTS["split"]).data if one.name == series.name)
        assert line.get_color() == trace.marker.color == style["light"][kind.role]


@pytest.fixture(scope="module")
def plotly_page(chromium):
    page = chromium.new_page()
    page.set_content(f"<div id=here style='max-width: {frame.WIDTH}px'></div>")
    page.add_script_tag(path=Path(plotly.__file__).with_name("package_data") / "plotly.min.js")
    yield page
    page.close()


@pytest.mark.parametrize("chart", INTERACTIVE.values(), ids=INTERACTIVE)
def test_the_picture_under_the_mouse_has_the_size_and_ticks_of_the_still_one(plotly_page, chart):
    drawn, at = chart.to_plotly(), chart.frame()
    look_at = """() => {
        const words = name => [...document.querySelectorAll(`.${name}tick text`)].map(tick =>
            [...tick.childNodes].map(part => part.textContent).join(""));
        const {width, height} = document.querySelector(".main-svg").getBoundingClientRect();
        return {size: [width, height], x: words("x"), y: words("y")};
    }"""
    plotly_page.evaluate(
        "({data, layout, config}) => Plotly.react('here', data, layout, config)", drawn
    )
    seen = plotly_page.evaluate(look_at)
    plotly_page.mouse.move(300, 200)
    plotly_page.locator(".hoverlayer").wait_for(state="attached")
    assert plotly_page.evaluate(look_at) == seen
    assert seen["size"] == [frame.WIDTH, frame.HEIGHT]
    small = "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
    raised = str.maketrans(small, "\u22120123456789")
    for name, axis in (("x", at.x), ("y", at.y)):
        told = [re.sub("\u200b", "", word) for word in seen[name]]
        assert told == [word.translate(raised) for word in axis.words]
    assert not plotly_page.locator(".modebar-btn").count()


def test_the_picture_under_the_mouse_fits_a_narrow_window(plotly_page):
    (chart, *_) = INTERACTIVE.values()
    drawn = chart.to_plotly()
    plotly_page.set_viewport_size({"width": 420, "height": 500})
    plotly_page.evaluate(
        "({data, layout, config}) => Plotly.newPlot('here', data, layout, config)", drawn
    )
    assert plotly_page.evaluate("document.documentElement.scrollWidth") <= 420
    plotly_page.set_viewport_size({"width": 1280, "height": 900})
    plotly_page.wait_for_function(
        f"document.querySelector('.main-svg').getBoundingClientRect().width === {frame.WIDTH}"
    )


def test_summaries_read_the_data():
    assert "truth: y = 2 x + 1.5; fitted: y = 1 x \u2212 0.5" in CHARTS["data"].summary
    middle = f"around x {X[:16].mean():.3g}, y {Y[:16].mean():.3g}"
    assert CHARTS["groups"].summary.startswith(f"batch: 16 points {middle}; rest: 184 points ")
    error = (Y[160:] - 2 * X[160:] - 1.5).abs()
    assert (
        f"off by {error.mean():.3g} on average, {error.max():.3g} at most"
        in CHARTS["split"].summary
    )
    assert "validation goes from 1.5 to 0.2 (2 values)" in CHARTS["losses"].summary
    assert "run ends at weight 2, bias 1.5" in CHARTS["surface"].summary
    assert (
        "lowest loss, 0.01, at 0.1; 1 run diverged, to a loss above"
        in CHARTS["learning rates"].summary
    )
    for chart in CHARTS.values():
        assert chart.summary.endswith(".")
        assert repr(chart) == f"Chart: {chart.summary}"


def test_runs_that_end_above_their_start_diverged():
    """The rates of the lesson: seven lie above the limit, and all seven grow."""
    X_train, y_train = X[:160], Y[:160]
    lrs = np.arange(0.4, 1.16, 0.03)
    path = descent.descend(X_train, y_train, lrs, 30)
    losses = descent.mean_loss(X_train, y_train, path.weight[:, -1], path.bias[:, -1])
    start, limit = float(descent.mean_loss(X_train, y_train, 0, 0)), descent.stable_lr(X_train)
    chart = figures.plot_learning_rates(lrs, losses, limit, start=start)
    shown = {series.name: series for series in chart.series}
    np.testing.assert_array_equal(shown["diverged"].x, lrs[losses > start])
    assert (shown["diverged"].x > limit).all()
    assert (shown["final loss"].y <= start).all()
    assert (shown["diverged"].y > start).all(), "they stand at the upper edge"
    assert len({kind.marker for _, kind in chart.styled()}) == 3
    told = f"{len(shown['diverged'].x)} runs diverged, to a loss above the {start:.3g}"
    assert told in chart.summary
    quiet = figures.plot_learning_rates([0.1, 0.2, 0.3], [1.0, 0.0, 2.0], start=3.0)
    assert "diverged" not in quiet.summary
    assert "1 run with a loss of 0 cannot be drawn on this axis" in quiet.summary
    wild = figures.plot_learning_rates([0.1, 0.2, 0.3], [1.0, np.nan, np.inf], start=3.0)
    assert "2 runs diverged, to a loss above the 3 of the start or to no number" in wild.summary
    far = figures.plot_learning_rates([0.1, 0.2], [1.0, 1e7])
    assert "1 run diverged, to a loss above a million." in far.summary


def test_the_lowest_node_is_told_as_a_node():
    told = CHARTS["surface"].summary
    assert told.startswith(
        "Of 30 by 20 grid points, the one at weight 1.9, bias 1.47 has the lowest"
    )


def test_large_data_are_drawn_in_part_and_said_so():
    many_x, many_y = datasets.make_line(n=20_000)
    chart = figures.plot_data(many_x, many_y)
    assert "20,000 points (2,000 of them drawn)" in chart.summary
    assert matplotlib_series(chart)["data"].shape == plotly_series(chart)["data"].shape == (2, 2000)
    assert f"{many_x.max():.3g}" in chart.summary


def test_a_curve_is_drawn_in_order_and_leaves_the_picture():
    shuffled = GRID[torch.randperm(50, generator=torch.Generator().manual_seed(0))]
    chart = figures.plot_curves(X, Y, shuffled, {"cube": 100 * shuffled**3})
    cube = chart.series[1]
    assert (np.diff(cube.x) > 0).all()
    assert np.isnan(cube.y[0])
    assert np.nanmax(np.abs(cube.y)) < 20


def test_a_ball_lies_on_its_curve_in_order_and_leaves_the_picture():
    path = np.array([0.0, 4.5, -3.0])  # the grid ends at 5 and begins at -1
    chart = figures.plot_walk(WEIGHTS, (WEIGHTS - 2) ** 2, path, (path - 2) ** 2)
    _, steps, ball = chart.series
    assert ball.x[:2].tolist() == steps.x[:2].tolist() == [0.0, 4.5]
    assert ball.y[:2].tolist() == [4.0, 6.25]
    assert np.isnan([ball.x[2], ball.y[2]]).all()
    assert chart.summary.endswith("at weight \u22123; outside the picture: 1 place.")
    assert chart.styled()[2][1].radius > look.MARK["radius"], "larger than other points"
    drawn = {line.get_label(): line.get_zorder() for line in chart.to_matplotlib().axes[0].lines}
    assert drawn["ball"] > max(drawn["loss at each weight"], drawn["steps"])


def test_crowded_dots_do_not_hide_their_path():
    """Forty places, a pixel apart, are dark all along; halos of the later ones left it white."""
    up = np.linspace(1.0, 2.0, 40)
    surface = descent.loss_surface(X, Y, WEIGHTS, BIASES)
    chart = figures.plot_surface(WEIGHTS, BIASES, surface, {"run": (np.full(40, 2.0), up)})
    picture, at = Image.open(io.BytesIO(chart.to_png())).convert("L"), chart.frame()
    shades = [picture.getpixel(tuple(2 * round(v) for v in at.pixel(2.0, y))) for y in up]
    assert max(shades) < 80


def test_a_diverging_run_leaves_the_axes_finite():
    path = descent.descend(X, Y, 5.0, 2_000)
    losses = descent.mean_loss(X, Y, path.weight[0], path.bias[0])
    chart = figures.plot_losses({"train": losses})
    low, high = chart.to_matplotlib().axes[0].get_ylim()
    assert np.isfinite([low, high]).all()
    surface = descent.loss_surface(X, Y, WEIGHTS, BIASES)
    chart = figures.plot_surface(WEIGHTS, BIASES, surface, {"run": (path.weight[0], path.bias[0])})
    assert chart.to_matplotlib().axes[0].get_xlim() == (-1, 5)


def test_display_offers_picture_alt_text_and_caption(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: shown.append((*a, k)))
    CHARTS["split"]._ipython_display_()
    CHARTS["data"]._ipython_display_()
    (live, options), (caption, _), (still, _), _ = shown
    assert live["image/png"].startswith(b"\x89PNG")
    assert live["application/vnd.plotly.v1+json"]["data"][0]["name"] == "train"
    assert options["metadata"]["image/png"]["alt"] == CHARTS["split"].summary
    assert options["metadata"]["image/png"]["width"] == frame.WIDTH
    assert caption["text/markdown"] == f"*{CHARTS['split'].summary}*"
    assert f"<em>{CHARTS['split'].summary}</em>" in caption["text/html"]
    assert caption["text/plain"] == CHARTS["split"].summary
    sizes = [Image.open(io.BytesIO(one["image/png"])).width for one in (live, still)]
    assert sizes == [frame.WIDTH, 2 * frame.WIDTH]
    assert "application/vnd.plotly.v1+json" not in still
    json.dumps(live["application/vnd.plotly.v1+json"], allow_nan=False)
    figures.plot_losses({"train": [1.0, np.nan, 0.5]})._ipython_display_()
    json.dumps(shown[-2][0]["application/vnd.plotly.v1+json"], allow_nan=False)


def test_still_pictures_are_the_same_bytes_twice():
    for chart in CHARTS.values():
        assert chart.to_png() == chart.to_png()


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: figures.plot_data(X, Y[:, 0]), r"y has shape \(200,\), expected \(200, 1\)"),
        (lambda: figures.plot_data(X.requires_grad_(), Y), "inference_mode"),
        (lambda: figures.plot_data(X.detach().long(), Y), r"add .float\(\)"),
        (lambda: figures.plot_data(X.detach() / 0, Y), "drop or fix"),
        (lambda: figures.plot_data(X[:0].detach(), Y), "0 rows"),
        (lambda: figures.plot_groups({}), "groups is empty"),
        (lambda: figures.plot_split(*[X.detach(), Y] * 2, Y[:5]), "y_pred has 5 rows"),
        (lambda: figures.plot_split(*[X.detach(), Y] * 2, held_out="rest"), "test, validation"),
        (lambda: figures.plot_losses({}), "losses is empty"),
        (lambda: figures.plot_losses({"train": []}), "train for one epoch"),
        (lambda: figures.plot_losses({"train": ["a"]}), "train holds"),
        (lambda: figures.plot_surface([0], [0, 1], [[1], [1]]), "two axes"),
        (lambda: figures.plot_surface([0, 1], [0, 1], [[1, np.inf], [1, 1]]), "finite"),
        (lambda: figures.plot_slope([0.1], [1, 2]), "1 weights and 2"),
        (lambda: figures.plot_walk([0, 1], [1, 2], [0, 1], [1]), "2 places and 1 heights"),
        (lambda: figures.plot_learning_rates([0.1], [1, 2]), "1 learning rates and 2"),
        (lambda: figures.plot_learning_rates([0.0], [1]), "more than 0"),
        (lambda: figures.plot_learning_rates([0.1], [1], start=0), "start is 0"),
    ],
)
def test_bad_input_is_named(call, word):
    try:
        with pytest.raises(InputError, match=word):
            call()
    finally:
        X.requires_grad_(False)
