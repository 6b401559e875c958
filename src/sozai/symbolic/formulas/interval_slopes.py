"""Range of a law and of its slopes over one box, rounded outwards."""

from __future__ import annotations

import numba
import numpy as np

from sozai.symbolic.formulas.intervals import interval_of
from sozai.symbolic.formulas.law_program import LINEAR, POWER
from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CBRT,
    CONSTANT,
    EXP,
    EXP_NEG,
    INVERSE,
    LEAF,
    LOG,
    MULTIPLY,
    SQRT,
    SUBTRACT,
)

__all__ = ["add_interval", "scale_interval", "slope_ranges", "times_interval", "value_ranges"]

_ULP = 2.3e-16  # at least one unit in the last place of any normal number, relative
_ULPS = 8.9e-16  # libraries compute exp, log and cubic roots to within four of them
_TINY = 1e-300  # stands for the rounding of numbers near underflow


@numba.njit(cache=True, nogil=True)
def _out(lower, upper):
    """Rounded outwards by a unit; zero and infinity stay; what is not a number becomes unbounded."""
    if lower != 0.0 and abs(lower) != np.inf:
        lower -= _ULP * abs(lower) + _TINY
    if upper != 0.0 and abs(upper) != np.inf:
        upper += _ULP * abs(upper) + _TINY
    return lower if lower == lower else -np.inf, upper if upper == upper else np.inf


@numba.njit(cache=True, nogil=True)
def add_interval(a, b, c, d):
    """[a, b] + [c, d]."""
    return _out(a + c, b + d)


@numba.njit(cache=True, nogil=True)
def _times(a, b):
    """Product of two bounds with 0 * inf = 0."""
    return 0.0 if a == 0.0 or b == 0.0 else a * b


@numba.njit(cache=True, nogil=True)
def times_interval(a, b, c, d):
    """[a, b] * [c, d]; the point 0 times anything is 0."""
    p, q, r, s = _times(a, c), _times(a, d), _times(b, c), _times(b, d)
    return _out(min(min(p, q), min(r, s)), max(max(p, q), max(r, s)))


@numba.njit(cache=True, nogil=True)
def scale_interval(number, a, b):
    """Times an exact number."""
    if number >= 0.0:
        return _out(_times(number, a), _times(number, b))
    return _out(_times(number, b), _times(number, a))


@numba.njit(cache=True, nogil=True)
def _power(a, b, exponent):
    """[a, b] to a whole power; even powers are never negative."""
    if exponent % 2 == 0:
        a, b = (a, b) if a >= 0.0 else ((-b, -a) if b <= 0.0 else (0.0, max(-a, b)))
    low, high = a, b
    for _ in range(exponent - 1):  # bounds of one sign, or an odd power: end points are enough
        low, high = _out(_times(low, abs(a)), _times(high, abs(b)))
    return low, high


@numba.njit(cache=True, nogil=True)
def _node_range(op, a, b, c, d, same):
    """Range of one operator; functions that libraries do not round exactly are widened."""
    if op == ADD:
        lower, upper = _out(a + c, b + d)
        return lower, upper, False
    if op == SUBTRACT:
        lower, upper = _out(a - d, b - c)
        return lower, upper, False
    if op == MULTIPLY and not same:
        lower, upper = times_interval(a, b, c, d)
        return lower, upper, False
    lower, upper, singular = interval_of(op, a, b, c, d, same)
    if op in (CBRT, EXP, EXP_NEG, LOG):
        lower -= _ULPS * abs(lower)
        upper += _ULPS * abs(upper)
        if op != CBRT and op != LOG:
            lower, upper = max(lower, 0.0), max(upper, _TINY)
    if lower != lower:
        lower = -np.inf
    if upper != upper:
        upper = np.inf
    return lower, upper, singular


@numba.njit(cache=True, nogil=True)
def _linear(program, row, lower, upper):
    """Offset plus coefficients times terms, for values."""
    low = high = program.rows[row, 0]
    for j in range(program.terms.size):
        number = program.rows[row, 1 + j]
        if number != 0.0:
            a, b = scale_interval(number, lower[program.terms[j]], upper[program.terms[j]])
            low, high = add_interval(low, high, a, b)
    return low, high


