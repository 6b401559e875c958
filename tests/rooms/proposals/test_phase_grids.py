"""Grids of compositions and conditions."""

from math import comb

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.phase_grids import composition_grid, parse_grid, with_condition


@pytest.mark.parametrize(("n", "count"), [(2, 50), (3, 100), (4, 20), (5, 10)])
def test_every_composition_once(n, count):
    grid = composition_grid(n, 1 / count).to_numpy()
    assert len(grid) == comb(count + n - 1, n - 1)
    assert len(np.unique((grid * count).round().astype(int), axis=0)) == len(grid)
    np.testing.assert_allclose(grid.sum(axis=1), 1.0, atol=1e-15)
    assert grid.min() == 0


def test_grammar():
    grid = parse_grid("ternary:step=25%,names=Zn-Mg-Cu,T=800..1000..100")
    assert list(grid.columns) == ["Zn", "Mg", "Cu", "T"]
    assert grid.shape == (45, 4)
    assert grid["T"].unique().tolist() == [800, 900, 1000]
    assert set(grid["Zn"]) == {0, 25, 50, 75, 100}
    assert parse_grid("binary:step=0.5,p=2").to_numpy().tolist() == [[1, 0, 2], [0.5, 0.5, 2], [0, 1, 2]]
    assert parse_grid("quaternary:step=0.1").shape == (286, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hexary:step=0.1", "begin with one of binary, .*'hexary:step=0.1'"),
        ("ternary:step=0.03", r"step must divide the whole.*Got 0\.03"),
        ("ternary:step=abc", "hold numbers. Got 'abc'"),
        ("ternary:0.1", "key=value pairs. Got '0.1'"),
        ("ternary:T=900..800..10", "low..high..step. Got '900..800..10'"),
        ("quinary:step=0.005", r"at most 5,000,000 points\. Got 70058751"),
        ("binary:names=A-B-C", "2 different names"),
        ("binary:T=", "key=value"),
    ],
)
def test_bad_text(text, words):
    with pytest.raises(InputError, match=words):
        parse_grid(text)


def test_bad_conditions():
    grid = composition_grid(2, 0.5)
    with pytest.raises(InputError, match=r"name must be new\. Got 'A'"):
        with_condition(grid, "A", [1])
    with pytest.raises(InputError, match="finite numbers"):
        with_condition(grid, "T", [np.nan])
    with pytest.raises(InputError, match=r"n_components must be 2 to 8\. Got 1"):
        composition_grid(1)
