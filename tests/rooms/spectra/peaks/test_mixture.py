"""Peaks found blindly: truths without noise, every option, and every fault with its numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import cauchy, norm
from sklearn.base import clone
from sklearn.mixture import GaussianMixture

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.contracts.estimator import NotFittedError
from sozai.datasets import make_spectrum
from sozai.spectra.noise import GaussianNoise, PoissonNoise, RobustNoise
from sozai.spectra.peaks.background import Constant, Linear, Shirley
from sozai.spectra.peaks.mixture import PeakMixture, fit_peaks
from sozai.spectra.peaks.ties import P_RATIO, Doublet, of, tie
from sozai.spectra.spectrum import Spectrum
from sozai.spectra.spectrum_checks import SpectrumWarning

SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))
AXIS = np.linspace(0.125, 99.875, 400)
THREE = [[30.0, 6.0, 3e4, 0.3], [44.0, 8.0, 4e4, 0.5], [70.0, 7.0, 3e4, 0.2]]


def lines(rows, axis=AXIS, level=50.0):
    """Expected counts at centers times the width, from SciPy's densities."""
    width = axis[1] - axis[0]
    total = np.full(axis.size, level)
    for x0, w, area, eta in rows:
        total += (
            width * area * ((1 - eta) * norm.pdf(axis, x0, w * SIGMA) + eta * cauchy.pdf(axis, x0, w / 2))
        )
    return total


def noisy(rows=THREE, seed=0, level=50.0):
    return np.random.default_rng(seed).poisson(lines(rows, level=level)).astype(float)


COUNTS = noisy()


def table(fit):
    return np.array([[p.position, p.fwhm, p.area, p.lorentz_fraction] for p in fit.peaks])


# --- truths --------------------------------------------------------------------------------------------


def test_exact_counts_give_the_parameters_back():
    fit = fit_peaks((AXIS, lines(THREE)), 3, noise="poisson", integration="midpoint", tol=1e-15)
    np.testing.assert_allclose(table(fit), THREE, rtol=1e-7)
    assert fit.background["level"][0] == pytest.approx(50.0, rel=1e-6)
    assert fit.deviance < 1e-9


def test_bins_are_integrated_where_channels_are_wide():
    made = make_spectrum([[30.0, 6.0, 3e4, 0.3], [70.0, 7.0, 3e4, 0.0]], n_channels=80, noise=None)
    fit = fit_peaks((made.frame["axis"], made.frame["counts"]), 2, noise="poisson", tol=1e-14)
    np.testing.assert_allclose(table(fit)[:, :3], made.truth.to_numpy()[:, :3], rtol=1e-5)


def test_one_gaussian_in_a_wide_window_has_the_moments_of_its_counts():
    rng = np.random.default_rng(3)
    axis = np.arange(-40.0, 40.5, 0.5)
    counts = rng.poisson(0.5 * 1e5 * norm.pdf(axis, 1.3, 4.0)).astype(float)
    fit = PeakMixture(1, "gaussian", "none", noise="poisson", integration="midpoint").fit(axis, counts)
    mean = (counts * axis).sum() / counts.sum()
    variance = (counts * (axis - mean) ** 2).sum() / counts.sum()
    assert fit.peaks_[0].position == pytest.approx(mean, abs=1e-5)
    assert (fit.peaks_[0].fwhm * SIGMA) ** 2 == pytest.approx(variance, rel=1e-5)
    assert fit.peaks_[0].position_error == pytest.approx(np.sqrt(variance / counts.sum()), rel=1e-3)


def test_the_published_iteration_equals_that_of_scikit_learn_on_repeated_points():
    rng = np.random.default_rng(0)
    axis = np.arange(0.0, 40.0)
    counts = rng.poisson(2000 * norm.pdf(axis, 12, 3) + 3000 * norm.pdf(axis, 27, 2)).astype(float)
    fit = PeakMixture(2, "gaussian", "none", method="em", n_init=5, tol=1e-14).fit(axis, counts)
    points = np.repeat(axis, counts.astype(int))[:, None]
    other = GaussianMixture(
        2, tol=1e-13, reg_covar=0.0, max_iter=3000, means_init=[[12.0], [27.0]], weights_init=[0.4, 0.6]
    ).fit(points)
    order = np.argsort(other.means_[:, 0])
    np.testing.assert_allclose([p.position for p in fit.peaks_], other.means_[order, 0], rtol=1e-6)
    np.testing.assert_allclose(
        [p.fwhm * SIGMA for p in fit.peaks_], np.sqrt(other.covariances_[order, 0, 0]), rtol=1e-6
    )
    assert all(np.isnan(p.position_error) and p.supported for p in fit.peaks_)


