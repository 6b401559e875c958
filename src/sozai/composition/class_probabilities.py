"""From votes to probabilities that hold, and from probabilities to a decision that dares rare classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

__all__ = ["ProbabilityScale", "best_weights"]

#: Formulas of a class from which on its calibration may take any rising shape.
_ISOTONIC = 200
#: Least and greatest vote; a logit has to be finite.
_EDGE = 1e-3
#: Multipliers tried for every class.
_WEIGHTS = np.exp(np.linspace(-1.5, 1.5, 31))
_NEUTRAL = 15


@dataclass(frozen=True, eq=False)
class ProbabilityScale:
    """Calibration of votes, class by class.

    Attributes
    ----------
    curves : tuple
        For every class a fitted isotonic or logistic curve.
    floor : float
        Least probability: half an event in n + 1 tries, since n rows tell of nothing rarer.

    Examples
    --------
    >>> votes = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]] * 10)
    >>> scale = ProbabilityScale.of(votes, np.array([0, 0, 1, 1] * 10))
    >>> bool(scale(np.array([[0.95, 0.05]]))[0, 0] > 0.9)
    True
    """

    curves: tuple[Any, ...]
    floor: float

    @classmethod
    def of(cls, votes: np.ndarray, codes: np.ndarray) -> ProbabilityScale:
        """Learn from votes on rows that the voters had not seen.

        Parameters
        ----------
        votes : ndarray of shape (n, n_classes)
        codes : int ndarray of shape (n,)

        Returns
        -------
        ProbabilityScale
        """
        curves = tuple(_curve(votes[:, c], codes == c) for c in range(votes.shape[1]))
        return cls(curves, 0.5 / (len(votes) + 1))

    def __call__(self, votes: np.ndarray) -> np.ndarray:
        """Probabilities that add up to 1, shape (n, n_classes)."""
        each = np.column_stack([_value(curve, votes[:, c]) for c, curve in enumerate(self.curves)])
        each = np.clip(each, self.floor, 1.0)
        return np.asarray(each / each.sum(axis=1, keepdims=True))


def best_weights(probabilities: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Weights of the classes that make the mean F1 largest, one class after the other.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        Of rows left out.
    codes : int ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n_classes,)
        Between 0.22 and 4.5; of equally good ones 1, or the middle.

    Examples
    --------
    >>> p = np.column_stack([np.full(10, 0.6), np.full(10, 0.4)])
    >>> best_weights(p, np.zeros(10, dtype=int)).tolist()[0]
    1.0
    """
    n_classes = probabilities.shape[1]
    weights = np.ones(n_classes)
    for _ in range(2):
        for c in np.argsort(np.bincount(codes, minlength=n_classes), kind="stable"):
            trial = np.repeat(weights[None], len(_WEIGHTS), axis=0)
            trial[:, c] = _WEIGHTS
            scores = np.array([_macro_f1(probabilities * w, codes) for w in trial])
            good = np.flatnonzero(scores >= scores.max() - 1e-12)
            runs = np.split(good, np.flatnonzero(np.diff(good) > 1) + 1)
            longest = max(runs, key=len)
            weights[c] = 1.0 if _NEUTRAL in longest else _WEIGHTS[longest[len(longest) // 2]]
    return weights


def _macro_f1(scores: np.ndarray, codes: np.ndarray) -> float:
    """Mean over classes of 2 hits / (true + found)."""
    n_classes = scores.shape[1]
    found = scores.argmax(axis=1)
    hits = np.bincount(codes[found == codes], minlength=n_classes)
    both = np.bincount(codes, minlength=n_classes) + np.bincount(found, minlength=n_classes)
    return float(np.mean(2.0 * hits / np.maximum(both, 1)))


def _curve(vote: np.ndarray, is_class: np.ndarray) -> Any:
    """Rising curve from vote to probability."""
    if is_class.sum() >= _ISOTONIC and (~is_class).sum() >= _ISOTONIC:
        return IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(vote, is_class)
    return LogisticRegression(C=1.0).fit(_logit(vote)[:, None], is_class)


def _value(curve: Any, vote: np.ndarray) -> np.ndarray:
    if isinstance(curve, IsotonicRegression):
        return np.asarray(curve.predict(vote))
    return np.asarray(curve.predict_proba(_logit(vote)[:, None])[:, 1])


def _logit(vote: np.ndarray) -> np.ndarray:
    p = np.clip(vote, _EDGE, 1.0 - _EDGE)
    return np.log(p / (1.0 - p))
