"""A least-squares fit that loses its columns one by one, without refitting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.least_squares import LEVERAGE_GAP, fit_least_squares, invert_triangular

__all__ = ["ShrinkingFit"]

Array = NDArray[np.float64]

#: Drops between two factorizations.
REBUILD_AFTER = 20


class ShrinkingFit:
    r"""Least squares on a shrinking set of columns, downdated in closed form.

    Parameters
    ----------
    design : ndarray of shape (n_samples, n_columns)
        More samples than columns, independent columns.
    target : ndarray of shape (n_samples,)
    names : sequence of str, optional
        For messages.
    rebuild_after : int, default=20
        Drops between two QR factorizations.

    Attributes
    ----------
    active : ndarray of int
        Columns still in the fit, in no particular order; every per-column array follows it.
    residuals, leverages : ndarray of shape (n_samples,)

    Notes
    -----
    Dropping column i, with :math:`P=(X^TX)^{-1}` and :math:`z = XPe_i`:
    :math:`e^2 + \beta_i^2/P_{ii}`, :math:`e'_t = e_t + z_t\beta_i/P_{ii}`, :math:`h'_t = h_t - z_t^2/P_{ii}`,
    :math:`P' = P - P_{:i}P_{i:}/P_{ii}`. All candidates of one step cost :math:`O(mp)`, a path
    :math:`O(mp^2)`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(20, 3))
    >>> fit = ShrinkingFit(X, X[:, 1] * 2.0)
    >>> fit.drop(0)
    >>> sorted(fit.active.tolist()), fit.sse < 1e-20
    ([1, 2], True)
    """

    def __init__(
        self,
        design: Array,
        target: Array,
        *,
        names: Sequence[str] | None = None,
        rebuild_after: int = REBUILD_AFTER,
    ) -> None:
        self.target = target
        self._rebuild_after = rebuild_after
        fit = fit_least_squares(design, target, names=names)
        self.active = np.arange(design.shape[1])
        self.residuals, self.leverages = fit.residuals.copy(), fit.leverages.copy()
        self._columns = np.asfortranarray(design / fit.norms)
        self._norms = fit.norms.copy()
        self._coefficients = fit.coefficients * fit.norms
        self._inverse = np.array(fit.unit_covariance)
        self._start_from(fit.triangular)

    def _start_from(self, triangular: Array) -> None:
        """Remember R of the columns as they stand now."""
        self._triangular = triangular
        self._at_start = self.active.copy()

    def _rebuild(self) -> None:
        """Everything afresh from R of the columns left, itself from R of the last rebuild."""
        place = {int(column): k for k, column in enumerate(self._at_start)}
        kept = [place[int(column)] for column in self.active]
        triangular = np.asarray(np.linalg.qr(self._triangular[:, kept], mode="r"), dtype=np.float64)
        inverse = invert_triangular(triangular)
        self._columns = np.asfortranarray(self._columns)
        self._inverse = inverse @ inverse.T
        self._coefficients = np.zeros(len(kept))
        self.residuals = self.target.copy()
        for _ in range(2):  # the second pass removes the rounding of the normal equations
            self._coefficients += inverse @ (inverse.T @ (self._columns.T @ self.residuals))
            self.residuals = self.target - self._columns @ self._coefficients
        self.leverages = np.minimum(((self._columns @ inverse) ** 2).sum(axis=1), 1.0)
        self._start_from(triangular)

    @property
    def sse(self) -> float:
        """Sum of squared residuals."""
        return float(self.residuals @ self.residuals)

    @property
    def coefficients(self) -> Array:
        """β of the active columns, in their own units."""
        return np.asarray(self._coefficients / self._norms, dtype=np.float64)

    @property
    def increases(self) -> Array:
        """β_i²/P_ii: rise of the sum of squares when column i goes."""
        return np.asarray(self._coefficients**2 / np.diag(self._inverse), dtype=np.float64)

    @property
    def share_of_fit(self) -> Array:
        """G_i² = 1 − e²/e²₍₋ᵢ₎."""
        rise = self.increases
        total = rise + self.sse
        return np.divide(rise, total, out=np.zeros_like(rise), where=total > 0)

    @property
    def total_r2(self) -> Array:
        """TR_i² = 1 − 1/P_ii of unit-norm columns."""
        return np.asarray(1.0 - 1.0 / np.diag(self._inverse), dtype=np.float64)

    @property
    def loo_residuals(self) -> Array:
        """Leave-one-out residuals; infinite at leverage 1."""
        return _leave_one_out(self.residuals, self.leverages)

    def press_without(self) -> Array:
        """Leave-one-out sum of squares after each active column has gone."""
        reach = self._columns @ self._inverse
        pivots = np.diag(self._inverse)
        residuals = self.residuals[:, None] + reach * (self._coefficients / pivots)
        leverages = self.leverages[:, None] - reach**2 / pivots
        return np.asarray((_leave_one_out(residuals, leverages) ** 2).sum(axis=0), dtype=np.float64)

    def drop(self, column: int) -> None:
        """Take one column out of the fit."""
        i = int(np.flatnonzero(self.active == column)[0])
        row = self._inverse[i].copy()
        reach = self._columns @ row
        scale = self._coefficients[i] / row[i]
        self.residuals += reach * scale
        self.leverages -= reach**2 / row[i]
        self._coefficients -= row * scale
        last = len(self.active) - 1
        _downdate(self._inverse, row, i)
        for values in (self.active, self._norms, self._coefficients):
            values[i] = values[last]
        self._columns[:, i] = self._columns[:, last]
        self.active, self._norms = self.active[:last], self._norms[:last]
        self._coefficients = self._coefficients[:last]
        self._inverse = self._inverse[:last, :last]
        self._columns = self._columns[:, :last]
        if last and len(self._at_start) - last >= self._rebuild_after:
            self._rebuild()


def _leave_one_out(residuals: Array, leverages: Array) -> Array:
    """Residual over (1 - leverage), infinite at leverage 1."""
    gap = 1.0 - leverages
    alone = gap < LEVERAGE_GAP
    return np.where(alone, np.inf, residuals / np.where(alone, 1.0, gap))


@njit(cache=True, nogil=True)
def _downdate(inverse: Array, row: Array, i: int) -> None:
    """Subtract P_i P_i'/P_ii in place, then move the last column into place i."""
    n = row.shape[0]
    for a in range(n):
        factor = row[a] / row[i]
        for b in range(n):
            inverse[a, b] -= factor * row[b]
    for b in range(n):
        inverse[i, b] = inverse[n - 1, b]
    for a in range(n):
        inverse[a, i] = inverse[a, n - 1]