def test_errors_are_those_of_the_scatter():
    model = PeakMixture(3, random_state=0).fit(AXIS, COUNTS)
    drawn = model.sample(150, 1)
    fits = [fit_peaks((AXIS, row), 3, start=model.result_) for row in drawn]
    scatter = np.std([[p.position for p in fit.peaks] for fit in fits], axis=0, ddof=1)
    told = np.array([p.position_error for p in model.peaks_])
    np.testing.assert_allclose(scatter / told, 1.0, atol=0.25)  # 4 standard errors of 150 draws


@pytest.mark.parametrize("shape", ["gaussian", "lorentzian", "voigt", "pearson-vii", "doniach-sunjic"])
def test_every_shape_is_found_blindly(shape):
    exact = {"gaussian": 0.0, "lorentzian": 1.0}.get(shape)
    rows = THREE if exact is None else [[*row[:3], exact] for row in THREE]
    fit = fit_peaks((AXIS, noisy(rows)), 3, shape=shape)
    assert fit.converged
    np.testing.assert_allclose([p.position for p in fit.peaks], [30, 44, 70], atol=0.2)
    if exact is not None:
        assert fit.p_value > 1e-3


def test_an_asymmetric_line_is_switched_on_in_the_fit():
    z = AXIS - 40.0  # Doniach and Sunjic, tail to high binding energy
    g, a = 2.0, 0.2
    eps = -z
    line = np.cos(np.pi * a / 2 + (1 - a) * np.arctan(eps / g)) / (eps**2 + g**2) ** ((1 - a) / 2)
    counts = np.random.default_rng(0).poisson(1e5 * line / line.sum() + 20.0)
    fit = fit_peaks((AXIS, counts), 1, shape="doniach-sunjic")
    peak = fit.peaks[0]
    assert abs(peak.parameters["asymmetry"] - 0.2) < 4 * peak.errors["asymmetry"] < 0.05
    assert abs(peak.position - 40.0) < 4 * peak.position_error
    assert peak.maximum > peak.position
    assert peak.lorentz_fraction is None


# --- noise ---------------------------------------------------------------------------------------------


def test_a_gain_scales_areas_and_nothing_else():
    one = fit_peaks((AXIS, COUNTS), 3)
    other = fit_peaks((AXIS, 2.5 * COUNTS), 3, noise=PoissonNoise(gain=2.5))
    np.testing.assert_allclose(table(other), table(one) * [1, 1, 2.5, 1], rtol=1e-6)
    assert other.deviance == pytest.approx(one.deviance, rel=1e-9)
    assert other.peaks[0].area_error == pytest.approx(2.5 * one.peaks[0].area_error, rel=1e-4)


def test_read_out_noise_widens_the_errors_and_its_constant_is_not_reported():
    rng = np.random.default_rng(5)
    rows = [[50.0, 8.0, 5e3, 0.2]]
    y = np.maximum(noisy(rows, level=20.0) + rng.normal(0, 6.0, 400), 0.0)
    plain = fit_peaks((AXIS, y), 1, noise=PoissonNoise())
    fit = fit_peaks((AXIS, y), 1, noise=PoissonNoise(read=6.0))
    assert list(fit.background) == ["level"]
    assert fit.background["level"][0] == pytest.approx(20.0, abs=1.5)
    assert fit.peaks[0].area_error > 1.2 * plain.peaks[0].area_error
    assert plain.p_value < 1e-6 < 1e-3 < fit.p_value
    np.testing.assert_allclose(fit.expected, fit.components.sum(0) + fit.background_curve)
    assert fit_peaks((AXIS, y), 1, noise=PoissonNoise(read=6.0), start=fit).deviance <= fit.deviance * (
        1 + 1e-9
    )


def test_gaussian_noise_of_unknown_size_is_measured():
    y = lines(THREE) + np.random.default_rng(1).normal(0, 12.0, 400)
    free = fit_peaks((AXIS, y), 3, noise="gaussian")
    known = fit_peaks((AXIS, y), 3, noise=GaussianNoise(12.0))
    each = fit_peaks((AXIS, y), 3, noise=GaussianNoise(np.full(400, 12.0)))
    assert np.sqrt(free.dispersion) == pytest.approx(12.0, rel=0.12)
    np.testing.assert_allclose(table(free), table(known), rtol=1e-5)
    np.testing.assert_array_equal(table(each), table(known))
    ratio = free.peaks[0].position_error / known.peaks[0].position_error
    assert ratio == pytest.approx(np.sqrt(free.dispersion) / 12.0, rel=1e-3)
    assert np.isnan(free.p_value)
    assert known.p_value > 1e-3


