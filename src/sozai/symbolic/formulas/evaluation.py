"""Values of many expressions at once: one pass over the shared graph, block by block."""

from __future__ import annotations

import numba
import numpy as np

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

__all__ = ["evaluate_nodes", "fill_levels", "reachable"]

_BLOCK_BYTES = 1 << 24  # intermediate values held at a time


@numba.njit(cache=True, nogil=True)
def _mark_reachable(op, left, right, needed):
    """Extend ``needed`` from wanted nodes to all nodes below them."""
    for node in range(needed.size - 1, -1, -1):
        if needed[node] and op[node] > LEAF:
            needed[left[node]] = True
            if right[node] >= 0:
                needed[right[node]] = True


def reachable(op: np.ndarray, left: np.ndarray, right: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Ids of all nodes below ``ids``, children before parents."""
    needed = np.zeros(int(ids.max()) + 1 if ids.size else 0, dtype=np.bool_)
    needed[ids] = True
    _mark_reachable(op, left, right, needed)
    return np.flatnonzero(needed)


@numba.njit(cache=True, nogil=True)
def fill_levels(op, left, right, nodes, level):
    """Height of every node above the leaves; children come before parents in ``nodes``."""
    for node in nodes:
        if op[node] > LEAF:
            height = level[left[node]]
            if right[node] >= 0:
                height = max(height, level[right[node]])
            level[node] = height + 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _apply(op, a, b, out):
    """One operator on one stretch of rows."""
    if op == ADD:
        for t in range(out.size):
            out[t] = a[t] + b[t]
    elif op == SUBTRACT:
        for t in range(out.size):
            out[t] = a[t] - b[t]
    elif op == MULTIPLY:
        for t in range(out.size):
            out[t] = a[t] * b[t]
    elif op == ABS:
        for t in range(out.size):
            out[t] = abs(a[t])
    elif op == INVERSE:
        for t in range(out.size):
            out[t] = 1.0 / a[t]
    else:
        _apply_function(op, a, out)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _apply_function(op, a, out):
    """Roots, exponentials and the logarithm on one stretch of rows."""
    for t in range(out.size):
        if op == SQRT:
            out[t] = np.sqrt(a[t])
        elif op == CBRT:
            out[t] = np.cbrt(a[t])
        elif op == EXP:
            out[t] = np.exp(a[t])
        elif op == EXP_NEG:
            out[t] = np.exp(-a[t])
        elif op == LOG:
            out[t] = np.log(a[t])
        else:
            out[t] = np.nan


@numba.njit(cache=True, nogil=True)
def _row(place, leaves, buffer, out, first, last):
    """Values of a node in one block of rows: an output, a leaf or an intermediate."""
    kind, index = place & 3, place >> 2
    if kind == 0:
        return out[index, first:last]
    if kind == 1:
        return leaves[index, first:last]
    return buffer[index, : last - first]


@numba.njit(cache=True, nogil=True)
def _evaluate_block(op, left, right, place, numbers, leaves, buffer, out, first, last):
    """All nodes in order on rows first...last."""
    for k in range(op.size):
        target = _row(place[k], leaves, buffer, out, first, last)
        if op[k] == CONSTANT:
            for t in range(target.size):
                target[t] = numbers[left[k]]
        elif op[k] == LEAF:
            for t in range(target.size):
                target[t] = leaves[left[k], first + t]
        else:
            a = _row(place[left[k]], leaves, buffer, out, first, last)
            b = a if right[k] < 0 else _row(place[right[k]], leaves, buffer, out, first, last)
            _apply(op[k], a, b, target)


def evaluate_nodes(
    op: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    numbers: np.ndarray,
    ids: np.ndarray,
    leaves: np.ndarray,
    *,
    block_bytes: int | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Values of the nodes ``ids``, one row each.

    Parameters
    ----------
    op, left, right : ndarray
        The whole graph.
    numbers : ndarray
        Constants as floats.
    ids : ndarray of shape (n,)
        Wanted nodes; may repeat.
    leaves : ndarray of shape (n_columns, n_samples)
        Primary columns as rows.
    block_bytes : int, optional
        Intermediate values held at a time.
    out : ndarray of shape (n, n_samples), optional
        Where to write.

    Returns
    -------
    ndarray of shape (n, n_samples)
    """
    leaves = np.require(leaves, np.float64, ["C", "W"])  # one compiled version serves all
    n_samples = leaves.shape[1]
    wanted, first_position = np.unique(ids, return_index=True)
    out = np.empty((ids.size, n_samples)) if out is None else out
    if not ids.size:
        return out
    nodes = reachable(op, left, right, wanted)
    index = np.full(int(nodes[-1]) + 1, -1, dtype=np.int64)
    index[nodes] = np.arange(nodes.size)
    place = np.full(nodes.size, -1, dtype=np.int64)
    place[index[wanted]] = first_position << 2
    is_leaf = (op[nodes] == LEAF) & (place < 0)
    place[is_leaf] = (left[nodes[is_leaf]] << 2) | 1
    inner = np.flatnonzero(place < 0)
    place[inner] = (np.arange(inner.size) << 2) | 2
    composite = op[nodes] > LEAF
    a, b = left[nodes].copy(), right[nodes].copy()
    a[composite] = index[a[composite]]
    binary = composite & (b >= 0)
    b[binary] = index[b[binary]]
    rows = max(1, (block_bytes or _BLOCK_BYTES) // (8 * max(1, inner.size)))
    buffer = np.empty((inner.size, min(rows, n_samples)))
    for first in range(0, n_samples, rows):
        last = min(first + rows, n_samples)
        _evaluate_block(op[nodes], a, b, place, numbers, leaves, buffer, out, first, last)
    if wanted.size < ids.size:
        copies = np.setdiff1d(np.arange(ids.size), first_position)
        out[copies] = out[first_position[np.searchsorted(wanted, ids[copies])]]
    return out
