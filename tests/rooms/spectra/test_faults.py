"""Bad input, end to end: what no other test of the room meets, each by what it says and leaves behind."""

import tracemalloc

import numpy as np
import pytest
from scipy.stats import norm

import sozai.spectra.peaks.map_workers as map_workers
from sozai.contracts.errors import InputError
from sozai.contracts.progress import Silent
from sozai.datasets.make_spectra import make_spectrum_map
from sozai.spectra.files import read_spectra
from sozai.spectra.noise import GaussianNoise, PoissonNoise
from sozai.spectra.peaks import (
    Constant,
    Doublet,
    Exponential,
    Grid,
    Linear,
    Shirley,
    SpectrumMapPeaks,
    compile_model,
    fit_peaks,
    fit_spectra,
    of,
    tie,
)
from sozai.spectra.peaks.map_workers import run_tiles
from sozai.spectra.spectrum import Spectrum, SpectrumMap
from sozai.spectra.spectrum_checks import SpectrumWarning

AXIS = np.linspace(280.0, 290.0, 201)
SIGMA = 1 / np.sqrt(8 * np.log(2))


def expected(axis, edges, rows=((283.0, 1.2, 2e4), (286.5, 1.6, 3e4)), level=400.0):
    """Counts of every channel between its edges: Gaussians on a level per axis unit."""
    mean = level * np.diff(edges)
    for position, fwhm, area in rows:
        mean = mean + area * np.diff(norm.cdf(edges, position, fwhm * SIGMA))
    return mean


EDGES = np.linspace(279.975, 290.025, 202)
COUNTS = np.random.default_rng(0).poisson(expected(AXIS, EDGES)).astype(float)


@pytest.fixture(scope="module")
def made():
    return make_spectrum_map((20, 20), n_channels=120, total=3e4, rng=3)


# --- one spectrum --------------------------------------------------------------------------------------


def test_1_unsorted_energies_give_the_fit_of_the_sorted_ones():
    order = np.random.default_rng(1).permutation(201)
    sorted_, shuffled = fit_peaks((AXIS, COUNTS), 2), fit_peaks((AXIS[order], COUNTS[order]), 2)
    assert "The axis was not sorted; sorted." in shuffled.notes
    np.testing.assert_array_equal(shuffled.expected, sorted_.expected[order])


def test_2_energies_measured_twice_count_twice():
    once = fit_peaks((AXIS, COUNTS), 2)
    twice = fit_peaks((np.repeat(AXIS, 2), np.repeat(COUNTS, 2)), 2)
    assert any("201 channels repeat a position" in note for note in twice.notes)
    for one, two in zip(once.peaks, twice.peaks, strict=True):
        assert two.position == pytest.approx(one.position, abs=1e-5)
        assert two.area == pytest.approx(one.area, rel=1e-4)
        # twice the counts push twice as hard against a bound: beside one, errors shrink a little more
        accuracy = 5e-3 if any(peak.at_bound for peak in once.peaks) else 1e-3
        assert two.position_error == pytest.approx(one.position_error / np.sqrt(2), rel=accuracy)


def test_4_channels_of_uneven_width_give_areas_not_heights():
    edges = 280 + 10 * np.linspace(0, 1, 141) ** 1.6
    axis = 0.5 * (edges[1:] + edges[:-1])
    fit = fit_peaks((axis, expected(axis, edges)), 2, shape="gaussian", noise="poisson")
    # channels are taken to end half way between centers, a second-order difference from the true edges
    assert [peak.area for peak in fit.peaks] == pytest.approx([2e4, 3e4], rel=3e-3)
    assert [peak.position for peak in fit.peaks] == pytest.approx([283.0, 286.5], abs=3e-3)


def test_9_cosmic_spikes_are_listed_and_left_out_of_the_fit():
    counts = COUNTS.copy()
    counts[[60, 61, 160]] += 9000.0
    with pytest.warns(SpectrumWarning) as caught:
        fit_peaks((AXIS, counts), 2)
    said = "Channels 60 (283), 61 (283.05), 160 (288) look like cosmic rays. Pass despike=True"
    assert any(said in str(one.message) for one in caught)
    fit = fit_peaks((AXIS, counts), 2, despike=True)
    assert "Channels 60 (283), 61 (283.05), 160 (288) look like cosmic rays; left out." in fit.notes
    np.testing.assert_array_equal(np.flatnonzero(fit.mask), [60, 61, 160])
    for peak, area in zip(fit.peaks, (2e4, 3e4), strict=True):
        assert abs(peak.area - area) < 4 * peak.area_error


def test_19_nanometers_that_contradict_the_light_are_refused_and_a_guess_is_said():
    with pytest.raises(
        InputError, match=r"suit the photon energy of 1486\.6 eV = 0\.834 nm\. Got '280 to 290"
    ):
        fit_peaks(Spectrum(AXIS, COUNTS, "nm", photon_energy=1486.6), 2)
    with pytest.warns(SpectrumWarning, match="unit of the binding energy axis is not stated; eV assumed"):
        fit = fit_peaks(Spectrum(AXIS, COUNTS, axis_kind="binding"), 2)
    assert any("eV assumed" in note for note in fit.notes)


