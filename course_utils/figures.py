"""The course's figures. Each returns a `Chart`: drawn data, labeled axes and a one-line summary."""

import re
from collections.abc import Mapping

import numpy as np

from course_utils import inputs, look
from course_utils.charts import Chart, Series, as_text, count, drawn

_LARGEST = 1e100  # what an axis can still hold
FEATURE, TARGET = "feature x", "target y"


def plot_data(
    X: object,
    y: object,
    lines: Mapping[str, tuple[float, float]] | None = None,
    *,
    xlabel: str = FEATURE,
    ylabel: str = TARGET,
) -> Chart:
    """Draw points and, on request, straight lines through them.

    Parameters
    ----------
    X, y : Tensor, shape (N, 1)
        Features and targets.
    lines : dict of str to (weight, bias), optional
        Named lines y = weight * x + bias, each drawn between its two end points.
    xlabel, ylabel : str
        Axis labels with units.

    Returns
    -------
    Chart

    Raises
    ------
    InputError
        If X and y are not matching finite columns, or a parameter is no finite number.
    """
    features, targets = inputs.pair(X, y)
    points = Series("data", features, targets, role="data")
    said = f"{_points(len(features))}, {_span('x', features)}, {_span('y', targets)}"
    straight, equations = _lines(lines or {}, features)
    return Chart((points, *straight), xlabel, ylabel, "; ".join([said, *equations]) + ".")


def plot_groups(
    groups: Mapping[str, tuple[object, object]],
    lines: Mapping[str, tuple[float, float]] | None = None,
    *,
    xlabel: str = FEATURE,
    ylabel: str = TARGET,
) -> Chart:
    """Draw named groups of points, such as a batch and the rest, and straight lines.

    Parameters
    ----------
    groups : dict of str to (X, y), each a Tensor of shape (N, 1)
        Drawn in order, the last on top.
    lines : dict of str to (weight, bias), optional
        Named lines y = weight * x + bias, drawn between the outermost features.
    xlabel, ylabel : str
        Axis labels with units.

    Returns
    -------
    Chart

    Raises
    ------
    InputError
        If there is no group, a column is not finite, or a parameter is no finite number.
    """
    if not groups:
        raise inputs.InputError("groups is empty, expected such as {'batch': (X_batch, y_batch)}")
    pairs = {name: inputs.pair(*columns) for name, columns in groups.items()}
    series = [Series(name, *pair, role=_role(name)) for name, pair in pairs.items()]
    features = np.concatenate([pair[0] for pair in pairs.values()])
    said = [f"{name}: {_points(len(x))} {_middle(x, y)}" for name, (x, y) in pairs.items()]
    straight, equations = _lines(lines or {}, features)
    return Chart((*series, *straight), xlabel, ylabel, "; ".join(said + equations) + ".")


def plot_split(
    X_train: object,
    y_train: object,
    X_test: object,
    y_test: object,
    y_pred: object = None,
    *,
    xlabel: str = FEATURE,
    ylabel: str = TARGET,
    held_out: str = "test",
) -> Chart:
    """Draw training points, held-out points and, when there are some, predictions for the latter.

    Parameters
    ----------
    X_train, y_train : Tensor, shape (N, 1)
        What the model learns from.
    X_test, y_test : Tensor, shape (M, 1)
        What it has not seen.
    y_pred : Tensor, shape (M, 1), optional
        Predictions at X_test.
    xlabel, ylabel : str
        Axis labels with units.
    held_out : {"test", "validation"}
        What the second set is called.

    Returns
    -------
    Chart
        With a Plotly picture: hover to read a point, drag to zoom.

    Raises
    ------
    InputError
        If the columns are not finite, or y_pred has another number of rows than X_test.
    """
    inputs.choice("held_out", held_out, ("test", "validation"))
    train, test = inputs.pair(X_train, y_train), inputs.pair(X_test, y_test)
    series = [Series("train", *train, role="train"), Series(held_out, *test, role=held_out)]
    said = (
        f"{count(len(train[0]), 'training point')} and {count(len(test[0]), f'{held_out} point')}"
    )
    if y_pred is not None:
        predicted = inputs.column("y_pred", y_pred, rows=len(test[0]))
        series.append(Series("prediction", test[0], predicted, role="prediction"))
        off = np.abs(test[1] - predicted)
        said += f"; predictions are off by {_g(off.mean())} on average, {_g(off.max())} at most"
    return Chart(tuple(series), xlabel, ylabel, said + ".", interactive=True)


