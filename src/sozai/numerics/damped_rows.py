"""Many Levenberg-Marquardt fits side by side: orthogonal factors, steps and verdicts, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.damped_steps import DAMPING_START, GROWTH_START, free_of_bounds, nielsen

__all__ = ["CONVERGED", "EXHAUSTED", "NUMERICAL", "RUNNING", "Rows", "Rules", "judge", "open_rows", "propose"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Where a row stands; the first three are what a fit reports.
CONVERGED, EXHAUSTED, NUMERICAL, RUNNING, POLISHING = 0, 1, 2, 3, 4

_EPSILON = float(np.finfo(np.float64).eps)
#: A decrease of the deviance below this share of one standard error squared means nothing.
_NIL = 1e-7
#: λ with which a stop is confirmed: directions whose share of F is smaller are not determined by the data.
_UNDAMPED = 1e-13
#: λ while polishing.
_POLISHED = 1e-20
#: Steps without a smaller one after which polishing has reached rounding.
_PATIENCE = 8
#: λ that the length of the first step may ask for.
_CAUTIOUS = 1e3
# sums may be taken in any order that is the same for every row
_FAST = {"reassoc", "contract"}


class Rules(NamedTuple):
    """What all rows share.

    ``poisson`` chooses the deviance, ``known`` says that weights are 1/σ² (else σ² is the mean
    squared residual), ``polish`` and ``polished`` that a converged row goes on until its relative step
    is below ``polished``.
    """

    poisson: bool
    known: bool
    polish: bool
    max_iter: int
    tol: float
    polished: float


class Rows(NamedTuple):
    """State of m fits of p parameters; the model J was last factored where θ is.

    With s the norms of the columns of √W J, √W J diag(1/s) = Q R and ``seen`` = Qᵀ√W r; ``widest``
    holds the largest s so far.
    ``magnitude`` is Σwy² (Gaussian) or Σwy (Poisson), ``floor`` the least expectation that the Poisson
    deviance takes, ``dof`` the channels in use less p.
    """

    theta: Floats
    trial: Floats
    step: Floats
    triangle: Floats
    seen: Floats
    norms: Floats
    widest: Floats
    free: Flags
    deviance: Floats
    predicted: Floats
    damping: Floats
    growth: Floats
    relative_step: Floats
    least_step: Floats
    idle: Ints
    n_iter: Ints
    status: Ints
    magnitude: Floats
    floor: Floats
    dof: Ints


def open_rows(start: Floats, counts: Floats, weights: Floats, rules: Rules) -> Rows:
    """State of fits that have not begun; arrays of shape (m, p), (m, n), (m, n)."""
    m, p = start.shape
    used = weights > 0
    seen = np.where(used, counts, 0.0)
    total = (weights * seen).sum(axis=1)
    share = weights.sum(axis=1)
    squares = (weights * seen**2).sum(axis=1)
    return Rows(
        theta=start.copy(), trial=start.copy(), step=np.zeros((m, p)), triangle=np.zeros((m, p, p)),
        seen=np.zeros((m, p)), norms=np.zeros((m, p)), widest=np.zeros((m, p)),
        free=np.ones((m, p), np.bool_), deviance=np.full(m, np.inf), predicted=np.full(m, np.nan),
        damping=np.full(m, DAMPING_START),
        growth=np.full(m, GROWTH_START), relative_step=np.full(m, np.inf), least_step=np.full(m, np.inf),
        idle=np.zeros(m, np.int64), n_iter=np.full(m, -1), status=np.full(m, RUNNING),
        magnitude=total if rules.poisson else squares,
        floor=1e-9 * np.where(total > 0, total, 1.0) / share, dof=used.sum(axis=1) - p,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _dot(a: Floats, b: Floats) -> float:
    """Inner product."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _add(a: Floats, share: float, b: Floats) -> None:
    """Add a multiple of b to a."""
    for i in range(a.shape[0]):
        a[i] += share * b[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _triangularize(columns: Floats, right: Floats, diagonal: Floats) -> None:
    """Householder QR of the matrix whose columns are the rows of ``columns``, in place.

    Afterwards R[i, j] = columns[j, i] for i < j, R[j, j] = diagonal[j], and ``right`` starts with Qᵀ right.
    """
    p = columns.shape[0]
    for j in range(p):
        mirror = columns[j, j:]
        norm = np.sqrt(_dot(mirror, mirror))
        if norm == 0.0:
            diagonal[j] = 0.0
            continue
        diagonal[j] = -norm if mirror[0] >= 0.0 else norm
        mirror[0] -= diagonal[j]
        share = 1.0 / (diagonal[j] * mirror[0])  # -2 / |mirror|²
        for k in range(j + 1, p):
            _add(columns[k, j:], share * _dot(mirror, columns[k, j:]), mirror)
        _add(right[j:], share * _dot(mirror, right[j:]), mirror)


@njit(cache=True, nogil=True, error_model="numpy")
def _deviance(counts: Floats, weights: Floats, expected: Floats, floor: float, poisson: bool) -> float:
    """Deviance of one row; NaN where the model is not finite."""
    total = 0.0
    for n in range(counts.shape[0]):
        if weights[n] == 0.0:
            continue
        y, mu = counts[n], expected[n]
        if not poisson:
            total += weights[n] * (y - mu) ** 2
            continue
        mu = mu if not mu < floor else floor
        if y > 0.0:
            ratio = (mu - y) / y
            total += 2.0 * weights[n] * y * (ratio - np.log1p(ratio))
        else:
            total += 2.0 * weights[n] * mu
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _factor(
    counts: Floats, weights: Floats, expected: Floats, jacobian: Floats, floor: float, poisson: bool,
    triangle: Floats, seen: Floats, norms: Floats, widest: Floats,
) -> bool:  # fmt: skip
    """Factor √W J diag(1/s) of one row; False, and nothing changed, where it is not finite."""
    (n, p), used = jacobian.shape, 0
    columns, right = np.empty((p, n)), np.empty(n)
    for i in range(n):
        if weights[i] == 0.0:
            continue
        mu = expected[i]
        if poisson:
            mu = mu if not mu < floor else floor
        root = np.sqrt(weights[i] / mu) if poisson else np.sqrt(weights[i])
        right[used] = root * (counts[i] - mu)
        for j in range(p):
            columns[j, used] = root * jacobian[i, j]
        used += 1
    columns = columns[:, :used].copy()
    scale = np.empty(p)
    for j in range(p):
        scale[j] = np.sqrt(_dot(columns[j], columns[j]))
        if not np.isfinite(scale[j]):
            return False
        if scale[j] > 0.0:
            for i in range(used):
                columns[j, i] /= scale[j]
    diagonal = np.empty(p)
    _triangularize(columns, right[:used], diagonal)
    norms[:] = scale
    widest[:] = np.maximum(widest, scale)
    for j in range(p):
        seen[j] = right[j]
        triangle[j, j] = diagonal[j]
        for i in range(j):
            triangle[i, j] = columns[j, i]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(
    triangle: Floats, seen: Floats, damping: float, moving: Flags, share: Floats, solution: Floats
) -> None:
    """Least squares |q − Ru|² + λ|share u|² over the moving entries of u, λ > 0; the others get 0."""
    p = seen.shape[0]
    members = np.flatnonzero(moving)
    size = members.shape[0]
    columns, right, diagonal = np.zeros((size, p + size)), np.zeros(p + size), np.empty(size)
    root = np.sqrt(damping)
    for a in range(size):
        columns[a, :p] = triangle[:, members[a]]
        columns[a, p + a] = root * share[members[a]]
    right[:p] = seen
    _triangularize(columns, right, diagonal)
    solution[:] = 0.0
    for a in range(size - 1, -1, -1):
        rest = right[a]
        for k in range(a + 1, size):
            rest -= columns[k, a] * solution[members[k]]
        solution[members[a]] = rest / diagonal[a]


@njit(cache=True, nogil=True, error_model="numpy")
def _step(
    rows: Rows, row: int, damping: float, lower: Floats, upper: Floats, step: Floats, trial: Floats
) -> float:
    """Damped step of one row inside the box; returns the decrease of the deviance it promises.

    What would leave the box is put on its bound and the rest is solved again.
    """
    p = lower.shape[0]
    theta, norms, triangle = rows.theta[row], rows.norms[row], rows.triangle[row]
    rest, score, solution = rows.seen[row].copy(), np.zeros(p), np.empty(p)
    for j in range(p):
        score[j] = norms[j] * _dot(triangle[: j + 1, j], rest[: j + 1])
    free_of_bounds(theta, score, lower, upper, rows.free[row])
    moving, share = rows.free[row] & (norms > 0.0), rows.widest[row] / norms
    step[:], trial[:] = 0.0, theta
    left = True
    while left:
        left = False
        _solve(triangle, rest, damping, moving, share, solution)
        for j in range(p):
            if not moving[j]:
                continue
            step[j] = solution[j] / norms[j]
            trial[j] = theta[j] + step[j]
            if trial[j] < lower[j] or trial[j] > upper[j]:
                trial[j] = lower[j] if trial[j] < lower[j] else upper[j]
                step[j] = trial[j] - theta[j]
                moving[j], left = False, True
                for i in range(j + 1):
                    rest[i] -= triangle[i, j] * norms[j] * step[j]
    promised = 0.0
    for i in range(p):
        along = 0.0
        for j in range(i, p):
            along += triangle[i, j] * norms[j] * step[j]
        promised += along * (2.0 * rows.seen[row, i] - along)
    return promised


@njit(cache=True, nogil=True, error_model="numpy")
def propose(rows: Rows, active: Ints, lower: Floats, upper: Floats) -> None:
    """Fill ``step``, ``trial`` and ``predicted`` of the active rows; bounds of shape (p,)."""
    for row in active:
        if rows.n_iter[row] == 0:
            _damp_first_step(rows, row, lower, upper)
        rows.predicted[row] = _step(
            rows, row, rows.damping[row], lower, upper, rows.step[row], rows.trial[row]
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _damp_first_step(rows: Rows, row: int, lower: Floats, upper: Floats) -> None:
    """Raise λ until the first step is no longer than θ, both in the metric diag F (unless θ is 0)."""
    size = 0.0
    for j in range(lower.shape[0]):
        size += (rows.norms[row, j] * rows.theta[row, j]) ** 2
    while size > 0.0 and rows.damping[row] < _CAUTIOUS:
        _step(rows, row, rows.damping[row], lower, upper, rows.step[row], rows.trial[row])
        length = 0.0
        for j in range(lower.shape[0]):
            length += (rows.norms[row, j] * rows.step[row, j]) ** 2
        if not length > size:
            return
        rows.damping[row] *= 4.0


@njit(cache=True, nogil=True, error_model="numpy")
def _size(rows: Rows, row: int) -> float:
    """Length of the last step over that of θ, both in the metric diag F."""
    step = theta = 0.0
    for j in range(rows.norms.shape[1]):
        step += (rows.norms[row, j] * rows.step[row, j]) ** 2
        theta += (rows.norms[row, j] * rows.trial[row, j]) ** 2
    ratio: float = np.sqrt(step / max(theta, 1e-300))
    return ratio


@njit(cache=True, nogil=True, error_model="numpy")
def _rounding(deviance: float, magnitude: float) -> float:
    """Difference of two deviances that double precision cannot tell from zero."""
    nothing: float = 4.0 * _EPSILON * np.sqrt(deviance * magnitude) + 16.0 * _EPSILON**2 * magnitude
    return nothing


@njit(cache=True, nogil=True, error_model="numpy")
def _stops(
    rows: Rows, row: int, accepted: bool, decrease: float, rules: Rules, lower: Floats, upper: Floats
) -> int:
    """Verdict on a row that has just tried a step: converged, exhausted, numerical, or still running."""
    deviance = rows.deviance[row]
    rounding = _rounding(deviance, rows.magnitude[row])
    unit = 1.0 if rules.known else deviance / max(rows.dof[row], 1)
    flat = decrease <= rules.tol * deviance + rounding
    if accepted and deviance <= 16.0 * _EPSILON**2 * rows.magnitude[row]:
        return CONVERGED
    helpless = not accepted and not rows.predicted[row] > rounding
    if helpless or (accepted and flat and rows.predicted[row] < _NIL * unit):
        damping = min(rows.damping[row], _UNDAMPED)
        step, trial = np.empty(lower.shape[0]), np.empty(lower.shape[0])
        left = _step(rows, row, damping, lower, upper, step, trial)
        if left <= max(_NIL * unit, rounding):
            return CONVERGED
        if helpless:  # λ may be too large for what is left: once more from a small one
            rows.idle[row] += 1
            if rows.idle[row] > 1:
                return NUMERICAL
            rows.damping[row], rows.growth[row] = damping, GROWTH_START
    return EXHAUSTED if rows.n_iter[row] >= rules.max_iter else RUNNING


@njit(cache=True, nogil=True, error_model="numpy")
def _is_polished(rows: Rows, row: int, accepted: bool, rules: Rules) -> bool:
    """Tell whether a row has reached the wanted relative step, or rounding."""
    if accepted and rows.relative_step[row] < rules.polished:
        return True
    if rows.relative_step[row] < rows.least_step[row]:
        rows.least_step[row], rows.idle[row] = rows.relative_step[row], 0
    else:
        rows.idle[row] += 1
    helpless = not rows.predicted[row] > _rounding(rows.deviance[row], rows.magnitude[row])
    return (helpless and (not accepted or rows.idle[row] >= _PATIENCE)) or rows.n_iter[
        row
    ] >= 2 * rules.max_iter


@njit(cache=True, nogil=True, error_model="numpy")
def judge(
    rows: Rows, active: Ints, counts: Floats, weights: Floats, expected: Floats, jacobian: Floats,
    rules: Rules, lower: Floats, upper: Floats,
) -> None:  # fmt: skip
    """Take or refuse the trial of every active row, and say where the row stands.

    Parameters
    ----------
    rows : Rows
        Of m fits; changed in place.
    active : ndarray of shape (a,)
    counts, weights : ndarray of shape (m, n)
    expected : ndarray of shape (a, n)
        The model at the trials of the active rows.
    jacobian : ndarray of shape (a, n, p)
    rules : Rules
    lower, upper : ndarray of shape (p,)

    Notes
    -----
    The first call, after :func:`open_rows`, takes the start itself. Cost 2 n p² for an accepted step.
    """
    for a in range(active.shape[0]):
        row = active[a]
        y, w, floor = counts[row], weights[row], rows.floor[row]
        deviance = _deviance(y, w, expected[a], floor, rules.poisson)
        opening, polishing = rows.n_iter[row] < 0, rows.status[row] == POLISHING
        decrease = rows.deviance[row] - deviance
        slack = _rounding(rows.deviance[row], rows.magnitude[row]) if polishing else 0.0
        accepted = decrease > 0.0 or (polishing and decrease >= -slack)
        accepted = np.isfinite(deviance) and accepted and (opening or rows.predicted[row] >= 0.0)
        accepted = accepted and _factor(
            y,
            w,
            expected[a],
            jacobian[a],
            floor,
            rules.poisson,
            rows.triangle[row],
            rows.seen[row],
            rows.norms[row],
            rows.widest[row],
        )
        rows.n_iter[row] += 1
        if opening:
            rows.deviance[row] = deviance
            rows.status[row] = RUNNING if accepted else NUMERICAL
            continue
        rows.relative_step[row] = _size(rows, row)
        gain = 0.5 if accepted else -1.0
        if decrease > 0.0 and accepted:
            gain = decrease / rows.predicted[row]
        rows.damping[row], rows.growth[row] = nielsen(gain, rows.damping[row], rows.growth[row])
        if accepted:
            rows.theta[row], rows.deviance[row] = rows.trial[row], deviance
            if not polishing:
                rows.idle[row] = 0
        if polishing:
            rows.status[row] = CONVERGED if _is_polished(rows, row, accepted, rules) else POLISHING
            continue
        rows.status[row] = _stops(rows, row, accepted, decrease, rules, lower, upper)
        if rows.status[row] == CONVERGED and rules.polish:
            rows.status[row], rows.damping[row], rows.growth[row] = POLISHING, _POLISHED, GROWTH_START
            rows.idle[row] = 0
