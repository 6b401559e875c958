"""Logistic models of a few terms: the maximized likelihood of thousands of them, by Newton's method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import combinations, islice
from typing import Any

import numba
import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.classification.classes import Classes, as_rows
from sozai.symbolic.classification.threads import on_threads

__all__ = ["PENALTY", "LogisticModel", "LogisticScore", "fit_logistic", "score_subsets"]

PENALTY = 0.01
"""Of half the sum of squares of all coefficients, per standard deviation of a term."""

_STEPS = 60
_HALVINGS = 30
_GAIN = 1e-10  # in units of log-likelihood: a step that promises less ends the search
_SUBSETS = 4096  # of one chunk


@dataclass(frozen=True, eq=False, repr=False)
class LogisticModel:
    r"""Log-odds linear in a few terms.

    Attributes
    ----------
    coefficients : ndarray of shape (n_classes - 1, n_terms)
        Of the terms in their own units, each class against the first.
    intercepts : ndarray of shape (n_classes - 1,)
    log_likelihood : float
        Of the training labels, without the penalty.
    penalized : float
        With it: what was maximized.
    null : float
        Log-likelihood of the class frequencies.

    Examples
    --------
    >>> model = fit_logistic([[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]], [0, 0, 1, 0, 1, 1])
    >>> model.log_odds([[2.5]]).round(6).tolist()
    [[0.0]]
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    log_likelihood: float
    penalized: float
    null: float

    @property
    def n_parameters(self) -> int:
        """Coefficients and intercepts."""
        return self.coefficients.size + self.intercepts.size

    def log_odds(self, values: Any) -> np.ndarray:
        """Log-odds of every class but the first against it; ``values`` (n_terms, n) -> (n, n_classes - 1)."""
        return np.asarray(values, dtype=np.float64).T @ self.coefficients.T + self.intercepts

    def __repr__(self) -> str:
        share = 1 - self.log_likelihood / self.null
        return f"LogisticModel({self.coefficients.shape[1]} terms, pseudo-R2 {share:.4f})"


class LogisticScore:
    r"""How much of the uncertainty of the class one feature removes: McFadden's pseudo-R².

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class labels.
    penalty : float, default=0.01
        :math:`\lambda` below; keeps the likelihood of separated classes finite.

    Attributes
    ----------
    classes : Classes
        The labels as codes.

    Notes
    -----
    :math:`1 - \max_w [\ell(w) - \tfrac{\lambda}{2} \sum_k \lvert w_k \rvert^2] / \ell_0`
    with the log-likelihood :math:`\ell` of a (multinomial) logistic model of the
    standardized feature and that of the class frequencies, :math:`\ell_0` [1]_.
    The penalty acts on coefficients that sum to zero over the classes, so no class
    is special; where the classes are separated the score grows with the gap.
    Newton's method with halved steps, 5 to 8 steps of O(m).

    References
    ----------
    .. [1] D. McFadden, in Frontiers in Econometrics, 105 (Academic Press, 1974).

    Examples
    --------
    >>> score = LogisticScore([0, 0, 1, 0, 1, 1])
    >>> score.evaluate([[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]]).round(3).tolist()
    [0.402, 0.081]
    """

    def __init__(self, y: Any, *, penalty: float = PENALTY) -> None:
        self.classes = Classes.of(y, place="LogisticScore")
        self.penalty = _positive(penalty, "LogisticScore")

    def evaluate(self, values: Any) -> np.ndarray:
        """Score of every feature; ``values`` of shape (b, n_samples), larger is better."""
        rows = as_rows(values, self.classes.codes.size, "LogisticScore.evaluate")
        subsets = np.arange(len(rows), dtype=np.int64)[:, None]
        rows = standardized(rows)
        penalized, _ = _maximize(rows, subsets, self.classes, self.penalty)
        scores = 1.0 - penalized / null_likelihood(self.classes)
        scores[~np.isfinite(rows).all(axis=1)] = -np.inf
        return scores


def fit_logistic(values: Any, y: Any, *, penalty: float = PENALTY) -> LogisticModel:
    """Fit one logistic model.

    Parameters
    ----------
    values : array-like of shape (n_terms, n_samples)
        Terms, one a row.
    y : array-like of shape (n_samples,) or Classes
    penalty : float, default=0.01
        As in :class:`LogisticScore`.

    Returns
    -------
    LogisticModel
    """
    classes = y if isinstance(y, Classes) else Classes.of(y, place="fit_logistic")
    rows = as_rows(values, classes.codes.size, "fit_logistic")
    center, scale = _center_and_scale(rows)
    rows = (rows - center[:, None]) / scale[:, None]
    subset = np.arange(len(rows), dtype=np.int64)[None]
    penalized, weights = _maximize(rows, subset, classes, _positive(penalty, "fit_logistic"))
    inner = weights[0, :, 1:] / scale
    size = float(np.sum(weights[0, :, 1:] ** 2) - np.sum(weights[0, :, 1:].sum(axis=0) ** 2) / len(classes))
    return LogisticModel(
        coefficients=inner,
        intercepts=weights[0, :, 0] - inner @ center,
        log_likelihood=float(penalized[0] + 0.5 * penalty * size),
        penalized=float(penalized[0]),
        null=null_likelihood(classes),
    )


