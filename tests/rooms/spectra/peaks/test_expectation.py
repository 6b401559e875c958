"""Start-up of peaks: the likelihood never falls, edges and gaps are exact, and it equals what is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy
from scipy.stats import cauchy, norm
from sklearn.mixture import GaussianMixture

from sozai.contracts.errors import InputError
from sozai.spectra.peaks.expectation import PooledPeaks, gaussian_em, start_up_em
from sozai.spectra.peaks.expectation_kernels import (
    areas_cycle,
    fill_shapes,
    find_mean,
    room_for,
    shapes_cycle,
    weigh_channels,
)
from sozai.spectra.peaks.expectation_window import make_members, make_window
from sozai.spectra.peaks.grid import Grid

SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))


def expected(theta, n_peaks, grid, basis, step=None, tail=1):
    """Expected counts by scipy, midpoints."""
    x, h = grid.axis, grid.width
    mean = theta[4 * n_peaks : 4 * n_peaks + len(basis)] @ basis
    for x0, w, a, b in np.reshape(theta[: 4 * n_peaks], (n_peaks, 4)):
        mean = mean + h * (a * norm.pdf(x, x0, w * SIGMA) + b * cauchy.pdf(x, x0, w / 2))
        if step is not None:
            u = tail * (x - x0)
            mean = mean + step * h * (a * norm.cdf(u, 0, w * SIGMA) + b * cauchy.cdf(u, 0, w / 2))
    return mean


def deviance(counts, mean):
    return 2.0 * np.sum(mean - counts + xlogy(counts, counts / mean))


def line(n):
    t = np.linspace(0.0, 1.0, n)
    return np.vstack([1.0 - t, t])


GRID = Grid.of(np.linspace(0.0, 100.0, 401), "midpoint")
BASIS = line(401)
TRUTH = np.array([4, 6, 3e4, 2e4, 97, 5, 2e4, 3e4, 50, 8, 3e4, 1e4, 40, 60.0])


# --- Gaussian mixture ----------------------------------------------------------------------------------


def test_gaussian_em_equals_a_mixture_of_repeated_points():
    rng = np.random.default_rng(3)
    axis = np.linspace(-4.0, 5.0, 60)
    counts = rng.poisson(40 * norm.pdf(axis, -1, 0.7) + 25 * norm.pdf(axis, 2, 1.1)).astype(float)
    means, sigmas, weights = np.array([-2.0, 1.0, 2.5]), np.array([1.0, 0.8, 1.5]), np.array([0.3, 0.4, 0.3])
    ours = gaussian_em(axis, counts, means, sigmas, weights, tol=0.0, max_iter=25)
    theirs = GaussianMixture(
        3, tol=0.0, max_iter=25, reg_covar=0.0, covariance_type="diag",
        means_init=means[:, None], precisions_init=1 / sigmas[:, None] ** 2, weights_init=weights,
    )  # fmt: skip
    points = np.repeat(axis, counts.astype(int))[:, None]
    with pytest.warns(UserWarning, match="did not converge"):
        theirs.fit(points)
    np.testing.assert_allclose(ours.means, theirs.means_[:, 0], rtol=1e-8)
    np.testing.assert_allclose(ours.sigmas, np.sqrt(theirs.covariances_[:, 0]), rtol=1e-8)
    np.testing.assert_allclose(ours.weights, theirs.weights_, rtol=1e-8)
    assert ours.log_likelihoods[-1] == pytest.approx(theirs.score(points) * len(points), rel=1e-10)


def test_one_gaussian_is_the_weighted_moments():
    axis = np.linspace(200.0, 240.0, 321)
    counts = 500 * norm.pdf(axis, 221.3, 2.2) + 3.0
    fit = gaussian_em(axis, counts, [210.0], [9.0], [1.0])
    mean = np.average(axis, weights=counts)
    sd = np.sqrt(np.average((axis - mean) ** 2, weights=counts))
    assert fit.means[0] == pytest.approx(mean, rel=1e-10)
    assert fit.sigmas[0] == pytest.approx(sd, rel=1e-10)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.booleans())
def test_gaussian_likelihood_never_falls(seed, n_peaks, uniform):
    rng = np.random.default_rng(seed)
    axis = np.sort(rng.uniform(0, 10, 80))
    counts = rng.poisson(rng.uniform(0, 20, 80)).astype(float)
    weights = rng.dirichlet(np.ones(n_peaks + uniform)) + 0.01
    means, sigmas = rng.uniform(0, 10, n_peaks), rng.uniform(0.3, 3, n_peaks)
    fit = gaussian_em(axis, counts, means, sigmas, weights, uniform=uniform, max_iter=60)
    path = fit.log_likelihoods
    assert (np.diff(path) >= -1e-12 * np.abs(path[1:])).all()
    assert fit.weights.sum() == pytest.approx(1.0, rel=1e-12)
    density = sum(fit.weights[k] * norm.pdf(axis, fit.means[k], fit.sigmas[k]) for k in range(n_peaks))
    density = density + (fit.weights[-1] / (axis[-1] - axis[0]) if uniform else 0.0)
    assert path[-1] == pytest.approx(np.sum(counts * np.log(density)), rel=1e-10)


def test_a_uniform_background_is_found():
    axis = np.linspace(0.0, 100.0, 401)
    counts = 1e4 * norm.pdf(axis, 40, 3) + 50.0  # 2e4 counts of background in [0, 100] to 4e4 of the peak
    fit = gaussian_em(axis, counts, [50.0], [10.0], [0.5, 0.5], uniform=True, tol=1e-14)
    share = 4e4 / (4e4 + 50.0 * 401)
    assert fit.weights[0] == pytest.approx(share, rel=3e-3)
    assert fit.means[0] == pytest.approx(40.0, abs=0.01)
    assert fit.sigmas[0] == pytest.approx(3.0, rel=3e-3)


# --- start-up: laws ------------------------------------------------------------------------------------


def random_problem(seed, n_peaks, step):
    """Counts, a start, and the window, with peaks that may lie on the edges and a gap."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 160))
    axis = np.cumsum(rng.uniform(0.7, 1.3, n)) if rng.random() < 0.5 else np.arange(float(n))
    grid = Grid.of(axis, "midpoint", tail=int(rng.choice([-1, 1])))

    def draw():
        ends = rng.choice([axis[0], axis[-1]], n_peaks) + rng.normal(0, 3, n_peaks)
        inside = rng.uniform(axis[0], axis[-1], n_peaks)
        x0 = np.clip(np.where(rng.random(n_peaks) < 0.4, ends, inside), axis[0], axis[-1])
        areas = rng.uniform(10, 3000, (2, n_peaks)) * (rng.random((2, n_peaks)) < 0.85)
        areas[0] += (areas.sum(axis=0) == 0) * 100.0
        blocks = np.column_stack([x0, np.exp(rng.uniform(1, 3, n_peaks)), *areas])
        return np.concatenate([blocks.ravel(), rng.uniform(0.1, 30, 2), rng.uniform(0.001, 0.05, int(step))])

    counts = rng.poisson(expected(draw(), n_peaks, grid, line(n), 0.01 if step else None)).astype(float)
    weights = np.ones(n)
    if rng.random() < 0.5:
        weights[n // 3 : n // 2] = 0.0
        counts[n // 3 : n // 2] = np.nan
    return grid, counts, draw(), line(n), weights


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.booleans())
def test_deviance_never_rises_in_any_half_step(seed, n_peaks, step):
    grid, counts, theta, basis, weights = random_problem(seed, n_peaks, step)
    seen = weights > 0
    y = np.where(seen, counts, 0.0)
    window = make_window(grid, basis, 2 if step else None, None, weights, y[None], "test")
    members = make_members(window, n_peaks, (None, None), None, None, "test")
    room, before = room_for(n_peaks, y.size), np.empty(theta.size)
    weigh_channels(window, room)
    fill_shapes(window, theta, room)
    path = []
    for _ in range(12):
        for cycle in (areas_cycle, shapes_cycle):
            cycle(window, members, y, theta, room) if cycle is areas_cycle else cycle(
                window, members, y, theta, before, room
            )
            find_mean(window, y, theta, room)
            path.append(deviance(y[seen], room.mean[seen]))
    assert np.diff(path).max() <= 1e-9 * path[0]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_deviance_never_rises_from_call_to_call_with_ties_and_blocked_widths(seed, step):
    grid, counts, theta, basis, weights = random_problem(seed, 3, step)
    pooled = PooledPeaks.doublets(3, {1: 0}, shift={1: 9.0}, width_ratio={1: 1.2}, area_ratio={1: 0.5})
    theta[4], theta[5], theta[6:8] = theta[0] + 9.0, 1.2 * theta[1], 0.5 * theta[2:4]
    path = []
    for _ in range(12):
        (theta,), (value,) = start_up_em(
            grid, counts, theta, 3, basis, n_iter=1, shirley=2 if step else None, pooled=pooled,
            weights=weights, width_range=(2.0, 30.0), least_counts=0.0,
        )  # fmt: skip
        path.append(value)
    assert np.diff(path).max() <= 1e-9 * path[0]
    assert theta[4] == pytest.approx(theta[0] + 9.0, rel=1e-12)
    assert theta[5] == pytest.approx(1.2 * theta[1], rel=1e-12)
    np.testing.assert_allclose(theta[6:8], 0.5 * theta[2:4], rtol=1e-12)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-300, 300))
