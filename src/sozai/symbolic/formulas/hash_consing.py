"""One id per expression: the table of nodes, its canonical forms and its hash index."""

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
    LEAF,
    LOG,
    MULTIPLY,
    SQRT,
    SQUARE,
    SUBTRACT,
)

__all__ = [
    "LONGEST_CHAIN",
    "NUMBER",
    "PLAIN",
    "PRODUCT",
    "SCALED",
    "SUM",
    "Table",
    "add_many",
    "append",
    "grow",
    "intern",
    "intern_many",
    "new_table",
    "rehash",
]

PLAIN, NUMBER, SCALED, PRODUCT, SUM = range(5)
"""Shapes of a node: anything else, a rational number, number times rest, product chain, sum chain."""

LONGEST_CHAIN = 4096  # longest chain merged in compiled code; longer ones take the general path
_NEGATE = -1  # step: multiply by the number -1
_INVERSE, _NONE = np.int64(INVERSE), np.int64(-1)  # typed, so that one compiled version serves all calls


NODE = np.dtype(
    [
        ("op", np.int16),
        ("order", np.int16),
        ("complexity", np.int32),
        ("left", np.int64),
        ("right", np.int64),
        ("hash", np.uint64),
        ("lower", np.float64),
        ("upper", np.float64),
        ("form", np.uint8),
        ("reciprocal", np.bool_),
        ("unsafe", np.bool_),
        ("declared", np.bool_),
        ("rejected", np.bool_),
        ("dimension", np.int32),
    ],
    align=True,
)
"""What is kept of one expression, side by side in memory; ``reciprocal``: 1/a or a product of such."""


class Table(NamedTuple):
    """Nodes with room to grow, their index, and ``counts``.

    ``counts`` = number of nodes, id of the number -1, and 1 where x (1/x) is written as 1.
    """

    nodes: np.ndarray
    slots: np.ndarray
    counts: np.ndarray
    weights: np.ndarray
    op_hash: np.ndarray


def new_table(capacity: int, weights: np.ndarray, op_hash: np.ndarray, cancel: bool) -> Table:
    """Empty table with room for ``capacity`` nodes."""
    slots = np.full(_slot_count(capacity), -1, dtype=np.int64)
    counts = np.array([0, -1, cancel], dtype=np.int64)
    return Table(np.zeros(capacity, dtype=NODE), slots, counts, weights, op_hash)


def grow(table: Table, capacity: int) -> Table:
    """Copy of the table with room for at least ``capacity`` nodes."""
    capacity = max(capacity, 2 * table.nodes.size)
    nodes = np.zeros(capacity, dtype=NODE)
    nodes[: table.nodes.size] = table.nodes
    larger = table._replace(nodes=nodes, slots=np.full(_slot_count(capacity), -1, dtype=np.int64))
    rehash(larger)
    return larger


def _slot_count(capacity: int) -> int:
    """Power of two at least twice the capacity."""
    return 1 << int(2 * capacity - 1).bit_length()


