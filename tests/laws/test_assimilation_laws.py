"""What holds for every assimilation of experiment and simulation, whatever the data."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.utils.estimator_checks import parametrize_with_checks

from sozai.assimilation import AssimilationPrior, GaussianAssimilator, GroupOffset, Polynomial, Sine
from sozai.contracts.model_file import load_model, save_model

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
FLAT = AssimilationPrior(
    coupling_std=np.inf, base_variance=np.inf, correction_variance=np.inf, noise_log_std=np.inf
)
DOMAIN = [(0.0, 1.0)]


def curve(x):
    return 2 - x + 5 * (x - 0.7) ** 2 + 20 * (x - 0.5) ** 3


def pairs(seed, n=20, d=2, missing=0.4, noise=0.1, level=0.0):
    """Rows of d sources, some values missing; each source is the one before it plus a constant."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, n)
    Y = level + np.stack([curve(x) + 1.5 * j for j in range(d)], axis=1) + noise * rng.normal(size=(n, d))
    Y[rng.random((n, d)) < missing] = np.nan
    Y[: 2 * d] = level + np.stack([curve(x[: 2 * d])] * d, axis=1) + noise * rng.normal(size=(2 * d, d))
    return x[:, None], Y


def fitted(X, Y, sigma=None, **options):
    return GaussianAssimilator(
        options.pop("basis", Polynomial(3)), domain=options.pop("domain", DOMAIN), **options
    ).fit(X, Y, sigma)


POINTS = np.linspace(0, 1, 9)[:, None]


def answers(model):
    """Everything two equal models agree in."""
    return np.concatenate(
        [
            np.concatenate(model.predict(POINTS, source=j, return_std=True))
            for j in range(len(model.source_names_))
        ]
        + [model.coupling_.ravel(), model.coef_.ravel(), model.conditional_noise_, [model.log_evidence_]]
    )


@parametrize_with_checks(
    [GaussianAssimilator("polynomial:1"), GaussianAssimilator("legendre:2", coupling="average")]
)
def test_scikit_learn_manners(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.parametrize("coupling", ["fit", 0.7])
def test_complete_data_without_restrictions_are_least_squares(coupling):
    X, _ = pairs(0, n=40)
    rng = np.random.default_rng(1)
    Y = np.stack([curve(X[:, 0]), np.sin(5 * X[:, 0])], axis=1) + rng.normal(size=(40, 2))
    model = fitted(X, Y, restricted="none", coupling=coupling, prior=FLAT)
    powers = np.vander(X[:, 0], 4)
    wanted = np.vander(POINTS[:, 0], 4) @ np.linalg.lstsq(powers, Y, rcond=None)[0]
    found = np.stack([model.predict(POINTS, source=j) for j in range(2)], axis=1)
    np.testing.assert_allclose(found, wanted, atol=1e-10 * np.abs(wanted).max())


@given(seed=st.integers(0, 10**6), pieces=st.integers(1, 5), level=st.sampled_from([0.0, 900.0]))
@settings(max_examples=6)
def test_recursive_is_batch_in_any_order_and_any_split(seed, pieces, level):
    X, Y = pairs(seed, level=level)
    batch = fitted(X, Y)
    order = np.random.default_rng(seed).permutation(len(X))
    parts = np.array_split(order, pieces)
    models = [GaussianAssimilator(Polynomial(3), domain=DOMAIN) for _ in parts]
    for model, part in zip(models, parts, strict=True):
        for row in part:
            model.partial_fit(X[row : row + 1], Y[row : row + 1])
    merged = models[0]
    for model in models[1:]:
        merged.merge(model)
    np.testing.assert_allclose(answers(merged), answers(batch), rtol=1e-10, atol=1e-10 * (1 + level))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=4)
def test_an_empty_row_changes_nothing(seed):
    X, Y = pairs(seed)
    more = fitted(np.vstack([X, [[0.3], [7.0]]]), np.vstack([Y, np.full((2, 2), np.nan)]))
    assert (answers(more) == answers(fitted(X, Y))).all()


def test_taking_rows_back_is_never_having_told_them():
    X, Y = pairs(3, n=30)
    model = fitted(X, Y).downdate(X[20:], Y[20:])
    np.testing.assert_allclose(answers(model), answers(fitted(X[:20], Y[:20])), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("d", "missing"), [(2, 0.4), (3, 0.3)])
def test_expectation_and_maximization_finds_the_same_optimum(d, missing):
    X, Y = pairs(5, n=30, d=d, missing=missing)
    check = fitted(X, Y, restricted="degree>0").expectation_maximization(tolerance=1e-10)
    table = check.to_frame()
    np.testing.assert_allclose(table["expectation_maximization"], table["search"], atol=1e-6)
    assert check.log_likelihood[-1] == pytest.approx(check.profile_log_likelihood, abs=1e-6)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=5)
