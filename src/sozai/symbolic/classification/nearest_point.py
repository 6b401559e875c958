"""Is a point inside a convex hull of any dimension? The nearest point of the hull says so."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["is_inside"]

_MOST_STEPS = 300
_DROP = 1e-12  # a weight below this is none
_ROUNDING = 1e-12  # of coordinates of order one


@numba.njit(cache=True, nogil=True)
def is_inside(points, point, tolerance):
    r"""Tell whether a point lies in a convex hull, or within ``tolerance`` of it.

    Parameters
    ----------
    points : ndarray of shape (d, n)
        Corners and other points of the hull, one column each; coordinates of
        order one.
    point : ndarray of shape (d,)
    tolerance : float

    Returns
    -------
    bool

    Notes
    -----
    Wolfe's algorithm [1]_ for the point x of :math:`P - q` next to the origin:
    as soon as :math:`\min_i x \cdot (p_i - q) > 0` the plane normal to x
    separates the two, and when x is the origin q lies inside. A few steps of
    O(n d).

    References
    ----------
    .. [1] P. Wolfe, Math. Program. 11, 128 (1976).

    Examples
    --------
    >>> corners = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    >>> is_inside(corners, np.array([0.2, 0.2, 0.2]), 1e-9), is_inside(corners, np.ones(3), 1e-9)
    (True, False)
    """
    d = points.shape[0]
    corral = np.empty((d + 2, d))
    weights = np.zeros(d + 2)
    x = np.zeros(d)
    for k in range(d):
        corral[0, k] = points[k, 0] - point[k]
        x[k] = corral[0, k]
    weights[0] = 1.0
    size = 1
    for _ in range(_MOST_STEPS):
        norm = 0.0
        for k in range(d):
            norm += x[k] * x[k]
        if norm <= tolerance * tolerance:
            return True
        support, least = _support(points, x)
        for k in range(d):
            least -= x[k] * point[k]
        length = np.sqrt(norm)
        if least > tolerance * length or least >= norm - _ROUNDING * length:
            return False  # a plane separates them, or x is the nearest point
        for k in range(d):
            corral[size, k] = points[k, support] - point[k]
        weights[size] = 0.0
        size = _reduce(corral, weights, size + 1, x)
    return False


@numba.njit(cache=True, nogil=True)
def _support(points, x):
    """Column that lies least far along x, and how far."""
    support, least = 0, np.inf
    for i in range(points.shape[1]):
        along = 0.0
        for k in range(x.size):
            along += x[k] * points[k, i]
        if along < least:
            support, least = i, along
    return support, least


@numba.njit(cache=True, nogil=True)
def _reduce(corral, weights, size, x):
    """Drop members until the point of their affine hull next to the origin has positive weights."""
    affine = np.empty(size)
    system = np.empty((size, size))
    while True:
        _affine_minimum(corral, size, system, affine)
        step, worst = 1.0, -1
        for k in range(size):
            if affine[k] <= _DROP:
                gap = weights[k] - affine[k]
                share = weights[k] / gap if gap > 0.0 else 0.0
                if worst < 0 or share < step:
                    step, worst = share, k
        if worst < 0:
            for k in range(size):
                weights[k] = affine[k]
            break
        step = min(step, 1.0)
        for k in range(size):
            weights[k] += step * (affine[k] - weights[k])
        weights[worst] = 0.0
        size = _drop_zeros(corral, weights, size)
    for k in range(x.size):
        x[k] = 0.0
        for i in range(size):
            x[k] += weights[i] * corral[i, k]
    return size


@numba.njit(cache=True, nogil=True)
def _drop_zeros(corral, weights, size):
    """Close up the members whose weight is left."""
    kept, total = 0, 0.0
    for i in range(size):
        if weights[i] > _DROP:
            weights[kept] = weights[i]
            for k in range(corral.shape[1]):
                corral[kept, k] = corral[i, k]
            total += weights[i]
            kept += 1
    for i in range(kept):
        weights[i] /= total
    return kept


@numba.njit(cache=True, nogil=True)
def _affine_minimum(corral, size, system, weights):
    """Weights of sum 1 of the point next to the origin in the affine hull: solve (1 + S S^T) u = 1."""
    scale = 0.0
    for i in range(size):
        norm = 0.0
        for k in range(corral.shape[1]):
            norm += corral[i, k] * corral[i, k]
        scale = max(scale, norm)
    scale = scale if scale > 0.0 else 1.0
    for i in range(size):
        for j in range(size):
            product = scale
            for k in range(corral.shape[1]):
                product += corral[i, k] * corral[j, k]
            system[i, j] = product
        weights[i] = 1.0
    for i in range(size):  # elimination with the largest diagonal is not needed: the matrix is definite
        pivot = system[i, i]
        if pivot < 1e-14 * scale:
            pivot = 1e-14 * scale
        for j in range(i + 1, size):
            factor = system[j, i] / pivot
            for k in range(i, size):
                system[j, k] -= factor * system[i, k]
            weights[j] -= factor * weights[i]
        system[i, i] = pivot
    total = 0.0
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            weights[i] -= system[i, j] * weights[j]
        weights[i] /= system[i, i]
    for i in range(size):
        total += weights[i]
    for i in range(size):
        weights[i] /= total