def test_robust_noise_does_not_follow_spikes():
    y = lines(THREE) + np.random.default_rng(1).normal(0, 12.0, 400)
    y[[50, 130, 131, 240, 300]] += 800.0
    with pytest.warns(SpectrumWarning, match="cosmic rays"):
        fit = fit_peaks((AXIS, y), 3, noise=RobustNoise(4))
    for peak, row in zip(fit.peaks, THREE, strict=True):
        assert abs(peak.position - row[0]) < 5 * peak.position_error
        assert abs(peak.area - row[2]) < 5 * peak.area_error
    with pytest.warns(SpectrumWarning):
        plain = fit_peaks((AXIS, y), 3, noise="gaussian")
    assert fit.peaks[0].area_error < 0.5 * plain.peaks[0].area_error


def test_noise_is_chosen_and_said():  # fault 29
    whole = fit_peaks((AXIS, COUNTS), 3)
    assert whole.noise_name == "PoissonNoise(gain=1.0, read=0.0)"
    assert "whole numbers >= 0, so Poisson noise" in whole.notes[0]
    scatter = np.random.default_rng(2).normal(0, 12.0, 400)
    parts = fit_peaks((AXIS, lines(THREE) + 100.0 + scatter), 3)
    assert parts.noise_name == "GaussianNoise(sigma=None)"
    assert "not whole numbers, so Gaussian noise" in parts.notes[0]
    shares = fit_peaks((AXIS, COUNTS / 7.0), 3)
    assert shares.noise_name.startswith("PoissonNoise(gain=0.142857")


def test_counts_per_second_without_dwell_get_their_dispersion():
    spectrum = Spectrum(AXIS, COUNTS / 4.0, counts_unit="counts/s")
    with pytest.warns(SpectrumWarning, match="dwell"):
        fit = fit_peaks(spectrum, 3)
    known = fit_peaks(Spectrum(AXIS, COUNTS / 4.0, counts_unit="counts/s", dwell=4.0), 3)
    assert fit.dispersion == pytest.approx(0.25, rel=0.2)
    assert fit.peaks[0].area_error == pytest.approx(known.peaks[0].area_error, rel=0.1)
    assert np.isnan(fit.p_value)


# --- backgrounds ---------------------------------------------------------------------------------------


def test_backgrounds_are_fitted_with_the_peaks():
    u = (AXIS - AXIS[0] + 0.125) / 100.0
    rows = THREE
    peaks = lines(rows, level=0.0)
    rng = np.random.default_rng(2)
    cases = {
        "linear": 80.0 - 60.0 * u,
        "polynomial": 40.0 + 120.0 * u**2,
        "exponential": 120.0 * np.exp(-2.5 * u),
        "spline": 60.0 + 30.0 * np.sin(5.0 * u),
    }
    for name, curve in cases.items():
        fit = fit_peaks((AXIS, rng.poisson(peaks + curve)), 3, background=name)
        assert fit.p_value > 1e-3, name
        # a spline can trade with the tails of Lorentzian shares
        np.testing.assert_allclose(fit.background_curve, curve, atol=60.0 if name == "spline" else 8.0)


def test_a_step_is_part_of_the_model():
    rows = [[40.0, 5.0, 4e4, 0.0], [60.0, 6.0, 3e4, 0.0]]
    step = sum(0.25 * 0.004 * area * norm.cdf(AXIS, x0, w * SIGMA) for x0, w, area, _ in rows)
    y = np.random.default_rng(0).poisson(lines(rows) + step)
    fit = fit_peaks((AXIS, y), 2, shape="gaussian", background=Constant() + Shirley())
    assert fit.background["step"][0] == pytest.approx(0.004, abs=4 * fit.background["step"][1])
    assert fit.p_value > 1e-3
    each = fit_peaks((AXIS, y), 2, shape="gaussian", background=Constant() + Shirley(per_peak=True))
    assert list(each.background) == ["level", "step[peak 1]", "step[peak 2]"]
    assert each.deviance <= fit.deviance


def test_signed_backgrounds_may_be_negative():  # fault 30
    y = lines([[40.0, 6.0, 1e4, 0.2]], level=-30.0) + np.random.default_rng(0).normal(0, 5.0, 400)
    with pytest.warns(SpectrumWarning, match="negative"):
        fit = fit_peaks((AXIS, y), 1, background=Linear(positive=False))
    assert fit.background["b0"][0] == pytest.approx(-30.0, abs=2.0)
    assert fit.peaks[0].area == pytest.approx(1e4, abs=5 * fit.peaks[0].area_error)
    with pytest.warns(SpectrumWarning):
        held = fit_peaks((AXIS, y), 1, background="linear")
    assert min(value for value, _ in held.background.values()) >= 0.0


def test_background_alone():  # fault 12
    y = np.random.default_rng(0).poisson(20.0, 100).astype(float)
    fit = fit_peaks((np.arange(100.0), y), 0)
    assert fit.peaks == ()
    assert fit.components.shape == (0, 100)
    assert fit.background["level"][0] == pytest.approx(y.mean(), rel=1e-8)
    assert fit.background["level"][1] == pytest.approx(np.sqrt(y.mean() / 100), rel=1e-6)
    assert fit.to_frame().empty


