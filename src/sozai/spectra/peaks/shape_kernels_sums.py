"""Channel integrals by Gauss-Legendre and running sums, for shapes whose cumulated share is not closed."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.spectra.peaks.shape_kernels_skewed import HALF_LINE, asymmetric_points, pearson_points
from sozai.spectra.peaks.shape_kernels_voigt import voigt_points, voigt_width

__all__ = ["fill_by_quadrature", "points_of", "share_beyond"]

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = HALF_LINE[0].copy(), HALF_LINE[1].copy()
#: Three-point rule on (0, 1).
_LEGENDRE_NODES = np.array([0.5 - np.sqrt(0.15), 0.5, 0.5 + np.sqrt(0.15)])
_LEGENDRE_WEIGHTS = np.array([5.0, 8.0, 5.0]) / 18.0
#: Panels per narrowest width and the most panels of a channel.
_FINENESS, _MOST_PANELS = 6.0, 64
_FAST = {"contract", "nsz"}


@njit(cache=True, nogil=True, error_model="numpy")
def points_of(
    code: int, p: Floats, axis: Floats, width: Floats, tail: int, value: Floats, jac: Floats
) -> None:
    """Density times width of codes 3, 6 and 7 on ascending points."""
    if code == 3:
        voigt_points(p, axis, width, value, jac)
    elif code == 6:
        asymmetric_points(p, axis, width, tail, value, jac)
    else:
        pearson_points(p, axis, width, value, jac)


@njit(cache=True, nogil=True, error_model="numpy")
def _narrowest(code: int, p: Floats) -> float:
    """Length over which the density is smooth."""
    if code == 3:
        return voigt_width(p[1], p[2])
    if code == 6:
        return p[1] / (1.0 + 0.5 * abs(p[2]) * p[1])
    return p[1] / max(1.0, math.sqrt(math.expm1(math.log(2.0) / p[2])))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _integrate(
    code: int, p: Floats, edges: Floats, width: Floats, tail: int, value: Floats, jac: Floats
) -> None:  # fmt: skip
    """Contents of the channels: three points per panel, panels of at most a sixth of the width."""
    n, n_par = value.shape[0], jac.shape[0]
    panels = math.ceil(min(_FINENESS * width.max() / _narrowest(code, p), float(_MOST_PANELS)))
    panels = max(panels, 1)
    at, weight = np.empty(n), np.empty(n)
    part, part_jac = np.empty(n), np.empty((n_par, n))
    value[:] = 0.0
    jac[:] = 0.0
    for panel in range(panels):
        for k in range(3):
            place = (panel + _LEGENDRE_NODES[k]) / panels
            share = _LEGENDRE_WEIGHTS[k] / panels
            for i in range(n):
                at[i] = edges[i] + place * width[i]
                weight[i] = share * width[i]
            points_of(code, p, at, weight, tail, part, part_jac)
            for i in range(n):
                value[i] += part[i]
            for r in range(n_par):
                for i in range(n):
                    jac[r, i] += part_jac[r, i]


@njit(cache=True, nogil=True, error_model="numpy")
def share_beyond(code: int, p: Floats, edge: float, side: int, tail: int, slopes: Floats) -> float:
    """Content of the peak beyond an edge, on the side of larger (+1) or smaller (-1) values.

    The side that does not hold the center is integrated over a half line; the other is the rest of
    the area.

    Parameters
    ----------
    slopes : ndarray of shape (n_par,)
        Filled with the derivatives by the parameters.
    """
    outward = side if (p[0] - edge) * side <= 0.0 else -side
    n, n_par = _NODES.shape[0], p.shape[0]
    scale = _narrowest(code, p)
    at, weight = np.empty(n), np.empty(n)
    part, part_jac = np.empty(n), np.empty((n_par, n))
    for k in range(n):
        node = k if outward > 0 else n - 1 - k  # ascending points
        at[k] = edge + outward * scale * _NODES[node]
        weight[k] = scale * _WEIGHTS[node]
    points_of(code, p, at, weight, tail, part, part_jac)
    content = part.sum()
    for r in range(n_par):
        slopes[r] = part_jac[r].sum()
    if outward == side:
        return content
    for r in range(n_par):
        slopes[r] = -slopes[r]
    slopes[n_par - 1] += 1.0
    whole = p[n_par - 1]
    if code == 6:
        slopes[n_par - 2] += 1.0
        whole += p[n_par - 2]
    return whole - content


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _run(row: Floats, axis: Floats, width: Floats, mode: int, start: float, tail: int, out: Floats) -> None:
    """Running sum of contents up to the channel centers, linear in the row, from the side away from the tail.

    With integrals (mode 1) half of the own channel is corrected by the slope of the density, f' h²/8.
    Sums of midpoints (mode 0) follow Euler and Maclaurin: f' h²/12 at the center, f' h²/24 at the end
    of the window. Slopes are differences of neighbors; the error is of order h⁴.
    """
    n = row.shape[0]
    sign = 1.0 if tail > 0 else -1.0
    factor = sign / 8.0
    total = start
    if mode == 0:
        factor = sign / 12.0
        if n > 1:
            i = 0 if tail > 0 else n - 2
            slope = (row[i + 1] / width[i + 1] - row[i] / width[i]) / (axis[i + 1] - axis[i])
            total -= sign * slope * width[i] * width[i] / 24.0
    for k in range(n):
        i = k if tail > 0 else n - 1 - k
        low, high = max(i - 1, 0), min(i + 1, n - 1)
        slope = 0.0
        if high > low:
            slope = (row[high] / width[high] - row[low] / width[low]) / (axis[high] - axis[low])
        out[i] = total + 0.5 * row[i] - factor * slope * width[i] * width[i]
        total += row[i]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_by_quadrature(
    code: int, p: Floats, axis: Floats, edges: Floats, width: Floats, mode: int, tail: int,
    value: Floats, jac: Floats, below: Floats, below_jac: Floats, want_below: bool,
) -> None:  # fmt: skip
    """Codes 3, 6 and 7; see :func:`sozai.spectra.peaks.shape_kernels.fill_shape`."""
    if mode == 0:
        points_of(code, p, axis, width, tail, value, jac)
    else:
        _integrate(code, p, edges, width, tail, value, jac)
    if want_below:
        n_par = p.shape[0]
        slopes = np.empty(n_par)
        side = -1 if tail > 0 else 1
        edge = edges[0] if tail > 0 else edges[edges.shape[0] - 1]
        start = share_beyond(code, p, edge, side, tail, slopes)
        _run(value, axis, width, mode, start, tail, below)
        for r in range(n_par):
            _run(jac[r], axis, width, mode, slopes[r], tail, below_jac[r])