def test_the_likelihood_of_expectation_and_maximization_never_falls(seed):
    X, Y = pairs(seed, n=12)
    check = fitted(X, Y, restricted="degree>1").expectation_maximization(tolerance=1e-5)
    assert np.diff(check.log_likelihood).min() > -1e-9


@pytest.mark.parametrize("d", [2, 3, 4])
def test_the_precision_of_what_is_seen_is_the_inverse_of_its_covariance(d):
    X, Y = pairs(6, n=40, d=d, missing=0.3)
    model = fitted(X, Y, restricted="degree>0")
    whole = model.precision_yy_
    for seen in itertools.chain.from_iterable(itertools.combinations(range(d), k) for k in range(1, d)):
        o, m = list(seen), [j for j in range(d) if j not in seen]
        schur = (
            whole[np.ix_(o, o)]
            - whole[np.ix_(o, m)] @ np.linalg.inv(whole[np.ix_(m, m)]) @ whole[np.ix_(m, o)]
        )
        inverse = np.linalg.inv(model.covariance_[np.ix_(o, o)])
        np.testing.assert_allclose(schur, inverse, rtol=1e-8, atol=1e-8 * np.abs(inverse).max())


@given(seed=st.integers(0, 10**6), factor=st.sampled_from([1e-3, 250.0]))
@settings(max_examples=4)
def test_another_unit_rescales_and_leaves_the_coupling(seed, factor):
    X, Y = pairs(seed)
    one, other = fitted(X, Y), fitted(X, factor * Y)
    np.testing.assert_allclose(other.coupling_, one.coupling_, atol=1e-9)
    np.testing.assert_allclose(
        other.predict(POINTS, return_std=True),
        factor * np.array(one.predict(POINTS, return_std=True)),
        rtol=1e-8,
    )


def test_rows_told_twice_weigh_double():
    X, Y = pairs(7)
    twice = fitted(np.vstack([X, X]), np.vstack([Y, Y]))
    for key, (count, gram) in fitted(X, Y).grams_.items():
        assert twice.grams_[key][0] == 2 * count
        np.testing.assert_allclose(twice.grams_[key][1], 2 * gram, rtol=1e-10, atol=1e-10)
    # With noise known and the noise of the model small, doubling a row is halving its variance.
    prior = AssimilationPrior(noise_log_mean=float(np.log(1e-6)), noise_log_std=1e-3)
    options = {"restricted": "degree>0", "coupling": 1.0, "prior": prior}
    double = fitted(np.vstack([X, X]), np.vstack([Y, Y]), 0.5, **options)
    halved = fitted(X, Y, 0.5 / np.sqrt(2), **options)
    np.testing.assert_allclose(double.predict(POINTS), halved.predict(POINTS), atol=2e-4)


@pytest.mark.parametrize("restricted", [["x0", "x0^2"], ["1"], "degree>1"])
def test_zeros_are_exact_where_asked(restricted):
    X, Y = pairs(8, level=5.0)
    names = ["1", "x0", "x0^2", "x0^3"]
    zero = [2, 3] if restricted == "degree>1" else [names.index(name) for name in restricted]
    model = fitted(X, Y, restricted=restricted)
    # coefficients of plain powers, through the values of the correction at four points
    at = np.linspace(0, 1, 4)[:, None]
    correction = model.basis_.evaluate(at, model.domain_) @ model.correction_[1]
    plain = np.linalg.solve(np.vander(at[:, 0], 4, increasing=True), correction)
    np.testing.assert_allclose(plain[zero], 0, atol=1e-11 * np.abs(model.correction_).max())
    if restricted == "degree>1":
        assert (model.correction_[1, 2:] == 0).all()
        wanted = -model.precision_yy_[1, 1] * model.correction_[1]
        np.testing.assert_allclose(model.precision_yx_[1], wanted, rtol=1e-12)
        assert (model.precision_yx_[1, 2:] == 0).all()


