"""# Peaks of a spectrum

Which lines are behind a measured curve, how many, and how sure? No start values are needed.

スペクトルのピークを、初期値なしで、誤差と本数の根拠つきで求めます。
"""

# %%
# ## A spectrum whose truth is known
# Three pseudo-Voigt lines on a flat background, 200,000 counts. Rows: position, FWHM, area, Lorentz fraction.
import numpy as np

from sozai.datasets import make_spectrum
from sozai.displays import PeakDisplay
from sozai.spectra.files import read_spectra, write_spectra
from sozai.spectra.peaks.mixture import PeakMixture, fit_peaks
from sozai.spectra.peaks.ties import P_RATIO, Doublet
from sozai.spectra.spectrum import Spectrum

truth = np.array([[284.8, 1.1, 90e3, 0.2], [286.3, 1.2, 40e3, 0.2], [288.7, 1.1, 15e3, 0.2]])
made = make_spectrum(truth, n_channels=300, window=(280.0, 293.0), background=180.0, rng=0)
spectrum = Spectrum(made.frame["axis"], made.frame["counts"], "eV", "binding", label="C 1s")
print(spectrum)

# %%
# ## Files
# VAMAS, text in columns and others are read by their content; what is written comes back to the last digit.
write_spectra("C1s.vms", spectrum)
again = read_spectra("C1s.vms")[0]
assert np.array_equal(again.counts, spectrum.counts)

# %%
# ## The peaks
# Each line comes with errors; the deviance says whether the model describes the counts.
fit = fit_peaks(again, 3, random_state=0)
for peak in fit.peaks:
    print(peak)
print(f"deviance {fit.deviance:.0f} for {fit.dof} degrees of freedom, p = {fit.p_value:.2f}")
for peak, (position, fwhm, area, _) in zip(fit.peaks, truth, strict=True):
    assert abs(peak.position - position) < 4 * peak.position_error
    assert abs(peak.fwhm - fwhm) < 4 * peak.fwhm_error
    assert abs(peak.area - area) < 4 * peak.area_error

# %%
# ## The figure
# Binding energies fall from left to right; the residual below is in units of the expected scatter.
PeakDisplay.from_fit(fit).save("C1s.png")
print(fit.curves().head(3).round(2).to_string(index=False))

# %%
# ## A doublet
# Two lines of a p level: fixed distance, areas 2:1, one width; fewer numbers and smaller errors.
pair = np.array([[99.4, 0.7, 30e3, 0.3], [100.0, 0.7, 15e3, 0.3]])
silicon = make_spectrum(pair, n_channels=200, window=(97.0, 103.0), background=60.0, rng=1).frame
free = PeakMixture(2, random_state=0).fit(silicon["axis"], silicon["counts"])
tied = PeakMixture(2, ties=[("peak 1", "peak 2", Doublet(0.6, P_RATIO))], random_state=0)
tied.fit(silicon["axis"], silicon["counts"])
print(free.peaks_[0], tied.peaks_[0], sep="\n")
assert tied.peaks_[0].area_error < free.peaks_[0].area_error
assert abs(tied.peaks_[1].position - tied.peaks_[0].position - 0.6) < 1e-9
