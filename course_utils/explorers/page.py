"""The part of an explorer that lives in the page: buttons, the spoken summary, the code."""

from collections.abc import Callable, Mapping
from pathlib import Path

import anywidget
import ipywidgets as widgets
import traitlets


class Page(anywidget.AnyWidget):
    """Buttons, a live region for screen readers, and the PyTorch code on request.

    While it is shown it hides the still picture behind it and names the controls for screen
    readers. Texts are set as text, never as HTML.
    """

    _esm = Path(__file__).parent / "page.js"
    _css = Path(__file__).parent / "page.css"
    labeled = traitlets.List(traitlets.Instance(widgets.Widget)).tag(
        sync=True, **widgets.widget_serialization
    )
    text = traitlets.Unicode().tag(sync=True)
    state = traitlets.Unicode("preview").tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)

    def on_click(self, actions: Mapping[str, Callable[[], None]]) -> None:
        """Call the action a button of the page names."""

        def received(_widget: object, content: object, _buffers: object) -> None:
            name = content.get("click") if isinstance(content, dict) else None
            if name in actions:
                actions[name]()

        self.on_msg(received)

    def say(self, text: str, state: str) -> None:
        """Show a summary and its state: shown, preview, running, agrees, departs or error."""
        with self.hold_sync():
            self.text, self.state = text, state
