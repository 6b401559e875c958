"""Certified upper bounds of a law over many boxes: contraction, monotone variables, mean-value form."""

from __future__ import annotations

import numba
import numpy as np

from sozai.symbolic.formulas.interval_slopes import (
    add_interval,
    scale_interval,
    slope_ranges,
    times_interval,
    value_ranges,
)
from sozai.symbolic.formulas.law_program import LINEAR, POWER
from sozai.symbolic.formulas.operators import ABS, LEAF

__all__ = ["EMPTY", "OPEN", "UNDEFINED", "contract_boxes", "point_slopes", "point_values", "upper_bounds"]

OPEN, EMPTY, UNDEFINED = 0, 1, 2
"""States of a box: ordinary, without a point that meets the constraints, partly undefined."""

_SWEEPS = 3


@numba.njit(cache=True, nogil=True)
def upper_bounds(program, matrix, row_low, row_high, low, high, bound, center_value, state):
    r"""Upper bound of the law over each box, among the points that meet the constraints.

    Parameters
    ----------
    program : LawProgram
    matrix : ndarray of shape (n_constraints, n_variables)
    row_low, row_high : ndarray of shape (n_constraints,)
        Constraints :math:`l \le A x \le u`, a rounding error wider than meant.
    low, high : ndarray of shape (n_boxes, n_variables)
        Changed: contracted by the constraints, and to the best face along every
        variable in which the law is monotone.
    bound, center_value : ndarray of shape (n_boxes,)
        Filled: certified upper bound, and a certified lower bound of the value
        at the center of the box that is left.
    state : ndarray of int64 of shape (n_boxes,)
        Filled with ``OPEN``, ``EMPTY`` or ``UNDEFINED``.

    Notes
    -----
    With slopes :math:`g(x) \in G` and the center :math:`c`, for every
    multiplier :math:`\lambda`

    .. math:: f(x) \le f(c) + \max_{x, g \in G} (g - A^T\lambda)^T (x - c)
              + \max_{l \le s \le u} \lambda^T (s - A c),

    which is sharp to second order where :math:`\lambda` is the multiplier of
    the optimum [1]_; it is estimated by least squares from the slopes at hand,
    and any value gives a true bound. The bound is the least of this, the same
    with :math:`\lambda = 0`, and the range by plain interval arithmetic, all
    rounded outwards. Terms that have a kink inside the box enter by their range
    alone, which is sharp along the ridge of :math:`-|u|`, and the rest as above.

    References
    ----------
    .. [1] E. Hansen, G. W. Walster, Global Optimization Using Interval Analysis (2004).
    """
    n_steps, n_variables = program.depends.shape
    lower, upper = np.empty(n_steps), np.empty(n_steps)
    slope_low, slope_high = np.empty((n_steps, n_variables)), np.empty((n_steps, n_variables))
    last_low, last_high = slope_low[n_steps - 1], slope_high[n_steps - 1]
    smooth_low, smooth_high = np.empty(n_variables), np.empty(n_variables)
    kinked = np.zeros(n_steps, dtype=np.bool_)
    point = np.empty(n_variables)
    for k in range(low.shape[0]):
        x, y = low[k], high[k]
        state[k], bound[k], center_value[k] = OPEN, -np.inf, -np.inf
        if not _contract(matrix, row_low, row_high, x, y):
            state[k] = EMPTY
            continue
        undefined = value_ranges(program, x, y, lower, upper)
        best = upper[n_steps - 1]
        any_kink, of_kinks = False, 0.0
        if undefined:
            state[k] = UNDEFINED
        else:
            slope_ranges(program, lower, upper, slope_low, slope_high)
            for _ in range(_SWEEPS):
                if not _push(matrix, row_low, row_high, last_low, last_high, x, y):
                    break
                value_ranges(program, x, y, lower, upper)
                slope_ranges(program, lower, upper, slope_low, slope_high)
                best = min(best, upper[n_steps - 1])
            any_kink = _find_kinks(program, lower, upper, kinked)
            if any_kink:
                of_kinks = _without_kinks(
                    program, kinked, lower, upper, slope_low, slope_high, smooth_low, smooth_high
                )
        for v in range(n_variables):
            point[v] = 0.5 * x[v] + 0.5 * y[v]
        outside = value_ranges(program, point, point, lower, upper)
        if not outside:
            center_value[k] = lower[n_steps - 1]
        if not (outside or undefined):
            rest = _linear_rest(matrix, row_low, row_high, last_low, last_high, x, y, point)
            best = min(best, add_interval(0.0, rest, 0.0, upper[n_steps - 1])[1])
            if any_kink:
                rest = _linear_rest(matrix, row_low, row_high, smooth_low, smooth_high, x, y, point)
                rest = add_interval(0.0, rest, 0.0, of_kinks)[1]
                best = min(
                    best, add_interval(0.0, rest, 0.0, _smooth_value(program, kinked, lower, upper))[1]
                )
        bound[k] = best


