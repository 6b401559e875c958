"""Number of peaks: found, never forced, the same for any n_jobs, and said when it is not sure."""

import warnings

import numpy as np
import pytest
from scipy.special import erfcx

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.datasets import make_spectrum
from sozai.spectra.noise import GaussianNoise
from sozai.spectra.peaks.background import NoBackground, Shirley
from sozai.spectra.peaks.count import PeakCount, select_n_components
from sozai.spectra.peaks.count_criteria import AIC, BIC, AICc, AnnealedDirichlet, Evidence, as_criterion
from sozai.spectra.peaks.count_support import Support, admitted, overlapping_groups
from sozai.spectra.peaks.fit_quality import acts_as_background
from sozai.spectra.peaks.ties import Doublet
from sozai.spectra.spectrum import Spectrum

THREE = [[20.0, 7.0, 3e4, 0.3], [50.0, 8.0, 3e4, 0.3], [80.0, 7.0, 3e4, 0.3]]


def spectrum(rows, level=20.0, seed=0):
    frame = make_spectrum(rows, background=level, rng=seed).frame
    return frame["axis"].to_numpy(), frame["counts"].to_numpy()


def two(separation, total, seed, fwhm=8.0):
    rows = [[45.0, fwhm, 0.4 * total, 0.3], [45.0 + separation * fwhm, fwhm, 0.4 * total, 0.3]]
    return spectrum(rows, 0.2 * total / 400, seed)


@pytest.fixture(scope="module")
def three():
    return select_n_components(*spectrum(THREE), range(6), random_state=0)


def test_three_peaks_are_found_where_they_are(three):
    assert three.n_components == 3
    assert np.allclose([peak.position for peak in three.best.peaks], [20, 50, 80], atol=0.5)
    assert three.weight > 0.99
    assert repr(three) == "PeakCount: 3 of 0 to 5 peaks by BIC, weight 1.00"


def test_deviance_never_rises_and_bic_is_its_formula(three):
    table = three.to_frame()
    assert (np.diff(table["deviance"]) <= 1e-3).all()
    assert table["n_free"].tolist() == [4 * k + 1 for k in table["n_components"]]
    assert np.allclose(table["criterion"], table["deviance"] + table["n_free"] * np.log(400))
    share = np.exp(-0.5 * (table["criterion"] - table["criterion"].min())) * table["admitted"]
    assert np.allclose(table["weight"], share / share.sum())
    assert table["admitted"].tolist()[:4] == [True] * 4


def test_records_are_those_of_the_table(three):
    for k, row in three.table.set_index("n_components").iterrows():
        fit = three.fits[k]
        assert len(fit.peaks) == k
        assert fit.deviance == row["deviance"]
        assert fit.n_free == row["n_free"]
        assert tuple(p.label for p in fit.peaks if not p.supported) == row["unsupported"]
    assert three.fits[3] is three.fits[3]


def test_needless_peaks_are_flagged_not_removed(three):
    table = three.table.set_index("n_components")
    assert table["unsupported"][3] == ()
    assert len(table["unsupported"][4]) >= 1
    assert len(three.fits[4].peaks) == 4


def test_search_ends_after_two_rises():
    count = select_n_components(*spectrum([[50.0, 8.0, 3e4, 0.3]]), range(9))
    assert count.table["n_components"].max() == 3
    assert any("More than 3 peaks not tried" in note for note in count.notes)


def test_same_bits_for_any_number_of_threads_and_a_seed():
    axis, counts = two(0.7, 1e4, 3)
    tables = [select_n_components(axis, counts, range(4), n_jobs=n, random_state=5).table for n in (1, 2, 4)]
    for table in tables[1:]:
        assert (table["deviance"].to_numpy() == tables[0]["deviance"].to_numpy()).all()
        assert table["hits"].tolist() == tables[0]["hits"].tolist()


def test_shifted_and_scaled_axis_gives_the_same_table():
    axis, counts = two(1.0, 1e5, 0)
    here = select_n_components(axis, counts, range(1, 4)).table
    there = select_n_components(280.0 + 0.05 * axis, counts, range(1, 4)).table
    assert np.allclose(here["deviance"], there["deviance"], atol=0.02)


