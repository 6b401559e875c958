"""From margins to probabilities, by rows the boundary has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from sozai.symbolic.classification.classes import Classes

__all__ = ["Calibration", "calibration_slope", "probabilities"]

_LEAST_SLOPE, _LARGEST_SLOPE = 1e-3, 1e3


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    r"""How margins became probabilities.

    Attributes
    ----------
    slope : float
        a of :math:`p = \mathrm{softmax}(a z)`.
    n_folds : int
        Folds in which rows were left out; 0 where none could be.
    accuracy, log_loss : float
        On the left-out rows; NaN where none were left out.

    Examples
    --------
    >>> Calibration(1.5, 5, 0.9, 0.25)
    Calibration(slope 1.5, 5 folds, accuracy 0.9000, log loss 0.2500)
    """

    slope: float
    n_folds: int
    accuracy: float
    log_loss: float

    @classmethod
    def of(cls, unseen: np.ndarray, classes: Classes, n_folds: int) -> Calibration:
        """Fit the slope to margins of left-out rows and judge their probabilities."""
        slope = calibration_slope(unseen, classes)
        known = np.isfinite(unseen).all(axis=1)
        chance, truth = probabilities(unseen[known], slope), classes.codes[known]
        if not truth.size:
            return cls(slope, n_folds, np.nan, np.nan)
        loss = -np.log(np.maximum(chance[np.arange(truth.size), truth], 1e-12))
        return cls(slope, n_folds, float(np.mean(chance.argmax(axis=1) == truth)), float(loss.mean()))

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([vars(self)])

    def __repr__(self) -> str:
        return (
            f"Calibration(slope {self.slope:.4g}, {self.n_folds} folds, accuracy {self.accuracy:.4f}, "
            f"log loss {self.log_loss:.4f})"
        )


def calibration_slope(margins: np.ndarray, classes: Classes) -> float:
    r"""Slope a of :math:`p = \mathrm{softmax}(a z)` that fits the labels best.

    Parameters
    ----------
    margins : ndarray of shape (n_samples, n_classes)
        z of rows the boundary has not seen; rows with NaN are left out.
    classes : Classes

    Returns
    -------
    float

    Notes
    -----
    Platt's sigmoid [1]_ with its targets drawn in from 0 and 1 by 1/(m + K), but
    without the constant: one half stays on the boundary, so that probability and
    class always agree; for several classes this is temperature scaling [2]_. The
    likelihood is concave in a.

    References
    ----------
    .. [1] J. C. Platt, in Advances in Large Margin Classifiers, 61 (MIT Press, 1999).
    .. [2] C. Guo et al., Proc. Mach. Learn. Res. 70, 1321 (2017).

    Examples
    --------
    >>> z = np.array([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> 0.5 < calibration_slope(z, Classes.of(["a", "a", "b", "b"])) < 2
    True
    """
    known = np.isfinite(margins).all(axis=1)
    if not known.any():
        return 1.0
    m, n_classes = int(known.sum()), len(classes)
    draw = 1.0 / (m + n_classes)
    target = np.full((m, n_classes), draw / (n_classes - 1))
    target[np.arange(m), classes.codes[known]] = 1.0 - draw
    shift = margins[known] - margins[known].max(axis=1, keepdims=True)
    unit = float(np.mean(-shift.min(axis=1))) or 1.0

    def loss(log_slope: float) -> float:
        scaled = np.exp(log_slope) / unit * shift
        return float(np.sum(np.log(np.exp(scaled).sum(axis=1))) - np.sum(target * scaled))

    bounds = (np.log(_LEAST_SLOPE), np.log(_LARGEST_SLOPE))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x) / unit)


def probabilities(margins: np.ndarray, slope: float) -> np.ndarray:
    """Probability of every class; NaN where a margin is NaN."""
    return softmax(slope * margins, axis=1)
