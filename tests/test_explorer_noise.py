"""NoiseExplorer beyond what the base's tests ask of it: the band, few points, new samples."""

import numpy as np
import pytest
import torch

from course_utils import datasets
from course_utils.explorers.noise import GRID, NoiseExplorer, least_squares, line_errors
from course_utils.inputs import InputError


def test_the_band_is_the_covariance_of_the_parameters_seen_along_the_line():
    X, y = datasets.make_line(n=30, noise=0.5)
    _, errors = least_squares(X, y)
    columns = np.hstack([X.double().numpy(), np.ones((30, 1))])
    _, squares, *_ = np.linalg.lstsq(columns, y.double().numpy(), rcond=None)
    covariance = squares[0] / 28 * np.linalg.inv(columns.T @ columns)
    along = np.stack([GRID, np.ones_like(GRID)])
    expected = np.sqrt(np.einsum("ig,ij,jg->g", along, covariance, along))
    np.testing.assert_allclose(line_errors(X, errors, GRID), expected, rtol=1e-6)


def test_two_standard_errors_cover_the_truth_as_often_as_they_should():
    """Height at x = 1 in 400 samples of 50: 95 % within two errors, five deviations allowed."""
    hits, at = 0, np.array([1.0])
    for seed in range(400):
        X, y = datasets.make_line(n=50, noise=0.5, seed=seed)
        (weight, bias), errors = least_squares(X, y)
        hits += abs(weight + bias - 3.5) < 2 * line_errors(X, errors, at)[0]
    assert abs(hits - 0.949 * 400) < 5 * np.sqrt(400 * 0.949 * 0.051)


def test_the_band_lies_around_the_line_and_grows_with_the_noise():
    explorer = NoiseExplorer(datasets.make_line)
    widths = []
    for noise in (0.5, 3.0):
        explorer.set(noise=noise, n=20)
        explorer.settle()
        low, high = explorer._band.y
        np.testing.assert_allclose((low + high) / 2, explorer._fitted.y, atol=1e-9)
        widths.append(high - low)
    assert (widths[1] > widths[0]).all()
    assert (explorer._points.default_size, len(explorer._points.x)) == (80, 20)


def test_two_points_with_much_noise_have_a_line_and_no_band():
    explorer = NoiseExplorer(datasets.make_line)
    explorer.set(n=2, noise=3.0)
    explorer.settle()
    X, y = datasets.make_line(n=2, noise=3.0)
    weight, bias = explorer.result.fitted
    np.testing.assert_allclose((weight * X + bias).numpy(), y.numpy(), rtol=1e-5)
    assert explorer._band.x.shape == (0,)
    assert "nan" not in explorer.page.text
    assert explorer.page.text.endswith("nothing is left to judge it by.")
    assert explorer.still(explorer.result).to_png().startswith(b"\x89PNG")


def test_points_beyond_the_axes_are_counted():
    explorer = NoiseExplorer(datasets.make_line)
    explorer.set(n=20_000, noise=3.0, weight=3.0)
    explorer.settle()
    X, y = datasets.make_line(n=20_000, noise=3.0, weight=3.0)
    outside = ((X.abs() > 4.5) | (y.abs() > 15)).sum().item()
    assert outside > 0
    assert explorer.page.text.endswith(f" {outside} of the points lie outside the picture.")


def test_new_sample_takes_the_next_seed():
    explorer = NoiseExplorer(datasets.make_line)
    explorer.settle()
    before = explorer.result.y
    button = explorer.widget.children[0].children[-1]
    assert button.description == "new sample"
    button.click()
    explorer.settle()
    assert explorer.settings["seed"] == 421
    assert not torch.equal(before, explorer.result.y)
    explorer.set(seed=9999)
    button.click()
    explorer.settle()
    assert explorer.settings["seed"] == 0


def test_the_code_calls_the_learners_function_by_its_name():
    def my_points(n, weight, bias, noise, seed):
        return datasets.make_line(n, weight, bias, noise, seed)

    code = NoiseExplorer(my_points).as_code({"n": 5})
    assert "X, y = make(n=5)\n" in code
    assert "\nreplay(my_points)" in code
    code = NoiseExplorer(lambda **_: None).as_code({})
    assert code.endswith("replay(make)  # make: what the explorer was given")


def test_features_that_are_all_the_same_have_no_line():
    explorer = NoiseExplorer(lambda n, **_: (torch.ones(n, 1), torch.ones(n, 1)))
    explorer.settle()
    assert "all features are 1: a line needs two different ones" in explorer.page.text
    with pytest.raises(InputError, match="X has shape"):
        line_errors(torch.ones(3), (0.1, 0.1), GRID)
