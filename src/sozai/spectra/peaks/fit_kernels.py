"""Levenberg-Marquardt on the likelihood of one spectrum after the other, in one compiled loop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sozai.numerics.damped_steps import (
    DAMPING_START,
    GROWTH_START,
    free_of_bounds,
    nielsen,
    predicted_decrease,
    step_in_box,
)
from sozai.spectra.peaks.likelihood_sums import (
    GAUSSIAN,
    deviance_of,
    information_of,
    prepare_counts,
    weigh,
)
from sozai.spectra.peaks.model_kernels import Program, Room, fill_model, room_for

__all__ = ["CONVERGED", "MAX_ITER", "NUMERICAL", "Ties", "fit_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: How a fit ended.
CONVERGED, MAX_ITER, NUMERICAL = 0, 1, 2
#: A predicted decrease of the deviance below this is nothing beside the noise.
_NIL = 1e-7
#: Relative rounding of a deviance, and squared relative rounding of one expectation.
_ROUNDING, _TRIVIAL = 1e-12, 1e-26
#: Damping from which on a step moves no digit.
_STUCK = 1e13
#: A polished parameter moves by less than this share of itself or of its standard error.
_POLISHED, _POLISHED_ERRORS = 1e-12, 1e-10


class Ties(NamedTuple):
    """Affine map θ = T u + t0 by rows.

    Entries ``firsts[i]`` to ``firsts[i + 1]`` of ``columns`` and ``values`` are those of row i of T;
    ``offset`` (p,) is t0. ``rows`` lists the rows that are not empty, ``wanted`` (p,) marks them;
    ``lower`` and ``upper`` (q,) bound u, and ``penalty`` (p, p) or (0, 0) is R of the term θᵀRθ that is
    added to the deviance. ``plain``: no penalty, and the rows that count are u itself, in order.
    """

    firsts: Ints
    columns: Ints
    values: Floats
    offset: Floats
    rows: Ints
    wanted: NDArray[np.bool_]
    lower: Floats
    upper: Floats
    penalty: Floats
    plain: bool


class _Desk(NamedTuple):
    """Scratch of one fit, made once for all spectra of a call."""

    y: Floats
    inverse: Floats
    empty: Floats
    mu: Floats
    variance: Floats
    jacobian: Floats
    members: Ints
    products: Floats
    theta: Floats
    trial: Floats
    step: Floats
    score: Floats
    information: Floats
    free: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _desk_for(n: int, p: int, q: int, rows: Ints) -> _Desk:
    """Scratch for n channels, p parameters, q free ones and the rows that count.

    The Jacobian has two rows more, of residuals and of zeros; the latter fills up the last block.
    """
    size = 3 * ((rows.shape[0] + 3) // 3)
    members = np.full(size, p + 1, np.int64)
    members[: rows.shape[0]] = rows
    members[rows.shape[0]] = p
    return _Desk(
        np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((p + 2, n)),
        members, np.zeros((size, size)), np.zeros(p), np.zeros(q), np.zeros(q), np.zeros(q),
        np.zeros((q, q)), np.zeros(q, np.bool_),
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(noise: int, weights: Floats, desk: _Desk) -> None:
    """Information and score of all rows that count, from the Jacobian of this moment."""
    weigh(noise, desk.y, weights, desk.mu, desk.variance, desk.jacobian[desk.theta.shape[0]])
    information_of(desk.jacobian, desk.members, desk.variance, desk.products)


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(ties: Ties, u: Floats, theta: Floats) -> None:
    """θ = T u + t0."""
    for i in range(theta.shape[0]):
        total = ties.offset[i]
        for e in range(ties.firsts[i], ties.firsts[i + 1]):
            total += ties.values[e] * u[ties.columns[e]]
        theta[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def _penalty_of(penalty: Floats, theta: Floats) -> float:
    """θᵀRθ."""
    total = 0.0
    for i in range(penalty.shape[0]):
        for j in range(penalty.shape[0]):
            total += theta[i] * penalty[i, j] * theta[j]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _fold(ties: Ties, products: Floats, theta: Floats, information: Floats, score: Floats) -> None:
    """Tᵀ(F + R)T and Tᵀ(g − Rθ) from the products of the weighted rows."""
    r = ties.rows.shape[0]
    if ties.plain:
        for a in range(r):
            score[a] = products[r, a]
            for b in range(a + 1):
                information[a, b] = products[a, b]
        return
    information[:] = 0.0
    score[:] = 0.0
    punished = ties.penalty.shape[0] > 0
    for a in range(r):
        i = ties.rows[a]
        slope = products[r, a]
        if punished:
            for j in range(theta.shape[0]):
                slope -= ties.penalty[i, j] * theta[j]
        for e in range(ties.firsts[i], ties.firsts[i + 1]):
            score[ties.columns[e]] += ties.values[e] * slope
        for b in range(a + 1):
            j = ties.rows[b]
            entry = products[a, b]
            if punished:
                entry += ties.penalty[i, j]
            for e in range(ties.firsts[i], ties.firsts[i + 1]):
                for f in range(ties.firsts[j], ties.firsts[j + 1]):
                    part = ties.values[e] * ties.values[f] * entry
                    information[ties.columns[e], ties.columns[f]] += part
                    if a != b:
                        information[ties.columns[f], ties.columns[e]] += part


@njit(cache=True, nogil=True, error_model="numpy")
def _largest_gain(information: Floats, score: Floats, free: NDArray[np.bool_]) -> float:
    """Largest decrease that moving one free parameter alone promises."""
    gain = 0.0
    for j in range(score.shape[0]):
        if free[j] and information[j, j] > 0.0:
            gain = max(gain, score[j] * score[j] / information[j, j])
    return gain


@njit(cache=True, nogil=True, error_model="numpy")
def _is_polished(information: Floats, u: Floats, step: Floats, scale: float) -> bool:
    """No parameter moves by more than rounding."""
    for j in range(u.shape[0]):
        allowed = _POLISHED * abs(u[j])
        if information[j, j] > 0.0:
            allowed += _POLISHED_ERRORS * np.sqrt(scale / information[j, j])
        if abs(step[j]) > allowed:
            return False
    return True


@njit(inline="always", error_model="numpy")
def _model_deviance(
    program: Program, ties: Ties, noise: int, weights: Floats, floor: float, u: Floats, desk: _Desk,
    room: Room,
) -> float:  # fmt: skip
    """Expectations, Jacobian and deviance with penalty at u; ``desk.theta`` becomes θ."""
    _spread(ties, u, desk.theta)
    fill_model(program, desk.theta, desk.mu, desk.jacobian, ties.wanted, room)
    deviance = deviance_of(noise, desk.y, desk.inverse, desk.empty, weights, floor, desk.mu)
    return deviance + _penalty_of(ties.penalty, desk.theta)


@njit(inline="always", error_model="numpy")
def _fit_one(
    program: Program, ties: Ties, counts: Floats, weights: Floats, noise: int, max_iter: int, tol: float,
    polish: bool, u: Floats, desk: _Desk, room: Room,
) -> tuple[float, int, int]:  # fmt: skip
    """Minimize the deviance of one spectrum from u, in place: deviance with penalty, status, iterations.

    ``desk.products`` holds the information at the result; only lower triangles are filled.
    """
    floor = prepare_counts(counts, weights, desk.y, desk.inverse, desk.empty)
    size, n_used = 0.0, 0
    for n in range(counts.shape[0]):
        n_used += weights[n] > 0.0
        size += weights[n] * desk.y[n] * (desk.y[n] if noise == GAUSSIAN else 1.0)
    for j in range(u.shape[0]):
        u[j] = min(max(u[j], ties.lower[j]), ties.upper[j])
    deviance = _model_deviance(program, ties, noise, weights, floor, u, desk, room)
    begun, dof = deviance, max(1, n_used - u.shape[0])
    status, n_iter, stale, settled = MAX_ITER, 0, True, False
    damping, growth = DAMPING_START, GROWTH_START
    if not np.isfinite(deviance):
        status = NUMERICAL
    while status == MAX_ITER and n_iter < max_iter:
        if stale:
            _gather(noise, weights, desk)
            _fold(ties, desk.products, desk.theta, desk.information, desk.score)
            free_of_bounds(u, desk.score, ties.lower, ties.upper, desk.free)
            stale = False
        n_iter += 1
        scale = deviance / dof if noise == GAUSSIAN else 1.0
        nil = max(_NIL * scale, _ROUNDING * deviance)
        solved = step_in_box(
            desk.information, desk.score, damping, u, ties.lower, ties.upper, desk.free, desk.step, desk.trial
        )
        promised = predicted_decrease(desk.information, desk.score, desk.step) if solved else -1.0
        if solved and promised == 0.0:
            status = CONVERGED
        elif promised > 0.0:
            now = _model_deviance(program, ties, noise, weights, floor, desk.trial, desk, room)
            fell = deviance - now
            rounded = polish and settled and fell > -_ROUNDING * deviance
            if fell > 0.0 or rounded:
                still = _is_polished(desk.information, u, desk.step, scale)
                settled = settled or (promised <= nil and fell <= tol * deviance)
                deviance = now
                u[:] = desk.trial
                stale = True
                damping, growth = nielsen(max(fell, 1e-3 * promised) / promised, damping, growth)
                if settled and (still or not polish):
                    status = CONVERGED
                continue
            trivial = deviance <= _TRIVIAL * size
            if settled or trivial or (promised <= nil and damping <= 1.0):
                status = CONVERGED
        if status == MAX_ITER:
            damping, growth = nielsen(-1.0, damping, growth)
            if damping > _STUCK:
                small = _largest_gain(desk.information, desk.score, desk.free) <= nil
                status = CONVERGED if small else NUMERICAL
    if settled and status == MAX_ITER:
        status = CONVERGED
    if stale and np.isfinite(deviance):
        _gather(noise, weights, desk)
    if not deviance <= begun * (1.0 + 1e3 * _ROUNDING):  # the likelihood never falls
        status = NUMERICAL
    _spread(ties, u, desk.theta)
    return deviance, status, n_iter


@njit(cache=True, nogil=True, error_model="numpy")
def fit_rows(
    program: Program, ties: Ties, counts: Floats, weights: Floats, noise: int, max_iter: int, tol: float,
    polish: bool, free: Floats, theta: Floats, deviance: Floats, status: NDArray[np.int8], n_iter: Ints,
    fisher: Floats,
) -> None:  # fmt: skip
    """Fit every row of counts from its row of starts.

    Parameters
    ----------
    program : Program
    ties : Ties
    counts : ndarray of shape (S, n)
    weights : ndarray of shape (S, n) or (1, n)
    noise : int
    max_iter : int
        Model evaluations after the first.
    tol : float
        Largest relative decrease of the deviance at the end.
    polish : bool
        Iterate until no parameter moves.
    free : ndarray of shape (S, q)
        Starts u; replaced by the results.
    theta, deviance, status, n_iter : ndarray of shape (S, p), (S,), (S,), (S,)
        Filled.
    fisher : ndarray of shape (S, p, p) or (0, p, p)
        Filled with JᵀVJ at the results, without the penalty; zero for parameters that are held.
    """
    n_spectra, n = counts.shape
    p, r = theta.shape[1], ties.rows.shape[0]
    desk, room = _desk_for(n, p, free.shape[1], ties.rows), room_for(program)
    for s in range(n_spectra):
        line = weights[s if weights.shape[0] > 1 else 0]
        u = free[s]
        desk.products[:] = 0.0
        total, status[s], n_iter[s] = _fit_one(
            program, ties, counts[s], line, noise, max_iter, tol, polish, u, desk, room
        )
        theta[s] = desk.theta
        deviance[s] = total - _penalty_of(ties.penalty, desk.theta)
        if fisher.shape[0] > 0:
            fisher[s] = 0.0
            for a in range(r):
                for b in range(a + 1):
                    i, j = ties.rows[a], ties.rows[b]
                    fisher[s, i, j] = desk.products[a, b]
                    fisher[s, j, i] = desk.products[a, b]
