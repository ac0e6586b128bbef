"""What is drawn, in both pictures: the data itself, labels, styles and the sentence below."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from course_utils import charts, datasets, descent, figures
from course_utils.inputs import InputError

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
    "learning rates": figures.plot_learning_rates([0.01, 0.1, 2], [1, 0.01, np.inf], 0.941),
}


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
    assert list(still) == list(live) == [series.name for series in chart.series]
    for series in chart.series:
        if series.kind == "vertical":
            assert still[series.name][0].tolist() == [series.x[0]] * 2
            assert [shape.x0 for shape in plotly_figure(chart).layout.shapes] == [series.x[0]]
        else:
            np.testing.assert_array_equal(still[series.name], [series.x, series.y])
            drawn = live[series.name].astype(float)
            np.testing.assert_allclose(drawn, [series.x, series.y], rtol=5e-6)


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_axes_are_labeled_and_the_legend_is_complete(chart):
    figure = chart.to_matplotlib()
    axes = figure.axes[0]
    layout = plotly_figure(chart).layout
    assert axes.get_xlabel() == layout.xaxis.title.text == chart.xlabel
    assert axes.get_ylabel() == layout.yaxis.title.text == chart.ylabel
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [series.name for series in chart.series]
    assert layout.showlegend
    assert (axes.get_xscale() == "log") == chart.log_x == (layout.xaxis.type == "log")
    assert (axes.get_yscale() == "log") == chart.log_y == (layout.yaxis.type == "log")


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_no_two_series_are_told_apart_by_color_alone(chart):
    styles = [style for _, style in chart.styled()]
    assert len({style[0] for style in styles}) == len(styles)
    kinds = [series.kind for series in chart.series]
    shapes = [
        style[1] if kind == "points" else style[3]
        for kind, style in zip(kinds, styles, strict=True)
    ]
    assert len(set(zip(kinds, shapes, strict=True))) == len(styles)


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_nothing_is_cut_off(chart):
    canvas = FigureCanvasAgg(chart.to_matplotlib())
    canvas.draw()
    renderer = canvas.get_renderer()
    width, height = canvas.get_width_height()
    for axes in canvas.figure.axes:
        for label in (axes.xaxis.label, axes.yaxis.label):
            box = label.get_window_extent(renderer)
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= width
            assert box.y1 <= height


def test_colors_reach_three_to_one_on_white():
    def luminance(color):
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for color, *_ in (*charts.STYLES.values(), *charts.SPARE):
        assert 1.05 / (luminance(color) + 0.05) >= 3, color


def test_summaries_read_the_data():
    assert "truth: y = 2 x + 1.5; fitted: y = 1 x - 0.5" in CHARTS["data"].summary
    assert CHARTS["groups"].summary == "batch: 16 points; rest: 184 points."
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
    assert len({marker for _, (_, marker, *_) in chart.styled()}) == 3
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
    assert caption["text/markdown"] == f"*{CHARTS['split'].summary}*"
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
