"""Which columns of a matrix are the same up to scale and shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct_columns"]


def distinct_columns(
    matrix: NDArray[np.float64], *, tolerance: float = 1e-10, block: int = 4096
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    r"""Keep the first of every set of columns that are affine images of each other.

    Columns :math:`x` and :math:`\alpha + \beta x` span the same model next to a
    constant, so a search needs only one of them.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_columns)
        Finite columns in order of preference.
    tolerance : float, default=1e-10
        Columns agree when their centred unit vectors differ by less than this
        in every fixed random projection and in full.
    block : int, default=4096
        Columns handled at once; bounds the working memory to
        ``8 * n_samples * block`` bytes.

    Returns
    -------
    kept : ndarray of shape (n_distinct,)
        Column numbers, ascending; constant columns are never kept.
    representative : ndarray of shape (n_columns,)
        For every column the kept one it agrees with, -1 for constants.

    Notes
    -----
    Each column is centred, scaled to unit norm and given a positive projection
    on a fixed random vector. Sorting by that projection brings equal columns
    together; neighbours within ``tolerance`` are compared in full. Cost
    O(m n + n log n) plus the full comparisons.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 4.0])
    >>> kept, representative = distinct_columns(np.column_stack([x, 3 - 2 * x, x**2]))
    >>> kept.tolist(), representative.tolist()
    ([0, 2], [0, 0, 2])
    """
    n_samples, n_columns = matrix.shape
    rng = np.random.default_rng(20190115)
    probe = rng.normal(size=n_samples)
    projection = np.empty(n_columns)
    for start in range(0, n_columns, block):
        unit = _centered_unit(matrix[:, start : start + block])
        projection[start : start + block] = np.abs(probe @ unit)
    constant = ~np.isfinite(projection)
    order = np.lexsort((np.arange(n_columns), np.where(constant, np.inf, projection)))
    order = order[: n_columns - int(constant.sum())]
    representative = np.arange(n_columns, dtype=np.int64)
    representative[constant] = -1
    gap = np.diff(projection[order]) > tolerance * float(np.linalg.norm(probe))
    for run in np.split(order, np.flatnonzero(gap) + 1):
        if run.size > 1:
            _merge_run(matrix, np.sort(run), representative, tolerance)
    kept = np.flatnonzero(representative == np.arange(n_columns)).astype(np.int64)
    return kept, representative


def _centered_unit(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns centred and scaled to unit norm, NaN where a column is constant."""
    largest = np.abs(columns).max(axis=0)
    scaled = columns / np.where(largest > 0, largest, 1.0)
    scaled = scaled - scaled.mean(axis=0)
    norm = np.linalg.norm(scaled, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: NDArray[np.float64] = np.where(norm > 1e-12 * np.sqrt(len(columns)), scaled / norm, np.nan)
    return unit


def _merge_run(
    matrix: NDArray[np.float64], run: NDArray[np.int64], representative: NDArray[np.int64], tolerance: float
) -> None:
    """Point every column of a run of equal projections to the first one it equals in full."""
    unit = _centered_unit(matrix[:, run])
    leaders: list[int] = []
    for k in range(run.size):
        for leader in leaders:
            sign = np.sign(unit[:, leader] @ unit[:, k])
            if np.linalg.norm(unit[:, k] - sign * unit[:, leader]) <= tolerance * 10:
                representative[run[k]] = run[leader]
                break
        else:
            leaders.append(k)
