"""Maps of spectra: truth recovered, the same bits however the work is cut, bad pixels, files, transformer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sozai.contracts.errors import InputError
from sozai.datasets.make_spectra import make_spectrum_map
from sozai.spectra.noise import GaussianNoise, PoissonNoise, RobustNoise
from sozai.spectra.peaks.map import SpectrumMapPeaks
from sozai.spectra.peaks.mixture import PeakMixture
from sozai.spectra.peaks.ties import Doublet
from sozai.spectra.spectrum import SpectrumMap
from sozai.spectra.spectrum_checks import SpectrumWarning

#: Column of the truth for peaks in ascending position.
ORDER = (0, 2, 1)


@pytest.fixture(scope="module")
def made():
    return make_spectrum_map((20, 36), n_channels=120, total=3e4, dead=0.01, rng=3)


@pytest.fixture(scope="module")
def cube(made):
    return SpectrumMap(made.axis, made.counts, "eV", mask=made.dead)


@pytest.fixture(scope="module")
def peaks(cube):
    return SpectrumMapPeaks(n_components=3, random_state=0).fit_map(cube)


def _same(a, b):
    for name in ("values", "errors", "status", "deviance", "dof", "theta", "background_errors"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_truth_is_recovered_within_its_errors(made, peaks):
    three = (made.n_peaks == 3) & ~made.dead
    assert (peaks.image("status")[three] == 0).all()
    for k, true in enumerate(ORDER):
        for name, truth in (("position", made.position), ("area", made.area), ("fwhm", made.fwhm)):
            rest = peaks.image(f"peak {k + 1}.{name}") - truth[..., true]
            pull = (rest / peaks.image(f"peak {k + 1}.{name}", error=True))[three]
            # an error of an area counts a share on its bound as held, and is too small there
            assert 0.85 < np.sqrt(np.nanmean(pull**2)) < (1.4 if name == "area" else 1.2), (k, name)


def test_dead_pixels_are_rows_of_nan(made, peaks):
    dead = made.dead.ravel()
    assert dead.any()
    assert (peaks.status[dead] == 4).all()
    assert np.isnan(peaks.values[dead]).all()
    assert np.isnan(peaks.deviance[dead]).all()
    assert "DEAD" in repr(peaks)
    assert repr(peaks).startswith("PeakMap: 20 x 36 pixels, 3 peaks")


def test_empty_and_unmeasured_pixels(made):
    counts = made.counts[:6, -6:].astype(float)
    counts[0, 0], counts[1, 1], counts[2, 2, 5:9] = 0.0, np.nan, np.nan
    counts[3, 3, 4:] = np.nan
    peaks = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0).fit_map(counts)
    status = peaks.image("status")
    assert (status[0, 0], status[1, 1], status[3, 3]) == (3, 4, 4)
    assert status[2, 2] in (0, 5)
    assert peaks.image("deviance")[2, 2] > 0
    assert peaks.dof.reshape(6, 6)[2, 2] <= 120 - 4 - 13 + 3


@pytest.mark.parametrize(("tile", "n_jobs"), [(64, 1), (4096, 2), (300, 4)])
def test_the_same_bits_for_any_tile_and_number_of_threads(cube, peaks, tile, n_jobs):
    _same(peaks, SpectrumMapPeaks(n_components=3, random_state=0, tile=tile, n_jobs=n_jobs).fit_map(cube))


def test_order_of_channels_and_storage_do_not_matter(made, peaks, tmp_path):
    falling = SpectrumMap(made.axis[::-1], made.counts[..., ::-1].astype(">u2"), "eV", mask=made.dead)
    _same(peaks, SpectrumMapPeaks(n_components=3, random_state=0).fit_map(falling))
    np.save(tmp_path / "cube.npy", made.counts)
    stored = np.load(tmp_path / "cube.npy", mmap_mode="r")
    _same(
        peaks,
        SpectrumMapPeaks(n_components=3, random_state=0).fit_map(
            SpectrumMap(made.axis, stored, mask=made.dead)
        ),
    )


def test_a_line_of_spectra(made):
    line = made.counts[3:5, 22:].reshape(-1, 120)
    before = line.copy()
    peaks = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0).fit_map(line)
    assert peaks.image("peak 1.position").shape == (28,)
    assert np.isin(peaks.status, (0, 3, 5)).all()
    np.testing.assert_array_equal(line, before)


def test_number_of_peaks_of_every_pixel(made, cube):
    mixture = PeakMixture(3)
    found = SpectrumMapPeaks(mixture, n_components="per-pixel", random_state=0).fit_map(cube)
    live = ~made.dead
    assert (found.image("n_peaks") == made.n_peaks)[live].mean() > 0.97
    absent = live & (made.n_peaks == 2) & (found.image("n_peaks") == 2)
    assert np.isnan(found.image("peak 2.position")[absent]).mean() > 0.97
    assert sum(found.report["pixels per number of peaks"]) == live.sum()


def test_the_number_of_peaks_of_the_template_is_found(made):
    cube = SpectrumMap(made.axis, made.counts[:, 24:])
    model = SpectrumMapPeaks(n_components="auto", random_state=0)
    model.fit_map(cube)
    assert model.n_components_ == 3


def test_a_rare_phase_is_not_drowned():
    made = make_spectrum_map((32, 32), n_channels=120, total=2e4, dead=0, rng=5)
    counts = made.counts.copy()
    counts[:, :] = made.counts[16, 0]
    rng = np.random.default_rng(0)
    mean = made.counts[:, :3].mean(axis=(0, 1))
    counts = rng.poisson(np.broadcast_to(mean, counts.shape))
    rare = made.counts[:5, -5:]
    counts[:5, -5:] = rare
    peaks = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0).fit_map(counts)
    assert abs(np.median(peaks.image("peak 2.position")[:5, -5:]) - 45) < 1.5


def test_shrinkage_draws_scatter_together(made):
    cube = SpectrumMap(made.axis, made.counts[:, 26:])
    plain = SpectrumMapPeaks(n_components=3, random_state=0).fit_map(cube)
    shrunk = SpectrumMapPeaks(n_components=3, random_state=0, shrinkage=True).fit_map(cube)
    for k, true in enumerate(ORDER):
        name, truth = f"peak {k + 1}.position", made.position[:, 26:, true]
        before, after = plain.image(name) - truth, shrunk.image(name) - truth
        assert np.nanstd(after) < 0.7 * np.nanstd(before)
        errors = shrunk.image(name, error=True)
        assert 0.5 < np.nanstd(after) / np.nanmedian(errors) < 1.5
    assert any("shrinkage" in note for note in shrunk.notes)
    assert set(shrunk.report["prior standard deviations"]) >= {
        "peak 1.position",
        "peak 1.width",
        "peak 1.share",
    }


def test_shared_width_is_one_number(made):
    axis = made.axis
    rng = np.random.default_rng(2)
    areas = rng.uniform(2e3, 2e4, (9, 10, 1))
    z = 2 * (axis - 50) / 7.0
    counts = rng.poisson(
        areas * (axis[1] - axis[0]) * 2 / 7 * np.sqrt(np.log(2) / np.pi) * np.exp(-np.log(2) * z**2) + 5
    )
    model = SpectrumMapPeaks(PeakMixture(1, "gaussian"), shared=("fwhm",), axis=axis, random_state=0, tile=64)
    peaks = model.fit_map(counts)
    assert np.ptp(peaks.image("peak 1.fwhm")) < 1e-12
    value, error = peaks.report["shared"]["peak 1.fwhm"]
    assert abs(value - 7) < 4 * error
    assert error == pytest.approx(7 / np.sqrt(2 * areas.sum()), rel=0.2)  # of a Gaussian without background
    assert peaks.image("peak 1.fwhm", error=True)[0, 0] == error


def test_ties_fixed_values_and_gaussian_noise(made):
    axis = np.linspace(0, 40, 161)
    rng = np.random.default_rng(1)
    shape = np.exp(-4 * np.log(2) * ((axis - 15) / 4) ** 2) + 0.5 * np.exp(
        -4 * np.log(2) * ((axis - 25) / 4) ** 2
    )
    counts = 100 * shape + 10 + rng.normal(0, 2.0, (8, 9, 161))
    counts[0, 0, 3] = -1.0
    mixture = PeakMixture(
        2, "gaussian", noise=GaussianNoise(2.0), ties=[("peak 1", "peak 2", Doublet(10.0, 0.5))]
    )
    a = SpectrumMapPeaks(mixture, axis=axis, random_state=0).fit_map(counts)
    np.testing.assert_allclose(a.image("peak 2.position") - a.image("peak 1.position"), 10.0, atol=1e-9)
    assert (a.status == 0).all()
    _same(a, SpectrumMapPeaks(mixture, axis=axis, random_state=0, tile=64, n_jobs=2).fit_map(counts))
    assert abs(a.image("reduced_deviance").mean() - 1) < 0.05


def test_read_out_noise_is_added_to_data_and_model(made):
    part = made.counts[:6, -6:].astype(float)
    noisy = PeakMixture(3, noise=PoissonNoise(read=3.0))
    a = SpectrumMapPeaks(noisy, axis=made.axis, random_state=0).fit_map(part)
    b = SpectrumMapPeaks(PeakMixture(3), axis=made.axis, random_state=0).fit_map(part)
    ok = (a.status == 0) & (b.status == 0)
    np.testing.assert_allclose(a.values[ok, :, 0], b.values[ok, :, 0], atol=0.2)
    assert np.median(a.errors[ok, :, 0] / b.errors[ok, :, 0]) > 1.01


def test_robust_noise_survives_spikes(made):
    part = made.counts[:4, -4:].astype(float)
    spiked = part.copy()
    spiked[1, 1, 55] += 5000
    mixture = PeakMixture(3, noise=RobustNoise())
    peaks = SpectrumMapPeaks(mixture, axis=made.axis, random_state=0).fit_map(spiked)
    clean = SpectrumMapPeaks(mixture, axis=made.axis, random_state=0).fit_map(part)
    shift = np.abs(peaks.values[5, :, 0] - clean.values[5, :, 0])
    assert (shift < 3 * clean.errors[5, :, 0]).all()
    with pytest.raises(InputError, match="noise must be Poisson or Gaussian with shrinkage"):
        SpectrumMapPeaks(mixture, axis=made.axis, random_state=0, shrinkage=True).fit_map(part)


def test_a_map_can_start_from_another(made, cube, peaks):
    again = SpectrumMapPeaks(n_components=3, random_state=0, start=peaks).fit_map(cube)
    live = ~made.dead.ravel()
    assert (again.deviance[live] <= peaks.deviance[live] + 1e-6).all()
    single = SpectrumMapPeaks(n_components=3, random_state=0, start="template").fit_map(cube)
    three = (made.n_peaks.ravel() == 3) & live
    np.testing.assert_allclose(single.deviance[three], peaks.deviance[three], rtol=1e-7)
    with pytest.raises(
        InputError, match=r"start must have one row per pixel and one column per parameter, \(720, 13\)"
    ):
        SpectrumMapPeaks(n_components=3, random_state=0, start=np.zeros((3, 13))).fit_map(cube)


# --- errors --------------------------------------------------------------------------------------------


def test_negative_counts(made):
    counts = made.counts[:4, -4:].astype(float)
    counts[1, 2, 7] = -3.0
    asked = SpectrumMapPeaks(PeakMixture(3, noise="poisson"), axis=made.axis)
    with pytest.raises(
        InputError, match=r"counts must be >= 0 for PoissonNoise. Got -3.0 at pixel \(1, 2\), 6.25"
    ):
        asked.fit_map(counts)
    with pytest.warns(SpectrumWarning, match=r"first -3 at pixel \(1, 2\)"):
        peaks = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0).fit_map(counts)
    assert peaks.noise_name == "GaussianNoise(sigma=None)"


def test_what_cannot_be_fitted(made):
    model = SpectrumMapPeaks(n_components=3)
    with pytest.raises(InputError, match="There are no counts in any of 6 pixels"):
        model.fit_map(np.zeros((2, 3, 50)))
    with pytest.raises(InputError, match="ROI contains no pixel"):
        model.fit_map(np.zeros((0, 3, 50)))
    with pytest.raises(InputError, match=r"Got n = 9 channels \(n_features = 9\) for p = 13 parameters"):
        model.fit_map(np.ones((4, 4, 9)))
    with pytest.raises(InputError, match=r"cube must have the shape .* Got \(9,\)"):
        model.fit_map(np.ones(9))
    with pytest.raises(InputError, match=r"shared must name parameters of peaks: area_gauss.* Got 'width'"):
        SpectrumMapPeaks(n_components=1, shared=("width",), axis=made.axis).fit_map(made.counts[:2, :2])
    with pytest.raises(InputError, match=r"name must be one of peak 1.position"):
        SpectrumMapPeaks(n_components=1, axis=made.axis).fit_map(made.counts[:2, :2]).image("peak 9.position")


def test_wishes_that_cannot_go_together(made):
    with pytest.raises(InputError, match=r"shared must stand without shrinkage .* Got \('fwhm',\)"):
        SpectrumMapPeaks(n_components=1, shared=("fwhm",), shrinkage=True, axis=made.axis).fit_map(
            made.counts[:2, :2]
        )
    with pytest.raises(InputError, match=r"mixture must have method='em-lm'.* Got \('em-lm', True, None\)"):
        SpectrumMapPeaks(PeakMixture(1, despike=True), axis=made.axis).fit_map(made.counts[:2, :2])


# --- files and tables ------------------------------------------------------------------------------------


def test_files(peaks, tmp_path):
    peaks.write(tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz") as archive:
        image, about = archive["peak 1.position"], json.loads(str(archive["units"]))
    assert image.dtype == np.float32
    assert image.shape == (20, 36)
    np.testing.assert_array_equal(image, peaks.image("peak 1.position").astype(np.float32))
    assert about["units"]["peak 1.fwhm"] == "eV"
    assert about["units"]["peak 1.height"] == "counts/eV"
    assert about["units"]["background.level"] == "counts/channel"
    peaks.write(tmp_path / "images")
    assert np.load(tmp_path / "images" / "peak 2.area_error.npy").shape == (20, 36)
    assert json.loads((tmp_path / "images" / "units.json").read_text(encoding="utf-8")) == about
    peaks.write(tmp_path / "map.csv")
    frame = peaks.to_frame()
    assert len(frame) == 720
    assert {"row", "column", "status", "peak 3.area_error"} <= set(frame)
    assert len((tmp_path / "map.csv").read_text(encoding="utf-8").splitlines()) == 721
    with pytest.raises(InputError, match=r"path must end in .npz"):
        peaks.write(tmp_path / "map.tif")
    with pytest.raises(InputError, match="path must lie in an existing folder"):
        peaks.write(tmp_path / "nowhere" / "map.npz")


def test_hdf_file(peaks, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    peaks.write(tmp_path / "map.h5")
    with h5py.File(tmp_path / "map.h5") as file:
        np.testing.assert_array_equal(file["values"][()], peaks.values)
        assert file["images"]["peak 1.area"].dtype == np.float32


# --- transformer -----------------------------------------------------------------------------------------


def test_transformer(made):
    X = made.counts[:, 24:].reshape(-1, 120).astype(float)
    X = X[X.any(axis=1)]
    model = SpectrumMapPeaks(n_components=3, axis=made.axis, random_state=0)
    with pytest.raises(NotFittedError):
        model.transform(X)
    Z = model.fit(X).transform(X)
    names = model.get_feature_names_out().tolist()
    assert names[:5] == [
        "peak0_position",
        "peak0_fwhm",
        "peak0_area",
        "peak0_lorentz_fraction",
        "peak1_position",
    ]
    assert Z.shape == (len(X), 12)
    np.testing.assert_array_equal(model.transform(X[5:9]), Z[5:9])
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(model.transform(X[order]), Z[order])
    assert abs(np.median(Z[:, 0]) - 30) < 1.5
    assert abs(np.median(Z[:, 8]) - 62) < 1.5
    empty = model.transform(np.vstack([X[:1], np.zeros((1, 120))]))
    assert np.isnan(empty[1]).all()
    assert not np.isnan(empty[0]).any()
    assert clone(model).get_params()["n_components"] == 3
    with pytest.raises(InputError, match=r"X must be >= 0 for PoissonNoise. Got -1.0 at row 1, channel 4"):
        model.transform(np.vstack([X[:1], np.where(np.arange(120) == 4, -1.0, X[:1])]))
