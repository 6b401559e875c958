"""What happens when rows are left out: predictions, errors, and how they grow when a block is shuffled."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from sozai.numerics.gaussian_process import GaussianProcess
from sozai.numerics.table_prediction.row_folds import Fold

__all__ = ["FoldScore", "LeaveOutTask", "LeftOut", "error_growth", "predict_with_std"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class FoldScore:
    """How well a whole procedure predicts rows it has not seen, in the user's unit.

    Attributes
    ----------
    rmse, rmse_standard_error, mae, q2 : float
        Over all left-out rows; the standard error is over rows, or over groups.
    coverage, level : float
        Share of the left-out values inside their interval, each interval made without the row's fold,
        and the share promised.
    protocol : str
        What was left out.
    predictions, lower, upper : ndarray of shape (n_samples,)
        Of every row by the fit that had not seen it.
    folds : tuple of ndarray
        Test rows of every fold.

    Examples
    --------
    >>> import numpy as np
    >>> y, p = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.5, 2.0, 3.0, 3.5])
    >>> FoldScore.of(y, p, p - 1, p + 1, (np.arange(2), np.arange(2, 4)), "2 folds", level=0.9)
    FoldScore(RMSE 0.3536 ± 0.1, Q2 0.9000, 90 % intervals hold 100.0 %, 2 folds)
    """

    rmse: float
    rmse_standard_error: float
    mae: float
    q2: float
    coverage: float
    level: float
    protocol: str
    predictions: Array
    lower: Array
    upper: Array
    folds: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(
        cls,
        y: Array,
        predictions: Array,
        lower: Array,
        upper: Array,
        folds: tuple[NDArray[np.int64], ...],
        protocol: str,
        *,
        level: float,
        groups: NDArray[Any] | None = None,
    ) -> FoldScore:
        """Summarize predictions and intervals of left-out rows."""
        square = (y - predictions) ** 2
        mse, spread = float(square.mean()), float(np.var(y))
        error = error_of_mean(square, groups)
        slack = 1e-9 * np.maximum(np.abs(y), 1e-300)
        return cls(
            rmse=mse**0.5,
            rmse_standard_error=error / (2.0 * mse**0.5) if mse > 0 else 0.0,
            mae=float(np.abs(y - predictions).mean()),
            q2=1.0 - mse / spread if spread > 0 else float("nan"),
            coverage=float(np.mean((lower - slack <= y) & (y <= upper + slack))),
            level=level,
            protocol=protocol,
            predictions=predictions,
            lower=lower,
            upper=upper,
            folds=folds,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a left-out row: prediction, interval, fold."""
        fold = np.empty(len(self.predictions), dtype=np.int64)
        for k, test in enumerate(self.folds):
            fold[test] = k
        return pd.DataFrame(
            {"prediction": self.predictions, "lower": self.lower, "upper": self.upper, "fold": fold}
        )

    def __repr__(self) -> str:
        return (
            f"FoldScore(RMSE {self.rmse:.4g} ± {self.rmse_standard_error:.2g}, Q2 {self.q2:.4f}, "
            f"{100 * self.level:.0f} % intervals hold {100 * self.coverage:.1f} %, {self.protocol})"
        )


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Answer of one fit.

    Attributes
    ----------
    model : fitted estimator or None
        None where it was not to be kept.
    mean : ndarray of shape (n_test,)
    std : ndarray of shape (n_test,) or None
    shuffled : ndarray of shape (n_blocks, n_repeats, n_test)
        Predictions with one block of columns taken from other rows.

    Examples
    --------
    >>> LeftOut(None, np.zeros(2), None, np.zeros((1, 3, 2))).shuffled.shape
    (1, 3, 2)
    """

    model: Any
    mean: Array
    std: Array | None
    shuffled: Array


@dataclass(frozen=True, eq=False)
class LeaveOutTask:
    """Everything a worker needs to fit some rows and predict the others; called with a fold and a seed.

    Attributes
    ----------
    model : estimator
        Cloned for every fit.
    X : ndarray of shape (n_samples, n_columns)
    y : ndarray of shape (n_samples,)
        On the model scale.
    blocks : list of ndarray of int
        Columns shuffled together.
    shuffles : ndarray of int of shape (n_repeats, n_samples)
        Row whose values stand in for each row.
    keep : bool
        Whether the fitted model comes back; one that left nothing out always does.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> X = np.arange(6.0)[:, None]
    >>> task = LeaveOutTask(LinearRegression(), X, X[:, 0], [np.array([0])], np.zeros((1, 6), int), False)
    >>> task(((np.arange(4), np.arange(4, 6)), 0)).mean.round(6).tolist()
    [4.0, 5.0]
    """

    model: Any
    X: Array
    y: Array
    blocks: list[NDArray[np.int64]]
    shuffles: NDArray[np.int64]
    keep: bool

    def __call__(self, work: tuple[Fold, int]) -> LeftOut:
        """Fit the train rows of a fold; predict its test rows as they are and with every block shuffled."""
        (train, test), seed = work
        model = clone(self.model)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        model.fit(self.X[train], self.y[train])
        mean, std = predict_with_std(model, self.X[test])
        shuffled = np.empty((len(self.blocks), len(self.shuffles), len(test)))
        for b, block in enumerate(self.blocks):
            rows = np.tile(self.X[test], (len(self.shuffles), 1))
            stand_ins = self.X[self.shuffles[:, test].ravel()]
            rows[:, block] = stand_ins[:, block]
            if len(rows):
                shuffled[b] = np.reshape(model.predict(rows), shuffled[b].shape)
        return LeftOut(model if self.keep or not len(test) else None, mean, std, shuffled)


def predict_with_std(model: Any, X: Array) -> tuple[Array, Array | None]:
    """Mean, and the standard deviation of a new value where the model knows one.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> predict_with_std(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), np.array([[2.0]]))
    (array([2.]), None)
    """
    if len(X) == 0:
        return np.empty(0), np.empty(0) if _gives_std(model) else None
    if isinstance(model, GaussianProcess):
        mean, std = model.predict(X, return_std=True, observation=True)
        return mean, std
    if _gives_std(model):
        mean, std = model.predict(X, return_std=True)
        return np.asarray(mean, dtype=np.float64), np.maximum(np.asarray(std, dtype=np.float64), 1e-12)
    return np.asarray(model.predict(X), dtype=np.float64), None


def error_growth(
    y: Array, predictions: Array, shuffled: Array, groups: NDArray[Any] | None = None
) -> tuple[Array, Array]:
    """How much the root mean squared error grows when each block is shuffled, and its standard error.

    Parameters
    ----------
    y, predictions : ndarray of shape (n,)
    shuffled : ndarray of shape (n_blocks, n_repeats, n)
    groups : ndarray of shape (n,), optional
        Rows of one group are not independent.

    Returns
    -------
    growth, standard_error : ndarray of shape (n_blocks,)

    Examples
    --------
    >>> y = np.array([0.0, 2.0])
    >>> growth, error = error_growth(y, y, np.array([[[1.0, 1.0]], [[0.0, 2.0]]]))
    >>> growth.tolist()
    [1.0, 0.0]
    """
    square = (y - predictions) ** 2
    rmse = float(np.sqrt(square.mean()))
    growth, errors = np.empty(len(shuffled)), np.empty(len(shuffled))
    for b, block in enumerate(shuffled):
        disturbed = ((y - block) ** 2).mean(axis=0)
        rmse_disturbed = float(np.sqrt(disturbed.mean()))
        growth[b] = rmse_disturbed - rmse
        parts = _over(disturbed, 2.0 * rmse_disturbed) - _over(square, 2.0 * rmse)
        errors[b] = error_of_mean(parts, groups)
    return growth, errors


def error_of_mean(values: Array, groups: NDArray[Any] | None = None) -> float:
    """Standard error of a mean over rows, or over groups of rows; NaN for one.

    Examples
    --------
    >>> error_of_mean(np.array([0.0, 2.0])), error_of_mean(np.array([0.0, 2.0]), np.array(["a", "a"]))
    (1.0, nan)
    """
    n = len(values)
    if groups is None:
        return float(np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    _, member = np.unique(groups, return_inverse=True)
    totals = np.bincount(member, weights=values - values.mean())
    n_groups = len(totals)
    if n_groups < 2:
        return float("nan")
    return float(np.sqrt((totals**2).sum() * n_groups / (n_groups - 1)) / n)


def _over(values: Array, divisor: float) -> Array:
    """Quotient, zero where the divisor is."""
    return values / divisor if divisor > 0 else np.zeros_like(values)


def _gives_std(model: Any) -> bool:
    return "return_std" in inspect.signature(model.predict).parameters
