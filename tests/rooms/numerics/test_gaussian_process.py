"""The process against scikit-learn, explicit deletion, differences, and its own laws."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process import kernels as sk

from sozai.contracts.errors import ConvergenceWarning, InputError, NotInvertibleError
from sozai.numerics.gaussian_process import GaussianProcess
from sozai.numerics.kernels import Gaussian, Laplace, Matern
from sozai.numerics.process_evidence import Evidence, ProcessPriors, factorize, maximize_evidence

FLAT = ProcessPriors((0.0, 1e3), (0.0, 1e3), (0.0, 1e3), (0.0, 1e3))


def curved(n=40, p=3, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, p))
    return X, np.sin(5 * X[:, 0]) + X[:, 1] ** 2 + noise * rng.normal(size=n)


@pytest.mark.parametrize("kernel", [Gaussian(), Matern(0.5), Matern(1.5), Matern(2.5), Laplace()], ids=repr)
@pytest.mark.parametrize("linear", [False, True])
def test_gradient_is_the_difference_quotient(kernel, linear):
    rng = np.random.default_rng(3)
    Z, y = rng.uniform(-0.5, 0.5, (25, 3)), rng.normal(size=25)
    evidence = Evidence(kernel, Z, y, linear=linear, known_noise=np.full(25, 0.02))
    theta = evidence.starts(0, rng)[0] + 0.3 * rng.normal(size=len(evidence.prior_mean))
    gradient = evidence(theta)[1]
    step = 1e-5
    numerical = [
        (evidence(theta + step * e)[0] - evidence(theta - step * e)[0]) / (2 * step)
        for e in np.eye(len(theta))
    ]
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())


def as_sklearn(process, X):
    """scikit-learn's process with the same parameters, on the same standardized numbers."""
    p, theta = X.shape[1], process.theta_
    kernel = (
        sk.ConstantKernel(np.exp(theta[p])) * sk.Matern(np.exp(theta[:p]), nu=2.5)
        + sk.ConstantKernel(100.0)
        + sk.WhiteKernel(np.exp(theta[-1]))
    )
    Z = (X - X.min(axis=0)) / np.ptp(X, axis=0) - 0.5
    return GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0), Z


def test_same_parameters_same_answers_as_scikit_learn():
    X, y = curved()
    process = GaussianProcess(random_state=0).fit(X, y)
    other, Z = as_sklearn(process, X)
    other.fit(Z, (y - y.mean()) / y.std())
    new = np.random.default_rng(1).uniform(size=(30, 3))
    scaled = (new - X.min(axis=0)) / np.ptp(X, axis=0) - 0.5
    mean, std = other.predict(scaled, return_std=True)
    ours, own = process.predict(new, return_std=True, observation=True)
    np.testing.assert_allclose(ours, y.mean() + y.std() * mean, rtol=1e-8)
    np.testing.assert_allclose(own, y.std() * std, rtol=1e-7)
    assert process.log_marginal_likelihood() == pytest.approx(other.log_marginal_likelihood_value_, abs=1e-8)


@pytest.mark.filterwarnings("ignore:The optimal value found")
@pytest.mark.parametrize("seed", range(3))
def test_marginal_likelihood_is_no_worse_than_scikit_learns(seed):
    X, y = curved(50, 3, seed=seed)
    ours = GaussianProcess(priors=FLAT, random_state=0).fit(X, y)
    bounds = (np.exp(-5), np.exp(5))
    kernel = (
        sk.ConstantKernel(1.0, (1e-5, 1e3)) * sk.Matern(np.ones(3), bounds, nu=2.5)
        + sk.ConstantKernel(100.0, "fixed")
        + sk.WhiteKernel(0.01, (1e-8, 3.0))
    )
    _, Z = as_sklearn(ours, X)
    theirs = GaussianProcessRegressor(kernel, alpha=0.0, n_restarts_optimizer=2, random_state=0)
    theirs.fit(Z, (y - y.mean()) / y.std())
    assert ours.log_marginal_likelihood() >= theirs.log_marginal_likelihood_value_ - 1e-3


def test_leave_one_out_is_explicit_deletion():
    X, y = curved(20)
    process = GaussianProcess(random_state=0).fit(X, y)
    part, Z = process._parameters, process._Z
    K = part.covariance(process.kernel_, Z)
    left = process.leave_one_out_
    for i in (0, 7, 19):
        rest = np.delete(np.arange(20), i)
        weights = np.linalg.solve(K[np.ix_(rest, rest)] + part.noise * np.eye(19), K[rest, i])
        mean = weights @ process._y[rest]
        latent = K[i, i] - weights @ K[rest, i]
        assert left.mean[i] == pytest.approx(y.mean() + y.std() * mean, rel=1e-8)
        assert left.latent_std[i] == pytest.approx(y.std() * np.sqrt(latent), rel=1e-6)
        assert left.std[i] == pytest.approx(y.std() * np.sqrt(latent + part.noise), rel=1e-8)


