"""How far apart two compositions are: maximum mean discrepancy, coordinates in which it is a distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.kernels import squared_distances

__all__ = ["SimilarFormulas", "discrepancies", "grouped_factors", "isometric_factor", "nearest_rows"]

#: Distances held at once.
_SCORES = 4_000_000
#: Share of the squared distances that rounding can change.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class SimilarFormulas:
    """The nearest compositions of a database, for every query.

    Attributes
    ----------
    queries : ndarray of shape (n_queries,)
        Formulas as given.
    formulas : ndarray of shape (n_queries, k)
        Nearest first; of two that are equally near the earlier row.
    rows : int ndarray of shape (n_queries, k)
        Their rows in the database.
    distances : ndarray of shape (n_queries, k)
        Maximum mean discrepancies.

    Examples
    --------
    >>> hits = SimilarFormulas(
    ...     np.array(["LiCl"]), np.array([["NaCl"]]), np.array([[4]]), np.array([[0.21]])
    ... )
    >>> hits
    SimilarFormulas(1 query, 1 hit each)
    >>> hits.to_frame().to_dict("records")
    [{'query': 'LiCl', 'rank': 1, 'formula': 'NaCl', 'row': 4, 'distance': 0.21}]
    """

    queries: np.ndarray
    formulas: np.ndarray
    rows: np.ndarray
    distances: np.ndarray

    def __repr__(self) -> str:
        n, k = self.rows.shape
        return f"SimilarFormulas({n} quer{'y' if n == 1 else 'ies'}, {k} hit{'s' if k != 1 else ''} each)"

    def __len__(self) -> int:
        return len(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One line for each query and hit.

        Returns
        -------
        DataFrame
            Columns query, rank, formula, row, distance.
        """
        n, k = self.rows.shape
        return pd.DataFrame(
            {
                "query": np.repeat(self.queries, k),
                "rank": np.tile(np.arange(1, k + 1), n),
                "formula": self.formulas.ravel(),
                "row": self.rows.ravel(),
                "distance": self.distances.ravel(),
            }
        )


def isometric_factor(gram: np.ndarray, tolerance: float | None = None) -> np.ndarray:
    r"""Coordinates of the components in which the discrepancy is the Euclidean distance.

    Parameters
    ----------
    gram : ndarray of shape (n_components, n_components)
        Symmetric, positive semi-definite :math:`K`.
    tolerance : float, optional
        Eigenvalues below this share of the largest one are left out;
        ``n_components`` rounding errors when not given.

    Returns
    -------
    ndarray of shape (n_components, rank)
        :math:`L` with :math:`K = LL^T`, columns by falling eigenvalue, the
        largest element of each positive.

    Raises
    ------
    InputError
        When an eigenvalue is clearly negative: no kernel gives such a matrix.

    Notes
    -----
    :math:`K = V\Lambda V^T`, :math:`L = V\Lambda^{1/2}`; O(m^3) once.

    Examples
    --------
    >>> isometric_factor(np.array([[1.0, 1.0], [1.0, 1.0]])).round(6).tolist()
    [[1.0], [1.0]]
    """
    eigenvalues, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
    largest = max(float(eigenvalues[-1]), 0.0)
    rounding = len(gram) * np.finfo(np.float64).eps
    if eigenvalues[0] < -100 * rounding * max(largest, np.finfo(np.float64).tiny):
        raise InputError(
            sentence(
                "isometric_factor", "the kernel", "be positive semi-definite",
                f"least eigenvalue {eigenvalues[0]:.3g}, largest {largest:.3g}",
                remedy="Take Gaussian, Laplace or Matern, or correct your function.",
            )
        )  # fmt: skip
    kept = np.flatnonzero(eigenvalues > (rounding if tolerance is None else tolerance) * largest)[::-1]
    factor = vectors[:, kept] * np.sqrt(eigenvalues[kept])
    peaks = factor[np.abs(factor).argmax(axis=0), np.arange(len(kept))]
    return np.ascontiguousarray(factor * np.where(peaks < 0, -1.0, 1.0))


def discrepancies(A: np.ndarray, B: np.ndarray | None = None) -> np.ndarray:
    """Distances of all pairs of isometric coordinates.

    Parameters
    ----------
    A, B : ndarray of shape (n, rank)
        ``A`` itself when ``B`` is left out; the diagonal is then 0.

    Returns
    -------
    ndarray of shape (n_a, n_b)

    Examples
    --------
    >>> discrepancies(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).tolist()
    [[5.0]]
    """
    return np.sqrt(np.maximum(squared_distances(A, B), 0.0))


def nearest_rows(
    queries: np.ndarray, database: np.ndarray, k: int, norms: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a database nearest to every query.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, rank)
    database : ndarray of shape (n_rows, rank)
    k : int
        At most ``n_rows``.
    norms : ndarray of shape (n_rows,), optional
        Squared lengths of the rows of ``database``, when they are known already.

    Returns
    -------
    rows : int ndarray of shape (n_queries, k)
        Nearest first; of two that are equally near the earlier one.
    distances : ndarray of shape (n_queries, k)

    Notes
    -----
    Candidates by one matrix product for some queries at a time, then exact
    distances of all that rounding leaves possible, so that it decides nothing.
    Beside the data 32 MB, or one number for each row of the database.

    Examples
    --------
    >>> rows, distances = nearest_rows(np.array([[0.0]]), np.array([[3.0], [1.0], [-1.0]]), 2)
    >>> rows.tolist(), distances.tolist()
    ([[1, 2]], [[1.0, 1.0]])
    """
    if not 1 <= k <= len(database):
        raise InputError(
            sentence(
                "nearest_rows", "k", f"be from 1 to the number of rows ({len(database)})", k,
                remedy="Ask for fewer.",
            )
        )  # fmt: skip
    norms = np.einsum("ij,ij->i", database, database) if norms is None else norms
    rounding = _ROUNDING * (norms.max() + float((queries**2).sum(axis=1).max(initial=0.0)))
    rows = np.empty((len(queries), k), dtype=np.int64)
    distances = np.empty((len(queries), k))
    step = max(1, _SCORES // len(database))
    for start in range(0, len(queries), step):
        some = queries[start : start + step]
        scores = norms - 2.0 * (some @ database.T)
        for i, (query, score) in enumerate(zip(some, scores, strict=True), start=start):
            bound = np.partition(score, k - 1)[k - 1] + rounding
            candidates = np.flatnonzero(score <= bound)
            exact = np.sqrt(((database[candidates] - query) ** 2).sum(axis=1))
            order = np.lexsort((candidates, exact))[:k]
            rows[i], distances[i] = candidates[order], exact[order]
    return rows, distances


def grouped_factors(
    grams: Sequence[tuple[str, np.ndarray]], share: float, tolerance: float
) -> list[tuple[str, np.ndarray]]:
    r"""Factors of the parts of a sum :math:`K = \sum_g s K_g`.

    Parameters
    ----------
    grams : sequence of (str, ndarray)
        Names and matrices of the parts.
    share : float
        :math:`s`.
    tolerance : float
        As in :func:`isometric_factor`.

    Returns
    -------
    list of (str, ndarray)
        Names and :math:`L_g` with :math:`\sum_g L_gL_g^T = K`.

    Examples
    --------
    >>> (name, factor), = grouped_factors([("radius", np.eye(2))], 0.25, 1e-10)
    >>> name, (factor @ factor.T).tolist()
    ('radius', [[0.25, 0.0], [0.0, 0.25]])
    """
    return [(name, isometric_factor(share * gram, tolerance)) for name, gram in grams]
