import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.numerics.process_evidence import maximize_evidence
from sozai.proposals import surrogate
from sozai.proposals.surrogate import Scale, Surrogate

RNG = np.random.default_rng(0)
Z = RNG.random((30, 2)) - 0.5
Y = np.exp(3 * np.sin(3 * Z).sum(axis=1))


@pytest.mark.parametrize("transform", ["standardize", "yeo-johnson", "log"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_scales_go_there_and_back(transform, sign):
    fitted = Surrogate(transform=transform).fit(Z, Y, sign=sign)
    np.testing.assert_allclose(fitted.scale.value(fitted.target), Y, rtol=1e-9)
    assert abs(fitted.target.mean()) < 1e-9
    assert fitted.target.std() == pytest.approx(1.0)
    assert (np.sign(np.diff(fitted.target[np.argsort(Y)])) == sign).all()


def test_moments_in_the_users_unit_are_those_of_draws():
    scale = Scale(-1.0, 300.0, 20.0, 1.8, 0.1, 1.3)
    mean, std = scale.to_user(np.array([0.4]), np.array([0.6]))
    draws = scale.value(0.4 + 0.6 * RNG.standard_normal(200000))
    assert mean[0] == pytest.approx(draws.mean(), abs=5 * draws.std() / 447)
    assert std[0] == pytest.approx(draws.std(), rel=0.02)


def test_a_scale_that_ends_gives_the_median_and_the_central_range():
    scale = Scale(-1.0, 1.0608, 0.10473, 2.3985, 0.33274, 0.6947)
    mean, std = scale.to_user(np.array([1.2990]), np.array([0.69836]))
    draws = scale.value(1.2990 + 0.69836 * RNG.standard_normal(200000))
    low, middle, high = np.quantile(draws, [0.15866, 0.5, 0.84134])
    assert mean[0] == pytest.approx(middle, rel=1e-3)
    assert std[0] == pytest.approx((high - low) / 2, rel=0.02)


def test_known_noise_keeps_the_scale_straight_unless_it_is_asked_for():
    known = np.full(30, 0.01)
    assert Surrogate().fit(Z, Y).scale.exponent != 1.0
    assert Surrogate().fit(Z, Y, known_noise=known).scale.is_straight
    assert Surrogate().fit(Z, Y, bend_allowed=False).scale.is_straight
    bent = Surrogate(transform="yeo-johnson").fit(Z, Y, known_noise=known)
    # the same uncertainty of a result is the larger, the steeper the scale
    slopes = np.array([np.diff(bent.scale.to_model(np.array([v - 1e-4, v + 1e-4])))[0] / 2e-4 for v in Y])
    np.testing.assert_allclose(bent.known_noise, 0.01 * slopes**2, rtol=1e-4)


def test_replicates_say_where_the_noise_is():
    noisy = Y + 0.5 * RNG.standard_normal(30)
    free = Surrogate(transform="standardize").fit(Z, noisy)
    told = Surrogate(transform="standardize").fit(Z, noisy, replicate_variance=4.0, counts=np.full(30, 3))
    assert told.noise * Y.var() == pytest.approx(4.0, rel=0.8)
    assert told.noise > free.noise


def test_many_results_are_learned_from_a_part():
    x = np.linspace(-0.5, 0.5, 120)[:, None]
    fitted = Surrogate(max_rows=40).fit(x, np.sin(9 * x[:, 0]))
    assert len(fitted.evidence.y) == 40
    posterior = fitted.posterior(x, np.arange(120))
    assert posterior.n_observed == 120
    values = fitted.scale.value(posterior.mean)
    np.testing.assert_allclose(values, np.sin(9 * x[:, 0]), atol=0.02)


def test_bounds_are_told_by_name():
    fitted = Surrogate(noise=1e-8, transform="standardize").fit(Z, Z[:, 0])
    theta = fitted.theta.copy()
    theta[1] = 5.0
    object.__setattr__(fitted, "theta", theta)
    assert "column 'r' looks irrelevant: its length scale is at the upper bound" in fitted.status(("q", "r"))


def test_bad_settings_are_named():
    with pytest.raises(InputError, match=r"transform must be one of .* Got 'sqrt'"):
        Surrogate(transform="sqrt")
    with pytest.raises(InputError, match=r"noise must be 'fit' or a variance of 0 or more. Got -1"):
        Surrogate(noise=-1)
    with pytest.raises(InputError, match=r"n_hyper must be a whole number of 0 or more. Got -2"):
        Surrogate(n_hyper=-2)
    with pytest.raises(InputError, match=r"y must be positive for transform='log'. Got -1.0 at result 1"):
        Surrogate(transform="log").fit(Z[:2], np.array([1.0, -1.0]))


def quick_function_with_a_contradiction():
    """Four places, a second point beside each, and one measured twice with different results."""
    rng = np.random.default_rng(191)
    rng.integers(4, 8), rng.integers(1, 3)
    points = rng.random((4, 2))
    points = np.concatenate([points, points + 0.02 * rng.random((4, 2)), points[:1]]).round(3) - 0.5
    y = np.sin(25 * points).sum(axis=1)
    y[-1] += 0.4
    return points, y.round(2)


def test_a_fit_that_ends_in_noise_is_tried_again_with_little_noise(monkeypatch):
    points, y = quick_function_with_a_contradiction()
    near = points[:4] + 0.01
    truth = np.sin(25 * near).sum(axis=1)
    found = {}
    for limit in (np.inf, surrogate._NOISY):
        monkeypatch.setattr(surrogate, "_NOISY", limit)
        fitted = Surrogate(transform="standardize").fit(points, y)
        mean = fitted.posterior(np.concatenate([points, near]), np.arange(9)).mean[9:]
        found[limit] = fitted.log_posterior, fitted.noise, np.abs(fitted.scale.value(mean) - truth).mean()
    (first, noisy, wrong), (second, quiet, right) = found.values()
    assert second > first + 1.0
    assert noisy > 0.3
    assert quiet < 0.1
    assert right < 0.2 * wrong


@pytest.mark.parametrize(
    ("y", "noise", "searches"), [(Y, "fit", 1), (RNG.standard_normal(30), "fit", 2), (Y, 0.1, 1)]
)
def test_only_a_noisy_fit_costs_a_second_search(monkeypatch, y, noise, searches):
    calls = []

    def counted(evidence, starts):
        calls.append(len(starts))
        return maximize_evidence(evidence, starts)

    monkeypatch.setattr(surrogate, "maximize_evidence", counted)
    Surrogate(noise=noise, transform="standardize").fit(Z, y)
    assert calls == [3, 1][:searches]


@pytest.mark.parametrize("n", [8, 15, 30])
@pytest.mark.parametrize("seed", range(4))
def test_predictions_of_a_peak_stay_near_what_was_seen(n, seed):
    X = np.random.default_rng(seed).uniform(0, 1, (500, 4))
    y = 100 * np.exp(-((X - 0.4) ** 2).sum(axis=1) / 0.1)
    fitted = Surrogate().fit(X[:n] - 0.5, y[:n])
    found = fitted.predict(X - 0.5, np.arange(n))
    assert np.abs(found.mean).max() < 5 * y.max()
    assert (found.std > 0).all()
    assert ((found.low < found.mean) & (found.mean < found.high)).all()


@pytest.mark.parametrize("factor", [1e-310, 1e-160, 1e300])
def test_results_whose_squares_are_no_numbers_are_refused(factor):
    Z = np.linspace(-0.5, 0.5, 8)[:, None]
    with pytest.raises(InputError, match="another unit"):
        Surrogate().fit(Z, factor * np.sin(5 * Z[:, 0]))


@pytest.mark.parametrize("exponent", [0.0, 0.7, 2.0, 3.5, 5.0])
def test_a_bent_scale_reaches_every_number_and_goes_straight_below_the_lowest_result(exponent):
    scale = Scale(1.0, 10.0, 2.0, exponent, 0.3, 0.8, lowest=-1.5)
    model = np.linspace(-50.0, 5.0, 401)
    values = scale.value(model)
    assert (np.diff(values) > 0).all()
    np.testing.assert_allclose(scale.to_model(values), model, atol=1e-9)
    low = values < 10.0 - 1.5 * 2.0
    assert low.sum() > 100
    np.testing.assert_allclose(np.diff(values[low], 2), 0.0, atol=1e-9 * np.ptp(values[low]))
