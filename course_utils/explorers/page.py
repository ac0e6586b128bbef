"""The part of an explorer that lives in the page: buttons, the spoken summary, the code.

It also carries the picture: a message for each mark would cost more time than the drawing.
"""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import anywidget
import ipywidgets as widgets
import traitlets

_WIDGETS = {"sync": True, **widgets.widget_serialization}


class Page(anywidget.AnyWidget):
    """Buttons, a live region for screen readers, and the PyTorch code on request.

    While it is shown it hides the still picture behind it and names the controls for screen
    readers. Texts are set as text, never as HTML.
    """

    _esm = Path(__file__).parent / "page.js"
    _css = Path(__file__).parent / "page.css"
    labeled = traitlets.List(traitlets.Instance(widgets.Widget)).tag(**_WIDGETS)
    parts = traitlets.List(traitlets.Instance(widgets.Widget)).tag(**_WIDGETS)
    picture = traitlets.Dict().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    state = traitlets.Unicode("preview").tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)

    def __init__(self, labeled: Iterable[widgets.Widget], parts: Iterable[widgets.Widget]):
        self._lock, self.is_listening = threading.RLock(), False
        self._kept: dict[widgets.Widget, set[str]] | None = None  # what `one_message` will tell
        super().__init__(labeled=[*labeled], parts=[*dict.fromkeys(parts)])
        self._own_send = {part: part.send_state for part in (*self.parts, self)}
        self._drawn: dict[widgets.Widget, set[str]] = {part: set() for part in self._own_send}
        for part in self._own_send:
            part.send_state = functools.partial(self._send_or_keep, part)

    def on_click(self, actions: Mapping[str, Callable[[], None]]) -> None:
        """Call the action a button of the page names."""

        def received(_widget: object, content: object, _buffers: object) -> None:
            name = content.get("click") if isinstance(content, dict) else None
            if name in actions:
                actions[name]()

        self.on_msg(received)

    def say(self, text: str, state: str) -> None:
        """Show a summary and its state, one of those in page.js: shown, running, error ..."""
        with self.one_message():
            self.text, self.state = text, state

    @contextmanager
    def one_message(self) -> Iterator[None]:
        """Send what changes meanwhile, here and in the parts, as one message."""
        with self._lock:
            is_outermost, self._kept = self._kept is None, self._kept or {}
        try:
            yield
        finally:
            if is_outermost:
                self._send_kept()

    def _send_kept(self) -> None:
        with self._lock:
            said = self._kept.pop(self, set())
            if self._kept:
                self._put_in_picture(self._kept)
                said = said | {"picture"}
            self._kept = None
        self._own_send[self](said)

    def listen(self) -> None:
        """Tell a page that has begun to listen what it may have missed."""
        with self._lock, self.one_message():
            self.is_listening = True
            for part in self.parts:
                self._send_or_keep(part, self._drawn[part])

    def _send_or_keep(self, part: widgets.Widget, key: str | Iterable[str] | None = None) -> None:
        names = {key} if isinstance(key, str) else {*(key or ())}
        with self._lock:
            self._drawn[part] |= names
            if names and self._kept is not None:
                self._kept[part] = self._kept.get(part, set()) | names
                return
        self._own_send[part](key)

    def _put_in_picture(self, changed: Mapping[widgets.Widget, set[str]]) -> None:
        """Set the picture, the state of each part that changed by its place in `parts`."""
        places = enumerate(self.parts)
        states = {at: part.get_state(changed[part]) for at, part in places if part in changed}
        self.picture = {"count": self.picture.get("count", 0) + 1, "states": states}