def test_moving_and_stretching_the_axis_moves_and_stretches_the_peaks(seed, scale, shift):
    grid, counts, theta, basis, weights = random_problem(seed, 2, False)
    other = Grid.of(scale * grid.axis + shift, "midpoint", tail=grid.tail)
    stretched = theta.copy()
    stretched[[0, 4]] = scale * theta[[0, 4]] + shift
    stretched[[1, 5]] *= scale
    ours, d0 = start_up_em(grid, counts, theta, 2, basis, weights=weights, n_iter=8)
    theirs, d1 = start_up_em(other, counts, stretched, 2, basis, weights=weights, n_iter=8)
    assert d1[0] == pytest.approx(d0[0], rel=1e-6)
    np.testing.assert_allclose(
        theirs[0, [0, 4]], scale * ours[0, [0, 4]] + shift, rtol=1e-6, atol=1e-5 * scale
    )


def test_the_mirrored_spectrum_has_the_mirrored_peaks_with_a_step_to_the_other_side():
    start = np.append(TRUTH * 1.05, 0.02)
    start[[0, 4, 8]] = [6.0, 95.0, 47.0]
    counts = expected(np.append(TRUTH, 0.01), 3, GRID, BASIS, 0.01, 1)
    back = Grid.of(GRID.axis, "midpoint", tail=-1)
    turned = start.copy()
    turned[[0, 4, 8]] = 100.0 - start[[0, 4, 8]]
    ours, d0 = start_up_em(GRID, counts, start, 3, BASIS, shirley=2)
    theirs, d1 = start_up_em(back, counts[::-1], turned, 3, BASIS[:, ::-1], shirley=2)
    assert d1[0] == pytest.approx(d0[0], rel=1e-9)
    theirs[0, [0, 4, 8]] = 100.0 - theirs[0, [0, 4, 8]]
    np.testing.assert_allclose(theirs, ours, rtol=1e-9)


