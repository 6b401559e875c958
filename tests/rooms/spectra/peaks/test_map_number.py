"""How many peaks a map and its pixels have: planted numbers found, drift not taken for more peaks."""

from __future__ import annotations

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.datasets.make_spectra import make_spectrum_map
from sozai.spectra.noise import GaussianNoise
from sozai.spectra.peaks.map import SpectrumMapPeaks
from sozai.spectra.peaks.map_number import gain_of_more
from sozai.spectra.peaks.mixture import PeakMixture
from sozai.spectra.spectrum import SpectrumMap

X = np.linspace(0.0, 100.0, 120)


def _line(center, width=7.0):
    return np.exp(-4 * np.log(2) * ((X - center) / width) ** 2)


@pytest.fixture(scope="module")
def made():
    return make_spectrum_map((32, 32), n_channels=120, total=2e4, rng=0)


def test_pixels_keep_the_peaks_that_they_hold(made):
    peaks = SpectrumMapPeaks(random_state=0).fit_map(SpectrumMap(made.axis, made.counts))
    assert len(peaks.labels) == 3
    live = made.counts.sum(axis=2) > 0
    truth = made.position[..., [0, 2, 1]]
    found = np.stack([peaks.image(f"peak {k}.position") for k in (1, 2, 3)], axis=-1)
    same = (np.isfinite(found) == np.isfinite(truth)).all(axis=2)
    with np.errstate(invalid="ignore"):
        near = ((np.abs(found - truth) < 1.5) | ~np.isfinite(truth)).all(axis=2)
    assert (same & near & (peaks.image("status") == 0))[live].mean() > 0.99


def test_a_given_number_is_kept_and_spare_peaks_are_told(made):
    peaks = SpectrumMapPeaks(n_components=3, random_state=0).fit_map(SpectrumMap(made.axis, made.counts))
    fitted = np.isfinite(peaks.deviance)
    assert np.isfinite(peaks.values[fitted]).all(axis=(1, 2)).any()
    assert (np.isfinite(peaks.values[fitted, :, 0]).sum(axis=1) == 3).all()
    assert any("n_components='per-pixel'" in note for note in peaks.notes)


@pytest.mark.parametrize("drift", [4.0, 20.0])
def test_a_peak_that_drifts_is_one(drift):
    centers = 40.0 + np.linspace(0.0, drift, 32)[:, None]
    curves = 10.0 + 300.0 * np.array([_line(center) for center in centers.ravel()])
    counts = np.random.default_rng(0).poisson(np.repeat(curves[:, None], 32, axis=1))
    model = SpectrumMapPeaks(axis=X, random_state=0)
    model.fit(counts.reshape(-1, len(X)))
    assert model.n_components_ == 1


def test_nothing_but_background_and_noise_of_any_size():
    rng = np.random.default_rng(1)
    flat = SpectrumMapPeaks(axis=X, random_state=0).fit_map(rng.poisson(20.0, (6, 6, len(X))))
    assert flat.labels == ()
    assert flat.values.shape == (36, 0, 5)
    noisy = 50.0 + 40.0 * _line(45.0) + rng.normal(0.0, 8.0, (12, 12, len(X)))
    mixture = PeakMixture(1, "gaussian", noise=GaussianNoise())
    model = SpectrumMapPeaks(mixture, n_components="auto", axis=X, random_state=0)
    assert len(model.fit_map(noisy).labels) == 1


def test_bounds_of_the_number():
    counts = np.random.default_rng(2).poisson(10.0 + 300.0 * _line(40.0), (5, 5, len(X)))
    peaks = SpectrumMapPeaks(n_components=(1, 3), axis=X, random_state=0).fit_map(counts)
    assert len(peaks.labels) == 1
    with pytest.raises(InputError, match=r"fewest and most, that do not fall\. Got \(3, 1\)"):
        SpectrumMapPeaks(n_components=(3, 1), axis=X).fit_map(counts)


def test_rows_that_get_worse_take_nothing_away():
    assert gain_of_more(np.array([5.0, np.inf]), np.array([9.0, np.inf])) == 0.0
    assert gain_of_more(np.array([5.0, 2.0]), np.array([1.0, 3.0])) == 4.0
