"""Sums over samples of all pairs at once, as products of matrices."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

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
_BLOCK = 4096  # rows that are looked at together
_OFFSET = 1e-11  # centred over plain square below which a sum of two rows is looked at closely


class ClosedForms:
    r"""Sums of f, f squared and f u over samples for rectangles of pairs f = a op b.

    Parameters
    ----------
    space : CandidateSpace
    rows : ndarray of shape (n, m)
        Values of the base, samples sorted by task.
    columns : ndarray of shape (r, m)
        Target and terms u, centred by task, samples sorted by task.
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

    def __init__(self, space: CandidateSpace, rows: Array, columns: Array, starts: Array) -> None:
        self.space, self._base, self.columns, self.starts = space, rows, columns, starts
        self._rows: dict[int, SortedRows] = {}

    def rows(self, op: int) -> SortedRows:
        """Rows of the base in the layout of an operation."""
        layout = self.space.layout(op)
        if id(layout) not in self._rows:
            self._rows[id(layout)] = SortedRows(self.space, layout, self._base, self.columns, self.starts)
        return self._rows[id(layout)]

    def prepare(self, op: int) -> None:
        """Work out what several threads will need."""
        for kind in CLOSED_FORMS[self.space.operations[op].name]:
            self.rows(op).scale(kind)
        if kind == "centered":
            self.rows(op).centered  # noqa: B018

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
        left, right = CLOSED_FORMS[name]
        a_rows, x_rows = of.take(left, rows), of.take(right, columns)
        for k, (a, x, u) in enumerate(zip(*map(of.by_task, (a_rows, x_rows, self.columns)), strict=True)):
            if name in ("sum", "difference"):
                sign = 1.0 if name == "sum" else -1.0
                _of_sums(sign, a @ x.T, of.centered, k, rows, columns, v[k], q[k], g[k])
            else:
                _of_products(a, x, u, v[k], q[k], g[k])
        return v, q, g


class Centered(NamedTuple):
    """Sums of rows minus their mean, by task: ``means``, ``squares`` (K, n), ``projections`` (K, r, n).

    ``plain`` (n,) are the sums of squares of the rows as they are.
    """

    means: Array
    squares: Array
    projections: Array
    plain: Array


class SortedRows:
    """Rows of the base in one layout, taken and scaled when a product needs them.

    Parameters
    ----------
    space : CandidateSpace
    layout : Layout
    rows : ndarray of shape (n, m)
        Values of the base, samples sorted by task.
    columns, starts
        As in :class:`ClosedForms`.

    Notes
    -----
    ``plain``: x, scaled to a largest magnitude near 1; ``reciprocal``: 1/x, scaled likewise,
    0 where x is 0; ``magnitude``, ``reciprocal_magnitude``: their magnitudes; ``centered``:
    x minus its mean in every task, one scale for all rows. Nothing but some
    numbers per row is kept.
    """

    def __init__(
        self, space: CandidateSpace, layout: Layout, rows: Array, columns: Array, starts: Array
    ) -> None:
        self.space, self.layout, self._base, self.columns, self.starts = space, layout, rows, columns, starts
        self._states: dict[str, NDArray[np.int64]] = {}
        self._scales: dict[str, Array] = {}

    def take(self, kind: str, where: slice) -> Array:
        """Some rows of one kind."""
        rows = self._base[self.layout.order[where]]
        rows *= self.scale(kind)[where, None]
        if kind.startswith("reciprocal"):
            with np.errstate(divide="ignore", over="ignore"):
                np.divide(1.0, rows, out=rows)
            if (self.state(kind)[where] != FINE).any():
                rows[~np.isfinite(rows)] = 0.0
        if kind.endswith("magnitude"):
            np.abs(rows, out=rows)
        if kind == "centered":
            for part, mean in zip(self.by_task(rows), self.centered.means, strict=True):
                part -= mean[where, None]
        return rows

    def by_task(self, rows: Array) -> list[Array]:
        """Rows cut into the samples of each task."""
        return [rows[:, begin:end] for begin, end in zip(self.starts[:-1], self.starts[1:], strict=True)]

    def scale(self, kind: str) -> Array:
        """Power of two by which every row is multiplied."""
        if kind not in self._scales:
            of = self._smallest if kind.startswith("reciprocal") else self._largest
            if kind == "centered":
                of = np.full(of.size, self._largest.max(initial=1e-300))
            exponent = np.clip(np.frexp(of)[1], -1000, 1000)  # beyond, rows are looked at closely
            self._scales[kind] = np.ldexp(1.0, -exponent)
        return self._scales[kind]

    @cached_property
    def centered(self) -> Centered:
        """Sums of centred rows."""
        n_tasks, r, n = self.starts.size - 1, self.columns.shape[0], self.layout.order.size
        sums = Centered(
            np.empty((n_tasks, n)), np.empty((n_tasks, n)), np.empty((n_tasks, r, n)), np.empty(n)
        )
        for start in range(0, n, _BLOCK):
            here = slice(start, min(start + _BLOCK, n))
            rows = self._base[self.layout.order[here]]
            rows *= self.scale("centered")[here, None]
            np.einsum("ij,ij->i", rows, rows, out=sums.plain[here])
            for k, (part, u) in enumerate(zip(self.by_task(rows), self.by_task(self.columns), strict=True)):
                mean = part.mean(axis=1)
                part -= mean[:, None]
                again = part.mean(axis=1)
                part -= again[:, None]
                sums.means[k, here] = mean + again
                np.einsum("ij,ij->i", part, part, out=sums.squares[k, here])
                np.matmul(u, part.T, out=sums.projections[k, :, here])
        return sums

    def state(self, kind: str) -> NDArray[np.int64]:
        """Refused, to be looked at closely, or fine."""
        if kind not in self._states:
            self._states[kind] = self._state(kind)
        return self._states[kind]

    def _state(self, kind: str) -> NDArray[np.int64]:
        """What :meth:`state` keeps."""
        state = np.full(self.layout.order.size, FINE, dtype=np.int64)
        if kind == "centered":
            of_all, plain = self.centered.squares.sum(axis=0), self.centered.plain
            tiny = plain < 1e-280  # beside the largest row: the share says nothing
            state[~(of_all > _OFFSET * plain) | tiny | (self._largest > 1e300)] = SUSPECT
            return state
        state[~((self._largest < 10.0**_SAFE) & (self._largest > 10.0**-_SAFE))] = SUSPECT
        if kind.startswith("reciprocal"):
            store, ids = self.space.base.expressions, self.space.base.ids[self.layout.order]
            state[~(self._smallest > 10.0**-_SAFE)] = SUSPECT
            state[self._smallest == 0.0] = NOT_FINITE
            inside = (store.lower[ids] <= 0.0) & (store.upper[ids] >= 0.0)
            state[store.declared[ids] & inside] = FORBIDDEN
        return state

    @property
    def _largest(self) -> Array:
        """Largest magnitude of every sorted row."""
        return self.space.base.magnitudes[1][self.layout.order]

    @property
    def _smallest(self) -> Array:
        """Smallest magnitude of every sorted row."""
        return self.space.base.magnitudes[0][self.layout.order]


def _of_sums(
    sign: float, product: Array, sums: Centered, task: int, rows: slice, columns: slice,
    v: Array, q: Array, g: Array,
) -> None:  # fmt: skip
    """Sum or difference: everything but one product is linear in the rows."""
    squares, d = sums.squares[task], sums.projections[task]
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
