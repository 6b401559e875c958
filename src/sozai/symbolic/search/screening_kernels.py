"""Compiled loops of the search: which pairs, their values, their sums, which pass the threshold."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from sozai.symbolic.formulas.intervals import interval_of
from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CBRT,
    CUBE,
    EXP,
    EXP_NEG,
    INVERSE,
    LOG,
    MULTIPLY,
    OPERATIONS,
    SQRT,
    SQUARE,
    SUBTRACT,
)

__all__ = [
    "CONSTANT",
    "DIVIDE",
    "FINE",
    "FORBIDDEN",
    "NOT_FINITE",
    "SUSPECT",
    "ZERO",
    "Models",
    "center_rows",
    "count_pairs",
    "fill_columns",
    "fill_forbidden",
    "fill_rows",
    "fill_states",
    "list_pairs",
    "scan_list",
    "scan_tile",
    "subtract_mean_square",
]

DIVIDE = len(OPERATIONS)
"""Code of a quotient, which the expression store writes as a product."""

FINE, FORBIDDEN, NOT_FINITE, ZERO, CONSTANT, SUSPECT = range(6)
"""State of a candidate, or of a row in one operation: computed, refused for a reason, or to be checked."""

TRUSTED = 1e-9
"""A centred square below this share of the plain square may be all rounding."""
_MARGIN = 1e-5  # relative error of a trusted gain, with room to spare


class Models(NamedTuple):
    """Models a candidate may join, as the scan needs them.

    With K tasks, T models and at most p terms: ``scores`` (T,) without the
    candidate, ``sizes`` (T,), ``terms`` (T, p) rows of g, ``slopes`` (T, K, p)
    and ``lower`` (T, K, p, p) as in :class:`PartialGain`, ``share`` (K,) weight
    over total sum of squares, ``noise`` (K,) rounding of g squared.
    """

    scores: np.ndarray
    sizes: np.ndarray
    terms: np.ndarray
    slopes: np.ndarray
    lower: np.ndarray
    share: np.ndarray
    noise: np.ndarray


# -- which pairs ----------------------------------------------------------------------------------


@numba.njit(cache=True, nogil=True)
def list_pairs(tile, ordered, order, complexity, is_new, limit, left, right):
    """Rows of the base of all candidates of a tile; their number. ``right`` is -1 for functions.

    Arguments are different features, one of them new, together no more complex than ``limit``.
    """
    found = 0
    r0, r1, c0, c1, triangular = tile[1], tile[2], tile[3], tile[4], tile[5]
    for i in range(r0, r1):
        a, new, room = order[i], is_new[i], limit - complexity[i]
        if c0 < 0:
            if new and room >= 0:
                left[found], right[found] = a, -1
                found += 1
            continue
        for j in range(max(c0, i + 1) if triangular else c0, c1):
            if complexity[j] <= room and (new or is_new[j]) and i != j:
                b = order[j]
                swap = b < a and not ordered
                left[found] = b if swap else a
                right[found] = a if swap else b
                found += 1
    return found


@numba.njit(cache=True, nogil=True)
def count_pairs(tile, complexity, is_new, limit, left_state, right_state, counts):
    """Add the candidates of a tile with a refused argument to ``counts``, by reason."""
    r0, r1, c0, c1, triangular = tile[1], tile[2], tile[3], tile[4], tile[5]
    for i in range(r0, r1):
        a, new, room = left_state[i], is_new[i], limit - complexity[i]
        for j in range(max(c0, i + 1) if triangular else c0, c1):
            b = right_state[j]
            if complexity[j] <= room and (new or is_new[j]) and i != j:
                if a == FORBIDDEN or b == FORBIDDEN:
                    counts[FORBIDDEN] += 1
                elif a == NOT_FINITE or b == NOT_FINITE:
                    counts[NOT_FINITE] += 1


@numba.njit(cache=True, nogil=True)
def fill_forbidden(steps, lower, upper, declared, left, right, state):
    """Mark candidates that are singular inside declared intervals."""
    for k in range(left.size):
        i = left[k]
        j = right[k] if right[k] >= 0 else i
        if steps[0] == DIVIDE:
            bad = declared[j] and lower[j] <= 0.0 <= upper[j]
        elif steps[0] == MULTIPLY and steps[-1] == INVERSE:  # 1/(ab) = (1/a)(1/b)
            bad = (declared[i] and lower[i] <= 0.0 <= upper[i]) or (
                declared[j] and lower[j] <= 0.0 <= upper[j]
            )
        else:
            a, b, bad = lower[i], upper[i], False
            known = declared[i] and declared[j]
            for step in steps:
                a, b, singular = interval_of(step, a, b, lower[j], upper[j], i == j)
                bad = bad or (singular and known)
        state[k] = FORBIDDEN if bad else FINE


# -- values ---------------------------------------------------------------------------------------


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _combine(op, rows, left, right, out):
    """First step of an operation on pairs of rows."""
    for k in range(left.size):
        i, j = left[k], right[k]
        if op == ADD:
            for t in range(out.shape[1]):
                out[k, t] = rows[i, t] + rows[j, t]
        elif op == SUBTRACT:
            for t in range(out.shape[1]):
                out[k, t] = rows[i, t] - rows[j, t]
        elif op == MULTIPLY:
            for t in range(out.shape[1]):
                out[k, t] = rows[i, t] * rows[j, t]
        else:
            for t in range(out.shape[1]):
                out[k, t] = rows[i, t] * (1.0 / rows[j, t])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _apply(op, x):
    """Function of every number of a vector, in place."""
    if op == ABS:
        for t in range(x.size):
            x[t] = abs(x[t])
    elif op == INVERSE:
        for t in range(x.size):
            x[t] = 1.0 / x[t]
    elif op == SQUARE:
        for t in range(x.size):
            x[t] = x[t] * x[t]
    elif op == CUBE:
        for t in range(x.size):
            x[t] = x[t] * x[t] * x[t]
    elif op == SQRT:
        for t in range(x.size):
            x[t] = np.sqrt(x[t])
    elif op == CBRT:
        for t in range(x.size):
            x[t] = np.cbrt(x[t])
    elif op == EXP:
        for t in range(x.size):
            x[t] = np.exp(x[t])
    elif op == EXP_NEG:
        for t in range(x.size):
            x[t] = np.exp(-x[t])
    elif op == LOG:
        for t in range(x.size):
            x[t] = np.log(x[t])
    else:
        x[:] = np.nan


@numba.njit(cache=True, nogil=True)
def _is_binary(op):
    """Whether a step takes two arguments."""
    return op in (ADD, SUBTRACT, MULTIPLY, DIVIDE)


@numba.njit(cache=True, nogil=True)
def fill_rows(steps, rows, left, right, out):
    """Values of candidates, one row each; a candidate has the same bits wherever it stands.

    ``steps`` holds the operator codes from the inside out; none: the feature itself.
    """
    begin = 0
    if steps.size and _is_binary(steps[0]):
        _combine(steps[0], rows, left, right, out)
        begin = 1
    else:
        for k in range(left.size):
            out[k] = rows[left[k]]
    for s in range(begin, steps.size):
        _apply(steps[s], out.ravel())


@numba.njit(cache=True, nogil=True)
def fill_states(rows, state):
    """Finite and varying, not finite, zero, or constant (range within 1e-12 of the magnitude)."""
    for k in range(rows.shape[0]):
        low = high = rows[k, 0]
        finite = True
        for value in rows[k]:
            finite &= abs(value) <= 1.7976931348623157e308
            low = min(low, value)
            high = max(high, value)
        if not finite:
            state[k] = NOT_FINITE
        elif low == 0.0 and high == 0.0:
            state[k] = ZERO
        elif high - low <= 1e-12 * max(abs(low), abs(high)):
            state[k] = CONSTANT
        else:
            state[k] = FINE


# -- sums -----------------------------------------------------------------------------------------


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"}, error_model="numpy")
def center_rows(rows, starts, v, q):
    """Take the mean of every task out of every row; v = sum of squares, q = what v is compared with.

    The sum is over centred values, so v can be trusted unless the row is constant but for rounding.
    """
    for k in range(rows.shape[0]):
        for task in range(starts.size - 1):
            row = rows[k, starts[task] : starts[task + 1]]
            mean, plain, centered = 0.0, 0.0, 0.0
            for t in range(row.size):
                mean += row[t]
            mean /= row.size
            for t in range(row.size):
                plain += row[t] * row[t]
            for t in range(row.size):
                row[t] -= mean
            for t in range(row.size):
                centered += row[t] * row[t]
            v[task, 0, k], q[task, 0, k] = centered, centered
            if (
                not 1e-22 * rows.shape[1] * plain < centered < np.inf
            ):  # constant but for rounding, or not finite
                row[:] = 0.0
                v[task, 0, k], q[task, 0, k] = 0.0, np.inf


@numba.njit(cache=True, nogil=True, error_model="numpy")
def fill_columns(steps, samples, i, begin, values, total, square):
    """Values and sums of f(a, b) of feature a = i with a stretch of features b, sample by sample.

    ``samples`` (m, n) has the features as columns. Writes ``values`` (m, c), and
    the sums ``total`` and ``square`` (c,) of f and of its square.
    """
    total[:] = 0.0
    square[:] = 0.0
    op, n = steps[0], values.shape[1]
    for t in range(values.shape[0]):
        a, b, f = samples[t, i], samples[t, begin : begin + n], values[t]
        if op == ADD:
            for j in range(n):
                f[j] = a + b[j]
        elif op == SUBTRACT:
            for j in range(n):
                f[j] = a - b[j]
        elif op == MULTIPLY:
            for j in range(n):
                f[j] = a * b[j]
        else:
            for j in range(n):
                f[j] = a * (1.0 / b[j])
        for s in range(1, steps.size):
            _apply(steps[s], f)
        for j in range(n):
            total[j] += f[j]
            square[j] += f[j] * f[j]


@numba.njit(cache=True, nogil=True)
def subtract_mean_square(total, q, n):
    """Sum f -> sum f^2 - (sum f)^2 / n, in place."""
    share = 1.0 / n
    for i in range(total.shape[0]):
        for j in range(total.shape[1]):
            total[i, j] = q[i, j] - total[i, j] * total[i, j] * share


# -- which pass -----------------------------------------------------------------------------------


@numba.njit(cache=True, nogil=True)
def _set_scaled(y, a, x):
    """Make y equal to a x."""
    for j in range(y.size):
        y[j] = a * x[j]


@numba.njit(cache=True, nogil=True)
def _add_scaled(y, a, x):
    """Add a x to y."""
    for j in range(y.size):
        y[j] += a * x[j]


@numba.njit(cache=True, nogil=True)
def _subtract_square(y, x):
    """Take x^2 from y."""
    for j in range(y.size):
        y[j] -= x[j] * x[j]


@numba.njit(cache=True, nogil=True)
def _raise_excess(residual, left, q, share, noise, wanted, excess, trust):
    """Largest share residual^2 - wanted left over the models: above 0 the gain is above ``wanted``."""
    for j in range(excess.size):
        square = residual[j] * residual[j] * (1.0 + _MARGIN) + noise * q[j]
        over = share * square - wanted * left[j]
        excess[j] = over if over > excess[j] else excess[j]
        trust[j] = trust[j] if left[j] > TRUSTED * q[j] else 0.0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add_gain(residual, left, q, share, noise, gain, trust):
    """Gain += share residual^2 / left of one task."""
    for j in range(gain.size):
        square = residual[j] * residual[j] * (1.0 + _MARGIN) + noise * q[j]
        gain[j] += share * square / left[j]
    for j in range(gain.size):
        trust[j] = trust[j] if left[j] > TRUSTED * q[j] else 0.0


@numba.njit(cache=True, nogil=True)
def _mark_row(v, q, g, i, models, threshold, work, mask):
    """Mark candidates of row i: 1 may pass, 2 cannot be trusted.

    gain_t = sum over tasks of share (g_0 - g_T . slope)^2 / (v - |lower g_T|^2), compared
    with what model t lacks to the threshold; without division where there is one task.
    """
    residual, left, part, gain, excess, trust = work[0], work[1], work[2], work[3], work[4], work[5]
    excess[:] = -np.inf
    trust[:] = 1.0
    n_tasks = v.shape[0]
    for model in range(models.scores.size):
        wanted = threshold - models.scores[model]
        if n_tasks > 1:
            gain[:] = 0.0
        for task in range(n_tasks):
            _set_scaled(residual, 1.0, g[task, 0, i])
            _set_scaled(left, 1.0, v[task, i])
            for a in range(models.sizes[model]):
                _add_scaled(residual, -models.slopes[model, task, a], g[task, models.terms[model, a], i])
                _set_scaled(part, models.lower[model, task, a, 0], g[task, models.terms[model, 0], i])
                for b in range(1, a + 1):
                    _add_scaled(part, models.lower[model, task, a, b], g[task, models.terms[model, b], i])
                _subtract_square(left, part)
            share, noise = models.share[task], models.noise[task]
            if n_tasks == 1:
                _raise_excess(residual, left, q[task, i], share, noise, wanted, excess, trust)
            else:
                _add_gain(residual, left, q[task, i], share, noise, gain, trust)
        if n_tasks > 1:
            for j in range(gain.size):
                over = gain[j] - wanted
                excess[j] = over if over > excess[j] else excess[j]
    for j in range(mask.size):
        mask[j] = 2 if trust[j] == 0.0 else (1 if excess[j] > 0.0 else 0)


@numba.njit(cache=True, nogil=True)
def scan_tile(
    v, q, g, models, threshold, tile, ordered, order, complexity, is_new, limit, left_state, right_state,
    left, right, suspect,
):  # fmt: skip
    """Candidates of a tile that may pass or cannot be trusted; their number."""
    r0, r1, c0, c1, triangular = tile[1], tile[2], tile[3], tile[4], tile[5]
    work = np.empty((6, c1 - c0))
    mask = np.empty(c1 - c0, dtype=np.uint8)
    found = 0
    for i in range(r0, r1):
        begin = max(c0, i + 1) if triangular else c0
        if left_state[i] in (FORBIDDEN, NOT_FINITE) or begin >= c1:
            continue
        _mark_row(v, q, g, i - r0, models, threshold, work, mask)
        close, room = left_state[i] == SUSPECT, limit - complexity[i]
        for j in range(begin, c1):
            state = right_state[j]
            if mask[j - c0] == 0 and state == FINE and not close:
                continue
            if state in (FORBIDDEN, NOT_FINITE) or i == j:
                continue
            if complexity[j] <= room and (is_new[i] or is_new[j]):
                a, b = order[i], order[j]
                swap = b < a and not ordered
                left[found] = b if swap else a
                right[found] = a if swap else b
                suspect[found] = close or state == SUSPECT or mask[j - c0] >= 2
                found += 1
    return found


@numba.njit(cache=True, nogil=True)
def scan_list(v, q, g, models, threshold):
    """Marks of candidates in a row: 0 below the threshold, 1 may pass, 2 or 3 cannot be trusted."""
    work = np.empty((6, v.shape[2]))
    mask = np.empty(v.shape[2], dtype=np.uint8)
    _mark_row(v, q, g, 0, models, threshold, work, mask)
    return mask
