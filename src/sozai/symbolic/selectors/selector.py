"""What every selector shares: check the table, fit a subset, name what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sozai.contracts.checks import as_matrix, as_names, as_vector
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import BaseEstimator
from sozai.numerics.least_squares import LeastSquares, fit_least_squares
from sozai.symbolic.selectors.models import ModelList, SymbolicModel

__all__ = ["SelectionTask", "Selector"]


@dataclass(frozen=True, eq=False)
class SelectionTask:
    """A checked table to select terms from.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_columns)
    y : ndarray of shape (n_samples,)
    names : tuple of str
    complexity : ndarray of int, shape (n_columns,)
    fit_intercept : bool
    place : str
        The selector, for messages.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    complexity: np.ndarray
    fit_intercept: bool
    place: str

    @property
    def n_samples(self) -> int:
        """Rows."""
        return self.X.shape[0]

    @property
    def n_columns(self) -> int:
        """Columns to choose from."""
        return self.X.shape[1]

    def usable(self) -> np.ndarray:
        """Columns that are not zero and, with an intercept, not constant."""
        size = np.abs(self.X).max(axis=0)
        spread = np.ptp(self.X, axis=0) > 1e-12 * size if self.fit_intercept else size > 0
        return np.flatnonzero(spread)

    def design(self, columns: Sequence[int]) -> np.ndarray:
        """Take the chosen columns, behind a column of ones if there is an intercept."""
        chosen = self.X[:, list(columns)]
        return np.column_stack([np.ones(self.n_samples), chosen]) if self.fit_intercept else chosen

    def fit(self, columns: Sequence[int]) -> LeastSquares:
        """Least squares on the chosen columns."""
        terms = [self.names[j] for j in columns]
        labels = ["1", *terms] if self.fit_intercept else terms
        return fit_least_squares(self.design(columns), self.y, names=labels, place=self.place)

    def model(self, columns: Sequence[int]) -> SymbolicModel:
        """Record of the fit on the chosen columns."""
        return SymbolicModel.from_least_squares(
            self.fit(columns),
            columns,
            [self.names[j] for j in columns],
            int(self.complexity[list(columns)].sum()),
            has_intercept=self.fit_intercept,
        )

    def positions(self, columns: Iterable[str | int], argument: str) -> list[int]:
        """Column numbers of names or numbers."""
        where = {name: j for j, name in enumerate(self.names)}
        out = []
        for column in columns:
            j = where.get(column) if isinstance(column, str) else int(column)
            if j is None or not 0 <= j < self.n_columns:
                remedy = f"Choose among {self.names[:20]}."
                raise InputError(sentence(self.place, argument, "name columns of X", column, remedy=remedy))
            out.append(j)
        return sorted(set(out))


class Selector(BaseEstimator):
    """Base of the selectors: the child says which models, the base keeps the books."""

    def select(self, X, y, names=None, *, complexity=None, fit_intercept=True) -> ModelList:
        """Choose terms among the columns of ``X``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Candidate terms, without the constant if ``fit_intercept``.
        y : array-like of shape (n_samples,)
        names : sequence of str, optional
            Column names; a DataFrame's own, or ``x0, x1, ...``, when left out.
        complexity : array-like of int, optional
            Cost of every column, 1 when left out.
        fit_intercept : bool, default=True
            Add a constant to every model. Without, a constant is a column like any other.

        Returns
        -------
        ModelList
        """
        task = self._task(X, y, names, complexity, fit_intercept)
        if fit_intercept and np.ptp(task.y) <= 1e-14 * np.abs(task.y).max():
            message = f"{task.place}: y is constant; the model is its mean."
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
            return ModelList((task.model(()),), notes=("y is constant",), selected=task.model(()))
        models = self._select(task)
        self._look_at_leverages(task, models)
        return models

    def _select(self, task: SelectionTask) -> ModelList:
        """Models for a checked table; written by the child."""
        raise NotImplementedError

    def _task(self, X, y, names, complexity, fit_intercept) -> SelectionTask:
        """Check the input."""
        place = f"{type(self).__name__}.select"
        names = list(X.columns) if names is None and hasattr(X, "columns") else names
        shown = None if names is None else [str(name) for name in names]
        values = as_matrix(X, place=place, min_samples=3, names=shown)
        target = as_vector(y, values.shape[0], place=place)
        _require_squares(target, place)
        labels = as_names(names, values.shape[1], place=place)
        costs = np.ones(values.shape[1], np.int64) if complexity is None else np.asarray(complexity)
        if costs.shape != (values.shape[1],):
            requirement = f"have one entry per column ({values.shape[1]})"
            raise InputError(sentence(place, "complexity", requirement, f"shape {costs.shape}"))
        return SelectionTask(values, target, labels, costs.astype(np.int64), bool(fit_intercept), place)

    @staticmethod
    def _look_at_leverages(task: SelectionTask, models: ModelList) -> None:
        """Warn when no model can predict some row."""
        if not len(models) or np.isfinite([model.rmse_loo for model in models]).any():
            return
        rows = np.flatnonzero(~np.isfinite(models[0].loo_residuals))
        if rows.size:
            shown = ", ".join(map(str, rows[:5]))
            warnings.warn(
                f"{task.place}: row {shown} has leverage 1: no other row predicts it, Q2 is minus infinity.",
                ConvergenceWarning,
                stacklevel=3,
            )


def _require_squares(y: np.ndarray, place: str) -> None:
    """Sums of squares of the target must fit a float64."""
    size = float(np.abs(y).max())
    if size > 1e151 or 0 < size < 1e-151:
        raise InputError(
            sentence(place, "y", "lie between 1e-151 and 1e151 in magnitude", size, remedy="Rescale y.")
        )
