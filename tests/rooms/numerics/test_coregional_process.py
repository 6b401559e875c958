"""Several properties under one process: gradients, exact algebra of missing cells, landmarks."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.contracts.parallel import one_thread
from sozai.numerics.coregional_evidence import Cells, DenseEvidence, Layout
from sozai.numerics.coregional_landmarks import LandmarkEvidence, choose_landmarks
from sozai.numerics.coregional_process import CoregionalProcess
from sozai.numerics.kernels import Gaussian, Laplace, Matern


@parametrize_with_checks([CoregionalProcess(max_iter=5, random_state=0)])
@pytest.mark.filterwarnings("ignore::sozai.contracts.errors.ConvergenceWarning")
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@pytest.fixture(autouse=True)
def quiet():
    """Small matrices on one thread."""
    with one_thread():
        yield


@pytest.fixture
def cells():
    rng = np.random.default_rng(0)
    Z, Y = rng.normal(size=(23, 3)), rng.normal(size=(23, 3))
    Y[rng.random(Y.shape) < 0.3] = np.nan
    return Cells.from_table(Z, Y, rng.choice([1.0, 0.5], size=Y.shape), 0.1 * rng.random(Y.shape))


def start(layout, seed=1):
    rng = np.random.default_rng(seed)
    return layout.start(0.3, -1.5, np.eye(layout.n_properties)) + 0.1 * rng.normal(size=layout.size)


@pytest.mark.parametrize("kernel", [Gaussian(), Matern(2.5)])
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("route", ["dense", "landmarks"])
def test_gradients_are_those_of_finite_differences(cells, kernel, separate, route):
    layout = Layout(3, 3, separate)
    evidence = DenseEvidence(kernel, cells, layout)
    if route == "landmarks":
        evidence = LandmarkEvidence(kernel, cells, layout, cells.Z[:7] + 0.01)
    theta = start(layout)
    _, gradient = evidence(theta)
    steps = 1e-5 * np.eye(layout.size)
    expected = [(evidence(theta + h)[0] - evidence(theta - h)[0]) / 2e-5 for h in steps]
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-6)


def brute_force(cells, kernel, part, similar):
    """Mean, variance and leave-one-out of the complete covariance, with cells left out by hand."""
    measured = cells.measured.T.ravel()
    prior = np.kron(part.covariance, similar)
    C = prior + np.diag(cells.noise(part.noise).T.ravel())
    inverse = np.linalg.inv(C[np.ix_(measured, measured)])
    y = cells.Y.T.ravel()[measured]
    mean = prior[:, measured] @ inverse @ y
    variance = np.diag(prior) - np.einsum("ij,jk,ik->i", prior[:, measured], inverse, prior[:, measured])
    level = 0.5 * y @ inverse @ y - 0.5 * np.linalg.slogdet(inverse)[1] + 0.5 * len(y) * np.log(2 * np.pi)
    shape = cells.Y.T.shape
    return mean.reshape(shape).T, variance.reshape(shape).T, level


@pytest.mark.parametrize("kernel", [Gaussian(), Matern()])
def test_dense_posterior_is_brute_force(cells, kernel):
    layout = Layout(3, 3)
    theta = start(layout)
    part = layout.unpack(theta)
    evidence = DenseEvidence(kernel, cells, layout)
    known = evidence.posterior(theta, place="here")
    similar = kernel.matrix(cells.Z, cells.Z, part.length_scales)
    mean, variance, level = brute_force(cells, kernel, part, similar)
    np.testing.assert_allclose(known.at_cells()[0], mean, atol=1e-10)
    np.testing.assert_allclose(known.at_cells()[1], variance, atol=1e-10)
    assert evidence(theta)[0] == pytest.approx(level, abs=1e-9)


@pytest.mark.parametrize("kernel", [Gaussian(), Matern()])
def test_landmark_posterior_is_brute_force_of_its_covariance(cells, kernel):
    """Between points through the landmarks, within a point exact."""
    layout = Layout(3, 3)
    theta = start(layout)
    part = layout.unpack(theta)
    landmarks = cells.Z[:7] + 0.01
    evidence = LandmarkEvidence(kernel, cells, layout, landmarks)
    known = evidence.posterior(theta, place="here")
    cross = kernel.matrix(cells.Z, landmarks, part.length_scales)
    own = kernel.matrix(landmarks, landmarks, part.length_scales) + 1e-8 * np.eye(7)
    similar = cross @ np.linalg.solve(own, cross.T)
    np.fill_diagonal(similar, 1.0)
    mean, variance, level = brute_force(cells, kernel, part, similar)
    np.testing.assert_allclose(known.at_cells()[0], mean, atol=1e-9)
    np.testing.assert_allclose(known.at_cells()[1], variance, atol=1e-9)
    assert known.level == pytest.approx(level, abs=1e-7)


def test_left_out_cells_are_those_of_a_posterior_without_them(cells):
    layout = Layout(3, 3)
    theta = start(layout)
    part = layout.unpack(theta)
    dense = DenseEvidence(Gaussian(), cells, layout)
    everywhere = LandmarkEvidence(Gaussian(), cells, layout, cells.Z)
    routes = [dense.posterior(theta, place="here"), everywhere.posterior(theta, place="here")]
    found = [posterior.leave_one_out() for posterior in routes]
    assert np.isnan(found[0][0]).tolist() == (~cells.measured).tolist()
    for row, t in np.argwhere(cells.measured)[::7]:
        Y = np.where(cells.measured, cells.Y, np.nan)
        Y[row, t] = np.nan
        left = Cells.from_table(cells.Z, Y, cells.share, cells.known)
        mean, variance = DenseEvidence(Gaussian(), left, layout).posterior(theta, place="here").at_cells()
        new = variance[row, t] + cells.noise(part.noise)[row, t]
        for loo_mean, loo_variance in found:
            assert loo_mean[row, t] == pytest.approx(mean[row, t], abs=1e-7)
            assert loo_variance[row, t] == pytest.approx(new, abs=1e-7)


def test_all_points_as_landmarks_are_the_dense_route(cells):
    layout = Layout(3, 3)
    theta = start(layout)
    dense = DenseEvidence(Gaussian(), cells, layout)
    everywhere = LandmarkEvidence(Gaussian(), cells, layout, cells.Z)
    assert everywhere(theta)[0] == pytest.approx(dense(theta)[0], abs=1e-8)
    np.testing.assert_allclose(everywhere(theta)[1], dense(theta)[1], atol=1e-6)
    new = np.random.default_rng(2).normal(size=(4, 3))
    for a, b in zip(
        dense.posterior(theta, place="").at_points(new),
        everywhere.posterior(theta, place="").at_points(new),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_landmarks_are_distinct_and_repeatable():
    Z = np.random.default_rng(0).normal(size=(300, 2))
    found = [choose_landmarks(Gaussian(), Z, np.ones(2), 40, np.random.default_rng(3)) for _ in range(2)]
    assert len(set(found[0].tolist())) == 40
    assert found[0].tolist() == found[1].tolist()


def two_properties(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, size=(n, 2))
    first, second = np.sin(2 * X[:, 0]) + X[:, 1], np.cos(3 * X[:, 1])
    Y = np.column_stack([first, 500 + 10 * (0.9 * first + 0.2 * second)])
    return X, Y + rng.normal(size=Y.shape) * [0.05, 0.5]


def draw(seed, correlation=0.95, n=100):
    """Two properties of one smoothness, drawn from a process."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, size=(n, 2))
    squared = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    root = np.linalg.cholesky(np.exp(-0.5 * squared / 0.6**2) + 1e-8 * np.eye(n))
    first, other = root @ rng.normal(size=n), root @ rng.normal(size=n)
    second = correlation * first + np.sqrt(1 - correlation**2) * other
    return X, np.column_stack([first, 500 + 10 * second]) + rng.normal(size=(n, 2)) * [0.05, 0.5]