def test_spectrum_and_int_are_understood():
    axis, counts = two(1.0, 1e4, 0)
    count = select_n_components(Spectrum(axis, counts, unit="eV"), 3, shape="gaussian")
    assert count.table["n_components"].tolist()[0] == 0
    assert count.best.unit == "eV"
    assert count.best.shape == "Gaussian"


def test_gaussian_noise_of_unknown_size_uses_its_likelihood():
    rng = np.random.default_rng(0)
    axis = np.linspace(0.0, 100.0, 400)
    counts = 50.0 * np.exp(-4 * np.log(2) * ((axis - 40.0) / 8.0) ** 2) + 3.0 + rng.normal(0.0, 2.0, 400)
    count = select_n_components(axis, counts, range(4), shape="gaussian", noise=GaussianNoise())
    assert count.n_components == 1
    n = 400
    rss = count.fits[1].deviance
    assert np.isclose(count.table["deviance"][1], n * np.log(rss / n))


def test_numbers_between_the_ones_asked_for_are_not_shown():
    count = select_n_components(*two(1.0, 1e5, 0), [1, 3])
    assert count.table["n_components"].tolist() == [1, 3]


def test_doublets_keep_their_ties():
    rows = [[30.0, 6.0, 4e4, 0.3], [40.0, 6.0, 2e4, 0.3], [70.0, 6.0, 2e4, 0.3]]
    ties = [("peak 1", "peak 2", Doublet(10.0, 0.5))]
    count = select_n_components(*spectrum(rows), range(2, 5), ties=ties)
    assert count.n_components == 3
    first = count.best.peaks
    assert np.isclose(first[1].area / first[0].area, 0.5)


# --- support -------------------------------------------------------------------------------------------


def core_level(tail, seed=0, gain=1.0):
    """Two asymmetric lines, which no pseudo-Voigt is, on a background that ends in a slope."""
    axis = np.linspace(280.0, 296.0, 321)
    mean = 300.0 + 200.0 / (1.0 + np.exp((286.0 - axis) / 0.8)) + 900.0 * np.exp((axis - 297.0) / 1.5)
    for at, height in ((284.5, 9000.0), (288.5, 3000.0)):
        z = axis - at
        width = 1.2 * (1.0 + tail * np.tanh(z))
        mean = mean + height * np.exp(-4 * np.log(2) * (z / width) ** 2)
    return axis, gain * np.random.default_rng(seed).poisson(mean)


def test_misfit_of_the_shape_buys_no_unsupported_line():
    axis, counts = core_level(0.25)
    count = select_n_components(axis, counts, range(7), background="linear", random_state=0)
    table = count.table.set_index("n_components")
    row = table.loc[count.n_components]
    assert row["admitted"]
    assert count.weight == pytest.approx(1.0, abs=0.2)
    assert count.n_lines == count.n_components - len(row["background_like"])
    refused = table[~table["admitted"]]
    assert (refused["weight"] == 0.0).all()
    free = int(table["criterion"].idxmin())
    assert (free == count.n_components) == (not any("BIC alone would take" in n for n in count.notes))


def test_support_by_hand():
    sure, weak = Support((), (), ()), Support(("peak 2",), (), ("peak 2",))
    assert admitted(np.array([50.0, 40.0, 45.0]), [sure, weak, sure]).tolist() == [True, False, False]
    assert admitted(np.array([50.0, 40.0, 25.0]), [sure, weak, sure]).tolist() == [True, False, True]
    assert admitted(np.array([50.0, 40.0]), [weak, weak]).tolist() == [True, True]
    at, wide, high = np.array([284.0, 289.0, 295.9]), np.array([1.0, 4.5, 2.0]), np.array([9.0, 1.0, 3.0])
    assert acts_as_background(at, wide, high, (280.0, 296.0)).tolist() == [False, True, True]
    assert acts_as_background(at, wide, high, (270.0, 310.0)).tolist() == [False, True, False]
    assert overlapping_groups(np.array([1.0, 1.8, 2.6, 9.0]), np.ones(4)) == [[0, 1, 2], [3]]


