"""Which columns tell the same story: blocks of high rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

__all__ = ["correlated_blocks", "rank_correlation"]

Array = NDArray[np.float64]


def rank_correlation(X: Array) -> Array:
    """Spearman correlation of all pairs of columns; 0 beside a constant column.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)

    Returns
    -------
    ndarray of shape (n_columns, n_columns)

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> rank_correlation(np.column_stack([x, x**3, -x])).round(6).tolist()[0]
    [1.0, 1.0, -1.0]
    """
    ranks = rankdata(X, axis=0)
    ranks -= ranks.mean(axis=0)
    norms = np.sqrt((ranks**2).sum(axis=0))
    ranks /= np.where(norms > 0, norms, 1.0)
    return np.asarray(ranks.T @ ranks)


def correlated_blocks(X: Array, *, threshold: float = 0.8) -> list[NDArray[np.int64]]:
    """Columns grouped by average linkage of their rank correlation, in table order.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
    threshold : float, default=0.8
        Blocks are merged while the mean absolute correlation between them is above this.

    Returns
    -------
    list of ndarray of int
        Column numbers of every block; together all columns, each once.

    Examples
    --------
    >>> import numpy as np
    >>> x, z = np.random.default_rng(0).normal(size=(2, 50))
    >>> [block.tolist() for block in correlated_blocks(np.column_stack([x, z, -2 * x]))]
    [[0, 2], [1]]
    """
    n_columns = X.shape[1]
    if n_columns == 1:
        return [np.zeros(1, dtype=np.int64)]
    distance = np.clip(1.0 - np.abs(rank_correlation(X)), 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    member = fcluster(tree, t=1.0 - threshold, criterion="distance")
    blocks = [np.flatnonzero(member == label) for label in np.unique(member)]
    return sorted(blocks, key=lambda block: int(block[0]))
