"""What the energies of a ladder of temperatures say: ratios of evidences, their error, and R-hat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["log_ratios", "ratio_error", "split_r_hat"]

Array = NDArray[np.float64]


def log_ratios(low: Array, high: Array, gap: Array) -> Array:
    """Bennett's ln Z(upper β)/Z(lower β) of neighbors on a ladder.

    Parameters
    ----------
    low, high : ndarray of shape (..., n)
        Energies sampled at the lower and at the upper β; +inf is allowed.
    gap : ndarray of shape (...)
        Upper less lower β.

    Returns
    -------
    ndarray of shape (...)
        −x of Σ 1/(1 + exp(w − x)) = Σ 1/(1 + exp(x − w)), w = gap × energy, by bisection.

    Examples
    --------
    >>> log_ratios(np.array([2.0, 2.0]), np.array([2.0, 2.0]), np.array(0.5)).round(12).tolist()
    -1.0
    """
    low, high = low * gap[..., None], high * gap[..., None]
    both = np.concatenate([low, high], axis=-1)
    finite = np.isfinite(both)
    margin = 2.0 + np.log(both.shape[-1])  # infinite energies push x beyond the finite ones
    left = np.where(finite, both, np.inf).min(axis=-1) - margin
    right = np.where(finite, both, -np.inf).max(axis=-1) + margin
    for _ in range(100):
        middle = 0.5 * (left + right)
        at = middle[..., None]
        excess = expit(at - low).sum(axis=-1) - expit(high - at).sum(axis=-1)
        left, right = np.where(excess < 0.0, middle, left), np.where(excess < 0.0, right, middle)
    ratios: Array = -0.5 * (left + right)
    return ratios


def ratio_error(energies: Array, gap: Array) -> float:
    """Standard error of ln Z along a ladder: the largest of those from 4, 8 and 16 blocks of sweeps.

    Parameters
    ----------
    energies : ndarray of shape (L, C, n)
        Of n ≥ 32 sweeps of C ladders.
    gap : ndarray of shape (L - 1,)

    Returns
    -------
    float

    Examples
    --------
    >>> ratio_error(np.ones((3, 2, 64)), np.array([0.5, 0.5])) < 1e-12
    True
    """
    L, C, n = energies.shape
    errors = []
    for n_blocks in (4, 8, 16):
        size = n // n_blocks
        parts = energies[:, :, : size * n_blocks].reshape(L, C * n_blocks, size)
        totals = log_ratios(parts[:-1], parts[1:], np.tile(gap[:, None], parts.shape[1])).sum(axis=0)
        errors.append(totals.std(ddof=1) / np.sqrt(len(totals)))
    return float(max(errors))


def split_r_hat(samples: Array) -> Array:
    """Total over within-chain standard deviation of the halves of all chains [1]_.

    Parameters
    ----------
    samples : ndarray of shape (L, C, n, d)

    Returns
    -------
    ndarray of shape (L, d)
        1 where the chains agree.

    References
    ----------
    .. [1] A. Gelman, D. B. Rubin, Stat. Sci. 7, 457 (1992). https://doi.org/10.1214/ss/1177011136

    Examples
    --------
    >>> drift = np.arange(8.0)[None, None, :, None]
    >>> split_r_hat(drift).round(2).tolist()
    [[2.36]]
    """
    half = samples.shape[2] // 2
    chains = np.concatenate([samples[:, :, :half], samples[:, :, -half:]], axis=1)
    within = chains.var(axis=2, ddof=1).mean(axis=1)
    between = chains.mean(axis=2).var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt((half - 1) / half + between / within)
    agreed: Array = np.where((within == 0.0) & (between == 0.0), 1.0, ratio)
    return agreed