def test_a_slope_at_the_end_is_no_line():
    rng = np.random.default_rng(3)
    axis = np.linspace(0.125, 99.875, 400)
    mean = (
        50.0 + 900.0 * np.exp(-(((axis - 40.0) / 5.0) ** 2)) + 800.0 * np.exp(-(((axis - 104.0) / 8.0) ** 2))
    )
    count = select_n_components(axis, rng.poisson(mean), range(5), random_state=0)
    assert count.n_lines == 1
    assert abs(count.best.peaks[0].position - 40.0) < 0.2
    assert count.table["background_like"][2] == ("peak 2",)
    assert any("as a background" in note and ": 1 line." in note for note in count.notes)


def test_dispersion_divides_the_deviance_where_the_most_peaks_miss_counts():
    axis = np.linspace(0.125, 99.875, 400)
    saw = 1.0 + 0.05 * np.sin(3.0 * axis)
    mean = saw * (200.0 + 9000.0 * np.exp(-(((axis - 45.0) / 6.0) ** 2)))
    counts = np.random.default_rng(0).poisson(mean)
    count = select_n_components(axis, counts, range(4), shape="gaussian", random_state=0)
    table = count.table
    scale = (table["deviance"][0] - table["deviance"][1]) / (
        table["criterion"][0] - table["criterion"][1] + 3 * np.log(400)
    )
    assert scale > 2.0
    last = int(table["n_components"].max())
    fit = count.fits[last]
    assert scale == pytest.approx(np.sum((counts - fit.expected) ** 2 / fit.expected) / fit.dof, rel=1e-6)
    assert any(f"divided by its dispersion {scale:.3g}" in note for note in count.notes)


def test_counts_of_unknown_size_are_compared_with_one_dispersion():
    axis, counts = spectrum(THREE)
    count = select_n_components(axis, 0.013 * counts / (1 + 0.001 * axis), range(6), random_state=0)
    assert count.n_components == 3
    assert "one count of 0.01" in " ".join(count.best.notes)
    assert any("the dispersion with" in note for note in count.notes)


def test_a_criterion_may_follow_a_spectrum():
    axis, counts = two(1.0, 1e4, 0)
    held = Spectrum(axis, counts)
    assert select_n_components(held, range(1, 3), "bic").table["n_components"].tolist() == [1, 2]


# --- criteria --------------------------------------------------------------------------------------------


def test_criteria_by_hand():
    assert BIC().value(10.0, 3, 100) == pytest.approx(10 + 3 * np.log(100))
    assert AIC().value(10.0, 3, 100) == 16.0
    assert AICc().value(10.0, 3, 7) == pytest.approx(16 + 24 / 3)
    assert AICc().value(10.0, 3, 4) == np.inf
    assert as_criterion("aicc", place="x") == AICc()


@pytest.mark.parametrize("name", ["aic", "aicc"])
def test_akaike_warns(name):
    with pytest.warns(UserWarning, match="finds too many peaks"):
        select_n_components(*two(1.0, 1e4, 0), range(1, 3), name)


@pytest.mark.parametrize("alpha", [None, 0.5, -5.0, np.full(8, 0.01)])
def test_annealing_does_not_hang_on_alpha(alpha):
    count = select_n_components(*spectrum(THREE), range(6), AnnealedDirichlet(alpha=alpha))
    assert count.n_components == 3
    assert (np.diff(count.table["deviance"]) <= 1e-3).all()


def test_annealing_kills_more_with_a_harder_prior():
    from sozai.spectra.peaks.count_scout import CountScout
    from sozai.spectra.peaks.dirichlet import annealed_paths
    from sozai.spectra.peaks.multi_start import drawn_starts
    from sozai.spectra.peaks.start_model import StartModel

    scout = CountScout.of(*spectrum(THREE), None, {}, [8])
    start = StartModel.of(scout.problem(8))
    row = drawn_starts(start, 1, np.random.SeedSequence(1))[0]
    least = [min(annealed_paths(start, row, np.full(8, a), 5, 8)) for a in (0.99, -5.0, -2000.0)]
    assert least[0] >= least[1] >= least[2]
    assert least[1] <= 5
    assert least[2] <= 3


