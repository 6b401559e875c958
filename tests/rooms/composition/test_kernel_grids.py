import numpy as np
import pytest

from sozai.composition.kernel_grids import (
    Grid,
    GridPoints,
    QuantileGrid,
    ScaledFeature,
    UniformGrid,
    as_grid,
    local_lengths,
)
from sozai.contracts.errors import InputError


def feature(values, weights=None):
    return ScaledFeature("radius", np.array(values, dtype=float), low=50.0, span=200.0, weights=weights)


def test_uniform_points_and_the_published_width():
    grid = UniformGrid(10)
    points = grid.points(feature([0, 1]))
    np.testing.assert_allclose(points, np.arange(10) / 9, atol=1e-16)
    np.testing.assert_allclose(1 / (2 * grid.lengths(points) ** 2), 81.0, rtol=1e-14)
    np.testing.assert_array_equal(UniformGrid(1).points(feature([0, 1])), [0.5])
    assert np.isnan(UniformGrid(1).lengths(np.array([0.5]))).all()


def test_local_lengths_are_mean_distances_to_the_neighbors():
    lengths = local_lengths(np.array([0.0, 0.1, 0.5, 1.0]))
    np.testing.assert_allclose(lengths * np.sqrt(2), [0.1, 0.25, 0.45, 0.5])
    np.testing.assert_allclose(local_lengths(np.linspace(0, 1, 7)), UniformGrid(7).lengths(np.zeros(7)))


def test_quantiles():
    np.testing.assert_allclose(QuantileGrid(3).points(feature([0, 0.2, 0.3, 0.9, 1])), [0, 0.3, 1])
    np.testing.assert_allclose(QuantileGrid(5).points(feature([0, 0, 0, 0, 0, 0, 0, 1])), [0, 1])
    np.testing.assert_allclose(QuantileGrid(1).points(feature([0, 0.4, 1])), [0.4])
    np.testing.assert_allclose(QuantileGrid(3).points(feature([0, np.nan, 1])), [0, 0.5, 1])


def test_quantiles_of_samples_are_values_that_occur():
    weights = np.array([0.0, 0.1, 0.8, 0.1])
    points = QuantileGrid(5, of="samples").points(feature([0, 0.2, 0.3, 1], weights))
    np.testing.assert_allclose(points, [0.2, 0.3, 1.0])
    with pytest.raises(InputError, match=r"must be told the compositions\. Got none in fit"):
        QuantileGrid(5, of="samples").points(feature([0, 1]))


def test_own_points_scaled_and_physical():
    np.testing.assert_allclose(GridPoints((1.0, 0.2, 0.2)).points(feature([0, 1])), [0.2, 1.0])
    np.testing.assert_allclose(GridPoints({"radius": (50.0, 100.0)}).points(feature([0, 1])), [0.0, 0.25])
    with pytest.raises(InputError, match=r"the feature 'radius'\. Got 'mass, charge'"):
        GridPoints({"mass": (1.0,), "charge": (0.0,)}).points(feature([0, 1]))
    with pytest.raises(InputError, match="list of finite numbers for the feature 'radius'"):
        GridPoints((0.0, np.nan)).points(feature([0, 1]))


@pytest.mark.parametrize("d", [0, -3, 2.5, True, "10"])
def test_what_is_no_number_of_points(d):
    with pytest.raises(InputError, match=f"1 or more. Got {d!r}"):
        UniformGrid(d)
    with pytest.raises(InputError, match=f"1 or more. Got {d!r}"):
        QuantileGrid(d)


def test_words_and_kinds():
    with pytest.raises(InputError, match=r"'components' or 'samples'\. Got 'rows'"):
        QuantileGrid(5, of="rows")
    assert as_grid(np.int64(4), place="x") == UniformGrid(4)
    assert as_grid(QuantileGrid(4), place="x") == QuantileGrid(4)
    with pytest.raises(InputError, match=r"x: grid must be.*Got 2\.5"):
        as_grid(2.5, place="x")
    with pytest.raises(NotImplementedError):
        Grid().points(None)
