"""A history keeps rows as columns, and only what a checkpoint can hold."""

import io

import numpy as np
import pytest
import torch

from course_utils.history import History
from course_utils.inputs import InputError


def three_rows():
    history = History()
    for epoch, loss in enumerate([2.0, 1.0, 0.5]):
        history.record(epoch=epoch, train_loss=loss)
    return history


def test_columns():
    history = three_rows()
    assert len(history) == 3
    assert history.names == ("epoch", "train_loss")
    np.testing.assert_array_equal(history["train_loss"], [2.0, 1.0, 0.5])
    assert repr(history) == "History: 3 rows of epoch, train_loss"
    assert repr(History()) == "History: 0 rows of nothing yet"


def test_a_safe_checkpoint_holds_it():
    history = three_rows()
    buffer = io.BytesIO()
    torch.save(history.to_dict(), buffer)
    buffer.seek(0)
    again = History.from_dict(torch.load(buffer, weights_only=True))
    assert again.to_dict() == history.to_dict()
    again.record(epoch=3, train_loss=0.25)
    assert len(history) == 3
    assert len(again) == 4


def test_divergence_is_recorded_as_it_is():
    history = History()
    history.record(loss=float("nan"))
    assert np.isnan(history["loss"][0])


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({}, "name them"),
        ({"epoch": 1}, "train_loss"),
        ({"epoch": 1, "train_loss": torch.tensor(0.5)}, r"record train_loss.item\(\)"),
        ({"epoch": 1, "train_loss": np.float64(0.5)}, r"record train_loss.item\(\)"),
        ({"epoch": 1, "train_loss": "low"}, "is a str"),
        ({"epoch": 1, "train_loss": None}, "is a NoneType"),
        ({"epoch": True, "train_loss": 0.1}, "is a bool"),
    ],
)
def test_a_row_that_does_not_fit_changes_nothing(row, word):
    history = three_rows()
    with pytest.raises(InputError, match=word):
        history.record(**row)
    assert history.to_dict() == three_rows().to_dict()


def test_an_unknown_column_is_named():
    with pytest.raises(InputError, match=r"'val_loss'.*epoch, train_loss"):
        three_rows()["val_loss"]


@pytest.mark.parametrize(
    "columns", [None, [1, 2], {"a": [1.0], "b": []}, {"a": 5}, {1: [1.0]}, {"a": ["x"]}]
)
def test_foreign_columns_are_refused(columns):
    with pytest.raises(InputError):
        History.from_dict(columns)