def test_rows_do_not_know_of_each_other():
    rng = np.random.default_rng(0)
    spectra = rng.poisson(expected(TRUTH, 3, GRID, BASIS), (2, 401)).astype(float)
    starts = np.tile(TRUTH, (6, 1)) * rng.uniform(0.8, 1.2, (6, 14))
    which = [0, 1, 1, 0, 1, 0]
    all_theta, all_deviance = start_up_em(GRID, spectra, starts, 3, BASIS, spectrum_of=which)
    for r, s in enumerate(which):
        theta, value = start_up_em(GRID, spectra[s], starts[r], 3, BASIS)
        assert np.array_equal(theta[0], all_theta[r])
        assert value[0] == all_deviance[r]


# --- start-up: truths ----------------------------------------------------------------------------------


def test_peaks_near_the_edges_are_recovered():
    """Centers 4 and 97 of 0 to 100, widths 6 and 5: a third of each is outside or nearly so."""
    counts = expected(TRUTH, 3, GRID, BASIS)
    start = TRUTH * np.random.default_rng(1).uniform(0.9, 1.1, 14)
    theta, value = start_up_em(GRID, counts, start, 3, BASIS, n_iter=3000)
    np.testing.assert_allclose(theta[0], TRUTH, rtol=1e-5)
    assert value[0] < 1e-6
    soon, _ = start_up_em(GRID, counts, start, 3, BASIS, n_iter=30)
    np.testing.assert_allclose(soon[0, [0, 4, 8]], [4, 97, 50], atol=0.02)


@pytest.mark.parametrize("tail", [1, -1])
def test_an_active_step_is_found_with_the_peaks(tail):
    grid = Grid.of(GRID.axis, "midpoint", tail=tail)
    truth = np.append(TRUTH, 0.01)
    counts = expected(truth, 3, grid, BASIS, 0.01, tail)
    start = np.append(TRUTH * np.random.default_rng(1).uniform(0.9, 1.1, 14), 0.03)
    theta, value = start_up_em(grid, counts, start, 3, BASIS, n_iter=20000, shirley=2)
    np.testing.assert_allclose(theta[0, [0, 4, 8]], [4, 97, 50], atol=2e-3)
    assert theta[0, 14] == pytest.approx(0.01, rel=5e-3)
    assert value[0] < 0.01
    first = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 12, 13]  # the same with s before the line
    moved, _ = start_up_em(grid, counts, start[first], 3, BASIS, n_iter=20000, shirley=0)
    np.testing.assert_array_equal(moved[0], theta[0, first])