@numba.njit(cache=True, nogil=True)
def _find_kinks(program, lower, upper, kinked):
    """Mark steps with a magnitude whose argument changes sign; whether some terms have one and some not."""
    last = program.op.size - 1
    if program.op[last] != LINEAR:
        return False
    for k in range(last):
        op, i, j = program.op[k], program.left[k], program.right[k]
        kinked[k] = op == ABS and lower[i] < 0.0 < upper[i]
        if op > LEAF and op != LINEAR:
            kinked[k] = kinked[k] or kinked[i] or (op != POWER and j >= 0 and kinked[j])
    any_kink = any_smooth = False
    for j in range(program.terms.size):
        any_kink = any_kink or kinked[program.terms[j]]
        any_smooth = any_smooth or not kinked[program.terms[j]]
    return any_kink and any_smooth


@numba.njit(cache=True, nogil=True)
def _without_kinks(program, kinked, lower, upper, slope_low, slope_high, smooth_low, smooth_high):
    """Slopes of the terms without kinks, and the upper end of the others' sum."""
    row = program.left[program.op.size - 1]
    top = 0.0
    smooth_low[:] = 0.0
    smooth_high[:] = 0.0
    for j in range(program.terms.size):
        number, term = program.rows[row, 1 + j], program.terms[j]
        if kinked[term]:
            top = add_interval(0.0, top, 0.0, scale_interval(number, lower[term], upper[term])[1])[1]
            continue
        for v in range(smooth_low.size):
            if program.depends[term, v]:
                a, b = scale_interval(number, slope_low[term, v], slope_high[term, v])
                smooth_low[v], smooth_high[v] = add_interval(smooth_low[v], smooth_high[v], a, b)
    return top


@numba.njit(cache=True, nogil=True)
def _smooth_value(program, kinked, lower, upper):
    """Upper end of the sum of the offset and the terms without kinks."""
    row = program.left[program.op.size - 1]
    top = program.rows[row, 0]
    for j in range(program.terms.size):
        number, term = program.rows[row, 1 + j], program.terms[j]
        if not kinked[term]:
            top = add_interval(0.0, top, 0.0, scale_interval(number, lower[term], upper[term])[1])[1]
    return top


@numba.njit(cache=True, nogil=True)
def contract_boxes(matrix, row_low, row_high, low, high, empty):
    """Shrink boxes by what the constraints leave of them; ``empty`` marks those without a point."""
    for k in range(low.shape[0]):
        empty[k] = not _contract(matrix, row_low, row_high, low[k], high[k])


