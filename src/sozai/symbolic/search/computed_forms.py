"""Sums over samples of all pairs where no closed form exists: values computed, sums taken at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.screening_kernels import FINE, fill_columns, subtract_mean_square

__all__ = ["ComputedForms"]

Array = NDArray[np.float64]

_ROOM = 50_000  # values held at a time: they stay in the cache


class ComputedForms:
    r"""Sums of f, f squared and f u for rectangles of pairs, from the values of f.

    For 1/(a + b), abs(a - b), abs(a + b) and their like. The features stand as
    columns, so that one number a meets a stretch of numbers b in every sample;
    :math:`\sum f` and :math:`\sum f^2` grow with the samples, :math:`\sum f u` is a product of
    matrices. About 5 m operations per pair and 2 m per column u.

    Parameters
    ----------
    space : CandidateSpace
    rows : ndarray of shape (n, m)
        Values of the base, samples sorted by task.
    columns : ndarray of shape (r, m)
        Target and terms u, centred by task, samples sorted by task.
    starts : ndarray of int64 of shape (n_tasks + 1,)
        Where each task begins.
    """

    def __init__(self, space: CandidateSpace, rows: Array, columns: Array, starts: NDArray[np.int64]) -> None:
        self.space, self._base, self.columns, self.starts = space, rows, columns, starts
        self._samples: dict[int, Array] = {}

    def samples(self, op: int) -> Array:
        """Features as columns in the layout of an operation, shape (m, n)."""
        layout = self.space.layout(op)
        if id(layout) not in self._samples:
            self._samples[id(layout)] = np.ascontiguousarray(self._base[layout.order].T)
        return self._samples[id(layout)]

    def prepare(self, op: int) -> None:
        """Work out what several threads will need."""
        self.samples(op)

    def states(self, op: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Every row is fine: what is not finite shows in the sums."""
        state = np.full(self.space.layout(op).order.size, FINE, dtype=np.int64)
        return state, state

    def sums(self, op: int, rows: slice, columns: slice, buffer: Array) -> tuple[Array, Array, Array]:
        """Centred squares v, what they are compared with q, and projections g; see ``ClosedForms``."""
        n_tasks, r = self.starts.size - 1, self.columns.shape[0]
        b, c = rows.stop - rows.start, columns.stop - columns.start
        size = n_tasks * b * c
        v, q = buffer[: 2 * size].reshape(2, n_tasks, b, c)
        g = buffer[2 * size : (2 + r) * size].reshape(n_tasks, r, b, c)
        steps = self.space.steps(op)
        width = max(16, _ROOM // int(np.diff(self.starts).max()))
        room = np.empty((int(np.diff(self.starts).max()), min(width, c)))
        with np.errstate(invalid="ignore", over="ignore"):
            for k, (begin, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
                samples, u = self.samples(op)[begin:end], self.columns[:, begin:end]
                for start in range(0, c, width):
                    here = slice(start, min(start + width, c))
                    values = room[: end - begin].ravel()[: (end - begin) * (here.stop - start)]
                    values = values.reshape(end - begin, -1)
                    for i in range(b):
                        total, square = v[k, i, here], q[k, i, here]
                        fill_columns(
                            steps, samples, rows.start + i, columns.start + start, values, total, square
                        )
                        np.matmul(u, values, out=g[k, :, i, here])
                subtract_mean_square(v[k], q[k], float(end - begin))
        return v, q, g
