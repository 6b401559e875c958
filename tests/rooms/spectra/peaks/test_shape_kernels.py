from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import beta, voigt_profile

from sozai.spectra.peaks.doniach_sunjic import convolved_table
from sozai.spectra.peaks.shape_kernels import fill_shape
from sozai.spectra.peaks.shape_kernels_skewed import asymmetric_norms

CASES = {
    0: [50.0, 2.0, 300.0],
    1: [50.0, 2.0, 300.0],
    2: [50.0, 2.0, 300.0, 200.0],
    3: [50.0, 2.0, 1.0, 300.0],
    4: [50.0, 0.8, 0.15, 300.0],
    5: [50.0, 0.8, 0.15, 1.7, 300.0],
    6: [50.0, 2.0, 0.4, 300.0, 200.0],
    7: [50.0, 2.0, 1.5, 300.0],
}
EVEN = np.linspace(40.0, 65.0, 301)
UNEVEN = 35.0 + np.cumsum(np.random.default_rng(0).uniform(0.02, 0.2, 301))
LN2 = np.log(2.0)


def fill(code, p, edges, mode=0, tail=1, want_below=True):
    p = np.array(p, dtype=float)
    axis, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    n = axis.size
    value, jac = np.empty(n), np.empty((p.size, n))
    below, below_jac = np.empty(n), np.empty((p.size, n))
    fill_shape(code, p, axis, edges, width, mode, tail, value, jac, below, below_jac, want_below)
    return value, jac, below, below_jac


def area_of(code, p):
    return p[-1] + (p[-2] if code in (2, 6) else 0.0)


@pytest.mark.parametrize("tail", [1, -1])
@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("code", CASES)
def test_derivatives_against_differences(code, mode, tail):
    for edges in (EVEN, UNEVEN):
        _, jac, _, below_jac = fill(code, CASES[code], edges, mode, tail)
        for k, number in enumerate(CASES[code]):
            step = 1e-3 if k == 0 else 1e-4 * abs(number)
            at = []
            for shift in (-2, -1, 1, 2):
                p = list(CASES[code])
                p[k] += shift * step
                at.append(fill(code, p, edges, mode, tail))
            for which, rows in ((0, jac), (2, below_jac)):
                slope = (at[0][which] - 8 * at[1][which] + 8 * at[2][which] - at[3][which]) / (12 * step)
                np.testing.assert_allclose(rows[k], slope, rtol=0, atol=1e-7 * np.abs(slope).max())


@pytest.mark.parametrize("tail", [1, -1])
@pytest.mark.parametrize("code", [0, 1, 2, 3, 6, 7])
def test_area_inside_and_outside_add_up(code, tail):
    # channels inside, and what the running share says lies outside
    value, _, below, _ = fill(code, CASES[code], EVEN, 1, tail)
    _, _, other, _ = fill(code, CASES[code], EVEN, 1, -tail) if code != 6 else (None, None, None, None)
    if code == 6:  # the mirrored line has the opposite asymmetry
        p = list(CASES[code])
        p[2] = -p[2]
        _, _, other, _ = fill(code, p, EVEN, 1, -tail)
    np.testing.assert_allclose(below + other, area_of(code, CASES[code]), rtol=1e-6)
    assert 0.9 < value.sum() / area_of(code, CASES[code]) <= 1.0


@pytest.mark.parametrize("code", [4, 5])
@pytest.mark.parametrize("tail", [1, -1])
def test_area_of_a_metal_line_is_that_of_the_window(code, tail):
    for edges in (EVEN, UNEVEN):
        value, *_ = fill(code, CASES[code], edges, 1, tail)
        assert value.sum() == pytest.approx(300.0, rel=1e-12)


def test_gaussian_and_lorentzian_against_their_formulas():
    x = 0.5 * (EVEN[1:] + EVEN[:-1])
    z = x - 50.0
    gauss, *_ = fill(0, CASES[0], EVEN)
    lorentz, *_ = fill(1, CASES[1], EVEN)
    h = np.diff(EVEN)
    np.testing.assert_allclose(gauss, 300 * h * np.sqrt(LN2 / np.pi) * np.exp(-LN2 * z**2), rtol=1e-13)
    np.testing.assert_allclose(lorentz, 300 * h / np.pi / (1 + z**2), rtol=1e-13)


