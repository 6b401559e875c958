"""Inner loops of the subset search: deflate a Gram matrix, scan a row, keep the best."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["QUANTUM", "drop_subsets", "push", "scan_prefixes", "scan_press"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Sums of squares (target of unit norm) closer than this are one value while searching.
QUANTUM = 1e-13
# typed, so that one compiled version serves all calls
_SCRATCH: Any = np.int64(0)
_ROOT: Any = np.int64(1)


@njit(cache=True, nogil=True)
def _worse(keys: Ints, costs: Ints, ids: Ints, a: int, b: int) -> bool:
    """Tell whether entry ``a`` is worse than ``b`` in the order (score, complexity, columns)."""
    if keys[a] != keys[b]:
        return bool(keys[a] > keys[b])
    if costs[a] != costs[b]:
        return bool(costs[a] > costs[b])
    for level in range(ids.shape[1]):
        if ids[a, level] != ids[b, level]:
            return bool(ids[a, level] > ids[b, level])
    return False


@njit(cache=True, nogil=True)
def _swap(keys: Ints, costs: Ints, ids: Ints, a: int, b: int) -> None:
    """Exchange two entries."""
    keys[a], keys[b] = keys[b], keys[a]
    costs[a], costs[b] = costs[b], costs[a]
    for level in range(ids.shape[1]):
        ids[a, level], ids[b, level] = ids[b, level], ids[a, level]


@njit(cache=True, nogil=True)
def push(keys: Ints, costs: Ints, ids: Ints, size: int, key: int, cost: int, columns: Ints) -> int:
    """Offer one subset to the heap whose root is the worst kept; slot 0 is scratch.

    ``keys, costs, ids`` have ``1 + n_keep`` rows, entries live in rows ``1..size``. Returns the size.
    """
    capacity = keys.shape[0] - 1
    keys[0] = key
    costs[0] = cost
    for level in range(ids.shape[1]):
        ids[0, level] = columns[level]
    if size < capacity:
        size += 1
        _swap(keys, costs, ids, _SCRATCH, size)
        child = size
        while child > 1 and _worse(keys, costs, ids, child, child // 2):
            _swap(keys, costs, ids, child, child // 2)
            child //= 2
        return size
    if not _worse(keys, costs, ids, _ROOT, _SCRATCH):
        return size
    _swap(keys, costs, ids, _SCRATCH, _ROOT)
    parent = _ROOT
    while True:
        child = 2 * parent
        if child > size:
            return size
        if child < size and _worse(keys, costs, ids, child + 1, child):
            child += 1
        if not _worse(keys, costs, ids, child, parent):
            return size
        _swap(keys, costs, ids, child, parent)
        parent = child


@njit(cache=True, nogil=True)
def _needed_gain(keys: Ints, size: int) -> float:
    """Gain a subset must exceed to be of interest; -inf while the heap is not full."""
    if size < keys.shape[0] - 1:
        return -np.inf
    return 1.0 - float(keys[1] + 1) * QUANTUM


@njit(cache=True, nogil=True)
def _count_hits(
    row: Floats,
    above: Floats,
    factor: float,
    projection: Floats,
    diagonal: Floats,
    start: int,
    u: float,
    w: float,
    needed: float,
    tolerance: float,
) -> tuple[int, int]:
    """Count columns whose gain exceeds ``needed``, and those that are collinear; no division, vectorised."""
    hits = 0
    collinear = 0
    for k in range(start, row.shape[0]):
        r = row[k] - factor * above[k]
        a = projection[k] - u * r
        b = diagonal[k] - w * r * r
        hits += (a * a > needed * b) & (b > tolerance)
        collinear += b <= tolerance
    return hits, collinear


@njit(cache=True, nogil=True)
def scan_prefixes(
    gram: Floats,
    projection: Floats,
    diagonal: Floats,
    gain: Floats,
    prefix: Ints,
    state: Ints,
    complexity: Ints,
    keys: Ints,
    costs: Ints,
    ids: Ints,
    tolerance: float,
    budget: int,
) -> bool:
    """Score every subset that starts with ``prefix[0]``, in lexicographic order, until done or out of budget.

    Level l of ``projection, diagonal`` (d-1, n) and ``gram`` (d-2, n, n) is deflated by ``prefix[:l]``;
    the last column of a subset is scanned in one vectorised pass. ``state`` holds (level, heap size,
    n_scored, n_skipped, n_collinear_pivots). Returns True when the subtree is finished; call again otherwise.
    """
    depth = projection.shape[0]  # columns fixed before the scan, d - 1
    n = projection.shape[1]
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
        pivot = diagonal[level, j]
        if pivot < tolerance:
            state[4] += 1
            state[3] += _binomial(n - 1 - j, depth - level)
        elif level == depth - 1:
            base = gain[level] + projection[level, j] ** 2 / pivot
            if level == 0:
                row = gram[0, j]
                above = row
                factor = 0.0
            else:
                i = prefix[level - 1]
                row = gram[level - 1, j]
                above = gram[level - 1, i]
                factor = gram[level - 1, i, j] / diagonal[level - 1, i]
            u = projection[level, j] / pivot
            w = 1.0 / pivot
            needed = _needed_gain(keys, state[1]) - base
            hits, collinear = _count_hits(
                row, above, factor, projection[level], diagonal[level], j + 1, u, w, needed, tolerance
            )
            state[2] += n - 1 - j - collinear
            state[3] += collinear
            work += n - 1 - j
            if hits > 0:
                cost = 0
                for depth_index in range(depth):
                    columns[depth_index] = prefix[depth_index]
                    cost += complexity[prefix[depth_index]]
                for k in range(j + 1, n):
                    r = row[k] - factor * above[k]
                    a = projection[level, k] - u * r
                    b = diagonal[level, k] - w * r * r
                    if b > tolerance and a * a > needed * b:
                        key = int(max(1.0 - (base + a * a / b), 0.0) / QUANTUM)
                        columns[depth] = k
                        state[1] = push(keys, costs, ids, state[1], key, cost + complexity[k], columns)
                        needed = _needed_gain(keys, state[1]) - base
        else:
            _deflate(gram, projection, diagonal, level, j, depth)
            gain[level + 1] = gain[level] + projection[level, j] ** 2 / pivot
            work += (n - j) * (n - j) // 2
            level += 1
            prefix[level] = j + 1
            continue
        if level == 0:
            return True
        prefix[level] += 1
        if work > budget:
            state[0] = level
            return False


@njit(cache=True, nogil=True)
def _deflate(gram: Floats, projection: Floats, diagonal: Floats, level: int, j: int, depth: int) -> None:
    """Take column j out of everything behind it: C' = C - C_j C_j'/C_jj."""
    n = projection.shape[1]
    w = 1.0 / diagonal[level, j]
    u = projection[level, j] * w
    row = gram[level, j]
    for k in range(j + 1, n):
        projection[level + 1, k] = projection[level, k] - u * row[k]
        diagonal[level + 1, k] = diagonal[level, k] - w * row[k] * row[k]
    if level + 1 < depth - 1:
        for i in range(j + 1, n):
            factor = row[i] * w
            source = gram[level, i]
            target = gram[level + 1, i]
            for k in range(i + 1, n):
                target[k] = source[k] - factor * row[k]


@njit(cache=True, nogil=True)
def _binomial(n: int, k: int) -> int:
    """Count the subsets of size k, as int64 (saturated)."""
    result = 1.0
    for i in range(k):
        result = result * (n - i) / (i + 1)
    return int(min(np.rint(result), 9e18))


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _dot(a: Floats, b: Floats) -> float:
    """Inner product; the order of summation is fixed when compiled, not at run time."""
    total = 0.0
    for t in range(a.shape[0]):
        total += a[t] * b[t]
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _press(residual: Floats, leverage: Floats, x: Floats, slope: float, square: float) -> float:
    """Leave-one-out sum of squares after column x (orthogonal to the rest) has joined the fit."""
    total = 0.0
    w = 1.0 / square
    for t in range(x.shape[0]):
        gap = 1.0 - leverage[t] - x[t] * x[t] * w
        e = (residual[t] - slope * x[t]) / max(gap, 1e-150)
        total += e * e
    return total


@njit(cache=True, nogil=True)
def scan_press(
    stack: Floats,
    residual: Floats,
    leverage: Floats,
    rest: Floats,
    prefix: Ints,
    state: Ints,
    complexity: Ints,
    keys: Ints,
    costs: Ints,
    ids: Ints,
    tolerance: float,
    unit: float,
    budget: int,
) -> bool:
    """As :func:`scan_prefixes`, ranked by the leave-one-out sum of squares of every subset.

    Level l of ``stack`` (d, n, m) holds the columns orthogonal to ``prefix[:l]`` (and to the constant),
    level l of ``residual, leverage`` (d, m) and ``rest`` (d,), its sum of squares, the fit by ``prefix[:l]``.
    A subset whose residual alone is already worse than the worst kept needs no leave-one-out sum.
    """
    depth = stack.shape[0] - 1
    n, m = stack.shape[1], stack.shape[2]
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
        x = stack[level, j]
        square = _dot(x, x)
        along = _dot(x, residual[level])
        if square < tolerance:
            state[4] += 1
            state[3] += _binomial(n - 1 - j, depth - level)
        elif level == depth:
            state[2] += 1
            work += m
            limit = np.inf
            if state[1] == keys.shape[0] - 1:
                limit = (keys[1] + 1) * unit
            if rest[level] - along * along / square < limit:
                total = _press(residual[level], leverage[level], x, along / square, square)
                if total < limit:
                    cost = 0
                    for depth_index in range(depth + 1):
                        columns[depth_index] = prefix[depth_index]
                        cost += complexity[prefix[depth_index]]
                    key = int(min(total / unit, 9e18))
                    state[1] = push(keys, costs, ids, state[1], key, cost, columns)
        else:
            work += (n - j) * m
            for t in range(m):
                residual[level + 1, t] = residual[level, t] - along / square * x[t]
                leverage[level + 1, t] = leverage[level, t] + x[t] * x[t] / square
            rest[level + 1] = _dot(residual[level + 1], residual[level + 1])
            for k in range(j + 1, n):
                inner = _dot(x, stack[level, k]) / square
                for t in range(m):
                    stack[level + 1, k, t] = stack[level, k, t] - inner * x[t]
            level += 1
            prefix[level] = j + 1
            continue
        if level == 0:
            return True
        prefix[level] += 1
        if work > budget:
            state[0] = level
            return False


@njit(cache=True, nogil=True)
def drop_subsets(
    inverse: Floats,
    coefficients: Floats,
    sse: Floats,
    active: Ints,
    locked: Ints,
    cursor: Ints,
    state: Ints,
    order: Ints,
    complexity: Ints,
    keys: Ints,
    costs: Ints,
    ids: Ints,
    budget: int,
) -> bool:
    """Leaps and bounds: drop columns from the full model; the residual of a set bounds all its subsets.

    Level l has ``size = n - l`` active columns; positions below ``locked[l]`` stay. ``cursor[l]`` is the
    next position to drop, walked downwards. Columns come most important first, so that early positions
    are cut off at once. ``state`` as in :func:`scan_prefixes`. Returns True when the tree is finished.
    """
    n = active.shape[1]
    d = ids.shape[1]
    bottom = n - d - 1  # level whose children are leaves
    columns = np.empty(d, np.int64)
    level = state[0]
    work = 0
    while level >= 0:
        i = cursor[level]
        if i < locked[level]:
            level -= 1
            continue
        cursor[level] -= 1
        rise = coefficients[level, i] ** 2 / inverse[level, i, i]
        value = sse[level] + rise
        work += 1
        if state[1] == keys.shape[0] - 1 and value >= (keys[1] + 1) * QUANTUM:
            state[3] += _binomial(n - level - 1 - i, d - i)
            continue
        size = n - level
        if level == bottom:
            cost = 0
            slot = 0
            for position in range(size):
                if position != i:
                    columns[slot] = order[active[level, position]]
                    cost += complexity[columns[slot]]
                    slot += 1
            columns.sort()
            state[2] += 1
            state[1] = push(keys, costs, ids, state[1], int(max(value, 0.0) / QUANTUM), cost, columns)
            continue
        _drop(inverse, coefficients, active, level, i, size)
        sse[level + 1] = value
        locked[level + 1] = i
        cursor[level + 1] = d
        level += 1
        work += (size - i) * (size - i)
        if work > budget:
            state[0] = level
            return False
    state[0] = -1
    return True


@njit(cache=True, nogil=True)
def _drop(inverse: Floats, coefficients: Floats, active: Ints, level: int, i: int, size: int) -> None:
    """Downdate P and the coefficients of the positions that may still be dropped (from i on)."""
    pivot = inverse[level, i, i]
    scale = coefficients[level, i] / pivot
    for a in range(size - 1):
        source_a = a + 1 if a >= i else a
        active[level + 1, a] = active[level, source_a]
        if a < i:
            continue
        coefficients[level + 1, a] = coefficients[level, source_a] - inverse[level, source_a, i] * scale
        factor = inverse[level, source_a, i] / pivot
        for b in range(i, size - 1):
            inverse[level + 1, a, b] = inverse[level, source_a, b + 1] - factor * inverse[level, i, b + 1]