# --- ties, bounds, starts ------------------------------------------------------------------------------

PAIR = [[30.0, 6.0, 3e4, 0.3], [40.0, 6.0, 1.5e4, 0.3], [70.0, 7.0, 3e4, 0.2]]


def test_a_doublet_keeps_its_ratio_and_follows_its_parent():
    y = noisy(PAIR)
    fit = fit_peaks(
        (AXIS, y),
        3,
        labels=["Si 2p3/2", "Si 2p1/2", "C"],
        ties=[("Si 2p3/2", "Si 2p1/2", Doublet(10.0, P_RATIO))],
    )
    a, b, c = fit.peaks
    assert (a.label, b.label, c.label) == ("Si 2p3/2", "Si 2p1/2", "C")
    assert b.position - a.position == pytest.approx(10.0, rel=1e-12)
    assert b.area / a.area == pytest.approx(0.5, rel=1e-12)
    assert b.fwhm == pytest.approx(a.fwhm, rel=1e-12)
    assert b.area_error == pytest.approx(0.5 * a.area_error, rel=1e-9)
    assert a.position == pytest.approx(30.0, abs=5 * a.position_error)
    assert fit.n_free == 9


@pytest.mark.filterwarnings("ignore:.*Labels")
def test_a_doublet_behind_its_parent_still_follows_it():
    y = noisy(PAIR)
    fit = fit_peaks(
        (AXIS, y), 3, labels=["a", "b", "c"], ties=[("b", "a", Doublet(-10.0, 2.0, fixed="splitting"))]
    )
    assert [p.label for p in fit.peaks] == ["b", "a", "c"]
    np.testing.assert_allclose([p.position for p in fit.peaks], [40, 30, 70], atol=0.2)
    assert any("Labels are not in the order" in note for note in fit.notes)


def test_ties_bounds_and_fixed_values_hold():
    y = noisy(PAIR)
    fit = fit_peaks((AXIS, y), 3, ties=[tie("peak 2.fwhm", 0.9 * of("peak 1.fwhm"))])
    assert fit.peaks[1].fwhm == pytest.approx(0.9 * fit.peaks[0].fwhm, rel=1e-12)
    fit = fit_peaks(
        (AXIS, y), 3, fixed={"peak 1.position": 30.1, "peak 2.lorentz_fraction": 0.3, "peak 3.area": 2.9e4}
    )
    assert fit.peaks[0].position == 30.1
    assert fit.peaks[0].position_error == 0.0
    assert fit.peaks[1].lorentz_fraction == pytest.approx(0.3, rel=1e-12)
    assert fit.peaks[2].area == pytest.approx(2.9e4, rel=1e-12)
    assert fit.n_free == 10
    fit = fit_peaks((AXIS, y), 3, width_range=(None, 6.5))
    assert fit.peaks[2].fwhm == pytest.approx(6.5, rel=1e-12)
    assert fit.peaks[2].at_bound
    assert np.isnan(fit.peaks[2].errors["fwhm"])
    assert fit.peaks[2].limits["fwhm"] < 6.5


def test_labels_with_a_place_keep_it():
    y = noisy(PAIR)
    with pytest.warns(SpectrumWarning, match=r"Labels .* by position they are 'b', 'c', 'a'"):
        fit = fit_peaks((AXIS, y), 3, labels=["a", "b", "c"], bounds={"a.position": (60, 80)})
    assert fit.peaks[2].label == "a"
    assert fit.peaks[2].position == pytest.approx(70.0, abs=0.2)


def test_all_kinds_of_starts_lead_to_the_same_fit():
    y = noisy(PAIR)
    blind = fit_peaks((AXIS, y), 3)
    for start in (
        blind, blind.to_frame(), blind.theta, list(blind.peaks), [(30, 5), (41, 5, 1e4), (69, 8, 2e4, 0.5)],
        [{"position": 30.0, "fwhm": 5.0}, {"position": 41.0, "fwhm": 5.0}, {"position": 69.0, "fwhm": 5.0}],
        np.vstack([blind.theta, blind.theta * 1.01]),
        pd.DataFrame({"position": [30, 40, 70], "fwhm": [5, 5, 5]}),
    ):  # fmt: skip
        fit = fit_peaks((AXIS, y), 3, start=start)
        assert fit.deviance == pytest.approx(blind.deviance, abs=1e-5)
        np.testing.assert_allclose(
            [p.position for p in fit.peaks], [p.position for p in blind.peaks], atol=1e-4
        )
    other = fit_peaks((AXIS, y), 3, shape="voigt", start=blind)
    assert other.deviance <= fit_peaks((AXIS, y), 3, shape="voigt").deviance + 1e-3


