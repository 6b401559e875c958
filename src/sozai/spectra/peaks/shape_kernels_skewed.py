"""Asymmetric pseudo-Voigt of unit area and Pearson VII: densities and derivatives."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp, fast_log

__all__ = ["HALF_LINE", "asymmetric_norms", "asymmetric_points", "digamma", "pearson_points"]

Floats = NDArray[np.float64]

_LN2 = np.log(2.0)
_GAUSS_HEIGHT = 2.0 * np.sqrt(np.log(2.0) / np.pi)
_LORENTZ_HEIGHT = 2.0 / np.pi
#: Beyond this exponent the narrow flank holds nothing; keeps 1/s² finite.
_STEEPEST = 60.0
_FAST = {"contract", "nsz"}


def _half_line(step: float = 1.0 / 16.0, low: float = -3.9, high: float = 5.5) -> NDArray[np.float64]:
    """Nodes and weights of ∫₀^∞ f(t) dt, t = exp(π/2 sinh τ): trapezoids in τ."""
    tau = step * np.arange(round(low / step), round(high / step) + 1)
    t = np.exp(0.5 * np.pi * np.sinh(tau))
    return np.stack([t, t * 0.5 * np.pi * np.cosh(tau) * step])


#: Nodes and weights on (0, ∞) for heavy and light tails alike.
HALF_LINE = _half_line()
_NODES, _WEIGHTS = HALF_LINE[0].copy(), HALF_LINE[1].copy()
# whole line for the Gaussian part, u = 0.3 sinh τ
_TAU = 0.05 * np.arange(-79, 67)
_NEAR_NODES, _NEAR_WEIGHTS = 0.3 * np.sinh(_TAU), 0.015 * np.cosh(_TAU)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST, forceinline=True)
def _asymmetric_parts(u: float, rate: float) -> tuple[float, float, float, float, float, float]:
    """Both densities at distance u (in widths), and d ln/du, d ln/d rate of each.

    s = 2/(1 + exp(rate u)), v = 2u/s; ln G = -ln s - v² ln 2, ln L = -ln s - ln(1 + v²) up to constants.
    """
    exponent = rate * u
    s = 2.0 / (1.0 + fast_exp(min(exponent, _STEEPEST)))
    per_s = 1.0 / s
    v = 2.0 * u * per_s
    v2 = v * v
    lean = 1.0 - 0.5 * s if exponent < _STEEPEST else 0.0
    share = 1.0 / (1.0 + v2)
    gauss = _GAUSS_HEIGHT * per_s * fast_exp(-_LN2 * v2) if v2 < 1000.0 else 0.0
    lorentz = _LORENTZ_HEIGHT * per_s * share
    v_slope = 2.0 * per_s * (1.0 + rate * u * lean)
    pull_gauss, pull_lorentz = 2.0 * _LN2 * v, 2.0 * v * share
    gauss_by_u = rate * lean - pull_gauss * v_slope
    lorentz_by_u = rate * lean - pull_lorentz * v_slope
    gauss_by_rate = u * lean * (1.0 - pull_gauss * v)
    lorentz_by_rate = u * lean * (1.0 - pull_lorentz * v)
    return gauss, lorentz, gauss_by_u, lorentz_by_u, gauss_by_rate, lorentz_by_rate


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST | {"reassoc"})
def asymmetric_norms(rate: float) -> tuple[float, float, float, float]:
    """Integrals of both densities over u, and their derivatives by the rate, to 1e-12 for |rate| ≤ 4.

    Returns
    -------
    gauss, lorentz, gauss_by_rate, lorentz_by_rate : float
        1, 1, 0, 0 at rate 0.
    """
    gauss, lorentz, gauss_slope, lorentz_slope = 0.0, 0.0, 0.0, 0.0
    if rate == 0.0:
        return 1.0, 1.0, 0.0, 0.0
    # the narrow flank lies at positive distances
    steep = abs(rate)
    for k in range(_NEAR_NODES.shape[0]):
        g, _, _, _, g_rate, _ = _asymmetric_parts(_NEAR_NODES[k], steep)
        gauss += _NEAR_WEIGHTS[k] * g
        gauss_slope += _NEAR_WEIGHTS[k] * g * g_rate
    for k in range(_NODES.shape[0]):
        u, weight = _NODES[k], _WEIGHTS[k]
        _, b, _, _, _, b_rate = _asymmetric_parts(u, steep)
        _, c, _, _, _, c_rate = _asymmetric_parts(-u, steep)
        lorentz += weight * (b + c)
        lorentz_slope += weight * (b * b_rate + c * c_rate)
    sign = 1.0 if rate > 0.0 else -1.0
    return gauss, lorentz, sign * gauss_slope, sign * lorentz_slope


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def asymmetric_points(p: Floats, axis: Floats, width: Floats, tail: int, value: Floats, jac: Floats) -> None:
    """Density times width and derivatives by position, FWHM, asymmetry and both areas.

    Both densities have the running width w(x) = 2w/(1 + exp(∓a(x - x0))) and are divided by their
    integrals, which depend on aw alone, so that the areas are areas.

    Parameters
    ----------
    p : ndarray of shape (5,)
    axis, width : ndarray of shape (n,)
    tail : int
        +1: positive asymmetry widens the side of larger axis values.
    value, jac : ndarray of shape (n,), (5, n)
        Filled.
    """
    x0, w, a, area_gauss, area_lorentz = p[0], p[1], p[2], p[3], p[4]
    sign = -1.0 if tail > 0 else 1.0
    rate = sign * a * w
    norm_gauss, norm_lorentz, slope_gauss, slope_lorentz = asymmetric_norms(rate)
    drift_gauss, drift_lorentz = slope_gauss / norm_gauss, slope_lorentz / norm_lorentz
    per_gauss, per_lorentz = 1.0 / (norm_gauss * w), 1.0 / (norm_lorentz * w)
    per_width = 1.0 / w
    for n in range(axis.shape[0]):
        u = (axis[n] - x0) * per_width
        g, b, g_u, b_u, g_rate, b_rate = _asymmetric_parts(u, rate)
        unit_gauss, unit_lorentz = g * per_gauss * width[n], b * per_lorentz * width[n]
        gauss, lorentz = area_gauss * unit_gauss, area_lorentz * unit_lorentz
        by_u = gauss * g_u + lorentz * b_u
        by_rate = gauss * (g_rate - drift_gauss) + lorentz * (b_rate - drift_lorentz)
        value[n] = gauss + lorentz
        jac[0, n] = -by_u * per_width
        jac[1, n] = (rate * by_rate - u * by_u - (gauss + lorentz)) * per_width
        jac[2, n] = sign * w * by_rate
        jac[3, n] = unit_gauss
        jac[4, n] = unit_lorentz


@njit(cache=True, nogil=True, error_model="numpy")
def digamma(x: float) -> float:
    """Derivative of ln Γ for x > 0, to 1e-14: upward recurrence to 10, then Stirling's series."""
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    t = 1.0 / (x * x)
    series = t * (1 / 12 - t * (1 / 120 - t * (1 / 252 - t * (1 / 240 - t * (1 / 132 - t * 691 / 32760)))))
    return total + math.log(x) - 0.5 / x - series


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def pearson_points(p: Floats, axis: Floats, width: Floats, value: Floats, jac: Floats) -> None:
    """Density times width and derivatives by position, FWHM, exponent m and area.

    f = 2 √k Γ(m) / (w √π Γ(m - ½)) (1 + k z²)^-m with k = 2^(1/m) - 1, z = 2(x - x0)/w.

    Parameters
    ----------
    p : ndarray of shape (4,)
        The exponent is greater than ½.
    axis, width : ndarray of shape (n,)
    value, jac : ndarray of shape (n,), (4, n)
        Filled.
    """
    x0, w, m, area = p[0], p[1], p[2], p[3]
    k = math.expm1(_LN2 / m)
    k_slope = -_LN2 * (1.0 + k) / (m * m)
    top = 2.0 * np.sqrt(k / np.pi) / w * math.exp(math.lgamma(m) - math.lgamma(m - 0.5))
    top_slope = 0.5 * k_slope / k + digamma(m) - digamma(m - 0.5)
    per_half = 2.0 / w
    for n in range(axis.shape[0]):
        z = (axis[n] - x0) * per_half
        z2 = z * z
        base = 1.0 + k * z2
        log_base = fast_log(base)
        unit = top * width[n] * fast_exp(-m * log_base)
        whole = area * unit
        slope = 2.0 * m * k * whole / base
        value[n] = whole
        jac[0, n] = slope * z * per_half
        jac[1, n] = (slope * z2 - whole) / w
        jac[2, n] = whole * (top_slope - log_base - m * k_slope * z2 / base)
        jac[3, n] = unit
