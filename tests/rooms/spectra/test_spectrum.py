"""One spectrum and an image of them: lengths, edges, conversion, tiles and regions."""

import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.spectra.noise import GaussianNoise, PoissonNoise, RobustNoise, as_noise
from sozai.spectra.spectrum import Spectrum, SpectrumMap, channel_edges


def test_axis_and_counts_of_different_length_name_both_numbers():
    with pytest.raises(InputError, match=r"one value per channel of the axis \(3\)\. Got 4"):
        Spectrum([1, 2, 3], [1, 2, 3, 4])


def test_edges_are_midpoints_and_ends_are_mirrored():
    spectrum = Spectrum([4.0, 2.0, 1.0], [1, 1, 1])
    np.testing.assert_array_equal(spectrum.edges, [5.0, 3.0, 1.5, 0.5])
    np.testing.assert_array_equal(spectrum.bin_width, [2.0, 1.5, 1.0])


def test_edges_of_an_unsorted_axis_are_refused():
    with pytest.raises(InputError, match=r"rise or fall strictly.*check_spectrum"):
        channel_edges(np.array([1.0, 3.0, 2.0]))


@pytest.mark.parametrize(("kind", "tail"), [("binding", 1), ("kinetic", -1), (None, 1), ("shift", 1)])
def test_the_axis_kind_decides_where_tails_lie(kind, tail):
    assert Spectrum([1.0], [1.0], axis_kind=kind).tail == tail


def test_binding_energies_only_on_request_and_back_again():
    spectrum = Spectrum([1200.0, 1201.5], [5, 6], "eV", "kinetic", photon_energy=1486.6)
    binding = spectrum.to_binding(work_function=4.5)
    np.testing.assert_allclose(binding.axis, [1486.6 - 4.5 - 1200, 1486.6 - 4.5 - 1201.5])
    assert binding.axis_kind == "binding"
    np.testing.assert_array_equal(binding.variables["kinetic energy"], spectrum.axis)
    np.testing.assert_allclose(binding.to_kinetic(4.5).axis, spectrum.axis)
    with pytest.raises(InputError, match="photon_energy must be known"):
        Spectrum([1.0], [1], "eV", "kinetic").to_binding()
    with pytest.raises(InputError, match=r"be kinetic energy in eV. Got 'shift in cm-1'"):
        Spectrum([1.0], [1], "cm-1", "shift", photon_energy=2.3).to_binding()


def test_a_range_keeps_mask_noise_and_variables():
    spectrum = Spectrum(
        [1.0, 2.0, 3.0, 4.0], [5, 6, 7, 8], mask=[False, True, False, False],
        noise=GaussianNoise([1.0, 2.0, 3.0, 4.0]), variables={"T": [0.1, 0.2, 0.3, 0.4]},
    )  # fmt: skip
    part = spectrum.with_range(2, 3)
    assert part.mask.tolist() == [True, False]
    assert part.noise.sigma.tolist() == [2.0, 3.0]
    assert part.variables["T"].tolist() == [0.2, 0.3]
    with pytest.raises(InputError, match=r"contain a channel. Got \(10, 20\). The axis runs from 1 to 4"):
        spectrum.with_range(10, 20)
    with pytest.raises(InputError, match=r"low < high. Got \(3, 2\)"):
        spectrum.with_range(3, 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Spectrum([1.0], [1.0], mask=[1]), "truth values"),
        (lambda: Spectrum([1.0], [1.0], axis_kind="bounding"), "'bounding'"),
        (lambda: Spectrum([[1.0]], [1.0]), r"shape \(1, 1\)"),
        (lambda: Spectrum(["a"], [1.0]), "real numbers"),
        (lambda: Spectrum([1.0], [1j]), "real numbers"),
        (lambda: Spectrum([], []), "at least one channel"),
        (
            lambda: SpectrumMap([1.0, 2.0], np.zeros((2, 2, 3))),
            r"\(2\) along its last axis. Got 3",
        ),
        (lambda: SpectrumMap([1.0, 2.0], np.zeros(2)), r"\(ny, nx, n_channels\)"),
        (lambda: SpectrumMap([1.0], np.zeros((2, 2, 1)), mask=np.zeros(4, dtype=bool)), r"shape \(2, 2\)"),
        (lambda: PoissonNoise(gain=0.0), "gain must be a positive number. Got 0.0"),
        (lambda: PoissonNoise(read=-1.0), "read must be zero or a positive number. Got -1.0"),
        (lambda: GaussianNoise([1.0, -2.0]), "Got -2.0 at channel 1"),
        (lambda: RobustNoise(df=np.nan), "df must be a positive number. Got nan"),
        (lambda: as_noise("pink", place="fit"), "fit: noise must be PoissonNoise.*Got 'pink'"),
    ],
)
def test_errors_name_what_came(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_poisson_noise_has_the_variance_of_its_draws():
    noise, rng = PoissonNoise(gain=2.5, read=3.0), np.random.default_rng(0)
    y = 2.5 * rng.poisson(40, size=200_000) + 3.0 * rng.standard_normal(200_000)
    np.testing.assert_allclose(y.var(), noise.variance(100.0), rtol=0.02)
    shifted = (y + noise.offset) / noise.gain  # a Poisson number has equal mean and variance
    np.testing.assert_allclose(shifted.var(), shifted.mean(), rtol=0.02)
    np.testing.assert_allclose(noise.weights(np.array([1.0, 2.0])), [0.4, 0.8])


@pytest.mark.parametrize("tile", [1, 7, 64, 1000])
@pytest.mark.parametrize("shape", [(5, 9), (45,)])
def test_tiles_of_any_size_hold_the_same_numbers(tile, shape):
    counts = np.arange(45 * 4, dtype=">u2").reshape(*shape, 4)
    cube = SpectrumMap(np.arange(4.0), counts)
    rows = np.concatenate([part for _, part in cube.tiles(tile)])
    np.testing.assert_array_equal(rows, counts.reshape(-1, 4))
    np.testing.assert_array_equal(cube.sum(tile=tile).counts, counts.reshape(-1, 4).sum(axis=0))


def test_sums_of_uint16_do_not_overflow():
    cube = SpectrumMap([1.0, 2.0], np.full((10, 10, 2), 65535, dtype=np.uint16))
    np.testing.assert_array_equal(cube.sum().counts, 100 * 65535.0)


def test_a_region_without_pixels_is_refused():
    cube = SpectrumMap([1.0, 2.0], np.ones((2, 3, 2)), mask=np.eye(2, 3, dtype=bool))
    assert cube.sum().counts.tolist() == [4.0, 4.0]
    with pytest.raises(InputError, match=r"ROI contains no pixel that is not masked.*\(2, 3\)"):
        cube.sum(np.eye(2, 3, dtype=bool))
    with pytest.raises(InputError, match=r"shape \(2, 3\)"):
        cube.sum(np.ones((3, 2), dtype=bool))


def test_a_read_only_memmap_serves(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(24).reshape(2, 3, 4))
    cube = SpectrumMap(np.arange(4.0), np.load(tmp_path / "a.npy", mmap_mode="r"))
    np.testing.assert_array_equal(cube.spectrum(1, 2).counts, [20, 21, 22, 23])
    with pytest.raises(InputError, match=r"shape \(2, 3\). Got \(2, 0\)"):
        cube.spectrum(2, 0)
