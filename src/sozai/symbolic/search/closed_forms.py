"""Sums over samples of all pairs at once, as products of matrices."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sozai.symbolic.search.candidates import CandidateSpace, Layout
from sozai.symbolic.search.screening_kernels import (
    FINE,
    FORBIDDEN,
    NOT_FINITE,
    SUSPECT,
    subtract_mean_square,
)

__all__ = ["CLOSED_FORMS", "ClosedForms"]

Array = NDArray[np.float64]

CLOSED_FORMS = {
    "product": ("plain", "plain"),
    "ratio": ("plain", "reciprocal"),
    "inverse_product": ("reciprocal", "reciprocal"),
    "abs_product": ("magnitude", "magnitude"),
    "inverse_abs_product": ("reciprocal_magnitude", "reciprocal_magnitude"),
    "sum": ("centered", "centered"),
    "difference": ("centered", "centered"),
}
"""Rows A and B whose products of matrices give the sums of an operation."""

_SAFE = 140  # decimal exponent below which products of three rows neither overflow nor vanish
_OFFSET = 1e-11  # centred over plain square below which a sum of two rows is looked at closely


class ClosedForms:
    r"""Sums of f, f squared and f u over samples for rectangles of pairs f = a op b.

    Parameters
    ----------
    space : CandidateSpace
    columns : ndarray of shape (r, m)
        Target and terms u, centred by task, samples sorted by task.
    order : ndarray of int64 of shape (m,)
        Samples sorted by task.
    starts : ndarray of int64 of shape (n_tasks + 1,)
        Where each task begins.

    Notes
    -----
    =============== ================== ============================== ========================
    f               :math:`\sum f`     :math:`\sum f^2`               :math:`\sum f u`
    =============== ================== ============================== ========================
    a b             :math:`A X^T`      :math:`A^2 (X^2)^T`            :math:`(A \circ u) X^T`
    a / b           :math:`A V^T`      :math:`A^2 (V^2)^T`            :math:`(A \circ u) V^T`
    a + b, a - b    0                  :math:`q_a+q_b\pm 2AX^T`       :math:`d_a \pm d_b`
    =============== ================== ============================== ========================

    and 1/(ab), abs(ab), 1/abs(ab) like ab with V, abs(X), abs(V) on both sides.

    A: 128 rows, X: all rows, V = 1/X; q, d: row sums of :math:`x^2` and
    :math:`xu`. Rows of products are scaled by powers of two to a magnitude near
    1, which no score notices; rows of sums are centred, so that an offset does
    not cancel. About 6 m operations per pair and 2 m per further column.
    """

    def __init__(self, space: CandidateSpace, columns: Array, order: Array, starts: Array) -> None:
        self.space, self.columns, self.starts = space, columns, starts
        self._order = order
        self._rows: dict[int, SortedRows] = {}

    def rows(self, op: int) -> SortedRows:
        """Rows of the base in the layout of an operation."""
        layout = self.space.layout(op)
        if id(layout) not in self._rows:
            self._rows[id(layout)] = SortedRows(self.space, layout, self.columns, self._order, self.starts)
        return self._rows[id(layout)]

    def prepare(self, op: int) -> None:
        """Work out what several threads will need."""
        for kind in CLOSED_FORMS[self.space.operations[op].name]:
            getattr(self.rows(op), kind)
        if kind == "centered":
            self.rows(op).projections  # noqa: B018

    def states(self, op: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """State of every sorted row as left and as right argument of an operation."""
        left, right = CLOSED_FORMS[self.space.operations[op].name]
        return self.rows(op).state(left), self.rows(op).state(right)

    # -- sums -------------------------------------------------------------------------------------

    def sums(self, op: int, rows: slice, columns: slice, buffer: Array) -> tuple[Array, Array, Array]:
        """Centred squares v, what they are compared with q, and projections g of a rectangle.

        Parameters
        ----------
        op : int
            Number of an operation that is among ``CLOSED_FORMS``.
        rows, columns : slice
            Ranges of the sorted base.
        buffer : ndarray
            Flat room for (2 + r) K b c numbers.

        Returns
        -------
        v, q : ndarray of shape (n_tasks, b, c)
        g : ndarray of shape (n_tasks, r, b, c)
        """
        name = self.space.operations[op].name
        n_tasks, r = self.starts.size - 1, self.columns.shape[0]
        b, c = rows.stop - rows.start, columns.stop - columns.start
        size = n_tasks * b * c
        v, q = buffer[: 2 * size].reshape(2, n_tasks, b, c)
        g = buffer[2 * size : (2 + r) * size].reshape(n_tasks, r, b, c)
        of = self.rows(op)
        left, right = (getattr(of, kind) for kind in CLOSED_FORMS[name])
        for k, (a, x, u) in enumerate(
            zip(*map(of.by_task, (left[rows], right[columns], self.columns)), strict=True)
        ):
            if name in ("sum", "difference"):
                sign = 1.0 if name == "sum" else -1.0
                _of_sums(sign, a @ x.T, of.squares[k], of.projections[k], rows, columns, v[k], q[k], g[k])
            else:
                _of_products(a, x, u, v[k], q[k], g[k])
        return v, q, g


class SortedRows:
    """Rows of the base in one layout, as they stand in the products.

    Parameters
    ----------
    space : CandidateSpace
    layout : Layout
    columns, order, starts
        As in :class:`ClosedForms`.
    """

    def __init__(
        self, space: CandidateSpace, layout: Layout, columns: Array, order: Array, starts: Array
    ) -> None:
        self.space, self.layout, self.columns, self.starts = space, layout, columns, starts
        self._order = order
        self._states: dict[str, NDArray[np.int64]] = {}

    @cached_property
    def plain(self) -> Array:
        """Rows, scaled to a largest magnitude near 1."""
        return np.ldexp(self._values(), -np.frexp(self._largest)[1][:, None])

    @cached_property
    def reciprocal(self) -> Array:
        """1/x, scaled; zeros give zeros and are refused by state."""
        with np.errstate(divide="ignore", over="ignore"):
            rows = 1.0 / np.ldexp(self._values(), -np.frexp(self._smallest)[1][:, None])
        rows[~np.isfinite(rows)] = 0.0
        return rows

    @cached_property
    def magnitude(self) -> Array:
        """|x|, scaled."""
        return np.abs(self.plain)

    @cached_property
    def reciprocal_magnitude(self) -> Array:
        """1/|x|, scaled."""
        return np.abs(self.reciprocal)

    @cached_property
    def centered(self) -> Array:
        """Rows minus their mean in every task, one scale for all rows."""
        rows = np.ldexp(self._values(), -self._common)
        for begin, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            for _ in range(2):
                rows[:, begin:end] -= rows[:, begin:end].mean(axis=1, keepdims=True)
        return rows

    @cached_property
    def squares(self) -> Array:
        """Sums q of centred squares by task, shape (n_tasks, n)."""
        return np.array([np.einsum("ij,ij->i", rows, rows) for rows in self.by_task(self.centered)])

    @cached_property
    def projections(self) -> Array:
        """Sums d of centred rows times columns by task, shape (n_tasks, r, n)."""
        parts = zip(self.by_task(self.columns), self.by_task(self.centered), strict=True)
        return np.array([u @ rows.T for u, rows in parts])

    def by_task(self, rows: Array) -> list[Array]:
        """Rows cut into the samples of each task."""
        return [rows[:, begin:end] for begin, end in zip(self.starts[:-1], self.starts[1:], strict=True)]

    def state(self, kind: str) -> NDArray[np.int64]:
        """Refused, to be looked at closely, or fine."""
        if kind not in self._states:
            self._states[kind] = self._state(kind)
        return self._states[kind]

    def _state(self, kind: str) -> NDArray[np.int64]:
        """What :meth:`state` keeps."""
        state = np.full(self.layout.order.size, FINE, dtype=np.int64)
        if kind == "centered":
            rows = np.ldexp(self._values(), -np.frexp(self._largest)[1][:, None])
            plain = np.einsum("ij,ij->i", rows, rows)
            centered = np.ldexp(self.squares.sum(axis=0), 2 * (self._common - np.frexp(self._largest)[1]))
            state[~(centered > _OFFSET * plain) | (self._largest > 1e300)] = SUSPECT
            return state
        state[~((self._largest < 10.0**_SAFE) & (self._largest > 10.0**-_SAFE))] = SUSPECT
        if kind.startswith("reciprocal"):
            store, ids = self.space.base.expressions, self.space.base.ids[self.layout.order]
            state[~(self._smallest > 10.0**-_SAFE)] = SUSPECT
            state[self._smallest == 0.0] = NOT_FINITE
            inside = (store.lower[ids] <= 0.0) & (store.upper[ids] >= 0.0)
            state[store.declared[ids] & inside] = FORBIDDEN
        return state

    def _values(self) -> Array:
        """Rows as they are, samples sorted by task."""
        rows = self.space.base.values[self.layout.order]
        return rows if self.starts.size == 2 else rows[:, self._order]

    @cached_property
    def _largest(self) -> Array:
        """Largest magnitude of every sorted row."""
        values = self.space.base.values
        return np.maximum(values.max(axis=1), -values.min(axis=1))[self.layout.order]

    @cached_property
    def _smallest(self) -> Array:
        """Smallest magnitude of every sorted row."""
        return _smallest_magnitude(self.space.base.values)[self.layout.order]

    @property
    def _common(self) -> int:
        """Exponent of the largest magnitude of all rows."""
        return int(np.frexp(self._largest.max(initial=1e-300))[1])


def _of_sums(
    sign: float, product: Array, squares: Array, d: Array, rows: slice, columns: slice,
    v: Array, q: Array, g: Array,
) -> None:  # fmt: skip
    """Sum or difference: everything but one product is linear in the rows."""
    np.add(squares[rows, None], squares[None, columns], out=q)
    np.multiply(product, 2.0 * sign, out=v)
    v += q
    np.add(d[:, rows, None], sign * d[:, None, columns], out=g)


def _of_products(a: Array, x: Array, u: Array, total: Array, square: Array, projection: Array) -> None:
    """Products of rows a (b, m) and x (c, m), with columns u (r, m)."""
    np.matmul(a, x.T, out=total)
    np.matmul(a * a, (x * x).T, out=square)
    np.matmul((u[:, None] * a).reshape(-1, a.shape[1]), x.T, out=projection.reshape(-1, x.shape[0]))
    subtract_mean_square(total, square, float(a.shape[1]))


def _smallest_magnitude(rows: Array) -> Array:
    """Smallest magnitude in every row, without a copy of the rows."""
    smallest = np.empty(rows.shape[0])
    for start in range(0, rows.shape[0], 4096):
        block = rows[start : start + 4096]
        smallest[start : start + 4096] = np.abs(block).min(axis=1)
    return smallest
