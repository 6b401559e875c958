"""Records and quality of a fit, held against SciPy and against counting."""

import numpy as np
import pytest
from scipy.stats import chi2, poisson

from sozai.spectra.peaks.background import Constant
from sozai.spectra.peaks.fit_quality import (
    deviance_p_value,
    peak_notes,
    runs_p_value,
    support_notes,
    too_close,
)
from sozai.spectra.peaks.fit_report import output_order
from sozai.spectra.peaks.mixture import fit_peaks
from sozai.spectra.peaks.peak_fit import Peak, StartTable
from sozai.spectra.peaks.peak_names import make_roster
from sozai.spectra.peaks.ties import Doublet


def peak(label, position, fwhm=2.0, area=100.0, error=5.0, **more):
    return Peak(label, position, 0.1, fwhm, 0.1, area, error, 10.0, 1.0, 0.3, 0.1, position, **more)


def test_bright_spectra_have_the_chi_square_of_textbooks():
    assert deviance_p_value(120.0, 100) == pytest.approx(chi2.sf(120.0, 100), rel=1e-10)
    assert deviance_p_value(120.0, 100, np.full(104, 500.0)) == pytest.approx(chi2.sf(120.0, 100), rel=1e-10)
    assert np.isnan(deviance_p_value(1.0, 0))


@pytest.mark.parametrize("mean", [0.1, 1.0, 5.0])
def test_dim_spectra_have_the_deviance_of_poisson_counts(mean):
    rng = np.random.default_rng(0)
    y = poisson.rvs(mean, size=(4000, 200), random_state=rng)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = 2 * (mean - y + np.where(y > 0, y * np.log(y / mean), 0.0))
    total = each.sum(axis=1)
    chances = np.array([deviance_p_value(one, 200, np.full(200, mean)) for one in total])
    assert chances.mean() == pytest.approx(0.5, abs=0.02)
    assert np.quantile(chances, 0.1) == pytest.approx(0.1, abs=0.02)
    textbook = chi2.sf(total, 200)
    assert abs(textbook.mean() - 0.5) > 0.1  # which is why


def test_runs_of_signs():
    rng = np.random.default_rng(0)
    chances = [runs_p_value(rng.standard_normal(200)) for _ in range(400)]
    assert np.mean(chances) == pytest.approx(0.5, abs=0.05)
    assert runs_p_value(np.sin(np.linspace(0, 12, 200))) < 1e-6
    assert np.isnan(runs_p_value(np.ones(10)))
    assert np.isnan(runs_p_value(np.array([1.0, np.nan])))


def test_close_pairs():
    assert too_close(np.array([0.0, 0.4, 10.0]), np.array([2.0, 4.0, 1.0])) == [(0, 1)]
    assert too_close(np.array([0.0, 0.6]), np.array([2.0, 4.0])) == []


def test_notes_name_peaks_and_numbers():
    window = (0.0, 20.0)
    peaks = [
        peak("a", 0.5), peak("b", 10.0, supported=False, area=10.0, error=4.0), peak("c", 10.2),
        peak("d", 15, 25.0),
    ]  # fmt: skip
    notes = peak_notes(peaks, window, {"c": 0.3}, ["b", "a", "c", "d"])
    assert notes[0] == "Merge suggested: 'b' and 'c' lie 0.1 widths apart (at 10 and 10.2)."
    assert "'a' at 0.5 lies on the edge of the window from 0 to 20" in notes[1]
    assert "'b' is not supported by the data: its area is 2.5 errors" in support_notes(peaks)[0]
    assert len(support_notes(peaks)) == 1
    assert notes[2] == "The width of 'c' is at its floor of 0.3."
    assert "'d' is 25 wide, more than the window of 20" in notes[3]
    assert notes[4].endswith("by position they are 'a', 'b', 'c', 'd'.")
    assert peak_notes([peak("a", 5.0), peak("b", 12.0)], window, {}, ["a", "b"]) == []


def test_partners_follow_their_parents():
    ties = [("a", "b", Doublet(-3.0, 0.5)), ("c", "d", Doublet(1.0, 0.5))]
    roster = make_roster(5, "gaussian", Constant(), labels=["a", "b", "c", "d", "e"], ties=ties)
    theta = np.ravel([[x, 1.0, 1.0] for x in (10.0, 7.0, 4.0, 5.0, 1.0)])
    assert output_order(roster, np.append(theta, 1.0)) == [4, 2, 3, 0, 1]
    assert roster.alike == (4,)


def test_a_table_of_starts():
    table = StartTable(
        ("x", "y"), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]), np.array([True, False])
    )
    assert repr(table) == "StartTable(2 starts, 1 fitted)"
    frame = table.to_frame()
    assert frame.columns.to_list() == ["start", "deviance", "x", "y", "chosen"]
    assert frame.loc[1, "y"] == 4.0


def test_deviance_p_value_and_dispersion_of_a_fit_are_those_of_its_curves():
    axis = np.arange(60.0)
    y = np.random.default_rng(1).poisson(4 + 60 * np.exp(-(((axis - 30) / 6) ** 2)))
    fit = fit_peaks((axis, y), 1, shape="gaussian")
    mu = fit.expected
    with np.errstate(divide="ignore", invalid="ignore"):
        want = 2 * (mu - y + np.where(y > 0, y * np.log(y / mu), 0.0)).sum()
    assert fit.deviance == pytest.approx(want, rel=1e-10)
    assert fit.dof == 60 - 4
    assert fit.dispersion == pytest.approx((((y - mu) ** 2) / mu).sum() / 56, rel=1e-10)
    np.testing.assert_allclose(fit.residuals, (y - mu) / np.sqrt(mu))
    assert 0.001 < fit.p_value < 0.999
    assert fit.minus_two_log_likelihood == fit.deviance
