"""The compiled loops behind exact evaluation: residues, and floats with a running error bound."""

from __future__ import annotations

import numpy as np
from numba import njit

from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CONSTANT,
    CUBE,
    INVERSE,
    LEAF,
    MULTIPLY,
    SQRT,
    SQUARE,
    SUBTRACT,
)

__all__ = ["execute_rational", "mark_needed", "mark_rational"]


@njit(cache=True, nogil=True)
def mark_needed(op, left, right, need, track):  # pragma: no cover
    """Mark the descendants of needed nodes, and those below an absolute value."""
    for i in range(op.size - 1, -1, -1):
        if not need[i] or op[i] < ADD:
            continue
        need[left[i]] = True
        if op[i] == ABS or track[i]:
            track[left[i]] = True
        if ADD <= op[i] <= MULTIPLY:
            need[right[i]] = True
            if track[i]:
                track[right[i]] = True


@njit(cache=True, nogil=True)
def mark_rational(op, left, right, smooth):  # pragma: no cover
    """Clear the mark of every node above a root, an exponential or a logarithm."""
    for i in range(op.size):
        if op[i] < ADD:
            continue
        smooth[i] = op[i] < SQRT and smooth[left[i]]
        if ADD <= op[i] <= MULTIPLY and not smooth[right[i]]:
            smooth[i] = False


@njit(cache=True, nogil=True)
def _power(base, exponent, p):  # pragma: no cover
    """base**exponent modulo p."""
    result = np.uint64(1)
    while exponent > np.uint64(0):
        if exponent & np.uint64(1):
            result = result * base % p
        base = base * base % p
        exponent >>= np.uint64(1)
    return result


@njit(cache=True, nogil=True)
def execute_rational(
    nodes, op, left, right, slot, track_slot, absolute_slot, leaves, constants, values, errors, sizes, known,
    p, residues, track, error, open_,
):  # fmt: skip  # pragma: no cover
    """Evaluate rational nodes; return True when p divides a denominator."""
    m = leaves.shape[1]
    singular = False
    for node in nodes:
        code, here = op[node], slot[node]
        out = residues[here]
        if code == CONSTANT:
            out[:] = constants[left[node]]
        elif code == LEAF:
            out[:] = leaves[left[node]]
        else:
            x = residues[slot[left[node]]]
            y = residues[slot[right[node]]] if ADD <= code <= MULTIPLY else x
            for t in range(m):
                a, b = np.uint64(x[t]), np.uint64(y[t])
                r = np.uint64(0)
                if code == ADD:
                    r = (a + b) % p
                elif code == SUBTRACT:
                    r = (a + p - b) % p
                elif code == MULTIPLY:
                    r = a * b % p
                elif code == SQUARE:
                    r = a * a % p
                elif code == CUBE:
                    r = (a * a % p) * a % p
                elif code == INVERSE:
                    singular = singular or a == 0
                    r = _power(a, p - np.uint64(2), p)
                elif code == ABS:
                    k = track_slot[left[node]]
                    sign = known[absolute_slot[node], t]
                    if sign == 0 and abs(track[k, t]) > error[k, t]:
                        sign = 1 if track[k, t] > 0 else -1
                    if sign == 0 and a != 0:
                        open_[absolute_slot[node], t] = True
                    r = (p - a) % p if sign < 0 else a
                out[t] = np.uint32(r)
        if track_slot[node] >= 0:
            _track(node, code, left, right, track_slot, values, errors, sizes, track, error)
    return singular


@njit(cache=True, nogil=True)
def _track(node, code, left, right, track_slot, values, errors, sizes, track, error):  # pragma: no cover
    """Float value of a node and a bound of its distance from the rational one."""
    eps = 4.44e-16
    here = track_slot[node]
    for t in range(track.shape[1]):
        if code == CONSTANT:
            v = sizes[left[node]]
            e = 0.0 if v == np.floor(v) else eps * abs(v)
        elif code == LEAF:
            v, e = values[left[node], t], errors[left[node], t]
        else:
            a, da = track[track_slot[left[node]], t], error[track_slot[left[node]], t]
            b, db = a, da
            if ADD <= code <= MULTIPLY:
                b, db = track[track_slot[right[node]], t], error[track_slot[right[node]], t]
            if code == ADD:
                v, e = a + b, da + db
            elif code == SUBTRACT:
                v, e = a - b, da + db
            elif code == ABS:
                v, e = abs(a), da
            elif code in (MULTIPLY, SQUARE):
                v, e = a * b, abs(a) * db + abs(b) * da + da * db
            elif code == CUBE:
                v, e = a * a * a, (abs(a) + da) ** 3 - abs(a) ** 3
            else:
                room = abs(a) - da
                v = 1.0 / a if a != 0.0 else np.inf
                e = abs(v) * da / room if room > 0.0 else np.inf
            if not (v == np.floor(v) and e == 0.0 and abs(v) < 2.0**53):
                e += eps * abs(v)
        track[here, t], error[here, t] = v, e
