"""What one would put behind a slider without the explorers; each is one call in a notebook."""

import ipywidgets as widgets
import numpy as np
from IPython.display import display
from training import BATCH, EPOCHS, LR, POINTS, course_loop, line_of, rows_of

from course_utils import datasets, descent

ENDS = np.array([-3.0, 3.0])
WEIGHTS, BIASES = np.linspace(0, 4, 40), np.linspace(0, 3, 40)


def noise_slider() -> widgets.FloatSlider:
    """Return the control that all of them have."""
    return widgets.FloatSlider(0.1, min=0, max=3, step=0.05, description="noise")


def empty_label() -> widgets.VBox:
    """Return a slider whose value the kernel writes into a label: the floor."""
    slider, label = noise_slider(), widgets.Label("0.1")

    def write(change):
        label.value = str(change["new"])

    slider.observe(write, names="value")
    return widgets.VBox([slider, label])


def picture(noise: float) -> dict:
    """Make points, train with the loop of the lessons, and compute what three panels show."""
    X, y = datasets.make_line(noise=noise)
    model, losses = course_loop(X[:POINTS], y[:POINTS])
    weight, bias = line_of(model)
    return {"X": X, "y": y, "line": weight * ENDS + bias, "losses": losses} | surface(X, y)


def preview(noise: float, rows: list) -> dict:
    """Compute the same by formula."""
    X, y = datasets.make_line(noise=noise)
    path = descent.descend(X[:POINTS], y[:POINTS], LR, rows)
    losses = descent.mean_loss(X, y, path.weight[0], path.bias[0])
    line = path.weight[0, -1] * ENDS + path.bias[0, -1]
    return {"X": X, "y": y, "line": line, "losses": losses} | surface(X, y)


def surface(X, y) -> dict:
    """Compute the loss surface of the points."""
    return {"surface": descent.loss_surface(X, y, WEIGHTS, BIASES)}


def with_matplotlib() -> None:
    """Show `interact` that draws three panels anew."""
    import matplotlib.pyplot as plt

    def show(noise):
        new = picture(noise)
        _figure, (data, loss, bowl) = plt.subplots(1, 3, figsize=(12, 3.2))
        data.scatter(new["X"], new["y"])
        data.plot(ENDS, new["line"], color="tab:orange")
        loss.plot(new["losses"])
        bowl.contourf(WEIGHTS, BIASES, new["surface"])
        plt.show()

    widgets.interact(show, noise=noise_slider())


def with_plotly(compute=picture) -> None:
    """Show `interact` that sets the traces of one FigureWidget with three panels."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    start = compute(0.1)
    figure = go.FigureWidget(make_subplots(1, 3))
    figure.add_scatter(x=start["X"].ravel(), y=start["y"].ravel(), mode="markers", row=1, col=1)
    figure.add_scatter(x=ENDS, y=start["line"], row=1, col=1)
    figure.add_scatter(y=start["losses"], row=1, col=2)
    figure.add_contour(x=WEIGHTS, y=BIASES, z=start["surface"], row=1, col=3)

    def show(noise):
        new = compute(noise)
        data, line, loss, bowl = figure.data
        with figure.batch_update():
            data.y, line.y = new["y"].ravel(), new["line"]
            loss.y, bowl.z = new["losses"], new["surface"]

    widgets.interact(show, noise=noise_slider())
    display(figure)


def with_plotly_and_formula() -> None:
    """Show the same figure, fed by the formula instead of the loop."""
    rows = rows_of(POINTS, BATCH, EPOCHS)
    with_plotly(lambda noise: preview(noise, rows))
