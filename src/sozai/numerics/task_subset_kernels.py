"""Inner loops of the subset search over several tasks: deflate one Gram matrix a task, sum, check signs."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.subset_kernels import QUANTUM, push

__all__ = ["scan_task_prefixes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A contribution smaller than this, target of unit norm, is rounding and has no sign.
NO_SIGN = 1e-10
#: Work units charged for one sign check.
SIGN_WORK = 60
#: Rows of the scratch: gain, largest square left, least signed last coefficient; then the solver's.
SOLVE = 3


@njit(cache=True, nogil=True, error_model="numpy")
def scan_task_prefixes(
    gram: Floats,
    deflated: Floats,
    projection: Floats,
    diagonal: Floats,
    gain: Floats,
    norms: Floats,
    prefix: Ints,
    state: Ints,
    complexity: Ints,
    keys: Ints,
    costs: Ints,
    ids: Ints,
    room: Floats,
    sign: int,
    tolerance: float,
    budget: int,
) -> bool:
    """Score every subset that starts with ``prefix[0]``, in lexicographic order, until done or out of budget.

    ``gram`` (n_tasks, n, n) is level 0, ``deflated`` (d-3, n_tasks, n, n) the levels behind it; level l of
    ``projection, diagonal`` (d-1, n_tasks, n) has ``prefix[:l]`` taken out. A column that depends on the
    prefix within one task changes nothing there. ``norms`` (n_tasks,) are those of the targets, ``room``
    (4 + d, max(n, d)) is scratch. ``state`` holds (level, heap size, n_scored, n_skipped,
    n_collinear_pivots). Returns True when the subtree is finished; call again otherwise.
    """
    depth, n_tasks, n = projection.shape  # depth: columns fixed before the scan, d - 1
    columns = np.empty(depth + 1, np.int64)
    level = state[0]
    work = 0
    while True:
        j = prefix[level]
        if j > n - 1 - (depth - level):
            level -= 1
            if level < 1:
                state[0] = 0
                return True
            prefix[level] += 1
            continue
        usable = 0
        base = gain[level]
        for t in range(n_tasks):
            pivot = diagonal[level, t, j]
            if pivot >= tolerance:
                usable += 1
                base += projection[level, t, j] ** 2 / pivot
        state[4] += n_tasks - usable
        if usable == 0:
            state[3] += _count_subsets(n - 1 - j, depth - level)
        elif level == depth - 1:
            for t in range(n_tasks):
                _add_task(gram, deflated, projection, diagonal, prefix, level, t, j, sign, tolerance, room)
            needed = _needed_gain(keys, state[1]) - base
            hits, collinear = _count_hits(room, j + 1, n, needed, tolerance)
            state[2] += n - 1 - j - collinear
            state[3] += collinear
            work += n_tasks * (n - 1 - j)
            if hits > 0:
                cost = 0
                for depth_index in range(depth):
                    columns[depth_index] = prefix[depth_index]
                    cost += complexity[prefix[depth_index]]
                for k in range(j + 1, n):
                    if room[1, k] > tolerance and room[0, k] > needed and room[2, k] >= 0.0:
                        columns[depth] = k
                        if sign != 0:
                            work += n_tasks * SIGN_WORK
                            if not _has_sign(gram, projection, norms, columns, sign, tolerance, room):
                                continue
                        key = int(max(1.0 - (base + room[0, k]), 0.0) / QUANTUM)
                        state[1] = push(keys, costs, ids, state[1], key, cost + complexity[k], columns)
                        needed = _needed_gain(keys, state[1]) - base
        else:
            for t in range(n_tasks):
                _deflate(gram, deflated, projection, diagonal, level, t, j, depth, tolerance)
            gain[level + 1] = base
            work += n_tasks * (n - j) * (n - j) // 2
            level += 1
            prefix[level] = j + 1
            continue
        if level == 0:
            return True
        prefix[level] += 1
        if work > budget:
            state[0] = level
            return False


@njit(cache=True, nogil=True, error_model="numpy")
def _add_task(
    gram: Floats,
    deflated: Floats,
    projection: Floats,
    diagonal: Floats,
    prefix: Ints,
    level: int,
    t: int,
    j: int,
    sign: int,
    tolerance: float,
    room: Floats,
) -> None:
    """Add what one task says of the columns behind j to the first rows of ``room``."""
    if t == 0:
        room[:SOLVE, j + 1 :] = 0.0
    pivot = diagonal[level, t, j]
    w = 1.0 / pivot if pivot >= tolerance else 0.0
    u = projection[level, t, j] * w
    row = gram[t, j]
    above = row
    factor = 0.0
    if level > 0:  # the last deflation is done on the fly
        source = gram[t] if level == 1 else deflated[level - 2, t]
        i = prefix[level - 1]
        row = source[j]
        above = source[i]
        if diagonal[level - 1, t, i] >= tolerance:
            factor = source[i, j] / diagonal[level - 1, t, i]
    past, left = projection[level, t], diagonal[level, t]
    _add_gains(row, above, factor, past, left, j + 1, u, w, tolerance, room)
    if sign != 0:
        _look_at_signs(row, above, factor, past, left, j + 1, u, w, sign, tolerance, room)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_gains(
    row: Floats,
    above: Floats,
    factor: float,
    projection: Floats,
    diagonal: Floats,
    start: int,
    u: float,
    w: float,
    tolerance: float,
    room: Floats,
) -> None:
    """Gains of the columns from ``start`` on, and the largest square left; vectorised."""
    total = room[0]
    largest = room[1]
    for k in range(start, row.shape[0]):
        r = row[k] - factor * above[k]
        a = projection[k] - u * r
        b = diagonal[k] - w * r * r
        total[k] += a * a / b if b > tolerance else 0.0
        largest[k] = b if b > largest[k] else largest[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _look_at_signs(
    row: Floats,
    above: Floats,
    factor: float,
    projection: Floats,
    diagonal: Floats,
    start: int,
    u: float,
    w: float,
    sign: int,
    tolerance: float,
    room: Floats,
) -> None:
    """Coefficient of the last column, to a positive factor: the least one of all tasks; vectorised."""
    least = room[2]
    for k in range(start, row.shape[0]):
        r = row[k] - factor * above[k]
        a = sign * (projection[k] - u * r)
        b = diagonal[k] - w * r * r
        a = a if b > tolerance else 0.0
        least[k] = a if a < least[k] else least[k]


@njit(cache=True, nogil=True)
def _count_hits(room: Floats, start: int, n: int, needed: float, tolerance: float) -> tuple[int, int]:
    """Count columns whose gain exceeds ``needed``, and those that are collinear in every task."""
    total = room[0]
    largest = room[1]
    least = room[2]
    hits = 0
    collinear = 0
    for k in range(start, n):
        hits += (total[k] > needed) & (largest[k] > tolerance) & (least[k] >= 0.0)
        collinear += largest[k] <= tolerance
    return hits, collinear


@njit(cache=True, nogil=True)
def _needed_gain(keys: Ints, size: int) -> float:
    """Gain a subset must exceed to be of interest; -inf while the heap is not full."""
    if size < keys.shape[0] - 1:
        return -np.inf
    return 1.0 - float(keys[1] + 1) * QUANTUM


@njit(cache=True, nogil=True, error_model="numpy")
def _deflate(
    gram: Floats,
    deflated: Floats,
    projection: Floats,
    diagonal: Floats,
    level: int,
    t: int,
    j: int,
    depth: int,
    tolerance: float,
) -> None:
    """Take column j out of everything behind it in one task: C' = C - C_j C_j'/C_jj."""
    n = projection.shape[2]
    pivot = diagonal[level, t, j]
    w = 1.0 / pivot if pivot >= tolerance else 0.0
    u = projection[level, t, j] * w
    source = gram[t] if level == 0 else deflated[level - 1, t]
    row = source[j]
    for k in range(j + 1, n):
        projection[level + 1, t, k] = projection[level, t, k] - u * row[k]
        diagonal[level + 1, t, k] = diagonal[level, t, k] - w * row[k] * row[k]
    if level + 1 < depth - 1:
        for i in range(j + 1, n):
            factor = row[i] * w
            old = source[i]
            new = deflated[level, t, i]
            for k in range(i + 1, n):
                new[k] = old[k] - factor * row[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _has_sign(
    gram: Floats,
    projection: Floats,
    norms: Floats,
    columns: Ints,
    sign: int,
    tolerance: float,
    room: Floats,
) -> bool:
    """Tell whether the least-squares coefficients of a subset have the sign in every task.

    In a task where the columns depend on each other, some least-squares solution must have it; a basic one
    does if any does, so all subsets of the columns are tried.
    """
    size = columns.shape[0]
    everything = (1 << size) - 1
    for t in range(gram.shape[0]):
        small = NO_SIGN * norms[t]
        if norms[t] == 0.0:
            continue
        explained = _solve(gram[t], projection[0, t], columns, everything, tolerance, room)
        if explained >= 0.0:
            for a in range(size):
                if sign * room[SOLVE, a] <= small:
                    return False
            continue
        best = 0.0
        best_signed = 0.0
        for mask in range(1, everything):
            explained = _solve(gram[t], projection[0, t], columns, mask, tolerance, room)
            best = max(best, explained)
            signed = explained > best_signed
            for a in range(size):
                if (mask >> a) & 1 and sign * room[SOLVE, a] <= small:
                    signed = False
            if signed:
                best_signed = explained
        if best_signed < best - NO_SIGN * norms[t] ** 2:
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(
    gram: Floats, projection: Floats, columns: Ints, mask: int, tolerance: float, room: Floats
) -> float:
    """Coefficients of the columns in ``mask`` into ``room[2]``; what they explain, -1 where dependent.

    Cholesky: ``room[2 + a, :a]`` holds row a of the factor for a > 0, ``room[2]`` the right-hand side. The
    diagonal of the factor is kept in ``room[SOLVE + size]``.
    """
    size = columns.shape[0]
    diagonal = room[SOLVE + size]
    solution = room[SOLVE]
    explained = 0.0
    for a in range(size):
        solution[a] = 0.0
        if not (mask >> a) & 1:
            continue
        pivot = gram[columns[a], columns[a]]
        along = projection[columns[a]]
        for b in range(a):
            if not (mask >> b) & 1:
                continue
            entry = gram[columns[b], columns[a]]
            for c in range(b):
                if (mask >> c) & 1:
                    entry -= room[SOLVE + a, c] * room[SOLVE + b, c]
            entry /= diagonal[b]
            room[SOLVE + a, b] = entry
            pivot -= entry * entry
            along -= entry * solution[b]
        if pivot < tolerance:
            return -1.0
        diagonal[a] = np.sqrt(pivot)
        solution[a] = along / diagonal[a]
        explained += solution[a] * solution[a]
    for a in range(size - 1, -1, -1):
        if not (mask >> a) & 1:
            continue
        for b in range(a + 1, size):
            if (mask >> b) & 1:
                solution[a] -= room[SOLVE + b, a] * solution[b]
        solution[a] /= diagonal[a]
    return explained


@njit(cache=True, nogil=True)
def _count_subsets(n: int, k: int) -> int:
    """Count the subsets of size k, as int64 (saturated)."""
    result = 1.0
    for i in range(k):
        result = result * (n - i) / (i + 1)
    return int(min(np.rint(result), 9e18))