def test_an_operator_that_is_the_step_does_what_the_step_does():
    h = GRID.width
    matrix = h[:, None] * (np.tri(401, k=-1) + 0.5 * np.eye(401))
    truth = np.array([30, 6, 3e4, 0, 60, 5, 2e4, 0, 40, 60, 0.01])
    mean = expected(truth[:-1], 2, GRID, BASIS)
    counts = mean + 0.01 * matrix @ (mean - truth[8:10] @ BASIS)
    start = truth * np.random.default_rng(2).uniform(0.9, 1.1, 11)
    ours, d0 = start_up_em(GRID, counts, start, 2, BASIS, shirley=2)
    theirs, d1 = start_up_em(GRID, counts, start, 2, BASIS, shirley=2, operator=matrix)
    np.testing.assert_allclose(theirs, ours, rtol=1e-7, atol=1e-9)
    assert d1[0] == pytest.approx(d0[0], rel=1e-6)


def test_masked_channels_do_not_matter():
    counts = expected(TRUTH, 3, GRID, BASIS)
    weights = np.ones(401)
    weights[190:205] = 0.0  # the top of the middle peak
    spoiled = np.where(weights > 0, counts, 1e9)
    start = TRUTH * np.random.default_rng(1).uniform(0.95, 1.05, 14)
    theta, _ = start_up_em(GRID, spoiled, start, 3, BASIS, n_iter=3000, weights=weights)
    np.testing.assert_allclose(theta[0], TRUTH, rtol=2e-3)
    spoiled[190:205] = np.nan
    again, _ = start_up_em(GRID, spoiled, start, 3, BASIS, n_iter=3000, weights=weights)
    np.testing.assert_array_equal(again, theta)


def test_integrated_channels_do_not_widen_the_peak():
    """A peak two channels wide: 11 % wider when integrals are taken for values at centers."""
    grid = Grid.of(np.arange(0.0, 60.0), "bin")
    integral = np.diff(1e5 * norm.cdf(grid.edges, 30.3, 2.0 * SIGMA))
    start = [[28.0, 4.0, 5e4, 0.0]]
    theta, _ = start_up_em(grid, integral, start, 1, n_iter=200)
    np.testing.assert_allclose(theta[0, :3], [30.3, 2.0, 1e5], rtol=5e-3)
    points, _ = start_up_em(Grid.of(grid.axis, "midpoint"), integral, start, 1, n_iter=200)
    assert points[0, 1] == pytest.approx(np.sqrt(4.0 + 8 * np.log(2) / 12), rel=5e-3)


def test_a_dead_peak_is_put_where_counts_are_missing():
    truth = np.array([30, 6, 2e4, 0, 70, 6, 1e4, 0, 10.0])
    basis = np.ones((1, 401))
    counts = np.random.default_rng(0).poisson(expected(truth, 2, GRID, basis)).astype(float)
    start = truth.copy()
    start[4:7] = 95.0, 2.0, 1e-3  # owns nothing
    theta, _ = start_up_em(GRID, counts, start, 2, basis, n_iter=60)
    assert theta[0, 4] == pytest.approx(70.0, abs=0.3)
    assert theta[0, 6] == pytest.approx(1e4, rel=0.05)
    assert theta[0, 7] == 0.0  # still a Gaussian
    left, _ = start_up_em(GRID, counts, start, 2, basis, n_iter=60, least_counts=0.0)
    assert left[0, 6] < 300.0


def test_fixed_doublet_finds_its_parent():
    truth = np.array([40, 5, 2e4, 1e4, 46, 5, 1e4, 5e3, 20.0])
    basis = np.ones((1, 401))
    counts = expected(truth, 2, GRID, basis)
    pooled = PooledPeaks.doublets(2, {1: 0}, shift={1: 6.0}, area_ratio={1: 0.5})
    start = [[44, 8, 1e4, 1e4, 50, 8, 5e3, 5e3, 30.0]]
    theta, _ = start_up_em(GRID, counts, start, 2, basis, n_iter=1500, pooled=pooled)
    np.testing.assert_allclose(theta[0], truth, rtol=2e-3)


