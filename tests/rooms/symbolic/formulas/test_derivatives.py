"""Slopes of expressions against central differences, and both sides of every kink."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.symbolic.formulas.derivatives import derivatives
from sozai.symbolic.operations import OPERATIONS, Expressions, parse_into

NAMES = ["a", "b", "c"]
OF_ONE = [name for name, operation in OPERATIONS.items() if operation.arity == 1]
OF_TWO = [name for name, operation in OPERATIONS.items() if operation.arity == 2]
NESTED = [
    "sqrt(a)/(b + |c - 4|)^2",
    "cbrt(-3*b)*exp(-a*b)",
    "exp(a)*log(b + c)/|a - 5|",
    "|a - 4|*|b*c - 20|",
    "(a + 2*b)^3 - 1/(a*b*c) + 7/3",
    "log(1 + exp(-a))/sqrt(b*c)",
]


def differences(store, ids, X):
    """Slopes by central differences of fourth order, from values alone."""
    found = np.empty((len(X), len(ids), X.shape[1]))
    for column in range(X.shape[1]):
        step = np.zeros(X.shape[1])
        step[column] = 1e-3
        ends = [store.evaluate(ids, X + k * step) for k in (-2, -1, 1, 2)]
        found[:, :, column] = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / 12e-3
    return found


@pytest.mark.parametrize("name", OF_ONE + OF_TWO)
def test_every_operator_agrees_with_differences(name):
    store = Expressions(NAMES)
    arguments = (1, 2) if name in OF_TWO else (1,)
    ids = [int(store.add(name, *arguments))]
    X = np.random.default_rng(1).uniform(0.7, 3.0, (40, 3))
    values, slopes = derivatives(store, ids, X)
    np.testing.assert_allclose(values, store.evaluate(ids, X), rtol=2e-15)
    np.testing.assert_allclose(slopes, differences(store, ids, X), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["abs", "inverse", "square", "cube", "cbrt", "exp", "exp_neg"])
def test_operators_agree_with_differences_for_negative_arguments(name):
    store = Expressions(NAMES)
    ids = [int(store.add(name, 1))]
    X = np.random.default_rng(2).uniform(-3.0, -0.7, (40, 3))
    np.testing.assert_allclose(
        derivatives(store, ids, X)[1], differences(store, ids, X), rtol=1e-7, atol=1e-9
    )


def test_nested_formulas_agree_with_differences():
    store = Expressions(NAMES)
    ids = [parse_into(store, text) for text in NESTED]
    X = np.random.default_rng(3).uniform(0.7, 3.0, (40, 3))
    np.testing.assert_allclose(
        derivatives(store, ids, X)[1], differences(store, ids, X), rtol=1e-7, atol=1e-7
    )


@pytest.mark.parametrize(
    ("text", "point", "above", "below"),
    [
        ("|a - b|", (1, 1, 0), (1, 1, 0), (-1, -1, 0)),
        ("3*|a - b| + a", (1, 1, 0), (4, 3, 0), (-2, -3, 0)),
        ("||a| - 2|", (2, 0, 0), (1, 0, 0), (-1, 0, 0)),
        ("||a| - 2|", (-2, 0, 0), (1, 0, 0), (-1, 0, 0)),
        ("|a*b|", (0, -3, 0), (3, 0, 0), (-3, 0, 0)),
        ("|a|^2", (0, 0, 0), (0, 0, 0), (0, 0, 0)),
        ("exp(|a|)", (0, 0, 0), (1, 0, 0), (-1, 0, 0)),
    ],
)
def test_kinks_have_a_slope_on_each_side(text, point, above, below):
    store = Expressions(NAMES)
    ids, X = [parse_into(store, text)], np.array([point], dtype=float)
    assert derivatives(store, ids, X, side=1)[1][0, 0].tolist() == list(above)
    assert derivatives(store, ids, X, side=-1)[1][0, 0].tolist() == list(below)


def test_sides_agree_away_from_kinks():
    store = Expressions(NAMES)
    ids = [parse_into(store, text) for text in NESTED]
    X = np.random.default_rng(4).uniform(0.7, 3.0, (20, 3))
    assert np.array_equal(derivatives(store, ids, X)[1], derivatives(store, ids, X, side=-1)[1])


def test_a_root_is_vertical_at_its_foot_and_undefined_below():
    store = Expressions(NAMES)
    ids, X = [parse_into(store, "sqrt(a)")], np.array([[0.0, 1, 1], [-1.0, 1, 1]])
    assert derivatives(store, ids, X)[1][:, 0, 0].tolist() == [np.inf, pytest.approx(np.nan, nan_ok=True)]
    assert np.isnan(derivatives(store, ids, X, side=-1)[1][0, 0, 0])


def test_a_singular_point_has_no_slope():
    store = Expressions(NAMES)
    ids = [parse_into(store, "1/a"), parse_into(store, "log(a)"), parse_into(store, "b")]
    slopes = derivatives(store, ids, np.array([[0.0, 1.0, 1.0]]))[1][0]
    assert np.isnan(slopes[:2]).all()
    assert slopes[2].tolist() == [0, 1, 0]


def test_columns_that_do_not_occur_have_slope_zero_even_where_others_are_infinite():
    store = Expressions(NAMES)
    slopes = derivatives(store, [parse_into(store, "sqrt(a)")], np.array([[0.0, 2.0, 3.0]]))[1]
    assert slopes[0, 0, 1:].tolist() == [0.0, 0.0]


def test_constants_repeated_ids_and_no_rows():
    store = Expressions(NAMES)
    node = parse_into(store, "a*a")
    values, slopes = derivatives(store, [0, node, node], np.array([[3.0, 0, 0]]))
    assert values.tolist() == [[1.0, 9.0, 9.0]]
    assert slopes[0, :, 0].tolist() == [0.0, 6.0, 6.0]
    assert derivatives(store, [node], np.empty((0, 3)))[1].shape == (0, 1, 3)


def test_the_side_is_one_or_minus_one():
    with pytest.raises(InputError, match=r"side must be 1 or -1\. Got 0\. Leave it out"):
        derivatives(Expressions(NAMES), [1], np.ones((1, 3)), side=0)
