"""Batched Levenberg-Marquardt: exact answers, bounds, units, batches, errors, warnings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear, minimize

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.numerics import levenberg_marquardt
from sozai.numerics.levenberg_marquardt import minimize_deviance

X = np.linspace(-3.0, 3.0, 61)


def peak(theta):
    """Gaussian on a constant: height, center, width, level; elementwise, so that rows do not meet."""
    height, center, width, level = (theta[:, j : j + 1] for j in range(4))
    z = (X - center) / width
    bell = np.exp(-0.5 * z**2)
    slope = height * bell * z / width
    return height * bell + level, np.stack([bell, slope, slope * z, np.ones_like(bell)], axis=2)


def straight(design):
    """Linear model, summed one column after the other."""

    def model(theta):
        expected = sum(theta[:, j : j + 1] * design[:, j] for j in range(design.shape[1]))
        return expected, np.broadcast_to(design, (len(theta), *design.shape))

    return model


TRUTH = np.array([80.0, 0.3, 0.7, 12.0])
START = np.array([50.0, -0.5, 1.2, 5.0])


def poisson_deviance(y, mu):
    terms = np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / mu), 0.0)
    return 2 * (mu - y + terms).sum()


@pytest.mark.parametrize("noise", ["gaussian", "poisson"])
def test_exact_data_give_the_parameters_back(noise):
    fit = minimize_deviance(peak, peak(TRUTH[None])[0], START, noise=noise)
    assert np.allclose(fit.theta[0], TRUTH, rtol=1e-9)
    assert fit.status.tolist() == [0]


def test_linear_problems_equal_linear_algebra():
    rng = np.random.default_rng(0)
    design, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    fit = minimize_deviance(straight(design), y, np.zeros(4), polish=True)
    best, squares, *_ = np.linalg.lstsq(design, y)
    assert np.allclose(fit.theta[0], best, rtol=1e-12)
    assert fit.deviance[0] == pytest.approx(squares[0], rel=1e-13)
    assert fit.dispersion[0] == pytest.approx(squares[0] / 26, rel=1e-13)
    assert np.allclose(fit.covariance[0], np.linalg.inv(design.T @ design) * squares[0] / 26, rtol=1e-10)
    assert np.allclose(fit.fisher[0], design.T @ design, rtol=1e-12)
    scaled = design / np.linalg.norm(design, axis=0)
    assert fit.condition[0] == pytest.approx(np.linalg.cond(scaled) ** 2, rel=1e-10)
    assert fit.dof.tolist() == [26]


@given(st.integers(0, 10_000))
def test_linear_problems_in_a_box_equal_an_active_set(seed):
    rng = np.random.default_rng(seed)
    design, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    lower, upper = -rng.uniform(0, 0.3, 4), rng.uniform(0, 0.3, 4)
    fit = minimize_deviance(straight(design), y, np.zeros(4), bounds=(lower, upper), polish=True)
    best = lsq_linear(design, y, (lower, upper), method="bvls", tol=1e-14)
    assert np.allclose(fit.theta[0], best.x, atol=1e-7)
    assert fit.at_bound[0].tolist() == (best.active_mask != 0).tolist()
    assert np.isnan(fit.errors[0]).tolist() == fit.at_bound[0].tolist()


def test_poisson_fits_equal_a_general_minimizer():
    y = np.random.default_rng(1).poisson(peak(TRUTH[None])[0][0]).astype(float)
    fit = minimize_deviance(peak, y, START, noise="poisson", polish=True)
    best = minimize(
        lambda theta: poisson_deviance(y, peak(theta[None])[0][0]), TRUTH, method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000},
    )  # fmt: skip
    assert fit.deviance[0] == pytest.approx(best.fun, abs=1e-8)
    assert np.allclose(fit.theta[0], best.x, rtol=1e-5)
    mu, jacobian = (part[0] for part in peak(fit.theta))
    fisher = jacobian.T @ (jacobian / mu[:, None])
    assert np.allclose(fit.covariance[0], np.linalg.inv(fisher), rtol=1e-9)
    assert np.abs(jacobian.T @ (y / mu - 1)).max() < 1e-9 * np.sqrt(np.diag(fisher)).max()


def test_errors_cover_the_truth():
    y = np.random.default_rng(2).poisson(peak(TRUTH[None])[0], (1000, 61))
    fit = minimize_deviance(peak, y, TRUTH, noise="poisson")
    assert (fit.status == 0).all()
    inside = (np.abs(fit.theta - TRUTH) < fit.errors).mean(axis=0)
    assert (np.abs(inside - 0.6827) < 0.05).all()
    assert np.allclose(fit.errors.mean(axis=0), fit.theta.std(axis=0), rtol=0.08)


def test_rows_do_not_depend_on_their_company(monkeypatch):
    y = np.random.default_rng(3).poisson(peak(TRUTH[None])[0], (40, 61))
    start = np.clip(START * np.random.default_rng(4).uniform(0.7, 1.3, (40, 4)), -9, 99)
    together = minimize_deviance(peak, y, start, noise="poisson")
    alone = [minimize_deviance(peak, y[k], start[k], noise="poisson") for k in range(40)]
    monkeypatch.setattr(levenberg_marquardt, "CHUNK_BYTES", 7 * 61 * 6 * 8)
    chunks = minimize_deviance(peak, y, start, noise="poisson")
    for name in ("theta", "errors", "deviance", "n_iter", "covariance", "condition"):
        rows = np.concatenate([getattr(one, name) for one in alone])
        assert (getattr(together, name) == rows).all()
        assert (getattr(chunks, name) == rows).all()


@pytest.mark.parametrize("noise", ["gaussian", "poisson"])
def test_units_do_not_matter(noise):
    y = np.random.default_rng(5).poisson(peak(TRUTH[None])[0])
    unit = 2.0 ** np.array([20.0, -30.0, 10.0, 3.0])

    def scaled(theta):
        expected, jacobian = peak(theta * unit)
        return expected, jacobian * unit

    first = minimize_deviance(peak, y, START, noise=noise)
    second = minimize_deviance(scaled, y, START / unit, noise=noise)
    assert np.allclose(second.theta * unit, first.theta, rtol=1e-11)
    assert (second.n_iter == first.n_iter).all()


def test_intensities_may_have_any_unit_when_sigma_is_estimated():
    y = peak(TRUTH[None])[0][0] + np.random.default_rng(6).normal(size=61)
    fits = [
        minimize_deviance(peak, y * unit, START * [unit, 1, 1, unit]).theta[0] / [unit, 1, 1, unit]
        for unit in (1.0, 2.0**-60, 2.0**60)
    ]
    assert np.allclose(fits[1:], fits[0], rtol=1e-12)


def test_the_deviance_never_rises():
    seen = []

    def watched(theta):
        expected, jacobian = peak(theta)
        seen.append(((y - expected[0]) ** 2).sum())
        return expected, jacobian

    y = np.random.default_rng(7).poisson(peak(TRUTH[None])[0][0]).astype(float)
    fit = minimize_deviance(watched, y, [10.0, -2.0, 0.2, 50.0])
    assert fit.deviance[0] == min(seen)


def test_a_tight_valley_keeps_its_digits():
    """Columns parallel to 1e-7: the normal equations would have no digit left."""
    rng = np.random.default_rng(8)
    base = rng.normal(size=40)
    design = np.stack([base, base + 1e-7 * rng.normal(size=40)], axis=1)
    with pytest.warns(ConvergenceWarning, match=r"'a' and 'b', correlated 1\.0000.*Hold one of them or tie"):
        fit = minimize_deviance(
            straight(design), design @ [2.0, 3.0], [0.0, 0.0], names=["a", "b"], polish=True
        )
    assert np.allclose(fit.theta[0], [2.0, 3.0], rtol=1e-7)


def test_channels_without_weight_may_hold_anything():
    y = np.random.default_rng(9).poisson(peak(TRUTH[None])[0][0]).astype(float)
    weights = np.ones(61)
    weights[[3, 40]] = 0.0
    gap = y.copy()
    gap[[3, 40]] = np.nan, np.inf
    masked = minimize_deviance(peak, gap, START, noise="poisson", weights=weights)
    rest = np.delete(np.arange(61), [3, 40])
    left_out = minimize_deviance(
        lambda theta: tuple(part[:, rest] for part in peak(theta)), y[rest], START, noise="poisson"
    )
    assert np.allclose(masked.theta, left_out.theta, rtol=1e-12)
    assert masked.dof.tolist() == [55]


def test_equal_bounds_hold_a_parameter():
    y = peak(TRUTH[None])[0][0]
    lower, upper = [0, -3, 0.7, 0], [200, 3, 0.7, 99]
    fit = minimize_deviance(peak, y, START, bounds=(lower, upper))
    assert fit.theta[0, 2] == 0.7
    assert np.allclose(fit.theta[0], TRUTH, rtol=1e-8)
    assert fit.dof.tolist() == [58]


def test_models_may_differ_between_rows():
    slopes = np.array([1.0, 2.0, 3.0])
    calls = []

    def model(theta, rows):
        calls.append(rows)
        design = (slopes[rows, None] * X)[:, :, None]
        return design[:, :, 0] * theta, design

    fit = minimize_deviance(model, np.tile(6 * X, (3, 1)), np.zeros((3, 1)), by_row=True)
    assert np.allclose(fit.theta[:, 0], 6 / slopes)
    assert calls[0].tolist() == [0, 1, 2]


def test_a_model_that_is_not_finite():
    def model(theta):
        expected, jacobian = peak(theta)
        return np.where(theta[:, :1] > 60, expected, np.nan), jacobian

    y = peak(TRUTH[None])[0][0]
    with pytest.warns(
        ConvergenceWarning, match="1 of 2 fits ended because the model is not finite .* in row 1"
    ):
        fit = minimize_deviance(model, y, [[70.0, 0, 1, 10], START])
    assert fit.status.tolist() == [0, 2]
    assert np.allclose(fit.theta[0], TRUTH)
    assert fit.theta[1].tolist() == START.tolist()


def test_a_wrong_jacobian_is_noticed():
    def model(theta):
        expected, jacobian = peak(theta)
        return expected, -jacobian

    with pytest.warns(ConvergenceWarning, match="1 of 1 fits ended because"):
        fit = minimize_deviance(model, peak(TRUTH[None])[0][0], START)
    assert fit.status.tolist() == [2]


def test_a_parameter_without_effect_is_named():
    def model(theta):
        expected, jacobian = peak(theta[:, :4])
        return expected, np.concatenate([jacobian, np.zeros_like(jacobian[:, :, :1])], axis=2)

    y = np.random.default_rng(10).poisson(peak(TRUTH[None])[0][0])
    with pytest.warns(ConvergenceWarning, match="in row 0, 'theta4' has no effect"):
        fit = minimize_deviance(model, y, [*START, 1.0])
    assert fit.theta[0, 4] == 1.0
    assert fit.condition[0] == np.inf


def test_few_steps_are_said():
    y = np.random.default_rng(11).poisson(peak(TRUTH[None])[0], (3, 61))
    with pytest.warns(ConvergenceWarning, match="3 of 3 fits had not converged after max_iter steps"):
        fit = minimize_deviance(peak, y, START, max_iter=2)
    assert fit.status.tolist() == [1, 1, 1]
    assert fit.n_iter.tolist() == [2, 2, 2]


def test_input_is_not_changed_and_one_spectrum_takes_many_starts():
    y, start = peak(TRUTH[None])[0][0], np.tile(START, (3, 1))
    before = y.copy(), start.copy()
    fit = minimize_deviance(peak, y, start, bounds=(0, 60))
    assert (y == before[0]).all()
    assert (start == before[1]).all()
    assert fit.theta.shape == (3, 4)
    assert fit.at_bound[:, 0].all()
    assert repr(fit) == "DevianceMinimum(3 fits of 4 parameters, 3 converged)"
    frame = fit.to_frame()
    assert list(frame)[:2] == ["theta0", "theta0 error"]
    assert len(frame) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": "cauchy"}, r"noise must be 'gaussian' or 'poisson'\. Got 'cauchy'"),
        ({"max_iter": 0}, r"max_iter and tol must be positive\. Got \(0, 1e-09\)"),
        ({"tol": 0.0}, r"max_iter and tol must be positive"),
        ({"start": [1.0, np.nan, 1.0, 1.0], "names": list("abcd")}, "contains NaN .* column 'b'"),
        ({"start": ["x"]}, "start must be a 1D or 2D array of real numbers"),
        ({"start": np.ones((2, 4)), "counts": np.ones((3, 61))}, r"start \(2, 4\), counts \(3, 61\)"),
        ({"weights": np.ones(60)}, r"weights \(60,\)"),
        (
            {"weights": np.r_[-1.0, np.ones(60)]},
            r"weights must be finite and >= 0\. Got -1\.0 at row 0, channel 0",
        ),
        ({"counts": np.r_[np.ones(60), np.nan]}, r"counts must be finite\. Got nan at row 0, channel 60"),
        ({"counts": np.r_[1.0, -3.0, np.ones(59)], "noise": "poisson"}, r"Got -3\.0 at row 0, channel 1"),
        ({"weights": np.r_[np.ones(3), np.zeros(58)]}, r"channels with weight as parameters \(4\)\. Got 3"),
        (
            {"bounds": ([0, 1, 0, 0], [1, 0, 1, 1])},
            r"bounds must be lower <= upper\. Got \(1\.0, 0\.0\) for 'theta1'",
        ),
        (
            {"model": lambda theta: (np.ones((1, 61)), np.ones((1, 4, 61)))},
            r"shapes \(1, 61\) and \(1, 61, 4\)",
        ),
    ],
)
def test_refused(change, message):
    given_ = {"model": peak, "counts": np.ones(61), "start": START} | change
    with pytest.raises(InputError, match=message):
        minimize_deviance(given_.pop("model"), given_.pop("counts"), given_.pop("start"), **given_)