def score_subsets(
    values: Any, y: Any, n_terms: int, *, penalty: float = PENALTY, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Score all sets of features by :class:`LogisticScore` of their joint model.

    Parameters
    ----------
    values : array-like of shape (n_features, n_samples)
        One feature a row.
    y : array-like of shape (n_samples,) or Classes
    n_terms : int
    penalty : float, default=0.01
    n_jobs : int, optional
        Threads; the scores do not depend on it.

    Returns
    -------
    subsets : ndarray of int64 of shape (n_subsets, n_terms)
        In lexicographic order.
    scores : ndarray of shape (n_subsets,)

    Examples
    --------
    >>> values = [[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 1.0, 0.0], [2.0, 2.0, 1.0, 4.0]]
    >>> score_subsets(values, [0, 1, 1, 0], 2)[0].tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    classes = y if isinstance(y, Classes) else Classes.of(y, place="score_subsets")
    rows = standardized(as_rows(values, classes.codes.size, "score_subsets"))
    n_subsets = math.comb(len(rows), n_terms)
    every = combinations(range(len(rows)), n_terms)
    chunks = []
    while len(chunks) * _SUBSETS < n_subsets:
        chunks.append(np.array(list(islice(every, _SUBSETS)), dtype=np.int64))
    if not chunks:
        return np.empty((0, n_terms), dtype=np.int64), np.empty(0)
    score = partial(_score_chunk, rows, classes, _positive(penalty, "score_subsets"))
    return np.concatenate(chunks), np.concatenate(on_threads(score, chunks, n_jobs))


def null_likelihood(classes: Classes) -> float:
    """Log-likelihood of the class frequencies."""
    return float(np.sum(classes.sizes * np.log(classes.sizes / classes.codes.size)))


def standardized(rows: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and standard deviation 1; constant ones are 0."""
    center, scale = _center_and_scale(rows)
    with np.errstate(invalid="ignore"):
        return (rows - center[:, None]) / scale[:, None]


def _center_and_scale(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every row, safe against overflow."""
    with np.errstate(invalid="ignore", over="ignore"):
        largest = np.abs(rows).max(axis=1)
        largest[~(largest > 0)] = 1.0
        unit = rows / largest[:, None]
        center, scale = unit.mean(axis=1), unit.std(axis=1)
        scale[~(scale > 1e-12)] = 1.0 / np.finfo(float).tiny  # a constant row becomes zero
        return center * largest, np.minimum(scale * largest, np.finfo(float).max)


def _score_chunk(rows: np.ndarray, classes: Classes, penalty: float, subsets: np.ndarray) -> np.ndarray:
    """Scores of some subsets."""
    penalized, _ = _maximize(rows, subsets, classes, penalty)
    return 1.0 - penalized / null_likelihood(classes)


def _maximize(
    rows: np.ndarray, subsets: np.ndarray, classes: Classes, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Penalized log-likelihood and weights (n_classes - 1, 1 + n_terms) of every subset."""
    penalized = np.empty(len(subsets))
    weights = np.zeros((len(subsets), len(classes) - 1, subsets.shape[1] + 1))
    weights[:, :, 0] = np.log(classes.sizes[1:] / classes.sizes[0])
    member = (classes.codes == np.arange(1, len(classes))[:, None]).astype(np.float64)
    _newton(rows, subsets, member, penalty, penalized, weights)
    return penalized, weights


def _positive(penalty: float, place: str) -> float:
    """Refuse a penalty that cannot bound the likelihood."""
    if not (np.isfinite(penalty) and penalty > 0):
        raise InputError(sentence(place, "penalty", "be positive", penalty, remedy="Leave it out."))
    return float(penalty)


# -- kernels ------------------------------------------------------------------------------------------


@numba.njit(cache=True, nogil=True)
def _newton(rows, subsets, member, penalty, penalized, weights):
    """Maximize the penalized likelihood of every subset; ``weights`` holds start and answer.

    ``member`` of shape (n_classes - 1, m) is 1 where a sample belongs to a class other than the first.
    """
    n_others, width = weights.shape[1], weights.shape[2]
    size = n_others * width
    design = np.empty((width, member.shape[1]))
    design[0] = 1.0
    chance, work = np.empty(member.shape), np.empty(member.shape[1])
    gradient, step = np.empty(size), np.empty(size)
    hessian = np.empty((size, size))
    trial = np.empty((n_others, width))
    for s in range(subsets.shape[0]):
        for k in range(width - 1):
            for t in range(member.shape[1]):
                design[k + 1, t] = rows[subsets[s, k], t]
        here = weights[s]
        value = _likelihood(design, member, here, penalty, chance)
        for _ in range(_STEPS):
            _derivatives(design, member, here, penalty, chance, work, gradient, hessian)
            _solve(hessian, gradient, step)
            promise = 0.0
            for k in range(size):
                promise += gradient[k] * step[k]
            if not promise > _GAIN:
                break
            share = 1.0
            for _ in range(_HALVINGS):
                for c in range(n_others):
                    for k in range(width):
                        trial[c, k] = here[c, k] + share * step[c * width + k]
                reached = _likelihood(design, member, trial, penalty, chance)
                if reached >= value + 1e-4 * share * promise:
                    break
                share *= 0.5
            if not reached > value:
                value = _likelihood(design, member, here, penalty, chance)
                break
            for c in range(n_others):
                for k in range(width):
                    here[c, k] = trial[c, k]
            value = reached
        penalized[s] = value


@numba.njit(cache=True, nogil=True)
def _likelihood(design, member, weights, penalty, chance):
    """Penalized log-likelihood; fills the probabilities ``chance`` of all classes but the first."""
    n_others, width = weights.shape
    total, masses = 0.0, 1.0
    for c in range(n_others):
        chance[c] = weights[c, 0]
        for k in range(1, width):
            for t in range(member.shape[1]):
                chance[c, t] += weights[c, k] * design[k, t]
    for t in range(member.shape[1]):
        highest = 0.0
        for c in range(n_others):
            highest = max(highest, chance[c, t])
        for c in range(n_others):
            total += member[c, t] * chance[c, t]
        total -= highest
        mass = np.exp(-highest) if highest > 0.0 else 1.0
        for c in range(n_others):
            chance[c, t] = np.exp(chance[c, t] - highest) if chance[c, t] < highest else 1.0
            mass += chance[c, t]
        for c in range(n_others):
            chance[c, t] /= mass
        masses *= mass  # one logarithm for many samples
        if masses > 1e250:
            total -= np.log(masses)
            masses = 1.0
    total -= np.log(masses)
    for k in range(1, width):
        square, together = 0.0, 0.0
        for c in range(n_others):
            square += weights[c, k] * weights[c, k]
            together += weights[c, k]
        total -= 0.5 * penalty * (square - together * together / (n_others + 1))
    return total


@numba.njit(cache=True, nogil=True)
def _derivatives(design, member, weights, penalty, chance, work, gradient, hessian):
    """Gradient and negative second derivatives at the probabilities ``chance``."""
    n_others, width = weights.shape
    for c in range(n_others):
        for t in range(member.shape[1]):
            work[t] = member[c, t] - chance[c, t]
        for k in range(width):
            gradient[c * width + k] = _dot(work, design[k])
        for b in range(c + 1):
            same = 1.0 if b == c else 0.0
            for t in range(member.shape[1]):
                work[t] = chance[c, t] * (same - chance[b, t])
            for k in range(width):
                for j in range(k + 1):
                    curve = _dot_of_three(work, design[k], design[j])
                    hessian[c * width + k, b * width + j] = curve
                    hessian[c * width + j, b * width + k] = curve
                    hessian[b * width + j, c * width + k] = curve
                    hessian[b * width + k, c * width + j] = curve
    for k in range(1, width):
        together = 0.0
        for c in range(n_others):
            together += weights[c, k]
        for c in range(n_others):
            gradient[c * width + k] -= penalty * (weights[c, k] - together / (n_others + 1))
            for b in range(n_others):
                share = (1.0 if b == c else 0.0) - 1.0 / (n_others + 1)
                hessian[c * width + k, b * width + k] += penalty * share


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})  # sums may run on vectors, always alike
def _dot(a, b):
    """Scalar product."""
    total = 0.0
    for t in range(a.size):
        total += a[t] * b[t]
    return total


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def _dot_of_three(a, b, c):
    """Sum of products of three."""
    total = 0.0
    for t in range(a.size):
        total += a[t] * b[t] * c[t]
    return total


@numba.njit(cache=True, nogil=True)
def _solve(matrix, right, answer):
    """Solve a symmetric, nearly definite system by Cholesky factors with a floor under the pivots."""
    n = right.size
    for k in range(n):
        pivot = matrix[k, k]
        floor = 1e-12 * max(abs(pivot), 1e-12)
        for j in range(k):
            pivot -= matrix[k, j] * matrix[k, j]
        matrix[k, k] = np.sqrt(max(pivot, floor))
        for i in range(k + 1, n):
            value = matrix[i, k]
            for j in range(k):
                value -= matrix[i, j] * matrix[k, j]
            matrix[i, k] = value / matrix[k, k]
    for k in range(n):
        value = right[k]
        for j in range(k):
            value -= matrix[k, j] * answer[j]
        answer[k] = value / matrix[k, k]
    for k in range(n - 1, -1, -1):
        value = answer[k]
        for i in range(k + 1, n):
            value -= matrix[i, k] * answer[i]
        answer[k] = value / matrix[k, k]
