"""The data the notebooks rely on: values, shapes, seeds, units."""

import csv

import pytest
import torch

from course_utils import datasets
from course_utils.inputs import InputError


def test_make_line_reproduces_the_published_point():
    X, y = datasets.make_line()
    assert X.shape == y.shape == (200, 1)
    assert X.dtype == y.dtype == torch.float32
    assert f"{X[5].item():.4f} {y[5].item():.4f}" == "0.3826 2.3138"


def test_make_line_has_its_own_generator():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = datasets.make_line(seed=7)
    torch.randn(3)
    torch.testing.assert_close(datasets.make_line(seed=7), first, rtol=0, atol=0)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(datasets.make_line(seed=8)[0], first[0])


def test_noise_is_the_standard_deviation_around_the_line():
    X, y = datasets.make_line(n=100_000, weight=-3.0, bias=0.5, noise=0.25)
    residuals = y - (-3.0 * X + 0.5)
    assert residuals.std().item() == pytest.approx(0.25, rel=0.01)
    X, y = datasets.make_line(noise=0)
    torch.testing.assert_close(y, 2 * X + 1.5)


def test_make_curve_is_a_sine():
    X, y = datasets.make_curve(n=1_000, noise=0)
    torch.testing.assert_close(y, torch.sin(2 * X))
    assert -2 <= X.min() < -1.9
    assert 1.9 < X.max() <= 2
    X, y = datasets.make_curve(n=50_000, noise=0.3)
    assert (y - torch.sin(2 * X)).std().item() == pytest.approx(0.3, rel=0.02)


def test_penguins_are_read_from_the_table():
    X, y = datasets.load_penguins()
    with open(datasets.PENGUINS, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 344
    complete = [row for row in rows if row["body_mass_g"] != "NA"]
    assert X.shape == y.shape == (len(complete), 1) == (342, 1)
    assert X[0].item() == float(complete[0]["flipper_length_mm"]) == 181.0
    assert y[-1].item() == float(complete[-1]["body_mass_g"])
    bill, mass = datasets.load_penguins("bill_length_mm")
    assert bill[0].item() == pytest.approx(39.1)
    torch.testing.assert_close(mass, y)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("a,b\n1,2\n", "not the penguin table"),
        ("flipper_length_mm,body_mass_g\n181,heavy\n", "heavy"),
        ("flipper_length_mm,body_mass_g\n181\n", "penguin"),
        ("flipper_length_mm,body_mass_g\nNA,NA\n", "no complete row"),
        ("", "penguins.csv"),
        ("\x00\xff", "penguins.csv"),
    ],
)
def test_a_foreign_table_is_refused(tmp_path, content, word):
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=word):
        datasets.load_penguins(path=path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        datasets.load_penguins(path=tmp_path / "nowhere.csv")
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"flipper_length_mm,body_mass_g\n\xe9,1\n")
    with pytest.raises(InputError, match="latin"):
        datasets.load_penguins(path=latin)


def test_columns_are_chosen_from_the_measurements():
    with pytest.raises(InputError, match="species"):
        datasets.load_penguins(feature="species")


def test_species_come_with_their_measurements():
    X, species = datasets.load_species("body_mass_g", "bill_length_mm")
    with open(datasets.PENGUINS, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["body_mass_g"] != "NA"]
    assert (X.shape, X.dtype) == ((342, 2), torch.float32)
    assert (species.shape, species.dtype) == ((342,), torch.int64)
    assert X[6].tolist() == pytest.approx([4675.0, 39.2])
    assert [datasets.SPECIES[kind] for kind in species] == [row["species"] for row in rows]
    assert species.bincount().tolist() == [151, 68, 123]


@pytest.mark.parametrize("species", ["Emperor", ""])
def test_a_table_with_another_species_is_refused(tmp_path, species):
    path = tmp_path / "table.csv"
    path.write_text(f"species,bill_length_mm\n{species},40\n", encoding="utf-8")
    with pytest.raises(InputError, match="not the penguin table"):
        datasets.load_species("bill_length_mm", path=path)


def test_species_is_no_measurement():
    with pytest.raises(InputError, match="species"):
        datasets.load_species("bill_length_mm", "species")