def test_bounds_hold():
    counts = expected(TRUTH, 3, GRID, BASIS)
    theta, _ = start_up_em(
        GRID, counts, TRUTH, 3, BASIS, width_range=(7.0, 7.5), position_range=[[5, 9], [0, 95], [51, 51]]
    )
    assert ((theta[0, 1:12:4] >= 7.0) & (theta[0, 1:12:4] <= 7.5)).all()
    assert theta[0, [0, 4, 8]].tolist() == [5.0, 95.0, 51.0]


def test_negative_counts_are_zero_and_input_is_unchanged():
    counts = expected(TRUTH, 3, GRID, BASIS)
    counts[5] = -3.0
    theta, copy = TRUTH.copy(), counts.copy()
    a, _ = start_up_em(GRID, counts, theta, 3, BASIS, n_iter=3)
    assert np.array_equal(counts, copy)
    assert np.array_equal(theta, TRUTH)
    counts[5] = 0.0
    b, _ = start_up_em(GRID, counts, theta, 3, BASIS, n_iter=3)
    assert np.array_equal(a, b)


def test_repr_counts_tied_peaks():
    assert repr(PooledPeaks.doublets(4, {1: 0, 3: 2}, shift={1: 2.0})) == "PooledPeaks(4 peaks, 2 tied)"


# --- refusals ------------------------------------------------------------------------------------------


ONE = [10.0, 2.0, 5.0, 5.0]
AXIS = np.arange(20.0)
COUNTS = np.full(20, 3.0)
SMALL = Grid.of(AXIS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_em(AXIS, COUNTS[:19], [1], [1], [1]), r"counts must have 20 entries\. Got 19"),
        (lambda: gaussian_em(AXIS, -COUNTS, [1], [1], [1]), r"Got -3\.0 at channel 0"),
        (lambda: gaussian_em(AXIS, 0 * COUNTS, [1], [1], [1]), r"not all 0\. Got 0\.0 at channel 0"),
        (lambda: gaussian_em(AXIS, COUNTS, [1], [0], [1]), r"sigmas must be positive\. Got 0\.0 for"),
        (lambda: gaussian_em(AXIS, COUNTS, [1, 2], [1, 2], [1, 0]), r"weights must be positive.*component 1"),
        (lambda: gaussian_em(AXIS, COUNTS, [1], [1], [1], uniform=True), r"weights must have 2 entries"),
        (lambda: start_up_em(SMALL, COUNTS[:19], ONE, 1), r"counts must have 20 entries\. Got 19"),
        (lambda: start_up_em(SMALL, COUNTS, ONE, 2), r"theta must have 8 entries\. Got 4"),
        (lambda: start_up_em(SMALL, COUNTS, ONE, 1, np.ones((1, 9))), r"basis must have 20 entries\. Got 9"),
        (lambda: start_up_em(SMALL, COUNTS, [1, -2, 5, 5], 1), r"no negative area.* in start 0"),
        (lambda: start_up_em(SMALL, COUNTS, [1, 2, -5, 5], 1), r"Got \[1\.0, 2\.0, -5\.0, 5\.0\] in start 0"),
        (lambda: start_up_em(SMALL, COUNTS, [np.nan, 2, 5, 5], 1), r"theta must be finite"),
        (
            lambda: start_up_em(SMALL, np.where(AXIS == 7, np.nan, 3.0), ONE, 1),
            r"counts must be finite where they are not masked\. Got nan at channel 7 of spectrum 0",
        ),
        (
            lambda: start_up_em(SMALL, COUNTS, ONE, 1, width_range=(5.0, 4.0)),
            r"width_range must end above its lower bound, which is 5\. Got 4\.0",
        ),
        (lambda: start_up_em(SMALL, COUNTS, ONE, 1, spectrum_of=[1]), r"name rows below 1\. Got 1"),
        (lambda: start_up_em(SMALL, COUNTS, [*ONE, 0.1], 1, shirley=1), r"place below 1\. Got 1"),
        (
            lambda: start_up_em(SMALL, COUNTS, [*ONE, 0.1], 1, shirley=0, operator=np.eye(3)),
            r"operator must have the shape \(20, 20\)\. Got 'shape \(3, 3\)'",
        ),
        (
            lambda: start_up_em(SMALL, COUNTS, ONE * 3, 3, pooled=PooledPeaks.doublets(3, {1: 0, 2: 1})),
            r"free themselves\. Got 1 for peak 2",
        ),
    ],
)  # fmt: skip
def test_refusals_name_what_came(call, message):
    with pytest.raises(InputError, match=message):
        call()
