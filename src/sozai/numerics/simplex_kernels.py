"""Inner loops of least squares on the simplex: an active set that gains and loses one column at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["put_on_simplex", "row_squares", "solve_rows", "support_variances"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: A column whose part outside the span of the chosen ones is smaller than this share is dependent.
_DEPENDENT = 1e-12
#: A projection that leaves less than this share of a column is done once more.
_CANCELLED = 0.1
#: Multipliers above minus this share of the largest possible gradient are rounding.
_ROUNDING = 1e-14
#: Exchanges per column after which a row is given up.
_PATIENCE = 20
# sums may be taken in any order that is the same for every row
_FAST = {"reassoc", "contract"}


class _Chosen(NamedTuple):
    """Thin QR of the chosen columns of A, with what the sum-to-one condition needs.

    ``basis`` holds Q as rows, ``upper`` T with A_P = QT, ``ones`` the t of Tᵀt = 1, ``seen``
    z = Qᵀb, ``members`` the numbers of the columns.
    """

    basis: Floats
    upper: Floats
    ones: Floats
    seen: Floats
    members: Ints


@njit(cache=True, nogil=True)
def _room_for(most: int, length: int) -> _Chosen:
    """Room for ``most`` chosen columns and one more on trial."""
    return _Chosen(
        np.zeros((most + 1, length)), np.zeros((most + 1, most + 1)), np.zeros(most + 1),
        np.zeros(most + 1), np.zeros(most + 1, np.int64),
    )  # fmt: skip


@njit(cache=True, nogil=True, fastmath=_FAST)
def _dot(a: Floats, b: Floats) -> float:
    """Inner product."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, fastmath=_FAST)
def _append(chosen: _Chosen, size: int, columns: Floats, column: int, target: Floats) -> bool:
    """Orthogonalize one more column against the basis; False when it depends on it.

    It is done again where the first pass has cancelled digits.
    """
    basis, upper, ones = chosen.basis, chosen.upper, chosen.ones
    new = basis[size]
    new[:] = columns[column]
    whole = np.sqrt(_dot(new, new))
    for q in range(size):
        upper[q, size] = 0.0
    before, norm = 0.0, whole
    while norm > _DEPENDENT * whole and (before == 0.0 or norm < _CANCELLED * before):
        for q in range(size):
            along = _dot(basis[q], new)
            upper[q, size] += along
            for i in range(new.shape[0]):
                new[i] -= along * basis[q, i]
        before, norm = norm, np.sqrt(_dot(new, new))
    if norm <= _DEPENDENT * whole:
        return False
    rest = 1.0
    for q in range(size):
        rest -= upper[q, size] * ones[q]
    for i in range(new.shape[0]):
        new[i] /= norm
    upper[size, size] = norm
    ones[size] = rest / norm
    chosen.seen[size] = _dot(new, target)
    chosen.members[size] = column
    return True


@njit(cache=True, nogil=True, fastmath=_FAST)
def _rotate(a: Floats, b: Floats, start: int, cosine: float, sine: float) -> None:
    """Turn two rows by a plane rotation, from ``start`` on."""
    for i in range(start, a.shape[0]):
        top, low = a[i], b[i]
        a[i] = cosine * top + sine * low
        b[i] = cosine * low - sine * top


@njit(cache=True, nogil=True)
def _remove(chosen: _Chosen, size: int, gone: int) -> None:
    """Take one chosen column out; plane rotations make T triangular again."""
    upper, members = chosen.upper, chosen.members
    for k in range(gone, size - 1):
        members[k] = members[k + 1]
        for q in range(k + 2):
            upper[q, k] = upper[q, k + 1]
    for k in range(gone, size - 1):
        radius = np.hypot(upper[k, k], upper[k + 1, k])
        cosine, sine = upper[k, k] / radius, upper[k + 1, k] / radius
        _rotate(upper[k, : size - 1], upper[k + 1, : size - 1], k, cosine, sine)
        _rotate(chosen.basis[k], chosen.basis[k + 1], 0, cosine, sine)
        _rotate(chosen.ones[k : k + 1], chosen.ones[k + 1 : k + 2], 0, cosine, sine)
        _rotate(chosen.seen[k : k + 1], chosen.seen[k + 1 : k + 2], 0, cosine, sine)


