"""Starts: the same whoever draws them, one peak per equal share, the best distinct ones, and moves."""

import numpy as np
import pytest
from scipy.signal import savgol_filter
from scipy.spatial import ConvexHull
from scipy.stats import cauchy, norm

from sozai.contracts.errors import InputError
from sozai.spectra.peaks.expectation import start_up_em
from sozai.spectra.peaks.grid import Grid
from sozai.spectra.peaks.start_kernels import local_parabolas, lower_hull
from sozai.spectra.peaks.starts import choose_distinct, draw_starts, split_and_move

SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))
GRID = Grid.of(np.linspace(0.0, 100.0, 400), "midpoint")
FLAT = np.ones((1, 400))
SEED = np.random.SeedSequence(0)


def contents(theta, n_peaks):
    return np.array(
        [
            GRID.width * (a * norm.pdf(GRID.axis, x0, w * SIGMA) + b * cauchy.pdf(GRID.axis, x0, w / 2))
            for x0, w, a, b in np.reshape(theta[: 4 * n_peaks], (n_peaks, 4))
        ]
    )


def random_spectrum(rng, n_peaks):
    """Pseudo-Voigt peaks, widths 5 to 10, more than a mean width apart, 1e5 counts, a fifth of them flat."""
    while True:
        w = rng.uniform(5, 10, n_peaks)
        x0 = np.sort(rng.uniform(10, 90, n_peaks))
        if n_peaks == 1 or np.diff(x0).min() > w.mean():
            break
    area, eta = rng.uniform(0.5, 1.5, n_peaks), rng.uniform(0, 1, n_peaks)
    area *= 8e4 / area.sum()
    theta = np.append(np.column_stack([x0, w, area * (1 - eta), area * eta]).ravel(), 50.0)
    return theta, rng.poisson(contents(theta, n_peaks).sum(axis=0) + 50.0).astype(float)


def test_a_start_does_not_depend_on_how_many_are_drawn():
    _, counts = random_spectrum(np.random.default_rng(0), 3)
    few = draw_starts(GRID, counts, 3, 4, np.random.SeedSequence(7), basis=FLAT)
    many = draw_starts(GRID, counts, 3, 9, np.random.SeedSequence(7), basis=FLAT)
    assert np.array_equal(few, many[:4])
    parent = np.random.SeedSequence(7)
    assert np.array_equal(draw_starts(GRID, counts, 3, 4, parent, basis=FLAT), few)
    assert parent.n_children_spawned == 0  # a second draw is the first
    assert not np.array_equal(
        draw_starts(GRID, counts, 3, 4, np.random.SeedSequence(8), basis=FLAT)[1:], few[1:]
    )


def test_every_start_has_one_peak_per_equal_share_of_the_signal():
    counts = 1e4 * (norm.pdf(GRID.axis, 20, 3) + norm.pdf(GRID.axis, 50, 3) + norm.pdf(GRID.axis, 80, 3))
    starts = draw_starts(GRID, counts, 3, 60, np.random.SeedSequence(1))
    positions = starts[:, 0::4]
    assert np.all(np.abs(positions - [20, 50, 80]) < 12)
    assert positions[1:].std(axis=0) == pytest.approx([3, 3, 3], rel=0.35)


def test_widths_and_shares_lie_in_their_ranges():
    _, counts = random_spectrum(np.random.default_rng(0), 3)
    starts = draw_starts(GRID, counts, 3, 50, np.random.SeedSequence(1), basis=FLAT, kinds=[0, 1, 2])
    widths, gauss, lorentz = starts[:, 1:12:4], starts[:, 2:12:4], starts[:, 3:12:4]
    h = 100.0 / 399
    assert widths.min() >= 3 * h
    assert widths.max() <= 100 / 6
    assert widths[1:].min() < 1.5
    assert widths[1:].max() > 12
    assert (lorentz[:, 0] == 0).all()
    assert (gauss[:, 1] == 0).all()
    share = lorentz[1:, 2] / (gauss + lorentz)[1:, 2]
    assert (share > 0.1).all()
    assert (share < 0.9).all()
    narrow = draw_starts(GRID, counts, 3, 50, np.random.SeedSequence(1), (2.0, 3.0), basis=FLAT)
    assert narrow[:, 1:12:4].min() >= 2.0
    assert narrow[:, 1:12:4].max() <= 3.0


def test_start_zero_sees_separate_peaks():
    rng = np.random.default_rng(5)
    for _ in range(20):
        truth, counts = random_spectrum(rng, 4)
        start = draw_starts(GRID, counts, 4, 1, np.random.SeedSequence(0), basis=FLAT)[0]
        assert np.all(np.abs(start[0:16:4] - truth[0:16:4]) < 0.3 * truth[1:16:4])


def test_background_is_guessed_below_the_peaks():
    _, counts = random_spectrum(np.random.default_rng(0), 3)
    start = draw_starts(GRID, counts, 3, 2, np.random.SeedSequence(0), basis=FLAT)
    assert 25.0 < start[0, 12] < 120.0
    two = draw_starts(
        GRID,
        counts,
        3,
        2,
        np.random.SeedSequence(0),
        basis=np.vstack([GRID.axis, 100 - GRID.axis]),
        shirley=0,
    )
    assert two.shape == (2, 15)
    assert (two[:, 12:] > 0).all()
    # the step is in counts per count and unit of the axis: far below one
    assert two[0, 12] < 0.1


