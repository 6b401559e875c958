"""Channel contents and derivatives of Gaussian, Lorentzian and pseudo-Voigt peaks."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp, gauss_cdf_parts, lorentz_cdf_parts

__all__ = ["fill_gaussian", "fill_lorentzian", "fill_pseudo_voigt"]

Floats = NDArray[np.float64]

_LN2 = np.log(2.0)
#: Heights of unit area and unit FWHM.
_GAUSS_HEIGHT = 2.0 * np.sqrt(np.log(2.0) / np.pi)
_LORENTZ_HEIGHT = 2.0 / np.pi
_FAST = {"contract", "nsz"}


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _gauss_points(
    x0: float, w: float, area: float, axis: Floats, width: Floats, value: Floats, jac: Floats
) -> None:
    """Density times width: rows of jac are d/dx0, d/dw, d/darea."""
    per_half = 2.0 / w
    top = _GAUSS_HEIGHT / w
    for n in range(axis.shape[0]):
        z = (axis[n] - x0) * per_half
        z2 = z * z
        unit = top * width[n] * fast_exp(-_LN2 * z2)
        whole = area * unit
        slope = 2.0 * _LN2 * whole
        value[n] = whole
        jac[0, n] = slope * z * per_half
        jac[1, n] = (slope * z2 - whole) / w
        jac[2, n] = unit


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _lorentz_points(
    x0: float, w: float, area: float, axis: Floats, width: Floats, value: Floats, jac: Floats
) -> None:
    """As :func:`_gauss_points`."""
    per_half = 2.0 / w
    top = _LORENTZ_HEIGHT / w
    for n in range(axis.shape[0]):
        z = (axis[n] - x0) * per_half
        z2 = z * z
        share = 1.0 / (1.0 + z2)
        unit = top * width[n] * share
        whole = area * unit
        slope = 2.0 * whole * share
        value[n] = whole
        jac[0, n] = slope * z * per_half
        jac[1, n] = (slope * z2 - whole) / w
        jac[2, n] = unit


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _pseudo_voigt_points(p: Floats, axis: Floats, width: Floats, value: Floats, jac: Floats) -> None:
    """Density times width: rows of jac are d/dx0, d/dw, d/dareaG, d/dareaL."""
    x0, w, area_gauss, area_lorentz = p[0], p[1], p[2], p[3]
    per_half, per_width = 2.0 / w, 1.0 / w
    top_gauss, top_lorentz = _GAUSS_HEIGHT / w, _LORENTZ_HEIGHT / w
    for n in range(axis.shape[0]):
        z = (axis[n] - x0) * per_half
        z2 = z * z
        share = 1.0 / (1.0 + z2)
        unit_gauss = top_gauss * width[n] * fast_exp(-_LN2 * z2)
        unit_lorentz = top_lorentz * width[n] * share
        gauss, lorentz = area_gauss * unit_gauss, area_lorentz * unit_lorentz
        slope = 2.0 * (_LN2 * gauss + share * lorentz)
        value[n] = gauss + lorentz
        jac[0, n] = slope * z * per_half
        jac[1, n] = (slope * z2 - (gauss + lorentz)) * per_width
        jac[2, n] = unit_gauss
        jac[3, n] = unit_lorentz


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _gauss_edges(x0: float, w: float, at: Floats, parts: Floats) -> None:
    """Rows of parts: whole and rest of the cdf, density, density times distance."""
    per_half = 2.0 / w
    top, root = _GAUSS_HEIGHT / w, np.sqrt(_LN2)
    for n in range(at.shape[0]):
        u = (at[n] - x0) * per_half * root
        decay = fast_exp(-u * u)
        whole, rest = gauss_cdf_parts(u, decay)
        parts[0, n] = whole
        parts[1, n] = rest
        parts[2, n] = top * decay
        parts[3, n] = top * decay * (at[n] - x0)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _lorentz_edges(x0: float, w: float, at: Floats, parts: Floats) -> None:
    """As :func:`_gauss_edges`."""
    per_half = 2.0 / w
    top = _LORENTZ_HEIGHT / w
    for n in range(at.shape[0]):
        z = (at[n] - x0) * per_half
        whole, rest = lorentz_cdf_parts(z)
        density = top / (1.0 + z * z)
        parts[0, n] = whole
        parts[1, n] = rest
        parts[2, n] = density
        parts[3, n] = density * (at[n] - x0)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _differences(
    w: float, area: float, parts: Floats, value: Floats, jac: Floats, row: int, add: bool
) -> None:  # fmt: skip
    """Contents between edges: ∫ = ΔC, ∂C/∂x0 = -f, ∂C/∂w = -(x - x0) f / w."""
    scale = area / w
    n_channels = value.shape[0]
    for n in range(n_channels):
        jac[row, n] = (parts[0, n + 1] - parts[0, n]) + (parts[1, n + 1] - parts[1, n])
    if add:
        for n in range(n_channels):
            value[n] += area * jac[row, n]
            jac[0, n] += area * (parts[2, n] - parts[2, n + 1])
            jac[1, n] += scale * (parts[3, n] - parts[3, n + 1])
    else:
        for n in range(n_channels):
            value[n] = area * jac[row, n]
            jac[0, n] = area * (parts[2, n] - parts[2, n + 1])
            jac[1, n] = scale * (parts[3, n] - parts[3, n + 1])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _cumulate(
    w: float, area: float, tail: int, parts: Floats, below: Floats, below_jac: Floats, row: int, add: bool
) -> None:  # fmt: skip
    """Share below (tail = 1) or above (tail = -1) the points of ``parts``, times the area."""
    sign = 1.0 if tail > 0 else -1.0
    start = 0.0 if tail > 0 else 1.0
    old = 1.0 if add else 0.0
    side, scale = sign * area, sign * area / w
    for n in range(below.shape[0]):
        below_jac[row, n] = (start + sign * parts[0, n]) + sign * parts[1, n]
    if not add:
        for n in range(below.shape[0]):
            below[n] = 0.0
            below_jac[0, n] = 0.0
            below_jac[1, n] = 0.0
    for n in range(below.shape[0]):
        below[n] = old * below[n] + area * below_jac[row, n]
        below_jac[0, n] = old * below_jac[0, n] - side * parts[2, n]
        below_jac[1, n] = old * below_jac[1, n] - scale * parts[3, n]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_gaussian(
    p: Floats, axis: Floats, edges: Floats, width: Floats, mode: int, tail: int,
    value: Floats, jac: Floats, below: Floats, below_jac: Floats, want_below: bool,
) -> None:  # fmt: skip
    """Code 0: position, FWHM, area; see :func:`sozai.spectra.peaks.shape_kernels.fill_shape`."""
    x0, w, area = p[0], p[1], p[2]
    if mode == 0:
        _gauss_points(x0, w, area, axis, width, value, jac)
    else:
        parts = np.empty((4, edges.shape[0]))
        _gauss_edges(x0, w, edges, parts)
        _differences(w, area, parts, value, jac, 2, False)
    if want_below:
        at_axis = np.empty((4, axis.shape[0]))
        _gauss_edges(x0, w, axis, at_axis)
        _cumulate(w, area, tail, at_axis, below, below_jac, 2, False)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_lorentzian(
    p: Floats, axis: Floats, edges: Floats, width: Floats, mode: int, tail: int,
    value: Floats, jac: Floats, below: Floats, below_jac: Floats, want_below: bool,
) -> None:  # fmt: skip
    """Code 1: position, FWHM, area; see :func:`sozai.spectra.peaks.shape_kernels.fill_shape`."""
    x0, w, area = p[0], p[1], p[2]
    if mode == 0:
        _lorentz_points(x0, w, area, axis, width, value, jac)
    else:
        parts = np.empty((4, edges.shape[0]))
        _lorentz_edges(x0, w, edges, parts)
        _differences(w, area, parts, value, jac, 2, False)
    if want_below:
        at_axis = np.empty((4, axis.shape[0]))
        _lorentz_edges(x0, w, axis, at_axis)
        _cumulate(w, area, tail, at_axis, below, below_jac, 2, False)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_pseudo_voigt(
    p: Floats, axis: Floats, edges: Floats, width: Floats, mode: int, tail: int,
    value: Floats, jac: Floats, below: Floats, below_jac: Floats, want_below: bool,
) -> None:  # fmt: skip
    """Code 2: position, FWHM, Gaussian area, Lorentzian area; see ``shape_kernels.fill_shape``."""
    x0, w = p[0], p[1]
    if mode == 0:
        _pseudo_voigt_points(p, axis, width, value, jac)
    else:
        parts = np.empty((4, edges.shape[0]))
        _gauss_edges(x0, w, edges, parts)
        _differences(w, p[2], parts, value, jac, 2, False)
        _lorentz_edges(x0, w, edges, parts)
        _differences(w, p[3], parts, value, jac, 3, True)
    if want_below:
        at_axis = np.empty((4, axis.shape[0]))
        _gauss_edges(x0, w, axis, at_axis)
        _cumulate(w, p[2], tail, at_axis, below, below_jac, 2, False)
        _lorentz_edges(x0, w, axis, at_axis)
        _cumulate(w, p[3], tail, at_axis, below, below_jac, 3, True)
