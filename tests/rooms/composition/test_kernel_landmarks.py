import numpy as np
import pytest

from sozai.composition import kernel_landmarks
from sozai.composition.kernel_landmarks import (
    AllComponents,
    KMeansLandmarks,
    PivotedCholeskyLandmarks,
    RandomFourierFeatures,
    as_landmarks,
)
from sozai.composition.kernel_matrix import UserKernel
from sozai.contracts.errors import InputError
from sozai.numerics.kernels import Gaussian, Laplace, Matern

Z = np.random.default_rng(1).normal(size=(30, 3))
NAMES = [f"c{k}" for k in range(30)]


def gaussian(A, B, length):
    return np.exp(-((A[:, None] - B[None]) ** 2).sum(axis=2) / (2 * length**2))


def test_all_components():
    reading = AllComponents().read(Z, Gaussian(), 1.5, NAMES)
    np.testing.assert_allclose(reading.matrix, gaussian(Z, Z, 1.5), atol=1e-14)
    assert reading.labels == tuple(NAMES)


def test_too_many_components(monkeypatch):
    monkeypatch.setattr(kernel_landmarks, "_MOST_COMPONENTS", 29)
    with pytest.raises(InputError, match=r"at most 29 components\. Got 30\. Pass landmarks=KMeansLandmarks"):
        AllComponents().read(Z, Gaussian(), 1.0, NAMES)


def test_centers_of_clusters():
    reading = KMeansLandmarks(4, random_state=3).read(Z, Gaussian(), 1.0, NAMES)
    np.testing.assert_allclose(reading.matrix, gaussian(reading.points, Z, 1.0), atol=1e-14)
    again = KMeansLandmarks(4, random_state=3).read(Z, Gaussian(), 1.0, NAMES)
    np.testing.assert_array_equal(reading.matrix, again.matrix)
    with pytest.raises(InputError, match=r"distinct components \(2\)\. Got 3"):
        KMeansLandmarks(3).read(np.repeat(np.eye(2), 4, axis=0), Gaussian(), 1.0, NAMES[:8])


def test_picked_components_describe_the_rest():
    reading = PivotedCholeskyLandmarks(tolerance=1e-4).read(Z, Gaussian(), 3.0, NAMES)
    assert 5 < len(reading.labels) < 30
    K, rows = gaussian(Z, Z, 3.0), reading.matrix
    picked = [NAMES.index(name) for name in reading.labels]
    np.testing.assert_allclose(rows, K[picked], atol=1e-14)
    rest = K - rows.T @ np.linalg.solve(K[np.ix_(picked, picked)], rows)
    assert 0 <= np.trace(rest) <= 1e-4 * np.trace(K)
    assert len(PivotedCholeskyLandmarks(m=3).read(Z, Gaussian(), 1.0, NAMES).labels) == 3


def test_a_kernel_of_the_user_can_be_picked_from():
    kernel = UserKernel(lambda A, B: A @ B.T, characteristic=False)
    assert len(PivotedCholeskyLandmarks(tolerance=1e-10).read(Z, kernel, 2.0, NAMES).labels) == 3


@pytest.mark.parametrize("kernel", [Gaussian(1.3), Matern(1.5), Matern(2.5), Laplace(2.0)])
def test_products_of_random_waves_are_similarities(kernel):
    H = RandomFourierFeatures(40_000).read(Z[:8], kernel, 2.0, NAMES[:8]).matrix
    np.testing.assert_allclose(H.T @ H, kernel.matrix(Z[:8], None, 2.0), atol=0.03)
    np.testing.assert_allclose(np.diag(H.T @ H), 1.0, atol=1e-12)


def test_random_waves_need_a_spectrum():
    kernel = UserKernel(lambda A, B: A @ B.T, characteristic=False)
    with pytest.raises(InputError, match=r"be Gaussian, Laplace or Matern\. Got 'UserKernel'"):
        RandomFourierFeatures(4).read(Z, kernel, 1.0, NAMES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KMeansLandmarks(0), r"m must be a whole number, 1 or more\. Got 0"),
        (lambda: PivotedCholeskyLandmarks(m=2.5), r"1 or more\. Got 2\.5"),
        (lambda: PivotedCholeskyLandmarks(tolerance=1.0), r"share from 0 up to 1\. Got 1\.0"),
        (lambda: RandomFourierFeatures(7), r"be even\. Got 7\. Take 8 columns"),
        (lambda: as_landmarks(5, place="x"), r"x: landmarks must be AllComponents.*Got 5"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
