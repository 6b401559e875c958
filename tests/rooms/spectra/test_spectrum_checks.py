"""What a spectrum may look like: repaired and said, warned about, or refused with its number and place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.spectra.noise import GaussianNoise, PoissonNoise
from sozai.spectra.noise_size import counted_gain, scatter_gain, value_step
from sozai.spectra.spectrum import Spectrum
from sozai.spectra.spectrum_checks import SpectrumWarning, check_spectrum
from sozai.spectra.spectrum_flaws import find_plateau, find_spikes

AXIS = np.linspace(280, 290, 101)
PEAK = np.random.default_rng(0).poisson(20 + 400 * np.exp(-((AXIS - 285) ** 2))).astype(float)


def check(axis=AXIS, counts=PEAK, **options):
    return check_spectrum(axis, counts, place="PeakMixture.fit", **options)


def changed(channel, value, counts=PEAK):
    counts = counts.copy()
    counts[channel] = value
    return counts


@given(st.permutations(range(8)))
def test_an_unsorted_axis_is_sorted_and_led_back(order):
    axis, counts = np.arange(8.0)[list(order)], 10 * np.arange(1.0, 9.0)[list(order)]
    checked = check(axis, counts)
    np.testing.assert_array_equal(checked.axis, np.arange(8.0))
    np.testing.assert_array_equal(checked.counts[checked.order], counts)
    said = any("was not sorted" in note for note in checked.notes)
    assert said == (list(order) not in (list(range(8)), list(range(7, -1, -1))))


def test_duplicate_energies_are_averaged_and_weigh_more():
    checked = check([1.0, 2.0, 2.0, 2.0, 3.0], [4, 9, 10, 14, 2])
    np.testing.assert_array_equal(checked.counts, [4, 11, 2])
    np.testing.assert_array_equal(checked.weights, [1, 3, 1])
    np.testing.assert_array_equal(checked.order, [0, 1, 1, 1, 2])
    assert "2 channels repeat a position" in " ".join(checked.notes)


def test_duplicates_weigh_by_their_errors_and_gaps_do_not_count():
    checked = check([1.0, 2.0, 2.0, 2.0], [4, 10, 20, np.nan], noise=GaussianNoise([1.0, 1.0, 0.5, 1.0]))
    np.testing.assert_allclose(checked.counts, [4, (10 + 4 * 20) / 5])
    np.testing.assert_allclose(checked.weights, [1, 5])


def test_a_falling_axis_comes_back_in_the_user_s_order():
    checked = check(AXIS[::-1], PEAK[::-1])
    np.testing.assert_array_equal(checked.axis, AXIS)
    np.testing.assert_array_equal(checked.counts, PEAK)
    np.testing.assert_array_equal(checked.axis[checked.order], AXIS[::-1])
    assert not any("sorted" in note for note in checked.notes)


def test_uneven_steps_are_fine():
    axis = np.cumsum(np.random.default_rng(1).uniform(0.1, 1, 101))
    np.testing.assert_array_equal(check(axis).axis, axis)


def test_negative_counts_warn_or_are_refused_under_poisson_noise():
    counts = changed(17, -3.0)
    with pytest.warns(SpectrumWarning, match=r"1 counts are negative, the first -3 at channel 17 \(281.7\)"):
        assert isinstance(check(counts=counts).noise, GaussianNoise)
    sentence = (
        r"^PeakMixture\.fit: counts must be >= 0 for PoissonNoise\. Got -3\.0 at channel 17 \(281\.7 eV\)\. "
        r"Pass noise=GaussianNoise\(\) or subtract no dark level before fitting\.$"
    )
    for noise in (PoissonNoise(), "poisson"):
        with pytest.raises(InputError, match=sentence):
            check(counts=counts, noise=noise, unit="eV")
    assert check(counts=counts, noise=GaussianNoise()).noise.sigma is None
    masked = check(counts=counts, noise="poisson", mask=np.arange(101) == 17)
    assert masked.weights[17] == 0


def test_all_zeros_have_no_counts():
    with pytest.raises(InputError, match="There are no counts: all 101 channels are 0"):
        check(counts=np.zeros(101))


@pytest.mark.parametrize(("n", "p"), [(1, 1), (5, 5), (5, 9)])
def test_fewer_channels_than_parameters_name_n_and_p(n, p):
    with pytest.raises(InputError, match=rf"Got n = {n} channels for p = {p} parameters"):
        check(AXIS[:n], PEAK[:n], n_parameters=p)


def test_a_clipped_plateau_warns_and_is_left_out_when_asked():
    counts = np.minimum(PEAK, 300)
    with pytest.warns(SpectrumWarning, match="share the maximum 300.*Pass saturation="):
        assert check(counts=counts).weights.all()
    checked = check(counts=counts, saturation=300)
    np.testing.assert_array_equal(checked.weights == 0, counts == 300)
    assert "at or above saturation 300" in " ".join(checked.notes)


def test_repeated_small_numbers_are_no_plateau():
    rng = np.random.default_rng(2)
    for _ in range(50):
        assert find_plateau(rng.poisson(3, size=200).astype(float)).size == 0


def test_cosmic_spikes_warn_and_are_left_out_when_asked():
    counts = changed([30, 70, 71], 4000.0)
    with pytest.warns(SpectrumWarning, match=r"Channels 30 \(283\), 70 \(287\), 71 \(287.1\) look"):
        check(counts=counts)
    checked = check(AXIS[::-1], counts[::-1], despike=True)
    np.testing.assert_array_equal(checked.spikes, [29, 30, 70])
    np.testing.assert_array_equal(np.flatnonzero(checked.weights == 0), [30, 70, 71])


def test_noise_and_narrow_peaks_are_no_spikes():
    rng = np.random.default_rng(3)
    x = np.arange(400.0)
    for width in (2.5, 3.0, 6.0):
        for center in rng.uniform(50, 350, 40):
            mean = 20 + 1e5 * np.exp(-4 * np.log(2) * ((x - center) / width) ** 2)
            assert find_spikes(x, rng.poisson(mean).astype(float), 1.0).size == 0
            assert find_spikes(x, rng.poisson(mean).astype(float)).size == 0


@pytest.mark.parametrize("level", [0.3, 3.0, 10.0, 100.0])
def test_chance_makes_a_spike_in_less_than_one_of_a_thousand_clean_spectra(level):
    x, rng = np.arange(400.0), np.random.default_rng(4)
    lines = np.exp(-(((x - 180) / 19) ** 2)) + 0.7 * np.exp(-(((x - 215) / 19) ** 2))
    alarms = 0
    for mean in (np.full(400, level), level * (0.06 + lines)):
        alarms += sum(find_spikes(x, rng.poisson(mean).astype(float), 1.0).size > 0 for _ in range(500))
    assert alarms <= 1  # 4,000 spectra together; four are expected at most


def test_spikes_are_found_from_few_counts_on():
    rng = np.random.default_rng(5)
    for level, height in ((0.3, 30), (3.0, 45), (100.0, 130), (1e4, 1000)):
        found = 0
        for _ in range(50):
            counts = rng.poisson(level, 400).astype(float)
            counts[200] += height
            found += find_spikes(np.arange(400.0), counts, 1.0).tolist() == [200]
        assert found >= 45


def test_a_gap_of_nan_is_masked():
    checked = check(counts=changed(slice(40, 45), np.nan))
    np.testing.assert_array_equal(np.flatnonzero(checked.weights == 0), range(40, 45))
    assert np.isfinite(checked.counts).all()
    assert "5 channels hold no number" in checked.notes[1]


def test_units_that_contradict_the_photon_energy_are_refused():
    with pytest.raises(InputError, match=r"begin below the photon energy of 21.2 eV. Got '280 to 290 eV'"):
        check(unit="eV", axis_kind="binding", photon_energy=21.2)
    with pytest.raises(InputError, match=r"binding energy axis must be in a unit of energy. Got 'nm'"):
        check(unit="nm", axis_kind="binding")
    with pytest.raises(InputError, match=r"photon energy of 1486.6 eV = 0.834 nm. Got '280 to 290 nm'"):
        check(unit="nm", photon_energy=1486.6)
    with pytest.warns(SpectrumWarning, match="unit of the binding energy axis is not stated; eV assumed"):
        check(axis_kind="binding")
    assert check(unit="eV", axis_kind="kinetic", photon_energy=1486.6).tail == -1


def test_lengths_that_differ_name_both():
    with pytest.raises(InputError, match=r"\(101\)\. Got 100"):
        check(counts=PEAK[:100])


@pytest.mark.parametrize("kind", ["<u2", ">u2", ">f4", "<i8", ">f8"])
def test_any_byte_order_and_layout_gives_the_same_numbers(kind):
    counts = np.asfortranarray(np.stack([PEAK, PEAK]).astype(kind))[1]
    np.testing.assert_array_equal(check(counts=counts).counts, PEAK)


def test_input_is_not_changed_and_may_be_read_only():
    axis, counts = AXIS[::-1].copy(), changed(3, np.nan)
    axis.flags.writeable = counts.flags.writeable = False
    before = counts.copy()
    check(axis, counts)
    np.testing.assert_array_equal(counts, before)


def test_the_kind_of_noise_is_chosen_and_said():
    flat = 500 + np.random.default_rng(1).normal(0, 4, 101)
    whole, part = check(), check(counts=flat)
    assert isinstance(whole.noise, PoissonNoise)
    assert "whole numbers >= 0, so Poisson" in whole.notes[0]
    assert isinstance(part.noise, GaussianNoise)
    assert "not whole numbers, so Gaussian" in part.notes[0]
    assert not whole.estimate_dispersion


@pytest.mark.parametrize("size", [0.25, 1.04271, 10.0])
def test_a_common_step_is_the_size_of_one_count(size):
    written = np.round(size * PEAK, 4)  # as a text file has it
    checked = check(counts=written)
    assert checked.noise.gain == pytest.approx(size, rel=1e-5)
    assert not checked.estimate_dispersion
    assert f"all counts are multiples of {checked.noise.gain:.6g} and scatter so" in checked.notes[0]
    masked = check(counts=changed(7, 0.123456 * size, written), mask=np.arange(101) == 7)
    assert masked.noise.gain == pytest.approx(size, rel=1e-5)


def test_counts_divided_by_a_curve_get_a_gain_from_their_scatter():
    x = np.arange(400.0)
    mean = 30 + 2000 * np.exp(-(((x - 200) / 30) ** 2))
    sizes = []
    for seed in range(20):
        counts = 0.012 * np.random.default_rng(seed).poisson(mean) / (1 + 0.1 * x / 400)
        checked = check(x, counts)
        assert checked.estimate_dispersion
        assert f"one count of {checked.noise.gain:.3g} is assumed" in checked.notes[0]
        sizes.append(checked.noise.gain)
    assert np.mean(sizes) == pytest.approx(0.0114, rel=0.07)  # at the peak, in the middle
    assert np.std(sizes) / np.mean(sizes) < 1.5 * np.sqrt(4.6 / 400)


def test_what_scatters_otherwise_gets_no_gain():
    x, rng = np.arange(400.0), np.random.default_rng(0)
    curve = 30 + 2000 * np.exp(-(((x - 200) / 30) ** 2))
    assert scatter_gain(curve) is None  # no noise
    assert scatter_gain(curve + rng.normal(0, 20, 400)) is None  # the same everywhere
    assert scatter_gain(curve * rng.normal(1, 0.03, 400)) is None  # in proportion
    smooth = np.convolve(rng.poisson(curve), np.array([1, 4, 6, 4, 1]) / 16, "same")
    assert scatter_gain(smooth + 0.01) is None  # with a memory
    assert scatter_gain(rng.poisson(9.0, 20) * 1.1) is None  # too few channels
    assert value_step(np.round(curve, 2)) == pytest.approx(0.01)  # decimals
    assert counted_gain(np.round(rng.poisson(curve) * np.linspace(1, 1.1, 400), 2)) is None
    assert value_step(rng.uniform(1, 2, 200)) is None


def test_counts_per_second_need_the_dwell_time():
    known = check(counts=PEAK / 0.4 / 5, counts_unit="counts/s", dwell=0.4, sweeps=5)
    assert known.noise == PoissonNoise(gain=0.5)
    np.testing.assert_allclose(known.weights, 2.0)
    with pytest.warns(SpectrumWarning, match="without a known dwell time"):
        unknown = check(counts=PEAK / 2, counts_unit="counts/s")
    assert unknown.estimate_dispersion


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"counts": changed(5, np.inf)}, r"counts must be finite.*Got inf at channel 5 \(280.5\)"),
        ({"axis": changed(7, np.nan, AXIS)}, "axis must be finite. Got nan at channel 7"),
        ({"mask": np.ones(101, dtype=bool)}, "All 101 channels are masked"),
        ({"noise": GaussianNoise([1.0, 2.0])}, r"one value per channel \(101\). Got 2"),
        ({"saturation": 0.0}, "All 101 channels"),
    ],
)
def test_what_cannot_be_used_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        check(**options)


def test_a_spectrum_brings_what_it_knows():
    spectrum = Spectrum(AXIS, PEAK, "eV", "kinetic", noise=PoissonNoise(2.0), mask=AXIS > 289)
    checked = check_spectrum(spectrum, place="fit")
    assert checked.tail == -1
    assert checked.noise == PoissonNoise(2.0)
    assert checked.weights[-1] == 0
    assert check_spectrum(spectrum, place="fit", noise="gaussian").noise.sigma is None
