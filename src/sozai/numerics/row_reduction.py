"""Row reduction: which columns are combinations of earlier ones, and of which."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular

from sozai.contracts.checks import as_matrix
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.unit_columns import (
    BLOCK,
    blocks,
    column_norms,
    row_norms,
    serial_products,
    unit_columns,
    write_unit_rows,
)

__all__ = ["ROUNDING", "RowReduction", "row_reduce"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Backward error of one projection of a unit column, ten units in the last place.
ROUNDING = 10 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class RowReduction:
    """Columns sorted into a basis and combinations of it.

    With unit-norm columns in the order ``order``, the matrix is row equivalent
    to ``[I | W; 0]``: column ``order[rank + k]`` equals the sum of
    ``W[j, k]`` times column ``order[j]``.

    Attributes
    ----------
    order : ndarray of shape (n_columns,)
        The basis, then every other column in order of preference.
    rank : int
        Number of basis columns.
    pivots : ndarray of shape (rank,)
        Size of each pivot: for ``"rref"`` the entry divided by, for ``"qr"``
        the distance of the unit column from the span of the earlier ones.
    residuals : ndarray of shape (n_columns,)
        Relative distance of each column from the span of the basis columns
        kept before it; 0 where the basis already fills the space.
    floors : ndarray of shape (n_columns,)
        Part of that distance which rounding alone can produce.
    scales : ndarray of shape (n_columns,)
        2-norms of the columns; 0 for a zero column.
    method : str
        ``"rref"`` or ``"qr"``.
    matrix : ndarray of shape (n_samples, n_columns)
        The columns as given.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 4.0])
    >>> reduction = row_reduce(np.column_stack([np.ones(3), x, 2 + 3 * x]))
    >>> reduction.basis.tolist(), reduction.dependents.tolist()
    ([0, 1], [2])
    >>> reduction.coefficients().round(12).tolist()
    [[2.0], [3.0]]
    """

    order: Index
    rank: int
    pivots: Array
    residuals: Array
    floors: Array
    scales: Array
    method: str
    matrix: Array = field(repr=False)

    @property
    def basis(self) -> Index:
        """Columns kept, shape (rank,)."""
        return self.order[: self.rank]

    @property
    def dependents(self) -> Index:
        """Columns that are combinations of the basis, shape (n_columns - rank,)."""
        return self.order[self.rank :]

    @cached_property
    def factors(self) -> tuple[Array, Array]:
        """Orthonormal ``Q`` and triangular ``R`` of the unit-norm basis columns."""
        return _basis_factors(self.matrix, self.basis, self.scales)

    @property
    def reduced(self) -> Array:
        """The reduced matrix ``[I | W]`` in the order ``order``, unit scale, shape (rank, n_columns)."""
        unit = self.coefficients(unit=True)
        return np.hstack([np.eye(self.rank), unit])

    def coefficients(self, columns: ArrayLike | None = None, *, unit: bool = False) -> Array:
        """Coefficients of ``columns`` in the basis.

        Parameters
        ----------
        columns : array-like of int, optional
            Columns of the matrix; all dependents by default.
        unit : bool
            For columns scaled to unit norm, instead of the original units.

        Returns
        -------
        ndarray of shape (rank, len(columns))
        """
        wanted = self.dependents if columns is None else np.asarray(columns, dtype=np.int64)
        result = np.empty((self.rank, wanted.size))
        q, r = self.factors
        for start in range(0, wanted.size, BLOCK):
            block = wanted[start : start + BLOCK]
            x = unit_columns(self.matrix, block, self.scales)
            result[:, start : start + block.size] = _solve(q, r, x)
        if unit:
            return result
        basis_scales = self.scales[self.basis]
        return result * (self.scales[wanted][None, :] / basis_scales[:, None])

    def __repr__(self) -> str:
        """One line: method, rank and shape."""
        m, n = self.matrix.shape
        return f"RowReduction(method={self.method!r}, rank={self.rank}, n_samples={m}, n_columns={n})"


def row_reduce(
    matrix: Any,
    *,
    method: str = "qr",
    tolerance: float | None = None,
    pivot_tolerance: float | None = None,
    order: ArrayLike | None = None,
) -> RowReduction:
    r"""Find a column basis and express every other column in it.

    Parameters
    ----------
    matrix : array-like of shape (n_samples, n_columns)
        Any scales: columns are compared at unit 2-norm.
    method : {"qr", "rref"}
        ``"qr"`` keeps a column exactly when it is not in the span of the
        earlier kept ones; ``"rref"`` is the published elimination, which may
        move a column forward when the next pivot is weak.
    tolerance : float, optional
        ``"qr"``: smallest relative residual of an independent column, 1e-10.
        ``"rref"``: weak-pivot limit *tole1*, :math:`1/(100\sqrt{m})`.
    pivot_tolerance : float, optional
        ``"rref"`` only: zero-pivot limit *tole2*, tole1/100.
    order : array-like of int, optional
        Columns from most to least preferred; left to right by default.

    Returns
    -------
    RowReduction

    See Also
    --------
    sozai.numerics.modular_elimination.eliminate_modulo : Rank without a tolerance.
    scipy.linalg.qr : Column pivoting by size, which does not respect an order.

    Notes
    -----
    ``"qr"`` projects blocks of columns on the basis found so far
    (:math:`T = Q^T W`, :math:`W \leftarrow W - QT`), twice for survivors, and
    walks the few survivors in order. Rounding is followed, not guessed: with
    the distance :math:`\rho_j` at which basis column j was accepted,

    .. math::
        \eta_j = \sqrt{(c\,\epsilon)^2 + \sum_{i<j} (R_{ij}\eta_i)^2}\,/\,\rho_j ,\qquad
        f_k = \sqrt{(c\,\epsilon)^2 + \sum_j (T_{jk}\eta_j)^2},

    c = 10, and column k is kept if :math:`\rho_k > \max(\mathrm{tolerance}, f_k)`.

    ================ ============= ==========================
    Symbol           Code          Shape
    ================ ============= ==========================
    ρ_k              ``residuals`` (n_columns,)
    f_k              ``floors``    (n_columns,)
    W                ``reduced``   (rank, n_columns - rank)
    ================ ============= ==========================

    Cost 4mnr flops in matrix products; one block of work space. Once r = m
    every remaining column is dependent and none is touched.

    References
    ----------
    .. [1] H. Fujii, LIDG program and manual, version 0.4 (2024).
    .. [2] G. H. Golub and C. F. Van Loan, Matrix Computations.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(6.0)
    >>> row_reduce(np.column_stack([t, 2 * t, t**2]))
    RowReduction(method='qr', rank=2, n_samples=6, n_columns=3)
    """
    x = as_matrix(matrix, place="row_reduce", argument="matrix")
    preference = _as_order(order, x.shape[1])
    if method == "qr":
        limit = 1e-10 if tolerance is None else tolerance
        _check_tolerances(limit, None)
        with serial_products():
            return _reduce_by_projection(x, preference, limit)
    if method == "rref":
        weak = 1 / (100 * np.sqrt(x.shape[0])) if tolerance is None else tolerance
        zero = weak / 100 if pivot_tolerance is None else pivot_tolerance
        _check_tolerances(weak, zero)
        return _reduce_by_elimination(x, preference, weak, zero)
    raise InputError(
        sentence(
            "row_reduce", "method", "be 'qr' or 'rref'", method, remedy="Use 'qr' unless you repeat a paper."
        )
    )


# --- order-preserving projection -------------------------------------------------


@dataclass
class _Basis:
    """Orthonormal rows grown one by one, with the direction error of each."""

    rows: Array  # (capacity, n_samples)
    errors: Array  # (capacity,) squared direction errors
    columns: list[int]
    pivots: list[float]

    @property
    def size(self) -> int:
        return len(self.columns)

    @property
    def span(self) -> Array:
        return self.rows[: self.size]

    def floors(self, products: Array) -> Array:
        """Compute the rounding floor per row of ``products`` (n, size)."""
        return np.asarray(np.sqrt(ROUNDING**2 + products**2 @ self.errors[: self.size]), dtype=np.float64)

    def add(self, column: int, row: Array, distance: float, floor: float) -> None:
        """Keep ``column``; ``row`` is what is left of it, of norm ``distance``."""
        row = row - (self.span @ row) @ self.span  # the second orthogonalisation is enough
        self.rows[self.size] = row / np.linalg.norm(row)
        self.errors[self.size] = (floor / distance) ** 2
        self.columns.append(column)
        self.pivots.append(distance)


def _reduce_by_projection(x: Array, order: Index, tolerance: float) -> RowReduction:
    """Keep a column iff it is not in the span of the earlier kept ones."""
    m, n = x.shape
    capacity = min(m, n)
    scales = column_norms(x)
    residuals, floors = np.zeros(n), np.full(n, ROUNDING)
    basis = _Basis(np.empty((capacity, m)), np.empty(capacity), [], [])
    rest: list[Index] = []
    for block in blocks(order, BLOCK):
        if basis.size == m:
            rest.append(block)
            continue
        work = np.empty((block.size, m))
        write_unit_rows(x, block, scales, work)
        kept, residuals[block], floors[block] = _project_block(work, block, basis, tolerance)
        rest.append(block[~kept])
    sorted_order = np.concatenate([np.array(basis.columns, dtype=np.int64), *rest])
    pivots = np.array(basis.pivots)
    return RowReduction(sorted_order, basis.size, pivots, residuals, floors, scales, "qr", x)


def _project_block(
    work: Array, block: Index, basis: _Basis, tolerance: float
) -> tuple[NDArray[np.bool_], Array, Array]:
    """Extend ``basis`` by the block's rows; return which were kept, their residuals and floors."""
    products = work @ basis.span.T
    work -= products @ basis.span
    residuals, floors = row_norms(work), basis.floors(products)
    kept = np.zeros(block.size, dtype=bool)
    alive = np.flatnonzero(residuals > np.maximum(tolerance, floors))
    if alive.size == 0:
        return kept, residuals, floors
    w, squared = work[alive], floors[alive] ** 2
    w -= (w @ basis.span.T) @ basis.span
    distance = row_norms(w)
    position = 0
    while position < alive.size and basis.size < basis.rows.shape[0]:
        open_ = distance[position:] > np.maximum(tolerance, np.sqrt(squared[position:]))
        if not open_.any():
            break
        position += int(np.argmax(open_))
        basis.add(
            int(block[alive[position]]),
            w[position],
            float(distance[position]),
            float(np.sqrt(squared[position])),
        )
        kept[alive[position]] = True
        position += 1
        row = basis.rows[basis.size - 1]
        shadow = w[position:] @ row
        w[position:] -= shadow[:, None] * row
        squared[position:] += shadow**2 * basis.errors[basis.size - 1]
        distance[position:] = row_norms(w[position:])
    if basis.size == basis.rows.shape[1]:  # the space is full: what follows is dependent for certain
        distance[position:], squared[position:] = 0.0, ROUNDING**2
    residuals[alive], floors[alive] = distance, np.sqrt(squared)
    return kept, residuals, floors


