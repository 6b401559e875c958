"""How well a property was predicted where it had been left out, fold by fold and class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["ClassScore", "calibration_error", "class_scores", "fold_scores"]


@dataclass(frozen=True, eq=False, repr=False)
class ClassScore:
    """How well a whole procedure finds classes of rows it has not seen.

    Attributes
    ----------
    accuracy, macro_f1, calibration_error : float
        Over all left-out rows.
    coverage, level : float
        Share of the rows whose class is in their set, each set made without the row's fold, and the share
        promised for every class.
    protocol : str
        What was left out.
    predictions : ndarray of shape (n_samples,)
        Class of every row by the fit that had not seen it.
    probabilities : ndarray of shape (n_samples, n_classes)
    sets : bool ndarray of shape (n_samples, n_classes)
    classes : ndarray of shape (n_classes,)
    folds : tuple of ndarray
        Test rows of every fold.

    Examples
    --------
    >>> p, classes = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array(["a", "b"])
    >>> folds = (np.array([0]), np.array([1]))
    >>> ClassScore.of(np.array([0, 1]), np.array([0, 1]), p, p > 0.5, classes, folds, "2 folds", level=0.9)
    ClassScore(accuracy 1.000, macro-F1 1.000, 90 % sets hold 100.0 %, 2 folds)
    """

    accuracy: float
    macro_f1: float
    calibration_error: float
    coverage: float
    level: float
    protocol: str
    predictions: np.ndarray
    probabilities: np.ndarray
    sets: np.ndarray
    classes: np.ndarray
    folds: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls,
        codes: np.ndarray,
        found: np.ndarray,
        probabilities: np.ndarray,
        sets: np.ndarray,
        classes: np.ndarray,
        folds: tuple[np.ndarray, ...],
        protocol: str,
        *,
        level: float,
    ) -> ClassScore:
        """Summarize classes, probabilities and sets of left-out rows; ``codes, found`` number the classes."""
        numbers = range(len(classes))
        return cls(
            accuracy=float((found == codes).mean()),
            macro_f1=float(class_scores(codes, found, numbers)["f1"].mean()),
            calibration_error=calibration_error(codes, probabilities, numbers),
            coverage=float(sets[np.arange(len(codes)), codes].mean()),
            level=level,
            protocol=protocol,
            predictions=classes[found],
            probabilities=probabilities,
            sets=sets,
            classes=classes,
            folds=folds,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a left-out row: prediction, probability of every class, fold."""
        fold = np.empty(len(self.predictions), dtype=np.int64)
        for k, test in enumerate(self.folds):
            fold[test] = k
        names = self.classes.tolist()
        shares = {f"probability of {name}": self.probabilities[:, c] for c, name in enumerate(names)}
        return pd.DataFrame({"prediction": self.predictions, **shares, "fold": fold})

    def __repr__(self) -> str:
        return (
            f"ClassScore(accuracy {self.accuracy:.3f}, macro-F1 {self.macro_f1:.3f}, "
            f"{100 * self.level:.3g} % sets hold {100 * self.coverage:.1f} %, {self.protocol})"
        )


def fold_scores(y: np.ndarray, predictions: np.ndarray, tests: Sequence[Any]) -> pd.DataFrame:
    r"""Errors of every fold.

    Parameters
    ----------
    y, predictions : ndarray of shape (n,)
    tests : sequence of index arrays or slices
        Rows of every fold.

    Returns
    -------
    DataFrame
        ``fold, n_test, MAE, RMSE, R2, squared_correlation`` with :math:`R^2 = 1 - SSE/SST`, which a
        constant error lowers, and the squared correlation, which it does not.

    Examples
    --------
    >>> fold_scores(np.array([0.0, 1.0]), np.array([1.0, 2.0]), [slice(None)]).round(3).to_dict("records")
    [{'fold': 0, 'n_test': 2, 'MAE': 1.0, 'RMSE': 1.0, 'R2': -3.0, 'squared_correlation': 1.0}]
    """
    rows = []
    for k, test in enumerate(tests):
        truth, found = y[test], predictions[test]
        error = truth - found
        spread = float(((truth - truth.mean()) ** 2).sum())
        varied = spread > 0 and float(np.ptp(found)) > 0
        rows.append(
            {
                "fold": k,
                "n_test": len(truth),
                "MAE": float(np.abs(error).mean()),
                "RMSE": float(np.sqrt((error**2).mean())),
                "R2": 1.0 - float((error**2).sum()) / spread if spread > 0 else float("nan"),
                "squared_correlation": float(np.corrcoef(truth, found)[0, 1] ** 2)
                if varied
                else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def class_scores(truth: np.ndarray, found: np.ndarray, classes: Sequence[Any]) -> pd.DataFrame:
    """Recall, precision and F1 of every class.

    Parameters
    ----------
    truth, found : ndarray of shape (n,)
    classes : sequence of labels

    Returns
    -------
    DataFrame
        ``class, n, recall, precision, f1``; a class never found has precision and F1 of 0.

    Examples
    --------
    >>> class_scores(np.array(["a", "b", "b"]), np.array(["a", "a", "b"]), ["a", "b"])["recall"].tolist()
    [1.0, 0.5]
    """
    rows = []
    for name in classes:
        is_one, said = truth == name, found == name
        hits = int((is_one & said).sum())
        recall = hits / int(is_one.sum()) if is_one.any() else float("nan")
        precision = hits / int(said.sum()) if said.any() else 0.0
        f1 = (
            2.0 * hits / (int(is_one.sum()) + int(said.sum())) if is_one.any() or said.any() else float("nan")
        )
        rows.append(
            {"class": name, "n": int(is_one.sum()), "recall": recall, "precision": precision, "f1": f1}
        )
    return pd.DataFrame(rows)


def calibration_error(truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[Any]) -> float:
    r"""Expected calibration error of all classes' probabilities.

    Parameters
    ----------
    truth : ndarray of shape (n,)
    probabilities : ndarray of shape (n, n_classes)
    classes : sequence of labels

    Returns
    -------
    float
        :math:`\frac1C\sum_c\sum_b \frac{n_{cb}}n |\bar p_{cb} - \bar y_{cb}|` over ten equal bins of
        probability for every class.

    Examples
    --------
    >>> calibration_error(np.array([0, 1]), np.array([[1.0, 0.0], [0.2, 0.8]]), [0, 1])
    0.1
    """
    total = 0.0
    for column, name in enumerate(classes):
        p, hit = probabilities[:, column], truth == name
        bins = np.minimum((10.0 * p).astype(np.int64), 9)
        gap = np.bincount(bins, weights=p - hit, minlength=10)
        total += float(np.abs(gap).sum()) / len(p)
    return round(total / len(classes), 12)