def test_without_noise_pairs_give_coupling_and_constant_exactly():
    x = np.linspace(0, 1, 12)
    Y = np.stack([curve(x), 0.8 * curve(x) - 1.25], axis=1)
    prior = AssimilationPrior(
        coupling_std=1e6, correction_variance=1e12, base_variance=1e12, noise_log_std=np.inf
    )
    model = fitted(x[:, None], Y, restricted="degree>0", prior=prior)
    assert model.coupling_[1, 0] == pytest.approx(0.8, abs=1e-8)
    np.testing.assert_allclose(model.correction_[1], [-1.25, 0, 0, 0], atol=1e-7)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_evidence_is_the_gaussian_integral(d):
    """Three rows: all values together are one Gaussian vector whose covariance can be written down."""
    rng = np.random.default_rng(d)
    x, Y = rng.uniform(0, 1, 3), rng.normal(size=(3, d))
    if d > 1:
        Y[0, 0] = Y[1, d - 1] = np.nan
    sigma = np.abs(rng.normal(size=(3, d)))
    model = fitted(x[:, None], Y, sigma, basis=Polynomial(1), restricted="none")
    seen = Y[~np.isnan(Y)]
    shift, scale = seen.mean(), seen.std()
    C, tau = model.coupling_, model.conditional_noise_ / scale
    J = np.linalg.inv(np.eye(d) - C)
    columns = np.stack([np.ones(3), np.sqrt(3) * (2 * x - 1)], axis=1)
    prior = np.diag([3.0 / 2] + [1.0] * (d - 1))
    covariance = np.kron(columns @ columns.T, J @ prior @ J.T) + np.kron(np.eye(3), J @ np.diag(tau**2) @ J.T)
    covariance += np.diag((sigma / scale).ravel() ** 2)
    keep = np.flatnonzero(~np.isnan(Y.ravel()))
    values = (Y.ravel()[keep] - shift) / scale
    wanted = multivariate_normal(np.zeros(len(keep)), covariance[np.ix_(keep, keep)]).logpdf(values)
    means = np.eye(d, k=-1)
    below = np.tri(d, k=-1, dtype=bool)
    wanted += -0.5 * (((C - means)[below] / 0.3) ** 2 + np.log(2 * np.pi * 0.3**2)).sum()
    wanted += -0.5 * (((np.log(tau**2) - np.log(0.01)) / 2) ** 2 + np.log(2 * np.pi * 4)).sum()
    wanted -= np.log(2) * 2 * (d - 1)
    assert model.log_evidence_ == pytest.approx(wanted, abs=1e-8)


def test_the_analytic_gradient_is_the_slope():
    X, Y = pairs(9, n=30, d=3, missing=0.3)
    labels = np.random.default_rng(0).choice(["a", "b", "c"], 30)
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": X[:, 0], "lab": labels})
    model = fitted(frame, Y, 0.05, restricted="degree>1", offset=GroupOffset("lab"))
    fit, rng = model._solved().best.fit, np.random.default_rng(1)
    for profile in (False, True):
        fit.profile = profile
        phi = np.concatenate([rng.normal(1, 0.2, 3), rng.normal(-3, 1, 4)])
        _, gradient = fit.value_and_gradient(phi)
        steps = 1e-5 * np.eye(7)
        slope = [
            (fit.value_and_gradient(phi + h)[0] - fit.value_and_gradient(phi - h)[0]) / 2e-5 for h in steps
        ]
        last = 7 if not profile else 6  # the spread of offsets has no profile
        np.testing.assert_allclose(gradient[:last], slope[:last], rtol=1e-6, atol=1e-6)


def test_a_spread_of_zero_between_laboratories_is_the_plain_fit():
    pd = pytest.importorskip("pandas")
    X, Y = pairs(10)
    frame = pd.DataFrame({"x": X[:, 0], "lab": np.where(np.arange(20) % 2, "a", "b")})
    plain = fitted(X, Y)
    model = fitted(frame, Y, offset=GroupOffset("lab", std=0.0))
    found = model.predict(pd.DataFrame({"x": POINTS[:, 0]}), return_std=True)
    np.testing.assert_allclose(found, plain.predict(POINTS, return_std=True), rtol=1e-9)


def test_the_state_is_small_holds_no_row_and_goes_through_a_file(tmp_path):
    X, Y = pairs(11, n=2000)
    model = fitted(X, Y, basis=Sine(3))
    state = model.state()
    again = GaussianAssimilator.from_state(load_model(save_model(tmp_path / "a.sozai", "A", state), "A"))
    np.testing.assert_allclose(answers(again), answers(model), rtol=1e-12, atol=1e-12)
    arrays = [item["triangle"] for item in state["patterns"]]
    assert sum(a.size for a in arrays) <= 3 * 6**2
    kept = np.concatenate([a.ravel() for a in arrays])
    assert not np.isin(X[:, 0], kept).any()
    assert not np.isin(Y[~np.isnan(Y)], kept).any()


def test_same_seed_same_draws_and_draws_have_the_posterior_moments():
    X, Y = pairs(12)
    model = fitted(X, Y)
    draws = model.sample(POINTS, 4000, random_state=3)
    assert (draws == model.sample(POINTS, 4000, random_state=3)).all()
    mean, std = model.predict(POINTS, return_std=True)
    assert np.abs(draws.mean(axis=1) - mean).max() < 0.1 * std.max()
    np.testing.assert_allclose(draws.std(axis=1), std, rtol=0.1)