@numba.njit(cache=True, nogil=True)
def value_ranges(program, low, high, lower, upper):
    """Range of every step over the box [low, high].

    Parameters
    ----------
    program : LawProgram
    low, high : ndarray of shape (n_variables,)
    lower, upper : ndarray of shape (n_steps,)
        Filled; the last entries are the range of the law.

    Returns
    -------
    bool
        Whether some step is not defined at a point of the box.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.operations import Expressions, parse_into
    >>> from sozai.symbolic.formulas.law_program import compile_law
    >>> store = Expressions(["x"])
    >>> program = compile_law(store, [parse_into(store, "x**4")], [1.0], 0.0, columns=[0])
    >>> lower, upper = np.empty(3), np.empty(3)
    >>> value_ranges(program, np.array([-1.0]), np.array([2.0]), lower, upper)
    False
    >>> lower[-1], upper[-1].round(12)
    (np.float64(0.0), np.float64(16.0))
    """
    undefined = False
    for k in range(program.op.size):
        op, i, j = program.op[k], program.left[k], program.right[k]
        if op == CONSTANT:
            lower[k] = upper[k] = program.numbers[i]
        elif op == LEAF:
            lower[k], upper[k] = low[i], high[i]
        elif op == POWER:
            lower[k], upper[k] = _power(lower[i], upper[i], j)
        elif op == LINEAR:
            lower[k], upper[k] = _linear(program, i, lower, upper)
        else:
            other = j if j >= 0 else i
            lower[k], upper[k], singular = _node_range(
                op, lower[i], upper[i], lower[other], upper[other], i == j
            )
            undefined = undefined or singular
    return undefined


@numba.njit(cache=True, nogil=True)
def _outer_slope(op, exponent, a, b, value_low, value_high):
    """Range of the derivative of a function of one argument in [a, b] with this range of values."""
    if op == ABS:
        return (1.0, 1.0) if a >= 0.0 else ((-1.0, -1.0) if b <= 0.0 else (-1.0, 1.0))
    if op == POWER:
        low, high = _power(a, b, exponent - 1)
        return scale_interval(float(exponent), low, high)
    if op == INVERSE:
        low, high = _power(value_low, value_high, 2)
        return -high, -low
    if op == EXP:
        return value_low, value_high
    if op == EXP_NEG:
        return -value_high, -value_low
    if op == LOG:
        low, high, _ = interval_of(INVERSE, max(a, 0.0), max(b, 0.0), 0.0, 0.0, False)
        return max(low, 0.0), high
    if op == SQRT:
        low, high, _ = interval_of(INVERSE, max(value_low, 0.0), max(value_high, 0.0), 0.0, 0.0, False)
        return scale_interval(0.5, max(low, 0.0), high)
    low, high = _power(value_low, value_high, 2)  # cubic root
    low, high, _ = interval_of(INVERSE, low, high, 0.0, 0.0, False)
    low, high = scale_interval(1.0 / 3.0, max(low, 0.0), high)
    return _out(low, high)


@numba.njit(cache=True, nogil=True)
def _linear_slope(program, row, v, low, high):
    """Slope of a linear combination along one variable."""
    a = b = 0.0
    for j in range(program.terms.size):
        number, term = program.rows[row, 1 + j], program.terms[j]
        if number != 0.0 and program.depends[term, v]:
            c, d = scale_interval(number, low[term, v], high[term, v])
            a, b = add_interval(a, b, c, d)
    return a, b


@numba.njit(cache=True, nogil=True)
def _product_slope(program, k, v, lower, upper, low, high):
    """Range of (uv)' = u'v + uv' along one variable."""
    i, j = program.left[k], program.right[k]
    a = b = 0.0
    if program.depends[i, v]:
        a, b = times_interval(low[i, v], high[i, v], lower[j], upper[j])
    if program.depends[j, v]:
        c, d = times_interval(lower[i], upper[i], low[j, v], high[j, v])
        a, b = add_interval(a, b, c, d)
    return a, b


@numba.njit(cache=True, nogil=True)
def slope_ranges(program, lower, upper, low, high):
    """Range of the slopes of every step, from the ranges of the values over the same box.

    Parameters
    ----------
    program : LawProgram
    lower, upper : ndarray of shape (n_steps,)
        From :func:`value_ranges`.
    low, high : ndarray of shape (n_steps, n_variables)
        Filled; at kinks the range holds the slopes of both sides.
    """
    for k in range(program.op.size):
        op, i, j = program.op[k], program.left[k], program.right[k]
        outer_low = outer_high = 0.0
        if op > LEAF and op not in (ADD, SUBTRACT, MULTIPLY, LINEAR):
            outer_low, outer_high = _outer_slope(op, j, lower[i], upper[i], lower[k], upper[k])
        for v in range(program.depends.shape[1]):
            if not program.depends[k, v]:
                low[k, v] = high[k, v] = 0.0
            elif op == LEAF:
                low[k, v] = high[k, v] = 1.0
            elif op == LINEAR:
                low[k, v], high[k, v] = _linear_slope(program, i, v, low, high)
            elif op == ADD:
                low[k, v], high[k, v] = add_interval(low[i, v], high[i, v], low[j, v], high[j, v])
            elif op == SUBTRACT:
                low[k, v], high[k, v] = add_interval(low[i, v], high[i, v], -high[j, v], -low[j, v])
            elif op == MULTIPLY:
                low[k, v], high[k, v] = _product_slope(program, k, v, lower, upper, low, high)
            else:
                low[k, v], high[k, v] = times_interval(low[i, v], high[i, v], outer_low, outer_high)
