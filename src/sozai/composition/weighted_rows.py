"""Few-element rows of fractions times a matrix: the one product behind every kernel mean."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import joblib
import numpy as np
import scipy.sparse as sp
from numba import njit

__all__ = ["renormalize_known", "reweight", "weighted_rows"]

#: Fewest rows that are worth a thread of their own.
_FEWEST_ROWS = 4096


def weighted_rows(
    fractions: sp.csr_array, rows: np.ndarray, out: np.ndarray, *, n_jobs: int | None = None
) -> np.ndarray:
    r"""Write the weighted sums of rows of a matrix, :math:`\Phi = W R`, into ``out``.

    Parameters
    ----------
    fractions : csr_array of shape (n_samples, n_components)
        :math:`W`, with a few non-zero elements in each row.
    rows : ndarray of shape (n_components, n_columns)
        :math:`R = H^T`, float64 or float32, C-contiguous.
    out : ndarray of shape (n_samples, n_columns or more)
        Of the type of ``rows``; its first ``n_columns`` columns are overwritten.
    n_jobs : int, optional
        Threads; ``None`` is one, or what ``joblib.parallel_config`` says.

    Returns
    -------
    ndarray
        ``out``.

    Notes
    -----
    Every row of ``out`` is written once, four components at a time, in the order of the components: the
    time is that of writing the result, and the bits depend neither on the
    number of threads nor on the blocks the samples come in.

    Examples
    --------
    >>> W = sp.csr_array(np.array([[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]))
    >>> weighted_rows(W, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.empty((2, 2))).tolist()
    [[3.0, 4.0], [3.0, 4.0]]
    """
    indptr = fractions.indptr.astype(np.int64, copy=False)
    indices = fractions.indices.astype(np.int64, copy=False)
    weights = fractions.data.astype(rows.dtype, copy=False)
    n_samples = fractions.shape[0]
    n_threads = max(1, min(joblib.effective_n_jobs(n_jobs), n_samples // _FEWEST_ROWS))
    if n_threads == 1:
        _weighted_rows(indptr, indices, weights, rows, out, 0, n_samples)
        return out
    edges = np.linspace(0, n_samples, n_threads + 1).astype(np.int64)
    with ThreadPoolExecutor(n_threads) as pool:
        parts = [
            pool.submit(_weighted_rows, indptr, indices, weights, rows, out, start, stop)
            for start, stop in pairwise(edges)
        ]
        for part in parts:
            part.result()
    return out


@njit(cache=True, nogil=True)
def _weighted_rows(indptr, indices, weights, rows, out, start, stop):  # pragma: no cover
    """Sums for samples ``start`` to ``stop``; terms are added from left to right."""
    n_columns = rows.shape[1]
    for sample in range(start, stop):
        first, last = indptr[sample], indptr[sample + 1]
        target = out[sample]
        n_left = last - first
        if n_left == 0:
            for column in range(n_columns):
                target[column] = 0.0
            continue
        a, w_a = rows[indices[first]], weights[first]
        if n_left == 1:
            for column in range(n_columns):
                target[column] = w_a * a[column]
            continue
        b, w_b = rows[indices[first + 1]], weights[first + 1]
        if n_left == 2:
            for column in range(n_columns):
                target[column] = w_a * a[column] + w_b * b[column]
            continue
        c, w_c = rows[indices[first + 2]], weights[first + 2]
        if n_left == 3:
            for column in range(n_columns):
                target[column] = w_a * a[column] + w_b * b[column] + w_c * c[column]
            continue
        d, w_d = rows[indices[first + 3]], weights[first + 3]
        for column in range(n_columns):
            target[column] = w_a * a[column] + w_b * b[column] + w_c * c[column] + w_d * d[column]
        for k in range(first + 4, last):
            e, w_e = rows[indices[k]], weights[k]
            for column in range(n_columns):
                target[column] += w_e * e[column]


def reweight(fractions: sp.csr_array, factors: np.ndarray) -> sp.csr_array:
    r"""Fractions by mass, volume or another measure, :math:`w_i c_i/\sum_j w_j c_j`.

    Parameters
    ----------
    fractions : csr_array of shape (n_samples, n_components)
    factors : ndarray of shape (n_components,)
        Positive: mass or volume of one unit of each component.

    Returns
    -------
    csr_array of shape (n_samples, n_components)
        Empty rows stay empty.

    Examples
    --------
    >>> water = sp.csr_array(np.array([[2 / 3, 1 / 3]]))
    >>> reweight(water, np.array([1.008, 15.999])).toarray().round(4)
    array([[0.1119, 0.8881]])
    """
    data = fractions.data * factors[fractions.indices]
    weighted = sp.csr_array((data, fractions.indices, fractions.indptr), shape=fractions.shape)
    totals = np.asarray(weighted.sum(axis=1)).ravel()
    totals[totals == 0] = 1.0
    return sp.csr_array(
        (data / np.repeat(totals, np.diff(fractions.indptr)), fractions.indices, fractions.indptr),
        shape=fractions.shape,
    )


def renormalize_known(
    out: np.ndarray, fractions: sp.csr_array, known: np.ndarray, spans: Any, fallback: np.ndarray, names: Any
) -> dict[str, int]:
    r"""Divide each block of columns by the fraction whose value is known, in place.

    Parameters
    ----------
    out : ndarray of shape (n_samples, n_columns or more)
        Sums over known components only.
    fractions : csr_array of shape (n_samples, n_components)
    known : bool ndarray of shape (n_components, n_blocks)
    spans : list of slice
        Columns of every block.
    fallback : ndarray of shape (n_components, n_columns)
        Rows with all values, used for a sample none of whose components is known.
    names : sequence of str
        Of the blocks, keys of the answer.

    Returns
    -------
    dict of str to int
        Number of samples that rest on filled-in values altogether, by block.

    Examples
    --------
    >>> W = sp.csr_array(np.array([[0.5, 0.5]]))
    >>> known = np.array([[True], [False]])
    >>> R = np.array([[2.0], [0.0]])
    >>> out = weighted_rows(W, R, np.empty((1, 1)))
    >>> renormalize_known(out, W, known, [slice(0, 1)], np.array([[2.0], [9.0]]), ["r"]), out
    ({}, array([[2.]]))
    """
    shares = np.asarray(fractions @ known.astype(np.float64))
    filled = np.diff(fractions.indptr) > 0
    rests: dict[str, int] = {}
    for block, columns in enumerate(spans):
        share = shares[:, block]
        unknown = np.flatnonzero(filled & (share <= 0))
        partly = np.flatnonzero(filled & (share > 0) & ~known[:, block].all())
        out[partly, columns] /= share[partly, None]
        if not len(unknown):
            continue
        out[unknown, columns] = np.asarray(fractions[unknown] @ fallback[:, columns])
        rests[names[block]] = len(unknown)
    return rests
