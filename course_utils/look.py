"""How a role looks in every picture: colors, type and sizes of style.json, as in the page."""

import functools
import json
from pathlib import Path
from typing import NamedTuple

STYLE = json.loads(Path(__file__).with_name("style.json").read_text(encoding="utf-8"))
COLORS, SMALL, MARK = STYLE["light"], STYLE["size"]["small"], STYLE["mark"]


class Look(NamedTuple):
    """What a series looks like: never told by its color alone.

    Attributes
    ----------
    role : str
        A color of style.json.
    marker : str
        A marker of Matplotlib; "o" is filled, "O" is hollow, "." small and faint, "8" large.
    dash : tuple of int
        Pixels drawn and left out in turn; none for a solid line.
    """

    role: str
    marker: str
    dash: tuple[int, ...] = ()

    @property
    def radius(self) -> float:
        """How large its marker is."""
        return MARK["radius"] * {".": 0.85, "+": 1.35, "x": 1.35, "8": 1.5}.get(self.marker, 1)

    @property
    def opacity(self) -> float:
        """How much of what is below its marker covers."""
        return {".": 0.45, "O": 1, "+": 1, "x": 1, "8": 1}.get(self.marker, MARK["opacity"])

    @property
    def color(self) -> str:
        """Its color on a light ground."""
        return COLORS[self.role]


ROLES = {
    "other": Look("truth", ".", (1, 3)),
    "rest": Look("truth", ".", (1, 3)),
    "data": Look("data", "o"),
    "train": Look("data", "o"),
    "batch": Look("data", "o"),
    "validation": Look("held", "O", (5, 3)),
    "test": Look("held", "O", (5, 3)),
    "prediction": Look("ink", "+"),
    "truth": Look("truth", "x", (7, 5)),
    "limit": Look("ink", "|", (2, 3)),
    "diverged": Look("danger", "^"),
    "adelie": Look("data", "o"),
    "chinstrap": Look("neg", "^"),
    "gentoo": Look("other", "D"),
    "walk": Look("truth", ".", (3, 2)),
    "ball": Look("data", "8"),
}
SPARE = (
    Look("ink", "s"),
    Look("neg", "^", (9, 3, 2, 3)),
    Look("other", "D", (4, 2)),
    Look("held", "v", (2, 2)),
    Look("data", "o", (9, 3)),  # the first that points take
)


@functools.cache
def fonts() -> list[str]:
    """Return those of the fonts that this machine has, the best first."""
    from matplotlib import font_manager

    there = set(font_manager.get_font_names())
    return [name for name in STYLE["fonts"] if name in there]


@functools.cache
def width(text: str, *, bold: bool = False) -> float:
    """Return how many pixels wide a small text is."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(family=fonts(), size=SMALL, weight="bold" if bold else "normal")
    return TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]
