"""What a further feature would add to logistic models that exist: the score test, one pass a feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from sozai.symbolic.classification.classes import Classes, as_rows
from sozai.symbolic.classification.logistic import PENALTY, fit_logistic, null_likelihood, standardized

__all__ = ["LogisticGain"]

_NEW = 1e-9  # share of a feature's spread that the terms must leave


class LogisticGain:
    r"""Pseudo-R² that existing logistic models would reach with one more term, to second order.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class labels.
    models : sequence of array-like of shape (n_terms, n_samples)
        Terms of every model to extend; the best extension counts.

    Attributes
    ----------
    classes : Classes
        The labels as codes.

    See Also
    --------
    LogisticScore : The exact pseudo-R² of one feature alone.

    Notes
    -----
    A model with probabilities p leaves the residuals :math:`r = [y = c] - p`.
    Rao's score test [1]_ says that its log-likelihood grows by about

    .. math:: \tfrac12 \frac{(\sum_t r_t f_t)^2}{\sum_t w_t \tilde f_t^2}, \quad w = p(1 - p),

    where :math:`\tilde f` is what a regression with weights w on the terms of the
    model leaves of f. For K > 2 classes the gains of every class against the rest
    are summed and multiplied by (K - 1)/K, which is right for equally likely
    classes. It screens; the survivors are then fitted. Cost O(m) a
    feature and model.

    References
    ----------
    .. [1] C. R. Rao, Proc. Camb. Philos. Soc. 44, 50 (1948).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, c = rng.normal(size=(3, 60))
    >>> score = LogisticGain(a + b + 0.5 * rng.normal(size=60) > 0, [[a]])
    >>> int(np.argmax(score.evaluate([a, b, c])))
    1
    """

    def __init__(self, y: Any, models: Sequence[Any]) -> None:
        self.classes = Classes.of(y, place="LogisticGain")
        m, n_classes = self.classes.codes.size, len(self.classes)
        watched = range(1, 2) if n_classes == 2 else range(n_classes)
        tests, base = [], []
        for terms in models:
            terms = standardized(as_rows(terms, m, "LogisticGain"))
            fit = fit_logistic(terms, self.classes, penalty=PENALTY)
            odds = np.column_stack([np.zeros(m), fit.log_odds(terms)])
            chance = np.exp(odds - odds.max(axis=1, keepdims=True))
            chance /= chance.sum(axis=1, keepdims=True)
            tests += [_test_rows(terms, self.classes.codes == c, chance[:, c]) for c in watched]
            base.append(fit.penalized)
        width = max(len(rows) for rows in tests)
        self._tests = np.zeros((len(tests), width, m))
        for k, rows in enumerate(tests):
            self._tests[k, : len(rows)] = rows
        self._base = np.array(base)
        self._per_model = len(watched)

    def evaluate(self, values: Any) -> np.ndarray:
        """Score of every feature; ``values`` of shape (b, n_samples), larger is better."""
        rows = as_rows(values, self.classes.codes.size, "LogisticGain.evaluate")
        gains = np.empty((len(rows), len(self._tests)))
        _gains(rows, self._tests, gains)
        gains = gains.reshape(len(rows), -1, self._per_model).mean(axis=2) * (len(self.classes) - 1)
        return 1.0 - (self._base + gains).max(axis=1) / null_likelihood(self.classes)


def _test_rows(terms: np.ndarray, member: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Residuals, weights, and weighted orthonormal rows of constant and terms: (3 + n_terms, m)."""
    weight = np.maximum(chance * (1 - chance), 1e-12)
    design = np.vstack([np.ones(weight.size), terms]) * np.sqrt(weight)
    frame = np.linalg.qr(design.T)[0].T * np.sqrt(weight)
    return np.vstack([member - chance, weight, frame])


@numba.njit(cache=True, nogil=True)
def _gains(values, tests, gains):
    """Half the score statistic of every feature in every test."""
    m = values.shape[1]
    feature, square = np.empty(m), np.empty(m)
    for b in range(values.shape[0]):
        mean, largest = 0.0, 0.0
        for t in range(m):
            largest = max(largest, abs(values[b, t]))
        scale = 1.0 / largest if 0.0 < largest < np.inf else 0.0
        for t in range(m):
            mean += values[b, t] * scale / m
        for t in range(m):
            feature[t] = values[b, t] * scale - mean
            square[t] = feature[t] * feature[t]
        for k in range(tests.shape[0]):
            slope = _sum_of_products(tests[k, 0], feature)
            spread = _sum_of_products(tests[k, 1], square)
            left = spread
            for j in range(2, tests.shape[1]):
                along = _sum_of_products(tests[k, j], feature)
                left -= along * along
            gains[b, k] = 0.5 * slope * slope / left if left > _NEW * spread else 0.0


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})  # sums may run on vectors, always alike
def _sum_of_products(a, b):
    """Scalar product."""
    total = 0.0
    for t in range(a.size):
        total += a[t] * b[t]
    return total