def test_another_property_helps_in_empty_cells():
    ratios, correlations = [], []
    for seed in range(3):
        X, Y = draw(seed)
        blank = np.random.default_rng(seed).random(len(X)) < 0.6
        table = Y.copy()
        table[blank, 0] = np.nan
        both = CoregionalProcess(Gaussian(), random_state=0).fit(X, table)
        alone = CoregionalProcess(Gaussian(), random_state=0).fit(X[~blank], Y[~blank, 0])
        error = np.sqrt(np.mean((both.complete()[blank, 0] - Y[blank, 0]) ** 2))
        ratios.append(error / np.sqrt(np.mean((alone.predict(X[blank]) - Y[blank, 0]) ** 2)))
        correlations.append(both.correlation_[0, 1])
        np.testing.assert_allclose(both.length_scales_, 0.6, rtol=0.3)
    assert max(ratios) < 0.8
    np.testing.assert_allclose(correlations, 0.95, atol=0.06)


@pytest.mark.slow
def test_landmarks_come_close_to_all_pairs():
    X, Y = two_properties(200)
    Y[::3, 0] = np.nan
    dense = CoregionalProcess(random_state=0).fit(X, Y)
    sparse = CoregionalProcess(random_state=0, dense_cells=100, n_landmarks=120).fit(X, Y)
    assert (dense.n_landmarks_, sparse.n_landmarks_) == (0, 120)
    gap = (dense.complete() - sparse.complete()) / Y[1::3].std(axis=0)
    assert np.sqrt(np.mean(gap**2)) < 0.03
    a, b = dense.predict(X[:9] + 0.1, True)[1], sparse.predict(X[:9] + 0.1, True)[1]
    np.testing.assert_allclose(a, b, rtol=0.3)