def conditioned(X, y, known, like):
    """Posterior of other rows at the parameters and on the scale of a fitted process, its noise replaced."""
    process = GaussianProcess(noise=0.0).fit(X, y)
    for name in ("_shift", "_scale", "_middle", "_span"):
        setattr(process, name, getattr(like, name))
    process._Z, process._y = process._cube(X), (y - process._shift) / process._scale
    process._known, process.theta_ = known / process._scale**2, like.theta_
    process._condition(process._evidence(np.arange(len(y))))
    return process


def test_a_repeated_row_is_a_row_with_half_the_noise():
    X, y = curved(15)
    like = GaussianProcess(noise=0.0, random_state=0).fit(X, y)
    twice = conditioned(X[np.r_[0:15, 3]], y[np.r_[0:15, 3]], np.full(16, 0.05), like)
    halved = conditioned(X, y, np.where(np.arange(15) == 3, 0.025, 0.05), like)
    new = np.random.default_rng(1).uniform(size=(9, 3))
    for a, b in zip(twice.predict(new, True), halved.predict(new, True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)


def test_units_of_columns_and_target_do_not_matter():
    X, y = curved(30)
    new = np.random.default_rng(1).uniform(size=(9, 3))
    plain = GaussianProcess(random_state=0).fit(X, y)
    other = GaussianProcess(random_state=0).fit(X * [1e3, 1e-4, 7.0] + 5.0, 40.0 - 1e5 * y)
    mean, std = plain.predict(new, return_std=True)
    mean2, std2 = other.predict(new * [1e3, 1e-4, 7.0] + 5.0, return_std=True)
    np.testing.assert_allclose(mean2, 40.0 - 1e5 * mean, rtol=1e-5)
    np.testing.assert_allclose(std2, 1e5 * std, rtol=1e-4)
    np.testing.assert_allclose(other.length_scales_, plain.length_scales_ * [1e3, 1e-4, 7.0], rtol=1e-3)
    assert other.noise_ == pytest.approx(1e10 * plain.noise_, rel=1e-3)


def test_a_column_without_influence_gets_a_long_scale():
    X, y = curved(80, 4, noise=0.02)
    process = GaussianProcess(random_state=0).fit(X, y)
    assert process.length_scales_[2:].min() > 5 * process.length_scales_[:2].max()


def test_linear_mean_follows_a_line_outside_the_data():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(30, 2))
    y = 3 * X[:, 0] - X[:, 1] + 0.01 * rng.normal(size=30)
    far = np.array([[3.0, 0.5]])
    assert GaussianProcess(mean="linear", random_state=0).fit(X, y).predict(far)[0] == pytest.approx(
        8.5, abs=0.2
    )


def test_noise_alone_is_called_noise():
    rng = np.random.default_rng(0)
    X, y = rng.uniform(size=(60, 3)), rng.normal(size=60)
    process = GaussianProcess(random_state=0).fit(X, y)
    assert process.noise_ > 0.6 * y.var()
    assert np.abs(process.predict(X) - y.mean()).max() < 0.8


def test_samples_have_the_posterior_mean_and_spread():
    X, y = curved(15)
    process = GaussianProcess(random_state=0).fit(X, y)
    new = np.random.default_rng(1).uniform(size=(4, 3))
    draws = process.sample_y(new, 20_000, random_state=0)
    mean, std = process.predict(new, return_std=True)
    np.testing.assert_allclose(draws.mean(axis=1), mean, atol=4 * std.max() / 140)
    np.testing.assert_allclose(draws.std(axis=1), std, rtol=0.03)


@pytest.mark.slow
def test_many_rows_learn_on_some_and_use_all():
    X, y = curved(900, 2, noise=0.05)
    process = GaussianProcess(max_rows=300, random_state=0).fit(X, y)
    assert process.factor_.shape == (900, 900)
    assert process.noise_ == pytest.approx(0.0025, rel=0.3)
    new = np.random.default_rng(1).uniform(size=(200, 2))
    truth = np.sin(5 * new[:, 0]) + new[:, 1] ** 2
    assert np.sqrt(np.mean((process.predict(new) - truth) ** 2)) < 0.02


