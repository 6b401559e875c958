"""A process beside a drift: against generalized least squares written out, and what it refuses."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.numerics.drift_process import DriftProcess
from sozai.numerics.gaussian_process import GaussianProcess
from sozai.numerics.kernels import Gaussian, Matern

RNG = np.random.default_rng(3)
X, R = RNG.random((90, 2)), np.column_stack([40 * RNG.random(90), RNG.random(90) - 7])
F = np.sin(5 * X[:, 0]) + X[:, 1] ** 2
Y = F + 0.05 * R[:, 0] - 1.5 * R[:, 1] + 0.02 * RNG.standard_normal(90)
NEW = RNG.random((7, 2))


def test_slopes_and_function_are_found():
    process = DriftProcess().fit(X, Y, R)
    error = np.sqrt(np.diag(process.slopes_covariance_))
    np.testing.assert_array_less(np.abs(process.slopes_ - [0.05, -1.5]), 4 * error)
    assert (error < [0.001, 0.05]).all()
    mean, std = process.predict(X, return_std=True)
    assert np.abs(mean - mean.mean() - (F - F.mean())).max() < 0.08
    assert (np.abs(mean - mean.mean() - (F - F.mean())) < 3 * std + 0.02).mean() > 0.95
    assert process.noise_ == pytest.approx(0.02**2, rel=0.6)
    np.testing.assert_allclose(process.drift_of(R.mean(axis=0)), 0.0, atol=1e-12)
    np.testing.assert_allclose(
        process.drift_of(R + np.array([1, 0])) - process.drift_of(R), process.slopes_[0]
    )


def test_it_is_universal_kriging_written_out():
    process = DriftProcess(Gaussian()).fit(X, Y, R)
    K = process.amplitude_ * Gaussian().matrix(X, None, process.length_scales_) + process.noise_ * np.eye(90)
    H = np.column_stack([np.ones(90), R - R.mean(axis=0)])
    P = np.linalg.inv(K)
    cov = np.linalg.inv(H.T @ P @ H)
    beta = cov @ H.T @ P @ Y
    cross = process.amplitude_ * Gaussian().matrix(NEW, X, process.length_scales_)
    mean = beta[0] + cross @ P @ (Y - H @ beta)
    h = np.tile([1.0, 0.0, 0.0], (7, 1)) - cross @ P @ H
    variance = process.amplitude_ - np.einsum("ab,bc,ac->a", cross, P, cross)
    variance += np.einsum("ab,bc,ac->a", h, cov, h)
    ours, std = process.predict(NEW, return_std=True)
    np.testing.assert_allclose(process.slopes_, beta[1:], rtol=2e-3)
    np.testing.assert_allclose(np.diag(process.slopes_covariance_), np.diag(cov)[1:], rtol=5e-3)
    np.testing.assert_allclose(ours, mean, atol=2e-3)
    np.testing.assert_allclose(std, np.sqrt(variance), rtol=0.02)


def test_without_drift_it_is_the_other_process():
    ours = DriftProcess().fit(X, F)
    other = GaussianProcess(groups=[0, 0], random_state=0).fit(X, F)
    np.testing.assert_allclose(ours.predict(NEW), other.predict(NEW), atol=5e-3)
    assert ours.slopes_.shape == (0,)
    assert repr(ours) == "DriftProcess(90 rows, 0 drift columns)"


def test_the_evidence_of_a_drift_has_the_right_gradient():
    evidence = DriftProcess(Matern(1.5)).fit(X, Y, R, np.full(90, 1e-3))._evidence
    theta = np.array([0.3, 0.5, -4.0])
    _, gradient = evidence(theta)
    steps = 1e-5 * np.eye(3)
    numbers = [(evidence(theta + step)[0] - evidence(theta - step)[0]) / 2e-5 for step in steps]
    np.testing.assert_allclose(gradient, numbers, rtol=1e-5)


def test_samples_have_mean_and_covariance():
    process = DriftProcess().fit(X[:30], Y[:30], R[:30])
    far = np.vstack([NEW, NEW[0] + 1e-9])
    draws = process.sample(far, 20000, np.random.default_rng(0))
    mean, std = process.predict(far, return_std=True)
    assert np.abs(draws.mean(axis=1) - mean).max() < 5 * std.max() / 141
    np.testing.assert_allclose(draws.std(axis=1), std, rtol=0.04)
    np.testing.assert_allclose(draws[0], draws[-1], atol=0.03 * std[0])


def test_many_rows_are_learned_from_a_part():
    process = DriftProcess(max_rows=40).fit(X, Y, R)
    assert len(process._evidence.y) == 40
    assert len(process._alpha) == 90
    assert process.slopes_[1] == pytest.approx(-1.5, abs=0.1)


def test_bad_input_is_named():
    with pytest.raises(
        InputError, match=r"drift must vary in every column\. Got 2\.0 in all rows of column 1"
    ):
        DriftProcess().fit(X, Y, np.column_stack([R[:, 0], np.full(90, 2.0)]))
    with pytest.raises(InputError, match=r"variances of zero or more\. Got -1\.0 at row 3"):
        DriftProcess().fit(X, Y, R, np.where(np.arange(90) == 3, -1.0, 0.0))