def plot_curves(
    X: object,
    y: object,
    X_grid: object,
    curves: Mapping[str, object],
    *,
    xlabel: str = FEATURE,
    ylabel: str = TARGET,
) -> Chart:
    """Draw points and the named curves that models predict on a grid.

    Parameters
    ----------
    X, y : Tensor, shape (N, 1)
        Features and targets.
    X_grid : Tensor, shape (M, 1)
        Where the curves were computed; drawn in ascending order.
    curves : dict of str to Tensor, shape (M, 1)
        Predictions on the grid.
    xlabel, ylabel : str
        Axis labels with units.

    Returns
    -------
    Chart
        The vertical axis follows the points, so that a wild curve leaves the picture.

    Raises
    ------
    InputError
        If a column is not finite, or a curve does not fit the grid.
    """
    features, targets = inputs.pair(X, y)
    grid = inputs.column("X_grid", X_grid)
    order = np.argsort(grid, kind="stable")
    series = [Series("data", features, targets, role="data")]
    margin = 0.25 * (np.ptp(targets) or 1.0)
    low, high = targets.min() - margin, targets.max() + margin
    for name, curve in curves.items():
        values = inputs.column(name, curve, rows=len(grid))[order]
        inside = np.where((values < low) | (values > high), np.nan, values)
        series.append(Series(name, grid[order], inside, "line", _role(name)))
    said = f"{_points(len(features))} and {_names(curves)}, {_span('x', grid)}."
    return Chart(tuple(series), xlabel, ylabel, said)


def plot_losses(
    losses: Mapping[str, object],
    *,
    xlabel: str = "epoch",
    ylabel: str = "MSE loss",
    log_y: bool = True,
) -> Chart:
    """Draw loss curves, one a name.

    Parameters
    ----------
    losses : dict of str to sequence of float
        Such as {"train": train_losses, "validation": val_losses}; each its own length. Values
        beyond 1e100, not finite, or not positive on a logarithmic axis are left out.
    xlabel, ylabel : str
        Axis labels with units.
    log_y : bool
        Logarithmic loss axis.

    Returns
    -------
    Chart
        With a Plotly picture.

    Raises
    ------
    InputError
        If there is no curve, or one is empty or holds no numbers.
    """
    if not losses:
        raise inputs.InputError("losses is empty, expected such as {'train': train_losses}")
    series, said = [], []
    for name, values in losses.items():
        curve = inputs.array(name, values).ravel()
        if not len(curve):
            raise inputs.InputError(f"losses[{name!r}] is empty: train for one epoch or more")
        fits = (np.abs(curve) < _LARGEST) & ((curve > 0) | (not log_y))
        shown = np.where(fits, curve, np.nan)
        series.append(Series(name, np.arange(len(curve)), shown, "line", _role(name)))
        said.append(
            f"{name} goes from {_g(curve[0])} to {_g(curve[-1])} ({count(len(curve), 'value')})"
        )
    return Chart(
        tuple(series), xlabel, ylabel, "; ".join(said) + ".", log_y=log_y, interactive=True
    )


def plot_residuals(
    X: object,
    residuals: object,
    *,
    xlabel: str = FEATURE,
    ylabel: str = "residual: target \u2212 prediction",
) -> Chart:
    """Draw residuals, target minus prediction, against the feature with a line at zero.

    Raises
    ------
    InputError
        If the two are not matching finite columns.
    """
    features = inputs.column("X", X)
    values = inputs.column("residuals", residuals, rows=len(features))
    ends = np.array([features.min(), features.max()])
    series = (
        Series("residual", features, values, role="data"),
        Series("zero", ends, np.zeros(2), "line", "truth"),
    )
    mean, spread = values.mean(), values.std()
    mean = 0.0 if abs(mean) < 1e-6 * spread else mean  # what is left is rounding
    said = f"{count(len(values), 'residual')}, mean {_g(mean)}, standard deviation {_g(spread)}."
    return Chart(series, xlabel, ylabel, said)