def test_same_seed_same_bits():
    X, y = curved()
    first, second = (GaussianProcess(random_state=4).fit(X, y).predict(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_constant_target_and_constant_column_are_harmless():
    X = curved(12)[0]
    X[:, 2] = 7.0
    mean, std = GaussianProcess(random_state=0).fit(X, np.full(12, 5.0)).predict(X, return_std=True)
    np.testing.assert_allclose(mean, 5.0)
    assert np.isfinite(std).all()


def test_status_names_what_ended_at_a_bound():
    X = np.linspace(0, 1, 25)[:, None]
    process = GaussianProcess(Gaussian(), random_state=0).fit(X, np.sin(6 * X[:, 0]))
    assert any("noise is at its lower bound" in text for text in process.hyper_status_)
    wide = GaussianProcess(priors=FLAT, random_state=0)
    wide.fit(np.column_stack([X, np.random.default_rng(0).uniform(size=25)]), np.sin(6 * X[:, 0]))
    assert any("column 'x1' looks irrelevant" in text for text in wide.hyper_status_)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (-np.ones(12), r"known_noise must be variances of zero or more\. Got -1\.0 at row 0"),
        (np.full(12, np.nan), "known_noise must be finite.*first at row 0"),
        (np.ones(3), r"known_noise must have one value per row of X \(12\)\. Got 3"),
    ],
)
def test_known_noise_is_checked(known, said):
    X, y = curved(12)
    with pytest.raises(InputError, match=said):
        GaussianProcess().fit(X, y, known_noise=known)


def test_nan_is_named():
    X, y = curved(12)
    X[4, 1] = np.nan
    with pytest.raises(InputError, match="first at row 4, column 'x1'"):
        GaussianProcess().fit(X, y)


def test_ladder_of_jitter():
    factor, jitter = factorize(np.diag([4.0, 1.0]))
    np.testing.assert_allclose(factor, np.diag([2.0, 1.0]))
    assert jitter == 0.0
    singular = np.ones((5, 5)) - 3e-7 * np.eye(5)
    with pytest.warns(ConvergenceWarning, match=r"here: the covariance is singular.* 1e-06 of its diagonal"):
        factorize(singular, warn=True, place="here")
    with pytest.raises(NotInvertibleError, match=r"even with 0\.0001 of its diagonal"):
        factorize(-np.eye(3))


def test_optimum_is_no_worse_than_any_start():
    X, y = curved(30)
    evidence = Evidence(Matern(), X - 0.5, (y - y.mean()) / y.std())
    starts = evidence.starts(3, np.random.default_rng(0))
    theta, value, n_iterations = maximize_evidence(evidence, starts)
    assert value <= min(evidence(np.clip(start, *evidence.bounds.T))[0] for start in starts)
    assert value == pytest.approx(evidence(theta)[0])
    assert n_iterations > 3


def test_columns_of_one_group_share_a_length_and_keep_their_distances():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 4)) * [1.0, 0.2, 0.05, 1.0]
    y = np.sin(2 * X[:, 0]) + X[:, 3] + 0.05 * rng.normal(size=30)
    process = GaussianProcess(groups=[0, 0, 0, 1], random_state=0).fit(X, y)
    assert len(process.theta_) == 4  # two lengths, amplitude, noise
    assert np.ptp(process.length_scales_[:3]) == pytest.approx(0, abs=1e-12)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turned = np.column_stack([X[:, :3] @ turn, X[:, 3]])
    again = GaussianProcess(groups=[0, 0, 0, 1], random_state=0).fit(turned, y)
    assert again.predict(turned) == pytest.approx(process.predict(X), rel=1e-5, abs=1e-6)


def test_the_gradient_of_shared_lengths_is_that_of_differences():
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(15, 5)), rng.normal(size=15)
    for mean in ("constant", "linear"):
        process = GaussianProcess(groups=[0, 1, 0, 1, 2], mean=mean, random_state=0).fit(X, y)
        theta = process.theta_ + 0.3
        _, gradient = process.log_marginal_likelihood(theta, eval_gradient=True)
        for k in range(len(theta)):
            up, down = theta.copy(), theta.copy()
            up[k] += 1e-5
            down[k] -= 1e-5
            change = process.log_marginal_likelihood(up) - process.log_marginal_likelihood(down)
            assert gradient[k] == pytest.approx(change / 2e-5, rel=1e-5, abs=1e-6)


def test_groups_of_one_column_each_change_nothing():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    plain = GaussianProcess(random_state=0).fit(X, y)
    grouped = GaussianProcess(groups=[0, 1, 2], random_state=0).fit(X, y)
    assert (plain.predict(X) == grouped.predict(X)).all()


def test_groups_that_do_not_number_the_columns_are_refused():
    X, y = np.eye(4), np.arange(4.0)
    for groups in ([0, 0, 2, 2], [0, 1], [0.0, 0.0, 1.0, 1.0]):
        with pytest.raises(InputError, match="groups must number the groups of 4 columns"):
            GaussianProcess(groups=groups).fit(X, y)
