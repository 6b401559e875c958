r"""Sums over channels that one step of a likelihood fit needs: deviance, score and Fisher information.

Loops run over contiguous channels and are written so that a compiler turns them into vector
instructions; the logarithm of the Poisson deviance is a polynomial for the same reason.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["GAUSSIAN", "POISSON", "deviance_of", "information_of", "log_excess", "prepare_counts", "weigh"]

Floats = NDArray[np.float64]

#: Codes of the two kinds of noise.
POISSON, GAUSSIAN = 0, 1
#: Expectations below this share of the mean count are raised to it.
FLOOR = 1e-9
# sums may be taken in any order; NaN and infinity keep their meaning
_FAST = {"reassoc", "contract", "nsz"}
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_LN2 = 0.6931471805599453


@intrinsic
def _bits_of(typing_context, number):
    """Bit pattern of a double as an integer."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def _double_of(typing_context, bits):
    """Double with a given bit pattern."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def log_excess(t: float) -> float:
    r"""Difference :math:`t - \ln(1+t)` for t > -1, without cancellation near 0.

    The Poisson deviance of one channel is 2 y times this at t = μ/y − 1.

    Parameters
    ----------
    t : float

    Returns
    -------
    float
        Relative error below 4e-15.

    Notes
    -----
    With 1 + t = 2^e m and f = m − 1, ln m = 2s + s R(s²), s = f/(2 + f), with the minimax
    polynomial R of fdlibm; f − 2s = f s takes the place of the cancelling difference. No branch and no
    call, so a loop over channels is vectorized.

    Examples
    --------
    >>> round(log_excess(1e-8) * 1e17, 7), round(log_excess(1.0), 15)
    (5.0, 0.306852819440055)
    """
    u = 1.0 + t
    bits = _bits_of(u)
    exponent = (bits - _SQRT_HALF_BITS) >> 52
    f = t if exponent == 0 else _double_of(bits - (exponent << 52)) - 1.0
    s = f / (2.0 + f)
    z = s * s
    rest = 0.1531383769920937332 + z * 0.1479819860511658591
    rest = 0.2222219843214978396 + z * (0.1818357216161805012 + z * rest)
    rest = z * (0.6666666666666735130 + z * (0.3999999999940941908 + z * (0.2857142874366239149 + z * rest)))
    return (f * s - s * rest) + ((t - f) - float(exponent) * _LN2)


@njit(cache=True, nogil=True, error_model="numpy")
def prepare_counts(
    counts: Floats, weights: Floats, y: Floats, inverse: Floats, empty: Floats
) -> float:  # fmt: skip
    """Copy one spectrum and what depends on it alone; masked channels become zeros.

    Parameters
    ----------
    counts, weights : ndarray of shape (n,)
        Channels of weight 0 are masked; they may hold NaN.
    y, inverse, empty : ndarray of shape (n,)
        Filled with the counts, 1/counts (0 where there are none) and 1 where there are none.

    Returns
    -------
    float
        The least expectation allowed.
    """
    total, n_used = 0.0, 0
    for n in range(counts.shape[0]):
        used = weights[n] != 0.0
        y[n] = counts[n] if used else 0.0
        inverse[n] = 1.0 / y[n] if y[n] > 0.0 else 0.0
        empty[n] = 0.0 if y[n] > 0.0 else 1.0
        total += abs(y[n])
        n_used += used
    mean = total / n_used if n_used > 0 else 0.0
    return FLOOR * mean if mean > 0.0 else FLOOR


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def deviance_of(
    noise: int, y: Floats, inverse: Floats, empty: Floats, weights: Floats, floor: float, mu: Floats
) -> float:  # fmt: skip
    """Deviance of the expectations; for Poisson noise they are raised to the floor in place.

    Poisson: 2 Σ w [μ − y + y ln(y/μ)], 2 w μ where y = 0. Gaussian: Σ w (y − μ)².

    Parameters
    ----------
    noise : int
        :data:`POISSON` or :data:`GAUSSIAN`.
    y, inverse, empty : ndarray of shape (n,)
        From :func:`prepare_counts`.
    weights : ndarray of shape (n,)
        w; 0 masks a channel, 1/σ² for Gaussian noise.
    floor : float
    mu : ndarray of shape (n,)
        μ.

    Returns
    -------
    float

    Examples
    --------
    >>> y, zero, one = np.array([4.0]), np.zeros(1), np.ones(1)
    >>> round(deviance_of(POISSON, y, 1 / y, zero, one, 1e-9, np.array([2.0])), 12)  # 2 (2 - 4 + 4 ln 2)
    1.54517744448
    """
    total = 0.0
    if noise == GAUSSIAN:
        for n in range(mu.shape[0]):
            rest = y[n] - mu[n]
            total += weights[n] * rest * rest
        return total
    for n in range(mu.shape[0]):
        expected = mu[n]
        if expected < floor:  # false for NaN, which stays
            expected = floor
        mu[n] = expected
        total += weights[n] * (y[n] * log_excess((expected - y[n]) * inverse[n]) + empty[n] * expected)
    return 2.0 * total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def weigh(noise: int, y: Floats, weights: Floats, mu: Floats, variance: Floats, rest: Floats) -> None:
    """Inverse variances v = w/μ (Poisson) or w, and residuals y - μ.

    Parameters
    ----------
    noise : int
    y, weights, mu : ndarray of shape (n,)
    variance, rest : ndarray of shape (n,)
        Filled.
    """
    if noise == GAUSSIAN:
        for n in range(mu.shape[0]):
            variance[n] = weights[n]
            rest[n] = y[n] - mu[n]
    else:
        for n in range(mu.shape[0]):
            variance[n] = weights[n] / mu[n]
            rest[n] = y[n] - mu[n]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def information_of(rows: Floats, members: NDArray[np.int64], variance: Floats, products: Floats) -> None:
    """Sums over channels of v a b for all pairs of rows, in blocks of three by three.

    Nine sums per pass over six rows keep the arithmetic units busy and the rows in the first-level
    cache.

    Parameters
    ----------
    rows : ndarray of shape (R, n)
        Derivatives of μ, residuals, zeros.
    members : ndarray of int of shape (3 b,)
        Rows to pair, in this order.
    variance : ndarray of shape (n,)
        v.
    products : ndarray of shape (3 b, 3 b)
        Filled on and below the diagonal blocks.
    """
    size, n_channels = members.shape[0], rows.shape[1]
    for i in range(0, size, 3):
        a0, a1, a2 = rows[members[i]], rows[members[i + 1]], rows[members[i + 2]]
        for j in range(0, i + 1, 3):
            b0, b1, b2 = rows[members[j]], rows[members[j + 1]], rows[members[j + 2]]
            s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = 0.0
            for n in range(n_channels):
                v = variance[n]
                c0, c1, c2 = v * b0[n], v * b1[n], v * b2[n]
                s00 += a0[n] * c0
                s01 += a0[n] * c1
                s02 += a0[n] * c2
                s10 += a1[n] * c0
                s11 += a1[n] * c1
                s12 += a1[n] * c2
                s20 += a2[n] * c0
                s21 += a2[n] * c1
                s22 += a2[n] * c2
            products[i, j], products[i, j + 1], products[i, j + 2] = s00, s01, s02
            products[i + 1, j], products[i + 1, j + 1], products[i + 1, j + 2] = s10, s11, s12
            products[i + 2, j], products[i + 2, j + 1], products[i + 2, j + 2] = s20, s21, s22
