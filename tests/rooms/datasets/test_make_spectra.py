"""Made spectra: the truth is what the numbers say, and the seed decides everything."""

import numpy as np
import pytest
from scipy.integrate import quad

from sozai.contracts.errors import InputError
from sozai.datasets import make_spectrum, make_spectrum_map


def test_a_channel_holds_the_integral_of_the_density():
    position, fwhm, area, fraction = 40.3, 6.0, 1e4, 0.3
    made = make_spectrum([[position, fwhm, area, fraction]], n_channels=20, background=5.0, noise=None)

    def density(x):
        z = 2 * (x - position) / fwhm
        gauss = 2 / fwhm * np.sqrt(np.log(2) / np.pi) * np.exp(-np.log(2) * z**2)
        return area * ((1 - fraction) * gauss + fraction * 2 / (np.pi * fwhm) / (1 + z**2))

    for k in [0, 7, 8, 15]:
        np.testing.assert_allclose(
            made.frame["expected"][k], quad(density, 5 * k, 5 * k + 5)[0] + 5.0, rtol=1e-9
        )
    np.testing.assert_allclose(made.frame["axis"][[0, 19]], [2.5, 97.5])
    np.testing.assert_array_equal(made.frame["counts"], made.frame["expected"])


def test_drawn_peaks_keep_their_promises():
    for seed in range(20):
        truth = make_spectrum(4, rng=seed).truth
        assert truth["position"].is_monotonic_increasing
        assert np.diff(truth["position"]).min() > truth["fwhm"].mean()
        assert truth["fwhm"].between(5, 10).all()
        np.testing.assert_allclose(truth["area"].sum(), 8e4)
        assert truth["lorentz_fraction"].between(0, 1).all()


def test_counts_scatter_like_counts():
    made = make_spectrum(3, total=1e6, rng=3).frame
    pearson = ((made["counts"] - made["expected"]) ** 2 / made["expected"]).sum()
    assert abs(pearson - 400) < 5 * np.sqrt(800)
    assert made["counts"].dtype == np.int64


def test_the_seed_decides():
    np.testing.assert_array_equal(make_spectrum(2, rng=5).frame, make_spectrum(2, rng=5).frame)
    first, second = (make_spectrum_map((4, 5), rng=5).counts for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_gaussian_noise_has_the_given_size():
    made = make_spectrum([[50, 8, 1e4, 0.5]], n_channels=4000, noise=3.0, rng=0).frame
    assert abs((made["counts"] - made["expected"]).std() - 3.0) < 0.15


def test_no_peak_is_a_flat_background():
    made = make_spectrum(0, rng=0)
    np.testing.assert_allclose(made.frame["expected"], 250.0)
    assert len(made.truth) == 0


def test_the_map_knows_its_phases_and_dead_pixels():
    made = make_spectrum_map((20, 30), dead=0.02, rng=1)
    assert made.counts.shape == (20, 30, 400)
    assert made.counts.dtype == np.uint32
    assert set(np.unique(made.n_peaks)) == {2, 3}
    np.testing.assert_array_equal(np.isnan(made.position[..., 2]), made.n_peaks == 2)
    np.testing.assert_array_equal(made.counts.sum(axis=-1) == 0, made.dead)
    assert made.dead.sum() == 12
    sides = made.n_peaks == 3
    assert (np.diff(sides.astype(int), axis=1) >= 0).all()  # one boundary per row
    np.testing.assert_allclose(np.nansum(made.area, axis=-1), 1.6e4)
    alive = made.counts[~made.dead].sum(axis=-1)
    assert abs(alive.mean() - 1.95e4) < 500  # Lorentzian tails reach beyond the window


def test_the_map_shows_its_peaks():
    made = make_spectrum_map((2, 2), total=1e7, dead=0, rng=2)
    third = made.counts[0, 1] - made.background[0, 1]
    near = np.abs(made.axis - made.position[0, 1, 2]) < 1
    far = np.abs(made.axis - 90) < 1
    assert third[near].mean() > 20 * third[far].mean()


@pytest.mark.parametrize(
    ("call", "numbers"),
    [
        (lambda: make_spectrum(9), ["FWHM up to 10.0", "Got 9"]),
        (lambda: make_spectrum([[1.0, 2.0, 3.0]]), ["position, fwhm, area", "(1, 3)"]),
        (lambda: make_spectrum([[1, 2, 3, 0], [1, -2, 3, 0]]), ["in row 1", "-2.0"]),
        (lambda: make_spectrum(1, window=(3.0, 3.0)), ["low < high", "(3.0, 3.0)"]),
        (lambda: make_spectrum(1, n_channels=0), ["n_channels", "Got 0"]),
        (lambda: make_spectrum(1, noise="pink"), ["'poisson'", "'pink'"]),
        (lambda: make_spectrum(1, background=1.5), ["fraction", "1.5"]),
        (lambda: make_spectrum_map((1, 5)), ["at least 2", "(1, 5)"]),
        (lambda: make_spectrum_map(dead=1.0), ["dead", "1.0"]),
        (lambda: make_spectrum_map(background=-0.1), ["background", "-0.1"]),
    ],
)
def test_errors_name_what_came(call, numbers):
    with pytest.raises(InputError) as caught:
        call()
    assert all(number in str(caught.value) for number in numbers)
