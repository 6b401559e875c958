"""How firmly the members of every small subset of columns are tied to each other."""

from __future__ import annotations

from math import comb

import numpy as np
from numba import njit
from scipy.special import betainc, betaincinv

__all__ = ["chance_of_looseness", "count_subsets", "looseness_at_chance", "tied_subsets", "weakest_ties"]

#: Added to the diagonal of a correlation matrix. Variances below it, in units of the columns' own, count
#: as zero, so that two exact relations among one subset give the projector on both and not rounding noise.
RIDGE = 1e-12


def count_subsets(classes: np.ndarray, size: int) -> int:
    """Count the subsets of ``size`` columns that lie within one class.

    Examples
    --------
    >>> count_subsets(np.array([0, 0, 0, 1, 1]), 2)
    4
    """
    return sum(comb(int(members), size) for members in np.unique(classes, return_counts=True)[1])


def weakest_ties(correlation: np.ndarray, classes: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    r"""Smallest looseness of any subset, for every size.

    Parameters
    ----------
    correlation : ndarray of shape (n_columns, n_columns)
    classes : ndarray of int64, shape (n_columns,)
        Only columns of one class are put together.
    sizes : tuple of int

    Returns
    -------
    ndarray of shape (n_sizes,)
        1 where there is no subset of that size.

    Notes
    -----
    The looseness of a subset is :math:`\max_{i<j} (1 - g_{ij}^2)` with the partial correlation
    :math:`g_{ij} = -P_{ij}/\sqrt{P_{ii}P_{jj}}`, :math:`P` the inverse of the subset's correlation
    matrix: what the least tied pair leaves unexplained of each other when all other members are held.
    It is small exactly when *one* combination of *all* members hardly varies: a member that takes no
    part, or a second such combination, brings some :math:`g_{ij}` to zero.
    """
    correlation, classes = _plain(correlation, classes)
    numbers = np.zeros(0)
    return np.array(
        [
            _scan(correlation, classes, size, 0.0, 0.0, np.zeros((0, size), dtype=np.int64), numbers)[1]
            for size in sizes
        ]
    )


def tied_subsets(
    correlation: np.ndarray, classes: np.ndarray, size: int, *, loosest: float, largest_ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Every subset of one size that is tied firmly enough.

    Parameters
    ----------
    correlation, classes
        As in :func:`weakest_ties`.
    size : int
    loosest : float
        Largest looseness of a subset that is kept.
    largest_ratio : float
        Subsets whose smallest singular value, at unit norm of the columns, is certainly above this are
        left out; those kept may still be above it by the square root of ``size``.

    Returns
    -------
    subsets : ndarray of int64, shape (n_kept, size)
        In lexicographic order.
    looseness : ndarray of shape (n_kept,)

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 50))
    >>> correlation = np.corrcoef([x, y, x + y])
    >>> tied_subsets(correlation, np.zeros(3, np.int64), 3, loosest=0.5, largest_ratio=0.1)[0]
    array([[0, 1, 2]])
    """
    correlation, classes = _plain(correlation, classes)
    room = 256
    while True:
        subsets, looseness = np.zeros((room, size), dtype=np.int64), np.zeros(room)
        kept, _ = _scan(correlation, classes, size, loosest, largest_ratio**2, subsets, looseness)
        if kept <= room:
            return subsets[:kept], looseness[:kept]
        room = kept


def chance_of_looseness(looseness, n_samples: int, size: int):
    """Probability that two independent normal columns are tied as firmly with the other members held.

    The squared partial correlation of independent normal columns follows the beta distribution with
    parameters 1/2 and (n_samples - size)/2.

    Examples
    --------
    >>> round(float(chance_of_looseness(0.5, 12, 2)), 3)
    0.01
    """
    return betainc((n_samples - size) / 2, 0.5, looseness)


def looseness_at_chance(chance, n_samples: int, size: int):
    """Inverse of :func:`chance_of_looseness`; 1 for a probability of one or more.

    Examples
    --------
    >>> round(float(looseness_at_chance(0.0101, 12, 2)), 3)
    0.5
    """
    return betaincinv((n_samples - size) / 2, 0.5, np.minimum(chance, 1.0))


def _plain(correlation, classes):
    """The one form in which the loops below are compiled."""
    return np.ascontiguousarray(correlation, dtype=np.float64), np.ascontiguousarray(classes, dtype=np.int64)


@njit(cache=True, nogil=True)
def _scan(correlation, classes, size, loosest, largest_variance, subsets, looseness):
    """Number of subsets kept and the smallest looseness; fills subsets (room, size), looseness (room,)."""
    n = correlation.shape[0]
    smallest, kept = 1.0, 0
    if size > n:
        return kept, smallest
    index = np.arange(size)
    precision = np.empty((size, size))
    while True:
        if _one_class(classes, index):
            value, variance = _loosest_pair(correlation, index, precision)
            smallest = min(smallest, value)
            if value <= loosest and variance <= largest_variance:
                if kept < subsets.shape[0]:
                    subsets[kept] = index
                    looseness[kept] = value
                kept += 1
        k = size - 1
        while k >= 0 and index[k] == n - size + k:
            k -= 1
        if k < 0:
            return kept, smallest
        index[k] += 1
        for following in range(k + 1, size):
            index[following] = index[following - 1] + 1


@njit(cache=True, nogil=True)
def _one_class(classes, index):
    """Whether all columns belong together."""
    same = True
    for k in range(1, index.size):
        same = same and classes[index[k]] == classes[index[0]]
    return same


@njit(cache=True, nogil=True)
def _loosest_pair(correlation, index, precision):
    """Largest 1 - g² of any pair, and a lower bound of the smallest eigenvalue; precision (k, k) is work."""
    size = index.size
    for i in range(size):
        for j in range(size):
            precision[i, j] = correlation[index[i], index[j]]
        precision[i, i] += RIDGE
    _invert(precision)
    value, trace = 0.0, 0.0
    for i in range(size):
        trace += precision[i, i]
        for j in range(i):
            value = max(value, 1.0 - precision[i, j] ** 2 / (precision[i, i] * precision[j, j]))
    return value, 1.0 / trace


@njit(cache=True, nogil=True)
def _invert(matrix):
    """Inverse of a positive definite matrix in place, by Gauss-Jordan elimination on the diagonal."""
    size = matrix.shape[0]
    for k in range(size):
        pivot = matrix[k, k]
        matrix[k, k] = 1.0
        for j in range(size):
            matrix[k, j] /= pivot
        for i in range(size):
            if i != k:
                factor = matrix[i, k]
                matrix[i, k] = 0.0
                for j in range(size):
                    matrix[i, j] -= factor * matrix[k, j]