SPECS = """# Created by:        SpecsLab Prodigy, Version 4.1
#
# Group:             a
# Region:            C 1s
# Values/Curve:      3
# Dwell Time:        fast
# Mood of operator:  good
# ColumnLabels: energy counts
280 5
281 9
282 4
"""

SCIENTA = """[Info]
Number of Regions=1
[Region 1]
Region Name=C 1s
Dimension 1 name=Binding Energy [eV]
Dimension 1 size=3
Dimension 2 size=1
[Info 1]
Pass Energy=wide
Mood=good
[Data 1]
280 5
281 9
282 4
"""


@pytest.mark.parametrize(
    ("name", "text", "words", "kept"),
    [
        (
            "a.xy", SPECS, r"'dwell time' is 'fast', no number, at .*a\.xy, line 9; kept as text",
            {"Dwell Time": "fast", "Mood of operator": "good"},
        ),
        (
            "a.txt", SCIENTA, r"'Pass Energy' is 'wide', no number, at .*a\.txt, line 12; kept as text",
            {"Pass Energy": "wide", "Mood": "good"},
        ),
    ],
)  # fmt: skip
def test_25_odd_headers_are_kept_as_text(tmp_path, name, text, words, kept):
    (tmp_path / name).write_text(text)
    with pytest.warns(SpectrumWarning, match=words):
        (spectrum,) = read_spectra(tmp_path / name)
    assert {key: spectrum.metadata[key] for key in kept} == kept
    assert spectrum.dwell is None
    assert spectrum.counts.tolist() == [5.0, 9.0, 4.0]


def test_26_trouble_with_numbers_is_a_status_and_no_crash():
    grid = Grid.of(AXIS - 280.0)
    fit = fit_spectra(compile_model([], Exponential(), grid), np.ones((2, 201)), [[1.0, -1e5], [1.0, 0.0]])
    assert fit.status.tolist() == [2, 0]


def test_30_backgrounds_stay_positive_unless_asked_and_then_it_is_said():
    rng = np.random.default_rng(0)
    y = expected(AXIS, EDGES, level=0.0) - 20.0 + rng.normal(0, 4.0, 201)
    y += 60.0  # all counts positive, yet a straight line through the wings is not
    y[AXIS > 288] -= np.linspace(0, 90, (AXIS > 288).sum())
    y[y < 0] = 0.0
    noise = GaussianNoise()
    held = fit_peaks((AXIS, y), 2, background=Linear(), noise=noise)
    assert min(value for value, _ in held.background.values()) >= 0.0
    assert held.background_curve.min() >= 0.0
    falling = 200.0 - 25.0 * (AXIS - 280.0) + rng.normal(0, 2.0, 201)
    with pytest.warns(
        SpectrumWarning, match=r"background is negative in \d+ of 201 channels, to -\d\d\.?\d* at 290"
    ):
        fit = fit_peaks((AXIS, falling), 0, background=Linear(positive=False), noise=noise)
    assert fit.background["b1"][0] == pytest.approx(-50.0, abs=2.0)
    assert any("background is negative" in note for note in fit.notes)


# --- further -------------------------------------------------------------------------------------------


def test_further_a_step_that_is_not_there_is_zero():
    y = np.random.default_rng(2).poisson(expected(AXIS, EDGES)).astype(float)
    fit = fit_peaks(
        Spectrum(AXIS, y, "eV", "binding"), 2, shape="gaussian", background=Constant() + Shirley()
    )
    value, error = fit.background["step"]
    assert value == 0.0 or value < 4 * error
    assert [peak.area for peak in fit.peaks] == pytest.approx([2e4, 3e4], rel=0.03)


def test_further_a_flat_window_has_a_background_and_no_peak_that_counts():
    y = np.random.default_rng(0).poisson(100.0, 201).astype(float)
    fit = fit_peaks(Spectrum(AXIS, y, "eV", "binding"), 0, background=Constant() + Shirley())
    assert fit.converged
    assert fit.background["level"][0] == pytest.approx(y.mean(), rel=1e-6)
    assert fit.background["step"][0] == 0.0


def test_further_ties_in_a_circle_show_their_chain():
    ties = (tie("a.fwhm", of("b.fwhm")), tie("b.fwhm", 2.0 * of("a.fwhm")))
    with pytest.raises(InputError, match=r"a\.fwhm.*b\.fwhm.*a\.fwhm"):
        fit_peaks((AXIS, COUNTS), 2, labels=["a", "b"], ties=ties)
    pairs = (("a", "b", Doublet(1.0, 0.5)), ("b", "a", Doublet(1.0, 0.5)))
    with pytest.raises(InputError, match=r"'?a'?.*'?b'?"):
        fit_peaks((AXIS, COUNTS), 2, labels=["a", "b"], ties=pairs)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_init": 0}, r"n_init.*\[1, inf\).*Got 0"),
        ({"start": [(283, 1.0, 1e4), (np.nan, 1.0, 1e4)]}, r"be finite\. Got nan for 'peak 2\.position'"),
        ({"bounds": {"peak 1.position": (284.0, 282.0)}}, r"lower <= upper\. Got \(284\.0, 282\.0\)"),
        ({"sample_mask": np.ones(201, dtype=bool)}, "All 201 channels are masked"),
    ],
)
def test_further_wishes_that_cannot_be_met_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        fit_peaks((AXIS, COUNTS), 2, **options)


