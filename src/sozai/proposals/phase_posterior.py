"""Gaussian process with one right-hand side for each class or phase, over a whole list of points."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, cho_solve, lapack, solve_triangular

from sozai.contracts.parallel import one_thread
from sozai.numerics.kernels import Kernel
from sozai.numerics.pool_kernels import fill_kernel_block, kernel_code, radial_weights, subtract_rows
from sozai.proposals.label_streams import LabelStream

__all__ = ["ProcessStream", "left_out_scores"]

Array = NDArray[np.float64]

#: Rows by which the stores grow, nodes solved for at once.
_ROOM, _BLOCK = 64, 4096
#: Smallest squared pivot.
_PIVOT_FLOOR = 1e-10
#: Length scales tried, in coordinates of unit spread.
_GRID = np.geomspace(0.05, 12.8, 17)
#: New labels after which length scales are sought anew, at least, and as a part of all labels.
_RETUNE, _RETUNE_PART = 20, 0.1


class ProcessStream(LabelStream):
    r"""Posterior means of several functions that share kernel, noise and data points.

    Parameters
    ----------
    Z : ndarray of shape (N, p)
        Coordinates of unit spread.
    n_columns : int
        Functions.
    kernel : Kernel
    noise : float
        Noise variance of a label; the amplitude is 1.
    length_scales : ndarray of shape (p,)
    groups : ndarray of int of shape (p,)
        Columns that share a length scale.
    memory_limit : int
        Bytes for V. Above, V is not kept: every gain is computed from the kernel, in the same O(n N).

    Attributes
    ----------
    values : ndarray of shape (n_columns, N)
        :math:`AE`: posterior mean of the targets E under a prior mean of zero.
    rest : ndarray of shape (N,)
        :math:`1 - A1`: what a constant prior mean is multiplied by.
    length_scales : ndarray of shape (p,)

    Notes
    -----
    With :math:`K = LL^T` of the data, noise included, and :math:`V = L^{-1}K(Z, Z_*)`, a point z adds the row
    :math:`(k(z, Z_*) - c^TV)/\delta` with :math:`c = L^{-1}k(Z, z)`,
    :math:`\delta^2 = 1 - c^Tc + \sigma^2`; the gain is this row over :math:`\delta`. All functions share
    it, so that a label costs :math:`O((n + C)N)`. The posterior is linear in the targets; a constant prior
    mean m adds :math:`m\,\mathrm{rest}`, whence a class that appears late needs no new solution.
    Memory 8nN bytes for V.

    Examples
    --------
    >>> from sozai.numerics.kernels import Matern
    >>> stream = ProcessStream(np.linspace(0, 1, 3)[:, None], 1, Matern(0.5), 1e-3, np.ones(1))
    >>> stream.add(0, 0).values.round(3).tolist()
    [[0.999, 0.606, 0.368]]
    """

    def __init__(
        self,
        Z: Array,
        n_columns: int,
        kernel: Kernel,
        noise: float,
        length_scales: Array,
        groups: NDArray[np.int64] | None = None,
        memory_limit: int = 2**30,
    ) -> None:
        super().__init__(len(Z), n_columns)
        self.Z, self.kernel, self.noise = Z, kernel, float(noise)
        self.length_scales = np.array(length_scales, dtype=np.float64)
        self.groups = np.zeros(Z.shape[1], dtype=np.int64) if groups is None else groups
        self.memory_limit = memory_limit
        self._columns, self._code = np.ascontiguousarray(Z.T), kernel_code(kernel)
        self.points: Array = np.empty((0, Z.shape[1]))
        self.noises: Array = np.empty(0)
        self.rest: Array = np.ones(len(Z))
        self._L: Array = np.empty((0, 0), order="F")
        self._V: Array = np.empty((0, len(Z)))
        self._tuned_at = 0

    def fresh(self) -> Self:
        """Make an empty stream over the same list, with the same length scales."""
        return type(self)(self.Z, 0, self.kernel, self.noise, self.length_scales, self.groups,
                          self.memory_limit)  # fmt: skip

    # --- data ----------------------------------------------------------------------------------------

    def gain(self, node: int) -> Array:
        """Gain of a node of the list."""
        return self.gain_at(self.Z[node], self.noise)

    def gain_at(self, point: Array, noise: float) -> Array:
        """Gain of any point, shape (N,); remembered."""
        n = len(self.points)
        with one_thread():
            c = self._half_solved(point)
            pivot = float(np.sqrt(max(1.0 + noise - float(c @ c), _PIVOT_FLOOR)))
            row = self._cross(point[None, :])[0]
            if n and self._keeps_rows:
                subtract_rows(self._V[:n], c, row)
            elif n:
                weights = solve_triangular(self._factor, c, lower=True, trans=1, check_finite=False)
                self._subtract_kernels(row, weights)
        one = (1.0 - float(c @ self._ones)) / pivot if n else 1.0 / pivot
        row /= pivot
        self._grow(point, noise, c, pivot, row)
        self.rest -= row * one
        return row / pivot

    def add_point(self, point: Array, label: int, noise: float | None = None) -> Self:
        """Take in a label of a point that need not be in the list.

        Parameters
        ----------
        point : ndarray of shape (p,)
        label : int
        noise : float, optional
            Noise variance of this label.

        Returns
        -------
        ProcessStream
        """
        target = self.target(label)
        seen = self.at(point[None, :])[0][:, 0]
        gain = self.gain_at(point, self.noise if noise is None else noise)
        self.values += np.multiply.outer(target - seen, gain)
        self.nodes.append(-1)
        self.labels.append(int(label))
        return self

    def targets(self) -> Array:
        """Targets of all labels, shape (n, n_columns)."""
        return np.array([self.target(label) for label in self.labels]).reshape(-1, len(self.values))

    def solve(self) -> Self:
        """Compute everything anew from points, labels and length scales."""
        n = len(self.points)
        with one_thread():
            K = self.kernel.matrix(self.points, None, self.length_scales)
            K.flat[:: n + 1] += self.noises
            L = np.linalg.cholesky(K)
            self._L = np.asfortranarray(L)
            right = solve_triangular(L, np.column_stack([self.targets(), np.ones(n)]), lower=True)
            self._V = np.empty((n + _ROOM, len(self.Z)) if self._keeps_rows else (0, len(self.Z)))
            for first in range(0, len(self.Z), _BLOCK):
                part = slice(first, min(first + _BLOCK, len(self.Z)))
                block = self._cross(self.points, part)
                V = blas.dtrsm(1.0, L, block.T, side=1, lower=1, trans_a=1, overwrite_b=1).T
                found = right.T @ V
                self.values[:, part], self.rest[part] = found[:-1], 1.0 - found[-1]
                if self._keeps_rows:
                    self._V[:n, part] = V
        return self

    def add_many(self, points: Array, nodes: Any, labels: Any, noises: Array) -> Self:
        """Take in many labels at once, length scales sought anew."""
        self.points = np.concatenate([self.points, points])
        self.noises = np.concatenate([self.noises, noises])
        self.nodes += [int(node) for node in nodes]
        self.labels += [int(label) for label in labels]
        self.retune()
        return self.solve()

    def at(self, points: Array) -> tuple[Array, Array]:
        """Values and rest at any points, shapes (n_columns, m) and (m,).

        Parameters
        ----------
        points : ndarray of shape (m, p)

        Returns
        -------
        values, rest : ndarray
        """
        if not len(self.points):
            return np.zeros((len(self.values), len(points))), np.ones(len(points))
        right = np.column_stack([self.targets(), np.ones(len(self.points))])
        weights = cho_solve((self._factor, True), right, check_finite=False)
        found = np.empty((weights.shape[1], len(points)))
        for first in range(0, len(points), _BLOCK):
            part = slice(first, first + _BLOCK)
            found[:, part] = (self.kernel.matrix(points[part], self.points, self.length_scales) @ weights).T
        return found[:-1], 1.0 - found[-1]

    @property
    def _keeps_rows(self) -> bool:
        return 8 * (len(self.points) + _ROOM) * len(self.Z) <= self.memory_limit

    @property
    def _factor(self) -> Array:
        n = len(self.points)
        return self._L[:n, :n]

    @property
    def _ones(self) -> Array:
        """L⁻¹1."""
        n = len(self.points)
        return np.asarray(solve_triangular(self._factor, np.ones(n), lower=True, check_finite=False))

    def _half_solved(self, point: Array) -> Array:
        """L⁻¹k(Z, point)."""
        if not len(self.points):
            return np.empty(0)
        k = self.kernel.matrix(self.points, point[None, :], self.length_scales)[:, 0]
        return np.asarray(solve_triangular(self._factor, k, lower=True, check_finite=False))

    def _cross(self, points: Array, part: slice = slice(None)) -> Array:
        """Kernel of points with a part of the list."""
        columns = self._columns[:, part]
        if self._code < 0:
            return np.ascontiguousarray(self.kernel.matrix(points, columns.T, self.length_scales))
        out = np.empty((len(points), columns.shape[1]))
        first = part.start or 0
        fill_kernel_block(self._code, self._columns, first, points, self._inverse, 1.0, out)
        return out

    @property
    def _inverse(self) -> Array:
        width = self.kernel.width if self._code >= 0 else 1.0
        return 1.0 / (width * self.length_scales)

    def _subtract_kernels(self, row: Array, weights: Array) -> None:
        """Subtract weighted kernels with all data points."""
        if self._code >= 0:
            radial_weights(self._code, self._columns, self.points, self._inverse, weights, row)
            return
        for first in range(0, len(row), _BLOCK):
            part = slice(first, min(first + _BLOCK, len(row)))
            row[part] -= weights @ self._cross(self.points, part)

    def _grow(self, point: Array, noise: float, c: Array, pivot: float, row: Array) -> None:
        """Append to everything of length n."""
        n = len(self.points)
        if n >= len(self._L):
            larger = np.zeros((n + _ROOM, n + _ROOM), order="F")
            larger[:n, :n] = self._factor
            self._L = larger
        self._L[n, :n], self._L[n, n], self._L[:n, n] = c, pivot, 0.0
        self.points = np.concatenate([self.points, point[None, :]])
        self.noises = np.append(self.noises, noise)
        if self._keeps_rows:
            if n >= len(self._V):
                larger = np.empty((n + _ROOM, len(self.Z)))
                larger[:n] = self._V[:n]
                self._V = larger
            self._V[n] = row

    def mark(self) -> tuple[Any, ...]:
        """State to come back to."""
        return *super().mark(), self.rest.copy(), len(self.points)

    def back(self, mark: tuple[Any, ...]) -> None:
        """Forget everything since a mark."""
        super().back(mark)
        self.rest = mark[2].copy()
        self.points, self.noises = self.points[: mark[3]], self.noises[: mark[3]]

    # --- length scales -------------------------------------------------------------------------------

    def due(self, more: int = 0) -> bool:
        """Whether there is enough news to seek the length scales anew, with so many labels to come."""
        n = len(self.points) + more
        return n - self._tuned_at >= max(_RETUNE, _RETUNE_PART * n)

    def loss(self, length_scales: Array) -> float:
        """Badness of length scales; infinite where it cannot be told."""
        raise NotImplementedError

    def retune(self) -> Self:
        """Seek length scales: the whole grid for few labels, uphill from the last ones for many."""
        self._tuned_at = len(self.points)
        if not self.tune or len(self.points) < 3 or len(set(self.labels)) < 2:
            return self
        count = int(self.groups.max()) + 1
        if len(self.points) <= 120:
            losses = [self.loss(np.full(len(self.length_scales), scale)) for scale in _GRID]
            self.length_scales = np.full(len(self.length_scales), _GRID[int(np.argmin(losses))])
        best = self.loss(self.length_scales)
        for step in (np.sqrt(2.0), 2.0**0.25):
            for group in range(count) if count > 1 else [0]:
                best = self._climb(group, step, best)
        return self

    def _climb(self, group: int, step: float, best: float) -> float:
        """Multiply the length scale of a group as long as the loss falls."""
        for factor in (step, 1.0 / step):
            moved = False
            while True:
                trial = np.where(self.groups == group, self.length_scales * factor, self.length_scales)
                if not _GRID[0] <= trial[self.groups == group][0] <= _GRID[-1]:
                    break
                loss = self.loss(trial)
                if loss >= best:
                    break
                self.length_scales, best, moved = trial, loss, True
            if moved:
                break
        return best


def left_out_scores(
    kernel: Kernel, points: Array, noises: Array, length_scales: Array, targets: Array, prior: float
) -> Array:
    """Posterior mean at every data point without its own datum.

    Parameters
    ----------
    kernel : Kernel
    points : ndarray of shape (n, p)
    noises : ndarray of shape (n,)
    length_scales : ndarray of shape (p,)
    targets : ndarray of shape (n, n_columns)
    prior : float
        Prior mean.

    Returns
    -------
    ndarray of shape (n, n_columns)

    Raises
    ------
    numpy.linalg.LinAlgError
        For a matrix that is not positive definite.

    Examples
    --------
    >>> from sozai.numerics.kernels import Matern
    >>> points = np.array([[0.0], [1.0]])
    >>> left_out_scores(Matern(0.5), points, np.zeros(2), np.ones(1), np.array([[1.0], [0.0]]), 0.0).round(4)
    array([[0.    ],
           [0.3679]])
    """
    with one_thread():
        K = kernel.matrix(points, None, length_scales)
        K.flat[:: len(K) + 1] += noises
        factor = np.linalg.cholesky(K)
        alpha = cho_solve((factor, True), targets - prior, check_finite=False)
        inverse, _ = lapack.dpotri(factor, lower=1)
    return np.asarray(targets - alpha / np.diag(inverse)[:, None])
