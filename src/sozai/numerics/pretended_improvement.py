"""Expected improvement averaged over pretended results, and a bound that spares most candidates of it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.fast_exponential import fast_exp, fast_log
from sozai.numerics.improvement import excess_ratio, log_h

__all__ = ["log_improvement_bound", "log_pretended_improvement", "symmetric_draws"]

Array = NDArray[np.float64]

_KEEP = {"contract"}
# sums may be split over vector lanes
_SUMS = {"reassoc", "contract", "nsz"}
_INVERSE_ROOT_2PI = 0.3989422804014327
#: Share of the variance that rounding may hide from the difference of two variances.
_HIDDEN = 1e-12


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def _log_g(u: float) -> float:
    """Logarithm of h(u), continued beyond 0 by the parabola that touches it there."""
    v = u if u > 0.0 else 0.0
    beyond = fast_log(_INVERSE_ROOT_2PI * (1.0 + v * v) + 0.5 * v)
    below = log_h(u - v)
    return beyond if u > 0.0 else below


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def _log_mixture(high: float, low: float, log_share: float, log_rest: float) -> float:
    """Log of the mean of g over two points."""
    first, second = log_share + _log_g(high), log_rest + _log_g(low)
    gap = abs(first - second)
    top = first if first > second else second
    return top + fast_log(1.0 + fast_exp(-gap))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def _log_two_points(middle: float, variance: float, reach: float) -> float:
    """Log of the largest mean of g over u with this mean, at most this variance, and u ≤ middle + reach."""
    if not reach > 0.0:
        return _log_g(middle)
    share = variance / (variance + reach * reach)
    logs = fast_log(max(share, 1e-300)), fast_log(1.0 - share)
    return _log_mixture(middle + reach, middle - variance / reach, *logs)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS)
def _moments(u: Array) -> tuple[float, float, float]:
    """Mean, variance and largest."""
    k = u.shape[0]
    total, squares = 0.0, 0.0
    for j in range(k):
        total += u[j]
    middle = total / k
    for j in range(k):
        squares += (u[j] - middle) * (u[j] - middle)
    # four chains of comparisons, as no compiler makes of one
    m0, m1, m2, m3 = u[0], u[0], u[0], u[0]
    for j in range(0, k - 3, 4):
        m0 = u[j] if u[j] > m0 else m0
        m1 = u[j + 1] if u[j + 1] > m1 else m1
        m2 = u[j + 2] if u[j + 2] > m2 else m2
        m3 = u[j + 3] if u[j + 3] > m3 else m3
    for j in range(k - k % 4, k):
        m0 = u[j] if u[j] > m0 else m0
    return middle, squares / k, max(max(m0, m1), max(m2, m3))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SUMS)
def _sum_of_h(u: Array, shift: float) -> float:
    """Sum of h(u) exp(-shift)."""
    total, unit = 0.0, fast_exp(-shift)
    for j in range(u.shape[0]):
        v = abs(u[j])
        total += _INVERSE_ROOT_2PI * fast_exp(-0.5 * v * v - shift) * excess_ratio(v) + max(u[j], 0.0) * unit
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def _fill_pretended(
    mean: Array, std: Array, rows: Array, draws: Array, best: Array, extra: Array, least: float, skip: bool,
    out: Array,
) -> None:  # fmt: skip
    """Rows (n, q), draws (q, k): log of the average over k; minus infinity where it cannot reach the best."""
    q, k = draws.shape
    u = np.empty(k)
    for i in range(mean.shape[0]):
        inverse = 1.0 / std[i]
        for j in range(k):
            u[j] = (mean[i] - best[j]) * inverse
        for s in range(q):
            step = rows[i, s] * inverse
            for j in range(k):
                u[j] += step * draws[s, j]
        middle, variance, largest = _moments(u)
        scale = fast_log(std[i]) + extra[i]
        # the margin covers the rounding of both sides
        if skip and _log_two_points(middle, variance, largest - middle) + scale < least - 1e-9:
            out[i] = -np.inf
            continue
        top = log_h(largest)
        out[i] = top + fast_log(_sum_of_h(u, top) / k) + scale
        least = max(least, out[i])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP)
def _fill_bound(
    mean: Array, before: Array, after: Array, best: float, drift: float, spread: float, reach: float,
    out: Array,
) -> None:  # fmt: skip
    """Log of the bound for every candidate."""
    share = spread / (spread + reach * reach) if reach > 0.0 else 0.0
    low = spread / reach if reach > 0.0 else 0.0
    log_share, log_rest = fast_log(max(share, 1e-300)), fast_log(1.0 - share)
    for i in range(mean.shape[0]):
        lost = before[i] - after[i] * after[i]
        inverse = 1.0 / after[i]
        length = np.sqrt((lost if lost > 0.0 else 0.0) + _HIDDEN * before[i]) * inverse
        middle = (mean[i] - best) * inverse + drift * length
        mixed = _log_mixture(middle + reach * length, middle - low * length, log_share, log_rest)
        out[i] = mixed + fast_log(after[i])


def symmetric_draws(rng: np.random.Generator, n: int) -> Array:
    """Standard normal numbers in pairs of opposite sign, shape (n,): for even n their mean is 0.

    Examples
    --------
    >>> float(symmetric_draws(np.random.default_rng(0), 8).sum())
    0.0
    """
    half = rng.standard_normal((n + 1) // 2)
    return np.concatenate([half, -half])[:n]


def log_pretended_improvement(
    mean: Array, std: Array, rows: Array, draws: Array, best: Array, *, extra: Array | None = None,
    least: float = -np.inf,
) -> Array:  # fmt: skip
    r"""Log of the expected improvement averaged over k pretended histories of q candidates.

    Parameters
    ----------
    mean : ndarray of shape (n,)
        Before anything was pretended.
    std : ndarray of shape (n,)
        Afterwards; it is the same in all histories.
    rows : ndarray of shape (n, q)
        Change of the means for a unit draw at each pretended candidate.
    draws : ndarray of shape (q, k)
        Standard normal numbers.
    best : ndarray of shape (k,)
        What is to be exceeded in each history.
    extra : ndarray of shape (n,), optional
        Added.
    least : float
        Only values of at least this are wanted. Once given, a candidate whose bound lies below it, or below
        the largest value so far, is passed over and gets minus infinity.

    Returns
    -------
    ndarray of shape (n,)
        Every entry comes from its own candidate alone, to the last bit. The largest is right if any is as
        large as ``least``.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> log_pretended_improvement(np.zeros(1), np.ones(1), one, -0.5 * one, np.zeros(1)).round(10).tolist()
    [-1.6205162644]
    """
    out = np.empty(len(mean))
    added = np.zeros(len(mean)) if extra is None else extra
    _fill_pretended(
        np.ascontiguousarray(mean), np.ascontiguousarray(std), np.ascontiguousarray(rows),
        np.ascontiguousarray(draws), np.ascontiguousarray(best), np.ascontiguousarray(added), float(least),
        least > -np.inf, out,
    )  # fmt: skip
    return out


def log_improvement_bound(mean: Array, variance: Array, std: Array, draws: Array, best: Array) -> Array:
    r"""Upper bound of :func:`log_pretended_improvement` without its rows.

    Parameters
    ----------
    mean, variance : ndarray of shape (n,)
        Before anything was pretended.
    std : ndarray of shape (n,)
        Afterwards.
    draws : ndarray of shape (q, k)
    best : ndarray of shape (k,)

    Returns
    -------
    ndarray of shape (n,)

    Notes
    -----
    The rows r of a candidate have the length :math:`l^2 = v - v'`, the loss of its variance. Over the
    histories its mean therefore moves by at most :math:`\bar m = l|\bar\epsilon|` in the mean, with a
    variance of at most :math:`l^2 c`, c the largest eigenvalue of the draws' covariance, and by at most
    :math:`b = l\max_k|\epsilon_k - \bar\epsilon|` more. Let :math:`g \ge h` continue
    :math:`h(u) = \varphi(u) + u\Phi(u)` beyond 0 by its parabola there; its second derivative never
    falls, and of all distributions with these bounds the one on two points has the largest mean [1]_:

    .. math:: \frac1k\sum_k h \le p\,g(\bar m + b) + (1 - p)\,g(\bar m - l^2c/b), \qquad
       p = \frac{l^2c}{l^2c + b^2}.

    Two values of g in place of k of h.

    References
    ----------
    .. [1] W. Hoeffding, Probability inequalities for sums of bounded random variables,
       J. Am. Stat. Assoc. 58, 13 (1963).

    Examples
    --------
    >>> draws = np.array([[1.0, -1.0]])
    >>> mean, std, best = np.array([-1.0]), np.array([0.8]), np.zeros(2)
    >>> exact = log_pretended_improvement(mean, std, np.array([[0.6]]), draws, best)
    >>> bool(log_improvement_bound(mean, np.ones(1), std, draws, best)[0] >= exact[0])
    True
    """
    middle = draws.mean(axis=1)
    centered = draws - middle[:, None]
    reach = float(np.sqrt((centered**2).sum(axis=0).max()))
    spread = float(np.linalg.eigvalsh(centered @ centered.T / draws.shape[1])[-1])
    out = np.empty(len(mean))
    _fill_bound(
        np.ascontiguousarray(mean), np.ascontiguousarray(variance), np.ascontiguousarray(std),
        float(np.min(best)), float(np.linalg.norm(middle)), spread * (1.0 + 1e-12), reach, out,
    )  # fmt: skip
    return out