# --- evidence --------------------------------------------------------------------------------------------


def log_evidence_of_one_gaussian(axis, counts, sigma, low, high, mean_area):
    """Integral over area in closed form (exponential prior), over center and ln width on a grid."""
    h = axis[1] - axis[0]
    edges = np.append(axis - h / 2, axis[-1] + h / 2)
    centers = np.linspace(edges[0], edges[-1], 2001)
    widths = np.exp(np.linspace(np.log(low), np.log(high), 301))
    base = -0.5 * np.sum((counts / sigma) ** 2) - len(axis) * np.log(sigma * np.sqrt(2 * np.pi))
    logs = np.empty((len(widths), len(centers)))
    for i, w in enumerate(widths):
        s = w / np.sqrt(8 * np.log(2))
        f = h * np.exp(-0.5 * ((axis - centers[:, None]) / s) ** 2) / (s * np.sqrt(2 * np.pi))
        a = (f**2).sum(axis=1) / sigma**2
        b = (f @ counts) / sigma**2 - 1.0 / mean_area
        z = -b / np.sqrt(2 * a)
        with np.errstate(over="ignore"):
            tail = np.where(
                z > -20, np.log(np.maximum(erfcx(np.maximum(z, -20)), 1e-300)), z**2 + np.log(2.0)
            )
        logs[i] = base + tail + 0.5 * np.log(np.pi / (2 * a)) - np.log(mean_area)

    def mean(values, axis):
        weights = np.ones(values.shape[axis])
        weights[[0, -1]] = 0.5
        top = values.max(axis=axis, keepdims=True)
        shape = [-1 if k == axis else 1 for k in range(values.ndim)]
        total = (np.exp(values - top) * (weights / weights.sum()).reshape(shape)).sum(axis=axis)
        return np.log(total) + top.squeeze(axis)

    return float(mean(mean(logs, 1), 0))


def test_evidence_of_one_gaussian_is_the_integral():
    rng = np.random.default_rng(1)
    axis = np.linspace(0.5, 59.5, 60)
    counts = 12.0 * np.exp(-4 * np.log(2) * ((axis - 25.0) / 9.0) ** 2) + rng.normal(0.0, 2.0, 60)
    count = select_n_components(
        axis, counts, [1], Evidence(n_replicas=16, n_sweeps=6000), shape="gaussian",
        background=NoBackground(), noise=GaussianNoise(2.0), width_range=(4.0, 30.0), n_init=5,
        integration="midpoint",
    )  # fmt: skip
    mean_area = np.maximum(counts, 0.0).sum() / 2
    wanted = log_evidence_of_one_gaussian(axis, counts, 2.0, 4.0, 30.0, mean_area)
    found = count.posteriors[1]
    assert abs(found.log_evidence - wanted) < 0.1
    assert abs(found.forward - found.reverse) < 0.2
    low, high = found.interval("peak 1.position", 0.9)
    assert low < 25.0 < high
    assert found.samples.shape == (6000, 3)