# --- what comes back -----------------------------------------------------------------------------------


def test_the_order_of_the_axis_is_the_users():  # fault 3
    one = fit_peaks((AXIS, COUNTS), 3)
    other = fit_peaks((AXIS[::-1], COUNTS[::-1]), 3)
    assert table(other).tobytes() == table(one).tobytes()
    for name in ("expected", "background_curve", "residuals", "counts", "axis"):
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name)[::-1])
    np.testing.assert_array_equal(other.components, one.components[:, ::-1])
    shuffled = np.random.default_rng(0).permutation(400)
    third = fit_peaks((AXIS[shuffled], COUNTS[shuffled]), 3)
    np.testing.assert_array_equal(third.expected, one.expected[shuffled])


def test_masks_and_gaps_are_left_out():
    y = COUNTS.copy()
    y[100:110] = np.nan
    mask = np.zeros(400, bool)
    mask[300:310] = True
    fit = fit_peaks((AXIS, y), 3, sample_mask=mask)
    assert fit.mask.sum() == 20
    assert np.isnan(fit.residuals).sum() == 20
    assert np.isfinite(fit.expected).all()
    assert fit.dof == 380 - fit.n_free + int(sum(np.isnan(list(p.errors.values())).sum() for p in fit.peaks))
    np.testing.assert_allclose(table(fit)[:, 0], [30, 44, 70], atol=0.2)


def test_predictions_components_and_responsibilities():
    model = PeakMixture(3).fit(AXIS[:, None], COUNTS)
    np.testing.assert_array_equal(model.predict(AXIS), model.expected_)
    np.testing.assert_allclose(model.predict(AXIS[50:60] + 1e-12), model.expected_[50:60], rtol=1e-8)
    fine = np.linspace(1.0, 99.0, 997)
    truth = sum(
        0.25 * p.area * ((1 - p.lorentz_fraction) * norm.pdf(fine, p.position, p.fwhm * SIGMA)
                         + p.lorentz_fraction * cauchy.pdf(fine, p.position, p.fwhm / 2))
        for p in model.peaks_
    )  # fmt: skip
    np.testing.assert_allclose(model.components(fine).sum(0), truth, rtol=1e-8)
    np.testing.assert_allclose(model.predict(fine) - truth, model.background_["level"][0], rtol=1e-7)
    np.testing.assert_allclose(model.responsibilities_.sum(1), 1.0)
    assert model.responsibilities_.shape == (400, 4)
    residual = COUNTS - model.expected_
    r2 = 1 - (residual**2).sum() / ((COUNTS - COUNTS.mean()) ** 2).sum()
    assert model.score(AXIS, COUNTS) == pytest.approx(r2)
    assert model.weights_.sum() == pytest.approx(
        1 - 400 * model.background_["level"][0] / COUNTS.sum(), abs=0.06
    )


def test_integrated_components_are_differences_of_the_distribution():
    axis = np.linspace(2.5, 97.5, 20)
    y = np.random.default_rng(0).poisson(5e4 * np.diff(norm.cdf(np.linspace(0, 100, 21), 50, 8)) + 10)
    model = PeakMixture(1, "gaussian").fit(axis, y)
    p = model.peaks_[0]
    at = np.array([40.0, 52.0])
    want = p.area * (
        norm.cdf(at + 2.5, p.position, p.fwhm * SIGMA) - norm.cdf(at - 2.5, p.position, p.fwhm * SIGMA)
    )
    np.testing.assert_allclose(model.components(at)[0], want, rtol=1e-9)


def test_drawn_spectra_have_the_mean_and_the_noise_of_the_fit():
    model = PeakMixture(3).fit(AXIS[::-1], COUNTS[::-1])
    drawn = model.sample(400, 0)
    assert drawn.shape == (400, 400)
    z = (drawn.mean(0) - model.expected_) / np.sqrt(model.expected_ / 400)
    assert abs(z.mean()) < 0.2
    assert z.std() == pytest.approx(1.0, abs=0.15)
    assert (drawn == model.sample(400, 0)).all()
    for noise in (GaussianNoise(), GaussianNoise(15.0), RobustNoise()):
        model = PeakMixture(3, noise=noise).fit(AXIS, COUNTS)
        assert model.sample(50, 1).mean() == pytest.approx(COUNTS.mean(), rel=0.01)


