"""Sliders that live in the page: they move marks over runs it already knows, without the kernel."""

from pathlib import Path

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets


class Slider(anywidget.AnyWidget):
    """A slider over given values, with a mark beside one place of it.

    Parameters
    ----------
    options : list of float
        The values, ascending.
    value : float
        Where it starts.
    description : str
        Its label.
    mark : float, optional
        A place to mark, between the first option and the last.
    mark_label : str
        What stands beside the mark.
    """

    _esm = Path(__file__).parent / "replay.js"
    _css = Path(__file__).parent / "replay.css"
    kind = traitlets.Unicode("slider").tag(sync=True)
    options = traitlets.List().tag(sync=True)
    # No echo: it would put a slider back that has been moved on meanwhile.
    value = traitlets.Any().tag(sync=True, echo_update=False)
    description = traitlets.Unicode().tag(sync=True)
    mark = traitlets.Float(None, allow_none=True).tag(sync=True)
    mark_label = traitlets.Unicode().tag(sync=True)
    # The page has a newer value.
    held = traitlets.Bool(False).tag(sync=True, echo_update=False)

    def __init__(self, options: list, value: float, description: str, **more: object):
        super().__init__(options=list(options), value=value, description=description, **more)

    def __repr__(self) -> str:
        return f"Slider({self.description}={self.value})"

    @traitlets.validate("value")
    def _is_an_option(self, proposal: dict) -> float:
        for option in self.options:
            if option == proposal["value"]:
                return option
        raise traitlets.TraitError(f"{proposal['value']!r} is no option")


_WIDGET = {"sync": True, **widgets.widget_serialization}


class Replay(anywidget.AnyWidget):
    """Play and step buttons, and marks that the page itself sets while two sliders move.

    The page gets the runs of all learning rates once, as bytes. Where a slider leaves what the page
    knows, its value goes to the kernel instead.

    Parameters
    ----------
    lr, epochs : Slider
        Which run, and how much of it.
    marks : sequence of seven bqplot marks
        Line, training loss, validation loss, path, its end, sweep over the rates, place on it.
    """

    _esm = Path(__file__).parent / "replay.js"
    _css = Path(__file__).parent / "replay.css"
    kind = traitlets.Unicode("replay").tag(sync=True)
    lr = traitlets.Instance(widgets.Widget).tag(**_WIDGET)
    epochs = traitlets.Instance(widgets.Widget).tag(**_WIDGET)
    marks = traitlets.List(traitlets.Instance(widgets.Widget)).tag(**_WIDGET)
    page = traitlets.Instance(widgets.Widget, allow_none=True).tag(**_WIDGET)
    history = traitlets.Dict().tag(sync=True)

    def __init__(self, lr: Slider, epochs: Slider, marks: list[widgets.Widget]):
        super().__init__(lr=lr, epochs=epochs, marks=marks)

    def tell(self, passed: np.ndarray, columns: np.ndarray, **more: object) -> None:
        """Send runs to the page.

        Parameters
        ----------
        passed : ndarray, shape (T,)
            Epochs passed at each point.
        columns : ndarray, shape (R, 4, T)
            Weight, bias, training and validation loss of each learning rate.
        **more
            Plain values for texts and frames.
        """
        ends = np.searchsorted(passed, self.epochs.options)
        ends = [int(end) for end in ends if end < len(passed)]
        table = memoryview(np.concatenate([passed, columns.ravel()]).astype("<f8").tobytes())
        self.history = {"points": len(passed), "ends": ends, "table": table, **more}
