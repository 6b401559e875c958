"""Sums of columns that hold in every row: found, simple, and never guessed from too few rows."""

import numpy as np
import pandas as pd
import pytest

from sozai.apps.cli.exact_sums import exact_sums


def table(n=30, seed=0, **columns):
    """Three random columns, and further ones made of them."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(rng.uniform(0, 1, (n, 3)), columns=["a", "b", "c"])
    return made.assign(**columns)


def texts(X):
    return [str(one) for one in exact_sums(X)]


def test_fractions_rounded_to_four_digits():
    rng = np.random.default_rng(1)
    first = np.floor(rng.dirichlet((1, 1, 1), 50)[:, :2] * 1e4) / 1e4
    X = pd.DataFrame(first, columns=["x_A", "x_B"]).assign(x_C=lambda X: (1 - X.x_A - X.x_B).round(4))
    assert texts(X) == ["x_A + x_B + x_C = 1"]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda X: 100 - X.a - X.b - X.c, ["a + b + c + d = 100"]),
        (lambda X: 2 * X.a, ["2*a - d = 0"]),
        (lambda X: X.b - X.a / 3, ["a - 3*b + 3*d = 0"]),
        (lambda X: X.a - X.b, ["a - b - d = 0"]),
        (lambda X: X.a * X.b, []),
        (lambda X: X.a + X.b + 1e-6 * X.c**2, []),
        (lambda X: 0 * X.a + 300, []),
    ],
)
def test_the_relation_has_simple_coefficients(make, expected):
    assert texts(table(d=make)) == expected


def test_two_relations_are_kept_apart():
    X = table(d=lambda X: 1 - X.a - X.b, e=lambda X: 1 - X.c)
    assert texts(X) == ["a + b + d = 1", "c + e = 1"]


def test_names_that_are_no_identifiers_stand_in_backticks():
    X = table()[["a"]].rename(columns={"a": "x-A"}).assign(y=lambda X: 1 - X["x-A"])
    assert texts(X) == ["`x-A` + y = 1"]


def test_rows_so_few_that_columns_are_always_tied():
    X = pd.DataFrame(np.random.default_rng(0).uniform(0, 1, (4, 3)))
    assert exact_sums(X) == ()
    assert exact_sums(X.iloc[:3]) == ()
    assert exact_sums(X[[]]) == ()


def test_an_offset_far_larger_than_the_spread():
    rng = np.random.default_rng(0)
    T = 300 + 0.01 * rng.uniform(0, 1, 40)
    assert texts(pd.DataFrame({"T": T, "t": T - 273.15, "p": rng.uniform(0, 1, 40)})) == ["T - t = 273.15"]
