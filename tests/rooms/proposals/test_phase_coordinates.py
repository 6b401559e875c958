"""Coordinates of compositions and conditions."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.phase_coordinates import PhaseCoordinates, simplex_corners, simplex_points

rng = np.random.default_rng(0)


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_corners_are_at_distance_one_from_each_other(n):
    corners = simplex_corners(n)
    distance = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    np.testing.assert_allclose(distance, 1.0 - np.eye(n), atol=1e-14)


def test_ternary_triangle_is_the_usual_one():
    c = rng.dirichlet(np.ones(3), 20)
    expected = np.column_stack([c[:, 1] + c[:, 2] / 2, np.sqrt(3) / 2 * c[:, 2]])
    np.testing.assert_allclose(simplex_points(c), expected, atol=1e-15)


def test_distances_do_not_depend_on_the_order_of_components_or_the_unit():
    c = rng.dirichlet(np.ones(4), 30)
    T = rng.uniform(300, 900, 30)
    a = PhaseCoordinates.fit(np.column_stack([c, T]), ["A", "B", "C", "D", "T"])
    order = [2, 0, 3, 1]
    X = np.column_stack([100 * c[:, order], T])
    b = PhaseCoordinates.fit(X, ["C", "A", "D", "B", "T"])
    assert (a.whole, b.whole, a.composition, a.others) == (1.0, 100.0, (0, 1, 2, 3), (4,))
    Za, Zb = a.transform(np.column_stack([c, T])), b.transform(X)
    pairs = lambda Z: np.linalg.norm(Z[:, None] - Z[None], axis=-1)  # noqa: E731
    np.testing.assert_allclose(pairs(Za), pairs(Zb), atol=1e-10)
    assert a.groups.tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose((Za[:, :3].var(axis=0).mean(), Za[:, 3].var()), 1.0)


def test_kinds_give_unit_spread_of_what_they_promise():
    X = np.column_stack([rng.dirichlet([1, 2, 5], 50), rng.uniform(300, 400, 50)])
    standard = PhaseCoordinates.fit(X, kind="standard").transform(X)
    np.testing.assert_allclose(standard, (X - X.mean(axis=0)) / X.std(axis=0))
    cartesian = PhaseCoordinates.fit(X, kind="cartesian").transform(X)
    assert cartesian.shape == (50, 3)
    np.testing.assert_allclose(cartesian.std(axis=0), 1.0)
    heavy = PhaseCoordinates.fit(X, weight=3.0).transform(X)
    np.testing.assert_allclose(heavy[:, 2].std(), 3.0)


def test_no_composition_without_a_sum():
    X = rng.uniform(size=(20, 2))
    found = PhaseCoordinates.fit(X, ["u", "v"])
    assert found.composition == ()
    assert found.groups.tolist() == [0, 1]
    assert repr(found) == "PhaseCoordinates(simplex, others u, v)"


def test_fixed_fraction_is_a_section_of_the_tetrahedron():
    c = rng.dirichlet(np.ones(3), 30) * 0.8
    X = np.column_stack([c, np.full(30, 0.2)])
    found = PhaseCoordinates.fit(X)
    assert found.composition == (0, 1, 2, 3)
    assert np.linalg.matrix_rank(found.transform(X), tol=1e-9) == 2


def test_rows_that_nearly_add_up_are_rescaled_and_reported():
    X = np.array([[0.5, 0.5], [0.3, 0.701], [1.0, 0.0]])
    with pytest.warns(UserWarning, match=r"1 compositions add up to 1 only within 0\.1 % \(first at row 1\)"):
        PhaseCoordinates.fit(X)


@pytest.mark.parametrize(
    ("X", "options", "words"),
    [
        ([[0.5, 0.5]] * 2 + [[0.1, 0.9]] * 20 + [[0.5, 0.6]], {}, r"add up to 1 .* Got 1\.1 at row 22"),
        ([[0.5, 0.5], [0.5, 0.5]], {}, "at least 2 distinct points. Got 1"),
        ([[0.5, 0.5], [1.2, -0.2]], {"composition": ["x0", "x1"]}, r"0 or more\. Got -0\.2 at row 1"),
        ([[0.5, 0.5], [1, 0]], {"composition": ["x0", "Zn"]}, "among .'x0', 'x1'.. Got 'Zn'"),
        ([[0.5, 0.5], [1, 0]], {"kind": "polar"}, "coordinates must be one of .*'polar'"),
        ([[0.5, 0.5], [1, 0]], {"weight": 0.0}, r"weight must be a positive number\. Got 0\.0"),
    ],
)
def test_bad_input(X, options, words):
    with pytest.raises(InputError, match=words):
        PhaseCoordinates.fit(X, **options)