@njit(cache=True, nogil=True, fastmath=_FAST)
def _equality_optimum(chosen: _Chosen, size: int, weights: Floats) -> float:
    """Weights of the chosen columns that sum to 1, and the multiplier λ of the sum.

    w = T⁻¹(z − λt) with λ = (tᵀz − 1)/tᵀt.
    """
    upper, ones, seen = chosen.upper, chosen.ones, chosen.seen
    multiplier = (_dot(ones[:size], seen[:size]) - 1.0) / _dot(ones[:size], ones[:size])
    for k in range(size - 1, -1, -1):
        rest = seen[k] - multiplier * ones[k]
        for q in range(k + 1, size):
            rest -= upper[k, q] * weights[q]
        weights[k] = rest / upper[k, k]
    return multiplier


@njit(cache=True, nogil=True, fastmath=_FAST)
def _multipliers(
    gram: Floats, linear: Floats, members: Ints, weights: Floats, size: int, multiplier: float, out: Floats
) -> None:  # fmt: skip
    """Multipliers of w ≥ 0 for all columns: λ + AᵀAw − Aᵀb."""
    for j in range(out.shape[0]):
        out[j] = multiplier - linear[j]
    for k in range(size):
        weight, row = weights[k], gram[members[k]]
        for j in range(out.shape[0]):
            out[j] += weight * row[j]


@njit(cache=True, nogil=True)
def _most_negative(values: Floats, inside: Flags, refused: Flags, bound: float) -> int:
    """Column below ``bound`` that is neither chosen nor refused; -1 when there is none."""
    best, least = -1, bound
    for j in range(values.shape[0]):
        if values[j] < least and not inside[j] and not refused[j]:
            best, least = j, values[j]
    return best


@njit(cache=True, nogil=True)
def _choose_start(chosen: _Chosen, columns: Floats, target: Floats, guess: Floats, now: Floats) -> int:
    """Take the columns whose guess stands out of its noise, drop what does not stay positive.

    The most negative guess says how large a weight noise alone can make.
    """
    most = chosen.basis.shape[0] - 1
    bound = max(0.01, -guess.min())
    size = 0
    if _append(chosen, size, columns, int(guess.argmax()), target):
        size += 1
    for j in range(guess.shape[0]):
        wanted = guess[j] > bound and j != chosen.members[0] and size < most
        if wanted and _append(chosen, size, columns, j, target):
            size += 1
    while True:
        _equality_optimum(chosen, size, now)
        before = size
        for k in range(before - 1, -1, -1):
            if now[k] <= 0.0 and size > 1:
                _remove(chosen, size, k)
                size -= 1
        if size == before:
            return size


@njit(cache=True, nogil=True)
def _walk(chosen: _Chosen, size: int, now: Floats, trial: Floats, inside: Flags) -> int:
    """Go from weights ``now`` to the optimum ``trial`` of the chosen columns, leaving at every wall."""
    while True:
        step, blocked = 1.0, -1
        for k in range(size):
            if trial[k] <= 0.0:
                reach = now[k] / (now[k] - trial[k])
                if reach < step:
                    step, blocked = reach, k
        if blocked < 0:
            break
        for k in range(size):
            now[k] += step * (trial[k] - now[k])
        now[blocked] = 0.0
        for k in range(size - 1, -1, -1):
            if now[k] <= 0.0:
                inside[chosen.members[k]] = False
                _remove(chosen, size, k)
                for q in range(k, size - 1):
                    now[q] = now[q + 1]
                size -= 1
        _equality_optimum(chosen, size, trial)
    now[:size] = trial[:size]
    return size


@njit(cache=True, nogil=True)
def _solve_row(
    columns: Floats, gram: Floats, linear: Floats, target: Floats, guess: Floats, tolerance: float,
    chosen: _Chosen, now: Floats, trial: Floats, slopes: Floats,
) -> tuple[int, int]:  # fmt: skip
    """Active set of one row: returns its size and the number of exchanges, -1 when given up."""
    m, most = columns.shape[0], chosen.basis.shape[0] - 1
    inside, refused = np.zeros(m, np.bool_), np.zeros(m, np.bool_)
    size = _choose_start(chosen, columns, target, guess, now)
    for k in range(size):
        inside[chosen.members[k]] = True
    multiplier = _equality_optimum(chosen, size, now)
    _multipliers(gram, linear, chosen.members, now, size, multiplier, slopes)
    for n_exchanges in range(_PATIENCE * m):
        enter = _most_negative(slopes, inside, refused, -tolerance)
        if enter < 0:
            return size, n_exchanges
        refused[enter] = True  # until the weights have moved
        if size == most or not _append(chosen, size, columns, enter, target):
            continue
        _equality_optimum(chosen, size + 1, trial)
        if trial[size] <= 0.0:
            continue
        now[size] = 0.0
        inside[enter] = True
        size = _walk(chosen, size + 1, now, trial, inside)
        refused[:] = False
        multiplier = _equality_optimum(chosen, size, now)
        _multipliers(gram, linear, chosen.members, now, size, multiplier, slopes)
    return size, -1


