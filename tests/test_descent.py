"""The recurrence against PyTorch: the same batches, the same steps, the same numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils import datasets, descent
from course_utils.inputs import InputError

LOSS_FN = {"mse": nn.MSELoss(), "l1": nn.L1Loss()}
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def plain_loop(X, y, lr, batches, loss, start, optimizer_class=torch.optim.SGD):
    """Train nn.Linear with an optimizer of PyTorch on the given rows; return its path."""
    model = nn.Linear(1, 1, dtype=X.dtype)
    with torch.no_grad():
        model.weight.fill_(start[0])
        model.bias.fill_(start[1])
    optimizer = optimizer_class(model.parameters(), lr=lr)
    path = [(model.weight.item(), model.bias.item())]
    for rows in batches:
        optimizer.zero_grad()
        LOSS_FN[loss](model(X[rows]), y[rows]).backward()
        optimizer.step()
        path.append((model.weight.item(), model.bias.item()))
    return np.array(path).T


def loader_rows(n, batch_size, epochs, drop_last=False):
    """Return the rows of each step as a real, shuffling DataLoader deals them."""
    generator = torch.Generator().manual_seed(3)
    loader = DataLoader(
        TensorDataset(torch.arange(n)), batch_size, shuffle=True, generator=generator,
        drop_last=drop_last,
    )  # fmt: skip
    return [rows for _ in range(epochs) for (rows,) in loader]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("loss", ["mse", "l1"])
@pytest.mark.parametrize("batch_size", [None, 16, 7])
def test_descend_equals_the_plain_loop(dtype, loss, batch_size):
    X, y = (column.to(dtype) for column in datasets.make_line(n=60))
    lrs = [0.01, 0.1, 0.3]
    rows = [torch.arange(60)] * 40 if batch_size is None else loader_rows(60, batch_size, 8)
    batches = 40 if batch_size is None else rows
    path = descent.descend(X, y, lrs, batches, loss=loss, weight=-0.5, bias=0.25)
    assert path.weight.shape == path.bias.shape == (3, len(rows) + 1)
    for i, lr in enumerate(lrs):
        weight, bias = plain_loop(X, y, lr, rows, loss, (-0.5, 0.25))
        np.testing.assert_allclose(path.weight[i], weight, rtol=0, atol=TOLERANCE[dtype])
        np.testing.assert_allclose(path.bias[i], bias, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("loss", ["mse", "l1"])
@pytest.mark.parametrize("batch_size", [None, 16])
def test_adam_equals_the_plain_loop(dtype, loss, batch_size):
    X, y = (column.to(dtype) for column in datasets.make_line(n=60))
    rows = [torch.arange(60)] * 40 if batch_size is None else loader_rows(60, batch_size, 10)
    batches = 40 if batch_size is None else rows
    path = descent.descend(
        X, y, [0.01, 0.3], batches, loss=loss, optimizer="adam", weight=-0.5, bias=0.25
    )
    for i, lr in enumerate([0.01, 0.3]):
        start = (-0.5, 0.25)
        weight, bias = plain_loop(X, y, lr, rows, loss, start, torch.optim.Adam)
        np.testing.assert_allclose(path.weight[i], weight, rtol=0, atol=TOLERANCE[dtype])
        np.testing.assert_allclose(path.bias[i], bias, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_kept_steps_are_those_of_the_whole_path(optimizer):
    X, y = datasets.make_line(n=60)
    rows = loader_rows(60, 16, 5)
    whole = descent.descend(X, y, [0.01, 0.3], rows, optimizer=optimizer)
    for keep in ([0, 3, 20], [7], range(21), []):
        some = descent.descend(X, y, [0.01, 0.3], rows, optimizer=optimizer, keep=keep)
        np.testing.assert_array_equal(some.weight, whole.weight[:, list(keep)])
        np.testing.assert_array_equal(some.bias, whole.bias[:, list(keep)])


def test_a_real_table_descends_too():
    X, y = datasets.load_penguins()
    X = (X - X.mean()) / X.std()
    y = (y - y.mean()) / y.std()
    rows = loader_rows(len(X), 64, 5, drop_last=True)
    path = descent.descend(X, y, 0.05, rows)
    weight, bias = plain_loop(X, y, 0.05, rows, "mse", (0.0, 0.0))
    np.testing.assert_allclose(path.weight[0], weight, rtol=0, atol=1e-5)
    np.testing.assert_allclose(path.bias[0], bias, rtol=0, atol=1e-5)


@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_mean_loss_and_surface_equal_torch(loss):
    X, y = (column.double() for column in datasets.make_line(n=50))
    weights, biases = np.linspace(-2, 4, 7), np.linspace(-1, 3, 5)
    surface = descent.loss_surface(X, y, weights, biases, loss=loss)
    assert surface.shape == (5, 7)
    for i, bias in enumerate(biases):
        for j, weight in enumerate(weights):
            expected = LOSS_FN[loss](weight * X + bias, y).item()
            assert surface[i, j] == pytest.approx(expected, rel=1e-12)
            assert descent.mean_loss(X, y, weight, bias, loss=loss) == pytest.approx(expected)


def test_stable_lr_is_two_over_the_largest_hessian_eigenvalue():
    X, y = (column.double() for column in datasets.make_line())

    def loss(parameters):
        return torch.mean((parameters[0] * X + parameters[1] - y) ** 2)

    hessian = torch.autograd.functional.hessian(loss, torch.zeros(2, dtype=torch.float64))
    limit = 2 / torch.linalg.eigvalsh(hessian)[-1].item()
    assert descent.stable_lr(X) == pytest.approx(limit, rel=1e-12)
    assert f"{limit:.3f}" == "0.941"
    assert f"{descent.stable_lr(10 * X):.4f}" == "0.0105"


def test_paths_settle_below_the_limit_and_diverge_above():
    X, y = datasets.make_line()
    limit = descent.stable_lr(X)
    path = descent.descend(X, y, [0.99 * limit, 1.01 * limit, 3.0], 3_000)
    ols = np.polyfit(X[:, 0].numpy(), y[:, 0].numpy(), 1)
    assert path.weight[0, -1] == pytest.approx(ols[0], abs=1e-5)
    assert abs(path.weight[1, -1]) > 1e6
    finite = path.finite_steps()
    assert finite[0] == 3_000
    assert 0 < finite[2] < 3_000
    assert np.isfinite(path.weight[2, finite[2]])
    assert not np.isfinite(path.weight[2, finite[2] + 1] + path.bias[2, finite[2] + 1])


def test_no_steps_and_one_learning_rate():
    X, y = datasets.make_line(n=2)
    for nothing in (0, []):
        path = descent.descend(X, y, 0.1, nothing, weight=3)
        assert path.weight.tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"lr": -0.1}, "lr is -0.1"),
        ({"lr": [0.1, float("nan")]}, "lr is nan"),
        ({"lr": []}, "lr has shape"),
        ({"lr": "fast"}, "lr holds"),
        ({"batches": -1}, "batches is -1"),
        ({"batches": 2.5}, "batches is 2.5"),
        ({"batches": None}, "pass an int"),
        ({"batches": [[0, 1], []]}, "batch 1"),
        ({"batches": [[0, 99]]}, "outside 0 to 9"),
        ({"batches": [[0.5]]}, "row numbers"),
        ({"loss": "huber"}, "mse, l1"),
        ({"optimizer": "lion"}, "sgd, adam"),
        ({"keep": [3, 3]}, "ascending"),
        ({"keep": ["a"]}, "ascending"),
        ({"keep": [0, 6]}, "outside 0 to 5"),
        ({"weight": None}, "weight is None"),
        ({"y": torch.zeros(10)}, r"y has shape \(10,\), expected \(10, 1\): add .unsqueeze\(1\)"),
        ({"y": torch.zeros(9, 1)}, "9 rows, expected 10"),
    ],
)
def test_bad_input_is_named(change, word):
    X, y = datasets.make_line(n=10)
    with pytest.raises(InputError, match=word):
        descent.descend(**({"X": X, "y": y, "lr": 0.1, "batches": 5} | change))


@settings(deadline=None, derandomize=True)
@given(
    data=st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=12),
    lr=st.floats(0, 0.05),
    loss=st.sampled_from(["mse", "l1"]),
    w=st.floats(-3, 3),
)
def test_one_step_is_the_gradient_of_autograd(data, lr, loss, w):
    X, y = torch.tensor(data, dtype=torch.float64).split(1, dim=1)
    parameters = torch.tensor([w, 0.5], dtype=torch.float64, requires_grad=True)
    residuals = parameters[0] * X + parameters[1] - y
    (residuals.abs() if loss == "l1" else residuals**2).mean().backward()
    path = descent.descend(X, y, lr, 1, loss=loss, weight=w, bias=0.5)
    expected = (parameters - lr * parameters.grad).tolist()
    ties = loss == "l1" and bool((residuals.abs() < 1e-12).any())
    if not ties:  # at a residual of rounding size the two may see different signs
        assert [path.weight[0, 1], path.bias[0, 1]] == pytest.approx(expected, abs=1e-12)