def test_the_record_as_tables():
    fit = fit_peaks(Spectrum(AXIS, COUNTS, "eV", "binding", "C 1s"), 3, labels=["a", "b", "c"])
    frame = fit.to_frame()
    assert frame["label"].to_list() == ["a", "b", "c"]
    assert frame["position"].to_list() == [p.position for p in fit.peaks]
    curves = fit.curves()
    assert curves.columns.to_list() == ["axis", "counts", "sum", "background", "a", "b", "c", "residual"]
    np.testing.assert_allclose(curves["sum"], curves[["a", "b", "c", "background"]].sum(axis=1))
    np.testing.assert_allclose(curves["residual"], (COUNTS - curves["sum"]) / np.sqrt(curves["sum"]))
    assert 1 <= fit.starts["chosen"].sum() <= 3
    assert len(fit.starts) == fit.n_starts == 20
    assert 1 <= fit.optimum_hits <= 20
    assert (fit.unit, fit.axis_kind, fit.label, fit.shape) == ("eV", "binding", "C 1s", "PseudoVoigt")
    assert repr(fit).startswith("PeakFit: 3 peaks (a at 29.99")
    assert " eV), deviance " in repr(fit)
    assert "±" in repr(fit.peaks[0])


def test_profiles_bracket_the_value_and_agree_with_the_error():
    model = PeakMixture(3).fit(AXIS, COUNTS)
    peak = model.peaks_[1]
    for name in ("position", "fwhm", "area", "lorentz_fraction"):
        low, high = model.profile(f"peak 2.{name}")
        value, error = getattr(peak, name), getattr(peak, f"{name}_error")
        assert low < value < high
        assert high - low == pytest.approx(2 * error, rel=0.05)
    low, high = model.profile("peak 2.area", delta=4.0)
    assert high - low == pytest.approx(4 * peak.area_error, rel=0.05)
    with pytest.raises(InputError, match=r"name must be one of .*'peak 9.area'"):
        model.profile("peak 9.area")
    with pytest.raises(InputError, match=r"delta must be positive. Got -1"):
        model.profile("peak 2.area", delta=-1)


def test_a_share_on_its_bound_has_a_limit():
    fit = fit_peaks((AXIS, noisy([[50.0, 8.0, 5e4, 0.0]], seed=4)), 1)
    peak = fit.peaks[0]
    assert peak.at_bound
    assert np.isnan(peak.errors["area_lorentz"])
    assert 0 < peak.limits["area_lorentz"] < 5e3
    free = fit_peaks(
        (AXIS, noisy([[50.0, 8.0, 5e4, 0.0]], seed=4)),
        1,
        fixed={"peak 1.area_lorentz": peak.limits["area_lorentz"]},
    )
    assert free.deviance - fit.deviance == pytest.approx(2.71, abs=1e-3)


def test_sklearn_manners():
    model = PeakMixture(2, "gaussian", noise=PoissonNoise(2.0), random_state=3)
    assert clone(model).get_params() == model.get_params()
    assert repr(PeakMixture(3)) == "PeakMixture(n_components=3)"
    for call in (model.predict, model.components, model.sample):
        with pytest.raises(NotFittedError):
            call()
    before = COUNTS.copy()
    again = PeakMixture(3, random_state=5)
    first = again.fit(AXIS, COUNTS).theta_.tobytes()
    assert again.fit(AXIS, COUNTS).theta_.tobytes() == first
    assert (before == COUNTS).all()
    assert COUNTS.flags.writeable
    generator = PeakMixture(3, random_state=np.random.RandomState(0)).fit(AXIS, COUNTS)
    assert generator.deviance_ == pytest.approx(again.deviance_, abs=1e-5)


# --- faults --------------------------------------------------------------------------------------------


def test_too_few_channels():  # faults 7 and 11
    with pytest.raises(InputError, match=r"n = 8 channels for p = 9 parameters"):
        fit_peaks((np.arange(8.0), np.arange(8) + 1), 2)
    with pytest.raises(InputError, match=r"n = 1 channels for p = 5"):
        fit_peaks(([1.0], [5]), 1)


@pytest.mark.filterwarnings("ignore::sozai.contracts.errors.ConvergenceWarning")
def test_identical_peaks_are_said():  # fault 13
    y = noisy([[50.0, 8.0, 5e4, 0.3]], seed=1)
    start = [(50.0, 8.0, 2.5e4, 0.3), (50.05, 8.0, 2.5e4, 0.3)]
    with pytest.warns(SpectrumWarning) as caught:
        fit = fit_peaks((AXIS, y), 2, start=start)
    assert any("Merge suggested: 'peak 1' and 'peak 2' lie 0.0" in str(w.message) for w in caught)
    assert not any(peak.supported for peak in fit.peaks)
    one = fit_peaks((AXIS, y), 1)
    assert one.deviance + one.n_free * np.log(400) < fit.deviance + fit.n_free * np.log(400)


