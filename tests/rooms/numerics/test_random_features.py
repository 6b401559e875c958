import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.numerics.kernels import Gaussian, Kernel, Laplace, Matern
from sozai.numerics.pool_posterior import PoolPosterior
from sozai.numerics.random_features import FeaturePosterior, RandomFeatures

POOL = np.random.default_rng(2).random((80, 2))
LENGTHS = [0.5, 0.8]


@pytest.mark.parametrize("kernel", [Gaussian(), Matern(1.5), Matern(2.5), Laplace()], ids=repr)
def test_the_gram_matrix_tends_to_the_kernel_with_the_root_of_the_number(kernel):
    exact = 2.0 * kernel.matrix(POOL, None, LENGTHS)
    errors = []
    for n in (100, 1600):
        found = []
        for seed in range(4):
            phi = RandomFeatures(kernel, LENGTHS, 2.0, n, np.random.default_rng(seed)).matrix(POOL)
            found.append(np.sqrt(np.mean((phi @ phi.T - exact) ** 2)))
        errors.append(np.mean(found))
    assert 2.5 < errors[0] / errors[1] < 6.5  # sixteen times the features, a fourth of the error


def test_weight_space_tends_to_the_exact_posterior():
    rows = np.arange(0, 80, 3)
    y = np.sin(6 * POOL[rows]).sum(axis=1)
    basis = RandomFeatures(Gaussian(), LENGTHS, 1.0, 1500, np.random.default_rng(0))
    posterior = FeaturePosterior(POOL, basis, 0.01).condition(rows[:10], y[:10]).condition(rows[10:], y[10:])
    exact = PoolPosterior(POOL, Gaussian(), LENGTHS, noise=0.01).condition(rows, y)
    assert posterior.n_observed == len(rows)
    assert np.abs(posterior.mean - exact.mean).max() < 0.05
    np.testing.assert_allclose(np.sqrt(posterior.variance), np.sqrt(exact.variance), atol=0.05)
    draws = posterior.sample(500, np.random.default_rng(1))
    assert draws.shape == (500, 80)
    error = np.abs(draws.mean(axis=0) - posterior.mean) / np.sqrt(posterior.variance)
    assert error.max() < 5 / np.sqrt(500)


def test_its_own_kernel_is_served_exactly():
    # a process whose kernel is the inner product of the features
    basis = RandomFeatures(Matern(), LENGTHS, 1.0, 20, np.random.default_rng(3))
    rows, y = np.array([3, 9, 40]), np.array([1.0, 0.0, -1.0])
    known = np.array([0.0, 0.2, 0.0])
    phi = basis.matrix(POOL)
    K = phi @ phi.T + 100.0
    inner = K[np.ix_(rows, rows)] + np.diag(0.1 + known)
    posterior = FeaturePosterior(POOL, basis, 0.1).condition(rows, y, known)
    np.testing.assert_allclose(posterior.mean, K[:, rows] @ np.linalg.solve(inner, y), atol=1e-9)
    reduced = np.diag(K) - np.einsum("ab,ba->a", K[:, rows], np.linalg.solve(inner, K[rows]))
    np.testing.assert_allclose(posterior.variance, reduced, atol=1e-8)


def test_bad_input_is_named():
    basis = RandomFeatures(Gaussian(), LENGTHS, 1.0, 5, np.random.default_rng(0))
    assert repr(basis) == "RandomFeatures(5 frequencies, 2 columns)"
    with pytest.raises(InputError, match=r"kernel must have a spectral density"):
        RandomFeatures(Kernel(), LENGTHS, 1.0, 5, np.random.default_rng(0))
    with pytest.raises(InputError, match=r"noise must be positive. Got 0.0"):
        FeaturePosterior(POOL, basis, 0.0)
    posterior = FeaturePosterior(POOL, basis, 0.1)
    with pytest.raises(InputError, match=r"\(0 to 79\). Got 80"):
        posterior.condition(80, 1.0)
    with pytest.raises(InputError, match=r"zero or more. Got -1.0 at row 0"):
        posterior.condition(0, 1.0, -1.0)
    assert repr(posterior) == "FeaturePosterior(80 candidates, 0 data)"
