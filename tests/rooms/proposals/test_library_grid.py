import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.library_grid import corner_groups, grid_compositions


def test_groups_of_components():
    assert corner_groups(["A", ["B", "C"]], "ABCD", "ABC") == {"A": ("A",), "B + C": ("B", "C")}
    assert list(corner_groups(None, "ABC", "AC")) == ["A", "C"]
    with pytest.raises(
        InputError, match=r"component that varies once\. Got \[\['A'\], \['A'\], \['B', 'C'\]\]"
    ):
        corner_groups(["A", "A", ["B", "C"]], "ABC", "ABC")


def test_grids_of_triangles():
    X = np.array([[0.6, 0.2, 0.1, 0.1], [0.1, 0.5, 0.2, 0.2], [0.0, 0.0, 0.5, 0.5]])
    points, amounts, origin = grid_compositions(X, X[1], [[0], [1], [2, 3]], 10)
    assert len(points) == 66
    assert origin.tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(points.sum(axis=1), 1.0)
    np.testing.assert_allclose(points[:, 2], points[:, 3])
    np.testing.assert_allclose(amounts[:, 2], points[:, 2] + points[:, 3])


def test_a_small_library_has_a_small_triangle():
    X = np.array([[60.0, 33.0, 7.0], [70.0, 22.0, 8.0]])
    points, _, origin = grid_compositions(X, X[0], [[0], [1], [2]], 4)
    np.testing.assert_allclose(origin, [60.0, 20.0, 5.0])
    np.testing.assert_allclose(points.max(axis=0), [75.0, 35.0, 20.0])
    np.testing.assert_allclose(points.sum(axis=1), 100.0)


def test_a_corner_that_is_empty_at_the_best_composition_has_the_ratios_of_the_library():
    X = np.array([[1.0, 0.0, 0.0], [0.2, 0.6, 0.2]])
    points, _, _ = grid_compositions(X, X[0], [[0], [1, 2]], 2)
    np.testing.assert_allclose(points[0], [0.0, 0.75, 0.25])
