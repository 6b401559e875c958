"""Maximum, height and full width of any line shape, with their derivatives, found on the shape itself."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.spectra.peaks.doniach_sunjic import N_ROWS, unit_table
from sozai.spectra.peaks.shape_kernels import fill_shape
from sozai.spectra.peaks.shape_kernels_sums import share_beyond
from sozai.spectra.peaks.shape_kernels_voigt import voigt_width

__all__ = ["cdf_values", "density_values", "summit", "summits"]

Floats = NDArray[np.float64]

_SIGMA_PER_WIDTH = 1.0 / np.sqrt(8.0 * np.log(2.0))
#: Step of the five-point derivatives in widths.
_STEP = 1e-3
_MOST_STEPS = 200


@njit(cache=True, nogil=True, error_model="numpy")
def density_values(
    code: int, p: Floats, x: Floats, tail: int, low: float, high: float, value: Floats, jac: Floats
) -> None:  # fmt: skip
    """Density and derivatives at ascending points; low and high bound the window of codes 4 and 5."""
    n = x.shape[0]
    edges = np.full(n + 1, low)
    edges[n] = high
    nothing, nowhere = np.empty(0), np.empty((0, 0))
    fill_shape(code, p, x, edges, np.ones(n), 0, tail, value, jac, nothing, nowhere, False)


@njit(cache=True, nogil=True, error_model="numpy")
def cdf_values(code: int, p: Floats, x: Floats, tail: int, low: float, high: float, out: Floats) -> None:
    """Content below each point; codes 4 and 5: between the lower end of the window and the point."""
    n, n_par = x.shape[0], p.shape[0]
    if code == 4 or code == 5:
        sigma = p[3] * _SIGMA_PER_WIDTH if code == 5 else 0.0
        table, ends = np.empty((N_ROWS, n)), np.empty((N_ROWS, 2))
        unit_table(p[0], p[1], p[2], sigma, tail, x, table)
        unit_table(p[0], p[1], p[2], sigma, tail, np.array([low, high]), ends)
        for i in range(n):
            out[i] = p[n_par - 1] * (table[0, i] - ends[0, 0]) / (ends[0, 1] - ends[0, 0])
    elif code <= 2:
        edges = np.full(n + 1, low)
        value, jac, rows = np.empty(n), np.empty((n_par, n)), np.empty((n_par, n))
        fill_shape(code, p, x, edges, np.ones(n), 0, 1, value, jac, out, rows, True)
    else:
        slopes = np.empty(n_par)
        for i in range(n):
            out[i] = share_beyond(code, p, x[i], -1, tail, slopes)


@njit(cache=True, nogil=True, error_model="numpy")
def _stencil(
    code: int, p: Floats, x: float, tail: int, low: float, high: float, step: float, at: Floats
) -> tuple[float, float]:  # fmt: skip
    """Density and its slope at x; ``at`` (2, n_par) takes derivatives of both by the parameters."""
    n_par = p.shape[0]
    points, value, jac = x + step * np.arange(-2.0, 3.0), np.empty(5), np.empty((n_par, 5))
    density_values(code, p, points, tail, low, high, value, jac)
    for r in range(n_par):
        at[0, r] = jac[r, 2]
        at[1, r] = (jac[r, 0] - 8.0 * jac[r, 1] + 8.0 * jac[r, 3] - jac[r, 4]) / (12.0 * step)
    return value[2], (value[0] - 8.0 * value[1] + 8.0 * value[3] - value[4]) / (12.0 * step)


@njit(cache=True, nogil=True, error_model="numpy")
def _scale(code: int, p: Floats) -> tuple[float, float]:
    """Smallest and largest length of the shape."""
    if code == 3:
        width = voigt_width(p[1], p[2])
        return width, width
    if code == 4:
        return p[1], 2.0 * p[1]
    if code == 5:
        return voigt_width(p[3], p[1]), voigt_width(p[3], 2.0 * p[1])
    if code == 6:
        return p[1] / (1.0 + 0.5 * abs(p[2]) * p[1]), p[1]
    return p[1], p[1]


@njit(cache=True, nogil=True, error_model="numpy")
def _target(
    code: int, p: Floats, x: float, tail: int, low: float, high: float, step: float, half: float, at: Floats
) -> float:  # fmt: skip
    """What vanishes at the maximum (half < 0: the slope) or at half of it."""
    value, slope = _stencil(code, p, x, tail, low, high, step, at)
    return slope if half < 0.0 else value - half


@njit(cache=True, nogil=True, error_model="numpy")
def _root(
    code: int, p: Floats, a: float, b: float, tail: int, low: float, high: float, step: float, half: float,
    at: Floats,
) -> float:  # fmt: skip
    """Zero between a and b by false position with halved ends (Illinois), to rounding."""
    f_a = _target(code, p, a, tail, low, high, step, half, at)
    f_b = _target(code, p, b, tail, low, high, step, half, at)
    x = b
    for _ in range(_MOST_STEPS):
        if f_a == f_b or abs(b - a) <= 1e-14 * step / _STEP:
            break
        x = (a * f_b - b * f_a) / (f_b - f_a)
        f = _target(code, p, x, tail, low, high, step, half, at)
        if f == 0.0:
            break
        if f * f_b < 0.0:
            a, f_a = b, f_b
        else:
            f_a *= 0.5
        moved = abs(x - b)
        b, f_b = x, f
        if moved <= 1e-15 * (abs(x) + step / _STEP):
            break
    return x


@njit(cache=True, nogil=True, error_model="numpy")
def _highest(code: int, p: Floats, tail: int, low: float, high: float, step: float, at: Floats) -> float:
    """Axis value of the maximum."""
    sign = -1.0 if tail > 0 else 1.0
    if code == 4:  # f' = 0 at ε = g cot(π/(2 - α))
        return p[0] + sign * p[1] / np.tan(np.pi / (2.0 - p[2]))
    if code == 5:
        sigma = p[3] * _SIGMA_PER_WIDTH
        # the tail draws the maximum to its side
        return _root(code, p, p[0] - sign * (2.0 * p[1] + 3.0 * sigma), p[0] + sign * 0.5 * p[1], tail,
                     low, high, step, -1.0, at)  # fmt: skip
    if code == 6 and p[2] != 0.0:
        # the running width narrows away from the widened side
        away = sign * (-1.0 if p[2] > 0.0 else 1.0)
        return _root(code, p, p[0] + away * 1e-3 * p[1], p[0] - away * p[1], tail, low, high, step, -1.0, at)
    return p[0]


@njit(cache=True, nogil=True, error_model="numpy")
def summit(code: int, p: Floats, tail: int, low: float, high: float, out: Floats, slopes: Floats) -> None:
    """Maximum, height and FWHM of a peak, and their derivatives by the internal parameters.

    With F the density: dx_m = -F_xp/F_xx dp at the maximum, dH = F_p dp, and at each half point
    dx_h = (½ dH - F_p dp)/F_x.

    Parameters
    ----------
    code, p, tail : int, ndarray, int
        As in :func:`sozai.spectra.peaks.shape_kernels.fill_shape`; the area is not 0.
    low, high : float
        Window of codes 4 and 5; other codes ignore it.
    out : ndarray of shape (3,)
        Filled with maximum, height, FWHM.
    slopes : ndarray of shape (3, n_par)
        Filled with their derivatives.
    """
    n_par = p.shape[0]
    small, large = _scale(code, p)
    step = _STEP * small
    at, beside = np.empty((2, n_par)), np.empty((2, n_par))
    x_max = _highest(code, p, tail, low, high, step, at)
    height, _ = _stencil(code, p, x_max, tail, low, high, step, at)
    # wide steps lose fewer digits in the second derivative
    wide = 10.0 * step
    bend = 0.0
    for k in range(1, 3):
        _, right = _stencil(code, p, x_max + k * wide, tail, low, high, step, beside)
        _, left = _stencil(code, p, x_max - k * wide, tail, low, high, step, beside)
        bend += (8.0 if k == 1 else -1.0) * (right - left) / (12.0 * wide)
    out[0], out[1] = x_max, height
    for r in range(n_par):
        slopes[0, r] = -at[1, r] / bend
        slopes[1, r] = at[0, r]
        slopes[2, r] = 0.0
    ends = np.empty(2)
    for k in range(2):
        side = 2.0 * k - 1.0
        reach = 0.25 * small
        for _ in range(_MOST_STEPS):
            value, _ = _stencil(code, p, x_max + side * reach, tail, low, high, step, beside)
            if not value > 0.5 * height or reach > 1e6 * large:
                break
            reach *= 1.5
        inner = x_max + side * (reach / 1.5 if reach > 0.25 * small else 0.0)
        ends[k] = _root(code, p, inner, x_max + side * reach, tail, low, high, step, 0.5 * height, beside)
        _, slope = _stencil(code, p, ends[k], tail, low, high, step, beside)
        for r in range(n_par):
            slopes[2, r] += side * (0.5 * at[0, r] - beside[0, r]) / slope
    out[2] = ends[1] - ends[0]


@njit(cache=True, nogil=True, error_model="numpy")
def summits(code: int, rows: Floats, tail: int, low: float, high: float, out: Floats, slopes: Floats) -> None:
    """:func:`summit` of every row of parameters (m, n_par); fills (m, 3) and (m, 3, n_par).

    Shapes with one area are measured at area 1 and scaled, so that an empty peak still has a width.
    """
    last = rows.shape[1] - 1
    for i in range(rows.shape[0]):
        p = rows[i].copy()
        area = 1.0
        if code != 2 and code != 6:
            area, p[last] = p[last], 1.0
        elif not p[last - 1] + p[last] > 0.0:
            out[i] = np.nan
            slopes[i] = np.nan
            continue
        summit(code, p, tail, low, high, out[i], slopes[i])
        if code != 2 and code != 6:
            out[i, 1] *= area
            for r in range(last):
                slopes[i, 1, r] *= area
