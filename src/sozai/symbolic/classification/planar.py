"""Convex hulls in the plane: exact orientation, chains, which points lie inside, area of an overlap."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["chain_below", "orientation", "overlap_area", "points_above"]

_SPLITTER = 134217729.0  # 2^27 + 1
_MARGIN = 1e-12  # coordinates are at most one: rounding is far below
_FILTER = 3.3306690738754716e-16  # (3 + 16 u) u: beyond this the sign of the float is certain


@numba.njit(cache=True, nogil=True)
def orientation(ax, ay, bx, by, cx, cy):
    r"""Sign of the turn a, b, c: positive to the left, zero on one line.

    Notes
    -----
    :math:`(a_x - c_x)(b_y - c_y) - (a_y - c_y)(b_x - c_x)`; where rounding could
    change its sign the determinant is summed without any error [1]_.

    References
    ----------
    .. [1] J. R. Shewchuk, Discrete Comput. Geom. 18, 305 (1997).

    Examples
    --------
    >>> orientation(0.1, 0.1, 0.3, 0.3, 0.7, 0.7), orientation(0.0, 0.0, 1.0, 0.0, 0.5, 1e-300) > 0
    (0.0, True)
    """
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    turn = left - right
    if abs(turn) > _FILTER * (abs(left) + abs(right)):
        return turn
    if left == 0.0 and right == 0.0:
        return 0.0
    return _exact_orientation(ax, ay, bx, by, cx, cy)


@numba.njit(cache=True, nogil=True)
def _exact_orientation(ax, ay, bx, by, cx, cy):
    """Sum of the six products of the determinant as an expansion; its last component has the sign."""
    expansion = np.zeros(12)
    n = 0
    factors = ((ax, by), (-ax, cy), (-cx, by), (-ay, bx), (ay, cx), (cy, bx))
    for a, b in factors:
        product = a * b
        n = _grow(expansion, n, _product_error(a, b, product))
        n = _grow(expansion, n, product)
    for k in range(n - 1, -1, -1):
        if expansion[k] != 0.0:
            return expansion[k]
    return 0.0


@numba.njit(cache=True, nogil=True)
def _product_error(a, b, product):
    """What rounding took from a product (Dekker)."""
    t = _SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = _SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@numba.njit(cache=True, nogil=True)
def _grow(expansion, n, number):
    """Add a number to an expansion without error (Shewchuk's grow-expansion)."""
    for k in range(n):
        total = number + expansion[k]
        virtual = total - number
        expansion[k] = (number - (total - virtual)) + (expansion[k] - virtual)
        number = total
    expansion[n] = number
    return n + 1


@numba.njit(cache=True, nogil=True)
def chain_below(x, y, order, sign, chain_x, chain_y):
    """Lower hull from left to right of the points ``(x, sign * y)``, coordinates at most 1 in magnitude.

    Parameters
    ----------
    x, y : ndarray of shape (m,)
    order : ndarray of int64
        Points to use, ascending in x.
    sign : float
        1 for the lower hull, -1 for the mirrored upper one.
    chain_x, chain_y : ndarray
        Result.

    Returns
    -------
    int
        Number of corners.
    """
    first, last, lowest = order[0], order[order.size - 1], order[0]
    for point in order:
        if sign * y[point] < sign * y[lowest]:
            lowest = point
    left = _slope(x, y, sign, first, lowest)
    right = _slope(x, y, sign, lowest, last)
    n = 0
    for point in order:
        here, height = x[point], sign * y[point]
        slope = left if here < x[lowest] else right
        if height > sign * y[lowest] + slope * (here - x[lowest]) + _MARGIN:
            continue  # clearly above the triangle of the two ends and the lowest point
        if n > 0 and chain_x[n - 1] == here:
            if height >= chain_y[n - 1]:
                continue
            n -= 1
        while n > 1 and (
            orientation(chain_x[n - 2], chain_y[n - 2], chain_x[n - 1], chain_y[n - 1], here, height) <= 0.0
        ):
            n -= 1
        chain_x[n], chain_y[n] = here, height
        n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _slope(x, y, sign, one, other):
    """Slope from one point to another, 0 where they share x."""
    return sign * (y[other] - y[one]) / (x[other] - x[one]) if x[other] != x[one] else 0.0


@numba.njit(cache=True, nogil=True)
def points_above(x, y, order, sign, chain_x, chain_y, n, inside):
    """Strike off ``inside`` the points below a chain of n corners; points on it stay.

    Parameters
    ----------
    x, y, order, sign, chain_x, chain_y
        As for :func:`chain_below`, the points in question.
    n : int
        Corners of the chain.
    inside : ndarray of bool of shape (m,)
        Only points that are still true are looked at.

    Returns
    -------
    int
        Number of points of ``order`` that stay.
    """
    k, count = 0, 0
    for point in order:
        if not inside[point]:
            continue
        here, height = x[point], sign * y[point]
        if here < chain_x[0] or here > chain_x[n - 1]:
            inside[point] = False
            continue
        while k + 1 < n and chain_x[k + 1] <= here:
            k += 1
        if chain_x[k] == here:
            inside[point] = height >= chain_y[k]
        else:
            inside[point] = (
                orientation(chain_x[k], chain_y[k], chain_x[k + 1], chain_y[k + 1], here, height) >= 0.0
            )
        count += inside[point]
    return count


@numba.njit(cache=True, nogil=True)
def _polygon(lower_x, lower_y, n_lower, upper_x, upper_y, n_upper, polygon):
    """Corners of a hull against the clock, from its two chains (the upper one mirrored)."""
    n = 0
    for k in range(n_lower):
        polygon[n, 0], polygon[n, 1] = lower_x[k], lower_y[k]
        n += 1
    for k in range(n_upper - 1, -1, -1):
        px, py = upper_x[k], -upper_y[k]
        if (px != polygon[n - 1, 0] or py != polygon[n - 1, 1]) and (
            px != polygon[0, 0] or py != polygon[0, 1]
        ):
            polygon[n, 0], polygon[n, 1] = px, py
            n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _area(polygon, n):
    """Area of a polygon whose corners go against the clock."""
    total = 0.0
    for k in range(1, n - 1):
        total += (polygon[k, 0] - polygon[0, 0]) * (polygon[k + 1, 1] - polygon[0, 1]) - (
            polygon[k, 1] - polygon[0, 1]
        ) * (polygon[k + 1, 0] - polygon[0, 0])
    return 0.5 * total


@numba.njit(cache=True, nogil=True)
def _clip(polygon, n, ax, ay, bx, by, clipped):
    """Part of a convex polygon to the left of the line a, b (Sutherland and Hodgman)."""
    count = 0
    for k in range(n):
        px, py = polygon[k, 0], polygon[k, 1]
        qx, qy = polygon[(k + 1) % n, 0], polygon[(k + 1) % n, 1]
        here = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        there = (bx - ax) * (qy - ay) - (by - ay) * (qx - ax)
        if here >= 0.0:
            clipped[count, 0], clipped[count, 1] = px, py
            count += 1
        if (here > 0.0 and there < 0.0) or (here < 0.0 and there > 0.0):
            share = here / (here - there)
            clipped[count, 0], clipped[count, 1] = px + share * (qx - px), py + share * (qy - py)
            count += 1
    return count


@numba.njit(cache=True, nogil=True)
def overlap_area(chains_x, chains_y, sizes, first, second, work):
    """Area common to two hulls over the area of both together.

    Parameters
    ----------
    chains_x, chains_y : ndarray of shape (n_hulls, 2, m)
        Lower and mirrored upper chain of every hull.
    sizes : ndarray of int64 of shape (n_hulls, 2)
        Corners of the chains.
    first, second : int
        The two hulls.
    work : ndarray of shape (3, 4 * m + 8, 2)

    Returns
    -------
    float
        Between 0 and 1; 0 where both are flat.
    """
    one, other, spare = work[0], work[1], work[2]
    n_other = _polygon(
        chains_x[second, 0], chains_y[second, 0], sizes[second, 0],
        chains_x[second, 1], chains_y[second, 1], sizes[second, 1], other,
    )  # fmt: skip
    n = _polygon(
        chains_x[first, 0], chains_y[first, 0], sizes[first, 0],
        chains_x[first, 1], chains_y[first, 1], sizes[first, 1], one,
    )  # fmt: skip
    both = _area(one, n) + _area(other, n_other)
    if not both > 0.0 or n < 3 or n_other < 3:
        return 0.0
    for k in range(n_other):
        if n < 3:
            return 0.0
        last = (k + 1) % n_other
        n = _clip(one, n, other[k, 0], other[k, 1], other[last, 0], other[last, 1], spare)
        one, spare = spare, one
    common = max(_area(one, n), 0.0) if n >= 3 else 0.0
    return min(common / (both - common), 1.0)
