"""Columns of the inverse matrices behind label propagation and label spreading."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, lapack, solve_triangular
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.parallel import one_thread
from sozai.numerics.kernels import squared_distances

__all__ = ["GraphInverse", "harmonic_graph", "pivoted_factor", "spreading_graph"]

Array = NDArray[np.float64]

#: Nodes up to which all pairs are kept.
MOST_DENSE = 6000
#: Nodes above which a dense matrix is refused.
_TOO_MANY = 30_000
#: Links weaker than this, relative to the nodes they join, are lost in rounding.
_NO_LINK = 1e-14
#: Pivots tried and taken at once by the low-rank factor.
_TRIED, _BLOCK_ROWS = 64, 4096


class GraphInverse(Protocol):
    """Inverse matrix by its columns."""

    components: NDArray[np.int64]

    def column(self, node: int) -> Array:
        """One column, shape (n,)."""
        ...

    def diagonal(self) -> Array:
        """All diagonal entries, shape (n,)."""
        ...


class DenseInverse:
    """All entries of the inverse, from one Cholesky factor."""

    def __init__(self, matrix: Array, components: NDArray[np.int64]) -> None:
        self.components = components
        with one_thread():
            factor, _ = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)
            inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
        self._lower = inverse  # Fortran order; only the lower triangle holds numbers

    def column(self, node: int) -> Array:
        """Row up to the diagonal, column below it."""
        return np.concatenate([self._lower[node, :node], self._lower[node:, node]])

    def diagonal(self) -> Array:
        """All diagonal entries."""
        return np.array(np.diag(self._lower))


class LowRankInverse:
    """Diagonal plus A Aᵀ minus b bᵀ."""

    def __init__(self, base: Array, rows: Array, less: Array) -> None:
        self.components = np.zeros(len(base), dtype=np.int64)
        self._base, self._rows, self._less = base, rows, less

    def column(self, node: int) -> Array:
        """One product of the factor with one of its rows."""
        with one_thread():
            out = self._rows @ self._rows[node] - self._less * self._less[node]
        out[node] += self._base[node]
        return np.asarray(out)

    def diagonal(self) -> Array:
        """All diagonal entries."""
        return np.asarray(self._base + np.einsum("ij,ij->i", self._rows, self._rows) - self._less**2)


def harmonic_graph(Z: Array, gamma: float, solver: str, tolerance: float, *, place: str) -> GraphInverse:
    r"""Inverse of the Laplacian with its null space filled: :math:`(D - W + uu^T)^{-1}`.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
    gamma : float
        :math:`W_{ij} = e^{-\gamma|z_i - z_j|^2}`, :math:`D = W1`, :math:`u = D1/\sqrt{1^TD1}`.
    solver : {"auto", "dense", "lowrank"}
    tolerance : float
        Largest diagonal error of the low-rank W.
    place : str

    Returns
    -------
    GraphInverse
        Block by block where the graph falls apart (dense only).

    Notes
    -----
    Dense: n³ operations and 8n² bytes once; a column is then read off. Low rank: :math:`W = \Phi\Phi^T`
    of rank r, D recomputed from it so that constants stay in the null space,
    :math:`\Psi = D^{-1/2}\Phi`, :math:`h = \Psi^Tq` with the unit vector :math:`q = D^{-1/2}u`:
    :math:`M = D^{-1} + D^{-1/2}\Psi[(I - \Psi^T\Psi + hh^T)^{-1} - hh^T]\Psi^TD^{-1/2}`;
    O(n r²) once, O(n r) a column.

    Examples
    --------
    >>> graph = harmonic_graph(np.array([[0.0], [1.0]]), 1.0, "auto", 1e-3, place="example")
    >>> graph.column(0).round(4).tolist()
    [1.0451, -0.314]
    """
    if _is_dense(len(Z), solver, place):
        W = _similarities(Z, gamma)
        components = _components(W, Z)
        degree = W.sum(axis=0)
        matrix = np.negative(W, out=W)
        matrix.flat[:: len(W) + 1] += degree
        for part in range(components.max() + 1):
            inside = np.flatnonzero(components == part)
            u = degree[inside] / np.sqrt(degree[inside].sum())
            if len(inside) == len(Z):
                matrix += np.multiply.outer(u, u)
            else:
                matrix[np.ix_(inside, inside)] += np.multiply.outer(u, u)
        return DenseInverse(matrix, components)
    Phi = pivoted_factor(Z, gamma, tolerance)
    with one_thread():
        degree = Phi @ Phi.sum(axis=0)
        root = np.sqrt(degree)
        Psi = Phi / root[:, None]
        h = Psi.T @ (root / np.sqrt(degree.sum()))
        core = -(Psi.T @ Psi) + np.multiply.outer(h, h)
        core.flat[:: len(core) + 1] += 1.0
        L = np.linalg.cholesky(core)
        Psi /= root[:, None]
        return LowRankInverse(1.0 / degree, _right_solved(Psi, L), Psi @ h)


def spreading_graph(
    Z: Array, gamma: float, alpha: float, solver: str, tolerance: float, *, place: str
) -> GraphInverse:
    r"""Inverse behind label spreading: :math:`(I - \alpha D^{-1/2}W^0D^{-1/2})^{-1}`.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
    gamma, alpha : float
        :math:`W^0` is W without its diagonal, D its row sums.
    solver : {"auto", "dense", "lowrank"}
    tolerance : float
        Largest diagonal error of the low-rank W.
    place : str

    Returns
    -------
    GraphInverse

    Notes
    -----
    Cost as for :func:`harmonic_graph`; low rank:
    :math:`(B - \alpha\Psi\Psi^T)^{-1}` with diagonal B, by Woodbury's identity.

    Examples
    --------
    >>> graph = spreading_graph(np.array([[0.0], [1.0]]), 1.0, 0.2, "auto", 1e-3, place="example")
    >>> graph.column(0).round(4).tolist()
    [1.0417, 0.2083]
    """
    if _is_dense(len(Z), solver, place):
        matrix = _similarities(Z, gamma)
        matrix.flat[:: len(matrix) + 1] = 0.0
        scale = _inverse_root(matrix.sum(axis=0))
        matrix *= -alpha * scale[:, None]
        matrix *= scale[None, :]
        matrix.flat[:: len(matrix) + 1] = 1.0
        return DenseInverse(matrix, np.zeros(len(Z), dtype=np.int64))
    Phi = pivoted_factor(Z, gamma, tolerance)
    with one_thread():
        own = np.einsum("ij,ij->i", Phi, Phi)
        scale = _inverse_root(Phi @ Phi.sum(axis=0) - own)
        base = 1.0 / (1.0 + alpha * own * scale**2)
        Psi = Phi * (scale * np.sqrt(base))[:, None]
        core = -alpha * (Psi.T @ Psi)
        core.flat[:: len(core) + 1] += 1.0
        L = np.linalg.cholesky(core)
        Psi *= np.sqrt(alpha * base)[:, None]
        return LowRankInverse(base, _right_solved(Psi, L), np.zeros(len(Z)))


def pivoted_factor(Z: Array, gamma: float, tolerance: float) -> Array:
    r"""Factor :math:`\Phi` of few columns with :math:`W \approx \Phi\Phi^T`.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
    gamma : float
    tolerance : float
        The diagonal of W, which is 1, is met to this.

    Returns
    -------
    ndarray of shape (n, rank)

    Notes
    -----
    Cholesky factorization with pivots: the node whose own similarity is explained worst comes next [1]_.
    A few dozen spread nodes are tried together, so that the work is a product of matrices: O(n r²).

    References
    ----------
    .. [1] H. Harbrecht, M. Peters, R. Schneider, On the low-rank approximation by the pivoted Cholesky
       decomposition, Appl. Numer. Math. 62, 428 (2012).

    Examples
    --------
    >>> Z = np.linspace(0, 1, 50)[:, None]
    >>> Phi = pivoted_factor(Z, 1.0, 1e-6)
    >>> bool(Phi.shape[1] < 10), bool(np.abs((Phi**2).sum(axis=1) - 1.0).max() < 1e-6)
    (True, True)
    """
    n = len(Z)
    rest = np.ones(n)
    Phi = np.empty((n, min(n, 256)), order="F")
    rank = 0
    with one_thread():
        while rest.max() > tolerance and rank < n:
            worst = np.argsort(-rest, kind="stable")[: 8 * _TRIED]
            tried = worst[:: max(1, len(worst) // _TRIED)]
            tried = tried[rest[tried] > tolerance]
            block = np.exp(-gamma * squared_distances(Z, Z[tried]))
            block -= Phi[:, :rank] @ Phi[tried, :rank].T
            new = _inner_pivots(block, tried, 0.1 * rest.max(), tolerance)
            if rank + new.shape[1] > Phi.shape[1]:
                Phi = np.asfortranarray(np.pad(Phi, ((0, 0), (0, max(Phi.shape[1], new.shape[1])))))
            Phi[:, rank : rank + new.shape[1]] = new
            rank += new.shape[1]
            rest -= np.einsum("ij,ij->i", new, new)
    return np.ascontiguousarray(Phi[:, :rank])


def _inner_pivots(block: Array, tried: NDArray[np.int64], enough: float, tolerance: float) -> Array:
    """Columns of the factor from residual columns of the nodes tried, the worst first."""
    own = block[tried]
    left = np.diag(own).copy()
    order: list[int] = []
    weights = np.zeros((len(tried), len(tried)))
    while len(order) < len(tried):
        pivot = int(np.argmax(left))
        if left[pivot] <= max(enough, tolerance) and order:
            break
        k = len(order)
        column = (own[:, pivot] - weights[:, :k] @ weights[pivot, :k]) / np.sqrt(left[pivot])
        weights[:, k] = column
        left -= column**2
        left[pivot] = -np.inf
        order.append(pivot)
    L = np.tril(weights[order, : len(order)])
    return _right_solved(block[:, order], L)


def _right_solved(rows: Array, L: Array) -> Array:
    """Rows times the inverse transpose of L."""
    return np.ascontiguousarray(solve_triangular(L, rows.T, lower=True, check_finite=False).T)


def _similarities(Z: Array, gamma: float) -> Array:
    """W of all pairs."""
    with one_thread():
        W = squared_distances(Z)
        W *= -gamma
        return np.exp(W, out=W)


def _components(W: Array, Z: Array) -> NDArray[np.int64]:
    """Which part of the graph every node belongs to; links across parts are taken out of ``W``."""
    degree = W.sum(axis=0)
    root = np.sqrt(degree)
    near = cKDTree(Z).query(Z, k=min(9, len(Z)))[1].reshape(len(Z), -1)
    rows = np.repeat(np.arange(len(Z)), near.shape[1])
    strong = W[rows, near.ravel()] > _NO_LINK * root[rows] * root[near.ravel()]
    links = coo_array((strong[strong], (rows[strong], near.ravel()[strong])), shape=W.shape)
    if connected_components(links, directed=False)[0] == 1:
        return np.zeros(len(W), dtype=np.int64)
    linked = np.multiply.outer(root, _NO_LINK * root) < W
    count, parts = connected_components(linked, directed=False)
    if count > 1:
        W[parts[:, None] != parts[None, :]] = 0.0
    return np.asarray(parts, dtype=np.int64)


def _inverse_root(degree: Array) -> Array:
    """Degree to the power -1/2; 1 for a node without neighbors, as in scipy's Laplacian."""
    return np.asarray(1.0 / np.sqrt(np.where(degree > 0, degree, 1.0)))


def _is_dense(n: int, solver: str, place: str) -> bool:
    """Which solver; a dense one of too many nodes is refused."""
    if solver == "dense" and n > _TOO_MANY:
        raise InputError(
            sentence(
                place, "solver", f"be 'lowrank' for {n} nodes; all pairs need {8e-9 * n * n:.1f} GB", solver,
                remedy="Pass solver='lowrank'.",
            )
        )  # fmt: skip
    return solver == "dense" or (solver == "auto" and n <= MOST_DENSE)
