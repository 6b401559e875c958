"""Likelihood fits: recovery, certified values, bounds, errors against the Cramér-Rao bound, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.spectra.peaks.background import (
    BSpline,
    Constant,
    Exponential,
    Linear,
    NoBackground,
    Polynomial,
    Shirley,
    Tougaard,
)
from sozai.spectra.peaks.compiled_model import Grid, compile_model
from sozai.spectra.peaks.fit_errors import (
    covariance_of,
    effective_parameters,
    one_sided_limit,
    profile_interval,
    standard_errors,
)
from sozai.spectra.peaks.likelihood_fit import deviance, fit_spectra
from sozai.spectra.peaks.likelihood_sums import log_excess
from sozai.spectra.peaks.shapes import (
    AsymmetricPseudoVoigt,
    DoniachSunjic,
    DoniachSunjicGaussian,
    Gaussian,
    Lorentzian,
    PearsonVII,
    PseudoVoigt,
    Voigt,
)

AXIS = np.linspace(0.0, 100.0, 400)
GRID = Grid.of(AXIS, "midpoint")
SHAPES = {
    "gaussian": (Gaussian(), [45.0, 8.0, 3e5], [46.0, 9.0, 2e5]),
    "lorentzian": (Lorentzian(), [45.0, 8.0, 3e5], [46.0, 9.0, 2e5]),
    "pseudo-voigt": (PseudoVoigt(), [45.0, 8.0, 3e5, 2e5], [46.0, 9.0, 2e5, 3e5]),
    "voigt": (Voigt(), [45.0, 6.0, 4.0, 3e5], [46.0, 5.0, 5.0, 2e5]),
    "doniach-sunjic": (DoniachSunjic(), [45.0, 3.0, 0.12, 3e5], [46.0, 4.0, 0.08, 2e5]),
    "doniach-sunjic-gaussian": (
        DoniachSunjicGaussian(), [45.0, 3.0, 0.12, 5.0, 3e5], [45.5, 3.5, 0.1, 4.5, 2e5],
    ),
    "asymmetric": (AsymmetricPseudoVoigt(), [45.0, 8.0, 0.06, 3e5, 2e5], [46.0, 9.0, 0.03, 2e5, 3e5]),
    "pearson": (PearsonVII(), [45.0, 8.0, 2.5, 3e5], [46.0, 9.0, 2.0, 2e5]),
}  # fmt: skip
THREE = np.array([25.0, 6.0, 2e4, 1e4, 45.0, 7.0, 1.5e4, 1.5e4, 70.0, 8.0, 1e4, 2e4, 50.0])


def three_peaks(grid=GRID):
    return compile_model([PseudoVoigt()] * 3, Constant(), grid)


def off_starts(rng, n):
    """Starts 0.2 FWHM off, areas 30 % off."""
    starts = np.tile(THREE, (n, 1))
    for k in range(3):
        starts[:, 4 * k] += 0.2 * THREE[4 * k + 1] * rng.choice([-1, 1], n)
        starts[:, 4 * k + 2 : 4 * k + 4] *= 1.0 + 0.3 * rng.choice([-1, 1], (n, 2))
    return starts


# --- the numbers -------------------------------------------------------------------------------------


def test_log_excess_is_accurate_over_all_magnitudes():
    rng = np.random.default_rng(0)
    large = np.concatenate([10.0 ** rng.uniform(-1, 9, 500), -1.0 + 10.0 ** rng.uniform(-9, -0.3, 500)])
    got = np.array([log_excess(t) for t in large])
    np.testing.assert_allclose(got, large - np.log1p(large), rtol=1e-13)
    small = rng.choice([-1, 1], 500) * 10.0 ** rng.uniform(-12, -3, 500)
    series = sum((-1.0) ** k * small**k / k for k in range(2, 9))
    np.testing.assert_allclose([log_excess(t) for t in small], series, rtol=5e-15)
    assert np.isnan(log_excess(np.nan))


def test_deviance_is_that_of_the_textbook():
    y, mu = np.array([3.0, 0.0, 7.5, 40.0]), np.array([2.0, 1.5, 9.0, 40.0])
    terms = mu - y + np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / mu), 0.0)
    assert deviance(y, mu) == pytest.approx(2.0 * terms.sum(), rel=1e-14)
    w = np.array([1.0, 2.0, 0.0, 3.0])
    assert deviance(y, mu, weights=w) == pytest.approx(2.0 * (w * terms).sum(), rel=1e-14)
    assert deviance(y, mu, noise="gaussian", weights=w) == pytest.approx((w * (y - mu) ** 2).sum(), rel=1e-14)


@pytest.mark.parametrize("noise", ["poisson", "gaussian"])
@pytest.mark.parametrize("name", SHAPES)
def test_noise_free_data_give_their_parameters_back(name, noise):
    shape, truth, start = SHAPES[name]
    model = compile_model([shape], Linear(), GRID)
    counts = model.expected([*truth, 40.0, 90.0])
    fit = fit_spectra(model, counts, [*start, 60.0, 60.0], noise=noise, polish=True)
    assert fit.status.tolist() == [0]
    np.testing.assert_allclose(fit.theta[0], [*truth, 40.0, 90.0], rtol=1e-8)


@pytest.mark.parametrize(
    ("background", "b", "b_start"),
    [
        (Polynomial(3), [50.0, 20.0, 70.0, 40.0], [40.0] * 4),
        (Exponential(), [80.0, 0.03], [60.0, 0.02]),
        (BSpline(sections=3), [50.0, 20.0, 70.0, 40.0, 30.0, 60.0], [40.0] * 6),
        (Constant() + Shirley(), [40.0, 0.002], [50.0, 0.001]),
        (Constant() + Shirley(per_peak=True), [40.0, 0.002, 0.001], [50.0, 0.001, 0.001]),
        (Constant() + Tougaard(), [40.0, 2000.0, 1643.0], [50.0, 2866.0, 1643.0]),
        (Constant() + Tougaard(order="all", free=("B", "C")), [40.0, 2000.0, 1200.0], [50.0, 2866.0, 1643.0]),
        (NoBackground(), [], []),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else "",
)
def test_backgrounds_are_recovered_with_their_peaks(background, b, b_start):
    model = compile_model([Gaussian(), Lorentzian()], background, GRID)
    truth = np.array([30.0, 6.0, 3e5, 60.0, 9.0, 2e5, *b])
    fit = fit_spectra(model, model.expected(truth), [31.0, 7.0, 2e5, 58.0, 8.0, 3e5, *b_start], polish=True)
    assert fit.status.tolist() == [0]
    np.testing.assert_allclose(fit.theta[0], truth, rtol=1e-7)


def test_a_start_on_the_answer_stays_there():
    model = three_peaks()
    fit = fit_spectra(model, model.expected(THREE), THREE)
    assert fit.status.tolist() == [0]
    np.testing.assert_allclose(fit.theta[0], THREE, rtol=1e-12)


def test_the_result_is_the_optimum_that_another_minimizer_finds():
    from scipy.optimize import minimize

    model = compile_model([PseudoVoigt()], Constant(), GRID)
    truth = np.array([45.0, 8.0, 3e3, 2e3, 20.0])
    counts = np.random.default_rng(4).poisson(model.expected(truth)).astype(float)
    fit = fit_spectra(model, counts, truth * 1.05)

    def negative_log_likelihood(scaled):
        mu = model.expected(scaled * truth)
        return np.sum(mu - counts * np.log(mu))

    best = minimize(
        negative_log_likelihood, np.ones(5), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}
    )
    np.testing.assert_allclose(fit.theta[0], best.x * truth, rtol=2e-4)
    assert (
        deviance(counts, model.expected(fit.theta[0]))
        <= deviance(counts, model.expected(best.x * truth)) + 1e-9
    )


# --- errors ------------------------------------------------------------------------------------------


def test_standard_errors_are_the_cramer_rao_bound_of_the_closed_form():
    # one Gaussian alone on fine channels: var(A) = A, var(x0) = σ²/A, var(σ) = σ²/(2A); the floor of the
    # expectations costs 3e-9 of the last
    grid = Grid.of(np.linspace(-40.0, 40.0, 4001), "midpoint")
    model = compile_model([Gaussian()], None, grid)
    area, sigma = 2e5, 3.0
    fwhm = sigma * np.sqrt(8.0 * np.log(2.0))
    fit = fit_spectra(model, model.expected([0.5, fwhm, area]), [0.4, 6.0, 1e5], polish=True)
    exact = [sigma / np.sqrt(area), fwhm / np.sqrt(2.0 * area), np.sqrt(area)]
    np.testing.assert_allclose(standard_errors(model, fit), exact, rtol=1e-8)


@pytest.mark.slow
def test_scatter_of_many_fits_is_what_the_errors_say():
    model = three_peaks()
    rng = np.random.default_rng(7)
    counts = rng.poisson(model.expected(THREE), (3000, 400))
    fit = fit_spectra(model, counts, off_starts(rng, 3000), n_threads=2)
    assert (fit.status == 0).all()
    errors = np.array([standard_errors(model, fit, k) for k in range(0, 3000, 10)])
    scatter = fit.theta.std(axis=0)
    np.testing.assert_allclose(scatter, np.nanmean(errors, axis=0), rtol=0.08)
    low, high = chi2.ppf([1e-4, 1 - 1e-4], 387 * 3000)
    assert low < fit.deviance.sum() < high
    assert (fit.dof == 387).all()


def test_a_parameter_on_its_bound_has_no_error_but_a_limit():
    model = compile_model([PseudoVoigt()], Constant(), GRID)
    counts = model.expected([45.0, 8.0, 3e3, 0.0, 20.0])
    counts -= 3.0 * np.exp(-0.5 * ((AXIS - 60.0) / 3.0) ** 2)  # less than a Gaussian's tail
    fit = fit_spectra(model, counts, [44.0, 7.0, 2e3, 500.0, 25.0])
    assert fit.status.tolist() == [0]
    assert fit.theta[0, 3] == 0.0
    assert fit.at_bound[0].tolist() == [False, False, False, True, False]
    assert fit.dof[0] == 400 - 4
    covariance = covariance_of(model, fit)
    assert np.isnan(covariance[3]).all()
    assert np.isfinite(np.delete(np.delete(covariance, 3, 0), 3, 1)).all()
    assert (covariance_of(model, fit, on_bound=0.0)[3] == 0.0).all()
    limit = one_sided_limit(model, counts, fit.theta[0], "peak1.area_lorentz")
    held = compile_model([PseudoVoigt()], Constant(), GRID, fixed={"peak1.area_lorentz": limit})
    raised = fit_spectra(held, counts, fit.theta[0])
    assert raised.deviance[0] - fit.deviance[0] == pytest.approx(2.71, rel=1e-4)
    with pytest.raises(InputError, match=r"be a parameter on its bound. Got 'peak1.fwhm' at 8"):
        one_sided_limit(model, counts, fit.theta[0], "peak1.fwhm")


def test_profile_interval_is_that_of_the_closed_form():
    # n channels with a constant: D(b) - D(b̂) = 2 n (b - b̂ - b̂ ln(b/b̂))
    model = compile_model([], "constant", Grid.of(np.arange(25.0), "midpoint"))
    low, high = profile_interval(model, np.full(25, 4.0), [4.0], "background.level", 3.84)
    for b in (low, high):
        assert 50.0 * (b - 4.0 - 4.0 * np.log(b / 4.0)) == pytest.approx(3.84, rel=1e-5)
    assert low < 4.0 < high


def test_profile_interval_nears_the_standard_error_at_high_counts():
    model = three_peaks()
    counts = np.random.default_rng(3).poisson(100.0 * model.expected(THREE)).astype(float)
    scaled = THREE.copy()
    scaled[[2, 3, 6, 7, 10, 11, 12]] *= 100.0
    fit = fit_spectra(model, counts, scaled)
    error = standard_errors(model, fit)
    for name in ("peak2.position", "peak2.fwhm", "peak3.area_lorentz"):
        i = model.index(name)
        low, high = profile_interval(model, counts, fit.theta[0], name)
        assert high - fit.theta[0, i] == pytest.approx(error[i], rel=0.02)
        assert fit.theta[0, i] - low == pytest.approx(error[i], rel=0.02)


def test_profile_is_refused_for_fixed_parameters():
    model = compile_model([Gaussian()], None, GRID, fixed={"peak1.fwhm": 5.0})
    with pytest.raises(InputError, match=r"be free, not fixed. Got 'peak1.fwhm'"):
        profile_interval(model, np.ones(400), [50.0, 5.0, 400.0], "peak1.fwhm")


def test_two_equal_peaks_are_named_as_most_correlated():
    model = compile_model([Gaussian(), Gaussian()], None, GRID, labels=["A", "B"])
    theta = np.array([50.0, 8.0, 1e4, 50.0 + 1e-6, 8.0, 1e4])
    fit = fit_spectra(model, model.expected(theta), theta, max_iter=0)
    with pytest.warns(
        ConvergenceWarning,
        match=r"above 1e\+10; .*'A\.\w+' and 'B\.\w+' are most correlated \([+-][01]\.\d+\)",
    ):
        covariance_of(model, fit)


def test_penalty_lowers_the_number_of_parameters_that_count():
    counts = np.random.default_rng(1).poisson(50.0 + 20.0 * np.sin(AXIS / 20.0)).astype(float)
    numbers = []
    for roughness in (0.0, 1e-2, 1e6):
        model = compile_model([], BSpline(sections=8, roughness=roughness), GRID)
        fit = fit_spectra(model, counts, np.full(11, 50.0))
        assert fit.status.tolist() == [0]
        numbers.append(effective_parameters(model, fit))
    assert numbers[0] == pytest.approx(11.0)
    assert 2.0 < numbers[1] < 11.0
    assert numbers[2] == pytest.approx(2.0, abs=1e-2)  # a straight line is left


def test_penalized_fit_solves_the_ridge_equations():
    spline = BSpline(sections=8, roughness=3.0, positive=False)
    model = compile_model([], spline, GRID)
    y = np.sin(AXIS / 9.0)
    fit = fit_spectra(model, y, np.zeros(11), noise="gaussian", polish=True)
    B = model.jacobian(np.zeros(11))
    exact = np.linalg.solve(B @ B.T + spline.penalty, B @ y)
    np.testing.assert_allclose(fit.theta[0], exact, rtol=1e-8, atol=1e-9)
    assert fit.deviance[0] == pytest.approx(np.sum((y - exact @ B) ** 2), rel=1e-9)


def test_errors_need_the_information():
    model = compile_model([], "constant", GRID)
    fit = fit_spectra(model, np.ones(400), [2.0], want_fisher=False)
    with pytest.raises(InputError, match="hold its Fisher information"):
        covariance_of(model, fit)


# --- laws --------------------------------------------------------------------------------------------


def counts_of(seed, n=1):
    rng = np.random.default_rng(seed)
    return rng.poisson(three_peaks().expected(THREE), (n, 400)).astype(float), off_starts(rng, n)


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10**6))
def test_order_of_peaks_does_not_matter(seed):
    counts, start = counts_of(seed)
    model = three_peaks()
    order = np.r_[8:12, 0:4, 4:8, 12]
    one = fit_spectra(model, counts, start, polish=True)
    two = fit_spectra(model, counts, start[:, order], polish=True)
    np.testing.assert_allclose(two.theta, one.theta[:, order], rtol=1e-8, atol=1e-4)
    assert two.deviance[0] == pytest.approx(one.deviance[0], rel=1e-11)


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10**6), st.floats(1e-3, 1e3), st.floats(-500.0, 500.0))
def test_axis_scale_and_shift_move_positions_and_widths_only(seed, scale, shift):
    counts, start = counts_of(seed)
    moved = compile_model([PseudoVoigt()] * 3, Constant(), Grid.of(AXIS * scale + shift, "midpoint"))
    there = np.ones(13)
    there[[0, 1, 4, 5, 8, 9]] = scale
    offset = np.zeros(13)
    offset[[0, 4, 8]] = shift
    one = fit_spectra(three_peaks(), counts, start, polish=True)
    two = fit_spectra(moved, counts, start * there + offset, polish=True)
    np.testing.assert_allclose((two.theta - offset) / there, one.theta, rtol=1e-6, atol=1e-3)
    assert two.deviance[0] == pytest.approx(one.deviance[0], rel=1e-9)


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10**6), st.floats(1e-9, 1e9))
def test_gaussian_noise_does_not_know_the_unit_of_intensity(seed, unit):
    counts, start = counts_of(seed)
    scale = np.where(np.isin(np.arange(13) % 4, [0, 1]) & (np.arange(13) < 12), 1.0, unit)
    one = fit_spectra(three_peaks(), counts, start, noise="gaussian", polish=True)
    two = fit_spectra(three_peaks(), counts * unit, start * scale, noise="gaussian", polish=True)
    np.testing.assert_allclose(two.theta / scale, one.theta, rtol=1e-6, atol=1e-3)
    assert two.status.tolist() == one.status.tolist() == [0]


def test_longer_exposure_leaves_parameters_and_shrinks_errors():
    model = three_peaks()
    scale = np.where(np.isin(np.arange(13) % 4, [0, 1]) & (np.arange(13) < 12), 1.0, 4.0)
    counts, start = counts_of(5)
    one = fit_spectra(model, counts, start, polish=True)
    four = fit_spectra(model, 4.0 * counts, start * scale, polish=True)
    np.testing.assert_allclose(four.theta[0] / scale, one.theta[0], rtol=1e-8)
    np.testing.assert_allclose(
        standard_errors(model, four) / scale, standard_errors(model, one) / 2.0, rtol=1e-6
    )


def test_likelihood_never_falls_however_long_the_fit_runs():
    counts, start = counts_of(11, 40)
    start[:, [0, 4, 8]] += 4.0  # far enough for refused steps
    last = np.full(40, np.inf)
    for max_iter in range(25):
        fit = fit_spectra(three_peaks(), counts, start, max_iter=max_iter)
        assert (fit.deviance <= last * (1 + 1e-12)).all()
        assert (fit.status != 2).all()
        last = fit.deviance


def test_results_are_the_same_bits_for_all_threads_and_batches():
    counts, start = counts_of(2, 300)
    model = three_peaks()
    one = fit_spectra(model, counts, start)
    for n_threads in (2, 4):
        many = fit_spectra(model, counts, start, n_threads=n_threads)
        for field in ("theta", "deviance", "status", "n_iter", "fisher", "at_bound"):
            assert np.array_equal(getattr(one, field), getattr(many, field))
    for first, last in ((0, 1), (1, 66), (66, 300)):
        part = fit_spectra(model, counts[first:last], start[first:last])
        assert np.array_equal(part.theta, one.theta[first:last])
        assert np.array_equal(part.fisher, one.fisher[first:last])
    small = fit_spectra(model, counts.astype(np.uint16), start)
    assert np.array_equal(small.theta, one.theta)


def test_input_is_not_changed():
    counts, start = counts_of(2)
    kept = counts.copy(), start.copy()
    counts.flags.writeable = start.flags.writeable = False
    fit_spectra(three_peaks(), counts, start)
    assert np.array_equal(counts, kept[0])
    assert np.array_equal(start, kept[1])


def test_masked_channels_do_not_count_and_may_hold_nan():
    model = three_peaks()
    counts, start = counts_of(6)
    weights = np.ones(400)
    weights[150:170] = 0.0
    spoiled = counts.copy()
    spoiled[0, 150:170] = np.nan
    one = fit_spectra(model, spoiled, start, weights=weights)
    other = counts.copy()
    other[0, 150:170] = 1e6
    two = fit_spectra(model, other, start, weights=weights)
    assert np.array_equal(one.theta, two.theta)
    assert one.dof[0] == 380 - 13
    assert np.abs(one.theta[0, [0, 4, 8]] - [25.0, 45.0, 70.0]).max() < 0.2


def test_ties_are_obeyed_and_the_fit_is_that_of_the_tied_model():
    from types import SimpleNamespace

    T = np.delete(np.eye(7), [3, 4, 5], axis=1)
    T[3, 0] = T[4, 1] = 1.0
    T[5, 2] = 0.5
    t0 = np.zeros(7)
    t0[3] = 12.0  # a doublet: 12 apart, equal widths, areas 1:2
    free = np.full(4, np.inf)
    ties = SimpleNamespace(T=T, t0=t0, lower=-free, upper=free)
    model = compile_model([Gaussian(), Gaussian()], Constant(), GRID, ties=ties)
    truth = np.array([40.0, 6.0, 4e3, 52.0, 6.0, 2e3, 10.0])
    counts = np.random.default_rng(0).poisson(model.expected(truth))
    fit = fit_spectra(model, counts, [41.0, 7.0, 3e3, 50.0, 5.0, 3e3, 12.0])
    theta = fit.theta[0]
    np.testing.assert_allclose(theta[3:6], [theta[0] + 12.0, theta[1], 0.5 * theta[2]], rtol=1e-13)
    residual = (counts - model.expected(theta)) / model.expected(theta)
    score = T.T @ model.jacobian(theta) @ residual
    error = standard_errors(model, fit)
    assert np.abs(score * error[[0, 1, 2, 6]]).max() < 1e-3
    np.testing.assert_allclose(error[[3, 4, 5]], error[[0, 1, 2]] * [1.0, 1.0, 0.5], rtol=1e-12)
    assert fit.dof[0] == 396


def test_a_model_without_free_parameters_or_information_is_done_at_once():
    model = compile_model([], None, GRID)
    fit = fit_spectra(model, np.ones((3, 400)), np.zeros((3, 0)), noise="gaussian")
    assert fit.status.tolist() == [0, 0, 0]
    assert fit.deviance.tolist() == [400.0] * 3
    step = compile_model([], Constant() + Shirley(), GRID)
    fit = fit_spectra(step, np.full(400, 3.0), [1.0, 0.5])
    assert fit.status.tolist() == [0]
    assert fit.theta[0, 0] == pytest.approx(3.0)
    assert np.isnan(standard_errors(step, fit)[1])


def test_empty_spectra_go_to_zero_without_trouble():
    fit = fit_spectra(compile_model([Gaussian()], Constant(), GRID), np.zeros(400), [50.0, 5.0, 100.0, 3.0])
    assert fit.status[0] in (0, 1)
    assert fit.deviance[0] < 1e-3


def test_a_model_that_is_not_finite_is_reported():
    model = compile_model([], Exponential(), GRID)
    fit = fit_spectra(model, np.ones(400), [1.0, -1e5])
    assert fit.status.tolist() == [2]
    assert fit.n_iter.tolist() == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": np.ones(399)}, r"of shape \(S, 400\).*Got 'float64 of shape \(399,\)'"),
        ({"counts": np.full(400, -3.0)}, r"be >= 0 for Poisson noise. Got -3.0 at row 0, channel 0"),
        ({"counts": np.r_[np.ones(17), np.nan, np.ones(382)]}, r"be finite. Got nan at row 0, channel 17"),
        (
            {"counts": np.r_[np.ones(17), np.inf, np.ones(382)], "noise": "gaussian"},
            r"be finite. Got inf at row 0, channel 17",
        ),
        ({"start": np.ones(3)}, r"start must have shape \(1,\) or \(1, 1\). Got 'shape \(3,\)'"),
        ({"start": [np.nan]}, r"start must be finite. Got nan for 'background.level' at row 0"),
        ({"noise": "student"}, r"noise must be 'poisson' or 'gaussian'. Got 'student'"),
        ({"weights": np.ones(3)}, r"weights must have shape \(400,\) or \(1, 400\). Got 'shape \(1, 3\)'"),
        ({"weights": np.r_[np.ones(9), -1.0, np.ones(390)]}, r"not negative. Got -1.0 at row 0, channel 9"),
        ({"max_iter": -1}, r"max_iter must be at least 0. Got -1"),
        ({"n_threads": 0}, r"n_threads must be at least 1. Got 0"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(change, message):
    model = compile_model([], "constant", GRID)
    given_ = {"counts": np.ones(400), "start": [1.0], **change}
    with pytest.raises(InputError, match=message):
        fit_spectra(model, given_.pop("counts"), given_.pop("start"), **given_)


def test_the_row_of_a_bad_count_is_counted_over_all_blocks():
    counts = np.ones((200, 400))
    counts[150, 3] = -1.0
    with pytest.raises(InputError, match=r"Got -1.0 at row 150, channel 3"):
        fit_spectra(compile_model([], "constant", GRID), counts, [1.0])
