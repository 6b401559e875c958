"""Least squares with weights that are shares: not negative, and one in sum; many right-hand sides at once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular

from sozai.contracts.checks import as_matrix, require_finite
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.parallel import one_thread, run_chunks
from sozai.numerics.least_squares import invert_triangular
from sozai.numerics.simplex_kernels import put_on_simplex, row_squares, solve_rows, support_variances

__all__ = ["SimplexSolution", "SimplexSystem", "solve_simplex_least_squares"]

Array = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)
#: Rows of one matrix product. All products have this shape, so that a row gives the same bits in any company.
BLOCK = 128
#: Rows of one chunk of work.
CHUNK = 64 * BLOCK
#: An unconstrained optimum this close to the simplex is on it.
ON_SIMPLEX = 1e-12
#: Squared residuals below this share of the squared right-hand side are rounding.
ROUNDING = 1.6e-13
#: Above this condition number the unconstrained optimum says nothing, and all rows go to the active set.
ILL_CONDITIONED = 1e8


@dataclass(frozen=True, eq=False, repr=False)
class SimplexSolution:
    """Weights on the simplex, one row per right-hand side, and the proof that they are optimal.

    Attributes
    ----------
    weights : ndarray of shape (n, m)
        Not negative, rows sum to 1.
    multipliers : ndarray of shape (n, m)
        Multipliers of w ≥ 0: slope of the objective when weight moves to that column; 0 on the
        support, and in all columns where the unconstrained optimum lies on the simplex.
    objective : ndarray of shape (n,)
        Half the squared norm of the residual, in the metric.
    residual_ratio : ndarray of shape (n,)
        Norm of the residual over the norm of the right-hand side; 0 below 4e-7, which is rounding.
    kkt_residual : ndarray of shape (n,)
        Largest violation of the optimality conditions, relative to the largest possible slope.
    n_iter : ndarray of shape (n,)
        Exchanges of columns; 0 where the unconstrained optimum lies on the simplex, -1 where given up.

    Examples
    --------
    >>> solve_simplex_least_squares([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.5]])
    SimplexSolution(1 row, 2 columns, at most 1 positive, KKT residual 0.0e+00)
    """

    weights: Array
    multipliers: Array
    objective: Array
    residual_ratio: Array
    kkt_residual: Array
    n_iter: NDArray[np.int64]

    def __repr__(self) -> str:
        n, m = self.weights.shape
        most = int((self.weights > 0).sum(axis=1).max(initial=0))
        worst = float(self.kkt_residual.max(initial=0.0))
        rows = "1 row" if n == 1 else f"{n} rows"
        return f"SimplexSolution({rows}, {m} columns, at most {most} positive, KKT residual {worst:.1e})"


@dataclass(frozen=True, eq=False, repr=False)
class SimplexSystem:
    r"""A matrix made ready for :math:`\min_w \tfrac12\|b - Aw\|^2,\ 1^Tw = 1,\ w \ge 0`.

    Parameters are those of :meth:`from_matrix`, which makes it with one QR.

    Attributes
    ----------
    matrix : ndarray of shape (p, m)
        A, in the metric when one is given.
    orthonormal : ndarray of shape (p, r)
        Q of the economy QR, r = min(p, m).
    triangular : ndarray of shape (r, m)
        R.
    singular_values : ndarray of shape (r,)
        Of A, descending.
    metric : ndarray of shape (p,) or (p, p), or None
        Standard errors of b, or the lower Cholesky factor of its covariance.

    Notes
    -----
    ================================ ================== ========
    Symbol                           Code               Shape
    ================================ ================== ========
    :math:`A`                        ``matrix``         (p, m)
    :math:`A = QR`                   ``orthonormal``    (p, r)
    :math:`[R; s1^T]^T`              ``columns``        (m, r+1)
    :math:`w`                        ``weights``        (n, m)
    ================================ ================== ========

    1. :math:`y = Q^Tb` for all rows, and :math:`w = R^{-1}y`. Where this lies on the simplex
       it is the answer. 2. The others: an active set in the manner of Lawson and Hanson, one column in
       or out at a time. The sum is kept by one more equation :math:`s1^Tw = s`, which is constant on
       the simplex, and by its exact multiplier: with :math:`[R; s1^T]_P = QT` and :math:`T^Tt = 1`,
       :math:`w_P = T^{-1}(z - \lambda t)`, :math:`\lambda = (t^Tz - 1)/t^Tt`. A set of columns
       that depend on each other is never taken, so A may have any rank. The start is the set of columns whose
       unconstrained weight stands out of its noise.

    Cost: O(p m²) once; a row costs 2 p m for the products and about 10 exchanges of
    O(m k), k positive weights. Memory beyond the result: O(128 p) for each worker.
    The answer of a row does not depend on the other rows.

    References
    ----------
    .. [1] C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, SIAM (1995).
       https://doi.org/10.1137/1.9781611971217

    Examples
    --------
    >>> system = SimplexSystem.from_matrix([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    >>> system.solve([[0.25, 0.75], [0.9, 0.9]]).weights.round(12).tolist()
    [[0.25, 0.75, 0.0], [0.1, 0.1, 0.8]]
    """

    matrix: Array
    orthonormal: Array
    triangular: Array
    singular_values: Array
    metric: Array | None

    @classmethod
    def from_matrix(
        cls, matrix: ArrayLike, *, metric: ArrayLike | None = None, place: str = "SimplexSystem"
    ) -> SimplexSystem:
        """Factorize once.

        Parameters
        ----------
        matrix : array-like of shape (p, m)
            A.
        metric : array-like of shape (p,) or (p, p), optional
            Standard errors of b, or its covariance: distances are measured in these.
        place : str
            Who asks, for messages.

        Raises
        ------
        InputError
            A metric of another size, or one that is not positive (definite).
        """
        given = as_matrix(matrix, place=place, argument="matrix")
        factor = None if metric is None else _metric_factor(metric, given.shape[0], place)
        with one_thread():  # the same bits whatever the number of threads
            whitened = np.ascontiguousarray(_whiten(given.T, factor).T)
            Q, R = np.linalg.qr(whitened)
            return cls(whitened, Q, R, np.linalg.svd(R, compute_uv=False), factor)

    def __repr__(self) -> str:
        p, m = self.matrix.shape
        return f"SimplexSystem({p} x {m}, rank {self.rank}, condition number {self.condition_number:.3g})"

    @property
    def tolerance(self) -> float:
        """Singular values up to this are zero: σ_max · max(p, m) · ε."""
        return float(self.singular_values[0] * max(self.matrix.shape) * EPSILON)

    @property
    def rank(self) -> int:
        """Number of singular values above the tolerance."""
        return int((self.singular_values > self.tolerance).sum())

    @property
    def condition_number(self) -> float:
        """σ_max/σ_min of A; infinite when the rank is not full."""
        full = self.rank == self.matrix.shape[1]
        return float(self.singular_values[0] / self.singular_values[-1]) if full else float("inf")

    @cached_property
    def scale(self) -> float:
        """Norm s of the longest column: the weight of the sum in ``columns``."""
        longest = float(np.sqrt((self.triangular**2).sum(axis=0)).max())
        return longest if longest > 0 else 1.0

    @cached_property
    def inverse_triangular(self) -> Array:
        """R⁻ᵀ of a regular R, shape (m, m)."""
        return np.ascontiguousarray(invert_triangular(self.triangular).T)

    @cached_property
    def columns(self) -> Array:
        """Columns of [R; s1ᵀ] as rows, shape (m, r + 1)."""
        m = self.matrix.shape[1]
        return np.ascontiguousarray(np.column_stack([self.triangular.T, np.full(m, self.scale)]))

    @cached_property
    def unique(self) -> bool:
        """Whether the columns of [A; 1ᵀ] are independent: every right-hand side has one answer."""
        m, r = self.matrix.shape[1], self.columns.shape[1]
        if m > r:
            return False
        with one_thread():
            sigma = np.linalg.svd(self.columns, compute_uv=False)
        return bool(sigma[-1] > sigma[0] * max(self.matrix.shape) * EPSILON)

    def solve(
        self,
        targets: ArrayLike,
        *,
        n_jobs: int | None = None,
        place: str = "SimplexSystem.solve",
        argument: str = "targets",
    ) -> SimplexSolution:
        """Weights of every right-hand side.

        Parameters
        ----------
        targets : array-like of shape (n, p)
            Right-hand sides b as rows.
        n_jobs : int, optional
            Workers for chunks of 8,192 rows; the answer is the same bits for all of them.
        place, argument : str
            Who asks, for messages.

        Returns
        -------
        SimplexSolution

        Raises
        ------
        InputError
            Rows of another length than the columns of the matrix; NaN.
        """
        rows = as_matrix(targets, place=place, argument=argument, min_samples=0, finite=False)
        if rows.shape[1] != self.matrix.shape[0]:
            raise InputError(
                sentence(
                    place, argument, f"have {self.matrix.shape[0]} columns, one per row of the matrix",
                    rows.shape[1], remedy="Pass right-hand sides as rows.",
                )
            )  # fmt: skip
        from joblib import effective_n_jobs

        if len(rows) <= CHUNK or effective_n_jobs(n_jobs) == 1:
            solution = SimplexSolution(*_solve_chunk(self, rows))
        else:
            chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
            answers = run_chunks(functools.partial(_solve_chunk, self), chunks, n_jobs=n_jobs, progress=False)
            solution = SimplexSolution(*(np.concatenate(parts) for parts in zip(*answers, strict=True)))
        if not np.isfinite(solution.objective).all():
            require_finite(rows, place=place, argument=argument)
        return solution

    def variances(self, weights: Array) -> Array:
        """Variance of each positive weight per unit noise variance of b, the support held fixed; 0 elsewhere.

        Parameters
        ----------
        weights : ndarray of shape (n, m)

        Returns
        -------
        ndarray of shape (n, m)
            Diagonal of Z(ZᵀAᵀAZ)⁻¹Zᵀ, with Z a basis of the directions that keep the sum.
        """
        return np.asarray(support_variances(self.columns, np.ascontiguousarray(weights, dtype=np.float64)))


def solve_simplex_least_squares(
    matrix: ArrayLike, targets: ArrayLike, *, metric: ArrayLike | None = None, n_jobs: int | None = None
) -> SimplexSolution:
    r"""Solve :math:`\min_w \tfrac12\|b - Aw\|^2` with :math:`1^Tw = 1,\ w \ge 0` for every row b.

    Parameters
    ----------
    matrix : array-like of shape (p, m)
        A.
    targets : array-like of shape (n, p)
        Right-hand sides as rows.
    metric : array-like of shape (p,) or (p, p), optional
        Standard errors of b, or its covariance.
    n_jobs : int, optional
        Workers.

    Returns
    -------
    SimplexSolution

    Raises
    ------
    InputError
        Sizes that do not fit, NaN, a metric that is not positive.

    See Also
    --------
    SimplexSystem : The same, factorized once for many calls; method and cost.
    scipy.optimize.nnls : One right-hand side, no sum.

    Examples
    --------
    >>> solve_simplex_least_squares([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.5]]).weights.tolist()
    [[1.0, 0.0]]
    """
    place = "solve_simplex_least_squares"
    return SimplexSystem.from_matrix(matrix, metric=metric, place=place).solve(
        targets, n_jobs=n_jobs, place=place
    )


# --- one chunk ---------------------------------------------------------------------------------------


def _solve_chunk(system: SimplexSystem, rows: Array) -> tuple[Any, ...]:
    """Fields of a SimplexSolution."""
    (n, p), m = rows.shape, system.matrix.shape[1]
    fields = (
        np.empty((n, m)), np.zeros((n, m)), np.empty(n), np.empty(n), np.empty(n), np.zeros(n, dtype=np.int64)
    )  # fmt: skip
    with one_thread():
        for start in range(0, n, BLOCK):
            here = slice(start, min(start + BLOCK, n))
            full = np.ascontiguousarray(rows[here])
            if len(full) < BLOCK:
                full = np.concatenate([full, np.zeros((BLOCK - len(full), p))])
            _solve_block(system, _whiten(full, system.metric), tuple(field[here] for field in fields))
    return fields


def _solve_block(system: SimplexSystem, rows: Array, fields: tuple[Any, ...]) -> None:
    """Fill in the fields of a SimplexSolution for one block, padded to its full size.

    The part of a row outside the span of A is ‖b‖² − ‖Qᵀb‖²: exact to rounding of ‖b‖².
    """
    weights, multipliers, objective, ratio, kkt, n_iter = fields
    n, R = len(weights), system.triangular
    squares = row_squares(rows)
    projected = rows @ system.orthonormal
    guess, settled = _on_simplex(system, projected)
    weights[:] = guess[:n]
    still = np.flatnonzero(~settled[:n])
    if still.size:
        targets = np.column_stack([projected[still], np.full(still.size, system.scale)])
        found = np.empty((still.size, R.shape[1]))
        n_iter[still] = solve_rows(system.columns, targets, guess[still], found)
        weights[still] = guess[still] = found
    residuals = guess @ R.T - projected
    inside, seen = row_squares(residuals)[:n], row_squares(projected)[:n]
    steepest = system.scale * (system.scale + np.sqrt(seen))
    kkt[:] = 2 * system.scale * np.sqrt(inside) / steepest  # bounds every multiplier of a settled row
    if still.size:
        slopes = (residuals @ R)[still]
        here = weights[still]
        slopes -= (here * slopes).sum(axis=1)[:, None]
        multipliers[still] = slopes
        violation = np.maximum(-slopes, np.abs(slopes) * here).max(axis=1)
        kkt[still] = np.maximum(violation / steepest[still], np.abs(here.sum(axis=1) - 1.0))
    whole = inside + np.maximum(squares[:n] - seen, 0.0)
    whole[whole <= ROUNDING * squares[:n]] = 0.0
    objective[:] = 0.5 * whole
    empty = np.where(whole > 0, np.inf, 0.0)
    ratio[:] = np.sqrt(np.divide(whole, squares[:n], out=empty, where=squares[:n] > 0))


def _on_simplex(system: SimplexSystem, projected: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Unconstrained weights, and which rows of them lie on the simplex (these are put on it exactly).

    Without a regular triangle the guess is the column nearest to each target.
    """
    R = system.triangular
    if not system.condition_number < ILL_CONDITIONED:
        distances = 0.5 * (R**2).sum(axis=0) - projected @ R
        guess = np.zeros(distances.shape)
        guess[np.arange(len(guess)), distances.argmin(axis=1)] = 1.0
        return guess, np.zeros(len(guess), dtype=np.bool_)
    weights = projected @ system.inverse_triangular
    return weights, put_on_simplex(weights, ON_SIMPLEX)


# --- metric ------------------------------------------------------------------------------------------


def _metric_factor(metric: ArrayLike, p: int, place: str) -> Array:
    """Standard errors (p,) or the lower Cholesky factor (p, p) of a covariance."""
    values = np.asarray(metric, dtype=np.float64)
    if values.shape not in {(p,), (p, p)}:
        raise InputError(
            sentence(
                place, "metric", f"have shape ({p},) or ({p}, {p})", values.shape,
                remedy="Pass one standard error per column, or their covariance.",
            )
        )  # fmt: skip
    if values.ndim == 1:
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if bad.size:
            raise InputError(
                sentence(
                    place, "metric", "hold positive standard errors", float(values[bad[0]]),
                    at=f"at column {bad[0]}", remedy="Leave columns without error out of the matrix.",
                )
            )  # fmt: skip
        return values
    try:
        return np.asarray(np.linalg.cholesky(values))
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(values)[0]) if np.isfinite(values).all() else float("nan")
        raise InputError(
            sentence(
                place, "metric", "be a positive definite covariance", f"smallest eigenvalue {smallest:.3g}",
                remedy="Add the variance of the measurement to its diagonal.",
            )
        ) from None  # fmt: skip


def _whiten(rows: Array, factor: Array | None) -> Array:
    """Rows in units of their errors: L⁻¹b, or b divided by its standard errors."""
    if factor is None:
        return rows
    if factor.ndim == 1:
        return np.asarray(rows / factor)
    return np.asarray(solve_triangular(factor, rows.T, lower=True, check_finite=False).T)
