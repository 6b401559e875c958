"""Columns at unit norm, read in blocks: scaling safe from overflow, singular values of wide tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from sozai.contracts.errors import InputError, sentence

__all__ = [
    "BLOCK",
    "blocks",
    "column_norms",
    "row_norms",
    "serial_products",
    "unit_columns",
    "unit_singular_values",
    "write_unit_rows",
]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Columns handled at a time: a block of them stays in cache.
BLOCK = 512


def unit_columns(matrix: Array, columns: Index, scales: Array) -> Array:
    """Copy of ``columns`` at unit norm, shape (n_samples, n), Fortran order; zero columns stay zero."""
    rows = np.empty((columns.size, matrix.shape[0]))
    write_unit_rows(matrix, columns, scales, rows)
    return rows.T


def serial_products() -> AbstractContextManager[Any]:
    """Keep matrix products on one thread while many small blocks pass.

    Blocks that fit the cache gain nothing from threads, and lose an order of
    magnitude when other processes hold a core that a thread waits for.

    Examples
    --------
    >>> with serial_products():
    ...     pass
    """
    context: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return context


@cache
def _controller() -> ThreadpoolController:
    """Thread pools of this process, looked up once."""
    return ThreadpoolController()


def unit_singular_values(matrix: Array, scales: Array | None = None) -> Array:
    """Singular values of ``matrix`` with unit-norm columns, largest first.

    A wide table is read twice in blocks and never copied: the Gram matrix of
    the rows loses what lies below 1e-8 of the largest value, the Gram matrix of
    the rows turned to its eigenvectors and scaled to unit norm finds it again,
    so the result is accurate to rounding like an orthogonal factorisation.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_columns)
    scales : ndarray of shape (n_columns,), optional
        Norms of the columns where they are known.

    Returns
    -------
    ndarray of shape (min(n_samples, n_columns),)

    Examples
    --------
    >>> import numpy as np
    >>> unit_singular_values(np.array([[1.0, 5.0], [0.0, 0.0]])).round(12).tolist()
    [1.414213562373, 0.0]
    """
    m, n = matrix.shape
    scales = column_norms(matrix) if scales is None else scales
    if n <= 2 * m:
        unit = unit_columns(matrix, np.arange(n), scales)
        return np.asarray(np.linalg.svd(unit, compute_uv=False), dtype=np.float64)
    with serial_products():
        turn = np.linalg.eigh(_row_gram(matrix, scales))[1]
        gram = _row_gram(matrix, scales, turn.T)
        size = np.sqrt(np.diagonal(gram))
        divisor = np.where(size > 0, size, 1.0)  # a direction no column has
        value, vector = np.linalg.eigh(gram / divisor[:, None] / divisor)
        triangle = size[:, None] * vector * np.sqrt(np.maximum(value, 0.0))
        return np.asarray(np.linalg.svd(triangle, compute_uv=False), dtype=np.float64)


def _row_gram(matrix: Array, scales: Array, turn: Array | None = None) -> Array:
    """Gram matrix (m, m) of the rows of the unit columns, or of ``turn`` times them."""
    gram = np.zeros((matrix.shape[0], matrix.shape[0]))
    for block in blocks(np.arange(matrix.shape[1]), BLOCK):
        unit = unit_columns(matrix, block, scales)
        turned = unit if turn is None else turn @ unit
        gram += turned @ turned.T
    return gram


def blocks(columns: Index, size: int) -> Iterator[Index]:
    """Consecutive pieces of ``columns``."""
    for start in range(0, columns.size, size):
        yield columns[start : start + size]


def row_norms(rows: Array) -> Array:
    """2-norm of each row."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", rows, rows)), dtype=np.float64)


def column_norms(matrix: Array) -> Array:
    """2-norms without overflow; a column beyond float64 is an error that names it."""
    norms = np.empty(matrix.shape[1])
    _norms(matrix, norms)
    bad = np.flatnonzero(~np.isfinite(norms))
    if bad.size:
        largest = float(np.abs(matrix[:, bad[0]]).max())
        raise InputError(
            sentence(
                "row_reduce",
                "matrix",
                "have columns whose norm fits a float64",
                largest,
                at=f"in column {int(bad[0])}",
                remedy="Rescale this column.",
            )
        )
    return norms


@njit(cache=True, nogil=True)
def _norms(matrix, norms):  # type: ignore[no-untyped-def]
    """Norms of the columns of matrix (m, n), scaled by the largest entry."""
    m, n = matrix.shape
    for j in range(n):
        largest = 0.0
        for i in range(m):
            largest = max(largest, abs(matrix[i, j]))
        total = 0.0
        if largest > 0.0:
            for i in range(m):
                total += (matrix[i, j] / largest) ** 2
        norms[j] = largest * np.sqrt(total)


@njit(cache=True, nogil=True)
def write_unit_rows(matrix, columns, scales, rows):  # type: ignore[no-untyped-def]
    """Write the unit-norm columns as rows (n, m)."""
    m = matrix.shape[0]
    for k in range(columns.size):
        scale = scales[columns[k]]
        if scale == 0.0:
            scale = 1.0
        for i in range(m):
            rows[k, i] = matrix[i, columns[k]] / scale
