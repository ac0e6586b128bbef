"""What one line of the soak's table says."""

from typing import NamedTuple


class Outcome(NamedTuple):
    """The figure that was measured, and a sentence for each thing that went wrong.

    Parameters
    ----------
    figure : str
        Such as "30 of 30, three times; 311 MB a learner". It holds what was measured, never what
        was hoped for.
    failures : list of str
        Empty if the goal was reached.
    """

    figure: str
    failures: list[str]
