"""Sliders that live in the page: they move marks over runs it already knows, without the kernel."""

from pathlib import Path

import anywidget
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
    value = traitlets.Any().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    mark = traitlets.Float(None, allow_none=True).tag(sync=True)
    mark_label = traitlets.Unicode().tag(sync=True)
    replayed = traitlets.Bool(False).tag(sync=True)

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