def plot_surface(
    weights: object,
    biases: object,
    losses: object,
    paths: Mapping[str, tuple[object, object]] | None = None,
) -> Chart:
    """Draw the loss over weight and bias as contours, with named paths on it.

    Parameters
    ----------
    weights, biases : ndarray, shapes (A,) and (B,)
        The grid.
    losses : ndarray, shape (B, A)
        As `descent.loss_surface` returns them.
    paths : dict of str to (weights, biases), optional
        The parameters a training run went through; drawn while they are on the grid.

    Returns
    -------
    Chart

    Raises
    ------
    InputError
        If the shapes do not fit.
    """
    w, b = inputs.array("weights", weights), inputs.array("biases", biases)
    z = inputs.array("losses", losses)
    if w.ndim != 1 or b.ndim != 1 or min(w.size, b.size) < 2:
        raise inputs.InputError(
            f"the grid is {w.shape} by {b.shape}, expected two axes of 2 or more"
        )
    if z.shape != (len(b), len(w)) or not np.isfinite(z).all() or (z < 0).any():
        raise inputs.InputError(f"losses has shape {z.shape}, expected finite {(len(b), len(w))}")
    low = np.unravel_index(np.argmin(z), z.shape)
    said = [
        f"Of {len(w)} by {len(b)} grid points, the one at weight {_g(w[low[1]])}, "
        f"bias {_g(b[low[0]])} has the lowest loss"
    ]
    series = []
    for name, (path_w, path_b) in (paths or {}).items():
        pw, pb = inputs.array(name, path_w).ravel(), inputs.array(name, path_b).ravel()
        if len(pw) != len(pb) or not len(pw):
            raise inputs.InputError(f"path {name!r} has {len(pw)} weights and {len(pb)} biases")
        on_grid = (pw >= w.min()) & (pw <= w.max()) & (pb >= b.min()) & (pb <= b.max())
        kept = [np.where(on_grid, values, np.nan) for values in (pw, pb)]
        series.append(Series(name, *kept, "line"))
        verb = "ends" if len(pw) > 1 else "is"
        said.append(f"{name} {verb} at weight {_g(pw[-1])}, bias {_g(pb[-1])}")
    return Chart(
        tuple(series),
        "weight",
        "bias",
        "; ".join(said) + ".",
        surface=(w, b, z),
    )


def plot_slope(
    weights: object,
    losses: object,
    at: float | None = None,
    slope: float = 0.0,
    *,
    name: str = "curve",
    xlabel: str = "weight",
    ylabel: str = "loss",
) -> Chart:
    """Draw the loss against one parameter and, on request, the line that touches it at a place.

    Parameters
    ----------
    weights, losses : array, shape (A,)
        Places in ascending order, and the loss at each.
    at, slope : float, optional
        Where the line touches, and how steep it is; drawn while it is near the losses.
    name : str
        What the curve is called.
    xlabel, ylabel : str
        Axis labels with units.

    Returns
    -------
    Chart

    Raises
    ------
    InputError
        If there are not as many losses as places.
    """
    w, z = inputs.array("weights", weights).ravel(), inputs.array("losses", losses).ravel()
    if len(w) != len(z) or not len(w):
        raise inputs.InputError(f"there are {len(w)} weights and {len(z)} losses")
    series = [Series(name, w, z, "line")]
    said = f"Of {len(w)} places, the one at {_g(w[z.argmin()])} has the lowest {ylabel}"
    if at is not None:
        line = np.interp(at, w, z) + slope * (w - at)
        near = np.abs(line - z.mean()) < 0.8 * np.ptp(z)
        series.append(Series("tangent", w, np.where(near, line, np.nan), "line"))
        said += f"; the tangent at {_g(at)} has slope {_g(slope)}"
    return Chart(tuple(series), xlabel, ylabel, said + ".")


def plot_walk(
    weights: object,
    losses: object,
    path: object,
    heights: object,
    *,
    xlabel: str = "weight",
    ylabel: str = "loss",
) -> Chart:
    """Draw the loss against one parameter, and the places of a ball that rolls on it in steps.

    Parameters
    ----------
    weights, losses : array, shape (A,)
        Places in ascending order, and the loss at each.
    path, heights : array, shape (S,)
        Where the ball was, and the loss there; drawn while it is among the places.
    xlabel, ylabel : str
        Axis labels with units.

    Returns
    -------
    Chart

    Raises
    ------
    InputError
        If there are not as many losses as places, or as many heights as places of the ball.
    """
    curve = plot_slope(weights, losses, name=f"{ylabel} at each {xlabel}").series[0]
    x, z = inputs.array("path", path).ravel(), inputs.array("heights", heights).ravel()
    if len(x) != len(z) or not len(x):
        raise inputs.InputError(f"the ball has {len(x)} places and {len(z)} heights")
    inside = (x >= curve.x.min()) & (x <= curve.x.max())
    places = [np.where(inside, values, np.nan) for values in (x, z)]
    series = curve, Series("steps", *places, "line", "walk"), Series("ball", *places, role="ball")
    said = f"After {count(len(x) - 1, 'step')} the ball is at {xlabel} {_g(x[-1])}"
    if away := np.sum(~inside):
        said += f"; outside the picture: {count(away, 'place')}"
    return Chart(series, xlabel, ylabel, said + ".")


