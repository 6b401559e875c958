"""Fe 2p of FeO against the result that CasaXPS stored beside the spectrum, and how far the two can agree.

File and table come with pynxtools-xps (FAIRmat). The table gives positions 709.03, 715.73, 722.18, 730.22 eV,
FWHM 3.86, 7.89, 4.73, 7.88 eV and areas 63400.6, 29867.3, 42839.7, 15954.5 counts/s eV. The model stands in
the comments of the file: LF(0.54,10,80,100,6) for the two lines, SGL(30) for their satellites, and
Tougaard's background of three parameters, between 737.52 and 786.76 eV kinetic energy.

The background is reproduced: its strength B follows from the counts to 0.1 %. The peaks are not within
0.05 eV and 5 %, for three reasons that tests below hold:

* The LF line (powers 0.54 and 10 of a Lorentzian on its two sides, damped, then broadened) has no published
  formula. Its position belongs to the line before broadening, 1.1 eV from the maximum of the curve.
* The table is not the fit whose components the file holds: areas differ by up to 20 %, positions by 0.3 eV.
* In the file a satellite lies on two of its bounds, so that bounds and not counts say where it is; with our
  lines both satellites do.

All fits start blindly; nothing is taken from the table.
"""

import os
import re

import numpy as np
import pytest

from sozai.contracts.errors import MissingDataError
from sozai.datasets import fetch_xps_spectra
from sozai.spectra.files import read_spectra
from sozai.spectra.noise import GaussianNoise
from sozai.spectra.peaks import Constant, Shirley, StaticShirley, Tougaard, fit_peaks
from sozai.spectra.peaks.inelastic_losses import tougaard_kernel
from sozai.spectra.spectrum import Spectrum

#: Position and FWHM in eV, area in counts/s eV.
TABLE = np.array([
    [709.03, 3.86, 63400.62],
    [715.73, 7.89, 29867.34],
    [722.18, 4.73, 42839.74],
    [730.22, 7.88, 15954.51],
])  # fmt: skip

LABELS = ["line 3/2", "satellite 3/2", "line 1/2", "satellite 1/2"]
NUMBER = r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?"

#: Share of the area of the Lorentzian where its share of the height is 0.3, as in SGL(30).
SGL30 = 0.3 * np.pi / 2 / (0.3 * np.pi / 2 + 0.7 * np.sqrt(np.pi / np.log(16)))


@pytest.fixture(scope="module")
def source():
    if not os.environ.get("SOZAI_DATA"):
        pytest.skip("needs spectra/xps_pynx in SOZAI_DATA")
    try:
        files = fetch_xps_spectra()
    except MissingDataError as error:
        pytest.skip(str(error))
    np.testing.assert_allclose(files.truth.to_numpy(dtype=float), TABLE, atol=0.01)
    return read_spectra(files.paths["FeO_analyzed.vms"])[0]


@pytest.fixture(scope="module")
def record(source):
    """What the comments say of the background and of the peaks."""
    text = "\n".join(source.metadata["comment"])
    region = re.search(rf"CASA region \(\*Fe 2p\*\) \(\*(.+?)\*\) ((?:{NUMBER} ?)+)", text)
    numbers = [float(part) for part in region[2].split()]
    peaks = re.findall(
        rf"CASA comp \(\*Fe 2p\*\) \(\*(.+?)\*\) Area ({NUMBER}) .*? MFWHM ({NUMBER}) ({NUMBER}) ({NUMBER}) "
        rf".*? Position ({NUMBER}) ({NUMBER}) ({NUMBER})",
        text,
    )
    return {
        "background": region[1], "limits": numbers[:2], "B, C, D": numbers[6:9],
        "shapes": [one[0] for one in peaks], "area": np.array([float(one[1]) for one in peaks]),
        "fwhm": np.array([one[2:5] for one in peaks], dtype=float),
        "position": source.photon_energy - np.array([one[5:8] for one in peaks], dtype=float)[:, [0, 2, 1]],
    }  # fmt: skip


@pytest.fixture(scope="module")
def window(source, record):
    """Counts per second between the recorded limits, by binding energy."""
    low, high = record["limits"]
    inside = (source.axis >= low) & (source.axis <= high)
    rate = source.counts[inside] / source.dwell
    return Spectrum(source.photon_energy - source.axis[inside], rate, "eV", "binding")


def rows(fit):
    """As in the table; the position is that of the maximum."""
    width = abs(fit.axis[1] - fit.axis[0])
    return np.array([[peak.maximum, peak.fwhm, peak.area * width] for peak in fit.peaks])


def losses(window, c, d):
    """Constant level at the low end, and the losses of all that is above it, for B = 1."""
    rate, step = window.counts, abs(window.axis[1] - window.axis[0])  # kinetic energy rises
    kernel = np.empty(len(rate))
    tougaard_kernel(step * np.arange(len(rate)), c, d, True, kernel)
    level = rate[-5:].mean()
    above = rate - level
    return level, np.array([step * (kernel[: len(rate) - n] * above[n:]).sum() for n in range(len(rate))])


def test_the_model_is_the_one_of_the_comments(record):
    assert record["background"] == "U 3 Tougaard"
    assert record["limits"] == [737.52081, 786.7632]
    assert record["B, C, D"] == [335.44588, 551.0, 436.0]
    assert record["shapes"] == ["LF(0.54,10,80,100,6)", "SGL(30)"] * 2


