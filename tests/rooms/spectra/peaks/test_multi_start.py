"""The blind search: rates of success on drawn spectra, starts, moves, fewer channels."""

import numpy as np
import pytest

from sozai.datasets import make_spectrum
from sozai.spectra.noise import GaussianNoise
from sozai.spectra.peaks import multi_start
from sozai.spectra.peaks.background import Exponential, Shirley, Sum, Tougaard, as_background
from sozai.spectra.peaks.mixture import PeakMixture, fit_peaks
from sozai.spectra.peaks.multi_start import n_starts_of
from sozai.spectra.peaks.peak_problem import PeakProblem, with_offset
from sozai.spectra.peaks.start_model import StartModel, merged
from sozai.spectra.spectrum_checks import check_spectrum


def problem_of(axis, counts, n_peaks, shape="pseudo-voigt", background="constant", noise=None):
    under = as_background(background)
    options = {
        "labels": None,
        "ties": (),
        "bounds": None,
        "fixed": None,
        "width_range": (None, None),
        "place": "t",
    }
    whole, roster, offset = with_offset(under, noise, n_peaks, shape, options)
    checked = check_spectrum(axis, counts, place="t", noise=noise)
    return PeakProblem(checked, whole, roster, checked.counts + offset, offset, "auto", 100, 1e-9)


def drawn(n_peaks, seed):
    made = make_spectrum(n_peaks, rng=seed)
    return made.frame["axis"].to_numpy(), made.frame["counts"].to_numpy(), made.truth


@pytest.mark.parametrize(("n_peaks", "least"), [(3, 18), (5, 15)])
def test_success_and_optimum_on_drawn_spectra(n_peaks, least):
    success = optimum = 0
    for seed in range(20):
        axis, counts, truth = drawn(n_peaks, 500 + seed)
        fit = fit_peaks((axis, counts), n_peaks, n_init=20)
        known = fit_peaks((axis, counts), n_peaks, start=truth)
        optimum += fit.deviance <= known.deviance + 0.01
        centers = np.array([p.position for p in fit.peaks])
        areas = np.array([p.area for p in fit.peaks])
        success += bool(
            (np.abs(centers - truth["position"]) < 0.15 * truth["fwhm"]).all()
            and (np.abs(areas / truth["area"] - 1) < 0.15).all()
        )
    assert optimum >= 19
    assert success >= least


def test_numbers_of_starts():
    assert [n_starts_of("auto", k) for k in (0, 1, 4, 5, 9)] == [1, 20, 20, 40, 40]
    assert n_starts_of(3, 5) == 3
    axis, counts, _ = drawn(2, 0)
    assert len(PeakMixture(2, n_init=3).fit(axis, counts).starts_) == 3


def test_each_start_has_a_stream_of_its_own():
    axis, counts, _ = drawn(3, 1)
    few = fit_peaks((axis, counts), 3, n_init=5, random_state=7).start_table.theta
    many = fit_peaks((axis, counts), 3, n_init=20, random_state=7).start_table.theta
    assert few.tobytes() == many[:5].tobytes()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_move_leaves_a_local_optimum():
    made = make_spectrum([[20.0, 6.0, 3e4, 0.3], [50.0, 6.0, 3e4, 0.3], [80.0, 6.0, 3e4, 0.3]], rng=0)
    axis, counts = made.frame["axis"], made.frame["counts"]
    bad = np.array([20.0, 6, 7e3, 7e3, 20.5, 6, 7e3, 7e3, 50.0, 6, 2e4, 9e3, 100.0])
    stuck = fit_peaks((axis, counts), 3, start=bad)
    problem = problem_of(axis, counts, 3)
    start = StartModel.of(problem)
    solution = problem.solve(problem.model(problem.grid(6.0)), bad[None])
    moved = multi_start._moved(problem, start, solution)
    assert solution.deviance > 5000
    assert moved.deviance < 500
    assert stuck.deviance == pytest.approx(solution.deviance, rel=1e-6)


def test_merged_channels_hold_the_same_counts():
    axis, counts, _ = drawn(3, 2)
    start = StartModel.of(problem_of(axis, counts, 3, background="linear"))
    fewer = merged(start, 3)
    assert fewer.grid.n_channels == 133
    assert fewer.counts.sum() == counts.sum()
    np.testing.assert_allclose(fewer.basis.sum(axis=1), start.basis.sum(axis=1))
    np.testing.assert_allclose(fewer.grid.edges[[0, -1]], start.grid.edges[[0, -1]])
    np.testing.assert_allclose(fewer.grid.width[:-1], 0.75)


def test_masked_channels_are_not_merged_with_others():
    axis, counts, _ = drawn(3, 2)
    y = counts.astype(float)
    y[10] = np.nan
    fewer = merged(StartModel.of(problem_of(axis, y, 3, noise=None)), 4)
    assert fewer.weights[2] == 0.0
    assert fewer.weights.sum() == 99
    y[::3] = np.nan  # a third is gone: merging would take the rest
    start = StartModel.of(problem_of(axis, y, 3))
    assert merged(start, 4) is start


@pytest.mark.parametrize(
    "background",
    [
        "constant", "linear", "polynomial", "constant + shirley", Exponential(), Exponential(reference=50.0),
        Sum((Exponential(), Shirley())), "constant + tougaard", Tougaard(D=500.0), "none",
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["pseudo-voigt", "gaussian", "voigt"])
def test_parameters_go_there_and_back(background, shape):
    axis, counts, _ = drawn(2, 3)
    problem = problem_of(axis, counts, 2, shape, background)
    start = StartModel.of(problem)
    model = problem.model(problem.grid(6.0))
    row = {"pseudo-voigt": (0.6, 0.4), "gaussian": (1.0, 0.0), "voigt": (0.5, 0.5)}[shape]
    blocks = np.ravel([[30.0, 6.0, 1e4 * row[0], 1e4 * row[1]], [60.0, 8.0, 2e4 * row[0], 2e4 * row[1]]])
    size = len(start.basis) + (start.step is not None)
    given = np.append(blocks, np.full(size, 40.0))
    theta = start.to_theta(given[None])[0]
    assert theta.shape == (model.n_parameters,)
    back = start.from_theta(model, theta)
    if shape != "voigt":
        np.testing.assert_allclose(back[:8], blocks, rtol=1e-12)
    else:
        np.testing.assert_allclose(back[[0, 1, 4, 5]], blocks[[0, 1, 4, 5]], rtol=1e-3)
    again = start.to_theta(back[None])[0]
    np.testing.assert_allclose(again[model.n_peak_parameters :], theta[model.n_peak_parameters :], rtol=1e-9)


def test_the_scale_of_gaussian_data_is_mean_over_variance():
    axis = np.linspace(0, 100, 400)
    y = 0.01 + np.random.default_rng(0).normal(0, 1e-3, 400)
    start = StartModel.of(problem_of(axis, y, 1, noise=GaussianNoise()))
    assert start.scale == pytest.approx(y.mean() / 1e-6, rel=0.3)
    known = StartModel.of(problem_of(axis, y, 1, noise=GaussianNoise(2e-3)))
    assert known.scale == pytest.approx(np.maximum(y, 0).mean() / 4e-6, rel=1e-9)