def _solve(q: Array, r: Array, x: Array) -> Array:
    """Least-squares coefficients of unit columns ``x`` with one refinement, shape (rank, n)."""
    if r.shape[0] == 0:
        return np.zeros((0, x.shape[1]))
    b = solve_triangular(r, q.T @ x, check_finite=False)
    b += solve_triangular(r, q.T @ (x - q @ (r @ b)), check_finite=False)
    return np.asarray(b, dtype=np.float64)


def _basis_factors(matrix: Array, basis: Index, scales: Array) -> tuple[Array, Array]:
    """Householder Q and R of the unit-norm basis columns."""
    q, r = np.linalg.qr(unit_columns(matrix, basis, scales))
    return q, r


# --- published elimination -------------------------------------------------------


def _reduce_by_elimination(x: Array, order: Index, weak: float, zero: float) -> RowReduction:
    """Gauss-Jordan with the published pivot rules; weak pivots shift a later column forward."""
    scales = column_norms(x)
    work = np.ascontiguousarray(unit_columns(x, order, scales))
    position, pivots = _gauss_jordan(work, weak, zero)
    rank = pivots.size
    sorted_order = order[position]
    residuals, floors = np.zeros(x.shape[1]), np.full(x.shape[1], ROUNDING)
    residuals[sorted_order[:rank]] = pivots
    basis = unit_columns(x, sorted_order[:rank], scales)
    for block in blocks(np.arange(rank, x.shape[1]), BLOCK):
        columns = sorted_order[block]
        unit = unit_columns(x, columns, scales)
        difference = unit - basis @ work[:rank][:, position[block]]
        residuals[columns] = np.linalg.norm(difference, axis=0)
    return _Eliminated(
        sorted_order, rank, pivots, residuals, floors, scales, "rref", x, work[:rank][:, position]
    )


