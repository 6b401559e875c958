"""How uncertain both sources would be after actions whose outcome need not be known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.protocols import Assimilator

__all__ = ["PretendedDesign"]

Array = NDArray[np.float64]


class PretendedDesign:
    r"""Variances of all candidates in both sources, kept up to date by one vector an action.

    Parameters
    ----------
    model : Assimilator
    X : array-like of shape (N, p)
        Candidates, as the model wants them.
    noise : sequence of float
        Noise variance of a single value of each source.

    Attributes
    ----------
    variances : list of ndarray of shape (N,)
        By source, after the actions taken so far.

    Notes
    -----
    In a linear Gaussian model a value of source s at :math:`x_i` with noise variance :math:`\tau_s^2` lowers
    every covariance by

    .. math:: c(x)\,c(x')^T, \qquad c_t(x) = \frac{\mathrm{cov}(f_s(x_i), f_t(x))}
        {\sqrt{\tau_s^2 + \mathrm{var} f_s(x_i)}} ,

    for any sources t: the greedy choice of the largest variance, followed by this update, is the sequential
    D-optimal design. One action costs O(N (P + k)) with P terms of the model and k actions before it.

    Examples
    --------
    >>> class Line:
    ...     "One slope of unit variance, seen by both sources."
    ...     def design_variance(self, X, source):
    ...         return X[:, 0] ** 2
    ...     def design_covariance(self, X1, X2, source1, source2):
    ...         return np.outer(X1[:, 0], X2[:, 0])
    >>> design = PretendedDesign(Line(), np.array([[0.0], [1.0], [2.0]]), [1.0, 1.0])
    >>> design.take(2, 0)
    >>> design.variances[1].round(12).tolist()
    [0.0, 0.2, 0.8]
    """

    def __init__(self, model: Assimilator, X: Any, noise: Sequence[float]) -> None:
        self.model, self.X = model, X
        self.noise = [float(value) for value in noise]
        self.variances = [
            np.maximum(np.asarray(model.design_variance(X, source), dtype=np.float64), 0.0)
            for source in range(len(noise))
        ]
        self._taken: list[list[Array]] = []

    def copy(self) -> PretendedDesign:
        """Another one that goes on from here; the model is shared."""
        other = PretendedDesign.__new__(PretendedDesign)
        other.model, other.X, other.noise = self.model, self.X, self.noise
        other.variances = [variance.copy() for variance in self.variances]
        other._taken = list(self._taken)
        return other

    def take(self, row: int, source: int) -> None:
        """Pretend that this source was asked at this candidate."""
        self._add(row, source, self.noise[source])

    @property
    def last(self) -> list[Array]:
        """What the last action takes off: one vector a source, their products off the covariances."""
        return self._taken[-1]

    def covariance(self, rows: NDArray[np.int64], source1: int, source2: int) -> Array:
        """Covariance of some candidates in one source with all in another, after the actions taken.

        Parameters
        ----------
        rows : ndarray of int of shape (q,)
        source1, source2 : int

        Returns
        -------
        ndarray of shape (q, N)
        """
        part = self._rows(rows)
        whole = np.array(self.model.design_covariance(part, self.X, source1, source2), dtype=np.float64)
        for columns in self._taken:
            whole -= np.outer(columns[source1][rows], columns[source2])
        return whole

    def draw(self, mean: Array, source: int, rng: np.random.Generator) -> Array:
        """One function of a source, drawn at all candidates together.

        Parameters
        ----------
        mean : ndarray of shape (N,)
        source : int
        rng : Generator

        Returns
        -------
        ndarray of shape (N,)

        Notes
        -----
        Pivoted Cholesky factor of the covariance, the largest remaining variance first; in a linear model it
        ends after as many columns as the source has free terms: O(N P²) time, O(N P) memory.
        """
        draft = self.copy()
        drawn = np.array(mean, dtype=np.float64)
        floor = 1e-10 * float(draft.variances[source].max(initial=0.0))
        for _ in range(len(drawn)):
            row = int(np.argmax(draft.variances[source]))
            if draft.variances[source][row] <= floor:
                break
            draft._add(row, source, 0.0)
            drawn += rng.standard_normal() * draft._taken[-1][source]
            draft.variances[source][row] = 0.0
        return drawn

    def _add(self, row: int, source: int, noise: float) -> None:
        """Take the vector of one action off all variances."""
        at = np.array([row])
        size = noise + self.variances[source][row]
        if size <= 0.0:
            return
        columns = [self.covariance(at, source, other)[0] / np.sqrt(size) for other in range(len(self.noise))]
        for variance, column in zip(self.variances, columns, strict=True):
            np.maximum(variance - column**2, 0.0, out=variance)
        self._taken.append(columns)

    def _rows(self, rows: NDArray[np.int64]) -> Any:
        return self.X.iloc[rows] if hasattr(self.X, "iloc") else self.X[rows]
