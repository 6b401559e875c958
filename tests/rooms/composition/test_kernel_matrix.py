import numpy as np
import pytest

from sozai.composition.kernel_grids import GridPoints, UniformGrid
from sozai.composition.kernel_landmarks import AllComponents
from sozai.composition.kernel_matrix import (
    UserKernel,
    feature_blocks,
    is_characteristic,
    joint_block,
    nearest_neighbor_length,
)
from sozai.contracts.errors import InputError
from sozai.numerics.kernels import Gaussian, Laplace


def test_every_point_has_its_own_length():
    values = np.array([[10.0], [14.0], [20.0]])
    known = np.ones((3, 1), dtype=bool)
    grid = GridPoints((0.0, 0.1, 1.0))
    (block,) = feature_blocks(values, known, ["a"], [None], Gaussian(), grid)
    z, points, gamma = np.array([0, 0.4, 1]), np.array([0, 0.1, 1]), 1 / np.array([0.1, 0.5, 0.9]) ** 2
    np.testing.assert_allclose(block.matrix, np.exp(-gamma[:, None] * (points[:, None] - z) ** 2), atol=1e-14)
    assert block.length == pytest.approx(0.5 / np.sqrt(2))
    np.testing.assert_allclose(block.physical, [10, 11, 20])
    (block,) = feature_blocks(values, known, ["a"], [None], Laplace(), grid)
    lengths = np.sqrt(0.5 / gamma)
    expected = np.exp(-np.abs(points[:, None] - z) / lengths[:, None])
    np.testing.assert_allclose(block.matrix, expected, atol=1e-14)


def test_cells_that_do_not_count_do_not_scale():
    values = np.array([[0.0], [10.0], [99.0]])
    known = np.array([[True], [True], [False]])
    (block,) = feature_blocks(values, known, ["a"], [None], Gaussian(), UniformGrid(2))
    assert (block.center[0], block.scale[0]) == (0.0, 10.0)
    np.testing.assert_array_equal(block.known, [True, True, False])


def test_joint_similarities_between_components():
    values = np.random.default_rng(0).normal(size=(7, 3)) * [1, 10, 100]
    names = list("abcdefg")
    block = joint_block(
        "g", values, np.ones((7, 3), bool), "xyz", names, Gaussian(), AllComponents(), sigma=2.0
    )
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    expected = np.exp(-((z[:, None] - z[None]) ** 2).sum(axis=2) / 8)
    np.testing.assert_allclose(block.matrix, expected, atol=1e-14)
    np.testing.assert_allclose(block.gram(Gaussian()), expected, atol=1e-14)


def test_typical_distance_to_the_nearest():
    Z = np.array([[0.0], [1.0], [3.0], [9.0]])  # nearest: 1, 1, 2, 6; squared 1, 1, 4, 36
    assert 1 / (2 * nearest_neighbor_length(Z) ** 2) == pytest.approx(1 / 2.5)
    twins = np.array([[0.0], [0.0], [0.0], [1.0], [3.0]])  # most have a twin: 1 and 4 remain
    assert 1 / (2 * nearest_neighbor_length(twins) ** 2) == pytest.approx(1 / 2.5)
    pairs = np.array([[0.0], [0.0], [5.0], [5.0]])  # everyone has a twin
    assert 1 / (2 * nearest_neighbor_length(pairs) ** 2) == pytest.approx(1 / 25)


def test_nearest_over_several_blocks():
    Z = np.arange(2500.0)[:, None] * 3
    assert nearest_neighbor_length(Z) == pytest.approx(3 / np.sqrt(2))


def test_user_kernel():
    kernel = UserKernel(lambda A, B: np.exp(-np.abs(A - B.T)), characteristic=True, width=2.0)
    np.testing.assert_allclose(kernel.matrix(np.array([[0.0], [2.0]]), None, 3.0)[0, 1], np.exp(-2 / 6))
    np.testing.assert_allclose(kernel.diagonal(np.zeros((2, 1))), 1.0)
    assert is_characteristic(kernel)
    assert not is_characteristic(UserKernel(np.dot, characteristic=False))
    with pytest.raises(InputError, match=r"shape \(1, 2\)\. Got 'shape \(1, 2\), 2 of them not finite"):
        UserKernel(lambda A, B: np.full((1, 2), np.nan), characteristic=True).matrix(
            np.ones((1, 1)), np.ones((2, 1))
        )
    with pytest.raises(InputError, match="width must be a positive number"):
        UserKernel(np.dot, characteristic=False, width=0.0)
