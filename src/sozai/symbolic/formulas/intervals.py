"""Interval arithmetic: the range of an expression over a box, and where it is singular."""

from __future__ import annotations

import numba
import numpy as np

from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CBRT,
    EXP,
    EXP_NEG,
    INVERSE,
    LOG,
    MULTIPLY,
    SQRT,
    SUBTRACT,
)

__all__ = ["interval_of"]


@numba.njit(cache=True, nogil=True, inline="never")
def _outward(lower, upper):
    """One unit in the last place outwards; an exact zero stays, so that signs are kept."""
    if lower != 0.0:
        lower = np.nextafter(lower, -np.inf)
    if upper != 0.0:
        upper = np.nextafter(upper, np.inf)
    return lower, upper


@numba.njit(cache=True, nogil=True)
def _times(a, b):
    """Product of two bounds with 0 * inf = 0."""
    if a == 0.0 or b == 0.0:
        return 0.0
    return a * b


@numba.njit(cache=True, nogil=True)
def _product(a, b, c, d):
    """[a, b] * [c, d]."""
    p, q, r, s = _times(a, c), _times(a, d), _times(b, c), _times(b, d)
    return _outward(min(min(p, q), min(r, s)), max(max(p, q), max(r, s)))


@numba.njit(cache=True, nogil=True)
def _reciprocal(a, b):
    """1 / [a, b] and whether 0 lies inside."""
    if a > 0.0 or b < 0.0:
        lower, upper = _outward(1.0 / b, 1.0 / a)
        return lower, upper, False
    if a == 0.0 and b > 0.0:
        lower, upper = _outward(1.0 / b, np.inf)
        return lower, upper, True
    if b == 0.0 and a < 0.0:
        lower, upper = _outward(-np.inf, 1.0 / a)
        return lower, upper, True
    return -np.inf, np.inf, True


@numba.njit(cache=True, nogil=True)
def _magnitude(a, b):
    """|[a, b]|."""
    if a >= 0.0:
        return a, b
    if b <= 0.0:
        return -b, -a
    return 0.0, max(-a, b)


@numba.njit(cache=True, nogil=True)
def interval_of(op, a, b, c, d, same):
    """Range of one operator applied to [a, b] (and [c, d]).

    Parameters
    ----------
    op : int
        Code of the operator.
    a, b, c, d : float
        Bounds of the first and second argument.
    same : bool
        Both arguments are one expression, so that ``x*x`` is a square.

    Returns
    -------
    lower, upper : float
        Bounds, rounded outwards.
    singular : bool
        The operator has a singular point inside: 0 for reciprocals, ``<= 0``
        for the logarithm, ``< 0`` for the square root.

    Examples
    --------
    >>> interval_of(6, -1.0, 1.0, 0.0, 0.0, False)
    (-inf, inf, True)
    """
    if op == ADD:
        lower, upper = _outward(a + c, b + d)
        return lower, upper, False
    if op == SUBTRACT:
        lower, upper = _outward(a - d, b - c)
        return lower, upper, False
    if op == MULTIPLY:
        if same:
            a, b = _magnitude(a, b)
            c, d = a, b
        lower, upper = _product(a, b, c, d)
        return lower, upper, False
    if op == ABS:
        lower, upper = _magnitude(a, b)
        return lower, upper, False
    if op == INVERSE:
        return _reciprocal(a, b)
    return _function_interval(op, a, b)


@numba.njit(cache=True, nogil=True)
def _function_interval(op, a, b):
    """Range of sqrt, cbrt, exp, exp_neg and log over [a, b]."""
    if op == SQRT:
        lower, upper = _outward(np.sqrt(max(a, 0.0)), np.sqrt(max(b, 0.0)))
        return max(lower, 0.0), upper, a < 0.0
    if op == CBRT:
        lower, upper = _outward(np.cbrt(a), np.cbrt(b))
        return lower, upper, False
    if op == EXP_NEG:
        a, b = -b, -a
    if op in (EXP, EXP_NEG):
        lower, upper = _outward(np.exp(a), np.exp(b))
        return max(lower, 0.0), upper, False
    if op == LOG:
        lower = np.log(a) if a > 0.0 else -np.inf
        upper = np.log(b) if b > 0.0 else -np.inf
        lower, upper = _outward(lower, upper)
        return lower, upper, a <= 0.0
    return -np.inf, np.inf, False