@dataclass(frozen=True, eq=False)
class _Eliminated(RowReduction):
    """A reduction that holds its own reduced matrix, as elimination leaves it."""

    left: Array = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    @property
    def reduced(self) -> Array:
        """The reduced matrix ``[I | W]``, unit scale."""
        return self.left

    def coefficients(self, columns: ArrayLike | None = None, *, unit: bool = False) -> Array:
        """Coefficients of ``columns`` read off the reduced matrix, shape (rank, len(columns))."""
        wanted = self.dependents if columns is None else np.asarray(columns, dtype=np.int64)
        place = np.empty(self.order.size, dtype=np.int64)
        place[self.order] = np.arange(self.order.size)
        result = self.left[:, place[wanted]]
        return result if unit else result * (self.scales[wanted][None, :] / self.scales[self.basis][:, None])

    __repr__ = RowReduction.__repr__


@njit(cache=True, nogil=True)
def _gauss_jordan(x, weak, zero):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Reduce x (m, n) in place; return the column order and the pivots."""
    m, n = x.shape
    order = np.arange(n)
    pivots = np.zeros(min(m, n))
    rank = min(m, n)
    for i in range(min(m, n)):
        row, pivot = i, abs(x[i, order[i]])
        for k in range(i + 1, m):
            if abs(x[k, order[i]]) > pivot:
                row, pivot = k, abs(x[k, order[i]])
        if pivot <= weak:
            place = i
            largest = -1.0
            best = np.zeros(n)
            for k in range(i, m):
                for j in range(n):
                    best[j] = max(best[j], abs(x[k, j]))
            for j in range(i, n):
                if best[order[j]] > largest:
                    place, largest = j, best[order[j]]
            if largest <= zero:
                rank = i
                break
            column = order[place]
            for j in range(place, i, -1):  # shift, never swap: the order of the rest is kept
                order[j] = order[j - 1]
            order[i] = column
            row, pivot = i, abs(x[i, column])
            for k in range(i + 1, m):
                if abs(x[k, column]) > pivot:
                    row, pivot = k, abs(x[k, column])
        column = order[i]
        if row != i:
            for j in range(n):
                x[i, j], x[row, j] = x[row, j], x[i, j]
        pivots[i] = pivot
        divisor = x[i, column]
        for j in range(n):
            x[i, j] /= divisor
        for k in range(m):
            factor = x[k, column]
            if k != i and factor != 0.0:
                for j in range(n):
                    x[k, j] -= factor * x[i, j]
    return order, pivots[:rank]


# --- arguments -------------------------------------------------------------------


def _as_order(order: ArrayLike | None, n: int) -> Index:
    """Check a permutation of 0..n-1."""
    if order is None:
        return np.arange(n, dtype=np.int64)
    given = np.asarray(order, dtype=np.int64)
    if given.shape != (n,) or not np.array_equal(np.sort(given), np.arange(n)):
        raise InputError(
            sentence(
                "row_reduce",
                "order",
                f"hold every column 0 to {n - 1} once",
                given.tolist(),
                remedy="Leave it out to go left to right.",
            )
        )
    return given


def _check_tolerances(tolerance: float, pivot_tolerance: float | None) -> None:
    """Refuse tolerances that cannot separate anything."""
    zero = tolerance if pivot_tolerance is None else pivot_tolerance
    if tolerance > 0 and 0 < zero <= tolerance and np.isfinite(tolerance):
        return
    both = tolerance if pivot_tolerance is None else (tolerance, pivot_tolerance)
    raise InputError(
        sentence(
            "row_reduce",
            "tolerance" if pivot_tolerance is None else "tolerance and pivot_tolerance",
            "be positive" if pivot_tolerance is None else "be positive, the second not above the first",
            both,
            remedy="Leave them out to use the defaults.",
        )
    )