def test_the_strength_of_the_recorded_background_is_reproduced(window, record):
    b, c, d = record["B, C, D"]
    level, curve = losses(window, c, d)
    assert (window.counts[0] - level) / curve[0] == pytest.approx(b, rel=1e-3)  # it meets the first channel


def test_the_table_is_another_fit_than_the_components_of_the_file(record):
    area, position = record["area"] / TABLE[:, 2] - 1, record["position"][:, 0] - TABLE[:, 0]
    np.testing.assert_allclose(area, [0.002, 0.200, 0.145, 0.110], atol=0.001)
    np.testing.assert_allclose(position, [0.017, 0.270, -0.052, -0.332], atol=0.001)
    np.testing.assert_allclose(record["fwhm"][:, 0] / TABLE[:, 1] - 1, [0, 0.014, 0.030, -0.006], atol=0.001)
    # position and width of the first satellite are bounds
    assert record["position"][1, 0] == record["position"][1].max()
    assert record["fwhm"][1, 0] == record["fwhm"][1, 2] == 8.0


def test_the_tabled_position_is_not_the_maximum_of_the_line(window, record):
    b, c, d = record["B, C, D"]
    level, curve = losses(window, c, d)
    signal = window.counts - level - b * curve
    smooth = np.convolve(signal, np.ones(9) / 9, "same")
    top = window.axis[smooth.argmax()]
    assert top == pytest.approx(710.1, abs=0.1)
    assert top - TABLE[0, 0] > 0.8
    # the table does not add up to the signal either
    assert TABLE[:, 2].sum() / (signal.sum() * 0.05) == pytest.approx(0.947, abs=0.005)


def recorded(window, record, main, extra):
    """Recorded background, SGL(30) satellites and recorded bounds, with a line of ours in the place of LF."""
    b, c, d = record["B, C, D"]
    bounds = dict(extra)
    for k in (1, 3):
        bounds[f"{LABELS[k]}.position"] = tuple(sorted(record["position"][k, 1:]))
        bounds[f"{LABELS[k]}.fwhm"] = tuple(record["fwhm"][k, 1:])
    return fit_peaks(
        window, 4, shape=[main, "pseudo-voigt"] * 2, noise=GaussianNoise(), labels=LABELS, bounds=bounds,
        background=Constant() + Tougaard(b, c, d, order="all", free=()),
        fixed={f"{LABELS[k]}.lorentz_fraction": SGL30 for k in (1, 3)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def skewed(window, record):
    extra = {f"{LABELS[k]}.asymmetry": (0.0, 1.0) for k in (0, 2)}
    return recorded(window, record, "asymmetric-pseudo-voigt", extra)


def test_what_the_recorded_model_reaches_with_an_asymmetric_line_of_ours(skewed):
    reached = [[709.91, 4.70, 52840], [716.00, 7.79, 40460], [723.25, 6.02, 61740], [729.95, 8.00, 18640]]
    found = rows(skewed)
    np.testing.assert_allclose(found[:, 0], np.array(reached)[:, 0], atol=0.02)
    np.testing.assert_allclose(found[:, 1:], np.array(reached)[:, 1:], rtol=0.01)
    assert np.sqrt(np.mean((skewed.counts - skewed.expected) ** 2)) == pytest.approx(90.3, abs=0.5)
    assert skewed.optimum_hits >= 3
    # satellites: within 0.3 eV and, in width, 2 % of the table; splitting of the lines within 0.2 eV
    assert np.abs(found[[1, 3], 0] - TABLE[[1, 3], 0]).max() < 0.3
    assert np.abs(found[[1, 3], 1] / TABLE[[1, 3], 1] - 1).max() < 0.02
    assert found[2, 0] - found[0, 0] == pytest.approx(TABLE[2, 0] - TABLE[0, 0], abs=0.2)
    assert [skewed.peaks[k].at_bound for k in (1, 3)] == [True, True]


@pytest.mark.xfail(
    strict=True, reason="no shape here is the LF line, and the table is not the fit of the file"
)
def test_positions_within_0_05_ev_widths_and_areas_within_5_percent(skewed):
    found = rows(skewed)
    assert np.abs(found[:, 0] - TABLE[:, 0]).max() < 0.05
    np.testing.assert_allclose(found[:, 1:], TABLE[:, 1:], rtol=0.05)


@pytest.mark.parametrize(
    ("background", "fixed", "reached"),
    [
        (  # free shapes on an active step: what a user gets who asks for nothing special
            Constant() + Shirley(),
            {},
            [[709.78, 3.66, 30520], [713.73, 7.05, 30970], [723.19, 5.22, 42500], [729.71, 7.18, 16490]],
        ),
        (  # symmetric SGL(30) on the step computed from the counts, as in much older work
            StaticShirley(),
            {f"peak {k}.lorentz_fraction": SGL30 for k in (1, 2, 3, 4)},
            [[709.84, 3.51, 34890], [713.69, 6.58, 31130], [723.07, 3.47, 12660], [725.77, 14.24, 48130]],
        ),
    ],
)
def test_what_other_backgrounds_and_symmetric_lines_give(window, background, fixed, reached):
    fit = fit_peaks(window, 4, noise=GaussianNoise(), background=background, fixed=fixed)
    np.testing.assert_allclose(rows(fit)[:, 0], np.array(reached)[:, 0], atol=0.02)
    np.testing.assert_allclose(rows(fit)[:, 1:], np.array(reached)[:, 1:], rtol=0.01)
