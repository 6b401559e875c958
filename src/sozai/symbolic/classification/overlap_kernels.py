"""Compiled loops over pairs of features: samples inside the hulls of other classes, the best pairs kept."""

from __future__ import annotations

import numba
import numpy as np

from sozai.symbolic.classification.planar import chain_below, overlap_area, points_above

__all__ = ["fill_masks", "mark_undecided", "scan_pairs"]


@numba.njit(cache=True, nogil=True)
def mark_undecided(x, y, order, starts, limit, chains_x, chains_y, sizes, flags):
    """Mark the samples inside the hull of another class, stop above ``limit``; return their number."""
    n_classes = starts.size - 1
    for c in range(n_classes):
        mine = order[starts[c] : starts[c + 1]]
        sizes[c, 0] = chain_below(x, y, mine, 1.0, chains_x[c, 0], chains_y[c, 0])
        sizes[c, 1] = chain_below(x, y, mine, -1.0, chains_x[c, 1], chains_y[c, 1])
    count = 0
    for hull in range(n_classes):
        flags[hull] = False
        for c in range(n_classes):
            if c == hull:
                continue
            mine = order[starts[c] : starts[c + 1]]
            flags[hull, starts[c] : starts[c + 1]] = True
            points_above(x, y, mine, 1.0, chains_x[hull, 0], chains_y[hull, 0], sizes[hull, 0], flags[hull])
            count += points_above(
                x, y, mine, -1.0, chains_x[hull, 1], chains_y[hull, 1], sizes[hull, 1], flags[hull]
            )
            if count > limit:
                return count
    return count


@numba.njit(cache=True, nogil=True)
def scan_pairs(values, order, starts, weight, first, last, table):
    """Best pairs (count, area, complexity, i, j) with i in first...last; returns how many."""
    n, m = values.shape
    n_classes = starts.size - 1
    chains_x, chains_y = np.empty((n_classes, 2, m)), np.empty((n_classes, 2, m))
    sizes = np.empty((n_classes, 2), np.int64)
    flags = np.empty((n_classes, m), np.bool_)
    work = np.empty((3, 4 * m + 8, 2))
    entry = np.empty(5)
    found = 0
    for i in range(first, last):
        for j in range(i + 1, n):
            limit = np.int64(table[found - 1, 0]) if found == table.shape[0] else n_classes * m
            count = mark_undecided(
                values[i], values[j], order[i], starts, limit, chains_x, chains_y, sizes, flags
            )
            if count > limit:
                continue
            area = 0.0
            for a in range(n_classes):
                for c in range(a):
                    area += overlap_area(chains_x, chains_y, sizes, a, c, work)
            entry[0], entry[1] = count, area / (n_classes * (n_classes - 1) / 2)
            entry[2], entry[3], entry[4] = weight[i] + weight[j], i, j
            found = _insert(table, found, entry)
    return found


@numba.njit(cache=True, nogil=True)
def _insert(table, found, entry):
    """Put an entry into a sorted table that keeps the smallest; returns how many it holds."""
    if found == table.shape[0]:
        if not _before(entry, table[found - 1]):
            return found
        found -= 1
    place = found
    while place > 0 and _before(entry, table[place - 1]):
        for k in range(entry.size):
            table[place, k] = table[place - 1, k]
        place -= 1
    for k in range(entry.size):
        table[place, k] = entry[k]
    return found + 1


@numba.njit(cache=True, nogil=True)
def _before(one, other):
    """Lexicographic order."""
    for k in range(one.size):
        if one[k] != other[k]:
            return one[k] < other[k]
    return False


@numba.njit(cache=True, nogil=True)
def fill_masks(values, order, starts, masks):
    """Bit ``hull * m + t`` of every pair of features: sample t lies inside that hull."""
    n, m = values.shape
    n_classes = starts.size - 1
    chains_x, chains_y = np.empty((n_classes, 2, m)), np.empty((n_classes, 2, m))
    sizes = np.empty((n_classes, 2), np.int64)
    flags = np.empty((n_classes, m), np.bool_)
    one = np.uint64(1)
    for i in range(n):
        for j in range(i + 1, n):
            mark_undecided(
                values[i], values[j], order[i], starts, n_classes * m, chains_x, chains_y, sizes, flags
            )
            for hull in range(n_classes):
                for t in range(m):
                    if flags[hull, t]:
                        bit = hull * m + t
                        masks[i, j, bit >> 6] |= one << np.uint64(bit & 63)