def test_a_peak_on_the_edge_is_said_and_unbiased():  # fault 14
    rows = [[2.0, 6.0, 4e4, 0.2], [60.0, 8.0, 4e4, 0.3]]
    with pytest.warns(
        SpectrumWarning, match=r"'peak 1' at 2\.0\d* lies on the edge of the window from 0 to 100"
    ):
        fit = fit_peaks((AXIS, noisy(rows)), 2)
    peak = fit.peaks[0]
    assert abs(peak.position - 2.0) < 4 * peak.position_error
    assert abs(peak.area - 4e4) < 4 * peak.area_error


def test_a_width_stays_above_its_floor():  # fault 15
    y = np.full(400, 100.0)
    y[200] = 5000.0
    with pytest.warns(SpectrumWarning) as caught:
        fit = fit_peaks((AXIS, y), 1, shape="gaussian")
    assert fit.peaks[0].fwhm == pytest.approx(0.375)
    assert fit.peaks[0].at_bound
    assert any("The width of 'peak 1' is at its floor of 0.375" in str(w.message) for w in caught)


def test_a_peak_wider_than_the_window_is_said():  # fault 16
    y = np.random.default_rng(0).poisson(lines([[50.0, 140.0, 5e5, 0.0]], level=0.0))
    with pytest.warns(SpectrumWarning, match=r"wide, more than the window of 100: it acts as a background"):
        fit = fit_peaks((AXIS, y), 1, shape="gaussian", background="none")
    assert fit.peaks[0].fwhm == pytest.approx(140.0, rel=0.02)


def test_likelihood_that_does_not_settle_is_said():  # fault 26
    with pytest.warns(ConvergenceWarning, match=r"status 'max_iter' after 2 iterations"):
        fit = fit_peaks((AXIS, COUNTS), 3, max_iter=2, start=[(28, 5), (46, 5), (71, 5)])
    assert (fit.converged, fit.status) == (False, "max_iter")


def test_labels_do_not_switch():  # fault 27
    for seed in range(4):
        fit = fit_peaks((AXIS, COUNTS), 3, random_state=seed)
        assert [p.label for p in fit.peaks] == ["peak 1", "peak 2", "peak 3"]
        assert np.diff([p.position for p in fit.peaks]).min() > 0
        assert list(fit.theta[:12:4]) == [p.position for p in fit.peaks]


def test_clipped_peaks_can_be_left_out():  # fault 8
    y = np.minimum(COUNTS, 1000.0)
    with pytest.warns(SpectrumWarning, match="Pass saturation="):
        clipped = fit_peaks((AXIS, y), 3)
    fit = fit_peaks((AXIS, y), 3, saturation=1000.0)
    assert abs(fit.peaks[1].area - 4e4) < 4 * fit.peaks[1].area_error
    assert clipped.peaks[1].area < fit.peaks[1].area


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_init": 0}, "n_init"),
        ({"n_components": -1}, "n_components"),
        ({"shape": "triangle"}, "shape must be .*'triangle'"),
        ({"background": "wavy"}, "background must be .*'wavy'"),
        ({"noise": "loud"}, "noise must be .*'loud'"),
        ({"labels": ["a"]}, r"labels must name each of the 3 peaks once.*\['a'\]"),
        ({"shape": ["gaussian"]}, "one for each of the 3 peaks. Got 1"),
        ({"bounds": {"peak 1.fwhm": (9, 3)}}, r"lower <= upper. Got \(9, 3\) for 'peak 1.fwhm'"),
        ({"bounds": {"peak 4.fwhm": (3, 9)}}, "bounds must name parameters .*'peak 4.fwhm'"),
        ({"bounds": {"peak 1.area": (10, 20)}}, "bounds must name internal parameters. Got 'peak 1.area'"),
        ({"fixed": {"peak 1.lorentz_fraction": 1.5}},
         r"lie between 0 and 1. Got 1.5 for 'peak 1.lorentz_fraction'"),
        ({"fixed": {"peak 1.widthe": 1.5}}, "'peak 1.widthe'"),
        (
            {"ties": [tie("peak 1.fwhm", "peak 2.fwhm"), tie("peak 2.fwhm", "peak 1.fwhm")]},
            "peak 1.fwhm -> peak 2.fwhm -> peak 1.fwhm",
        ),
        ({"ties": [("peak 1", "peak 7", Doublet(1.0, 0.5))]}, "ties must be made by tie.*'peak 7'"),
        ({"method": "em"}, "shape must be Gaussian for method='em'"),
        ({"method": "em", "shape": "gaussian", "background": "linear"},
         "background must be Constant or NoBackground"),
        ({"method": "em", "shape": "gaussian", "fixed": {"peak 1.area": 3.0}},
         "must be empty for method='em'"),
    ],
)  # fmt: skip
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        fit_peaks((AXIS, COUNTS), **{"n_components": 3, **options})


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ([(30, 5)], "start must hold 3 peaks, as n_components says. Got 1"),
        ([(30, 5), (40, np.nan), (70, 5)], "start must be finite. Got nan for 'peak 2.fwhm'"),
        ([(30, 5), (40, -2.0), (70, 5)], "start must be positive. Got -2.0 for 'peak 2.fwhm'"),
        (
            [{"position": 30}, (40, 2), (70, 5)],
            "give position and fwhm of every peak. Found for 'peak 1.fwhm'",
        ),
        (np.ones(7), r"start must have 13 parameters \(peak 1.position.*shape \(7,\)"),
        (np.full(13, np.nan), "start must be finite. Got nan for 'peak 1.position'"),
        (["x", "y", "z"], "start must be a PeakFit.* Got 'x' for peak 1"),
    ],
)
def test_starts_that_cannot_be(start, message):
    with pytest.raises(InputError, match=message):
        fit_peaks((AXIS, COUNTS), 3, start=start)


