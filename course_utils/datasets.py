"""The course's data: a noisy line, a noisy curve and a real table, as (N, 1) tensors."""

import csv
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from course_utils import inputs

# What notebooks read lies in the package where it is installed, else in the folder beside it.
_INSTALLED = Path(__file__).resolve().parent / "notebooks"
NOTEBOOKS = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1] / "notebooks"
PENGUINS = NOTEBOOKS / "data" / "penguins.csv"
MEASUREMENTS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
SPECIES = ("Adelie", "Chinstrap", "Gentoo")
_LARGEST = 1e6  # beyond this float32 squares lose all meaning


def make_line(
    n: int = 200, weight: float = 2.0, bias: float = 1.5, noise: float = 0.1, seed: int = 420
) -> tuple[Tensor, Tensor]:
    """Draw n points around the line y = weight * x + bias.

    The features are standard normal. The same seed gives the same points, whatever else the
    program draws, because the generator belongs to this call alone.

    Parameters
    ----------
    n : int
        Number of points.
    weight, bias : float
        The true parameters, without unit.
    noise : float
        Standard deviation of the normal noise added to y, in the unit of y.
    seed : int
        Seed of the generator.

    Returns
    -------
    X, y : Tensor, shape (n, 1), float32
        Features and targets.

    Raises
    ------
    InputError
        If a value is not finite, n is not a whole number of 1 or more, or noise is negative.
    """
    n = inputs.count("n", n)
    weight = inputs.number("weight", weight, low=-_LARGEST, high=_LARGEST)
    bias = inputs.number("bias", bias, low=-_LARGEST, high=_LARGEST)
    generator = _generator(seed)
    X = torch.randn(n, 1, generator=generator)
    return X, weight * X + bias + _noise(X, noise, generator)


def make_curve(n: int = 40, noise: float = 0.2, seed: int = 420) -> tuple[Tensor, Tensor]:
    """Draw n points around the curve y = sin(2 x), x uniform between -2 and 2.

    Parameters
    ----------
    n : int
        Number of points.
    noise : float
        Standard deviation of the normal noise added to y, in the unit of y.
    seed : int
        Seed of the generator.

    Returns
    -------
    X, y : Tensor, shape (n, 1), float32
        Features and targets, in the order drawn (not sorted).

    Raises
    ------
    InputError
        If n is not a whole number of 1 or more, or noise is negative or not finite.
    """
    n = inputs.count("n", n)
    generator = _generator(seed)
    X = 4 * torch.rand(n, 1, generator=generator) - 2
    return X, torch.sin(2 * X) + _noise(X, noise, generator)


def load_penguins(
    feature: str = "flipper_length_mm", target: str = "body_mass_g", path: str | Path = PENGUINS
) -> tuple[Tensor, Tensor]:
    """Read two measurements of the Palmer penguins; rows that miss either are left out.

    Parameters
    ----------
    feature, target : str
        Column names; the unit is the last part of the name (mm, g).
    path : str or Path
        The table, by default the one shipped with the course.

    Returns
    -------
    X, y : Tensor, shape (N, 1), float32
        342 of 344 penguins for the default columns.

    Raises
    ------
    InputError
        If the file cannot be read as this table, or a column is not one of its measurements.
    """
    names = [
        inputs.choice("feature", feature, MEASUREMENTS),
        inputs.choice("target", target, MEASUREMENTS),
    ]
    values = _rows(path, names, lambda row: [float(cell) for cell in row])
    X, y = torch.tensor(values).split(1, dim=1)
    return X.contiguous(), y.contiguous()


def load_species(*features: str, path: str | Path = PENGUINS) -> tuple[Tensor, Tensor]:
    """Read measurements of the Palmer penguins and the species of each bird.

    Parameters
    ----------
    *features : str
        Column names; the unit is the last part of the name (mm, g).
    path : str or Path
        The table, by default the one shipped with the course.

    Returns
    -------
    X : Tensor, shape (N, number of features), float32
        Rows that miss one of the features are left out.
    species : Tensor, shape (N,), int64
        0 is an Adelie, 1 a Chinstrap, 2 a Gentoo, as in `SPECIES`.

    Raises
    ------
    InputError
        If the file cannot be read as this table, or a column is not one of its measurements.
    """
    names = [inputs.choice("feature", feature, MEASUREMENTS) for feature in features]
    values = _rows(
        path,
        [*names, "species"],
        lambda row: [*map(float, row[:-1]), SPECIES.index(row[-1])],
    )
    table = torch.tensor(values)
    return table[:, :-1].contiguous(), table[:, -1].long()


def _rows(path: str | Path, names: list[str], read: Callable) -> list[list[float]]:
    """Read the complete rows of some columns."""
    try:
        with open(Path(path), newline="", encoding="utf-8") as file:  # a number is no path
            rows = [[row[name] for name in names] for row in csv.DictReader(file)]
        values = [read(row) for row in rows if "NA" not in row]
    except (OSError, TypeError) as error:
        raise inputs.InputError(
            f"path is {str(path)!r}: {error}; give the path of penguins.csv"
        ) from None
    except (KeyError, ValueError, csv.Error) as error:
        raise inputs.InputError(
            f"{str(path)!r} is not the penguin table ({error}): restore notebooks/data/penguins.csv"
        ) from None
    if not values:
        raise inputs.InputError(f"{str(path)!r} holds no complete row: restore penguins.csv")
    return values


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(inputs.count("seed", seed, low=0, high=2**63 - 1))


def _noise(X: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    scale = inputs.number("noise", noise, low=0.0, high=_LARGEST)
    return scale * torch.randn(X.shape, generator=generator)
