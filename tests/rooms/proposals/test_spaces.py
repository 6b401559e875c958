import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.proposals.space import LinearConstraint
from sozai.proposals.space_sampling import Polytope, round_to_sum
from sozai.proposals.spaces import Box, Categorical, Mixture, Pool, Product


def a_product():
    return Product(
        Mixture(["a", "b", "c"], step=0.05, bounds={"a": (0.1, 0.6)}),
        Box({"T": (300.0, 900.0)}, step=25.0),
        Categorical("s", ["u", "v", "w"]),
        constraints=[LinearConstraint({"b": 1.0, "c": 1.0}, high=0.7)],
    )


# --- sampling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "space",
    [Box({"x": (0, 1), "y": (-5, 5)}), Mixture(["a", "b", "c"]), Mixture(list("abcd"), bounds=(0, 0.4)),
     a_product()],
    ids=repr,
)  # fmt: skip
def test_samples_are_inside_and_the_same_for_one_seed(space):
    X = space.sample(500, np.random.default_rng(0))
    assert space.contains(X).all()
    np.testing.assert_array_equal(X, space.sample(500, np.random.default_rng(0)))
    assert np.isfinite(space.encode(X)).all()


def test_points_of_a_simplex_are_uniform():
    X = Mixture(["a", "b", "c"]).sample(8000, np.random.default_rng(0))
    np.testing.assert_allclose(X.mean(axis=0), 1 / 3, atol=0.015)
    np.testing.assert_allclose((X**2).mean(axis=0), 1 / 6, atol=0.012)  # 2/(k(k+1))


def test_points_of_a_triangle_are_uniform():
    none = np.zeros((0, 2))
    body = Polytope(np.zeros(2), np.ones(2), none, np.zeros(0), np.array([[1.0, 1.0]]), np.ones(1))
    X = body.sample(8000, np.random.default_rng(1))
    np.testing.assert_allclose(X.mean(axis=0), 1 / 3, atol=0.015)
    assert (X[:, 0] > 0.5).mean() == pytest.approx(0.25, abs=0.03)


def test_sobol_points_fill_a_box_evenly():
    X = Box({"x": (0, 2), "y": (10, 20)}).sample(1024, np.random.default_rng(0))
    counts = np.histogram2d(X[:, 0], X[:, 1], bins=8, range=[(0, 2), (10, 20)])[0]
    assert counts.min() == counts.max() == 16


# --- rounding ----------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from([0.01, 0.05, 0.1, 0.25]))
def test_rounding_keeps_the_sum_and_the_bounds(seed, k, step):
    X = np.random.default_rng(seed).dirichlet(np.ones(k), size=20)
    rounded = round_to_sum(X, step, 1.0, np.zeros(k), np.ones(k))
    np.testing.assert_allclose(rounded.sum(axis=1), 1.0, atol=1e-12)
    assert (rounded >= 0).all()
    np.testing.assert_allclose(rounded / step, np.rint(rounded / step), atol=1e-9)
    assert (np.abs(rounded - X) < step).all()
    np.testing.assert_allclose(round_to_sum(rounded, step, 1.0, np.zeros(k), np.ones(k)), rounded, atol=1e-12)


def test_rounding_within_bounds():
    low, high = np.array([0.1, 0.0, 0.0]), np.array([0.4, 0.3, 1.0])
    rounded = round_to_sum(np.array([[0.44, 0.36, 0.2]]), 0.1, 1.0, low, high)[0]
    np.testing.assert_allclose(rounded, [0.4, 0.3, 0.3])


def test_snapping_without_a_step_keeps_the_sum():
    space = Mixture(["a", "b", "c"], bounds={"a": (0.2, 0.5)})
    X = space.snap(np.array([[0.1, 0.5, 0.5], [0.9, 0.05, 0.0], [0.3, 0.3, 0.4]]))
    np.testing.assert_allclose(X.sum(axis=1), 1.0, atol=1e-12)
    assert space.contains(X).all()
    np.testing.assert_allclose(X[2], [0.3, 0.3, 0.4], atol=1e-12)


def test_snapping_a_product():
    X = a_product().snap(np.array([[0.32, 0.33, 0.35, 610.0, 2.0]]))
    np.testing.assert_allclose(X, [[0.3, 0.35, 0.35, 600.0, 2.0]], atol=1e-12)


# --- coordinates -------------------------------------------------------------------------------------


def test_coordinates_of_a_mixture_keep_distances():
    space = Mixture(["a", "b", "c", "d"])
    X = space.sample(30, np.random.default_rng(0))
    Z = space.encode(X)
    assert Z.shape == (30, 3)
    for j in range(1, 30):
        assert np.linalg.norm(Z[0] - Z[j]) == pytest.approx(np.linalg.norm(X[0] - X[j]), abs=1e-12)


def test_coordinates_are_linear_in_the_numbers():
    space = a_product()
    X = space.sample(2, np.random.default_rng(0))
    X[1, 4] = X[0, 4]
    np.testing.assert_allclose(
        space.encode(X)[1] - space.encode(X)[0], space.encoding_slope() @ (X[1] - X[0]), atol=1e-12
    )


def test_levels_with_descriptors():
    space = Categorical("s", ["u", "v", "w"], descriptors=[[0.0, 1.0], [5.0, 1.0], [10.0, 1.0]])
    Z = space.encode(space.matrix([{"s": "u"}, {"s": "v"}, {"s": "w"}]))
    np.testing.assert_allclose(Z, [[-0.5], [0.0], [0.5]])


# --- grids -------------------------------------------------------------------------------------------


