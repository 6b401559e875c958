"""Errors beside a parameter on its bound: the right size, the same in one spectrum and in a map."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from sozai.spectra.peaks.map import SpectrumMapPeaks
from sozai.spectra.peaks.mixture import PeakMixture, fit_peaks
from sozai.spectra.peaks.wall_errors import half_normal_square
from sozai.spectra.spectrum import Spectrum, SpectrumMap

X = np.arange(0.5, 100.0, 0.5)


def _counts(n, share, rng):
    """Poisson counts of one line with 4000 counts, by the formulas of its two parts."""
    z = 2 * (X - 50.0) / 7.0
    gauss = 2 / 7.0 * np.sqrt(np.log(2) / np.pi) * np.exp(-np.log(2) * z**2)
    lorentz = 2 / (np.pi * 7.0) / (1 + z**2)
    return rng.poisson(10.0 + 4000.0 * 0.5 * ((1 - share) * gauss + share * lorentz), (n, n, len(X)))


@pytest.mark.parametrize("push", [0.0, 0.4, 3.0, 12.0, 29.9, 30.1])
def test_the_mean_square_behind_the_wall_is_the_integral(push):
    mass = norm.sf(push)
    integral = quad(lambda d: d**2 * norm.pdf(d + push) / mass, 0, 12, points=[1 / (1 + push)])[0]
    assert half_normal_square(np.array([push]))[0] == pytest.approx(integral, rel=3e-3)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_errors_of_areas_have_the_size_of_the_scatter(share):
    counts = _counts(30, share, np.random.default_rng(0))
    peaks = SpectrumMapPeaks(PeakMixture(1), axis=X, random_state=0).fit_map(counts)
    on_bound = np.isnan(peaks.image("peak 1.lorentz_fraction", error=True))
    assert on_bound.mean() > (0.4 if share == 0.0 else 0.005)
    for name, truth in (("area", 4000.0), ("fwhm", 7.0), ("position", 50.0)):
        pull = (peaks.image(f"peak 1.{name}") - truth) / peaks.image(f"peak 1.{name}", error=True)
        assert 0.85 < np.sqrt(np.mean(pull**2)) < 1.1, name


def test_one_spectrum_and_a_map_say_the_same():
    counts = _counts(3, 0.0, np.random.default_rng(3))
    mixture = PeakMixture(1, integration="bin")
    peaks = SpectrumMapPeaks(mixture, axis=X, random_state=0).fit_map(SpectrumMap(X, counts))
    bounds = 0
    for i, row in enumerate(counts.reshape(-1, len(X))):
        fit = fit_peaks(Spectrum(X, row), 1, background="constant", integration="bin", random_state=0)
        peak = fit.peaks[0]
        bounds += peak.at_bound
        errors = [peak.position_error, peak.fwhm_error, peak.area_error, peak.lorentz_fraction_error]
        np.testing.assert_allclose(peaks.errors[i, 0, :4], errors, rtol=2e-3)
        assert any("'peak 1.area_lorentz' is on its lower bound 0" in n for n in fit.notes) == peak.at_bound
    assert 0 < bounds < 9
    assert any(f"'peak 1.area_lorentz' (lower, 0) in {bounds}" in note for note in peaks.notes)
