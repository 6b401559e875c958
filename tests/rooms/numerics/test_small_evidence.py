import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sozai.numerics.kernels import Gaussian, Laplace, Matern
from sozai.numerics.process_evidence import Evidence, maximize_evidence
from sozai.numerics.small_evidence import bent_moments, small_evidence
from sozai.numerics.warped_evidence import bend

KERNELS = [Matern(0.5), Matern(1.5), Matern(2.5, width=1.7), Gaussian()]


def a_table(n, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.random((n, 3)) - 0.5
    y = np.sin(6 * Z[:, 0]) + Z[:, 1] + 0.1 * rng.standard_normal(n)
    return Z, (y - y.mean()) / y.std(), rng.uniform(0, 0.1, n), rng.uniform(0.2, 1, n)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("n", [1, 2, 7, 41])
def test_it_is_the_density_of_a_normal_vector(kernel, n):
    Z, y, known, shares = a_table(max(n, 2))
    Z, y, known, shares = Z[:n], y[:n], known[:n], shares[:n]
    evidence = Evidence(kernel, Z, y, known_noise=known, noise_shares=shares)
    theta = np.array([-0.3, 0.4, 0.1, 0.5, -2.0])
    K = np.exp(0.5) * kernel.matrix(Z, None, np.exp(theta[:3])) + 100.0
    K += np.diag(np.exp(-2.0) * shares + known)
    expected = -multivariate_normal.logpdf(y, np.zeros(n), K)
    value, gradient, alpha = evidence.likelihood_and_weights(theta, y)
    assert value == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(alpha, np.linalg.solve(K, y), rtol=1e-6, atol=1e-8)
    steps = 1e-5 * np.eye(5)
    slopes = [
        (evidence.likelihood(theta + step)[0] - evidence.likelihood(theta - step)[0]) / 2e-5 for step in steps
    ]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-5)


def test_long_tables_and_other_kernels_take_the_other_way_to_the_same_number():
    Z, y, _, _ = a_table(220)
    theta = np.array([-0.3, 0.4, 0.1, 0.5, -2.0])
    for kernel in (Matern(), Laplace()):
        K = np.exp(0.5) * kernel.matrix(Z, None, np.exp(theta[:3])) + 100.0 + np.exp(-2.0) * np.eye(220)
        expected = -multivariate_normal.logpdf(y, np.zeros(220), K)
        assert Evidence(kernel, Z, y).likelihood(theta)[0] == pytest.approx(expected, rel=1e-8)


def test_columns_of_a_group_share_their_gradient():
    Z, y, _, _ = a_table(12)
    apart = Evidence(Matern(), Z, y).likelihood(np.array([0.2, 0.2, 0.2, 0.5, -2.0]))
    together = Evidence(Matern(), Z, y, groups=np.zeros(3, dtype=int)).likelihood(np.array([0.2, 0.5, -2.0]))
    assert together[0] == pytest.approx(apart[0])
    assert together[1][0] == pytest.approx(apart[1][:3].sum())
    fixed = Evidence(Matern(), Z, y, fixed_noise=np.exp(-2.0)).likelihood(np.array([0.2, 0.2, 0.2, 0.5]))
    assert fixed[0] == pytest.approx(apart[0])
    np.testing.assert_allclose(fixed[1], apart[1][:4])


def test_repeated_rows_without_noise_fall_back_to_jitter():
    Z = np.zeros((6, 1))
    y = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    one, alpha, gradient = np.ones(1), np.empty(6), np.empty(3)
    nothing = np.zeros(6)
    assert np.isnan(
        small_evidence(5, np.zeros((1, 6)), one, 1.0, 0.0, 0.0, nothing, nothing, y, alpha, gradient)
    )
    evidence = Evidence(Matern(), Z, y, fixed_noise=1e-14)
    value, slopes = evidence(np.zeros(2))
    assert np.isfinite(value)
    assert np.isfinite(slopes).all()


def test_not_a_number_stays_one():
    Z, y, _, _ = a_table(5)
    y = y.copy()
    y[2] = np.nan
    assert np.isnan(Evidence(Matern(), Z, y).likelihood(np.zeros(5))[0])


def test_the_same_numbers_twice():
    Z, y, _, _ = a_table(30)
    found = [
        maximize_evidence(e, e.starts(1, np.random.default_rng(0)))[0]
        for e in (Evidence(Matern(), Z, y), Evidence(Matern(), Z.copy(order="F"), y.copy()))
    ]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 1e-9, 5e-4, 0.7, 1.0, 1.9999, 2.0, 3.0])
def test_moments_of_a_bent_target(exponent):
    y = np.random.default_rng(2).standard_normal(9)
    w, slopes = np.empty(9), np.empty(9)
    spread, stretch = bent_moments(y, exponent, w, slopes)
    expected = bend(y, exponent)
    assert spread == pytest.approx(expected.std(), rel=1e-12)
    np.testing.assert_allclose(w, (expected - expected.mean()) / expected.std(), atol=1e-12)
    high, low = bend(y, exponent + 1e-5), bend(y, exponent - 1e-5)
    change = (high - low) / 2e-5
    np.testing.assert_allclose(slopes, (change - change.mean()) / spread, atol=1e-6)
    assert stretch == pytest.approx((np.log(high.std()) - np.log(low.std())) / 2e-5, abs=1e-6)
