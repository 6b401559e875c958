"""Kernels against their formulas, against scikit-learn, and against their own differences."""

import numpy as np
import pytest
from sklearn.gaussian_process import kernels as sk
from sklearn.metrics.pairwise import laplacian_kernel

from sozai.contracts.errors import InputError
from sozai.numerics.kernels import Gaussian, Laplace, Matern, squared_distances

KERNELS = [Gaussian(), Matern(0.5), Matern(1.5), Matern(2.5), Laplace(), Matern(2.5, width=0.7)]


def points(n=12, p=3, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, p))


@pytest.mark.parametrize("nu", [0.5, 1.5, 2.5])
def test_matern_is_that_of_scikit_learn(nu):
    Z, scales = points(), np.array([0.5, 1.0, 3.0])
    expected = sk.Matern(scales, nu=nu)(Z)
    np.testing.assert_allclose(Matern(nu).matrix(Z, length_scales=scales), expected, atol=1e-12)


def test_gaussian_and_laplace_are_those_of_scikit_learn():
    A, B = points(), points(7, seed=1)
    np.testing.assert_allclose(Gaussian(2.0).matrix(A, B), sk.RBF(2.0)(A, B), atol=1e-12)
    np.testing.assert_allclose(Laplace(2.0).matrix(A, B), laplacian_kernel(A, B, gamma=0.5), atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_pullback_is_the_derivative_of_the_matrix(kernel):
    Z, scales = points(), np.array([0.5, 1.0, 3.0])
    weights = np.random.default_rng(2).normal(size=(12, 12))
    weights += weights.T
    value, pullback = kernel.matrix_and_pullback(Z, scales)
    np.testing.assert_allclose(value, kernel.matrix(Z, length_scales=scales), atol=1e-12)
    step = 1e-6
    numerical = [
        np.sum(
            weights * (kernel.matrix(Z, None, scales * up) - kernel.matrix(Z, None, scales / up)) / (2 * step)
        )
        for up in np.exp(step * np.eye(3))
    ]
    np.testing.assert_allclose(pullback(weights), numerical, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_points_are_like_themselves(kernel):
    Z = points()
    np.testing.assert_array_equal(np.diag(kernel.matrix(Z)), 1.0)
    np.testing.assert_array_equal(kernel.diagonal(Z), np.ones(12))
    assert np.linalg.eigvalsh(kernel.matrix(Z)).min() > 0


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_frequencies_give_the_kernel_back(kernel):
    Z = points(6, 2)
    omega = kernel.sample_frequencies(40_000, 2, np.random.default_rng(0))
    phase = Z @ omega.T
    estimate = (np.cos(phase) @ np.cos(phase).T + np.sin(phase) @ np.sin(phase).T) / len(omega)
    np.testing.assert_allclose(estimate, kernel.matrix(Z), atol=0.02)


def test_near_points_keep_their_digits():
    Z = np.array([[0.3, 0.1], [0.3 + 1e-9, 0.1], [-0.5, 0.4]]) + 1.0
    exact = ((Z[:, None] - Z[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(Z), exact, rtol=1e-9)
    assert squared_distances(Z, Z[:1])[0, 0] == 0.0


@pytest.mark.parametrize("width", [0.0, -1.0, np.inf, np.nan])
def test_a_width_is_a_length(width):
    with pytest.raises(InputError, match=rf"Gaussian: width must be a positive number\. Got {width}"):
        Gaussian(width)


def test_orders_without_closed_form_are_refused():
    with pytest.raises(InputError, match=r"nu must be 0\.5, 1\.5 or 2\.5\. Got 2\.0"):
        Matern(2.0)
