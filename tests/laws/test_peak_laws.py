"""Laws of peak fits: units, mirrors, counting time, order, seeds, threads, coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import cauchy, norm

from sozai.spectra.peaks.mixture import PeakMixture, fit_peaks

SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))
AXIS = np.linspace(0.25, 99.75, 200)
ROWS = [[28.0, 7.0, 3e4, 0.3], [45.0, 8.0, 2e4, 0.5], [72.0, 6.0, 3e4, 0.4]]


def lines(rows=ROWS, level=40.0, axis=AXIS):
    width = abs(axis[1] - axis[0])
    return level + sum(
        width * a * ((1 - e) * norm.pdf(axis, x0, w * SIGMA) + e * cauchy.pdf(axis, x0, w / 2))
        for x0, w, a, e in rows
    )


COUNTS = np.random.default_rng(0).poisson(lines()).astype(float)


def table(fit, *names):
    return np.array([[getattr(peak, name) for name in names] for peak in fit.peaks])


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e3))
@settings(max_examples=8)
def test_the_unit_and_the_origin_of_the_axis_do_not_matter(shift, scale):  # fault 28
    one = fit_peaks((AXIS, COUNTS), 3)
    other = fit_peaks((shift + scale * AXIS, COUNTS), 3)
    seen = table(other, "position", "position_error", "fwhm", "fwhm_error", "area", "area_error")
    want = table(one, "position", "position_error", "fwhm", "fwhm_error", "area", "area_error")
    want[:, 0] = shift + scale * want[:, 0]
    want[:, 1:4] *= scale
    tolerance = 1e-3 * scale * table(one, "position_error").max()
    np.testing.assert_allclose(seen[:, 0], want[:, 0], atol=tolerance)
    np.testing.assert_allclose(seen[:, 1:], want[:, 1:], rtol=1e-3)
    assert other.deviance == pytest.approx(one.deviance, abs=1e-4)


@given(st.floats(1e-6, 1e6))
@settings(max_examples=8)
def test_the_unit_of_counts_does_not_matter_to_gaussian_noise(factor):
    one = fit_peaks((AXIS, COUNTS), 3, noise="gaussian")
    other = fit_peaks((AXIS, factor * COUNTS), 3, noise="gaussian")
    columns = ("position", "fwhm", "area", "position_error", "fwhm_error", "area_error")
    np.testing.assert_allclose(
        table(other, *columns), table(one, *columns) * [1, 1, factor, 1, 1, factor], rtol=1e-4
    )
    assert other.dispersion == pytest.approx(factor**2 * one.dispersion, rel=1e-6)


def test_a_mirrored_axis_mirrors_the_fit():
    one = fit_peaks((AXIS, COUNTS), 3)
    other = fit_peaks((-AXIS, COUNTS), 3)
    np.testing.assert_allclose(-table(other, "position")[::-1], table(one, "position"), atol=1e-4)
    np.testing.assert_allclose(table(other, "fwhm", "area")[::-1], table(one, "fwhm", "area"), rtol=1e-4)


def test_the_order_of_channels_and_of_given_starts_does_not_matter():
    one = fit_peaks((AXIS, COUNTS), 3)
    order = np.random.default_rng(0).permutation(200)
    other = fit_peaks((AXIS[order], COUNTS[order]), 3)
    assert other.theta.tobytes() == one.theta.tobytes()
    starts = one.start_table.theta
    some = fit_peaks((AXIS, COUNTS), 3, start=starts[:5])
    same = fit_peaks((AXIS, COUNTS), 3, start=starts[4::-1])
    np.testing.assert_allclose(same.theta, some.theta, rtol=1e-9)
    peaks = [(28.0, 7.0, 3e4), (45.0, 8.0, 2e4), (72.0, 6.0, 3e4)]
    first = fit_peaks((AXIS, COUNTS), 3, start=peaks)
    last = fit_peaks((AXIS, COUNTS), 3, start=peaks[::-1])
    np.testing.assert_allclose(last.theta, first.theta, rtol=1e-5)


def test_counting_twice_as_long_shrinks_errors_by_the_root_of_two():
    expected = lines()
    one = fit_peaks((AXIS, expected), 3, noise="poisson")
    two = fit_peaks((AXIS, 2 * expected), 3, noise="poisson")
    np.testing.assert_allclose(table(two, "position", "fwhm"), table(one, "position", "fwhm"), rtol=1e-5)
    ratio = table(one, "position_error", "fwhm_error") / table(two, "position_error", "fwhm_error")
    np.testing.assert_allclose(ratio, np.sqrt(2.0), rtol=1e-3)
    np.testing.assert_allclose(table(two, "area_error") / table(one, "area_error"), np.sqrt(2.0), rtol=1e-3)


def test_any_number_of_threads_gives_the_same_bits():
    fits = [PeakMixture(3, n_jobs=n).fit(AXIS, COUNTS).result_ for n in (None, 1, 2, 4)]
    for fit in fits[1:]:
        assert fit.theta.tobytes() == fits[0].theta.tobytes()
        assert fit.covariance.tobytes() == fits[0].covariance.tobytes()
        assert fit.start_table.theta.tobytes() == fits[0].start_table.theta.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_other_seeds_find_the_same_optimum(seed):
    best = fit_peaks((AXIS, COUNTS), 3).deviance
    assert fit_peaks((AXIS, COUNTS), 3, random_state=seed).deviance == pytest.approx(best, abs=1e-4)


def test_more_peaks_never_raise_the_deviance():
    fits = [fit_peaks((AXIS, COUNTS), k).deviance for k in range(4)]
    assert fits == sorted(fits, reverse=True)


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(11)
    truth = np.array(ROWS)
    inside = []
    start = [tuple(row) for row in ROWS]
    for _ in range(200):
        fit = fit_peaks((AXIS, rng.poisson(lines())), 3, start=start)
        pairs = (("position", 0), ("fwhm", 1), ("area", 2))
        inside.append(
            [
                np.abs(table(fit, name)[:, 0] - truth[:, column]) < table(fit, f"{name}_error")[:, 0]
                for name, column in pairs
            ]
        )
    covered = np.mean(inside, axis=(0, 2))
    # nine parameters, 600 cases each: standard error 0.019
    np.testing.assert_allclose(covered, 0.683, atol=0.06)
