"""Evidence of several properties under one separable process, its gradient, its exact posterior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from sozai.contracts.errors import NotInvertibleError
from sozai.numerics.kernels import Kernel
from sozai.numerics.process_evidence import factorize

__all__ = ["Cells", "CoregionalParameters", "DenseEvidence", "DensePosterior", "Layout"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows of new points handled at once.
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Cells:
    """Measured cells of a table of points by properties.

    Attributes
    ----------
    Z : ndarray of shape (n, n_columns)
        Scaled points.
    Y : ndarray of shape (n, n_properties)
        Standardized values, 0 where nothing was measured.
    measured : ndarray of bool of shape (n, n_properties)
    share : ndarray of shape (n, n_properties)
        Share of the fitted noise variance in every cell: one over the number of replicates.
    known : ndarray of shape (n, n_properties)
        Noise variance known beforehand, on top of the fitted one.

    Examples
    --------
    >>> import numpy as np
    >>> cells = Cells.from_table(np.zeros((2, 1)), np.array([[1.0, np.nan], [2.0, 3.0]]))
    >>> len(cells), cells.rows[1].tolist()
    (3, [1])
    """

    Z: Array
    Y: Array
    measured: NDArray[np.bool_]
    share: Array
    known: Array

    @classmethod
    def from_table(cls, Z: Array, Y: Array, share: Array | None = None, known: Array | None = None) -> Cells:
        """Cells of a table that holds NaN where nothing was measured."""
        measured = np.isfinite(Y)
        return cls(
            np.asarray(Z, dtype=np.float64),
            np.where(measured, Y, 0.0),
            measured,
            np.ones_like(Y) if share is None else share,
            np.zeros_like(Y) if known is None else known,
        )

    def __len__(self) -> int:
        return int(self.measured.sum())

    def take(self, rows: Ints) -> Cells:
        """Cells of some points."""
        return Cells(self.Z[rows], self.Y[rows], self.measured[rows], self.share[rows], self.known[rows])

    @cached_property
    def rows(self) -> list[Ints]:
        """Points at which every property was measured."""
        return [np.flatnonzero(column) for column in self.measured.T]

    def by_property(self, table: Array) -> Array:
        """Measured entries of a table of this shape, property after property, shape (n_cells,)."""
        return np.asarray(table.T[self.measured.T])

    def as_table(self, values: Array, empty: float = 0.0) -> Array:
        """Undo :meth:`by_property`."""
        table = np.full(self.measured.T.shape, empty)
        table[self.measured.T] = values
        return np.ascontiguousarray(table.T)

    def noise(self, noise: Array) -> Array:
        """Noise variance of every cell, shape (n, n_properties)."""
        return np.asarray(self.share * noise + self.known)


@dataclass(frozen=True)
class CoregionalParameters:
    """Parameters of the separable process.

    Attributes
    ----------
    length_scales : ndarray of shape (n_columns,)
    mixing : ndarray of shape (n_properties, n_properties)
        Lower triangular root L of the property covariance.
    noise : ndarray of shape (n_properties,)
        Noise variances.

    Examples
    --------
    >>> import numpy as np
    >>> part = CoregionalParameters(np.ones(1), np.array([[1.0, 0.0], [0.6, 0.8]]), np.full(2, 0.1))
    >>> part.covariance.round(2).tolist()
    [[1.0, 0.6], [0.6, 1.0]]
    """

    length_scales: Array
    mixing: Array
    noise: Array

    @property
    def covariance(self) -> Array:
        """Property covariance B = L L^T."""
        return np.asarray(self.mixing @ self.mixing.T)


@dataclass(frozen=True)
class Layout:
    """Where the parameters stand in one vector: length scales, lower triangle of L, noise.

    Attributes
    ----------
    n_columns, n_properties : int
    separate : bool
        One length scale for every column instead of one for all.

    Examples
    --------
    >>> Layout(3, 2).size, Layout(3, 2, separate=True).size
    (6, 8)
    """

    n_columns: int
    n_properties: int
    separate: bool = False

    @property
    def n_lengths(self) -> int:
        """Number of length scales."""
        return self.n_columns if self.separate else 1

    @property
    def triangle(self) -> tuple[Ints, Ints]:
        """Rows and columns of the lower triangle."""
        return np.tril_indices(self.n_properties)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.n_lengths + len(self.triangle[0]) + self.n_properties

    def unpack(self, theta: Array) -> CoregionalParameters:
        """Parameters from their vector; length scales and noise are stored as logarithms."""
        mixing = np.zeros((self.n_properties, self.n_properties))
        mixing[self.triangle] = theta[self.n_lengths : -self.n_properties]
        lengths = np.exp(theta[: self.n_lengths])
        lengths = lengths if self.separate else np.repeat(lengths, self.n_columns)
        return CoregionalParameters(lengths, mixing, np.exp(theta[-self.n_properties :]))

    def pack(self, lengths: Array, mixing: Array, noise: Array) -> Array:
        """Vector of a gradient, or of parameters whose length scales and noise are logarithms already."""
        head = lengths if self.separate else np.atleast_1d(lengths.sum())
        return np.concatenate([head, mixing[self.triangle], noise])

    def start(self, length: float, noise: float, B: Array) -> Array:
        """Vector of a start: logarithm of the length scale, of the noise, and a property covariance."""
        root, _ = factorize(B + 1e-3 * np.eye(len(B)))
        lengths = np.full(self.n_lengths, length + (0.5 * np.log(self.n_columns) if self.separate else 0.0))
        return np.concatenate([lengths, root[self.triangle], np.full(self.n_properties, noise)])

    def bounds(self) -> Array:
        """Smallest and largest values, shape (size, 2)."""
        head = [(-5.0, 6.0)] * self.n_lengths
        middle = [(-30.0, 30.0)] * len(self.triangle[0])
        return np.array(head + middle + [(-16.0, 1.1)] * self.n_properties)


class DenseEvidence:
    r"""Negative log marginal likelihood of the measured cells alone, with its gradient.

    Parameters
    ----------
    kernel : Kernel
    cells : Cells
    layout : Layout

    Notes
    -----
    With :math:`C_{(n,t),(n',t')} = k(z_n, z_{n'}) B_{tt'} + \delta\,\sigma_{nt}^2` over the measured cells,
    :math:`B = LL^T`, :math:`\alpha = C^{-1}y` and :math:`Q = C^{-1} - \alpha\alpha^T`,

    .. math:: J = \tfrac12 y^T\alpha + \tfrac12\log|C| + \tfrac{n}{2}\log 2\pi,\qquad
       \frac{\partial J}{\partial L} = S L,\quad S_{tt'} = \sum_{nn'} Q_{(n,t),(n',t')} k(z_n, z_{n'}).

    Cells that were not measured need no algebra: they are integrated out by leaving them out. One value
    costs :math:`O(n_\mathrm{cells}^3)` time and four arrays of :math:`n_\mathrm{cells}^2` numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> Y = np.array([[0.0, 1.0], [1.0, np.nan], [2.0, 3.0]])
    >>> cells = Cells.from_table(np.linspace(0, 1, 3)[:, None], Y)
    >>> evidence = DenseEvidence(Gaussian(), cells, Layout(1, 2))
    >>> value, gradient = evidence(evidence.layout.start(0.0, -2.0, np.eye(2)))
    >>> gradient.shape
    (6,)
    """

    def __init__(self, kernel: Kernel, cells: Cells, layout: Layout) -> None:
        self.kernel, self.cells, self.layout = kernel, cells, layout
        self._y = cells.by_property(cells.Y)
        ends = np.cumsum([0, *(len(rows) for rows in cells.rows)])
        self._spans = [slice(int(a), int(b)) for a, b in pairwise(ends)]

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient of J; a covariance that cannot be factorized counts as very bad."""
        part = self.layout.unpack(theta)
        value, pullback = self.kernel.matrix_and_pullback(self.cells.Z, part.length_scales)
        B = part.covariance
        try:
            factor, _ = factorize(self._covariance(value, part))
        except NotInvertibleError:
            return 1e10, np.zeros_like(theta)
        inverse, _ = lapack.dpotri(factor, lower=1)
        inverse += np.tril(inverse, -1).T
        alpha = inverse @ self._y
        level = float(np.log(np.diag(factor)).sum()) + 0.5 * len(alpha) * np.log(2.0 * np.pi)
        Q = inverse - np.outer(alpha, alpha)
        S, W = np.empty_like(B), np.zeros_like(value)
        for t, left, u, right in self._blocks():
            where = np.ix_(self.cells.rows[t], self.cells.rows[u])
            S[t, u] = np.vdot(Q[left, right], value[where])
            W[where] += B[t, u] * Q[left, right]
        own = self.cells.as_table(np.diag(Q).copy())
        noise = 0.5 * part.noise * (own * self.cells.share).sum(axis=0)
        gradient = self.layout.pack(0.5 * pullback(W), S @ part.mixing, noise)
        return 0.5 * float(self._y @ alpha) + level, gradient

    def posterior(self, theta: Array, *, place: str) -> DensePosterior:
        """Condition on the cells."""
        part = self.layout.unpack(theta)
        K = self.kernel.matrix(self.cells.Z, None, part.length_scales)
        factor, _ = factorize(self._covariance(K, part), warn=True, place=place)
        return DensePosterior(self.kernel, self.cells, part, factor)

    def _covariance(self, value: Array, part: CoregionalParameters) -> Array:
        """Covariance of the measured cells."""
        B, C = part.covariance, np.empty((len(self._y), len(self._y)))
        for t, left, u, right in self._blocks():
            C[left, right] = B[t, u] * value[np.ix_(self.cells.rows[t], self.cells.rows[u])]
        C.flat[:: len(C) + 1] += self.cells.by_property(self.cells.noise(part.noise))
        return C

    def _blocks(self) -> list[tuple[int, slice, int, slice]]:
        """Pairs of properties with the places of their cells."""
        return [(t, a, u, b) for t, a in enumerate(self._spans) for u, b in enumerate(self._spans)]


class DensePosterior:
    """Process conditioned on the measured cells, exactly.

    Parameters
    ----------
    kernel : Kernel
    cells : Cells
    parameters : CoregionalParameters
    factor : ndarray of shape (n_cells, n_cells)
        Lower Cholesky factor of the covariance of the cells.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.kernels import Gaussian
    >>> cells = Cells.from_table(np.array([[0.0], [1.0]]), np.array([[1.0, np.nan], [np.nan, 1.0]]))
    >>> evidence = DenseEvidence(Gaussian(), cells, Layout(1, 2))
    >>> known = evidence.posterior(evidence.layout.start(0.0, -8.0, np.eye(2)), place="here")
    >>> mean, variance = known.at_points(np.array([[0.0]]))
    >>> mean.round(2).tolist(), variance.round(2).tolist()
    ([[1.0, 0.61]], [[0.0, 0.63]])
    """

    def __init__(self, kernel: Kernel, cells: Cells, parameters: CoregionalParameters, factor: Array) -> None:
        self.kernel, self.cells, self.parameters, self.factor = kernel, cells, parameters, factor
        half = solve_triangular(factor, cells.by_property(cells.Y), lower=True, check_finite=False)
        self.alpha = np.asarray(solve_triangular(factor, half, lower=True, trans=1, check_finite=False))

    def at_points(self, Z: Array) -> tuple[Array, Array]:
        """Means and variances of all properties at new points, shapes (n, n_properties)."""
        B = self.parameters.covariance
        mean, variance = np.empty((len(Z), len(B))), np.empty((len(Z), len(B)))
        for first in range(0, len(Z), BLOCK):
            rows = slice(first, first + BLOCK)
            similar = self.kernel.matrix(Z[rows], self.cells.Z, self.parameters.length_scales)
            for t in range(len(B)):
                parts = [B[t, u] * similar[:, found] for u, found in enumerate(self.cells.rows)]
                cross = np.concatenate(parts, axis=1)
                solved = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
                mean[rows, t] = cross @ self.alpha
                variance[rows, t] = B[t, t] - (solved**2).sum(axis=0)
        return mean, variance

    def at_cells(self) -> tuple[Array, Array]:
        """Means and variances at the points of the table, measured or not."""
        return self.at_points(self.cells.Z)

    def leave_one_out(self) -> tuple[Array, Array]:
        """Every measured cell without itself: mean and variance of a new measurement, NaN elsewhere."""
        inverse, _ = lapack.dtrtri(self.factor, lower=1)
        precision = (inverse**2).sum(axis=0)
        mean = self.cells.by_property(self.cells.Y) - self.alpha / precision
        return self.cells.as_table(mean, np.nan), self.cells.as_table(1.0 / precision, np.nan)
