"""What a training run recorded, as columns."""

from collections.abc import Mapping

import numpy as np

from course_utils import inputs


class History:
    """One row an epoch (or a step), one column a quantity.

    Examples
    --------
    >>> history = History()
    >>> history.record(epoch=0, train_loss=1.5)
    >>> history["train_loss"]
    array([1.5])
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}

    def record(self, **values: float) -> None:
        """Append one row; the first row decides which columns there are.

        Raises
        ------
        InputError
            If a value is no plain number, or the names differ from those of the first row.
        """
        if not values:
            raise inputs.InputError("record() got no values: name them, as train_loss=0.5")
        if self._columns and values.keys() != self._columns.keys():
            raise inputs.InputError(
                f"this row has {', '.join(values)}; the rows before it have {', '.join(self.names)}"
            )
        row = {name: _plain(name, value) for name, value in values.items()}
        for name, value in row.items():
            self._columns.setdefault(name, []).append(value)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the order of the first row."""
        return tuple(self._columns)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array(self._columns[inputs.choice("column", name, self.names)])

    def __repr__(self) -> str:
        return f"History: {len(self)} rows of {', '.join(self.names) or 'nothing yet'}"

    def to_dict(self) -> dict[str, list[float]]:
        """Return the columns as lists of Python numbers, which a checkpoint can hold."""
        return {name: list(values) for name, values in self._columns.items()}

    @classmethod
    def from_dict(cls, columns: Mapping[str, list[float]]) -> "History":
        """Rebuild a history from `to_dict`.

        Raises
        ------
        InputError
            If the columns are no lists of plain numbers of one length.
        """
        if not isinstance(columns, Mapping):
            raise inputs.InputError(f"columns is a {type(columns).__name__}, expected a dict")
        for name, values in columns.items():
            if not isinstance(name, str) or not isinstance(values, (list, tuple)):
                raise inputs.InputError(f"column {name!r} is no named list of numbers")
        if len({len(values) for values in columns.values()}) > 1:
            raise inputs.InputError("the columns differ in length: was the file cut off?")
        history = cls()
        for row in zip(*columns.values(), strict=True):
            history.record(**dict(zip(columns, row, strict=True)))
        return history


def _plain(name: str, value: object) -> float:
    if not name.isidentifier():
        raise inputs.InputError(f"column {name!r} is no name such as train_loss: rename it")
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        raise inputs.InputError(f"{name} is a {type(value).__name__}: record {name}.item()")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise inputs.InputError(f"{name} is a {type(value).__name__}, expected a plain number")
    return value