def test_replicates_and_known_noise_count():
    X = np.linspace(0, 1, 30)[:, None]
    Y = np.column_stack([np.sin(5 * X[:, 0]), np.cos(5 * X[:, 0])])
    Y += 0.2 * np.random.default_rng(0).normal(size=Y.shape)
    plain = CoregionalProcess(random_state=0).fit(X, Y)
    counted = CoregionalProcess(random_state=0).fit(X, Y, n_replicates=np.full(Y.shape, 4))
    np.testing.assert_allclose(counted.noise_, 4 * plain.noise_, rtol=0.05)
    known = CoregionalProcess(random_state=0).fit(X, Y, known_noise=np.full(Y.shape, 0.04))
    assert (known.noise_ < 0.3 * plain.noise_).all()


def test_same_seed_same_bits_and_untouched_input():
    X, Y = two_properties(40)
    Y[3, 1] = np.nan
    before = (X.copy(), Y.copy())
    first, second = (CoregionalProcess(random_state=5).fit(X, Y).complete() for _ in range(2))
    assert first.tobytes() == second.tobytes()
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])


def test_messages_name_what_is_wrong():
    X, Y = two_properties(30)
    process = CoregionalProcess()
    lonely = Y.copy()
    lonely[1:, 1] = np.nan
    with pytest.raises(InputError, match=r"two or more values of every property\. Got 1 for property 1"):
        process.fit(X, lonely)
    endless = Y.copy()
    endless[4, 1] = np.inf
    with pytest.raises(InputError, match="infinity, first at row 4, property 1"):
        process.fit(X, endless)
    with pytest.raises(InputError, match=r"one row per row of X \(30\)\. Got 29"):
        process.fit(X, Y[:29])
    with pytest.raises(InputError, match=r"n_replicates must be 1 or more\. Got 0\.0 at row 0, property 0"):
        process.fit(X, Y, n_replicates=np.zeros(Y.shape))
    with pytest.raises(InputError, match=r"known_noise must have the shape of y \(30, 2\)\. Got \(30, 1\)"):
        process.fit(X, Y, known_noise=np.zeros(30))
    with pytest.raises(InputError, match=r"False for more columns than rows/20 \(1\)\. Got 2"):
        CoregionalProcess(separate_lengths=True).fit(X, Y)
    with pytest.raises(InputError, match="kernel must be Gaussian or Matern with landmarks"):
        CoregionalProcess(Laplace(), dense_cells=0, max_iter=1).fit(X, Y)


def test_separate_lengths_find_the_column_that_counts():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(80, 2)) * [1.0, 1000.0]
    y = np.column_stack([np.sin(6 * X[:, 0]), np.cos(6 * X[:, 0])])
    process = CoregionalProcess(separate_lengths=True, random_state=0).fit(X, y)
    assert process.length_scales_[1] / 1000.0 > 3 * process.length_scales_[0]


def test_a_property_without_structure_warns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    with pytest.warns(ConvergenceWarning, match=r"upper bound \(403 typical distances\)"):
        CoregionalProcess(random_state=0).fit(X, np.ones(40) * 3.0)
