"""Small sets of components that explain a descriptor: all of a pool, then exchanges with all others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["POOL", "Supports", "find_supports", "solve_two_sums"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Components whose subsets are all tried.
POOL = 12
#: Supports from which one component is exchanged for each of the others.
_EXCHANGED = 3
#: A pivot below this share of the diagonal is a column that the others make.
_DEPENDENT = 1e-13


@dataclass(frozen=True, eq=False)
class Supports:
    """Sets of components with their best fractions, the nearest first.

    Attributes
    ----------
    members : ndarray of shape (n, k_max), int64
        Numbers of the components, ascending, then -1.
    sizes : ndarray of shape (n,), int64
    weights : ndarray of shape (n, k_max)
        Positive fractions in the order of ``members``.
    squares : ndarray of shape (n,)
        Squared distance of their mean to the target.
    pool : ndarray of int64
        Components whose subsets were all tried.
    """

    members: Ints
    sizes: Ints
    weights: Floats
    squares: Floats
    pool: Ints


def find_supports(
    products: Floats, order: Ints, include: Ints, max_elements: int, *, pool: int = POOL
) -> Supports:
    r"""Enumerate the subsets of the most promising components, then exchange single members.

    Parameters
    ----------
    products : ndarray of shape (m, m)
        :math:`D_{ij} = (h_i - \phi)^T(h_j - \phi)`: on the simplex :math:`\|\phi - Hw\|^2 = w^TDw`.
    order : ndarray of int
        Allowed components, the most promising first.
    include : ndarray of int
        Components that every set holds.
    max_elements : int
        Largest size of a set.
    pool : int
        Number of components whose subsets are all tried.

    Returns
    -------
    Supports

    Notes
    -----
    The best weights of a set S are :math:`D_S^{-1}1` over their sum; negative ones rule it out. A set of
    the sorted tree shares the Cholesky factor of its parent, so that one more member costs O(k²). Sets larger
    than the pool are grown one component at a time.
    :math:`D + \rho 11^T` in place of :math:`D` has the same solutions and stays positive definite where
    the fit is perfect. Cost: :math:`\sum_k \binom{12}{k}` sets, then 3 · k · m exchanges.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) - [0.25, 0.0]
    >>> found = find_supports(points @ points.T, np.arange(3), np.array([], dtype=np.int64), 2)
    >>> found.members[0].tolist(), found.weights[0].round(9).tolist()
    ([0, 1], [0.75, 0.25])
    """
    lifted = np.ascontiguousarray(products + np.diag(products).max(initial=1.0))
    tried = order[~np.isin(order, include)][: max(pool - include.size, 0)]
    n_sets = sum(comb(tried.size, k) for k in range(max_elements - include.size + 1))
    room = n_sets + max_elements + _EXCHANGED * order.size * (max_elements + 1)
    members = np.full((room, max_elements), -1, dtype=np.int64)
    sizes, weights, squares = np.zeros(room, np.int64), np.zeros((room, max_elements)), np.full(room, np.inf)
    n = _enumerate(products, lifted, include, tried, members, sizes, weights, squares)
    nested = np.concatenate([include, order[~np.isin(order, include)]])
    n = _nest(products, lifted, nested, max(pool, include.size), members, sizes, weights, squares, n)
    held = nested[: include.size + tried.size]
    others = np.sort(nested[held.size :])
    if others.size and n:
        parents = np.argsort(squares[:n], kind="stable")[:_EXCHANGED]
        n = _exchange(products, lifted, include, others, parents, members, sizes, weights, squares, n)
    ranks = np.argsort(squares[:n], kind="stable")
    ranks = ranks[np.sort(np.unique(_marks(len(products))[members[ranks]].sum(axis=1), return_index=True)[1])]
    return Supports(members[ranks], sizes[ranks], weights[ranks], squares[ranks], held)


@lru_cache(maxsize=8)
def _marks(m: int) -> Ints:
    """One random number per component, and 0 for none: their sum tells sets apart."""
    marks = np.random.default_rng(m).integers(0, 2**57, size=m + 1)
    marks[-1] = 0
    return marks


@njit(cache=True, nogil=True)
def _grow(lifted: Floats, lower: Floats, path: Ints, depth: int) -> bool:
    """Add row ``depth`` to the Cholesky factor of the sets along the path."""
    new = path[depth]
    for q in range(depth + 1):
        rest = lifted[new, path[q]]
        for i in range(q):
            rest -= lower[depth, i] * lower[q, i]
        if q < depth:
            lower[depth, q] = rest / lower[q, q]
        elif rest > _DEPENDENT * lifted[new, new]:
            lower[depth, depth] = np.sqrt(rest)
        else:
            return False
    return True


@njit(cache=True, nogil=True)
def _solve_ones(lower: Floats, k: int, out: Floats) -> bool:
    """Weights proportional to (LLᵀ)⁻¹1 with sum 1; False when one is not positive."""
    for i in range(k):
        rest = 1.0
        for q in range(i):
            rest -= lower[i, q] * out[q]
        out[i] = rest / lower[i, i]
    total = 0.0
    for i in range(k - 1, -1, -1):
        rest = out[i]
        for q in range(i + 1, k):
            rest -= lower[q, i] * out[q]
        out[i] = rest / lower[i, i]
        total += out[i]
    for i in range(k):
        out[i] /= total
        if not out[i] > 0.0:
            return False
    return True


@njit(cache=True, nogil=True)
def _record(
    products: Floats, path: Ints, k: int, solved: Floats, n: int,
    members: Ints, sizes: Ints, weights: Floats, squares: Floats,
) -> int:  # fmt: skip
    """Write one set, its members ascending, and its squared distance."""
    square = 0.0
    for i in range(k):
        row = 0.0
        for j in range(k):
            row += products[path[i], path[j]] * solved[j]
        square += solved[i] * row
        place = 0
        for j in range(k):
            if path[j] < path[i]:
                place += 1
        members[n, place] = path[i]
        weights[n, place] = solved[i]
    sizes[n] = k
    squares[n] = max(square, 0.0)
    return n + 1


@njit(cache=True, nogil=True)
def _enumerate(
    products: Floats, lifted: Floats, include: Ints, tried: Ints,
    members: Ints, sizes: Ints, weights: Floats, squares: Floats,
) -> int:  # fmt: skip
    """All sets of ``include`` and some of ``tried``, depth first; returns their number."""
    most, first, n = members.shape[1], include.size, 0
    lower, solved = np.zeros((most, most)), np.zeros(most)
    path, at = np.zeros(most, np.int64), np.zeros(most + 1, np.int64)
    for k in range(first):
        path[k] = include[k]
        if not _grow(lifted, lower, path, k):
            return 0
    if first > 0 and _solve_ones(lower, first, solved):
        n = _record(products, path, first, solved, n, members, sizes, weights, squares)
    if first == most:
        return n
    depth = first
    at[depth] = 0
    while depth >= first:
        if at[depth] >= tried.size:
            depth -= 1
            continue
        path[depth] = tried[at[depth]]
        at[depth] += 1
        if not _grow(lifted, lower, path, depth):
            continue
        if _solve_ones(lower, depth + 1, solved):
            n = _record(products, path, depth + 1, solved, n, members, sizes, weights, squares)
        if depth + 1 < most:
            at[depth + 1] = at[depth]
            depth += 1
    return n


@njit(cache=True, nogil=True)
def _nest(
    products: Floats, lifted: Floats, path: Ints, first: int,
    members: Ints, sizes: Ints, weights: Floats, squares: Floats, n: int,
) -> int:  # fmt: skip
    """Sets larger than the pool: the most promising components, one more each time."""
    most = min(members.shape[1], path.size)
    lower, solved = np.zeros((most, most)), np.zeros(most)
    for k in range(most):
        if not _grow(lifted, lower, path, k):
            break
        if k >= first and _solve_ones(lower, k + 1, solved):
            n = _record(products, path, k + 1, solved, n, members, sizes, weights, squares)
    return n


@njit(cache=True, nogil=True)
def _exchange(
    products: Floats, lifted: Floats, include: Ints, others: Ints, parents: Ints,
    members: Ints, sizes: Ints, weights: Floats, squares: Floats, n: int,
) -> int:  # fmt: skip
    """Sets of the parents with one member exchanged for, or joined by, each of ``others``."""
    most = members.shape[1]
    lower, solved, path = np.zeros((most, most)), np.zeros(most), np.zeros(most, np.int64)
    for parent in parents:
        k = sizes[parent]
        for position in range(min(k + 1, most)):
            if position < k and (include == members[parent, position]).any():
                continue
            size = max(k, position + 1)
            kept = 0
            for q in range(k):
                if q != position:
                    path[kept] = members[parent, q]
                    kept += 1
            regular = True
            for q in range(kept):
                regular = regular and _grow(lifted, lower, path, q)
            for other in others:
                path[kept] = other
                if regular and _grow(lifted, lower, path, kept) and _solve_ones(lower, size, solved):
                    n = _record(products, path, size, solved, n, members, sizes, weights, squares)
    return n


def solve_two_sums(products: Floats, charges: Floats) -> tuple[Floats, Floats]:
    r"""Best weights of one set under two sums: :math:`1^Tw = 1` and :math:`q^Tw = 0`, for many q.

    Parameters
    ----------
    products : ndarray of shape (k, k)
        :math:`D_S`.
    charges : ndarray of shape (n, k)
        Charges q as rows.

    Returns
    -------
    weights : ndarray of shape (n, k)
        NaN where no weights can be neutral.
    squares : ndarray of shape (n,)

    Examples
    --------
    >>> weights, squares = solve_two_sums(np.eye(2), np.array([[3.0, -2.0], [1.0, 2.0]]))
    >>> weights[0].round(12).tolist(), squares.round(12).tolist()
    ([0.4, 0.6], [0.52, 5.0])
    """
    k = len(products)
    lifted = products + np.diag(products).max() + 1e-12 * np.trace(products) * np.eye(k)
    inverse = np.linalg.inv(lifted)
    ones = inverse.sum(axis=1)
    along = charges @ inverse
    a, b, c = ones.sum(), along.sum(axis=1), np.einsum("nk,nk->n", along, charges)
    determinant = a * c - b**2
    regular = determinant > 1e-12 * a * c
    safe = np.where(regular, determinant, 1.0)
    weights = (c / safe)[:, None] * ones - (b / safe)[:, None] * along
    weights[~regular] = np.nan
    return weights, np.einsum("nk,kl,nl->n", weights, products, weights)
