"""Marginal likelihood and gradient of a process on few rows, in one compiled pass."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp

__all__ = ["bent_moments", "small_evidence"]

Floats = NDArray[np.float64]

# sums of products may be split over vector lanes; NaN stays NaN
_SUMS = {"reassoc", "contract", "nsz"}
_KEEP = {"contract"}
#: Below this distance of an exponent from zero the power becomes its logarithm, and below the second its
#: derivative becomes two terms of its series.
_FLAT, _NEARLY_FLAT = 1e-6, 1e-3


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS, inline="always")
def _dot(left: Floats, right: Floats) -> float:
    """Sum of products."""
    total = 0.0
    for t in range(left.shape[0]):
        total += left[t] * right[t]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def _kernel_and_slope(code: int, columns: Floats, inverse: Floats, value: Floats, slope: Floats) -> None:
    """Lower triangles of k and of h = -2 dk/d(r²), without the diagonal."""
    n = columns.shape[1]
    for a in range(n):
        near, fall = value[a, :a], slope[a, :a]
        near[:] = 0.0
        for j in range(columns.shape[0]):
            z, scale = columns[j, a], inverse[j]
            column = columns[j, :a]
            for t in range(a):
                step = (column[t] - z) * scale
                near[t] += step * step
        if code == 0:
            for t in range(a):
                near[t] = fast_exp(-0.5 * near[t])
                fall[t] = near[t]
        elif code == 1:
            for t in range(a):
                root = np.sqrt(near[t])
                near[t] = fast_exp(-root)
                fall[t] = near[t] / root if root > 0.0 else 0.0
        elif code == 3:
            for t in range(a):
                root = np.sqrt(3.0 * near[t])
                drop = fast_exp(-root)
                near[t] = (1.0 + root) * drop
                fall[t] = 3.0 * drop
        else:
            for t in range(a):
                squared = near[t]
                root = np.sqrt(5.0 * squared)
                drop = fast_exp(-root)
                near[t] = (1.0 + root + (5.0 / 3.0) * squared) * drop
                fall[t] = (5.0 / 3.0) * (1.0 + root) * drop


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS)
def _factor(L: Floats) -> float:
    """Cholesky factor in place (lower half); sum of the logarithms of its diagonal, NaN if there is none."""
    level = 0.0
    for a in range(L.shape[0]):
        for b in range(a):
            L[a, b] = (L[a, b] - _dot(L[a, :b], L[b, :b])) / L[b, b]
        rest = L[a, a] - _dot(L[a, :a], L[a, :a])
        if not rest > 0.0:
            return np.nan
        L[a, a] = np.sqrt(rest)
        level += np.log(L[a, a])
    return level


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS)
def _transposed_inverse(L: Floats, out: Floats) -> None:
    """Upper triangle of the transposed inverse of a lower factor: every dot product runs along rows."""
    n = L.shape[0]
    for b in range(n):
        out[b, b] = 1.0 / L[b, b]
        for a in range(b + 1, n):
            out[b, a] = -_dot(L[a, b:a], out[b, b:a]) / L[a, a]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS)
def _gradient(
    columns: Floats, inverse: Floats, value: Floats, slope: Floats, upper: Floats, alpha: Floats,
    shares: Floats, out: Floats,
) -> None:  # fmt: skip
    """Traces of Q = K⁻¹ - ααᵀ with k by every log length scale, with k, and with the noise shares."""
    n, p = alpha.shape[0], columns.shape[0]
    weights = np.empty(n)
    out[:] = 0.0
    for a in range(n):
        own = _dot(upper[a, a:], upper[a, a:]) - alpha[a] * alpha[a]
        out[p] += own
        out[p + 1] += own * shares[a]
        for t in range(a):
            weights[t] = 2.0 * (_dot(upper[a, a:], upper[t, a:]) - alpha[a] * alpha[t])
        out[p] += _dot(weights[:a], value[a, :a])
        for t in range(a):
            weights[t] *= slope[a, t]
        for j in range(p):
            z, column = columns[j, a], columns[j, :a]
            total = 0.0
            for t in range(a):
                step = column[t] - z
                total += weights[t] * (step * step)
            out[j] += total * inverse[j] * inverse[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS)
def small_evidence(
    code: int, columns: Floats, inverse: Floats, amplitude: float, constant: float, noise: float,
    shares: Floats, known: Floats, y: Floats, alpha: Floats, gradient: Floats,
) -> float:  # fmt: skip
    r"""Negative log marginal likelihood of a process with a radial kernel.

    Parameters
    ----------
    code : int
        As :func:`~sozai.numerics.pool_kernels.kernel_code`.
    columns : ndarray of shape (p, n)
        Points, one column of the table a row.
    inverse : ndarray of shape (p,)
        One over the length scales, the kernel's width in them.
    amplitude, constant, noise : float
        Variances of the process, of its constant mean and of a result.
    shares, known : ndarray of shape (n,)
        Factor of the noise of every row, and noise variance on top of it.
    y : ndarray of shape (n,)
    alpha : ndarray of shape (n,)
        Filled with :math:`K^{-1}y`.
    gradient : ndarray of shape (p + 2,)
        Filled with the derivatives by the logarithms of length scales, amplitude and noise.

    Returns
    -------
    float
        NaN where the covariance is not positive definite to rounding.

    Notes
    -----
    :math:`n^3` multiplications in loops along rows, without a call of a library: for 20 rows a tenth of
    the time of five calls.

    Examples
    --------
    >>> alpha, gradient, one = np.empty(1), np.empty(3), np.ones(1)
    >>> value = small_evidence(5, np.zeros((1, 1)), one, 1.0, 0.0, 1.0, one, 0.0 * one, one, alpha, gradient)
    >>> bool(np.isclose(value, 0.25 + 0.5 * np.log(2) + 0.5 * np.log(2 * np.pi))), alpha.round(9).tolist()
    (True, [0.5])
    """
    n, p = y.shape[0], columns.shape[0]
    value, slope, L, upper = np.empty((n, n)), np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    _kernel_and_slope(code, columns, inverse, value, slope)
    for a in range(n):
        for t in range(a):
            L[a, t] = amplitude * value[a, t] + constant
        L[a, a] = amplitude + constant + noise * shares[a] + known[a]
    level = _factor(L)
    if np.isnan(level):
        return np.nan
    _transposed_inverse(L, upper)
    half = np.zeros(n)
    for b in range(n):
        for t in range(b, n):
            half[t] += y[b] * upper[b, t]
    for a in range(n):
        alpha[a] = _dot(upper[a, a:], half[a:])
    _gradient(columns, inverse, value, slope, upper, alpha, shares, gradient)
    for j in range(p + 1):
        gradient[j] *= 0.5 * amplitude
    gradient[p + 1] *= 0.5 * noise
    value_of_y = 0.5 * _dot(half, half)
    evidence: float = value_of_y + level + 0.5 * n * np.log(2.0 * np.pi)
    return evidence


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def bent_moments(y: Floats, exponent: float, bent: Floats, slopes: Floats) -> tuple[float, float]:
    """Bend a target by one exponent, standardize it, and differentiate it.

    Parameters
    ----------
    y : ndarray of shape (n,)
    exponent : float
    bent : ndarray of shape (n,)
        Filled with the bent values (:func:`~sozai.numerics.warped_evidence.bend`), mean 0 and variance 1.
    slopes : ndarray of shape (n,)
        Filled with the derivatives of the bent values by the exponent, less their mean, over the standard
        deviation of the bent values.

    Returns
    -------
    spread : float
        Standard deviation of the bent values.
    stretch : float
        Derivative of its logarithm by the exponent.

    Examples
    --------
    >>> y = np.array([-1.0, 1.0])
    >>> bent, slopes = np.empty(2), np.empty(2)
    >>> bent_moments(y, 1.0, bent, slopes)[0], bent.tolist()
    (1.0, [-1.0, 1.0])
    """
    n = y.shape[0]
    mean, mean_slope = 0.0, 0.0
    for i in range(n):
        above = y[i] >= 0.0
        size = np.log1p(abs(y[i]))
        power = exponent if above else 2.0 - exponent
        grown = size if abs(power) < _FLAT else np.expm1(power * size) / power
        if abs(power) < _NEARLY_FLAT:
            slope = 0.5 * size * size + power * size * size * size / 3.0
        else:
            whole = np.exp(power * size)
            slope = (power * size * whole - (whole - 1.0)) / (power * power)
        bent[i] = grown if above else -grown
        slopes[i] = slope
        mean += bent[i] / n
        mean_slope += slope / n
    variance = 0.0
    for i in range(n):
        bent[i] -= mean
        variance += bent[i] * bent[i] / n
    spread = np.sqrt(variance)
    stretch = 0.0
    for i in range(n):
        bent[i] /= spread
        slopes[i] = (slopes[i] - mean_slope) / spread
        stretch += bent[i] * slopes[i] / n
    return spread, stretch