@numba.njit(cache=True, nogil=True)
def _contract(matrix, row_low, row_high, x, y):
    """Shrink the box [x, y] by what the constraints leave; False when nothing is left."""
    for _ in range(_SWEEPS if matrix.shape[0] else 0):
        changed = False
        for c in range(matrix.shape[0]):
            least, most = _activity(matrix[c], x, y)
            if least > row_high[c] or most < row_low[c]:
                return False
            for v in range(x.size):
                a = matrix[c, v]
                if a == 0.0 or x[v] == y[v]:
                    continue
                own_least, own_most = (a * x[v], a * y[v]) if a > 0.0 else (a * y[v], a * x[v])
                top = (row_high[c] - (least - own_least)) / a
                bottom = (row_low[c] - (most - own_most)) / a
                if a < 0.0:
                    top, bottom = bottom, top
                # the bounds may be infinite; what they cut off is counted from the old box
                new_low, new_high = max(x[v], bottom), min(y[v], top)
                if new_low > new_high:
                    return False
                changed = changed or (new_high - new_low) < 0.9 * (y[v] - x[v])
                low_change, high_change = a * (new_low - x[v]), a * (new_high - y[v])
                least += low_change if a > 0.0 else high_change
                most += high_change if a > 0.0 else low_change
                x[v], y[v] = new_low, new_high
        if not changed:
            break
    return True


@numba.njit(cache=True, nogil=True)
def _activity(row, x, y):
    """Least and largest value of one linear form over the box."""
    least = most = 0.0
    for v in range(x.size):
        a = row[v]
        if a > 0.0:
            least += a * x[v]
            most += a * y[v]
        elif a < 0.0:
            least += a * y[v]
            most += a * x[v]
    return least, most


@numba.njit(cache=True, nogil=True)
def _free_to_move(matrix, row_low, row_high, v, upwards, x, y):
    """Whether no constraint can stop variable ``v`` before it reaches the face of the box."""
    for c in range(matrix.shape[0]):
        a = matrix[c, v] if upwards else -matrix[c, v]
        if a == 0.0:
            continue
        least, most = _activity(matrix[c], x, y)
        if (a > 0.0 and most > row_high[c]) or (a < 0.0 and least < row_low[c]):
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _push(matrix, row_low, row_high, slope_low, slope_high, x, y):
    """Move the box to its best face along monotone variables; whether anything moved."""
    moved = False
    for v in range(x.size):
        if x[v] == y[v]:
            continue
        if slope_low[v] >= 0.0 and _free_to_move(matrix, row_low, row_high, v, True, x, y):
            x[v] = y[v]
            moved = True
        elif slope_high[v] <= 0.0 and _free_to_move(matrix, row_low, row_high, v, False, x, y):
            y[v] = x[v]
            moved = True
    return moved


@numba.njit(cache=True, nogil=True)
def _linear_rest(matrix, row_low, row_high, slope_low, slope_high, x, y, center):
    """Upper bound of g (x - center) over the box and the constraints, g any slope in its range."""
    none = np.zeros(matrix.shape[0])
    best = _rest_with(matrix, row_low, row_high, none, slope_low, slope_high, x, y, center)
    if matrix.shape[0] and np.isfinite(best):
        multipliers = _multipliers(matrix, row_low, row_high, slope_low, slope_high, x, y)
        other = _rest_with(matrix, row_low, row_high, multipliers, slope_low, slope_high, x, y, center)
        best = min(best, other)
    return best


@numba.njit(cache=True, nogil=True)
def _rest_with(matrix, row_low, row_high, multipliers, slope_low, slope_high, x, y, center):
    """The same for given multipliers."""
    total = 0.0
    for v in range(x.size):
        a, b = slope_low[v], slope_high[v]
        for c in range(multipliers.size):
            if multipliers[c] != 0.0 and matrix[c, v] != 0.0:
                p, q = scale_interval(-multipliers[c], matrix[c, v], matrix[c, v])
                a, b = add_interval(a, b, p, q)
        if x[v] < y[v]:
            p, q = add_interval(x[v], y[v], -center[v], -center[v])
            total = add_interval(0.0, total, 0.0, times_interval(a, b, p, q)[1])[1]
        elif center[v] != x[v]:
            return np.inf
    for c in range(multipliers.size):
        if multipliers[c] == 0.0:
            continue
        side = row_high[c] if multipliers[c] > 0.0 else row_low[c]
        p = q = side
        for v in range(x.size):
            if matrix[c, v] != 0.0:
                s, t = scale_interval(-matrix[c, v], center[v], center[v])
                p, q = add_interval(p, q, s, t)
        total = add_interval(0.0, total, 0.0, scale_interval(multipliers[c], p, q)[1])[1]
    return total