def test_grids_are_counted_and_made():
    assert Mixture(["a", "b", "c"], step=0.1).n_grid() == 66
    grid = Mixture(["a", "b", "c"], step=0.1).grid()
    assert len(grid) == 66
    np.testing.assert_allclose(grid.sum(axis=1), 1.0, atol=1e-9)
    assert len(grid.drop_duplicates()) == 66
    assert Box({"x": (0, 1), "y": (0, 2)}, step=0.5).n_grid() == 15
    part = a_product().grid()
    assert ((part["b"] + part["c"]) <= 0.7 + 1e-9).all()
    assert set(part["s"]) == {"u", "v", "w"}
    assert Box({"x": (0, 1)}).n_grid() is None


def test_a_grid_too_large_is_refused_before_it_is_made():
    space = Mixture(list("abcdefgh"), step=0.01)
    rows = math.comb(107, 7)  # 100 steps among 8 components
    with pytest.raises(InputError) as error:
        space.grid()
    assert f"allow {rows:.4g} rows ({rows * 64 / 2**30:.3g} GiB). Got 1000000" in str(error.value)
    with pytest.raises(InputError, match=r"step must be given for every column"):
        Mixture(["a", "b"]).grid()


# --- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Box({"T": (900, 300)}), r"the lower first. Got \(900, 300\) for 'T'"),
        (lambda: Box({"T": (0, np.inf)}), r"two finite numbers"),
        (lambda: Box({}), r"at least one descriptor"),
        (lambda: Box({"T": (0, 1)}, step=2.0), r"at most 1. Got 2.0 for 'T'"),
        (lambda: Box({"T": (0, 1)}, step={"p": 1.0}), r"descriptors of \['T'\]. Got 'p'"),
        (lambda: Mixture(["a"]), r"at least two different names. Got \['a'\]"),
        (lambda: Mixture(["a", "b"], total=0), r"total must be positive. Got 0"),
        (lambda: Mixture(["a", "b"], bounds=(0, 0.3)), r"allow the sum 1. Got 'sums from 0 to 0.6'"),
        (lambda: Mixture(["a", "b"], bounds={"a": (0.5, 0.2)}), r"Got \(0.5, 0.2\) for 'a'"),
        (lambda: Mixture(["a", "b"], step=0.3), r"divide the total 1 .*multiples: 0 to 1.8\). Got 0.3"),
        (lambda: Mixture(["a", "b"], total=100, step=200), r"positive and at most 100. Got 200"),
        (lambda: Categorical("s", ["u", "u"]), r"all different. Got \['u', 'u'\] for 's'"),
        (lambda: Categorical("s", ["u", "v"], descriptors=[[1.0]]), r"one row for each of 2 levels. Got"),
        (lambda: LinearConstraint({}, high=1), r"finite numbers by name"),
        (lambda: LinearConstraint({"a": 1.0}, 2.0, 1.0), r"lie below high \(1.0\), .* Got 2.0"),
        (lambda: Product(Box({"x": (0, 1)}), Box({"x": (0, 1)})), r"be different in all spaces"),
        (lambda: Product(), r"be Box, Mixture, Categorical or Product objects"),
        (
            lambda: Product(Box({"x": (0, 1)}), constraints=[LinearConstraint({"x": 1.0}, low=2.0)]),
            r"leave at least one point",
        ),
        (
            lambda: Product(Box({"x": (0, 1)}), constraints=[LinearConstraint({"q": 1.0}, low=2.0)]),
            r"descriptors of \['x'\]. Got 'q'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_construction(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_points_are_checked():
    space = a_product()
    good = {"a": 0.3, "b": 0.3, "c": 0.4, "T": 500, "s": "v"}
    assert space.matrix([good]).tolist() == [[0.3, 0.3, 0.4, 500.0, 1.0]]
    assert space.values(space.matrix(good)[0]) == good
    assert (
        space.matrix(pd.DataFrame([good])[["s", "T", "a", "b", "c"]]).tolist() == space.matrix(good).tolist()
    )
    with pytest.raises(InputError, match=r"one of 'u', 'v', 'w'. Got 'x' at row 1"):
        space.matrix([good, good | {"s": "x"}])
    with pytest.raises(InputError, match=r"a \+ b \+ c must be 1. Got 1.1 at row 0"):
        space.matrix([good | {"a": 0.4}])
    with pytest.raises(InputError, match=r"T must be a finite number. Got nan at row 0"):
        space.matrix([good | {"T": np.nan}])
    with pytest.raises(InputError, match=r"Add T"):
        space.matrix([{k: v for k, v in good.items() if k != "T"}])
    with pytest.raises(InputError, match=r"have 3 values each \(a, b, c\). Got 2"):
        Mixture(["a", "b", "c"]).matrix([[0.5, 0.5]])
    with pytest.warns(UserWarning, match=r"missed 1 by up to 0.1 % in 1 rows"):
        fixed = Mixture(["a", "b", "c"]).matrix([[0.5, 0.3, 0.201]])
    assert fixed.sum() == pytest.approx(1.0, abs=1e-12)


def test_how_they_look():
    assert repr(Mixture(["a", "b"], 100, step=5)) == "Mixture(a, b, total 100, step 5)"
    assert repr(Pool(np.zeros((3, 1)))) == "Pool(3 candidates)"
    assert repr(a_product()).endswith("Categorical(s: u, v, w), 1 constraints)")
    assert repr(Box({"x": (0, 1)}).polytope) == "Polytope(1 dimensions, 0 sums, radius 0.5)"
