"""Voigt densities with all derivatives from one value of the Faddeeva function."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.faddeeva import FAR, faddeeva_far, faddeeva_near

__all__ = ["voigt_points", "voigt_width"]

Floats = NDArray[np.float64]

_ROOT_PI = np.sqrt(np.pi)
#: √2 σ per FWHM of a Gaussian.
_SCALE_PER_WIDTH = 0.5 / np.sqrt(np.log(2.0))
#: Below this share of the Lorentzian width the Gaussian one changes no digit.
_NO_GAUSS = 1e-9
_FAST = {"contract", "nsz"}


@njit(cache=True, nogil=True, error_model="numpy")
def voigt_width(gauss: float, lorentz: float) -> float:
    """FWHM by Olivero and Longbothum, to 2e-4; used as a scale only."""
    return 0.5346 * lorentz + np.sqrt(0.2166 * lorentz * lorentz + gauss * gauss)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _near(p: Floats, axis: Floats, width: Floats, start: int, stop: int, value: Floats, jac: Floats) -> None:
    """Channels with |z| < 8: w' = -2zw + 2i/√π."""
    area = p[3]
    per_scale = 1.0 / (_SCALE_PER_WIDTH * p[1])
    y = 0.5 * p[2] * per_scale
    top = per_scale / _ROOT_PI
    for i in range(start, stop):
        n = np.uintp(i)  # an index that cannot be negative lets the loop vectorize
        x = (axis[n] - p[0]) * per_scale
        w_real, w_imag = faddeeva_near(x, y)
        slope_real = -2.0 * (x * w_real - y * w_imag)
        slope_imag = 2.0 / _ROOT_PI - 2.0 * (x * w_imag + y * w_real)
        unit = top * width[n]
        whole = area * unit * per_scale
        value[n] = area * unit * w_real
        jac[0, n] = -whole * slope_real
        jac[1, n] = -whole * _SCALE_PER_WIDTH * (w_real + x * slope_real - y * slope_imag)
        jac[2, n] = -0.5 * whole * slope_imag
        jac[3, n] = unit * w_real


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _far(p: Floats, axis: Floats, width: Floats, start: int, stop: int, value: Floats, jac: Floats) -> None:
    """Channels with |z| ≥ 8, and narrow Gaussians anywhere, by series of their own."""
    area = p[3]
    per_scale = 1.0 / (_SCALE_PER_WIDTH * p[1])
    y = 0.5 * p[2] * per_scale
    top = per_scale / _ROOT_PI
    for i in range(start, stop):
        n = np.uintp(i)  # an index that cannot be negative lets the loop vectorize
        x = (axis[n] - p[0]) * per_scale
        w_real, _, slope_real, slope_imag, sum_real, _ = faddeeva_far(x, y)
        unit = top * width[n]
        whole = area * unit * per_scale
        value[n] = area * unit * w_real
        jac[0, n] = -whole * slope_real
        jac[1, n] = -whole * _SCALE_PER_WIDTH * sum_real
        jac[2, n] = -0.5 * whole * slope_imag
        jac[3, n] = unit * w_real


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _lorentzian(p: Floats, axis: Floats, width: Floats, value: Floats, jac: Floats) -> None:
    """No Gaussian width: the derivative by it vanishes."""
    w, area = p[2], p[3]
    per_half = 2.0 / w
    top = per_half / np.pi
    for n in range(axis.shape[0]):
        z = (axis[n] - p[0]) * per_half
        share = 1.0 / (1.0 + z * z)
        unit = top * width[n] * share
        slope = 2.0 * area * unit * share
        value[n] = area * unit
        jac[0, n] = slope * z * per_half
        jac[1, n] = 0.0
        jac[2, n] = (slope * z * z - area * unit) / w
        jac[3, n] = unit


@njit(cache=True, nogil=True, error_model="numpy")
def voigt_points(p: Floats, axis: Floats, width: Floats, value: Floats, jac: Floats) -> None:
    """Density times width and derivatives by position, Gaussian and Lorentzian FWHM, area.

    V = A Re w(z)/(s√π), z = (x - x0 + iγ)/s, s = √2 σ, γ = half the Lorentzian width. With w' all
    derivatives follow: ∂V/∂x0 = -A Re w'/(s²√π), ∂V/∂γ = -A Im w'/(s²√π), ∂V/∂s = -A Re(w + zw')/(s²√π).

    Parameters
    ----------
    p : ndarray of shape (4,)
        Position, Gaussian FWHM, Lorentzian FWHM, area; one of the widths may be 0.
    axis, width : ndarray of shape (n,)
        Ascending points and what the density is multiplied by.
    value, jac : ndarray of shape (n,), (4, n)
        Filled.
    """
    if p[1] <= _NO_GAUSS * p[2]:
        _lorentzian(p, axis, width, value, jac)
        return
    scale = _SCALE_PER_WIDTH * p[1]
    y = 0.5 * p[2] / scale
    n = axis.shape[0]
    if y >= FAR:
        _far(p, axis, width, 0, n, value, jac)
        return
    reach = scale * np.sqrt(FAR * FAR - y * y)
    start = int(np.searchsorted(axis, p[0] - reach))
    stop = int(np.searchsorted(axis, p[0] + reach))
    _far(p, axis, width, 0, start, value, jac)
    _near(p, axis, width, start, stop, value, jac)
    _far(p, axis, width, stop, n, value, jac)
