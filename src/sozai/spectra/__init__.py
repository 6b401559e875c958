"""A curve as a sum of peaks - or of causes."""

from sozai.spectra.files import read_map, read_spectra, write_map, write_spectra
from sozai.spectra.noise import GaussianNoise, Noise, PoissonNoise, RobustNoise, as_noise
from sozai.spectra.peaks import (
    PeakFit,
    PeakMap,
    PeakMixture,
    SpectrumMapPeaks,
    fit_peaks,
    select_n_components,
)
from sozai.spectra.spectrum import Spectrum, SpectrumMap
from sozai.spectra.spectrum_checks import CheckedSpectrum, SpectrumWarning, check_spectrum
from sozai.spectra.vamas import VamasBlock, VamasFile, read_vamas

__all__ = [
    "CheckedSpectrum",
    "GaussianNoise",
    "Noise",
    "PeakFit",
    "PeakMap",
    "PeakMixture",
    "PoissonNoise",
    "RobustNoise",
    "Spectrum",
    "SpectrumMap",
    "SpectrumMapPeaks",
    "SpectrumWarning",
    "VamasBlock",
    "VamasFile",
    "as_noise",
    "check_spectrum",
    "fit_peaks",
    "read_map",
    "read_spectra",
    "read_vamas",
    "select_n_components",
    "write_map",
    "write_spectra",
]