def test_data_that_cannot_be():
    y = COUNTS.copy()
    y[17] = -3.0
    with pytest.raises(InputError, match=r"PoissonNoise. Got -3.0 at channel 17 \(4.375\)"):
        fit_peaks((AXIS, y), 3, noise="poisson")
    y[17] = np.inf
    with pytest.raises(InputError, match=r"counts must be finite.* Got inf at channel 17"):
        fit_peaks((AXIS, y), 3)
    with pytest.raises(InputError, match="All 400 channels are masked"):
        fit_peaks((AXIS, COUNTS), 3, sample_mask=np.ones(400, bool))
    with pytest.raises(InputError, match="no counts: all 400 channels are 0"):
        fit_peaks((AXIS, np.zeros(400)), 3)
    with pytest.raises(
        InputError, match=r"axis must have the shape \(n,\) or \(n, 1\). Got 'shape \(200, 2\)'"
    ):
        fit_peaks((AXIS.reshape(200, 2), COUNTS), 3)
    with pytest.raises(InputError, match="spectrum must be a Spectrum or a pair"):
        fit_peaks(COUNTS, 3)
    with pytest.raises(InputError, match="counts must be given"):
        PeakMixture().fit(AXIS)
    with pytest.raises(InputError, match="counts must be left out with a Spectrum"):
        PeakMixture().fit(Spectrum(AXIS, COUNTS), COUNTS)
    model = PeakMixture(3).fit(AXIS, COUNTS)
    with pytest.raises(InputError, match=r"fitted window from 0 to 100. Got 101.0 at channel 1"):
        model.predict([50.0, 101.0])
    with pytest.raises(InputError, match=r"n must be at least 1. Got 0"):
        model.sample(0)
    with pytest.raises(InputError, match=r"method must be 'em-lm'. Got 'em'"):
        PeakMixture(3, "gaussian", method="em").fit(AXIS, COUNTS).profile("peak 1.position")
    with pytest.raises(InputError, match="start must be left out with method='em'"):
        PeakMixture(3, "gaussian", method="em").fit(AXIS, COUNTS, start=np.ones(10))


def test_a_model_that_misses_structure_is_said_in_a_note():
    axis = np.linspace(0.0, 100.0, 401)
    line = 2e5 / (1.0 + ((axis - 50.0) / 3.0) ** 2) / (np.pi * 3.0) * 0.25
    counts = np.random.default_rng(0).poisson(line + 50.0)
    wrong = fit_peaks((axis, counts), 1, shape="gaussian")
    right = fit_peaks((axis, counts), 1, shape="lorentzian")
    assert [note for note in wrong.notes if "misses structure" in note and f"{wrong.dof} degrees" in note]
    assert not [note for note in right.notes if "misses structure" in note]


@pytest.mark.parametrize(
    ("fixed", "said"),
    [
        ({"peak 9.fwhm": 1.0}, r"PeakMixture\.fit: fixed must name parameters .* Got 'peak 9\.fwhm'"),
        ({"peak 1.fwhm": float("nan")}, r"PeakMixture\.fit: fixed must be finite numbers.* Got nan"),
        ({"peak 1.fwhm": -1.0}, r"widths above 0\. Got -1\.0 for 'peak 1\.fwhm'"),
        ({"peak 1.position": "peak 2.position"}, r"tie\('peak 1\.position', of\('peak 2\.position'\)\)"),
        ([1], r"PeakMixture\.fit: fixed must be a mapping"),
    ],
)
def test_wrong_fixed_values_name_the_fit(fixed, said):
    with pytest.raises(InputError, match=said):
        PeakMixture(2, fixed=fixed).fit(AXIS, COUNTS)


@pytest.mark.parametrize("background", ["shirley", "none"])
def test_without_peaks_a_background_needs_a_level(background):
    with pytest.raises(InputError, match="level of its own where there are no peaks"):
        PeakMixture(0, background=background).fit(AXIS, COUNTS)
