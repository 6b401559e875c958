"""Proof, row by row, that no other composition is as near - or what can replace what at no cost."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from sozai.contracts.parallel import one_thread, run_chunks
from sozai.numerics.simplex_kernels import solve_rows
from sozai.numerics.simplex_least_squares import EPSILON, SimplexSolution, SimplexSystem

__all__ = ["certify"]

Array = NDArray[np.float64]

#: A multiplier below this share of the steepest slope costs nothing.
FREE = 1e-10
#: A weight up to this is zero.
ZERO = 1e-11
#: Rows whose certificate is made in one chunk of work.
CERTIFIED = 256


def certify(
    system: SimplexSystem, solution: SimplexSolution, names: tuple[str, ...], n_jobs: int | None = None
) -> tuple[Array, NDArray[np.bool_], tuple[str | None, ...]]:
    """Fractions, uniqueness and what can be exchanged, of every row.

    Parameters
    ----------
    system : SimplexSystem
    solution : SimplexSolution
        Of that system.
    names : tuple of str
        Components.
    n_jobs : int, optional

    Returns
    -------
    fractions : ndarray of shape (n, m)
        The optimum of smallest norm where there are several.
    unique : ndarray of shape (n,), bool
    words : tuple of (str or None)

    Examples
    --------
    >>> system = SimplexSystem.from_matrix([[1.0, 0.0, 0.0]])
    >>> fractions, unique, words = certify(system, system.solve([[0.0]]), ("Fe", "Hf", "Zr"))
    >>> fractions.round(9).tolist(), unique.tolist(), words
    ([[0.0, 0.5, 0.5]], [False], ('Zr can replace Hf at no cost',))
    """
    n = len(solution.weights)
    if system.unique:
        return solution.weights, np.ones(n, dtype=np.bool_), (None,) * n
    starts = range(0, n, CERTIFIED)
    chunks = [(solution.weights[k : k + CERTIFIED], solution.multipliers[k : k + CERTIFIED]) for k in starts]
    parts = run_chunks(
        functools.partial(_certify_chunk, system, names), chunks, n_jobs=n_jobs, progress=False
    )
    answers = [answer for part in parts for answer in part]
    fractions = np.array([answer[0] for answer in answers]).reshape(solution.weights.shape)
    words = tuple(answer[1] for answer in answers)
    return fractions, np.array([word is None for word in words], dtype=np.bool_), words


def _certify_chunk(
    system: SimplexSystem, names: tuple[str, ...], chunk: tuple[Array, Array]
) -> list[tuple[Array, str | None]]:
    """Fractions and words for some rows."""
    answers: list[tuple[Array, str | None]] = []
    with one_thread():
        for weights, multipliers in zip(*chunk, strict=True):
            direction = _free_direction(system, weights, multipliers)
            if direction is None:
                answers.append((weights, None))
            else:
                least = _smallest_norm(system, weights, multipliers)
                answers.append((least, _in_words(direction, names)))
    return answers


def _free_components(system: SimplexSystem, weights: Array, multipliers: Array) -> NDArray[np.intp]:
    """Components that are positive, or can become so at no cost."""
    return np.flatnonzero((weights > ZERO) | (multipliers <= FREE * system.scale**2))


def _free_direction(system: SimplexSystem, weights: Array, multipliers: Array) -> Array | None:
    """Change v of the weights that keeps [H; 1ᵀ]w and w ≥ 0, or None when there is none."""
    positive = np.flatnonzero(weights > ZERO)
    idle = np.setdiff1d(_free_components(system, weights, multipliers), positive)
    if not idle.size:
        return None  # the positive columns are independent
    chosen, others = system.columns[positive].T, system.columns[idle].T
    basis = np.linalg.qr(chosen)[0]
    for _ in range(2):
        others = others - basis @ (basis.T @ others)
    anchor = np.full((1, idle.size), system.scale)
    lifted = np.ascontiguousarray(np.vstack([others, anchor]).T)
    target = np.zeros((1, lifted.shape[1]))
    target[0, -1] = system.scale
    share, guess = np.empty((1, idle.size)), np.zeros((1, idle.size))
    guess[0, np.argmin((others**2).sum(axis=0))] = 1.0
    solve_rows(lifted, target, guess, share)
    if np.linalg.norm(others @ share[0]) > 10 * max(system.matrix.shape) * EPSILON * system.scale:
        return None
    direction = np.zeros(len(weights))
    direction[idle] = share[0]
    direction[positive] = -np.linalg.lstsq(chosen, system.columns[idle].T @ share[0], rcond=None)[0]
    return direction


def _smallest_norm(system: SimplexSystem, weights: Array, multipliers: Array) -> Array:
    r"""Optimum of smallest norm: w + Na ≥ 0 with N the null space of the free columns.

    Least distance programming: :math:`\min\|a\|,\ Na \ge -w_r` from :math:`\min\|Eu - f\|,\ u \ge 0`
    with :math:`E = [N^T; -w_r^T]`, f the last unit vector, residual ρ: a = −ρ/ρ_last.
    """
    free = _free_components(system, weights, multipliers)
    columns = system.columns[free].T
    _, sigma, right = np.linalg.svd(columns)
    rank = int((sigma > sigma[0] * max(system.matrix.shape) * EPSILON).sum())
    null = right[rank:].T
    if not null.shape[1]:
        return weights
    fixed = weights[free] - null @ (null.T @ weights[free])
    E = np.vstack([null.T, -fixed])
    f = np.zeros(len(E))
    f[-1] = 1.0
    gap = E @ nnls(E, f)[0] - f
    found = np.maximum(fixed - null @ (gap[:-1] / gap[-1]), 0.0)
    found[found < 1e-12] = 0.0
    out = np.zeros_like(weights)
    out[free] = found / found.sum()
    return out


def _in_words(direction: Array, names: tuple[str, ...]) -> str:
    """Say 'Zr can replace Hf at no cost'; amounts are shares of what is exchanged."""
    shares = np.round(direction / direction[direction > 0].sum(), 9)
    sides = []
    for sign in (1, -1):
        order = [j for j in np.argsort(-sign * shares, kind="stable") if sign * shares[j] > 1e-6]
        if len(order) == 1:
            sides.append(names[order[0]])
            continue
        terms = [f"{abs(shares[j]):.3g} {names[j]}" for j in order[:4]]
        sides.append(" + ".join(terms) + (f" + {len(order) - 4} more" if len(order) > 4 else ""))
    return f"{sides[0]} can replace {sides[1]} at no cost"