def test_further_infinite_counts_are_refused_with_their_channel():
    counts = COUNTS.copy()
    counts[17] = np.inf
    with pytest.raises(InputError, match=r"Got inf at channel 17 \(280\.85 eV\)"):
        fit_peaks(Spectrum(AXIS, counts, "eV"), 2)


# --- images --------------------------------------------------------------------------------------------


def test_6_empty_pixels_of_an_image_are_rows_of_nan(made):
    counts = made.counts[:4, :4].copy()
    counts[1, 2] = 0
    peaks = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0).fit_map(counts)
    assert peaks.image("status")[1, 2] == 3
    assert np.isnan(peaks.values[6]).all()
    assert np.isnan(peaks.errors[6]).all()
    assert np.isnan(peaks.deviance[6])


def test_17_a_million_pixels_are_read_piece_by_piece():
    row = np.arange(16, dtype=np.uint16) + 60000
    cube = SpectrumMap(np.arange(16.0), np.broadcast_to(row, (1000, 1000, 16)))
    tracemalloc.start()
    total = cube.sum(tile=4096)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(total.counts, 1e6 * row.astype(float))
    assert peak < 8e6  # the counts alone are 32 MB


class Watched:
    """Counts that remember the largest piece anyone asked for."""

    def __init__(self, counts):
        self.counts, self.shape, self.dtype, self.largest = counts, counts.shape, counts.dtype, 0

    def __getitem__(self, key):
        piece = self.counts[key]
        self.largest = max(self.largest, piece[..., 0].size)
        return piece


def test_17_no_piece_of_an_image_is_larger_than_a_tile():
    made = make_spectrum_map((48, 64), n_channels=60, total=1e4, rng=0)
    watched = Watched(made.counts)
    SpectrumMapPeaks(n_components=3, random_state=0, tile=256).fit_map(SpectrumMap(made.axis, watched))
    assert 0 < watched.largest <= 256


def test_36_a_tile_is_tried_twice_and_then_failed():
    tries = []

    def work(tile, beat):
        tries.append(tile)
        beat(1)
        if tile == 1 or (tile == 2 and tries.count(2) == 1):
            raise OSError("killed")
        return tile

    results, failed = run_tiles(work, 4, n_workers=1, bar=Silent())
    assert results == [0, None, 2, 3]
    assert failed == [1]
    assert [tries.count(tile) for tile in range(4)] == [1, 2, 2, 1]


def test_37_a_full_disk_ends_the_run_and_leaves_the_finished_tiles(made, tmp_path, monkeypatch):
    model = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0, tile=256, store=tmp_path / "run")
    save, written = map_workers.save_model, []

    def full(path, *rest):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(path)
        return save(path, *rest)

    monkeypatch.setattr(map_workers, "save_model", full)
    with pytest.raises(
        InputError,
        match=r"store must have room.*No space left on device\. Finished tiles are intact; make room",
    ):
        model.fit_map(made.counts)
    monkeypatch.undo()
    assert sorted((tmp_path / "run").glob("*.tile")) == sorted(written)
    before = {path: path.read_bytes() for path in written}
    resumed = model.fit_map(made.counts)
    whole = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0, tile=256).fit_map(made.counts)
    np.testing.assert_array_equal(resumed.values, whole.values)
    assert {path: path.read_bytes() for path in written} == before


def test_40_a_region_without_pixels_is_refused(made):
    cube = SpectrumMap(made.axis, made.counts)
    with pytest.raises(InputError, match=r"ROI contains no pixel\. Choose a region inside \(20, 20\)"):
        cube.sum(np.zeros((20, 20), dtype=bool))
    with pytest.raises(InputError, match=r"ROI contains no pixel\. Got a map of shape \(0, 20\)"):
        SpectrumMapPeaks(n_components=3, axis=made.axis).fit_map(made.counts[:0])


def test_5_negative_counts_of_a_poisson_spectrum_are_named():
    counts = COUNTS.copy()
    counts[90] = -3.0
    with pytest.raises(
        InputError,
        match=r"^PeakMixture\.fit: counts must be >= 0 for PoissonNoise\. Got -3\.0 at channel 90 "
        r"\(284\.5 eV\)\. Pass noise=GaussianNoise\(\) or subtract no dark level before fitting\.$",
    ):
        fit_peaks(Spectrum(AXIS, counts, "eV", "binding"), 2, noise=PoissonNoise())