@numba.njit(cache=True, nogil=True)
def _mix(value):
    """Finalizer of splitmix64: spreads every input bit over the word."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def _slot_of(op, left, right):
    """Hash of the key (op, left, right)."""
    key = np.uint64(op) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(left) * np.uint64(0xC2B2AE3D27D4EB4F)
    return _mix(key + np.uint64(right) * np.uint64(0x165667B19E3779F9))


@numba.njit(cache=True, nogil=True)
def rehash(table):
    """Fill the index of all nodes that have children."""
    mask = table.slots.size - 1
    for node in range(table.counts[0]):
        if table.nodes[node].op > LEAF:
            place = np.int64(
                _slot_of(np.int64(table.nodes[node].op), table.nodes[node].left, table.nodes[node].right)
                & np.uint64(mask)
            )
            while table.slots[place] >= 0:
                place = (place + 1) & mask
            table.slots[place] = node


@numba.njit(cache=True, nogil=True)
def append(table, op, left, complexity, order, code, lower, upper, form, declared):
    """New number or leaf."""
    node = table.counts[0]
    table.counts[0] += 1
    table.nodes[node].op = op
    table.nodes[node].left = left
    table.nodes[node].right = -1
    table.nodes[node].complexity = complexity
    table.nodes[node].order = order
    table.nodes[node].hash = code
    table.nodes[node].lower = lower
    table.nodes[node].upper = upper
    table.nodes[node].form = form
    table.nodes[node].declared = declared
    return node


@numba.njit(cache=True, nogil=True)
def intern(table, op, left, right):
    """Id of the node (op, left, right), appended when it is new."""
    mask = table.slots.size - 1
    place = np.int64(_slot_of(op, left, right) & np.uint64(mask))
    while table.slots[place] >= 0:
        node = table.slots[place]
        if table.nodes[node].op == op and table.nodes[node].left == left and table.nodes[node].right == right:
            return node
        place = (place + 1) & mask
    node = table.counts[0]
    table.counts[0] += 1
    table.slots[place] = node
    table.nodes[node].op = op
    table.nodes[node].left = left
    table.nodes[node].right = right
    _describe(table, node, op, left, right)
    return node


@numba.njit(cache=True, nogil=True)
def _describe(table, node, op, left, right):
    """Complexity, order, hash, interval and flags of a node from those of its children."""
    other = right if right >= 0 else left
    lower, upper, singular = interval_of(
        op,
        table.nodes[left].lower,
        table.nodes[left].upper,
        table.nodes[other].lower,
        table.nodes[other].upper,
        left == right,
    )
    table.nodes[node].lower = lower
    table.nodes[node].upper = upper
    declared = table.nodes[left].declared and table.nodes[other].declared
    table.nodes[node].declared = declared
    table.nodes[node].unsafe = (
        table.nodes[left].unsafe or table.nodes[other].unsafe or (singular and not declared)
    )
    table.nodes[node].rejected = (
        table.nodes[left].rejected or table.nodes[other].rejected or (singular and declared)
    )
    table.nodes[node].hash = _structural_hash(table, op, left, right)
    weight = table.weights[op]
    if right < 0:
        table.nodes[node].complexity = table.nodes[left].complexity + weight
        table.nodes[node].order = 1
        table.nodes[node].form = PLAIN
        table.nodes[node].reciprocal = op == INVERSE
        return
    table.nodes[node].complexity = table.nodes[left].complexity + table.nodes[right].complexity + weight
    if op != MULTIPLY:
        table.nodes[node].order = max(table.nodes[left].order, table.nodes[right].order)
        table.nodes[node].form = SUM
        return
    table.nodes[node].order = table.nodes[left].order + table.nodes[right].order
    if table.nodes[left].reciprocal or table.nodes[right].reciprocal:  # a quotient: the division counts
        table.nodes[node].complexity -= weight
    if table.nodes[left].form == NUMBER:
        table.nodes[node].form = SCALED
        if left == table.counts[1]:
            table.nodes[node].complexity = table.nodes[right].complexity
        return
    table.nodes[node].form = PRODUCT
    table.nodes[node].reciprocal = table.nodes[left].reciprocal and table.nodes[right].reciprocal
    last = table.nodes[left].right if table.nodes[left].form == PRODUCT else left
    if last == right:  # a power counts its base once
        table.nodes[node].complexity = table.nodes[left].complexity + table.weights[SQUARE]


@numba.njit(cache=True, nogil=True)
def _structural_hash(table, op, left, right):
    """Hash of the tree: chains of + and * are summed, so it does not depend on their order."""
    code = table.op_hash[op]
    if right < 0:
        return _mix(code ^ table.nodes[left].hash)
    a, b = table.nodes[left].hash, table.nodes[right].hash
    if op == MULTIPLY:
        if table.nodes[left].form == NUMBER:
            return _mix(code ^ _mix(a)) + _mix(b)
        return (a if table.nodes[left].form == PRODUCT else code + _mix(a)) + _mix(b)
    chain = a if table.nodes[left].form == SUM else table.op_hash[ADD] + _mix(a)
    return chain + _mix(b) if op == ADD else chain - _mix(b)


# -- canonical forms: a first node and the steps that follow it -----------------------------------
#
# A plan is a stretch of ``steps``, rows of (operator, argument): the argument of the first row is a
# node, every further row applies its operator. Chains are written downwards from ``_middle`` and
# so come out in order; what follows is written upwards from there. An empty plan: the general path.


@numba.njit(cache=True, nogil=True)
def _middle(steps):
    """Place where chains end and what is applied to them begins."""
    return steps.shape[0] - 4


@numba.njit(cache=True, nogil=True)
def _signed(table, node):
    """Split (-1)*rest into -1 and rest."""
    if table.nodes[node].form == SCALED and table.nodes[node].left == table.counts[1]:
        return -1, table.nodes[node].right
    return 1, node


@numba.njit(cache=True, nogil=True)
def _numeric(table, node):
    """Whether the node is a number or carries one in front."""
    return table.nodes[node].form == NUMBER or table.nodes[node].form == SCALED


@numba.njit(cache=True, nogil=True)
def _sort(steps, first):
    """Sort the arguments up to the middle: chains come in order, so few of them move."""
    for k in range(first + 1, _middle(steps)):
        argument = steps[k, 1]
        while k > first and steps[k - 1, 1] > argument:
            steps[k, 1] = steps[k - 1, 1]
            k -= 1
        steps[k, 1] = argument


@numba.njit(cache=True, nogil=True)
def _write_factors(table, chain, steps, first):
    """Write the factors of a product before ``first``; the new first place, -1 when there is no room."""
    node = chain
    while first > 0:
        first -= 1
        steps[first, 0] = MULTIPLY
        if table.nodes[node].form != PRODUCT:
            steps[first, 1] = node
            return first
        steps[first, 1] = table.nodes[node].right
        node = table.nodes[node].left
    return -1


@numba.njit(cache=True, nogil=True)
def _write_terms(table, chain, sign, steps, first):
    """Write 2 * id + (sign < 0) of the terms of a sum before ``first``; -1 when one carries a number."""
    node = chain
    while first > 0:
        first -= 1
        is_sum = table.nodes[node].form == SUM
        term = table.nodes[node].right if is_sum else node
        if _numeric(table, term):
            return -1
        negative = (sign < 0) != (is_sum and table.nodes[node].op == SUBTRACT)
        steps[first, 1] = 2 * term + (1 if negative else 0)
        if not is_sum:
            return first
        node = table.nodes[node].left
    return -1


@numba.njit(cache=True, nogil=True)
def _cancel(table, steps, first):
    """Take factors that meet their reciprocal out of a product; the new first place."""
    removed = 0
    for k in range(first, _middle(steps)):
        factor = steps[k, 1]
        if factor < 0 or table.nodes[factor].op != INVERSE:
            continue
        base = table.nodes[factor].left
        for j in range(first, k):  # children have smaller ids
            if steps[j, 1] == base:
                steps[j, 1] = steps[k, 1] = -1
                removed += 2
                break
    if removed == 0:
        return first
    place = _middle(steps)
    for k in range(_middle(steps) - 1, first - 1, -1):
        if steps[k, 1] >= 0:
            place -= 1
            steps[place, 1] = steps[k, 1]
    return place


@numba.njit(cache=True, nogil=True)
def _plan_product(table, a, b, sign, steps):
    """Factors of both nodes sorted by id; ``b`` is -1 for the reciprocal of ``a``."""
    stop = _middle(steps)
    first = _write_factors(table, a, steps, stop)
    if b >= 0:
        first = _write_factors(table, b, steps, first)
    else:
        for k in range(max(first, 0), stop):  # 1/(ab) = (1/a)(1/b), 1/(1/a) = a
            factor = steps[k, 1]
            turned = table.nodes[factor].op == INVERSE
            steps[k, 1] = table.nodes[factor].left if turned else intern(table, _INVERSE, factor, _NONE)
    if first < 0:
        return stop, stop
    _sort(steps, first)
    if table.counts[2]:
        first = _cancel(table, steps, first)
    if sign < 0 and first < stop:
        steps[stop, 0] = _NEGATE
        stop += 1
    return first, stop


@numba.njit(cache=True, nogil=True)
def _plan_sum(table, a, sign_a, b, sign_b, steps):
    """Terms of both nodes sorted by id, the first one positive."""
    stop = _middle(steps)
    first = _write_terms(table, a, sign_a, steps, stop)
    first = _write_terms(table, b, sign_b, steps, first)
    if first < 0:
        return stop, stop
    _sort(steps, first)
    negative = steps[first, 1] & 1
    before = np.int64(-1)
    for k in range(first, stop):
        term = steps[k, 1] >> 1
        if term == before:  # like terms: numbers arise
            return stop, stop
        steps[k, 0] = ADD if (steps[k, 1] & 1) == negative else SUBTRACT
        steps[k, 1] = before = term
    if negative:
        steps[stop, 0] = _NEGATE
        stop += 1
    return first, stop


@numba.njit(cache=True, nogil=True)
def _plan_function(table, op, argument, sign, node, steps):
    """Functions of one argument = sign * node; magnitudes of products are left to the general path."""
    first = _middle(steps)
    stop = first + 1
    inner = table.nodes[node].op
    steps[first, 1] = node
    if op == ABS:
        outside = -1
        if inner == INVERSE:  # |1/a| = 1/|a|
            outside = INVERSE
            steps[first, 1] = node = table.nodes[node].left
            inner = table.nodes[node].op
        known = table.nodes[node].declared and table.nodes[node].lower >= 0.0
        if not known and inner not in (ABS, EXP, EXP_NEG, SQRT):
            if inner != LEAF and table.nodes[node].form != SUM:
                return first, first
            steps[stop, 0] = ABS
            stop += 1
        if outside >= 0:
            steps[stop, 0] = INVERSE
            stop += 1
        return first, stop
    if op == LOG and inner in (EXP, EXP_NEG):
        return first, first
    if op in (SQRT, LOG):
        steps[first, 1] = argument
    elif sign < 0 and op != CBRT:
        op = EXP + EXP_NEG - op
    steps[stop, 0] = op
    stop += 1
    if sign < 0 and op == CBRT:
        steps[stop, 0] = _NEGATE
        stop += 1
    return first, stop


@numba.njit(cache=True, nogil=True)
def _plan(table, op, left, right, steps):
    """First and last place of the plan for one operator."""
    sign_a, a = _signed(table, left)
    sign_b, b = (sign_a, a) if right < 0 else _signed(table, right)
    if _numeric(table, a) or _numeric(table, b) or op == CUBE:
        return 0, 0
    if op == ADD:
        return _plan_sum(table, a, sign_a, b, sign_b, steps)
    if op == SUBTRACT:
        return _plan_sum(table, a, sign_a, b, -sign_b, steps)
    if op in (MULTIPLY, SQUARE):
        return _plan_product(table, a, b, sign_a * sign_b, steps)
    if op == INVERSE:
        return _plan_product(table, a, _NONE, sign_a, steps)
    return _plan_function(table, op, left, sign_a, a, steps)


@numba.njit(cache=True, nogil=True)
def add_many(table, op, left, right, out, start):
    """Canonical ids for many pairs; stops and returns the position when the table is full.

    ``out`` is -1 where the general path is needed.
    """
    steps = np.empty((LONGEST_CHAIN, 2), dtype=np.int64)
    for k in range(start, left.size):
        if op == INVERSE and table.nodes.size - table.counts[0] < table.nodes[left[k]].order:
            return k
        first, stop = _plan(table, op, left[k], right[k], steps)
        if table.nodes.size - table.counts[0] < stop - first:
            return k
        node = np.int64(-1) if first == stop else steps[first, 1]
        for step in range(first + 1, stop):
            apply, a, b = steps[step, 0], node, steps[step, 1]
            if apply >= ABS:
                b = -1
            elif apply == _NEGATE:
                apply, a, b = MULTIPLY, table.counts[1], node
            node = intern(table, apply, a, b)
        out[k] = node
    return left.size


@numba.njit(cache=True, nogil=True)
def intern_many(table, op, left, right, out):
    """Ids of nodes that are canonical already; the caller has made room."""
    for k in range(op.size):
        out[k] = intern(table, op[k], left[k], right[k])