def test_evidence_of_unknown_noise_finds_its_size_and_the_number():
    rng = np.random.default_rng(2)
    axis = np.linspace(0.5, 59.5, 60)
    counts = 20.0 + 60.0 * np.exp(-4 * np.log(2) * ((axis - 25.0) / 9.0) ** 2) + rng.normal(0.0, 3.0, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        count = select_n_components(
            axis, counts, range(3), Evidence(n_replicas=20, n_sweeps=1200), shape="gaussian",
            noise=GaussianNoise(), n_init=5,
        )  # fmt: skip
    assert count.n_components == 1
    assert count.posteriors[1].sigma == pytest.approx(3.0, rel=0.3)
    assert count.posteriors[1].residual_ratio == pytest.approx(1.0, abs=0.05)
    assert "log_evidence" in count.table


def test_evidence_has_the_same_bits_for_any_number_of_threads():
    axis, counts = two(0.9, 1e4, 0)
    settings = Evidence(n_replicas=8, n_sweeps=160)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = [select_n_components(axis, counts, [1], settings, n_jobs=n).posteriors[1] for n in (1, 2)]
    assert found[0].log_evidence == found[1].log_evidence
    assert (found[0].samples == found[1].samples).all()


def test_hopeless_numbers_stop_early_and_one_number_alone_never_does():
    axis, counts = two(1.5, 1e4, 0)
    settings = Evidence(n_replicas=16, n_sweeps=1024)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        count = select_n_components(axis, counts, range(1, 3), settings)
        alone = select_n_components(axis, counts, [1], settings).posteriors[1]
    assert count.n_components == 2
    assert count.table["admitted"].all()
    short = count.posteriors[1]
    assert len(short.samples) < len(alone.samples) == 1024
    errors = np.hypot(short.log_evidence_error, alone.log_evidence_error)
    assert abs(short.log_evidence - alone.log_evidence) < 4 * errors + 0.5
    assert (short.samples[:60] == alone.samples[:60]).all()  # the same sweeps, only fewer


def test_too_few_replicas_are_warned_of():
    with pytest.warns(ConvergenceWarning) as said:
        count = select_n_components(*two(1.0, 1e5, 0), [2], Evidence(n_replicas=4, n_sweeps=128))
    low = count.posteriors[2].exchange_rates.min()
    assert low < 0.1
    assert any(f"exchange at a rate of {low:.3f} < 0.1" in str(one.message) for one in said)


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "options", "message"),
    [
        ([1, -2], {}, r"n_components must hold whole numbers >= 0. Got -2"),
        ([], {}, "n_components must hold at least one number"),
        ([1], {"criterion": "mdl"}, "criterion must be one of bic, aic, aicc, dirichlet, evidence"),
        ([1], {"method": "em"}, "options must not hold 'method'"),
        ([1, 2], {"shape": ["gaussian", "gaussian"]}, "shape must be one shape for all peaks"),
        (
            [1],
            {"criterion": Evidence(), "background": Shirley()},
            "background must be linear in coefficients",
        ),
        (
            [2],
            {"criterion": Evidence(), "ties": [("peak 1", "peak 2", Doublet(9.0, 0.5))]},
            "ties, fixed values",
        ),
    ],
)
def test_what_cannot_be_asked(numbers, options, message):
    axis, counts = two(1.0, 1e4, 0)
    with pytest.raises((InputError, TypeError), match=message):
        select_n_components(axis, counts, numbers, **options)


def test_settings_that_make_no_sense():
    with pytest.raises(InputError, match=r"n_sweeps must be a whole number of at least 128. Got 10"):
        Evidence(n_sweeps=10)
    with pytest.raises(InputError, match=r"alpha must be one finite number, or 8 of them"):
        AnnealedDirichlet(alpha=[0.5, 0.5])


def test_few_channels_limit_the_number():
    axis = np.arange(12.0)
    counts = np.array([3, 4, 2, 5, 30, 60, 28, 4, 3, 5, 2, 4])
    count = select_n_components(axis, counts, range(5))
    assert isinstance(count, PeakCount)
    assert count.table["n_components"].max() == 2
    assert any("3 peaks and more have as many parameters as the 12 channels" in note for note in count.notes)


# --- how often it is right -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("separation", "total", "least"), [(0.8, 1e4, 0.9), (0.6, 1e5, 0.87), (0.4, 1e6, 0.78)]
)
def test_two_peaks_are_two(separation, total, least):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # chance makes single channels look like cosmic rays
        chosen = [
            select_n_components(*two(separation, total, seed), range(1, 5)).n_components for seed in range(20)
        ]
    assert np.mean(np.array(chosen) == 2) >= least


@pytest.mark.slow
def test_no_peak_is_no_peak():
    rng = np.random.default_rng(0)
    axis = np.linspace(0.125, 99.875, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = [select_n_components(axis, rng.poisson(25, 400), range(5)).n_components for _ in range(40)]
    assert np.mean(np.array(chosen) == 0) >= 0.95