def plot_learning_rates(
    lrs: object,
    losses: object,
    limit: float | None = None,
    *,
    start: float | None = None,
    ylabel: str = "final MSE loss",
) -> Chart:
    """Draw the final loss of many runs against their learning rates, both axes logarithmic.

    Parameters
    ----------
    lrs, losses : sequence of float, length R
        Learning rates, and final losses.
    limit : float, optional
        The largest stable learning rate, drawn as a vertical mark.
    start : float, optional
        The loss before the first step. A run that ends above it, or not at a number, diverged: it
        is drawn as a triangle at the upper edge and counted. Without it, that is said of runs
        beyond a million and of those not at a number.
    ylabel : str
        Label of the loss axis with its unit.

    Returns
    -------
    Chart
        With a Plotly picture.

    Raises
    ------
    InputError
        If the two differ in length, are empty, a learning rate is not positive, or the start is
        no finite number above 0.
    """
    rates, values = inputs.array("lrs", lrs).ravel(), inputs.array("losses", losses).ravel()
    if len(rates) != len(values) or not len(rates):
        raise inputs.InputError(f"got {len(rates)} learning rates and {len(values)} losses")
    if not (rates > 0).all():
        raise inputs.InputError(f"lrs holds {rates.min():g}: a logarithmic axis needs more than 0")
    most = 1e6 if start is None else inputs.number("start", start, low=1e-300)
    wild = ~(values <= most)
    fine = ~wild & (values > 0)
    series = [Series("final loss", rates[fine], values[fine], role="data")]
    if wild.any():
        edge = 10 * (max([*values[fine], start or 0]) or 1)
        series.append(Series("diverged", rates[wild], np.full(wild.sum(), edge), role="diverged"))
    said = f"{len(rates)} learning rates from {_g(rates.min())} to {_g(rates.max())}"
    if fine.any():
        best = np.flatnonzero(fine)[np.argmin(values[fine])]
        said += f"; the lowest loss, {_g(values[best])}, at {_g(rates[best])}"
    if wild.any():
        bound = "a million" if start is None else f"the {_g(start)} of the start"
        said += f"; {count(wild.sum(), 'run')} diverged, to a loss above {bound}"
        said += " or to no number" if np.isnan(values).any() else ""
    if (zero := np.sum(values <= 0)) > 0:
        said += f"; {count(zero, 'run')} with a loss of 0 cannot be drawn on this axis"
    if limit is not None:
        at = np.full(2, inputs.number("limit", limit, low=1e-300))
        series.append(Series("stable limit", at, np.array([0.0, 1.0]), "vertical", "limit"))
        said += f"; the stable limit is {_g(limit)}"
    return Chart(
        tuple(series), "learning rate", ylabel, said + ".",
        log_x=True, log_y=True, interactive=True,
    )  # fmt: skip


def _lines(lines: Mapping[str, tuple[float, float]], features: np.ndarray):
    """Return the lines as series between the outermost features, and their equations."""
    ends = np.array([features.min(), features.max()])
    series, equations = [], []
    for name, (weight, bias) in lines.items():
        w, b = inputs.number("weight", weight), inputs.number("bias", bias)
        series.append(Series(name, ends, w * ends + b, "line", _role(name)))
        sign = "\u2212" if b < 0 else "+"
        equations.append(f"{name}: y = {_g(w)} x {sign} {_g(abs(b))}")
    return series, equations


def _role(name: str) -> str:
    words = re.findall(r"\w+", name.lower())
    return next((role for role in look.ROLES if role in words), "")


def _g(value: float) -> str:
    return as_text(value, 3).replace("-", "\u2212")


def _span(name: str, values: np.ndarray) -> str:
    return f"{name} from {_g(values.min())} to {_g(values.max())}"


def _points(n: int) -> str:
    return f"{count(n, 'point')}{drawn(n)}"


def _middle(x: np.ndarray, y: np.ndarray) -> str:
    return f"{'at' if len(x) == 1 else 'around'} x {_g(x.mean())}, y {_g(y.mean())}"


def _names(curves: Mapping[str, object]) -> str:
    return f"{len(curves)} curve{'s' * (len(curves) != 1)} ({', '.join(curves)})"