@njit(cache=True, nogil=True)
def solve_rows(columns: Floats, targets: Floats, guesses: Floats, weights: Floats) -> Ints:
    """Solve min ‖b − Aw‖ with 1ᵀw = 1, w ≥ 0 for every row b of ``targets``, by an active set.

    Parameters
    ----------
    columns : ndarray of shape (m, r)
        Columns of A as rows. One entry of all columns must be the same number s > 0, and that
        entry of every target s too: this changes nothing where the weights sum to 1, and a set of
        columns that fixes its weights is then a set of independent columns.
    targets : ndarray of shape (n, r)
    guesses : ndarray of shape (n, m)
        Weights near which the search starts.
    weights : ndarray of shape (n, m)
        Filled with the results.

    Returns
    -------
    ndarray of shape (n,)
        Exchanges of every row, -1 where the search was given up.
    """
    n, (m, r) = targets.shape[0], columns.shape
    most = min(m, r)
    chosen = _room_for(most, r)
    now, trial, slopes, linear = np.zeros(most + 1), np.zeros(most + 1), np.zeros(m), np.zeros(m)
    gram = columns @ columns.T
    longest = np.sqrt(np.diag(gram).max())
    n_exchanges = np.zeros(n, np.int64)
    weights[:] = 0.0
    for row in range(n):
        target = targets[row]
        for j in range(m):
            linear[j] = _dot(columns[j], target)
        tolerance = _ROUNDING * longest * (longest + np.sqrt(_dot(target, target)))
        size, n_exchanges[row] = _solve_row(
            columns, gram, linear, target, guesses[row], tolerance, chosen, now, trial, slopes
        )
        total = now[:size].sum()
        for k in range(size):
            weights[row, chosen.members[k]] = now[k] / total
    return n_exchanges


@njit(cache=True, nogil=True)
def row_squares(rows: Floats) -> Floats:
    """Squared norm of every row of a C-contiguous matrix."""
    squares = np.empty(rows.shape[0])
    for row in range(rows.shape[0]):
        squares[row] = _dot(rows[row], rows[row])
    return squares


@njit(cache=True, nogil=True)
def put_on_simplex(weights: Floats, tolerance: float) -> Flags:
    """Put the rows that are within the tolerance of the simplex on it exactly; tell which."""
    n, m = weights.shape
    settled = np.zeros(n, np.bool_)
    for row in range(n):
        total, least = 0.0, 0.0
        for j in range(m):
            total += weights[row, j]
            least = min(least, weights[row, j])
        settled[row] = least >= -tolerance and abs(total - 1.0) <= tolerance
        if settled[row]:
            total = 0.0
            for j in range(m):
                weights[row, j] = max(weights[row, j], 0.0)
                total += weights[row, j]
            for j in range(m):
                weights[row, j] /= total
    return settled


@njit(cache=True, nogil=True)
def support_variances(columns: Floats, weights: Floats) -> Floats:
    """Diagonal of the covariance of the positive weights per unit noise variance; 0 elsewhere.

    With A_P = QT and Tᵀt = 1 it is that of T⁻¹(I − ttᵀ/tᵀt)T⁻ᵀ.

    Parameters
    ----------
    columns : ndarray of shape (m, r)
        As in :func:`solve_rows`.
    weights : ndarray of shape (n, m)

    Returns
    -------
    ndarray of shape (n, m)
    """
    (n, m), r = weights.shape, columns.shape[1]
    chosen = _room_for(min(m, r), r)
    variances = np.zeros((n, m))
    for row in range(n):
        size = 0
        for j in range(m):
            positive = weights[row, j] > 0.0 and size < min(m, r)
            if positive and _append(chosen, size, columns, j, columns[j]):
                size += 1
        t = chosen.ones[:size]
        for k in range(size):  # row k of T⁻¹, entry by entry
            line = np.zeros(size)
            for q in range(k, size):
                rest = 1.0 if q == k else 0.0
                for i in range(k, q):
                    rest -= line[i] * chosen.upper[i, q]
                line[q] = rest / chosen.upper[q, q]
            variances[row, chosen.members[k]] = _dot(line, line) - _dot(line, t) ** 2 / _dot(t, t)
    return np.maximum(variances, 0.0)