def test_no_peaks_in_a_flat_spectrum_still_gives_starts():
    counts = np.random.default_rng(0).poisson(5.0, 400)
    starts = draw_starts(GRID, counts, 4, 5, np.random.SeedSequence(0), basis=FLAT)
    assert np.isfinite(starts).all()
    assert (np.diff(starts[:, 0:16:4], axis=1) >= 0).all()
    start_up_em(GRID, counts, starts, 4, FLAT)


def test_masked_channels_attract_no_peak():
    counts = np.full(400, 100.0)
    counts[100:120] = 1e6
    counts[300:320] += 500.0
    weights = np.ones(400)
    weights[95:125] = 0.0
    starts = draw_starts(GRID, counts, 1, 40, np.random.SeedSequence(0), basis=FLAT, weights=weights)
    inside = (starts[:, 0] > 24) & (starts[:, 0] < 31)
    assert inside.mean() < 0.1
    assert starts[0, 0] == pytest.approx(GRID.axis[310], abs=3)


def test_distinct_starts_are_the_best_of_each_solution():
    theta = np.array([[10, 2, 1, 1, 20, 2, 1, 1], [20.1, 2, 1, 1, 10.1, 2, 1, 1], [10, 2, 1, 1, 24, 2, 1, 1],
                      [15, 2, 1, 1, 20, 2, 1, 1], [30, 2, 1, 1, 40, 2, 1, 1]], float)  # fmt: skip
    assert choose_distinct(theta, [5.0, 4.0, 6.0, 3.0, np.nan], 2).tolist() == [3, 1, 2]
    assert choose_distinct(theta, [5.0, 4.0, 6.0, 3.0, np.nan], 2, n_best=1).tolist() == [3]
    assert choose_distinct(theta, [5.0, 5.0, 9.0, 9.0, 9.0], 2, separation=10.0).tolist() == [0]


def test_a_move_repairs_two_peaks_on_one():
    truth = np.array([25, 6, 3e4, 0, 50, 8, 2e4, 2e4, 75, 7, 1e4, 1e4, 50.0])
    counts = contents(truth, 3).sum(axis=0) + 50.0
    wrong = np.array([[25, 6, 3e4, 0, 48, 8, 1e4, 1e4, 52, 8, 1e4, 1e4, 60.0]])
    fitted, before = start_up_em(GRID, counts, wrong, 3, FLAT, n_iter=10)
    parts = contents(fitted[0], 3)
    moves = split_and_move(GRID, counts, fitted[0], 3, parts, np.full(400, fitted[0, 12]), n_moves=2)
    assert moves.shape == (2, 13)
    again, after = start_up_em(GRID, counts, moves, 3, FLAT, n_iter=60)
    best = after.argmin()
    assert after[best] < 0.2 * before[0]
    np.testing.assert_allclose(np.sort(again[best, 0:12:4]), [25, 50, 75], atol=0.5)


def test_the_least_significant_peak_is_the_one_that_moves():
    """With well separated peaks significance is area over the root of the counts beneath."""
    theta = np.array([20, 5, 2e3, 0, 50, 5, 400, 0, 80, 5, 5e3, 0, 50.0])
    counts = contents(theta, 3).sum(axis=0) + 50.0 + 2000 * norm.pdf(GRID.axis, 65, 2) * GRID.width[0]
    move = split_and_move(GRID, counts, theta, 3, contents(theta, 3), np.full(400, 50.0))[0]
    assert move[4] == pytest.approx(65.0, abs=0.5)
    assert np.array_equal(np.delete(move, slice(4, 8)), np.delete(theta, slice(4, 8)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_starts(GRID, np.ones(400), 0, 3, SEED), r"at least 1\. Got \(0, 3\)"),
        (lambda: draw_starts(GRID, np.ones(400), 2, 0, SEED), r"at least 1\. Got \(2, 0\)"),
        (lambda: draw_starts(GRID, np.ones(9), 2, 2, SEED), r"\(400,\)\. Got 'shape \(9,\)"),
        (lambda: draw_starts(GRID, np.zeros(400), 2, 2, SEED), r"positive somewhere.*Got 0\.0"),
        (
            lambda: split_and_move(GRID, np.ones(400), [1, 2, 3, 4], 1, np.ones((2, 400)), np.ones(400)),
            r"contents must have the shape \(1, 400\)\. Got 'shape \(2, 400\)'",
        ),
    ],
)  # fmt: skip
def test_refusals_name_what_came(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("half", [1, 2, 7])
def test_local_parabolas_are_the_filter_of_savitzky_and_golay(half):
    values = np.random.default_rng(0).uniform(0, 10, 50)
    level, bend = np.empty(50), np.empty(50)
    local_parabolas(values, half, level, bend)
    np.testing.assert_allclose(level, savgol_filter(values, 2 * half + 1, 2), rtol=1e-10)
    np.testing.assert_allclose(bend, savgol_filter(values, 2 * half + 1, 2, deriv=2), rtol=1e-8, atol=1e-10)


def test_lower_hull_is_convex_and_touches():
    rng = np.random.default_rng(0)
    axis, values = np.sort(rng.uniform(0, 5, 60)), rng.uniform(0, 10, 60)
    hull = np.empty(60)
    lower_hull(axis, values, hull)
    assert (hull <= values + 1e-12).all()
    assert np.diff(np.diff(hull) / np.diff(axis)).min() > -1e-9
    corners = ConvexHull(np.column_stack([axis, values])).vertices
    below = [i for i in corners if hull[i] > values[i] - 1e-12]
    assert {0, 59} <= set(below)
    assert values.argmin() in below
