"""# Peaks of an image

A spectrum in every pixel: the same named peaks everywhere, as images of position, width and area.

各画素にスペクトルを持つ画像から、ピークの位置・幅・面積の画像を作ります。
"""

# %%
# ## An image with drifting lines
# Two lines in 24 x 32 pixels; the second grows to the right, and its position drifts from row to row.
import numpy as np

from sozai.displays import PeakMapDisplay
from sozai.spectra.files import read_map, write_map
from sozai.spectra.peaks.map import SpectrumMapPeaks
from sozai.spectra.peaks.mixture import PeakMixture
from sozai.spectra.spectrum import SpectrumMap

ny, nx = 24, 32
axis = np.linspace(280.0, 292.0, 121)
drift = np.linspace(0.0, 0.4, ny)[:, None, None]
share = np.linspace(0.3, 1.0, nx)[None, :, None]
lines = 400 * np.exp(-4 * np.log(2) * ((axis - 284.8) / 1.2) ** 2) + 300 * share * np.exp(
    -4 * np.log(2) * ((axis - 287.5 - drift) / 1.4) ** 2
)
counts = np.random.default_rng(0).poisson(lines + 10.0).astype(np.uint16)
dead = np.zeros((ny, nx), dtype=bool)
dead[3, 4] = True
image = SpectrumMap(axis, counts, "eV", "binding", mask=dead)
print(image)

# %%
# ## On disk and back
# Counts stay on disk and are read tile by tile; an image may be larger than the memory.
write_map("image.npz", image)
image = read_map("image.npz")

# %%
# ## The same two peaks in every pixel
mixture = PeakMixture(2, shape="gaussian", background="constant")
peaks = SpectrumMapPeaks(mixture, random_state=0).fit_map(image)
print(peaks)
position = peaks.image("peak 2.position")
error = peaks.image("peak 2.position", error=True)
assert np.isnan(position[3, 4])
pull = (position - 287.5 - drift[:, :, 0]) / error
print(f"errors of position: {np.nanstd(pull):.2f} of what they say")
assert 0.85 < np.nanstd(pull) < 1.15

# %%
# ## Images and tables
PeakMapDisplay.from_map(peaks, "peak 2.position", unit="eV").save("drift.png")
print(peaks.to_frame().filter(like="peak").iloc[:2, :4].round(3).to_string(index=False))
peaks.write("peaks.npz")