def test_voigt_against_scipy():
    x = 0.5 * (EVEN[1:] + EVEN[:-1])
    for gauss, lorentz in ((2.0, 1.0), (0.3, 3.0), (3.0, 1e-4), (1e-3, 1.0), (1e-6, 1.0)):
        value, *_ = fill(3, [50.0, gauss, lorentz, 1.0], EVEN)
        exact = voigt_profile(x - 50.0, gauss / np.sqrt(8 * LN2), lorentz / 2) * np.diff(EVEN)
        np.testing.assert_allclose(value, exact, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("mode", [0, 1])
def test_voigt_with_one_width_zero(mode):
    edges = np.linspace(44.0, 56.0, 121)
    gauss, jac, *_ = fill(3, [50.0, 2.0, 0.0, 300.0], edges, mode)
    np.testing.assert_allclose(
        gauss, fill(0, [50.0, 2.0, 300.0], edges, mode)[0], atol=3e-9 if mode else 1e-12
    )
    assert np.all(np.isfinite(jac))
    lorentz, jac, *_ = fill(3, [50.0, 0.0, 2.0, 300.0], edges, mode)
    np.testing.assert_allclose(lorentz, fill(1, [50.0, 2.0, 300.0], edges, mode)[0], rtol=1e-8)
    assert np.all(jac[1] == 0.0)


def test_pearson_is_a_lorentzian_at_one_and_normed_elsewhere():
    np.testing.assert_allclose(
        fill(7, [50.0, 2.0, 1.0, 300.0], EVEN)[0], fill(1, [50.0, 2.0, 300.0], EVEN)[0], rtol=1e-13
    )
    m = 0.7
    k = 2 ** (1 / m) - 1
    norm = 2.0 * np.sqrt(k) / (2.0 * beta(m - 0.5, 0.5))
    value, *_ = fill(7, [50.0, 2.0, m, 1.0], np.array([49.9, 50.1]))
    assert value[0] == pytest.approx(norm * 0.2, rel=1e-12)


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("tail", [1, -1])
def test_asymmetric_without_asymmetry_is_pseudo_voigt_bit_for_bit(mode, tail):
    plain = fill(2, [50.0, 2.0, 300.0, 200.0], EVEN, mode, tail)
    skewed = fill(6, [50.0, 2.0, 0.0, 300.0, 200.0], EVEN, mode, tail)
    rows = [0, 1, 3, 4]
    np.testing.assert_array_equal(skewed[0], plain[0])
    np.testing.assert_array_equal(skewed[1][rows], plain[1])
    np.testing.assert_array_equal(skewed[2], plain[2])
    np.testing.assert_array_equal(skewed[3][rows], plain[3])
    near = fill(6, [50.0, 2.0, 1e-6, 300.0, 200.0], EVEN, 0, tail)[0]
    slope = (near - fill(2, [50.0, 2.0, 300.0, 200.0], EVEN)[0]) / 1e-6
    np.testing.assert_allclose(fill(6, [50.0, 2.0, 0.0, 300.0, 200.0], EVEN, 0, tail)[1][2], slope, atol=1e-4)


@pytest.mark.parametrize("rate", [0.01, 0.5, -1.2, 3.0])
def test_norms_of_the_asymmetric_line_against_quadrature(rate):
    def running(u):
        return 2.0 / (1.0 + np.exp(min(abs(rate) * u, 50.0)))

    def gauss(u):
        s = running(u)
        return 2 * np.sqrt(LN2 / np.pi) / s * np.exp(-4 * LN2 * (u / s) ** 2)

    def lorentz(u):
        s = running(u)
        return 2 / np.pi / s / (1 + 4 * (u / s) ** 2)

    got = asymmetric_norms(rate)
    parts = [(-8, -2), (-2, -0.5), (-0.5, 0), (0, 0.3), (0.3, 1), (1, 6)]
    assert got[0] == pytest.approx(sum(quad(gauss, *ab, epsabs=1e-14)[0] for ab in parts), abs=1e-12)
    # below -800 the left flank is a Lorentzian of twice the width
    grid = [-8000, -800, -80, -20, -5, -2, -0.5, 0, 0.3, 1, 5, 30, 300, 3000]
    area = sum(quad(lorentz, a, b, epsabs=1e-14, limit=200)[0] for a, b in pairwise(grid))
    area += np.arctan(1.0 / 8000.0) / np.pi
    if abs(rate) >= 0.5:
        assert got[1] == pytest.approx(area, abs=1e-11)


def test_antiderivative_of_the_metal_line():
    v = np.array([-1e4, -300.0, -30, -5, -1, -0.1, 0, 0.3, 1, 4, 50, 500])
    for alpha in (1e-8, 0.03, 0.12, 0.3, 0.49):
        table = np.empty((6, v.size))
        convolved_table(v, alpha, 0.0, table)
        log = np.log(1.0 - 1j * v)
        exact = (1j * np.expm1(alpha * (0.5j * np.pi + log)) / alpha).real
        np.testing.assert_allclose(table[0], exact, rtol=1e-14, atol=1e-14)
        density = np.cos(0.5 * np.pi * alpha + (1 - alpha) * np.arctan(v)) / (1 + v * v) ** ((1 - alpha) / 2)
        np.testing.assert_allclose(table[1], density, rtol=1e-11, atol=1e-15)
    table = np.empty((6, v.size))
    convolved_table(v, 0.0, 0.0, table)
    np.testing.assert_allclose(table[0], -0.5 * np.pi + np.arctan(v), atol=1e-15)


@pytest.mark.parametrize("alpha", [0.0, 0.12, 0.45])
@pytest.mark.parametrize("s", [0.05, 0.0999, 0.1001, 0.7, 6.0])
def test_convolution_against_quadrature(alpha, s):
    points = np.array([-40.0, -3.0, 0.0, 0.6, 9.0])
    table = np.empty((6, points.size))
    convolved_table(points, alpha, s, table)

    def density(v):
        return np.cos(0.5 * np.pi * alpha + (1 - alpha) * np.arctan(v)) / (1 + v * v) ** ((1 - alpha) / 2)

    for k, v in enumerate(points):
        cuts = sorted({-9.0, 9.0, *(c for c in ((v - 3) / s, v / s, (v + 3) / s) if -9 < c < 9)})
        exact = sum(
            quad(lambda t, v=v: density(v - s * t) * np.exp(-t * t / 2) / np.sqrt(2 * np.pi), a, b,
                 epsabs=1e-14, epsrel=1e-12, limit=200)[0]
            for a, b in pairwise(cuts)
        )  # fmt: skip
        assert table[1, k] == pytest.approx(exact, rel=1e-11, abs=1e-13)


def test_convolution_of_points_far_apart_equals_that_of_neighbors():
    far = np.array([-1e5, 0.3, 1e5])
    alone, shared = np.empty((6, 3)), np.empty((6, 1))
    convolved_table(far, 0.2, 0.5, alone)
    convolved_table(far[1:2], 0.2, 0.5, shared)
    np.testing.assert_allclose(alone[:, 1], shared[:, 0], rtol=1e-12)


def test_symmetric_metal_line_under_a_gaussian_is_voigt():
    x = 0.5 * (EVEN[1:] + EVEN[:-1])
    value, *_ = fill(5, [50.0, 0.4, 0.0, 1.3, 1.0], EVEN)
    exact = voigt_profile(x - 50.0, 1.3 / np.sqrt(8 * LN2), 0.4)
    inside = sum(
        quad(lambda t: voigt_profile(t - 50.0, 1.3 / np.sqrt(8 * LN2), 0.4), a, b, epsabs=1e-14)[0]
        for a, b in ((40, 48), (48, 50), (50, 52), (52, 65))
    )
    np.testing.assert_allclose(value, exact / inside * np.diff(EVEN), rtol=1e-11)


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("code", CASES)
def test_shift_and_scale(code, mode):
    p = np.array(CASES[code])
    shifted, scaled = p.copy(), p.copy()
    shifted[0] += 7.0
    lengths = {0: [0, 1], 1: [0, 1], 2: [0, 1], 3: [0, 1, 2], 4: [0, 1], 5: [0, 1, 3], 6: [0, 1], 7: [0, 1]}
    scaled[lengths[code]] *= 3.0
    if code == 6:
        scaled[2] /= 3.0
    value, _, below, _ = fill(code, p, EVEN, mode)
    for q, edges in ((shifted, EVEN + 7.0), (scaled, EVEN * 3.0)):
        other, _, other_below, _ = fill(code, q, edges, mode)
        np.testing.assert_allclose(other, value, rtol=1e-10)
        np.testing.assert_allclose(other_below, below, rtol=1e-10)


@pytest.mark.parametrize("code", CASES)
def test_reversing_axis_and_tail_mirrors_the_peak(code):
    value, _, below, _ = fill(code, CASES[code], EVEN, 0, 1)
    p = list(CASES[code])
    p[0] = -p[0]
    other, _, other_below, _ = fill(code, p, -EVEN[::-1], 0, -1)
    np.testing.assert_allclose(other[::-1], value, rtol=1e-10)
    np.testing.assert_allclose(other_below[::-1], below, rtol=1e-9, atol=1e-9)


def test_tail_decides_the_side_of_the_asymmetry():
    for code in (4, 5, 6):
        for tail in (1, -1):
            value, *_ = fill(code, CASES[code], np.linspace(40.0, 60.0, 401), 0, tail)
            high, low = value[200:].sum(), value[:200].sum()
            assert (high > low) if tail > 0 else (low > high)


@pytest.mark.parametrize("code", CASES)
def test_running_share_is_the_sum_of_the_channels(code):
    for mode in (0, 1):
        fine = np.linspace(40.0, 65.0, 2001)
        value, _, below, _ = fill(code, CASES[code], fine, mode, 1)
        # difference between two centers against the channels between them
        inner = 0.5 * value[500] + value[501:900].sum() + 0.5 * value[900]
        assert below[900] - below[500] == pytest.approx(inner, rel=1e-4)
        assert np.all(np.diff(below) >= 0)


@pytest.mark.parametrize("code", CASES)
def test_coarse_channels_hold_the_integral(code):
    coarse = np.linspace(42.0, 62.0, 16)  # channels of two thirds of the width
    fine = np.linspace(42.0, 62.0, 15 * 2000 + 1)
    value, *_ = fill(code, CASES[code], coarse, 1)
    midpoints, *_ = fill(code, CASES[code], fine, 0)
    np.testing.assert_allclose(value, midpoints.reshape(15, -1).sum(1), rtol=0, atol=3e-6 * value.max())


def test_far_tails_of_bins_are_positive_and_relative():
    edges = np.linspace(0.0, 20.0, 101)
    value, *_ = fill(0, [0.0, 2.0, 1.0], edges, 1)
    exact = np.array([
        quad(lambda t: np.sqrt(LN2 / np.pi) * np.exp(-LN2 * t * t), a, b, epsabs=0, epsrel=1e-12)[0]
        for a, b in pairwise(edges)
    ])  # fmt: skip
    np.testing.assert_allclose(value, exact, rtol=1e-11)


def test_without_running_share_nothing_else_is_written():
    axis = 0.5 * (EVEN[1:] + EVEN[:-1])
    for code, numbers in CASES.items():
        p = np.array(numbers)
        value, jac = np.empty(axis.size), np.empty((p.size, axis.size))
        nothing, nowhere = np.full(1, 7.0), np.full((1, 1), 7.0)
        fill_shape(code, p, axis, EVEN, np.diff(EVEN), 0, 1, value, jac, nothing, nowhere, False)
        assert nothing[0] == 7.0
        assert nowhere[0, 0] == 7.0
        np.testing.assert_array_equal(p, numbers)