@numba.njit(cache=True, nogil=True)
def _multipliers(matrix, row_low, row_high, slope_low, slope_high, x, y):
    """Least-squares multipliers of the constraints that cut the box; useless signs are dropped."""
    m = matrix.shape[0]
    found = np.zeros(m)
    kept = np.zeros(m, dtype=np.bool_)
    for c in range(m):
        least, most = _activity(matrix[c], x, y)
        kept[c] = least < row_low[c] or most > row_high[c]
    for _ in range(m):
        _solve(matrix, kept, slope_low, slope_high, x, y, found)
        dropped = False
        for c in range(m):
            side = row_high[c] if found[c] > 0.0 else row_low[c]
            if kept[c] and found[c] != 0.0 and not np.isfinite(side):
                kept[c], dropped = False, True
        if not dropped:
            break
    for c in range(m):
        if not kept[c] or not np.isfinite(found[c]):
            found[c] = 0.0
    return found


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _solve(matrix, kept, slope_low, slope_high, x, y, found):
    """Normal equations of min |W (g - A^T lambda)|, W the widths of the box, by elimination."""
    m = matrix.shape[0]
    system = np.zeros((m, m + 1))
    for c in range(m):
        if not kept[c]:
            system[c, c] = 1.0
            continue
        for v in range(x.size):
            weight = matrix[c, v] * (y[v] - x[v]) ** 2
            system[c, m] += weight * (0.5 * slope_low[v] + 0.5 * slope_high[v])
            for d in range(m):
                if kept[d]:
                    system[c, d] += weight * matrix[d, v]
        system[c, c] += 1e-12 * system[c, c] + 1e-300
    for c in range(m):
        for d in range(c + 1, m):
            factor = system[d, c] / system[c, c]
            for e in range(c, m + 1):
                system[d, e] -= factor * system[c, e]
    for c in range(m - 1, -1, -1):
        value = system[c, m]
        for d in range(c + 1, m):
            value -= system[c, d] * found[d]
        found[c] = value / system[c, c]


@numba.njit(cache=True, nogil=True)
def point_values(program, points, lower, upper):
    """Certified range of the law at each point; NaN where it is not defined."""
    n_steps = program.op.size
    below, above = np.empty(n_steps), np.empty(n_steps)
    for k in range(points.shape[0]):
        if value_ranges(program, points[k], points[k], below, above):
            lower[k] = upper[k] = np.nan
        else:
            lower[k], upper[k] = below[n_steps - 1], above[n_steps - 1]


@numba.njit(cache=True, nogil=True)
def point_slopes(program, point, slopes):
    """Value and slopes of the law at one point, to rounding; NaN where it is not defined."""
    n_steps, n_variables = program.depends.shape
    lower, upper = np.empty(n_steps), np.empty(n_steps)
    low, high = np.empty((n_steps, n_variables)), np.empty((n_steps, n_variables))
    if value_ranges(program, point, point, lower, upper):
        slopes[:] = np.nan
        return np.nan
    slope_ranges(program, lower, upper, low, high)
    for v in range(n_variables):
        slopes[v] = 0.5 * low[n_steps - 1, v] + 0.5 * high[n_steps - 1, v]
    return 0.5 * lower[n_steps - 1] + 0.5 * upper[n_steps - 1]
